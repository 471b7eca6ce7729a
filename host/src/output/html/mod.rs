//! `-o html`: one page that stands alone, to be mailed, kept or put on a wall.
//!
//! Nothing is loaded, and a policy within the page lets nothing but its own script and style act, by their hashes. Without
//! JavaScript it is a plain table. `base.css`, `page.css` and `page.js` are what is inlined; what a query wrote is only ever escaped text and
//! a few attributes of it. The pages of `serve` have the look of `base.css`, too.

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::record::Rfc3339;
use super::table::{age, shortest};
use super::{Link, PrinterOptions, tone};
use crate::output::style::Mark;
use crate::query::{Cell, Column, Description, Row};
use crate::text::visible;

const STYLE: &str = concat!(include_str!("base.css"), include_str!("page.css"));
const SCRIPT: &str = include_str!("page.js");

/// The longest text that stands on one line. Most pods' names and reasons do; a name may have 253, and messages are longer.
const SHORT_CHARACTERS: usize = 60;

/// Keeps the rows as HTML and writes at the end: the page begins with how many they are, and whether they are all.
#[derive(Debug)]
pub(super) struct Html<W> {
    out: W,
    links: Vec<Link>,
    title: String,
    summary: String,
    columns: Vec<Column>,
    now: Timestamp,
    source: Option<(&'static str, Timestamp)>,
    count: u64,
    rows: String,
}

impl<W: Write> Html<W> {
    pub(super) fn new(description: &Description, options: &PrinterOptions, out: W) -> Self {
        let Description { title, summary, columns, .. } = description.clone();
        let (links, now) = (options.links.clone(), options.now);
        Self { out, links, title, summary, columns, now, source: None, count: 0, rows: String::new() }
    }

    pub(super) fn set_source(&mut self, source: &'static str, observed: Timestamp) {
        self.source = Some((source, observed));
    }

    pub(super) fn row(&mut self, row: &Row) -> io::Result<()> {
        self.count += 1;
        self.rows.push_str("<tr>");
        for (cell, column) in row.cells().iter().zip(&self.columns) {
            push_cell(&mut self.rows, cell, column, self.now);
        }
        self.rows.push_str("</tr>\n");
        Ok(())
    }

    /// `complete`: else the page says so above the table; and where there is no row, nothing is written.
    pub(super) fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete || self.count > 0 {
            self.page(complete)?;
        }
        self.out.flush()
    }

    fn page(&mut self, complete: bool) -> io::Result<()> {
        let title = escaped(&self.title);
        let version = env!("CARGO_PKG_VERSION");
        let policy = policy();
        let out = &mut self.out;
        write!(
            out,
            "<!doctype html>\n\
             <html lang=\"en\">\n\
             <head>\n\
             <meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"generator\" content=\"podlens {version}\">\n\
             <title>{title}</title>\n\
             <style>{STYLE}</style>\n\
             </head>\n\
             <body>\n\
             <main>\n\
             <h1>{title}</h1>\n"
        )?;
        if !self.summary.is_empty() {
            writeln!(out, "<p class=\"summary\">{}</p>", escaped(&self.summary))?;
        }
        if !complete {
            out.write_all(b"<p class=\"alert\" role=\"alert\">The answer is not complete: rows are missing.</p>\n")?;
        }
        let rows = if self.count == 1 { "row" } else { "rows" };
        let moment = |of: Timestamp| {
            let moment = Rfc3339(of.as_second());
            format!("<time datetime=\"{moment}\">{moment}</time>")
        };
        let source = self.source.map(|(source, observed)| format!(", pods of {} {source}", moment(observed))).unwrap_or_default();
        let moment = moment(self.now);
        write!(
            out,
            "<div class=\"bar\">\n\
             <p class=\"facts\"><span id=\"count\" role=\"status\">{} {rows}</span>, {moment}{source}</p>\n\
             <label hidden><input type=\"search\" placeholder=\"Filter rows\" aria-label=\"Filter rows\" spellcheck=\"false\"></label>\n\
             </div>\n\
             <div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n\
             <table>\n\
             <thead><tr>",
            self.count
        )?;
        for column in &self.columns {
            let (kind, help) = (column.column_type, escaped(&column.description));
            write!(out, "<th scope=\"col\" class=\"{kind}\" data-type=\"{kind}\" title=\"{help}\">{}</th>", column.header())?;
        }
        write!(out, "</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n", self.rows)?;
        if self.count == 0 {
            out.write_all(b"<p class=\"empty\">No rows found.</p>\n")?;
        }
        out.write_all(b"</div>\n")?;
        self.legend()?;
        self.nav()?;
        write!(self.out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
    }

    fn nav(&mut self) -> io::Result<()> {
        if self.links.is_empty() {
            return Ok(());
        }
        self.out.write_all(b"<nav>\n")?;
        for Link { text, target } in &self.links {
            writeln!(self.out, "<a href=\"{}\">{}</a>", escaped(target), escaped(text))?;
        }
        self.out.write_all(b"</nav>\n")
    }

    /// The columns once more with what they mean: a touch screen shows no tooltips.
    fn legend(&mut self) -> io::Result<()> {
        let described: Vec<_> = self.columns.iter().filter(|column| !column.description.is_empty()).collect();
        if described.is_empty() {
            return Ok(());
        }
        self.out.write_all(b"<details>\n<summary>Columns</summary>\n<dl>\n")?;
        for column in described {
            writeln!(self.out, "<dt>{}</dt><dd>{}</dd>", column.header(), escaped(&column.description))?;
        }
        self.out.write_all(b"</dl>\n</details>\n")
    }
}

/// What a page may do: the value of a `Content-Security-Policy`.
pub(super) fn policy() -> String {
    let (script, style) = (hash(SCRIPT), hash(STYLE));
    format!("default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'")
}

/// A source of a policy: what has this text and no other.
pub(crate) fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Appends a cell: its class is its column's type, and what the script sorts by is an attribute where its text is not.
fn push_cell(html: &mut String, cell: &Cell, column: &Column, now: Timestamp) {
    let tone = match tone::of(cell) {
        Some(Mark::Bad) => " bad",
        Some(Mark::Doubt) => " doubt",
        Some(Mark::Open) => " open",
        Some(Mark::Good) | None => "",
    };
    let is_long = matches!(cell, Cell::Text(text) if text.chars().nth(SHORT_CHARACTERS).is_some());
    let long = if is_long { " long" } else { "" };
    let class = format!("{}{tone}{long}", column.column_type);
    // Writing to a `String` cannot fail.
    let _ = match cell {
        Cell::None => write!(html, "<td class=\"{class}\" data-none>&lt;none&gt;</td>"),
        Cell::Text(text) => write!(html, "<td class=\"{class}\">{}</td>", escaped(text)),
        Cell::Integer(integer) => write!(html, "<td class=\"{class}\" data-value=\"{integer}\">{integer}</td>"),
        Cell::Number(number) => write!(html, "<td class=\"{class}\" data-value=\"{number:?}\">{}</td>", shortest(*number)),
        Cell::Boolean(boolean) => write!(html, "<td class=\"{class}\" data-value=\"{boolean}\">{boolean}</td>"),
        Cell::Time(seconds) => {
            let (time, age) = (Rfc3339(*seconds), escaped(&age(*seconds, now).to_string()));
            write!(
                html,
                "<td class=\"{class}\" data-value=\"{seconds}\"><time datetime=\"{time}\" title=\"{age}\">{time}</time></td>"
            )
        }
    };
}

/// A text of a query's, for an element or an attribute in double quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
