//! The server's life: from its options to its end.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::admission::Admission;
use super::audit::{AuditError, AuditLog, Destination};
use super::authenticate::{Callers, Peer, TokenReviews};
use super::cache::AccessReviews;
use super::http::{Health, Rules, Service};
use super::listen::{Listener, Tls, TlsFiles};
use super::metrics::Metrics;
use super::policy::MAX_CONCURRENT_RUNS;
use super::probe::probe;
use super::queries::{Apart, BuiltIn, Catalogue};
use super::runs::{Answers, CallWitness, Reports, Runner};
use super::state::{LOOK_INTERVAL, State};
use super::traces::Traces;
use crate::client::{Acting, Client};
use crate::config::Collector;
use crate::error::{Error, Kind};
use crate::runtime::{Digest, Runtime};
use crate::web::{Room, accept};

/// Most clients of the second listener: probes and scrapers.
const MAX_HEALTH_CLIENTS: usize = 64;

/// How long a client may take for the head of a request, and keep a connection without one: kube-apiserver's for heads
/// (k8s.io/apiserver `pkg/server/secure_serving.go`, `ReadHeaderTimeout`).
const IDLE_TIMEOUT: Duration = Duration::from_secs(32);

/// How long a look at the files may take before that is told. Arbitrary.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long runs that were cancelled at the end may take to be put on record, and between two looks whether they are. Arbitrary.
const CANCELLED_TIMEOUT: Duration = Duration::from_secs(2);
const CANCELLED_LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// How long the audit log may take for what it has been given by the end, where the end was to be at once: one that is well takes moments, and
/// who has asked twice does not wait for one that stands still. Arbitrary.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(1);

/// Places that the pool of its runtime should have: for as many runs as a policy may let go on at once, and for queries that are asked
/// meanwhile what they are. Arbitrary beyond the runs.
pub(crate) const PLACES: NonZeroU32 = NonZeroU32::new(1024).unwrap();
const _: () = assert!(MAX_CONCURRENT_RUNS < PLACES.get() as usize);

/// What a server is made of.
pub(crate) struct ServerOptions {
    /// Acts as the host.
    pub(crate) client: Client,
    pub(crate) runtime: Runtime,
    pub(crate) policy: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) health_listen: SocketAddr,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) queries: Option<PathBuf>,
    pub(crate) built_in: BuiltIn,
    pub(crate) apart: Option<Apart>,
    pub(crate) audit: Destination,
    /// Who takes traces; `None`: nobody.
    pub(crate) collector: Option<Collector>,
    /// Whether pods may be kept between runs.
    pub(crate) caches: bool,
    /// Runs at once where the policy does not say.
    pub(crate) slots: usize,
    /// Where guests run, apart from everything else.
    pub(crate) guests: Handle,
    /// Most clients at once. Those without a request make room.
    pub(crate) max_connections: usize,
    /// How long requests are still taken after the wish to end, so that nobody sends more by then.
    pub(crate) shutdown_delay: Duration,
    /// How long runs may take after that.
    pub(crate) shutdown_grace: Duration,
}

/// A server that is ready to serve.
pub(crate) struct Server {
    listener: Listener,
    health_listener: Listener,
    state: Arc<State>,
    health: Arc<Health>,
    max_connections: usize,
    shutdown_delay: Duration,
    shutdown_grace: Duration,
}

impl Server {
    /// Binds, and takes the policy. One that cannot be used is an error, since there is none that was good before.
    pub(crate) async fn start(options: ServerOptions) -> Result<Self, Error> {
        let tls = options.tls.map(Tls::load).transpose()?.map(Arc::new);
        let metrics = Metrics::new();
        let observer = Box::new({
            let metrics = metrics.clone();
            move |written: Result<(), &AuditError>, is_news| {
                metrics.audit_recorded(written.is_ok());
                if let (Err(error), true) = (written, is_news) {
                    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
                    tracing::error!(cause, "{error}");
                }
            }
        });
        let audit = AuditLog::open(&options.audit, observer).map_err(|error| {
            Error::new(Kind::Configuration, "there is no audit log, and without one nothing is run").because(error)
        })?;
        let api_server = &options.client.config().server.value;
        let traces = Traces::start(options.collector.as_ref(), api_server, tls.is_some(), &metrics)?;
        let witness = Arc::new(CallWitness::of_host(&audit, &metrics));
        let client = options.client.witnessed(witness.clone()).acting(Acting::Ourselves).announcing("host");
        // Watches last, and take no place from what everybody waits for.
        let cache_client = options.client.apart()?.witnessed(witness).acting(Acting::Ourselves);
        let listener = Listener::bind(options.listen, tls.clone()).await?;
        let health_listener = Listener::bind_anywhere(options.health_listen, None).await?;
        let admission = Admission::new(options.slots);
        let runner = Arc::new(Runner {
            client: client.clone(),
            access: Arc::new(AccessReviews::new(client.clone())),
            tenants: watch::Sender::default(),
            cache: RwLock::new(None),
            admission,
            audit: audit.clone(),
            metrics: metrics.clone(),
            reports: Reports::default(),
            answers: Answers::default(),
            guests: options.guests.clone(),
            io: Handle::current(),
        });
        let service = Arc::new(Service {
            runner,
            catalogue: Arc::new(Catalogue::new(options.runtime, options.built_in, options.queries, options.apart, options.guests)),
            // The policy is taken below, before anybody can ask.
            reviews: TokenReviews::new(client.clone(), audit, ""),
            rules: RwLock::new(Arc::new(Rules { policy: Digest::of(b""), callers: Callers::default() })),
            hosts: listener.hosts(),
            traces,
            changes: tokio::sync::Mutex::default(),
        });
        let state = Arc::new(State {
            policy_file: options.policy,
            tls,
            service,
            client,
            cache_client,
            metrics,
            caches: options.caches,
            is_loopback: listener.is_loopback(),
            slots: options.slots,
            taken: Notify::new(),
            loaded: Arc::default(),
            kept: Default::default(),
        });
        state.settled().await?;
        state.look_at_policy()?;
        let health = Arc::new(Health::new(Arc::clone(&state.service.runner), Arc::clone(&state.loaded)));
        let ServerOptions { max_connections, shutdown_delay, shutdown_grace, .. } = options;
        Ok(Self { listener, health_listener, state, health, max_connections, shutdown_delay, shutdown_grace })
    }

    /// Where the API is, and where health and metrics are.
    pub(crate) fn urls(&self) -> [String; 2] {
        [self.listener.url(), self.health_listener.url()]
    }

    /// Loads queries, and serves until `stop`; then tells who asks that it is not ready any more, and after a while takes no more requests
    /// and waits for runs. `now` ends all of it at once: runs that are under way are cancelled, and on record as that where the log is well.
    pub(crate) async fn serve(self, stop: impl Future<Output = ()>, now: impl Future<Output = ()>) {
        let Self { listener, health_listener, state, health, max_connections, shutdown_delay, shutdown_grace } = self;
        let looking = tokio::spawn(look(Arc::clone(&state)));
        let loading = tokio::spawn(load(Arc::clone(&state)));
        let calls = CallWitness::of_host(&state.service.runner.audit, &state.metrics);
        let probing = tokio::spawn(probe(state.client.clone(), calls, Arc::clone(&health)));
        let health_room = Room { clients: MAX_HEALTH_CLIENTS, idle: IDLE_TIMEOUT, grace: Duration::from_secs(1) };
        let answering_health = {
            let health = Arc::clone(&health);
            let answer = move |request, _: Peer, _| Arc::clone(&health).answer(request);
            tokio::spawn(accept(Arc::new(health_listener), health_room, std::future::pending(), answer))
        };
        let stop = async {
            stop.await;
            health.ends.store(true, Ordering::Relaxed);
            tracing::info!("the end was wished for: runs that have begun are waited for");
            sleep(shutdown_delay).await;
        };
        let service = Arc::clone(&state.service);
        let answer = move |request, peer, _| Arc::clone(&service).answer(request, peer);
        let room = Room { clients: max_connections, idle: IDLE_TIMEOUT, grace: shutdown_grace };
        let mut now = std::pin::pin!(now);
        let is_at_once = tokio::select! {
            () = accept(Arc::new(listener), room, stop, answer) => false,
            () = &mut now => true,
        };
        if is_at_once {
            tracing::info!("ended at once");
        }
        let admission = &state.service.runner.admission;
        admission.close();
        // Who was waited for long enough is cancelled with its connection, and that is put on record.
        let recorded = async {
            while admission.running() > 0 {
                sleep(CANCELLED_LOOK_INTERVAL).await;
            }
        };
        if timeout(CANCELLED_TIMEOUT, recorded).await.is_err() {
            tracing::error!("not all runs that were cancelled are on record as that");
        }
        let impatience = async {
            if !is_at_once {
                now.await;
            }
            sleep(LAST_LINES_TIMEOUT).await;
        };
        tokio::select! {
            // What fails is told already.
            _ = state.service.runner.audit.flush() => {}
            () = impatience => tracing::error!("the audit log has not taken its last lines"),
        }
        state.service.traces.end().await;
        for task in [looking, loading, probing, answering_health] {
            task.abort();
        }
    }
}

async fn look(state: Arc<State>) {
    let mut ticks = interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let state = Arc::clone(&state);
        // Files are read, which can take its time: of a volume that is gone, all of it.
        let mut looking = tokio::task::spawn_blocking(move || state.look());
        if timeout(LOOK_TIMEOUT, &mut looking).await.is_err() {
            let seconds = LOOK_TIMEOUT.as_secs();
            tracing::error!("the files of the policy and of TLS could not be read within {seconds} s; what was good before stays");
            let _ = looking.await;
        }
    }
}

async fn load(state: Arc<State>) {
    loop {
        state.load_queries().await;
        // Files of queries come, change and go without the policy.
        let _ = timeout(LOOK_INTERVAL, state.taken.notified()).await;
    }
}
