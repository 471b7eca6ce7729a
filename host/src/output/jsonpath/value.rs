//! What a template is followed through: the answer, its rows, their cells, without a copy.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

use super::super::record::Rfc3339;
use crate::query::{Cell, Row};

/// Any value that a step of a path can come to.
///
/// A cell without a value is a key that is not there: as Kubernetes leaves out what is empty, and so that `[?(@.node)]` asks
/// whether there is one.
#[derive(Clone, Debug)]
pub(in super::super) enum Value<'a> {
    /// `{"items": […]}`.
    Answer(Rows<'a>),
    /// The list of rows.
    Items(Rows<'a>),
    Row(Record<'a>),
    /// A text of the query's, a time among them.
    Text(Cow<'a, str>),
    /// A text of the template's.
    Literal(&'a str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

/// All rows, and the names of their columns.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Rows<'a> {
    pub(in super::super) names: &'a [String],
    pub(in super::super) rows: &'a [Row],
}

/// One row, and the names of its columns.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Record<'a> {
    pub(in super::super) names: &'a [String],
    pub(in super::super) row: &'a Row,
}

/// The only key of the answer as a whole.
const ITEMS: &str = "items";

impl<'a> Rows<'a> {
    pub(super) fn records(self) -> impl Iterator<Item = Record<'a>> {
        self.rows.iter().map(move |row| Record { names: self.names, row })
    }
}

impl<'a> Record<'a> {
    /// The keys that are there, and their values.
    fn members(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let cells = self.names.iter().zip(self.row.cells());
        cells.filter_map(|(name, cell)| Some((name.as_str(), Value::of_cell(cell)?)))
    }

    fn member(self, name: &str) -> Option<Value<'a>> {
        let index = self.names.iter().position(|known| known == name)?;
        Value::of_cell(self.row.cells().get(index)?)
    }
}

impl<'a> Value<'a> {
    fn of_cell(cell: &'a Cell) -> Option<Self> {
        Some(match cell {
            Cell::None => return None,
            Cell::Text(text) => Self::Text(Cow::Borrowed(text)),
            Cell::Integer(integer) => Self::Integer(*integer),
            Cell::Number(number) => Self::Number(*number),
            Cell::Boolean(boolean) => Self::Boolean(*boolean),
            Cell::Time(seconds) => Self::Text(Cow::Owned(Rfc3339(*seconds).to_string())),
        })
    }

    /// The value of a key. Only an object has keys.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Answer(rows) if name == ITEMS => Some(Self::Items(*rows)),
            Self::Row(record) => record.member(name),
            _ => None,
        }
    }

    /// What is in an object or a list. A text is neither: Go's reflection would take it apart into bytes.
    pub(super) fn children(&self) -> Vec<Self> {
        match self {
            Self::Answer(rows) => vec![Self::Items(*rows)],
            Self::Items(rows) => rows.records().map(Self::Row).collect(),
            Self::Row(record) => record.members().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Literal(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Answer(_) | Self::Row(_) => "an object",
            Self::Items(_) => "a list",
            Self::Text(_) | Self::Literal(_) => "text",
            Self::Integer(_) | Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
        }
    }
}

/// As JSON; objects with their keys in the order of the columns.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Answer(rows) => serializer.collect_map([(ITEMS, Self::Items(*rows))]),
            Self::Items(rows) => serializer.collect_seq(rows.records().map(Self::Row)),
            Self::Row(record) => serializer.collect_map(record.members()),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Literal(text) => serializer.serialize_str(text),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
        }
    }
}

/// As it stands among text: a text as it is, an object or a list as JSON on one line.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(_) | Self::Items(_) | Self::Row(_) => {
                f.write_str(&super::super::json::one_line(self).map_err(|_| fmt::Error)?)
            }
            Self::Text(text) => f.write_str(text),
            Self::Literal(text) => f.write_str(text),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Number(number) => f.write_str(&go(*number)),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
        }
    }
}

/// A number as Go prints it (`%v`): the shortest digits, with an exponent where it is below -4 or above 5.
fn go(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            let mut text = digits.to_owned();
            // Writing to a `String` cannot fail.
            let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
            text
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_gos() {
        // What fmt.Sprint of Go 1.26 gives.
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (0.25, "0.25"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (999_999.5, "999999.5"),
            (1_000_000.0, "1e+06"),
            (2_500_000.25, "2.50000025e+06"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ];
        for (number, expected) in cases {
            assert_eq!(go(number), expected);
        }
    }
}
