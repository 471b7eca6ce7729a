//! From a folder that was named to the cases in it, and the component that they are for.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::super::builtin;
use super::super::project::Project;
use super::super::shell;
use super::{case, stale};
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
    /// What to say of a component that may not be what the sources would give.
    pub(super) stale: Option<String>,
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
            cases if cases.is_dir() => {
                // Cases are shown, and who wrote them chose where this leads.
                if !fs::canonicalize(&cases).map_err(unreadable)?.starts_with(&whole) {
                    return Err(wrong(format!("`{}` leads out of the query's folder", text::path(&cases)))
                        .hint("give the folder that it leads to, with `--component`"));
                }
                (whole.as_path(), cases)
            }
            _ => (whole.parent().unwrap_or(&whole), path.to_owned()),
        };
        let all = cases(&cases_path).map_err(unreadable)?;
        // In the folder of a query, one without settings is a case, too: that they are missing is to be told.
        let has_some = all.iter().any(|case| project == whole || cases_path.join(case).join(case::SETTINGS).exists());
        if !has_some {
            return Err(wrong(format!("`{name}` has no test case"))
                .hint(format!("give a query's folder with `{CASES}/CASE/{}` in it, or its folder `{CASES}`", case::SETTINGS)));
        }
        let Component { component, name: component_name, stale } = match component {
            Some(given) => Component { component: given.to_owned(), name: text::visible(given), stale: None },
            None => Component::of(project, path)?,
        };
        let cases: Vec<_> = all.into_iter().filter(|case| format!("{}/{case}", path.display()).contains(filter)).collect();
        if cases.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { name, path: cases_path, component, component_name, stale, cases }))
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

/// The component of a folder.
struct Component {
    /// What to load, and how it is called to a person.
    component: String,
    name: String,
    stale: Option<String>,
}

impl Component {
    /// What was built of the project; where the folder has no project, the query of its name that comes with podlens. A project whose
    /// component is not there must not pass by that of another.
    fn of(folder: &Path, given: &Path) -> Result<Self, Error> {
        let missing =
            || Error::new(Kind::Component, format!("there is no component for the test cases in `{}`", text::path(given)));
        let Some(project) = Project::look(folder)? else {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            builtin::query(name).ok_or_else(|| missing().hint("name it with `--component`"))?;
            return Ok(Self { component: name.to_owned(), name: format!("`{name}`, which comes with podlens"), stale: None });
        };
        let build = shell::command(["podlens", "build", &shell::path(&project.folder)]);
        let build = build.unwrap_or_else(|_| "podlens build DIR".to_owned());
        if !project.component.is_file() {
            return Err(missing().hint(format!(
                "`{}` is not there: build it with `{build}`, or name another with `--component`",
                text::path(&project.component)
            )));
        }
        let file = project.component.file_name().map_or_else(String::new, |name| text::visible(&name.to_string_lossy()));
        let stale = stale::newer_source(&project).map(|source| {
            let source = text::path(source.strip_prefix(&project.folder).unwrap_or(&source));
            format!("warning: `{source}` is newer than `{file}`, which is tested all the same: build it again with `{build}`")
        });
        Ok(Self { component: project.component.to_string_lossy().into_owned(), name: file, stale })
    }
}
