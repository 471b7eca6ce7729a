//! The query of a request's URL.

use reqwest::Url;

use super::status::Status;

/// Names and values, decoded. Of a name that comes twice the first counts, as in Go.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        // For its query alone: reqwest's `Url` decodes as a browser's form, which is what Go does.
        let mut url = Url::parse("https://demo").expect("a constant that is a URL");
        url.set_query(query);
        Self(url.query_pairs().into_owned().collect())
    }

    /// Empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether a switch is on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| key == name && !matches!(value.as_str(), "0" | "false"))
    }

    /// A whole number; `None` if it is not there.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        let text = self.get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        text.parse().map(Some).map_err(wrong)
    }

    /// The one name that the field selector allows.
    pub(super) fn selected_name(&self) -> Option<&str> {
        let name = self.get("fieldSelector").split(',').find_map(|term| term.strip_prefix("metadata.name="))?;
        Some(name.strip_prefix('=').unwrap_or(name))
    }
}
