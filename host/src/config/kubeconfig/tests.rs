//! Whole files through the loader. Cases re-express client-go's `loader_test.go`, `client_config_test.go` and `validation_test.go`.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

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
        self.load_context(text, None)
    }

    fn load_context(&self, text: &str, context: Option<&str>) -> Result<Config, Error> {
        let path = self.write("config", text);
        load(&Files::Explicit(path), context).map(|config| config.expect("the file is not empty"))
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
    let settings: Vec<String> = config
        .settings()
        .iter()
        .map(|it| format!("{}: {} from {}", it.name, it.value, it.origin).replace(fixture.folder.path().to_str().unwrap(), "@"))
        .collect();
    assert_eq!(
        settings,
        [
            "server: https://a:6443/prefix from cluster `k` in `@/config`",
            "namespace: shop from context `c` in `@/config`",
            "certificate authority: as configured from `@/ca.crt`",
            "credentials: bearer token from a file from user `u` in `@/config`",
            "client certificate: certificate and key from `@/ca.crt`",
        ]
    );
    assert!(config.tls.rotates() && !format!("{config:?}").contains(CANARY));
}

#[test]
fn the_token_of_a_file_comes_before_the_token() {
    let fixture = Fixture::new();
    let kind = |user: &str| fixture.load(&kubeconfig("server: 'https://a'", user)).unwrap().credentials.value.kind();
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
    assert!(config.tls.load().unwrap().roots.is_some());
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
    let config = load(&files, None).unwrap().unwrap();
    // The whole entry of the first file: nothing of the second one's.
    assert_eq!((config.address(), config.tls.authority()), ("https://first", "the platform's"));
    assert_eq!(config.credentials.origin.to_string(), format!("user `u` in `{}`", first.display()));
    assert_eq!(config.namespace().as_str(), "default");
}

#[test]
fn files_that_are_missing_or_empty_are_nothing() {
    let fixture = Fixture::new();
    let empty = fixture.write("empty", "");
    assert!(load(&Files::Found(vec![PathBuf::from("/nowhere"), empty]), None).unwrap().is_none());
}

#[test]
fn contexts_are_selected_by_name() {
    let fixture = Fixture::new();
    let two = "contexts: [{name: a, context: {cluster: k}}, {name: b, context: {cluster: gone}}, {name: d}]\n\
               clusters: [{name: k, cluster: {server: 'https://a'}}]\n";
    let told = |text: &str, context| match fixture.load_context(text, context) {
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
    assert_eq!(fixture.load_context(two, Some("x")).unwrap_err().help(), Some("there are: `a`, `b`, `d`"));
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
            "server: 'https://a', insecure-skip-tls-verify: true",
            "",
            "`insecure-skip-tls-verify` of cluster `k` in `@/config` is not supported",
        ),
        ("server: 'https://a', proxy-url: 'http://canary-b7f1'", "", "`proxy-url` of cluster `k` in `@/config` is not supported"),
        ("server: 'https://a', tls-server-name: b", "", "`tls-server-name` of cluster `k` in `@/config` is not supported"),
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
        (good, "exec: {command: aws, apiVersion: x, args: [canary-b7f1]}", "`exec` of user `u` in `@/config` is not supported"),
        (good, "exec: {}, token: canary-b7f1", "`exec` of user `u` in `@/config` is not supported"),
        (
            good,
            "auth-provider: {name: gcp, config: {a: canary-b7f1}}",
            "`auth-provider` of user `u` in `@/config` is not supported",
        ),
        (good, "username: canary-b7f1, password: canary-b7f1", "`username` of user `u` in `@/config` is not supported"),
        (good, "password: canary-b7f1", "`password` of user `u` in `@/config` is not supported"),
        (good, "as: canary-b7f1", "`as` of user `u` in `@/config` is not supported"),
        (good, "as-uid: a", "`as-uid` of user `u` in `@/config` is not supported"),
        (good, "as-groups: [a]", "`as-groups` of user `u` in `@/config` is not supported"),
        (good, "as-user-extra: {a: [b]}", "`as-user-extra` of user `u` in `@/config` is not supported"),
        (good, "token: canary-b7f1 x", "cannot use the `token` of user `u` in `@/config`: the token has whitespace in it"),
        (
            good,
            "tokenFile: gone, token: canary-b7f1",
            "cannot read the token file `@/gone`: No such file or directory (os error 2)",
        ),
        (good, "client-certificate: ca.crt", "user `u` in `@/config` has a client certificate and no client key"),
        (good, "client-key: key", "user `u` in `@/config` has a client key and no client certificate"),
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
        let error = load(&Files::Found(files), None).err().unwrap();
        assert!(fixture.told(&error).starts_with("cannot read the kubeconfig `@/broken`: it is not well-formed YAML"));
    }
    let folder = load(&Files::Found(vec![fixture.folder.path().to_owned()]), None).err().unwrap();
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
