//! A row as data: what `json`, `yaml` and `csv` have in common.

use std::fmt;

use jiff::{SignedDuration, civil::DateTime};
use serde::{Serialize, Serializer};

use crate::query::{Cell, Column, Row};

/// The moment from which a cell's time is counted.
const UNIX_EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The names of the columns, in their order.
pub(super) fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// A row as a mapping from the columns' names, in their order, to values: none is null, a time is a string.
pub(super) struct Record<'a> {
    pub(super) names: &'a [String],
    pub(super) row: &'a Row,
    /// Serializes a text; YAML has more than one way.
    pub(super) text: fn(&'a str) -> Text<'a>,
}

/// How a text is serialized.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Text<'a> {
    /// As the format likes.
    Plain(&'a str),
    /// Within double quotes, for YAML.
    Quoted(serde_saphyr::DoubleQuoted<&'a str>),
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.row.cells().iter().map(|cell| Value { cell, text: self.text });
        serializer.collect_map(self.names.iter().zip(values))
    }
}

struct Value<'a> {
    cell: &'a Cell,
    text: fn(&'a str) -> Text<'a>,
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.cell {
            Cell::None => serializer.serialize_unit(),
            Cell::Text(text) => (self.text)(text).serialize(serializer),
            Cell::Integer(integer) => serializer.serialize_i64(*integer),
            Cell::Number(number) => serializer.serialize_f64(*number),
            Cell::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Cell::Time(seconds) => serializer.collect_str(&Rfc3339(*seconds)),
        }
    }
}

/// Shows a cell's time, such as `2026-01-02T03:04:05Z`.
///
/// By way of a civil time, since jiff's `Timestamp` ends 26 hours before the year 9999 does.
pub(super) struct Rfc3339(pub(super) i64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH.saturating_add(SignedDuration::from_secs(self.0));
        write!(f, "{time}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        let cases = [
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (0, "1970-01-01T00:00:00Z"),
            (1_767_323_045, "2026-01-02T03:04:05Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(Rfc3339(seconds).to_string(), expected);
        }
    }
}
