//! Declares two columns of one name.

use podlens_guest::{Arguments, Column, Description, Error};

fn describe() -> Description {
    Description::new("Bad description", "Declares two columns of one name")
        .columns([Column::text("name", "The first"), Column::text("name", "The second")])
}

fn run(_: Arguments) -> Result<(), Error> {
    Ok(())
}

podlens_test_guests::guest!(describe, run);
