//! Containers that the kernel ended for want of memory, now or the last time. Shows an optional
//! parameter, the wall clock, and a spec that is looked up for a status.

use std::time::{SystemTime, UNIX_EPOCH};

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, ContainerHealth, ContainerState, ContainerStatus, ListOptions, Spec, Termination},
    row,
    rows::{self, Cell},
};

/// The word of a container that the kernel ended for want of memory.
const OOM_KILLED: &str = "OOMKilled";

struct OomKilled;

impl Query for OomKilled {
    fn describe() -> Description {
        Description::new("OOM killed", "Containers that ran out of memory, now or the last time")
            .columns([
                Column::text("namespace", "The pod's namespace"),
                Column::text("name", "The pod's name"),
                Column::text("container", "The container's name"),
                Column::integer("restarts", "How often it was restarted, for whatever reason").metric(),
                Column::time("killed", "When it was killed the last time"),
                Column::text("memoryLimit", "The memory it may use; nothing if only its node sets a limit"),
                Column::text("image", "The image it runs").priority(1),
                Column::text("node", "The node it is on").priority(1),
            ])
            .parameters([Parameter::integer("hours", "Only those that were killed within so many hours")])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let hours: Option<i64> = arguments.get("hours")?;
        if let Some(hours) = hours.filter(|hours| *hours < 0) {
            return Err(Error::InvalidArgument(format!("`hours` is {hours}, expected 0 or more")));
        }
        let earliest = hours.map(|hours| now().saturating_sub(hours.saturating_mul(3600)));
        for pod in pods::list(ListOptions::new())? {
            let pod = pod?;
            if !pod.health().containers.iter().any(was_killed) {
                continue;
            }
            let killed: Vec<_> = pod.status().containers.into_iter().filter_map(|it| last_kill(&it).map(|end| (it, end))).collect();
            let spec = pod.spec();
            for (container, end) in killed {
                if earliest.zip(end.finished).is_some_and(|(earliest, finished)| finished < earliest) {
                    continue;
                }
                let limit = memory_limit(&spec, &container.name);
                rows::emit(row![
                    pod.namespace(),
                    pod.name(),
                    container.name,
                    container.restarts,
                    end.finished.map(Cell::Time),
                    limit,
                    container.image,
                    spec.node.as_ref(),
                ])?;
            }
        }
        Ok(())
    }
}

/// Whether it shows a kill. What more there is to tell of it costs more, and is asked of those few pods.
fn was_killed(container: &ContainerHealth) -> bool {
    [&container.reason, &container.last_reason].into_iter().any(|reason| reason.as_deref() == Some(OOM_KILLED))
}

/// The latest kill of the container that is still known: of its present end and the one before.
fn last_kill(container: &ContainerStatus) -> Option<Termination> {
    let current = match &container.state {
        ContainerState::Terminated(end) => Some(end),
        _ => None,
    };
    // One that was killed, started again and is now down for another reason still shows the kill.
    let mut ends = current.into_iter().chain(&container.last_termination);
    ends.find(|end| end.reason.as_deref() == Some(OOM_KILLED)).cloned()
}

fn memory_limit<'a>(spec: &'a Spec, container: &str) -> Option<&'a String> {
    let container = spec.containers.iter().find(|it| it.name == container)?;
    container.limits.iter().find(|(resource, _)| resource == "memory").map(|(_, quantity)| quantity)
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

podlens_guest::export!(OomKilled);
