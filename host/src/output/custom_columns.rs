//! `-o custom-columns=`: a table of columns that the user describes, `HEADER:PATH` each, as kubectl prints it.

use std::io::{self, Write};
use std::str::FromStr;

use super::align::{self, Lines};
use super::jsonpath::{Path, Record, TemplateError, Value};
use super::{PrinterOptions, record};
use crate::query::{Column, Row};
use crate::text::{excerpt, visible};

/// What the user describes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CustomColumns(Vec<CustomColumn>);

#[derive(Clone, Debug, PartialEq)]
struct CustomColumn {
    header: String,
    path: Path,
}

impl FromStr for CustomColumns {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.is_empty() {
            return Err(TemplateError::new("expected columns, such as `POD:.name,NODE:.node`"));
        }
        text.split(',').map(CustomColumn::from_str).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for CustomColumn {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (header, path) = text.split_once(':').ok_or_else(|| {
            TemplateError::new(format!(
                "`{}` is not a column; expected a header, `:` and a path, such as `POD:.name`",
                excerpt(text)
            ))
        })?;
        Ok(Self { header: header.to_owned(), path: Path::relaxed(path)? })
    }
}

/// Writes aligned columns once all rows are known.
#[derive(Debug)]
pub(super) struct CustomTable<W: Write> {
    lines: Lines<W>,
    columns: CustomColumns,
    header: bool,
    names: Vec<String>,
}

impl<W: Write> CustomTable<W> {
    pub(super) fn new(columns: CustomColumns, described: &[Column], options: &PrinterOptions, out: W) -> Self {
        Self { lines: Lines::new(options.style, out), columns, header: options.headers, names: record::names(described) }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.header()?;
        let mut cells = Vec::with_capacity(self.columns.0.len());
        for column in &self.columns.0 {
            let root = Value::Row(Record { names: &self.names, row });
            let values = column.path.evaluate(vec![root]).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let texts: Vec<_> = values.iter().map(Value::to_string).collect();
            cells.push(if texts.is_empty() { align::none_cell() } else { align::text_cell(&texts.join(",")) });
        }
        self.lines.row(cells.into_iter())
    }

    /// After no row at all: the headers, as kubectl prints them. `complete` as of [`Lines::finish`].
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            self.header()?;
        }
        self.lines.finish(complete)
    }

    fn header(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.header) {
            self.lines.header(self.columns.0.iter().map(|column| visible(&column.header)))?;
        }
        Ok(())
    }
}
