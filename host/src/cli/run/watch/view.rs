//! What is shown of answers that follow each other: the last one on a terminal, each that differs elsewhere, or what differs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::super::report;
use super::screen::Screen;
use crate::output::Format;

/// Shows answers.
pub(super) enum View {
    /// The last answer, drawn over the one before.
    Screen(Screen),
    /// Each answer, if it is not that before.
    Answers { before: Option<Vec<u8>>, between: &'static str },
    /// The rows that came and went, a line each. How often each row was there before, as JSON.
    Rows(BTreeMap<String, usize>),
}

impl View {
    pub(super) fn new(format: &Format, is_terminal: bool) -> io::Result<Self> {
        Ok(match format {
            Format::JsonLines => Self::Rows(BTreeMap::new()),
            Format::Table | Format::Wide | Format::Name if is_terminal => Self::Screen(Screen::open()?),
            Format::Yaml => Self::Answers { before: None, between: "---\n" },
            Format::Json => Self::Answers { before: None, between: "" },
            _ => Self::Answers { before: None, between: "\n" },
        })
    }

    /// Shows an answer, as it is printed.
    pub(super) fn show(&mut self, answer: &[u8]) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.show(answer),
            Self::Answers { before, between } => {
                if before.as_deref() == Some(answer) {
                    return Ok(());
                }
                let mut out = io::stdout().lock();
                if before.replace(answer.to_owned()).is_some() {
                    out.write_all(between.as_bytes())?;
                }
                out.write_all(answer)?;
                out.flush()
            }
            Self::Rows(before) => {
                let now = counted(&String::from_utf8_lossy(answer));
                let changes = changes(before, &now);
                *before = now;
                let mut out = io::stdout().lock();
                out.write_all(changes.as_bytes())?;
                out.flush()
            }
        }
    }

    /// Says what goes with the next answer: on a screen in place of what went with the last.
    pub(super) fn say(&mut self, lines: Vec<String>) {
        match self {
            Self::Screen(screen) => screen.say(lines),
            _ => lines.iter().for_each(|line| report::say(line)),
        }
    }

    /// Whether only the last answer is to be seen.
    pub(super) fn is_screen(&self) -> bool {
        matches!(self, Self::Screen(_))
    }

    /// Leaves the last answer where it can be read, and if it `failed`, what was said last.
    pub(super) fn close(&mut self, failed: bool) -> io::Result<()> {
        match self {
            Self::Screen(screen) => {
                screen.close()?;
                if failed {
                    screen.said().iter().for_each(|line| report::say(line));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn counted(lines: &str) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for line in lines.lines() {
        *counted.entry(line.to_owned()).or_default() += 1;
    }
    counted
}

/// The rows of `before` that are not in `now`, then those that are new, in the form of the API's own watch.
fn changes(before: &BTreeMap<String, usize>, now: &BTreeMap<String, usize>) -> String {
    let mut text = String::new();
    for (kind, rows, others) in [("DELETED", before, now), ("ADDED", now, before)] {
        for (row, count) in rows {
            for _ in others.get(row).copied().unwrap_or(0)..*count {
                text += &format!("{{\"type\":\"{kind}\",\"object\":{row}}}\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_come_and_go_are_told() {
        let mut before = BTreeMap::new();
        let mut told = |answer: &str| {
            let now = counted(answer);
            let changes = changes(&before, &now);
            before = now;
            changes
        };
        let line = |kind: &str, row: &str| format!("{{\"type\":\"{kind}\",\"object\":{row}}}\n");
        assert_eq!(told("{\"a\":1}\n{\"a\":2}\n"), line("ADDED", "{\"a\":1}") + &line("ADDED", "{\"a\":2}"));
        assert_eq!(told("{\"a\":2}\n{\"a\":1}\n"), "");
        assert_eq!(told("{\"a\":2}\n{\"a\":2}\n"), line("DELETED", "{\"a\":1}") + &line("ADDED", "{\"a\":2}"));
        assert_eq!(told(""), line("DELETED", "{\"a\":2}").repeat(2));
    }
}
