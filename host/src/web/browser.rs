//! Who is on the other side: a program, or a web page that uses somebody's browser to get at the cluster.
//!
//! A page cannot choose three headers, and they tell it apart. `Host` is the name that the page was loaded from, so that a page whose
//! name was made to resolve to 127.0.0.1 (DNS rebinding) is known by it. `Origin` and `Sec-Fetch-Site` tell of a page of another server
//! (RFC 6454; W3C Fetch Metadata). No answer has a CORS header, so that none can be read by such a page either.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderName, ORIGIN};
use hyper::{HeaderMap, StatusCode, Uri};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The port that `Host` leaves out (RFC 9110 section 4.2.1).
const DEFAULT_PORT: u16 = 80;

/// The names by which a server may be addressed, as `Host` has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// These, without TLS.
    Named(Vec<String>),
    /// Whichever its certificate is for: a page whose name was made to resolve here has none that a browser takes.
    Certified,
}

/// Why a request is not answered: it is, or may be, that of a page of another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) code: StatusCode,
    /// For whoever has to mend it.
    pub(crate) message: String,
}

impl Foreign {
    fn bad_request(message: &str) -> Self {
        Self { code: StatusCode::BAD_REQUEST, message: message.to_owned() }
    }

    fn forbidden(message: impl Into<String>) -> Self {
        Self { code: StatusCode::FORBIDDEN, message: message.into() }
    }
}

impl Hosts {
    /// This port on loopback, at this address or by a name that every machine has for itself.
    pub(crate) fn of_port(port: u16, address: Option<IpAddr>) -> Self {
        let own = address.map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        let names = Self::names().into_iter().chain(own.filter(|own| !Self::names().contains(own)));
        let with_port = names.clone().map(|name| format!("{name}:{port}"));
        let without = names.filter(|_| port == DEFAULT_PORT);
        Self::Named(with_port.chain(without).collect())
    }

    /// A Unix socket has no name; a client that speaks HTTP over it has to say some, and says `localhost`.
    pub(crate) fn of_socket() -> Self {
        Self::Named(Self::names().into())
    }

    fn names() -> [String; 3] {
        ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned)
    }

    fn has(&self, host: &[u8]) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(host)),
            Self::Certified => !host.is_empty(),
        }
    }

    fn scheme(&self) -> &'static str {
        match self {
            Self::Named(_) => "http",
            Self::Certified => "https",
        }
    }
}

/// Refuses whoever is or may be a page of another server.
pub(crate) fn check(hosts: &Hosts, target: &Uri, headers: &HeaderMap) -> Result<(), Foreign> {
    let mut given = headers.get_all(HOST).iter();
    let (Some(host), None) = (given.next(), given.next()) else {
        return Err(Foreign::bad_request("there has to be one `Host` header"));
    };
    let host = host.as_bytes();
    if !hosts.has(host) {
        let names = match hosts {
            Hosts::Named(names) => names.join(", "),
            Hosts::Certified => "one".to_owned(),
        };
        return Err(Foreign::forbidden(format!("the `Host` header has to be one of: {names}")));
    }
    match (target.scheme_str(), target.authority()) {
        (None, None) => {}
        (Some(scheme), Some(authority)) if scheme == hosts.scheme() && authority.as_str().as_bytes() == host => {}
        _ => return Err(Foreign::bad_request("the request's target names another server than its `Host` header")),
    }
    let is_own = |origin: &[u8]| {
        let authority = origin.strip_prefix(hosts.scheme().as_bytes()).and_then(|rest| rest.strip_prefix(b"://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    if !headers.get_all(ORIGIN).iter().all(|origin| is_own(origin.as_bytes())) {
        return Err(Foreign::forbidden("the `Origin` header is another server's: web pages are not served"));
    }
    if !headers.get_all(SEC_FETCH_SITE).iter().all(|site| matches!(site.as_bytes(), b"none" | b"same-origin")) {
        return Err(Foreign::forbidden("the `Sec-Fetch-Site` header is another server's: web pages are not served"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn code(hosts: &Hosts, target: &str, headers: &HeaderMap) -> u16 {
        check(hosts, &target.parse().unwrap(), headers).map_or_else(|foreign| foreign.code.as_u16(), |()| 200)
    }

    /// The first cells of a row are what is accepted: which is written here once more, by hand.
    #[test]
    fn the_browser_matrix() {
        let hosts = Hosts::of_port(8001, None);
        let host_cells: &[(Option<&str>, u16)] = &[
            (Some("localhost:8001"), 200),
            (Some("127.0.0.1:8001"), 200),
            (Some("[::1]:8001"), 200),
            (Some("LOCALHOST:8001"), 200),
            (None, 400),
            (Some(""), 403),
            (Some("localhost"), 403),
            (Some("127.0.0.1"), 403),
            (Some("[::1]"), 403),
            (Some("::1:8001"), 403),
            (Some("::1"), 403),
            (Some("localhost:8002"), 403),
            (Some("localhost:08001"), 403),
            (Some("localhost:80018001"), 403),
            (Some("localhost:"), 403),
            (Some("localhost.:8001"), 403),
            (Some("localhost.evil.example:8001"), 403),
            (Some("evil.example:8001"), 403),
            (Some("evil.example"), 403),
            (Some("127.0.0.1.nip.io:8001"), 403),
            (Some("127.1:8001"), 403),
            (Some("127.0.0.2:8001"), 403),
            (Some("0.0.0.0:8001"), 403),
            (Some("2130706433:8001"), 403),
            (Some("0x7f.1:8001"), 403),
            (Some("[::]:8001"), 403),
            (Some("[::ffff:127.0.0.1]:8001"), 403),
            (Some("[::1%lo]:8001"), 403),
            (Some("user@localhost:8001"), 403),
            (Some("localhost:8001@evil.example"), 403),
            (Some("localhost:8001, evil.example"), 403),
            (Some("localhost:8001/"), 403),
            (Some("localhost:8001#"), 403),
        ];
        let origins: &[(Option<&str>, bool)] = &[
            (None, true),
            // In place of HOST stands the host of the row.
            (Some("http://HOST"), true),
            (Some("null"), false),
            (Some(""), false),
            (Some("HOST"), false),
            (Some("https://HOST"), false),
            (Some("http://HOST/"), false),
            (Some("http://HOST.evil.example"), false),
            (Some("http://user@HOST"), false),
            (Some("http://evil.example"), false),
            (Some("http://evil.example:8001"), false),
            (Some("http://localhost:3000"), false),
            (Some("http://localhost"), false),
            (Some("file://"), false),
            (Some("chrome-extension://abcdefghijklmnop"), false),
        ];
        let sites: &[(Option<&str>, bool)] = &[
            (None, true),
            (Some("none"), true),
            (Some("same-origin"), true),
            (Some("same-site"), false),
            (Some("cross-site"), false),
            (Some(""), false),
            (Some("None"), false),
            (Some("none, same-origin"), false),
        ];
        let mut cells = 0;
        for (host, host_code) in host_cells {
            for (origin, own_origin) in origins {
                for (site, own_site) in sites {
                    let origin = origin.map(|origin| origin.replace("HOST", host.unwrap_or("")));
                    let mut pairs = Vec::new();
                    pairs.extend(host.map(|host| (HOST, host)));
                    pairs.extend(origin.as_deref().map(|origin| (ORIGIN, origin)));
                    pairs.extend(site.map(|site| (SEC_FETCH_SITE, site)));
                    let expected = match *host_code {
                        200 if *own_origin && *own_site => 200,
                        200 => 403,
                        refused => refused,
                    };
                    assert_eq!(code(&hosts, "/api/v1/pods", &headers(&pairs)), expected, "{pairs:?}");
                    cells += 1;
                }
            }
        }
        assert_eq!(cells, 33 * 15 * 8);
    }

    #[test]
    fn each_name_is_told_once() {
        for (address, names) in [
            ("127.0.0.1", "localhost:8001, 127.0.0.1:8001, [::1]:8001"),
            ("::1", "localhost:8001, 127.0.0.1:8001, [::1]:8001"),
            ("10.0.0.7", "localhost:8001, 127.0.0.1:8001, [::1]:8001, 10.0.0.7:8001"),
        ] {
            let hosts = Hosts::of_port(8001, Some(address.parse().unwrap()));
            let foreign = check(&hosts, &"/".parse().unwrap(), &headers(&[(HOST, "evil.example")])).unwrap_err();
            assert_eq!(foreign.message, format!("the `Host` header has to be one of: {names}"));
        }
    }

    #[test]
    fn a_header_that_comes_twice_is_judged_twice() {
        let hosts = Hosts::of_port(8001, None);
        let host = (HOST, "localhost:8001");
        for (more, expected) in [
            (vec![host.clone()], 400),
            (vec![(HOST, "evil.example")], 400),
            (vec![(ORIGIN, "http://localhost:8001"), (ORIGIN, "http://evil.example")], 403),
            (vec![(SEC_FETCH_SITE, "none"), (SEC_FETCH_SITE, "cross-site")], 403),
            (vec![(SEC_FETCH_SITE, "none"), (SEC_FETCH_SITE, "none")], 200),
        ] {
            let headers = headers(&[std::slice::from_ref(&host), &more].concat());
            assert_eq!(code(&hosts, "/", &headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_target_that_names_a_server_names_this_one() {
        let hosts = Hosts::of_port(8001, None);
        let headers = headers(&[(HOST, "localhost:8001")]);
        for (target, expected) in [
            ("/", 200),
            ("http://localhost:8001/", 200),
            ("http://localhost:8001/api/v1/pods", 200),
            ("http://127.0.0.1:8001/", 400),
            ("http://LOCALHOST:8001/", 400),
            ("https://localhost:8001/", 400),
            ("http://localhost:8002/", 400),
            ("http://localhost/", 400),
            ("http://user@localhost:8001/", 400),
            ("http://evil.example/", 400),
            ("ftp://localhost:8001/", 400),
            ("localhost:8001", 400),
        ] {
            assert_eq!(code(&hosts, target, &headers), expected, "{target}");
        }
    }

    #[test]
    fn names_have_the_port_that_is_listened_on() {
        let check = |hosts: &Hosts, host: &str| code(hosts, "/", &headers(&[(HOST, host)])) == 200;
        let web = Hosts::of_port(80, None);
        assert!(check(&web, "localhost") && check(&web, "localhost:80") && check(&web, "[::1]") && !check(&web, "localhost:8001"));
        let other = Hosts::of_port(9000, Some("127.0.0.5".parse().unwrap()));
        assert!(check(&other, "127.0.0.5:9000") && check(&other, "localhost:9000") && !check(&other, "127.0.0.6:9000"));
        let socket = Hosts::of_socket();
        assert!(check(&socket, "localhost") && check(&socket, "[::1]") && !check(&socket, "evil.example") && !check(&socket, ""));
    }
}
