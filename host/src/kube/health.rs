//! How a pod does: the little of its metadata and status that most queries look at first, decoded without the rest.
//!
//! Most of a status is texts that few look at: images, messages, conditions that hold. Here they are skipped.

use super::kept::{DecodeMessage, fields, fields_of};
use super::pod::Time;
use super::shape::{Malformed, delimited, skip};

/// How a pod does, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodHealth {
    /// Phase.
    pub phase: String,
    /// Word for why.
    pub reason: String,
    /// Whether the condition `Ready` holds.
    pub ready: bool,
    /// Whether its deletion was asked for.
    pub terminating: bool,
    /// Init containers.
    pub init_containers: Vec<ContainerHealth>,
    /// Containers.
    pub containers: Vec<ContainerHealth>,
    /// Ephemeral containers.
    pub ephemeral_containers: Vec<ContainerHealth>,
}

/// How a container does, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerHealth {
    /// Name.
    pub name: String,
    /// Passes its readiness probe.
    pub ready: bool,
    /// Restarts.
    pub restart_count: i32,
    /// Now.
    pub state: StateKind,
    /// Word for why it waits, or how it ended.
    pub reason: String,
    /// Word for how it ended the time before.
    pub last_reason: String,
}

/// What a container does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateKind {
    /// It waits, or nothing is known. "If none of its members is specified, the default one is ContainerStateWaiting": the API's
    /// documentation.
    #[default]
    Waiting,
    /// It runs.
    Running,
    /// It ended.
    Terminated,
}

impl PodHealth {
    /// Of an encoded [`ObjectMeta`](super::ObjectMeta) and [`PodStatus`](super::PodStatus), read by `decoded`.
    pub(super) fn of(metadata: Metadata, status: Status) -> Self {
        let of = |containers: Vec<Container>| containers.into_iter().map(ContainerHealth::from).collect();
        Self {
            phase: status.phase,
            reason: status.reason,
            ready: status.conditions.iter().find(|condition| condition.is_ready).is_some_and(|ready| ready.holds),
            terminating: metadata.deletion_timestamp.is_some_and(|time| time != Time::default()),
            init_containers: of(status.init_containers),
            containers: of(status.containers),
            ephemeral_containers: of(status.ephemeral_containers),
        }
    }
}

/// Of metadata, what this looks at.
#[derive(Default)]
pub(super) struct Metadata {
    deletion_timestamp: Option<Time>,
}

fields_of!(Metadata { 9 => deletion_timestamp, });

/// Of a status, what this looks at.
#[derive(Default)]
pub(super) struct Status {
    phase: String,
    conditions: Vec<Condition>,
    reason: String,
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    ephemeral_containers: Vec<Container>,
}

fields_of!(Status {
    1 => phase,
    2 => conditions,
    4 => reason,
    8 => containers,
    10 => init_containers,
    13 => ephemeral_containers,
});

/// Of a condition only whether it is that one.
#[derive(Default)]
struct Condition {
    is_ready: bool,
    holds: bool,
}

impl DecodeMessage for Condition {
    fn merge(&mut self, kept: &[u8]) -> Result<(), Malformed> {
        fields(kept, |tag, wire_type, kept| {
            match tag {
                1 => self.is_ready = delimited(kept)? == b"Ready",
                2 => self.holds = delimited(kept)? == b"True",
                _ => skip(wire_type, kept)?,
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct Container {
    name: String,
    state: State,
    last_state: State,
    ready: bool,
    restart_count: i32,
}

fields_of!(Container {
    1 => name,
    2 => state,
    3 => last_state,
    4 => ready,
    5 => restart_count,
});

impl From<Container> for ContainerHealth {
    fn from(container: Container) -> Self {
        let State { waiting, running, terminated } = container.state;
        let (state, reason) = match (terminated, running, waiting) {
            (Some(terminated), ..) => (StateKind::Terminated, terminated.reason),
            (None, Some(Running {}), _) => (StateKind::Running, String::new()),
            (None, None, waiting) => (StateKind::Waiting, waiting.map(|waiting| waiting.reason).unwrap_or_default()),
        };
        Self {
            name: container.name,
            ready: container.ready,
            restart_count: container.restart_count,
            state,
            reason,
            last_reason: container.last_state.terminated.map(|terminated| terminated.reason).unwrap_or_default(),
        }
    }
}

#[derive(Default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<Running>,
    terminated: Option<Terminated>,
}

fields_of!(State { 1 => waiting, 2 => running, 3 => terminated, });

#[derive(Default)]
struct Waiting {
    reason: String,
}

fields_of!(Waiting { 1 => reason, });

#[derive(Default)]
struct Running {}

fields_of!(Running {});

#[derive(Default)]
struct Terminated {
    reason: String,
}

fields_of!(Terminated { 3 => reason, });

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde_json::{Value, json};

    use super::super::pod::{ContainerState, ContainerStatus, Pod};
    use super::super::read_pod::ReadPod;
    use super::*;

    /// What the whole status says of it.
    fn by_the_status(read: &ReadPod) -> PodHealth {
        let status = read.status();
        let reason = |state: &ContainerState| {
            let ended = state.terminated.as_ref().map(|it| (StateKind::Terminated, it.reason.clone()));
            let runs = || state.running.as_ref().map(|_| (StateKind::Running, String::new()));
            let waits = || (StateKind::Waiting, state.waiting.as_ref().map(|it| it.reason.clone()).unwrap_or_default());
            ended.or_else(runs).unwrap_or_else(waits)
        };
        let container = |it: ContainerStatus| ContainerHealth {
            ready: it.ready,
            restart_count: it.restart_count,
            state: reason(&it.state).0,
            reason: reason(&it.state).1,
            last_reason: it.last_state.terminated.map(|it| it.reason).unwrap_or_default(),
            name: it.name,
        };
        let containers = |all: Vec<ContainerStatus>| all.into_iter().map(container).collect();
        PodHealth {
            ready: status.conditions.iter().any(|it| it.kind == "Ready" && it.status == "True"),
            terminating: read.metadata().deletion_timestamp.is_some(),
            init_containers: containers(status.init_container_statuses),
            containers: containers(status.container_statuses),
            ephemeral_containers: containers(status.ephemeral_container_statuses),
            phase: status.phase,
            reason: status.reason,
        }
    }

    fn read(metadata: Value, status: &Value) -> ReadPod {
        ReadPod::new(&Pod::deserialize(&json!({ "metadata": metadata, "status": status })).unwrap())
    }

    #[test]
    fn it_is_what_the_whole_pod_says() {
        let states = [
            json!({}),
            json!({ "waiting": {} }),
            json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s" } }),
            json!({ "running": {} }),
            json!({ "running": { "startedAt": "2020-01-02T03:04:05Z" } }),
            json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled", "message": "words", "finishedAt": "2020-01-02T03:04:05Z" } }),
            json!({ "terminated": { "exitCode": 0 }, "running": {}, "waiting": { "reason": "None" } }),
        ];
        let of_kind = |kind: &str| -> Vec<Value> {
            let both = states.iter().flat_map(|state| states.iter().map(move |last| (state, last)));
            let of_number = both.enumerate().map(|(number, (state, last))| {
                json!({ "name": format!("{kind}-{number}"), "state": state, "lastState": last, "ready": number % 2 == 0,
                    "restartCount": number, "image": "web:1", "imageID": "sha256:0" })
            });
            of_number.collect()
        };
        for ready in ["True", "False", "Unknown", ""] {
            for (metadata, terminating) in [(json!({}), false), (json!({ "deletionTimestamp": "2020-01-02T03:04:05Z" }), true)] {
                let read = read(
                    metadata,
                    &json!({
                        "phase": "Running", "reason": "Evicted", "message": "a sentence", "hostIP": "192.0.2.1",
                        "conditions": [
                            { "type": "ContainersReady", "status": "True" },
                            { "type": "Ready", "status": ready, "reason": "True", "message": "Ready" },
                            { "type": "Initialized", "status": "True" },
                        ],
                        "initContainerStatuses": of_kind("init"),
                        "containerStatuses": of_kind("app"),
                        "ephemeralContainerStatuses": of_kind("debug"),
                    }),
                );
                let health = read.health();
                assert_eq!(health, by_the_status(&read));
                assert_eq!((health.ready, health.terminating), (ready == "True", terminating));
                assert_eq!((health.containers.len(), health.phase.as_str(), health.reason.as_str()), (49, "Running", "Evicted"));
            }
        }
    }

    #[test]
    fn a_pod_without_a_status_has_no_health() {
        assert_eq!(read(json!({}), &json!({})).health(), PodHealth::default());
        // Go's zero time is none.
        let zero = json!({ "deletionTimestamp": "0001-01-01T00:00:00Z" });
        assert!(!read(zero, &json!({})).health().terminating);
    }

    #[test]
    fn a_sidecar_is_an_init_container_that_restarts_always() {
        let containers = |policy: Value| json!([{ "name": "a", "restartPolicy": policy }, { "name": "b" }]);
        let sidecars = |policy| {
            let spec = json!({ "initContainers": containers(policy), "containers": containers(json!("Always")) });
            ReadPod::new(&Pod::deserialize(&json!({ "spec": spec })).unwrap()).sidecars()
        };
        assert_eq!(sidecars(json!("Always")), ["a"]);
        assert_eq!(sidecars(json!("OnFailure")), [""; 0]);
    }
}
