//! Accepts clients until it is told to stop, as many as there are seats.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::body::{Body, Watching};
use super::decide::{ForwardKind, Plan, Rules, decide};
use super::forward::forward;
use super::listen::Listeners;
use super::seats::Seats;
use super::status::Status;
use super::stop::{self, Stop};
use super::{answer, connection};
use crate::{Client, Grant};

/// Most clients at once, each with one request: as many as an API server takes at a time on one HTTP/2 connection (k8s.io/apiserver
/// `pkg/server/secure_serving.go`, `MaxConcurrentStreams`). A further one would wait there for those before it, and a watch is long.
const MAX_CONNECTIONS: usize = 100;

/// Most watches at once. They last, so that as many as there are seats would keep everybody else out.
const MAX_WATCHES: usize = MAX_CONNECTIONS / 2;

/// Wait after a failed `accept`, so that running out of file descriptors does not become a busy loop. Arbitrary.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Between two looks for a client that waits, while all of them have requests. Arbitrary.
const SEAT_RETRY: Duration = Duration::from_millis(50);

/// How long answers that are under way may take after the wish to end. Arbitrary: whoever pressed Ctrl-C waits for it.
const GRACE: Duration = Duration::from_secs(5);

/// What is served.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Asks the API server.
    pub(crate) client: Client,
    /// The namespaces that are served.
    pub(crate) grant: Grant,
    /// Whether watches are.
    pub(crate) watch: bool,
}

impl Proxy {
    /// Serves until `stop`, and then for as long as it takes to end in order, which is not long.
    pub(crate) async fn serve(self, listeners: Listeners, stop: impl Future<Output = ()>) {
        let Self { client, grant, watch } = self;
        let rules = Rules { grant, watch, hosts: listeners.hosts().clone() };
        let served = Arc::new(Served { client, rules, watches: Arc::new(Semaphore::new(MAX_WATCHES)) });
        let (stopper, stopped) = stop::channel();
        let seats = Seats::default();
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        'accept: loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = listeners.accept() => accepted,
            };
            while connections.try_join_next().is_some() {}
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_RETRY).await;
                    continue;
                }
            };
            while connections.len() >= MAX_CONNECTIONS {
                seats.free_one();
                tokio::select! {
                    () = &mut stop => break 'accept,
                    _ = connections.join_next() => {}
                    () = sleep(SEAT_RETRY) => {}
                }
            }
            let (served, seat, stop) = (Arc::clone(&served), seats.seat(), stopped.clone());
            connections.spawn(async move {
                let answer = |head| Arc::clone(&served).answer(head, stop.clone());
                if let Err(error) = connection::serve(stream, seat, stop.clone(), answer).await {
                    tracing::debug!(%error, "a client's connection ended");
                }
            });
        }
        // Nobody else is let in; a Unix socket is gone now.
        drop(listeners);
        stopper.stop();
        // Those that take longer are dropped, and with them their requests to the API server.
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }
}

struct Served {
    client: Client,
    rules: Rules,
    /// Places for watches.
    watches: Arc<Semaphore>,
}

impl Served {
    async fn answer(self: Arc<Self>, head: Parts, stop: Stop) -> Response<Body> {
        match decide(&self.rules, &head) {
            Ok(Plan::Answer { content_type, json }) => answer::json(content_type, &json),
            Ok(Plan::Forward(decided)) if decided.kind == ForwardKind::Watch => match Arc::clone(&self.watches).try_acquire_owned()
            {
                Ok(place) => forward(&self.client, &decided, Some(Watching { stop, place: Some(place) })).await,
                Err(_) => answer::refusal(&Status::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    format!("there are {MAX_WATCHES} watches, and no more are served at a time"),
                )),
            },
            Ok(Plan::Forward(decided)) => forward(&self.client, &decided, None).await,
            Err(status) => {
                tracing::debug!(method = %head.method, code = status.code().as_u16(), "refused");
                answer::refusal(&status)
            }
        }
    }
}
