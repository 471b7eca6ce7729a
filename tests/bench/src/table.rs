//! The results for people, in Markdown: a table for each size, and the targets.

use std::fmt::Write as _;

use crate::results::{Results, Size, Spread};
use crate::targets::thousands;

/// All of it: `latest.md`.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = String::from("# podlens, and what one would use instead\n\n");
    text += "Whole processes, from start to end, with standard output in a pipe that is read; each competitor's answer was the expected one.\n";
    text += "Times are the median, with the shortest and the longest in parentheses; memory is the most that was ever resident.\n";
    text += "The pods differ in little, so that they compress better than a cluster's own: whoever asks for gzip, as client-go and kubectl do, pays\n";
    text += "less for it here. client-go's pager asks for the next pages while it reads one; the floor and most others do not.\n\n";
    text += &about(results);
    for size in &results.sizes {
        text += &section(size);
    }
    text += &targets(results);
    text
}

/// What was measured, and on what.
fn about(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = format!("- podlens {}, Kubernetes {}, {}\n", results.commit, results.kubernetes, results.date);
    text += &format!(
        "- {} × {}, {} GiB; load average before: {:.2}\n",
        machine.processors,
        machine.processor,
        machine.memory_mib.div_ceil(1024),
        machine.load_before
    );
    text += &format!(
        "- {} rounds, every competitor once in each; those that are slow run in fewer, as the tables say\n",
        results.rounds
    );
    text += &format!(
        "- the program `true`, measured the same way: {}, {}\n",
        time(results.nothing.wall_ms),
        kib(results.nothing.peak_kib)
    );
    for (name, version) in &results.versions {
        text += &format!("- {name}: {version}\n");
    }
    for (name, why) in &results.left_out {
        text += &format!("- **left out: {name}**, {why}\n");
    }
    text
}

fn section(size: &Size) -> String {
    let scope = if size.one_namespace { "one namespace" } else { "all namespaces" };
    let mut text = format!("\n## {} pods, {scope}\n\n", thousands(size.pods));
    text += "| competitor | what | answers | wall time | CPU time | memory | API server's CPU | rounds |\n";
    text += "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n";
    for row in &size.rows {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.what,
            row.task.word(),
            spread(row.wall_ms),
            time(row.cpu_ms.median),
            mib(row.peak_kib.max),
            time(row.server_cpu_ms.median),
            row.runs.len()
        )
        .expect("a String takes everything");
    }
    if !size.left_out.is_empty() {
        text += &format!("\nToo slow for so many pods, and left out: {}.\n", size.left_out.join(", "));
    }
    text
}

fn targets(results: &Results) -> String {
    let mut text = String::from("\n## Targets\n\n| what | at most | reached | met |\n| --- | ---: | ---: | --- |\n");
    for target in &results.targets {
        let unit = if target.unit.is_empty() { String::new() } else { format!(" {}", target.unit) };
        let reached = target.reached.map_or_else(|| "not measured".to_owned(), |reached| format!("{reached:.3}{unit}"));
        let met = match target.met() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        text += &format!("| {} | {:.3}{unit} | {reached} | {met} |\n", target.what, target.at_most);
    }
    text
}

/// `1.25 s (1.20–1.31)`.
fn spread(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    if min.total_cmp(&max).is_eq() {
        return time(median);
    }
    if median < 1e3 {
        format!("{} ({min:.0}–{max:.0})", time(median))
    } else {
        format!("{} ({:.2}–{:.2})", time(median), min / 1e3, max / 1e3)
    }
}

/// A time with three digits or so: `31 ms`, `1.25 s`, `12.3 s`.
pub(crate) fn time(milliseconds: f64) -> String {
    match milliseconds {
        ..9.95 => format!("{milliseconds:.1} ms"),
        ..999.5 => format!("{milliseconds:.0} ms"),
        ..9_995.0 => format!("{:.2} s", milliseconds / 1e3),
        _ => format!("{:.1} s", milliseconds / 1e3),
    }
}

fn kib(kib: u64) -> String {
    mib(crate::machine::as_f64(kib))
}

/// `38 MiB`, of KiB.
pub(crate) fn mib(kib: f64) -> String {
    format!("{:.0} MiB", kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{markdown, time};
    use crate::readme::tests::results;

    #[test]
    fn a_time_has_three_digits_or_so() {
        assert_eq!(
            [1.23, 9.99, 31.4, 999.6, 1_254.0, 12_345.0].map(time),
            ["1.2 ms", "10 ms", "31 ms", "1.00 s", "1.25 s", "12.3 s"]
        );
    }

    #[test]
    fn whoever_is_left_out_is_named() {
        let text = markdown(&results());
        assert!(text.contains("- **left out: jq**, install jq\n"), "{text}");
        assert!(text.contains("Too slow for so many pods, and left out: java.\n"), "{text}");
        assert!(text.contains("| podlens | query in Rust | names | 520 ms | 10 ms | 40 MiB | 30 ms | 1 |\n"), "{text}");
        assert!(text.contains("| names, 10,000 pods: wall time over floor | 1.150 | 1.268 | **no** |\n"), "{text}");
    }
}
