//! The value of `-o`: `FORMAT` or `FORMAT=ARGUMENT`, spelled as kubectl spells it.

use std::fmt;
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser};

use super::custom_columns::CustomColumns;
use super::jsonpath::{Template, TemplateError};

/// How an answer is printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Format {
    /// A table for people, without the columns of lower priority.
    #[default]
    Table,
    /// A table of all columns.
    Wide,
    /// A JSON array with an object for each row.
    Json,
    /// A JSON object for each row, one a line, each written at once.
    JsonLines,
    /// A YAML list with a mapping for each row.
    Yaml,
    /// Comma-separated values (RFC 4180, lines end with a line feed).
    Csv,
    /// A table in GitHub's Markdown.
    Markdown,
    /// A page for browsers.
    Html,
    /// Prometheus' text format.
    Prometheus,
    /// `pod/NAME` for each row, from the column `name`.
    Name,
    /// What a template makes of all rows.
    JsonPath(Template),
    /// The same, as JSON.
    JsonPathAsJson(Template),
    /// A table of columns of the user's own.
    CustomColumns(CustomColumns),
}

/// The formats: what is typed, with `=` where an argument follows, and what it is for.
const FORMATS: [(&str, &str); 13] = [
    ("table", "A table for people, without the columns of lower priority"),
    ("wide", "A table of all columns"),
    ("json", "A JSON array with an object for each row"),
    ("jsonl", "A JSON object for each row, one a line, each written at once"),
    ("yaml", "A YAML list with a mapping for each row"),
    ("csv", "Comma-separated values (RFC 4180, lines end with a line feed)"),
    ("markdown", "A table in GitHub's Markdown"),
    ("html", "A page that stands alone, with a table that can be sorted and filtered"),
    ("prometheus", "Prometheus' text format: a gauge for each column that is a metric"),
    ("name", "`pod/NAME` for each row, from the column `name`"),
    ("jsonpath=", "What a template of kubectl's makes of the rows, such as `jsonpath={.items[*].name}`"),
    ("jsonpath-as-json=", "The same, as JSON"),
    ("custom-columns=", "A table of columns of your own, such as `custom-columns=POD:.name,NODE:.node`"),
];

impl Format {
    /// Whether an answer without rows prints nothing, so that somebody has to say that there are none.
    pub(crate) fn is_silent_without_rows(&self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Name)
    }

    /// Whether programs read it, rather than people.
    pub(crate) fn is_for_programs(&self) -> bool {
        !matches!(self, Self::Table | Self::Wide | Self::Markdown | Self::Html | Self::CustomColumns(_))
    }
}

/// Why a value is not one of `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParseFormatError {
    Unknown,
    /// The format has no argument, and one was given.
    NeedsNoArgument,
    Template(TemplateError),
}

impl From<TemplateError> for ParseFormatError {
    fn from(error: TemplateError) -> Self {
        Self::Template(error)
    }
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, ParseFormatError> {
        let (name, argument) = text.split_once('=').map_or((text, None), |(name, argument)| (name, Some(argument)));
        // Without an argument the template is empty, and its own error says what one looks like.
        let format = match name {
            "jsonpath" => return Ok(Self::JsonPath(argument.unwrap_or_default().parse()?)),
            "jsonpath-as-json" => return Ok(Self::JsonPathAsJson(argument.unwrap_or_default().parse()?)),
            "custom-columns" => return Ok(Self::CustomColumns(argument.unwrap_or_default().parse()?)),
            "table" => Self::Table,
            "wide" => Self::Wide,
            "json" => Self::Json,
            "jsonl" => Self::JsonLines,
            "yaml" => Self::Yaml,
            "csv" => Self::Csv,
            "markdown" => Self::Markdown,
            "html" => Self::Html,
            "prometheus" => Self::Prometheus,
            "name" => Self::Name,
            _ => return Err(ParseFormatError::Unknown),
        };
        if argument.is_some() { Err(ParseFormatError::NeedsNoArgument) } else { Ok(format) }
    }
}

impl std::error::Error for ParseFormatError {}

impl fmt::Display for ParseFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("this is not a format"),
            Self::NeedsNoArgument => f.write_str("this format takes no argument; leave out the `=` and what follows"),
            Self::Template(error) => write!(f, "{error}"),
        }
    }
}

/// Reads `-o` for clap, which lists the formats in the help and with the error for an unknown one.
#[derive(Clone, Debug)]
pub(crate) struct FormatParser;

impl TypedValueParser for FormatParser {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Format, clap::Error> {
        match value.to_str().map(Format::from_str) {
            Some(Err(ParseFormatError::Unknown)) | None => {
                // clap's own parser of a list of words says it best: with the list, and with what was probably meant.
                let names = clap::builder::PossibleValuesParser::new(FORMATS.map(|(name, _)| name));
                names.parse_ref(command, argument, value).map(|_| Format::default())
            }
            Some(_) => Format::from_str.parse_ref(command, argument, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(FORMATS.into_iter().map(|(name, help)| PossibleValue::new(name).help(help))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listed_format_is_one() {
        for (name, _) in FORMATS {
            let example = match name {
                "jsonpath=" | "jsonpath-as-json=" => format!("{name}{{.items[*].name}}"),
                "custom-columns=" => format!("{name}POD:.name"),
                other => other.to_owned(),
            };
            assert!(example.parse::<Format>().is_ok(), "{example}");
        }
    }

    #[test]
    fn what_is_no_format_is_told() {
        let template = "expected a template, such as `{.items[*].name}`";
        let columns = "expected columns, such as `POD:.name,NODE:.node`";
        let cases = [
            ("", "this is not a format"),
            ("JSON", "this is not a format"),
            ("go-template={{.}}", "this is not a format"),
            ("json=", "this format takes no argument; leave out the `=` and what follows"),
            ("wide=x", "this format takes no argument; leave out the `=` and what follows"),
            ("jsonpath", template),
            ("jsonpath=", template),
            ("jsonpath-as-json", template),
            ("custom-columns", columns),
            ("custom-columns=", columns),
            ("jsonpath={.items", "`{.items` has no `}`"),
        ];
        for (text, expected) in cases {
            let result = text.parse::<Format>().map_err(|error| error.to_string());
            assert_eq!(result, Err(expected.to_owned()), "{text}");
        }
    }
}
