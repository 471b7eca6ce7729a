//! What a run of the benchmark leaves: all that was measured, and on what. `latest.json` is this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::competitors::Task;
use crate::machine::as_f64;
use crate::targets::Target;

/// All of a run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Results {
    /// When it began, RFC 3339.
    pub(crate) date: String,
    /// The commit of podlens; with `+` where the work tree differed from it.
    pub(crate) commit: String,
    /// The API server's version.
    pub(crate) kubernetes: String,
    pub(crate) machine: Machine,
    /// How often each competitor ran, at most: slow ones run less often.
    pub(crate) rounds: usize,
    /// What measuring itself takes: the same of the program `true`. No row can be below.
    pub(crate) nothing: Use,
    /// What each competitor is made of.
    pub(crate) versions: BTreeMap<String, String>,
    /// Who could not take part, and why.
    pub(crate) left_out: BTreeMap<String, String>,
    pub(crate) sizes: Vec<Size>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory_mib: u64,
    /// The load average of the last minute, before anything was measured.
    pub(crate) load_before: f64,
}

/// One number of pods.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Size {
    pub(crate) pods: usize,
    /// Whether one namespace was asked for; else all.
    pub(crate) one_namespace: bool,
    pub(crate) rows: Vec<Row>,
    /// Competitors that are too slow for this size.
    pub(crate) left_out: Vec<String>,
}

/// A competitor with its task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) name: String,
    /// What it is, in a few words.
    pub(crate) what: String,
    pub(crate) task: Task,
    pub(crate) wall_ms: Spread,
    pub(crate) cpu_ms: Spread,
    pub(crate) peak_kib: Spread,
    pub(crate) server_cpu_ms: Spread,
    /// What the spreads are of, in the order of the rounds.
    pub(crate) runs: Vec<Use>,
}

impl Row {
    pub(crate) fn new(name: &str, what: &str, task: Task, runs: Vec<Use>) -> Self {
        let spread = |number: fn(&Use) -> f64| Spread::of(runs.iter().map(number).collect());
        Self {
            name: name.to_owned(),
            what: what.to_owned(),
            task,
            wall_ms: spread(|it| it.wall_ms),
            cpu_ms: spread(|it| it.user_ms + it.system_ms),
            peak_kib: spread(|it| as_f64(it.peak_kib)),
            server_cpu_ms: spread(|it| it.server_cpu_ms),
            runs,
        }
    }
}

/// What one run took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Use {
    /// From its start to its end.
    pub(crate) wall_ms: f64,
    /// CPU time in its own code.
    pub(crate) user_ms: f64,
    /// CPU time in the kernel.
    pub(crate) system_ms: f64,
    /// The most memory that it had resident.
    pub(crate) peak_kib: u64,
    /// CPU time of the API server meanwhile.
    pub(crate) server_cpu_ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one number. The median of an even count is the mean of the middle two.
    fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_unstable_by(f64::total_cmp);
        let [min, .., max] = numbers[..] else { return Self { median: numbers[0], min: numbers[0], max: numbers[0] } };
        let middle = numbers.len() / 2;
        let median = if numbers.len() % 2 == 1 { numbers[middle] } else { f64::midpoint(numbers[middle - 1], numbers[middle]) };
        Self { median, min, max }
    }
}

impl Size {
    /// The row of a competitor with this name that did this task, or both.
    pub(crate) fn row(&self, name: &str, task: Task) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name && (row.task == task || row.task == Task::Both))
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_median_is_in_the_middle() {
        let spread = |numbers: &[f64]| {
            let Spread { median, min, max } = Spread::of(numbers.to_vec());
            (median, min, max)
        };
        assert_eq!(spread(&[7.0]), (7.0, 7.0, 7.0));
        assert_eq!(spread(&[9.0, 1.0]), (5.0, 1.0, 9.0));
        assert_eq!(spread(&[30.0, 1.0, 2.0]), (2.0, 1.0, 30.0));
        assert_eq!(spread(&[4.0, 1.0, 30.0, 2.0]), (3.0, 1.0, 30.0));
    }
}
