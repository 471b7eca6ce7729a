//! Connections that did not come about or did not last: why, in words that say what to do.
//!
//! The cause is found by type along the chain of sources. No text of the HTTP stack is passed on: it may hold the URL, and with it a
//! continue token.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::IpAddr;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

use super::advice::advise;
use super::pool::CONNECT_TIMEOUT;
use super::refusal::Refused;
use super::{Ask, Failure};
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::text::excerpt;

/// Most names of a certificate that a message lists.
const LISTED_NAMES: usize = 10;

/// What went wrong with a connection, without its hint.
#[derive(Debug, PartialEq, Eq)]
enum Cause {
    UnknownIssuer {
        authority: String,
    },
    Expired {
        when: Option<String>,
    },
    NotValidYet {
        when: Option<String>,
    },
    WrongName {
        names: Option<Vec<String>>,
    },
    BadCertificate(String),
    NotTls,
    ClientCertificate(AlertDescription),
    Tls(String),
    Dns,
    Refused,
    ConnectTimeout,
    Network(io::ErrorKind),
    /// The proxy was reached, and leads nowhere.
    Tunnel,
    /// Before the connection stood.
    Cut,
    Lost,
}

/// Judges what the HTTP stack says. A connection that was lost may be tried again at once; one that does not come about is, to one who
/// has had no answer yet, as final as a wrong certificate.
pub(super) fn judge(ask: Ask<'_>, error: &reqwest::Error) -> Refused {
    let cause = find_cause(ask, error);
    let cut_off = "the connection was lost before the answer was complete";
    match cause {
        Cause::Lost => return Refused::Lost(incomplete(ask, cut_off)),
        Cause::Cut => return Refused::Cut(incomplete(ask, cut_off)),
        _ => {}
    }
    let message = match cause.is_about_certificate() {
        true => format!("`{}` is not a server to be trusted", ask.address()),
        false => format!("cannot reach the API server at `{}`", ask.address()),
    };
    let (step, is_down, is_untrusted) = (cause.step(ask), cause.is_down(), cause.is_untrusted());
    let error = advise(Error::new(Kind::Unreachable, message).because(cause), step);
    match (is_down, is_untrusted) {
        (true, _) => Refused::Down(error),
        (false, true) => Refused::Untrusted(error),
        (false, false) => Refused::Final(Failure::Other(error)),
    }
}

/// A connection that stands, and gives no complete answer.
pub(super) fn silent(ask: Ask<'_>, how: impl Into<String>) -> Refused {
    Refused::Again { error: incomplete(ask, how), asked: None }
}

fn incomplete(ask: Ask<'_>, how: impl Into<String>) -> Error {
    let message = format!("`{}` gave no complete answer to {ask}", ask.address());
    Error::new(Kind::Unavailable, message).because(how.into())
}

fn find_cause(ask: Ask<'_>, error: &reqwest::Error) -> Cause {
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_cause(ask, tls);
    }
    if error.is_dns() {
        return Cause::Dns;
    }
    let io = find::<io::Error>(error).map(io::Error::kind);
    match io {
        Some(io::ErrorKind::ConnectionRefused) => Cause::Refused,
        _ if !error.is_connect() => Cause::Lost,
        // A server or balancer that is being replaced ends connections in mid-handshake.
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe,
        ) => Cause::Cut,
        _ if error.is_timeout() => Cause::ConnectTimeout,
        Some(kind) => Cause::Network(kind),
        None if ask.config().proxy.is_some() => Cause::Tunnel,
        None => Cause::Cut,
    }
}

fn tls_cause(ask: Ask<'_>, error: &rustls::Error) -> Cause {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(error) => certificate_cause(ask, error),
        Tls::InvalidMessage(_) => Cause::NotTls,
        Tls::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied),
        ) => Cause::ClientCertificate(*alert),
        other => Cause::Tls(other.to_string()),
    }
}

fn certificate_cause(ask: Ask<'_>, error: &CertificateError) -> Cause {
    match error {
        // The authorities of most clusters have the same name: another one's key is then a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            Cause::UnknownIssuer { authority: ask.config().tls.authority_origin() }
        }
        CertificateError::Expired => Cause::Expired { when: None },
        CertificateError::ExpiredContext { not_after, .. } => Cause::Expired { when: time(*not_after) },
        CertificateError::NotValidYet => Cause::NotValidYet { when: None },
        CertificateError::NotValidYetContext { not_before, .. } => Cause::NotValidYet { when: time(*not_before) },
        CertificateError::NotValidForName => Cause::WrongName { names: None },
        CertificateError::NotValidForNameContext { presented, .. } => Cause::WrongName { names: Some(names(presented)) },
        other => Cause::BadCertificate(other.to_string()),
    }
}

/// The names of a certificate, without the type that the verifier writes around each.
fn names(presented: &[String]) -> Vec<String> {
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name).trim_matches('"');
        // It does not write addresses in their short form.
        inner.parse::<IpAddr>().map_or_else(|_| excerpt(inner), |address| address.to_string())
    };
    presented.iter().take(LISTED_NAMES).map(bare).collect()
}

fn time(time: UnixTime) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

/// The deepest of the chain that is a `T`. The `source` of an `io::Error` that wraps another error is not that error but the source of
/// it, so look inside; and such a wrapper tells less than what it wraps, so go on to the end.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        found = error.downcast_ref::<T>().or(found);
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    found
}

impl Cause {
    fn is_about_certificate(&self) -> bool {
        matches!(
            self,
            Self::UnknownIssuer { .. }
                | Self::Expired { .. }
                | Self::NotValidYet { .. }
                | Self::WrongName { .. }
                | Self::BadCertificate(_)
        )
    }

    /// Whether nobody could be asked: what passes when the server, or the way to it, is there again.
    fn is_down(&self) -> bool {
        matches!(self, Self::Dns | Self::Refused | Self::ConnectTimeout | Self::Network(_) | Self::Tunnel)
    }

    /// Whether another authority, or another certificate of ours, could change it.
    fn is_untrusted(&self) -> bool {
        matches!(self, Self::UnknownIssuer { .. } | Self::ClientCertificate(_))
    }

    /// The next step to take.
    fn step(&self, ask: Ask<'_>) -> String {
        let tls = &ask.config().tls;
        match self {
            Self::UnknownIssuer { authority } if authority == "default" => {
                "clusters sign their certificates themselves: name the cluster's own authority, as a kubeconfig's \
                 `certificate-authority` or a service account's `ca.crt`"
                    .to_owned()
            }
            Self::UnknownIssuer { .. } => {
                "either that is another cluster's authority, or another server answers at this address; the authority has to be the \
                 issuer's certificate, not the server's own"
                    .to_owned()
            }
            Self::Expired { .. } | Self::NotValidYet { .. } => format!(
                "the clock here says {}: set it if that is wrong, else renew the certificate",
                jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
            Self::WrongName { .. } => match &tls.server_name {
                Some(name) => format!("correct the `tls-server-name`, which is from {}: it has to be a name that the certificate is for", name.origin),
                None => format!(
                    "use an address for `{}` that the certificate is for, or give such a name as `--tls-server-name`",
                    ask.address()
                ),
            },
            Self::BadCertificate(_) => "have the server's certificate issued anew".to_owned(),
            Self::ClientCertificate(_) => match tls.identity_origin() {
                Some(origin) => format!("the client certificate is from {origin}: renew it there"),
                None => "this server wants a client certificate, and none is configured: give `--client-certificate` and `--client-key`".to_owned(),
            },
            Self::NotTls => "is the port right? an API server's is usually 6443 or 443".to_owned(),
            Self::Tls(_) => "is an API server at this address, and nothing between that ends TLS?".to_owned(),
            Self::Tunnel => match &ask.config().proxy {
                Some(proxy) => format!("the proxy `{}`, from {}, has to let you through to this address", proxy.value, proxy.origin),
                None => self.check(ask),
            },
            Self::Dns | Self::Refused | Self::ConnectTimeout | Self::Network(_) | Self::Cut | Self::Lost => self.check(ask),
        }
    }

    fn check(&self, ask: Ask<'_>) -> String {
        let Config { server, proxy, .. } = ask.config();
        if let Some(proxy) = proxy {
            return format!(
                "the way goes through the proxy `{}`, from {}: is that right, and does it run?",
                proxy.value, proxy.origin
            );
        }
        if let Some(variable) = ask.config().unused_proxy() {
            return format!(
                "the environment's `{variable}` is set and not used: name the proxy as the kubeconfig's `proxy-url` if it is needed"
            );
        }
        let question = match self {
            Self::Dns => "is the name right, and does DNS work here?",
            Self::Refused => "is the port right, and is the API server running?",
            _ => "is it right, and can it be reached from here?",
        };
        format!("the address is from {}: {question}", server.origin)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer { authority } if authority == "default" => {
                f.write_str("its certificate is issued by none of the platform's authorities")
            }
            Self::UnknownIssuer { authority } => {
                write!(f, "its certificate is not issued by the certificate authority from {authority}")
            }
            Self::Expired { when: Some(when) } => write!(f, "its certificate expired at {when}"),
            Self::Expired { when: None } => f.write_str("its certificate has expired"),
            Self::NotValidYet { when: Some(when) } => write!(f, "its certificate is not valid before {when}"),
            Self::NotValidYet { when: None } => f.write_str("its certificate is not valid yet"),
            Self::Tunnel => f.write_str("the proxy does not connect to it"),
            Self::WrongName { names: Some(names) } if !names.is_empty() => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "its certificate is for {}, not for this address", names.join(", "))
            }
            Self::WrongName { .. } => f.write_str("its certificate is not for this address"),
            Self::BadCertificate(why) => write!(f, "its certificate cannot be verified: {why}"),
            Self::NotTls => f.write_str("it does not speak TLS"),
            Self::ClientCertificate(alert) => write!(f, "it refuses the client certificate or the lack of one ({alert:?})"),
            Self::Tls(why) => write!(f, "no TLS connection: {why}"),
            Self::Dns => f.write_str("its name cannot be resolved"),
            Self::Refused => f.write_str("connection refused"),
            Self::ConnectTimeout => write!(f, "no connection within {} s", CONNECT_TIMEOUT.as_secs()),
            Self::Network(kind) => kind.fmt(f),
            Self::Cut | Self::Lost => f.write_str("the connection was lost"),
        }
    }
}

impl StdError for Cause {}
