//! Sleeps for an hour.

use std::{thread, time::Duration};

use podlens_guest::{Arguments, Error};

fn run(_: Arguments) -> Result<(), Error> {
    thread::sleep(Duration::from_secs(60 * 60));
    Ok(())
}

podlens_test_guests::guest!(run);
