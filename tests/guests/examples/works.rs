//! Does as much of a query's work as its parameters say: lists pods, calls their accessors, emits rows.

use std::hint::black_box;

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter,
    pods::{self, ListOptions, Pod},
    rows,
};

fn describe() -> Description {
    Description::new("Works", "Does as much as it is told")
        .columns([Column::text("namespace", "A namespace"), Column::text("name", "A name"), Column::integer("row", "A number")])
        .parameters([
            Parameter::boolean("list", "Whether to list pods").default(false),
            Parameter::text("read", "What to read of each pod: accessors, with commas between them").default(""),
            Parameter::integer("times", "How often to read it").default(1),
            Parameter::integer("rows", "How many rows to emit").default(0),
        ])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    if arguments.get("list")? {
        let read: String = arguments.get("read")?;
        let accessors = read.split(',').filter(|name| !name.is_empty()).map(accessor).collect::<Result<Vec<_>, _>>()?;
        let times: i64 = arguments.get("times")?;
        for pod in pods::list(ListOptions::new())? {
            let pod = pod?;
            for _ in 0..times {
                accessors.iter().for_each(|read| read(&pod));
            }
        }
    }
    for row in 0..arguments.get::<i64>("rows")? {
        rows::emit(podlens_guest::row!["shop", "web-00042", row])?;
    }
    Ok(())
}

fn accessor(name: &str) -> Result<fn(&Pod), Error> {
    Ok(match name {
        "name" => |pod| drop(black_box(pod.name())),
        "namespace" => |pod| drop(black_box(pod.namespace())),
        "metadata" => |pod| drop(black_box(pod.metadata())),
        "spec" => |pod| drop(black_box(pod.spec())),
        "status" => |pod| drop(black_box(pod.status())),
        "health" => |pod| drop(black_box(pod.health())),
        _ => return Err(Error::InvalidArgument(format!("no accessor is named `{name}`"))),
    })
}

podlens_test_guests::guest!(describe, run);
