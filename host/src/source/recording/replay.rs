//! Answers out of a recording.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Asked, End, RecordedPage, Recording, Skipped, from_json};
use crate::error::Error;
use crate::policy::PodRequest;
use crate::source::{Bounds, BoxFuture, Page, PodPages, PodSource, Snapshot};

/// A source that answers as another did while it was recorded.
///
/// What was asked then is answered page by page as then, errors included; where it was asked several times, by the first answer, then the
/// second, and the last from then on. What was not asked then is answered out of a whole list that has it, such as one namespace out
/// of all; else it is an error. It begins anew with each [`Replay`].
pub struct Replay {
    recording: Arc<Recording>,
    /// How often something was asked already, by the place of its first answer.
    asked: Mutex<HashMap<usize, usize>>,
}

impl Replay {
    /// Answers out of `recording`.
    pub fn new(recording: Recording) -> Self {
        Self { recording: Arc::new(recording), asked: Mutex::default() }
    }

    /// Where the answer to this is, as often as it was asked so far.
    fn recorded(&self, request: &PodRequest) -> Option<usize> {
        let asked = Asked::of(request);
        let answers: Vec<_> =
            self.recording.answers.iter().enumerate().filter(|(_, answer)| answer.asked == asked).map(|(at, _)| at).collect();
        let first = *answers.first()?;
        let mut times = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let time = times.entry(first).or_default();
        let at = answers[(*time).min(answers.len() - 1)];
        *time += 1;
        Some(at)
    }

    /// All pods of a recorded list that this one is a part of.
    fn covering(&self, request: &PodRequest) -> Result<Snapshot, Error> {
        // What was left out of a list may be just what is asked for now.
        let is_whole = |answer: &Answer| answer.end == End::Complete && answer.pages.iter().all(|page| page.skipped.is_empty());
        let covers = |answer: &&Answer| is_whole(answer) && answer.asked.covers(request);
        let answer = self.recording.answers.iter().find(covers).ok_or_else(|| {
            let asked = Asked::of(request);
            Error::server_error(format!("the recording has no answer to {asked}")).hint("record again, with the same flags")
        })?;
        let pages = answer.pages.iter().map(|recorded| page(recorded, &answer.asked)).collect::<Result<Vec<_>, _>>()?;
        Ok(Snapshot::new(pages.into_iter().flat_map(|page| page.pods).collect()))
    }
}

fn page(recorded: &RecordedPage, asked: &Asked) -> Result<Page, Error> {
    let malformed = |error| Error::server_error("a pod of the recording is malformed").because(error);
    let pods = recorded.pods.iter().map(|pod| from_json(pod, asked.whole_objects).map_err(malformed)).collect::<Result<_, _>>()?;
    let skipped = recorded.skipped.iter().filter_map(Skipped::namespace).collect();
    Ok(Page { pods, response_bytes: recorded.bytes, warning: recorded.warning.clone(), skipped, ..Page::default() })
}

impl PodSource for Replay {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        match self.recorded(&request) {
            Some(answer) => Box::new(ReplayedPages { recording: self.recording.clone(), answer, next: 0 }),
            None => match self.covering(&request) {
                Ok(snapshot) => snapshot.list(request),
                Err(error) => Box::new(NoPages(error)),
            },
        }
    }

    fn get<'a>(&'a self, request: &'a PodRequest, bounds: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async move {
            let Some(at) = self.recorded(request) else { return self.covering(request)?.get(request, bounds).await };
            let Answer { asked, pages, end } = &self.recording.answers[at];
            match (pages.first(), end) {
                (Some(recorded), _) => page(recorded, asked),
                (None, End::Failed(failed)) => Err(failed.error()),
                (None, End::Complete) => Err(Error::not_found()),
                (None, End::Open) => Err(unfinished(asked)),
            }
        })
    }
}

fn unfinished(asked: &Asked) -> Error {
    Error::server_error(format!("{asked} was not recorded to its end, since the query then did not wait for it"))
        .hint("record again")
}

/// The pages of a recorded list.
struct ReplayedPages {
    recording: Arc<Recording>,
    answer: usize,
    next: usize,
}

impl PodPages for ReplayedPages {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async {
            let Answer { asked, pages, end } = &self.recording.answers[self.answer];
            let next = self.next;
            self.next += 1;
            match (pages.get(next), end) {
                (Some(recorded), _) => page(recorded, asked).map(Some),
                (None, End::Complete) => Ok(None),
                (None, End::Failed(failed)) => Err(failed.error()),
                (None, End::Open) => Err(unfinished(asked)),
            }
        })
    }
}

/// The list that there is not.
struct NoPages(Error);

impl PodPages for NoPages {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}
