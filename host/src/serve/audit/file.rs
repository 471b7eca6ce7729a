//! A log in a file: locked, so that two servers cannot mix their chains, and continued where it ended.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::Cause;
use super::line::{self, End, Torn};
use super::sink::write_all;

/// How far back the last whole line may begin: after it, and after one that was torn, and after one that was to tell of that.
const MAX_TAIL_BYTES: usize = 4 * line::MAX_BYTES;

#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Bytes of it; more is not ours.
    length: u64,
}

impl LogFile {
    /// Opens a log to go on with it; tells where its chain ends, and what lies behind that.
    pub(super) fn open(path: &Path) -> Result<(Self, End, Torn), Cause> {
        let file = open(path)?;
        let mut length = file.metadata()?.len();
        let (end, torn, lacks_newline) = read_end(&file, length)?;
        if lacks_newline {
            write_all(&file, b"\n").map_err(|(_, error)| error)?;
            length += 1;
        }
        Ok((Self { path: path.to_owned(), file, length }, end, torn))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where something has renamed the file, as what rotates logs does, the chain goes on in a new one.
    pub(super) fn follow(&mut self) -> Result<(), Cause> {
        let ours = self.file.metadata()?;
        let there = match fs::symlink_metadata(&self.path) {
            Ok(there) => Some((there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if there != Some((ours.dev(), ours.ino())) {
            let file = open(&self.path)?;
            if file.metadata()?.len() > 0 {
                return Err(Cause::NotEmpty);
            }
            (self.file, self.length) = (file, 0);
            return Ok(());
        }
        match ours.len() {
            length if length > self.length => Err(Cause::Foreign),
            // Somebody has cut it, after copying it somewhere perhaps. The chain tells.
            length => {
                self.length = length;
                Ok(())
            }
        }
    }

    /// Writes all bytes, or none; else says how many of them are there now.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), (usize, Cause)> {
        match write_all(&self.file, bytes) {
            Ok(()) => {
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err((written, error)) => Err((self.take_back(written), error.into())),
        }
    }

    /// Removes so many bytes that were written last; tells how many of them stay.
    pub(super) fn take_back(&mut self, written: usize) -> usize {
        let taken_back = written == 0 || self.file.set_len(self.length).is_ok();
        let left = if taken_back { 0 } else { written };
        self.length += left as u64;
        left
    }
}

/// Opens an ordinary file, which is made for its owner alone, and locks it.
fn open(path: &Path) -> Result<File, Cause> {
    // Not to block on a pipe that nobody writes to.
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR | rustix::io::Errno::NXIO) => return Err(Cause::NotOrdinary),
        Err(error) => return Err(error.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(Cause::NotOrdinary);
    }
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Cause::Locked),
        Err(error) => Err(error.into()),
    }
}

/// Where the chain ends, what lies behind its last line, and whether that line lacks its newline alone.
fn read_end(file: &File, length: u64) -> Result<(End, Torn, bool), Cause> {
    let read = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_TAIL_BYTES);
    let mut tail = vec![0; read];
    file.read_exact_at(&mut tail, length - read as u64)?;
    let whole_file = read as u64 == length;

    let mut start = tail.len();
    // Where the reading began in the midst of a line, that one is of no use.
    let pieces = tail.split_inclusive(|byte| *byte == b'\n').skip(usize::from(!whole_file));
    for piece in pieces.collect::<Vec<_>>().into_iter().rev() {
        let text = piece.strip_suffix(b"\n");
        if line::is_sealed(text.unwrap_or(piece)) {
            let links = line::read(text.unwrap_or(piece)).map_err(|_| Cause::End("its last whole line was changed"))?;
            let mut torn = Torn::default();
            torn.add(&tail[start..]);
            return Ok((links.end(), torn, text.is_none()));
        }
        start -= piece.len();
    }
    // No line was ever finished.
    if whole_file && line::begins_log(&tail) {
        let mut torn = Torn::default();
        torn.add(&tail);
        return Ok((End::default(), torn, false));
    }
    Err(Cause::End("it does not end with a line of an audit log"))
}
