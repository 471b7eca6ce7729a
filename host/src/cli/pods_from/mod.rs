//! Where the pods of a run come from: a cluster, files, or a recording. By these flags, all the same from there on.

mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::{file, report};
use crate::error::{Error, Kind};
use crate::source::{PodSource, Recording, Replay, Snapshot};
use crate::{Grant, text};

/// Longest recording that is read. Arbitrary: that of a list of 100,000 pods; bounds memory.
const MAX_RECORDING_BYTES: u64 = 2 << 30;

/// Pods from elsewhere than a cluster.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Pods: where they come from, if not from a cluster")]
pub(super) struct PodsFromArgs {
    /// Pods as `kubectl get pods -o json` or `-o yaml` writes them: a file, `-` for standard input, or a folder such as must-gather's;
    /// may be given several times
    #[arg(long, value_name = "PATH", conflicts_with = "replay")]
    from: Vec<PathBuf>,

    /// What a recording answered, at the moment when it was made
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// Pods from elsewhere than a cluster, and what goes with them.
#[derive(Clone)]
pub(super) struct Elsewhere {
    pub(super) source: Arc<dyn PodSource>,
    /// What is granted where no flag says otherwise.
    pub(super) grant: Grant,
    /// Whether all of what was named could be read.
    pub(super) is_whole: bool,
    /// The moment that the pods are of, where it is known.
    pub(super) now: Option<SystemTime>,
}

impl PodsFromArgs {
    /// Whether these flags name pods.
    pub(super) fn are_given(&self) -> bool {
        !self.from.is_empty() || self.replay.is_some()
    }

    /// Opens what is named, if anything is. `objects`: whole objects may be asked for.
    pub(super) fn open(&self, objects: bool) -> Result<Option<Elsewhere>, Error> {
        if let Some(path) = &self.replay {
            return replay(path).map(Some);
        }
        if self.from.is_empty() {
            return Ok(None);
        }
        let found = files::read(&self.from, objects)?;
        for warning in &found.warnings {
            report::say(&format!("warning: {warning}"));
        }
        let snapshot = Snapshot::new(found.pods);
        // All that a file has was chosen by whoever wrote it: its namespaces are not this machine's.
        let is_whole = found.warnings.is_empty();
        Ok(Some(Elsewhere { source: Arc::new(snapshot), grant: Grant::all_namespaces(), is_whole, now: None }))
    }
}

fn replay(path: &Path) -> Result<Elsewhere, Error> {
    let failed = || Error::new(Kind::InvalidArgument, format!("the recording `{}` cannot be read", text::path(path)));
    let recording = read(path).map_err(|error| failed().because(error))?;
    let grant = recording.grant().map_err(|error| failed().because(error))?;
    let now = Some(recording.time());
    Ok(Elsewhere { source: Arc::new(Replay::new(recording)), grant, is_whole: true, now })
}

fn read(path: &Path) -> Result<Recording, Box<dyn std::error::Error + Send + Sync>> {
    let text = file::read_text_at_most(std::fs::File::open(path)?, MAX_RECORDING_BYTES)?
        .ok_or_else(|| format!("it has more than {MAX_RECORDING_BYTES} bytes"))?;
    Ok(Recording::parse(&text)?)
}
