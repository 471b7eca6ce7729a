//! Pods from files: one, standard input, or all below a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::file;
use crate::error::{Error, Kind};
use crate::kube::{Manifest, ManifestError, ReadPod};
use crate::source::Recording;
use crate::text;

/// Longest text that is read, of all files together. Arbitrary: 200,000 pods as kubectl writes them; bounds memory.
const MAX_BYTES: u64 = 4 << 30;
/// Most files of a folder. A must-gather of a large cluster has some 100,000; arbitrary, bounds the work on a folder that was not meant.
const MAX_FILES: usize = 500_000;
/// Deepest folder. Arbitrary; must-gather nests eight.
const MAX_DEPTH: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) pods: Vec<ReadPod>,
    pub(super) warnings: Vec<String>,
    bytes: u64,
}

/// Reads what each of `paths` names. `objects`: keep whole objects.
pub(super) fn read(paths: &[PathBuf], objects: bool) -> Result<Found, Error> {
    let mut found = Found::default();
    for path in paths {
        if path.as_os_str() == "-" {
            found.add(&mut io::stdin().lock(), objects).map_err(|error| failed("standard input", error))?;
        } else if path.is_dir() {
            found.add_folder(path, objects)?;
        } else {
            found.add_file(path, objects).map_err(|error| failed(&format!("`{}`", text::path(path)), error))?;
        }
    }
    Ok(found)
}

fn failed(what: &str, error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::new(Kind::InvalidArgument, format!("the pods of {what} cannot be read"))
        .because(error)
        .hint("give what `kubectl get pods -o json` or `-o yaml` writes, or a folder of such files")
}

/// A recording is JSON, too, and has pods in it.
fn wrong(text: &[u8], error: ManifestError) -> Box<dyn std::error::Error + Send + Sync> {
    let is_recording = str::from_utf8(text).is_ok_and(|text| Recording::parse(text).is_ok());
    if is_recording { "it is a recording: give it as `--replay`".into() } else { error.into() }
}

impl Found {
    fn add_file(&mut self, path: &Path, objects: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.add(&mut File::open(path)?, objects)
    }

    fn add(&mut self, reader: &mut dyn Read, objects: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let text = file::read_at_most(reader, MAX_BYTES - self.bytes)?
            .ok_or_else(|| format!("there are more than {MAX_BYTES} bytes of pods"))?;
        self.bytes += text.len() as u64;
        let mut manifest = Manifest::parse(&text, objects).map_err(|error| wrong(&text, error))?;
        if manifest.pods.is_empty() && manifest.lists == 0 && manifest.others == 0 {
            return Err("it has no Kubernetes object".into());
        }
        self.pods.append(&mut manifest.pods);
        Ok(())
    }

    /// Reads every file below a folder whose name ends as JSON and YAML do, by name. Dumps have others among them, and broken ones: those
    /// are told, and passed over.
    fn add_folder(&mut self, folder: &Path, objects: bool) -> Result<(), Error> {
        let mut files = Vec::new();
        collect(folder, 0, &mut files)?;
        let mut read = 0;
        for path in &files {
            match self.add_file(path, objects) {
                Ok(()) => read += 1,
                Err(error) => self.warnings.push(format!("`{}` is passed over: {error}", text::path(path))),
            }
        }
        if read == 0 {
            let message = format!("no file below `{}` has Kubernetes objects", text::path(folder));
            let error = Error::new(Kind::InvalidArgument, message);
            return Err(match self.warnings.first() {
                Some(warning) => error.because(warning.clone()),
                None => error.hint("files of objects end with `.json`, `.yaml` or `.yml`"),
            });
        }
        Ok(())
    }
}

/// Links are not followed: a dump that somebody else made may point anywhere.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |error: io::Error| {
        Error::new(Kind::InvalidArgument, format!("the folder `{}` cannot be read", text::path(folder))).because(error)
    };
    if depth > MAX_DEPTH || files.len() > MAX_FILES {
        let message = format!("`{}` is too large: {MAX_FILES} files, {MAX_DEPTH} folders deep, are read", text::path(folder));
        return Err(Error::new(Kind::InvalidArgument, message));
    }
    let mut entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if kind.is_file() && matches!(ending, "json" | "yaml" | "yml") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "{kind: Pod, apiVersion: v1, metadata: {name: NAME, namespace: shop}}";

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn names(found: &Found) -> Vec<&str> {
        found.pods.iter().map(|read| read.name()).collect()
    }

    #[test]
    fn a_folder_is_read_as_must_gather_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "namespaces/shop/core/pods.yaml", &POD.replace("NAME", "a"));
        write(folder.path(), "namespaces/shop/pods/b/b.yaml", &POD.replace("NAME", "b"));
        write(folder.path(), "namespaces/shop/core/services.json", r#"{"kind":"ServiceList","apiVersion":"v1","items":[]}"#);
        write(folder.path(), "namespaces/shop/pods/b/logs/current.log", "not read");
        write(folder.path(), "broken.yaml", "a: [");
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
        let found = read(&[folder.path().to_owned()], false).unwrap();
        assert_eq!(names(&found), ["a", "b"]);
        assert_eq!(found.warnings.len(), 1);
        assert!(found.warnings[0].contains("broken.yaml` is passed over: it is not well-formed YAML"), "{:?}", found.warnings);
    }

    #[test]
    fn a_file_that_is_named_has_to_be_good() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "broken.yaml", "a: [");
        write(folder.path(), "good.json", &POD.replace("NAME", "a"));
        assert!(read(&[folder.path().join("broken.yaml")], false).unwrap_err().is_invalid_argument());
        assert!(read(&[folder.path().join("missing.yaml")], false).unwrap_err().is_invalid_argument());
        let twice = [folder.path().join("good.json"), folder.path().join("good.json")];
        assert_eq!(names(&read(&twice, false).unwrap()), ["a", "a"]);
        write(folder.path(), "empty/notes.txt", "");
        let error = read(&[folder.path().join("empty")], false).unwrap_err();
        assert!(error.to_string().starts_with("no file below `"), "{error}");
    }
}
