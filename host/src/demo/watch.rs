//! A watch: what it begins with, when it tells that nothing has changed, and when it ends. Nothing ever changes here.
//!
//! As kube-apiserver does when it has just started and knows no change before (apiserver `pkg/storage/cacher/cacher.go`, `Watch`, and
//! `cache_watcher.go`). `listen.rs` sends it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::answer::Typed;
use super::pods::RESOURCE_VERSION;
use super::query::Query;
use super::selectors::Selectors;
use super::status::{Invalid, Status};
use crate::kube::Pod;

/// How often a watch tells that nothing has changed (`defaultBookmarkFrequency`).
const BOOKMARK_FREQUENCY: Duration = Duration::from_secs(60);
/// How long before its end it does so once more (`nextBookmarkTime`).
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// When it does first. A real server takes a minute; who tries a client with the demo should see at once that it works. Arbitrary.
const FIRST_BOOKMARK: Duration = Duration::from_millis(100);
/// How long a watch lasts that does not say. A real server takes this long or up to twice (`MinRequestTimeout`).
const TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// How long one lasts at most. Arbitrary; any longer one, and its end may be no time at all.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// A watch that is answered.
#[derive(Debug)]
pub(super) struct Watch {
    /// What is sent at once, whole lines.
    first: Bytes,
    after: After,
}

#[derive(Clone, Copy, Debug)]
enum After {
    /// It ends.
    Nothing,
    /// It stays, with or without bookmarks.
    Open { timeout: Duration, bookmarks: bool },
}

impl Watch {
    /// The watch on `pods` that `query` asks for; of all namespaces, if `namespace` is empty.
    /// `pods` are ordered by namespace, then name.
    pub(super) fn open(pods: &[Pod], namespace: &str, query: &Query) -> Result<Self, Status> {
        let selectors = Selectors::parse(query)?;
        let timeout = match query.number("timeoutSeconds")? {
            None | Some(0) => TIMEOUT,
            // What is over before it begins, as on the API server.
            Some(seconds) => Duration::from_secs(u64::try_from(seconds).unwrap_or_default()).min(LONGEST_TIMEOUT),
        };
        refuse_watch_list(query)?;
        let version = parse_version(query.get("resourceVersion"))?;
        if version > 0 && version < RESOURCE_VERSION {
            let status = Status::expired(format!("too old resource version: {version} ({RESOURCE_VERSION})"));
            return Ok(Self { first: line("ERROR", "Status", &status), after: After::Nothing });
        }
        let mut first = Vec::new();
        // From no version on, all that is there is new.
        if version == 0 {
            let in_it = |pod: &&Pod| namespace.is_empty() || pod.metadata.namespace == namespace;
            for pod in pods.iter().filter(in_it).filter(|pod| selectors.match_pod(pod)) {
                first.extend_from_slice(&line("ADDED", "Pod", pod));
            }
        }
        // To one that waits for the future nothing is told before it is there.
        let bookmarks = query.has("allowWatchBookmarks") && version <= RESOURCE_VERSION;
        Ok(Self { first: first.into(), after: After::Open { timeout, bookmarks } })
    }

    /// What is sent, as time goes by.
    pub(super) fn lines(self) -> impl Stream<Item = Bytes> + Send {
        let began = Instant::now();
        let begin = stream::iter(Some(self.first).filter(|first| !first.is_empty()));
        let rest = stream::unfold(None, move |last: Option<Duration>| async move {
            let After::Open { timeout, bookmarks } = self.after else { return None };
            let next = Some(last).filter(|_| bookmarks).and_then(|last| next_bookmark(last, timeout));
            sleep_until(began + next.unwrap_or(timeout)).await;
            next.map(|at| (bookmark(), Some(at)))
        });
        begin.chain(rest)
    }
}

/// When after its beginning a watch tells that nothing has changed, after it last did; `None` if it does not before it ends.
fn next_bookmark(last: Option<Duration>, timeout: Duration) -> Option<Duration> {
    let Some(last) = last else { return Some(FIRST_BOOKMARK).filter(|first| *first < timeout) };
    let before_end = timeout.saturating_sub(LAST_BOOKMARK);
    Some((last + BOOKMARK_FREQUENCY).min(before_end)).filter(|next| *next > last)
}

/// As a server without the feature `WatchList`; a client then lists first.
fn refuse_watch_list(query: &Query) -> Result<(), Status> {
    let refused = [
        ("sendInitialEvents", "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"),
        ("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    ];
    match refused.into_iter().find(|(field, _)| !query.get(field).is_empty()) {
        Some((field, why)) => {
            Err(Status::invalid("meta.k8s.io", "ListOptions", &[Invalid { field, value: None, why: why.into() }]))
        }
        None => Ok(()),
    }
}

/// Nothing and zero are no version.
fn parse_version(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    // Go takes no sign.
    let digits = Some(text).filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()));
    digits.ok_or("invalid syntax").and_then(|text| text.parse().map_err(|_| "value out of range")).map_err(|why| {
        let why = format!("strconv.ParseUint: parsing {text:?}: {why}");
        Status::invalid("", "pods", &[Invalid { field: "resourceVersion", value: Some(format!("{text:?}")), why }])
    })
}

#[derive(Serialize)]
struct Event<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    object: Typed<'a, T>,
}

fn line<T: Serialize>(event: &str, kind: &str, object: &T) -> Bytes {
    let event = Event { kind: event, object: Typed::new(kind, object) };
    // As for `answer::object`: nothing that JSON lacks.
    let mut line = serde_json::to_vec(&event).expect("demo objects are JSON");
    line.push(b'\n');
    line.into()
}

/// A pod with nothing in it but the version up to which nothing is missing.
fn bookmark() -> Bytes {
    let object = serde_json::json!({
        "metadata": { "resourceVersion": RESOURCE_VERSION.to_string() },
        "spec": { "containers": null },
        "status": {},
    });
    line("BOOKMARK", "Pod", &object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::WatchEvent;

    fn open(namespace: &str, query: &str) -> Result<Watch, Status> {
        let pods = [("a", "x", "web"), ("a", "y", "db"), ("b", "w", "web")].map(|(namespace, name, app)| {
            let mut pod = Pod::default();
            pod.metadata.namespace = namespace.into();
            pod.metadata.name = name.into();
            pod.metadata.labels.insert("app".into(), app.into());
            pod
        });
        Watch::open(&pods, namespace, &Query::parse(Some(query)))
    }

    /// Each line of the watch, in a word, with the millisecond that it comes at; at last when it ends. Time is paused.
    async fn story(namespace: &str, query: &str) -> String {
        let began = Instant::now();
        let mut chunks = Box::pin(open(namespace, query).unwrap_or_else(|status| panic!("{query}: {}", status.message)).lines());
        let mut story = String::new();
        while let Some(chunk) = chunks.next().await {
            for line in chunk.split_inclusive(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\n").expect("a line ends");
                let event = match WatchEvent::decode(line, true).expect("the client reads it") {
                    WatchEvent::Present(pod) => pod.name().to_owned(),
                    WatchEvent::Bookmark(version) => format!("bookmark {version}"),
                    WatchEvent::Expired => "expired".to_owned(),
                    event => panic!("{event:?}"),
                };
                story += &format!("{}: {event}, ", began.elapsed().as_millis());
            }
        }
        story + &format!("{}: end", began.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_changes_and_that_is_told_each_minute() {
        let bookmark = format!("bookmark {RESOURCE_VERSION}");
        for (namespace, query, expected) in [
            ("", "resourceVersion=184467&timeoutSeconds=130", "130000: end".to_owned()),
            (
                "",
                "resourceVersion=184467&timeoutSeconds=130&allowWatchBookmarks=true",
                format!("100: {bookmark}, 60100: {bookmark}, 120100: {bookmark}, 128000: {bookmark}, 130000: end"),
            ),
            (
                "a",
                "resourceVersion=184467&timeoutSeconds=10&allowWatchBookmarks=true",
                format!("100: {bookmark}, 8000: {bookmark}, 10000: end"),
            ),
            ("", "resourceVersion=184467&timeoutSeconds=1&allowWatchBookmarks=true", format!("100: {bookmark}, 1000: end")),
            ("", "resourceVersion=184467&timeoutSeconds=-1&allowWatchBookmarks=true", "0: end".to_owned()),
            ("", "resourceVersion=184467&timeoutSeconds=0", "1800000: end".to_owned()),
            ("", "resourceVersion=184467", "1800000: end".to_owned()),
            ("", "resourceVersion=184467&timeoutSeconds=9223372036854775807", "86400000: end".to_owned()),
            // From the future: it may yet come.
            ("", "resourceVersion=184468&timeoutSeconds=61&allowWatchBookmarks=true", "61000: end".to_owned()),
            ("", "resourceVersion=18446744073709551615&timeoutSeconds=1", "1000: end".to_owned()),
            // From the past, of which nothing is known.
            ("", "resourceVersion=184466&timeoutSeconds=61", "0: expired, 0: end".to_owned()),
            ("", "resourceVersion=1", "0: expired, 0: end".to_owned()),
            // From no version on, all that is there is new.
            ("", "timeoutSeconds=1", "0: x, 0: y, 0: w, 1000: end".to_owned()),
            ("a", "resourceVersion=0&timeoutSeconds=1", "0: x, 0: y, 1000: end".to_owned()),
            ("", "timeoutSeconds=1&labelSelector=app%3Dweb", "0: x, 0: w, 1000: end".to_owned()),
            ("", "timeoutSeconds=1&fieldSelector=metadata.name%3Dy", "0: y, 1000: end".to_owned()),
            ("", "resourceVersion=184467&timeoutSeconds=1&labelSelector=app%3Dweb", "1000: end".to_owned()),
        ] {
            assert_eq!(story(namespace, query).await, expected, "{namespace} {query}");
        }
    }

    #[test]
    fn what_cannot_be_watched_is_refused_before_it_begins() {
        let rubbish = r#"pods "" is invalid: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax"#;
        for (query, code, message) in [
            ("resourceVersion=x", 422, rubbish),
            ("resourceVersion=-1", 422, r#"strconv.ParseUint: parsing "-1": invalid syntax"#),
            ("resourceVersion=%2B1", 422, r#"strconv.ParseUint: parsing "+1": invalid syntax"#),
            ("resourceVersion=18446744073709551616", 422, "value out of range"),
            ("timeoutSeconds=soon", 400, r#"strconv.ParseInt: parsing "soon": invalid syntax"#),
            ("labelSelector=a%3D%3D%3D", 400, "label selector"),
            ("fieldSelector=metadata.labels%3Da", 400, "`metadata.labels`"),
            (
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
                422,
                r#"ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"#,
            ),
            ("resourceVersionMatch=Exact", 422, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
        ] {
            let found = open("", query).unwrap_err();
            assert_eq!(found.status_code().as_u16(), code, "{query}");
            assert!(found.message.contains(message), "{query}: {}", found.message);
        }
    }

    #[test]
    fn a_bookmark_is_the_api_servers() {
        assert_eq!(
            bookmark(),
            concat!(
                r#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"184467"},"#,
                r#""spec":{"containers":null},"status":{}}}"#,
                "\n"
            )
        );
    }
}
