//! The conditions that a list or a watch puts on pods.

use super::query::Query;
use super::status::Status;
use crate::kube::{FieldSelector, LabelSelector, Pod};

#[derive(Debug)]
pub(super) struct Selectors {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selectors {
    pub(super) fn parse(query: &Query) -> Result<Self, Status> {
        let labels = LabelSelector::parse(query.get("labelSelector"));
        let fields = FieldSelector::parse(query.get("fieldSelector"));
        Ok(Self {
            labels: labels.map_err(|error| Status::bad_request(error.to_string()))?,
            fields: fields.map_err(|error| Status::bad_request(error.to_string()))?,
        })
    }

    pub(super) fn match_pod(&self, pod: &Pod) -> bool {
        self.labels.matches(&pod.metadata.labels) && self.fields.matches(pod)
    }

    pub(super) fn are_given(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }
}
