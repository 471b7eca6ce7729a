//! Why an answer cannot be printed as asked, known before the query runs.

use std::fmt;

use crate::text::Quoted;

/// A format, or an order, that does not fit what a query answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError(pub(super) FormatErrorKind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FormatErrorKind {
    NoNameColumn,
    NameIsNoText,
    /// Prometheus keeps measurements, and the query has none.
    NoMetricColumn,
    /// Two columns would become the same label, or the same metric.
    SameName {
        columns: [String; 2],
        name: String,
    },
    /// `--sort-by` names something else.
    NoSuchColumn {
        given: String,
        columns: Vec<String>,
    },
}

impl FormatError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self.0 {
            FormatErrorKind::NoSuchColumn { .. } => "name a column with `--sort-by`, such as `--sort-by=.restarts`",
            _ => "choose another format with `-o`",
        }
    }
}

impl std::error::Error for FormatError {}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            FormatErrorKind::NoNameColumn => f.write_str("this query has no column `name` for output format `name`"),
            FormatErrorKind::NameIsNoText => {
                f.write_str("this query's column `name` is not of type `text`, as output format `name` needs")
            }
            FormatErrorKind::NoMetricColumn => {
                f.write_str("this query has no column that is a metric for output format `prometheus`, expected at least one")
            }
            FormatErrorKind::SameName { columns, name } => {
                write!(f, "this query's columns {} are both `{name}` in output format `prometheus`", Quoted(columns))
            }
            FormatErrorKind::NoSuchColumn { given, columns } => {
                write!(f, "this query has no column {} to sort by; expected one of {}", Quoted(&[given]), Quoted(columns))
            }
        }
    }
}
