//! Which cells stand out, and which recede: for tables on a terminal, and for pages.

use crate::output::style::Mark;
use crate::query::Cell;

/// Words of Kubernetes for what went wrong: a container's `reason` as kubelets write it, a pod's phase or reason, as a cell of its own.
const BAD: [&str; 19] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ContainerCannotRun",
    "StartError",
    "DeadlineExceeded",
    "OOMKilled",
    "Error",
    "Evicted",
    "Failed",
    "NodeLost",
    "Unschedulable",
];
/// Those for what is not over yet, or not known.
const DOUBTFUL: [&str; 7] =
    ["Pending", "ContainerCreating", "PodInitializing", "Terminating", "NotReady", "NodeNotReady", "Unknown"];

/// How a cell stands out, if it does. What is not there recedes, and so does `false`: only the query knows which of the two is good.
pub(super) fn of(cell: &Cell) -> Option<Mark> {
    match cell {
        Cell::None | Cell::Boolean(false) => Some(Mark::Open),
        Cell::Text(text) => of_text(text),
        _ => None,
    }
}

/// As [`of`], of a text.
pub(super) fn of_text(text: &str) -> Option<Mark> {
    if BAD.contains(&text) {
        Some(Mark::Bad)
    } else if DOUBTFUL.contains(&text) {
        Some(Mark::Doubt)
    } else {
        None
    }
}
