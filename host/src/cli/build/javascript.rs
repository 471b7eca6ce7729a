//! A query in JavaScript: npm installs what its lock file says, and runs its script `build`, which writes `NAME.wasm`.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::failed;
use super::tool::Tool;
use crate::cli::component;
use crate::cli::project::Project;
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
    npm().args(["run", "--silent", "build"]).run().await?;
    let path = text::path(&project.component);
    component::read(&project.component).map_err(|error| {
        failed(format!("the script `build` left no component at `{path}`"))
            .because(error)
            .hint("`podlens build` and `podlens test` look for it there: NAME.wasm, by the name in `package.json`")
    })
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
