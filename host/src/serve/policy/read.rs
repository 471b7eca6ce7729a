//! Reads a policy's file: for the server, and for whoever looks at it before.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::Policy;
use super::file::MAX_BYTES;
use crate::error::{Error, Kind};
use crate::text;

/// The bytes of a policy's file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |error: io::Error| {
        Error::new(Kind::Configuration, format!("the policy `{}` cannot be read", text::path(path))).because(error)
    };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    match read.map_err(unreadable)? {
        count if count > MAX_BYTES => Err(unreadable(io::Error::other(format!("it has more than {MAX_BYTES} bytes")))),
        _ => Ok(bytes),
    }
}

impl Policy {
    /// Refuses a query without a digest that is not one of those that come with the program.
    pub(crate) fn check_built_in(&self, comes_with_it: impl Fn(&str) -> bool) -> Result<(), Error> {
        let queries = self.tenants.values().flat_map(|tenant| tenant.queries.iter().map(move |query| (tenant, query)));
        for (tenant, query) in queries {
            if query.digest.is_none() && !comes_with_it(query.name.as_str()) {
                let message = format!(
                    "tenant `{}` has a query `{}` without `digest`, which does not come with podlens",
                    tenant.name, query.name
                );
                return Err(Error::new(Kind::Configuration, message));
            }
        }
        Ok(())
    }
}
