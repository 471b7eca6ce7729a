//! The benchmark's part of the README: who takes how long, in one small table.

use crate::competitors::Task;
use crate::results::{Results, Row, Size};
use crate::table::{mib, time};
use crate::targets::thousands;

/// Who is shown, and how they are called there.
const SHOWN: [(&str, &str); 12] = [
    ("podlens", "**podlens**, query in Rust"),
    ("podlens-javascript", "podlens, query in JavaScript"),
    ("podlens-python", "podlens, query in Python"),
    ("client-go-protobuf", "client-go, pager, protobuf"),
    ("client-go-json", "client-go, pager, JSON"),
    ("kube-rs", "kube-rs, pages"),
    ("java", "the official Java client, pages"),
    ("python", "the official Python client, pages"),
    ("kubectl-get", "`kubectl get pods`"),
    ("kubectl-columns", "`kubectl get pods -o custom-columns=…`"),
    ("kubectl-jq", "`kubectl get pods -o json` with jq"),
    ("floor", "pages one after the other, read and dropped"),
];

/// The sizes that are shown.
const SIZES: [usize; 3] = [500, 10_000, 50_000];

/// Whose memory and CPU time are shown.
const DETAILED: usize = 10_000;

/// The table of the README, in Markdown, of the text of `latest.json`. It ends with a line feed.
///
/// # Errors
///
/// When the text is not of results.
pub fn readme(json: &str) -> crate::Result<String> {
    let results: Results = serde_json::from_str(json).map_err(|error| format!("these are no results of the benchmark: {error}"))?;
    Ok(table(&results))
}

fn table(results: &Results) -> String {
    let sizes: Vec<_> = results.sizes.iter().filter(|size| SIZES.contains(&size.pods)).collect();
    let detailed = sizes.iter().find(|size| size.pods == DETAILED);

    let mut heads = vec!["containers that were restarted, of".to_owned()];
    heads.extend(sizes.iter().map(|size| format!("{} pods", thousands(size.pods))));
    if let Some(size) = detailed {
        heads.extend(["memory", "CPU time"].map(|of| format!("{of} of {}", thousands(size.pods))));
    }
    let mut lines = vec![line(&heads), format!("| --- |{}", " ---: |".repeat(heads.len() - 1))];
    for (name, called) in SHOWN {
        let rows: Vec<_> = sizes.iter().map(|size| restarts(size, name)).collect();
        if rows.iter().all(Option::is_none) {
            continue;
        }
        let mut cells = vec![called.to_owned()];
        cells.extend(rows.iter().map(|row| row.map_or_else(String::new, |row| time(row.wall_ms.median))));
        if let Some(size) = detailed {
            let row = restarts(size, name);
            cells.push(row.map_or_else(String::new, |row| mib(row.peak_kib.max)));
            cells.push(row.map_or_else(String::new, |row| time(row.cpu_ms.median)));
        }
        lines.push(line(&cells));
    }
    let machine = &results.machine;
    lines.push(String::new());
    lines.push(format!(
        "Whole processes against a real API server on the same machine ({} × {}), median of {} rounds; podlens {}, Kubernetes {}, {}.",
        machine.processors,
        machine.processor,
        results.rounds,
        results.commit,
        results.kubernetes,
        results.date.split('T').next().unwrap_or_default()
    ));
    lines.join("\n") + "\n"
}

fn restarts<'a>(size: &'a Size, name: &str) -> Option<&'a Row> {
    size.row(name, Task::Restarts).or_else(|| size.row(name, Task::Bytes))
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::readme;
    use crate::competitors::Task;
    use crate::machine::as_f64;
    use crate::results::{Machine, Results, Row, Size, Use};
    use crate::targets;

    /// Of podlens, which takes 20 ms and 50 µs a pod, and of the floor, which takes 10 ms and 40 µs a pod.
    pub(crate) fn results() -> Results {
        let row = |name: &str, task, pods: usize, start: f64, pod_ms: f64| {
            let run = Use {
                wall_ms: start + as_f64(pods as u64) * pod_ms,
                user_ms: 7.0,
                system_ms: 3.0,
                peak_kib: 40 << 10,
                server_cpu_ms: 30.0,
            };
            Row::new(name, if name == "floor" { "bytes" } else { "query in Rust" }, task, vec![run])
        };
        let size = |pods| Size {
            pods,
            one_namespace: pods < 1_000,
            rows: vec![
                row("floor", Task::Bytes, pods, 10.0, 0.04),
                row("podlens", Task::Names, pods, 20.0, 0.05),
                row("podlens", Task::Restarts, pods, 20.0, 0.05),
            ],
            left_out: if pods == 10_000 { vec!["java".to_owned()] } else { Vec::new() },
        };
        let mut results = Results {
            date: "2026-01-02T03:04:05Z".to_owned(),
            commit: "0123456789ab".to_owned(),
            kubernetes: "v1.37.2".to_owned(),
            machine: Machine { processor: "Some CPU".to_owned(), processors: 2, memory_mib: 24_000, load_before: 0.1 },
            rounds: 5,
            nothing: Use { wall_ms: 1.0, peak_kib: 4 << 10, ..Use::default() },
            versions: [("client-go".to_owned(), "client-go v0.37.2, go1.26.8".to_owned())].into(),
            left_out: [("jq".to_owned(), "install jq".to_owned())].into(),
            sizes: [10, 500, 10_000].map(size).into(),
            targets: Vec::new(),
        };
        results.targets = targets::of(&results);
        results
    }

    #[test]
    fn the_readme_shows_those_that_were_measured() {
        let json = serde_json::to_string(&results()).unwrap();
        assert_eq!(
            readme(&json).unwrap(),
            "\
| containers that were restarted, of | 500 pods | 10,000 pods | memory of 10,000 | CPU time of 10,000 |
| --- | ---: | ---: | ---: | ---: |
| **podlens**, query in Rust | 45 ms | 520 ms | 40 MiB | 10 ms |
| pages one after the other, read and dropped | 30 ms | 410 ms | 40 MiB | 10 ms |

Whole processes against a real API server on the same machine (2 × Some CPU), median of 5 rounds; podlens 0123456789ab, Kubernetes v1.37.2, 2026-01-02.
"
        );
        assert!(readme("{}").unwrap_err().contains("no results"));
    }

    /// The README says what was measured, word for word.
    #[test]
    fn the_table_of_the_readme_is_of_the_results() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let readme_md = read("../../README.md");
        let (_, rest) = readme_md.split_once("<!-- tests/bench/run readme -->\n").unwrap();
        let (shown, _) = rest.split_once("<!-- end -->").unwrap();
        assert_eq!(shown, readme(&read("results/latest.json")).unwrap(), "paste what `tests/bench/run readme` prints");
    }
}
