//! Field selectors for pods: parsed once, joined as terms, rendered, and evaluated on what the server returns.
//!
//! Syntax: k8s.io/apimachinery `pkg/fields/selector.go`. Fields: the ones that the pod registry really selects by
//! (kubernetes `pkg/registry/core/pod/strategy.go`, `ToSelectableFields`). `status.podIPs` is accepted by the API server's
//! conversion but compares with the empty text there, so it would silently match nothing: it is refused here.

use std::fmt;

use super::{Pod, SelectorError};
use crate::text::excerpt;

/// Longest selector text that is read, in bytes. Arbitrary; bounds the length of the request's URL.
const MAX_BYTES: usize = 1024;
/// Most terms of one selector. Arbitrary; bounds the work for each pod.
const MAX_TERMS: usize = 8;

/// A condition on a pod's fields; the empty selector has no condition and matches every pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Term {
    field: Field,
    equal: bool,
    value: String,
}

macro_rules! fields {
    ($($variant:ident = $path:literal => $read:expr,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        enum Field { $($variant),* }

        impl Field {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn path(self) -> &'static str {
                match self { $(Self::$variant => $path),* }
            }

            /// The text that the API server compares with.
            fn of(self, pod: &Pod) -> &str {
                match self { $(Self::$variant => { let read: fn(&Pod) -> &str = $read; read(pod) }),* }
            }
        }
    };
}

fields! {
    Name = "metadata.name" => |pod| &pod.metadata.name,
    Namespace = "metadata.namespace" => |pod| &pod.metadata.namespace,
    NodeName = "spec.nodeName" => |pod| &pod.spec.node_name,
    RestartPolicy = "spec.restartPolicy" => |pod| &pod.spec.restart_policy,
    SchedulerName = "spec.schedulerName" => |pod| &pod.spec.scheduler_name,
    ServiceAccountName = "spec.serviceAccountName" => |pod| &pod.spec.service_account_name,
    HostNetwork = "spec.hostNetwork" => |pod| if pod.spec.host_network { "true" } else { "false" },
    Phase = "status.phase" => |pod| &pod.status.phase,
    PodIp = "status.podIP" => |pod| pod.status.pod_ips.first().map_or(pod.status.pod_ip.as_str(), |ip| &ip.ip),
    NominatedNodeName = "status.nominatedNodeName" => |pod| &pod.status.nominated_node_name,
}

impl FieldSelector {
    /// Reads kubectl's syntax: `field=value`, `field==value`, `field!=value`, joined by commas; `\,`, `\=` and `\\` in a
    /// value stand for themselves. Empty text is the empty selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > MAX_BYTES {
            return Err(SelectorError::new(format!("field selector has {} bytes: at most {MAX_BYTES} are read", text.len())));
        }
        let mut terms = Vec::new();
        for term in split_terms(text) {
            if !term.is_empty() {
                terms.push(parse_term(term)?);
            }
        }
        if terms.len() > MAX_TERMS {
            return Err(SelectorError::new(format!("field selector has {} conditions: at most {MAX_TERMS} are read", terms.len())));
        }
        Ok(Self { terms })
    }

    /// The selector that demands what both demand.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut terms = self.terms.clone();
        for term in &other.terms {
            if !terms.contains(term) {
                terms.push(term.clone());
            }
        }
        Self { terms }
    }

    /// Whether there is nothing between two commas of a selector, or in all of it, where [`parse`](Self::parse) sees no condition.
    #[cfg(feature = "cli")]
    pub(crate) fn has_empty_condition(text: &str) -> bool {
        split_terms(text).iter().any(|term| term.trim().is_empty())
    }

    /// Whether the selector has no condition.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it looks at nothing but a pod's metadata.
    pub fn is_of_metadata(&self) -> bool {
        self.terms.iter().all(|term| matches!(term.field, Field::Name | Field::Namespace))
    }

    /// The fields that it looks at, in its order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.terms.iter().map(|term| term.field.path())
    }

    /// All fields that a selector can look at.
    #[cfg(test)]
    pub(crate) fn known_paths() -> impl Iterator<Item = &'static str> {
        Field::ALL.iter().map(|field| field.path())
    }

    /// Whether `pod` matches.
    pub fn matches(&self, pod: &Pod) -> bool {
        self.terms.iter().all(|term| (term.field.of(pod) == term.value) == term.equal)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let operator = if term.equal { "=" } else { "!=" };
            write!(f, "{comma}{}{operator}", term.field.path())?;
            for c in term.value.chars() {
                if matches!(c, '\\' | ',' | '=') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for FieldSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

/// Splits at commas that no backslash precedes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn parse_term(term: &str) -> Result<Term, SelectorError> {
    let operator = term.char_indices().find_map(|(i, _)| {
        ["!=", "==", "="].into_iter().find(|operator| term[i..].starts_with(operator)).map(|operator| (i, operator))
    });
    let Some((at, operator)) = operator else {
        return Err(SelectorError::new(format!(
            "`{}` in the field selector is not `field=value`, `field==value` or `field!=value`",
            excerpt(term)
        )));
    };
    let name = &term[..at];
    let Some(field) = Field::ALL.iter().copied().find(|field| field.path() == name) else {
        let known = Field::ALL.iter().map(|field| field.path()).collect::<Vec<_>>().join(", ");
        return Err(SelectorError::new(format!(
            "`{}` in the field selector is not a field that pods can be selected by: those are {known}",
            excerpt(name)
        )));
    };
    let value = unescape(&term[at + operator.len()..])?;
    Ok(Term { field, equal: operator != "!=", value })
}

fn unescape(text: &str) -> Result<String, SelectorError> {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => value.push(c),
                _ => {
                    return Err(SelectorError::new(format!(
                        "`{}` in the field selector has a backslash that is not part of `\\\\`, `\\,` or `\\=`",
                        excerpt(text)
                    )));
                }
            },
            '=' => {
                return Err(SelectorError::new(format!(
                    "`{}` in the field selector has an `=`: write `\\=` for an equals sign in a value",
                    excerpt(text)
                )));
            }
            c if c.is_control() => {
                return Err(SelectorError::new(format!("`{}` in the field selector has a control character", excerpt(text))));
            }
            c => value.push(c),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_selectors_render_canonically() {
        for (text, canonical) in [
            ("", ""),
            (",", ""),
            ("status.phase=Running", "status.phase=Running"),
            ("status.phase==Running,", "status.phase=Running"),
            ("status.phase!=Failed,spec.nodeName=", "status.phase!=Failed,spec.nodeName="),
            (r"metadata.name=a\,b\=c\\d", r"metadata.name=a\,b\=c\\d"),
            ("spec.hostNetwork=true", "spec.hostNetwork=true"),
        ] {
            let selector = FieldSelector::parse(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!(selector.to_string(), canonical, "{text:?}");
            assert_eq!(FieldSelector::parse(canonical).as_ref(), Ok(&selector), "{text:?} does not round-trip");
        }
    }

    #[test]
    fn bad_selectors_name_the_token() {
        for (text, named) in [
            ("status.phase", "`status.phase`"),
            ("status.podIPs=1.2.3.4", "`status.podIPs`"),
            ("metadata.labels=x", "`metadata.labels`"),
            ("=x", "``"),
            ("status.phase=a=b", "`a=b`"),
            (r"status.phase=a\x", r"`a\x`"),
            ("status.phase=a\u{0}", "control character"),
            (" status.phase=Running", "` status.phase`"),
            ("metadata.name in (a)", "`metadata.name in (a)`"),
        ] {
            let error = FieldSelector::parse(text).expect_err(text).to_string();
            assert!(error.contains(named), "{text:?}: {error}");
        }
        for too_much in ["a".repeat(2000), ["status.phase=a"; 9].join(",")] {
            FieldSelector::parse(&too_much).unwrap_err();
        }
    }

    #[test]
    fn matching_is_the_servers() {
        let mut pod = Pod::default();
        pod.metadata.name = "web".into();
        pod.status.phase = "Running".into();
        for (text, expected) in [
            ("", true),
            ("metadata.name=web", true),
            ("metadata.name!=web", false),
            ("spec.nodeName=", true),
            ("spec.nodeName!=", false),
            ("spec.hostNetwork=false", true),
            ("spec.hostNetwork!=false", false),
            ("status.phase=Running,metadata.name=db", false),
        ] {
            assert_eq!(FieldSelector::parse(text).expect(text).matches(&pod), expected, "{text}");
        }
    }
}
