//! A service account, and the user and groups that the API server takes it for.

use std::fmt;

use super::Namespace;
use super::name::is_subdomain;

/// The beginning of a service account's user name (k8s.io/apiserver `pkg/authentication/serviceaccount/util.go`).
const USER_PREFIX: &str = "system:serviceaccount:";

/// A service account, by namespace and name. Both are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceAccount {
    pub(crate) namespace: Namespace,
    name: String,
}

impl ServiceAccount {
    /// The account `name` of a namespace; `None` where the name is no RFC 1123 subdomain.
    pub(crate) fn new(namespace: Namespace, name: &str) -> Option<Self> {
        is_subdomain(name).then(|| Self { namespace, name: name.to_owned() })
    }

    /// The account behind a user name; `None` where the user is something else.
    pub(crate) fn of_user(user: &str) -> Option<Self> {
        let (namespace, name) = user.strip_prefix(USER_PREFIX)?.split_once(':')?;
        Self::new(Namespace::parse(namespace).ok()?, name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The user that the API server takes it for.
    pub(crate) fn user(&self) -> String {
        format!("{USER_PREFIX}{}:{}", self.namespace, self.name)
    }

    /// The groups that it is in (the same file, `MakeGroupNames`, and the group of everybody who is known).
    pub(crate) fn groups(&self) -> [String; 3] {
        let own = format!("system:serviceaccounts:{}", self.namespace);
        ["system:serviceaccounts".to_owned(), own, "system:authenticated".to_owned()]
    }
}

/// As kubectl writes it in `--serviceaccount`: `shop:podlens`.
impl fmt::Display for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_an_account_or_is_not() {
        for (user, expected) in [
            ("system:serviceaccount:shop:podlens", Some("shop:podlens")),
            ("system:serviceaccount:shop:a.b", Some("shop:a.b")),
            ("system:serviceaccount:shop:", None),
            ("system:serviceaccount:shop", None),
            ("system:serviceaccount:Shop:podlens", None),
            ("system:serviceaccount:shop:a:b", None),
            ("jane", None),
        ] {
            let account = ServiceAccount::of_user(user);
            assert_eq!(account.as_ref().map(ToString::to_string).as_deref(), expected);
            assert!(account.is_none_or(|account| account.user() == user));
        }
    }

    #[test]
    fn an_account_is_in_three_groups() {
        let account = ServiceAccount::of_user("system:serviceaccount:shop:podlens").unwrap();
        assert_eq!(account.groups(), ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]);
    }
}
