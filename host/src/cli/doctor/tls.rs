//! Step 5: whom the server shows itself to be, and whether that is somebody to be trusted.
//!
//! The verifier is the client's own, with an ear at it: it keeps the chain that it was shown, and never accepts what the client
//! would refuse. Nothing is sent over the connection but the handshake.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificate::{Certificate, day, with_key};
use super::peer::Peer;
use super::reason::Reason;
use super::remedy::Remedies;
use super::step::{Fact, Finding, Fix, Step};
use crate::client::{Judge, Judged, Naming, Presented, client_config, verifier};
use crate::config::{Authority, Config, Tls, TlsSources};
use crate::text;

/// How long a handshake may take. client-go gives 10 s.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one of the certificate's other names may take to answer.
const NAME_PATIENCE: Duration = Duration::from_secs(1);
/// Most certificates of a chain, and of an authority, that are told.
const MAX_CERTIFICATES: usize = 5;
/// Most of a certificate's names that are tried.
const MAX_TRIED_NAMES: usize = 12;
/// Under this many days of validity a certificate is worth a word. Installers renew within a month.
const SOON_DAYS: i64 = 14;
/// Where a cluster's authority may be found by whoever runs beside its API server, or in a pod.
const AUTHORITY_FILES: [&str; 2] = ["/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "/etc/kubernetes/pki/ca.crt"];

/// Looks at what the server shows, where there is nobody to hold it against. Nothing is trusted, and the handshake ends there.
pub(super) async fn look(stream: TcpStream, server: &Peer, remedies: &Remedies<'_>) -> Finding {
    let finding = Step::Tls.open("not verified: there is no usable certificate authority to hold the certificate against");
    let nobody = TlsSources { authority: Authority::Platform, server_name: None, identity: None };
    let (Ok(name), Ok(tls)) = (ServerName::try_from(server.host.clone()), nobody.load()) else { return finding };
    let listening = Listening::with(None);
    let Err(broken) = connect(stream, name, &tls, &Naming::Address, &listening).await else { return finding };
    match broken {
        Broken::Verdict(_) => finding.facts(chain_facts(&listening.judge.seen())),
        broken => broken.told(server, remedies),
    }
}

/// Shakes hands over `stream` as the client would, its certificate included, and tells what came of it.
pub(super) async fn shake_hands(stream: TcpStream, server: &Peer, config: &Config, remedies: &Remedies<'_>) -> Finding {
    let naming = Naming::new(config);
    let Some(told) = naming.of_handshake(&server.host) else {
        let text = format!("`{}` is no name that a certificate could be for", server.host);
        return Step::Tls.bad(Reason::WrongHost, text).fix(remedies.no_tls());
    };
    let ready = config.tls.load().map_err(|error| error.to_string()).and_then(|tls| {
        let verifier = verifier(&tls.roots, &naming, &Arc::new(ring::default_provider())).map_err(|error| error.to_string())?;
        Ok((tls, Listening::with(Some(verifier))))
    });
    let (tls, listening) = match ready {
        Ok(ready) => ready,
        Err(why) => {
            let fix = Fix::say(format!("whom to trust is from {}", config.tls.authority_origin()));
            return Step::Tls.bad(Reason::BadConfiguration, why).fix(fix);
        }
    };
    let shaken = connect(stream, told.clone(), &tls, &naming, &listening).await;
    let name = config.tls.server_name.as_ref().map_or(told, |name| name.value.clone());
    let shown = Shown { config, server, name: &name, chain: listening.judge.seen() };
    match shaken {
        Ok(version) => shown.trusted(version),
        Err(Broken::Verdict(error)) => shown.refused(&error, remedies).await,
        Err(broken) => broken.told(server, remedies),
    }
}

/// Why there is no connection.
enum Broken {
    Verdict(CertificateError),
    NotTls,
    Other(String),
}

impl Broken {
    fn told(self, server: &Peer, remedies: &Remedies<'_>) -> Finding {
        let (reason, text) = match self {
            Self::NotTls => (Reason::NoTls, format!("what answers at `{}` does not speak TLS", server.address())),
            Self::Verdict(error) => (Reason::BadCertificate, format!("the certificate cannot be verified: {error}")),
            Self::Other(why) => (Reason::NoTls, format!("no TLS connection: {why}")),
        };
        Step::Tls.bad(reason, text).fix(remedies.no_tls())
    }
}

async fn connect(
    stream: TcpStream,
    name: ServerName<'static>,
    tls: &Tls,
    naming: &Naming,
    verifier: &Arc<Judged<Listening>>,
) -> Result<&'static str, Broken> {
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Judged<Listening>>::clone(verifier);
    let tls = client_config(tls, naming, verifier).map_err(|error| Broken::Other(error.to_string()))?;
    let connecting = TlsConnector::from(Arc::new(tls)).connect(name, stream);
    let error = match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(stream)) => {
            return Ok(match stream.get_ref().1.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            });
        }
        Ok(Err(error)) => error,
        Err(_) => return Err(Broken::Other(format!("no end of the handshake within {} s", PATIENCE.as_secs()))),
    };
    Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(verdict)) => Broken::Verdict(verdict.clone()),
        Some(rustls::Error::InvalidMessage(_)) => Broken::NotTls,
        Some(error) => Broken::Other(error.to_string()),
        None => Broken::Other(error.kind().to_string()),
    })
}

/// What the server showed.
struct Shown<'a> {
    config: &'a Config,
    server: &'a Peer,
    name: &'a ServerName<'static>,
    chain: Vec<CertificateDer<'static>>,
}

impl Shown<'_> {
    /// The chain that was shown, and whom we trust.
    fn facts(&self) -> Vec<Fact> {
        let mut facts = chain_facts(&self.chain);
        let origin = self.config.tls.authority_origin();
        facts.extend(self.authorities().iter().map(|authority| {
            let validity = authority.validity();
            Fact::new(
                "trusted",
                format!("{}, valid {validity}, from {origin}", with_key(&authority.subject, authority.key.as_deref())),
            )
        }));
        facts
    }

    fn authorities(&self) -> Vec<Certificate> {
        read(&self.config.tls.authority_certificates())
    }

    fn trusted(&self, version: &str) -> Finding {
        let certificates = read(&self.chain);
        let finding = if matches!(self.config.tls.authority, Authority::Anybody(_)) {
            let finding = Step::Tls.doubt(format!("{version}, with anybody: the certificate is not verified"));
            finding.fix(Fix::say(
                "`insecure-skip-tls-verify` sends the token to whoever answers: give the cluster's authority instead",
            ))
        } else {
            match certificates.iter().filter_map(|certificate| certificate.not_after).min() {
                Some(end) if days_left(end) < SOON_DAYS => {
                    Step::Tls.doubt(format!("{version}, until {}: renew the certificate", day(Some(end))))
                }
                _ => Step::Tls
                    .good(format!("{version}, with a certificate of the authority from {}", self.config.tls.authority_origin())),
            }
        };
        finding.facts(self.facts())
    }

    async fn refused(&self, error: &CertificateError, remedies: &Remedies<'_>) -> Finding {
        let certificates = read(&self.chain);
        let leaf = certificates.first();
        let validity = leaf.map(Certificate::validity).unwrap_or_default();
        match error {
            // The authorities of most clusters have the same name: another one's key is then a bad signature, or of another
            // algorithm.
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                let candidate = self.fitting_file();
                let (issuer, trusted) = self.issuer_and_trusted(leaf);
                let text = format!("wrong CA: the certificate is issued by {issuer}, not by {trusted}");
                let would_fit = candidate.as_ref().map(|path| Fact::new("would fit", format!("`{}`", text::path(path))));
                let finding = Step::Tls.bad(Reason::WrongCa, text).facts(self.facts()).facts(would_fit);
                finding.fix(remedies.wrong_authority(candidate.as_deref()))
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                let names = leaf.map(|leaf| leaf.names.clone()).unwrap_or_default();
                let usable = usable(&names);
                let answering = self.answering(&usable).await;
                let text = format!("wrong host: the certificate is for {}, not for `{}`", listed(&names), self.name.to_str());
                let finding = Step::Tls.bad(Reason::WrongHost, text);
                finding.facts(self.facts()).fix(remedies.wrong_name(&usable, answering))
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Step::Tls
                .bad(Reason::CertificateExpired, format!("a certificate has expired: it is valid {validity}"))
                .facts(self.facts())
                .fix(clock("renew the server's certificate, on a kubeadm cluster by", "kubeadm certs renew apiserver")),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                let text = format!("a certificate is not valid yet: it is valid {validity}");
                let finding = Step::Tls.bad(Reason::CertificateNotYetValid, text);
                finding
                    .facts(self.facts())
                    .fix(clock("is the clock here right? If it is, the server's certificate is to be issued again", ""))
            }
            other => Step::Tls
                .bad(Reason::BadCertificate, format!("the certificate cannot be verified: {other}"))
                .facts(self.facts())
                .fix(Fix::say("have the server's certificate issued anew")),
        }
    }

    /// Who has issued the certificate, and who should have: with their keys where the names do not tell them apart.
    fn issuer_and_trusted(&self, leaf: Option<&Certificate>) -> (String, String) {
        let authorities = self.authorities();
        let Some(authority) = authorities.first() else {
            let issuer = leaf.map_or("somebody".to_owned(), |leaf| with_key(&leaf.issuer, None));
            return (issuer, "any of the platform's authorities".to_owned());
        };
        let is_same = leaf.is_some_and(|leaf| leaf.issuer == authority.subject);
        let told = |name: &str, key: Option<&str>| with_key(name, key.filter(|_| is_same));
        let issuer = leaf.map_or("somebody".to_owned(), |leaf| told(&leaf.issuer, leaf.issuer_key.as_deref()));
        let origin = self.config.tls.authority_origin();
        (issuer, format!("{} from {origin}", told(&authority.subject, authority.key.as_deref())))
    }

    /// A file in one of the usual places with which the same chain would have been accepted.
    fn fitting_file(&self) -> Option<PathBuf> {
        let leaf = self.chain.first()?;
        let fits = |path: &Path| {
            let text = std::fs::read(path).unwrap_or_default();
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
            let provider = Arc::new(ring::default_provider());
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
            verifier
                .is_ok_and(|verifier| verifier.verify_server_cert(leaf, &self.chain[1..], self.name, &[], UnixTime::now()).is_ok())
        };
        AUTHORITY_FILES.into_iter().map(Path::new).find(|path| fits(path)).map(Path::to_path_buf)
    }

    /// The first of these names at which something listens on the same port. Only those that a configured authority vouches for are
    /// tried: otherwise whoever answers would choose whom this machine connects to. Through a proxy none is.
    async fn answering<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        if !matches!(self.config.tls.authority, Authority::Given(_)) || self.config.proxy.is_some() {
            return None;
        }
        for name in names.iter().take(MAX_TRIED_NAMES) {
            let connecting = TcpStream::connect((*name, self.server.port));
            if matches!(tokio::time::timeout(NAME_PATIENCE, connecting).await, Ok(Ok(_))) {
                return Some(name);
            }
        }
        None
    }
}

/// The names that an address can have: no wildcards, and nothing that only looks like a name.
fn usable(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).filter(|name| !name.contains('*') && ServerName::try_from(*name).is_ok()).collect()
}

fn read(chain: &[CertificateDer<'_>]) -> Vec<Certificate> {
    chain.iter().take(MAX_CERTIFICATES).filter_map(|der| Certificate::parse(der)).collect()
}

fn chain_facts(chain: &[CertificateDer<'_>]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (index, certificate) in read(chain).iter().enumerate() {
        let name = if index == 0 { "its certificate".to_owned() } else { format!("certificate {}", index + 1) };
        facts.push(Fact::new(name, certificate.described()));
        if !certificate.names.is_empty() {
            facts.push(Fact::new("  is for", certificate.names.join(", ")));
        }
        facts.push(Fact::new("  is valid", certificate.validity()));
    }
    facts
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no host at all".to_owned() } else { crate::text::Quoted(&names[..names.len().min(8)]).to_string() }
}

fn days_left(end: jiff::Timestamp) -> i64 {
    end.duration_since(jiff::Timestamp::now()).as_secs() / (24 * 60 * 60)
}

fn clock(text: &str, command: &str) -> Fix {
    let fix = Fix::say(format!("the clock here says {}; {text}", day(Some(jiff::Timestamp::now()))));
    if command.is_empty() { fix } else { fix.run(Ok(command.to_owned())) }
}

/// The client's verifier, which is listened to.
#[derive(Debug)]
struct Listening {
    /// `None`: nobody is accepted.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl Listening {
    fn with(verifier: Option<Arc<dyn ServerCertVerifier>>) -> Arc<Judged<Self>> {
        Arc::new(Judged::new(Self { verifier, seen: Mutex::default() }, &Arc::new(ring::default_provider())))
    }

    /// The chain that was shown.
    fn seen(&self) -> Vec<CertificateDer<'static>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Judge for Listening {
    fn judge(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(presented.end_entity).chain(presented.intermediates);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = chain.map(|it| it.clone().into_owned()).collect();
        match &self.verifier {
            Some(verifier) => presented.verified_by(&**verifier),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_one_host_are_usable() {
        let names = ["*.example.com", "api.example.com", "10.0.0.1", "::1", "a b", "a…", r"a\u{1b}", ""].map(str::to_owned);
        assert_eq!(usable(&names), ["api.example.com", "10.0.0.1", "::1"]);
    }
}
