//! The kubeconfigs that are compared: every field in its usual forms, every flag, and what people and attackers write instead.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podlens_tests::fake::Authority;

/// What a user says.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Names below the folder, and texts.
    pub(crate) files: Vec<(String, String)>,
    /// `KUBECONFIG`, by the names of files.
    pub(crate) kubeconfig: Vec<String>,
    /// Flags by name; a switch has any value.
    pub(crate) flags: Vec<(&'static str, String)>,
    pub(crate) groups: Vec<String>,
    pub(crate) allow_exec: &'static [&'static str],
    /// Why podlens decides otherwise than client-go, where it does.
    pub(crate) differs: Option<&'static str>,
}

// Why podlens decides otherwise.
const HTTPS_ONLY: &str = "podlens never speaks plain HTTP: client-go does, and drops the credentials without a word";
const USER_INFO: &str = "client-go passes over a user in the address; a password there is a slip that ends up in logs";
const UNUSABLE_ADDRESS: &str = "client-go finds out when it connects";
const HALF_A_CERTIFICATE: &str = "client-go passes over a key without its certificate, and asks anonymously";
const UNUSABLE_CERTIFICATE: &str = "client-go finds out when it connects";
const PASSWORD_ALONE: &str = "client-go passes over a password without a user, and asks anonymously";
const BASIC_USER: &str = "a colon in the user's name moves into the password on the way";
const BAD_TOKEN: &str = "client-go finds out when it sends the header";
const TOKEN_FILE: &str = "client-go falls back to the token when the file cannot be read: not what the file was for";
const NAMESPACE: &str = "client-go sends it; podlens takes no namespace that would be another path";
const NOT_ALLOWED: &str = "podlens runs no program of a kubeconfig unless it is allowed by name";
const NO_SUCH_PROGRAM: &str = "client-go finds out when it needs the credential";
const EXEC_ENVIRONMENT: &str = "client-go starts the plugin with a variable that ends at the equals sign";
const NOBODY: &str = "client-go goes on as ourselves; podlens takes an empty `--as` for a slip";
const EXEC_CODE: &str = "podlens lets no kubeconfig choose which code an allowed plugin runs";
const IMPERSONATION_VALUE: &str =
    "HTTP drops or refuses such a value: the server would see another name, or client-go fails when it sends";
const NO_ALIASES: &str = "podlens takes no YAML aliases and merge keys: no tool writes them, and they make a small file large";
const ESCAPED_SLASH: &str = "client-go reads JSON as YAML 1.1, which has no such escape";
const ONE_DOCUMENT: &str = "client-go reads the first YAML document and passes over the others";
const SERVER_NAME: &str = "client-go finds out when it connects";
const PROXY_HOST: &str = "client-go finds out when it connects";
const LAX_TYPES: &str = "client-go refuses a number where text is meant";
const EMPTY_AUTHORITY: &str = "client-go takes an empty file for an authority that is yet to come, and trusts nobody until then";
const DUPLICATE_KEY: &str = "client-go takes one of two values of the same key";
const DEEP: &str = "podlens bounds depth and size";

/// What the cases point at.
pub(crate) fn fixtures(root: &Path) {
    let authority = Authority::new();
    let me = authority.client("me");
    let other = authority.client("other");
    for (name, text) in [
        ("ca.crt", authority.pem()),
        ("other-ca.crt", Authority::new().pem()),
        ("me.crt", me.certificate_pem),
        ("me.key", me.key_pem),
        ("other.crt", other.certificate_pem),
        ("other.key", other.key_pem),
        ("token", "canary-file\n".to_owned()),
        ("other-token", "canary-other".to_owned()),
        ("empty", String::new()),
        ("words", "canary, no PEM".to_owned()),
        ("plugin", "#!/bin/sh\n".to_owned()),
    ] {
        fs::write(root.join(name), text).expect("the folder is writable");
    }
    fs::set_permissions(root.join("plugin"), fs::Permissions::from_mode(0o755)).expect("it was just made");
}

pub(crate) fn cases(root: &Path) -> Vec<Case> {
    let data = |name: &str| STANDARD.encode(fs::read(root.join(name)).expect("it is one of the fixtures"));
    let mut all = Vec::new();
    combinations(&mut all, &data);
    clusters(&mut all, &data);
    users(&mut all, &data);
    plugins(&mut all);
    flags(&mut all, root);
    selections(&mut all);
    files(&mut all, &data);
    texts(&mut all);
    all
}

/// One file of one context, whose cluster and user have these fields in flow style.
fn one(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         contexts: [{{name: c, context: {{cluster: k, user: u, namespace: shop}}}}]\n\
         clusters: [{{name: k, cluster: {{{cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    )
}

/// A case of the file `config` in the folder of the fixtures.
fn case(name: impl Into<String>, text: impl Into<String>) -> Case {
    let name = name.into();
    Case {
        // Files of the same folder: what is relative starts there.
        files: vec![(file_of(&name), text.into())],
        kubeconfig: vec![file_of(&name)],
        name,
        flags: Vec::new(),
        groups: Vec::new(),
        allow_exec: &["./plugin", "sh", "/bin/sh"],
        differs: None,
    }
}

fn file_of(name: &str) -> String {
    let letters: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("config-{letters}")
}

impl Case {
    fn differs(self, why: &'static str) -> Self {
        Self { differs: Some(why), ..self }
    }

    fn flag(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.flags.push((name, value.into()));
        self
    }
}

const GOOD: &str = "server: 'https://a:6443'";
const EXEC: &str = "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: ./plugin";

/// Every kind of cluster with every kind of user.
fn combinations(all: &mut Vec<Case>, data: &dyn Fn(&str) -> String) {
    let ca_data = format!("certificate-authority-data: {}", data("ca.crt"));
    let clusters = [
        ("plain", String::new()),
        ("ca", ", certificate-authority: ca.crt".to_owned()),
        ("ca data", format!(", {ca_data}")),
        ("name", ", certificate-authority: ca.crt, tls-server-name: kubernetes.default".to_owned()),
        ("address as name", ", certificate-authority: ./ca.crt, tls-server-name: 10.0.0.1".to_owned()),
        ("insecure", ", insecure-skip-tls-verify: true".to_owned()),
        ("proxy", format!(", {ca_data}, proxy-url: 'http://me:canary@proxy:3128'")),
        ("secure proxy", ", proxy-url: 'https://proxy'".to_owned()),
        ("socks", ", proxy-url: 'socks5://[::1]:1080', disable-compression: true".to_owned()),
    ];
    let (certificate, key) = (data("me.crt"), data("me.key"));
    let users = [
        ("nobody", String::new()),
        ("token", "token: canary".to_owned()),
        ("file", "tokenFile: token".to_owned()),
        ("token and file", "tokenFile: ./token, token: canary".to_owned()),
        ("basic", "username: me, password: canary".to_owned()),
        ("certificate", "client-certificate: me.crt, client-key: me.key".to_owned()),
        ("certificate data", format!("client-certificate-data: {certificate}, client-key-data: {key}, token: canary")),
        ("mixed certificate", format!("client-certificate: me.crt, client-key-data: {key}")),
        ("plugin", format!("exec: {{{EXEC}, args: [canary]}}")),
        ("plugin and token", format!("token: canary, exec: {{{EXEC}}}")),
        ("plugin and certificate", format!("client-certificate: me.crt, client-key: me.key, exec: {{{EXEC}}}")),
        (
            "impersonation",
            "token: canary, as: jane, as-uid: '1', as-groups: [devs, ops], as-user-extra: {a: [b], c: [d, e]}".to_owned(),
        ),
    ];
    for (cluster_name, cluster) in &clusters {
        for (user_name, user) in &users {
            all.push(case(format!("{cluster_name} + {user_name}"), one(&format!("{GOOD}{cluster}"), user)));
        }
    }
}

fn clusters(all: &mut Vec<Case>, data: &dyn Fn(&str) -> String) {
    let mut add = |name: &str, cluster: &str| all.push(case(name, one(cluster, "token: canary")));
    for (name, server) in [
        ("default port", "https://a:443"),
        ("path", "https://a/k8s/clusters/c-1"),
        ("path and slash", "https://a/k8s/"),
        ("slash", "https://a/"),
        ("query and path", "https://a/x?y=z#f"),
        ("IPv6", "https://[fd00::1]:6443"),
        ("upper case", "HTTPS://Example.com"),
        ("no host", "https://"),
        ("three slashes", "https:///a"),
    ] {
        add(name, &format!("server: '{server}'"));
    }
    let ca_data = data("ca.crt");
    for (name, cluster) in [
        ("server empty", "server: ''".to_owned()),
        ("server missing", "certificate-authority: ca.crt".to_owned()),
        ("cluster empty", String::new()),
        ("both authorities", format!("{GOOD}, certificate-authority: ca.crt, certificate-authority-data: {ca_data}")),
        ("authority gone", format!("{GOOD}, certificate-authority: gone")),
        ("authority no PEM", format!("{GOOD}, certificate-authority: words")),
        ("authority data no PEM", format!("{GOOD}, certificate-authority-data: Y2FuYXJ5")),
        ("authority data empty", format!("{GOOD}, certificate-authority-data: ''")),
        ("authority data folded", format!("{GOOD}, certificate-authority-data: \"{}\\n{}\"", &ca_data[..64], &ca_data[64..])),
        ("insecure as text", format!("{GOOD}, insecure-skip-tls-verify: 'true'")),
        ("insecure and authority", format!("{GOOD}, insecure-skip-tls-verify: true, certificate-authority: ca.crt")),
        ("insecure and data", format!("{GOOD}, insecure-skip-tls-verify: true, certificate-authority-data: {ca_data}")),
        ("not insecure", format!("{GOOD}, insecure-skip-tls-verify: false, certificate-authority: ca.crt")),
        ("name empty", format!("{GOOD}, tls-server-name: ''")),
        ("proxy empty", format!("{GOOD}, proxy-url: ''")),
        ("proxy ftp", format!("{GOOD}, proxy-url: 'ftp://proxy'")),
        ("proxy socks5h", format!("{GOOD}, proxy-url: 'socks5h://proxy'")),
        ("proxy without scheme", format!("{GOOD}, proxy-url: 'proxy:3128'")),
        ("proxy malformed", format!("{GOOD}, proxy-url: 'http://[::1'")),
        ("extension", format!("{GOOD}, extensions: [{{name: client.authentication.k8s.io/exec, extension: {{a: [1, {{}}]}}}}]")),
        ("unknown field", format!("{GOOD}, colour: red")),
        ("field null", format!("{GOOD}, certificate-authority: null, tls-server-name: ~, insecure-skip-tls-verify: null")),
    ] {
        add(name, &cluster);
    }
    for (name, server, why) in [
        ("http", "http://a", HTTPS_ONLY),
        ("no scheme", "a:6443", HTTPS_ONLY),
        ("no scheme, name alone", "localhost", HTTPS_ONLY),
        ("user in address", "https://me:canary@a", USER_INFO),
        ("token in address", "https://canary@a", USER_INFO),
        ("port out of range", "https://a:99999", UNUSABLE_ADDRESS),
        ("ftp", "ftp://a", HTTPS_ONLY),
    ] {
        all.push(case(name, one(&format!("server: '{server}'"), "token: canary")).differs(why));
    }
    for (name, cluster, why) in [
        ("name with a space", "tls-server-name: 'a b'", SERVER_NAME),
        ("name with a slash", "tls-server-name: 'a/b'", SERVER_NAME),
        ("proxy without host", "proxy-url: 'http://'", PROXY_HOST),
        ("authority empty file", "certificate-authority: empty", EMPTY_AUTHORITY),
    ] {
        all.push(case(name, one(&format!("{GOOD}, {cluster}"), "token: canary")).differs(why));
    }
}

fn users(all: &mut Vec<Case>, data: &dyn Fn(&str) -> String) {
    let mut add = |name: &str, user: &str, differs| all.push(Case { differs, ..case(name, one(GOOD, user)) });
    let certificate = data("me.crt");
    for (name, user) in [
        ("user empty", String::new()),
        ("token empty", "token: ''".to_owned()),
        ("token null", "token:".to_owned()),
        ("token and basic", "token: canary, username: me, password: canary".to_owned()),
        ("file and basic", "tokenFile: token, username: me, password: canary".to_owned()),
        ("file gone", "tokenFile: gone".to_owned()),
        ("file empty", "tokenFile: empty".to_owned()),
        ("file is a folder", "tokenFile: .".to_owned()),
        ("user without password", "username: me".to_owned()),
        ("certificate without key", "client-certificate: me.crt".to_owned()),
        ("certificate data without key", format!("client-certificate-data: {certificate}")),
        ("both certificates", format!("client-certificate: me.crt, client-certificate-data: {certificate}, client-key: me.key")),
        ("both keys", format!("client-certificate: me.crt, client-key: me.key, client-key-data: {}", data("me.key"))),
        ("certificate gone", "client-certificate: gone, client-key: me.key".to_owned()),
        ("key gone", "client-certificate: me.crt, client-key: gone".to_owned()),
        ("uid without user", "token: canary, as-uid: '1'".to_owned()),
        ("groups without user", "token: canary, as-groups: [a]".to_owned()),
        ("extra without user", "token: canary, as-user-extra: {a: [b]}".to_owned()),
        ("as empty", "token: canary, as: '', as-groups: []".to_owned()),
        ("as alone", "as: 'system:serviceaccount:shop:reader'".to_owned()),
        ("as with letters", "as: 'jané@example.org'".to_owned()),
        ("auth provider", "auth-provider: {name: gcp, config: {access-token: canary}}".to_owned()),
        ("auth provider and token", "token: canary, auth-provider: {name: azure}".to_owned()),
        ("unknown auth provider", "auth-provider: {name: x}".to_owned()),
    ] {
        add(name, &user, None);
    }
    let key_data = data("me.key");
    for (name, user, why) in [
        ("key without certificate", "token: canary, client-key: me.key".to_owned(), HALF_A_CERTIFICATE),
        ("key data without certificate", format!("client-key-data: {key_data}"), HALF_A_CERTIFICATE),
        ("another key", "client-certificate: me.crt, client-key: other.key".to_owned(), UNUSABLE_CERTIFICATE),
        ("certificate no PEM", "client-certificate: words, client-key: me.key".to_owned(), UNUSABLE_CERTIFICATE),
        ("key no PEM", "client-certificate: me.crt, client-key: words".to_owned(), UNUSABLE_CERTIFICATE),
        ("password alone", "password: canary".to_owned(), PASSWORD_ALONE),
        ("colon in user", "username: 'a:b', password: canary".to_owned(), BASIC_USER),
        ("token with a space", "token: 'canary canary'".to_owned(), BAD_TOKEN),
        ("token with a line", "token: \"canary\\nX: y\"".to_owned(), BAD_TOKEN),
        ("token of blanks", "token: '  '".to_owned(), BAD_TOKEN),
        ("file gone, and a token", "tokenFile: gone, token: canary".to_owned(), TOKEN_FILE),
        ("as with a line", "as: \"a\\nb\"".to_owned(), IMPERSONATION_VALUE),
        ("as with a blank", "as: ' jane'".to_owned(), IMPERSONATION_VALUE),
        ("empty group", "as: jane, as-groups: ['']".to_owned(), IMPERSONATION_VALUE),
        ("empty extra key", "as: jane, as-user-extra: {'': [a]}".to_owned(), IMPERSONATION_VALUE),
    ] {
        add(name, &user, Some(why));
    }
}

fn plugins(all: &mut Vec<Case>) {
    let with = |fields: &str| one(GOOD, &format!("exec: {{{fields}}}"));
    let (v1, beta) = ("apiVersion: client.authentication.k8s.io/v1", "apiVersion: client.authentication.k8s.io/v1beta1");
    for (name, fields) in [
        ("plugin of the path", format!("{v1}, interactiveMode: IfAvailable, command: sh")),
        ("plugin by its path", format!("{v1}, interactiveMode: Always, command: /bin/sh")),
        ("plugin beta", format!("{beta}, command: sh, env: [{{name: A, value: canary}}]")),
        ("plugin without command", format!("{v1}, interactiveMode: Never")),
        ("plugin without version", "interactiveMode: Never, command: sh".to_owned()),
        ("plugin of alpha", "apiVersion: client.authentication.k8s.io/v1alpha1, command: sh".to_owned()),
        ("plugin of another API", "apiVersion: v1, interactiveMode: Never, command: sh".to_owned()),
        ("plugin without mode", format!("{v1}, command: sh")),
        ("plugin with another mode", format!("{v1}, interactiveMode: never, command: sh")),
        ("plugin with a nameless variable", format!("{v1}, interactiveMode: Never, command: sh, env: [{{value: canary}}]")),
        ("plugin empty", String::new()),
        ("plugin with nulls", format!("{v1}, interactiveMode: Never, command: sh, args: null, env: null, installHint: null")),
    ] {
        all.push(case(name, with(&fields)));
    }
    let named = with(&format!("{v1}, interactiveMode: Never, command: sh"));
    all.push(Case { allow_exec: &[], ..case("plugin not allowed", named.clone()) }.differs(NOT_ALLOWED));
    all.push(Case { allow_exec: &["bash", "*", ""], ..case("another plugin allowed", named) }.differs(NOT_ALLOWED));
    let own = with(&format!("{v1}, interactiveMode: Never, command: ./plugin"));
    all.push(Case { allow_exec: &["plugin"], ..case("own plugin with an allowed name", own) }.differs(NOT_ALLOWED));
    let gone = with(&format!("{v1}, interactiveMode: Never, command: ./gone"));
    all.push(Case { allow_exec: &["./gone"], ..case("plugin gone", gone) }.differs(NO_SUCH_PROGRAM));
    let variable = with(&format!("{v1}, interactiveMode: Never, command: sh, env: [{{name: 'A=canary', value: b}}]"));
    all.push(case("plugin with an odd variable", variable).differs(EXEC_ENVIRONMENT));
    let code = with(&format!("{v1}, interactiveMode: Never, command: sh, env: [{{name: LD_PRELOAD, value: canary}}]"));
    all.push(case("plugin with code from elsewhere", code).differs(EXEC_CODE));
    let broken = one(GOOD, "token: canary, exec: {command: sh}");
    all.push(case("token and a broken plugin", broken));
}

/// Each flag alone, and each pair of them, over a kubeconfig that says everything, and over none.
fn flags(all: &mut Vec<Case>, root: &Path) {
    let file = |name: &str| root.join(name).display().to_string();
    let flags: Vec<(&'static str, String)> = vec![
        ("server", "https://b/prefix".to_owned()),
        ("tls-server-name", "other".to_owned()),
        ("certificate-authority", file("other-ca.crt")),
        ("insecure-skip-tls-verify", "true".to_owned()),
        ("token-file", file("other-token")),
        ("client-certificate", file("me.crt")),
        ("client-key", file("me.key")),
        ("as", "joan".to_owned()),
        ("context", "d".to_owned()),
        ("cluster", "l".to_owned()),
        ("user", "v".to_owned()),
    ];
    let full = "current-context: c\n\
        contexts: [{name: c, context: {cluster: k, user: u, namespace: shop}}, {name: d, context: {cluster: l, user: v}}]\n\
        clusters:\n\
        - {name: k, cluster: {server: 'https://a', certificate-authority: ca.crt, tls-server-name: name, proxy-url: 'http://p:1'}}\n\
        - {name: l, cluster: {server: 'https://l', insecure-skip-tls-verify: true}}\n\
        users:\n\
        - {name: u, user: {token: canary, client-certificate: other.crt, client-key: other.key, as: jane, as-groups: [devs]}}\n\
        - {name: v, user: {tokenFile: token}}\n";
    // A certificate or a key alone belongs to nothing: not to those of user `u`, and user `v` has none.
    let differs = |names: &[&str]| {
        let has = |name| names.contains(&name);
        match (has("client-certificate"), has("client-key"), has("context") || has("user")) {
            (true, false, false) | (false, true, false) => Some(UNUSABLE_CERTIFICATE),
            (false, true, true) => Some(HALF_A_CERTIFICATE),
            _ => None,
        }
    };
    for (first, (name, value)) in flags.iter().enumerate() {
        all.push(Case { differs: differs(&[name]), ..case(format!("flag {name}"), full) }.flag(name, value));
        for (other, other_value) in &flags[first + 1..] {
            let case = case(format!("flags {name} and {other}"), full).flag(name, value).flag(other, other_value);
            all.push(Case { differs: differs(&[name, other]), ..case });
        }
        // Without a kubeconfig, a server alone makes a configuration.
        let bare = Case { kubeconfig: vec!["gone".to_owned()], ..case(format!("bare {name}"), "") }.flag(name, value);
        let bare = if *name == "server" { bare } else { bare.flag("server", "https://b") };
        all.push(Case { differs: (*name == "client-key").then_some(HALF_A_CERTIFICATE), ..bare });
    }
    for (name, user) in [("over basic", "username: me, password: canary"), ("over a plugin", "exec: {command: gone}")] {
        all.push(case(format!("token file {name}"), one(GOOD, user)).flag("token-file", file("token")));
    }
    all.push(Case { groups: vec!["a".into(), "b".into()], ..case("groups over groups", full) });
    all.push(Case { groups: vec!["a".into()], ..case("groups without a user", one(GOOD, "token: canary")) });
    all.push(case("explicit file", "").flag("kubeconfig", file("config-explicit-file")).flag("server", "https://b"));
    all.push(case("explicit file gone", "").flag("kubeconfig", file("gone")));
    all.push(
        case("authority over insecurity", one(&format!("{GOOD}, insecure-skip-tls-verify: true"), ""))
            .flag("certificate-authority", file("ca.crt")),
    );
    let data = STANDARD.encode(fs::read(root.join("ca.crt")).expect("it is one of the fixtures"));
    let cluster = format!("{GOOD}, certificate-authority-data: {data}");
    all.push(case("authority over data", one(&cluster, "")).flag("certificate-authority", file("other-ca.crt")));
    all.push(case("insecurity over data", one(&cluster, "")).flag("insecure-skip-tls-verify", "true"));
    for (flag, value) in [("server", ""), ("context", ""), ("cluster", ""), ("user", ""), ("as", ""), ("tls-server-name", "")] {
        let differs = (flag == "as").then_some(NOBODY);
        all.push(Case { differs, ..case(format!("flag {flag} empty"), full).flag(flag, value) });
    }
    for (flag, value) in
        [("context", "x"), ("cluster", "x"), ("user", "x"), ("certificate-authority", "/gone"), ("token-file", "/gone")]
    {
        let differs = (flag == "token-file").then_some(TOKEN_FILE);
        all.push(Case { differs, ..case(format!("flag {flag} unknown"), full).flag(flag, value) });
    }
}

/// Contexts, clusters and users that are there or not.
fn selections(all: &mut Vec<Case>) {
    let cluster = "clusters: [{name: k, cluster: {server: 'https://a'}}]\n";
    let user = "users: [{name: u, user: {token: canary}}]\n";
    let context = "contexts: [{name: c, context: {cluster: k, user: u}}]\n";
    let current = "current-context: c\n";
    for (name, text) in [
        ("no namespace", format!("{current}{context}{cluster}{user}")),
        ("context gone", format!("{current}{cluster}{user}")),
        ("user gone", format!("{current}{context}{cluster}")),
        ("no user in context", format!("{current}contexts: [{{name: c, context: {{cluster: k}}}}]\n{cluster}")),
        ("empty namespace", format!("{current}contexts: [{{name: c, context: {{cluster: k, namespace: ''}}}}]\n{cluster}")),
        ("names with blanks", "current-context: 'a b'\ncontexts: [{name: 'a b', context: {cluster: 'k/1@x'}}]\nclusters: [{name: 'k/1@x', cluster: {server: 'https://a'}}]\n".to_owned()),
        ("empty name", "current-context: c\ncontexts: [{name: c, context: {cluster: k}}, {name: ''}]\n".to_owned() + cluster),
        ("null lists", format!("{current}{context}{cluster}users: null\npreferences: {{}}\nextensions: null\n")),
        ("empty file", String::new()),
        ("nothing but a header", "apiVersion: v1\nkind: Config\n".to_owned()),
        ("cluster gone", format!("{current}{context}{user}")),
        ("no cluster in context", format!("{current}contexts: [{{name: c, context: {{user: u}}}}]\n{user}")),
    ] {
        all.push(case(name, text));
    }
    all.push(case("no current context", format!("{context}{cluster}{user}")));
    all.push(case("no context, a cluster by flag", format!("{context}{cluster}{user}")).flag("cluster", "k"));
    all.push(case("no context, a server by flag", format!("{context}{cluster}{user}")).flag("server", "https://b"));
    all.push(case("cluster gone, a server by flag", format!("{current}{context}{user}")).flag("server", "https://b"));
    for (name, namespace) in [("namespace of dots", ".."), ("namespace with a slash", "a/b"), ("namespace in capitals", "Shop")] {
        let text = format!("{current}contexts: [{{name: c, context: {{cluster: k, namespace: '{namespace}'}}}}]\n{cluster}");
        all.push(case(name, text).differs(NAMESPACE));
    }
}

/// Several files, and none.
fn files(all: &mut Vec<Case>, data: &dyn Fn(&str) -> String) {
    let several = |name: &str, texts: &[&str], list: &[&str]| Case {
        files: texts.iter().enumerate().map(|(n, text)| (format!("{}/{n}/config", file_of(name)), (*text).to_owned())).collect(),
        kubeconfig: list
            .iter()
            .map(|file| if file.len() == 1 { format!("{}/{file}/config", file_of(name)) } else { (*file).to_owned() })
            .collect(),
        ..case(name, "")
    };
    let context = "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: shop}}]\n";
    let first = "clusters: [{name: k, cluster: {server: 'https://first'}}]\nusers: [{name: u, user: {token: canary}}]\n";
    let second = "clusters: [{name: k, cluster: {server: 'https://second', insecure-skip-tls-verify: true}}]\n\
                  users: [{name: u, user: {username: me, password: canary}}, {name: v, user: {}}]\n\
                  current-context: d\ncontexts: [{name: d, context: {cluster: k, user: v}}]\n";
    let relative = "clusters: [{name: k, cluster: {server: 'https://a', certificate-authority: ../../ca.crt}}]\n\
                    users: [{name: u, user: {tokenFile: ../../token}}]\n";
    all.push(several("context in another file", &[context, first], &["0", "1"]));
    all.push(several("first entry wins", &[context, first, second], &["0", "1", "2"]));
    all.push(several("first entry wins, the other way", &[context, first, second], &["2", "1", "0"]));
    all.push(several("missing files", &[context, first], &["gone", "0", "gone", "1"]));
    all.push(several("the same file twice", &[context, first], &["0", "1", "0", "1"]));
    all.push(several("empty file among others", &["", context, first], &["0", "1", "2"]));
    all.push(several("relative paths of each file", &[context, relative], &["0", "1"]));
    all.push(several("broken first", &["users: [canary", context, first], &["0", "1", "2"]));
    all.push(several("broken last", &["users: [canary", context, first], &["1", "2", "0"]));
    all.push(Case { kubeconfig: vec!["gone".into(), "gone-too".into()], ..case("all files gone", "") });
    all.push(Case { kubeconfig: vec![".".into()], ..case("a folder", "") });
    let home = format!(
        "{context}clusters: [{{name: k, cluster: {{server: 'https://home', certificate-authority-data: {}}}}}]\n",
        data("ca.crt")
    );
    all.push(Case { files: vec![("home/.kube/config".into(), home)], kubeconfig: Vec::new(), ..case("home", "") });
}

/// What else can be in a file.
fn texts(all: &mut Vec<Case>) {
    let good = one(GOOD, "token: canary");
    let json = r#"{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
        "clusters":[{"name":"k","cluster":{"server":"https://a"}}],"users":[{"name":"u","user":{"token":"canary"}}]}"#;
    let entry = "{name: u, user: {token: canary}}";
    for (name, text) in [
        ("JSON", json.to_owned()),
        ("comments", format!("# a comment\n{good}# another\n")),
        ("CRLF", good.replace('\n', "\r\n")),
        ("document start", format!("---\n{good}")),
        ("document end", format!("{good}...\n")),
        ("no header", good.replace("apiVersion: v1\nkind: Config\n", "")),
        ("another kind", good.replace("kind: Config", "kind: Pod")),
        ("another version", good.replace("apiVersion: v1", "apiVersion: v2")),
        ("another group", good.replace("apiVersion: v1", "apiVersion: apps/v1")),
        ("text", "canary".to_owned()),
        ("a list", "[canary]".to_owned()),
        ("open bracket", format!("{good}users: [canary")),
        ("a tab", format!("{good}\tcanary: 1\n")),
        ("two users of one name", good.replace("users: [", &format!("users: [{entry}, "))),
        ("two clusters of one name", good.replace("clusters: [", "clusters: [{name: k, cluster: {}}, ")),
        ("two contexts of one name", good.replace("contexts: [", "contexts: [{name: c}, ")),
        ("users are text", good.replace("users: [", "users: canary #[")),
        ("token is a list", one(GOOD, "token: [canary]")),
        ("token is a map", one(GOOD, "token: {canary: 1}")),
        ("server is a list", one("server: ['https://a']", "")),
        ("groups are text", one(GOOD, "as: jane, as-groups: canary")),
        ("extra is a list", one(GOOD, "as: jane, as-user-extra: [canary]")),
        ("data is no base64", one(&format!("{GOOD}, certificate-authority-data: '***'"), "")),
        ("insecure is a number", one(&format!("{GOOD}, insecure-skip-tls-verify: 7"), "")),
        ("capitals in a field", one("Server: 'https://a'", "")),
        ("unknown fields", format!("{good}canary: {{deep: [1, 2, {{}}]}}\n")),
        ("quoted keys", good.replace("current-context", "\"current-context\"")),
        ("a hidden character in a name", good.replace("name: c,", "name: \"c\\u202e\",")),
    ] {
        all.push(case(name, text));
    }
    let deep = format!("{good}deep: {}{}\n", "[".repeat(60), "]".repeat(60));
    for (name, text, why) in [
        ("aliases", format!("{}anchor: &a canary\nalias: *a\n", good), NO_ALIASES),
        ("merge key", format!("{good}anchor: &a {{b: c}}\nmerged: {{<<: *a}}\n"), NO_ALIASES),
        ("JSON with escapes", json.replace('/', "\\/"), ESCAPED_SLASH),
        ("two documents", format!("{good}---\nkind: Config\n"), ONE_DOCUMENT),
        ("a key twice", format!("{good}preferences: {{}}\npreferences: {{}}\n"), DUPLICATE_KEY),
        ("token is a number", one(GOOD, "token: 12345"), LAX_TYPES),
        ("deep", deep, DEEP),
    ] {
        all.push(case(name, text).differs(why));
    }
}
