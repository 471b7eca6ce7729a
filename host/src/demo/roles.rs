//! The roles of the demo, each bound to its subjects: those that every cluster has (kubernetes
//! `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`), and the demo's own. All that anybody may do is in this table.

use std::fmt;

use super::account::{Account, Tenant};
use super::user::User;

/// A role and who has it, under one name. One with a namespace is a Role and a RoleBinding, one without is a ClusterRole and a
/// ClusterRoleBinding.
#[derive(Debug)]
pub(super) struct Binding {
    name: &'static str,
    /// Empty for the whole cluster.
    pub(super) namespace: &'static str,
    pub(super) subjects: &'static [Subject],
    pub(super) rules: &'static [Rule],
}

#[derive(Debug)]
pub(super) enum Subject {
    Account(Account),
    Group(&'static str),
}

/// What a role allows.
#[derive(Debug)]
pub(super) enum Rule {
    Resources {
        verbs: &'static [&'static str],
        group: &'static str,
        resources: &'static [&'static str],
        /// Empty for all.
        names: &'static [&'static str],
    },
    /// A path, or all below one where it ends with `*`.
    Paths { verbs: &'static [&'static str], paths: &'static [&'static str] },
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const AUTHENTICATED: Subject = Subject::Group("system:authenticated");
const PODS: &[&str] = &["pods"];
const READER: &str = "podlens-reader";
const CACHE: &str = "podlens-cache";

pub(super) const BINDINGS: &[Binding] = &[
    Binding {
        name: "system:public-info-viewer",
        namespace: "",
        subjects: &[AUTHENTICATED, Subject::Group("system:unauthenticated")],
        rules: &[Rule::Paths { verbs: &["get"], paths: &["/livez", "/readyz", "/healthz", "/version", "/version/"] }],
    },
    Binding {
        name: "system:discovery",
        namespace: "",
        subjects: &[AUTHENTICATED],
        rules: &[Rule::Paths { verbs: &["get"], paths: &["/openapi", "/openapi/*", "/api", "/api/*", "/apis", "/apis/*"] }],
    },
    Binding {
        name: "system:basic-user",
        namespace: "",
        subjects: &[AUTHENTICATED],
        rules: &[
            Rule::create(AUTHORIZATION, &["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
            Rule::create(AUTHENTICATION, &["selfsubjectreviews"]),
        ],
    },
    Binding {
        name: "system:auth-delegator",
        namespace: "",
        subjects: &[Subject::Account(Account::Server)],
        rules: &[Rule::create(AUTHENTICATION, &["tokenreviews"]), Rule::create(AUTHORIZATION, &["subjectaccessreviews"])],
    },
    Binding {
        name: "podlens",
        namespace: "",
        subjects: &[Subject::Account(Account::Podlens)],
        rules: &[Rule::pods(&["get", "list"])],
    },
    Binding {
        name: CACHE,
        namespace: "",
        subjects: &[Subject::Account(Account::Cache)],
        rules: &[Rule::pods(&["get", "list", "watch"])],
    },
    // The cache's account is one, and it reads all namespaces.
    Binding {
        name: "impersonate-podlens-cache",
        namespace: "podlens",
        subjects: &[Subject::Account(Account::Server)],
        rules: &[Rule::impersonate(&[CACHE])],
    },
    Binding {
        name: "impersonate-podlens-cache",
        namespace: "",
        subjects: &[Subject::Account(Account::Server)],
        rules: &[Rule::pods(&[
            "impersonate-on:serviceaccount:get",
            "impersonate-on:serviceaccount:list",
            "impersonate-on:serviceaccount:watch",
        ])],
    },
    Binding::reader(Tenant::Shop, &[Subject::Account(Account::Reader(Tenant::Shop))]),
    Binding::impersonate_reader(Tenant::Shop),
    Binding::reader(Tenant::Payments, &[Subject::Account(Account::Reader(Tenant::Payments))]),
    Binding::impersonate_reader(Tenant::Payments),
];

impl Binding {
    /// A tenant's reader, in its namespace alone.
    const fn reader(tenant: Tenant, reader: &'static [Subject]) -> Self {
        const RULES: &[Rule] = &[Rule::pods(&["get", "list"])];
        Self { name: READER, namespace: tenant.namespace(), subjects: reader, rules: RULES }
    }

    /// The server may be the tenant's reader, to get and list pods and for nothing else.
    const fn impersonate_reader(tenant: Tenant) -> Self {
        const RULES: &[Rule] = &[
            Rule::impersonate(&[READER]),
            Rule::pods(&["impersonate-on:serviceaccount:get", "impersonate-on:serviceaccount:list"]),
        ];
        Self {
            name: "impersonate-podlens-reader",
            namespace: tenant.namespace(),
            subjects: &[Subject::Account(Account::Server)],
            rules: RULES,
        }
    }

    /// The subject that `user` is, if any.
    pub(super) fn subject(&self, user: &User) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.is(user))
    }

    /// Why something is allowed, as the RBAC authorizer says it (kubernetes `pkg/registry/rbac/validation/rule.go`).
    pub(super) fn reason(&self, subject: &Subject) -> String {
        let Self { name, namespace, .. } = self;
        match *namespace {
            "" => format!("RBAC: allowed by ClusterRoleBinding {name:?} of ClusterRole {name:?} to {subject}"),
            namespace => format!(r#"RBAC: allowed by RoleBinding "{name}/{namespace}" of Role {name:?} to {subject}"#),
        }
    }
}

impl Subject {
    fn is(&self, user: &User) -> bool {
        match self {
            Self::Account(account) => user.name == account.user(),
            Self::Group(group) => user.groups.iter().any(|of_user| of_user == group),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, r#"ServiceAccount "{}/{}""#, account.name(), account.namespace()),
            Self::Group(group) => write!(f, "Group {group:?}"),
        }
    }
}

impl Rule {
    const fn create(group: &'static str, resources: &'static [&'static str]) -> Self {
        Self::Resources { verbs: &["create"], group, resources, names: &[] }
    }

    const fn pods(verbs: &'static [&'static str]) -> Self {
        Self::Resources { verbs, group: "", resources: PODS, names: &[] }
    }

    /// Constrained impersonation, of these accounts; what it may be used for is another rule.
    const fn impersonate(names: &'static [&'static str]) -> Self {
        Self::Resources { verbs: &["impersonate:serviceaccount"], group: AUTHENTICATION, resources: &["serviceaccounts"], names }
    }
}
