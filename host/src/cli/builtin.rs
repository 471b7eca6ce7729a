//! The queries that come with podlens, embedded by the build.

/// Name, summary and component of each, by name.
static QUERIES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtin_queries.rs"));

/// The component of a query that comes with podlens.
pub(super) fn query(name: &str) -> Option<&'static [u8]> {
    QUERIES.iter().find(|(known, ..)| *known == name).map(|(_, _, component)| *component)
}

/// The names of the queries that come with podlens.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    summaries().map(|(name, _)| name)
}

/// The names with the summary that each query gives of itself, without compiling it.
pub(super) fn summaries() -> impl Iterator<Item = (&'static str, &'static str)> {
    QUERIES.iter().map(|(name, summary, _)| (*name, *summary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn summaries_are_what_the_queries_say_of_themselves() {
        let runtime = crate::Runtime::new().unwrap();
        for (name, summary) in summaries() {
            let query = runtime.load(query(name).unwrap()).await.unwrap();
            assert_eq!(query.description().summary, summary, "the package's description of `{name}` without its full stop");
        }
    }
}
