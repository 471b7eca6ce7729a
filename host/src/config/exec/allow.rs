//! Which programs a kubeconfig may have run: those that the caller names, and no others.
//!
//! A name allows the file that it means, however the kubeconfig writes it. So `aws` allows the `aws` that `PATH` leads to, and never a
//! `./aws` that came with the kubeconfig (client-go's allow list decides the same way).

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// Why a command is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AllowError {
    /// The caller does not name it.
    NotNamed,
    /// There is no such program.
    NotFound,
}

/// The file that `command` means, if one of `names` allows it. A command with a separator starts at `folder`, where the kubeconfig is; a
/// name with one starts at the working directory, so that the same text may mean two files; all else is looked up in `path`, the
/// environment's `PATH`.
pub(crate) fn allowed(command: &str, folder: &Path, names: &[String], path: Option<&OsStr>) -> Result<PathBuf, AllowError> {
    let is_path = command.contains(MAIN_SEPARATOR);
    let file = if is_path { std::path::absolute(folder.join(command)).ok() } else { look_up(command, path) };
    let is_same = |name: &String| {
        let named = if name.contains(MAIN_SEPARATOR) { std::path::absolute(name).ok() } else { look_up(name, path) };
        named.is_some() && named == file
    };
    // A program that is nowhere is told as missing, not as forbidden.
    if !names.iter().any(|name| (!is_path && name == command) || is_same(name)) {
        return Err(AllowError::NotNamed);
    }
    file.filter(|file| is_executable(file)).ok_or(AllowError::NotFound)
}

/// The first program of that name. A relative folder of `PATH` is passed over, as Go does: what is found there changes with the
/// working directory.
fn look_up(command: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = env::split_paths(path?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(command)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

impl fmt::Display for AllowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotNamed => "a kubeconfig's program is only run when it is allowed by name",
            Self::NotFound => "there is no such program",
        })
    }
}

impl std::error::Error for AllowError {}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_named_program_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for (name, mode) in [("bin/aws", 0o755), ("later/aws", 0o755), ("kube/aws", 0o755), ("bin/text", 0o644)] {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = env::join_paths([Path::new("kube"), &root.join("none"), &root.join("bin"), &root.join("later")]).unwrap();
        let absolute = |name: &str| root.join(name).display().to_string();
        let (in_bin, in_kube) = (absolute("bin/aws"), absolute("kube/aws"));
        for (command, names, file) in [
            ("aws", &["aws"][..], Ok("bin/aws")),
            ("aws", &["gcloud", "aws"], Ok("bin/aws")),
            // The same file, whichever way it is written.
            ("aws", &[&in_bin], Ok("bin/aws")),
            (&in_bin, &["aws"], Ok("bin/aws")),
            ("./aws", &[&in_kube], Ok("kube/aws")),
            // The same text, and the working directory's file is meant.
            ("./aws", &["./aws"], Err(AllowError::NotNamed)),
            // A file of the kubeconfig's own with a well-known name.
            ("./aws", &["aws"], Err(AllowError::NotNamed)),
            (&in_kube, &["aws"], Err(AllowError::NotNamed)),
            ("aws", &[&in_kube], Err(AllowError::NotNamed)),
            ("aws", &[], Err(AllowError::NotNamed)),
            ("aws", &["", "AWS", "*", "aw", "aws "], Err(AllowError::NotNamed)),
            ("gone", &["gone"], Err(AllowError::NotFound)),
            ("gone", &["other"], Err(AllowError::NotNamed)),
            ("text", &["text"], Err(AllowError::NotFound)),
            ("./", &[&absolute("kube/")], Err(AllowError::NotFound)),
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = allowed(command, &root.join("kube"), &names, Some(&path));
            assert_eq!(
                found.map(|file| fs::canonicalize(file).unwrap()),
                file.map(|file| fs::canonicalize(root.join(file)).unwrap()),
                "{command} {names:?}"
            );
        }
        assert_eq!(allowed("aws", root, &["aws".to_owned()], None), Err(AllowError::NotFound));
    }
}
