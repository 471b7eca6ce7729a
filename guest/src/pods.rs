//! Pods: list them, get one, read what it holds.
//!
//! The records are those of the contract; this module adds [`ListOptions`]' builder and the
//! iterator over all pages. A method of [`Pod`] copies what it returns out of the host: call it
//! once and keep the answer.

use std::{fmt, iter::FusedIterator, vec};

use crate::{
    Error,
    bindings::podlens::query::pods::{self, PodPages},
};

pub use crate::bindings::podlens::query::pods::{
    Condition, ConditionStatus, Container, ContainerHealth, ContainerKind, ContainerState, ContainerStateKind, ContainerStatus,
    Health, ListOptions, Metadata, Owner, Phase, Pod, Spec, Status, Termination, Timestamp, Waiting,
};

/// Lists pods, ordered by the text `namespace/name` as bytes. No pod comes twice.
///
/// ```no_run
/// # use podlens_guest::{Error, pods::{self, ListOptions}};
/// # fn run() -> Result<(), Error> {
/// let options = ListOptions::new().labels("app=web").fields("status.phase=Running");
/// for pod in pods::list(options)? {
///     let pod = pod?;
///     println!("{}/{}", pod.namespace(), pod.name());
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::InvalidArgument`] for a name or selector; [`Error::Denied`] if the namespace or whole
/// objects are not granted; [`Error::LimitExceeded`] if more than 16 lists are open at once. Errors
/// of the cluster come out of the iterator.
pub fn list(options: ListOptions) -> Result<Pods, Error> {
    let pages = pods::list(&options)?;
    Ok(Pods { pages, page: Vec::new().into_iter() })
}

/// Gets one pod by name. With `objects`, [`Pod::object`] can be asked for; refused unless granted.
///
/// # Errors
///
/// [`Error::InvalidArgument`] for a name; [`Error::Denied`] if the namespace or whole objects are
/// not granted, or if the API server refuses; [`Error::NotFound`]; [`Error::Unavailable`];
/// [`Error::ServerError`].
pub fn get(namespace: &str, name: &str, objects: bool) -> Result<Pod, Error> {
    pods::get(namespace, name, objects)
}

/// The pods of one list. Drop it to end the list early.
///
/// An item may be an error: [`Error::Denied`] if the API server refuses, [`Error::Expired`] if the
/// list cannot be continued, [`Error::Unavailable`], [`Error::ServerError`]. The list then ends,
/// and is not complete.
#[derive(Debug)]
pub struct Pods {
    pages: PodPages,
    page: vec::IntoIter<Pod>,
}

impl Iterator for Pods {
    type Item = Result<Pod, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(pod) = self.page.next() {
                return Some(Ok(pod));
            }
            match self.pages.next() {
                Ok(page) => self.page = page?.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// After the last page or an error the contract promises `none` for ever.
impl FusedIterator for Pods {}

impl ListOptions {
    /// All pods that the run is granted, without their whole objects.
    pub fn new() -> Self {
        Self { namespace: None, label_selector: None, field_selector: None, objects: false }
    }

    /// Lists one namespace only.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Lists only pods that this label selector selects, such as `app=web,tier in (a,b),!canary`.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.label_selector = Some(selector.into());
        self
    }

    /// Lists only pods that this field selector selects, such as `status.phase=Running`. The
    /// [field](ListOptions::field_selector) names the fields there are.
    #[must_use]
    pub fn fields(mut self, selector: impl Into<String>) -> Self {
        self.field_selector = Some(selector.into());
        self
    }

    /// Asks for whole objects too, so that [`Pod::object`] answers. Costs a larger answer of the
    /// API server; refused unless granted.
    #[must_use]
    pub fn objects(mut self) -> Self {
        self.objects = true;
        self
    }
}

impl Default for ListOptions {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "k8s-openapi")]
impl Pod {
    /// The whole pod, as the type of [`k8s_openapi`].
    ///
    /// ```no_run
    /// # use podlens_guest::{Error, pods::{self, ListOptions}};
    /// # fn run() -> Result<(), Error> {
    /// for pod in pods::list(ListOptions::new().objects())? {
    ///     let pod = pod?.k8s_object()?;
    ///     let tolerations = pod.spec.and_then(|spec| spec.tolerations).unwrap_or_default();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the `list` or `get` that gave this pod did not ask for whole objects;
    /// [`Error::Other`] if the object does not fit the type.
    pub fn k8s_object(&self) -> Result<k8s_openapi::api::core::v1::Pod, Error> {
        serde_json::from_str(&self.object()?)
            .map_err(|error| Error::Other(format!("pod `{}/{}`: {error}", self.namespace(), self.name())))
    }
}

/// The word that Kubernetes uses, such as `Running`.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        })
    }
}
