//! A query in Python: componentize-py, from a virtual environment in the project's folder with what `requirements.txt` says.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::tool::Tool;
use super::{contract, failed, sockets};
use crate::cli::component;
use crate::cli::project::{self, Project};
use crate::error::Error;
use crate::text;

const GET_PYTHON: &str = "install Python 3.10 or later, with its modules `venv` and `pip`: https://www.python.org";
const REQUIREMENTS: &str = "requirements.txt";
const ENVIRONMENT: &str = ".venv";
/// What is installed, as it was asked for.
const INSTALLED: &str = ".venv/podlens-installed.txt";
/// The module with the query: `query.py`.
const MODULE: &str = "query";

/// What podlens reads of `pyproject.toml`, besides the name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PyProject {
    tool: Tools,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tools {
    podlens: Settings,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The folder of the contract, from the project's.
    wit: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self { wit: "wit".into() }
    }
}

pub(super) async fn build(project: &Project) -> Result<Vec<u8>, Error> {
    let folder = &project.folder;
    let settings = settings(project)?;
    install(folder).await?;

    let unfinished = tempfile::Builder::new().prefix(".podlens-").suffix(".wasm").tempfile_in(folder);
    let unfinished = unfinished.map_err(|error| failed("the project's folder cannot be written").because(error))?;
    // Its path begins with the project's folder, which is where the tool runs.
    let name = unfinished.path().file_name().unwrap_or_default();
    let wit = contract::narrowed(&folder.join(&settings.wit), folder).map_err(|error| {
        failed(format!("the contract in `{}` cannot be copied", text::path(&settings.wit)))
            .because(error)
            .hint("its folder is `wit`, or what `tool.podlens.wit` in `pyproject.toml` says")
    })?;
    in_environment(folder, "componentize-py")?
        .args(["--wit-path".as_ref(), wit.path().as_os_str(), "--world".as_ref(), "query".as_ref()])
        .args(["componentize".as_ref(), MODULE.as_ref(), "--output".as_ref(), name])
        .run()
        .await?;
    let component = component::read(unfinished.path()).map_err(|error| failed("there is no component to read").because(error))?;
    sockets::take_out(&component).map_err(|error| {
        failed("the component's sockets cannot be taken out")
            .because(error)
            .hint("this podlens knows the components of componentize-py 0.25; pin that version in `requirements.txt`")
    })
}

fn settings(project: &Project) -> Result<Settings, Error> {
    let manifest: PyProject = toml::from_str(&project.manifest).map_err(|error| {
        let path = project.folder.join(project.language.manifest());
        failed(format!("`{}` is not understood: {}", text::path(&path), text::visible(error.message())))
    })?;
    Ok(manifest.tool.podlens)
}

/// Makes the environment, and installs what the project requires, unless that was done before. One for other requirements goes: what
/// nothing requires any more would be built with all the same.
async fn install(folder: &Path) -> Result<(), Error> {
    let required = project::read(&folder.join(REQUIREMENTS)).map_err(|error| {
        failed(format!("the project's `{REQUIREMENTS}` cannot be read"))
            .because(error)
            .hint("it says which version of componentize-py is built with, such as `componentize-py==0.25.1`")
    })?;
    let installed = folder.join(INSTALLED);
    if project::read(&installed).is_ok_and(|installed| installed == required) {
        return Ok(());
    }
    Tool::new("python3", folder, GET_PYTHON).args(["-m", "venv", "--clear", ENVIRONMENT]).run().await?;
    in_environment(folder, "python")?
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS])
        .run()
        .await?;
    fs::write(&installed, required)
        .map_err(|error| failed(format!("`{}` cannot be written", text::path(&installed))).because(error))
}

/// A program of the project's virtual environment.
fn in_environment(folder: &Path, program: &str) -> Result<Tool, Error> {
    let folder_of_it = Path::new(ENVIRONMENT).join("bin");
    let path = std::path::absolute(folder.join(&folder_of_it).join(program))
        .map_err(|error| failed("the current folder cannot be told").because(error))?;
    let get_it = "it belongs into `requirements.txt`; remove the folder `.venv` to have it made again";
    Ok(Tool::new(path, folder, get_it).called(&folder_of_it.join(program)))
}
