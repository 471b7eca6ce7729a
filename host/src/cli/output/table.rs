//! `-o table` and `-o wide`: aligned columns for people, as `kubectl get` prints them.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use jiff::{SignedDuration, Timestamp};
use tabwriter::TabWriter;

use super::PrinterOptions;
use super::age::Age;
use crate::query::{Cell, Column, Row};
use crate::text::push_visible_at_most;

/// The blanks between two columns: `tabwriterPadding` in `pkg/printers/tabwriter.go` of k8s.io/cli-runtime v0.37.2.
const PADDING: usize = 3;
/// The narrowest column without its padding: `tabwriterMinWidth` there, which counts it, is 6.
const MIN_WIDTH: usize = 3;
/// The longest text of a cell, in characters; what exceeds it is replaced by `…`. Arbitrary: a terminal's screen holds some
/// 10,000. Every row of a column is padded to the widest, so this bounds what one hostile cell adds to all of them.
const MAX_CELL_CHARACTERS: usize = 1024;
/// What a cell without anything to see shows.
const NONE: &str = "<none>";

/// Writes aligned columns once all rows are known.
#[derive(Debug)]
pub(super) struct Table<W: Write> {
    lines: TabWriter<BufWriter<W>>,
    /// For each column whether it is shown.
    shown: Vec<bool>,
    /// Written before the first row, so that no rows leave no output.
    header: Option<String>,
    now: Timestamp,
}

impl<W: Write> Table<W> {
    pub(super) fn new(columns: &[Column], wide: bool, options: PrinterOptions, out: W) -> Self {
        // A query may have no column for the ordinary table; then all are.
        let wide = wide || columns.iter().all(|column| column.priority > 0);
        let shown: Vec<bool> = columns.iter().map(|column| wide || column.priority == 0).collect();
        let headers = columns.iter().zip(&shown).filter(|&(_, &shown)| shown).map(|(column, _)| column.header());
        let header = options.headers.then(|| headers.collect::<Vec<_>>().join("\t"));
        let lines = TabWriter::new(BufWriter::new(out)).padding(PADDING).minwidth(MIN_WIDTH);
        Self { lines, shown, header, now: options.now }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        if let Some(header) = self.header.take() {
            writeln!(self.lines, "{header}")?;
        }
        let mut line = String::new();
        let cells = row.cells().iter().zip(&self.shown).filter(|&(_, &shown)| shown);
        for (index, (cell, _)) in cells.enumerate() {
            if index > 0 {
                line.push('\t');
            }
            push_cell(&mut line, cell, self.now);
        }
        line.push('\n');
        self.lines.write_all(line.as_bytes())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.lines.flush()?;
        let mut out = self.lines.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
        out.flush()
    }
}

/// Appends a cell as people read it. It has no tab and no line feed, which would be a cell's or row's end.
fn push_cell(line: &mut String, cell: &Cell, now: Timestamp) {
    // Writing to a `String` cannot fail.
    let _ = match cell {
        Cell::None => write!(line, "{NONE}"),
        Cell::Text(text) => {
            push_text(line, text);
            Ok(())
        }
        Cell::Integer(integer) => write!(line, "{integer}"),
        Cell::Number(number) => {
            // `Debug` turns to an exponent where `Display` would fill the line with zeros.
            let number = format!("{number:?}");
            write!(line, "{}", number.strip_suffix(".0").unwrap_or(&number))
        }
        Cell::Boolean(boolean) => write!(line, "{boolean}"),
        Cell::Time(seconds) => {
            let elapsed = now.as_duration().saturating_sub(SignedDuration::from_secs(*seconds));
            write!(line, "{}", Age(elapsed))
        }
    };
}

/// Appends a text without the blanks at its end. One with nothing else shows as none, as kubectl shows an empty field.
fn push_text(line: &mut String, text: &str) {
    let text = text.trim_end_matches(' ');
    if text.is_empty() {
        line.push_str(NONE);
    } else {
        push_visible_at_most(line, text, MAX_CELL_CHARACTERS);
    }
}
