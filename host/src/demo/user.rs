//! Who a request is made as: what the API server knows of somebody once credentials and impersonation are behind it.

use serde_json::{Value, json};

use super::account::Account;
use crate::kube::ServiceAccount;

const ANONYMOUS: &str = "system:anonymous";
const UNAUTHENTICATED: &str = "system:unauthenticated";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    /// Empty for one who is impersonated: only a token tells it.
    pub(super) uid: String,
    pub(super) groups: Vec<String>,
}

impl User {
    /// One who shows no credentials.
    pub(super) fn anonymous() -> Self {
        Self { name: ANONYMOUS.to_owned(), groups: vec![UNAUTHENTICATED.to_owned()], ..Self::default() }
    }

    /// The holder of the account's token.
    pub(super) fn of(account: Account) -> Self {
        let user = account.user();
        let groups = ServiceAccount::of_user(&user).map(|account| account.groups().to_vec()).unwrap_or_default();
        Self { name: user, uid: account.uid(), groups }
    }

    /// One who is impersonated as this service account.
    pub(super) fn impersonated(account: &ServiceAccount) -> Self {
        Self { name: account.user(), uid: String::new(), groups: account.groups().to_vec() }
    }

    /// `authentication.k8s.io/v1` UserInfo.
    pub(super) fn info(&self) -> Value {
        let mut info = json!({ "username": self.name, "groups": self.groups });
        if !self.uid.is_empty() {
            info["uid"] = self.uid.clone().into();
        }
        info
    }
}
