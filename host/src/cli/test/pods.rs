//! What the query of a case reads: pods as people keep them, or a recorded run.

use std::time::SystemTime;

use super::file::{CaseError, CaseFolder};
use crate::kube::Manifest;
use crate::source::{PodSource, Recording, Replay, Snapshot};
use crate::{Grant, text};

/// The files of which a case has one; the last is a recording.
const FILES: [&str; 3] = ["pods.yaml", "pods.json", "recording.json"];
/// Most bytes of such a file: some five thousand pods as `kubectl` writes them. Arbitrary; bounds time and memory.
const MAX_BYTES: u64 = 64 << 20;

/// The pods of a case.
pub(super) enum Pods {
    Kept(Snapshot),
    Recorded(Recording),
}

impl Pods {
    /// Reads what is in the case's folder. `objects`: pods are to be whole.
    pub(super) fn read(folder: &CaseFolder, objects: bool) -> Result<Self, CaseError> {
        let mut found = Vec::new();
        for name in FILES {
            found.extend(folder.read(name, MAX_BYTES)?.map(|bytes| (name, folder.file(name), bytes)));
        }
        let [(name, path, bytes)] = &found[..] else {
            let has = if found.is_empty() { "has none of" } else { "has more than one of" };
            return Err(CaseError::of(folder.path(), format_args!("{has} {}", text::Quoted(&FILES))));
        };
        if *name == "recording.json" {
            let text = str::from_utf8(bytes).map_err(|_| CaseError::of(path, "is not UTF-8 text"))?;
            let recording =
                Recording::parse(text).map_err(|error| CaseError::of(path, format_args!("cannot be replayed: {error}")))?;
            return Ok(Self::Recorded(recording));
        }
        let manifest = Manifest::parse(bytes, objects)
            .map_err(|error| CaseError::of(path, format_args!("cannot be read as pods: {error}")))?;
        if manifest.pods.is_empty() && manifest.others > 0 {
            return Err(CaseError::of(path, "has objects, and none of them is a pod"));
        }
        Ok(Self::Kept(Snapshot::new(manifest.pods)))
    }

    /// In pages of at most so many pods.
    pub(super) fn page_size(self, pods: usize) -> Result<Self, String> {
        match self {
            Self::Kept(snapshot) => Ok(Self::Kept(snapshot.page_size(pods))),
            Self::Recorded(_) => Err("`pageSize` is given beside a recording, which has its pages".to_owned()),
        }
    }

    /// The grant and the clock of the recorded run, if there was one.
    pub(super) fn recorded(&self) -> Result<Option<(Grant, SystemTime)>, String> {
        match self {
            Self::Kept(_) => Ok(None),
            Self::Recorded(recording) => {
                let grant = recording.grant().map_err(|error| format!("the recording cannot be replayed: {error}"))?;
                Ok(Some((grant, recording.time())))
            }
        }
    }

    /// A source that has answered nothing yet.
    pub(super) fn source(&self) -> Box<dyn PodSource> {
        match self {
            Self::Kept(snapshot) => Box::new(snapshot.clone()),
            Self::Recorded(recording) => Box::new(Replay::new(recording.clone())),
        }
    }
}
