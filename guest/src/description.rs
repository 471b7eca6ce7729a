//! What a query says of itself: constructors for the records of the contract.

pub use crate::bindings::podlens::query::types::{Column, ColumnType, Description, Parameter, ParameterType};

impl Description {
    /// A description without columns and parameters.
    pub fn new(title: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { title: title.into(), summary: summary.into(), columns: Vec::new(), parameters: Vec::new() }
    }

    /// The columns of the answer, from left to right.
    #[must_use]
    pub fn columns(mut self, columns: impl Into<Vec<Column>>) -> Self {
        self.columns = columns.into();
        self
    }

    /// What `run` can be told.
    #[must_use]
    pub fn parameters(mut self, parameters: impl Into<Vec<Parameter>>) -> Self {
        self.parameters = parameters.into();
        self
    }
}

/// A column is born with priority 0, and is no metric.
impl Column {
    /// A column of text.
    pub fn text(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(name, ColumnType::Text, description)
    }

    /// A column of whole numbers.
    pub fn integer(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(name, ColumnType::Integer, description)
    }

    /// A column of numbers with a fraction.
    pub fn number(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(name, ColumnType::Number, description)
    }

    /// A column of `true` and `false`.
    pub fn boolean(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(name, ColumnType::Boolean, description)
    }

    /// A column of moments; a table shows the time that has passed since.
    pub fn time(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(name, ColumnType::Time, description)
    }

    /// Ranks the column: 0 is in the ordinary table, a higher number in wide output only.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Calls the column a measurement: a number that can be watched over time.
    #[must_use]
    pub fn metric(mut self) -> Self {
        self.metric = true;
        self
    }

    fn new(name: impl Into<String>, type_: ColumnType, description: impl Into<String>) -> Self {
        Self { name: name.into(), type_, description: description.into(), priority: 0, metric: false }
    }
}

/// A parameter is born optional and without a default.
impl Parameter {
    /// A parameter whose text is taken as it is.
    pub fn text(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(name, ParameterType::Text, help)
    }

    /// A parameter that is a whole number.
    pub fn integer(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(name, ParameterType::Integer, help)
    }

    /// A parameter that is a decimal number.
    pub fn number(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(name, ParameterType::Number, help)
    }

    /// A parameter that is `true` or `false`.
    pub fn boolean(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(name, ParameterType::Boolean, help)
    }

    /// The value where the operator gives none, such as `1`, `true` or `"web"`.
    #[must_use]
    pub fn default(mut self, value: impl ToString) -> Self {
        self.default = Some(value.to_string());
        self
    }

    /// Refuses a run without a value.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn new(name: impl Into<String>, type_: ParameterType, help: impl Into<String>) -> Self {
        Self { name: name.into(), type_, default: None, required: false, help: help.into() }
    }
}
