//! Pods that are not ready, why, and since when. Shows a field selector and the parts of a pod's
//! status.

use podlens_guest::{
    Arguments, Column, Description, Error, Query,
    pods::{self, ConditionStatus, ContainerState, ListOptions, Status},
    row,
    rows::{self, Cell},
};

struct Unready;

impl Query for Unready {
    fn describe() -> Description {
        Description::new("Unready pods", "Pods that are not ready, why, and since when").columns([
            Column::text("namespace", "The pod's namespace"),
            Column::text("name", "The pod's name"),
            Column::text("reason", "Why it is not ready, such as CrashLoopBackOff"),
            Column::time("since", "When it stopped being ready, or was created"),
            Column::text("node", "The node it is on").priority(1),
            Column::text("message", "The reason in a sentence").priority(1),
        ])
    }

    fn run(_: Arguments) -> Result<(), Error> {
        // Pods that ended with success are done, not unready.
        for pod in pods::list(ListOptions::new().fields("status.phase!=Succeeded"))? {
            let pod = pod?;
            // Most are ready. What costs more is asked of the few that are not.
            if pod.health().ready {
                continue;
            }
            let status = pod.status();
            let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
            let metadata = pod.metadata();
            let since = ready.and_then(|ready| ready.last_transition).or(metadata.created);
            let (reason, message) = match metadata.deleted {
                Some(_) => ("Terminating".to_owned(), None),
                None => why(status),
            };
            rows::emit(row![pod.namespace(), pod.name(), reason, since.map(Cell::Time), pod.spec().node, message])?;
        }
        Ok(())
    }
}

/// The most telling reason that a status gives, and its message: of the pod, then of a container,
/// then of a condition.
fn why(status: Status) -> (String, Option<String>) {
    let containers = status.containers.into_iter().filter_map(|container| match container.state {
        ContainerState::Waiting(waiting) => Some((waiting.reason, waiting.message)),
        ContainerState::Terminated(end) if end.exit_code != 0 => Some((end.reason, end.message)),
        _ => None,
    });
    let conditions = status.conditions.into_iter().filter_map(|condition| {
        let holds = condition.status == ConditionStatus::True;
        (!holds).then_some((condition.reason, condition.message))
    });
    [(status.reason, status.message)]
        .into_iter()
        .chain(containers)
        .chain(conditions)
        .find_map(|(reason, message)| Some((reason?, message)))
        .unwrap_or_else(|| (status.phase.to_string(), None))
}

podlens_guest::export!(Unready);

#[cfg(test)]
mod tests;
