//! The components of a folder, by digest.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::{Error, Kind};
use crate::runtime::{Digest, MAX_COMPONENT_BYTES};
use crate::text;

/// Most files of a folder that are looked at. Arbitrary; more is told in the log.
const MAX_FILES: usize = 10_000;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What was read before, so that a file is read again only if it has changed.
    seen: Mutex<HashMap<PathBuf, Seen>>,
    /// Whether it was told that the folder cannot be read, since it last could.
    is_told: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    modified: Option<SystemTime>,
    digest: Option<Digest>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default(), is_told: AtomicBool::default() }
    }

    /// Where each component is. What cannot be read is told in the log, and is not there.
    pub(super) fn scan(&self) -> HashMap<Digest, PathBuf> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match files(&self.path) {
            Ok(files) => {
                self.is_told.store(false, Ordering::Relaxed);
                files
            }
            Err(error) => {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    tracing::warn!("the folder of queries `{}` cannot be read: {error}", text::path(&self.path));
                }
                return HashMap::new();
            }
        };
        let known: HashSet<_> = files.iter().map(|(path, ..)| path.clone()).collect();
        seen.retain(|path, _| known.contains(path));
        for (path, bytes, modified) in files {
            let is_same = |seen: &&Seen| (seen.bytes, seen.modified) == (bytes, modified);
            if seen.get(&path).filter(is_same).is_none() {
                let digest = if bytes > MAX_COMPONENT_BYTES as u64 { None } else { fs::read(&path).ok().map(|it| Digest::of(&it)) };
                if digest.is_none() {
                    tracing::warn!("the component `{}` cannot be read, or is too large", text::path(&path));
                }
                seen.insert(path, Seen { bytes, modified, digest });
            }
        }
        seen.iter().filter_map(|(path, seen)| Some((seen.digest?, path.clone()))).collect()
    }
}

type File = (PathBuf, u64, Option<SystemTime>);

fn files(folder: &Path) -> std::io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Through symbolic links: a ConfigMap's files are some.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if path.extension().is_some_and(|extension| extension == "wasm") && metadata.is_file() {
            files.push((path, metadata.len(), metadata.modified().ok()));
        }
        if files.len() > MAX_FILES {
            tracing::warn!("the folder of queries `{}` has more than {MAX_FILES} components", text::path(folder));
            break;
        }
    }
    Ok(files)
}

/// The bytes of a component that was found before, if they are still the same.
pub(super) fn read(path: &Path, digest: Digest) -> Result<Vec<u8>, Error> {
    let unreadable = || Error::new(Kind::Component, format!("the component `{}` cannot be read", text::path(path)));
    let bytes = fs::read(path).map_err(|error| unreadable().because(error))?;
    if Digest::of(&bytes) != digest {
        return Err(Error::new(Kind::Component, format!("the component `{}` is being replaced", text::path(path))));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_by_digest_and_read_again_once_they_change() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.wasm"), "a").unwrap();
        fs::write(folder.path().join("b.txt"), "b").unwrap();
        fs::create_dir(folder.path().join("c.wasm")).unwrap();
        let found = Folder::new(folder.path().to_owned());
        let path = folder.path().join("a.wasm");
        assert_eq!(found.scan(), [(Digest::of(b"a"), path.clone())].into());
        assert_eq!(read(&path, Digest::of(b"a")).unwrap(), b"a");
        fs::write(&path, "other").unwrap();
        assert_eq!(found.scan(), [(Digest::of(b"other"), path.clone())].into());
        read(&path, Digest::of(b"a")).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert_eq!(found.scan(), HashMap::new());
    }
}
