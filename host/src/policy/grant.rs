//! What a query was given.

use std::collections::BTreeSet;

use super::redaction::{Redaction, Withheld};
use crate::kube::{FieldSelector, LabelSelector, Namespace};

/// The pods that a query may see. It starts with nothing; each method gives more or narrows it.
///
/// ```
/// use podlens::{Grant, LabelSelector, Namespace};
/// // The pods of two namespaces that carry a label; not as whole objects.
/// let grant = Grant::nothing()
///     .namespace(Namespace::parse("shop").unwrap())
///     .namespace(Namespace::parse("payments").unwrap())
///     .labels(&LabelSelector::parse("team=checkout").unwrap());
/// assert_ne!(grant, Grant::nothing());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub(super) namespaces: Namespaces,
    pub(super) labels: LabelSelector,
    pub(super) fields: FieldSelector,
    pub(super) objects: bool,
    pub(super) withheld: Withheld,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Namespaces {
    All,
    Only(BTreeSet<Namespace>),
}

impl Grant {
    /// No pod at all.
    pub fn nothing() -> Self {
        Self {
            namespaces: Namespaces::Only(BTreeSet::new()),
            labels: LabelSelector::default(),
            fields: FieldSelector::default(),
            objects: false,
            withheld: Withheld::default(),
        }
    }

    /// The pods of all namespaces.
    pub fn all_namespaces() -> Self {
        Self { namespaces: Namespaces::All, ..Self::nothing() }
    }

    /// Gives the pods of one more namespace. No change where all are given already.
    #[must_use]
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        if let Namespaces::Only(only) = &mut self.namespaces {
            only.insert(namespace);
        }
        self
    }

    /// Narrows to pods whose labels match, in addition to what was demanded before and to what the query asks.
    #[must_use]
    pub fn labels(mut self, selector: &LabelSelector) -> Self {
        self.labels = self.labels.and(selector);
        self
    }

    /// Narrows to pods whose fields match, likewise.
    #[must_use]
    pub fn fields(mut self, selector: &FieldSelector) -> Self {
        self.fields = self.fields.and(selector);
        self
    }

    /// Gives whole objects too: everything that the API server stores of a pod, such as environment values and annotations.
    /// Off unless given, since secrets are often among them.
    #[must_use]
    pub fn whole_objects(mut self) -> Self {
        self.objects = true;
        self
    }

    /// Withholds something of each pod, in whole objects too. A query that selects by it is denied: what matches would tell it. The conditions
    /// of the grant itself are held against pods as they are.
    ///
    /// ```
    /// use podlens::{Grant, Redaction};
    /// // No environment values among whole objects, and not where pods run.
    /// let grant = Grant::all_namespaces().whole_objects().withhold(Redaction::Env).withhold(Redaction::Nodes);
    /// ```
    #[must_use]
    pub fn withhold(mut self, redaction: Redaction) -> Self {
        self.withheld.add(redaction);
        self
    }

    /// The namespaces that are given; `None` for all.
    pub(crate) fn given_namespaces(&self) -> Option<impl ExactSizeIterator<Item = &Namespace>> {
        match &self.namespaces {
            Namespaces::All => None,
            Namespaces::Only(only) => Some(only.iter()),
        }
    }

    /// The condition on labels.
    pub(crate) fn given_labels(&self) -> &LabelSelector {
        &self.labels
    }

    /// The condition on fields.
    pub(crate) fn given_fields(&self) -> &FieldSelector {
        &self.fields
    }

    /// Whether whole objects are given.
    pub(crate) fn gives_objects(&self) -> bool {
        self.objects
    }

    /// What is withheld.
    pub(crate) fn withheld(&self) -> Withheld {
        self.withheld
    }
}
