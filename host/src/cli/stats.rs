//! What a run took: the lines of `run --stats`, and what is told of a run that was stopped.

use std::io::Write as _;

use tabwriter::TabWriter;

use crate::error::Error;
use crate::limits::{Limit, Unit};
use crate::runtime::{Compilation, HostFunction, Report, Trap};

/// The limits that a run is most likely to come near.
const TELLING: [Limit; 4] = [Limit::CpuTime, Limit::Memory, Limit::Pods, Limit::Rows];

/// The lines of `--stats`, under a heading: for each limit of a run what was used of it, in its unit, and the flag that sets it; below
/// the calls of the host those of each function; last how the component came to be compiled. Memory is the most that was in use at
/// one time.
pub(super) fn lines(report: &Report, compilation: Compilation) -> Vec<String> {
    let mut table = TabWriter::new(Vec::new()).padding(3);
    let mut row = |cells: &[&str]| {
        // Writing to memory cannot fail.
        let _ = writeln!(table, "{}", cells.join("\t"));
    };
    row(&["STATS", "USED", "LIMIT"]);
    for limit in Limit::ALL {
        let used = match limit {
            Limit::Memory => report.peak_memory(),
            _ => report.used(*limit),
        };
        let unit = match limit.unit() {
            Unit::Count => "",
            Unit::Bytes => " bytes",
            Unit::Milliseconds => " ms",
        };
        let name = if *limit == Limit::Memory { "peak memory" } else { limit.what() };
        let bound = format!("--{} {}", limit.name(), limit.unit().show(report.limits().get(*limit)));
        row(&[name, &format!("{used}{unit}"), &bound]);
        if *limit == Limit::HostCalls {
            let called = HostFunction::ALL.iter().map(|function| (function, report.calls(*function)));
            for (function, times) in called.filter(|(_, times)| *times > 0) {
                row(&[&format!("  {}", function.name()), &times.to_string(), ""]);
            }
        }
    }
    let from = if compilation.from_cache { "from the cache" } else { "" };
    row(&["compile time", &format!("{} ms", compilation.elapsed.as_millis()), from]);
    let text = table.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(|line| line.trim_end().to_owned()).collect()
}

/// What helps to find out why a run was stopped; nothing where the query answered with an error of its own.
pub(super) fn of_failure(error: &Error, report: &Report) -> Vec<String> {
    if error.limit().is_none() && Trap::of(error).is_none() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    if !report.last_calls().is_empty() {
        lines.push("last calls to the host:".to_owned());
        lines.extend(report.last_calls().iter().map(|call| format!("  {call}")));
    }
    let used = TELLING.map(|limit| {
        let used = if limit == Limit::Memory { report.peak_memory() } else { report.used(limit) };
        let bound = limit.unit().show(report.limits().get(limit));
        format!("{} of {bound} {}", shown(limit.unit(), used), limit.what())
    });
    lines.push(format!("used: {}", used.join(", ")));
    lines
}

/// As [`Unit::show`], but rounded down where that tells enough.
fn shown(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Bytes if value >= 1 << 20 => format!("{}Mi", value >> 20),
        Unit::Bytes if value >= 1 << 10 => format!("{}Ki", value >> 10),
        unit => unit.show(value).to_string(),
    }
}
