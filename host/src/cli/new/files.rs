//! The files of a new project. They are those of the example query `pod-names`, which is one, and of the SDK and the contract, as this
//! podlens was built from them; what is left is in `templates/`.

use super::manifest;
use crate::cli::project::Language;

/// What a new project is called until it is named.
const EXAMPLE: &str = "pod-names";

/// How a project in the repository finds the contract, and how one does that has it beside its sources.
const CONTRACT: (&str, &str) = ("../../../../wit", "wit");

/// A file, by its path in the project.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) text: String,
}

/// Its path in the project, its text.
type Source = (&'static str, &'static str);

macro_rules! repository {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $path))
    };
}

const RUST: &[Source] = &[
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml")),
    ("README.md", include_str!("templates/rust/README.md")),
    (".gitignore", include_str!("templates/rust/gitignore")),
    ("src/lib.rs", repository!("guest/queries/pod-names/src/lib.rs")),
];

const JAVASCRIPT: &[Source] = &[
    ("package.json", repository!("guest/queries/pod-names/javascript/package.json")),
    ("package-lock.json", repository!("guest/queries/pod-names/javascript/package-lock.json")),
    (".npmrc", repository!("guest/queries/pod-names/javascript/.npmrc")),
    ("README.md", include_str!("templates/javascript/README.md")),
    (".gitignore", repository!("guest/queries/pod-names/javascript/.gitignore")),
    ("query.js", repository!("guest/queries/pod-names/javascript/query.js")),
];

const PYTHON: &[Source] = &[
    ("pyproject.toml", repository!("guest/queries/pod-names/python/pyproject.toml")),
    ("requirements.txt", repository!("guest/queries/pod-names/python/requirements.txt")),
    ("README.md", include_str!("templates/python/README.md")),
    (".gitignore", repository!("guest/queries/pod-names/python/.gitignore")),
    ("query.py", repository!("guest/queries/pod-names/python/query.py")),
];

const TEST: &[Source] = &[
    ("test/two-pods/case.yaml", include_str!("templates/test/two-pods/case.yaml")),
    ("test/two-pods/pods.yaml", include_str!("templates/test/two-pods/pods.yaml")),
    ("test/two-pods/expected.json", include_str!("templates/test/two-pods/expected.json")),
];

const WIT: &[Source] = &[
    ("wit/world.wit", repository!("wit/world.wit")),
    ("wit/types.wit", repository!("wit/types.wit")),
    ("wit/pods.wit", repository!("wit/pods.wit")),
    ("wit/rows.wit", repository!("wit/rows.wit")),
];

/// The SDK for Rust, but for its manifest.
const RUST_SDK: &[Source] = &[
    ("podlens-guest/src/arguments.rs", repository!("guest/src/arguments.rs")),
    ("podlens-guest/src/bindings.rs", repository!("guest/src/bindings.rs")),
    ("podlens-guest/src/description.rs", repository!("guest/src/description.rs")),
    ("podlens-guest/src/error.rs", repository!("guest/src/error.rs")),
    ("podlens-guest/src/lib.rs", repository!("guest/src/lib.rs")),
    ("podlens-guest/src/pods.rs", repository!("guest/src/pods.rs")),
    ("podlens-guest/src/rows.rs", repository!("guest/src/rows.rs")),
];

const JAVASCRIPT_SDK: &[Source] = &[
    ("podlens.js", repository!("guest/javascript/podlens.js")),
    ("podlens.wit", repository!("guest/javascript/podlens.wit")),
    ("build.js", repository!("guest/javascript/build.js")),
];

const PYTHON_SDK: &[Source] = &[("podlens.py", repository!("guest/python/podlens.py"))];

/// The files of a project with this name.
pub(super) fn files(language: Language, name: &str) -> Result<Vec<File>, toml::de::Error> {
    let (sources, sdk) = match language {
        Language::Rust => (RUST, RUST_SDK),
        Language::JavaScript => (JAVASCRIPT, JAVASCRIPT_SDK),
        Language::Python => (PYTHON, PYTHON_SDK),
    };
    let named = |text: &str| text.replace(EXAMPLE, name).replace(CONTRACT.0, CONTRACT.1);
    let sources = sources.iter().chain(TEST).map(|(path, text)| File { path, text: named(text) });
    let as_they_are = sdk.iter().chain(WIT).map(|(path, text)| File { path, text: (*text).to_owned() });
    let mut files: Vec<_> = sources.chain(as_they_are).collect();
    if language == Language::Rust {
        let text = manifest::standalone(repository!("guest/Cargo.toml"), repository!("Cargo.toml"))?;
        files.push(File { path: "podlens-guest/Cargo.toml", text });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::cli::project::Project;

    #[test]
    fn the_sdk_and_the_contract_are_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (language, folder, place) in [
            (Language::Rust, "guest/src", "podlens-guest/src/"),
            (Language::JavaScript, "guest/javascript", ""),
            (Language::Python, "guest/python", ""),
            (Language::Rust, "wit", "wit/"),
            (Language::JavaScript, "wit", "wit/"),
            (Language::Python, "wit", "wit/"),
        ] {
            let files = files(language, "my-query").expect("the manifests are well-formed");
            for entry in fs::read_dir(root.join(folder)).expect("it is in the repository") {
                let path = entry.expect("the folder can be read").path();
                let name = path.file_name().expect("it is a file").to_string_lossy().into_owned();
                let Ok(text) = fs::read_to_string(&path) else { continue };
                let file = files.iter().find(|file| file.path == format!("{place}{name}"));
                assert_eq!(file.map(|file| file.text.as_str()), Some(text.as_str()), "{language}: {}", path.display());
            }
        }
    }

    #[test]
    fn the_examples_have_the_sdk_as_it_is() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/queries");
        for (example, sdk) in [
            ("pod-names/javascript", JAVASCRIPT_SDK),
            ("restarts/javascript", JAVASCRIPT_SDK),
            ("pod-names/python", PYTHON_SDK),
            ("restarts/python", PYTHON_SDK),
        ] {
            for (path, text) in sdk {
                let copy = fs::read_to_string(examples.join(example).join(path)).expect("the examples have all of it");
                assert!(copy == *text, "`{path}` of {example} is not that of guest/");
            }
        }
    }

    #[test]
    fn a_project_is_called_as_it_was_named_and_nothing_of_the_example_is_left() {
        for language in [Language::Rust, Language::JavaScript, Language::Python] {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let files = files(language, "my-query").expect("the manifests are well-formed");
            assert_eq!(files.iter().map(|file| file.path).collect::<BTreeSet<_>>().len(), files.len(), "no file comes twice");
            for file in &files {
                assert!(!file.text.contains(EXAMPLE) && !file.text.contains(CONTRACT.0), "{}", file.path);
            }
            let manifest = files.iter().find(|file| file.path == language.manifest()).expect("there is a manifest");
            fs::write(folder.path().join(manifest.path), &manifest.text).expect("a temporary folder can be written");
            let project = Project::find(folder.path()).expect("it is a project");
            assert_eq!((project.language, project.name.as_str()), (language, "my-query"));
        }
    }
}
