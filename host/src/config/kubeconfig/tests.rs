//! Whole files through the loader. Cases re-express client-go's `loader_test.go`, `client_config_test.go` and `validation_test.go`.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::environment::fixed::FixedEnvironment;

const CANARY: &str = "canary-b7f1";

/// A folder with kubeconfigs and what they point at.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        let certificate = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        fixture.write("ca.crt", &certificate.cert.pem());
        fixture.write("key", &certificate.signing_key.serialize_pem());
        fixture.write("token", &format!("{CANARY}-file\n"));
        fixture
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, text: &str) -> Result<Config, Error> {
        self.load_with(text, &ConfigOptions::default())
    }

    fn load_with(&self, text: &str, options: &ConfigOptions) -> Result<Config, Error> {
        let path = self.write("config", text);
        load_files(&Files::Explicit(path), options).map(|config| config.expect("the file is not empty"))
    }

    /// Each value with where it came from, and what has no effect, with the folder as `@`.
    fn settings(&self, config: &Config) -> Vec<String> {
        let settings = config.settings().into_iter().map(|it| format!("{}: {} from {}", it.name, it.value, it.origin));
        let unused = config.unused().into_iter().map(|(what, why)| format!("{what}: not used, {why}"));
        let folder = self.folder.path().to_str().unwrap();
        settings.chain(unused).map(|line| line.replace(folder, "@")).inspect(|line| assert!(!line.contains(CANARY))).collect()
    }

    /// Message and cause, with the folder as `@`.
    fn told(&self, error: &Error) -> String {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            told = format!("{told}: {error}");
            cause = error.source();
        }
        assert!(error.is_configuration());
        assert!(!format!("{error:?} {told} {:?}", error.help()).contains(CANARY), "{told}");
        told.replace(self.folder.path().to_str().unwrap(), "@")
    }
}

fn load_files(files: &Files, options: &ConfigOptions) -> Result<Option<Config>, Error> {
    load(files, options, &FixedEnvironment(&[("PATH", "/usr/bin:/bin")]))
}

/// A kubeconfig of one context whose cluster and user have these fields, in flow style.
fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "current-context: c\n\
         contexts: [{{name: c, context: {{cluster: k, user: u, namespace: shop}}}}]\n\
         clusters: [{{name: k, cluster: {{{cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    )
}

#[test]
fn a_context_gives_everything_and_relative_paths_start_at_the_file() {
    let fixture = Fixture::new();
    let config = fixture
        .load(&kubeconfig(
            "server: https://a:6443/prefix, certificate-authority: ca.crt, disable-compression: true",
            "tokenFile: token, client-certificate: ca.crt, client-key: ./key",
        ))
        .unwrap();
    assert_eq!((config.address(), config.namespace().as_str()), ("https://a:6443/prefix", "shop"));
    assert_eq!(
        fixture.settings(&config),
        [
            "server: https://a:6443/prefix from cluster `k` in `@/config`",
            "namespace: shop from context `c` in `@/config`",
            "certificate authority: as configured from `@/ca.crt`",
            "credentials: bearer token from the file `@/token` from user `u` in `@/config`",
            "client certificate: certificate and key from `@/ca.crt`",
            "the kubeconfig's `disable-compression`: not used, compression is never asked for",
        ]
    );
    assert!(config.tls.rotates());
}

#[test]
fn the_token_of_a_file_comes_before_the_token() {
    let fixture = Fixture::new();
    let kind = |user: &str| fixture.load(&kubeconfig("server: 'https://a'", user)).unwrap().credentials.value.kind();
    assert_eq!(kind("username: me, password: canary-b7f1"), "user and password");
    assert_eq!(kind("username: me"), "user and password");
    assert_eq!(kind(&format!("token: {CANARY}, tokenFile: token")), "bearer token from a file");
    assert_eq!(kind(&format!("token: {CANARY}, tokenFile: ''")), "bearer token");
    assert_eq!(kind("token: 12345"), "bearer token");
    assert_eq!(kind("token: ''"), "none");
    assert_eq!(kind("token:"), "none");
}

#[test]
fn a_context_without_a_known_user_is_anonymous() {
    let fixture = Fixture::new();
    let text = kubeconfig("server: 'https://a'", "").replace("user: u", "user: other");
    assert_eq!(fixture.load(&text).unwrap().credentials.value.kind(), "none");
}

#[test]
fn data_is_base64_of_pem() {
    let fixture = Fixture::new();
    let encoded =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, fs::read(fixture.folder.path().join("ca.crt")).unwrap());
    let (first, second) = encoded.split_at(64);
    let cluster = format!("server: 'https://a', certificate-authority-data: \"{first}\\n{second}\"");
    let config = fixture.load(&kubeconfig(&cluster, "")).unwrap();
    assert!(!config.tls.rotates());
    assert!(matches!(config.tls.load().unwrap().roots, crate::config::Roots::Given(_)));
}

#[test]
fn the_first_file_that_has_a_name_wins_and_keeps_its_folder() {
    let fixture = Fixture::new();
    let first = fixture.write(
        "first/config",
        "current-context: ''\nusers: [{name: u, user: {tokenFile: token}}]\n\
         clusters: [{name: k, cluster: {server: 'https://first'}}]\n",
    );
    fixture.write("first/token", "a");
    let second = fixture.write(
        "second/config",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n\
         clusters: [{name: k, cluster: {server: 'https://second', certificate-authority: nowhere}}]\n",
    );
    let third = fixture.write("third/config", "current-context: other\ncontexts: [{name: c}]\n");
    let files = Files::Found(vec![first.clone(), PathBuf::from("/nowhere"), second, third]);
    let config = load_files(&files, &ConfigOptions::default()).unwrap().unwrap();
    // The whole entry of the first file: nothing of the second one's.
    assert_eq!((config.address(), config.tls.authority()), ("https://first", "the platform's"));
    assert_eq!(config.credentials.origin.to_string(), format!("user `u` in `{}`", first.display()));
    assert_eq!(config.namespace().as_str(), "default");
}

#[test]
fn files_that_are_missing_or_empty_are_nothing() {
    let fixture = Fixture::new();
    let empty = fixture.write("empty", "");
    assert!(load_files(&Files::Found(vec![PathBuf::from("/nowhere"), empty]), &ConfigOptions::default()).unwrap().is_none());
}

#[test]
fn contexts_are_selected_by_name() {
    let fixture = Fixture::new();
    let two = "contexts: [{name: a, context: {cluster: k}}, {name: b, context: {cluster: gone}}, {name: d}]\n\
               clusters: [{name: k, cluster: {server: 'https://a'}}]\n";
    let named = |context: Option<&str>| ConfigOptions { context: context.map(str::to_owned), ..ConfigOptions::default() };
    let told = |text: &str, context| match fixture.load_with(text, &named(context)) {
        Ok(config) => config.address().to_owned(),
        Err(error) => fixture.told(&error),
    };
    assert_eq!(told(two, Some("a")), "https://a");
    assert_eq!(told(&format!("current-context: a\n{two}"), None), "https://a");
    assert_eq!(told(two, Some("x")), "the kubeconfig has no context `x`");
    assert_eq!(told(two, None), "the kubeconfig has no `current-context`, and no context was asked for");
    assert_eq!(told(&format!("current-context: x\n{two}"), None), "there is no context `x`, the `current-context` of `@/config`");
    assert_eq!(told(two, Some("b")), "there is no cluster `gone`, which context `b` in `@/config` names");
    assert_eq!(told(two, Some("d")), "context `d` in `@/config` names no cluster");
    assert_eq!(fixture.load_with(two, &named(Some("x"))).unwrap_err().help(), Some("there are: `a`, `b`, `d`"));
}

#[test]
fn what_is_wrong_or_not_supported_is_told_by_field_entry_and_file() {
    let fixture = Fixture::new();
    let good = "server: 'https://a'";
    for (cluster, user, message) in [
        ("", "", "`server` of cluster `k` in `@/config` is not usable: it is empty"),
        ("server: 'http://a'", "", "`server` of cluster `k` in `@/config` is not usable: `http://a` is not https"),
        ("server: 'a:6443'", "", "`server` of cluster `k` in `@/config` is not usable: `a:6443` has no scheme"),
        (
            "server: 'https://me:canary-b7f1@a'",
            "",
            "`server` of cluster `k` in `@/config` is not usable: there is an `@` in it, as before a host that is given with user and password",
        ),
        (
            "server: 'https://a', insecure-skip-tls-verify: true, certificate-authority: ca.crt",
            "",
            "cluster `k` in `@/config`: `insecure-skip-tls-verify` and a certificate authority are both set",
        ),
        (
            "server: 'https://a', proxy-url: 'ftp://canary-b7f1'",
            "",
            "cannot use the `proxy-url` of cluster `k` in `@/config`: its scheme is not one of `http`, `https` and `socks5`",
        ),
        (
            "server: 'https://a', tls-server-name: 'a b'",
            "",
            "the `tls-server-name` `a b` of cluster `k` in `@/config` is not a DNS name or an IP address",
        ),
        (
            "server: 'https://a', certificate-authority: ca.crt, certificate-authority-data: canary-b7f1",
            "",
            "`certificate-authority` and `certificate-authority-data` of cluster `k` in `@/config` are both set",
        ),
        (
            "server: 'https://a', certificate-authority: gone",
            "",
            "cannot read the certificate authority `@/gone`: No such file or directory (os error 2)",
        ),
        (
            "server: 'https://a', certificate-authority-data: canary-b7f1",
            "",
            "`certificate-authority-data` of cluster `k` in `@/config` is not base64",
        ),
        (
            "server: 'https://a', certificate-authority-data: Y2FuYXJ5LWI3ZjE=",
            "",
            "cannot use the certificate authority `certificate-authority-data` of cluster `k` in `@/config`: \
             it has no PEM certificate (`-----BEGIN CERTIFICATE-----`)",
        ),
        (
            good,
            "exec: {command: aws, apiVersion: x, args: [canary-b7f1]}",
            "the `exec` of user `u` in `@/config` has an `apiVersion` other than `client.authentication.k8s.io/v1` and \
             `client.authentication.k8s.io/v1beta1`",
        ),
        (good, "exec: {}, token: canary-b7f1", "the `exec` of user `u` in `@/config` has no `command`"),
        (
            good,
            "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}, token: canary-b7f1",
            "the `exec` of user `u` in `@/config` needs an `interactiveMode`: `Never`, `IfAvailable` or `Always`",
        ),
        (
            good,
            "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, env: [{name: 'A=canary-b7f1'}]}",
            "the `exec` of user `u` in `@/config` has an `env` or an `args` that no program can be given",
        ),
        (
            good,
            "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, env: [{name: LD_PRELOAD, value: canary-b7f1}]}",
            "the `exec` of user `u` in `@/config` has the variable `LD_PRELOAD` in its `env`, which would have the plugin run code from \
             elsewhere",
        ),
        (
            good,
            "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, args: [canary-b7f1]}",
            "the credential plugin `aws` of user `u` in `@/config` is not run: a kubeconfig's program is only run when it is allowed by \
             name",
        ),
        (
            good,
            "auth-provider: {name: gcp, config: {a: canary-b7f1}}, token: canary-b7f1",
            "the `auth-provider` `gcp` of user `u` in `@/config` is not supported",
        ),
        (good, "password: canary-b7f1", "user `u` in `@/config` has a `password` and no `username`"),
        (good, "username: 'a:b', password: canary-b7f1", "the `username` of user `u` in `@/config` has a colon in it"),
        (
            good,
            "username: me, password: canary-b7f1, token: canary-b7f1",
            "user `u` in `@/config` has a token and a user with a password: only one of them can be sent",
        ),
        (
            good,
            "username: me, password: canary-b7f1, tokenFile: token",
            "user `u` in `@/config` has a token and a user with a password: only one of them can be sent",
        ),
        (
            good,
            "as: \"canary-b7f1\\n\"",
            "cannot impersonate as user `u` in `@/config` says: `as` has a value that is empty, begins or ends with a space, or has \
             control characters",
        ),
        (
            good,
            "as-groups: [a]",
            "cannot impersonate as user `u` in `@/config` says: a uid, groups or extra are to be impersonated, and no user: `as` is \
             not set",
        ),
        (good, "token: canary-b7f1 x", "cannot use the `token` of user `u` in `@/config`: the token has whitespace in it"),
        (
            good,
            "tokenFile: gone, token: canary-b7f1",
            "cannot read the token file `@/gone`: No such file or directory (os error 2)",
        ),
        (good, "client-certificate: ca.crt", "user `u` in `@/config`: there is a client certificate and no client key"),
        (good, "client-key: key", "user `u` in `@/config`: there is a client key and no client certificate"),
        (
            good,
            "client-key: key, client-key-data: canary-b7f1",
            "`client-key` and `client-key-data` of user `u` in `@/config` are both set",
        ),
        (
            good,
            "client-certificate: ca.crt, client-key: token",
            "cannot use the client key `@/token`: it has no PEM private key (PKCS #8, PKCS #1 or SEC 1)",
        ),
    ] {
        let error = fixture.load(&kubeconfig(cluster, user)).unwrap_err();
        assert_eq!(fixture.told(&error), message);
    }
}

#[test]
fn a_refused_entry_that_is_not_selected_does_no_harm() {
    let fixture = Fixture::new();
    let text =
        kubeconfig("server: 'https://a'", "token: a").replace("users: [", "users: [{name: other, user: {exec: {command: aws}}}, ");
    assert_eq!(fixture.load(&text).unwrap().credentials.value.kind(), "bearer token");
}

#[test]
fn false_and_empty_values_are_unset_ones() {
    let fixture = Fixture::new();
    let cluster =
        "server: 'https://a', insecure-skip-tls-verify: false, proxy-url: '', tls-server-name: '', certificate-authority: ''";
    let user = "username: '', as: '', as-groups: [], as-user-extra:, exec:, auth-provider: null";
    assert_eq!(fixture.load(&kubeconfig(cluster, user)).unwrap().credentials.value.kind(), "none");
}

#[test]
fn a_name_twice_in_one_file_is_refused_without_its_entry() {
    let fixture = Fixture::new();
    let error = fixture.load("users: [{name: u, user: {token: canary-b7f1}}, {name: u, user: {token: canary-b7f1}}]").unwrap_err();
    assert_eq!(fixture.told(&error), "the kubeconfig `@/config` has two users named `u`");
}

#[test]
fn a_namespace_has_to_be_one() {
    let fixture = Fixture::new();
    let text = kubeconfig("server: 'https://a'", "").replace("namespace: shop", "namespace: ../x");
    let told = fixture.told(&fixture.load(&text).unwrap_err());
    assert!(told.starts_with("the `namespace` of context `c` in `@/config` is not usable: `../x` is not a namespace"), "{told}");
}

#[test]
fn a_broken_file_is_never_passed_over() {
    let fixture = Fixture::new();
    let broken = fixture.write("broken", "users: [{name: u, user: {token: canary-b7f1}");
    let good = fixture.write("good", &kubeconfig("server: 'https://a'", ""));
    for files in [vec![broken.clone(), good.clone()], vec![good, broken]] {
        let error = load_files(&Files::Found(files), &ConfigOptions::default()).err().unwrap();
        assert!(fixture.told(&error).starts_with("cannot read the kubeconfig `@/broken`: it is not well-formed YAML"));
    }
    let folder = load_files(&Files::Found(vec![fixture.folder.path().to_owned()]), &ConfigOptions::default()).err().unwrap();
    assert_eq!(fixture.told(&folder), "cannot read the kubeconfig `@`: not a regular file");
}

#[test]
fn a_relative_file_is_made_absolute() {
    assert!(std::path::absolute(Path::new("config")).unwrap().is_absolute());
    let merged_path = {
        let mut merged = Merged::default();
        merged.add(document::parse(b"users: [{name: u}]").ok().unwrap(), Path::new("config")).unwrap();
        merged.users.get("user", "u").unwrap().1.file
    };
    assert_eq!(merged_path, std::path::absolute("config").unwrap());
}

/// What the options are, for a kubeconfig that says everything.
#[test]
fn options_go_before_the_kubeconfig_by_client_gos_rules() {
    let fixture = Fixture::new();
    let other = fixture.write("other", "canary-b7f1-other");
    let cluster =
        "server: 'https://a', certificate-authority: ca.crt, tls-server-name: name, proxy-url: 'http://me:canary-b7f1@p:1'";
    let user = "token: canary-b7f1, as: jane, as-uid: '7', as-groups: [devs], as-user-extra: {scope: [read]}, \
                client-certificate: ca.crt, client-key: key";
    let text = kubeconfig(cluster, user);
    let changed = |options: ConfigOptions| {
        let before = fixture.settings(&fixture.load(&text).unwrap());
        let after = fixture.settings(&fixture.load_with(&text, &options).unwrap());
        let lost = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
        let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
        lost.chain(new).collect::<Vec<_>>()
    };
    let options = ConfigOptions::default;
    assert_eq!(changed(options()), [""; 0]);
    // Another server: the name was written for the first one.
    assert_eq!(
        changed(ConfigOptions { server: Some("https://b".into()), ..options() }),
        [
            "- server: https://a from cluster `k` in `@/config`",
            "- TLS server name: name from cluster `k` in `@/config`",
            "+ server: https://b from the option `server`",
            "+ the kubeconfig's `server`: not used, the option `server` comes first",
            "+ the kubeconfig's `tls-server-name`: not used, an option comes first",
        ]
    );
    assert_eq!(
        changed(ConfigOptions { tls_server_name: Some("other".into()), ..options() })[1..2],
        ["+ TLS server name: other from the option `tls-server-name`"]
    );
    assert_eq!(
        changed(ConfigOptions { insecure_skip_tls_verify: true, ..options() }),
        [
            "- certificate authority: as configured from `@/ca.crt`",
            "+ certificate authority: none: any certificate is accepted from the option `insecure-skip-tls-verify`",
            "+ the kubeconfig's `certificate-authority`: not used, an option comes first",
        ]
    );
    assert_eq!(
        changed(ConfigOptions { token_file: Some(other), ..options() }),
        [
            "- credentials: bearer token from user `u` in `@/config`",
            "+ credentials: bearer token from the file `@/other` from the option `token-file`",
            "+ the kubeconfig's `token`: not used, the token's file comes first",
        ]
    );
    // The user is replaced and the rest is not, as with client-go.
    assert_eq!(
        changed(ConfigOptions { impersonate_user: Some("joan".into()), ..options() }),
        [
            "- impersonation: user `jane`, uid `7`, groups `devs`, extra `scope` from user `u` in `@/config`",
            "+ impersonation: user `joan`, uid `7`, groups `devs`, extra `scope` from the option `as`",
        ]
    );
    assert_eq!(
        changed(ConfigOptions { impersonate_groups: vec!["a".into(), "b".into()], ..options() })[1..],
        ["+ impersonation: user `jane`, uid `7`, groups `a`, `b`, extra `scope` from user `u` in `@/config`"]
    );
    assert_eq!(
        changed(ConfigOptions { request_timeout: Some(std::time::Duration::from_secs(5)), ..options() }),
        ["+ request timeout: 5s from the option `request-timeout`"]
    );
    // Empty is unset.
    let empty = || Some(String::new());
    let unset =
        ConfigOptions { server: empty(), context: empty(), cluster: empty(), user: empty(), tls_server_name: empty(), ..options() };
    assert_eq!(changed(unset), [""; 0]);
    // But nobody is no user: a script whose variable is empty must not act as ourselves.
    let nobody = ConfigOptions { impersonate_user: empty(), ..options() };
    assert!(
        fixture.told(&fixture.load_with(&text, &nobody).unwrap_err()).starts_with("cannot impersonate as the option `as` says")
    );
    let both = ConfigOptions { insecure_skip_tls_verify: true, certificate_authority: Some("x".into()), ..options() };
    assert_eq!(
        fixture.told(&fixture.load_with(&text, &both).unwrap_err()),
        "the options: `insecure-skip-tls-verify` and a certificate authority are both set"
    );
}

#[test]
fn an_authority_from_an_option_ends_insecurity() {
    let fixture = Fixture::new();
    let text = kubeconfig("server: 'https://a', insecure-skip-tls-verify: true", "");
    assert_eq!(fixture.load(&text).unwrap().tls.authority(), "none: any certificate is accepted");
    let options = ConfigOptions { certificate_authority: Some(fixture.folder.path().join("ca.crt")), ..ConfigOptions::default() };
    assert_eq!(fixture.load_with(&text, &options).unwrap().tls.authority(), "as configured");
}

#[test]
fn cluster_and_user_are_named_apart_from_the_context() {
    let fixture = Fixture::new();
    let text = "contexts: [{name: c, context: {cluster: k, user: u, namespace: shop}}]\ncurrent-context: c\n\
                clusters: [{name: k, cluster: {server: 'https://a'}}, {name: l, cluster: {server: 'https://b'}}]\n\
                users: [{name: u, user: {token: t}}, {name: v, user: {tokenFile: token}}]\n";
    let options = |cluster: &str, user: &str| {
        let named = |name: &str| Some(name.to_owned());
        ConfigOptions { cluster: named(cluster), user: named(user), ..ConfigOptions::default() }
    };
    let config = fixture.load_with(text, &options("l", "v")).unwrap();
    assert_eq!((config.address(), config.namespace().as_str()), ("https://b", "shop"));
    assert_eq!(config.credentials.value.kind(), "bearer token from a file");
    // Without a context, what is named is enough.
    let without = text.replace("current-context: c\n", "");
    let config = fixture.load_with(&without, &options("l", "")).unwrap();
    assert_eq!((config.address(), config.credentials.value.kind().as_str()), ("https://b", "none"));
    for (options, message) in
        [(options("x", ""), "the kubeconfig has no cluster `x`"), (options("", "x"), "the kubeconfig has no user `x`")]
    {
        assert_eq!(fixture.told(&fixture.load_with(text, &options).unwrap_err()), message);
    }
}

#[test]
fn a_server_needs_no_kubeconfig() {
    let fixture = Fixture::new();
    let token = fixture.folder.path().join("token");
    let nothing = Files::Found(vec!["/nowhere".into()]);
    let options = ConfigOptions { server: Some("https://b".into()), token_file: Some(token), ..ConfigOptions::default() };
    let config = load_files(&nothing, &options).unwrap().unwrap();
    assert_eq!(
        fixture.settings(&config),
        [
            "server: https://b from the option `server`",
            "namespace: default from default",
            "certificate authority: the platform's from default",
            "credentials: bearer token from the file `@/token` from the option `token-file`",
        ]
    );
    // A context whose cluster is nowhere defined gives the namespace and the user.
    let text = "current-context: c\ncontexts: [{name: c, context: {cluster: gone, namespace: shop}}]\n";
    let config = fixture.load_with(text, &options).unwrap();
    assert_eq!((config.address(), config.namespace().as_str()), ("https://b", "shop"));
}

#[test]
fn a_plugin_is_run_where_it_is_allowed_and_needed() {
    let fixture = Fixture::new();
    let plugin = fixture.write("plugin", "#!/bin/sh\n");
    fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin, args: [canary-b7f1], \
                env: [{name: A, value: canary-b7f1}], provideClusterInfo: true, installHint: \"brew\\u001b[31m\"}";
    let cluster = "server: 'https://a/x', certificate-authority: ca.crt, tls-server-name: name, proxy-url: 'http://p', extensions: \
                   [{name: other, extension: 1}, {name: client.authentication.k8s.io/exec, extension: {audience: '06e3', n: [1, true]}}]";
    let text = kubeconfig(cluster, exec);
    let allow = |name: &str| ConfigOptions { allow_exec: vec![name.to_owned()], ..ConfigOptions::default() };
    let plugin = plugin.display().to_string();
    let config = fixture.load_with(&text, &allow(&plugin)).unwrap();
    assert!(
        fixture.settings(&config).contains(&"credentials: credential plugin `./plugin` from user `u` in `@/config`".to_owned())
    );
    let crate::config::Credentials::Exec(plugin) = &config.credentials.value else { panic!() };
    assert_eq!(plugin.path, fixture.folder.path().join("plugin"));
    let cluster = plugin.cluster.clone().unwrap();
    let ca = cluster["certificate-authority-data"].as_str().unwrap().to_owned();
    assert!(ca.starts_with("LS0tLS1CRUdJTi"));
    assert_eq!(
        cluster,
        serde_json::json!({
            "server": "https://a/x", "tls-server-name": "name", "proxy-url": "http://p/", "certificate-authority-data": ca,
            "config": { "audience": "06e3", "n": [1, true] },
        })
    );
    // Whatever else identifies us goes before it, and then it need not be allowed.
    for user in ["token: t, ", "username: me, ", "tokenFile: token, ", "client-certificate: ca.crt, client-key: key, "] {
        let config = fixture.load(&kubeconfig("server: 'https://a'", &format!("{user}{exec}"))).unwrap();
        let told = fixture.settings(&config);
        assert!(told.contains(&"the kubeconfig's `exec`: not used, another credential comes first".to_owned()), "{told:?}");
    }
    let error = fixture.load_with(&text.replace("./plugin", "gone"), &allow("gone")).unwrap_err();
    assert_eq!(error.help(), Some("install it; the kubeconfig says how: brew\\u{1b}[31m"));
}
