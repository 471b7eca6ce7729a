//! `-o jsonl`: one JSON object a line, for programs that act on a row before the next one is there.

use std::io::{self, Write};

use super::record::{self, Record, Text};
use super::{INCOMPLETE, json};
use crate::query::{Column, Row};

/// Writes one line for each row, and flushes it.
#[derive(Debug)]
pub(super) struct JsonLines<W> {
    out: W,
    names: Vec<String>,
    started: bool,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Self {
        Self { out, names: record::names(columns), started: false }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.started = true;
        let mut line = json::one_line(&Record { names: &self.names, row, text: Text::Plain })?;
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        self.out.flush()
    }

    /// `complete`: else the last line is none that parses.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if self.started && !complete {
            writeln!(self.out, "# {INCOMPLETE}")?;
        }
        self.out.flush()
    }
}
