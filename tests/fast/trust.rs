//! Whom podlens gives a token to: servers with every kind of certificate, by every kind of name, directly and through a proxy.

use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use podlens::{Client, Config, ConfigOptions, Error};
use podlens_tests::fake::{Answer, Authority, Expected, Fake, Opening, Serving, get, post};

use crate::tunnel::{Speaks, Tunnel};

const TOKEN: &str = "canary-token-b0a7";

/// Asks who we are, with the token, by these options.
async fn ask(options: &ConfigOptions) -> Result<(), Error> {
    let client = Client::new(Config::infer(options)?)?;
    client.self_subject_review((Instant::now() + Duration::from_secs(20)).into()).await.map(|_| ())
}

fn review() -> (Expected, Answer) {
    let answer = r#"{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"me"}}}"#;
    (post("/apis/authentication.k8s.io/v1/selfsubjectreviews").token(TOKEN), Answer::json(201, answer))
}

/// A folder with the token, and options that name it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write("token", TOKEN);
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// For the server at this address, which is trusted by these certificates.
    fn options(&self, server: &str, authority: &str) -> ConfigOptions {
        self.write("ca.crt", authority);
        ConfigOptions {
            // Nothing of this machine's own.
            kubeconfig: Some("/dev/null".into()),
            server: Some(server.to_owned()),
            certificate_authority: Some(self.path().join("ca.crt")),
            token_file: Some(self.path().join("token")),
            ..ConfigOptions::default()
        }
    }

    /// The same by a kubeconfig, where a proxy can be named.
    fn through(&self, proxy: &str, server: &str, authority: &str, cluster: &str) -> ConfigOptions {
        self.write("ca.crt", authority);
        let text = format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{server: '{server}', certificate-authority: ca.crt, proxy-url: '{proxy}'{cluster}}}}}]\n\
             users: [{{name: u, user: {{tokenFile: token}}}}]\n"
        );
        self.write("config", &text);
        ConfigOptions { kubeconfig: Some(self.path().join("config")), ..ConfigOptions::default() }
    }
}

/// No byte of the token came, by any connection, in any form that is not encrypted for a server that was verified.
fn assert_nothing_came(fake: &Fake, what: &str) {
    assert!(fake.connections() > 0, "{what}: nobody came at all");
    assert_eq!((fake.seen().len(), fake.server_names().len()), (0, 0), "{what}: a handshake was completed");
    let received = fake.received();
    let encoded = ["Y2FuYXJ5LXRva2Vu", "NhbmFyeS10b2tlb", "jYW5hcnktdG9rZW"];
    for secret in [TOKEN, "canary", "Authorization", "authorization"].into_iter().chain(encoded) {
        let found = received.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{what}: `{secret}` was on the wire");
    }
}

#[tokio::test]
async fn no_byte_of_the_token_goes_to_a_server_that_is_not_trusted() {
    let place = Place::new();
    for serving in [
        Serving::OtherAuthority,
        Serving::SelfSigned,
        Serving::Expired,
        Serving::NotYetValid,
        Serving::OtherName,
        Serving::AnAuthority,
    ] {
        let fake = Fake::builder().serving(serving).start();
        let error = ask(&place.options(&fake.address(), &fake.authority().pem())).await.unwrap_err();
        assert!(error.is_unreachable() && error.to_string().ends_with("is not a server to be trusted"), "{serving:?}: {error}");
        assert!(error.help().unwrap().lines().count() == 2, "{serving:?}: one step, and the doctor");
        assert_nothing_came(&fake, &format!("{serving:?}"));
    }
}

#[tokio::test]
async fn no_byte_of_the_token_goes_to_a_server_of_another_authority() {
    let place = Place::new();
    let fake = Fake::builder().start();
    // The server's own certificate in place of its issuer's: kubectl takes it, and it cannot be checked for what it is.
    for (what, authority) in [("another authority", Authority::new().pem()), ("leaf as authority", fake.certificate().to_owned())] {
        let error = ask(&place.options(&fake.address(), &authority)).await.unwrap_err();
        assert!(error.is_unreachable(), "{what}: {error}");
        assert_nothing_came(&fake, what);
    }
    // The public authorities of this machine are for servers of the internet.
    let public = ConfigOptions { certificate_authority: None, ..place.options(&fake.address(), "") };
    let error = ask(&public).await.unwrap_err();
    assert!(error.is_unreachable() || error.is_configuration(), "{error}");
    assert_nothing_came(&fake, "public authorities");
}

#[tokio::test]
async fn no_byte_of_the_token_goes_to_a_server_without_tls() {
    let place = Place::new();
    // Tried once, and as often as anything is.
    for (opening, times) in [(Opening::PlainHttp, 1), (Opening::Close, 5)] {
        let fake = Fake::builder().openings(vec![opening; times]).start();
        ask(&place.options(&fake.address(), &fake.authority().pem())).await.unwrap_err();
        assert_nothing_came(&fake, &format!("{opening:?}"));
    }
    let plain = place.options("http://127.0.0.1:1", "");
    assert!(ask(&plain).await.unwrap_err().is_configuration());
}

#[tokio::test]
async fn a_trusted_server_gets_the_token() {
    let place = Place::new();
    let fake = Fake::start([review()]);
    ask(&place.options(&fake.address(), &fake.authority().pem())).await.unwrap();
    // An IP address is verified, and not told in SNI (RFC 6066 section 3).
    assert_eq!(fake.server_names(), [None]);
    assert!(!String::from_utf8_lossy(&fake.received()).contains(TOKEN));
}

#[tokio::test]
async fn a_server_is_verified_by_the_name_that_is_given() {
    let place = Place::new();
    let named = |fake: &Fake, host: &str, name: &str| ConfigOptions {
        tls_server_name: Some(name.to_owned()),
        ..place.options(&format!("https://{host}:{}", fake.port()), &fake.authority().pem())
    };
    // The certificate is for these two, and neither is where the server is.
    for (host, name, told) in [
        ("127.0.0.1", "other.example", Some("other.example")),
        ("localhost", "other.example", Some("other.example")),
        ("127.0.0.1", "10.0.0.1", None),
        ("localhost", "10.0.0.1", None),
    ] {
        let fake = Fake::builder().serving(Serving::OtherName).script([review()]).start();
        ask(&named(&fake, host, name)).await.unwrap_or_else(|error| panic!("{host} as {name}: {error}"));
        assert_eq!(fake.server_names(), [told.map(str::to_owned)], "{host} as {name}");
    }
    for name in ["another.example", "10.0.0.2", "127.0.0.1", "localhost"] {
        let fake = Fake::builder().serving(Serving::OtherName).start();
        let error = ask(&named(&fake, "127.0.0.1", name)).await.unwrap_err();
        assert!(
            error.help().unwrap().starts_with("correct the `tls-server-name`, which is from the option `tls-server-name`"),
            "{name}"
        );
        assert_nothing_came(&fake, name);
    }
}

#[tokio::test]
async fn any_server_gets_the_token_where_that_is_asked_for() {
    let place = Place::new();
    for serving in [Serving::OtherAuthority, Serving::SelfSigned, Serving::Expired, Serving::OtherName] {
        let fake = Fake::builder().serving(serving).script([review()]).start();
        let options =
            ConfigOptions { certificate_authority: None, insecure_skip_tls_verify: true, ..place.options(&fake.address(), "") };
        ask(&options).await.unwrap_or_else(|error| panic!("{serving:?}: {error}"));
    }
}

#[tokio::test]
async fn a_proxy_leads_to_a_server_that_is_verified_all_the_same() {
    let place = Place::new();
    for (speaks, scheme, serving, name) in [
        (Speaks::Connect, "http", Serving::InOrder, ""),
        (Speaks::Socks, "socks5", Serving::InOrder, ""),
        (Speaks::Connect, "http", Serving::OtherName, "other.example"),
        (Speaks::Socks, "socks5", Serving::OtherName, "10.0.0.1"),
    ] {
        let fake = Fake::builder().serving(serving).script([review()]).start();
        let tunnel = Tunnel::start(speaks, fake.port());
        let (proxy, server) = (format!("{scheme}://{}", tunnel.address()), format!("https://localhost:{}", fake.port()));
        let cluster = format!(", tls-server-name: '{name}'");
        ask(&place.through(&proxy, &server, &fake.authority().pem(), &cluster)).await.unwrap();
        // The proxy is told where to, and no more.
        let asked = tunnel.asked().concat();
        assert!(asked.contains(&format!("localhost:{}", fake.port())) && !asked.contains("canary"), "{asked}");
    }
    let fake = Fake::builder().serving(Serving::OtherAuthority).start();
    let tunnel = Tunnel::start(Speaks::Connect, fake.port());
    let options = place.through(&format!("http://{}", tunnel.address()), &fake.address(), &fake.authority().pem(), "");
    assert!(ask(&options).await.unwrap_err().is_unreachable());
    assert_nothing_came(&fake, "through a proxy");
}

#[tokio::test]
async fn a_proxy_that_leads_nowhere_is_told() {
    let place = Place::new();
    let authority = Authority::new().pem();
    let tunnel = Tunnel::start(Speaks::Refusal, 1);
    let proxy = format!("http://me:canary-password@{}", tunnel.address());
    let error = ask(&place.through(&proxy, "https://api.invalid", &authority, "")).await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the proxy does not connect to it");
    let told = format!("{error:?} {:?}", error.help());
    assert!(error.is_unreachable() && !told.contains("canary"), "{told}");
    // What the proxy wants to know of us, it is told.
    assert!(
        tunnel.asked()[0].to_lowercase().contains("proxy-authorization: basic bwu6y2fuyxj5lxbhc3n3b3jk"),
        "{:?}",
        tunnel.asked()
    );

    let error = ask(&place.through("http://127.0.0.1:1", "https://api.invalid", &authority, "")).await.unwrap_err();
    assert!(error.help().unwrap().starts_with("the way goes through the proxy `http://127.0.0.1:1`"), "{:?}", error.help());
}

/// What is asked before a restart, and what after: nothing is lost.
#[tokio::test]
async fn a_server_that_restarts_is_waited_for() {
    let place = Place::new();
    let version = || (get("/version"), Answer::json(200, r#"{"gitVersion":"v1.37.2"}"#));
    let first = Fake::start([version()]);
    let authority = first.authority().clone();
    let port = first.port();
    let options = place.options(&first.address(), &authority.pem());
    let client = Client::new(Config::infer(&options).unwrap()).unwrap();
    let within = |seconds| (Instant::now() + Duration::from_secs(seconds)).into();
    client.version(within(20)).await.unwrap();
    drop(first);

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.version(within(60)).await.map(|version| version.git_version) }
    });
    // Longer than the attempts that a server which answers badly is given.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!waiting.is_finished());
    let second = Fake::builder().authority(&authority).port(port).script([version()]).start();
    assert_eq!(waiting.await.unwrap().unwrap(), "v1.37.2");
    drop(second);

    // Until the deadline, and no longer.
    let error = client.version(within(1)).await.unwrap_err();
    assert!(error.is_unreachable() || error.is_unavailable(), "{error}");
    // Who has had no answer yet learns at once.
    let started = Instant::now();
    assert!(ask(&options).await.unwrap_err().is_unreachable());
    assert!(started.elapsed() < Duration::from_secs(10));
}
