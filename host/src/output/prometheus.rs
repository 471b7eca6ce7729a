//! `-o prometheus`: the text exposition format 0.0.4, for node-exporter's textfile collector, a Pushgateway, or an endpoint.
//!
//! Each column that is a metric becomes the gauge `podlens_<title>_<column>`, and each column of time the gauge
//! `podlens_<title>_<column>_timestamp_seconds`. The labels are the columns of text and of booleans that the ordinary table shows: a
//! number or a time as a label would be a new series with each value, and so would most of what only a wide table shows, such as
//! messages. A cell without a value is no sample, or no label, which to Prometheus is the same as an empty one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::INCOMPLETE;
use super::align::MAX_CELL_CHARACTERS;
use super::error::{FormatError, FormatErrorKind};
use super::table::ordinary;
use crate::query::{Cell, Column, ColumnType, Description, Row};
use crate::text::{Quoted, push_visible_at_most};

/// The most samples of one answer. Arbitrary: a scrape of some 2 MB, and what careful operators allow one target
/// (`sample_limit`); a query that has more counts what it should group.
const MAX_SAMPLES: usize = 10_000;

/// Keeps the samples of each metric, since those of one metric stand together, and writes them at the end.
#[derive(Debug)]
pub(super) struct Prometheus<W> {
    out: W,
    labels: Vec<Label>,
    metrics: Vec<Metric>,
    /// The labels of each row so far, and the row's number.
    seen: HashMap<String, u64>,
    samples: usize,
    rows: u64,
}

#[derive(Debug)]
struct Label {
    column: usize,
    name: String,
}

#[derive(Debug)]
struct Metric {
    column: usize,
    name: String,
    help: String,
    samples: String,
}

impl<W: Write> Prometheus<W> {
    /// # Errors
    ///
    /// The query has no metric, or two columns whose names are the same once they are labels or metrics.
    pub(super) fn new(description: &Description, out: W) -> Result<Self, FormatError> {
        let columns = &description.columns;
        if !columns.iter().any(|column| column.metric) {
            return Err(FormatError(FormatErrorKind::NoMetricColumn));
        }
        let prefix = prefix(&description.title);
        let shown = ordinary(columns);
        let (mut labels, mut metrics) = (Vec::new(), Vec::new());
        for (index, column) in columns.iter().enumerate() {
            let name = snake_case(column);
            match column.column_type {
                ColumnType::Time => metrics.push(Metric::new(index, format!("{prefix}_{name}_timestamp_seconds"), description)),
                _ if column.metric => metrics.push(Metric::new(index, format!("{prefix}_{name}"), description)),
                ColumnType::Text | ColumnType::Boolean if shown[index] => labels.push(Label { column: index, name }),
                _ => {}
            }
        }
        all_differ(columns, labels.iter().map(|label| (label.column, label.name.as_str())))?;
        all_differ(columns, metrics.iter().map(|metric| (metric.column, metric.name.as_str())))?;
        Ok(Self { out, labels, metrics, seen: HashMap::new(), samples: 0, rows: 0 })
    }

    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] for a row with the labels of another, and for more samples than [`MAX_SAMPLES`].
    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows += 1;
        let labels = self.labels(row);
        if let Some(other) = self.seen.get(&labels) {
            return Err(invalid(self.same_labels(*other)));
        }
        for metric in &mut self.metrics {
            let Some(value) = row.cells().get(metric.column).and_then(value) else { continue };
            self.samples += 1;
            if self.samples > MAX_SAMPLES {
                return Err(invalid(format!("more than {MAX_SAMPLES} samples, the most for output format `prometheus`")));
            }
            // Writing to a `String` cannot fail.
            let _ = writeln!(metric.samples, "{}{labels} {value}", metric.name);
        }
        self.seen.insert(labels, self.rows);
        Ok(())
    }

    /// `complete`: else a line which no parser takes is all that is written of an answer with rows; a part of the samples would look like
    /// all of them.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            for metric in &self.metrics {
                write!(self.out, "# HELP {0} {1}\n# TYPE {0} gauge\n{2}", metric.name, metric.help, metric.samples)?;
            }
        } else if self.rows > 0 {
            writeln!(self.out, "{INCOMPLETE}")?;
        }
        self.out.flush()
    }

    /// Such as `{namespace="shop",name="web-1"}`; nothing where there is no label.
    fn labels(&self, row: &Row) -> String {
        let mut labels = String::new();
        for label in &self.labels {
            let mut text = String::new();
            match row.cells().get(label.column) {
                // Dashboards show them to people.
                Some(Cell::Text(value)) => push_visible_at_most(&mut text, value, MAX_CELL_CHARACTERS),
                Some(Cell::Boolean(value)) => text = value.to_string(),
                _ => {}
            }
            if text.is_empty() {
                continue;
            }
            labels.push(if labels.is_empty() { '{' } else { ',' });
            let _ = write!(labels, "{}=\"{}\"", label.name, escape(&text).replace('"', "\\\""));
        }
        if !labels.is_empty() {
            labels.push('}');
        }
        labels
    }

    fn same_labels(&self, other: u64) -> String {
        let rows = format!("rows {other} and {} are one series in output format `prometheus`:", self.rows);
        let names: Vec<_> = self.labels.iter().map(|label| &label.name).collect();
        match names.is_empty() {
            true => format!("{rows} the query has no column of text or booleans that tells them apart"),
            false => format!("{rows} they have the same {}, and no other column is a label", Quoted(&names)),
        }
    }
}

impl Metric {
    fn new(column: usize, name: String, description: &Description) -> Self {
        let described = &description.columns[column];
        let help = if described.description.is_empty() { &description.title } else { &described.description };
        Self { column, name, help: escape(help), samples: String::new() }
    }
}

/// Refuses two columns of the same name.
fn all_differ<'a>(columns: &[Column], names: impl Iterator<Item = (usize, &'a str)>) -> Result<(), FormatError> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (column, name) in names {
        if let Some(other) = first.insert(name, column) {
            let columns = [other, column].map(|column| columns[column].name.clone());
            return Err(FormatError(FormatErrorKind::SameName { columns, name: name.to_owned() }));
        }
    }
    Ok(())
}

/// `podlens_pods_by_team` for the title `Pods by team`: letters and digits of ASCII, and one underscore for all between them.
fn prefix(title: &str) -> String {
    let words = title.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = std::iter::once("podlens".to_owned()).chain(words.map(str::to_ascii_lowercase)).collect();
    words.join("_")
}

/// `last_reason` for `lastReason`. The grammar of a column's name leaves nothing that a label's or metric's may not have.
fn snake_case(column: &Column) -> String {
    column.header().to_ascii_lowercase().replace(' ', "_")
}

/// The value of a sample, if there is one.
fn value(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Integer(integer) | Cell::Time(integer) => Some(integer.to_string()),
        Cell::Number(number) => Some(format!("{number:?}")),
        Cell::None | Cell::Text(_) | Cell::Boolean(_) => None,
    }
}

/// The escapes of a help text; a label's value has those and `\"`.
fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n")
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case() {
        let cases = [
            ("Restarts", "podlens_restarts"),
            ("Pods by team", "podlens_pods_by_team"),
            ("  CPU/memory: 95% ", "podlens_cpu_memory_95"),
            ("再起動", "podlens"),
            ("__a__", "podlens_a"),
        ];
        for (title, expected) in cases {
            assert_eq!(prefix(title), expected, "{title}");
        }
        for (name, expected) in
            [("restarts", "restarts"), ("lastReason", "last_reason"), ("podIPs", "pod_ips"), ("p95Ms", "p95_ms")]
        {
            assert_eq!(snake_case(&Column::new(name, ColumnType::Integer)), expected);
        }
    }
}
