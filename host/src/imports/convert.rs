//! From the domain's pod to the WIT's records. Empty texts of the API, where it means "none", become `none`.

use std::collections::BTreeMap;

use crate::bindings::podlens::query::pods as wit;
use crate::kube::{
    Container, ContainerState, ContainerStateTerminated, ContainerStatus, ObjectMeta, Pod, PodCondition, PodSpec, Quantity, Time,
};

pub(super) fn metadata(meta: &ObjectMeta) -> wit::Metadata {
    wit::Metadata {
        uid: meta.uid.clone(),
        created: seconds(meta.creation_timestamp),
        deleted: seconds(meta.deletion_timestamp),
        labels: meta.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        annotations: meta.annotations.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        owners: meta
            .owner_references
            .iter()
            .map(|owner| wit::Owner {
                api_version: owner.api_version.clone(),
                kind: owner.kind.clone(),
                name: owner.name.clone(),
                uid: owner.uid.clone(),
                controller: owner.controller,
            })
            .collect(),
    }
}

pub(super) fn spec(spec: &PodSpec) -> wit::Spec {
    let init = spec.init_containers.iter().map(|container| self::container(container, init_kind(container)));
    let app = spec.containers.iter().map(|container| self::container(container, wit::ContainerKind::App));
    let ephemeral = spec.ephemeral_containers.iter().map(|it| self::container(&it.common, wit::ContainerKind::Ephemeral));
    wit::Spec {
        node: text(&spec.node_name),
        service_account: spec.service_account_name.clone(),
        restart_policy: spec.restart_policy.clone(),
        scheduler: spec.scheduler_name.clone(),
        priority: spec.priority,
        priority_class: text(&spec.priority_class_name),
        runtime_class: spec.runtime_class_name.clone(),
        host_network: spec.host_network,
        host_pid: spec.host_pid,
        host_ipc: spec.host_ipc,
        host_paths: spec.volumes.iter().filter_map(|volume| volume.source.host_path.as_ref()).map(|it| it.path.clone()).collect(),
        containers: init.chain(app).chain(ephemeral).collect(),
    }
}

pub(super) fn status(pod: &Pod) -> wit::Status {
    let status = &pod.status;
    // A status names its container; whether an init container is a sidecar stands in the spec.
    let init_kind = |name: &str| {
        let container = pod.spec.init_containers.iter().find(|container| container.name == name);
        container.map_or(wit::ContainerKind::Init, init_kind)
    };
    let init = status.init_container_statuses.iter().map(|it| container_status(it, init_kind(&it.name)));
    let app = status.container_statuses.iter().map(|it| container_status(it, wit::ContainerKind::App));
    let ephemeral = status.ephemeral_container_statuses.iter().map(|it| container_status(it, wit::ContainerKind::Ephemeral));
    wit::Status {
        phase: match status.phase.as_str() {
            "Pending" => wit::Phase::Pending,
            "Running" => wit::Phase::Running,
            "Succeeded" => wit::Phase::Succeeded,
            "Failed" => wit::Phase::Failed,
            _ => wit::Phase::Unknown,
        },
        reason: text(&status.reason),
        message: text(&status.message),
        started: seconds(status.start_time),
        qos_class: text(&status.qos_class),
        host_ip: text(&status.host_ip),
        pod_ips: if status.pod_ips.is_empty() {
            text(&status.pod_ip).into_iter().collect()
        } else {
            status.pod_ips.iter().map(|it| it.ip.clone()).collect()
        },
        nominated_node: text(&status.nominated_node_name),
        conditions: status.conditions.iter().map(condition).collect(),
        containers: init.chain(app).chain(ephemeral).collect(),
    }
}

fn init_kind(container: &Container) -> wit::ContainerKind {
    match container.restart_policy.as_deref() {
        Some("Always") => wit::ContainerKind::Sidecar,
        _ => wit::ContainerKind::Init,
    }
}

fn container(container: &Container, kind: wit::ContainerKind) -> wit::Container {
    wit::Container {
        name: container.name.clone(),
        kind,
        image: container.image.clone(),
        requests: quantities(&container.resources.requests),
        limits: quantities(&container.resources.limits),
        privileged: container.security_context.privileged,
        liveness_probe: container.liveness_probe.is_some(),
        readiness_probe: container.readiness_probe.is_some(),
        startup_probe: container.startup_probe.is_some(),
    }
}

fn container_status(status: &ContainerStatus, kind: wit::ContainerKind) -> wit::ContainerStatus {
    wit::ContainerStatus {
        name: status.name.clone(),
        kind,
        image: status.image.clone(),
        image_id: status.image_id.clone(),
        ready: status.ready,
        restarts: u32::try_from(status.restart_count).unwrap_or(0),
        state: state(&status.state),
        last_termination: status.last_state.terminated.as_ref().map(termination),
    }
}

fn state(state: &ContainerState) -> wit::ContainerState {
    match (&state.terminated, &state.running, &state.waiting) {
        (Some(terminated), _, _) => wit::ContainerState::Terminated(termination(terminated)),
        (None, Some(running), _) => wit::ContainerState::Running(seconds(running.started_at)),
        (None, None, Some(waiting)) => {
            wit::ContainerState::Waiting(wit::Waiting { reason: text(&waiting.reason), message: text(&waiting.message) })
        }
        // "If none of its members is specified, the default one is ContainerStateWaiting": the API's documentation.
        (None, None, None) => wit::ContainerState::Waiting(wit::Waiting { reason: None, message: None }),
    }
}

fn termination(terminated: &ContainerStateTerminated) -> wit::Termination {
    wit::Termination {
        exit_code: terminated.exit_code,
        signal: Some(terminated.signal).filter(|signal| *signal != 0),
        reason: text(&terminated.reason),
        message: text(&terminated.message),
        started: seconds(terminated.started_at),
        finished: seconds(terminated.finished_at),
    }
}

fn condition(condition: &PodCondition) -> wit::Condition {
    wit::Condition {
        type_: condition.kind.clone(),
        status: match condition.status.as_str() {
            "True" => wit::ConditionStatus::True,
            "False" => wit::ConditionStatus::False,
            _ => wit::ConditionStatus::Unknown,
        },
        reason: text(&condition.reason),
        message: text(&condition.message),
        last_transition: seconds(condition.last_transition_time),
    }
}

fn quantities(quantities: &BTreeMap<String, Quantity>) -> Vec<(String, String)> {
    quantities.iter().map(|(resource, quantity)| (resource.clone(), quantity.text.clone())).collect()
}

fn text(text: &str) -> Option<String> {
    if text.is_empty() { None } else { Some(text.to_owned()) }
}

fn seconds(time: Option<Time>) -> Option<i64> {
    time.filter(|time| *time != Time::default()).map(|time| time.seconds)
}
