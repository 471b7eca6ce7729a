//! What a query needs: verbs on pods, in places.

use crate::PodAccess;
use crate::kube::{Access, Namespace};
use crate::policy::Scope;

pub(super) struct Needs {
    verbs: Vec<&'static str>,
    scope: Scope,
}

impl Needs {
    pub(super) fn new(uses: PodAccess, scope: Scope) -> Self {
        Self { verbs: uses.verbs().collect(), scope }
    }

    pub(super) fn verbs(&self) -> &[&'static str] {
        &self.verbs
    }

    /// Each namespace, or once all of them.
    pub(super) fn places(&self) -> Vec<Option<&Namespace>> {
        match &self.scope {
            Scope::All => vec![None],
            Scope::Namespaces(namespaces) => {
                let is_first = |index: &usize| !namespaces[..*index].contains(&namespaces[*index]);
                (0..namespaces.len()).filter(is_first).map(|index| Some(&namespaces[index])).collect()
            }
        }
    }

    pub(super) fn accesses(&self) -> Vec<Access<'_>> {
        let in_place = |namespace| self.verbs.iter().map(move |verb| Access { verb, resource: "pods", namespace });
        self.places().into_iter().flat_map(in_place).collect()
    }
}
