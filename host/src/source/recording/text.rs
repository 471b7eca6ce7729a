//! A recording as text.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, Asked, End, FORMAT, Failed, Granted, RecordedPage, Recording, RecordingError, Skipped, VERSION, from_json};
use crate::policy::Redaction;
use crate::text::excerpt;

/// The WIT that the recorded query spoke.
const WIT: &str = "podlens:query@0.1.0";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordingText<'a> {
    format: String,
    version: u64,
    wit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    time: Timestamp,
    granted: Granted,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redacted: Vec<Redaction>,
    answers: Vec<AnswerText<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnswerText<'a> {
    asked: Asked,
    pages: Vec<PageText<'a>>,
    /// There is more that nobody asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    open: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Failed>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PageText<'a> {
    /// Bytes of the answer that the page came in.
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<Skipped>,
    pods: Cow<'a, [Value]>,
}

pub(super) fn print(recording: &Recording) -> String {
    let answers = recording.answers.iter().map(|answer| AnswerText {
        asked: answer.asked.clone(),
        pages: answer.pages.iter().map(page_text).collect(),
        open: answer.end == End::Open,
        error: match &answer.end {
            End::Failed(failed) => Some(failed.clone()),
            End::Complete | End::Open => None,
        },
    });
    let text = RecordingText {
        format: FORMAT.to_owned(),
        version: VERSION,
        wit: WIT.to_owned(),
        component: recording.component.clone(),
        time: recording.time,
        granted: recording.granted.clone(),
        redacted: recording.redacted.clone(),
        answers: answers.collect(),
    };
    // All keys are texts, and nothing in it can fail to be written.
    let mut text = serde_json::to_string_pretty(&text).unwrap_or_default();
    text.push('\n');
    text
}

fn page_text(page: &RecordedPage) -> PageText<'_> {
    let RecordedPage { pods, bytes, warning, skipped } = page;
    PageText { bytes: *bytes, warning: warning.clone(), skipped: skipped.clone(), pods: Cow::Borrowed(pods) }
}

pub(super) fn parse(text: &str) -> Result<Recording, RecordingError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        format: String,
        #[serde(default)]
        version: u64,
    }
    let malformed = |error: &dyn std::fmt::Display| RecordingError(format!("it is malformed: {}", excerpt(&error.to_string())));
    let head: Head = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => RecordingError("it is no recording of podlens".to_owned()),
        false => malformed(&error),
    })?;
    if head.format != FORMAT {
        return Err(RecordingError("it is no recording of podlens".to_owned()));
    }
    if head.version != VERSION {
        let found = head.version;
        return Err(RecordingError(format!("it is of version {found}, and this podlens reads version {VERSION}: record again")));
    }
    let text: RecordingText<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    text.granted.grant()?;
    let answers = text.answers.into_iter().map(answer).collect::<Result<_, _>>()?;
    let RecordingText { component, time, granted, redacted, .. } = text;
    Ok(Recording { time, component, granted, redacted, answers })
}

fn answer(text: AnswerText<'_>) -> Result<Answer, RecordingError> {
    let AnswerText { asked, pages, open, error } = text;
    asked.check()?;
    let page = |PageText { bytes, warning, skipped, pods }| RecordedPage { pods: pods.into_owned(), bytes, warning, skipped };
    let pages: Vec<_> = pages.into_iter().map(page).collect();
    if let Some(skipped) = pages.iter().flat_map(|page| &page.skipped).find(|skipped| skipped.namespace().is_none()) {
        return Err(RecordingError(format!("a namespace that was left out has no such name: `{}`", excerpt(&skipped.namespace))));
    }
    for pod in pages.iter().flat_map(|page| &page.pods) {
        from_json(pod, asked.whole_objects).map_err(|error| {
            RecordingError(format!("a pod in the answer to {asked} is malformed: {}", excerpt(&error.to_string())))
        })?;
    }
    let end = match (error, open) {
        (Some(failed), _) => End::Failed(failed),
        (None, true) => End::Open,
        (None, false) => End::Complete,
    };
    Ok(Answer { asked, pages, end })
}
