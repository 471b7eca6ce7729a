//! Web pages of others, and bytes that two parsers could read in two ways. All cells of the table are in `host/src/web/browser.rs`.

use super::server::{Server, asked, bearer, built_in, cluster, request, tenant, token};
use crate::proxy::Response;

fn server_and_cluster() -> (Server, podlens_tests::fake::Fake) {
    let fake = cluster().start();
    (Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]), fake)
}

#[test]
fn a_page_of_another_server_gets_nothing() {
    let (server, fake) = server_and_cluster();
    let good = bearer(&token("shop"));
    let own = format!("http://localhost:{}", server.api);
    for (headers, code) in [
        (String::new(), 200),
        (format!("Origin: {own}\r\nSec-Fetch-Site: same-origin\r\n"), 200),
        ("Sec-Fetch-Site: none\r\n".to_owned(), 200),
        ("Sec-Fetch-Site: same-site\r\n".to_owned(), 403),
        ("Sec-Fetch-Site: cross-site\r\n".to_owned(), 403),
        ("Sec-Fetch-Site: \r\n".to_owned(), 403),
        ("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n".to_owned(), 403),
        ("Origin: null\r\n".to_owned(), 403),
        ("Origin: http://evil.example\r\n".to_owned(), 403),
        ("Origin: http://localhost\r\n".to_owned(), 403),
        (format!("Origin: https://localhost:{}\r\n", server.api), 403),
        (format!("Origin: {own}\r\nOrigin: http://evil.example\r\n"), 403),
        (format!("Origin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\nReferer: {own}/\r\n"), 403),
        ("Host: evil.example\r\n".to_owned(), 400),
    ] {
        let answer = server.ask("GET", "/v1/queries", &(good.clone() + &headers), b"");
        assert_eq!(answer.code, code, "{headers:?}: {answer:?}");
        // No answer may be read by such a page, or asked for by a preflight.
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")), "{answer:?}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store, private"));
        assert!(answer.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none';")));
    }
    let preflight = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    assert_eq!(server.ask("OPTIONS", "/v1/queries/pod-names/run", preflight, b"").code, 403);
    assert_eq!(asked(&fake), []);
}

#[test]
fn a_name_that_was_made_to_resolve_here_is_no_host() {
    let (server, fake) = server_and_cluster();
    let port = server.api;
    for (host, code) in [
        (format!("localhost:{port}"), 200),
        (format!("LOCALHOST:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("localhost".to_owned(), 403),
        (format!("localhost:{}", port ^ 1), 403),
        (format!("localhost.:{port}"), 403),
        (format!("evil.example:{port}"), 403),
        (format!("127.0.0.1.evil.example:{port}"), 403),
        (format!("127.1:{port}"), 403),
        (format!("0.0.0.0:{port}"), 403),
        (String::new(), 403),
    ] {
        let head = format!("GET /v1/queries HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{}\r\n", bearer(&token("shop")));
        assert_eq!(Response::read(&server.send(head.as_bytes())).code, code, "{host}");
    }
    assert_eq!(asked(&fake), []);
}

#[test]
fn a_target_has_one_meaning_or_none() {
    let (server, fake) = server_and_cluster();
    let own = format!("http://localhost:{}", server.api);
    for (target, code) in [
        ("/v1/queries/pod-names", 200),
        (&format!("{own}/v1/queries"), 200),
        ("http://evil.example/v1/queries", 400),
        (&format!("https://localhost:{}/v1/queries", server.api), 400),
        (&format!("http://user@localhost:{}/v1/queries", server.api), 400),
        ("//v1/queries", 404),
        ("/v1//queries", 404),
        ("//", 404),
        ("/v1/queries/", 404),
        ("/v1/./queries", 404),
        ("/v1/queries/../queries", 404),
        ("/v1/queries/%2e%2e/queries", 404),
        ("/v1/queries/pod%2dnames", 404),
        ("/v1/queries/pod-names%2frun", 404),
        ("/v1/queries/pod-names%00", 404),
        ("/v1/queries/pod-names;x", 404),
        ("/V1/queries", 404),
        ("/metrics", 404),
        ("/livez", 404),
        (&format!("/v1/queries?{}", "a".repeat(8 * 1024)), 414),
    ] {
        let answer = server.ask("GET", target, &bearer(&token("shop")), b"");
        assert_eq!(answer.code, code, "{target}: {answer:?}");
    }
    // What is no path, and what has a fragment, is not even a request here.
    for target in ["*", "v1/queries", "/v1/queries#x", "/v1/ queries", "\\v1\\queries"] {
        let text = server.send(&request(server.api, "GET", target, &bearer(&token("shop")), b""));
        assert!(!text.starts_with("HTTP/1.1 2"), "{target}: {text}");
    }
    assert_eq!(asked(&fake), []);
}

#[test]
fn a_body_has_one_end_or_the_request_none() {
    let (server, fake) = server_and_cluster();
    let good = bearer(&token("shop"));
    let json = "Content-Type: application/json\r\n";
    let hidden = format!("GET /v1/queries HTTP/1.1\r\nHost: localhost:{}\r\n{good}\r\n", server.api);
    for (method, headers, body) in [
        // Smuggling: which of the two is the length?
        ("POST", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("POST", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
        ("POST", "Content-Length: 2\r\nContent-Length: 3\r\n", "{} "),
        ("POST", "Content-Length: 2, 2\r\n", "{}"),
        ("POST", "Content-Length: +2\r\n", "{}"),
        ("POST", "Transfer-Encoding: identity\r\n", "{}"),
        ("POST", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("POST", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        ("POST", "Transfer-Encoding:\u{b}chunked\r\n", "0\r\n\r\n"),
        ("POST", "Content-Length: 2\nX: y\r\n", "{}"),
        ("GET", "Content-Length: 2\r\n", "{}"),
        ("GET", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("DELETE", "Content-Length: 2\r\n", "{}"),
        ("POST", "Expect: something\r\nContent-Length: 2\r\n", "{}"),
        ("POST", "Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n", "{}"),
        ("POST", "Trailer: X\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("POST", "Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"),
    ] {
        let target = "/v1/queries/pod-names/run";
        let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost:{}\r\n{good}{json}{headers}\r\n", server.api);
        let text = server.send((head + body + &hidden).as_bytes());
        assert!(!text.contains("HTTP/1.1 2"), "{method} {headers:?}: {text}");
        // No more than one answer, whatever is behind the first request.
        assert!(text.matches("HTTP/1.1 ").count() <= 1, "{method} {headers:?}: {text}");
    }
    for version in ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", ""] {
        let head = format!("GET /v1/queries {version}\r\nHost: localhost:{}\r\n{good}\r\n", server.api);
        assert!(!server.send(head.as_bytes()).contains(" 200 "), "{version}");
    }
    assert_eq!(asked(&fake), []);
}
