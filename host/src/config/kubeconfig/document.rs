//! One kubeconfig file as it is written.
//!
//! Field names: k8s.io/client-go `tools/clientcmd/api/v1/types.go`. Unknown fields are passed over, as client-go does. No type here
//! has `Debug`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::config::yaml;

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Document {
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
    kind: Option<String>,
    pub(super) current_context: Option<String>,
    pub(super) clusters: Option<Vec<NamedCluster>>,
    pub(super) contexts: Option<Vec<NamedContext>>,
    pub(super) users: Option<Vec<NamedUser>>,
}

#[derive(Deserialize)]
pub(super) struct NamedCluster {
    pub(super) name: String,
    #[serde(default)]
    pub(super) cluster: Option<Cluster>,
}

#[derive(Deserialize)]
pub(super) struct NamedContext {
    pub(super) name: String,
    #[serde(default)]
    pub(super) context: Option<Context>,
}

#[derive(Deserialize)]
pub(super) struct NamedUser {
    pub(super) name: String,
    #[serde(default)]
    pub(super) user: Option<User>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Cluster {
    pub(super) server: Option<String>,
    pub(super) tls_server_name: Option<String>,
    #[serde(deserialize_with = "boolean")]
    pub(super) insecure_skip_tls_verify: Option<bool>,
    pub(super) certificate_authority: Option<String>,
    pub(super) certificate_authority_data: Option<String>,
    pub(super) proxy_url: Option<String>,
    #[serde(deserialize_with = "boolean")]
    pub(super) disable_compression: Option<bool>,
    pub(super) extensions: Option<Vec<NamedExtension>>,
}

#[derive(Deserialize)]
pub(super) struct NamedExtension {
    pub(super) name: String,
    #[serde(default)]
    pub(super) extension: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Context {
    pub(super) cluster: Option<String>,
    pub(super) user: Option<String>,
    pub(super) namespace: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct User {
    pub(super) client_certificate: Option<String>,
    pub(super) client_certificate_data: Option<String>,
    pub(super) client_key: Option<String>,
    pub(super) client_key_data: Option<String>,
    pub(super) token: Option<String>,
    #[serde(rename = "tokenFile")]
    pub(super) token_file: Option<String>,
    #[serde(rename = "as")]
    pub(super) impersonate: Option<String>,
    pub(super) as_uid: Option<String>,
    pub(super) as_groups: Option<Vec<String>>,
    pub(super) as_user_extra: Option<BTreeMap<String, Vec<String>>>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) exec: Option<Exec>,
    pub(super) auth_provider: Option<AuthProvider>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Exec {
    pub(super) command: Option<String>,
    pub(super) args: Option<Vec<String>>,
    pub(super) env: Option<Vec<ExecVariable>>,
    pub(super) api_version: Option<String>,
    pub(super) install_hint: Option<String>,
    #[serde(deserialize_with = "boolean")]
    pub(super) provide_cluster_info: Option<bool>,
    pub(super) interactive_mode: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ExecVariable {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AuthProvider {
    pub(super) name: Option<String>,
}

/// `true` or `false`, and not the text `'true'`, which the parser takes for it: client-go does not, and one of these fields gives up trust.
fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value)),
        _ => Err(D::Error::invalid_type(Unexpected::Other("another value"), &"a boolean")),
    }
}

/// Why a file is not a kubeconfig: where, and what kind of slip. The parser's own text could quote the file, so it is dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DocumentError {
    what: &'static str,
    /// Line and column, from 1.
    place: Option<(u64, u64)>,
}

/// Reads YAML, or JSON, which is YAML.
pub(super) fn parse(bytes: &[u8]) -> Result<Document, DocumentError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DocumentError { what: "it is not UTF-8", place: None })?;
    if text.trim().is_empty() {
        return Ok(Document::default());
    }
    let document: Option<Document> = yaml::parse(text).map_err(DocumentError::from)?;
    let document = document.unwrap_or_default();
    let is = |field: &Option<String>, expected: &str| field.as_deref().is_none_or(|it| it.is_empty() || it == expected);
    if is(&document.kind, "Config") && is(&document.api_version, "v1") {
        Ok(document)
    } else {
        Err(DocumentError { what: "it is another kind of object: kind `Config` of version `v1` is expected", place: None })
    }
}

impl From<serde_saphyr::Error> for DocumentError {
    fn from(error: serde_saphyr::Error) -> Self {
        use serde_saphyr::Error as Yaml;
        let what = match error.without_snippet() {
            Yaml::Budget { .. } => "it uses aliases or is larger or deeper than any kubeconfig",
            Yaml::DuplicateMappingKey { .. } => "a key is there twice",
            Yaml::MultipleDocuments { .. } => "it has more than one YAML document",
            Yaml::SerdeMissingField { field: "name", .. } => "an entry has no `name`",
            Yaml::SerdeInvalidType { .. } | Yaml::Unexpected { .. } | Yaml::InvalidScalar { .. } => {
                "a value is not of the kind that its field takes"
            }
            _ => "it is not well-formed YAML",
        };
        let place = error.location().map(|location| (location.line(), location.column()));
        Self { what, place: place.filter(|(line, _)| *line > 0) }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match self.place {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DocumentError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_files_and_null_lists_are_empty() {
        for text in
            ["", "\n", "# nothing\n", "null", "{}", "clusters: null\nusers:\ncontexts: []\n", "apiVersion: v1\nkind: Config\n"]
        {
            let document = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            let entries = document.clusters.map_or(0, |l| l.len()) + document.users.map_or(0, |l| l.len());
            assert_eq!((entries, document.current_context), (0, None), "{text:?}");
        }
    }

    #[test]
    fn json_is_read_and_unknown_fields_are_passed_over() {
        let text = r#"{"kind":"Config","apiVersion":"v1","preferences":{"colors":true},"current-context":"c",
            "users":[{"name":"u","user":{"token":"t","unknown":[1,{}]}}]}"#;
        let document = parse(text.as_bytes()).ok().unwrap();
        assert_eq!(document.current_context.as_deref(), Some("c"));
        assert_eq!(document.users.unwrap()[0].user.as_ref().unwrap().token.as_deref(), Some("t"));
    }

    #[test]
    fn a_broken_file_is_told_by_place_and_never_quoted() {
        let deep = format!("other: {}canary{}", "[".repeat(200), "]".repeat(200));
        for (text, message) in [
            ("users: [canary", "it is not well-formed YAML (line 1, column 8)"),
            ("token: canary\n\tusers: canary", "it is not well-formed YAML (line 1, column 8)"),
            ("users: canary", "a value is not of the kind that its field takes (line 1, column 8)"),
            ("users: [{user: {token: [canary]}, name: a}]", "a value is not of the kind that its field takes (line 1, column 24)"),
            (
                "clusters: [{cluster: {insecure-skip-tls-verify: canary}, name: a}]",
                "a value is not of the kind that its field takes (line 1, column 23)",
            ),
            (
                "clusters: [{cluster: {insecure-skip-tls-verify: 'true'}, name: a}]",
                "a value is not of the kind that its field takes (line 1, column 23)",
            ),
            ("users: [{user: {token: canary}}]", "an entry has no `name` (line 1, column 10)"),
            ("users: [{name: a, name: canary}]", "a key is there twice (line 1, column 19)"),
            ("users: []\nusers: [canary]", "a key is there twice (line 2, column 1)"),
            ("a: &canary [1]\nb: *canary", "it uses aliases or is larger or deeper than any kubeconfig (line 1, column 12)"),
            ("<<: {a: canary}", "it is not well-formed YAML (line 1, column 1)"),
            ("kind: Pod\ncanary: 1", "it is another kind of object: kind `Config` of version `v1` is expected"),
            ("kind: Config\n---\nkind: Config\ncanary: 1", "it has more than one YAML document (line 3, column 1)"),
            (deep.as_str(), "it uses aliases or is larger or deeper than any kubeconfig (line 1, column 39)"),
        ] {
            let error = parse(text.as_bytes()).err().unwrap();
            assert_eq!(error.to_string(), message, "{text:?}");
            assert!(!format!("{error:?}").contains("canary"));
        }
        assert_eq!(parse(b"\xff").err().unwrap().to_string(), "it is not UTF-8");
    }
}
