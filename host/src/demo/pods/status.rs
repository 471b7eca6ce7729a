//! A pod's status as scheduler and kubelet write it, told from how the pod is to be.

use jiff::Timestamp;

use super::super::identity;
use super::build::{NODES, Slot};
use super::workload::{Health, minutes};
use crate::kube::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod,
    PodCondition, PodIp, PodSpec, PodStatus, Time,
};

/// What a signal 9 becomes as an exit status.
const KILLED: i32 = 128 + 9;

/// The moments of a pod's life, in seconds since 1970.
#[derive(Clone, Copy)]
struct Times {
    created: i64,
    started: i64,
    /// When its container last failed, if it fails again and again: since then it waits out its back-off of 5 minutes.
    crashed: i64,
    now: i64,
}

impl Times {
    fn of(pod: &Pod, now: Timestamp) -> Self {
        let now = now.as_second();
        let created = pod.metadata.creation_timestamp.map_or(now, |time| time.seconds);
        // Images are pulled, volumes mounted.
        let started = created + 3 + i64::from(identity::below(9, &[&pod.metadata.uid, "started"]));
        let crashed = now - 40 - i64::from(identity::below(200, &[&pod.metadata.uid, "crashed"]));
        Self { created, started, crashed, now }
    }
}

/// The status of a pod whose metadata and spec are complete. Without a slot it is on no node.
pub(super) fn status(pod: &Pod, health: Health, now: Timestamp, slot: Option<Slot>) -> PodStatus {
    let times = Times::of(pod, now);
    let mut status = PodStatus { qos_class: qos_class(&pod.spec).into(), ..PodStatus::default() };
    let Some(slot) = slot else { return unscheduled(status, times.created) };
    status.host_ip = slot.node_ip.into();
    status.start_time = Some(Time { seconds: times.created });
    status.pod_ip = if pod.spec.host_network { slot.node_ip.into() } else { slot.pod_ip };
    status.pod_ips = vec![PodIp { ip: status.pod_ip.clone() }];
    (status.phase, status.reason, status.message) = phase(pod, health);
    status.container_statuses = containers(pod, health, times);
    status.init_container_statuses =
        pod.spec.init_containers.iter().map(|container| running(container, times.created + 2)).collect();
    status.conditions = conditions(&status, health, times);
    status
}

fn unscheduled(status: PodStatus, created: i64) -> PodStatus {
    let all = NODES.len();
    let message = format!(
        "0/{all} nodes are available: {all} Insufficient memory. preemption: 0/{all} nodes are available: \
         {all} No preemption victims found for incoming pod."
    );
    PodStatus {
        phase: "Pending".into(),
        conditions: vec![condition("PodScheduled", Some(("Unschedulable", message)), created)],
        ..status
    }
}

/// Phase, reason and message.
fn phase(pod: &Pod, health: Health) -> (String, String, String) {
    let evicted = || {
        let name = pod.spec.containers.first().map_or("", |container| &container.name);
        format!(
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 87300Ki. Container {name} was using \
             1892340Ki, request is 128Mi, has larger consumption of memory. "
        )
    };
    let (phase, reason, message) = match health {
        Health::Completed => ("Succeeded", "", String::new()),
        Health::Failed => ("Failed", "", String::new()),
        Health::Evicted => ("Failed", "Evicted", evicted()),
        Health::ImageMissing | Health::Unschedulable => ("Pending", "", String::new()),
        _ => ("Running", "", String::new()),
    };
    (phase.into(), reason.into(), message)
}

/// The first container has the trouble; the others run as long as the pod does.
fn containers(pod: &Pod, health: Health, times: Times) -> Vec<ContainerStatus> {
    let containers = pod.spec.containers.iter().enumerate();
    containers
        .map(|(index, container)| {
            let ends = matches!(health, Health::Completed | Health::Failed | Health::Evicted | Health::Terminating { .. });
            if index > 0 && !ends { running(container, times.started) } else { troubled(pod, container, health, times) }
        })
        .collect()
}

fn troubled(pod: &Pod, container: &Container, health: Health, times: Times) -> ContainerStatus {
    let Times { started, crashed, now, .. } = times;
    let mut status = running(container, started);
    match health {
        Health::Healthy => {}
        Health::Restarted { restarts, ago } => {
            status.restart_count = restarts;
            status.last_state = ended(1, "Error", started, now - ago);
            status.state = runs_since(now - ago + 1);
        }
        Health::CrashLooping { restarts } => {
            status.ready = false;
            status.restart_count = restarts;
            status.last_state = ended(KILLED, "OOMKilled", crashed - 41, crashed);
            status.state = waiting(
                "CrashLoopBackOff",
                format!(
                    "back-off 5m0s restarting failed container={} pod={}_{}({})",
                    container.name, pod.metadata.name, pod.metadata.namespace, pod.metadata.uid
                ),
            );
        }
        Health::NotReady { .. } => status.ready = false,
        Health::ImageMissing | Health::Unschedulable => {
            status.ready = false;
            status.image_id = String::new();
            let image = &container.image;
            status.state = waiting(
                "ImagePullBackOff",
                format!(
                    "Back-off pulling image {image:?}: ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack \
                     image {image:?}: failed to resolve reference {image:?}: {image}: not found"
                ),
            );
        }
        Health::Completed => status = over(status, ended(0, "Completed", started, started + 412)),
        Health::Failed => status = over(status, ended(1, "Error", started, started + 97)),
        Health::Evicted => status = over(status, ended(KILLED, "Error", started, started + minutes(151))),
        // The node no longer tells.
        Health::Terminating { .. } => {}
    }
    status
}

fn running(container: &Container, since: i64) -> ContainerStatus {
    let image = container.image.split('@').next().unwrap_or_default();
    let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
    ContainerStatus {
        name: container.name.clone(),
        state: runs_since(since),
        ready: true,
        image: container.image.clone(),
        image_id: format!("{repository}@{}", identity::digest(&[image])),
        ..ContainerStatus::default()
    }
}

fn over(status: ContainerStatus, state: ContainerState) -> ContainerStatus {
    ContainerStatus { ready: false, state, ..status }
}

fn runs_since(since: i64) -> ContainerState {
    let running = ContainerStateRunning { started_at: Some(Time { seconds: since }) };
    ContainerState { running: Some(running), ..ContainerState::default() }
}

fn waiting(reason: &str, message: String) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: reason.into(), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

fn ended(exit_code: i32, reason: &str, started: i64, finished: i64) -> ContainerState {
    let terminated = ContainerStateTerminated {
        exit_code,
        reason: reason.into(),
        started_at: Some(Time { seconds: started }),
        finished_at: Some(Time { seconds: finished }),
        ..ContainerStateTerminated::default()
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}

fn conditions(status: &PodStatus, health: Health, times: Times) -> Vec<PodCondition> {
    let Times { created, started, crashed, now } = times;
    let unready: Vec<&str> =
        status.container_statuses.iter().filter(|container| !container.ready).map(|container| &*container.name).collect();
    let over = match &*status.phase {
        "Succeeded" => Some(("PodCompleted", String::new())),
        "Failed" => Some(("PodFailed", String::new())),
        _ => None,
    };
    let why_unready = over.clone().or_else(|| {
        let message = || format!("containers with unready status: [{}]", unready.join(" "));
        (!unready.is_empty()).then(|| ("ContainersNotReady", message()))
    });
    let changed = match health {
        Health::Restarted { ago, .. } => now - ago + 6,
        Health::CrashLooping { .. } => crashed,
        Health::NotReady { since } => now - since,
        Health::ImageMissing => created,
        _ => finished(status).unwrap_or(started + 5),
    };
    // A node that is silent makes its pods unready (kube-controller-manager, node lifecycle), and tells no reason.
    let silent = match health {
        Health::Terminating { since } => Some((("", String::new()), now - since)),
        _ => None,
    };
    let (why_ready, ready_changed) = match silent {
        Some((why, since)) => (Some(why), since),
        None => (why_unready.clone(), changed),
    };
    let mut conditions = vec![
        condition("PodReadyToStartContainers", over.map(|_| ("", String::new())), finished(status).unwrap_or(created + 2)),
        condition("Initialized", None, created + 2),
        condition("Ready", why_ready, ready_changed),
        condition("ContainersReady", why_unready, changed),
        condition("PodScheduled", None, created),
    ];
    if health == Health::Evicted {
        let reason = "TerminationByKubelet".into();
        let target = condition("DisruptionTarget", None, changed);
        conditions.insert(0, PodCondition { reason, message: status.message.clone(), ..target });
    }
    conditions
}

/// When the containers of a pod that is over ended.
fn finished(status: &PodStatus) -> Option<i64> {
    let state = &status.container_statuses.first()?.state;
    Some(state.terminated.as_ref()?.finished_at?.seconds)
}

/// A condition that holds, or the reason and message why it does not.
fn condition(kind: &str, why_not: Option<(&str, String)>, changed: i64) -> PodCondition {
    let holds = why_not.is_none();
    let (reason, message) = why_not.unwrap_or_default();
    PodCondition {
        kind: kind.into(),
        status: if holds { "True" } else { "False" }.into(),
        last_transition_time: Some(Time { seconds: changed }),
        reason: reason.into(),
        message,
    }
}

/// The quality of service class (kubernetes `pkg/apis/core/v1/helper/qos/qos.go`).
fn qos_class(spec: &PodSpec) -> &'static str {
    let resources = || spec.init_containers.iter().chain(&spec.containers).map(|container| &container.resources);
    if resources().all(|resources| resources.requests.is_empty() && resources.limits.is_empty()) {
        "BestEffort"
    } else if resources().all(|resources| resources.limits.len() == 2 && resources.requests == resources.limits) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}
