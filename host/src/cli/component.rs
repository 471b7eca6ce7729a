//! Finds the component that was named, and loads it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::builtin;
use super::report;
use crate::error::{Error, Kind};
use crate::text::excerpt;
use crate::{Query, Runtime};

/// Most bytes that are read of a file; a little more than the library accepts, so that it is the one to refuse.
const MAX_FILE_BYTES: u64 = (64 << 20) + 1;

/// How long compiling takes before it is worth a word.
const SAY_COMPILING_AFTER: Duration = Duration::from_millis(1500);

/// Loads the query `name`: one that comes with podlens, or a file where `name` is a path or no such query exists.
pub(super) async fn load(name: &str) -> Result<Query, Error> {
    let bytes = bytes(name)?;
    let runtime = Runtime::new()?;
    let loading = runtime.load(bytes);
    tokio::pin!(loading);
    match tokio::time::timeout(SAY_COMPILING_AFTER, &mut loading).await {
        Ok(query) => query,
        Err(_) => {
            report::say("compiling the component …");
            loading.await
        }
    }
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
