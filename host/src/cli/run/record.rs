//! `--record`: the recording of a run, as a file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, Kind};
use crate::source::{PodSource, Recorder, Redaction};
use crate::{Grant, Query, text};

/// What is recorded, and how.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Recording: what a run read, to replay and to test with")]
pub(super) struct RecordArgs {
    /// Write what the run reads to this file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// What to take out of the recorded pods: `env` (environment values and what kubectl applied), `annotations`, `labels`, `images`,
    /// `ips`, `messages`, `nodes`, or `none`
    #[arg(long, value_name = "WHAT", value_delimiter = ',', default_value = "env", requires = "record")]
    redact: Vec<Redact>,
}

/// One value of `--redact`.
#[derive(Clone, Debug)]
enum Redact {
    Nothing,
    This(Redaction),
}

impl std::str::FromStr for Redact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::Nothing),
            text => text.parse().map(Self::This).map_err(|error| format!("{error}, or `none`")),
        }
    }
}

/// A recording under way.
pub(super) struct Recording {
    path: PathBuf,
    recorder: Recorder,
}

impl RecordArgs {
    /// Whether anything is to be recorded.
    pub(super) fn is_given(&self) -> bool {
        self.record.is_some()
    }

    /// Listens to `source`, if asked to.
    pub(super) fn start(&self, source: &Arc<dyn PodSource>, grant: &Grant, now: SystemTime, query: &Query) -> Option<Recording> {
        let redactions = self.redact.iter().filter_map(|redact| match redact {
            Redact::Nothing => None,
            Redact::This(redaction) => Some(*redaction),
        });
        let path = self.record.clone()?;
        let recorder = Recorder::new(source.clone(), grant, now).component(query.digest().to_string()).redact(redactions);
        Some(Recording { path, recorder })
    }
}

impl Recording {
    /// What the run reads from.
    pub(super) fn source(&self) -> Arc<dyn PodSource> {
        Arc::new(self.recorder.clone())
    }

    /// Writes the file, whole or not at all. It can be read by its owner alone.
    pub(super) fn write(&self) -> Result<(), Error> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(self.recorder.recording().to_json().as_bytes())?;
            file.persist(&self.path).map_err(|error| error.error)
        };
        write().map(drop).map_err(|error| {
            let message = format!("the recording `{}` cannot be written", text::path(&self.path));
            Error::new(Kind::InvalidArgument, message).because(error)
        })
    }
}
