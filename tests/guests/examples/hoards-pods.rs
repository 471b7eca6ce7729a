//! Lists all pods again and again, and drops none.

use podlens_guest::{
    Arguments, Error,
    pods::{self, ListOptions},
};

fn run(_: Arguments) -> Result<(), Error> {
    let mut hoard = Vec::new();
    loop {
        for pod in pods::list(ListOptions::new())? {
            hoard.push(pod?);
        }
    }
}

podlens_test_guests::guest!(run);
