//! A Unix socket that only its owner can connect to, from the first moment on.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use tokio::net::{UnixListener, UnixStream};

/// Read and write for the owner. To connect is to write.
const OWNER_ONLY: u32 = 0o600;

/// A socket in the file system, which goes when this does.
#[derive(Debug)]
pub(super) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    file: FileId,
}

/// Device and inode: the same file, whatever it is called.
type FileId = (u64, u64);

impl UnixSocket {
    /// Listens at `path`. A socket of this user's that nobody listens on is replaced, and nothing else.
    ///
    /// The socket is made in a folder of its own that nobody else can enter, and moved from there when its mode is right. So it depends
    /// on no umask, which belongs to the whole process, and there is no moment at which it could be connected to.
    pub(super) async fn bind(path: &Path) -> Result<Self, UnixSocketError> {
        check_free(path).await?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = private_folder(parent)?;
        let made = folder.path().join("s");
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(OWNER_ONLY))?;
        let file = file_id(&made)?;
        fs::rename(&made, path)?;
        Ok(Self { listener, path: path.to_owned(), file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        self.listener.poll_accept(context).map_ok(|(stream, _)| stream)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // Another process may have put its own in this place.
        if file_id(&self.path).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A folder with a name that was not there before, which nobody else can enter.
fn private_folder(parent: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(".").rand_bytes(4).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

async fn check_free(path: &Path) -> Result<(), UnixSocketError> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if !there.file_type().is_socket() {
        return Err(UnixSocketError::NotASocket);
    }
    if there.uid() != rustix::process::geteuid().as_raw() {
        return Err(UnixSocketError::NotOurs);
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // Somebody listens, and has more clients than it takes.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(UnixSocketError::InUse),
        Err(error) => Err(error.into()),
        Ok(_) => Err(UnixSocketError::InUse),
    }
}

fn file_id(path: &Path) -> io::Result<FileId> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Why there is no socket.
#[derive(Debug)]
pub(crate) enum UnixSocketError {
    NotASocket,
    NotOurs,
    InUse,
    Io(io::Error),
}

impl From<io::Error> for UnixSocketError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for UnixSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASocket => f.write_str("there is a file, and no socket"),
            Self::NotOurs => f.write_str("there is a socket of another user"),
            Self::InUse => f.write_str("another process listens there"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for UnixSocketError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_its_owners_and_goes_with_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sock");
        let socket = UnixSocket::bind(&path).await.unwrap();
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.mode() & 0o777, 0o600);
        let (_client, accepted) = tokio::join!(UnixStream::connect(&path), socket.listener.accept());
        accepted.unwrap();
        // Nothing else is left behind.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(socket);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn only_a_socket_that_nobody_listens_on_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = UnixSocket::bind(&path).await.unwrap();
        assert!(matches!(UnixSocket::bind(&path).await, Err(UnixSocketError::InUse)));
        drop(first);
        fs::write(&path, "text").unwrap();
        assert!(matches!(UnixSocket::bind(&path).await, Err(UnixSocketError::NotASocket)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(matches!(UnixSocket::bind(&path).await, Err(UnixSocketError::NotASocket)));
        assert!(matches!(UnixSocket::bind(&folder.path().join("no/such.sock")).await, Err(UnixSocketError::Io(_))));
    }

    #[test]
    fn nobody_else_enters_the_folder_that_it_is_made_in() {
        let folder = tempfile::tempdir().unwrap();
        let private = private_folder(folder.path()).unwrap();
        assert_eq!(fs::metadata(private.path()).unwrap().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn another_servers_socket_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sock");
        let first = UnixSocket::bind(&path).await.unwrap();
        fs::remove_file(&path).unwrap();
        let second = UnixSocket::bind(&path).await.unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }
}
