//! Forty classes of hostile components, each brought by a tenant to one `podlens serve` and asked for 25 times: what becomes of each, while
//! the server lives, gives its memory back, and answers another tenant as before.
//!
//! `sandbox.rs` has most of them run by the library, one by one; here they meet HTTP, uploads, admission, the audit log and each other. The
//! numbers are those of the classes: processor time 1 to 10, memory 11 to 17, calls of the host 18 to 32, output 33 to 36, structure from 37.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use podlens_tests::program;
use podlens_tests::serving::{self, Answer, Demo, Serving};

use crate::by_hand::{IMPORTS, Parts, list_labels};
use crate::guests;

/// How often each is asked for.
const TIMES: usize = 25;

/// How many of these at the same time: as many as the policy lets the tenant run, and some that wait.
const AT_ONCE: usize = 6;

/// How much more memory the server may have at the end than when it had been used for a while. Measured: some 5 MiB; a run that keeps
/// something of its own shows, 1,000 times.
const GROWTH_BYTES: u64 = 16 << 20;

/// How long the server is left alone before its memory is looked at. Arbitrary.
const SETTLING: Duration = Duration::from_secs(1);

/// How long it may take until memory is given back, and what is under way has ended. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Limits are small, so that a class takes a second; what ends a run is the same. Who only spins may do so for the shortest time, since with
/// it what takes memory would not come to its end.
const POLICY: &str = "
apiVersion: podlens.dev/v1alpha1
kind: Policy
concurrentRuns: 8
cache:
  identity: {serviceAccount: {namespace: podlens, name: podlens-cache}}
tenants:
- name: hostile
  callers: [{serviceAccount: {namespace: shop, name: dashboards}}]
  identity: {serviceAccount: {namespace: shop, name: podlens-reader}}
  namespaces: [shop]
  upload: {components: 4, componentBytes: 12Mi}
  limits: {cpu-limit: 2s, memory-limit: 64Mi, timeout: 10s, max-host-calls: 20000, max-rows: 1000}
  rates: {concurrentRuns: 4, runsPerSecond: 1000, queue: 100}
- name: spinning
  callers: [{tokenSHA256: SPINNING}]
  identity: {serviceAccount: {namespace: shop, name: podlens-reader}}
  namespaces: [shop]
  upload: {components: 4, componentBytes: 12Mi}
  limits: {cpu-limit: 20ms, memory-limit: 64Mi, timeout: 10s, max-host-calls: 20000, max-rows: 1000}
  rates: {concurrentRuns: 4, runsPerSecond: 1000, queue: 100}
- name: victim
  callers: [{serviceAccount: {namespace: payments, name: dashboards}}]
  identity: {serviceAccount: {namespace: payments, name: podlens-reader}}
  namespaces: [payments]
  queries: [{name: pod-names}]
  rates: {concurrentRuns: 4, runsPerSecond: 1000, queue: 100}
";

/// A class: what it is, the component, and what becomes of it.
struct Class {
    number: usize,
    what: &'static str,
    component: Vec<u8>,
    /// Arguments of its runs, in turn; none is one without.
    arguments: Vec<String>,
    expected: Expected,
}

/// What becomes of a component, or of its runs.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// It is not taken, with this status and code, and these words. So often it is tried: one that spins takes five seconds each time.
    Refused(u16, &'static str, &'static str, usize),
    /// This limit ends the run.
    Limit(&'static str),
    /// The query fails by itself, with these words.
    Fails(&'static str),
    /// It does no harm, and says this.
    Answers(&'static str),
}

use Expected::{Answers, Fails, Limit, Refused};

fn guest(path: &str) -> Vec<u8> {
    std::fs::read(path).expect("the build script made this component")
}

fn run(body: &str) -> Vec<u8> {
    Parts::run(body).build()
}

fn more(more: &str, body: &str) -> Vec<u8> {
    Parts { more: more.into(), ..Parts::run(body) }.build()
}

/// With so many pages of memory.
fn pages(pages: u32, body: &str) -> Parts {
    Parts { imports: IMPORTS.into(), memory: format!(r#"(memory (export "memory") {pages})"#), ..Parts::run(body) }
}

/// Calls the host, and is given something, by a `cabi_realloc` like this.
fn allocating(realloc: &str, after: &str) -> Vec<u8> {
    let list = list_labels(0, 0);
    let next = "(call $next (i32.load (i32.const 68)) (i32.const 64))";
    let realloc = if realloc.is_empty() { Parts::default().realloc } else { realloc.to_owned() };
    Parts { imports: IMPORTS.into(), realloc, ..Parts::run(format!("{list} drop {next} {after} (i32.const 0)")) }.build()
}

fn endless(body: &str) -> String {
    format!("(loop $again {body} (br $again)) unreachable")
}

/// A component with one more section at its end.
fn with_section(mut component: Vec<u8>, id: u8, content: &[u8]) -> Vec<u8> {
    component.push(id);
    leb128(&mut component, content.len());
    component.extend_from_slice(content);
    component
}

fn leb128(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    to.push(u8::try_from(number).expect("seven bits"));
}

/// The first module of a component, which imports nothing, so many times more.
fn instances(component: Vec<u8>, count: usize) -> Vec<u8> {
    let mut content = Vec::new();
    leb128(&mut content, count);
    // Each instantiates module 0 with nothing.
    content.extend([0, 0, 0].repeat(count));
    with_section(component, 2, &content)
}

fn in_module(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).unwrap_or_else(|error| panic!("{error}"))
}

/// All forty.
fn classes() -> Vec<Class> {
    let mut classes = Vec::new();
    let mut class = |number, what, component, expected| {
        classes.push(Class { number, what, component, arguments: vec![String::new()], expected })
    };

    let cpu = Limit("cpu-limit");
    class(1, "an endless loop", guest(guests::LOOPS), cpu);
    let overflows = Fails("the query overflowed its stack");
    class(
        2,
        "two functions that call each other",
        more("(func $a (call $b)) (func $b (call $a))", "(call $a) (i32.const 0)"),
        overflows,
    );
    let deep = "(func $deep (param i64 i64 i64) (result i64)
        (i64.add (local.get 2) (call $deep (local.get 2) (local.get 1) (i64.add (local.get 0) (i64.const 1)))))";
    let calls_deep = "(drop (call $deep (i64.const 1) (i64.const 2) (i64.const 3))) (i32.const 0)";
    class(3, "a deep recursion", more(deep, calls_deep), overflows);
    let copies = "(memory.copy (i32.const 65536) (i32.const 17000000) (i32.const 16000000))";
    class(4, "copying memory for ever", pages(512, &endless(copies)).build(), cpu);
    let fills = "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 33000000))";
    class(5, "filling memory for ever", pages(512, &endless(fills)).build(), cpu);
    let tables = "(table.fill $t (i32.const 0) (ref.null func) (i32.const 65536))
        (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 65535))";
    class(6, "filling and copying a table for ever", more("(table $t 65536 funcref)", &endless(tables)), cpu);
    let starts = more("(func $start (loop $again (br $again))) (start $start)", "(i32.const 0)");
    class(7, "a loop before it begins", starts, Refused(422, "limit_exceeded", "the query cannot describe itself", 1));
    class(8, "a loop while the host passes something", allocating(&endless(""), ""), cpu);
    class(
        9,
        "a loop after it answered",
        more(r#"(func (export "cabi_post_run") (param i32) (loop $again (br $again)))"#, "(i32.const 0)"),
        cpu,
    );
    let targets = "0 ".repeat(10_000);
    let jumps = format!(
        "(local $i i32) (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_table {targets} (local.get $i))) unreachable"
    );
    class(10, "a table of ten thousand jumps", run(&jumps), cpu);

    let memory = Limit("memory-limit");
    class(11, "memory without end", guest(guests::GROWS), memory);
    let memories = |names: &[&str]| {
        let more_memories: String = names.iter().map(|name| format!("(memory {name} 1)")).collect();
        let grow: String = names.iter().map(|name| format!("(drop (memory.grow {name} (i32.const 16)))")).collect();
        more(&more_memories, &endless(&grow))
    };
    class(12, "four memories", memories(&["$b", "$c", "$d"]), memory);
    let eight = ["$b", "$c", "$d", "$e", "$f", "$g", "$h"];
    class(12, "eight memories", memories(&eight), Refused(422, "invalid_component", "memories count of 8 exceeds", 3));
    let grow = "(drop (table.grow $t (ref.null func) (i32.const 65536))) (drop (table.grow $u (ref.null func) (i32.const 65536)))";
    class(13, "tables without end", more("(table $t 1 funcref) (table $u 1 funcref)", &endless(grow)), cpu);
    let touch = "(local $page i32) (loop $again
        (local.set $page (memory.grow (i32.const 1)))
        (i32.store (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
        (br $again)) unreachable";
    class(14, "each page taken and touched", run(touch), memory);
    // Of 20 MiB each: four may describe themselves in 256 MiB, and may not run in 64.
    let several = Parts { imports: String::new(), ..pages(320, "(i32.const 0)") }.build();
    class(15, "four instances", instances(several.clone(), 3), memory);
    class(15, "64 instances", instances(several, 63), Refused(422, "invalid_component", "Wasm linear memories, which exceeds", 3));
    let data = format!("(data $large {:?})", "x".repeat(8 << 20));
    let copies =
        Parts { more: data, ..pages(160, &endless("(memory.init $large (i32.const 65536) (i32.const 0) (i32.const 8388608))")) };
    class(16, "8 MiB of data, copied for ever", copies.build(), cpu);
    let flood: String = (0..20_000)
        .map(|number| format!("(global i64 (i64.const {number}))(type (func (param i32 i64 i32) (result i64)))"))
        .collect();
    class(17, "twenty thousand globals and types", more(&flood, "(i32.const 0)"), Answers(""));

    class(18, "lists without end", guest(guests::LISTS_FOREVER), Limit("max-requests"));
    let huge =
        |bytes: u32| format!("(memory.fill (i32.const 65536) (i32.const 97) (i32.const {bytes})) {}", list_labels(65_536, bytes));
    class(19, "a selector of 1 MiB", pages(32, &huge(1 << 20)).build(), Fails("label selector has 1048576 bytes"));
    let emits = "(call $emit (i32.const 65536) (i32.const 1000000) (i32.const 64)) (i32.const 64)";
    class(20, "a row of a million empty cells", pages(512, emits).build(), Fails("too much data is being copied"));
    let no_text = format!("(i32.store (i32.const 512) (i32.const 0xff)) {}", list_labels(512, 1));
    class(21, "text that is no UTF-8", pages(1, &no_text).build(), Fails("invalid utf-8 sequence"));
    class(22, "text outside of the memory", pages(1, &list_labels(u32::MAX, u32::MAX)).build(), Fails("out of bounds of memory"));
    class(
        23,
        "an allocation that is not aligned",
        allocating("(i32.const 32769)", ""),
        Fails("realloc return: result not aligned"),
    );
    class(
        23,
        "an allocation outside of the memory",
        allocating("(i32.const 0x7ffffff8)", ""),
        Fails("realloc return: beyond end of memory"),
    );
    class(24, "an allocation that traps", allocating("unreachable", ""), Fails("wasm trap"));
    class(25, "an allocation that calls the host", allocating(&list_labels(0, 0), ""), Fails("cannot leave component instance"));
    class(26, "pods that are never dropped", guest(guests::HOARDS_PODS), Limit("max-requests"));
    let name = "(call $name (i32.load (i32.load (i32.const 72))) (i32.const 64))";
    let dropped = format!("(call $drop-pod (i32.load (i32.load (i32.const 72)))) {name}");
    class(27, "a pod that was dropped", allocating("", &dropped), Fails("unknown handle index"));
    let twice = "(call $drop-pod (i32.load (i32.load (i32.const 72)))) (call $drop-pod (i32.load (i32.load (i32.const 72))))";
    class(27, "a pod that is dropped twice", allocating("", twice), Fails("unknown handle index"));
    let pages_for_ever = format!("{} drop {}", list_labels(0, 0), endless("(call $next (i32.load (i32.const 68)) (i32.const 80))"));
    class(28, "pages without end", pages(1, &pages_for_ever).build(), Limit("max-host-calls"));
    class(
        29,
        "a list that passes for a pod",
        allocating("", "(call $name (i32.const 1) (i32.const 64))"),
        Fails("used with the wrong type"),
    );
    class(29, "a pod of nobody's", allocating("", "(call $name (i32.const 77) (i32.const 64))"), Fails("unknown handle index 77"));

    class(33, "a log without end", guest(guests::LOGS), cpu);
    class(34, "escapes for terminals", guest(guests::PRINTS), Answers("printed"));
    class(35, "rows without end", guest(guests::EMITS), Limit("max-rows"));
    class(
        36,
        "an answer of no kind",
        run("(i32.store8 (i32.const 64) (i32.const 9)) (i32.const 64)"),
        Fails("invalid expected discriminant"),
    );
    let many = "(call $emit (i32.const 0) (i32.const 0x7fffffff) (i32.const 64)) (i32.const 64)";
    class(36, "more cells than there is memory", pages(1, many).build(), Fails("list pointer/length out of bounds"));

    let no_query = |words| Refused(422, "invalid_component", words, TIMES);
    class(37, "sockets", guest(guests::OPENS_SOCKET), no_query("which no query is offered"));
    let filesystem = r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#;
    class(37, "HTTP", wat::parse_str(filesystem).expect("it is text"), no_query("which no query is offered"));
    let nested = wat::parse_str("(component (core module (memory 1)) (core instance (instantiate 0)))").expect("it is text");
    class(38, "a component within it", with_section(run("(i32.const 0)"), 4, &nested), Answers(""));
    let query = run("(i32.const 0)");
    let precompiled = wasmtime::Engine::default().precompile_component(&query).expect("it compiles");
    class(39, "precompiled code", precompiled, no_query("precompiled code"));
    class(39, "an ELF file", b"\x7fELF\x02\x01\x01".to_vec(), no_query("not a WebAssembly component"));
    class(39, "text", b"\n (component)".to_vec(), no_query("WebAssembly text"));
    class(39, "half of it", query[..query.len() / 2].to_vec(), no_query("the component cannot be compiled"));
    class(39, "a core module", wat::parse_str("(module)").expect("it is text"), no_query("core WebAssembly module"));
    class(39, "too many bytes", vec![0; (12 << 20) + 1], Refused(413, "too_large", "at most 12582912 bytes", TIMES));
    for module in ["(memory 1 1 shared)", "(memory i64 1)", "(type (struct))", "(tag)", "(memory 1 (pagesize 1))"] {
        class(40, module, in_module(module), Refused(422, "invalid_component", "the component cannot be compiled", 5));
    }
    class(40, "a trap at once", run("unreachable"), Fails("wasm trap: wasm `unreachable`"));

    for (number, what, arguments) in [
        (
            30,
            "namespaces that are none",
            &["namespace=..%2Fkube-system", "namespace=*", "namespace=%00", "namespace=shop%2F", "namespace=SHOP"][..],
        ),
        (
            31,
            "names that are paths",
            &[
                "namespace=shop&name=x%2F..%2F..%2Fsecrets%2Fy",
                "namespace=shop&name=%3Fwatch%3D1",
                "namespace=shop&name=%252e%252e",
                "namespace=shop&name=..",
                "namespace=shop&name=web-0%00",
            ],
        ),
        (
            32,
            "selectors that are more than that",
            &[
                "labels=app%3Dweb%26limit%3D1",
                "labels=a%3Db%26fieldSelector%3Dspec.nodeName%3Dn",
                "labels=app+in+(web",
                "labels=%0d%0aImpersonate-User:+admin",
                "fields=spec.nodeName%3Da%26watch%3D1%26x%3D%3D%3D",
                "fields=status.hostIP%3D1.2.3.4",
            ],
        ),
    ] {
        let mut arguments: Vec<_> = arguments.iter().map(|it| format!("?{it}")).collect();
        if number == 30 {
            arguments.push(format!("?namespace={}", "a".repeat(4000)));
        }
        classes.push(Class { number, what, component: guest(guests::ASKS), arguments, expected: Fails("invalid argument") });
    }
    classes
}

/// One server for all of them, and who asks it.
struct Arranged {
    serving: Serving,
    hostile: String,
    /// Of the tenant whose processor time is short.
    spinning: String,
    victim: String,
    /// What the victim is told whenever it asks.
    rows: Vec<u8>,
}

impl Arranged {
    async fn start(demo: &Demo) -> Self {
        let spinning = "who-has-this-token-spins".to_owned();
        let policy = POLICY.replace("SPINNING", &serving::sha256(spinning.as_bytes()));
        let serving = Serving::start(program::podlens(), &demo.kubeconfig(), &policy, &[], &[]);
        let [hostile, victim] = ["shop", "payments"].map(|tenant| demo.token(tenant));
        let first = ask(serving.api(), "GET", "/v1/queries/pod-names/run", &victim, b"").await;
        assert_eq!(first.status, 200, "{first:?}");
        let text = String::from_utf8_lossy(&first.body);
        assert!(text.contains("ledger-0") && !text.contains("redis-0"), "{text}");
        Self { serving, hostile, spinning, victim, rows: first.body }
    }

    /// Who does nothing wrong gets the right answer.
    async fn behaves(&self, after: &str) {
        let answer = ask(self.serving.api(), "GET", "/v1/queries/pod-names/run", &self.victim, b"").await;
        assert_eq!((answer.status, &answer.body), (200, &self.rows), "after {after}: {answer:?}");
        let live = ask(self.serving.health(), "GET", "/livez", "", b"").await;
        assert_eq!(live.status, 200, "after {after}");
    }

    async fn metrics(&self) -> String {
        let metrics = ask(self.serving.health(), "GET", "/metrics", "", b"").await;
        String::from_utf8(metrics.body).expect("metrics are text")
    }

    /// Tries a class: so many runs, or so many uploads, each of which ends as it has to. Returns how many runs there were.
    async fn tries(&self, class: &Class, times: usize) -> usize {
        let Class { number, what, component, arguments, expected } = class;
        let what = format!("{number}, {what}");
        let token = if matches!(expected, Limit("cpu-limit")) { &self.spinning } else { &self.hostile };
        let uploads = if let Refused(_, _, _, most) = expected { times.min(*most) } else { 1 };
        for _ in 0..uploads {
            let upload = ask(self.serving.api(), "PUT", "/v1/queries/hostile", token, component).await;
            match expected {
                Refused(status, code, words, _) => told(&upload, *status, code, words, &what),
                _ => assert_eq!(upload.status, 201, "{what}: {}", String::from_utf8_lossy(&upload.body)),
            }
        }
        if matches!(expected, Refused(..)) {
            return 0;
        }
        let asked = (0..AT_ONCE).map(|first| {
            let (api, token) = (self.serving.api(), token.clone());
            let targets: Vec<_> = (first..times)
                .step_by(AT_ONCE)
                .map(|time| format!("/v1/queries/hostile/run{}", arguments[time % arguments.len()]))
                .collect();
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for target in targets {
                    answers.push(ask(api, "GET", &target, &token, b"").await);
                }
                answers
            })
        });
        let asked: Vec<_> = asked.collect();
        let mut runs = 0;
        for asked in asked {
            for answer in asked.await.expect("asking does not panic") {
                runs += 1;
                match expected {
                    Limit(limit) => {
                        told(&answer, 422, "limit_exceeded", "", &what);
                        assert_eq!(answer.json()["limit"], *limit, "{what}");
                    }
                    Fails(words) => told(&answer, 422, "query_failed", words, &what),
                    Answers(words) => {
                        assert_eq!(answer.status, 200, "{what}: {}", String::from_utf8_lossy(&answer.body));
                        assert!(String::from_utf8_lossy(&answer.body).contains(words), "{what}");
                    }
                    Refused(..) => unreachable!("it is not there to be run"),
                }
            }
        }
        let deleted = ask(self.serving.api(), "DELETE", "/v1/queries/hostile", token, b"").await;
        assert_eq!(deleted.status, 204, "{what}");
        assert_eq!(runs, times, "{what}");
        runs
    }

    /// The server's memory, once it is no more than `most`, or for good.
    async fn settles(&self, most: u64) -> u64 {
        let started = Instant::now();
        loop {
            let resident = self.serving.resident_bytes();
            if resident <= most || started.elapsed() > PATIENCE {
                return resident;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A refusal of this status and code, with these words.
#[track_caller]
fn told(answer: &Answer, status: u16, code: &str, words: &str, what: &str) {
    let problem = answer.json();
    assert_eq!((answer.status, &problem["code"]), (status, &code.into()), "{what}: {problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{what}: no `{words}` in {problem}");
}

async fn ask(to: SocketAddr, method: &str, target: &str, token: &str, body: &[u8]) -> Answer {
    let asked = tokio::time::timeout(3 * PATIENCE, serving::ask(to, method, target, token, body)).await;
    asked.expect("each is answered in time").unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}

#[tokio::test]
async fn hostile_components_of_forty_classes_harm_nobody() {
    let classes = classes();
    assert!((1..=40).all(|number| classes.iter().any(|class| class.number == number)), "each class is there");
    let demo = Demo::start();
    let mut arranged = Arranged::start(&demo).await;

    // What each class has taken once, the server has from then on: threads, stacks, what the allocator keeps.
    let mut runs = 0;
    for class in classes.iter().filter(|class| !matches!(class.expected, Refused(..))) {
        runs += arranged.tries(class, AT_ONCE).await;
    }
    tokio::time::sleep(SETTLING).await;
    let warm = arranged.serving.resident_bytes();

    for class in &classes {
        runs += arranged.tries(class, TIMES).await;
        arranged.behaves(class.what).await;
    }

    let metrics = arranged.metrics().await;
    for zero in ["podlens_panics_total", "podlens_postcheck_violations_total", "podlens_runs_in_flight", "podlens_runs_queued"] {
        assert!(metrics.contains(&format!("\n{zero} 0\n")), "{zero}: {metrics}");
    }
    let of = |tenant: &str| serving::metric(&metrics, &format!("podlens_runs_total{{tenant=\"{tenant}\""));
    assert_eq!(of("hostile") + of("spinning"), runs as f64);
    let log = arranged.serving.audit_log();
    let ended = log.lines().filter(|line| line.contains("RunComplete") && !line.contains("\"tenant\":\"victim\"")).count();
    assert_eq!(ended, runs, "each is on record");
    let resident = arranged.settles(warm + GROWTH_BYTES).await;
    assert!(resident <= warm + GROWTH_BYTES, "{} KiB of {} KiB are not given back", (resident - warm) >> 10, resident >> 10);
    assert!(arranged.serving.is_running());
}
