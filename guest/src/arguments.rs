//! What a run was told: the values of the query's parameters.

use crate::Error;
pub use crate::bindings::podlens::query::types::{Argument, ArgumentValue};

/// The values of a query's parameters.
#[derive(Clone, Debug)]
pub struct Arguments(Vec<Argument>);

impl Arguments {
    /// The value of the parameter `name`.
    ///
    /// `T` follows the declared type: `String` for text, `i64` for an integer, `f64` for a number,
    /// `bool` for a boolean. A parameter with neither a default nor
    /// [`required`](crate::Parameter::required) may have no value: ask for `Option<T>`.
    ///
    /// ```
    /// # use podlens_guest::{Argument, ArgumentValue, Arguments};
    /// # fn main() -> Result<(), podlens_guest::Error> {
    /// # let value = ArgumentValue::Integer(3);
    /// # let arguments = Arguments::from(vec![Argument { name: "min".to_owned(), value }]);
    /// let min: i64 = arguments.get("min")?;
    /// let team: Option<String> = arguments.get("team")?;
    /// # assert_eq!((min, team), (3, None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if there is no value, or one of another type.
    pub fn get<T: FromArgument>(&self, name: &str) -> Result<T, Error> {
        let value = self.0.iter().find(|argument| argument.name == name);
        T::from_argument(value.map(|argument| &argument.value))
            .ok_or_else(|| Error::InvalidArgument(format!("`{name}` has no value of this type")))
    }
}

impl From<Vec<Argument>> for Arguments {
    fn from(arguments: Vec<Argument>) -> Self {
        Self(arguments)
    }
}

/// A type that [`Arguments::get`] can give: `String`, `i64`, `f64`, `bool`, and an `Option` of one.
pub trait FromArgument: Sized {
    /// The value, or `None` if `Self` cannot be made of it.
    fn from_argument(value: Option<&ArgumentValue>) -> Option<Self>;
}

impl FromArgument for String {
    fn from_argument(value: Option<&ArgumentValue>) -> Option<Self> {
        match value {
            Some(ArgumentValue::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromArgument for i64 {
    fn from_argument(value: Option<&ArgumentValue>) -> Option<Self> {
        match value {
            Some(ArgumentValue::Integer(integer)) => Some(*integer),
            _ => None,
        }
    }
}

impl FromArgument for f64 {
    fn from_argument(value: Option<&ArgumentValue>) -> Option<Self> {
        match value {
            Some(ArgumentValue::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

impl FromArgument for bool {
    fn from_argument(value: Option<&ArgumentValue>) -> Option<Self> {
        match value {
            Some(ArgumentValue::Boolean(boolean)) => Some(*boolean),
            _ => None,
        }
    }
}

impl<T: FromArgument> FromArgument for Option<T> {
    fn from_argument(value: Option<&ArgumentValue>) -> Option<Self> {
        match value {
            None => Some(None),
            value => T::from_argument(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_suits_an_option_only_and_another_type_none() {
        let value = ArgumentValue::Text("web".to_owned());
        let arguments = Arguments::from(vec![Argument { name: "team".to_owned(), value }]);

        assert_eq!(arguments.get("team"), Ok("web".to_owned()));
        assert_eq!(arguments.get("team"), Ok(Some("web".to_owned())));
        assert_eq!(arguments.get::<Option<i64>>("min"), Ok(None));
        assert!(matches!(arguments.get::<i64>("min"), Err(Error::InvalidArgument(_))));
        assert!(matches!(arguments.get::<Option<i64>>("team"), Err(Error::InvalidArgument(_))));
    }
}
