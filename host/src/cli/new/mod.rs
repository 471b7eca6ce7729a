//! `podlens new`: a folder with a query that builds, and passes its test.
//!
//! `files.rs` says what is in it, `name.rs` what it may be called.

mod files;
mod manifest;
mod name;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use self::files::File;
use self::name::Name;
use super::exit::{self, Failure};
use super::plugin;
use super::project::Language;
use crate::error::{Error, Kind};

const HELP: &str = "\
The folder NAME gets a query that builds, a test case, and the SDK and the contract of this podlens.

Examples:
  podlens new oom-kills
  podlens new oom-kills --lang javascript
  podlens new oom-kills --lang python";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct NewArgs {
    /// What the query is called, and the folder that is made for it: words of a-z and 0-9 joined by `-`
    #[arg(value_name = "NAME")]
    name: Name,

    /// The language to write it in
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "rust")]
    lang: Language,
}

pub(super) fn new(args: &NewArgs) -> Result<ExitCode, Failure> {
    let name = args.name.as_str();
    let not_made = |message: &str| Error::new(Kind::Query, format!("the project `{name}` cannot be made{message}"));
    let files = files::files(args.lang, name).map_err(|error| not_made("").because(error))?;
    create(Path::new(name), &files).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
            Error::new(Kind::InvalidArgument, format!("`{name}` exists already, and nothing is overwritten"))
                .hint("give another name, or remove it")
        }
        _ => not_made("").because(error),
    })?;
    exit::unless_broken_pipe((|| {
        let mut out = io::stdout().lock();
        writeln!(out, "`{name}` is a query in {}. Next:", args.lang)?;
        writeln!(out, "  cd {name}")?;
        writeln!(out, "{}", plugin::as_typed("  podlens build"))?;
        writeln!(out, "{}", plugin::as_typed("  podlens test ."))?;
        out.flush()
    })())
}

/// Makes the folder with these files in it, whole or not at all. A folder that is there already has to be empty.
fn create(folder: &Path, files: &[File]) -> io::Result<()> {
    let unfinished = tempfile::Builder::new().prefix(".podlens-").tempdir_in(".")?;
    // Within it, since that one is readable by its owner alone.
    let root = unfinished.path().join("project");
    for file in files {
        let path = root.join(file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, &file.text)?;
    }
    // Refused by the system where anything is there but an empty folder.
    fs::rename(root, folder)
}
