//! What is recorded is answered again.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::*;
use crate::kube::Detail;
use crate::policy::{Ask, Grant, authorize};
use crate::source::{Bounds, BoxFuture, Page, PodPages, PodSource, Requests, Snapshot};

const BOUNDS: fn() -> Bounds = || Bounds { deadline: Instant::now(), max_bytes: 0, requests: Requests::default() };

fn pod(namespace: &str, name: &str) -> ReadPod {
    let object = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}, "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "s3cret", "note": "n"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "web:1", "env": [{"name": "A", "value": "s3cret"}]}]},
        "status": {"phase": "Running", "message": "m", "podIP": "10.0.0.1"},
    });
    ReadPod::new(&Pod::deserialize(&object).unwrap()).with_object(object.to_string())
}

fn pods() -> Snapshot {
    Snapshot::new(vec![pod("a", "x"), pod("a", "y"), pod("b", "x")]).page_size(2)
}

fn recorder(redacted: &[Redaction]) -> Recorder {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_678);
    Recorder::new(Arc::new(pods()), &everywhere(), time).redact(redacted.iter().copied())
}

fn list(grant: Grant, labels: &str, objects: bool) -> PodRequest {
    let detail = if objects { Detail::Object } else { Detail::Fields };
    let labels = LabelSelector::parse(labels).unwrap();
    authorize(&grant, Ask::List { namespace: None, labels, fields: FieldSelector::default(), detail }).unwrap()
}

fn everywhere() -> Grant {
    Grant::all_namespaces().whole_objects()
}

fn namespace(name: &str) -> Grant {
    Grant::nothing().namespace(Namespace::parse(name).unwrap()).whole_objects()
}

fn get(name: &str) -> PodRequest {
    let ask = Ask::Get { namespace: Namespace::parse("a").unwrap(), name: PodName::parse(name).unwrap(), detail: Detail::Fields };
    authorize(&everywhere(), ask).unwrap()
}

/// The pages of a list as names, and how it ended.
async fn read(source: &dyn PodSource, request: PodRequest) -> (Vec<Vec<String>>, Result<(), String>) {
    let mut pages = source.list(request);
    let mut names = Vec::new();
    loop {
        match pages.next(BOUNDS()).await {
            Ok(Some(page)) => {
                let name = |read: &ReadPod| read.key().to_owned();
                names.push(page.pods.iter().map(name).collect());
            }
            Ok(None) => return (names, Ok(())),
            Err(error) => return (names, Err(error.to_string())),
        }
    }
}

/// Through its text, as all replays.
fn replay(recorder: &Recorder) -> Replay {
    let recording = recorder.recording().unwrap();
    let read = Recording::parse(&recording.to_json()).unwrap();
    assert_eq!(read, recording);
    assert_eq!(Granted::of(&read.grant().unwrap()), read.granted);
    Replay::new(read)
}

#[tokio::test]
async fn what_was_asked_is_answered_as_it_was() {
    let recorder = recorder(&[]);
    let live = read(&recorder, list(everywhere(), "", true)).await;
    assert_eq!(live.0, [vec!["a/x", "a/y"], vec!["b/x"]]);
    recorder.get(&get("y"), BOUNDS()).await.unwrap();
    assert!(recorder.get(&get("z"), BOUNDS()).await.unwrap_err().is_not_found());

    let replay = replay(&recorder);
    assert_eq!(read(&replay, list(everywhere(), "", true)).await, live);
    let whole = replay.list(list(everywhere(), "", true)).next(BOUNDS()).await.unwrap().unwrap();
    let object: Value = serde_json::from_str(whole.pods[0].object().unwrap()).unwrap();
    assert_eq!(object["spec"]["containers"][0]["env"][0]["value"], "s3cret");
    assert_eq!(whole.pods[0].pod(), pod("a", "x").pod());
    assert_eq!(replay.get(&get("y"), BOUNDS()).await.unwrap().pods[0].pod(), pod("a", "y").pod());
    assert!(replay.get(&get("z"), BOUNDS()).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_part_of_a_recorded_list_is_answered_out_of_it() {
    let recorder = recorder(&[]);
    read(&recorder, list(everywhere(), "", false)).await.1.unwrap();
    let replay = replay(&recorder);
    assert_eq!(read(&replay, list(namespace("b"), "", false)).await, (vec![vec!["b/x".to_owned()]], Ok(())));
    assert_eq!(read(&replay, list(everywhere(), "app=y", false)).await.0, [["a/y"]]);
    assert_eq!(replay.get(&get("y"), BOUNDS()).await.unwrap().pods[0].name(), "y");
    let error = read(&replay, list(namespace("b"), "app=x", true)).await.1.unwrap_err();
    assert_eq!(error, "the recording has no answer to listing pods in `b`, labels `app=x`, as whole objects");
}

#[tokio::test]
async fn what_is_wider_than_the_recording_is_an_error() {
    let recorder = recorder(&[]);
    read(&recorder, list(namespace("a"), "app=x", false)).await.1.unwrap();
    let replay = replay(&recorder);
    assert_eq!(read(&replay, list(namespace("a"), "app=x,app!=y", false)).await.0, [["a/x"]]);
    for (wider, asked) in [
        (list(everywhere(), "app=x", false), "in all namespaces, labels `app=x`"),
        (list(namespace("a"), "", false), "in `a`"),
        (list(namespace("a"), "app", false), "in `a`, labels `app`"),
    ] {
        let error = read(&replay, wider).await.1.unwrap_err();
        assert_eq!(error, format!("the recording has no answer to listing pods {asked}"));
    }
}

#[tokio::test]
async fn a_list_that_was_left_is_not_taken_for_a_whole_one() {
    let recorder = recorder(&[]);
    recorder.list(list(everywhere(), "", false)).next(BOUNDS()).await.unwrap();
    let replay = replay(&recorder);
    let (pages, end) = read(&replay, list(everywhere(), "", false)).await;
    assert_eq!(pages, [["a/x", "a/y"]]);
    assert!(end.unwrap_err().contains("was not recorded to its end"));
    read(&replay, list(namespace("a"), "", false)).await.1.unwrap_err();
}

/// Fails, then answers.
struct Recovering(Mutex<Vec<Error>>);

impl PodSource for Recovering {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        match self.0.lock().unwrap().pop() {
            Some(error) => Box::new(Broken(error)),
            None => pods().list(request),
        }
    }

    fn get<'a>(&'a self, _: &'a PodRequest, _: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async { Err(Error::not_found()) })
    }
}

struct Broken(Error);

impl PodPages for Broken {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}

#[tokio::test]
async fn what_was_asked_again_is_answered_in_turn() {
    let failing = Recovering(Mutex::new(vec![Error::expired("the snapshot is gone"), Error::denied("no")]));
    let recorder = Recorder::new(Arc::new(failing), &namespace("a"), SystemTime::UNIX_EPOCH);
    let ask = || list(everywhere(), "", false);
    for _ in 0..3 {
        read(&recorder, ask()).await.1.ok();
    }
    let replay = replay(&recorder);
    let ends =
        [read(&replay, ask()).await.1, read(&replay, ask()).await.1, read(&replay, ask()).await.1, read(&replay, ask()).await.1];
    assert_eq!(
        ends,
        [
            Err("it was refused when it was recorded".to_owned()),
            Err("the list expired when it was recorded".to_owned()),
            Ok(()),
            Ok(()),
        ]
    );
}

#[tokio::test]
async fn what_is_redacted_is_not_in_the_text() {
    let recorder = recorder(Redaction::ALL);
    read(&recorder, list(everywhere(), "", true)).await.1.unwrap();
    let text = recorder.recording().unwrap().to_json();
    for gone in ["s3cret", "web:1", "10.0.0.1", "node-1", "\"m\"", "\"n\""] {
        assert!(!text.contains(gone), "{gone} is in {text}");
    }
    for stays in ["\"name\": \"A\"", "\"note\": \"redacted\"", "\"phase\": \"Running\""] {
        assert!(text.contains(stays), "{stays} is not in {text}");
    }
    let env = recorder_of_env().await;
    assert!(!env.contains("s3cret") && env.contains("web:1") && env.contains("\"note\": \"n\""), "{env}");
}

/// Who set which field is told by the field's key, which of a pod's addresses is the address.
#[tokio::test]
async fn addresses_are_not_left_among_the_fields_that_are_managed() {
    let managed = r#""name":"x","managedFields":[{"fieldsV1":{"f:status":{"f:podIPs":{"k:{\"ip\":\"10.0.0.1\"}":{}}}}}]"#;
    let read_pod = pod("a", "x");
    let object = read_pod.object().unwrap().replace(r#""name":"x""#, managed);
    let source = Arc::new(Snapshot::new(vec![read_pod.with_object(object)]));
    for (redacted, is_told) in [(&[][..], true), (&[Redaction::Ips], false)] {
        let recorder = Recorder::new(source.clone(), &everywhere(), SystemTime::UNIX_EPOCH).redact(redacted.iter().copied());
        read(&recorder, list(everywhere(), "", true)).await.1.unwrap();
        assert_eq!(recorder.recording().unwrap().to_json().contains("10.0.0.1"), is_told);
    }
}

async fn recorder_of_env() -> String {
    let recorder = recorder(&[Redaction::Env]);
    read(&recorder, list(everywhere(), "", true)).await.1.unwrap();
    recorder.recording().unwrap().to_json()
}

#[test]
fn what_is_no_recording_is_refused() {
    let recording = recorder(&[]).recording().unwrap().to_json();
    for (text, expected) in [
        ("{}".to_owned(), "it is no recording of podlens"),
        ("[]".to_owned(), "it is no recording of podlens"),
        ("{".to_owned(), "it is malformed: EOF while parsing an object at line 1 column 1"),
        (
            recording.replace("\"version\": 1", "\"version\": 2"),
            "it is of version 2, and this podlens reads version 1: record again",
        ),
        (
            recording
                .replace("\"answers\": []", r#""answers": [{"asked": {"verb": "list", "namespaces": ["../a"]}, "pages": []}]"#),
            "what was asked is malformed: ",
        ),
        (
            recording
                .replace("\"answers\": []", r#""answers": [{"asked": {"verb": "list"}, "pages": [{"bytes": 0, "pods": [7]}]}]"#),
            "a pod in the answer to listing pods in all namespaces is malformed: ",
        ),
    ] {
        let error = Recording::parse(&text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
