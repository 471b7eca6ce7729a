//! Emits the whole object of each pod, as JSON text; can leave out to ask for it.

use podlens_guest::{
    Arguments, Description, Error, Parameter,
    pods::{self, ListOptions},
    rows,
};

fn describe() -> Description {
    podlens_test_guests::describe().parameters([
        Parameter::text("namespace", "The namespace"),
        Parameter::boolean("ask", "Whether to ask for whole objects").default(true),
    ])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let options = ListOptions { namespace: arguments.get("namespace")?, objects: arguments.get("ask")?, ..ListOptions::new() };
    for pod in pods::list(options)? {
        rows::emit([pod?.object()?])?;
    }
    Ok(())
}

podlens_test_guests::guest!(describe, run);
