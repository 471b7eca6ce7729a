//! Over a real connection: the mount's files are all that a client needs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use reqwest::{Client, ClientBuilder, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::kube;

/// Trusts what the account's mount says, and nothing else.
fn client(server: &Server, account: Account, alpn: &[u8]) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.mount(account).join("ca.crt")).unwrap()).unwrap();
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    ClientBuilder::new().no_proxy().tls_backend_preconfigured(tls).build().unwrap()
}

fn token(server: &Server, account: Account) -> String {
    fs::read_to_string(server.mount(account).join("token")).unwrap()
}

#[tokio::test]
async fn a_client_with_the_mount_reads_pods() {
    let server = Server::start().await.unwrap();
    for (host, alpn, version) in
        [("127.0.0.1", b"h2".as_slice(), reqwest::Version::HTTP_2), ("localhost", b"http/1.1", reqwest::Version::HTTP_11)]
    {
        let client = client(&server, Account::Podlens, alpn);
        let response = client
            .get(format!("https://{host}:{}/api/v1/pods?limit=5", server.address().port()))
            .bearer_auth(token(&server, Account::Podlens))
            .header("accept", kube::Accept::Protobuf.header())
            .send()
            .await
            .unwrap();
        assert_eq!((response.status(), response.version()), (StatusCode::OK, version));
        let list = kube::decode_list(&response.bytes().await.unwrap(), kube::Detail::Fields).unwrap();
        assert_eq!(list.pods.len(), 5);
        assert!(list.continue_token.is_some());

        // With a body.
        let review = kube::Request::self_subject_review();
        let response = client
            .post(format!("https://{host}:{}{}", server.address().port(), review.path()))
            .bearer_auth(token(&server, Account::Podlens))
            .body(review.body().unwrap().to_owned())
            .send()
            .await
            .unwrap();
        let review = kube::SelfSubjectReview::decode(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(review.username, Account::Podlens.user());
    }
}

#[tokio::test]
async fn the_account_without_a_role_is_refused() {
    let server = Server::start().await.unwrap();
    let response = client(&server, Account::Default, b"h2")
        .get(format!("https://{}/api/v1/namespaces/shop/pods", server.address()))
        .bearer_auth(token(&server, Account::Default))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let status = kube::Status::decode(&response.bytes().await.unwrap());
    assert_eq!(status.reason, "Forbidden");
}

#[tokio::test]
async fn another_demos_credentials_are_worth_nothing() {
    let (server, other) = (Server::start().await.unwrap(), Server::start().await.unwrap());
    let url = format!("https://{}/api/v1/pods", server.address());
    let forged = client(&server, Account::Podlens, b"h2").get(&url).bearer_auth(token(&other, Account::Podlens));
    assert_eq!(forged.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert!(client(&other, Account::Podlens, b"h2").get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn dropping_the_server_ends_it() {
    let server = Server::start().await.unwrap();
    let client = client(&server, Account::Podlens, b"h2");
    let url = format!("https://{}/readyz", server.address());
    assert_eq!(client.get(&url).send().await.unwrap().status(), StatusCode::OK);
    let mount = server.mount(Account::Podlens);
    assert!(mount.exists());
    drop(server);
    assert!(!mount.parent().unwrap().exists());
    // The task is told to stop, and stops when it next runs.
    while client.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// The token of the kubeconfig, which is all that is not in a mount, too.
fn server_token(server: &Server) -> String {
    let kubeconfig = fs::read_to_string(server.kubeconfig()).unwrap();
    kubeconfig.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().to_owned()
}

#[tokio::test]
async fn a_watch_is_told_as_it_happens_and_ends_with_the_server() {
    let server = Server::start().await.unwrap();
    let url = format!("https://{}/api/v1/pods?watch=true&resourceVersion=184467&allowWatchBookmarks=1", server.address());
    let mut watches = Vec::new();
    for alpn in [b"h2".as_slice(), b"http/1.1"] {
        let request = client(&server, Account::Podlens, alpn)
            .get(&url)
            .bearer_auth(server_token(&server))
            .header("impersonate-user", Account::Cache.user());
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/json");
        let line = response.chunk().await.unwrap().unwrap();
        let event = kube::WatchEvent::decode(line.strip_suffix(b"\n").unwrap(), false).unwrap();
        assert!(matches!(event, kube::WatchEvent::Bookmark(version) if version == "184467"));
        watches.push(response);
    }
    drop(server);
    for mut watch in watches {
        // Whole or broken off, but over.
        assert!(!matches!(watch.chunk().await, Ok(Some(_))));
    }
}

#[tokio::test]
async fn the_server_for_others_is_told_who_calls_it() {
    let server = Server::start().await.unwrap();
    let client = client(&server, Account::Podlens, b"h2");
    let url = format!("https://{}/apis/authentication.k8s.io/v1/tokenreviews", server.address());
    for tenant in Tenant::ALL {
        let path = server.caller_token(tenant);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let token = fs::read_to_string(path).unwrap();
        let review = serde_json::json!({ "spec": { "token": token, "audiences": ["podlens"] } }).to_string();
        let response = client.post(&url).bearer_auth(server_token(&server)).body(review).send().await.unwrap();
        let review: serde_json::Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(review["status"]["user"]["username"], Account::Caller(tenant).user());
        // It is no credential for the API server.
        let response = client.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let long = "x".repeat((64 << 10) + 1);
    let response = client.post(&url).bearer_auth(server_token(&server)).body(long).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
