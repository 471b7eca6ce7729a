//! Says something on standard error, then asks for more random bytes than a host has memory.

#![expect(clippy::print_stderr, reason = "this is what it is for")]
#![expect(missing_docs, reason = "wit-bindgen documents none of what it makes")]

use podlens_guest::{Arguments, Error, rows};

// Rust's standard library never asks for many.
wit_bindgen::generate!({
    inline: "
        package podlens:test;

        world random-hog {
            import wasi:random/random@0.2.0;
        }

        package wasi:random@0.2.0 {
            interface random {
                get-random-bytes: func(len: u64) -> list<u8>;
                get-random-u64: func() -> u64;
            }
        }
    ",
    generate_all,
});

fn run(_: Arguments) -> Result<(), Error> {
    eprintln!("not the reason");
    let bytes = wasi::random::random::get_random_bytes(1 << 40);
    rows::emit([format!("{} bytes", bytes.len())])
}

podlens_test_guests::guest!(run);
