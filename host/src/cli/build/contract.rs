//! The contract as a project's own modules use it: without those methods of a pod that none of them names. Of a component that cannot
//! call them, podlens asks the cluster for metadata only, and `podlens inspect` tells what it can read.
//!
//! Only for queries in Python: those in Rust import no more than they call, and those in JavaScript are built by a script of their own.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// What a pod has besides its metadata.
const DETAILS: [&str; 4] = ["spec", "status", "health", "object"];

/// Where in the contract they are.
const PODS: &str = "pods.wit";

/// The SDK's module, which calls none of them whatever its documentation says.
const SDK: &str = "podlens.py";

/// A copy of the contract in the folder `wit`, for the modules in `project`.
pub(super) fn narrowed(wit: &Path, project: &Path) -> io::Result<TempDir> {
    let copy = tempfile::Builder::new().prefix("podlens-").tempdir()?;
    copy_folder(wit, copy.path())?;
    let mut texts = Vec::new();
    read_modules(project, &mut texts)?;
    let unnamed = DETAILS.into_iter().filter(|word| !texts.iter().any(|text| has_word(text, word))).collect::<Vec<_>>();
    let pods = copy.path().join(PODS);
    match fs::read_to_string(&pods) {
        Ok(text) => fs::write(&pods, without(&text, &unnamed))?,
        // Another contract, which the tool has to judge.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&copy)?;
            copy_folder(&path, &copy)?;
        } else {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

/// The project's own modules. What is installed is in a folder whose name begins with a dot.
fn read_modules(folder: &Path, texts: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') {
                read_modules(&path, texts)?;
            }
        } else if name.ends_with(".py") && name != SDK {
            texts.push(String::from_utf8_lossy(&fs::read(&path)?).into_owned());
        }
    }
    Ok(())
}

/// Whether it is there by itself, be it in a comment.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|it: char| !it.is_alphanumeric() && it != '_').any(|found| found == word)
}

/// The interface without these methods, and what is written above each.
fn without(text: &str, methods: &[&str]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut above = String::new();
    for line in text.split_inclusive('\n') {
        let item = line.trim_start();
        if item.starts_with("///") || item.starts_with('@') {
            above += line;
            continue;
        }
        let is_one = |method: &&str| item.strip_prefix(*method).is_some_and(|rest| rest.starts_with(": func("));
        if !methods.iter().any(is_one) {
            kept += &above;
            kept += line;
        }
        above.clear();
    }
    kept + &above
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn contract() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")
    }

    /// The methods of a pod in the contract for a project with these files.
    fn methods(files: &[(&str, &str)]) -> Vec<String> {
        let project = tempfile::tempdir().expect("a temporary folder can be made");
        for (path, text) in files {
            let path = project.path().join(path);
            fs::create_dir_all(path.parent().expect("it is in the project")).expect("a temporary folder can be written");
            fs::write(path, text).expect("a temporary folder can be written");
        }
        let narrowed = narrowed(&contract(), project.path()).expect("the contract is there");
        let text = fs::read_to_string(narrowed.path().join(PODS)).expect("it was copied");
        let pod = text.split("resource pod {").nth(1).and_then(|rest| rest.split("\n  }").next()).expect("there are pods");
        let names = pod.lines().filter_map(|line| line.split_once(": func(")).map(|(name, _)| name.trim().to_owned());
        names.collect()
    }

    #[test]
    fn what_no_module_names_is_left_out() {
        let always = ["name", "namespace", "metadata"].as_slice();
        for (files, besides) in [
            (&[][..], &[][..]),
            (&[("query.py", "pod.name()")], &[]),
            (&[("query.py", "pod.status().phase")], &["status"]),
            (&[("query.py", "pod.health().ready")], &["health"]),
            (&[("query.py", "# its spec"), ("more/parts.py", "objects = pod.object()")], &["spec", "object"]),
            (&[("query.py", "statuses = pods(objects=True); my_spec = 1")], &[]),
            (&[("podlens.py", "spec status health object"), (".venv/lib/a.py", "spec"), ("status.txt", "status")], &[]),
        ] {
            assert_eq!(methods(files), [always, besides].concat(), "{files:?}");
        }
    }

    #[test]
    fn a_project_that_names_all_has_the_contract_as_it_is() {
        let text = fs::read_to_string(contract().join(PODS)).expect("it is in the repository");
        assert_eq!(without(&text, &[]), text);
        let less = without(&text, &DETAILS);
        let lines = |text: &str, start: &str| text.lines().filter(|line| line.trim_start().starts_with(start)).count();
        assert_eq!(lines(&text, "@since") - lines(&less, "@since"), DETAILS.len());
        assert!(!less.contains("Errors: `denied` if the `list` or `get` that gave this pod"));
    }
}
