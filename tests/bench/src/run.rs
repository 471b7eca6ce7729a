//! The benchmark: for each size an API server, and on it rounds, in each of which every competitor runs once.
//!
//! Rounds rather than one competitor after the other, so that what the machine does besides hits all of them; every other round goes
//! backwards, so that nobody always runs after the same one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{Timestamp, Unit};

use crate::competitors::{self, Competitor, Ground, Task};
use crate::field::Field;
use crate::measure::Line;
use crate::peers::{Built, Peer};
use crate::results::{Results, Row, Size, Use};
use crate::targets::thousands;
use crate::{Result, machine, table, targets};

/// From how many pods on a slow competitor runs in fewer rounds. Above it runs only if asked to.
const SLOW_FROM: usize = 10_000;

/// How many those are: two, so that a slip of one shows.
const SLOW_ROUNDS: usize = 2;

/// A load average above it, and others took part in what was measured.
const BUSY: f64 = 1.0;

/// What is measured. Default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How often every competitor runs.
    pub rounds: usize,
    /// The sizes, in pods.
    pub pods: Vec<usize>,
    /// The competitors by name, or by the beginning of it; all where it is empty.
    pub only: Vec<String>,
    /// Whether those that are slow run in the largest size too.
    pub all: bool,
    /// Whether a competitor that cannot take part is an error.
    pub strict: bool,
    /// The folder for `latest.json` and `latest.md`.
    pub results: PathBuf,
}

/// What stays the same for all sizes.
struct Bench<'a> {
    options: &'a Options,
    competitors: Vec<Competitor>,
    binaries: PathBuf,
    peers: PathBuf,
    home: tempfile::TempDir,
}

/// Measures, writes the results, and returns them in Markdown. `say` is told what goes on.
///
/// # Errors
///
/// When a competitor fails or answers something else than the others, and when something cannot be built or written.
///
/// # Panics
///
/// When there is no API server to be had, as the tests' harness does.
pub fn run(options: &Options, say: &dyn Fn(&str)) -> Result<String> {
    let machine = machine::look()?;
    if machine.load_before > BUSY {
        say(&format!("warning: the load average is {:.2}: others take part in what is measured", machine.load_before));
    }
    let mut bench = Bench::new(options)?;
    let (versions, left_out) = bench.build_peers(say)?;
    let (_, nothing) =
        Line { program: "true".into(), arguments: Vec::new(), environment: BTreeMap::from_iter(std::env::vars_os()) }.run()?;
    let mut results = Results {
        date: Timestamp::now().round(Unit::Second).expect("it is not near the end of time").to_string(),
        commit: commit()?,
        kubernetes: String::new(),
        machine,
        rounds: options.rounds,
        nothing,
        versions,
        left_out,
        sizes: Vec::new(),
        targets: Vec::new(),
    };
    for &pods in &options.pods {
        say(&format!("{} pods: filling an API server", thousands(pods)));
        let field = Field::new(pods)?;
        results.kubernetes = field.version();
        results.sizes.push(bench.size(&field, say)?);
    }
    results.targets = targets::of(&results);
    let text = table::markdown(&results);
    write(options, "latest.json", &(serde_json::to_string_pretty(&results).expect("numbers and texts can be written") + "\n"))?;
    write(options, "latest.md", &text)?;
    Ok(text)
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options) -> Result<Self> {
        let here = std::env::current_exe().map_err(|error| format!("looking for this program: {error}"))?;
        let binaries = here.parent().ok_or("this program lies in no folder")?.to_owned();
        for name in ["podlens", "podlens-bench-floor"] {
            if !binaries.join(name).exists() {
                return Err(format!("`{name}` is not built; tests/bench/run builds it"));
            }
        }
        let peers = binaries.parent().ok_or("this program lies in no target folder")?.join("bench");
        let mut competitors = competitors::all();
        if !options.only.is_empty() {
            competitors.retain(|it| it.is_of(&options.only));
            for name in &options.only {
                if !competitors.iter().any(|it| it.is_of(std::slice::from_ref(name))) {
                    let names: BTreeSet<_> = competitors::all().iter().map(|it| it.name).collect();
                    return Err(format!("there is no competitor `{name}`; there are {}", Vec::from_iter(names).join(", ")));
                }
            }
        }
        let home = tempfile::tempdir().map_err(|error| format!("making a temporary folder: {error}"))?;
        Ok(Self { options, competitors, binaries, peers, home })
    }

    /// Returns the versions of the peers, and those that cannot take part with what to install; the latter's competitors are out.
    fn build_peers(&mut self, say: &dyn Fn(&str)) -> Result<(BTreeMap<String, String>, BTreeMap<String, String>)> {
        let (mut versions, mut left_out) = (BTreeMap::new(), BTreeMap::new());
        let peers: BTreeSet<Peer> = self.competitors.iter().filter_map(|it| it.peer).collect();
        for peer in peers {
            say(&format!("building {}", peer.name()));
            match peer.build(&self.peers, &self.binaries.join("podlens"))? {
                Built::Versions(text) => {
                    versions.insert(peer.name().to_owned(), text);
                }
                Built::Missing(what) if self.options.strict => return Err(format!("{} cannot take part: {what}", peer.name())),
                Built::Missing(what) => {
                    say(&format!("warning: {} is left out: {what}", peer.name()));
                    left_out.insert(peer.name().to_owned(), what);
                    self.competitors.retain(|it| it.peer != Some(peer));
                }
            }
        }
        Ok((versions, left_out))
    }

    fn size(&self, field: &Field, say: &dyn Fn(&str)) -> Result<Size> {
        let too_slow = |it: &Competitor| it.slow && field.pods > SLOW_FROM && !self.options.all;
        let (out, competitors): (Vec<_>, Vec<_>) = self.competitors.iter().partition(|it| too_slow(it));
        for it in &competitors {
            self.warm_up(field, it)?;
        }
        let mut runs: Vec<Vec<Use>> = vec![Vec::new(); competitors.len()];
        for round in 0..self.options.rounds {
            say(&format!("{} pods: round {} of {}", thousands(field.pods), round + 1, self.options.rounds));
            let mut order: Vec<_> = (0..competitors.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let it = competitors[index];
                if it.slow && field.pods >= SLOW_FROM && round >= SLOW_ROUNDS {
                    continue;
                }
                let used = self.once(field, &it)?;
                say(&format!("  {:20} {:9} {}", it.name, it.task.word(), table::time(used.wall_ms)));
                runs[index].push(used);
            }
        }
        let rows = competitors.iter().zip(runs).map(|(it, runs)| Row::new(it.name, it.what, it.task, runs)).collect();
        let left_out: BTreeSet<_> = out.iter().map(|it| it.name.to_owned()).collect();
        Ok(Size { pods: field.pods, one_namespace: field.namespace.is_some(), rows, left_out: Vec::from_iter(left_out) })
    }

    /// Runs it on a namespace without pods. Its files are in the system's cache then, what it compiles or discovers in its own.
    fn warm_up(&self, field: &Field, it: &Competitor) -> Result<()> {
        self.line(field, it, Some(&field.empty), |line| line.run().map(|_| ()))
    }

    /// Runs it, and looks at its answer.
    fn once(&self, field: &Field, it: &Competitor) -> Result<Use> {
        let namespace = field.namespace.as_deref();
        self.line(field, it, namespace, |line| {
            let before = field.server_cpu_seconds()?;
            let (answer, mut used) = line.run()?;
            used.server_cpu_ms = (field.server_cpu_seconds()? - before) * 1e3;
            field.expected.compare(it.form, it.layout, namespace, &answer)?;
            Ok(used)
        })
    }

    /// Calls `then` with its process, on a namespace or on all. An error says whose it is.
    fn line<T>(&self, field: &Field, it: &Competitor, namespace: Option<&str>, then: impl Fn(&Line) -> Result<T>) -> Result<T> {
        let fresh = tempfile::tempdir().map_err(|error| format!("making a temporary folder: {error}"))?;
        let kubectl = field.cluster.kubectl();
        let ground = Ground {
            namespace,
            kubeconfig: &field.cluster.kubeconfig_path(),
            kubectl: Path::new(kubectl.get_program()),
            binaries: &self.binaries,
            peers: &self.peers,
            home: self.home.path(),
            fresh: fresh.path(),
        };
        then(&it.line(&ground)).map_err(|error| format!("{}, {}, {} pods: {error}", it.name, task(it.task), thousands(field.pods)))
    }
}

fn task(task: Task) -> String {
    format!("task `{}`", task.word())
}

/// The commit that is checked out, with `+` where the work tree differs.
pub(crate) fn commit() -> Result<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let output = output.map_err(|error| format!("starting `git`: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(format!("`git {}`: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
        }
    };
    let changed = !git(&["status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/tests/bench/results"])?.is_empty();
    Ok(git(&["rev-parse", "--short=12", "HEAD"])? + if changed { "+" } else { "" })
}

fn write(options: &Options, name: &str, text: &str) -> Result<()> {
    let path = options.results.join(name);
    let written = fs::create_dir_all(&options.results).and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("writing `{}`: {error}", path.display()))
}
