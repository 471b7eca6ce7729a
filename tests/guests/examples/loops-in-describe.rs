//! Describes itself for ever.

use podlens_guest::{Arguments, Description, Error};

fn describe() -> Description {
    loop {
        std::hint::spin_loop();
    }
}

fn run(_: Arguments) -> Result<(), Error> {
    Ok(())
}

podlens_test_guests::guest!(describe, run);
