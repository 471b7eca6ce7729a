//! Says what came of each case, for people, as it comes.

use std::io::{self, Write as _};
use std::time::Duration;

use super::folder::Folder;
use super::{Tested, Verdict};
use crate::output::style::{Mark, Style};

/// What was tested so far.
pub(super) struct Report {
    style: Style,
    folders: Vec<(String, Vec<Tested>)>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { style: Style::of_stdout(), folders: Vec::new() }
    }

    /// Begins a folder.
    pub(super) fn folder(&mut self, folder: &Folder) -> io::Result<()> {
        self.folders.push((folder.name.clone(), Vec::new()));
        say(&format!("{} (component: {})", folder.name, folder.component_name))
    }

    /// Adds a case to the folder.
    pub(super) fn case(&mut self, tested: Tested) -> io::Result<()> {
        let mut text = self.line(&tested);
        for block in &told(&tested) {
            for line in block.lines() {
                let line = match line.as_bytes() {
                    [b'-', b' ', ..] => self.style.paint(Mark::Bad, line),
                    [b'+', b' ', ..] => self.style.paint(Mark::Good, line),
                    _ => line.to_owned(),
                };
                text += &format!("\n      {line}");
            }
        }
        if let Some((_, cases)) = self.folders.last_mut() {
            cases.push(tested);
        }
        say(&text)
    }

    fn line(&self, Tested { name, description, verdict, elapsed, .. }: &Tested) -> String {
        let (mark, word) = match verdict {
            Verdict::Passed => (Mark::Good, "ok"),
            Verdict::Updated(_) => (Mark::Doubt, "updated"),
            Verdict::Failed(_) => (Mark::Bad, "FAILED"),
            Verdict::Unreadable(_) => (Mark::Bad, "UNREADABLE"),
        };
        let description = if description.is_empty() { String::new() } else { format!(": {description}") };
        format!("  {} {name}{description} ({} ms)", self.style.paint(mark, &format!("{word:<7}")), elapsed.as_millis())
    }

    pub(super) fn summary(&self, elapsed: Duration) -> io::Result<()> {
        let cases = || self.folders.iter().flat_map(|(_, cases)| cases);
        let count = |is: fn(&Verdict) -> bool| cases().filter(|tested| is(&tested.verdict)).count();
        let mut parts = vec![(count(|it| matches!(it, Verdict::Passed)), "passed")];
        parts.extend(
            [
                (count(|it| matches!(it, Verdict::Updated(_))), "updated"),
                (count(|it| matches!(it, Verdict::Failed(_))), "failed"),
                (count(|it| matches!(it, Verdict::Unreadable(_))), "cannot be read"),
            ]
            .into_iter()
            .filter(|(count, _)| *count > 0),
        );
        let parts: Vec<_> = parts.into_iter().map(|(count, word)| format!("{count} {word}")).collect();
        let all = cases().count();
        let plural = if all == 1 { "" } else { "s" };
        say(&format!("{all} test case{plural}: {} ({:.1} s)", parts.join(", "), elapsed.as_secs_f64()))
    }

    /// The worst that came of a case.
    pub(super) fn worst(&self) -> Verdict {
        let verdicts = self.folders.iter().flat_map(|(_, cases)| cases).map(|tested| &tested.verdict);
        verdicts.max().cloned().unwrap_or(Verdict::Passed)
    }

    /// The names of the folders with their cases.
    pub(super) fn folders(&self) -> &[(String, Vec<Tested>)] {
        &self.folders
    }
}

/// What there is to say of a case beyond its line. What its query logged matters only where it failed.
pub(super) fn told(tested: &Tested) -> Vec<String> {
    match &tested.verdict {
        Verdict::Passed => Vec::new(),
        Verdict::Updated(written) => written.clone(),
        Verdict::Failed(why) => why.iter().chain(&tested.log).cloned().collect(),
        Verdict::Unreadable(why) => vec![why.clone()],
    }
}

/// A reader that has gone away has seen enough: the exit code still tells.
fn say(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
