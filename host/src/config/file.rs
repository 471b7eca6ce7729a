//! Reading a small file whole: bounded, never a pipe or a folder, and safe against the kubelet's swap.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Most bytes of a token, a CA bundle or a kubeconfig. Kubernetes bounds what it mounts from a ConfigMap or a Secret to 1 MiB
/// (`MaxSecretSize`, k8s.io/kubernetes `pkg/apis/core/types.go`); a kubeconfig is some kilobytes.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// Reads the file at `path`. Open it by this path each time, never by a resolved one: the kubelet replaces the folder behind its
/// `..data` link, and a reader that loses that race finds nothing once.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    match read_once(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => read_once(path),
        read => read,
    }
}

fn read_once(path: &Path) -> io::Result<Vec<u8>> {
    check(&fs::metadata(path)?)?;
    // To open a pipe without a writer never returns, should one have taken the file's place meanwhile.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {FILE_MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// `KUBECONFIG=/dev/null` is the common way to have none.
fn check(metadata: &fs::Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    if !kind.is_file() && !kind.is_char_device() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read(folder.path()).unwrap_err().to_string(), "not a regular file");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read(&pipe).unwrap_err().to_string(), "not a regular file");
        assert_eq!(read(Path::new("/dev/null")).unwrap(), b"");
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().to_string(), "more than 1048576 bytes");
        fs::write(&path, vec![b'a'; 1 << 20]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1 << 20);
        fs::write(&path, vec![b'a'; (1 << 20) + 1]).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "more than 1048576 bytes");
    }
}
