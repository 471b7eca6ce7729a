//! Runs for ever.

use podlens_guest::{Arguments, Error};

fn run(_: Arguments) -> Result<(), Error> {
    loop {
        std::hint::spin_loop();
    }
}

podlens_test_guests::guest!(run);
