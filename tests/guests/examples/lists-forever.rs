//! Lists all pods again and again.

use podlens_guest::{
    Arguments, Error,
    pods::{self, ListOptions},
};

fn run(_: Arguments) -> Result<(), Error> {
    loop {
        for pod in pods::list(ListOptions::new())? {
            pod?;
        }
    }
}

podlens_test_guests::guest!(run);
