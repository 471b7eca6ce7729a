//! Projects, and their components: built by `podlens build`, once for all tests.
//!
//! All of it is in `languages/` of the target folder, where the next run finds what its package managers installed: hundreds of
//! megabytes, of which there is one copy for each language.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use podlens_tests::program::{self, Done};

/// What is not in Rust.
pub(crate) const LANGUAGES: [&str; 2] = ["javascript", "python"];

/// Builds are long, each takes every processor, and they share what is installed: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn one_at_a_time() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder of this lane.
pub(crate) fn folder() -> PathBuf {
    // The binary lies in TARGET_DIR/PROFILE.
    let target = program::podlens().ancestors().nth(2).expect("the binary lies two folders below the target folder");
    target.join("languages")
}

/// Where this lane keeps compiled components.
pub(crate) fn cache() -> PathBuf {
    folder().join("cache")
}

/// The component of an example in Rust, which the build of the binary made.
pub(crate) fn in_rust(query: &str) -> PathBuf {
    let target = program::podlens().ancestors().nth(2).expect("the binary lies two folders below the target folder");
    target.join("wasm/wasm32-wasip2/guest").join(query.replace('-', "_")).with_extension("wasm")
}

/// `podlens`, with the tools of this machine and nothing of its clusters.
pub(crate) fn podlens() -> Command {
    need_tools();
    let mut command = Command::new(program::podlens());
    for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
        command.env_remove(name);
    }
    command.env("PODLENS_CACHE_DIR", cache());
    // One for all Rust projects, so that their dependencies are built once.
    command.env("CARGO_TARGET_DIR", folder().join("rust-target"));
    command
}

fn need_tools() {
    for (tool, argument, get_it) in [
        ("node", "--version", "install Node.js 20 or later, with npm"),
        ("npm", "--version", "install npm, which comes with Node.js"),
        ("python3", "--version", "install Python 3.10 or later, with its modules venv and pip"),
    ] {
        let found = Command::new(tool).arg(argument).output().is_ok_and(|output| output.status.success());
        assert!(found, "the languages lane needs `{tool}`: {get_it}; or run another lane, such as `tests/run fast`");
    }
}

/// The component of an example in JavaScript or Python.
pub(crate) fn example(query: &str, language: &str) -> PathBuf {
    let _alone = one_at_a_time();
    built_example(query, language)
}

fn built_example(query: &str, language: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let place = folder();
    copy(&root.join("wit"), &place.join("wit"));
    let sources = Path::new("guest/queries").join(query).join(language);
    let project = place.join(&sources);
    copy(&root.join(&sources), &project);
    let component = project.join(query).with_extension("wasm");
    if !is_newer_than_all(&component, &[&project, &place.join("wit"), program::podlens()]) {
        build(&project);
    }
    component
}

/// A new project with this name.
pub(crate) fn new(name: &str, flags: &[&str]) -> PathBuf {
    new_in("new", name, flags)
}

/// A new project with this name, in a folder of this lane's.
pub(crate) fn new_in(place: &str, name: &str, flags: &[&str]) -> PathBuf {
    let place = folder().join(place);
    fs::create_dir_all(&place).expect("the target folder can be written");
    let project = place.join(name);
    if project.exists() {
        fs::remove_dir_all(&project).expect("the target folder can be written");
    }
    let done = program::run(podlens().args(["new", name]).args(flags).current_dir(&place));
    assert_eq!(done.code, 0, "{}", done.stderr);
    project
}

/// The component of `workout/query.js` or `workout/query.py`, in a new project.
pub(crate) fn workout(language: &str) -> PathBuf {
    let project = new(&format!("workout-{language}"), &["--lang", language]);
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("languages/workout"), &project);
    build_alone(&project);
    project.join(format!("workout-{language}.wasm"))
}

/// Builds a project, and returns what was said.
pub(crate) fn build_alone(project: &Path) -> Done {
    let _alone = one_at_a_time();
    build(project)
}

/// Builds a new project as its user does, with all of it installed from what the project itself pins.
pub(crate) fn build_as_it_is(project: &Path) -> Done {
    let _alone = one_at_a_time();
    build_with_what_is_there(project)
}

fn build(project: &Path) -> Done {
    share_what_is_installed(project);
    build_with_what_is_there(project)
}

fn build_with_what_is_there(project: &Path) -> Done {
    let done = program::run(podlens().arg("build").arg(project));
    assert_eq!(done.code, 0, "{}\n{}{}", project.display(), done.stdout, done.stderr);
    done
}

/// Lets all projects of a language have the `node_modules`, or `.venv`, of its first one: they pin the same versions.
fn share_what_is_installed(project: &Path) {
    for (language, pins, installed) in
        [("javascript", "package-lock.json", "node_modules"), ("python", "requirements.txt", ".venv")]
    {
        let first = folder().join("guest/queries/pod-names").join(language);
        if !project.join(pins).exists() || *project == first {
            continue;
        }
        built_example("pod-names", language);
        if fs::symlink_metadata(project.join(installed)).is_err() {
            symlink(first.join(installed), project.join(installed)).expect("the target folder can be written");
        }
        // Older than what is installed.
        let pins = fs::File::options().append(true).open(project.join(pins)).expect("it is there");
        pins.set_modified(SystemTime::UNIX_EPOCH).expect("a time can be set");
    }
}

/// Copies the files of a folder that changed: the times of the others tell the tools that nothing did.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target folder can be written");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("an entry has a name");
        // What somebody installed or built in there is not part of it.
        if !path.is_file() || path.extension().is_some_and(|extension| extension == "wasm") {
            continue;
        }
        let text = fs::read(&path).expect("a source can be read");
        if fs::read(to.join(name)).is_ok_and(|there| there == text) {
            continue;
        }
        fs::write(to.join(name), text).expect("the target folder can be written");
    }
}

/// Whether `component` was built after the last change to each of these files, and of the files in these folders.
fn is_newer_than_all(component: &Path, sources: &[&Path]) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = changed(component) else { return false };
    let files = sources.iter().flat_map(|source| match fs::read_dir(source) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file() && path != component).collect(),
        Err(_) => vec![source.to_path_buf()],
    });
    files.into_iter().all(|file| changed(&file).is_some_and(|changed| changed <= built))
}
