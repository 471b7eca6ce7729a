//! Prints for ever.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use podlens_guest::{Arguments, Error};

fn run(_: Arguments) -> Result<(), Error> {
    loop {
        println!("again");
    }
}

podlens_test_guests::guest!(run);
