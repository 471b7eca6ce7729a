//! TLS and HTTP around the answers: connections, their time-outs, and nothing that decides.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::answer::{self, Answer};
use super::certificates::Certificates;
use super::respond::{State, respond};
use super::status::Status;

/// Longest wait for a TLS handshake, and for the head of a request over HTTP/1.1. Arbitrary; it bounds how long a connection
/// that says nothing is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the body of a request. Arbitrary, as [`HEAD_TIMEOUT`].
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of the body of a request; what is posted here has some hundred, and a token. Arbitrary; kube-apiserver takes 3 MiB.
const MAX_BODY_BYTES: usize = 64 << 10;
/// Wait after a failed `accept`, so that running out of file descriptors does not become a busy loop. Arbitrary.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The provider is given here; the process' default is neither read nor set.
pub(super) fn tls_config(certificates: &Certificates) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificates.serving.clone()], certificates.serving_key.clone_key())?;
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    Ok(Arc::new(config))
}

/// Serves until it is dropped; its connections are dropped with it.
pub(super) async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, state: Arc<State>) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
                connections.spawn(async move {
                    if let Err(error) = connection(stream, &acceptor, state).await {
                        debug!(%error, "a connection to the demo's API server failed");
                    }
                });
            }
            Err(error) => {
                debug!(%error, "the demo's API server cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, acceptor: &TlsAcceptor, state: Arc<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await??;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
    let service = service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(&state, request).await) }
    });
    let io = TokioIo::new(stream);
    // By ALPN, and not by hyper-util's look at the first bytes, which waits for them without end.
    if http2 {
        http2::Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).serve_connection(io, service).await
    } else {
        http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).serve_connection(io, service).await
    }
    .map_err(io::Error::other)
}

async fn answer(state: &State, request: Request<Incoming>) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let (parts, body) = request.into_parts();
    let answer = match posted(&parts.method, body).await {
        Ok(body) => respond(state, &parts, &body),
        Err(status) => Answer::Whole(answer::failure(&parts.headers, &status)),
    };
    match answer {
        Answer::Whole(response) => response.map(|body| Full::new(body).boxed_unsync()),
        Answer::Watch(watch) => {
            let frames = watch.lines().map(|line| Ok(Frame::data(line)));
            answer::watch_head().map(|()| StreamBody::new(frames).boxed_unsync())
        }
    }
}

/// The body of a request that has one to be read.
async fn posted(method: &Method, body: Incoming) -> Result<Bytes, Status> {
    if method != Method::POST {
        return Ok(Bytes::new());
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Status::too_large(MAX_BODY_BYTES)),
        Ok(Err(_)) | Err(_) => Err(Status::bad_request("the body of the request did not come whole".into())),
    }
}
