//! What podlens is held against: ratios inside one run, so that they say the same on a slow machine and on a fast one.

use serde::{Deserialize, Serialize};

use crate::competitors::Task;
use crate::machine::as_f64;
use crate::results::{Results, Row, Size};

/// A number that is to be at most another.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) at_most: f64,
    /// `None` where something of it was not measured.
    pub(crate) reached: Option<f64>,
    /// What both numbers are: empty for a ratio.
    pub(crate) unit: String,
}

impl Target {
    /// Whether it was met, where it was measured.
    pub(crate) fn met(&self) -> Option<bool> {
        self.reached.map(|reached| reached <= self.at_most)
    }
}

/// How long ten thousand pods may take podlens, in those of a competitor.
const OVER_OTHERS: [(&str, f64); 5] = [
    ("floor", 1.15),
    ("client-go-protobuf", 0.6),
    ("kube-rs", 1.0 / 3.0),
    ("kubectl-get", 1.0 / 10.0),
    ("kubectl-columns", 1.0 / 18.0),
];

/// Most memory, however many pods there are.
const PEAK_MIB: f64 = 48.0;

/// How much more each pod may take than it did between fewer pods: linear, but for what measuring itself wavers.
const GROWTH: f64 = 1.1;

/// All targets, met or not.
pub(crate) fn of(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for task in [Task::Names, Task::Restarts] {
        let word = task.word();
        for (other, at_most) in OVER_OTHERS {
            let reached = over(size(results, 10_000), ("podlens", task), (other, task));
            targets.push(ratio(format!("{word}, 10,000 pods: wall time over {other}"), at_most, reached));
        }
        for language in ["javascript", "python"] {
            let reached = over(size(results, 10_000), (&format!("podlens-{language}"), task), ("podlens", task));
            targets.push(ratio(
                format!("{word}, 10,000 pods: wall time of the query in {language} over that in Rust"),
                2.0,
                reached,
            ));
        }
        let reached = over(size(results, 500), ("podlens", task), ("kubectl-get", task));
        targets.push(ratio(format!("{word}, 500 pods: wall time over kubectl-get"), 0.2, reached));

        let wall = |size: Option<&Size>, name| Some(row(size, name, task)?.wall_ms.median);
        let ten = size(results, 10);
        let reached = wall(ten, "podlens").zip(wall(ten, "floor")).map(|(podlens, floor)| podlens - floor);
        targets.push(Target {
            what: format!("{word}, 10 pods: wall time more than floor"),
            at_most: 15.0,
            reached,
            unit: "ms".to_owned(),
        });

        for pods in [10_000, 50_000] {
            let reached = row(size(results, pods), "podlens", task).map(|row| row.peak_kib.max / 1024.0);
            let what = format!("{word}, {} pods: peak memory", thousands(pods));
            targets.push(Target { what, at_most: PEAK_MIB, reached, unit: "MiB".to_owned() });
        }
        for (of, number) in [("wall", (|row| row.wall_ms.median) as fn(&Row) -> f64), ("CPU", |row| row.cpu_ms.median)] {
            for counts in [[10, 500, 10_000], [500, 10_000, 50_000]] {
                let [few, some, many] = counts.map(thousands);
                let reached = growth(results, "podlens", task, counts, number);
                let what = format!("{word}: {of} time of each pod from {some} to {many}, over that from {few} to {some}");
                targets.push(ratio(what, GROWTH, reached));
            }
        }
    }
    targets
}

fn ratio(what: String, at_most: f64, reached: Option<f64>) -> Target {
    Target { what, at_most, reached, unit: String::new() }
}

fn size(results: &Results, pods: usize) -> Option<&Size> {
    results.sizes.iter().find(|size| size.pods == pods)
}

fn row<'a>(size: Option<&'a Size>, name: &str, task: Task) -> Option<&'a Row> {
    let size = size?;
    size.row(name, task).or_else(|| size.row(name, Task::Bytes))
}

/// The wall time of one in those of another.
fn over(size: Option<&Size>, one: (&str, Task), other: (&str, Task)) -> Option<f64> {
    Some(row(size, one.0, one.1)?.wall_ms.median / row(size, other.0, other.1)?.wall_ms.median)
}

/// What each pod more takes in the second step, in what it takes in the first. The start of a process is in neither.
fn growth(results: &Results, name: &str, task: Task, counts: [usize; 3], number: fn(&Row) -> f64) -> Option<f64> {
    let mut points = [(0.0, 0.0); 3];
    for (point, count) in points.iter_mut().zip(counts) {
        *point = (as_f64(count as u64), number(row(size(results, count), name, task)?));
    }
    let slope = |from: (f64, f64), to: (f64, f64)| (to.1 - from.1) / (to.0 - from.0);
    Some(slope(points[1], points[2]) / slope(points[0], points[1]))
}

/// `10,000`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{of, thousands};
    use crate::readme::tests::results;

    fn reached(what: &str) -> Option<f64> {
        let targets = of(&results());
        let found: Vec<_> = targets.iter().filter(|it| it.what == what).collect();
        let [target] = found[..] else { panic!("{what}: {found:?}") };
        target.reached
    }

    #[test]
    fn targets_are_ratios_of_medians() {
        // 20 ms and 50 µs a pod, where the floor takes 10 ms and 40 µs a pod.
        let close = |reached: Option<f64>, expected: f64| {
            let reached = reached.expect("it was measured");
            assert!((reached - expected).abs() < 1e-9, "{reached} and not {expected}");
        };
        close(reached("names, 10,000 pods: wall time over floor"), 520.0 / 410.0);
        close(reached("restarts, 10 pods: wall time more than floor"), 20.5 - 10.4);
        close(reached("names: wall time of each pod from 500 to 10,000, over that from 10 to 500"), 1.0);
        close(reached("restarts, 10,000 pods: peak memory"), 40.0);
        assert_eq!(reached("restarts, 50,000 pods: peak memory"), None);
        assert_eq!(reached("names, 10,000 pods: wall time over kube-rs"), None);
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([10, 500, 10_000, 1_000_000].map(thousands), ["10", "500", "10,000", "1,000,000"]);
    }
}
