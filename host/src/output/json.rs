//! `-o json`: an array of objects, indented by four spaces as kubectl does, written row by row. Also JSON for other formats.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::record::{self, Record, Text};
use crate::query::{Column, Row};
use crate::text::is_hidden;

/// Writes one object for each row.
#[derive(Debug)]
pub(super) struct Json<W> {
    out: W,
    names: Vec<String>,
    started: bool,
}

impl<W: Write> Json<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Self {
        Self { out, names: record::names(columns), started: false }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut text: Vec<u8> = if self.started { b",\n    ".into() } else { b"[\n    ".into() };
        self.started = true;
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, ObjectFormatter);
        Record { names: &self.names, row, text: Text::Plain }.serialize(&mut serializer)?;
        self.out.write_all(&text)
    }

    /// `complete`: else the array stays open, so that no parser takes a part of the answer for the whole.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        self.out.write_all(match (self.started, complete) {
            (true, true) => b"\n]\n",
            (true, false) => b"\n",
            (false, true) => b"[]\n",
            (false, false) => b"",
        })?;
        self.out.flush()
    }
}

/// Lays out a flat object within an array, and escapes hidden characters.
///
/// JSON requires escapes for C0 only. The others are as they were once the text is parsed, and until then a terminal does
/// not act on them.
struct ObjectFormatter;

impl Formatter for ObjectFormatter {
    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"\n        " } else { b",\n        " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n    }")
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(index) = rest.find(is_hidden) {
            let (shown, hidden) = rest.split_at(index);
            writer.write_all(shown.as_bytes())?;
            let mut characters = hidden.chars();
            for unit in characters.next().into_iter().flat_map(utf16) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// A value as JSON on one line, with hidden characters escaped.
pub(super) fn one_line(value: &impl Serialize) -> io::Result<String> {
    Ok(escape_hidden(serde_json::to_string(value)?))
}

/// A value as JSON, indented by four spaces, with hidden characters escaped.
pub(super) fn indented(value: &(impl Serialize + ?Sized)) -> io::Result<String> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    String::from_utf8(text).map(escape_hidden).map_err(io::Error::other)
}

/// Escapes what the serializer leaves as it is. It stands within strings; line feeds are the serializer's own.
pub(crate) fn escape_hidden(json: String) -> String {
    let is_left = |character: char| is_hidden(character) && character != '\n';
    if !json.contains(is_left) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_left(character) {
            for unit in utf16(character) {
                // Writing to a `String` cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The one or two units of UTF-16 that JSON's escapes are made of (RFC 8259, section 7).
fn utf16(character: char) -> Vec<u16> {
    character.encode_utf16(&mut [0; 2]).to_vec()
}
