//! Emits all that a pod tells, each part as one text; asks for whole objects where it is told to.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter,
    pods::{self, ListOptions},
    rows,
};

fn describe() -> Description {
    Description::new("Everything", "All that a pod tells")
        .columns([
            Column::text("namespace", "The pod's namespace"),
            Column::text("name", "The pod's name"),
            Column::text("metadata", "Its metadata"),
            Column::text("spec", "Its spec"),
            Column::text("status", "Its status"),
            Column::text("health", "How it does"),
        ])
        .parameters([Parameter::boolean("objects", "Whether to ask for whole objects").default(false)])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let options = ListOptions { objects: arguments.get("objects")?, ..ListOptions::new() };
    for pod in pods::list(options)? {
        let pod = pod?;
        rows::emit([
            pod.namespace(),
            pod.name(),
            format!("{:#?}", pod.metadata()),
            format!("{:#?}", pod.spec()),
            format!("{:#?}", pod.status()),
            format!("{:#?}", pod.health()),
        ])?;
    }
    Ok(())
}

podlens_test_guests::guest!(describe, run);
