//! What the containers of a pod ask for together, as `AggregateContainerRequests` of k8s.io/component-helpers counts it.
//!
//! The scheduler counts more, which the contract has not: pod-level `spec.resources`, `spec.overhead`, and what is still
//! allocated while a container is resized in place.

use podlens_guest::pods::{Container, ContainerKind};

use crate::quantity::Quantity;

/// The requests of a pod's containers for one resource. They are in the order of the pod, init containers first.
///
/// Init containers run one after the other, each beside the sidecars that were started before it: the largest of these moments counts
/// where it is more than all that runs in the end.
pub(crate) fn of_pod(containers: &[Container], resource: &str) -> Result<Quantity, String> {
    let (mut running, mut sidecars, mut largest) = (Quantity::default(), Quantity::default(), Quantity::default());
    for container in containers {
        let request = request(container, resource)?;
        match container.kind {
            ContainerKind::Init => largest = largest.max(sidecars + request),
            ContainerKind::Sidecar => {
                sidecars = sidecars + request;
                running = running + request;
            }
            ContainerKind::App => running = running + request,
            // The API accepts no resources for it.
            ContainerKind::Ephemeral => {}
        }
    }
    Ok(running.max(largest))
}

/// As the API server fills it in: who has a limit and no request asks for as much.
fn request(container: &Container, resource: &str) -> Result<Quantity, String> {
    let given = container.requests.iter().chain(&container.limits).find(|(name, _)| name == resource);
    let Some((_, text)) = given else { return Ok(Quantity::default()) };
    Quantity::parse(text)
        .ok_or_else(|| format!("container `{}` asks for `{text}` of {resource}, which is no quantity", container.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(kind: ContainerKind, cpu: &str) -> Container {
        Container {
            name: "c".to_owned(),
            kind,
            image: "web".to_owned(),
            requests: vec![("cpu".to_owned(), cpu.to_owned())],
            limits: vec![("cpu".to_owned(), "64".to_owned()), ("memory".to_owned(), "1Gi".to_owned())],
            privileged: false,
            liveness_probe: false,
            readiness_probe: false,
            startup_probe: false,
        }
    }

    #[test]
    fn the_largest_moment_of_a_pod_counts() {
        use ContainerKind::{App, Ephemeral, Init, Sidecar};
        for (containers, expected) in [
            (&[][..], "0"),
            (&[(App, "1"), (App, "500m")], "1500m"),
            (&[(Init, "2"), (Init, "3"), (App, "1")], "3"),
            (&[(Init, "1"), (App, "2"), (App, "2")], "4"),
            (&[(Sidecar, "1"), (App, "2")], "3"),
            (&[(Sidecar, "1"), (Init, "3"), (App, "2")], "4"),
            (&[(Init, "3"), (Sidecar, "1"), (App, "2")], "3"),
            (&[(App, "1"), (Ephemeral, "9")], "1"),
        ] {
            let containers: Vec<_> = containers.iter().map(|(kind, cpu)| container(*kind, cpu)).collect();
            assert_eq!(of_pod(&containers, "cpu").ok(), Quantity::parse(expected), "{containers:?}");
        }
        assert_eq!(of_pod(&[container(App, "1")], "memory").ok(), Quantity::parse("1Gi"));
        let error = of_pod(&[container(App, "much")], "cpu").unwrap_err();
        assert_eq!(error, "container `c` asks for `much` of cpu, which is no quantity");
    }
}
