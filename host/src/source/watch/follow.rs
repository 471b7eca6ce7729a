//! Lists and watches one part of a grant, for ever: what a reflector is in client-go.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::{Change, Keep, too_many};
use crate::client::Client;
use crate::error::{Error, Kind};
use crate::kube::{ReadPod, Request, WatchEvent, WatchPods};
use crate::policy::{PodRequest, Scope};
use crate::source::{ApiServer, Bounds, MAX_ANSWER_BYTES, Requests};
use crate::text::excerpt;

/// How long one watch lasts: client-go asks for five to ten minutes (`minWatchTimeout` of tools/cache/reflector.go, v0.37.2).
const WATCH_SECONDS: u64 = 5 * 60;
const WATCH: Duration = Duration::from_secs(WATCH_SECONDS);
/// A watch that ends as much before that was cut off. Arbitrary.
const EARLY: Duration = Duration::from_secs(5);
/// Longest silence of a watch. The server ends it by then, and sends a bookmark about each minute.
const SILENCE: Duration = WATCH.saturating_add(Duration::from_secs(30));
/// How long a list may take for each page, and how long a watch may take to begin before the API server counts as away.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);
const BEGIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited after a watch that ended soon, doubled each time, up to the second; client-go's reflector begins with 800 ms and ends
/// with 30 s.
const FIRST_DELAY: Duration = Duration::from_millis(800);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A watch that lasted as long did not end soon. Arbitrary.
const LONG_WATCH: Duration = Duration::from_secs(10);

pub(super) struct Follower {
    pub(super) client: Client,
    pub(super) source: ApiServer,
    /// A list of one namespace, or of all.
    pub(super) request: PodRequest,
    /// Most memory that the pods of a list may take.
    pub(super) max_bytes: usize,
    pub(super) keep: Keep,
    pub(super) part: usize,
    pub(super) changes: mpsc::Sender<(usize, Change)>,
}

/// Why a list or watch is not read on.
enum End {
    /// What happened since the version that was watched from has to be listed: it is too old, or a change cannot be read.
    Relist(Option<Error>),
    /// The API server was not there, or not well; the same may be tried again.
    Lost(Error),
    /// There is no use in trying again.
    Failed(Error),
    /// Nobody listens any more.
    Unheard,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Unavailable | Kind::Unreachable | Kind::Server | Kind::Expired => Self::Lost(error),
            _ => Self::Failed(error),
        }
    }
}

impl Follower {
    pub(super) async fn follow(self) {
        if let End::Failed(error) | End::Lost(error) = self.keep_up().await {
            // Whoever does not listen any more has no use for it.
            let _ = self.tell(Change::Failed(error)).await;
        }
    }

    /// Lists, then watches, and lists again where a watch cannot go on. Ends when there is no use in going on, or if the first list fails:
    /// who was never there is not waited for.
    async fn keep_up(&self) -> End {
        let mut version = match self.list().await {
            Ok(version) => version,
            Err(end) => return end,
        };
        let mut delay = FIRST_DELAY;
        loop {
            let began = Instant::now();
            let end = self.watch(&mut version).await;
            let is_cut_off = matches!(end, Ok(())) && began.elapsed() < WATCH.saturating_sub(EARLY);
            if is_cut_off {
                self.client.broke_off();
            }
            if began.elapsed() >= LONG_WATCH && matches!(end, Ok(()) | Err(End::Relist(None))) {
                delay = FIRST_DELAY;
            } else {
                sleep(delay).await;
                // Nobody may have asked it anything meanwhile.
                if is_cut_off {
                    self.client.broke_off();
                }
                delay = delay.saturating_mul(2).min(LONGEST_DELAY);
            }
            let end = match end {
                Err(End::Relist(trouble)) => self.relist(&mut version, trouble).await,
                end => end,
            };
            match end {
                Ok(()) => {}
                Err(End::Lost(error)) => {
                    if let Err(end) = self.tell(Change::Away(error)).await {
                        return end;
                    }
                }
                Err(end) => return end,
            }
        }
    }

    async fn relist(&self, version: &mut String, trouble: Option<Error>) -> Result<(), End> {
        if let Some(error) = trouble {
            self.tell(Change::Away(error)).await?;
        }
        *version = self.list().await?;
        Ok(())
    }

    /// Tells all pods, and gives the version that they are of.
    async fn list(&self) -> Result<String, End> {
        let mut pages = self.source.pages(self.request.clone());
        let mut pods = Vec::new();
        let mut bytes = 0_usize;
        loop {
            // Of no run.
            let requests = Requests::default();
            let bounds = Bounds { deadline: Instant::now() + PAGE_TIMEOUT, max_bytes: MAX_ANSWER_BYTES, requests };
            let Some(page) = pages.next_page(&bounds).await? else { break };
            for read in page.pods {
                let read = self.admitted(read)?;
                bytes = bytes.saturating_add(read.size_bytes());
                pods.push(read);
            }
            if bytes > self.max_bytes {
                return Err(End::Failed(too_many(self.max_bytes)));
            }
        }
        let version = pages.resource_version().unwrap_or_default().to_owned();
        self.tell(Change::Listed(pods, version.clone())).await?;
        self.tell(Change::Back).await?;
        Ok(version)
    }

    /// Tells what changes after `version`, and keeps it up to date, until the server ends the watch.
    async fn watch(&self, version: &mut String) -> Result<(), End> {
        let namespace = match self.request.scope() {
            Scope::All => None,
            Scope::Namespaces(namespaces) => namespaces.first(),
        };
        let request = Request::watch_pods(&WatchPods {
            namespace,
            labels: self.request.labels(),
            fields: self.request.fields(),
            resource_version: version,
            timeout_seconds: WATCH_SECONDS,
        });
        let mut lines =
            self.client.lines(&request, Instant::now() + BEGIN_TIMEOUT).await.map_err(|failure| refused(failure.into()))?;
        self.tell(Change::Back).await?;
        loop {
            let line = match lines.next(SILENCE).await {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                // A connection that breaks is nothing to tell of; whether there is another is seen next.
                Err(error) if error.kind() == Kind::Unavailable => return Ok(()),
                // Watched again from the same version, it would come again.
                Err(error) => return Err(End::Relist(Some(error))),
            };
            let event = WatchEvent::decode(&line, self.request.objects()).map_err(|error| {
                End::Relist(Some(Error::new(Kind::Server, "a change that the API server told could not be read").because(error)))
            })?;
            match event {
                WatchEvent::Present(read) => {
                    let read = self.admitted(read)?;
                    *version = read.metadata().resource_version;
                    self.tell(Change::Present(Box::new(read))).await?;
                }
                WatchEvent::Gone(read) => {
                    *version = read.metadata().resource_version;
                    self.tell(Change::Gone(Box::new(read))).await?;
                }
                WatchEvent::Bookmark(later) => {
                    version.clone_from(&later);
                    self.tell(Change::Bookmark(later)).await?;
                }
                WatchEvent::Expired => return Err(End::Relist(None)),
                WatchEvent::Failed(reason) => {
                    let message = format!("the API server ended the watch: `{}`", excerpt(&reason));
                    return Err(End::Relist(Some(Error::new(Kind::Server, message))));
                }
            }
        }
    }

    /// A pod that was not asked for spoils what it came with, as in a list of a query.
    fn admitted(&self, read: ReadPod) -> Result<ReadPod, End> {
        let refused = || End::Failed(Error::new(Kind::Server, "the API server returned a pod that was not asked for"));
        self.request.admitted(read).map(|read| (self.keep)(read)).ok_or_else(refused)
    }

    async fn tell(&self, change: Change) -> Result<(), End> {
        self.changes.send((self.part, change)).await.map_err(|_| End::Unheard)
    }
}

/// Listing does not allow watching.
fn refused(error: Error) -> End {
    if error.is_expired() {
        return End::Relist(None);
    }
    if error.is_denied() {
        let hint = "a watch takes the verb `watch` on pods, beside `list`: add it to the Role";
        return End::Failed(Error::denied("the pods can be listed, but not watched").hint(hint).because(error));
    }
    error.into()
}
