//! A new user: `podlens new`, `podlens build`, and the query answers.

use std::fs;
use std::path::Path;

use podlens_tests::program::{self, Done};

use crate::projects;

/// `podlens new` in this folder.
fn new(folder: &Path, arguments: &[&str]) -> Done {
    program::run(projects::podlens().arg("new").args(arguments).current_dir(folder))
}

#[test]
fn a_new_query_builds_and_passes_its_test() {
    for (language, flags) in [("rust", &[][..]), ("javascript", &["--lang", "javascript"]), ("python", &["--lang", "python"])] {
        let project = projects::new(&format!("new-{language}"), flags);
        let built = projects::build_as_it_is(&project);
        let component = project.join(format!("new-{language}.wasm"));
        let shown = component.display();
        assert!(built.stdout.starts_with(&format!("{shown}: `Pod names`, ")), "{}", built.stdout);
        assert!(built.stdout.contains(&format!("run it:   podlens run {shown} -A\n")), "{}", built.stdout);
        assert!(built.stdout.contains(&format!("test it:  podlens test {}\n", project.display())), "{}", built.stdout);

        let tested = program::run(projects::podlens().args(["test", "."]).current_dir(&project));
        assert_eq!(tested.code, 0, "{language}: {}{}", tested.stdout, tested.stderr);
        assert!(tested.stdout.contains("1 test case: 1 passed"), "{language}: {}", tested.stdout);

        // Hundreds of megabytes that no other test needs.
        let installed = match language {
            "javascript" => "node_modules",
            "python" => ".venv",
            _ => continue,
        };
        let installed = project.join(installed);
        assert!(installed.symlink_metadata().is_ok_and(|it| it.is_dir()), "{} is the project's own", installed.display());
        fs::remove_dir_all(installed).expect("the target folder can be written");
    }
}

#[test]
fn nothing_is_overwritten_and_a_name_is_checked() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let place = place.path();
    fs::write(place.join("a-file"), "mine").expect("it can be written");
    fs::create_dir_all(place.join("a-folder/of-mine")).expect("it can be made");
    fs::create_dir(place.join("empty")).expect("it can be made");
    for name in ["a-file", "a-folder"] {
        let done = new(place, &[name]);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{}", done.stderr);
        assert_eq!(
            done.stderr,
            format!("error: `{name}` exists already, and nothing is overwritten\nhint: give another name, or remove it\n")
        );
    }
    for (arguments, word) in [
        (&["../x"][..], "`../x` is no name"),
        (&["A"], "such as `oom-kills`"),
        (&["fn"], "Rust"),
        (&["x", "--lang", "cobol"], "cobol"),
    ] {
        let done = new(place, arguments);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains(word), "{}", done.stderr);
    }
    let done = new(place, &["empty", "--lang", "python"]);
    assert_eq!(
        done.stdout, "`empty` is a query in Python. Next:\n  cd empty\n  podlens build\n  podlens test .\n",
        "{}",
        done.stderr
    );
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));

    let mut left: Vec<_> =
        fs::read_dir(place).expect("it can be read").map(|entry| entry.expect("it is there").file_name()).collect();
    left.sort();
    assert_eq!(left, ["a-file", "a-folder", "empty"], "nothing unfinished is left");
    assert_eq!(fs::read_dir(place.join("a-folder")).expect("it can be read").count(), 1);
}

#[test]
fn what_cannot_be_built_is_told() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir_in(place.path()).expect("a temporary folder can be made").keep();
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("it can be written");
        }
        folder
    };
    // An npm whose script builds nothing, one that builds no query, and tools that fail or are missing.
    let package = |script: &str| format!(r#"{{ "name": "q", "version": "0.1.0", "scripts": {{ "build": "{script}" }} }}"#);
    let lock =
        r#"{ "name": "q", "version": "0.1.0", "lockfileVersion": 3, "packages": { "": { "name": "q", "version": "0.1.0" } } }"#;
    for (files, code, words) in [
        (&[("README.md", "")][..], 2, &["is not the folder of a query's project", "podlens new"][..]),
        (&[("package.json", &*package("true"))], 1, &["has no `package-lock.json`"]),
        (&[("package.json", &package("true")), ("package-lock.json", lock)], 1, &["the script `build` left no component"]),
        (&[("package.json", &package("exit 3")), ("package-lock.json", lock)], 1, &["`npm` failed: exit status: 3"]),
        (&[("package.json", &package("echo x > q.wasm")), ("package-lock.json", lock)], 6, &["is no query"]),
        (&[("pyproject.toml", "[project]\nname = \"q\"")], 1, &["`requirements.txt` cannot be read"]),
        (&[("Cargo.toml", "[package]\nname = \"q\"")], 1, &["`cargo` failed"]),
    ] {
        let project = folder(files);
        // What was built before stays, whatever becomes of this build.
        fs::write(project.join("q.wasm"), "older").expect("it can be written");
        let done = program::run(projects::podlens().arg("build").arg(&project));
        assert_eq!((done.code, done.stdout.as_str()), (code, ""), "{files:?}: {}", done.stderr);
        assert!(words.iter().all(|word| done.stderr.contains(word)), "{files:?}: {}", done.stderr);
        let left = fs::read_to_string(project.join("q.wasm")).expect("it is still there");
        assert_eq!(left, "older", "{files:?}");
    }
    let project = folder(&[("package.json", &package("true")), ("package-lock.json", lock)]);
    let done = program::run(projects::podlens().arg("build").arg(&project).env("PATH", "/nonexistent"));
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("error: `npm` is not installed\nhint: install Node.js"), "{}", done.stderr);
}
