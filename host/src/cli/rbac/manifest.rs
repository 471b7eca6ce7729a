//! The objects of access, as YAML for `kubectl apply` and as commands of `kubectl create`.
//!
//! Names and settings are those of `deploy/`: what is applied from here and from there is the same thing.

use super::super::shell::{self, Unprintable};
use super::subject::Subject;
use super::yaml::scalar;
use crate::kube::{Namespace, ServiceAccount};

/// The right to do `verbs` on pods in one namespace, or in all, for one subject.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Right<'a> {
    pub(in crate::cli) subject: &'a Subject,
    /// At least one.
    pub(in crate::cli) verbs: &'a [&'a str],
    /// `None`: all.
    pub(in crate::cli) namespace: Option<&'a Namespace>,
}

impl Right<'_> {
    /// A Role, or a ClusterRole.
    pub(in crate::cli) fn role(&self) -> String {
        let verbs: Vec<_> = self.verbs.iter().map(|verb| format!("\"{verb}\"")).collect();
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\n\
             kind: {}\n{}\
             rules:\n\
             - apiGroups: [\"\"]\n\
             \x20 resources: [\"pods\"]\n\
             \x20 verbs: [{}]\n",
            self.kind("Role"),
            self.metadata(),
            verbs.join(", ")
        )
    }

    /// A RoleBinding, or a ClusterRoleBinding.
    pub(in crate::cli) fn binding(&self) -> String {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\n\
             kind: {}\n{}\
             roleRef:\n\
             \x20 apiGroup: rbac.authorization.k8s.io\n\
             \x20 kind: {}\n\
             \x20 name: {}\n\
             subjects:\n{}",
            self.kind("RoleBinding"),
            self.metadata(),
            self.kind("Role"),
            scalar(&self.name()),
            self.subject.yaml()
        )
    }

    /// The same two objects, by kubectl, which may find one of them there already. `flags` say which cluster.
    pub(in crate::cli) fn commands(&self, flags: &[String]) -> [Result<String, Unprintable>; 2] {
        let (name, verbs, subject) = (self.name(), format!("--verb={}", self.verbs.join(",")), self.subject.flag());
        let (role, binding, by) = match self.namespace {
            Some(_) => ("role", "rolebinding", format!("--role={name}")),
            None => ("clusterrole", "clusterrolebinding", format!("--clusterrole={name}")),
        };
        let place = self.namespace.map(|namespace| format!("--namespace={namespace}"));
        let place: Vec<_> = place.iter().map(String::as_str).collect();
        [
            applied(&[&["create", role, &name], &*place, &[&verbs, "--resource=pods"]].concat(), flags),
            applied(&[&["create", binding, &name], &*place, &[&by, &subject]].concat(), flags),
        ]
    }

    fn name(&self) -> String {
        self.subject.access_name(self.namespace)
    }

    fn kind(&self, kind: &str) -> String {
        if self.namespace.is_some() { kind.to_owned() } else { format!("Cluster{kind}") }
    }

    fn metadata(&self) -> String {
        let namespace = self.namespace.map(|namespace| format!("  namespace: {}\n", scalar(namespace.as_str())));
        format!("metadata:\n  name: {}\n{}", scalar(&self.name()), namespace.unwrap_or_default())
    }
}

/// What `kubectl create` would make, applied: `create` alone fails where it is there already.
fn applied(create: &[&str], flags: &[String]) -> Result<String, Unprintable> {
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let create = shell::command([&["kubectl"], create, &flags, &["--dry-run=client", "-o", "yaml"]].concat())?;
    Ok(format!("{create} | {}", shell::command([&["kubectl", "apply"], &*flags, &["-f", "-"]].concat())?))
}

/// The account itself.
pub(super) fn service_account(account: &ServiceAccount) -> String {
    format!(
        "apiVersion: v1\n\
         kind: ServiceAccount\n\
         metadata:\n\
         \x20 name: {}\n\
         \x20 namespace: {}\n\
         automountServiceAccountToken: false\n",
        scalar(account.name()),
        scalar(account.namespace.as_str())
    )
}

/// A pod of this name that runs `command` once, as the account.
pub(super) fn pod(pod: &str, account: &ServiceAccount, command: &[String]) -> String {
    let command: Vec<_> = command.iter().map(|word| super::yaml::quoted(word)).collect();
    let pod = scalar(pod);
    let (name, namespace) = (scalar(account.name()), scalar(account.namespace.as_str()));
    format!(
        "apiVersion: v1\n\
         kind: Pod\n\
         metadata:\n\
         \x20 name: {pod}\n\
         \x20 namespace: {namespace}\n\
         \x20 labels:\n\
         \x20   app.kubernetes.io/name: podlens\n\
         spec:\n\
         \x20 serviceAccountName: {name}\n\
         \x20 automountServiceAccountToken: true\n\
         \x20 restartPolicy: Never\n\
         \x20 securityContext:\n\
         \x20   runAsNonRoot: true\n\
         \x20   runAsUser: 65532\n\
         \x20   runAsGroup: 65532\n\
         \x20   seccompProfile:\n\
         \x20     type: RuntimeDefault\n\
         \x20 containers:\n\
         \x20 - name: podlens\n\
         \x20   image: registry.example.com/podlens:{}\n\
         \x20   command: [{}]\n\
         \x20   resources:\n\
         \x20     requests:\n\
         \x20       cpu: 100m\n\
         \x20       memory: 64Mi\n\
         \x20     limits:\n\
         \x20       cpu: \"1\"\n\
         \x20       memory: 384Mi\n\
         \x20   securityContext:\n\
         \x20     allowPrivilegeEscalation: false\n\
         \x20     readOnlyRootFilesystem: true\n\
         \x20     capabilities:\n\
         \x20       drop: [\"ALL\"]\n",
        env!("CARGO_PKG_VERSION"),
        command.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_two_objects_or_two_commands() {
        let subject = Subject::of_user("system:serviceaccount:shop:default");
        let Subject::Account(account) = &subject else { unreachable!() };
        let right = Right { subject: &subject, verbs: &["get", "list"], namespace: Some(&account.namespace) };
        assert_eq!(
            right.commands(&["--context=a b".to_owned()]).map(Result::unwrap),
            [
                "kubectl create role podlens-default --namespace=shop --verb=get,list --resource=pods '--context=a b' \
                 --dry-run=client -o yaml | kubectl apply '--context=a b' -f -",
                "kubectl create rolebinding podlens-default --namespace=shop --role=podlens-default --serviceaccount=shop:default \
                 '--context=a b' --dry-run=client -o yaml | kubectl apply '--context=a b' -f -",
            ]
        );
        assert_eq!(
            right.role(),
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: podlens-default\n  namespace: shop\nrules:\n\
             - apiGroups: [\"\"]\n  resources: [\"pods\"]\n  verbs: [\"get\", \"list\"]\n"
        );
    }

    #[test]
    fn all_namespaces_are_a_cluster_role() {
        let subject = Subject::of_user("jane");
        let right = Right { subject: &subject, verbs: &["list"], namespace: None };
        assert_eq!(
            right.commands(&[]).map(Result::unwrap),
            [
                "kubectl create clusterrole podlens-user-jane --verb=list --resource=pods --dry-run=client -o yaml | kubectl \
                 apply -f -",
                "kubectl create clusterrolebinding podlens-user-jane --clusterrole=podlens-user-jane --user=jane --dry-run=client \
                 -o yaml | kubectl apply -f -",
            ]
        );
        assert_eq!(
            right.binding(),
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: podlens-user-jane\nroleRef:\n  \
             apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: podlens-user-jane\nsubjects:\n\
             - apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: jane\n"
        );
    }

    #[test]
    fn a_user_that_cannot_be_seen_gets_no_command() {
        let subject = Subject::of_user("jane\u{202e}");
        let right = Right { subject: &subject, verbs: &["list"], namespace: None };
        assert!(right.commands(&[])[1].as_ref().is_err_and(|why| why.to_string().contains(r"jane\u{202e}")));
        assert!(right.binding().contains(r#"name: "jane\u202e""#), "{}", right.binding());
    }
}
