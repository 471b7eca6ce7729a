//! Listens to a source, and remembers what it answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;

use super::{Answer, Asked, End, Failed, Granted, RecordedPage, Recording, Skipped, to_json};
use crate::error::{Error, Kind};
use crate::policy::{Grant, PodRequest, Redaction, overwrite};
use crate::source::{Bounds, BoxFuture, Page, PodPages, PodSource};

/// A source that passes on what another answers, and remembers it. Cheap to clone; clones write one recording.
///
/// It keeps all pods that were read in memory, up to a bound: what is beyond it ends the recording, and not the run.
#[derive(Clone)]
pub struct Recorder {
    source: Arc<dyn PodSource>,
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    recording: Recording,
    /// Bytes of the answers that are kept.
    bytes: u64,
    is_full: bool,
}

/// Most bytes of answers that are kept; as JSON in memory they take several times as much. Arbitrary: a list of 50,000 pods met in practice.
const MAX_BYTES: u64 = 512 << 20;

impl Recorder {
    /// Listens to `source` for a run with this grant, whose wall clock shows `time`.
    pub fn new(source: Arc<dyn PodSource>, grant: &Grant, time: SystemTime) -> Self {
        // The years that the one can tell and the other cannot have no pods.
        let time = Timestamp::try_from(time).and_then(|time| Timestamp::from_second(time.as_second())).unwrap_or_default();
        let recording = Recording { time, component: None, granted: Granted::of(grant), redacted: Vec::new(), answers: Vec::new() };
        Self { source, kept: Arc::new(Mutex::new(Kept { recording, bytes: 0, is_full: false })) }
    }

    /// Notes which component runs, by its digest.
    #[must_use]
    pub fn component(self, digest: impl Into<String>) -> Self {
        self.lock().recording.component = Some(digest.into());
        self
    }

    /// Takes this out of the pods from now on.
    #[must_use]
    pub fn redact(self, redactions: impl IntoIterator<Item = Redaction>) -> Self {
        self.lock().recording.redacted.extend(redactions);
        self
    }

    /// What was recorded so far.
    ///
    /// # Errors
    ///
    /// More was read than is kept.
    pub fn recording(&self) -> Result<Recording, Error> {
        self.read(Recording::clone)
    }

    /// The same as [`Recording::to_json`] gives it, without a copy of the recording.
    ///
    /// # Errors
    ///
    /// As [`Recorder::recording`].
    pub fn to_json(&self) -> Result<String, Error> {
        self.read(Recording::to_json)
    }

    fn read<T>(&self, read: impl FnOnce(&Recording) -> T) -> Result<T, Error> {
        let kept = self.lock();
        if kept.is_full {
            let message = format!("the run read more than the {} MiB that a recording keeps", MAX_BYTES >> 20);
            return Err(Error::new(Kind::Limit("recording"), message).hint("record fewer pods: name namespaces, or a selector"));
        }
        Ok(read(&kept.recording))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an answer, and says which one it is.
    fn begin(&self, request: &PodRequest) -> usize {
        let answers = &mut self.lock().recording.answers;
        answers.push(Answer { asked: Asked::of(request), pages: Vec::new(), end: End::Open });
        answers.len() - 1
    }

    fn note(&self, answer: usize, page: &Result<Option<Page>, Error>) {
        let mut kept = self.lock();
        if let Ok(Some(page)) = page {
            kept.bytes = kept.bytes.saturating_add(page.pods.iter().map(|read| read.size_bytes() as u64).sum());
            if kept.bytes > MAX_BYTES {
                kept.is_full = true;
                kept.recording.answers.iter_mut().for_each(|answer| answer.pages.clear());
            }
        }
        if kept.is_full {
            return;
        }
        let redacted = kept.recording.redacted.clone();
        let Some(answer) = kept.recording.answers.get_mut(answer) else { return };
        match page {
            Ok(Some(page)) => answer.pages.push(recorded(page, answer.asked.whole_objects, &redacted)),
            Ok(None) => answer.end = End::Complete,
            Err(error) => answer.end = End::Failed(Failed::of(error)),
        }
    }
}

fn recorded(page: &Page, whole: bool, redacted: &[Redaction]) -> RecordedPage {
    let pod = |read| {
        let mut json = to_json(read, whole);
        overwrite(&mut json, redacted);
        json
    };
    RecordedPage {
        pods: page.pods.iter().map(pod).collect(),
        bytes: page.response_bytes,
        warning: page.warning.clone(),
        skipped: page.skipped.iter().map(Skipped::of).collect(),
    }
}

impl PodSource for Recorder {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        let answer = self.begin(&request);
        // Whole, so that the next version of the query finds what it asks for.
        Box::new(RecordedPages { recorder: self.clone(), answer, pages: self.source.list(request.with_fields()) })
    }

    fn get<'a>(&'a self, request: &'a PodRequest, bounds: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async move {
            let answer = self.begin(request);
            match self.source.get(&request.clone().with_fields(), bounds).await {
                Ok(page) => {
                    let page = Ok(Some(page));
                    self.note(answer, &page);
                    self.note(answer, &Ok(None));
                    page.map(Option::unwrap_or_default)
                }
                Err(error) => {
                    self.note(answer, &Err(error.clone()));
                    Err(error)
                }
            }
        })
    }
}

struct RecordedPages {
    recorder: Recorder,
    answer: usize,
    pages: Box<dyn PodPages>,
}

impl PodPages for RecordedPages {
    fn next(&mut self, bounds: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async move {
            let page = self.pages.next(bounds).await;
            self.recorder.note(self.answer, &page);
            page
        })
    }
}
