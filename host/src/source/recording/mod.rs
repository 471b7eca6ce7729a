//! Recordings: what a source of pods answered, so that the same run can be had again without it.
//!
//! `recorder.rs` listens to a source, `replay.rs` answers in its place, `redact.rs` takes out what others should not read. Here is what
//! both share: the recording and its text. An answer is found by what was asked, not by when.

mod recorder;
mod replay;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::kube::{FieldSelector, LabelSelector, Namespace, Pod, PodName, ReadPod};
use crate::policy::{Grant, PodRequest, Redaction, Scope};
use crate::source::SkippedNamespace;
use crate::text::excerpt;

pub use recorder::Recorder;
pub use replay::Replay;

/// What a text begins with that is a recording.
const FORMAT: &str = "podlens recording";
/// The version of the text that is written, and the only one so far.
const VERSION: u64 = 1;

/// What a source of pods answered, in the order in which it was first asked. Made by a [`Recorder`].
///
/// As text it is JSON, one field a line, with each pod as the API has it: only fields that podlens reads, unless whole objects were asked
/// for; those come back with their keys in another order.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    time: Timestamp,
    component: Option<String>,
    granted: Granted,
    redacted: Vec<Redaction>,
    answers: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    asked: Asked,
    pages: Vec<RecordedPage>,
    end: End,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// There was no more.
    Complete,
    /// Nobody asked for more.
    Open,
    Failed(Failed),
}

#[derive(Clone, Debug, Default, PartialEq)]
struct RecordedPage {
    /// As whole as they were asked for.
    pods: Vec<Value>,
    bytes: u64,
    warning: Option<String>,
    skipped: Vec<Skipped>,
}

/// A namespace that the answer leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Skipped {
    namespace: String,
    error: Failed,
}

/// A [`Grant`] in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Granted {
    /// `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespaces: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label_selector: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    field_selector: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    whole_objects: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<Redaction>,
}

/// What a source was asked: a [`PodRequest`] in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    /// `list` or `get`.
    verb: Verb,
    /// `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespaces: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label_selector: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    field_selector: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    whole_objects: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    List,
    Get,
}

/// An error as a source may give it. Its own words are not kept: an address may be among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Failed {
    reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait_seconds: Option<u64>,
}

/// What a query is told of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    Denied,
    NotFound,
    Expired,
    Unavailable,
    ServerError,
}

impl Recording {
    /// The wall clock of the recorded run, in whole seconds; a replay's should show the same.
    pub fn time(&self) -> SystemTime {
        let seconds = self.time.as_second();
        let span = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { SystemTime::UNIX_EPOCH - span } else { SystemTime::UNIX_EPOCH + span }
    }

    /// The digest of the recorded component, where it was told.
    pub fn component(&self) -> Option<&str> {
        self.component.as_deref()
    }

    /// What the recorded run was granted: with the same, a replay asks the same.
    ///
    /// # Errors
    ///
    /// Its names or selectors are none.
    pub fn grant(&self) -> Result<Grant, RecordingError> {
        self.granted.grant()
    }

    /// What was taken out.
    pub fn redacted(&self) -> &[Redaction] {
        &self.redacted
    }

    /// Reads what [`Recording::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// The text is no recording, of a later version, or malformed. The message says which, and where.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        text::parse(text)
    }

    /// The recording as JSON.
    pub fn to_json(&self) -> String {
        text::print(self)
    }
}

impl Granted {
    fn of(grant: &Grant) -> Self {
        Self {
            namespaces: grant.given_namespaces().map(|namespaces| namespaces.map(ToString::to_string).collect()),
            label_selector: grant.given_labels().to_string(),
            field_selector: grant.given_fields().to_string(),
            whole_objects: grant.gives_objects(),
            withheld: grant.withheld().iter().collect(),
        }
    }

    fn grant(&self) -> Result<Grant, RecordingError> {
        let wrong = |error: &dyn fmt::Display| RecordingError(format!("what was granted is malformed: {error}"));
        let mut grant = match &self.namespaces {
            None => Grant::all_namespaces(),
            Some(_) => Grant::nothing(),
        };
        for namespace in self.namespaces.iter().flatten() {
            grant = grant.namespace(Namespace::parse(namespace).map_err(|error| wrong(&error))?);
        }
        if self.whole_objects {
            grant = grant.whole_objects();
        }
        let labels = LabelSelector::parse(&self.label_selector).map_err(|error| wrong(&error))?;
        let fields = FieldSelector::parse(&self.field_selector).map_err(|error| wrong(&error))?;
        let grant = grant.labels(&labels).fields(&fields);
        Ok(self.withheld.iter().fold(grant, |grant, redaction| grant.withhold(*redaction)))
    }
}

impl Asked {
    fn of(request: &PodRequest) -> Self {
        let namespaces = match request.scope() {
            Scope::All => None,
            Scope::Namespaces(namespaces) => Some(namespaces.iter().map(ToString::to_string).collect()),
        };
        Self {
            verb: if request.name().is_some() { Verb::Get } else { Verb::List },
            namespaces,
            name: request.name().map(ToString::to_string),
            label_selector: request.labels().to_string(),
            field_selector: request.fields().to_string(),
            whole_objects: request.objects(),
        }
    }

    /// Whether everything that `request` may see is among what this list gave.
    fn covers(&self, request: &PodRequest) -> bool {
        let (Ok(labels), Ok(fields)) = (LabelSelector::parse(&self.label_selector), FieldSelector::parse(&self.field_selector))
        else {
            return false;
        };
        let in_scope = match (&self.namespaces, request.scope()) {
            (None, _) => true,
            (Some(_), Scope::All) => false,
            (Some(recorded), Scope::Namespaces(asked)) => asked.iter().all(|asked| recorded.iter().any(|it| it == asked.as_str())),
        };
        // A condition more asks for less: with the recorded ones added, an ask that already has them stays as it is.
        self.verb == Verb::List
            && in_scope
            && request.labels().and(&labels) == *request.labels()
            && request.fields().and(&fields) == *request.fields()
            && (self.whole_objects || !request.objects())
    }

    /// Whether names and selectors are such as a request has.
    fn check(&self) -> Result<(), RecordingError> {
        let wrong = |error: &dyn fmt::Display| RecordingError(format!("what was asked is malformed: {error}"));
        for namespace in self.namespaces.iter().flatten() {
            Namespace::parse(namespace).map_err(|error| wrong(&error))?;
        }
        self.name.as_ref().map_or(Ok(()), |name| PodName::parse(name).map(|_| ())).map_err(|error| wrong(&error))?;
        LabelSelector::parse(&self.label_selector).map_err(|error| wrong(&error))?;
        FieldSelector::parse(&self.field_selector).map_err(|error| wrong(&error))?;
        if self.name.is_some() != (self.verb == Verb::Get) {
            return Err(wrong(&"a get has a name, and a list has none"));
        }
        Ok(())
    }
}

/// What was asked, for people.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verb, &self.name) {
            (Verb::Get, Some(name)) => write!(f, "getting pod `{name}`")?,
            _ => f.write_str("listing pods")?,
        }
        match &self.namespaces {
            None => f.write_str(" in all namespaces")?,
            Some(namespaces) => write!(f, " in `{}`", namespaces.join("`, `"))?,
        }
        for (what, selector) in [("labels", &self.label_selector), ("fields", &self.field_selector)] {
            if !selector.is_empty() {
                write!(f, ", {what} `{}`", excerpt(selector))?;
            }
        }
        if self.whole_objects { f.write_str(", as whole objects") } else { Ok(()) }
    }
}

/// A pod as JSON. A source may give a whole object that was not asked for: it is not kept.
fn to_json(read: &ReadPod, whole: bool) -> Value {
    match read.object().filter(|_| whole) {
        Some(object) => serde_json::from_str(object).unwrap_or_default(),
        // A pod is made of texts, numbers and times that have a form in JSON.
        None => serde_json::to_value(read.pod()).unwrap_or_default(),
    }
}

fn from_json(json: &Value, whole: bool) -> Result<ReadPod, serde_json::Error> {
    let read = ReadPod::checked(&Pod::deserialize(json)?).map_err(serde::de::Error::custom)?;
    Ok(if whole { read.with_object(json.to_string()) } else { read })
}

impl Skipped {
    fn of(skipped: &SkippedNamespace) -> Self {
        Self { namespace: skipped.namespace.to_string(), error: Failed::of(&skipped.error) }
    }

    /// A name that is none leaves nothing out.
    fn namespace(&self) -> Option<SkippedNamespace> {
        Some(SkippedNamespace { namespace: Namespace::parse(&self.namespace).ok()?, error: self.error.error() })
    }
}

impl Failed {
    fn of(error: &Error) -> Self {
        let reason = match error.kind() {
            Kind::Denied => Reason::Denied,
            Kind::NotFound => Reason::NotFound,
            Kind::Expired => Reason::Expired,
            Kind::Unavailable | Kind::Unreachable | Kind::Configuration => Reason::Unavailable,
            Kind::InvalidArgument | Kind::Server | Kind::Limit(_) | Kind::Component | Kind::Query | Kind::Fault => {
                Reason::ServerError
            }
        };
        Self { reason, wait_seconds: error.wait().map(|wait| wait.as_secs()) }
    }

    fn error(&self) -> Error {
        match self.reason {
            Reason::Denied => Error::denied("it was refused when it was recorded"),
            Reason::NotFound => Error::not_found(),
            Reason::Expired => Error::expired("the list expired when it was recorded"),
            Reason::Unavailable => {
                let wait = self.wait_seconds.map(Duration::from_secs);
                Error::unavailable("there was no usable answer when it was recorded", wait)
            }
            Reason::ServerError => Error::server_error("the API server failed when it was recorded"),
        }
    }
}

/// Why a text is no recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError(String);

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RecordingError {}
