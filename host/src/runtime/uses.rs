//! What a component's imports say of the pods it can ask for, before it runs.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The interface that reads pods, without its version.
const PODS: &str = "podlens:query/pods";
/// Its functions that read more of a pod than metadata. A whole object is asked for in another way.
const BEYOND_METADATA: &[&str] = &["[method]pod.spec", "[method]pod.status", "[method]pod.health"];

/// Which verbs on pods a query can cause at all: it has no way to a function that it does not import.
///
/// A component built by a language's tools imports just the functions that its code calls; one with a whole runtime in it may import
/// all there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PodAccess {
    /// It imports `list`.
    pub list: bool,
    /// It imports `get`.
    pub get: bool,
    /// It imports what reads a pod's spec or status. One that does not is given the metadata of pods, and the API server sends no more.
    pub fields: bool,
}

impl PodAccess {
    /// Of a component whose imports are known to be ours.
    pub(super) fn of(component: &Component, engine: &Engine) -> Self {
        let component = component.component_type();
        let mut access = Self::default();
        for (name, item) in component.imports(engine) {
            if let ComponentItem::ComponentInstance(instance) = item.ty
                && name.split('@').next() == Some(PODS)
            {
                access.list |= instance.get_export(engine, "list").is_some();
                access.get |= instance.get_export(engine, "get").is_some();
                access.fields |= BEYOND_METADATA.iter().any(|function| instance.get_export(engine, function).is_some());
            }
        }
        access
    }

    /// The verbs as RBAC names them.
    pub fn verbs(self) -> impl Iterator<Item = &'static str> {
        [("get", self.get), ("list", self.list)].into_iter().filter(|(_, used)| *used).map(|(verb, _)| verb)
    }
}
