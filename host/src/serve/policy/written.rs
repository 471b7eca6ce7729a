//! Values of the policy file, each with its place: an error that does not name it sends people looking through a hundred tenants.

use std::fmt;

use serde_json::{Map, Value};

use crate::text::{Quoted, excerpt};

/// Why a file is no policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyError {
    /// Such as `tenants[1].limits.timeout`; empty for the file as a whole.
    place: String,
    problem: String,
}

impl PolicyError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for PolicyError {}

/// A value, and where it stands.
#[derive(Debug)]
pub(super) struct Written<'a> {
    place: String,
    value: &'a Value,
}

impl<'a> Written<'a> {
    pub(super) fn file(value: &'a Value) -> Self {
        Self { place: String::new(), value }
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> PolicyError {
        PolicyError::new(&self.place, problem)
    }

    /// It is not what is expected here.
    pub(super) fn expected(&self, expected: impl fmt::Display) -> PolicyError {
        let found = match self.value {
            Value::Null => "empty".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(value) => format!("the number `{}`", excerpt(&value.to_string())),
            Value::String(text) if text.is_empty() => "an empty text".to_owned(),
            Value::String(text) => format!("`{}`", excerpt(text)),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a mapping".to_owned(),
        };
        self.wrong(format!("is {found}, expected {expected}"))
    }

    /// Where it stands.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn is_mapping(&self) -> bool {
        self.value.is_object()
    }

    pub(super) fn is_text(&self, text: &str) -> bool {
        self.value.as_str() == Some(text)
    }

    /// Its fields, which have to be among the `known`.
    pub(super) fn fields(self, known: &[&str]) -> Result<Fields<'a>, PolicyError> {
        let Value::Object(fields) = self.value else {
            return Err(self.expected(format_args!("a mapping of {}", Quoted(known))));
        };
        if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(self.wrong(format!("has `{}`, expected one of {}", excerpt(unknown), Quoted(known))));
        }
        Ok(Fields { place: self.place, fields })
    }

    /// Its items, as many as there are.
    pub(super) fn items(&self, expected: &str) -> Result<Vec<Written<'a>>, PolicyError> {
        let Value::Array(items) = self.value else { return Err(self.expected(format_args!("a list of {expected}"))) };
        let item = |(index, value)| Written { place: format!("{}[{index}]", self.place), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The same of a list that would be left out if it were meant to be empty.
    pub(super) fn some_items(&self, expected: &str) -> Result<Vec<Written<'a>>, PolicyError> {
        let items = self.items(expected)?;
        if items.is_empty() { Err(self.wrong(format!("is an empty list, expected {expected}"))) } else { Ok(items) }
    }

    /// A text that is not empty: what a template left out must not pass for no condition. What looks like a number or like true or false
    /// has to be quoted.
    pub(super) fn text(&self, expected: &str) -> Result<&'a str, PolicyError> {
        match self.value {
            Value::String(text) if !text.is_empty() => Ok(text),
            Value::Number(_) | Value::Bool(_) => Err(self.expected(format_args!("{expected}, in quotes"))),
            _ => Err(self.expected(expected)),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, PolicyError> {
        self.value.as_bool().ok_or_else(|| self.expected("`true` or `false`"))
    }

    /// A whole number from 1.
    pub(super) fn count(&self, most: usize) -> Result<usize, PolicyError> {
        let count = self.value.as_u64().and_then(|number| usize::try_from(number).ok());
        count
            .filter(|count| (1..=most).contains(count))
            .ok_or_else(|| self.expected(format_args!("a whole number from 1 to {most}")))
    }

    /// A number from `least`.
    pub(super) fn number(&self, least: f64, most: f64) -> Result<f64, PolicyError> {
        let number = self.value.as_f64().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.expected(format_args!("a number from {least} to {most}")))
    }

    /// A text or a number, as it would be typed.
    pub(super) fn typed(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// The fields of a mapping, and where it stands.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    place: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn wrong(&self, problem: impl Into<String>) -> PolicyError {
        PolicyError::new(&self.place, problem)
    }

    pub(super) fn get(&self, name: &str) -> Option<Written<'a>> {
        let value = self.fields.get(name)?;
        let separator = if self.place.is_empty() { "" } else { "." };
        Some(Written { place: format!("{}{separator}{name}", self.place), value })
    }

    pub(super) fn need(&self, name: &str, expected: &str) -> Result<Written<'a>, PolicyError> {
        self.get(name).ok_or_else(|| self.wrong(format!("has no `{name}`, expected {expected}")))
    }

    /// What is read of a field that may be left out.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(Written<'a>) -> Result<T, PolicyError>,
    ) -> Result<Option<T>, PolicyError> {
        self.get(name).map(read).transpose()
    }

    /// The name of its field, where it has just one.
    pub(super) fn only(&self) -> Option<&'a str> {
        let mut names = self.fields.keys();
        names.next().filter(|_| names.next().is_none()).map(String::as_str)
    }
}
