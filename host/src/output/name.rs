//! `-o name`: `pod/NAME`, one a line, for `kubectl` and `xargs`.

use std::io::{self, Write};

use super::INCOMPLETE;
use super::error::{FormatError, FormatErrorKind};
use crate::query::{Cell, Column, ColumnType, Row};
use crate::text::push_escape;

/// The column that names the pod of a row.
const NAME_COLUMN: &str = "name";

/// Writes one name for each row.
#[derive(Debug)]
pub(super) struct Names<W> {
    out: W,
    column: usize,
    rows: u64,
}

impl<W: Write> Names<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Result<Self, FormatError> {
        let column =
            columns.iter().position(|column| column.name == NAME_COLUMN).ok_or(FormatError(FormatErrorKind::NoNameColumn))?;
        if columns[column].column_type != ColumnType::Text {
            return Err(FormatError(FormatErrorKind::NameIsNoText));
        }
        Ok(Self { out, column, rows: 0 })
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows += 1;
        let name = match row.cells().get(self.column) {
            Some(Cell::Text(name)) if !name.is_empty() => name,
            _ => {
                let message = format!("row {} has no `{NAME_COLUMN}` for output format `name`", self.rows);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        };
        let mut line = "pod/".to_owned();
        for character in name.chars() {
            if is_of_a_name(character) {
                line.push(character);
            } else {
                push_escape(&mut line, character);
            }
        }
        line.push('\n');
        self.out.write_all(line.as_bytes())
    }

    /// `complete`: else the last line is no name, which a command that is given it refuses.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if self.rows > 0 && !complete {
            writeln!(self.out, "# {INCOMPLETE}")?;
        }
        self.out.flush()
    }
}

/// Whether a pod's name may hold the character (RFC 1123 subdomain, upper case allowed here).
///
/// All others are escaped, blanks too: these lines are for other commands, where `a -n kube-system` would be two options.
fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.')
}
