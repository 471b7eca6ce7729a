//! `podlens new` and `podlens build`, as far as they need none of the languages' tools; the lane `languages` builds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use podlens_tests::program::{self, Done};

use crate::arrange::Place;
use crate::guests;

fn new(place: &Place, arguments: &[&str]) -> Done {
    program::run(program::command().arg("new").args(arguments).current_dir(place.path()))
}

/// `podlens build` of the folder `q`, where no tool is installed but those of the folder `tools`.
fn build(place: &Place, arguments: &[&str]) -> Done {
    let mut command = program::command();
    command.env("PATH", place.path().join("tools")).args(["build", "q"]).args(arguments).current_dir(place.path());
    place.run(&mut command)
}

/// A file, and its folder.
fn write(place: &Place, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let folder = place.path().join(name);
    fs::create_dir_all(folder.parent().expect("it is in the test's folder")).expect("a temporary folder can be written");
    place.write(name, text)
}

/// A tool that does what a script says.
fn tool(place: &Place, name: &str, script: &str) {
    let path = write(place, &format!("tools/{name}"), format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be read").file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().expect("it is text")).collect();
    names.sort();
    names
}

#[test]
fn a_new_query_is_a_folder_of_its_name() {
    for (language, flags, manifest) in [
        ("Rust", &[][..], "Cargo.toml"),
        ("JavaScript", &["--lang", "javascript"], "package.json"),
        ("Python", &["--lang", "python"], "pyproject.toml"),
    ] {
        let place = Place::empty();
        fs::create_dir(place.path().join("mine")).expect("it can be made");
        let done = new(&place, &[&["mine"], flags].concat());
        let next = format!("`mine` is a query in {language}. Next:\n  cd mine\n  podlens build\n  podlens test .\n");
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, next.as_str(), ""));
        assert_eq!(names(place.path()), ["mine"], "nothing else is left");
        for file in [manifest, "README.md", "test/two-pods/case.yaml"] {
            assert!(place.path().join("mine").join(file).is_file(), "{file}");
        }
        let tested = program::run(program::command().args(["test", "mine"]).current_dir(place.path()));
        assert_eq!(tested.code, 6);
        assert!(tested.stderr.contains("/mine/mine.wasm` is not there: build it with `podlens build "), "{}", tested.stderr);
    }
}

#[test]
fn nothing_is_overwritten_and_a_name_is_checked() {
    let place = Place::empty();
    write(&place, "a-file", "mine");
    write(&place, "a-folder/of-mine", "mine");
    for name in ["a-file", "a-folder"] {
        let done = new(&place, &[name]);
        let told = format!("error: `{name}` exists already, and nothing is overwritten\nhint: give another name, or remove it\n");
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (2, "", told.as_str()));
    }
    for (arguments, told) in [
        (&["../x"][..], "`../x` is no name for a query"),
        (&["A"], "such as `oom-kills`"),
        (&["fn"], "Rust's tools keep it for themselves"),
        (&["restarts"], "`restarts` comes with podlens"),
        (&["x", "--lang", "cobol"], "cobol"),
    ] {
        let done = new(&place, arguments);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(done.stderr.contains(told), "{}", done.stderr);
    }
    assert_eq!(names(place.path()), ["a-file", "a-folder"]);
    assert_eq!(names(&place.path().join("a-folder")), ["of-mine"]);
}

#[test]
fn what_is_no_project_is_not_built() {
    let place = Place::empty();
    fs::create_dir(place.path().join("q")).expect("it can be made");
    let check = |code, told: &str| {
        let done = build(&place, &[]);
        assert_eq!((done.code, done.stdout.as_str()), (code, ""));
        assert!(done.stderr.contains(told), "{told} is not in {}", done.stderr);
    };
    check(2, "error: `q` is not the folder of a query's project\n");
    write(&place, "q/Cargo.toml", "[package]\nname = \"../q\"");
    check(2, "error: `q/Cargo.toml` names the project `../q`\n");
    write(&place, "q/Cargo.toml", "\n".repeat((1 << 20) + 1));
    check(2, "error: `q/Cargo.toml` cannot be read\n  caused by: it has more than 1 MiB\n");
    write(&place, "q/package.json", "{}");
    check(2, "error: `q` has `Cargo.toml` and `package.json`\n");
}

#[test]
fn a_tool_that_is_missing_is_told() {
    let lock = ("package-lock.json", "{}");
    let python = ("pyproject.toml", "[project]\nname = \"q\"");
    for (files, told) in [
        (&[("Cargo.toml", "[package]\nname = \"q\"")][..], "error: `rustc` is not installed\nhint: install Rust with rustup"),
        (&[("package.json", r#"{"name": "q"}"#)], "error: the project has no `package-lock.json`\n"),
        (&[("package.json", r#"{"name": "q"}"#), lock], "error: `npm` is not installed\nhint: install Node.js"),
        (&[python], "error: the project's `requirements.txt` cannot be read\n"),
        (&[python, ("requirements.txt", "")], "error: `python3` is not installed\nhint: install Python"),
    ] {
        let place = Place::empty();
        for (name, text) in files {
            write(&place, &format!("q/{name}"), text);
        }
        write(&place, "q/q.wasm", "older");
        let done = build(&place, &[]);
        assert_eq!((done.code, done.stdout.as_str()), (1, ""));
        assert!(done.stderr.contains(told), "{told} is not in {}", done.stderr);
        assert_eq!(fs::read_to_string(place.path().join("q/q.wasm")).expect("it stays"), "older");
    }
}

#[test]
fn an_older_component_stays_until_there_is_a_new_one() {
    let place = Place::empty();
    write(&place, "q/package.json", r#"{"name": "q"}"#);
    write(&place, "q/package-lock.json", "{}");
    let component = write(&place, "q/q.wasm", "older");
    // The project's script `build`; to install, nothing is done.
    let npm = |script: &str| tool(&place, "npm", &format!("test \"$1\" = run || exit 0\n{script}"));
    let older = || fs::read_to_string(&component).is_ok_and(|text| text == "older");
    for (script, code, told) in [
        ("exit 1", 1, "error: `npm` failed: exit status: 1\n"),
        ("rm -f q.wasm", 1, "error: the script `build` left no component at `q/q.wasm`\n"),
        ("echo none > q.wasm", 6, "error: what was built of `q` is no query\n"),
    ] {
        npm(script);
        let done = build(&place, &[]);
        assert_eq!((done.code, done.stdout.as_str()), (code, ""), "{script}: {}", done.stderr);
        assert!(done.stderr.contains(told) && older(), "{script}: {}", done.stderr);
    }
    // A good one goes where it is asked for, and there alone.
    npm(&format!("cp {} q.wasm", guests::ASKS));
    let done = build(&place, &["-o", "there.wasm"]);
    assert!(done.code == 0 && done.stdout.starts_with("there.wasm: `Asks`, "), "{done:?}");
    assert!(older() && fs::read(place.path().join("there.wasm")).ok() == fs::read(guests::ASKS).ok());
    let done = build(&place, &[]);
    assert!(done.code == 0 && !older(), "{done:?}");
    assert_eq!(names(&place.path().join("q")), ["package-lock.json", "package.json", "q.wasm"], "nothing else is left");
    assert_eq!(names(place.path()), ["q", "there.wasm", "tools"]);
}

#[test]
fn an_environment_is_made_anew_where_the_requirements_changed() {
    let place = Place::empty();
    write(&place, "q/pyproject.toml", "[project]\nname = \"q\"");
    let required = write(&place, "q/requirements.txt", "one\n");
    // Its environment has a Python that installs, and a compiler that copies a component to where it is told to.
    let script = format!(
        "test \"$*\" = '-m venv --clear .venv' || exit 9; rm -rf .venv; mkdir -p .venv/bin; \
         printf '#!/bin/sh\\nexit 0\\n' > .venv/bin/python; \
         printf '#!/bin/sh\\nfor last; do true; done\\nexec /bin/cp {} \"$last\"\\n' > .venv/bin/componentize-py; chmod +x .venv/bin/*",
        guests::ASKS
    );
    tool(&place, "python3", &script);
    let made = || build(&place, &[]).stderr.contains("$ python3 -m venv --clear .venv\n");
    assert!(made(), "there is none");
    fs::write(place.path().join("q/.venv/of-before"), "").expect("it can be written");
    assert!(!made(), "nothing changed");
    assert!(place.path().join("q/.venv/of-before").exists());
    fs::write(required, "two\n").expect("it can be written");
    assert!(made(), "the requirements changed");
    assert!(!place.path().join("q/.venv/of-before").exists());
}
