//! Emits what it was told: one parameter, and one column, of each type.

use podlens_guest::{Arguments, Column, Description, Error, Parameter, row, rows};

fn describe() -> Description {
    Description::new("Echo", "Emits what it was told")
        .columns([
            Column::text("text", "The text"),
            Column::integer("integer", "The integer"),
            Column::number("number", "The number"),
            Column::boolean("boolean", "The boolean"),
        ])
        .parameters([
            Parameter::text("text", "A text"),
            Parameter::integer("integer", "An integer"),
            Parameter::number("number", "A number"),
            Parameter::boolean("boolean", "A boolean"),
        ])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    rows::emit(row![
        arguments.get::<Option<String>>("text")?,
        arguments.get::<Option<i64>>("integer")?,
        arguments.get::<Option<f64>>("number")?,
        arguments.get::<Option<bool>>("boolean")?,
    ])
}

podlens_test_guests::guest!(describe, run);
