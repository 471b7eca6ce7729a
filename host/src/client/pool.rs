//! The HTTP connections, made for one reading of authority and client certificate; when those rotate, a new pool takes over and the old
//! connections end with the last request on them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

use super::ahead::Ahead;
use super::credential::Credential;
use super::reloading::Reloading;
use super::verify::{Naming, verifier};
use crate::config::{Config, Proxy, Tls};
use crate::error::{Error, Kind};

/// How old authority and client certificate may be before their files are read again, as kube-rs does for the CA (client-go since 1.36:
/// 5 minutes, `transport/ca_rotation.go`). Read by content: the kubelet's swap changes no time stamp that could be relied on.
const TLS_RELOAD_INTERVAL: Duration = Duration::from_secs(60);

/// How long TCP and TLS handshakes may take together. client-go gives 30 s and 10 s; a network where an API server answers takes
/// milliseconds, and who waits is a person or a run with a deadline.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A silent HTTP/2 connection is pinged after this time. client-go: 30 s and 15 s for the answer (apimachinery `pkg/util/net/http.go`,
/// `ReadIdleTimeout`, `PingTimeout`). Shorter, since only this tells a dead connection from a server that thinks: found within 15 s.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The same for HTTP/1.1, by the kernel: how long sent bytes may stay unacknowledged.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);

/// How much an API server may send on one HTTP/2 request, and on all of a connection, before it is read. hyper's own windows are 2 MB and
/// 5 MB, so that three answers that nobody reads on stop every other one; here as many fit as an API server has requests of one
/// connection (100, k8s.io/apiserver `pkg/server/secure_serving.go`).
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 128 << 20;

/// How long an unused connection is kept: client-go's `IdleConnTimeout` (apimachinery `pkg/util/net/http.go`).
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Who we are to audit logs and to the API server's own metrics. Not a browser's or curl's: those are answered with indented JSON.
const USER_AGENT: &str = concat!("podlens/", env!("CARGO_PKG_VERSION"));

pub(super) struct Pool {
    pub(super) http: reqwest::Client,
    pub(super) ahead: Ahead,
    tls: Tls,
    /// The client certificate that came with the credential, by its text.
    identity: Option<Arc<[u8]>>,
}

/// The pool of the moment.
pub(super) struct Pools {
    pub(super) pools: Reloading<Pool>,
    /// The last credential with a client certificate of its own: what the next pool shows.
    credential: Arc<RwLock<Credential>>,
}

impl Pools {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let credential = Arc::new(RwLock::new(Credential::None));
        Ok(Self { pools: keep(config, &credential)?, credential })
    }

    /// The pool for what is sent with `credential`. A credential with another client certificate than the last one takes a new pool: the
    /// certificate is shown once for each connection.
    pub(super) async fn get(&self, credential: &Credential) -> Arc<Pool> {
        let pool = self.pools.get().await;
        if pool.shows(credential) {
            return pool;
        }
        *self.credential.write().unwrap_or_else(PoisonError::into_inner) = credential.clone();
        self.pools.refresh(&pool).await
    }

    /// Reads authority and client certificate again at once, and tells whether they are others than those of `seen`.
    pub(super) async fn read_again(&self, seen: &Arc<Pool>) -> bool {
        !Arc::ptr_eq(&self.pools.refresh(seen).await, seen)
    }
}

fn keep(config: &Config, credential: &Arc<RwLock<Credential>>) -> Result<Reloading<Pool>, Error> {
    let setup = Setup { naming: Naming::new(config), proxy: config.proxy.as_ref().map(|proxy| proxy.value.clone()) };
    let sources = config.tls.clone();
    let pool = Pool::new(&setup, sources.load()?, None)?;
    let what = "certificate authority or client certificate";
    if !sources.rotates() && !matches!(config.credentials.value, crate::config::Credentials::Exec(_)) {
        return Ok(Reloading::fixed(what, pool));
    }
    let credential = Arc::clone(credential);
    Ok(Reloading::new(what, pool, TLS_RELOAD_INTERVAL, move |current: &Pool| {
        let mut tls = sources.load()?;
        let credential = credential.read().unwrap_or_else(PoisonError::into_inner).clone();
        let identity = credential.identity();
        if let Some(identity) = identity {
            tls = tls.with_identity(identity.identity.clone(), &identity.text);
        }
        if tls.is_same(&current.tls) {
            return Ok(None);
        }
        Pool::new(&setup, tls, identity.map(|identity| Arc::clone(&identity.text))).map(Some)
    }))
}

/// What stays the same from pool to pool.
struct Setup {
    naming: Naming,
    proxy: Option<Proxy>,
}

impl Pool {
    /// Whether its connections show the client certificate that came with the credential, or none if none came.
    pub(super) fn shows(&self, credential: &Credential) -> bool {
        self.identity.as_deref() == credential.identity().map(|identity| identity.text.as_ref())
    }

    fn new(setup: &Setup, tls: Tls, identity: Option<Arc<[u8]>>) -> Result<Self, Error> {
        let unusable = |error: rustls::Error| Error::new(Kind::Configuration, "cannot set up TLS").because(error);
        let verifier = verifier(&tls.roots, &setup.naming, &Arc::new(ring::default_provider())).map_err(unusable)?;
        let config = client_config(&tls, &setup.naming, verifier).map_err(unusable)?;
        let ahead = Ahead::default();
        let builder = builder(config, setup).map(|builder| builder.connector_layer(ahead.clone()));
        let http = builder.and_then(reqwest::ClientBuilder::build).map_err(|_| {
            // Its text could hold a URL, and there is nothing else in it that is not already checked.
            Error::new(Kind::Configuration, "cannot set up the HTTP client")
        })?;
        Ok(Self { http, ahead, tls, identity })
    }
}

fn builder(tls: ClientConfig, setup: &Setup) -> reqwest::Result<reqwest::ClientBuilder> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(user_agent())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_user_timeout(TCP_USER_TIMEOUT)
        .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
        .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true);
    let builder = match setup.naming.resolver() {
        Some(resolver) => builder.dns_resolver(resolver),
        None => builder,
    };
    Ok(match &setup.proxy {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.url())?),
        None => builder,
    })
}

/// The provider is named here, so that nothing depends on what the embedding program installed for the process.
pub(crate) fn client_config(
    tls: &Tls,
    naming: &Naming,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &tls.identity {
        Some(identity) => builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.enable_sni = naming.tells_address();
    Ok(config)
}

/// Program, version, system and architecture, as client-go has them (rest/config.go, `buildUserAgent`).
pub(super) fn user_agent() -> String {
    format!("{USER_AGENT} ({}/{})", os(), architecture())
}

/// By Go's names, as every Kubernetes client's.
fn os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        architecture => architecture,
    }
}
