//! Exits with status 3, of which WASI 0.2 tells the host that it is not 0.

use podlens_guest::{Arguments, Error};

fn run(_: Arguments) -> Result<(), Error> {
    std::process::exit(3);
}

podlens_test_guests::guest!(run);
