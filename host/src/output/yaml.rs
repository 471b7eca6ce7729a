//! `-o yaml`: a list of mappings, written row by row.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_saphyr::{DoubleQuoted, SerializerOptions};

use super::INCOMPLETE;
use super::record::{self, Record, Text};
use crate::query::{Column, Row};
use crate::text::is_hidden;

/// Writes one mapping for each row.
#[derive(Debug)]
pub(super) struct Yaml<W> {
    out: W,
    names: Vec<String>,
    started: bool,
}

impl<W: Write> Yaml<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Self {
        Self { out, names: record::names(columns), started: false }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.started = true;
        let mut yaml = String::new();
        // A list of one: lists in block style can be joined.
        let rows = [Record { names: &self.names, row, text: style }];
        serde_saphyr::to_fmt_writer_with_options(&mut yaml, &rows, options()).map_err(io::Error::other)?;
        self.out.write_all(escape_hidden(yaml).as_bytes())
    }

    /// `complete`: else a bracket is left open after the rows, so that no parser takes them for the whole; no row is nothing, and not the
    /// empty list.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        match (self.started, complete) {
            (false, true) => self.out.write_all(b"[]\n")?,
            (true, false) => writeln!(self.out, "[ # {INCOMPLETE}")?,
            (true, true) | (false, false) => {}
        }
        self.out.flush()
    }
}

/// One line for each value, as YAML 1.1 and 1.2 both read it: `yes` and `1:30` are quoted.
fn options() -> SerializerOptions {
    serde_saphyr::ser_options! { prefer_block_scalars: false }
}

/// Quotes a text with hidden characters, so that [`escape_hidden`] finds them between double quotes.
fn style(text: &str) -> Text<'_> {
    if text.contains(is_hidden) { Text::Quoted(DoubleQuoted(text)) } else { Text::Plain(text) }
}

/// Escapes the hidden characters that the serializer leaves as they are: those that YAML lets stand, such as U+202E.
///
/// None is outside of double quotes, where alone YAML knows escapes: names are ASCII, and [`style`] quotes texts. Line feeds
/// are the serializer's own, since it escapes those of a text.
fn escape_hidden(yaml: String) -> String {
    let is_left = |character: char| is_hidden(character) && character != '\n';
    if !yaml.contains(is_left) {
        return yaml;
    }
    let mut escaped = String::with_capacity(yaml.len());
    for character in yaml.chars() {
        if is_left(character) {
            // Eight digits are one of YAML's escapes for each character (YAML 1.2.2, section 5.7). Cannot fail.
            let _ = write!(escaped, "\\U{:08X}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}
