//! `podlens build`: a query's component from its project, by the tools of the language that it is written in.
//!
//! What a project says is run with all the rights of the user: its build script, and those of its dependencies. Nothing but this command
//! does so; a component that is only run is never built before.

mod contract;
mod javascript;
mod python;
mod rust;
mod sockets;
mod tool;

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tempfile::NamedTempFile;

use super::exit::{self, Failure};
use super::project::{Language, Project};

use super::{component, file, plugin, report, shell};
use crate::error::{Error, Kind};
use crate::text::{self, visible};

const HELP: &str = "\
The folder's files tell the language, and so the tools that build it.

Tools:
  Cargo.toml      cargo, for the target wasm32-wasip2, which is added if it is missing
  package.json    npm: `npm ci` where node_modules is missing or older than
                  package-lock.json, then the script `build`
  pyproject.toml  componentize-py, from a .venv with what requirements.txt says

They run what the project and its dependencies say, with all your rights. Read a project of
somebody else before you build it, or take its component alone: `podlens run` never builds.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct BuildArgs {
    /// The folder of the query's project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Where to write the component, instead of DIR/NAME.wasm
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn build(args: BuildArgs) -> Result<ExitCode, Failure> {
    let project = Project::find(&args.folder)?;
    report::say(&format!("building the {} query `{}` …", project.language, project.name));
    let output = args.output.unwrap_or_else(|| project.component.clone());
    file::check(&output).map_err(|error| unwritten(&output, error))?;
    let component = match project.language {
        Language::Rust => rust::build(&project).await?,
        Language::JavaScript => javascript::build(&project).await?,
        Language::Python => python::build(&project).await?,
    };
    let unfinished = unfinished(&output, &component).map_err(|error| unwritten(&output, error))?;
    // An older one stays until it is known that this is a query.
    let query = component::load(&unfinished.path().to_string_lossy())
        .await
        .map_err(|error| error.told_as(format!("what was built of `{}` is no query", text::path(&project.folder))))?;
    unfinished.persist(&output).map_err(|error| unwritten(&output, error.error))?;
    exit::unless_broken_pipe(tell(&project, &output, &query.description().title, component.len()))
}

fn tell(project: &Project, output: &Path, title: &str, bytes: usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}: `{}`, {}", text::path(output), visible(title), size(bytes))?;
    let path = shell::path(output);
    // A path that nobody can type is left to its owner.
    if let Ok(run) = shell::command(["podlens", "run", &path, "-A"]) {
        writeln!(out, "{}", plugin::as_typed(&format!("run it:   {run}")))?;
    }
    let is_where_tests_look = output == project.component && project.folder.join("test").is_dir();
    if is_where_tests_look && let Ok(test) = shell::command(["podlens", "test", &shell::path(&project.folder)]) {
        writeln!(out, "{}", plugin::as_typed(&format!("test it:  {test}")))?;
    }
    out.flush()
}

/// Bytes as a person reads them: `84 KiB`, `11.7 MiB`.
fn size(bytes: usize) -> String {
    const MEBIBYTE: usize = 1 << 20;
    if bytes < MEBIBYTE {
        return format!("{} KiB", bytes.div_ceil(1 << 10));
    }
    format!("{}.{} MiB", bytes / MEBIBYTE, bytes % MEBIBYTE * 10 / MEBIBYTE)
}

/// The component beside where it is to be, so that nobody reads half of it there.
fn unfinished(output: &Path, component: &[u8]) -> io::Result<NamedTempFile> {
    // Absolute, so that it is not taken for the name of a query that comes with podlens.
    let output = std::path::absolute(output)?;
    let folder = output.parent().unwrap_or(Path::new("/"));
    let permissions = fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".podlens-").suffix(".wasm").permissions(permissions).tempfile_in(folder)?;
    file.write_all(component)?;
    file.flush()?;
    Ok(file)
}

fn unwritten(path: &Path, error: io::Error) -> Error {
    failed(format!("the component `{}` cannot be written", text::path(path))).because(error)
}

/// The query was not built.
fn failed(message: impl Into<String>) -> Error {
    Error::new(Kind::Query, message)
}
