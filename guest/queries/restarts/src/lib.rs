//! Containers that were restarted, and how they ended before. Shows a parameter, a metric, columns
//! for wide output only, and a column of time.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, ContainerState, ListOptions},
    row,
    rows::{self, Cell},
};

struct Restarts;

impl Query for Restarts {
    fn describe() -> Description {
        Description::new("Restarts", "Containers that were restarted, and how they ended before")
            .columns([
                Column::text("namespace", "The pod's namespace"),
                Column::text("name", "The pod's name"),
                Column::text("container", "The container's name"),
                Column::integer("restarts", "How often it was restarted").metric(),
                Column::text("lastReason", "Why it ended the last time, such as OOMKilled"),
                Column::integer("exitCode", "The exit status of its process the last time"),
                Column::time("lastEnd", "When it ended the last time"),
                Column::text("image", "The image it runs").priority(1),
                Column::text("lastMessage", "What it left as termination message").priority(1),
            ])
            .parameters([Parameter::integer("min", "The least number of restarts").default(1)])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let min: i64 = arguments.get("min")?;
        for pod in pods::list(ListOptions::new())? {
            let pod = pod?;
            for container in pod.status().containers {
                if i64::from(container.restarts) < min {
                    continue;
                }
                // One that is down at this moment has its last end in its state.
                let last = match container.state {
                    ContainerState::Terminated(termination) => Some(termination),
                    _ => container.last_termination,
                };
                let last = last.as_ref();
                rows::emit(row![
                    pod.namespace(),
                    pod.name(),
                    container.name,
                    container.restarts,
                    last.and_then(|last| last.reason.as_ref()),
                    last.map(|last| last.exit_code),
                    last.and_then(|last| last.finished).map(Cell::Time),
                    container.image,
                    last.and_then(|last| last.message.as_ref()),
                ])?;
            }
        }
        Ok(())
    }
}

podlens_guest::export!(Restarts);
