//! Containers without limits or requests, and which are missing. Shows parameters whose texts the
//! query checks itself.
//!
//! What a whole pod asks for (`spec.resources`) is not looked at: a container with a share of it is
//! listed.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, Container, ContainerKind, ListOptions},
    row, rows,
};

struct NoLimits;

const ANY: &str = "any";
const RESOURCES: [&str; 2] = ["cpu", "memory"];
const KINDS: [&str; 2] = ["requests", "limits"];

impl Query for NoLimits {
    fn describe() -> Description {
        Description::new("No limits", "Containers without limits or requests, and which are missing")
            .columns([
                Column::text("namespace", "The pod's namespace"),
                Column::text("name", "The pod's name"),
                Column::text("container", "The container's name"),
                Column::text("missing", "What it lacks, such as `limits.memory`"),
                Column::integer("missingCount", "How many requests and limits it lacks").priority(1).metric(),
                Column::text("qosClass", "The pod's quality of service class; BestEffort is evicted first").priority(1),
                Column::text("node", "The node it is on").priority(1),
            ])
            .parameters([
                Parameter::text("resource", "Look at `cpu`, `memory` or `any` of both").default(ANY),
                Parameter::text("kind", "Look for `requests`, `limits` or `any` of both").default(ANY),
            ])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let resources = chosen(&arguments, "resource", RESOURCES)?;
        let kinds = chosen(&arguments, "kind", KINDS)?;
        // A finished pod uses nothing.
        let options = ListOptions::new().fields("status.phase!=Succeeded,status.phase!=Failed");
        for pod in pods::list(options)? {
            let pod = pod?;
            let spec = pod.spec();
            // The API accepts no resources for an ephemeral container.
            for container in spec.containers.iter().filter(|it| it.kind != ContainerKind::Ephemeral) {
                let missing = missing(container, &kinds, &resources);
                if !missing.is_empty() {
                    let qos_class = pod.status().qos_class;
                    rows::emit(row![
                        pod.namespace(),
                        pod.name(),
                        &container.name,
                        missing.join(","),
                        missing.len(),
                        qos_class,
                        spec.node.as_ref(),
                    ])?;
                }
            }
        }
        Ok(())
    }
}

/// What the operator chose with a parameter: one of these words, or all.
fn chosen(arguments: &Arguments, parameter: &str, words: [&'static str; 2]) -> Result<Vec<&'static str>, Error> {
    let text: String = arguments.get(parameter)?;
    let chosen: Vec<_> = words.into_iter().filter(|word| text == ANY || text == *word).collect();
    if chosen.is_empty() {
        let [one, other] = words;
        return Err(Error::InvalidArgument(format!("`{parameter}` is `{text}`, expected `{one}`, `{other}` or `{ANY}`")));
    }
    Ok(chosen)
}

/// What a container lacks, such as `limits.memory`.
fn missing(container: &Container, kinds: &[&str], resources: &[&str]) -> Vec<String> {
    let mut missing = Vec::new();
    for kind in kinds {
        for resource in resources {
            let limit = quantity(&container.limits, resource);
            let given = match *kind {
                // As the API server fills it in: who has a limit, and no request at all, asks for as much.
                "requests" => quantity(&container.requests, resource).or(limit),
                _ => limit,
            };
            // A quantity of 0 is none: no limit is in force, and nothing is set aside. `0` is how the API server writes it,
            // whatever it was given.
            if given.is_none_or(|quantity| quantity == "0") {
                missing.push(format!("{kind}.{resource}"));
            }
        }
    }
    missing
}

fn quantity<'a>(quantities: &'a [(String, String)], resource: &str) -> Option<&'a str> {
    quantities.iter().find(|(name, _)| name == resource).map(|(_, quantity)| quantity.as_str())
}

podlens_guest::export!(NoLimits);
