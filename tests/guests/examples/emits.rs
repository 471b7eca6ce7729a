//! Emits rows for ever.

use podlens_guest::{Arguments, Error, rows};

fn run(_: Arguments) -> Result<(), Error> {
    loop {
        rows::emit(["again"])?;
    }
}

podlens_test_guests::guest!(run);
