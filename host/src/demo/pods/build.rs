//! From a row of the table to pods: names, owners and labels as the controllers write them, and the spec.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::identity;
use super::workload::{Container, Health, Owner, Resources, Workload};
use super::{RESOURCE_VERSION, status};
use crate::kube::{self, ObjectMeta, OwnerReference, Pod, PodSpec, Quantity, Time};

/// The cluster's nodes, each with its address.
pub(super) const NODES: [(&str, &str); 3] = [("worker-1", "10.0.0.11"), ("worker-2", "10.0.0.12"), ("worker-3", "10.0.0.13")];

/// Where pods are put: the nodes in turn, and on each the addresses in turn.
#[derive(Default)]
pub(super) struct Slots {
    taken: usize,
}

/// A pod's place.
pub(super) struct Slot {
    pub(super) node: &'static str,
    pub(super) node_ip: &'static str,
    pub(super) pod_ip: String,
}

impl Slots {
    /// The next one; on node `node` if that is given.
    fn next(&mut self, node: Option<usize>) -> Slot {
        let node = node.unwrap_or(self.taken) % NODES.len();
        self.taken += 1;
        let (name, node_ip) = NODES[node];
        Slot { node: name, node_ip, pod_ip: format!("10.244.{}.{}", node + 1, self.taken + 1) }
    }
}

/// The pods of one workload as they are at `now`.
pub(super) fn pods_of(workload: &Workload, now: Timestamp, slots: &mut Slots) -> Vec<Pod> {
    let pods = workload.pods.iter().enumerate();
    pods.map(|(index, health)| {
        let node = (workload.owner == Owner::DaemonSet).then_some(index);
        let slot = (*health != Health::Unschedulable).then(|| slots.next(node));
        pod(workload, index, *health, now, slot)
    })
    .collect()
}

fn pod(workload: &Workload, index: usize, health: Health, now: Timestamp, slot: Option<Slot>) -> Pod {
    let metadata = metadata(workload, index, health, now);
    let spec = spec(workload, slot.as_ref());
    let mut pod = Pod { metadata, spec, ..Pod::default() };
    pod.status = status::status(&pod, health, now, slot);
    pod
}

fn metadata(workload: &Workload, index: usize, health: Health, now: Timestamp) -> ObjectMeta {
    let Workload { owner, namespace, name, team, .. } = *workload;
    let ordinal = index.to_string();
    let hash = template_hash(workload);
    let suffix = identity::suffix(&[namespace, name, &hash, &ordinal]);
    let name = match owner {
        Owner::Deployment => format!("{name}-{hash}-{suffix}"),
        Owner::StatefulSet => format!("{name}-{index}"),
        Owner::DaemonSet | Owner::Job => format!("{name}-{suffix}"),
        Owner::None => name.to_owned(),
    };
    // The pods of one template are created within half a minute.
    let created = now.as_second() - workload.age + i64::from(identity::below(30, &[&name, "created"]));
    let deletion_timestamp = match health {
        Health::Terminating { since } => Some(Time { seconds: now.as_second() - since }),
        _ => None,
    };
    ObjectMeta {
        uid: identity::uid(&["Pod", namespace, &name]),
        resource_version: (RESOURCE_VERSION - u64::from(identity::below(90_000, &[&name, "version"]))).to_string(),
        creation_timestamp: Some(Time { seconds: created }),
        deletion_timestamp,
        labels: labels(workload, &hash, &name, &ordinal),
        annotations: annotations(team, workload),
        owner_references: owner_references(workload, &hash),
        namespace: namespace.to_owned(),
        name,
    }
}

/// A template is told by its images: rows of one name and other images are other revisions.
fn template_hash(workload: &Workload) -> String {
    let images: Vec<&str> = workload.containers.iter().map(|container| container.image).collect();
    identity::template_hash(&[workload.namespace, workload.name, &images.join(",")])
}

fn owner_references(workload: &Workload, hash: &str) -> Vec<OwnerReference> {
    let name = workload.name;
    let (api_version, kind, name) = match workload.owner {
        Owner::Deployment => ("apps/v1", "ReplicaSet", format!("{name}-{hash}")),
        Owner::StatefulSet => ("apps/v1", "StatefulSet", name.to_owned()),
        Owner::DaemonSet => ("apps/v1", "DaemonSet", name.to_owned()),
        Owner::Job => ("batch/v1", "Job", name.to_owned()),
        Owner::None => return Vec::new(),
    };
    let uid = identity::uid(&[kind, workload.namespace, &name]);
    vec![OwnerReference { kind: kind.into(), name, uid, api_version: api_version.into(), controller: true }]
}

fn labels(workload: &Workload, hash: &str, pod: &str, ordinal: &str) -> BTreeMap<String, String> {
    let Workload { name, namespace, team, .. } = *workload;
    let revision = format!("{name}-{hash}");
    let job_uid = identity::uid(&["Job", namespace, name]);
    let by_controller: &[(&str, &str)] = match workload.owner {
        Owner::Deployment => &[("pod-template-hash", hash)],
        Owner::StatefulSet => &[
            ("apps.kubernetes.io/pod-index", ordinal),
            ("controller-revision-hash", &revision),
            ("statefulset.kubernetes.io/pod-name", pod),
        ],
        Owner::DaemonSet => &[("controller-revision-hash", hash), ("pod-template-generation", "1")],
        Owner::Job => &[("batch.kubernetes.io/controller-uid", &job_uid), ("batch.kubernetes.io/job-name", name)],
        Owner::None => &[],
    };
    let own = [("app", app(workload)), ("team", team)];
    own.iter().chain(by_controller).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A scheduled Job is named for its minute; what it runs is not.
fn app(workload: &Workload) -> &'static str {
    match workload.name.rsplit_once('-') {
        Some((app, minute)) if minute.bytes().all(|digit| digit.is_ascii_digit()) => app,
        _ => workload.name,
    }
}

fn annotations(team: &str, workload: &Workload) -> BTreeMap<String, String> {
    // What a cluster brings itself is nobody's to page about.
    if workload.namespace == "kube-system" {
        return BTreeMap::new();
    }
    [("example.com/on-call".to_owned(), format!("{team}@example.com"))].into()
}

fn spec(workload: &Workload, slot: Option<&Slot>) -> PodSpec {
    let volumes = workload.host_paths.iter().enumerate().map(|(index, path)| kube::Volume {
        name: format!("host-{index}"),
        source: kube::VolumeSource { host_path: Some(kube::HostPath { path: (*path).to_owned() }) },
    });
    let sidecar =
        workload.sidecar.as_ref().map(|sidecar| kube::Container { restart_policy: Some("Always".into()), ..container(sidecar) });
    PodSpec {
        volumes: volumes.collect(),
        containers: workload.containers.iter().map(container).collect(),
        restart_policy: if workload.owner == Owner::Job { "Never" } else { "Always" }.into(),
        service_account_name: workload.service_account.into(),
        node_name: slot.map_or_else(String::new, |slot| slot.node.to_owned()),
        host_network: workload.host_network,
        host_pid: workload.host_pid,
        scheduler_name: "default-scheduler".into(),
        init_containers: sidecar.into_iter().collect(),
        priority_class_name: workload.priority.map_or_else(String::new, |(class, _)| class.to_owned()),
        priority: Some(workload.priority.map_or(0, |(_, value)| value)),
        ..PodSpec::default()
    }
}

fn container(container: &Container) -> kube::Container {
    let probe = container.probed.then(kube::Probe::default);
    kube::Container {
        name: container.name.into(),
        image: if container.pinned {
            format!("{}@{}", container.image, identity::digest(&[container.image]))
        } else {
            container.image.to_owned()
        },
        resources: resources(container.resources),
        liveness_probe: probe.clone(),
        readiness_probe: probe,
        security_context: kube::SecurityContext { privileged: container.privileged },
        ..kube::Container::default()
    }
}

fn resources(resources: Resources) -> kube::ResourceRequirements {
    let quantities = |cpu: &str, memory: &str| {
        let given = [("cpu", cpu), ("memory", memory)].into_iter().filter(|(_, text)| !text.is_empty());
        given.map(|(name, text)| (name.to_owned(), Quantity { text: text.to_owned() })).collect()
    };
    kube::ResourceRequirements {
        limits: quantities(resources.cpu.1, resources.memory.1),
        requests: quantities(resources.cpu.0, resources.memory.0),
    }
}
