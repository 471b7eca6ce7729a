//! `-o table` and `-o wide`: aligned columns for people, as `kubectl get` prints them.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::age::Age;
use super::align::{self, Lines};
use super::{PrinterOptions, tone};
use crate::output::style::Mark;
use crate::query::{Cell, Column, Row};

/// Writes aligned columns once all rows are known.
#[derive(Debug)]
pub(super) struct Table<W: Write> {
    lines: Lines<W>,
    /// For each column whether it is shown.
    shown: Vec<bool>,
    /// Written before the first row, so that no rows leave no output.
    header: Option<Vec<String>>,
    now: Timestamp,
}

impl<W: Write> Table<W> {
    pub(super) fn new(columns: &[Column], wide: bool, options: &PrinterOptions, out: W) -> Self {
        let shown = match wide {
            true => vec![true; columns.len()],
            false => ordinary(columns),
        };
        let headers = columns.iter().zip(&shown).filter(|&(_, &shown)| shown).map(|(column, _)| column.header());
        let header = options.headers.then(|| headers.collect());
        Self { lines: Lines::new(options.style, out), shown, header, now: options.now }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        if let Some(header) = self.header.take() {
            self.lines.header(header.into_iter())?;
        }
        let cells = row.cells().iter().zip(&self.shown).filter(|&(_, &shown)| shown);
        self.lines.row(cells.map(|(cell, _)| show(cell, self.now)))
    }

    pub(super) fn finish(self, complete: bool) -> io::Result<()> {
        self.lines.finish(complete)
    }
}

/// For each column whether the ordinary table shows it. A query may have none for it; then all are.
pub(super) fn ordinary(columns: &[Column]) -> Vec<bool> {
    let all = columns.iter().all(|column| column.priority > 0);
    columns.iter().map(|column| all || column.priority == 0).collect()
}

/// A cell as people read it, and how it stands out.
fn show(cell: &Cell, now: Timestamp) -> (String, Option<Mark>) {
    let text = match cell {
        Cell::None => return align::none_cell(),
        Cell::Text(text) => {
            // Without the blanks at its end. One with nothing else shows as none, as kubectl shows an empty field.
            let text = text.trim_end_matches(' ');
            return if text.is_empty() { align::none_cell() } else { align::text_cell(text) };
        }
        Cell::Integer(integer) => integer.to_string(),
        Cell::Number(number) => shortest(*number),
        Cell::Boolean(boolean) => boolean.to_string(),
        Cell::Time(seconds) => age(*seconds, now).to_string(),
    };
    (text, tone::of(cell))
}

/// A number for people: `3` and not `3.0`, and an exponent where zeros would fill the line.
pub(super) fn shortest(number: f64) -> String {
    let number = format!("{number:?}");
    number.strip_suffix(".0").map(str::to_owned).unwrap_or(number)
}

/// How long ago a cell's time was.
pub(super) fn age(seconds: i64, now: Timestamp) -> Age {
    Age(now.as_duration().saturating_sub(SignedDuration::from_secs(seconds)))
}
