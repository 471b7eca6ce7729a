//! Takes memory for ever, and writes to all of it.

use podlens_guest::{Arguments, Error};

fn run(_: Arguments) -> Result<(), Error> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

podlens_test_guests::guest!(run);
