//! Finds the component that was named, and loads or inspects it, with the cache of compiled components where there can be one.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::builtin;
use super::report;
use crate::config::{Environment, ProcessEnvironment};
use crate::error::{Error, Kind};
use crate::runtime::{CompileCache, Inspection, MAX_COMPONENT_BYTES, RuntimeOptions};
use crate::text::excerpt;
use crate::{Query, Runtime};

/// Ours: the folder that compiled components are kept in; empty for nowhere.
pub(super) const CACHE_VARIABLE: &str = "PODLENS_CACHE_DIR";
/// Where programs keep what they can make again: XDG Base Directory Specification 0.8.
const XDG_CACHE_VARIABLE: &str = "XDG_CACHE_HOME";

/// Most bytes that are read of a file; a little more than the library accepts, so that it is the one to refuse.
const MAX_FILE_BYTES: u64 = MAX_COMPONENT_BYTES as u64 + 1;

/// How long compiling takes before it is worth a word.
const SAY_COMPILING_AFTER: Duration = Duration::from_millis(1500);

/// Loads the query `name`: one that comes with podlens, or a file where `name` is a path or no such query exists.
pub(super) async fn load(name: &str) -> Result<Query, Error> {
    let bytes = bytes(name)?;
    let runtime = runtime()?;
    said_if_slow(runtime.load(bytes)).await
}

/// Tells all of a file that is named as for [`load`].
pub(super) async fn inspect(name: &str) -> Result<Inspection, Error> {
    let bytes = bytes(name)?;
    let runtime = runtime()?;
    Ok(said_if_slow(runtime.inspect(bytes)).await)
}

async fn said_if_slow<T>(loading: impl Future<Output = T>) -> T {
    tokio::pin!(loading);
    match tokio::time::timeout(SAY_COMPILING_AFTER, &mut loading).await {
        Ok(loaded) => loaded,
        Err(_) => {
            report::say("compiling the component …");
            loading.await
        }
    }
}

/// The runtime of the binary.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Runtime::with_options(options())
}

/// The same with a pool of so many places; without, where this process may not have the addresses for it: each run takes longer to start
/// then.
pub(super) fn pooled_runtime(places: NonZeroU32) -> Result<Runtime, Error> {
    let mut options = options();
    let without_pool = options.clone();
    options.pool = Some(places);
    Runtime::with_options(options).or_else(|error| {
        tracing::warn!("without a pool of memories, for which this process may not have the addresses: {}", error.causes_in_line());
        Runtime::with_options(without_pool)
    })
}

/// What cannot be cached is compiled each time; that is worth a word only where the user can mend it.
fn options() -> RuntimeOptions {
    let mut options = RuntimeOptions::default();
    if let Some(folder) = cache_folder(&ProcessEnvironment) {
        match CompileCache::open(&folder) {
            Ok(cache) => options.cache = Some(cache),
            Err(error) if error.is_configuration() || ProcessEnvironment.var(CACHE_VARIABLE).is_some() => {
                let hint = error.help().map(|hint| format!(" ({hint})")).unwrap_or_default();
                report::say(&format!("warning: {error}{hint}"));
            }
            // As in a pod with a read-only root.
            Err(error) => {
                tracing::debug!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default())
            }
        }
    }
    options
}

/// The folder that compiled components are kept in, if they can be.
pub(super) fn usable_cache_folder() -> Option<PathBuf> {
    cache_folder(&ProcessEnvironment).filter(|folder| CompileCache::open(folder).is_ok())
}

/// Where compiled components are kept: where the user says, or with all that is kept for this user.
fn cache_folder(environment: &impl Environment) -> Option<PathBuf> {
    if let Some(folder) = environment.var(CACHE_VARIABLE) {
        return Some(PathBuf::from(folder)).filter(|folder| !folder.as_os_str().is_empty());
    }
    // The specification has a relative path ignored.
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    let caches = environment.non_empty(XDG_CACHE_VARIABLE).and_then(|path: OsString| absolute(path.into()));
    let caches = caches.or_else(|| Some(absolute(environment.home()?)?.join(".cache")))?;
    Some(caches.join("podlens"))
}

fn bytes(name: &str) -> Result<Vec<u8>, Error> {
    let looks_like_a_path = name.contains(['/', '\\']) || name.ends_with(".wasm");
    if !looks_like_a_path && let Some(component) = builtin::query(name) {
        return Ok(component.to_vec());
    }
    read(Path::new(name)).map_err(|error| {
        let error = Error::new(Kind::Component, format!("the component `{}` cannot be read", excerpt(name))).because(error);
        let names: Vec<_> = builtin::names().collect();
        error.hint(format!("give the path of a `.wasm` file, or one of the queries that come with podlens: {}", names.join(", ")))
    })
}

/// A component's file; of one that is too large, as much as is refused.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Variables<'a>(&'a [(&'a str, &'a str)]);

    impl Environment for Variables<'_> {
        fn var(&self, name: &str) -> Option<OsString> {
            self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        }

        fn home(&self) -> Option<PathBuf> {
            self.non_empty("HOME").map(PathBuf::from)
        }
    }

    #[test]
    fn the_cache_is_where_the_user_says_or_the_system_keeps_such() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("HOME", "/h")], Some("/h/.cache/podlens")),
            (&[("HOME", "h")], None),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], Some("/x/podlens")),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")], Some("/h/.cache/podlens")),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "")], Some("/h/.cache/podlens")),
            (&[("HOME", "/h"), ("PODLENS_CACHE_DIR", "p")], Some("p")),
            (&[("HOME", "/h"), ("PODLENS_CACHE_DIR", "")], None),
        ] {
            assert_eq!(cache_folder(&Variables(variables)), expected.map(PathBuf::from), "{variables:?}");
        }
    }
}
