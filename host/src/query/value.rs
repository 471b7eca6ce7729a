//! Reads the text of one parameter.

use std::fmt;

use super::description::ParameterType;
use crate::text::excerpt;

/// The longest text of a `text` parameter, in bytes; `wit/types.wit` promises it to the guest.
const MAX_TEXT_BYTES: usize = 4096;

/// The value of one parameter: the host's side of the WIT's variant `argument-value`.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgumentValue {
    /// For [`ParameterType::Text`].
    Text(String),
    /// For [`ParameterType::Integer`].
    Integer(i64),
    /// For [`ParameterType::Number`]; finite.
    Number(f64),
    /// For [`ParameterType::Boolean`].
    Boolean(bool),
}

impl ArgumentValue {
    /// The type of parameter that it is a value of.
    pub(super) fn parameter_type(&self) -> ParameterType {
        match self {
            Self::Text(_) => ParameterType::Text,
            Self::Integer(_) => ParameterType::Integer,
            Self::Number(_) => ParameterType::Number,
            Self::Boolean(_) => ParameterType::Boolean,
        }
    }
}

/// Why a text is no value of a type. Displayed as the end of a sentence whose subject is the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misread {
    TooLong { bytes: usize },
    WrongType { text: String, expected: ParameterType },
}

/// Reads `text` as a value of the type.
pub(super) fn read(parameter_type: ParameterType, text: &str) -> Result<ArgumentValue, Misread> {
    let value = match parameter_type {
        ParameterType::Text if text.len() > MAX_TEXT_BYTES => {
            return Err(Misread::TooLong { bytes: text.len() });
        }
        ParameterType::Text => Some(ArgumentValue::Text(text.to_owned())),
        ParameterType::Integer => text.parse().ok().map(ArgumentValue::Integer),
        ParameterType::Number => text.parse().ok().filter(|number: &f64| number.is_finite()).map(ArgumentValue::Number),
        ParameterType::Boolean => text.parse().ok().map(ArgumentValue::Boolean),
    };
    value.ok_or_else(|| Misread::WrongType { text: text.to_owned(), expected: parameter_type })
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => write!(f, "has {bytes} bytes, expected at most {MAX_TEXT_BYTES}"),
            Self::WrongType { text, expected } => write!(f, "is `{}`, expected {}", excerpt(text), form(*expected)),
        }
    }
}

/// What is accepted for the type, for a message.
pub(super) fn form(parameter_type: ParameterType) -> &'static str {
    match parameter_type {
        ParameterType::Text => "text",
        ParameterType::Integer => "a decimal 64-bit integer such as `-3`",
        ParameterType::Number => "a finite decimal number such as `0.25`",
        ParameterType::Boolean => "`true` or `false`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_by_its_type() {
        let cases = [
            (ParameterType::Text, "", ArgumentValue::Text(String::new())),
            (ParameterType::Text, " a\n", ArgumentValue::Text(" a\n".into())),
            (ParameterType::Integer, "-3", ArgumentValue::Integer(-3)),
            (ParameterType::Integer, "9223372036854775807", ArgumentValue::Integer(i64::MAX)),
            (ParameterType::Integer, "-9223372036854775808", ArgumentValue::Integer(i64::MIN)),
            (ParameterType::Number, "0.25", ArgumentValue::Number(0.25)),
            (ParameterType::Number, "-3", ArgumentValue::Number(-3.0)),
            (ParameterType::Number, "1e3", ArgumentValue::Number(1000.0)),
            (ParameterType::Boolean, "true", ArgumentValue::Boolean(true)),
            (ParameterType::Boolean, "false", ArgumentValue::Boolean(false)),
        ];
        for (parameter_type, text, expected) in cases {
            assert_eq!(read(parameter_type, text), Ok(expected), "{text:?} as {parameter_type}");
        }
    }

    #[test]
    fn a_text_of_another_type_is_refused() {
        let integers = ["", " 3", "3 ", "0x3", "1_000", "3.0", "9223372036854775808", "٣"];
        let numbers = ["", "NaN", "nan", "inf", "-inf", "infinity", "1e999", "0,25", "0x1p3", " 1"];
        let booleans = ["", "True", "1", "yes", "true "];
        let cases = [
            (ParameterType::Integer, &integers[..]),
            (ParameterType::Number, &numbers[..]),
            (ParameterType::Boolean, &booleans[..]),
        ];
        for (expected, texts) in cases {
            for &text in texts {
                let misread = Misread::WrongType { text: text.to_owned(), expected };
                assert_eq!(read(expected, text), Err(misread), "{text:?} as {expected}");
            }
        }
    }

    #[test]
    fn a_text_is_bounded_in_bytes() {
        assert!(matches!(read(ParameterType::Text, &"é".repeat(2048)), Ok(ArgumentValue::Text(_))));
        assert_eq!(read(ParameterType::Text, &"é".repeat(2049)), Err(Misread::TooLong { bytes: 4098 }));
    }
}
