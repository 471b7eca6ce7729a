//! `-o csv`: comma-separated values, for programs.
//!
//! None is an empty field, and so is an empty text. A text is as the query gave it, also one that begins with `=`, `+`, `-` or `@`:
//! spreadsheets run such a cell as a formula, unless they are told to import texts.

use std::io;

use super::record::{self, Rfc3339};
use super::{INCOMPLETE, PrinterOptions};
use crate::query::{Cell, Column, Row};
use crate::text::push_visible;

/// Writes one record for each row.
#[derive(Debug)]
pub(super) struct Csv<W: io::Write> {
    out: ::csv::Writer<W>,
    /// Written before the first row, or at the end where there is none.
    header: Option<Vec<String>>,
    columns: usize,
    started: bool,
    terminal: bool,
}

impl<W: io::Write> Csv<W> {
    pub(super) fn new(columns: &[Column], options: &PrinterOptions, out: W) -> Self {
        let header = options.headers.then(|| record::names(columns));
        Self { out: ::csv::Writer::from_writer(out), header, columns: columns.len(), started: false, terminal: options.terminal }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.header()?;
        self.started = true;
        let fields = row.cells().iter().map(|cell| field(cell, self.terminal));
        self.out.write_record(fields).map_err(io_error)
    }

    /// `complete`: else the last record says so, and has another number of fields than a row: one, or two where a row has one. Where
    /// there is no row, nothing is written.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            self.header()?;
            return self.out.flush();
        }
        let mut out = self.out.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
        if self.started {
            let another_field = if self.columns == 1 { "," } else { "" };
            writeln!(out, "# {INCOMPLETE}{another_field}")?;
        }
        out.flush()
    }

    fn header(&mut self) -> io::Result<()> {
        match self.header.take() {
            Some(names) => self.out.write_record(names).map_err(io_error),
            None => Ok(()),
        }
    }
}

/// The writer's own error, with its kind: the one that the `csv` crate makes of it has lost that, and a broken pipe would be a failure.
fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn field(cell: &Cell, terminal: bool) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Text(text) if terminal => {
            let mut field = String::new();
            push_visible(&mut field, text);
            field
        }
        Cell::Text(text) => text.clone(),
        Cell::Integer(integer) => integer.to_string(),
        // With a fraction or an exponent, as in JSON, so that a column of numbers is never taken for one of integers.
        Cell::Number(number) => format!("{number:?}"),
        Cell::Boolean(boolean) => boolean.to_string(),
        Cell::Time(seconds) => Rfc3339(*seconds).to_string(),
    }
}
