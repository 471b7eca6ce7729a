//! A connection that is opened before there is anything to ask, by a program that has something else to do meanwhile.
//!
//! Connections belong to the HTTP library, which opens one when a request needs it. So one is needed by a request that is never sent: it
//! ends as its connection is there, which the next request is given.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::{Client, Method, Request, Url};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// How long a connection waits for its request. Go's HTTP/2 server gives up one that says nothing after 10 s (`prefaceTimeout`).
const WAITS: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// Where the connection is to be left, held from before the request that is never sent: whoever else needs a connection waits.
    static AHEAD: RefCell<Option<OwnedMutexGuard<Option<Opened>>>>;
}

/// A connection that waits for a request. The library does not name its type.
struct Opened {
    at: Instant,
    connection: Box<dyn Any + Send>,
}

/// Opens connections ahead of requests, for one client of the library.
#[derive(Clone, Default)]
pub(super) struct Ahead {
    waiting: Arc<Mutex<Option<Opened>>>,
    /// Whether the client has been used: it may then have a connection, on which the request would be sent.
    used: Arc<AtomicBool>,
}

impl Ahead {
    /// The client is about to send.
    pub(super) fn used(&self) {
        self.used.store(true, Ordering::Release);
    }

    /// Opens a connection to where `url` is, unless the client has been used. What is in the way is told to the first request.
    pub(super) async fn open(&self, client: &Client, url: Url) {
        let waiting = Arc::clone(&self.waiting).lock_owned().await;
        if !self.used.swap(true, Ordering::AcqRel) {
            let waiting = RefCell::new(Some(waiting));
            // It always fails, at the latest with the connection.
            let _ = AHEAD.scope(waiting, client.execute(Request::new(Method::GET, url))).await;
        }
    }
}

impl<S> Layer<S> for Ahead {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector { inner, waiting: Arc::clone(&self.waiting) }
    }
}

/// The library's connector, which is asked only where no connection waits.
#[derive(Clone)]
pub(super) struct Connector<S> {
    inner: S,
    waiting: Arc<Mutex<Option<Opened>>>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, waiting) = (self.inner.call(request), Arc::clone(&self.waiting));
        let ahead = AHEAD.try_with(RefCell::take);
        Box::pin(async move {
            if let Ok(ahead) = ahead {
                // A second time there is nothing to leave it in; the request is not sent then either.
                if let Some(mut ahead) = ahead {
                    let connection = Box::new(connecting.await?);
                    *ahead = Some(Opened { at: Instant::now(), connection });
                }
                return Err(OnlyOpened.into());
            }
            let opened = waiting.lock().await.take().filter(|opened| opened.at.elapsed() < WAITS);
            match opened.and_then(|opened| opened.connection.downcast().ok()) {
                Some(opened) => Ok(*opened),
                None => connecting.await,
            }
        })
    }
}

/// Why the request that opens a connection fails.
#[derive(Debug)]
struct OnlyOpened;

impl fmt::Display for OnlyOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was to be sent")
    }
}

impl std::error::Error for OnlyOpened {}
