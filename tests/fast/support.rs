//! What the tests of this lane stand on: a [`Scenario`] to run, and a [`Source`] of pods that can misbehave.
//!
//! All of them share one [`runtime`], as the queries of one process do, and each test has one thread: a guest that does not let
//! others run is noticed here first.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use podlens::kube::Pod;
use podlens::{
    Bounds, BoxFuture, Cell, Error, Grant, LabelSelector, Limit, LogLine, Namespace, Page, PodPages, PodRequest, PodSource, Query,
    ReadPod, Report, Run, RunOptions, Runtime, Scope,
};
use tokio::sync::{OnceCell, watch};

/// The runtime of this whole program.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("this machine runs WebAssembly"))
}

/// Loads the component at `path`.
pub(crate) async fn load(path: &str) -> Result<Query, Error> {
    runtime().load(std::fs::read(path).expect("the build script made this component")).await
}

/// The query at `path`, compiled once for all tests.
pub(crate) async fn query(path: &'static str) -> Query {
    static QUERIES: Mutex<BTreeMap<&str, Arc<OnceCell<Query>>>> = Mutex::new(BTreeMap::new());
    let once = QUERIES.lock().expect("no test panics here").entry(path).or_default().clone();
    once.get_or_init(async || load(path).await.unwrap_or_else(|error| panic!("{path}: {}", told(&error)))).await.clone()
}

/// One run to be: every namespace is granted and every limit has its default, unless the test says otherwise.
pub(crate) struct Scenario {
    query: Query,
    source: Source,
    options: RunOptions,
    arguments: Vec<(String, String)>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Scenario {
    pub(crate) async fn guest(path: &'static str) -> Self {
        Self::of(query(path).await)
    }

    /// Of a component that is compiled for this test only.
    pub(crate) async fn component(bytes: Vec<u8>) -> Self {
        Self::of(runtime().load(bytes).await.unwrap_or_else(|error| panic!("{}", told(&error))))
    }

    fn of(query: Query) -> Self {
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = log.clone();
        let mut options = RunOptions::default();
        options.grant = Grant::all_namespaces();
        options.log =
            Arc::new(move |line: LogLine| lines.lock().expect("no panic").push(format!("{:?}: {}", line.stream, line.text)));
        Self { query, source: Source::default(), options, arguments: Vec::new(), log }
    }

    pub(crate) fn grant(mut self, grant: Grant) -> Self {
        self.options.grant = grant;
        self
    }

    pub(crate) fn limit(mut self, limit: Limit, value: u64) -> Self {
        self.options.limits = self.options.limits.with(limit, value);
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[(&str, &str)]) -> Self {
        self.arguments.extend(arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        self
    }

    pub(crate) fn source(mut self, source: &Source) -> Self {
        self.source = source.clone();
        self
    }

    /// The run, going on.
    pub(crate) fn start(self) -> Run {
        let Self { query, source, mut options, arguments, .. } = self;
        let arguments = arguments.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        options.arguments = query.description().arguments(arguments).unwrap_or_else(|error| panic!("{error}"));
        query.run(Arc::new(source), options)
    }

    /// The run, from its start to its end.
    pub(crate) async fn run(self) -> Ran {
        let log = self.log.clone();
        let mut run = self.start();
        let mut rows = Vec::new();
        while let Some(row) = run.next_row().await {
            rows.push(row.cells().iter().map(shown).collect::<Vec<_>>().join(" | "));
        }
        let outcome = run.finish().await;
        let log = log.lock().expect("no panic").clone();
        Ran { rows, result: outcome.result, report: outcome.report, log }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Cells are separated by ` | `.
    pub(crate) rows: Vec<String>,
    pub(crate) result: Result<(), Error>,
    pub(crate) report: Report,
    /// Lines such as `Stdout: text`.
    pub(crate) log: Vec<String>,
}

impl Ran {
    /// Why the run failed; panics if it did not.
    pub(crate) fn error(&self) -> &Error {
        self.result.as_ref().expect_err("the run fails")
    }

    /// What the operator is told of the failure, or of success.
    pub(crate) fn told(&self) -> String {
        self.result.as_ref().map_or_else(told, |()| "success".to_owned())
    }
}

/// All that an error says: itself, its causes, and on a line of its own what to do about it.
pub(crate) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    match error.help() {
        Some(help) => text + "\n" + help,
        None => text,
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::None => "none".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(integer) | Cell::Time(integer) => integer.to_string(),
        Cell::Number(number) => format!("{number:?}"),
        Cell::Boolean(boolean) => boolean.to_string(),
    }
}

/// How long a scenario may take that a limit of at most half a second ends. The machine may be busy; an hour it is not.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a hostile scenario to its end, and proves that nobody else notices: well-behaved runs go on beside it, on the same thread
/// and in the same runtime, and one comes after it.
pub(crate) async fn contained(hostile: Scenario) -> Ran {
    let started = Instant::now();
    let hostile = tokio::spawn(hostile.run());
    loop {
        behaves().await;
        if hostile.is_finished() {
            break;
        }
    }
    let ran = hostile.await.expect("the host does not panic");
    behaves().await;
    assert!(started.elapsed() < PATIENCE, "{:?} until {}", started.elapsed(), ran.told());
    ran
}

/// A run by the book gives the right answer.
async fn behaves() {
    let source = Source::of([pod("shop", "web-0"), pod("shop", "web-1")]);
    let ran = Scenario::guest(crate::guests::ASKS).await.source(&source).run().await;
    assert_eq!((ran.told().as_str(), ran.rows), ("success", vec!["shop | web-0".to_owned(), "shop | web-1".to_owned()]));
}

/// A pod with nothing but a name.
pub(crate) fn pod(namespace: &str, name: &str) -> ReadPod {
    pod_with(namespace, name, |_| ())
}

/// [`pod`], changed.
pub(crate) fn pod_with(namespace: &str, name: &str, change: impl FnOnce(&mut Pod)) -> ReadPod {
    let mut pod = Pod::default();
    pod.metadata.namespace = namespace.to_owned();
    pod.metadata.name = name.to_owned();
    change(&mut pod);
    ReadPod::new(&pod)
}

/// [`pod`] with one label.
pub(crate) fn labelled(namespace: &str, name: &str, key: &str, value: &str) -> ReadPod {
    pod_with(namespace, name, |pod| {
        pod.metadata.labels.insert(key.to_owned(), value.to_owned());
    })
}

/// [`pod`], `bytes` large.
pub(crate) fn large(namespace: &str, name: &str, bytes: usize) -> ReadPod {
    labelled(namespace, name, "padding", &"x".repeat(bytes))
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace::parse(name).expect("a test names a namespace")
}

pub(crate) fn labels(selector: &str) -> LabelSelector {
    LabelSelector::parse(selector).expect("a test writes a selector")
}

/// How a [`Source`] answers.
#[derive(Clone, Default)]
pub(crate) enum Answer {
    /// As was asked.
    #[default]
    Honest,
    /// With all its pods, whatever was asked.
    Everything,
    /// As was asked; a list begins again after its end.
    Endless,
    /// A list has pages without pods, for ever.
    Hollow,
    /// Never.
    Never,
    /// With this error.
    Fails(Error),
}

/// Pods in memory. A clone is the same source.
#[derive(Clone)]
pub(crate) struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    pods: Vec<ReadPod>,
    page_pods: usize,
    answer: Answer,
    lists: AtomicUsize,
    reads: AtomicUsize,
    /// Reads that have begun and were neither answered nor dropped.
    waiting: watch::Sender<usize>,
}

impl Default for Source {
    fn default() -> Self {
        Self::of([])
    }
}

impl Source {
    /// These pods, which a list gives in this order.
    pub(crate) fn of(pods: impl IntoIterator<Item = ReadPod>) -> Self {
        let inner = Inner {
            pods: pods.into_iter().collect(),
            page_pods: 500,
            answer: Answer::Honest,
            lists: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            waiting: watch::Sender::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn answers(mut self, answer: Answer) -> Self {
        Arc::get_mut(&mut self.inner).expect("not shared yet").answer = answer;
        self
    }

    pub(crate) fn page_pods(mut self, page_pods: usize) -> Self {
        Arc::get_mut(&mut self.inner).expect("not shared yet").page_pods = page_pods;
        self
    }

    /// Lists that were started, and pages and single pods that were asked for.
    pub(crate) fn requests(&self) -> usize {
        self.inner.lists.load(Ordering::Relaxed) + self.inner.reads.load(Ordering::Relaxed)
    }

    /// Waits until so many reads wait for this source.
    pub(crate) async fn until_waiting(&self, count: usize) {
        let mut waiting = self.inner.waiting.subscribe();
        let reached = tokio::time::timeout(PATIENCE, waiting.wait_for(|waiting| *waiting == count)).await;
        assert!(reached.is_ok(), "{} reads wait, not {count}", *self.inner.waiting.borrow());
    }

    /// Waits until no run holds this source any more: its store is then gone.
    pub(crate) async fn until_released(self) {
        let mut waiting = self.inner.waiting.subscribe();
        drop(self);
        let released = async { while waiting.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, released).await.expect("the run lets its source go");
    }
}

impl Inner {
    /// What an honest source finds, looked up without [`PodRequest::admits`], which these tests are to prove.
    fn found(&self, request: &PodRequest) -> Vec<ReadPod> {
        if matches!(self.answer, Answer::Everything) {
            return self.pods.clone();
        }
        let asked = |read: &&ReadPod| {
            let pod = read.pod();
            let in_scope = match request.scope() {
                Scope::All => true,
                Scope::Namespaces(namespaces) => namespaces.iter().any(|it| it.as_str() == pod.metadata.namespace),
            };
            // As the API server: a get by name knows no selectors.
            let selected = match request.name() {
                Some(name) => name.as_str() == pod.metadata.name,
                None => request.labels().matches(&pod.metadata.labels) && request.fields().matches(&pod),
            };
            in_scope && selected
        };
        let whole = |read: &ReadPod| if request.objects() { read.clone() } else { read.clone().without_object() };
        self.pods.iter().filter(asked).map(whole).collect()
    }

    /// Every read begins with this.
    async fn read(&self) -> Result<(), Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.waiting.send_modify(|waiting| *waiting += 1);
        let _waiting = Waiting(&self.waiting);
        match &self.answer {
            Answer::Never => std::future::pending().await,
            Answer::Fails(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

/// Dropped with the future that waits.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl PodSource for Source {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        self.inner.lists.fetch_add(1, Ordering::Relaxed);
        Box::new(Pages { pods: self.inner.found(&request), given: 0, source: self.clone() })
    }

    fn get<'a>(&'a self, request: &'a PodRequest, _: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async {
            self.inner.read().await?;
            match self.inner.found(request) {
                pods if pods.is_empty() => Err(Error::not_found()),
                pods => Ok(page(pods)),
            }
        })
    }
}

struct Pages {
    pods: Vec<ReadPod>,
    given: usize,
    source: Source,
}

impl PodPages for Pages {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async {
            let inner = &self.source.inner;
            inner.read().await?;
            if matches!(inner.answer, Answer::Hollow) {
                return Ok(Some(Page::default()));
            }
            if self.given == self.pods.len() && matches!(inner.answer, Answer::Endless) {
                self.given = 0;
            }
            let pods: Vec<_> = self.pods[self.given..].iter().take(inner.page_pods).cloned().collect();
            self.given += pods.len();
            Ok(if pods.is_empty() { None } else { Some(page(pods)) })
        })
    }
}

fn page(pods: Vec<ReadPod>) -> Page {
    let response_bytes = pods.iter().map(|read| read.size_bytes() as u64).sum();
    Page { pods, response_bytes, ..Page::default() }
}
