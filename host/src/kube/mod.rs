//! Kubernetes without I/O: names, selectors, requests, pods, and the decoding of answers.
//!
//! Nothing here opens a socket, reads a file or knows a guest. `client` sends what `Request` describes;
//! `ListDecoder` and `decode_pod` read what comes back. Start with `request.rs`.

mod access;
#[cfg(feature = "cli")]
mod account;
#[cfg(feature = "cli")]
mod claims;
mod decode;
mod field_selector;
#[cfg(feature = "cli")]
mod forward;
mod health;
mod kept;
mod label_selector;
mod list_decoder;
mod manifest;
mod name;
mod pod;
mod read_pod;
mod request;
mod review;
#[cfg(feature = "cli")]
mod rules;
mod shape;
mod status;
#[cfg(feature = "cli")]
mod token_review;
mod watch_event;

pub use access::{Access, AccessAnswer};
#[cfg(feature = "cli")]
pub(crate) use account::ServiceAccount;
#[cfg(feature = "cli")]
pub(crate) use claims::{ClaimsError, TokenClaims};
#[cfg(test)]
pub(crate) use decode::decode_list;
pub(crate) use decode::{DecodeError, PodList, decode_pod};
pub use field_selector::FieldSelector;
#[cfg(feature = "cli")]
pub(crate) use forward::{
    ForwardGet, ForwardList, Health, IncludeObject, ListParameters, Representation, ResourceVersionMatch, View, Watch,
};
pub use health::{ContainerHealth, PodHealth, StateKind};
pub use label_selector::LabelSelector;
pub(crate) use list_decoder::ListDecoder;
pub use manifest::{Manifest, ManifestError};
pub use name::{NameError, Namespace, PodName};
pub use pod::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    EphemeralContainer, HostPath, ObjectMeta, OwnerReference, Pod, PodCondition, PodIp, PodSpec, PodStatus, Probe, Quantity,
    ResourceRequirements, SecurityContext, Time, Volume, VolumeSource,
};
#[cfg(feature = "cli")]
pub(crate) use pod::{Envelope, ListMeta, PROTOBUF_MAGIC};
pub use read_pod::ReadPod;
pub use request::Detail;
pub(crate) use request::{Accept, ContinueToken, ListPods, PAGE_LIMIT, Request, WatchPods};
pub use review::{SelfSubjectReview, ServerVersion};
#[cfg(feature = "cli")]
pub(crate) use rules::Rules;
pub(crate) use status::Status;
#[cfg(feature = "cli")]
pub(crate) use token_review::Reviewed;
pub(crate) use watch_event::WatchEvent;

/// Why a selector was refused: which part of it, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError {
    message: String,
}

impl SelectorError {
    fn new(message: String) -> Self {
        Self { message }
    }
}

impl std::fmt::Display for SelectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SelectorError {}
