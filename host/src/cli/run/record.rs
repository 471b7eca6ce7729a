//! `--record`: the recording of a run, as a file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::super::file;
use crate::error::{Error, Kind};
use crate::policy::Redaction;
use crate::source::{PodSource, Recorder};
use crate::{Grant, Query, text};

/// What is recorded, and how.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Recording: what a run read, to replay and to test with")]
pub(super) struct RecordArgs {
    /// Write what the run reads to this file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// What to take out of the recorded pods: `env` (environment values and what kubectl applied), `annotations`, `labels`, `images`,
    /// `ips`, `messages`, `nodes`; `env` always, unless it is `none`
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
    /// Beside where it is to be, so that there is one whole file or none. It can be read by its owner alone.
    file: NamedTempFile,
    recorder: Recorder,
}

impl RecordArgs {
    /// Whether anything is to be recorded.
    pub(super) fn is_given(&self) -> bool {
        self.record.is_some()
    }

    /// Listens to `source`, if asked to. That the file can be written is found out before anything is read.
    pub(super) fn start(
        &self,
        source: &Arc<dyn PodSource>,
        grant: &Grant,
        now: SystemTime,
        query: &Query,
    ) -> Result<Option<Recording>, Error> {
        let Some(path) = self.record.clone() else { return Ok(None) };
        let file = file::begin(&path).map_err(|error| unwritable(&path, error))?;
        let recorder = Recorder::new(source.clone(), grant, now).component(query.digest().to_string()).redact(self.redactions()?);
        Ok(Some(Recording { path, file, recorder }))
    }

    /// Environment values always, unless nothing is to be taken out.
    fn redactions(&self) -> Result<Vec<Redaction>, Error> {
        let mut redactions = vec![Redaction::Env];
        for redact in &self.redact {
            match redact {
                Redact::This(redaction) if redactions.contains(redaction) => {}
                Redact::This(redaction) => redactions.push(*redaction),
                Redact::Nothing if self.redact.len() == 1 => return Ok(Vec::new()),
                Redact::Nothing => {
                    let message = "`--redact none` takes nothing out, and stands alone";
                    return Err(Error::new(Kind::InvalidArgument, message));
                }
            }
        }
        Ok(redactions)
    }
}

impl Recording {
    /// What the run reads from.
    pub(super) fn source(&self) -> Arc<dyn PodSource> {
        Arc::new(self.recorder.clone())
    }

    /// Writes the file.
    pub(super) fn write(mut self) -> Result<(), Error> {
        let json = self.recorder.to_json()?;
        let written = self.file.write_all(json.as_bytes());
        let persisted = written.and_then(|()| self.file.persist(&self.path).map_err(|error| error.error));
        persisted.map(drop).map_err(|error| unwritable(&self.path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(Kind::InvalidArgument, format!("the recording `{}` cannot be written", text::path(path))).because(error)
}
