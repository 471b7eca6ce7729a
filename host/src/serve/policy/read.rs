//! Reads a policy's file: for the server, and for whoever looks at it before.

use std::io;
use std::path::Path;

use super::Policy;
use crate::config;
use crate::error::{Error, Kind};
use crate::text;

/// The bytes of a policy's file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    config::read_file(path).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::FileTooLarge => io::Error::other(format!("it has {error}")),
            _ => error,
        };
        Error::new(Kind::InvalidArgument, format!("the policy `{}` cannot be read", text::path(path))).because(why)
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
