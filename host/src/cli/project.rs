//! A query's project: a folder with its sources. Which language it is written in, what it is called, and where `podlens build` leaves the
//! component, for all commands that are given such a folder. Building it is `build/`'s.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::file;
use crate::error::{Error, Kind};
use crate::text::{self, excerpt};

/// Most bytes of a project's file that is read here. Arbitrary; such a file has one or two thousand.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Most characters of a project's name: with its ending it is a file's name, of which file systems take 255 bytes.
const MAX_NAME_CHARACTERS: usize = 200;

/// A folder with the sources of one query.
///
/// The component that is built of it is always `FOLDER/NAME.wasm`, whatever its language.
#[derive(Debug)]
pub(in crate::cli) struct Project {
    pub(in crate::cli) folder: PathBuf,
    pub(in crate::cli) language: Language,
    /// As the language's own tools call it. It is fit to be a file's name.
    pub(in crate::cli) name: String,
    /// Where the component is once it is built.
    pub(in crate::cli) component: PathBuf,
    /// The text of its manifest.
    pub(in crate::cli) manifest: String,
}

/// What a query is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Language {
    Rust,
    #[value(name = "javascript")]
    JavaScript,
    Python,
}

impl Language {
    const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// The file that makes a folder a project of this language, and holds its name.
    pub(in crate::cli) fn manifest(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// The name that a manifest of this language holds, if it is one.
    fn name(self, manifest: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match self {
            Self::Rust => toml::from_str::<Cargo>(manifest)?.package.name,
            Self::JavaScript => {
                let name = serde_json::from_str::<Named>(manifest)?.name;
                // npm's scopes are not part of a file's name.
                name.rsplit('/').next().unwrap_or_default().to_owned()
            }
            Self::Python => toml::from_str::<PyProject>(manifest)?.project.name,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
        })
    }
}

#[derive(Deserialize)]
struct Cargo {
    package: Named,
}

#[derive(Deserialize)]
struct PyProject {
    project: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Project {
    /// The project in this folder, which has one.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`: the folder holds none, and else as [`look`](Self::look).
    pub(in crate::cli) fn find(folder: &Path) -> Result<Self, Error> {
        Self::look(folder)?.ok_or_else(|| {
            Error::new(Kind::InvalidArgument, format!("`{}` is not the folder of a query's project", text::path(folder)))
                .hint(format!("it has none of {}; `podlens new NAME` makes a project", manifests(&Language::ALL).join(", ")))
        })
    }

    /// The project in this folder, if there is one.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`: the folder holds several, or one whose manifest cannot be read.
    pub(in crate::cli) fn look(folder: &Path) -> Result<Option<Self>, Error> {
        // A manifest that leads nowhere is one that cannot be read.
        let has = |language: &Language| folder.join(language.manifest()).symlink_metadata().is_ok();
        let found: Vec<_> = Language::ALL.into_iter().filter(has).collect();
        let language = match found[..] {
            [] => return Ok(None),
            [language] => language,
            _ => {
                let message = format!("`{}` has {}", text::path(folder), manifests(&found).join(" and "));
                return Err(Error::new(Kind::InvalidArgument, message)
                    .hint("a query's project is written in one language: give each a folder of its own"));
            }
        };
        let manifest = folder.join(language.manifest());
        let unreadable = |message: &str| Error::new(Kind::InvalidArgument, format!("`{}` {message}", text::path(&manifest)));
        let text = read(&manifest).map_err(|error| unreadable("cannot be read").because(error))?;
        let name = language.name(&text).map_err(|error| unreadable("does not name a project").because(Cause(error.to_string())))?;
        if !is_file_name(&name) {
            return Err(unreadable(&format!("names the project `{}`", excerpt(&name)))
                .hint("a query's name has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit"));
        }
        let component = folder.join(format!("{name}.wasm"));
        Ok(Some(Self { folder: folder.to_owned(), language, name, component, manifest: text }))
    }
}

fn manifests(languages: &[Language]) -> Vec<String> {
    languages.iter().map(|language| format!("`{}`", language.manifest())).collect()
}

/// Reads a file of a project that people write: a regular one, of at most [`MAX_FILE_BYTES`].
pub(in crate::cli) fn read(path: &Path) -> io::Result<String> {
    // From a pipe or a device one would read for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let too_long = || io::Error::other(format!("it has more than {} MiB", MAX_FILE_BYTES >> 20));
    file::read_text_at_most(File::open(path)?, MAX_FILE_BYTES)?.ok_or_else(too_long)
}

/// Whether a name that somebody wrote into a manifest is one file's name, and leads nowhere else.
fn is_file_name(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARACTERS
        && name.starts_with(|character: char| character.is_ascii_alphanumeric())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
}

/// What a parser says. It repeats lines of the file, which may hold anything.
#[derive(Debug)]
struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.lines().map(text::visible).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The language and the component of a folder with these files, or what is said of it.
    fn find(files: &[(&str, &str)]) -> Result<(Language, String), String> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a temporary folder can be written");
        }
        let project = Project::find(folder.path()).map_err(|error| {
            assert!(error.is_invalid_argument() && error.help().is_some() | std::error::Error::source(&error).is_some());
            error.to_string().replace(&text::path(folder.path()), "FOLDER")
        })?;
        assert_eq!((project.component.parent(), project.folder.as_path()), (Some(folder.path()), folder.path()));
        assert_eq!(project.component.file_stem().and_then(|name| name.to_str()), Some(project.name.as_str()));
        Ok((project.language, project.component.file_name().expect("it is a file").to_string_lossy().into_owned()))
    }

    #[test]
    fn a_component_is_called_as_its_project_in_every_language() {
        for (file, text, language, component) in [
            ("Cargo.toml", "[package]\nname = \"my-query\"\nversion.workspace = true", Language::Rust, "my-query.wasm"),
            ("package.json", r#"{ "name": "my-query", "private": true }"#, Language::JavaScript, "my-query.wasm"),
            ("package.json", r#"{ "name": "@shop/my-query" }"#, Language::JavaScript, "my-query.wasm"),
            ("pyproject.toml", "[project]\nname = \"My_Query.2\"", Language::Python, "My_Query.2.wasm"),
        ] {
            assert_eq!(find(&[(file, text)]), Ok((language, component.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_project_is_refused() {
        for (files, expected) in [
            (&[][..], "`FOLDER` is not the folder of a query's project"),
            (&[("Cargo.lock", "")], "`FOLDER` is not the folder of a query's project"),
            (&[("Cargo.toml", ""), ("package.json", "{}")], "`FOLDER` has `Cargo.toml` and `package.json`"),
            (&[("Cargo.toml", "[workspace]")], "`FOLDER/Cargo.toml` does not name a project"),
            (&[("package.json", "{")], "`FOLDER/package.json` does not name a project"),
            (&[("package.json", r#"{ "name": 1 }"#)], "`FOLDER/package.json` does not name a project"),
            (&[("package.json", r#"{ "name": ".." }"#)], "`FOLDER/package.json` names the project `..`"),
            (&[("package.json", r#"{ "name": "@shop/" }"#)], "`FOLDER/package.json` names the project ``"),
            (&[("Cargo.toml", "\n".repeat((1 << 20) + 1).as_str())], "`FOLDER/Cargo.toml` cannot be read"),
            (&[("pyproject.toml", "[project]\nname = 'a\\b'")], "`FOLDER/pyproject.toml` names the project `a\\b`"),
            (&[("pyproject.toml", "[project]\nname = \"a\\u001bb\"")], r"`FOLDER/pyproject.toml` names the project `a\u{1b}b`"),
        ] {
            assert_eq!(find(files), Err(expected.to_owned()), "{files:?}");
        }
    }
}
