//! The queries that come with podlens, embedded by the build.

/// Name and component of each, by name.
static QUERIES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtin_queries.rs"));

/// The component of a query that comes with podlens.
pub(super) fn query(name: &str) -> Option<&'static [u8]> {
    QUERIES.iter().find(|(known, _)| *known == name).map(|(_, component)| *component)
}

/// The names of the queries that come with podlens.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    QUERIES.iter().map(|(name, _)| *name)
}
