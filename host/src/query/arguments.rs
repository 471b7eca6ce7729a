//! What the operator tells a run: texts on one side, the arguments of the WIT on the other.

use std::{collections::HashMap, fmt};

use super::description::{Description, Parameter, ParameterType};
use super::value::{self, ArgumentValue, Misread};
use crate::text::{Quoted, excerpt};

/// The value of one parameter: the host's side of the WIT's record `argument`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Argument {
    /// The parameter's name.
    pub name: String,
    /// Its value, of the declared type.
    pub value: ArgumentValue,
}

/// Why what the operator told a run was refused.
///
/// The message names the parameter and says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError(Box<Kind>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    NoPair(String),
    Unknown { name: String, known: Vec<String> },
    Twice(String),
    Missing { name: String, parameter_type: ParameterType },
    Type { name: String, expected: ParameterType },
    Value { name: String, misread: Misread },
}

impl Argument {
    /// Splits `name=value` at the first `=`. The name may be empty or unknown; [`Description::arguments`] tells.
    ///
    /// # Errors
    ///
    /// A text without a `=`.
    pub fn split(text: &str) -> Result<(&str, &str), ArgumentError> {
        text.split_once('=').ok_or_else(|| Kind::NoPair(text.to_owned()).into())
    }
}

impl Description {
    /// Reads names and texts, in any order, as the arguments of a run: in the order of the declaration, with defaults
    /// where nothing was given. A parameter without a value is left out unless it is required.
    ///
    /// ```
    /// use podlens::{ArgumentValue, Column, ColumnType, Description, Parameter, ParameterType};
    ///
    /// let columns = vec![Column::new("name", ColumnType::Text)];
    /// let parameters = vec![Parameter::new("min", ParameterType::Integer)];
    /// let description = Description::new("Restarts", "", columns, parameters).checked()?;
    ///
    /// let arguments = description.arguments([("min", "3")])?;
    /// assert_eq!(arguments[0].value, ArgumentValue::Integer(3));
    ///
    /// let error = description.arguments([("minimum", "3")]).unwrap_err();
    /// assert_eq!(error.to_string(), "this query has no parameter `minimum`, expected one of `min`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A name that was not declared or is given twice, a required parameter without a value, a text that is not of the
    /// parameter's type or is too long. Only other input can help.
    pub fn arguments<'a>(&self, given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Argument>, ArgumentError> {
        let given = self.known(given)?;
        self.parameters
            .iter()
            .filter_map(|parameter| argument(parameter, given.get(parameter.name.as_str()).copied()).transpose())
            .collect()
    }

    /// The arguments of a run from what an embedder gives: in the order of the declaration, each once and of its type, with
    /// defaults where nothing was given. What [`arguments`](Self::arguments) returns stays as it is.
    pub(crate) fn complete(&self, mut given: Vec<Argument>) -> Result<Vec<Argument>, ArgumentError> {
        let mut complete = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            match given.iter().position(|argument| argument.name == parameter.name) {
                Some(index) => {
                    let argument = given.remove(index);
                    if argument.value.parameter_type() != parameter.parameter_type {
                        return Err(Kind::Type { name: argument.name, expected: parameter.parameter_type }.into());
                    }
                    complete.push(argument);
                }
                None => complete.extend(argument(parameter, None)?),
            }
        }
        match given.into_iter().next() {
            Some(Argument { name, .. }) if complete.iter().any(|argument| argument.name == name) => Err(Kind::Twice(name).into()),
            Some(Argument { name, .. }) => Err(self.unknown(name)),
            None => Ok(complete),
        }
    }

    fn unknown(&self, name: String) -> ArgumentError {
        Kind::Unknown { name, known: self.parameters.iter().map(|parameter| parameter.name.clone()).collect() }.into()
    }

    /// The given texts by name, each declared and given once.
    fn known<'a>(&self, given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<HashMap<&'a str, &'a str>, ArgumentError> {
        let mut known = HashMap::new();
        for (name, text) in given {
            if !self.parameters.iter().any(|parameter| parameter.name == name) {
                return Err(self.unknown(name.to_owned()));
            }
            if known.insert(name, text).is_some() {
                return Err(Kind::Twice(name.to_owned()).into());
            }
        }
        Ok(known)
    }
}

fn argument(parameter: &Parameter, given: Option<&str>) -> Result<Option<Argument>, ArgumentError> {
    let Parameter { name, parameter_type, .. } = parameter;
    match given.or(parameter.default.as_deref()) {
        Some(text) => match value::read(*parameter_type, text) {
            Ok(value) => Ok(Some(Argument { name: name.clone(), value })),
            Err(misread) => Err(Kind::Value { name: name.clone(), misread }.into()),
        },
        None if parameter.required => Err(Kind::Missing { name: name.clone(), parameter_type: *parameter_type }.into()),
        None => Ok(None),
    }
}

impl From<Kind> for ArgumentError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl std::error::Error for ArgumentError {}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::NoPair(text) => write!(f, "argument is `{}`, expected `name=value`", excerpt(text)),
            Kind::Unknown { name, known } if known.is_empty() => {
                write!(f, "this query has no parameter `{}`, it takes none", excerpt(name))
            }
            Kind::Unknown { name, known } => {
                write!(f, "this query has no parameter `{}`, expected one of {}", excerpt(name), Quoted(known))
            }
            Kind::Twice(name) => write!(f, "parameter `{name}` is given twice, expected one value"),
            Kind::Missing { name, parameter_type } => {
                write!(f, "parameter `{name}` is missing, expected {}", value::form(*parameter_type))
            }
            Kind::Type { name, expected } => {
                write!(f, "parameter `{name}` is of another type, expected {}", value::form(*expected))
            }
            Kind::Value { name, misread } => write!(f, "value of parameter `{name}` {misread}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        let mut team = Parameter::new("team", ParameterType::Text);
        team.required = true;
        let mut min = Parameter::new("min", ParameterType::Integer);
        min.default = Some("3".to_owned());
        let mut ratio = Parameter::new("max-ratio", ParameterType::Number);
        ratio.required = true;
        ratio.default = Some("0.5".to_owned());
        let all = Parameter::new("all", ParameterType::Boolean);
        Description::new("T", "", Vec::new(), vec![team, min, ratio, all])
    }

    fn read(given: &[&str]) -> Result<Vec<(String, ArgumentValue)>, String> {
        let pairs: Result<Vec<_>, _> = given.iter().copied().map(Argument::split).collect();
        let arguments = pairs.and_then(|pairs| description().arguments(pairs)).map_err(|error| error.to_string())?;
        Ok(arguments.into_iter().map(|argument| (argument.name, argument.value)).collect())
    }

    #[test]
    fn arguments_follow_the_declaration() {
        use ArgumentValue::{Boolean, Integer, Number, Text};
        let cases = [
            (&["team=a"][..], vec![("team", Text("a".into())), ("min", Integer(3)), ("max-ratio", Number(0.5))]),
            (
                &["all=true", "max-ratio=1", "min=-1", "team=x=y"],
                vec![("team", Text("x=y".into())), ("min", Integer(-1)), ("max-ratio", Number(1.0)), ("all", Boolean(true))],
            ),
            (&["team="], vec![("team", Text(String::new())), ("min", Integer(3)), ("max-ratio", Number(0.5))]),
        ];
        for (given, expected) in cases {
            let expected = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            assert_eq!(read(given), Ok(expected), "{given:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_parameter() {
        let long = format!("team={}", "x".repeat(4097));
        let cases: [(&[&str], &str); 9] = [
            (&[], "parameter `team` is missing, expected text"),
            (&["team"], "argument is `team`, expected `name=value`"),
            (&["teams=a"], "this query has no parameter `teams`, expected one of `team`, `min`, `max-ratio`, `all`"),
            (&["=a"], "this query has no parameter ``, expected one of `team`, `min`, `max-ratio`, `all`"),
            (&["team=a", "team=a"], "parameter `team` is given twice, expected one value"),
            (&["team=a", "min=3.5"], "value of parameter `min` is `3.5`, expected a decimal 64-bit integer such as `-3`"),
            (
                &["team=a", "max-ratio=NaN"],
                "value of parameter `max-ratio` is `NaN`, expected a finite decimal number such as `0.25`",
            ),
            (&["team=a", "all="], "value of parameter `all` is ``, expected `true` or `false`"),
            (&[&long], "value of parameter `team` has 4097 bytes, expected at most 4096"),
        ];
        for (given, expected) in cases {
            assert_eq!(read(given), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_query_without_parameters_says_so() {
        let error = Description::new("T", "", Vec::new(), Vec::new()).arguments([("a", "b")]).map_err(|e| e.to_string());
        assert_eq!(error, Err("this query has no parameter `a`, it takes none".to_owned()));
    }

    #[test]
    fn arguments_of_an_embedder_are_completed_and_checked() {
        let mut min = Parameter::new("min", ParameterType::Integer);
        min.default = Some("1".to_owned());
        let team = Parameter::new("team", ParameterType::Text);
        let description = Description::new("", "", Vec::new(), vec![min, team]);
        let argument = |name: &str, value| Argument { name: name.to_owned(), value };
        let text = |text: &str| ArgumentValue::Text(text.to_owned());
        let complete = |given: &[Argument]| description.complete(given.to_vec()).map_err(|error| error.to_string());

        assert_eq!(complete(&[]), Ok(vec![argument("min", ArgumentValue::Integer(1))]));
        let given = [argument("team", text("a")), argument("min", ArgumentValue::Integer(2))];
        assert_eq!(complete(&given), Ok(vec![given[1].clone(), given[0].clone()]));
        for (given, error) in [
            (
                &[argument("min", text("2"))][..],
                "parameter `min` is of another type, expected a decimal 64-bit integer such as `-3`",
            ),
            (&[argument("max", text("2"))], "this query has no parameter `max`, expected one of `min`, `team`"),
            (&[argument("team", text("a")), argument("team", text("b"))], "parameter `team` is given twice, expected one value"),
        ] {
            assert_eq!(complete(given), Err(error.to_owned()));
        }
    }
}
