//! The table gives the cluster that the demo promises.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
const NOW: i64 = 1_763_965_800;

fn all() -> Vec<Pod> {
    pods(Timestamp::from_second(NOW).unwrap())
}

/// What `kubectl get pods` would say of each pod, but for its age.
fn summary(pod: &Pod) -> String {
    let (metadata, status) = (&pod.metadata, &pod.status);
    let containers = || status.init_container_statuses.iter().chain(&status.container_statuses);
    let ready = containers().filter(|container| container.ready).count();
    let restarts: i32 = containers().map(|container| container.restart_count).sum();
    let state = status.container_statuses.iter().find_map(|container| {
        let waiting = container.state.waiting.as_ref().map(|waiting| waiting.reason.clone());
        waiting.or_else(|| container.state.terminated.as_ref().map(|terminated| terminated.reason.clone()))
    });
    let state = match &*status.reason {
        "" => state.unwrap_or_else(|| status.phase.clone()),
        reason => reason.to_owned(),
    };
    let state = if metadata.deletion_timestamp.is_some() { "Terminating".to_owned() } else { state };
    let containers = pod.spec.init_containers.len() + pod.spec.containers.len();
    let (namespace, name, node) = (&metadata.namespace, &metadata.name, &pod.spec.node_name);
    format!("{namespace}/{name} {ready}/{containers} {state} {restarts} {node}").trim_end().to_owned()
}

#[test]
fn the_cluster_is_this_one() {
    let summaries: Vec<_> = all().iter().map(summary).collect();
    assert_eq!(summaries.join("\n"), include_str!("expected.txt").trim_end());
}

#[test]
fn names_are_unique_and_valid() {
    let pods = all();
    let names: BTreeSet<_> = pods.iter().map(|pod| (&pod.metadata.namespace, &pod.metadata.name)).collect();
    let uids: BTreeSet<_> = pods.iter().map(|pod| &pod.metadata.uid).collect();
    assert_eq!((names.len(), uids.len()), (pods.len(), pods.len()));
    for (namespace, name) in names {
        crate::kube::Namespace::parse(namespace).unwrap();
        crate::kube::PodName::parse(name).unwrap();
    }
    let addresses: Vec<_> = pods.iter().filter(|pod| !pod.spec.host_network).flat_map(|pod| &pod.status.pod_ips).collect();
    assert_eq!(addresses.iter().map(|address| &address.ip).collect::<BTreeSet<_>>().len(), addresses.len());
}

#[test]
fn no_moment_lies_ahead_or_before_the_pod() {
    for pod in all() {
        let created = pod.metadata.creation_timestamp.unwrap().seconds;
        let containers = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
        let states = containers.flat_map(|container| [&container.state, &container.last_state]);
        let moments = states.flat_map(|state| {
            let running = state.running.as_ref().and_then(|running| running.started_at);
            let terminated = state.terminated.iter().flat_map(|terminated| [terminated.started_at, terminated.finished_at]);
            terminated.chain([running]).flatten()
        });
        let changes = pod.status.conditions.iter().filter_map(|condition| condition.last_transition_time);
        for moment in moments.chain(changes) {
            assert!((created..=NOW).contains(&moment.seconds), "{}: {}", pod.metadata.name, moment.seconds - NOW);
        }
    }
}

#[test]
fn one_image_is_pinned_here_and_not_there() {
    let image = "registry.example.com/payments/api:5.2.0";
    let pods = all();
    let containers = pods.iter().flat_map(|pod| &pod.status.container_statuses);
    let found: Vec<_> = containers.filter(|container| container.image.starts_with(image)).collect();
    let written: BTreeSet<_> = found.iter().map(|container| &container.image).collect();
    let digests: BTreeSet<_> = found.iter().map(|container| &container.image_id).collect();
    assert_eq!((written.len(), digests.len()), (2, 1));
}

#[test]
fn quality_of_service_follows_from_resources() {
    let mut counts = BTreeMap::new();
    for pod in all() {
        *counts.entry(pod.status.qos_class).or_insert(0) += 1;
    }
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["BestEffort", "Burstable", "Guaranteed"]);
}

#[test]
fn what_a_crash_looping_pod_says_is_complete() {
    let pods = all();
    let pod = pods.iter().find(|pod| pod.metadata.labels["app"] == "search").unwrap();
    let container = &pod.status.container_statuses[0];
    let last = container.last_state.terminated.as_ref().unwrap();
    assert_eq!((&*last.reason, last.exit_code, container.restart_count, container.ready), ("OOMKilled", 137, 47, false));
    let ready = pod.status.conditions.iter().find(|condition| condition.kind == "Ready").unwrap();
    assert_eq!((&*ready.reason, &*ready.message), ("ContainersNotReady", "containers with unready status: [search]"));
}
