//! Reads all pods, emits each, asks for one that is not there, says something, and panics in a function of its own.

#![expect(clippy::print_stderr, reason = "a panic's message comes the same way")]

use podlens_guest::{
    Arguments, Error,
    pods::{self, ListOptions},
    rows,
};

fn run(_: Arguments) -> Result<(), Error> {
    let mut names = Vec::new();
    for pod in pods::list(ListOptions::new().labels("app=web"))? {
        let pod = pod?;
        rows::emit([pod.name()])?;
        names.push(pod.name());
    }
    for _ in 0..2 {
        let _ = pods::get("shop", "missing", false);
    }
    eprintln!("an ordinary line");
    rows::emit([judged(&names)])
}

#[inline(never)]
fn judged(names: &[String]) -> &str {
    &names[names.len()]
}

podlens_test_guests::guest!(run);
