//! The flags that are the grant of a run.

use crate::Grant;
use crate::kube::{FieldSelector, LabelSelector, Namespace};

/// Which pods the query may see. These flags are the grant: it can see no other pod, whatever it asks for.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Grant: the pods that the query may see")]
pub(super) struct GrantArgs {
    /// A namespace; may be given several times [default: the context's, or the pod's own]
    #[arg(short = 'n', long = "namespace", value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespaces: Vec<Namespace>,

    /// All namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Only pods with these labels, such as `app=web,tier in (a,b)`
    #[arg(short = 'l', long = "selector", value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    labels: LabelSelector,

    /// Only pods with these fields, such as `status.phase=Running`
    #[arg(long = "field-selector", value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    fields: FieldSelector,

    /// Also whole objects, environment values and annotations included, if the query asks for them
    #[arg(long)]
    whole_objects: bool,
}

impl GrantArgs {
    /// The grant. Where no namespace is named it is `default`.
    pub(super) fn grant(&self, default: &Namespace) -> Grant {
        self.narrow(of_namespaces(self.all_namespaces, self.namespaces.clone(), default))
    }

    /// The grant of one of the named namespaces.
    pub(super) fn grant_of(&self, namespace: &Namespace) -> Grant {
        self.narrow(Grant::nothing().namespace(namespace.clone()))
    }

    /// The grant. Where no namespace is named it is that of `otherwise`, and what that demands of a pod is demanded all the same.
    pub(super) fn grant_or(&self, otherwise: Grant) -> Grant {
        self.narrow(of_namespaces_or(self.all_namespaces, self.namespaces.clone(), otherwise))
    }

    fn narrow(&self, mut grant: Grant) -> Grant {
        if self.whole_objects {
            grant = grant.whole_objects();
        }
        grant.labels(&self.labels).fields(&self.fields)
    }

    /// The namespaces that are named.
    pub(super) fn named(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// Whether whole objects are given.
    pub(super) fn gives_objects(&self) -> bool {
        self.whole_objects
    }
}

/// The grant of all namespaces, or of these, or where there are none of the default one.
pub(super) fn of_namespaces(all: bool, namespaces: Vec<Namespace>, default: &Namespace) -> Grant {
    of_namespaces_or(all, namespaces, Grant::nothing().namespace(default.clone()))
}

fn of_namespaces_or(all: bool, namespaces: Vec<Namespace>, otherwise: Grant) -> Grant {
    match (all, namespaces.is_empty()) {
        (true, _) => Grant::all_namespaces(),
        (false, true) => otherwise,
        (false, false) => namespaces.into_iter().fold(Grant::nothing(), Grant::namespace),
    }
}
