//! `-o markdown`: a table in GitHub's Markdown (the GFM specification, section 4.10), for issues and wikis.
//!
//! A text is a code span: nothing in one is markup, a link, a mention or HTML, whoever renders it. Times are moments and not ages,
//! since the page is read later.

use std::io::{self, Write};

use super::INCOMPLETE;
use super::align::MAX_CELL_CHARACTERS;
use super::record::Rfc3339;
use super::table::shortest;
use crate::query::{Cell, Column, ColumnType, Row};
use crate::text::{push_escape, visible_at_most};

/// Writes one line for each row.
#[derive(Debug)]
pub(super) struct Markdown<W> {
    out: W,
    /// Written before the first row, or at the end where there is none. Without it this is no table, so that it always is.
    header: Option<String>,
    started: bool,
}

impl<W: Write> Markdown<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Self {
        let names: Vec<_> = columns.iter().map(Column::header).collect();
        let rules: Vec<_> = columns.iter().map(|column| rule(column.column_type)).collect();
        Self { out, header: Some(line(&names) + &line(&rules)), started: false }
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.header()?;
        self.started = true;
        let cells: Vec<_> = row.cells().iter().map(show).collect();
        self.out.write_all(line(&cells).as_bytes())
    }

    /// `complete`: else a paragraph after the table says so; and where there is no row, nothing is written.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            self.header()?;
        } else if self.started {
            writeln!(self.out, "\n**{INCOMPLETE}**")?;
        }
        self.out.flush()
    }

    fn header(&mut self) -> io::Result<()> {
        self.header.take().map_or(Ok(()), |header| self.out.write_all(header.as_bytes()))
    }
}

fn line(cells: &[impl AsRef<str>]) -> String {
    let mut line = String::from("|");
    for cell in cells {
        for piece in [" ", cell.as_ref(), " |"] {
            line.push_str(piece);
        }
    }
    line.push('\n');
    line
}

/// Numbers stand on the right.
fn rule(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Integer | ColumnType::Number => "---:",
        ColumnType::Text | ColumnType::Boolean | ColumnType::Time => "---",
    }
}

fn show(cell: &Cell) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Text(text) => code_span(text),
        Cell::Integer(integer) => integer.to_string(),
        Cell::Number(number) => shortest(*number),
        Cell::Boolean(boolean) => boolean.to_string(),
        Cell::Time(seconds) => Rfc3339(*seconds).to_string(),
    }
}

/// A text as code. Nothing for an empty one, for which there is no code span.
fn code_span(text: &str) -> String {
    let visible = visible_at_most(text, MAX_CELL_CHARACTERS);
    let mut code = String::with_capacity(visible.len());
    for character in visible.chars() {
        match character {
            // A cell ends at a bar without a backslash before it, and renderers differ where there are two.
            '|' if code.ends_with('\\') => push_escape(&mut code, '|'),
            '|' => code.push_str("\\|"),
            other => code.push(other),
        }
    }
    if code.is_empty() {
        return code;
    }
    // A code span ends at as many backticks as it began with (GFM, section 6.3).
    let runs: Vec<usize> = code.split(|character| character != '`').map(str::len).collect();
    let length = (1..).find(|length| !runs.contains(length)).unwrap_or(1);
    let fence = "`".repeat(length);
    // One blank at each end is taken away, if there is one at both.
    let is_edged = |edge: char| code.starts_with(edge) || code.ends_with(edge);
    let pad = if is_edged('`') || (is_edged(' ') && !code.trim_matches(' ').is_empty()) { " " } else { "" };
    format!("{fence}{pad}{code}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_code_span() {
        let cases = [
            ("", ""),
            (" ", "` `"),
            ("web-1", "`web-1`"),
            ("a|b", r"`a\|b`"),
            (r"a\|b", r"`a\\u{7c}b`"),
            (r"a\\|b", r"`a\\\u{7c}b`"),
            (r"a\", r"`a\`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("``", "` `` `"),
            ("`a``b```", "```` `a``b``` ````"),
            (" a ", "`  a  `"),
            ("a\n|b", r"`a\u{a}\|b`"),
            ("<img src=x onerror=alert(1)>", "`<img src=x onerror=alert(1)>`"),
            (
                "@me #1 https://example.org [a](b) ![c](d) $x$ :tada: &lt;",
                "`@me #1 https://example.org [a](b) ![c](d) $x$ :tada: &lt;`",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(code_span(text), expected, "{text}");
        }
    }
}
