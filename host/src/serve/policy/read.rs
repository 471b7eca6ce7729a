//! Reads a policy's file: for the server, and for whoever looks at it before.

use std::path::Path;

use super::Policy;
use super::file::MAX_BYTES;
use crate::error::{Error, Kind};
use crate::serve::files;
use crate::text;

/// The bytes of a policy's file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    files::read(path, MAX_BYTES).map_err(|error| {
        Error::new(Kind::InvalidArgument, format!("the policy `{}` cannot be read", text::path(path))).because(error)
    })
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
                return Err(Error::new(Kind::InvalidArgument, message));
            }
        }
        Ok(())
    }
}
