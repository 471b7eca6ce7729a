//! Panics.

use podlens_guest::{Arguments, Error};

fn run(_: Arguments) -> Result<(), Error> {
    panic!("the guest's own words");
}

podlens_test_guests::guest!(run);
