//! Prints what should not reach a terminal as it is, then emits one row.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what it is for")]

use podlens_guest::{Arguments, Error, rows};

fn run(_: Arguments) -> Result<(), Error> {
    println!("plain");
    println!("\x1b[31mred\x1b[0m");
    println!("before\rafter");
    println!("bell\x07, C1 \u{9b}31m, turned \u{202e}round");
    println!("{}", "long ".repeat(1 << 15));
    eprintln!("to stderr");
    eprint!("without an end");
    rows::emit(["printed"])
}

podlens_test_guests::guest!(run);
