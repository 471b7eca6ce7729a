//! Who is calling, cell by cell. `tests/fast/serve/callers.rs` has what goes over sockets.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::client::{Acting, Client};
use crate::config::Config;
use crate::fake::{Answer, Fake, post};
use crate::serve::audit::{self, AuditLog, Destination, RefusalReason};
use crate::serve::metrics::Metrics;
use crate::serve::runs::CallWitness;

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const STATIC: &str = "a-static-token";

/// Of four tenants, each with another kind of caller; the last is there where `anonymous` says so.
fn policy(anonymous: bool) -> Policy {
    let hash: String = Sha256::digest(STATIC).iter().map(|byte| format!("{byte:02x}")).collect();
    let callers = [
        ("account", "serviceAccount: {namespace: shop, name: dashboards}".to_owned()),
        ("token", format!("tokenSHA256: {hash}")),
        ("certificate", "certificate: {commonName: jane}".to_owned()),
        ("anybody", "anonymous: true".to_owned()),
    ];
    let tenants: String = callers
        .iter()
        .take(if anonymous { 4 } else { 3 })
        .map(|(name, caller)| format!("- {{name: {name}, callers: [{{{caller}}}], identity: host, namespaces: [shop]}}\n"))
        .collect();
    Policy::parse(format!("apiVersion: podlens.dev/v1alpha1\nkind: Policy\ntenants:\n{tenants}").as_bytes()).unwrap()
}

/// Asks `fake`, and puts that on record in the `log` of a folder.
fn reviews(fake: &Fake) -> (TokenReviews, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("token"), "host-token").unwrap();
    std::fs::write(place.path().join("ca.crt"), fake.authority().pem()).unwrap();
    let audit = AuditLog::open(&Destination::File(place.path().join("log")), Box::new(|_, _| {})).unwrap();
    let client = Client::new(Config::service_account(&fake.address(), place.path()).unwrap()).unwrap();
    let client = client.witnessed(Arc::new(CallWitness::of_host(&audit, &Metrics::new()))).acting(Acting::Ourselves);
    (TokenReviews::new(client, audit, "podlens"), place)
}

/// In the form of a service account's token; `number` tells them apart.
fn account_token(number: u32) -> String {
    let claims = json!({ "aud": ["podlens", "other"], "exp": 99_999_999_999_u64, "jti": number, "sub": "system:serviceaccount:shop:dashboards" });
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn review(status: &Value) -> Answer {
    Answer::json(201, json!({ "kind": "TokenReview", "status": status }).to_string())
}

fn good(user: &str) -> Answer {
    review(&json!({ "authenticated": true, "user": { "username": user }, "audiences": ["podlens"] }))
}

fn peer(address: &str, common_name: Option<&str>) -> Peer {
    let certificate = common_name.map(|name| {
        let taken_by = Authorities::new(|_| true);
        let authorities = taken_by.clone();
        let authorities = Box::new(move || authorities.clone());
        Arc::new(Certificate { common_name: name.into(), chain: Vec::new(), not_after: Some(i64::MAX), taken_by, authorities })
    });
    Peer { address: address.parse::<IpAddr>().unwrap(), certificate }
}

fn headers(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// The tenant, or why nobody is calling.
async fn who(callers: &Callers, reviews: &TokenReviews, shown: &[&str], peer: &Peer) -> Result<String, &'static str> {
    match callers.authenticate(&headers(shown), peer, reviews, soon()).await {
        Ok(Authenticated { tenant, .. }) => Ok(tenant.name.to_string()),
        Err(Unauthenticated::NothingShown) => Err("nothing shown"),
        Err(Unauthenticated::NoBearer) => Err("no bearer"),
        Err(Unauthenticated::Unknown) => Err("unknown"),
        Err(Unauthenticated::Outdated) => Err("outdated"),
        Err(Unauthenticated::CannotTell) => Err("cannot tell"),
        Err(Unauthenticated::NoAudit) => Err("no audit"),
        Err(Unauthenticated::Busy) => Err("busy"),
        Err(Unauthenticated::TooMany(wait)) => Err(if wait <= Duration::from_secs(1) { "too many" } else { "too long" }),
    }
}

#[tokio::test]
async fn what_is_shown_decides_and_what_is_nobodys_is_never_nothing() {
    let fake = Fake::builder().always(post(REVIEWS), good("system:serviceaccount:shop:dashboards")).start();
    let (reviews, _place) = reviews(&fake);
    let account = format!("Bearer {}", account_token(1));
    let (token, wrong) = (format!("Bearer {STATIC}"), "Bearer wrong");
    let (here, there) = ("127.0.0.1", "10.0.0.7");
    for (shown, common_name, address, expected) in [
        (&[&*token][..], None, there, Ok("token")),
        (&[&account], None, there, Ok("account")),
        (&[], Some("jane"), there, Ok("certificate")),
        (&[], None, here, Ok("anybody")),
        (&[], None, "127.9.9.9", Ok("anybody")),
        (&[], None, "::1", Ok("anybody")),
        (&[], None, there, Err("nothing shown")),
        (&[], None, "0.0.0.0", Err("nothing shown")),
        // The token comes before the certificate, good or not.
        (&[&token], Some("jane"), there, Ok("token")),
        (&[wrong], Some("jane"), there, Err("unknown")),
        (&[wrong], None, here, Err("unknown")),
        (&[""], None, here, Err("no bearer")),
        (&[""], Some("jane"), here, Err("no bearer")),
        (&["Basic eDp5"], Some("jane"), here, Err("no bearer")),
        (&[&token, &token], Some("jane"), here, Err("no bearer")),
        (&[&token, wrong], None, here, Err("no bearer")),
        // A certificate of nobody, and one without a name, are not none.
        (&[], Some("john"), here, Err("unknown")),
        (&[], Some(""), here, Err("unknown")),
        (&[], Some("JANE"), here, Err("unknown")),
        (&[], Some("system:masters"), here, Err("unknown")),
    ] {
        let callers = Callers::of(&policy(true));
        let is = who(&callers, &reviews, shown, &peer(address, common_name)).await;
        assert_eq!(is.as_deref().map_err(|why| *why), expected, "{shown:?} {common_name:?} {address}");
    }
    // Without anybody in the policy, nothing is nobody.
    let callers = Callers::of(&policy(false));
    assert!(!callers.admits_anonymous());
    assert_eq!(who(&callers, &reviews, &[], &peer(here, None)).await, Err("nothing shown"));
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn what_is_on_record_is_what_was_shown() {
    let fake = Fake::start([(post(REVIEWS), good("system:serviceaccount:shop:dashboards"))]);
    let (reviews, _place) = reviews(&fake);
    let callers = Callers::of(&policy(true));
    let by = async |shown: &[&str], common_name| {
        let peer = peer("127.0.0.1", common_name);
        callers.authenticate(&headers(shown), &peer, &reviews, soon()).await.unwrap().by
    };
    assert!(
        matches!(by(&[&format!("Bearer {STATIC}")], None).await, Subject::Token { sha256 } if sha256[..] == Sha256::digest(STATIC)[..])
    );
    let account = by(&[&format!("Bearer {}", account_token(1))], None).await;
    assert!(matches!(account, Subject::ServiceAccount(account) if account.user() == "system:serviceaccount:shop:dashboards"));
    assert!(matches!(by(&[], Some("jane")).await, Subject::Certificate { common_name } if common_name == "jane"));
    assert!(matches!(by(&[], None).await, Subject::Anonymous));
}

#[tokio::test]
async fn only_an_account_of_the_policy_is_somebody() {
    for (answer, expected) in [
        (good("system:serviceaccount:shop:dashboards"), Ok("account")),
        (good("system:serviceaccount:shop:default"), Err("unknown")),
        (good("system:serviceaccount:payments:dashboards"), Err("unknown")),
        (good("jane"), Err("unknown")),
        (good("anybody"), Err("unknown")),
        (review(&json!({ "authenticated": false })), Err("unknown")),
        (review(&json!({})), Err("unknown")),
        (Answer::status(403, "Forbidden", "no"), Err("cannot tell")),
        (Answer::status(401, "Unauthorized", "no"), Err("cannot tell")),
        (Answer::json(201, "{}"), Err("cannot tell")),
        (Answer::cut(), Err("cannot tell")),
    ] {
        let fake = Fake::builder().always(post(REVIEWS), answer.clone()).start();
        let (reviews, _place) = reviews(&fake);
        let shown = format!("Bearer {}", account_token(1));
        let is = who(&Callers::of(&policy(true)), &reviews, &[&shown], &peer("127.0.0.1", None)).await;
        assert_eq!(is.as_deref().map_err(|why| *why), expected, "{answer:?}");
    }
}

#[tokio::test]
async fn what_was_said_of_a_token_holds_for_ten_seconds_and_one_audience() {
    let account = "system:serviceaccount:shop:dashboards";
    let fake = Fake::start([
        (post(REVIEWS), good(account)),
        (post(REVIEWS), review(&json!({ "authenticated": false }))),
        (post(REVIEWS), good(account)),
    ]);
    let (reviews, _place) = reviews(&fake);
    let callers = Callers::of(&policy(false));
    let (shown, peer) = (format!("Bearer {}", account_token(1)), peer("10.0.0.7", None));
    let ask = async || who(&callers, &reviews, &[&shown], &peer).await;
    assert_eq!(ask().await.as_deref(), Ok("account"));
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(9000)).await;
    assert_eq!((ask().await.as_deref(), fake.seen().len()), (Ok("account"), 1));
    tokio::time::advance(Duration::from_millis(1001)).await;
    tokio::time::resume();
    // It was revoked meanwhile.
    assert_eq!((ask().await, fake.seen().len()), (Err("unknown"), 2));
    assert_eq!((ask().await, fake.seen().len()), (Err("unknown"), 2));
    // For another audience it was not asked about.
    reviews.set_audience("podlens");
    assert_eq!((ask().await, fake.seen().len()), (Err("unknown"), 2));
    reviews.set_audience("other");
    assert_eq!((ask().await, fake.seen().len()), (Err("unknown"), 3));
    let asked: Value = serde_json::from_slice(&fake.seen()[2].body).unwrap();
    assert_eq!(asked["spec"]["audiences"], json!(["other"]));
}

#[tokio::test]
async fn what_could_not_be_put_on_record_is_not_asked() {
    let fake = Fake::builder().always(post(REVIEWS), good("system:serviceaccount:shop:dashboards")).start();
    let (reviews, place) = reviews(&fake);
    let callers = Callers::of(&policy(false));
    let ask =
        async |number: u32| who(&callers, &reviews, &[&format!("Bearer {}", account_token(number))], &peer("10.0.0.7", None)).await;
    assert_eq!(ask(1).await.as_deref(), Ok("account"));
    // A log that something else writes to is not gone on with.
    let log = place.path().join("log");
    let mut other = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    std::io::Write::write_all(&mut other, b"x\n").unwrap();
    // Of the first it is known only once it was asked.
    for number in [2, 3, 4] {
        assert_eq!((ask(number).await, fake.seen().len()), (Err("no audit"), 2));
    }
    assert_eq!(ask(1).await.as_deref(), Ok("account"), "it is remembered");
    std::fs::remove_file(&log).unwrap();
    let (reason, caller) =
        (RefusalReason::Unauthenticated, audit::Caller { subject: Subject::Anonymous, source: None, user_agent: None });
    let refused = audit::Refused { reason, caller, tenant: None, query: None };
    reviews.audit.record(audit::Event::Refused(refused)).written().await.unwrap();
    assert_eq!(ask(2).await.as_deref(), Ok("account"));
}

#[tokio::test]
async fn who_makes_up_tokens_is_no_burden_to_the_api_server() {
    let fake = Fake::builder().always(post(REVIEWS), review(&json!({ "authenticated": false })).held()).start();
    let (reviews, _place) = reviews(&fake);
    let callers = Callers::of(&policy(false));
    let ask = async |number: u32| {
        let peer = peer(&format!("10.0.0.{number}"), None);
        who(&callers, &reviews, &[&format!("Bearer {}", account_token(number))], &peer).await
    };
    let all = async {
        let asked = join_all((0..40).map(&ask)).await;
        assert_eq!(asked, vec![Err("unknown"); 40]);
    };
    let release = async {
        while fake.seen().len() < 16 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Those that are too many wait, and the API server has no more of them at once.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(fake.seen().len(), 16);
        fake.release();
    };
    tokio::join!(all, release);
    assert_eq!(fake.seen().len(), 40);
}

#[tokio::test]
async fn an_address_may_be_wrong_so_often_and_right_as_often_as_it_likes() {
    let fake = Fake::builder().always(post(REVIEWS), review(&json!({ "authenticated": false }))).start();
    let (reviews, _place) = reviews(&fake);
    let callers = Callers::of(&policy(false));
    let ask = async |from: &str, number: u32| {
        who(&callers, &reviews, &[&format!("Bearer {}", account_token(number))], &peer(from, None)).await
    };
    for number in 0..20 {
        assert_eq!(ask("10.0.0.7", number).await, Err("unknown"));
    }
    assert_eq!(ask("10.0.0.7", 20).await, Err("too many"));
    assert_eq!(ask("10.0.0.8", 20).await, Err("unknown"));
    // A host has all addresses of its subnet.
    for number in 100..120 {
        assert_eq!(ask(&format!("2001:db8::{number}"), number).await, Err("unknown"));
    }
    assert_eq!(ask("2001:db8::1", 120).await, Err("too many"));
    assert_eq!(fake.seen().len(), 41);

    // What the API server says nothing of was asked about all the same.
    let fake = Fake::builder().always(post(REVIEWS), Answer::status(403, "Forbidden", "no")).start();
    let (reviews, _place) = self::reviews(&fake);
    for number in 0..30 {
        let shown = format!("Bearer {}", account_token(number));
        let expected = if number < 20 { "cannot tell" } else { "too many" };
        assert_eq!(who(&callers, &reviews, &[&shown], &peer("10.0.0.7", None)).await, Err(expected));
    }

    let fake = Fake::builder().always(post(REVIEWS), good("system:serviceaccount:shop:dashboards")).start();
    let (reviews, _place) = self::reviews(&fake);
    for number in 0..40 {
        let shown = format!("Bearer {}", account_token(number));
        assert_eq!(who(&callers, &reviews, &[&shown], &peer("10.0.0.7", None)).await.as_deref(), Ok("account"));
    }
}
