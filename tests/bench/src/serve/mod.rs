//! `tests/bench/run serve`: `podlens serve` under load, on a real API server; what it holds and what is lost of it.
//!
//! `arrange.rs` has the cluster and the policies, `load.rs` who asks. Whoever asks shares the machine's processors with the server and the
//! API server: a server with two processors of its own does more.

mod arrange;
mod load;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use podlens_tests::cluster::realistic_pod;
use podlens_tests::guests;
use podlens_tests::serving::{Serving, metric};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use self::arrange::{Arranged, Tenant};
use self::load::{Asker, Seen, ask, ask_at_once};
use crate::Result;
use crate::machine::{self, Process, as_f64};
use crate::results::Machine;

/// How long each load is kept up. Arbitrary: long enough for a 99th percentile of thousands.
const LOAD: Duration = Duration::from_secs(10);

/// Before that, until the cache has the pods and the allocator its memory.
const WARM_UP: Duration = Duration::from_secs(2);

/// Lists the pods, and calls three accessors of each: name, namespace, and what a query asks first of how a pod does.
const WORK: &str = "?list=true&read=name,namespace,health&rows=10";

/// As [`WORK`], with all that there is to tell of how a pod does.
const WHOLE_STATUS: &str = "?list=true&read=name,namespace,status&rows=10";

/// Pods in the cluster, but for part d.
const PODS: usize = 100;

/// How large the parts are.
#[derive(Debug)]
pub struct ServeOptions {
    /// Which parts: `a` to `f`; all where there are none.
    pub only: Vec<String>,
    /// Components of part c.
    pub components: usize,
    /// Pods of part d.
    pub pods: usize,
    /// Restarts of part e.
    pub restarts: usize,
    /// Ends of part f.
    pub ends: usize,
    /// Where `serve.json` and `serve.md` go.
    pub results: PathBuf,
}

/// All of a run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    date: String,
    commit: String,
    machine: Machine,
    measured: Vec<Measured>,
}

/// One figure.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    part: String,
    what: String,
    value: f64,
    unit: String,
    /// The most, or the least, that it should be; `None` for what is only told.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    /// How many processes wanted a processor in the minute before.
    load: f64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

use Target::{AtLeast, AtMost};

impl Measured {
    fn is_met(&self) -> Option<bool> {
        Some(match self.target? {
            AtMost(most) => self.value <= most,
            AtLeast(least) => self.value >= least,
        })
    }
}

/// Runs the parts, writes what they gave, and returns it for people.
///
/// # Errors
///
/// When a server cannot be started, or results not be written.
pub fn serve(options: &ServeOptions, say: &dyn Fn(&str)) -> Result<String> {
    let mut bench = Bench {
        arranged: Arranged::start(PODS)?,
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| format!("starting a runtime: {error}"))?,
        work: component(guests::WORKS)?,
        loops: component(guests::LOOPS)?,
        sleeps: component(guests::SLEEPS)?,
        part: "",
        measured: Vec::new(),
        say,
    };
    let machine = machine::look()?;
    // The last leaves its pods behind.
    for part in ["a", "b", "c", "e", "f", "d"] {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == part) {
            continue;
        }
        bench.part = part;
        match part {
            "a" => bench.throughput()?,
            "b" => bench.fairness()?,
            "c" => bench.memory(options)?,
            "d" => bench.cache(options)?,
            "e" => bench.restarts(options)?,
            _ => bench.ends(options)?,
        }
    }
    let mut measured = bench.measured;
    measured.sort_by(|one, other| one.part.cmp(&other.part));
    let results = Results { date: Timestamp::now().to_string(), commit: crate::run::commit()?, machine, measured };
    let text = table(&results);
    let json = serde_json::to_string_pretty(&results).map_err(|error| format!("writing results: {error}"))? + "\n";
    fs::create_dir_all(&options.results).map_err(|error| format!("making the folder of results: {error}"))?;
    for (name, text) in [("serve.json", &json), ("serve.md", &text)] {
        fs::write(options.results.join(name), text).map_err(|error| format!("writing `{name}`: {error}"))?;
    }
    Ok(text)
}

fn component(path: &str) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("reading `{path}`: {error}"))
}

struct Bench<'a> {
    arranged: Arranged,
    runtime: Runtime,
    work: Vec<u8>,
    loops: Vec<u8>,
    sleeps: Vec<u8>,
    part: &'static str,
    measured: Vec<Measured>,
    say: &'a dyn Fn(&str),
}

impl Bench<'_> {
    fn note(&mut self, what: impl Into<String>, value: f64, unit: &str, target: Option<Target>) -> Result<()> {
        let load = machine::look()?.load_before;
        let measured = Measured { part: self.part.into(), what: what.into(), value, unit: unit.into(), target, load };
        (self.say)(&row(&measured));
        self.measured.push(measured);
        Ok(())
    }

    fn ask(&self, askers: Vec<Asker>, how_long: Duration) -> Seen {
        self.runtime.block_on(ask(askers, how_long, u64::MAX))
    }

    fn metrics(&self, serving: &Serving) -> String {
        let asked = self.runtime.block_on(podlens_tests::serving::ask(serving.health(), "GET", "/metrics", "", b""));
        asked.map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).unwrap_or_default()
    }

    /// Waits until the server counts so many of something.
    fn wait_for(&self, serving: &Serving, name: &str, count: f64) -> bool {
        let until = Instant::now() + 10 * LOAD;
        while Instant::now() < until {
            if metric(&self.metrics(serving), name) >= count {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// (a) Runs in a second from the cache, and many at once.
    fn throughput(&mut self) -> Result<()> {
        let tenants: Vec<_> = (0..8).map(|number| Tenant::new(format!("tenant-{number}"), &self.work)).collect();
        let serving = self.arranged.serve(&tenants, None, &[]);
        let askers = |count: usize, work| -> Vec<_> {
            (0..count).map(|number| tenants[number % tenants.len()].asker(&serving, work)).collect()
        };
        self.ask(askers(8, WORK), WARM_UP);
        for (connections, work, read) in [
            (1, WORK, "health"),
            (4, WORK, "health"),
            (8, WORK, "health"),
            (16, WORK, "health"),
            (1, WHOLE_STATUS, "status"),
            (8, WHOLE_STATUS, "status"),
        ] {
            let before = machine::cpu_seconds(Process(serving.id()))?;
            let mut seen = self.ask(askers(connections, work), LOAD);
            let used = (machine::cpu_seconds(Process(serving.id()))? - before) * 1e3 / as_f64(seen.with_status(200).max(1));
            let (rate, half, most) = (seen.per_second(), seen.percentile(50), seen.percentile(99));
            let is_the_one = connections == 8;
            let of = format!("{connections} clients, {read} of each pod");
            // Whoever else the machine works for, this stays about the same.
            self.note(format!("processor time of the server for a run, {of}"), used, "ms", None)?;
            self.note(format!("runs a second, {of}"), rate, "1/s", is_the_one.then_some(AtLeast(2000.0)))?;
            self.note(format!("50th percentile, {of}"), half, "ms", None)?;
            self.note(format!("99th percentile, {of}"), most, "ms", is_the_one.then_some(AtMost(10.0)))?;
            self.note(
                format!("lost or refused, {of}"),
                as_f64(seen.answered() - seen.with_status(200) + seen.lost),
                "",
                Some(AtMost(0.0)),
            )?;
        }
        let seen = self.runtime.block_on(ask_at_once(askers(10_000, WORK)));
        let refused = seen.with_status(429) + seen.with_status(503);
        self.note("10,000 requests at once: answered", as_f64(seen.with_status(200)), "", None)?;
        self.note("10,000 requests at once: refused with 429 or 503", as_f64(refused), "", None)?;
        let others = seen.lost + seen.answered() - refused - seen.with_status(200);
        self.note("10,000 requests at once: lost, or answered otherwise", as_f64(others), "", Some(AtMost(0.0)))?;
        Ok(())
    }

    /// (b) Nine that ask at a pace, and one that computes as much as it may.
    fn fairness(&mut self) -> Result<()> {
        let few = |tenant: Tenant| Tenant { concurrent_runs: 2, ..tenant };
        let victims: Vec<_> = (0..9).map(|number| few(Tenant::new(format!("victim-{number}"), &self.work))).collect();
        let hog = Tenant { limits: "cpu-limit: 1s".into(), ..few(Tenant::new("hog", &self.loops)) };
        let all: Vec<_> = victims.iter().chain([&hog]).cloned().collect();
        let serving = self.arranged.serve(&all, None, &[]);
        let pace = Some(Duration::from_millis(50));
        let asking = || -> Vec<_> { victims.iter().map(|victim| Asker { pace, ..victim.asker(&serving, WORK) }).collect() };
        let live =
            Asker { to: serving.health(), target: "/livez".into(), token: String::new(), pace: Some(Duration::from_millis(10)) };
        self.ask(asking(), WARM_UP);
        let mut alone = self.ask(asking(), LOAD);
        let (mut beside, mut alive) = self.runtime.block_on(async {
            let hogs = tokio::spawn(ask((0..20).map(|_| hog.asker(&serving, "")).collect(), LOAD + LOAD / 5, u64::MAX));
            tokio::time::sleep(LOAD / 10).await;
            let both = tokio::join!(ask(asking(), LOAD, u64::MAX), ask(vec![live], LOAD, u64::MAX));
            hogs.await.expect("asking does not panic");
            both
        });
        let (before, after) = (alone.percentile(99), beside.percentile(99));
        self.note("victims' 50th percentile, alone", alone.percentile(50), "ms", None)?;
        self.note("victims' 99th percentile, alone", before, "ms", None)?;
        self.note("victims' 50th percentile, beside a hog", beside.percentile(50), "ms", None)?;
        self.note("victims' 99th percentile, beside a hog", after, "ms", Some(AtMost(2.0 * before)))?;
        self.note("/livez' 99th percentile, beside a hog", alive.percentile(99), "ms", Some(AtMost(50.0)))?;
        let lost = alone.lost + beside.lost + alive.lost + beside.answered() - beside.with_status(200);
        self.note("victims' runs lost or refused", as_f64(lost), "", Some(AtMost(0.0)))?;
        Ok(())
    }

    /// (c) What queries have that are loaded, and runs that go on.
    fn memory(&mut self, options: &ServeOptions) -> Result<()> {
        let few = self.arranged.serve(&[Tenant::new("tenant", &self.work)], None, &[]);
        thread::sleep(WARM_UP);
        let base = few.resident_bytes();
        drop(few);
        let count = options.components;
        let mut many = Tenant::new("tenant", &self.sleeps);
        many.queries = (0..count).map(|number| (format!("query-{number}"), distinct(&self.sleeps, number))).collect();
        let began = Instant::now();
        let serving = self.arranged.serve(&[many], None, &[]);
        self.note(format!("loading {count} queries, none of them compiled before"), began.elapsed().as_secs_f64(), "s", None)?;
        thread::sleep(WARM_UP);
        let each = as_f64(serving.resident_bytes().saturating_sub(base)) / as_f64(count as u64) / MIB;
        self.note(format!("memory of each of {count} queries, idle"), each, "MiB", Some(AtMost(1.0)))?;
        drop(serving);

        let mut sleeping = Tenant::new("tenant", &self.sleeps);
        (sleeping.concurrent_runs, sleeping.limits) = (1000, "timeout: 20s".to_owned());
        let serving = self.arranged.serve(std::slice::from_ref(&sleeping), Some(1000), &[]);
        let askers = (0..1000).map(|_| sleeping.asker(&serving, "")).collect();
        let asking = self.runtime.spawn(ask_at_once(askers));
        let all = self.wait_for(&serving, "podlens_runs_in_flight", 1000.0);
        self.note("runs at once", metric(&self.metrics(&serving), "podlens_runs_in_flight"), "", Some(AtLeast(1000.0)))?;
        if all {
            self.note("memory of the server with these", as_f64(serving.resident_bytes()) / MIB, "MiB", Some(AtMost(2048.0)))?;
        }
        let seen = self.runtime.block_on(asking).expect("asking does not panic");
        // Each sleeps until its time is over.
        self.note("of these lost, or not ended by their limit", as_f64(1000 - seen.with_status(422)), "", Some(AtMost(0.0)))
    }

    /// (d) A cache of many pods.
    fn cache(&mut self, options: &ServeOptions) -> Result<()> {
        let pods = options.pods;
        let Arranged { cluster, namespace, .. } = &self.arranged;
        cluster.create_pods(namespace, pods.saturating_sub(PODS), |index| realistic_pod(PODS + index));
        let tenant = Tenant::new("tenant", &self.work);
        let serving = self.arranged.serve(std::slice::from_ref(&tenant), None, &[]);
        let before = serving.resident_bytes();
        let askers = || vec![tenant.asker(&serving, "?list=true&read=name,namespace,status")];
        self.ask(askers(), WARM_UP);
        self.wait_for(&serving, "podlens_cache_pods", as_f64(pods as u64));
        let mut seen = self.ask(askers(), LOAD);
        let metrics = self.metrics(&serving);
        self.note("pods in the cache", metric(&metrics, "podlens_cache_pods"), "", Some(AtLeast(as_f64(pods as u64))))?;
        self.note(
            "their memory, as the cache counts it",
            metric(&metrics, "podlens_cache_bytes") / MIB,
            "MiB",
            Some(AtMost(25.0)),
        )?;
        let grown = as_f64(serving.resident_bytes().saturating_sub(before)) / MIB;
        self.note("memory of the server with them, beyond what it had before", grown, "MiB", None)?;
        self.note("watches", metric(&metrics, "podlens_cache_watches"), "", Some(AtMost(1.0)))?;
        self.note("a run over all of them, 50th percentile", seen.percentile(50), "ms", None)
    }

    /// (e) The API server away and back, again and again.
    fn restarts(&mut self, options: &ServeOptions) -> Result<()> {
        let tenants: Vec<_> = (0..4).map(|number| Tenant::new(format!("tenant-{number}"), &self.work)).collect();
        let serving = self.arranged.serve(&tenants, None, &[]);
        let pace = Some(Duration::from_millis(80));
        let askers: Vec<_> = (0..16).map(|number| Asker { pace, ..tenants[number % 4].asker(&serving, WORK) }).collect();
        self.ask(askers.clone(), WARM_UP);
        let cluster = &self.arranged.cluster;
        let runtime = &self.runtime;
        let seen = thread::scope(|scope| {
            // 20,000 in all, which take somewhat longer than twenty restarts.
            let asking = scope.spawn(|| runtime.block_on(ask(askers, 60 * LOAD, 1250)));
            let mut restarts = 0;
            while restarts < options.restarts && !asking.is_finished() {
                if restarts % 2 == 0 {
                    cluster.kill_api_server()
                } else {
                    cluster.terminate_api_server()
                }
                thread::sleep(Duration::from_millis(300));
                cluster.start_api_server();
                thread::sleep(Duration::from_millis(700));
                restarts += 1;
            }
            (asking.join().expect("asking does not panic"), restarts)
        });
        let (mut seen, restarts) = seen;
        self.note(
            "restarts of the API server meanwhile",
            as_f64(restarts as u64),
            "",
            Some(AtLeast(as_f64(options.restarts as u64))),
        )?;
        self.note("runs", as_f64(seen.answered() + seen.lost), "", Some(AtLeast(10_000.0)))?;
        self.note("99th percentile", seen.percentile(99), "ms", None)?;
        for (status, count) in seen.statuses.clone().into_iter().filter(|(status, _)| *status != 200) {
            self.note(format!("answered {status}"), as_f64(count), "", None)?;
            (self.say)(&seen.said[&status]);
        }
        self.note("of these lost", as_f64(seen.lost + seen.answered() - seen.with_status(200)), "", Some(AtMost(0.0)))
    }

    /// (f) The server ended while runs go on.
    fn ends(&mut self, options: &ServeOptions) -> Result<()> {
        let mut tenant = Tenant::new("tenant", &self.sleeps);
        tenant.limits = "timeout: 500ms".to_owned();
        let (mut dropped, mut begun, mut codes) = (0, 0, BTreeMap::new());
        for _ in 0..options.ends {
            let mut serving = self.arranged.serve(std::slice::from_ref(&tenant), Some(100), &["--shutdown-delay=50ms"]);
            let askers = (0..100).map(|_| tenant.asker(&serving, "")).collect();
            let asking = self.runtime.spawn(ask_at_once(askers));
            begun += u64::from(self.wait_for(&serving, "podlens_runs_in_flight", 100.0));
            serving.signal("TERM");
            let seen = self.runtime.block_on(asking).expect("asking does not panic");
            dropped += 100 - seen.with_status(422);
            *codes.entry(serving.wait().code()).or_insert(0_u64) += 1;
        }
        let ends = as_f64(options.ends as u64);
        self.note("times that the server was told to end", ends, "", None)?;
        self.note("of these with 100 runs under way", as_f64(begun), "", Some(AtLeast(ends)))?;
        self.note(
            "of these that it ended with 0",
            as_f64(codes.get(&Some(0)).copied().unwrap_or_default()),
            "",
            Some(AtLeast(ends)),
        )?;
        self.note("runs without their answer", as_f64(dropped), "", Some(AtMost(0.0)))
    }
}

const MIB: f64 = 1_048_576.0;

/// The same component with another digest: one more custom section, which nothing reads.
fn distinct(component: &[u8], number: usize) -> Vec<u8> {
    let content = format!("\u{5}bench{number:06}");
    let mut component = component.to_vec();
    component.push(0);
    component.push(u8::try_from(content.len()).expect("it is short"));
    component.extend_from_slice(content.as_bytes());
    component
}

/// For people.
fn table(results: &Results) -> String {
    let Machine { processor, processors, memory_mib, load_before } = &results.machine;
    let mut text = format!(
        "# `podlens serve` under load\n\n\
         {}, commit {}; {processor}, {processors} processors, {memory_mib} MiB; load before: {load_before:.2}. \
         Clients and a real kube-apiserver share these processors. `load` is the load average when a figure was taken, its own load \
         included. `tests/bench/run serve` writes this.\n\n\
         | part | what | measured | target | met | load |\n|---|---|---:|---:|---|---:|\n",
        results.date, results.commit
    );
    for measured in &results.measured {
        writeln!(text, "{}", row(measured)).expect("a String takes everything");
    }
    text
}

fn row(measured: &Measured) -> String {
    let Measured { part, what, value, unit, target, load } = measured;
    let shown = |value: f64| if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") };
    let target = match target {
        None => String::new(),
        Some(AtMost(most)) => format!("≤ {}", shown(*most)),
        Some(AtLeast(least)) => format!("≥ {}", shown(*least)),
    };
    let met = match measured.is_met() {
        None => "",
        Some(true) => "yes",
        Some(false) => "**no**",
    };
    format!("| {part} | {what} | {} {unit} | {target} | {met} | {load:.2} |", shown(*value))
}
