//! Where a list goes on, and the continue token that tells it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::pods::RESOURCE_VERSION;
use super::status::Status;
use crate::kube::Pod;

/// A place in the order of pods: after the pod of this namespace and name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    namespace: String,
    name: String,
}

/// The content of a continue token, in the API server's form (apiserver `pkg/storage/continue.go`).
#[derive(Serialize, Deserialize)]
struct Token {
    v: String,
    rv: u64,
    /// `NAMESPACE/NAME` and a NUL: the first key after that pod's.
    start: String,
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

impl Position {
    pub(super) fn of(pod: &Pod) -> Self {
        Self { namespace: pod.metadata.namespace.clone(), name: pod.metadata.name.clone() }
    }

    pub(super) fn encode(&self) -> String {
        let start = format!("{}/{}\0", self.namespace, self.name);
        let token = Token { v: TOKEN_VERSION.into(), rv: RESOURCE_VERSION, start };
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).expect("two texts and a number are JSON"))
    }

    /// `None` for an empty token: the beginning.
    pub(super) fn decode(text: &str) -> Result<Option<Self>, Status> {
        if text.is_empty() {
            return Ok(None);
        }
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|token| serde_json::from_slice::<Token>(&token).ok());
        decoded
            .filter(|token| token.v == TOKEN_VERSION && token.rv == RESOURCE_VERSION)
            .and_then(|token| {
                let (namespace, name) = token.start.strip_suffix('\0')?.split_once('/')?;
                Some(Some(Self { namespace: namespace.into(), name: name.into() }))
            })
            .ok_or_else(|| Status::bad_request("continue key is not valid: it is not one that this server gave".into()))
    }
}
