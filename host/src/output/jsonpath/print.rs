//! `-o jsonpath=` and `-o jsonpath-as-json=`: what a template makes of all rows, as kubectl prints it.

use std::io::{self, Write};

use super::value::Rows;
use super::{Template, Value};
use crate::output::{PrinterOptions, json, record};
use crate::query::{Column, Row};
use crate::text::push_visible;

/// Keeps the rows, and writes once all are there: a template may begin with the last one.
#[derive(Debug)]
pub(in super::super) struct JsonPath<W> {
    out: W,
    template: Template,
    /// Whether each part of the template becomes a JSON array of its values.
    as_json: bool,
    terminal: bool,
    names: Vec<String>,
    rows: Vec<Row>,
}

impl<W: Write> JsonPath<W> {
    pub(in super::super) fn new(template: Template, as_json: bool, columns: &[Column], options: &PrinterOptions, out: W) -> Self {
        Self { out, template, as_json, terminal: options.terminal, names: record::names(columns), rows: Vec::new() }
    }

    pub(in super::super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows.push(row.clone());
        Ok(())
    }

    /// `complete`: else nothing is written, since whoever reads what a template made of a part could not tell.
    pub(in super::super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            let root = Value::Answer(Rows { names: &self.names, rows: &self.rows });
            let mut text = String::new();
            let mut failed = None;
            let result = self.template.evaluate(root, &mut |values| {
                if let Err(error) = push(&mut text, values, self.as_json, self.terminal) {
                    failed = Some(error);
                }
            });
            result.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            failed.map_or(Ok(()), Err)?;
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()
    }
}

/// Appends what one part of the template came to.
fn push(text: &mut String, values: &[Value<'_>], as_json: bool, terminal: bool) -> io::Result<()> {
    if as_json {
        text.push_str(&json::indented(values)?);
        text.push('\n');
        return Ok(());
    }
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        match value {
            Value::Text(value) if terminal => push_visible(text, value),
            // JSON has its own escapes, and what the user typed is what they want to see.
            other => text.push_str(&other.to_string()),
        }
    }
    Ok(())
}
