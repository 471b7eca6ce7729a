//! Lists, or gets where it is told a name, just what its parameters say; emits each pod, and returns
//! the error as it came, or emits it.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter,
    pods::{self, ListOptions, Pod},
    rows,
};

fn describe() -> Description {
    Description::new("Asks", "Asks for pods")
        .columns([Column::text("namespace", "The pod's namespace"), Column::text("name", "The pod's name")])
        .parameters([
            Parameter::text("namespace", "The namespace; with a name, none is the empty one"),
            Parameter::text("name", "The pod to get"),
            Parameter::text("labels", "The label selector of the list"),
            Parameter::text("fields", "The field selector of the list"),
            Parameter::boolean("objects", "Whether to ask for whole objects").default(false),
            Parameter::boolean("tell", "Whether to emit an error instead of returning it").default(false),
        ])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    match ask(&arguments) {
        Err(error) if arguments.get("tell")? => rows::emit(["error".to_owned(), format!("{error:?}")]),
        asked => asked,
    }
}

fn ask(arguments: &Arguments) -> Result<(), Error> {
    let namespace: Option<String> = arguments.get("namespace")?;
    let objects = arguments.get("objects")?;
    if let Some(name) = arguments.get::<Option<String>>("name")? {
        return emit(pods::get(&namespace.unwrap_or_default(), &name, objects)?);
    }
    let options =
        ListOptions { namespace, label_selector: arguments.get("labels")?, field_selector: arguments.get("fields")?, objects };
    for pod in pods::list(options)? {
        emit(pod?)?;
    }
    Ok(())
}

fn emit(pod: Pod) -> Result<(), Error> {
    rows::emit([pod.namespace(), pod.name()])
}

podlens_test_guests::guest!(describe, run);
