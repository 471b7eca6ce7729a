//! Compiled components kept on disk, so that the next process need not compile them again.
//!
//! What is kept is machine code, which is loaded and run without another look: whoever can write there can do all that this process
//! can. So the folder must be one that nobody else can change. The keeping itself is wasmtime's: an entry is named after a digest of
//! the component, the compiler's version and its settings, and is written before `Runtime::load` returns.

use std::fs::{self, DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig};

use crate::error::{Error, Kind};
use crate::text;

/// The subfolder that is used of the folder given. All of it is ours: what is in it and is no entry is deleted in time.
const SUBFOLDER: &str = "components";

/// Where the sizes of all entries together are brought below, the least recently used first. Arbitrary; a component written in Rust
/// needs 0.3 MB here, one with a Python runtime 13 MB.
const MAX_BYTES: u64 = 512 << 20;
/// How hard entries are compressed, for zstd. Reading one is part of every start: of a component with a Python runtime, 35 MB of code and
/// data, this takes a quarter less time than wasmtime's default, 3, and an entry is a tenth larger.
const COMPRESSION_LEVEL: i32 = 1;
/// Between two looks at the size of all entries. Looks happen only where an entry is added, so that few are needed.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Group and others may write.
const OTHERS_WRITE: u32 = 0o022;
/// In such a folder only its owner may rename or delete an entry: `/tmp`.
const STICKY: u32 = 0o1000;

/// A folder of compiled components. Cheap to clone; any number of processes may share one folder.
#[derive(Clone, Debug)]
pub struct CompileCache {
    cache: Cache,
}

impl CompileCache {
    /// Uses the subfolder `components` of `folder`, both of which are made, for this user only, where they are not there.
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`]: somebody else could change what is in it, by the owners and modes of the folder and of all those
    /// that it lies in. [`Error::is_unavailable`]: it cannot be made or used, as on a read-only file system. Either way an embedder
    /// can go on without a cache.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let folder = folder.join(SUBFOLDER);
        let unusable = || {
            let message = format!("compiled components cannot be kept in `{}`", text::path(&folder));
            Error::new(Kind::Unavailable, message)
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| unusable().because(error))?;
        // Symbolic links are followed here, once; what they lead to is then held to the same rules.
        let folder = folder.canonicalize().map_err(|error| unusable().because(error))?;
        check(&folder)?;
        check_inside(&folder, 0)?;
        // What is made below it is made by the process' umask, which may give it to everybody: nobody else gets there.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(|error| unusable().because(error))?;
        let mut config = CacheConfig::new();
        config
            .with_directory(folder.clone())
            .with_files_total_size_soft_limit(MAX_BYTES)
            .with_cleanup_interval(CLEANUP_INTERVAL)
            // Entries are not compressed a second time: that takes seconds of a processor, and a process may not live that long.
            .with_baseline_compression_level(COMPRESSION_LEVEL)
            .with_optimized_compression_level(COMPRESSION_LEVEL);
        let cache = Cache::new(config).map_err(|error| unusable().because(error))?;
        if !is_writable(cache.directory()) {
            return Err(unusable().because(std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem)));
        }
        Ok(Self { cache })
    }

    /// How many components were found compiled.
    pub fn hits(&self) -> usize {
        self.cache.cache_hits()
    }

    /// How many were compiled and kept.
    pub fn misses(&self) -> usize {
        self.cache.cache_misses()
    }

    pub(super) fn engine_cache(&self) -> Cache {
        self.cache.clone()
    }
}

fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Refuses a folder that somebody else could change or exchange. `folder` has no symbolic link in it.
fn check(folder: &Path) -> Result<(), Error> {
    let me = rustix::process::geteuid().as_raw();
    for (depth, path) in folder.ancestors().enumerate() {
        let refused = |message: String, hint: String| {
            Error::new(Kind::Configuration, format!("compiled components are not kept: {message}")).hint(hint)
        };
        let name = text::path(path);
        let metadata = fs::symlink_metadata(path).map_err(|error| {
            Error::new(Kind::Unavailable, format!("compiled components cannot be kept below `{name}`")).because(error)
        })?;
        let owner = metadata.uid();
        // The folder itself has to be this user's. Who owns one above can exchange it; root can do that anyway.
        if owner != me && (depth == 0 || owner != 0) {
            let hint = format!("give it to user {me}, or choose another folder");
            return Err(refused(format!("`{name}` belongs to user {owner}"), hint));
        }
        if others_can_write(&metadata, depth) {
            return Err(refused(format!("others than its owner can write to `{name}`"), format!("`chmod go-w {name}` ends that")));
        }
    }
    Ok(())
}

/// Refuses what somebody else has put, or could change, in a folder that was open to others before.
fn check_inside(folder: &Path, depth: usize) -> Result<(), Error> {
    // wasmtime's own layout: modules, a version, the entries.
    const MAX_DEPTH: usize = 4;
    let unusable = |error: std::io::Error| {
        let message = format!("compiled components cannot be kept in `{}`", text::path(folder));
        Error::new(Kind::Unavailable, message).because(error)
    };
    let me = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(folder).map_err(unusable)? {
        let path = entry.map_err(unusable)?.path();
        // Another process may have cleaned it up.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let is_ordinary = metadata.is_dir() || metadata.is_file();
        if metadata.uid() != me || metadata.mode() & OTHERS_WRITE != 0 || !is_ordinary || depth > MAX_DEPTH {
            let name = text::path(&path);
            return Err(Error::new(Kind::Configuration, format!("compiled components are not kept: others can change `{name}`"))
                .hint(format!("delete `{}`: what is in it may not be yours", text::path(folder))));
        }
        if metadata.is_dir() {
            check_inside(&path, depth + 1)?;
        }
    }
    Ok(())
}

fn others_can_write(metadata: &Metadata, depth: usize) -> bool {
    metadata.mode() & OTHERS_WRITE != 0 && (depth == 0 || metadata.mode() & STICKY == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_made_for_its_user_only() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        CompileCache::open(&folder).unwrap();
        for made in ["a", "a/b", "a/b/components"] {
            assert_eq!(fs::metadata(place.path().join(made)).unwrap().mode() & 0o777, 0o700, "{made}");
        }
        CompileCache::open(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_change_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a");
        CompileCache::open(&folder).unwrap();
        for (path, mode, refused) in [
            ("a/components", 0o777, true),
            ("a/components", 0o1777, true),
            ("a/components", 0o720, true),
            ("a", 0o770, true),
            ("a", 0o702, true),
            // As `/tmp`: what is in it belongs to its owner all the same.
            ("a", 0o1777, false),
            ("a", 0o755, false),
        ] {
            let path = place.path().join(path);
            let before = fs::metadata(&path).unwrap().mode();
            chmod(&path, mode);
            let opened = CompileCache::open(&folder);
            chmod(&path, before);
            match opened {
                Ok(_) => assert!(!refused, "{} {mode:o}", path.display()),
                Err(error) => {
                    assert!(refused && error.is_configuration(), "{} {mode:o}: {error}", path.display());
                    let expected = "compiled components are not kept: others than its owner can write to";
                    assert!(error.to_string().starts_with(expected), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_symbolic_link_is_followed_to_where_the_rules_hold() {
        let place = tempfile::tempdir().unwrap();
        let (link, target) = (place.path().join("link"), place.path().join("target"));
        fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        chmod(&target, 0o777);
        assert!(CompileCache::open(&link).unwrap_err().is_configuration());
        chmod(&target, 0o700);
        CompileCache::open(&link).unwrap();
    }

    #[test]
    fn what_cannot_be_made_is_told_apart() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        assert!(CompileCache::open(&place.path().join("file")).unwrap_err().is_unavailable());
    }
}
