//! Small answers about the cluster itself: its version, and who we are to it.

use super::DecodeError;

/// What `/version` says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerVersion {
    /// Such as `v1.37.2`.
    pub git_version: String,
    /// Such as `linux/amd64`.
    #[serde(default)]
    pub platform: String,
}

/// Who the API server says we are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct SelfSubjectReview {
    /// Such as `system:serviceaccount:shop:reader`.
    #[serde(default)]
    pub username: String,
    /// The groups, such as `system:authenticated`.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl ServerVersion {
    pub(crate) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(body).map_err(|_| DecodeError::malformed("version"))
    }
}

impl SelfSubjectReview {
    pub(crate) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        #[derive(serde::Deserialize)]
        struct Review {
            kind: String,
            status: ReviewStatus,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ReviewStatus {
            user_info: SelfSubjectReview,
        }
        let review: Review = serde_json::from_slice(body).map_err(|_| DecodeError::malformed("SelfSubjectReview"))?;
        if review.kind != "SelfSubjectReview" {
            return Err(DecodeError::wrong_kind("SelfSubjectReview", &review.kind));
        }
        Ok(review.status.user_info)
    }
}
