//! Counts the instructions of pieces of work, and prints them as JSON: `cargo run --release --package podlens-micro`.
//!
//! It starts itself once more under valgrind, which runs the pieces on a processor of its own making and counts what host, guest and
//! libraries do alike. [`Pieces`] says what they are, `callgrind.rs` how they are counted.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod callgrind;

use std::process::ExitCode;

use podlens_micro::pieces::Pieces;

/// The argument that says that this process is the one that works, and is watched.
const WORK: &str = "work";

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "counts are for standard output, and why there are none for the other"
)]
fn main() -> ExitCode {
    let works = std::env::args().nth(1).is_some_and(|argument| argument == WORK);
    let done = if works { Ok(work()) } else { count() };
    match done {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("podlens-micro: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does each piece of work, and tells how often, one to a line.
fn work() -> String {
    let pieces = Pieces::new();
    let done = pieces.all().into_iter().map(|piece| {
        // What happens only once, such as growing a buffer, is not counted.
        (piece.work)(1);
        piece_boundary();
        (piece.work)(piece.times);
        piece_boundary();
        format!("{} {}", piece.times, piece.name)
    });
    done.collect::<Vec<_>>().join("\n")
}

/// Valgrind knows it by its name, and starts a new count there.
#[inline(never)]
fn piece_boundary() {
    std::hint::black_box(());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn count() -> Result<String, String> {
    let counts = callgrind::count(WORK, "*piece_boundary*")?;
    serde_json::to_string_pretty(&counts).map_err(|error| error.to_string())
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn count() -> Result<String, String> {
    Err("instructions are counted only on Linux, on x86-64".to_owned())
}
