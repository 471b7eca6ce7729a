//! Holds a description to what `wit/types.wit` promises of it.
//!
//! Every limit here is the WIT's; change both together.

use std::{collections::HashSet, fmt};

use super::description::{Column, ColumnType, Description, Parameter};
use super::value::{self, Misread};
use crate::text::{excerpt, is_hidden};

/// The longest title, in characters.
const MAX_TITLE_CHARACTERS: usize = 80;
/// The longest summary, description of a column or help of a parameter, in characters.
const MAX_LINE_CHARACTERS: usize = 200;
/// The longest name of a column or parameter, in characters.
const MAX_NAME_CHARACTERS: usize = 63;
/// The most columns of a query.
const MAX_COLUMNS: usize = 64;
/// The most parameters of a query.
const MAX_PARAMETERS: usize = 64;

/// Why a query's description was refused.
///
/// The message names the part of the description and says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionError(Box<Kind>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    EmptyTitle,
    TooLong { part: Part, characters: usize, accepted: usize },
    Hidden { part: Part, character: char },
    ColumnCount(usize),
    ParameterCount(usize),
    ColumnName { position: usize, name: String },
    ParameterName { position: usize, name: String },
    ColumnTwice(String),
    ParameterTwice(String),
    MetricType { column: String, column_type: ColumnType },
    Default { parameter: String, misread: Misread },
}

/// A text of the description.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Title,
    Summary,
    ColumnDescription(String),
    ParameterHelp(String),
    ParameterDefault(String),
}

impl Description {
    /// Returns the description if it keeps every promise that the WIT makes: lengths, counts, the grammar of names and
    /// their uniqueness, no control, bidirectional or invisible character, metrics only on numbers, defaults that can be read.
    ///
    /// ```
    /// use podlens::{Column, ColumnType, Description};
    ///
    /// let mut phase = Column::new("phase", ColumnType::Text);
    /// assert!(Description::new("Phases", "", vec![phase.clone()], vec![]).checked().is_ok());
    ///
    /// phase.metric = true;
    /// let error = Description::new("Phases", "", vec![phase], vec![]).checked().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "column `phase` is a metric of type `text`, expected type `integer` or `number`",
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// The first part that breaks a promise, from top to bottom. Only another build of the query can help.
    pub fn checked(self) -> Result<Self, DescriptionError> {
        title(&self.title)?;
        line(&self.summary, MAX_LINE_CHARACTERS, || Part::Summary)?;
        columns(&self.columns)?;
        parameters(&self.parameters)?;
        Ok(self)
    }
}

fn title(title: &str) -> Result<(), DescriptionError> {
    if title.is_empty() {
        return Err(Kind::EmptyTitle.into());
    }
    line(title, MAX_TITLE_CHARACTERS, || Part::Title)
}

fn columns(columns: &[Column]) -> Result<(), DescriptionError> {
    if columns.is_empty() || columns.len() > MAX_COLUMNS {
        return Err(Kind::ColumnCount(columns.len()).into());
    }
    let mut names = HashSet::new();
    for (index, column) in columns.iter().enumerate() {
        let name = || column.name.clone();
        if !is_name(&column.name, |byte| byte.is_ascii_alphanumeric()) {
            return Err(Kind::ColumnName { position: index + 1, name: name() }.into());
        }
        if !names.insert(&column.name) {
            return Err(Kind::ColumnTwice(name()).into());
        }
        line(&column.description, MAX_LINE_CHARACTERS, || Part::ColumnDescription(name()))?;
        if column.metric && !matches!(column.column_type, ColumnType::Integer | ColumnType::Number) {
            return Err(Kind::MetricType { column: name(), column_type: column.column_type }.into());
        }
    }
    Ok(())
}

fn parameters(parameters: &[Parameter]) -> Result<(), DescriptionError> {
    if parameters.len() > MAX_PARAMETERS {
        return Err(Kind::ParameterCount(parameters.len()).into());
    }
    let mut names = HashSet::new();
    for (index, parameter) in parameters.iter().enumerate() {
        let name = || parameter.name.clone();
        if !is_name(&parameter.name, |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err(Kind::ParameterName { position: index + 1, name: name() }.into());
        }
        if !names.insert(&parameter.name) {
            return Err(Kind::ParameterTwice(name()).into());
        }
        line(&parameter.help, MAX_LINE_CHARACTERS, || Part::ParameterHelp(name()))?;
        if let Some(default) = &parameter.default {
            no_hidden(default, || Part::ParameterDefault(name()))?;
            value::read(parameter.parameter_type, default).map_err(|misread| Kind::Default { parameter: name(), misread })?;
        }
    }
    Ok(())
}

/// Whether `name` is a lower-case letter, then characters that `continues` accepts, and short enough.
fn is_name(name: &str, continues: impl Fn(u8) -> bool) -> bool {
    name.len() <= MAX_NAME_CHARACTERS
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(continues)
}

fn line(text: &str, accepted: usize, part: impl Fn() -> Part) -> Result<(), DescriptionError> {
    let characters = text.chars().count();
    if characters > accepted {
        return Err(Kind::TooLong { part: part(), characters, accepted }.into());
    }
    no_hidden(text, part)
}

fn no_hidden(text: &str, part: impl Fn() -> Part) -> Result<(), DescriptionError> {
    match text.chars().find(|&character| is_hidden(character)) {
        Some(character) => Err(Kind::Hidden { part: part(), character }.into()),
        None => Ok(()),
    }
}

impl From<Kind> for DescriptionError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl std::error::Error for DescriptionError {}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::EmptyTitle => write!(f, "title is empty, expected 1 to {MAX_TITLE_CHARACTERS} characters"),
            Kind::TooLong { part, characters, accepted } => {
                write!(f, "{part} has {characters} characters, expected at most {accepted}")
            }
            Kind::Hidden { part, character } => write!(
                f,
                "{part} contains `{}`, expected neither control characters nor invisible ones",
                character.escape_unicode()
            ),
            Kind::ColumnCount(count) => write!(f, "there are {count} columns, expected 1 to {MAX_COLUMNS}"),
            Kind::ParameterCount(count) => {
                write!(f, "there are {count} parameters, expected at most {MAX_PARAMETERS}")
            }
            Kind::ColumnName { position, name } => write!(
                f,
                "column {position} is named `{}`, expected `[a-z][A-Za-z0-9]*` of at most {MAX_NAME_CHARACTERS} characters",
                excerpt(name)
            ),
            Kind::ParameterName { position, name } => write!(
                f,
                "parameter {position} is named `{}`, expected `[a-z][a-z0-9-]*` of at most {MAX_NAME_CHARACTERS} characters",
                excerpt(name)
            ),
            Kind::ColumnTwice(name) => write!(f, "two columns are named `{name}`, expected different names"),
            Kind::ParameterTwice(name) => write!(f, "two parameters are named `{name}`, expected different names"),
            Kind::MetricType { column, column_type } => {
                write!(f, "column `{column}` is a metric of type `{column_type}`, expected type `integer` or `number`")
            }
            Kind::Default { parameter, misread } => write!(f, "default of parameter `{parameter}` {misread}"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Title => f.write_str("title"),
            Self::Summary => f.write_str("summary"),
            Self::ColumnDescription(name) => write!(f, "description of column `{name}`"),
            Self::ParameterHelp(name) => write!(f, "help of parameter `{name}`"),
            Self::ParameterDefault(name) => write!(f, "default of parameter `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::description::ParameterType;
    use super::*;

    /// The smallest description that is accepted, changed.
    fn check(change: impl FnOnce(&mut Description)) -> Result<(), String> {
        let column = Column::new("name", ColumnType::Text);
        let parameter = Parameter::new("min", ParameterType::Integer);
        let mut description = Description::new("T", "", vec![column], vec![parameter]);
        change(&mut description);
        description.checked().map(drop).map_err(|error| error.to_string())
    }

    fn columns(count: usize) -> Vec<Column> {
        (0..count).map(|index| Column::new(format!("c{index}"), ColumnType::Text)).collect()
    }

    fn parameters(count: usize) -> Vec<Parameter> {
        (0..count).map(|index| Parameter::new(format!("p{index}"), ParameterType::Text)).collect()
    }

    fn default(parameter_type: ParameterType, text: &str) -> Vec<Parameter> {
        let mut parameter = Parameter::new("min", parameter_type);
        parameter.default = Some(text.to_owned());
        vec![parameter]
    }

    type Change = Box<dyn FnOnce(&mut Description)>;

    #[test]
    fn what_the_wit_promises_is_accepted() {
        let cases: Vec<(&str, Change)> = vec![
            ("as it is", Box::new(|_| ())),
            ("longest title", Box::new(|d| d.title = "é".repeat(80))),
            ("longest summary", Box::new(|d| d.summary = "é".repeat(200))),
            ("most columns", Box::new(|d| d.columns = columns(64))),
            ("most parameters", Box::new(|d| d.parameters = parameters(64))),
            ("no parameters", Box::new(|d| d.parameters.clear())),
            ("longest column name", Box::new(|d| d.columns[0].name = format!("a{}", "B9".repeat(31)))),
            ("longest parameter name", Box::new(|d| d.parameters[0].name = format!("a{}", "-9".repeat(31)))),
            (
                "names that differ in case",
                Box::new(|d| {
                    d.columns = vec![Column::new("aB", ColumnType::Text), Column::new("ab", ColumnType::Text)];
                }),
            ),
            ("column and parameter of one name", Box::new(|d| d.parameters[0].name = "name".into())),
            (
                "integer metric",
                Box::new(|d| {
                    d.columns[0] = Column { metric: true, ..Column::new("n", ColumnType::Integer) };
                }),
            ),
            (
                "number metric",
                Box::new(|d| {
                    d.columns[0] = Column { metric: true, ..Column::new("n", ColumnType::Number) };
                }),
            ),
            (
                "required with a default",
                Box::new(|d| {
                    d.parameters = default(ParameterType::Integer, "-3");
                    d.parameters[0].required = true;
                }),
            ),
            ("empty text default", Box::new(|d| d.parameters = default(ParameterType::Text, ""))),
            ("longest text default", Box::new(|d| d.parameters = default(ParameterType::Text, &"x".repeat(4096)))),
        ];
        for (what, change) in cases {
            assert_eq!(check(change), Ok(()), "{what}");
        }
    }

    #[test]
    fn a_broken_promise_is_named() {
        let cases: Vec<(&str, Change)> = vec![
            ("title is empty, expected 1 to 80 characters", Box::new(|d| d.title.clear())),
            ("title has 81 characters, expected at most 80", Box::new(|d| d.title = "é".repeat(81))),
            (
                r"title contains `\u{1b}`, expected neither control characters nor invisible ones",
                Box::new(|d| d.title = "a\u{1b}[2J".into()),
            ),
            ("summary has 201 characters, expected at most 200", Box::new(|d| d.summary = "x".repeat(201))),
            (
                r"summary contains `\u{202e}`, expected neither control characters nor invisible ones",
                Box::new(|d| d.summary = "a\u{202e}b".into()),
            ),
            ("there are 0 columns, expected 1 to 64", Box::new(|d| d.columns.clear())),
            ("there are 65 columns, expected 1 to 64", Box::new(|d| d.columns = columns(65))),
            (
                "column 1 is named ``, expected `[a-z][A-Za-z0-9]*` of at most 63 characters",
                Box::new(|d| d.columns[0].name.clear()),
            ),
            (
                "column 2 is named `Name`, expected `[a-z][A-Za-z0-9]*` of at most 63 characters",
                Box::new(|d| d.columns.push(Column::new("Name", ColumnType::Text))),
            ),
            (
                r"column 1 is named `a\u{a}b`, expected `[a-z][A-Za-z0-9]*` of at most 63 characters",
                Box::new(|d| d.columns[0].name = "a\nb".into()),
            ),
            (
                "column 1 is named `naïve`, expected `[a-z][A-Za-z0-9]*` of at most 63 characters",
                Box::new(|d| d.columns[0].name = "naïve".into()),
            ),
            (
                "two columns are named `name`, expected different names",
                Box::new(|d| d.columns.push(Column::new("name", ColumnType::Time))),
            ),
            (
                "description of column `name` has 201 characters, expected at most 200",
                Box::new(|d| d.columns[0].description = "x".repeat(201)),
            ),
            (
                r"description of column `name` contains `\u{a}`, expected neither control characters nor invisible ones",
                Box::new(|d| d.columns[0].description = "two\nlines".into()),
            ),
            (
                "column `name` is a metric of type `text`, expected type `integer` or `number`",
                Box::new(|d| d.columns[0].metric = true),
            ),
            ("there are 65 parameters, expected at most 64", Box::new(|d| d.parameters = parameters(65))),
            (
                "parameter 1 is named `minRestarts`, expected `[a-z][a-z0-9-]*` of at most 63 characters",
                Box::new(|d| d.parameters[0].name = "minRestarts".into()),
            ),
            (
                "parameter 1 is named `-a`, expected `[a-z][a-z0-9-]*` of at most 63 characters",
                Box::new(|d| d.parameters[0].name = "-a".into()),
            ),
            (
                "two parameters are named `min`, expected different names",
                Box::new(|d| d.parameters.push(Parameter::new("min", ParameterType::Text))),
            ),
            (
                "help of parameter `min` has 201 characters, expected at most 200",
                Box::new(|d| d.parameters[0].help = "x".repeat(201)),
            ),
            (
                "default of parameter `min` is `few`, expected a decimal 64-bit integer such as `-3`",
                Box::new(|d| d.parameters = default(ParameterType::Integer, "few")),
            ),
            (
                "default of parameter `min` is `inf`, expected a finite decimal number such as `0.25`",
                Box::new(|d| d.parameters = default(ParameterType::Number, "inf")),
            ),
            (
                "default of parameter `min` is `True`, expected `true` or `false`",
                Box::new(|d| d.parameters = default(ParameterType::Boolean, "True")),
            ),
            (
                "default of parameter `min` has 4097 bytes, expected at most 4096",
                Box::new(|d| d.parameters = default(ParameterType::Text, &"x".repeat(4097))),
            ),
            (
                r"default of parameter `min` contains `\u{7f}`, expected neither control characters nor invisible ones",
                Box::new(|d| d.parameters = default(ParameterType::Text, "\u{7f}")),
            ),
        ];
        for (expected, change) in cases {
            assert_eq!(check(change), Err(expected.to_owned()));
        }
    }
}
