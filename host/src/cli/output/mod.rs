//! Prints the rows of a query's answer to standard output.
//!
//! One file for each format. None of them decides what a row is (that is `query`), where the bytes go, or what a broken pipe
//! means (those are the caller's). What a guest wrote reaches a person only through `crate::text`, and data formats only with
//! the escapes that their parsers undo.

mod age;
mod csv;
mod json;
mod name;
pub(crate) mod progress;
mod record;
mod table;
mod yaml;

use std::{fmt, io};

use jiff::Timestamp;

use crate::query::{Description, Row};

/// How an answer is printed: the values of `-o`, spelled as kubectl spells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for people, without the columns of lower priority.
    #[default]
    Table,
    /// A table of all columns.
    Wide,
    /// A JSON array with an object for each row.
    Json,
    /// A YAML list with a mapping for each row.
    Yaml,
    /// Comma-separated values (RFC 4180, lines end with a line feed).
    Csv,
    /// `pod/NAME` for each row, from the column `name`.
    Name,
}

impl Format {
    /// Whether an answer without rows shows nothing at all.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Name)
    }
}

/// What a [`Printer`] needs to know besides its format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PrinterOptions {
    /// Whether `table`, `wide` and `csv` begin with a line of headers.
    pub headers: bool,
    /// The moment from which tables count ages.
    pub now: Timestamp,
    /// Whether the destination is a terminal. Then `csv` escapes what the terminal could act on; the other formats always do.
    pub terminal: bool,
}

/// Prints rows in one format.
///
/// `json`, `yaml`, `csv` and `name` write as rows come, `json`, `yaml` and `name` with one call of the writer for each row;
/// the tables write all at the end, since every row counts for the width of a column. Without [`finish`](Self::finish) the
/// output is not complete.
#[derive(Debug)]
pub(crate) struct Printer<W: io::Write>(Inner<W>);

#[derive(Debug)]
enum Inner<W: io::Write> {
    Table(table::Table<W>),
    Json(json::Json<W>),
    Yaml(yaml::Yaml<W>),
    Csv(Box<csv::Csv<W>>),
    Name(name::Names<W>),
}

impl<W: io::Write> Printer<W> {
    /// A printer for the answer of the query so described. Writes nothing yet.
    ///
    /// # Errors
    ///
    /// The format cannot show what this query answers with; the others can.
    pub(crate) fn new(format: Format, description: &Description, options: PrinterOptions, out: W) -> Result<Self, FormatError> {
        let columns = &description.columns;
        Ok(Self(match format {
            Format::Table => Inner::Table(table::Table::new(columns, false, options, out)),
            Format::Wide => Inner::Table(table::Table::new(columns, true, options, out)),
            Format::Json => Inner::Json(json::Json::new(columns, out)),
            Format::Yaml => Inner::Yaml(yaml::Yaml::new(columns, out)),
            Format::Csv => Inner::Csv(Box::new(csv::Csv::new(columns, options, out))),
            Format::Name => Inner::Name(name::Names::new(columns, out)?),
        }))
    }

    /// Prints one row.
    ///
    /// # Errors
    ///
    /// What the writer answered; for `name` also [`io::ErrorKind::InvalidData`] if the row has no name.
    pub(crate) fn row(&mut self, row: &Row) -> io::Result<()> {
        match &mut self.0 {
            Inner::Table(table) => table.row(row),
            Inner::Json(json) => json.row(row),
            Inner::Yaml(yaml) => yaml.row(row),
            Inner::Csv(csv) => csv.row(row),
            Inner::Name(names) => names.row(row),
        }
    }

    /// Prints what remains, and flushes. `complete`: whether the rows are all. If not, `json` is left without its end and does not
    /// parse, and `yaml` without rows is not the empty list; the other formats have no way to say it.
    ///
    /// After no row at all: nothing for `table`, `wide` and `name`, `[]` for `json` and
    /// `yaml`, the headers for `csv`.
    ///
    /// # Errors
    ///
    /// What the writer answered.
    pub(crate) fn finish(self, complete: bool) -> io::Result<()> {
        match self.0 {
            Inner::Table(table) => table.finish(),
            Inner::Json(json) => json.finish(complete),
            Inner::Yaml(yaml) => yaml.finish(complete),
            Inner::Csv(csv) => csv.finish(),
            Inner::Name(names) => names.finish(),
        }
    }
}

/// A format that cannot show what a query answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError(FormatErrorKind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum FormatErrorKind {
    NoNameColumn,
    NameIsNoText,
}

impl std::error::Error for FormatError {}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            FormatErrorKind::NoNameColumn => "this query has no column `name` for output format `name`",
            FormatErrorKind::NameIsNoText => "this query's column `name` is not of type `text`, as output format `name` needs",
        })?;
        f.write_str("; expected `table`, `wide`, `json`, `yaml` or `csv`")
    }
}

#[cfg(test)]
mod tests;
