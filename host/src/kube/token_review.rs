//! Whose token is this? What is asked of the API server, and what it answers.

use serde_json::{Value, json};

use super::{DecodeError, ServiceAccount};

/// The TokenReview to post. The token is in it: a request with it is not to be shown.
pub(super) fn review(token: &str, audience: &str) -> Value {
    json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": { "token": token, "audiences": [audience] },
    })
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reviewed {
    /// This account's, and meant for the audience that was asked about.
    ServiceAccount(ServiceAccount),
    /// Somebody's who is no service account.
    Somebody,
    /// Nobody's, or meant for others: the API server does not say which.
    Nobody,
}

impl Reviewed {
    /// Reads the answer. A server that does not know audiences names none, and is not believed.
    pub(crate) fn decode(body: &[u8], audience: &str) -> Result<Self, DecodeError> {
        #[derive(serde::Deserialize)]
        struct Review {
            kind: String,
            #[serde(default)]
            status: Status,
        }
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Status {
            authenticated: bool,
            user: User,
            audiences: Vec<String>,
        }
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct User {
            username: String,
        }
        let Review { kind, status } = serde_json::from_slice(body).map_err(|_| DecodeError::malformed("TokenReview"))?;
        if kind != "TokenReview" {
            return Err(DecodeError::wrong_kind("TokenReview", &kind));
        }
        if !status.authenticated || !status.audiences.iter().any(|named| named == audience) {
            return Ok(Self::Nobody);
        }
        Ok(ServiceAccount::of_user(&status.user.username).map_or(Self::Somebody, Self::ServiceAccount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_somebodys_for_an_audience() {
        let answer = |status: Value| {
            let body = json!({ "kind": "TokenReview", "status": status }).to_string();
            Reviewed::decode(body.as_bytes(), "podlens").unwrap()
        };
        let user = "system:serviceaccount:shop:dashboards";
        let account = Reviewed::ServiceAccount(ServiceAccount::of_user(user).unwrap());
        for (status, expected) in [
            (json!({ "authenticated": true, "user": { "username": user }, "audiences": ["podlens"] }), account),
            (json!({ "authenticated": true, "user": { "username": "jane" }, "audiences": ["podlens"] }), Reviewed::Somebody),
            (json!({ "authenticated": true, "user": { "username": user }, "audiences": ["other"] }), Reviewed::Nobody),
            (json!({ "authenticated": true, "user": { "username": user } }), Reviewed::Nobody),
            (json!({ "authenticated": false, "user": { "username": user }, "audiences": ["podlens"] }), Reviewed::Nobody),
            (json!({ "error": "expired" }), Reviewed::Nobody),
        ] {
            assert_eq!(answer(status.clone()), expected, "{status}");
        }
        Reviewed::decode(br#"{"kind":"Status"}"#, "podlens").unwrap_err();
        Reviewed::decode(b"<html>", "podlens").unwrap_err();
    }
}
