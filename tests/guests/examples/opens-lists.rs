//! Opens lists and closes none, until it may not; then emits how many were open, and the error.

use podlens_guest::{
    Arguments, Error,
    pods::{self, ListOptions},
    rows,
};

fn run(_: Arguments) -> Result<(), Error> {
    let mut open = Vec::new();
    loop {
        match pods::list(ListOptions::new()) {
            Ok(list) => open.push(list),
            Err(error) => return rows::emit([format!("{} open: {error:?}", open.len())]),
        }
    }
}

podlens_test_guests::guest!(run);
