//! What a query says of itself.
//!
//! The types only; `check.rs` holds them to the promises of `wit/types.wit`.

use std::fmt;

/// What a query says of itself: the host's side of the WIT's record `description`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// A few words, 1 to 80 characters.
    pub title: String,
    /// One line for a list of queries, at most 200 characters.
    pub summary: String,
    /// The columns of the answer, from left to right: 1 to 64, with different names.
    pub columns: Vec<Column>,
    /// What a run can be told: at most 64, with different names.
    pub parameters: Vec<Parameter>,
}

/// One column of a query's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Grammar `[a-z][A-Za-z0-9]*`, at most 63 characters. Data formats use it as it is.
    pub name: String,
    /// The type of its cells. Each cell may also be [`Cell::None`](super::Cell::None).
    pub column_type: ColumnType,
    /// One line of help, at most 200 characters.
    pub description: String,
    /// 0 for a column that the ordinary table shows, more for one that only wide output shows.
    pub priority: u8,
    /// Whether it is a measurement. Only [`Integer`](ColumnType::Integer) and [`Number`](ColumnType::Number) can be.
    pub metric: bool,
}

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text, at most 65,536 bytes a cell.
    Text,
    /// A whole number.
    Integer,
    /// A finite number with a fraction.
    Number,
    /// True or false.
    Boolean,
    /// A moment, in whole seconds.
    Time,
}

/// One thing that a run can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Grammar `[a-z][a-z0-9-]*`, at most 63 characters.
    pub name: String,
    /// How the operator's text is read.
    pub parameter_type: ParameterType,
    /// The text to read where the operator gives none.
    pub default: Option<String>,
    /// Whether a run without a value is refused. A parameter with a default is never missing.
    pub required: bool,
    /// One line of help, at most 200 characters.
    pub help: String,
}

/// How the text of a parameter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterType {
    /// As it is, at most 4,096 bytes.
    Text,
    /// A decimal 64-bit integer, such as `-3`.
    Integer,
    /// A finite decimal number, such as `0.25`.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl Description {
    /// Puts the parts together; nothing is checked yet.
    pub fn new(title: impl Into<String>, summary: impl Into<String>, columns: Vec<Column>, parameters: Vec<Parameter>) -> Self {
        Self { title: title.into(), summary: summary.into(), columns, parameters }
    }
}

impl Column {
    /// A column without help text, with priority 0, that is no metric.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        Self { name: name.into(), column_type, description: String::new(), priority: 0, metric: false }
    }

    /// The column's name as a table's header: `LAST REASON` for `lastReason`, `POD IP` for `podIP`, `HOST IPS` for
    /// `hostIPs`.
    pub fn header(&self) -> String {
        let name = self.name.as_bytes();
        let mut header = String::with_capacity(name.len() + 4);
        for (index, character) in self.name.char_indices() {
            if begins_word(name, index) {
                header.push(' ');
            }
            header.push(character.to_ascii_uppercase());
        }
        header
    }
}

/// Whether a word of a camel-case name begins at `index`: at a capital after another kind of character, and at the last of
/// several capitals, unless only a plural `s` follows it.
fn begins_word(name: &[u8], index: usize) -> bool {
    let is_upper = |index: usize| name.get(index).is_some_and(u8::is_ascii_uppercase);
    let is_lower = |index: usize| name.get(index).is_some_and(u8::is_ascii_lowercase);
    let is_plural = || name.get(index + 1) == Some(&b's') && !is_lower(index + 2);
    index > 0 && is_upper(index) && (!is_upper(index - 1) || (is_lower(index + 1) && !is_plural()))
}

impl Parameter {
    /// A parameter without help text or default, that is not required.
    pub fn new(name: impl Into<String>, parameter_type: ParameterType) -> Self {
        Self { name: name.into(), parameter_type, default: None, required: false, help: String::new() }
    }
}

impl fmt::Display for ColumnType {
    /// The type's name in the WIT.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Time => "time",
        })
    }
}

impl fmt::Display for ParameterType {
    /// The type's name in the WIT.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_splits_words() {
        let cases = [
            ("name", "NAME"),
            ("lastReason", "LAST REASON"),
            ("lastExitCode", "LAST EXIT CODE"),
            ("podIP", "POD IP"),
            ("podIPs", "POD IPS"),
            ("podIPsSeen", "POD IPS SEEN"),
            ("podIPAddress", "POD IP ADDRESS"),
            ("podIPState", "POD IP STATE"),
            ("p95Latency", "P95 LATENCY"),
            ("latencyP95", "LATENCY P95"),
            ("aB", "A B"),
            ("x", "X"),
            ("isA", "IS A"),
        ];
        for (name, expected) in cases {
            assert_eq!(Column::new(name, ColumnType::Text).header(), expected, "{name}");
        }
    }
}
