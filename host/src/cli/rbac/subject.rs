//! Who is given access: a service account, or a user as kubeconfigs have them.

use std::fmt;

use super::naming::{fold, hashed};
use super::yaml::scalar;
use crate::kube::{Namespace, ServiceAccount};

/// The account that podlens recommends, by which names need no more than `podlens`.
pub(in crate::cli) const ACCOUNT: &str = "podlens";

/// What tells the names of users' roles from accounts'.
const USER: &str = "user-";

/// A subject of a role binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Subject {
    Account(ServiceAccount),
    User(String),
}

impl Subject {
    /// The one that the API server calls so.
    pub(in crate::cli) fn of_user(user: &str) -> Self {
        ServiceAccount::of_user(user).map_or_else(|| Self::User(user.to_owned()), Self::Account)
    }

    /// What its role and binding are called in a namespace, or, cluster-wide, in none. Two subjects never share a binding: applying
    /// the one would take the access of the other.
    pub(super) fn access_name(&self, namespace: Option<&Namespace>) -> String {
        match self {
            Self::Account(account) if account.name() == ACCOUNT && Some(&account.namespace) == namespace => ACCOUNT.to_owned(),
            Self::Account(account) => {
                let is_own = Some(&account.namespace) == namespace;
                let place = if is_own { String::new() } else { format!("{}.", account.namespace) };
                let name = format!("{ACCOUNT}-{place}{}", account.name());
                // A dot is what stands between namespace and name of another account, and this is what users' names begin with.
                let is_ambiguous = account.name().contains('.') || (is_own && account.name().starts_with(USER));
                if is_ambiguous { hashed(&name, &account.user()) } else { name }
            }
            Self::User(user) => format!("{ACCOUNT}-{USER}{}", fold(user, user)),
        }
    }

    /// The flag of `kubectl create rolebinding`, as one argument.
    pub(super) fn flag(&self) -> String {
        match self {
            Self::Account(account) => format!("--serviceaccount={account}"),
            Self::User(user) => format!("--user={user}"),
        }
    }

    /// The entry in a binding's `subjects`.
    pub(super) fn yaml(&self) -> String {
        match self {
            Self::Account(account) => {
                let (name, namespace) = (scalar(account.name()), scalar(account.namespace.as_str()));
                format!("- kind: ServiceAccount\n  name: {name}\n  namespace: {namespace}\n")
            }
            Self::User(user) => format!("- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: {}\n", scalar(user)),
        }
    }
}

/// As in a sentence.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "the service account `{}` of namespace `{}`", account.name(), account.namespace),
            Self::User(user) => write!(f, "the user `{}`", crate::text::excerpt(user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_subjects_share_a_name() {
        let [shop, infra] = ["shop", "infra"].map(|name| Namespace::parse(name).unwrap());
        for (user, namespace, expected) in [
            ("system:serviceaccount:shop:podlens", Some(&shop), "podlens"),
            ("system:serviceaccount:shop:default", Some(&shop), "podlens-default"),
            ("system:serviceaccount:shop:podlens", Some(&infra), "podlens-shop.podlens"),
            ("system:serviceaccount:shop:podlens", None, "podlens-shop.podlens"),
            ("jane", Some(&shop), "podlens-user-jane"),
            ("jane@example.com", Some(&shop), "podlens-user-jane-example-com-30598acc"),
            ("jane.example.com", Some(&shop), "podlens-user-jane-example-com-631fbdbe"),
            ("system:serviceaccount:infra:podlens", Some(&shop), "podlens-infra.podlens"),
            ("system:serviceaccount:shop:infra.podlens", Some(&shop), "podlens-infra.podlens-e768ce6b"),
            ("system:serviceaccount:shop:infra.podlens", None, "podlens-shop.infra.podlens-e768ce6b"),
            ("system:serviceaccount:shop:user-jane", Some(&shop), "podlens-user-jane-892fe5e6"),
        ] {
            assert_eq!(Subject::of_user(user).access_name(namespace), expected);
        }
    }
}
