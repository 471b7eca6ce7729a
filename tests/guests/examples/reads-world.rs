//! Looks for a world outside, and emits each thing it finds: nothing, in a sandbox that is whole.

use std::{env, fs, io};

use podlens_guest::{Arguments, Error, rows};

fn run(_: Arguments) -> Result<(), Error> {
    for argument in env::args() {
        rows::emit([format!("argument {argument}")])?;
    }
    for (name, value) in env::vars() {
        rows::emit([format!("variable {name}={value}")])?;
    }
    if let Ok(directory) = env::current_dir().and_then(fs::read_dir) {
        rows::emit([format!("working directory {directory:?}")])?;
    }
    for path in ["/", "/tmp", "/var/run/secrets/kubernetes.io/serviceaccount"] {
        if fs::read_dir(path).is_ok() || fs::metadata(path).is_ok() {
            rows::emit([format!("directory {path}")])?;
        }
    }
    if fs::File::open("/etc/passwd").is_ok() || fs::File::create("/tmp/podlens").is_ok() {
        rows::emit(["a file"])?;
    }
    if io::read_to_string(io::stdin()).is_ok_and(|input| !input.is_empty()) {
        rows::emit(["input"])?;
    }
    Ok(())
}

podlens_test_guests::guest!(run);
