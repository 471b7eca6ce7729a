//! The proxy as a server: as many clients and watches at once as one connection to an API server takes.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::sync::Semaphore;

use super::answer;
use super::body::{Body, Watching};
use super::decide::{ForwardKind, Plan, Rules, decide};
use super::forward::forward;
use super::listen::Listeners;
use super::status::Status;
use crate::web::{Room, Stop, accept};
use crate::{Client, Grant};

/// Most clients at once, each with one request: as many as an API server takes at a time on one HTTP/2 connection (k8s.io/apiserver
/// `pkg/server/secure_serving.go`, `MaxConcurrentStreams`). A further one would wait there for those before it, and a watch is long.
const MAX_CONNECTIONS: usize = 100;

/// Most watches at once. They last, so that as many as there are seats would keep everybody else out.
const MAX_WATCHES: usize = MAX_CONNECTIONS / 2;

/// How long a client may take for the head of a request, and keep a connection without one. kube-apiserver gives 32 s and 90 s
/// (k8s.io/apiserver `pkg/server/secure_serving.go`), to clients across a network; here they are on the same machine. Arbitrary.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

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
        let room = Room { clients: MAX_CONNECTIONS, idle: IDLE_TIMEOUT, grace: GRACE };
        accept(Arc::new(listeners), room, stop, move |request, (), stop| {
            // A body is announced in the head, and refused with it.
            Arc::clone(&served).answer(request.into_parts().0, stop)
        })
        .await;
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
