//! Files that others wrote, which are bounded; and files that are written whole or not at all.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use tempfile::NamedTempFile;

/// All that a reader has; `None` where that is more than `max_bytes`.
pub(super) fn read_at_most(reader: impl Read, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(max_bytes + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= max_bytes))
}

/// The same of text.
pub(super) fn read_text_at_most(reader: impl Read, max_bytes: u64) -> io::Result<Option<String>> {
    let mut text = String::new();
    reader.take(max_bytes + 1).read_to_string(&mut text)?;
    Ok(Some(text).filter(|text| text.len() as u64 <= max_bytes))
}

/// Whether a file may take the place of what is at `path`: an ordinary file, or nothing. A device or a pipe would be gone, and what a link
/// leads to is not what was named.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => Err(io::Error::other("there is something else than an ordinary file at this path")),
        _ => Ok(()),
    }
}

/// A file that is to take the place of `path`, beside it. Only its owner can read it.
pub(super) fn begin(path: &Path) -> io::Result<NamedTempFile> {
    check(path)?;
    NamedTempFile::new_in(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn no_more_is_read_than_was_asked_for() {
        assert_eq!(read_at_most(&b"abc"[..], 3).unwrap().as_deref(), Some(&b"abc"[..]));
        assert_eq!(read_at_most(&b"abcd"[..], 3).unwrap(), None);
        assert_eq!(read_at_most(io::repeat(0), 3).unwrap(), None);
        assert_eq!(read_text_at_most(&b"abc"[..], 3).unwrap().as_deref(), Some("abc"));
        assert_eq!(read_text_at_most(io::repeat(b'a'), 3).unwrap(), None);
        read_text_at_most(&[0xff][..], 3).unwrap_err();
    }

    #[test]
    fn only_an_ordinary_file_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for _ in 0..2 {
            let mut file = begin(&path("a")).unwrap();
            file.write_all(b"text").unwrap();
            file.persist(path("a")).unwrap();
        }
        std::os::unix::fs::symlink(path("a"), path("link")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        for name in ["link", "folder", "missing/a"] {
            begin(&path(name)).unwrap_err();
        }
        assert_eq!(fs::read(path("a")).unwrap(), b"text");
    }
}
