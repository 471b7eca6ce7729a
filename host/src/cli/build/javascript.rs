//! A query in JavaScript: npm installs what its lock file says, and runs its script `build`, which writes `NAME.wasm`.

use std::path::Path;
use std::time::SystemTime;
use std::{fs, io};

use tempfile::TempPath;

use super::failed;
use super::tool::Tool;
use crate::cli::component;
use crate::cli::project::Project;
use crate::cli::report;
use crate::error::Error;
use crate::text;

const GET_NPM: &str = "install Node.js 20 or later, which has npm: https://nodejs.org";
const LOCK: &str = "package-lock.json";

pub(super) async fn build(project: &Project) -> Result<Vec<u8>, Error> {
    let npm = || Tool::new("npm", &project.folder, GET_NPM);
    if !project.folder.join(LOCK).exists() {
        return Err(failed(format!("the project has no `{LOCK}`"))
            .hint("it says which versions are built with: `npm install` writes it once, and it belongs to the sources"));
    }
    if is_stale(&project.folder) {
        npm().args(["ci", "--no-audit", "--no-fund"]).run().await?;
    }
    // An older component could be taken for what this build makes.
    let _older = Aside::put(&project.component)?;
    npm().args(["run", "--silent", "build"]).run().await?;
    let path = text::path(&project.component);
    component::read(&project.component).map_err(|error| {
        failed(format!("the script `build` left no component at `{path}`"))
            .because(error)
            .hint("`podlens build` and `podlens test` look for it there: NAME.wasm, by the name in `package.json`")
    })
}

/// A file that is out of the way of a tool that writes in its place. What was there comes back when this is dropped, or nothing if nothing
/// was.
struct Aside<'a> {
    path: &'a Path,
    kept: Option<TempPath>,
}

impl<'a> Aside<'a> {
    fn put(path: &'a Path) -> Result<Self, Error> {
        let put = || {
            if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                return Ok(None);
            }
            let folder = path.parent().unwrap_or(Path::new("."));
            let kept = tempfile::Builder::new().prefix(".podlens-").suffix(".wasm").tempfile_in(folder)?.into_temp_path();
            fs::rename(path, &kept).map(|()| Some(kept))
        };
        let kept = put().map_err(|error| failed(format!("`{}` cannot be put aside", text::path(path))).because(error))?;
        Ok(Self { path, kept })
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        let restored = match self.kept.take() {
            Some(kept) => kept.persist(self.path).map_err(|error| error.error),
            None => fs::remove_file(self.path),
        };
        if let Err(error) = restored
            && error.kind() != io::ErrorKind::NotFound
        {
            report::say(&format!("warning: `{}` is not what it was before: {error}", text::path(self.path)));
        }
    }
}

/// Whether what is installed is older than the lock file, or nothing is.
fn is_stale(folder: &Path) -> bool {
    let changed = |path| -> Option<SystemTime> { fs::metadata(folder.join(path)).ok()?.modified().ok() };
    // npm's own note of what it installed.
    let installed = changed("node_modules/.package-lock.json");
    installed.is_none() || installed < changed(LOCK)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_put_aside_comes_back() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("a.wasm");
        for before in [None, Some("older")] {
            if let Some(before) = before {
                fs::write(&path, before).expect("it can be written");
            }
            for made in [None, Some("newer")] {
                let aside = Aside::put(&path).expect("it can be moved");
                assert!(!path.exists());
                if let Some(made) = made {
                    fs::write(&path, made).expect("it can be written");
                }
                drop(aside);
                assert_eq!(fs::read_to_string(&path).ok().as_deref(), before);
                let entries = fs::read_dir(folder.path()).expect("it is there").count();
                assert_eq!(entries, usize::from(before.is_some()), "nothing else is left");
            }
        }
    }

    #[test]
    fn what_is_older_than_the_lock_file_is_stale() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let folder = folder.path();
        let lock = File::create(folder.join(LOCK)).expect("it can be written");
        assert!(is_stale(folder), "nothing is installed");
        fs::create_dir(folder.join("node_modules")).expect("it can be made");
        let installed = File::create(folder.join("node_modules/.package-lock.json")).expect("it can be written");
        let now = SystemTime::now();
        for (after, stale) in [(1, true), (0, false)] {
            lock.set_modified(now + Duration::from_secs(after)).expect("it can be set");
            installed.set_modified(now).expect("it can be set");
            assert_eq!(is_stale(folder), stale, "the lock file changed {after} s later");
        }
    }
}
