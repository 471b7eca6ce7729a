//! Who may answer: the verifier of the server's certificate, and the name that the certificate has to be for.
//!
//! Usually webpki's with the configured authorities, for the address's own name. A kubeconfig can name another one (`tls-server-name`),
//! or give all of it up (`insecure-skip-tls-verify`).

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

use super::judge::{Judge, Judged, Presented};
use crate::config::{Config, Roots};

/// How the server is told by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By the address's.
    Address,
    /// As if the address had this name: it stands in the URL, and with it in SNI, while its addresses are those of the real host. So
    /// what chooses a certificate or a back end by SNI works as with kubectl; the `Host` header says this name, too.
    Host { name: String, host: String },
    /// Only in verification, in place of the first. For an IP address, for which there is no SNI, and through a proxy, which has to be
    /// told the real address: the HTTP stack has one name for both.
    Verified { instead_of: ServerName<'static>, name: ServerName<'static> },
}

impl Naming {
    pub(crate) fn new(config: &Config) -> Self {
        let Some(name) = config.tls.server_name.as_ref().map(|name| &name.value) else { return Self::Address };
        let host = config.server.value.host();
        let is_url_host = |name: &str| Url::parse(&format!("https://{name}")).is_ok_and(|url| url.domain() == Some(name));
        match name {
            ServerName::DnsName(dns) if config.proxy.is_none() && is_url_host(dns.as_ref()) => {
                Self::Host { name: dns.as_ref().to_owned(), host: host.to_owned() }
            }
            // An address whose host is no name for TLS never comes to a handshake.
            _ => match ServerName::try_from(host.to_owned()) {
                Ok(instead_of) => Self::Verified { instead_of, name: name.clone() },
                Err(_) => Self::Address,
            },
        }
    }

    /// The name that the handshake with `host` is for. `None` where it is none that TLS knows.
    #[cfg(feature = "cli")]
    pub(crate) fn of_handshake(&self, host: &str) -> Option<ServerName<'static>> {
        let name = match self {
            Self::Host { name, .. } => name,
            Self::Address | Self::Verified { .. } => host,
        };
        ServerName::try_from(name.to_owned()).ok()
    }

    /// Puts the name into the request's URL, where it belongs there.
    pub(super) fn apply(&self, url: &mut Url) {
        if let Self::Host { name, .. } = self {
            // A name that a URL cannot have is not one of these.
            let _ = url.set_host(Some(name));
        }
    }

    /// Finds the real host's addresses, where the URL has another name.
    pub(super) fn resolver(&self) -> Option<AddressesOf> {
        match self {
            Self::Host { host, .. } => Some(AddressesOf(host.as_str().into())),
            Self::Address | Self::Verified { .. } => None,
        }
    }

    /// Whether the address's own name may be told in SNI: it is not the one of the server's that is wanted.
    pub(super) fn tells_address(&self) -> bool {
        !matches!(self, Self::Verified { name: ServerName::IpAddress(_), .. })
    }
}

/// Resolves every name to the addresses of one host.
pub(super) struct AddressesOf(Arc<str>);

impl Resolve for AddressesOf {
    fn resolve(&self, _: Name) -> Resolving {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            // Port 0 stands for the URL's.
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((&*host, 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The verifier of certificates.
pub(crate) fn verifier(
    roots: &Roots,
    naming: &Naming,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        // These and no others: the system's never.
        Roots::Given(roots) => WebPkiServerVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?,
        Roots::Platform => Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(provider))?),
        Roots::Anybody => Arc::new(Judged::new(AnyServer, provider)),
    };
    Ok(match naming {
        Naming::Address | Naming::Host { .. } => verifier,
        Naming::Verified { instead_of, name } => {
            Arc::new(Judged::new(Renamed { verifier, instead_of: instead_of.clone(), name: name.clone() }, provider))
        }
    })
}

/// Holds a certificate against another name than the one that the connection is for.
#[derive(Debug)]
struct Renamed {
    verifier: Arc<dyn ServerCertVerifier>,
    instead_of: ServerName<'static>,
    name: ServerName<'static>,
}

impl Judge for Renamed {
    fn judge(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, rustls::Error> {
        // A proxy that speaks TLS is verified here as well, by its own name.
        let server_name = if *presented.server_name == self.instead_of { &self.name } else { presented.server_name };
        Presented { server_name, ..*presented }.verified_by(&*self.verifier)
    }
}

/// Takes any certificate that the server has the key of: what Go's `InsecureSkipVerify` does.
#[derive(Debug)]
struct AnyServer;

impl Judge for AnyServer {
    fn judge(&self, _: &Presented<'_>) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
}
