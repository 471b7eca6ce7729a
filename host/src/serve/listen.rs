//! Where clients come in: TCP, on loopback as it is, and from elsewhere through TLS alone.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::authenticate::{Authorities, Certificate, Peer};
use crate::config;
use crate::error::{Error, Kind};
use crate::text;
use crate::web::browser::Hosts;
use crate::web::{Door, Stream};

/// How long a TLS handshake may take. kube-apiserver gives 10 s (k8s.io/apiserver `pkg/server/secure_serving.go`).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The files that make up the server's side of TLS. They are read again as they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The authority that signs clients' certificates; without one, none is asked for.
    pub(crate) client_ca: Option<PathBuf>,
}

/// What was read of them, to know whether they have changed.
#[derive(Clone, PartialEq, Eq)]
struct Read {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// The server's side of TLS, as the files have it now.
pub(crate) struct Tls {
    files: TlsFiles,
    current: RwLock<Current>,
}

struct Current {
    read: Read,
    config: Arc<ServerConfig>,
    /// Those of clients. What one has shown counts for as long as they are these.
    authorities: Authorities,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    pub(crate) fn load(files: TlsFiles) -> Result<Self, Error> {
        let read = files.read()?;
        let (config, authorities) = files.config(&read)?;
        Ok(Self { files, current: RwLock::new(Current { read, config, authorities }) })
    }

    /// Reads the files again. Those that are of no use leave everything as it is. Whether they were others.
    pub(crate) fn reload(&self) -> Result<bool, Error> {
        let read = self.files.read()?;
        let kept = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            if current.read == read {
                return Ok(false);
            }
            (current.read.client_ca == read.client_ca).then(|| current.authorities.clone())
        };
        let (config, authorities) = self.files.config(&read)?;
        let authorities = kept.unwrap_or(authorities);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { read, config, authorities };
        Ok(true)
    }

    fn acceptor(&self) -> (TlsAcceptor, Authorities) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&current.config).into(), current.authorities.clone())
    }

    /// Those of clients, as the files have them now.
    fn authorities(&self) -> Authorities {
        self.current.read().unwrap_or_else(PoisonError::into_inner).authorities.clone()
    }
}

impl TlsFiles {
    fn read(&self) -> Result<Read, Error> {
        let read = |path: &PathBuf| {
            config::read_file(path)
                .map_err(|error| Error::new(Kind::InvalidArgument, format!("`{}` cannot be read", text::path(path))).because(error))
        };
        Ok(Read {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
            client_ca: self.client_ca.as_ref().map(read).transpose()?,
        })
    }

    fn config(&self, read: &Read) -> Result<(Arc<ServerConfig>, Authorities), Error> {
        let unusable = |path: &PathBuf, what: &str| {
            Error::new(Kind::InvalidArgument, format!("`{}` has no {what} that can be used", text::path(path)))
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(&self.certificate, "certificate").because(error))?;
        // Its cause would tell what is in the file.
        let key = PrivateKeyDer::from_pem_slice(&read.key).map_err(|_| unusable(&self.key, "private key"))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| Error::new(Kind::InvalidArgument, "TLS cannot be set up").because(error))?;
        let (builder, authorities) = match (&self.client_ca, &read.client_ca) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for authority in CertificateDer::pem_slice_iter(pem) {
                    let authority = authority.map_err(|error| unusable(path, "certificate").because(error))?;
                    roots.add(authority).map_err(|error| unusable(path, "authority").because(error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    // Others show a token.
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| unusable(path, "authority").because(error))?;
                let again = Arc::clone(&verifier);
                let take = move |chain: &[CertificateDer<'static>]| {
                    let Some((own, others)) = chain.split_first() else { return false };
                    again.verify_client_cert(own, others, UnixTime::now()).is_ok()
                };
                (builder.with_client_cert_verifier(verifier), Authorities::new(take))
            }
            _ => (builder.with_no_client_auth(), Authorities::new(|_| false)),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            Error::new(Kind::InvalidArgument, "the server's certificate and its key do not go together").because(error)
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Arc::new(config), authorities))
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Binds. Beyond loopback only what is encrypted goes.
    pub(crate) async fn bind(address: SocketAddr, tls: Option<Arc<Tls>>) -> Result<Self, Error> {
        if tls.is_none() && !address.ip().is_loopback() {
            let message = format!("`{address}` can be reached from other machines, and there is no certificate");
            return Err(Error::new(Kind::InvalidArgument, message)
                .hint("give `--tls-cert-file` and `--tls-private-key-file`, or listen on 127.0.0.1"));
        }
        Self::bind_anywhere(address, tls).await
    }

    /// Binds also beyond loopback without TLS: for what tells nothing of tenants, and takes nothing.
    pub(crate) async fn bind_anywhere(address: SocketAddr, tls: Option<Arc<Tls>>) -> Result<Self, Error> {
        let cannot = |error: io::Error| {
            Error::new(Kind::InvalidArgument, format!("cannot listen on `{address}`"))
                .because(error)
                .hint("choose another port; with port 0 the system does")
        };
        let tcp = TcpListener::bind(address).await.map_err(cannot)?;
        let address = tcp.local_addr().map_err(cannot)?;
        Ok(Self { tcp, address, tls })
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// By which names it may be addressed.
    pub(crate) fn hosts(&self) -> Hosts {
        match self.tls {
            Some(_) => Hosts::Certified,
            None => Hosts::of_port(self.address.port(), Some(self.address.ip())),
        }
    }
}

impl Door for Listener {
    type Arrived = (TcpStream, SocketAddr);
    type Client = Peer;

    async fn accept(&self) -> io::Result<Self::Arrived> {
        self.tcp.accept().await
    }

    async fn open(&self, (stream, from): Self::Arrived) -> io::Result<(Box<dyn Stream>, Peer)> {
        // An answer is written at once, and waits for nothing.
        let _ = stream.set_nodelay(true);
        let address = from.ip().to_canonical();
        let Some(tls) = &self.tls else { return Ok((Box::new(stream), Peer { address, certificate: None })) };
        let (acceptor, authorities) = tls.acceptor();
        let stream = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| {
            let tls = Arc::clone(tls);
            Some(Certificate {
                // One that was signed and has no name is nobody's; it must not count as none.
                common_name: common_name(chain.first()?).unwrap_or_default(),
                chain: chain.to_vec(),
                not_after: chain.iter().map(not_after).min().flatten(),
                taken_by: authorities,
                authorities: Box::new(move || tls.authorities()),
            })
        });
        Ok((Box::new(stream), Peer { address, certificate: certificate.map(Arc::new) }))
    }
}

/// Until when a certificate counts, in seconds since 1970; `None` where that cannot be read.
fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// The one common name of a certificate's subject, as kube-apiserver takes it for the user's name.
fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let (Some(name), None) = (names.next(), names.next()) else { return None };
    name.as_str().ok().map(str::to_owned)
}
