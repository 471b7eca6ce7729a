//! A pod as a query sees it: what was admitted, without what is withheld.

use std::borrow::Cow;
use std::fmt;

use super::redaction::{self, LAST_APPLIED, Redaction, Withheld};
#[cfg(feature = "cli")]
use crate::kube::Pod;
use crate::kube::{ContainerState, ContainerStatus, ObjectMeta, PodHealth, PodSpec, PodStatus, ReadPod};

/// An admitted pod, and all that a query can get of it. [`PodRequest::admit`](super::PodRequest::admit) is its only constructor.
///
/// What is withheld is left out when a part is asked for; where nothing is, that costs nothing.
pub(crate) struct VisiblePod {
    read: ReadPod,
    withheld: Withheld,
}

/// Its name alone: what is withheld must not get into a log either.
impl fmt::Debug for VisiblePod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisiblePod").field("key", &self.key()).finish_non_exhaustive()
    }
}

impl VisiblePod {
    pub(super) fn new(read: ReadPod, withheld: Withheld) -> Self {
        Self { read, withheld }
    }

    pub(crate) fn namespace(&self) -> &str {
        self.read.namespace()
    }

    pub(crate) fn name(&self) -> &str {
        self.read.name()
    }

    /// The text `namespace/name`.
    pub(crate) fn key(&self) -> &str {
        self.read.key()
    }

    pub(crate) fn metadata(&self) -> ObjectMeta {
        let mut metadata = self.read.metadata();
        for redaction in self.withheld.iter() {
            match redaction {
                Redaction::Env => {
                    metadata.annotations.remove(LAST_APPLIED);
                }
                Redaction::Annotations => metadata.annotations.clear(),
                Redaction::Labels => metadata.labels.clear(),
                Redaction::Images | Redaction::Ips | Redaction::Messages | Redaction::Nodes => {}
            }
        }
        metadata
    }

    pub(crate) fn spec(&self) -> PodSpec {
        let mut spec = self.read.spec();
        for redaction in self.withheld.iter() {
            match redaction {
                Redaction::Images => {
                    let containers = spec.init_containers.iter_mut().chain(&mut spec.containers);
                    let ephemeral = spec.ephemeral_containers.iter_mut().map(|container| &mut container.common);
                    containers.chain(ephemeral).for_each(|container| container.image.clear());
                }
                Redaction::Nodes => spec.node_name.clear(),
                // Of variables nothing is decoded.
                Redaction::Env | Redaction::Annotations | Redaction::Labels | Redaction::Ips | Redaction::Messages => {}
            }
        }
        spec
    }

    pub(crate) fn status(&self) -> PodStatus {
        let mut status = self.read.status();
        for redaction in self.withheld.iter() {
            match redaction {
                Redaction::Images => containers(&mut status).for_each(|container| {
                    container.image.clear();
                    container.image_id.clear();
                }),
                Redaction::Ips => {
                    status.host_ip.clear();
                    status.pod_ip.clear();
                    status.pod_ips.clear();
                }
                Redaction::Messages => {
                    status.message.clear();
                    status.conditions.iter_mut().for_each(|condition| condition.message.clear());
                    containers(&mut status).for_each(|container| {
                        clear_messages(&mut container.state);
                        clear_messages(&mut container.last_state);
                    });
                }
                Redaction::Nodes => status.nominated_node_name.clear(),
                Redaction::Env | Redaction::Annotations | Redaction::Labels => {}
            }
        }
        status
    }

    pub(crate) fn health(&self) -> PodHealth {
        for redaction in self.withheld.iter() {
            match redaction {
                // Words such as `OOMKilled` are no messages. Of the rest nothing is decoded.
                Redaction::Env
                | Redaction::Annotations
                | Redaction::Labels
                | Redaction::Images
                | Redaction::Ips
                | Redaction::Messages
                | Redaction::Nodes => {}
            }
        }
        self.read.health()
    }

    /// The names of its sidecars.
    pub(crate) fn sidecars(&self) -> Vec<String> {
        self.read.sidecars()
    }

    /// Its whole object, where it has one. Where something is withheld, each call parses it, once.
    pub(crate) fn object(&self) -> Option<Cow<'_, str>> {
        let object = self.read.object()?;
        if self.withheld.is_empty() {
            return Some(Cow::Borrowed(object));
        }
        redaction::without(object, self.withheld).map(Cow::Owned)
    }

    /// About how much memory it takes, in bytes, with what is withheld.
    pub(crate) fn size_bytes(&self) -> usize {
        self.read.size_bytes()
    }
}

fn containers(status: &mut PodStatus) -> impl Iterator<Item = &mut ContainerStatus> {
    let PodStatus { init_container_statuses, container_statuses, ephemeral_container_statuses, .. } = status;
    init_container_statuses.iter_mut().chain(container_statuses).chain(ephemeral_container_statuses)
}

fn clear_messages(state: &mut ContainerState) {
    state.waiting.iter_mut().for_each(|waiting| waiting.message.clear());
    state.terminated.iter_mut().for_each(|terminated| terminated.message.clear());
}

/// A pod without what is withheld, for keeping: not even whoever keeps it has that then. Without its object, too.
#[cfg(feature = "cli")]
pub(crate) fn stripped(read: ReadPod, withheld: Withheld) -> ReadPod {
    if withheld.is_empty() {
        return read.without_object();
    }
    let visible = VisiblePod::new(read, withheld);
    ReadPod::new(&Pod { metadata: visible.metadata(), spec: visible.spec(), status: visible.status() })
}
