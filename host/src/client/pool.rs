//! The HTTP connections, made for one reading of authority and client certificate; when those rotate, a new pool takes over and the old
//! connections end with the last request on them.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

use super::reloading::Reloading;
use crate::config::{Config, Tls};
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

/// How long an unused connection is kept: client-go's `IdleConnTimeout` (apimachinery `pkg/util/net/http.go`).
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Who we are to audit logs and to the API server's own metrics. Not a browser's or curl's: those are answered with indented JSON.
const USER_AGENT: &str = concat!("podlens/", env!("CARGO_PKG_VERSION"));

pub(super) struct Pool {
    pub(super) http: reqwest::Client,
    tls: Tls,
}

/// The pool of `config`, and its successors.
pub(super) fn keep(config: &Config) -> Result<Reloading<Pool>, Error> {
    let sources = config.tls.clone();
    let pool = Pool::new(sources.load()?)?;
    let what = "certificate authority or client certificate";
    if !sources.rotates() {
        return Ok(Reloading::fixed(what, pool));
    }
    Ok(Reloading::new(what, pool, TLS_RELOAD_INTERVAL, move |current: &Pool| {
        let tls = sources.load()?;
        if tls.is_same(&current.tls) { Ok(None) } else { Pool::new(tls).map(Some) }
    }))
}

impl Pool {
    fn new(tls: Tls) -> Result<Self, Error> {
        let unusable = |error: rustls::Error| Error::new(Kind::Configuration, "cannot set up TLS").because(error);
        let http = builder(client_config(&tls).map_err(unusable)?).build().map_err(|_| {
            // Its text could hold a URL, and there is nothing else in it that is not already checked.
            Error::new(Kind::Configuration, "cannot set up the HTTP client")
        })?;
        Ok(Self { http, tls })
    }
}

fn builder(tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(format!("{USER_AGENT} ({}/{})", os(), architecture()))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_user_timeout(TCP_USER_TIMEOUT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true)
}

/// The provider is named here, so that nothing depends on what the embedding program installed for the process.
fn client_config(tls: &Tls) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match &tls.roots {
        // These and no others: the system's never.
        Some(roots) => builder.with_root_certificates(roots.clone()),
        None => {
            let verifier = rustls_platform_verifier::Verifier::new(provider)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    let mut config = match &tls.identity {
        Some(identity) => builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
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
