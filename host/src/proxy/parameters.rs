//! What a query string may ask for: known names, each once, with values that are read and not passed on as text.
//!
//! The API server takes the first of two values and passes over what it does not know, and for it `watch=no` is a watch. Here each of
//! these is an error, so that what was asked for and what is answered are the same.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::kube::{ContinueToken, FieldSelector, IncludeObject, LabelSelector, ListParameters, ResourceVersionMatch, View, Watch};
use crate::text::excerpt;

/// Longest continue token, in bytes. The API server's is base64 of some JSON around namespace and name, which come to at most 800
/// (k8s.io/apiserver `pkg/storage/continue.go`). Twice that; arbitrary.
const CONTINUE_MAX_BYTES: usize = 2048;

/// Longest `timeout`. kubectl sends its `--request-timeout`, and 32 s with discovery; the API server gives no request more than a minute. Arbitrary.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest `timeoutSeconds`; a client watches again after it, as after any end of a watch. Where nothing is said, the API server ends a
/// watch within this time (k8s.io/apiserver `pkg/server/config.go`, `MinRequestTimeout`: 30 to 60 minutes), and longer ones it would grant:
/// those of clients that have gone unnoticed would last.
const WATCH_MAX_SECONDS: u32 = 60 * 60;

const VIEW: [&str; 4] = ["resourceVersion", "includeObject", "pretty", "timeout"];
const LIST: [&str; 13] = [
    "limit",
    "continue",
    "labelSelector",
    "fieldSelector",
    "resourceVersionMatch",
    "timeoutSeconds",
    "watch",
    "allowWatchBookmarks",
    "sendInitialEvents",
    VIEW[0],
    VIEW[1],
    VIEW[2],
    VIEW[3],
];

/// A list's query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) labels: LabelSelector,
    pub(super) fields: FieldSelector,
    pub(super) parameters: ListParameters,
    /// Whether `pretty` was said at all.
    pub(super) says_pretty: bool,
}

/// A single read's query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GetQuery {
    pub(super) view: View,
    /// Whether `pretty` was said at all.
    pub(super) says_pretty: bool,
}

pub(super) fn list(query: Option<&str>) -> Result<ListQuery, ParameterError> {
    let pairs = Pairs::read(query, &LIST)?;
    let watch = pairs.parse("watch", boolean)?.unwrap_or(false);
    let bookmarks = pairs.parse("allowWatchBookmarks", boolean)?.unwrap_or(false);
    let initial_events = pairs.parse("sendInitialEvents", boolean)?;
    if !watch && (bookmarks || initial_events.is_some()) {
        return Err(ParameterError::WithoutWatch);
    }
    Ok(ListQuery {
        labels: pairs.selector("labelSelector", LabelSelector::parse)?,
        fields: pairs.selector("fieldSelector", FieldSelector::parse)?,
        parameters: ListParameters {
            limit: pairs.parse("limit", number)?,
            continue_token: pairs.parse("continue", continue_token)?,
            resource_version_match: pairs.parse("resourceVersionMatch", resource_version_match)?,
            timeout_seconds: pairs.parse("timeoutSeconds", number)?.map(|seconds: u32| seconds.min(WATCH_MAX_SECONDS)),
            watch: watch.then_some(Watch { bookmarks, initial_events }),
            view: view(&pairs)?,
        },
        says_pretty: pairs.get("pretty").is_some(),
    })
}

pub(super) fn get(query: Option<&str>) -> Result<GetQuery, ParameterError> {
    let pairs = Pairs::read(query, &VIEW)?;
    Ok(GetQuery { view: view(&pairs)?, says_pretty: pairs.get("pretty").is_some() })
}

/// Of a path that has nothing to choose from. kubectl says how long it waits, there too.
pub(super) fn nothing(query: Option<&str>) -> Result<(), ParameterError> {
    Pairs::read(query, &["timeout"])?.parse("timeout", duration).map(|_| ())
}

fn view(pairs: &Pairs) -> Result<View, ParameterError> {
    Ok(View {
        resource_version: pairs.parse("resourceVersion", number)?,
        include_object: pairs.parse("includeObject", include_object)?,
        pretty: pairs.parse("pretty", boolean)?.unwrap_or(false),
        timeout: pairs.parse("timeout", duration)?,
    })
}

/// Known names, each at most once, with their values decoded.
struct Pairs(Vec<(&'static str, String)>);

impl Pairs {
    fn read(query: Option<&str>, known: &[&'static str]) -> Result<Self, ParameterError> {
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        for pair in query.iter().flat_map(|query| query.split('&')) {
            let (name, value) = pair.split_once('=').ok_or_else(|| ParameterError::NoValue(excerpt(pair)))?;
            // The name as it was sent: one that is escaped is another one.
            let name = *known.iter().find(|known| **known == name).ok_or_else(|| ParameterError::Unknown(excerpt(name)))?;
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(ParameterError::Twice(name));
            }
            pairs.push((name, unescape(value).ok_or(ParameterError::Value(name))?));
        }
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(seen, _)| *seen == name).map(|(_, value)| value.as_str())
    }

    fn parse<T>(&self, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, ParameterError> {
        self.get(name).map(|value| parse(value).ok_or(ParameterError::Value(name))).transpose()
    }

    fn selector<T: Default, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ParameterError> {
        let parsed = self.get(name).map(parse).transpose();
        Ok(parsed.map_err(|error| ParameterError::Selector(name, error.to_string()))?.unwrap_or_default())
    }
}

/// Without control characters, which no parameter has.
fn unescape(text: &str) -> Option<String> {
    crate::web::unescape(text).filter(|text| !text.contains(char::is_control))
}

/// A number as it would be written: no sign, no zeros before it.
fn number<T: FromStr + fmt::Display>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

/// Go's query conversion takes anything but `false` and `0` for true (apimachinery `pkg/runtime/conversion.go`). What is neither is not
/// guessed at here.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn continue_token(text: &str) -> Option<ContinueToken> {
    let fits = text.len() <= CONTINUE_MAX_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    ContinueToken::new(text).filter(|_| fits)
}

fn resource_version_match(text: &str) -> Option<ResourceVersionMatch> {
    match text {
        "Exact" => Some(ResourceVersionMatch::Exact),
        "NotOlderThan" => Some(ResourceVersionMatch::NotOlderThan),
        _ => None,
    }
}

fn include_object(text: &str) -> Option<IncludeObject> {
    match text {
        "None" => Some(IncludeObject::None),
        "Metadata" => Some(IncludeObject::Metadata),
        "Object" => Some(IncludeObject::Object),
        _ => None,
    }
}

/// A duration as Go writes it, such as `1m30s` or `500ms`; whole numbers of hours, minutes, seconds and milliseconds.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let count: u32 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "h" => Duration::from_secs(60 * 60),
            "m" => Duration::from_secs(60),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            _ => return None,
        };
        rest = &rest[letters..];
        total = total.checked_add(unit.checked_mul(count)?)?;
    }
    Some(total).filter(|total| !text.is_empty() && *total <= TIMEOUT_MAX)
}

/// Why a query string is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParameterError {
    Unknown(String),
    NoValue(String),
    Twice(&'static str),
    Value(&'static str),
    Selector(&'static str, String),
    WithoutWatch,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "this path has no parameter `{name}` here"),
            Self::NoValue(pair) => write!(f, "`{pair}` in the query string is not NAME=VALUE"),
            Self::Twice(name) => write!(f, "the parameter `{name}` is given twice"),
            Self::Value(name) => write!(f, "the parameter `{name}` has a value that it cannot have"),
            Self::Selector(name, why) => write!(f, "the parameter `{name}` cannot be read: {why}"),
            Self::WithoutWatch => f.write_str("`allowWatchBookmarks` and `sendInitialEvents` go with `watch=true` only"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubectl_sends_is_read() {
        let read =
            list(Some("labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29&limit=500&continue=eyJ2_-&includeObject=Object")).unwrap();
        assert_eq!(read.labels.to_string(), "app=web,tier in (a,b)");
        assert_eq!(read.parameters.limit, Some(500));
        assert_eq!(read.parameters.continue_token, ContinueToken::new("eyJ2_-"));
        assert_eq!(read.parameters.view.include_object, Some(IncludeObject::Object));
        assert_eq!(list(None).unwrap(), ListQuery::default());
        assert_eq!(list(Some("labelSelector=&watch=false&allowWatchBookmarks=0")).unwrap(), ListQuery::default());
        let watch = list(Some("allowWatchBookmarks=true&fieldSelector=metadata.name%3Dweb-0&resourceVersion=0&watch=1")).unwrap();
        assert_eq!(watch.parameters.watch, Some(Watch { bookmarks: true, initial_events: None }));
        assert_eq!(watch.parameters.view.resource_version, Some(0));
        assert_eq!(nothing(Some("timeout=32s")), Ok(()));
        assert_eq!(get(Some("timeout=1m30s&pretty=true")).unwrap().view.timeout, Some(Duration::from_secs(90)));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("continue={}", "a".repeat(CONTINUE_MAX_BYTES + 1));
        let labels = format!("labelSelector={}", "a".repeat(5000));
        for query in [
            "",
            "&",
            "limit",
            "limit=",
            "limit=-1",
            "limit=+5",
            "limit=05",
            "limit=5a",
            "limit=1e3",
            "limit=4294967296",
            "limit=5&",
            "&limit=5",
            "limit=5&&watch=0",
            "limit=5&limit=5",
            "limit=5;watch=1",
            "watch",
            "watch=",
            "watch=yes",
            "watch=no",
            "watch=TRUE",
            "watch=True",
            "watch=t",
            "watch=2",
            "watch=true&watch=false",
            "watch=false&watch=true",
            "watch=false&%77atch=true",
            "watch=true%00",
            "Watch=false",
            "WATCH=1",
            "%77atch=1",
            "watch%00=1",
            " watch=1",
            "follow=true",
            "fieldselector=a",
            "labelSelector=a&labelSelector=b",
            "labelSelector=%",
            "labelSelector=%4",
            "labelSelector=%zz",
            "labelSelector=%+1",
            "labelSelector=%ff",
            "labelSelector=app%0a",
            "labelSelector=app%00",
            "labelSelector=app in",
            "fieldSelector=spec.secret%3D1",
            "continue=",
            "continue=a%20b",
            "continue=a%0d%0ab",
            "resourceVersion=",
            "resourceVersion=abc",
            "resourceVersion=18446744073709551616",
            "resourceVersionMatch=exact",
            "timeoutSeconds=1.5",
            "allowWatchBookmarks=true",
            "sendInitialEvents=true",
            "watch=false&sendInitialEvents=false",
            "includeObject=object",
            "pretty=yes",
            "timeout=",
            "timeout=5",
            "timeout=-5s",
            "timeout=1d",
            "timeout=1.5s",
            "timeout=s",
            "timeout=25h",
            "timeout=4294967295h",
            "as=admin",
            "dryRun=All",
            "access_token=a",
            &long,
            &labels,
        ] {
            assert!(list(Some(query)).is_err(), "{query}");
        }
        for query in ["watch=1", "watch=false", "limit=1", "container=app", "follow=true", "resourceVersionMatch=Exact"] {
            assert!(get(Some(query)).is_err(), "{query}");
        }
        for query in ["", "verbose", "verbose=true", "exclude=etcd", "pretty=true", "watch=true"] {
            assert!(nothing(Some(query)).is_err(), "{query}");
        }
    }

    #[test]
    fn an_error_names_what_is_wrong_and_no_value() {
        for (query, message) in [
            ("follow=true", "this path has no parameter `follow` here"),
            ("watch", "`watch` in the query string is not NAME=VALUE"),
            ("limit=1&limit=2", "the parameter `limit` is given twice"),
            ("continue=%0a", "the parameter `continue` has a value that it cannot have"),
            ("sendInitialEvents=true", "`allowWatchBookmarks` and `sendInitialEvents` go with `watch=true` only"),
        ] {
            assert_eq!(list(Some(query)).unwrap_err().to_string(), message);
        }
    }
}
