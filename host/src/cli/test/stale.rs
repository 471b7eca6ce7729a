//! Whether a project's component is older than what it is built of.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::project::Project;

/// Folders of which nothing goes into a component: what tools install and build, and the test cases.
const NO_SOURCES: [&str; 4] = ["target", "node_modules", "__pycache__", "test"];
/// Endings of files that are none: components, and what people read.
const NO_SOURCE: [&str; 2] = ["wasm", "md"];
/// Most entries that are looked at, and how deep. Arbitrary; a query has a few files.
const MAX_ENTRIES: usize = 10_000;
const MAX_DEPTH: usize = 8;

/// A file of the project that changed after its component was built, if there is one: the manifest, sources, the contract.
///
/// What is behind a symlink, or outside of the folder, is not looked at.
pub(super) fn newer_source(project: &Project) -> Option<PathBuf> {
    let built = fs::metadata(&project.component).and_then(|metadata| metadata.modified()).ok()?;
    newer(&project.folder, built, MAX_DEPTH, &mut { MAX_ENTRIES })
}

fn newer(folder: &Path, built: SystemTime, depth: usize, entries_left: &mut usize) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        *entries_left = entries_left.checked_sub(1)?;
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(metadata) = entry.metadata() else { continue };
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        let found = if is_hidden {
            None
        } else if metadata.is_dir() {
            let has_sources = depth > 0 && !NO_SOURCES.iter().any(|folder| name == *folder);
            has_sources.then(|| newer(&path, built, depth - 1, entries_left)).flatten()
        } else {
            let is_source = metadata.is_file() && !path.extension().is_some_and(|ending| NO_SOURCE.iter().any(|it| ending == *it));
            (is_source && metadata.modified().is_ok_and(|changed| changed > built)).then_some(path)
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
