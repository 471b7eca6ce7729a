//! A service account's folder in the layout that a kubelet writes (kubernetes `pkg/volume/util/atomic_writer.go`): the files are
//! links through `..data`, a link to a folder that is named for the time. What opens a real mount opens this one the same way.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;

/// A new temporary folder that only this user may enter; deleted on drop.
pub(super) fn private_folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("podlens-demo-").permissions(Permissions::from_mode(0o700)).tempdir()
}

/// Makes the folder `path`. Nothing rotates what is in it: the demo's token outlives any demo.
pub(super) fn write(path: &Path, token: &str, ca_pem: &str, namespace: &str, now: Timestamp) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    // As the kubelet's, `..2026_11_24_06_15_03.` and a random number; one folder needs no random number to be unique.
    let data = now.strftime("..%Y_%m_%d_%H_%M_%S.0").to_string();
    DirBuilder::new().mode(0o700).create(path.join(&data))?;
    symlink(&data, path.join("..data"))?;
    for (name, content) in [("token", token), ("ca.crt", ca_pem), ("namespace", namespace)] {
        write_file(&path.join(&data).join(name), content)?;
        symlink(Path::new("..data").join(name), path.join(name))?;
    }
    Ok(())
}

/// Makes a file that only this user may read.
pub(super) fn write_file(path: &Path, content: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(content.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_layout_is_the_kubelets_and_private() {
        let folder = private_folder().unwrap();
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let mount = folder.path().join("podlens");
        write(&mount, "secret", "pem", "shop", "2026-11-24T06:15:03Z".parse().unwrap()).unwrap();
        for (link, target) in [
            ("..data", "..2026_11_24_06_15_03.0"),
            ("token", "..data/token"),
            ("ca.crt", "..data/ca.crt"),
            ("namespace", "..data/namespace"),
        ] {
            assert_eq!(fs::read_link(mount.join(link)).unwrap(), Path::new(target));
        }
        assert_eq!(fs::read_to_string(mount.join("token")).unwrap(), "secret");
        assert_eq!(fs::metadata(mount.join("token")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
