//! From a folder that was named to the cases in it, and the component that they are for.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::super::builtin;
use super::super::project::Project;
use super::case;
use crate::error::{Error, Kind};
use crate::text;

/// The folder of the cases in a query's folder.
const CASES: &str = "test";
/// Most cases of one folder. Arbitrary; bounds what is kept of a folder with many others in it.
const MAX_CASES: usize = 10_000;

/// Cases of one query.
pub(super) struct Folder {
    /// As it was named, fit to be shown.
    pub(super) name: String,
    /// Where the cases are.
    pub(super) path: PathBuf,
    /// What to load, and how it is called to a person.
    pub(super) component: String,
    pub(super) component_name: String,
    /// The names of the cases' folders that were asked for, in order.
    pub(super) cases: Vec<String>,
}

impl Folder {
    /// The cases in `path`, a query's folder or the folder of its cases; `None` if there are some, and `filter` leaves none.
    pub(super) fn find(path: &Path, component: Option<&str>, filter: &str) -> Result<Option<Self>, Error> {
        let name = text::path(path);
        let wrong = |message: String| Error::new(Kind::InvalidArgument, message);
        let unreadable = |error| wrong(format!("the folder `{name}` cannot be read")).because(error);
        // The names of `.` and `..` are known after this only.
        let whole = fs::canonicalize(path).map_err(unreadable)?;
        let (project, cases_path) = match path.join(CASES) {
            cases if cases.is_dir() => (whole.as_path(), cases),
            _ => (whole.parent().unwrap_or(&whole), path.to_owned()),
        };
        let all = cases(&cases_path).map_err(unreadable)?;
        // In the folder of a query, one without settings is a case, too: that they are missing is to be told.
        let has_some = all.iter().any(|case| project == whole || cases_path.join(case).join(case::SETTINGS).exists());
        if !has_some {
            return Err(wrong(format!("`{name}` has no test case"))
                .hint(format!("give a query's folder with `{CASES}/CASE/{}` in it, or its folder `{CASES}`", case::SETTINGS)));
        }
        let (component, component_name) = match component {
            Some(given) => (given.to_owned(), text::visible(given)),
            None => component_of(project, path)?,
        };
        let cases: Vec<_> = all.into_iter().filter(|case| format!("{}/{case}", path.display()).contains(filter)).collect();
        if cases.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { name, path: cases_path, component, component_name, cases }))
    }
}

/// The folders in the folder of the cases, by name.
fn cases(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") || !entry.path().is_dir() {
            continue;
        }
        let name = entry.file_name().into_string().map_err(|name| {
            io::Error::other(format!("the name of `{}` in it is not UTF-8", text::visible(&name.to_string_lossy())))
        })?;
        names.push(name);
        if names.len() > MAX_CASES {
            return Err(io::Error::other(format!("there are more than {MAX_CASES} folders in it")));
        }
    }
    names.sort();
    Ok(names)
}

/// What is built of the project, or else the query of the folder's name that comes with podlens.
fn component_of(project: &Path, given: &Path) -> Result<(String, String), Error> {
    let found = Project::find(project);
    if let Ok(project) = &found
        && project.component.is_file()
    {
        let path = project.component.to_string_lossy().into_owned();
        let file = project.component.file_name().map_or_else(String::new, |name| text::visible(&name.to_string_lossy()));
        return Ok((path, file));
    }
    let name = project.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if builtin::query(name).is_some() {
        return Ok((name.to_owned(), format!("`{name}`, which comes with podlens")));
    }
    let error = Error::new(Kind::Component, format!("there is no component for the test cases in `{}`", text::path(given)));
    Err(match found {
        Ok(project) => error.hint(format!(
            "`{}` is not there: build it with `podlens build`, or name another with `--component`",
            text::path(&project.component)
        )),
        Err(_) => error.hint("name it with `--component`"),
    })
}
