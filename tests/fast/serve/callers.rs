//! Who is calling.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use podlens_tests::fake::{Answer, Authority, Fake, post};
use serde_json::json;

use super::server::{Server, Setup, asked, bearer, built_in, cluster, policy, problem, tenant, token};
use crate::demo::Serving;

const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// A caller who is an account, of a tenant that reads as another.
pub(super) const ACCOUNT: &str = "\
- name: accounts
  callers: [{serviceAccount: {namespace: accounts, name: dashboards}}]
  identity: {serviceAccount: {namespace: accounts, name: podlens-reader}}
  namespaces: [accounts]
";

/// Of a tenant that anybody may be.
const ANYBODY: &str = "\
- name: anybody
  callers: [{anonymous: true}]
  identity: host
  namespaces: [shop]
";

/// A token in the form of a service account's, for this audience, with a signature that is none.
pub(super) fn made_up(audience: &str) -> String {
    let claims = json!({ "aud": [audience], "exp": 99_999_999_999_u64, "sub": "system:serviceaccount:accounts:dashboards" });
    format!("e30.{}.bm9uZQ", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn whoever_shows_nothing_that_is_known_is_nobody_and_nobody_is_asked() {
    let fake = cluster().start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[]), ACCOUNT.to_owned()]);
    let good = bearer(&token("shop"));
    let long = bearer(&"a".repeat(9 * 1024));
    for (headers, why) in [
        ("", "show who is calling"),
        ("Authorization:\r\n", "has to be one"),
        ("Authorization: \r\n", "has to be one"),
        ("Authorization: Bearer\r\n", "has to be one"),
        ("Authorization: Bearer \r\n", "has to be one"),
        ("Authorization: Basic eDp5\r\n", "has to be one"),
        (&format!("Authorization: Bearer {} \tx\r\n", token("shop")), "has to be one"),
        (&(good.clone() + &good), "has to be one"),
        (&(good.clone() + "Authorization: Basic eDp5\r\n"), "has to be one"),
        (&long, "has to be one"),
        ("Authorization: Bearer wrong\r\n", "of nobody"),
        (&bearer(&token("shop").to_uppercase()), "of nobody"),
        (&bearer(&token("payments")), "of nobody"),
        // For another audience: that is known without asking.
        (&bearer(&made_up("https://kubernetes.default.svc")), "of nobody"),
    ] {
        for target in ["/", "/v1/queries", "/v1/queries/pod-names/run", "/openapi.json", "/nothing"] {
            let refused = server.ask("GET", target, headers, b"");
            let told = problem(&refused, 401, "unauthenticated");
            assert!(told["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{headers:?}: {told}");
            assert_eq!((refused.header("www-authenticate"), refused.header("connection")), (Some("Bearer"), Some("close")));
        }
    }
    assert_eq!(asked(&fake), []);
    assert_eq!(server.get("shop", "/v1/queries").json()["tenant"], "shop");
    let refusals = server.audited("Refused");
    assert!(!refusals.is_empty(), "{refusals:?}");
    assert!(refusals.iter().all(|line| line["reason"] == "unauthenticated"), "{refusals:?}");
}

#[test]
fn a_token_that_may_be_good_is_asked_about_once() {
    let review = |status| {
        Answer::json(201, json!({ "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status }).to_string())
    };
    let nobody = review(json!({ "authenticated": false, "error": "the canary's words" }));
    let somebody = |user: &str, audience: &str| {
        review(json!({ "authenticated": true, "user": { "username": user }, "audiences": [audience] }))
    };
    let account = "system:serviceaccount:accounts:dashboards";
    for (answer, code) in [
        (somebody(account, "podlens"), 200),
        (nobody, 401),
        (somebody(account, "https://kubernetes.default.svc"), 401),
        (somebody("system:serviceaccount:accounts:default", "podlens"), 401),
        (somebody("jane", "podlens"), 401),
        (Answer::status(403, "Forbidden", "the canary's words"), 503),
        (Answer::text(200, "the canary's words"), 503),
    ] {
        let fake = cluster().script([(post(TOKEN_REVIEWS), answer)]).start();
        let server = Server::of_fake(&fake, &[ACCOUNT.to_owned()]);
        let token = made_up("podlens");
        let first = server.ask("GET", "/v1/queries", &bearer(&token), b"");
        assert_eq!(first.code, code, "{first:?}");
        if code != 503 {
            // What was said is remembered.
            assert_eq!(server.ask("GET", "/v1/queries", &bearer(&token), b"").code, code);
        } else {
            assert!(first.header("retry-after").is_some() && !server.said().contains("canary"), "{first:?} {}", server.said());
        }
        assert!(!format!("{first:?}").contains("canary"), "{first:?}");
        assert!(!server.said().contains(&token), "{}", server.said());
        let asked = asked(&fake);
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(String::from_utf8_lossy(&asked[0].body).contains(&token));
    }
}

#[test]
fn who_makes_up_tokens_is_told_when_to_come_back() {
    let nobody = json!({ "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": { "authenticated": false } });
    let fake = cluster().always(post(TOKEN_REVIEWS), Answer::json(201, nobody.to_string())).start();
    let server = Server::of_fake(&fake, &[ACCOUNT.to_owned(), tenant("shop", &[], &[])]);
    let ask = |number: u32| server.ask("GET", "/v1/queries", &bearer(&format!("{}{number}", made_up("podlens"))), b"");
    // One a second is asked about for as long as this takes.
    let refused = (0..1000).map(ask).find(|answer| answer.code != 401).expect("they are too many");
    problem(&refused, 429, "too_many_tokens");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Whoever is known is served.
    assert_eq!(server.get("shop", "/v1/queries").code, 200);
}

#[test]
fn an_accounts_token_is_its_tenants_if_it_is_for_this_server() {
    let demo = Serving::start();
    let accounts = ["shop", "payments"].map(|name| ACCOUNT.replace("accounts", name));
    let server = Setup::of_demo(&demo, &policy(&accounts)).start();
    let read = |path: &Path| std::fs::read_to_string(path).expect("it can be read");
    for name in ["shop", "payments"] {
        let told = server.ask("GET", "/v1/queries", &bearer(&demo.caller_token(name)), b"").json();
        assert_eq!(told["tenant"], name);
    }
    // That of an account that the API server knows, for the API server.
    let other = read(&demo.mount().join("token"));
    problem(&server.ask("GET", "/v1/queries", &bearer(other.trim()), b""), 401, "unauthenticated");
    // A good one with one letter changed.
    let token = demo.caller_token("shop");
    let (most, signature) = token.rsplit_once('.').expect("it has three parts");
    let letter = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{most}.{letter}{}", &signature[1..]);
    problem(&server.ask("GET", "/v1/queries", &bearer(&forged), b""), 401, "unauthenticated");
}

#[test]
fn a_certificate_is_its_common_names_if_the_authority_for_callers_signed_it() {
    let fake = cluster().start();
    let authority = Authority::new();
    let known = "- name: jane\n  callers: [{certificate: {commonName: jane}}]\n  identity: host\n  namespaces: [shop]\n".to_owned();
    let server = Setup::of_fake(&fake, &policy(&[known, tenant("shop", &[], &[])])).tls(&authority).start();
    let ask = |user: Option<&str>, headers: &str| {
        let identity = user.map(|user| authority.client(user));
        server.ask_by_tls(&authority, identity.as_ref(), "/v1/queries", headers)
    };
    let jane = ask(Some("jane"), "").expect("there is an answer");
    assert_eq!(jane.json()["tenant"], "jane");
    for nobody in [None, Some("john"), Some("Jane"), Some("")] {
        problem(&ask(nobody, "").expect("there is an answer"), 401, "unauthenticated");
    }
    // Who shows a token is whose it is, or nobody.
    let with_token = ask(Some("jane"), &bearer(&token("shop"))).expect("there is an answer");
    assert_eq!(with_token.json()["tenant"], "shop");
    problem(&ask(Some("jane"), &bearer("wrong")).expect("there is an answer"), 401, "unauthenticated");
    // One of another authority with the same name does not even come in.
    let other = Authority::new().client("jane");
    assert!(server.ask_by_tls(&authority, Some(&other), "/v1/queries", "").is_none());
    // Nor does anything without TLS.
    assert!(!server.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").contains("HTTP/1.1 200"));
    assert_eq!(asked(&fake), []);
}

#[test]
fn anybody_may_call_only_by_the_policy_and_on_this_machine() {
    let fake = cluster().start();
    let server = Server::of_fake(&fake, &[ANYBODY.to_owned()]);
    assert_eq!(server.ask("GET", "/v1/queries", "", b"").json()["tenant"], "anybody");
    // What is shown and is nobody's does not count as nothing.
    for headers in ["Authorization: Bearer wrong\r\n", "Authorization: \r\n", "Authorization: Basic eDp5\r\n"] {
        problem(&server.ask("GET", "/v1/queries", headers, b""), 401, "unauthenticated");
    }

    let beyond = |listen: &str, tenants: &[String], authority: Option<&Authority>| {
        let setup = Setup::of_fake(&fake, &policy(tenants)).listen(listen);
        match authority {
            Some(authority) => setup.tls(authority),
            None => setup,
        }
    };
    let authority = Authority::new();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let refused = beyond(listen, &[ANYBODY.to_owned()], Some(&authority)).refused();
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
        assert!(refused.stderr.contains("the policy lets anybody call, and this server can be reached"), "{}", refused.stderr);
    }
    let refused = beyond("0.0.0.0:0", &[tenant("shop", &[], &[])], None).refused();
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("can be reached from other machines, and there is no certificate"), "{}", refused.stderr);
    // With a certificate, and without anybody, it is served.
    let server = beyond("0.0.0.0:0", &[tenant("shop", &[], &[])], Some(&authority)).start();
    let answer = server.ask_by_tls(&authority, None, "/v1/queries", &bearer(&token("shop"))).expect("there is an answer");
    assert_eq!(answer.json()["tenant"], "shop");
}

#[test]
fn a_server_without_a_cluster_that_it_can_trust_does_not_start() {
    let fake = Fake::start([]);
    for (arguments, why) in [
        (&["--insecure-skip-tls-verify"][..], "whose certificate nobody verifies"),
        (&["--as", "system:admin"], "does not act as one other user"),
    ] {
        let refused = Setup::of_fake(&fake, &policy(&[])).arguments(arguments).refused();
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(fake.connections(), 0);
}
