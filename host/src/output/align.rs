//! Lines of aligned columns, as kubectl prints them: for `table`, `wide` and `custom-columns`.

use std::io::{self, BufWriter, Write};

use tabwriter::TabWriter;

use super::{INCOMPLETE, tone};
use crate::output::style::{Mark, Style};
use crate::text::visible_at_most;

/// The blanks between two columns: `tabwriterPadding` in `pkg/printers/tabwriter.go` of k8s.io/cli-runtime v0.37.2.
const PADDING: usize = 3;
/// The narrowest column without its padding: `tabwriterMinWidth` there, which counts it, is 6.
const MIN_WIDTH: usize = 3;
/// The longest text of a cell, in characters; what exceeds it is replaced by `…`. Arbitrary: a terminal's screen holds some
/// 10,000. Every row of a column is padded to the widest, so this bounds what one hostile cell adds to all of them.
pub(super) const MAX_CELL_CHARACTERS: usize = 1024;
/// What a cell without anything to see shows.
pub(super) const NONE: &str = "<none>";

/// Writes aligned columns once all rows are known.
///
/// A column is as wide as the terminal cells of its widest text (UAX #11, character by character): two for `日`, none for a combining
/// accent, none for a colour.
#[derive(Debug)]
pub(super) struct Lines<W: Write> {
    out: TabWriter<BufWriter<W>>,
    style: Style,
    has_rows: bool,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(style: Style, out: W) -> Self {
        // Nothing but colours has escapes here: those of a text are visible before they come.
        let out = TabWriter::new(BufWriter::new(out)).padding(PADDING).minwidth(MIN_WIDTH).ansi(true);
        Self { out, style, has_rows: false }
    }

    /// Writes the headers, which nothing is hidden in.
    pub(super) fn header(&mut self, headers: impl Iterator<Item = String>) -> io::Result<()> {
        let headers: Vec<_> = headers.map(|header| self.style.heading(&header)).collect();
        self.write(&headers)
    }

    /// Writes one row. Nothing is hidden in what `text` appends.
    pub(super) fn row(&mut self, cells: impl Iterator<Item = (String, Option<Mark>)>) -> io::Result<()> {
        self.has_rows = true;
        let paint = |(text, mark): (String, Option<Mark>)| match mark {
            Some(mark) => self.style.paint(mark, &text),
            None => text,
        };
        let cells: Vec<_> = cells.map(paint).collect();
        self.write(&cells)
    }

    /// Writes what remains. `complete`: else a line after the rows says so.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if self.has_rows && !complete {
            writeln!(self.out, "# {INCOMPLETE}")?;
        }
        self.out.flush()?;
        let mut out = self.out.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
        out.flush()
    }

    fn write(&mut self, cells: &[String]) -> io::Result<()> {
        let mut line = cells.join("\t");
        line.push('\n');
        self.out.write_all(line.as_bytes())
    }
}

/// A text for a cell, and how it stands out: on one line, visible, and cut where it is long.
pub(super) fn text_cell(text: &str) -> (String, Option<Mark>) {
    (visible_at_most(text, MAX_CELL_CHARACTERS), tone::of_text(text))
}

/// What a cell without anything to see shows.
pub(super) fn none_cell() -> (String, Option<Mark>) {
    (NONE.to_owned(), Some(Mark::Open))
}
