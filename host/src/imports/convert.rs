//! From the domain's pod to the WIT's records. Empty texts of the API, where it means "none", become `none`.

use std::collections::BTreeMap;

use crate::bindings::podlens::query::pods as wit;
use crate::kube::{
    Container, ContainerHealth, ContainerState, ContainerStateTerminated, ContainerStatus, ObjectMeta, OwnerReference,
    PodCondition, PodSpec, Quantity, StateKind, Time,
};
use crate::policy::VisiblePod;

pub(super) fn metadata(meta: ObjectMeta) -> wit::Metadata {
    let owner = |owner: OwnerReference| wit::Owner {
        api_version: owner.api_version,
        kind: owner.kind,
        name: owner.name,
        uid: owner.uid,
        controller: owner.controller,
    };
    wit::Metadata {
        uid: meta.uid,
        created: seconds(meta.creation_timestamp),
        deleted: seconds(meta.deletion_timestamp),
        labels: meta.labels.into_iter().collect(),
        annotations: meta.annotations.into_iter().collect(),
        owners: meta.owner_references.into_iter().map(owner).collect(),
    }
}

pub(super) fn spec(spec: PodSpec) -> wit::Spec {
    let init = spec.init_containers.into_iter().map(|it| {
        let kind = match it.restart_policy.as_deref() {
            Some("Always") => wit::ContainerKind::Sidecar,
            _ => wit::ContainerKind::Init,
        };
        container(it, kind)
    });
    let app = spec.containers.into_iter().map(|it| container(it, wit::ContainerKind::App));
    let ephemeral = spec.ephemeral_containers.into_iter().map(|it| container(it.common, wit::ContainerKind::Ephemeral));
    wit::Spec {
        node: text(spec.node_name),
        service_account: spec.service_account_name,
        restart_policy: spec.restart_policy,
        scheduler: spec.scheduler_name,
        priority: spec.priority,
        priority_class: text(spec.priority_class_name),
        runtime_class: spec.runtime_class_name,
        host_network: spec.host_network,
        host_pid: spec.host_pid,
        host_ipc: spec.host_ipc,
        host_paths: spec.volumes.into_iter().filter_map(|volume| volume.source.host_path).map(|it| it.path).collect(),
        containers: init.chain(app).chain(ephemeral).collect(),
    }
}

pub(super) fn status(read: &VisiblePod) -> wit::Status {
    let status = read.status();
    let containers = [status.init_container_statuses, status.container_statuses, status.ephemeral_container_statuses];
    wit::Status {
        phase: phase(&status.phase),
        reason: text(status.reason),
        message: text(status.message),
        started: seconds(status.start_time),
        qos_class: text(status.qos_class),
        host_ip: text(status.host_ip),
        pod_ips: if status.pod_ips.is_empty() {
            text(status.pod_ip).into_iter().collect()
        } else {
            status.pod_ips.into_iter().map(|it| it.ip).collect()
        },
        nominated_node: text(status.nominated_node_name),
        conditions: status.conditions.into_iter().map(condition).collect(),
        containers: with_kinds(read, containers, |it| &it.name).map(container_status).collect(),
    }
}

pub(super) fn health(read: &VisiblePod) -> wit::Health {
    let health = read.health();
    let containers = [health.init_containers, health.containers, health.ephemeral_containers];
    wit::Health {
        phase: phase(&health.phase),
        reason: text(health.reason),
        ready: health.ready,
        terminating: health.terminating,
        containers: with_kinds(read, containers, |it| &it.name).map(container_health).collect(),
    }
}

fn phase(phase: &str) -> wit::Phase {
    match phase {
        "Pending" => wit::Phase::Pending,
        "Running" => wit::Phase::Running,
        "Succeeded" => wit::Phase::Succeeded,
        "Failed" => wit::Phase::Failed,
        _ => wit::Phase::Unknown,
    }
}

/// Init containers, containers and ephemeral containers, one behind the other, each with its role.
///
/// What is told of a container names it; whether an init container is a sidecar stands in the spec, which few pods are decoded for.
fn with_kinds<T>(
    read: &VisiblePod,
    [init, app, ephemeral]: [Vec<T>; 3],
    name: impl Fn(&T) -> &str,
) -> impl Iterator<Item = (T, wit::ContainerKind)> {
    let sidecars = if init.is_empty() { Vec::new() } else { read.sidecars() };
    let init = init.into_iter().map(move |it| {
        let is_sidecar = sidecars.iter().any(|sidecar| sidecar == name(&it));
        (it, if is_sidecar { wit::ContainerKind::Sidecar } else { wit::ContainerKind::Init })
    });
    let app = app.into_iter().map(|it| (it, wit::ContainerKind::App));
    let ephemeral = ephemeral.into_iter().map(|it| (it, wit::ContainerKind::Ephemeral));
    init.chain(app).chain(ephemeral)
}

fn container(container: Container, kind: wit::ContainerKind) -> wit::Container {
    wit::Container {
        name: container.name,
        kind,
        image: container.image,
        requests: quantities(container.resources.requests),
        limits: quantities(container.resources.limits),
        privileged: container.security_context.privileged,
        liveness_probe: container.liveness_probe.is_some(),
        readiness_probe: container.readiness_probe.is_some(),
        startup_probe: container.startup_probe.is_some(),
    }
}

fn container_status((status, kind): (ContainerStatus, wit::ContainerKind)) -> wit::ContainerStatus {
    wit::ContainerStatus {
        name: status.name,
        kind,
        image: status.image,
        image_id: status.image_id,
        ready: status.ready,
        restarts: restarts(status.restart_count),
        state: state(status.state),
        last_termination: status.last_state.terminated.map(termination),
    }
}

fn container_health((health, kind): (ContainerHealth, wit::ContainerKind)) -> wit::ContainerHealth {
    wit::ContainerHealth {
        name: health.name,
        kind,
        ready: health.ready,
        restarts: restarts(health.restart_count),
        state: match health.state {
            StateKind::Waiting => wit::ContainerStateKind::Waiting,
            StateKind::Running => wit::ContainerStateKind::Running,
            StateKind::Terminated => wit::ContainerStateKind::Terminated,
        },
        reason: text(health.reason),
        last_reason: text(health.last_reason),
    }
}

fn restarts(count: i32) -> u32 {
    u32::try_from(count).unwrap_or(0)
}

fn state(state: ContainerState) -> wit::ContainerState {
    match (state.terminated, state.running, state.waiting) {
        (Some(terminated), _, _) => wit::ContainerState::Terminated(termination(terminated)),
        (None, Some(running), _) => wit::ContainerState::Running(seconds(running.started_at)),
        (None, None, Some(waiting)) => {
            wit::ContainerState::Waiting(wit::Waiting { reason: text(waiting.reason), message: text(waiting.message) })
        }
        // "If none of its members is specified, the default one is ContainerStateWaiting": the API's documentation.
        (None, None, None) => wit::ContainerState::Waiting(wit::Waiting { reason: None, message: None }),
    }
}

fn termination(terminated: ContainerStateTerminated) -> wit::Termination {
    wit::Termination {
        exit_code: terminated.exit_code,
        signal: Some(terminated.signal).filter(|signal| *signal != 0),
        reason: text(terminated.reason),
        message: text(terminated.message),
        started: seconds(terminated.started_at),
        finished: seconds(terminated.finished_at),
    }
}

fn condition(condition: PodCondition) -> wit::Condition {
    wit::Condition {
        type_: condition.kind,
        status: match condition.status.as_str() {
            "True" => wit::ConditionStatus::True,
            "False" => wit::ConditionStatus::False,
            _ => wit::ConditionStatus::Unknown,
        },
        reason: text(condition.reason),
        message: text(condition.message),
        last_transition: seconds(condition.last_transition_time),
    }
}

fn quantities(quantities: BTreeMap<String, Quantity>) -> Vec<(String, String)> {
    quantities.into_iter().map(|(resource, quantity)| (resource, quantity.text)).collect()
}

fn text(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn seconds(time: Option<Time>) -> Option<i64> {
    time.filter(|time| *time != Time::default()).map(|time| time.seconds)
}
