//! Writes the rows of a query's answer, and what a component is, for people and for programs.
//!
//! One file for each format; `inspection.rs` is what `inspect` and a server tell of a component, `amount.rs` how quantities are written,
//! and `style.rs` the marks and colours of all that is printed. None of them decides what a row is (that is `query`), where the bytes go,
//! or what a broken pipe means (those are the caller's). What a guest wrote reaches a person only through `crate::text`, and data formats
//! only with the escapes that their parsers undo.

mod age;
mod align;
pub(crate) mod amount;
mod csv;
mod custom_columns;
mod error;
mod format;
pub(crate) mod html;
pub(crate) mod inspection;
mod json;
mod json_lines;
mod jsonpath;
mod markdown;
mod name;
pub(crate) mod progress;
mod prometheus;
mod record;
mod sort;
pub(crate) mod style;
mod table;
mod tone;
mod yaml;

use std::io;

use jiff::Timestamp;

use crate::output::style::Style;
use crate::query::{Description, Row};

pub(crate) use error::FormatError;
pub(crate) use format::{Format, FormatParser};
pub(crate) use json::escape_hidden;
pub(crate) use sort::SortBy;

/// What a format says, in its own way, after the rows of an answer that is not whole.
const INCOMPLETE: &str = "the answer is not complete";

/// What a [`Printer`] needs to know besides its format.
#[derive(Clone, Debug)]
pub(crate) struct PrinterOptions {
    /// Whether tables and `csv` begin with a line of headers.
    pub headers: bool,
    /// The moment from which tables count ages, and that a page shows.
    pub now: Timestamp,
    /// Whether the destination is a terminal. Then `csv` and `jsonpath` escape what the terminal could act on; the other formats
    /// always do.
    pub terminal: bool,
    /// The colours of tables, if there are any.
    pub(crate) style: Style,
    /// The order of the rows; nothing for the query's own.
    pub sort_by: Option<SortBy>,
    /// What a page leads to.
    pub links: Vec<Link>,
}

/// A way on from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) target: String,
}

/// What a page of `html` may do in a browser: the value of a `Content-Security-Policy`, as it has it itself.
pub(crate) fn page_policy() -> String {
    html::policy()
}

/// Prints rows in one format.
///
/// `json`, `jsonl`, `yaml`, `csv`, `markdown` and `name` write as rows come, all but `csv` with one call of the writer for each row. The
/// others write all at the end: every row counts for the width of a column, and a page, a template and Prometheus begin with what is
/// known only then. So do all of them where the rows are sorted. Without [`finish`](Self::finish) the output is not complete.
#[derive(Debug)]
pub(crate) struct Printer<W: io::Write> {
    inner: Inner<W>,
    sorted: Option<sort::Sorted>,
}

#[derive(Debug)]
enum Inner<W: io::Write> {
    Table(table::Table<W>),
    Json(json::Json<W>),
    JsonLines(json_lines::JsonLines<W>),
    Yaml(yaml::Yaml<W>),
    Csv(Box<csv::Csv<W>>),
    Markdown(markdown::Markdown<W>),
    Html(Box<html::Html<W>>),
    Prometheus(Box<prometheus::Prometheus<W>>),
    Name(name::Names<W>),
    JsonPath(jsonpath::JsonPath<W>),
    CustomTable(Box<custom_columns::CustomTable<W>>),
}

impl<W: io::Write> Printer<W> {
    /// A printer for the answer of the query so described. Writes nothing yet.
    ///
    /// # Errors
    ///
    /// The format cannot show what this query answers with, or the query has no such column to sort by.
    pub(crate) fn new(format: Format, description: &Description, options: &PrinterOptions, out: W) -> Result<Self, FormatError> {
        let columns = &description.columns;
        let sorted = options.sort_by.as_ref().map(|by| sort::Sorted::new(by, columns)).transpose()?;
        let inner = match format {
            Format::Table => Inner::Table(table::Table::new(columns, false, options, out)),
            Format::Wide => Inner::Table(table::Table::new(columns, true, options, out)),
            Format::Json => Inner::Json(json::Json::new(columns, out)),
            Format::JsonLines => Inner::JsonLines(json_lines::JsonLines::new(columns, out)),
            Format::Yaml => Inner::Yaml(yaml::Yaml::new(columns, out)),
            Format::Csv => Inner::Csv(Box::new(csv::Csv::new(columns, options, out))),
            Format::Markdown => Inner::Markdown(markdown::Markdown::new(columns, out)),
            Format::Html => Inner::Html(Box::new(html::Html::new(description, options, out))),
            Format::Prometheus => Inner::Prometheus(Box::new(prometheus::Prometheus::new(description, out)?)),
            Format::Name => Inner::Name(name::Names::new(columns, out)?),
            Format::JsonPath(template) => Inner::JsonPath(jsonpath::JsonPath::new(template, false, columns, options, out)),
            Format::JsonPathAsJson(template) => Inner::JsonPath(jsonpath::JsonPath::new(template, true, columns, options, out)),
            Format::CustomColumns(custom) => {
                Inner::CustomTable(Box::new(custom_columns::CustomTable::new(custom, columns, options, out)))
            }
        };
        Ok(Self { inner, sorted })
    }

    /// Has a page say from where its rows' pods are, such as `from the cache`, and of when. Other formats have no place for it.
    pub(crate) fn set_source(&mut self, source: &'static str, observed: Timestamp) {
        if let Inner::Html(html) = &mut self.inner {
            html.set_source(source, observed);
        }
    }

    /// Prints one row.
    ///
    /// # Errors
    ///
    /// What the writer answered; also [`io::ErrorKind::InvalidData`] if the format cannot show the row, as `name` one without a name.
    pub(crate) fn row(&mut self, row: &Row) -> io::Result<()> {
        match &mut self.sorted {
            Some(sorted) => {
                sorted.row(row);
                Ok(())
            }
            None => self.inner.row(row),
        }
    }

    /// Prints what remains, and flushes. `complete`: whether the rows are all. If not, each format that has printed rows says so in a way
    /// that a person sees, and that a program cannot take for a row: `json`, `jsonl`, `yaml` and `prometheus` do not parse, `csv` ends
    /// with a record of another number of fields than a row has; `jsonpath` prints nothing.
    ///
    /// After no row at all: nothing for `table`, `wide`, `jsonl` and `name`, `[]` for `json` and `yaml`, the headers for `csv`,
    /// `markdown` and `custom-columns`, an empty page, and metrics without samples; and nothing for all of them if it is not complete.
    ///
    /// # Errors
    ///
    /// What the writer answered; also [`io::ErrorKind::InvalidData`] if the rows do not fit a template or, sorted only now, the format.
    pub(crate) fn finish(mut self, complete: bool) -> io::Result<()> {
        for row in self.sorted.take().map(sort::Sorted::finish).unwrap_or_default() {
            self.inner.row(&row)?;
        }
        self.inner.finish(complete)
    }
}

impl<W: io::Write> Inner<W> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        match self {
            Self::Table(table) => table.row(row),
            Self::Json(json) => json.row(row),
            Self::JsonLines(lines) => lines.row(row),
            Self::Yaml(yaml) => yaml.row(row),
            Self::Csv(csv) => csv.row(row),
            Self::Markdown(markdown) => markdown.row(row),
            Self::Html(html) => html.row(row),
            Self::Prometheus(prometheus) => prometheus.row(row),
            Self::Name(names) => names.row(row),
            Self::JsonPath(template) => template.row(row),
            Self::CustomTable(table) => table.row(row),
        }
    }

    fn finish(self, complete: bool) -> io::Result<()> {
        match self {
            Self::Table(table) => table.finish(complete),
            Self::Json(json) => json.finish(complete),
            Self::JsonLines(lines) => lines.finish(complete),
            Self::Yaml(yaml) => yaml.finish(complete),
            Self::Csv(csv) => csv.finish(complete),
            Self::Markdown(markdown) => markdown.finish(complete),
            Self::Html(html) => html.finish(complete),
            Self::Prometheus(prometheus) => prometheus.finish(complete),
            Self::Name(names) => names.finish(complete),
            Self::JsonPath(template) => template.finish(complete),
            Self::CustomTable(table) => table.finish(complete),
        }
    }
}

#[cfg(test)]
mod tests;
