//! Prints the findings: for people as they come, for machines at the end.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::step::{Finding, Fix, Step};
use crate::output::style::{Mark, Style};

/// The columns that the steps' names take.
const NAME_COLUMNS: usize = 13;
/// What facts are indented by.
const INDENT: &str = "      ";

/// How the findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object, described below.
    Json,
}

/// The findings so far.
pub(super) struct Report {
    format: Format,
    style: Style,
    findings: Vec<Finding>,
    /// The first failure to print. What is found is still worth an exit code.
    printed: io::Result<()>,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self { format, style: Style::of_stdout(), findings: Vec::new(), printed: Ok(()) }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.format == Format::Text && self.printed.is_ok() {
            self.printed = write(&text(&finding, self.style));
        }
        self.findings.push(finding);
    }

    /// Prints the rest, and tells the first step that failed.
    pub(super) fn finish(mut self) -> (Option<Step>, io::Result<()>) {
        let failed = self.findings.iter().find(|finding| finding.is_bad()).map(|finding| finding.step);
        if self.printed.is_ok() {
            let end = match self.format {
                Format::Text => verdict(failed, self.style),
                Format::Json => format!("{:#}\n", json(&self.findings, failed)),
            };
            self.printed = write(&end);
        }
        (failed, self.printed)
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn text(finding: &Finding, style: Style) -> String {
    let mark = style.mark(finding.mark);
    let mut text = format!("{mark} {:NAME_COLUMNS$} {}\n", finding.step.name(), finding.summary);
    let width = finding.facts.iter().map(|fact| fact.name.chars().count()).max().unwrap_or_default();
    for fact in &finding.facts {
        text += format!("{INDENT}{:width$}  {}", fact.name, fact.value).trim_end();
        text.push('\n');
    }
    if let Some(fix) = &finding.fix {
        text += &fix_text(fix, finding.mark, style);
    }
    text
}

fn fix_text(fix: &Fix, mark: Mark, style: Style) -> String {
    let mut text = format!("  {} {}\n", style.paint(mark, "→"), fix.text);
    for command in &fix.commands {
        text += &format!("{INDENT}{command}\n");
    }
    match (&fix.yaml, &fix.apply) {
        (Some(yaml), Some(apply)) => {
            if !fix.commands.is_empty() {
                text += &format!("  {} or the same as YAML:\n", style.paint(mark, "→"));
            }
            // As it is, so that it can be pasted: a heredoc's end must not be indented.
            text += &format!("{apply} <<'EOF'\n{yaml}EOF\n");
        }
        (Some(yaml), None) => text.extend(yaml.lines().map(|line| format!("{INDENT}{line}\n"))),
        (None, _) => {}
    }
    text
}

fn verdict(failed: Option<Step>, style: Style) -> String {
    match failed {
        None => format!("\n{} the API server answers, and queries can be run.\n", style.mark(Mark::Good)),
        Some(step) => {
            format!("\n{} fix {} first: what comes after it may follow from it.\n", style.mark(Mark::Bad), step.name())
        }
    }
}

fn json(findings: &[Finding], failed: Option<Step>) -> Value {
    let steps: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "step": finding.step.number(),
                "name": finding.step.name(),
                "result": match finding.mark {
                    Mark::Good => "passed",
                    Mark::Bad => "failed",
                    Mark::Doubt => "noted",
                    Mark::Open => "skipped",
                },
                "reason": finding.reason,
                "summary": finding.summary,
                // For people, some are indented.
                "facts": finding.facts.iter().map(|fact| json!({ "name": fact.name.trim_start(), "value": fact.value })).collect::<Vec<_>>(),
                "fix": finding.fix,
            })
        })
        .collect();
    json!({
        "healthy": failed.is_none(),
        "exitCode": failed.map_or(0, Step::exit_code),
        "firstFailed": failed.map(Step::name),
        "steps": steps,
    })
}

#[cfg(test)]
mod tests {
    use super::super::reason::Reason;
    use super::*;

    fn finding() -> Finding {
        let fix = Fix::say("do this").run(Ok("kubectl a".to_owned())).apply("kind: Role\n".to_owned(), &["--context=b".to_owned()]);
        Step::Access.bad(Reason::NoRole, "may not").fact("a", "1").fact("long", "").fix(fix)
    }

    #[test]
    fn a_finding_is_told_with_its_fix() {
        assert_eq!(
            text(&finding(), Style::plain()),
            "✘ access        may not\n      a     1\n      long\n  → do this\n      kubectl a\n  \
             → or the same as YAML:\nkubectl apply --context=b -f - <<'EOF'\nkind: Role\nEOF\n"
        );
        let fix = Fix::say("write this").write("spec:\n  a: b\n");
        assert_eq!(fix_text(&fix, Mark::Bad, Style::plain()), "  → write this\n      spec:\n        a: b\n");
    }

    #[test]
    fn machines_are_told_the_same() {
        assert_eq!(
            json(&[finding()], Some(Step::Access)),
            json!({
                "healthy": false, "exitCode": 19, "firstFailed": "access",
                "steps": [{
                    "step": 9, "name": "access", "result": "failed", "reason": "no-role", "summary": "may not",
                    "facts": [{ "name": "a", "value": "1" }, { "name": "long", "value": "" }],
                    "fix": { "text": "do this", "commands": ["kubectl a"], "yaml": "kind: Role\n" },
                }],
            })
        );
        assert_eq!(json(&[], None)["exitCode"], 0);
    }
}
