//! Impersonation, as a server since 1.36 has it (apiserver `pkg/endpoints/filters/impersonation/mode.go`): constrained to a kind of
//! user and to what is done as one. The older right, to be somebody for all purposes, nobody has here.

use hyper::HeaderMap;

use super::attributes::{Attributes, Resource, Target};
use super::authorize::{authorize, forbidden};
use super::status::Status;
use super::user::User;
use crate::kube::ServiceAccount;

const USER_HEADER: &str = "impersonate-user";
const HEADERS: &str = "impersonate-";

/// Who the request is made as: who is asked for in its headers, or who makes it.
///
/// No such header is passed over, not even one that the API server does not know: that would answer as somebody else than was asked for.
pub(super) fn impersonate(requestor: User, headers: &HeaderMap, attributes: &Attributes<'_>) -> Result<User, Status> {
    let wanted = headers.get(USER_HEADER).map(|user| String::from_utf8_lossy(user.as_bytes())).unwrap_or_default();
    let more_is_wanted = headers.keys().any(|name| name.as_str().starts_with(HEADERS) && name != USER_HEADER);
    if wanted.is_empty() {
        let without_user = || Status::bad_request("requested a uid, groups or extra without impersonating a user name".into());
        return if more_is_wanted { Err(without_user()) } else { Ok(requestor) };
    }

    let account = ServiceAccount::of_user(&wanted);
    // Of a service account and of a node only the name may be given, as the server knows the rest; of others anything.
    let mode = match (&account, wanted.starts_with("system:node:"), more_is_wanted) {
        (Some(_), _, false) => "serviceaccount",
        (None, true, false) => "arbitrary-node",
        (None, false, _) => "user-info",
        (_, _, true) => return Err(forbidden(&requestor, &the_older_right(&wanted, account.as_ref()))),
    };
    let on = Attributes { verb: format!("impersonate-on:{mode}:{}", attributes.verb).into(), target: attributes.target.clone() };
    match account {
        Some(account) => {
            authorize(&requestor, &on)?;
            authorize(&requestor, &to_be(&account))?;
            Ok(User::impersonated(&account))
        }
        None => Err(forbidden(&requestor, &on)),
    }
}

/// The right to impersonate this account for something.
fn to_be(account: &ServiceAccount) -> Attributes<'_> {
    let target = Target::Resource(Resource {
        group: "authentication.k8s.io",
        namespace: account.namespace.as_str(),
        resource: "serviceaccounts",
        name: account.name().into(),
        ..Resource::default()
    });
    Attributes { verb: "impersonate:serviceaccount".into(), target }
}

/// The right to impersonate for everything, which a server falls back to.
fn the_older_right<'a>(user: &'a str, account: Option<&'a ServiceAccount>) -> Attributes<'a> {
    let target = Target::Resource(match account {
        Some(account) => Resource {
            namespace: account.namespace.as_str(),
            resource: "serviceaccounts",
            name: account.name().into(),
            ..Resource::default()
        },
        None => Resource { resource: "users", name: user.into(), ..Resource::default() },
    });
    Attributes { verb: "impersonate".into(), target }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::answer::Answer;
    use super::super::ask::answer;

    const SHOP_READER: &str = "system:serviceaccount:shop:podlens-reader";
    const PAYMENTS_READER: &str = "system:serviceaccount:payments:podlens-reader";
    const CACHE: &str = "system:serviceaccount:podlens:podlens-cache";

    /// The status, and what the server says with a failure.
    fn ask(token: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        match answer("GET", path, token, headers, "") {
            Answer::Watch(_) => (200, String::new()),
            Answer::Whole(response) => {
                let body: Value = serde_json::from_slice(response.body()).unwrap();
                (response.status().as_u16(), body["message"].as_str().unwrap_or_default().to_owned())
            }
        }
    }

    #[test]
    fn the_server_reads_as_each_account_what_that_account_may() {
        let shop = "/api/v1/namespaces/shop/pods";
        for (user, path, expected) in [
            (SHOP_READER, shop, 200),
            (SHOP_READER, "/api/v1/namespaces/shop/pods/redis-0", 200),
            (SHOP_READER, "/api/v1/namespaces/shop/pods/absent", 404),
            (SHOP_READER, "/api/v1/namespaces/payments/pods", 403),
            (SHOP_READER, "/api/v1/pods", 403),
            (SHOP_READER, "/api/v1/namespaces/shop/pods?watch=true&resourceVersion=184467", 403),
            (SHOP_READER, "/api/v1/namespaces/shop/pods/redis-0/log", 403),
            (SHOP_READER, "/api/v1/namespaces/shop/secrets", 403),
            (SHOP_READER, "/version", 403),
            (PAYMENTS_READER, "/api/v1/namespaces/payments/pods", 200),
            (PAYMENTS_READER, shop, 403),
            (CACHE, "/api/v1/pods", 200),
            (CACHE, "/api/v1/pods?watch=true&resourceVersion=184467", 200),
            (CACHE, "/api/v1/namespaces/batch/pods", 200),
            (CACHE, "/api/v1/namespaces/podlens/secrets", 403),
            ("system:serviceaccount:shop:podlens", shop, 403),
            ("system:serviceaccount:batch:podlens-reader", "/api/v1/namespaces/batch/pods", 403),
            ("system:serviceaccount:podlens:podlens", shop, 403),
        ] {
            assert_eq!(ask("server", path, &[("impersonate-user", user)]).0, expected, "{path} as {user}");
        }
    }

    #[test]
    fn refusals_have_the_api_servers_words() {
        let shop = "/api/v1/namespaces/shop/pods";
        for (token, path, user, message) in [
            (
                "podlens",
                shop,
                SHOP_READER,
                r#"pods is forbidden: User "system:serviceaccount:shop:podlens" cannot impersonate-on:serviceaccount:list resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                "server",
                shop,
                "system:serviceaccount:shop:default",
                r#"serviceaccounts.authentication.k8s.io "default" is forbidden: User "system:serviceaccount:podlens:podlens" cannot impersonate:serviceaccount resource "serviceaccounts" in API group "authentication.k8s.io" in the namespace "shop""#,
            ),
            (
                "server",
                "/api/v1/namespaces/shop/secrets",
                SHOP_READER,
                r#"secrets is forbidden: User "system:serviceaccount:podlens:podlens" cannot impersonate-on:serviceaccount:list resource "secrets" in API group "" in the namespace "shop""#,
            ),
            (
                "server",
                "/api/v1/namespaces/batch/pods",
                SHOP_READER,
                r#"pods is forbidden: User "system:serviceaccount:shop:podlens-reader" cannot list resource "pods" in API group "" in the namespace "batch""#,
            ),
            (
                "server",
                shop,
                "anna",
                r#"pods is forbidden: User "system:serviceaccount:podlens:podlens" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                "server",
                shop,
                "system:node:worker-1",
                r#"pods is forbidden: User "system:serviceaccount:podlens:podlens" cannot impersonate-on:arbitrary-node:list resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                "",
                shop,
                SHOP_READER,
                r#"pods is forbidden: User "system:anonymous" cannot impersonate-on:serviceaccount:list resource "pods" in API group "" in the namespace "shop""#,
            ),
        ] {
            let found = ask(token, path, &[("impersonate-user", user)]);
            assert_eq!(found, (403, message.to_owned()), "{path} as {user} by {token:?}");
        }
    }

    #[test]
    fn no_other_header_is_passed_over() {
        let shop = "/api/v1/namespaces/shop/pods";
        for other in ["impersonate-group", "impersonate-uid", "impersonate-extra-scopes", "Impersonate-Else"] {
            let (status, message) = ask("server", shop, &[("impersonate-user", SHOP_READER), (other, "a")]);
            assert_eq!(
                (status, message.as_str()),
                (
                    403,
                    r#"serviceaccounts "podlens-reader" is forbidden: User "system:serviceaccount:podlens:podlens" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop""#
                ),
                "{other}"
            );
            // Without a user, whoever asks.
            assert_eq!(ask("podlens", shop, &[(other, "a")]).0, 400, "{other}");
        }
        let node = [("impersonate-user", "system:node:worker-1"), ("impersonate-group", "system:nodes")];
        assert!(ask("server", shop, &node).1.starts_with(r#"users "system:node:worker-1" is forbidden: "#));
        // What is no service account's name after all.
        for user in ["system:serviceaccount:shop:", "system:serviceaccount:shop:a:b", "system:serviceaccount:Shop:podlens-reader"] {
            assert_eq!(ask("server", shop, &[("impersonate-user", user)]).0, 403, "{user}");
        }
        assert_eq!(ask("podlens", shop, &[("impersonate-user", "")]).0, 200);
    }
}
