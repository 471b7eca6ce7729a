use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use uuid::Uuid;

use super::chain::Chain;
use super::line::{End, Missing, Torn};
use super::sink::Sink;
use super::verify::{Broken, Summary, Verifier, VerifyError};
use super::*;
use crate::kube::{Namespace, PodName, ServiceAccount};
use crate::runtime::Digest;
use crate::serve::outcome::Outcome;
use crate::serve::policy::TenantName;

fn time() -> Timestamp {
    "2026-11-27T16:00:00.25Z".parse().unwrap()
}

fn id() -> Uuid {
    Uuid::new_v4()
}

fn tenant(name: &str) -> TenantName {
    TenantName::parse(name).unwrap()
}

fn account(namespace: &str, name: &str) -> ServiceAccount {
    ServiceAccount::new(Namespace::parse(namespace).unwrap(), name).unwrap()
}

fn caller(subject: Subject) -> Caller {
    Caller { subject, source: Some(IpAddr::from([10, 0, 0, 7])), user_agent: Some("curl/8.1".to_owned()) }
}

fn run() -> Run {
    Run {
        run_id: id(),
        tenant: tenant("checkout"),
        caller: caller(Subject::ServiceAccount(account("shop", "dashboards"))),
        query: "restarts".to_owned(),
        component_digest: Some(Digest::of(b"component")),
        policy_digest: Digest::of(b"policy"),
        decision: Decision::Allow(Allowed::Builtin),
        parameters: vec!["min".to_owned()],
    }
}

fn started() -> Event {
    Event::RunStarted(RunStarted { run: run() })
}

fn call() -> CallRecord {
    CallRecord {
        audit_id: id(),
        run_id: Some(id()),
        tenant: Some(tenant("checkout")),
        impersonated_user: Some(account("shop", "podlens-reader")),
        verb: Verb::List,
        object: ObjectRef { resource: Resource::Pods, namespace: Some(Namespace::parse("shop").unwrap()), name: None },
        label_selector: Some("app=web".to_owned()),
        field_selector: None,
        limit: Some(500),
        response: CallResponse::Code(200),
        latency: Duration::from_millis(12),
        bytes: 4096,
    }
}

fn complete(outcome: Outcome) -> Event {
    let counts = Counts { pods: 3, rows: 2, requests: 1, response_bytes: 4096, peak_memory_bytes: 1 << 20, ..Counts::default() };
    let resource_version = Some("1234".to_owned());
    Event::RunComplete(RunComplete {
        run: run(),
        outcome,
        denied: None,
        counts,
        source: Some(PodsFrom::ApiServer),
        resource_version,
    })
}

fn refused(tenant: Option<TenantName>) -> Event {
    let (reason, caller) = (RefusalReason::Unauthenticated, caller(Subject::Anonymous));
    Event::Refused(Refused { reason, caller, tenant, query: Some("restarts".to_owned()) })
}

/// A folder with a log in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.path("log")
    }

    fn open(&self) -> Result<Chain, AuditError> {
        Chain::open(&Destination::File(self.log()))
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.log()).unwrap()
    }

    /// A run from beginning to end.
    fn with_a_run() -> Self {
        let place = Self::new();
        let mut log = place.open().unwrap();
        for event in [started(), Event::Call(call()), complete(Outcome::Ok)] {
            log.add(&event, time()).unwrap();
        }
        place
    }

    fn append(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(self.log()).unwrap().write_all(bytes).unwrap();
    }
}

fn verified(files: &[&[u8]]) -> Result<Summary, Broken> {
    let mut verifier = Verifier::default();
    for bytes in files {
        match verifier.file(*bytes, |_| {}) {
            Ok(()) => {}
            Err(VerifyError::Broken(broken)) => return Err(broken),
            Err(VerifyError::Io(error)) => panic!("{error}"),
        }
    }
    Ok(verifier.finish())
}

fn json_of(event: Event) -> Value {
    let mut line = Vec::new();
    line::append(&mut line, &End::default(), time(), &event, &Torn::default(), Missing::default()).unwrap();
    serde_json::from_slice(&line).unwrap()
}

#[test]
fn a_run_is_recorded_by_the_names_of_kubernetes() {
    let mut run = run();
    run.caller.subject = Subject::Token { sha256: [0xab; 32] };
    let (run_id, digest) = (run.run_id.to_string(), Digest::of(b"component").to_string());
    let line = json_of(Event::RunComplete(RunComplete {
        denied: None,
        run,
        outcome: Outcome::Limit("max-pods"),
        counts: Counts { pods: 7, ..Counts::default() },
        source: Some(PodsFrom::Cache),
        resource_version: Some("42".to_owned()),
    }));
    let expected = json!({
        "schema": "podlens.dev/audit/v1", "seq": 1, "previous": "0".repeat(64), "time": "2026-11-27T16:00:00.250000Z",
        "stage": "RunComplete", "runID": run_id, "tenant": "checkout",
        "user": { "username": "abababababab", "method": "token" }, "sourceIPs": ["10.0.0.7"], "userAgent": "curl/8.1",
        "query": "restarts", "componentDigest": digest, "policyDigest": Digest::of(b"policy").to_string(),
        "decision": "allow", "reason": "builtin", "parameters": ["min"],
        "outcome": "limit", "limit": "max-pods",
        "counts": {
            "pods": 7, "rows": 0, "requests": 0, "responseBytes": 0, "hostCalls": 0, "cpuMilliseconds": 0, "wallMilliseconds": 0,
            "peakMemoryBytes": 0,
        },
        "source": "cache", "resourceVersion": "42", "hash": line["hash"],
    });
    assert_eq!(line, expected);
}

#[test]
fn a_call_is_recorded_by_the_names_of_kubernetes() {
    let mut call = call();
    call.verb = Verb::Get;
    call.object.name = Some(PodName::parse("web-0").unwrap());
    (call.label_selector, call.limit, call.response) = (None, None, CallResponse::Failed(CallFailure::Unreachable));
    let (audit_id, run_id) = (call.audit_id.to_string(), call.run_id.unwrap().to_string());
    let line = json_of(Event::Call(call));
    let expected = json!({
        "schema": "podlens.dev/audit/v1", "seq": 1, "previous": "0".repeat(64), "time": "2026-11-27T16:00:00.250000Z",
        "stage": "ResponseComplete", "auditID": audit_id, "runID": run_id, "tenant": "checkout",
        "impersonatedUser": { "username": "system:serviceaccount:shop:podlens-reader" }, "verb": "get",
        "objectRef": { "resource": "pods", "apiVersion": "v1", "namespace": "shop", "name": "web-0" },
        "responseStatus": { "reason": "unreachable" }, "latencyMilliseconds": 12, "bytes": 4096, "hash": line["hash"],
    });
    assert_eq!(line, expected);
}

#[test]
fn a_refusal_tells_who_and_why() {
    let line = json_of(refused(None));
    assert_eq!((&line["stage"], &line["reason"]), (&json!("Refused"), &json!("unauthenticated")));
    assert_eq!(line["user"], json!({ "username": "anonymous", "method": "anonymous" }));
    assert!(line.get("tenant").is_none());
}

#[test]
fn a_chain_verifies_over_several_starts() {
    let place = Place::with_a_run();
    place.open().unwrap().add(&complete(Outcome::Trap), time()).unwrap();
    let summary = verified(&[&place.bytes()]).unwrap();
    assert_eq!((summary.records, summary.seq, summary.continues, summary.torn), (4, Some((1, 4)), None, 0));
    assert_eq!(summary.stages, [("ResponseComplete", 1), ("RunComplete", 2), ("RunStarted", 1)].into());
    assert_eq!(summary.time.unwrap().0, time());
    let last = String::from_utf8(place.bytes()).unwrap();
    assert!(last.ends_with(&format!(",\"hash\":\"{}\"}}\n", summary.last.unwrap())));
    assert_eq!(fs::metadata(place.log()).unwrap().permissions().mode() & 0o777, 0o600);
}

/// As the documentation says, with nothing of ours.
#[test]
fn the_hash_is_of_the_bytes_before_it() {
    use sha2::Digest as _;
    let place = Place::with_a_run();
    let text = String::from_utf8(place.bytes()).unwrap();
    let mut previous = "0".repeat(64);
    for line in text.lines() {
        let (start, seal) = line.split_at(line.len() - 75);
        let hash = seal.strip_prefix(",\"hash\":\"").unwrap().strip_suffix("\"}").unwrap();
        assert_eq!(format!("{:x}", sha2::Sha256::digest(format!("{start}}}"))), hash);
        assert!(line.contains(&format!("\"previous\":\"{previous}\"")));
        previous = hash.to_owned();
    }
}

#[test]
fn every_edit_of_a_byte_is_found() {
    let place = Place::with_a_run();
    let whole = place.bytes();
    verified(&[&whole]).unwrap();
    let mut changed = whole.clone();
    for at in 0..whole.len() {
        for flip in [1, 0x80, whole[at] ^ b'\n', whole[at] ^ b'"'] {
            if flip != 0 {
                changed[at] = whole[at] ^ flip;
                let line = whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                let broken = verified(&[&changed]).expect_err("it is found");
                assert_eq!(broken.line, line, "byte {at}");
            }
        }
        changed[at] = whole[at];
    }
    for at in 0..=whole.len() {
        let mut longer = whole.clone();
        longer.insert(at, b'\n');
        verified(&[&longer]).expect_err("a new line is found");
    }
}

#[test]
fn lines_that_are_removed_moved_or_cut_are_found() {
    let place = Place::with_a_run();
    let whole = place.bytes();
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let [a, b, c] = lines[..] else { panic!("there are three") };
    let of = |lines: &[&[u8]]| verified(&[&lines.concat()]).map(|summary| summary.records).map_err(|broken| broken.line);
    assert_eq!(of(&[a, b, c]), Ok(3));
    assert_eq!(of(&[a, c]), Err(2));
    assert_eq!(of(&[a, c, b]), Err(2));
    assert_eq!(of(&[b, a, c]), Err(2));
    assert_eq!(of(&[a, b, b, c]), Err(3));
    assert_eq!(of(&[a, &b[..b.len() - 10], b"\n", c]), Err(2));
    assert_eq!(of(&[a, &b[..b.len() - 10], c]), Err(2));
    assert_eq!(of(&[a, b"\n", b, c]), Err(2));
    assert_eq!(of(&[a, b, &c[..c.len() - 1]]), Err(3));
    // Not to be seen in the lines that are left: what is missing at the end, and at the beginning, where it tells what it continues.
    assert_eq!(of(&[a, b]), Ok(2));
    assert_eq!(of(&[]), Ok(0));
    let summary = verified(&[&[b, c].concat()]).unwrap();
    assert_eq!(summary.continues.unwrap().to_string(), serde_json::from_slice::<Value>(a).unwrap()["hash"]);
}

#[test]
fn the_same_lines_of_another_log_do_not_fit() {
    let [a, b] = [Place::with_a_run(), Place::with_a_run()].map(|place| place.bytes());
    assert_eq!(verified(&[&a, &b]).unwrap_err().line, 1);
}

#[test]
fn what_a_crash_leaves_is_told_of() {
    let whole = Place::with_a_run().bytes();
    let length = whole.len();
    let third = whole[..length - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    // Wherever the last write ended: in the line, before its newline, or not at all.
    for left in third..=length {
        let place = Place::new();
        fs::write(place.log(), &whole[..left]).unwrap();
        place.open().unwrap().add(&started(), time()).unwrap();
        let torn = u64::from((third + 1..length - 1).contains(&left));
        let summary = verified(&[&place.bytes()]).unwrap_or_else(|broken| panic!("{left}: {broken}"));
        assert_eq!((summary.torn, place.bytes().starts_with(&whole[..left])), (torn, true), "{left}");
        assert_eq!(summary.records, if left < length - 1 { 3 } else { 4 });
    }
}

#[test]
fn a_crash_while_telling_of_a_crash_is_told_of() {
    let place = Place::with_a_run();
    place.append(b"{\"schema\":\"podlens.dev/aud");
    let before = place.bytes();
    place.open().unwrap().add(&started(), time()).unwrap();
    let after = place.bytes();
    for left in before.len()..after.len() - 1 {
        fs::write(place.log(), &after[..left]).unwrap();
        assert!(verified(&[&place.bytes()]).is_err(), "it is unfinished");
        place.open().unwrap().add(&started(), time()).unwrap();
        assert_eq!(verified(&[&place.bytes()]).unwrap().torn, 1);
    }
    // What was left is under the hash as well.
    let mut changed = place.bytes();
    changed[before.len() - 1] ^= 1;
    assert_eq!(verified(&[&changed]).unwrap_err().line, 4);
    changed.drain(before.len() - 3..before.len());
    assert_eq!(verified(&[&changed]).unwrap_err().line, 4);
}

#[test]
fn a_log_whose_first_line_was_never_finished_goes_on() {
    for start in [&b"{"[..], b"{\"schema\":\"podlens.dev/audit/v1\",\"seq\":1"] {
        let place = Place::new();
        fs::write(place.log(), start).unwrap();
        place.open().unwrap().add(&started(), time()).unwrap();
        let summary = verified(&[&place.bytes()]).unwrap();
        assert_eq!((summary.records, summary.torn), (1, 1));
    }
}

#[test]
fn a_long_log_goes_on() {
    let place = Place::new();
    let mut log = place.open().unwrap();
    while fs::metadata(place.log()).map_or(0, |file| file.len()) < 5 * line::MAX_BYTES as u64 {
        log.add(&started(), time()).unwrap();
    }
    drop(log);
    place.open().unwrap().add(&started(), time()).unwrap();
    verified(&[&place.bytes()]).unwrap();
}

#[test]
fn what_is_no_log_is_left_alone() {
    let place = Place::with_a_run();
    let mut changed = place.bytes();
    let in_last_line = changed.len() - 200;
    changed[in_last_line] ^= 1;
    for (content, words) in [
        (&b"some notes\n"[..], "does not end with a line"),
        (b"\n", "does not end with a line"),
        (&changed, "last whole line was changed"),
    ] {
        let place = Place::new();
        fs::write(place.log(), content).unwrap();
        let error = place.open().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(place.bytes(), content);
    }
}

#[test]
fn only_an_ordinary_file_is_a_log() {
    let place = Place::with_a_run();
    std::os::unix::fs::symlink(place.log(), place.path("link")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.path("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    for path in [place.path("link"), place.path("pipe"), place.0.path().to_owned(), "/dev/null".into()] {
        let error = Chain::open(&Destination::File(path)).unwrap_err();
        assert!(matches!(error.cause, Cause::NotOrdinary), "{error}");
    }
    Chain::open(&Destination::File(place.path("missing/log"))).unwrap_err();
}

#[test]
fn a_second_server_is_refused() {
    let place = Place::new();
    let mut log = place.open().unwrap();
    let error = place.open().unwrap_err();
    assert!(matches!(error.cause, Cause::Locked), "{error}");
    log.add(&started(), time()).unwrap();
    drop(log);
    place.open().unwrap();
}

/// Takes some bytes of a line and no more.
struct Narrow {
    left: usize,
    taken: Vec<u8>,
}

impl io::Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.left).min(7);
        self.left -= count;
        self.taken.extend_from_slice(&bytes[..count]);
        if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn it_is_known_how_much_of_a_line_was_written() {
    for room in [0, 1, 7, 20] {
        let mut narrow = Narrow { left: room, taken: Vec::new() };
        let (written, _) = sink::write_all(&mut narrow, &[b'x'; 50]).unwrap_err();
        assert_eq!((written, narrow.taken.len()), (room, room));
    }
}

/// A pipe that nobody reads from takes some 64 KiB and no more, and nothing of that can be taken back.
#[test]
fn half_a_line_on_standard_output_is_told_of() {
    let (reader, writer) = io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut log = Chain::new(Sink::Stream(File::from(std::os::fd::OwnedFd::from(writer))), End::default(), Torn::default());
    // Longer than what a pipe takes whole or not at all.
    let mut run = run();
    run.parameters = vec!["x".repeat(60); 64];
    let long = Event::RunStarted(RunStarted { run });
    let mut complete = 0;
    while log.add(&long, time()).is_ok() {
        complete += 1;
    }
    let mut seen = Vec::new();
    io::Read::read_to_end(&mut &reader, &mut seen).unwrap_err();
    assert_eq!(seen.iter().filter(|byte| **byte == b'\n').count(), complete);
    assert!(!seen.ends_with(b"\n"), "the test has its half line");
    log.add(&started(), time()).unwrap();
    io::Read::read_to_end(&mut &reader, &mut seen).unwrap_err();
    let summary = verified(&[&seen]).unwrap();
    assert_eq!((summary.records, summary.torn), (complete as u64 + 1, 1));
}

#[test]
fn half_a_line_in_a_file_is_taken_back() {
    let place = Place::with_a_run();
    let whole = place.bytes();
    let (mut file, ..) = file::LogFile::open(&place.log()).unwrap();
    // The most that a process may make a file is a limit of the process, so this is told and not caused.
    place.append(b"half");
    file.take_back(4);
    assert_eq!(place.bytes(), whole);
}

#[test]
fn a_renamed_file_is_continued_by_a_new_one() {
    let place = Place::new();
    let mut log = place.open().unwrap();
    log.add(&started(), time()).unwrap();
    fs::rename(place.log(), place.path("log.1")).unwrap();
    log.add(&started(), time()).unwrap();
    log.add(&complete(Outcome::Ok), time()).unwrap();
    let old = fs::read(place.path("log.1")).unwrap();
    let new = place.bytes();
    assert_eq!(fs::metadata(place.log()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(verified(&[&old, &new]).unwrap().seq, Some((1, 3)));
    assert_eq!(verified(&[&new, &old]).unwrap_err().line, 1);
    let alone = verified(&[&new]).unwrap();
    assert_eq!((alone.seq, alone.continues), (Some((2, 3)), verified(&[&old]).unwrap().last));
    // The lock is on the new one, and the old one is free.
    place.open().unwrap_err();
    Chain::open(&Destination::File(place.path("log.1"))).unwrap();
}

#[test]
fn a_file_that_is_cut_after_it_was_copied_goes_on() {
    let place = Place::with_a_run();
    let mut log = place.open().unwrap();
    let copy = place.bytes();
    File::options().write(true).open(place.log()).unwrap().set_len(0).unwrap();
    log.add(&started(), time()).unwrap();
    assert_eq!(verified(&[&copy, &place.bytes()]).unwrap().records, 4);
}

#[test]
fn what_something_else_writes_is_not_continued() {
    let place = Place::new();
    let mut log = place.open().unwrap();
    log.add(&started(), time()).unwrap();
    place.append(b"x\n");
    assert!(matches!(log.add(&started(), time()).unwrap_err().cause, Cause::Foreign));
    fs::rename(place.log(), place.path("log.1")).unwrap();
    fs::write(place.log(), "x\n").unwrap();
    assert!(matches!(log.add(&started(), time()).unwrap_err().cause, Cause::NotEmpty));
    fs::remove_file(place.log()).unwrap();
    log.add(&started(), time()).unwrap();
}

#[test]
fn refusals_are_bounded_and_those_left_out_are_counted() {
    let place = Place::new();
    let mut log = place.open().unwrap();
    for _ in 0..1000 {
        log.add(&refused(None), time()).unwrap();
    }
    // Nobody's refusals do not hide a tenant's.
    for _ in 0..2 {
        log.add(&refused(Some(tenant("checkout"))), time()).unwrap();
    }
    log.add(&refused(None), time() + 1.second()).unwrap();
    let bytes = place.bytes();
    let lines: Vec<Value> = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let left_out: Vec<_> = lines.iter().map(|line| line["refusalsLeftOut"].as_u64().unwrap_or(0)).collect();
    assert_eq!(left_out, [0, 0, 0, 0, 0, 995, 0, 0]);
    assert_eq!(verified(&[&bytes]).unwrap().refusals_left_out, 995);
}

#[test]
fn those_left_out_are_not_forgotten_when_the_disk_is_full() {
    let full = || Sink::Stream(File::options().write(true).open("/dev/full").unwrap());
    let place = Place::new();
    let mut log = place.open().unwrap();
    for _ in 0..7 {
        log.add(&refused(None), time()).unwrap();
    }
    let file = std::mem::replace(&mut log.sink, full());
    log.add(&started(), time()).unwrap_err();
    log.sink = file;
    log.add(&started(), time()).unwrap();
    assert_eq!(verified(&[&place.bytes()]).unwrap().refusals_left_out, 2);
}

#[test]
fn what_a_full_disk_kept_out_of_the_log_is_counted_in_the_next_line() {
    let full = || Sink::Stream(File::options().write(true).open("/dev/full").unwrap());
    let place = Place::with_a_run();
    let mut log = place.open().unwrap();
    let file = std::mem::replace(&mut log.sink, full());
    // Of refusals those alone that would have been written.
    let refusals = (0..9).filter(|_| log.add(&refused(None), time()).is_err()).count() as u64;
    for event in [started(), Event::Call(call()), complete(Outcome::Ok)] {
        log.add(&event, time()).unwrap_err();
    }
    log.sink = file;
    for _ in 0..2 {
        log.add(&started(), time()).unwrap();
    }
    let summary = verified(&[&place.bytes()]).unwrap();
    assert_eq!((summary.lost, summary.refusals_left_out), (refusals + 3, 9 - refusals));
    let lost: Vec<_> = String::from_utf8(place.bytes()).unwrap().lines().map(|line| line.contains("\"lost\":8,")).collect();
    assert_eq!((refusals, &lost[..]), (5, &[false, false, false, true, false][..]));
}

#[test]
fn no_text_makes_a_long_line() {
    let long = "\u{1}\n\"é".repeat(10_000);
    let mut run = run();
    run.query = long.clone();
    run.parameters = vec![long.clone(); 100];
    run.caller = Caller {
        subject: Subject::Certificate { common_name: long.clone() },
        source: Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap()),
        user_agent: Some(long.clone()),
    };
    let mut call = call();
    (call.label_selector, call.field_selector) = (Some(long.clone()), Some(long.clone()));
    let (reason, caller) = (RefusalReason::UnknownQuery, run.caller.clone());
    let place = Place::new();
    let mut log = place.open().unwrap();
    let complete = RunComplete {
        denied: None,
        run: run.clone(),
        outcome: Outcome::Limit("max-response-bytes"),
        counts: Counts::default(),
        source: None,
        resource_version: Some(long.clone()),
    };
    for event in [
        Event::RunStarted(RunStarted { run }),
        Event::RunComplete(complete),
        Event::Call(call),
        Event::Refused(Refused { reason, caller, tenant: None, query: Some(long.clone()) }),
    ] {
        log.add(&event, time()).unwrap();
    }
    let bytes = place.bytes();
    assert_eq!(verified(&[&bytes]).unwrap().records, 4);
    for line in bytes.split(|byte| *byte == b'\n') {
        assert!(line.len() < line::MAX_BYTES / 2, "{}", line.len());
    }
    assert_eq!(bytes.iter().filter(|byte| **byte < b' ').count(), 4, "newlines alone");
}

#[test]
fn what_is_not_a_log_does_not_verify() {
    for (bytes, line) in [
        (&b"\n"[..], 1),
        (b"some notes\n", 1),
        (b"{}", 1),
        (&[0; 300_000], 1),
        (b"{\"a\":1,\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n", 1),
    ] {
        assert_eq!(verified(&[bytes]).unwrap_err().line, line);
    }
}

/// A log whose errors are told to nobody.
fn log_of(chain: Chain) -> AuditLog {
    AuditLog::of(chain, Box::new(|_, _| {})).unwrap()
}

#[tokio::test]
async fn a_full_disk_is_an_error_until_a_line_is_written() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let log = log_of(Chain::new(Sink::Stream(full), End::default(), Torn::default()));
    assert!(log.is_well());
    for _ in 0..2 {
        let error = log.record(started()).written().await.unwrap_err();
        assert!(matches!(&error.cause, Cause::Io(cause) if cause.kind() == io::ErrorKind::StorageFull), "{error}");
        assert!(!log.is_well());
    }
    let place = Place::new();
    let log = log_of(place.open().unwrap());
    log.record(started()).written().await.unwrap();
    place.append(b"x\n");
    log.record(started()).written().await.unwrap_err();
    assert!(!log.is_well());
    fs::remove_file(place.log()).unwrap();
    log.record(started()).written().await.unwrap();
    assert!(log.is_well());
}

/// Else who is turned away often makes a full disk look well.
#[tokio::test]
async fn a_refusal_that_is_not_written_says_nothing_of_the_log() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let log = log_of(Chain::new(Sink::Stream(full), End::default(), Torn::default()));
    let mut left_out = 0;
    for _ in 0..200 {
        left_out += u64::from(log.record(refused(None)).written().await.is_ok());
        assert!(!log.is_well());
    }
    assert!(left_out > 0);
}

#[tokio::test]
async fn threads_make_one_chain_and_lines_that_nobody_waits_for_are_in_it() {
    let place = Place::new();
    let log = log_of(place.open().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| drop(log.record(started()))));
        }
    });
    log.flush().await.unwrap();
    assert_eq!(verified(&[&place.bytes()]).unwrap().records, 400);
}

/// As when the terminal of standard output is stopped, or its collector.
#[tokio::test(start_paused = true)]
async fn a_reader_that_stands_still_is_waited_for_as_long_as_said_and_then_told_of() {
    let (mut reader, filled, sink) = full_pipe();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let observer = {
        let told = std::sync::Arc::clone(&told);
        move |written: Result<(), &AuditError>, is_news| told.lock().unwrap().push((written.map_err(ToString::to_string), is_news))
    };
    let log = AuditLog::of(Chain::new(sink, End::default(), Torn::default()), Box::new(observer)).unwrap();
    let began = tokio::time::Instant::now();
    let error = log.record(started()).written().await.unwrap_err();
    assert!(matches!(error.cause, Cause::Stalled), "{error}");
    assert_eq!(error.to_string(), "cannot write to the audit log on standard output: it has stood still for 5 s");
    assert!(began.elapsed().as_secs() == 5 && !log.is_well());
    assert_eq!(*told.lock().unwrap(), [(Err(error.to_string()), true)]);
    assert!(log.turns_away());

    tokio::time::resume();
    let mut seen = vec![0; filled];
    io::Read::read_exact(&mut reader, &mut seen).unwrap();
    // Enough where nobody puts anything on record while it stands still.
    log.flush().await.unwrap();
    assert!(!log.turns_away());
    log.record(started()).written().await.unwrap();
    assert!(log.is_well());
    drop(log);
    seen.clear();
    io::Read::read_to_end(&mut reader, &mut seen).unwrap();
    // The first was late, and is there: it tells of what has not happened. What was turned away is lost.
    let summary = verified(&[&seen]).unwrap();
    assert_eq!((summary.records, summary.lost), (2, 1));
}

/// A pipe that holds nothing more, how much it holds, and who may read it.
fn full_pipe() -> (io::PipeReader, usize, Sink) {
    let (reader, mut writer) = io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut filled = 0;
    while let Ok(count) = writer.write(&[b'x'; 4096]) {
        filled += count;
    }
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    (reader, filled, Sink::Stream(File::from(std::os::fd::OwnedFd::from(writer))))
}

#[test]
fn what_a_full_queue_kept_out_of_the_log_is_counted_and_what_came_late_is_not() {
    let (mut reader, filled, sink) = full_pipe();
    let log = log_of(Chain::new(sink, End::default(), Torn::default()));
    let (mut waiting, mut lost) = (0, 0);
    while lost < 3 {
        let recorded = log.record(started());
        *(if recorded.is_refused() { &mut lost } else { &mut waiting }) += 1;
    }
    drop(log);
    let mut seen = Vec::new();
    io::Read::read_to_end(&mut reader, &mut seen).unwrap();
    let summary = verified(&[&seen[filled..]]).unwrap();
    assert_eq!((summary.records, summary.lost), (waiting, lost));
}
