//! What a browser shows. It is read here as a browser without scripts would: by its elements.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::server::{Server, Setup, bearer, built_in, cluster, guest, policy, tenant, token};
use crate::guests;
use crate::proxy::Response;

/// An element's beginning, or its end; or text.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Open(String, Vec<(String, String)>),
    Close(String),
    Text(String),
}

/// Elements without an end.
const VOID: [&str; 3] = ["meta", "input", "br"];

fn unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The tokens of a page. What a strict reader would not take panics: an attribute without quotes, an element that is not closed.
fn tokens(page: &str) -> Vec<Token> {
    let mut rest = page.strip_prefix("<!doctype html>").expect("it is HTML");
    let (mut tokens, mut open) = (Vec::new(), Vec::<String>::new());
    while let Some(at) = rest.find('<') {
        if at > 0 {
            tokens.push(Token::Text(unescaped(&rest[..at])));
        }
        let end = at + rest[at..].find('>').expect("an element ends");
        let inner = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inner.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{page}");
            tokens.push(Token::Close(name.to_owned()));
            continue;
        }
        let (name, mut attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        let mut pairs = Vec::new();
        while !attributes.is_empty() {
            let named = attributes.find(['=', ' ']).unwrap_or(attributes.len());
            let attribute = &attributes[..named];
            attributes = &attributes[named..];
            let mut value = String::new();
            if let Some(quoted) = attributes.strip_prefix("=\"") {
                let (text, after) = quoted.split_once('"').expect("a value ends");
                value = unescaped(text);
                attributes = after;
            } else {
                assert!(!attributes.starts_with('='), "a value without quotes: {inner}");
            }
            attributes = attributes.trim_start();
            pairs.push((attribute.to_owned(), value));
        }
        if matches!(name, "style" | "script") {
            let end = rest.find(&format!("</{name}>")).expect("it ends");
            tokens.push(Token::Open(name.to_owned(), pairs));
            tokens.push(Token::Text(rest[..end].to_owned()));
            rest = &rest[end + name.len() + 3..];
            continue;
        }
        if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
        tokens.push(Token::Open(name.to_owned(), pairs));
    }
    assert!(open.is_empty(), "{open:?} are not closed in {page}");
    tokens
}

/// The attributes of each element of this name.
fn elements<'a>(tokens: &'a [Token], wanted: &str) -> Vec<&'a [(String, String)]> {
    let of = |token: &'a Token| match token {
        Token::Open(name, attributes) if name == wanted => Some(attributes.as_slice()),
        _ => None,
    };
    tokens.iter().filter_map(of).collect()
}

fn attribute<'a>(element: &'a [(String, String)], name: &str) -> Option<&'a str> {
    element.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// What is between each beginning of such an element and what comes next.
fn contents<'a>(tokens: &'a [Token], wanted: &str) -> Vec<&'a str> {
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let of = |(token, next): (&'a Token, &'a Token)| match (token, next) {
        (Token::Open(name, _), Token::Text(text)) if name == wanted => Some(text.as_str()),
        _ => None,
    };
    pairs.filter_map(of).collect()
}

/// The content security policy lets a page do all that is in it, and nothing that is not: its styles and scripts are those whose hashes it
/// has, nothing is loaded, and no attribute has a style or a script in it.
#[track_caller]
fn check_policy(answer: &Response, code: u16) -> Vec<Token> {
    assert_eq!((answer.code, answer.header("content-type")), (code, Some("text/html; charset=utf-8")), "{answer:?}");
    let policy = answer.header("content-security-policy").expect("it has one");
    let directive = |name: &str| {
        let found = policy.split(';').map(str::trim).find_map(|directive| directive.strip_prefix(name)?.strip_prefix(' '));
        found.unwrap_or_default().to_owned()
    };
    for name in ["default-src", "frame-ancestors", "base-uri"] {
        assert_eq!(directive(name), "'none'", "{name} of {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    let tokens = tokens(&answer.body);
    for (element, source) in [("style", "style-src"), ("script", "script-src")] {
        let hashes: Vec<_> = contents(&tokens, element)
            .iter()
            .map(|text| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes()))))
            .collect();
        let allowed = directive(source);
        let allowed: Vec<_> = allowed.split(' ').filter(|source| !matches!(*source, "" | "'none'")).collect();
        assert_eq!(allowed, hashes, "{source} of {policy}");
    }
    for token in &tokens {
        let Token::Open(name, attributes) = token else { continue };
        assert!(!matches!(name.as_str(), "link" | "img" | "iframe" | "object" | "embed" | "base" | "svg"), "{token:?}");
        for (attribute, value) in attributes {
            assert!(!attribute.starts_with("on") && attribute != "style" && attribute != "src", "{token:?}");
            if matches!(attribute.as_str(), "href" | "action") {
                assert!(value.starts_with('/') && !value.starts_with("//"), "{token:?}");
            }
        }
    }
    if !elements(&tokens, "form").is_empty() {
        assert_eq!(directive("form-action"), "'self'");
    }
    tokens
}

fn html(server: &Server, target: &str) -> Response {
    server.ask("GET", target, &(bearer(&token("shop")) + "Accept: text/html,*/*;q=0.8\r\n"), b"")
}

#[test]
fn the_first_page_has_a_form_for_each_query_and_needs_no_script() {
    let fake = cluster().start();
    let paths = [guests::ECHO_ARGUMENTS, guests::DESCRIBES_EVERYTHING, guests::ASKS];
    let queries = [
        built_in("restarts"),
        guest("echo", guests::ECHO_ARGUMENTS),
        guest("everything", guests::DESCRIBES_EVERYTHING),
        guest("asks", guests::ASKS),
        format!("{{name: missing, digest: \"sha256:{}\"}}", "0".repeat(64)),
    ];
    let server = Setup::of_fake(&fake, &policy(&[tenant("shop", &queries, &[])])).queries(&paths).start();
    let page = html(&server, "/");
    let tokens = check_policy(&page, 200);
    assert!(elements(&tokens, "script").is_empty());
    assert_eq!(contents(&tokens, "h2"), ["asks", "echo", "everything", "missing", "restarts"]);
    // The one that cannot be run has none.
    let forms: Vec<_> = elements(&tokens, "form").iter().filter_map(|form| attribute(form, "action")).collect();
    assert_eq!(forms, ["asks", "echo", "everything", "restarts"].map(|name| format!("/v1/queries/{name}/run")));
    assert!(elements(&tokens, "form").iter().all(|form| attribute(form, "method") == Some("get")));
    assert!(page.body.contains("this query is not ready to run"), "{}", page.body);
    // Each field has a label of its own.
    let fields: Vec<_> = [elements(&tokens, "input"), elements(&tokens, "select")].concat();
    let mut ids: Vec<_> = fields.iter().map(|field| attribute(field, "id").expect("it has one")).collect();
    let mut labelled: Vec<_> =
        elements(&tokens, "label").iter().map(|label| attribute(label, "for").expect("it has one")).collect();
    ids.sort_unstable();
    labelled.sort_unstable();
    assert_eq!(ids, labelled);
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    let field = |id: &str| *fields.iter().find(|field| attribute(field, "id") == Some(id)).unwrap_or_else(|| panic!("{id}"));
    assert_eq!(attribute(field("restarts-min"), "type"), Some("number"));
    assert_eq!(attribute(field("restarts-min"), "placeholder"), Some("1"));
    assert_eq!(attribute(field("echo-number"), "step"), Some("any"));
    assert_eq!(attribute(field("echo-text"), "type"), None);
    assert!(page.body.contains("<select id=\"echo-boolean\""), "{}", page.body);

    // What a browser sends of a form that nobody has filled in is good.
    let empty: Vec<_> =
        fields.iter().filter_map(|field| attribute(field, "id")?.strip_prefix("echo-").map(|name| format!("{name}="))).collect();
    assert_eq!(empty.len(), 4);
    let answer = html(&server, &format!("/v1/queries/echo/run?{}", empty.join("&")));
    assert_eq!(answer.code, 200, "{answer:?}");
}

#[test]
fn an_answer_and_its_report_lead_on_and_show_text_as_text() {
    let fake = cluster().start();
    let own = tenant("shop", &[guest("all-types", guests::ALL_TYPES)], &[]);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::ALL_TYPES]).start();
    let answer = html(&server, "/v1/queries/all-types/run?hostile=true");
    let tokens = check_policy(&answer, 200);
    assert!(contents(&tokens, "td").iter().any(|cell| cell.contains("</td><script>alert(1)</script>")), "{}", answer.body);
    let links: Vec<_> = elements(&tokens, "a").iter().filter_map(|link| attribute(link, "href")).map(str::to_owned).collect();
    let run = answer.header("podlens-run").expect("each run has a name");
    assert!(links.contains(&"/".to_owned()) && links.contains(&format!("/v1/runs/{run}")), "{links:?}");

    let report = html(&server, &format!("/v1/runs/{run}"));
    let tokens = check_policy(&report, 200);
    assert!(elements(&tokens, "script").is_empty());
    assert_eq!(contents(&tokens, "h1"), ["A run of all-types"]);
    assert!(contents(&tokens, "td").contains(&"ok"), "{}", report.body);
    let rows = contents(&tokens, "th");
    for limit in ["timeout", "cpu-limit", "memory-limit", "max-rows"] {
        assert!(rows.contains(&limit), "{rows:?}");
    }
    let as_json = server.get("shop", &format!("/v1/runs/{run}"));
    assert_eq!(as_json.header("content-type"), Some("application/json"));
}

#[test]
fn no_word_of_a_query_is_markup() {
    let fake = cluster().start();
    let own = tenant("shop", &[guest("hostile", guests::HOSTILE_WORDS)], &[]);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::HOSTILE_WORDS]).start();
    let first = check_policy(&html(&server, "/"), 200);
    assert_eq!(elements(&first, "section").len(), 1);
    let answer = check_policy(&html(&server, "/v1/queries/hostile/run?say=%3Cscript%3E"), 200);
    assert!(contents(&answer, "td").contains(&"<script>"), "{answer:?}");
    let failure = check_policy(&html(&server, "/v1/queries/hostile/run?say=x&fail=true"), 422);
    assert!(contents(&failure, "p")[1].contains("javascript:window.hacked=1"), "{failure:?}");
    // What would turn the text around is told by its name.
    assert!(contents(&failure, "p")[1].contains("\\u{202e}txet\\u{2066} שלום"), "{failure:?}");
}

#[test]
fn a_failure_is_a_page_for_who_asks_for_pages() {
    let fake = cluster().start();
    let echo = tenant("shop", &[guest("echo", guests::ECHO_ARGUMENTS)], &[]);
    let server = Setup::of_fake(&fake, &policy(&[echo])).queries(&[guests::ECHO_ARGUMENTS]).start();
    for (target, code, word, told) in [
        ("/v1/queries/echo/run?integer=%3Cb%3E", 400, "invalid_argument", "`<b>`"),
        ("/v1/queries/other/run", 404, "not_found", "there is no such query for you"),
        ("/v1/runs/6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11", 404, "not_found", "there is no such run for you"),
        ("/nothing", 404, "not_found", "there is no such path for you"),
    ] {
        let tokens = check_policy(&html(&server, target), code);
        let texts = contents(&tokens, "p");
        assert!(texts[0].starts_with(&code.to_string()) && texts[0].ends_with(word) && texts[1].contains(told), "{texts:?}");
        let links: Vec<_> = elements(&tokens, "a").iter().filter_map(|link| attribute(link, "href")).collect();
        assert_eq!(links, ["/"], "{target}");
        // Whoever asks for anything else is told as a program is.
        let program = server.get("shop", target);
        assert_eq!((program.code, program.header("content-type")), (code, Some("application/problem+json")));
    }
    let nobody = server.ask("GET", "/", "Accept: text/html\r\n", b"");
    check_policy(&nobody, 401);
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    let deleted = server.ask("DELETE", "/", &(bearer(&token("shop")) + "Accept: text/html\r\n"), b"");
    check_policy(&deleted, 405);
    assert_eq!(deleted.header("allow"), Some("GET, HEAD"));
}
