//! Names that are safe to put into a URL's path, since nothing else can be made of these types.
//!
//! Grammar and bounds: k8s.io/apimachinery `pkg/util/validation` (RFC 1123 label and subdomain).

use std::fmt;

use crate::text::excerpt;

/// Longest RFC 1123 label, in bytes.
const LABEL_MAX_BYTES: usize = 63;
/// Longest RFC 1123 subdomain, in bytes.
const SUBDOMAIN_MAX_BYTES: usize = 253;

/// The name of a namespace: an RFC 1123 label.
///
/// ```
/// use podlens::Namespace;
/// assert_eq!(Namespace::parse("shop").unwrap().as_str(), "shop");
/// assert!(Namespace::parse("..").is_err());
/// assert!(Namespace::parse("").is_err()); // never "all namespaces"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(String);

/// The name of a pod: an RFC 1123 subdomain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName(String);

impl Namespace {
    /// Checks `name` against the grammar of namespaces.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        if name.len() <= LABEL_MAX_BYTES && is_label(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NameError { what: What::Namespace, name: excerpt(name) })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PodName {
    /// Checks `name` against the grammar of pod names.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        if is_subdomain(name) { Ok(Self(name.to_owned())) } else { Err(NameError { what: What::Pod, name: excerpt(name) }) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `default`: where nothing names another, as everywhere in Kubernetes.
impl Default for Namespace {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl std::str::FromStr for Namespace {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::parse(name)
    }
}

/// RFC 1123 label without its bound on length: `[a-z0-9]([-a-z0-9]*[a-z0-9])?`.
pub(super) fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes.iter().all(|b| alphanumeric(b) || *b == b'-')
}

/// RFC 1123 subdomain: labels joined by dots. The bound is on the whole, as in apimachinery.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_MAX_BYTES && text.split('.').all(is_label)
}

/// A name that does not follow its grammar. No request was made with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    what: What,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Namespace,
    Pod,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Namespace => write!(
                f,
                "`{}` is not a namespace: 1 to {LABEL_MAX_BYTES} of a-z, 0-9 and `-`, beginning and ending with a letter or digit",
                self.name
            ),
            What::Pod => write!(
                f,
                "`{}` is not a pod's name: 1 to {SUBDOMAIN_MAX_BYTES} of a-z, 0-9, `-` and `.`, each part beginning and ending \
                 with a letter or digit",
                self.name
            ),
        }
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_labels() {
        let longest = "a".repeat(63);
        for good in ["a", "0", "kube-system", "a--b", longest.as_str()] {
            assert_eq!(Namespace::parse(good).map(|n| n.0), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(64);
        for bad in
            ["", ".", "..", "a.b", "a/b", "%2e", "%2e%2e", "A", "-a", "a-", "a b", "a\n", "é", "a?b", "a#b", "a_b", "\0", &too_long]
        {
            assert!(Namespace::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn pod_names_are_subdomains() {
        let longest = format!("{}.{}", "a".repeat(126), "b".repeat(126));
        for good in ["a", "web-0", "a.b.c", "1.2", longest.as_str()] {
            assert_eq!(PodName::parse(good).map(|n| n.0), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(254);
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a.",
            "a/b",
            "a/../b",
            "%2e%2e",
            "Web",
            "-a",
            "a-",
            "a.-b",
            "a?watch=1",
            "a\u{0}",
            &too_long,
        ] {
            assert!(PodName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_shows_an_escaped_excerpt() {
        let error = Namespace::parse(&format!("\u{1b}[31m{}", "x".repeat(500))).unwrap_err().to_string();
        assert!(error.starts_with("`\\u{1b}[31mxxx"), "{error}");
        assert!(error.len() < 250, "{error}");
    }
}
