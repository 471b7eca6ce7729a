//! What is built for the competitors, by the script `build` in the folder of each; and who is left out, since a tool for it is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The exit code of a `build` that has not the tools for it; what to install is on its standard error.
const TOOLS_ARE_MISSING: i32 = 3;

/// One folder of `peers/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    ClientGo,
    KubeRs,
    OfficialJava,
    OfficialPython,
    Jq,
    /// The queries of podlens in JavaScript.
    JavaScript,
    /// The queries of podlens in Python.
    Python,
}

/// What came of a build.
#[derive(Debug)]
pub(crate) enum Built {
    /// With these versions.
    Versions(String),
    /// What to install.
    Missing(String),
}

impl Peer {
    /// The name of its folder in the target folder's `bench`, and of its versions in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClientGo => "client-go",
            Self::KubeRs => "kube-rs",
            Self::OfficialJava => "java",
            Self::OfficialPython => "python",
            Self::Jq => "jq",
            Self::JavaScript => "podlens-javascript",
            Self::Python => "podlens-python",
        }
    }

    /// Builds it below `peers`, as far as it is not up to date.
    pub(crate) fn build(self, peers: &Path, podlens: &Path) -> Result<Built> {
        let (source, language) = match self {
            Self::JavaScript => ("components", Some("javascript")),
            Self::Python => ("components", Some("python")),
            _ => (self.name(), None),
        };
        let script = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers")).join(source).join("build");
        let mut command = Command::new(&script);
        command.arg(peers.join(self.name()));
        if let Some(language) = language {
            command.arg(podlens).arg(language);
        }
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("starting `{}`, which needs `bash`: {error}", script.display()))?;
        let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        match output.status.code() {
            Some(0) => Ok(Built::Versions(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())),
            Some(TOOLS_ARE_MISSING) => Ok(Built::Missing(said)),
            _ => Err(format!("building {}: {}:\n{said}", self.name(), output.status)),
        }
    }
}
