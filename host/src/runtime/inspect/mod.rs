//! What a file is: a query or not, what it can reach, what built it, how large it is. Told of any bytes, also of those that cannot run.
//!
//! `read.rs` reads the bytes and compiles nothing; `abilities.rs` says what imports amount to. Whether it is a query, and what a
//! query says of itself, `load.rs` decides as for a run.

mod abilities;
mod digest;
mod read;

use wasmtime::Engine;

pub use abilities::Abilities;
pub use digest::Digest;
pub(super) use read::imported_names;

use super::engine::Runtime;
use super::load::{self, Query};
use crate::error::Error;

/// Most imports, exports, functions of one interface, producers and annotations that are kept each. Arbitrary: a component with a
/// Python runtime in it imports some twenty interfaces of at most thirty functions, and is made by some ten tools.
const MAX_LISTED: usize = 200;

/// Longest name or text that is kept, in characters; more is cut, and ends with `…`. Arbitrary: the longest names in use have some 80.
const MAX_TEXT_CHARACTERS: usize = 256;

/// All that can be told of a file without running it for pods.
///
/// Every text in it was written by whoever made the file: show it to people with its control characters escaped.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// What the file is.
    pub kind: ComponentKind,
    /// Names the bytes.
    pub digest: Digest,
    /// How large it is, and its parts.
    pub sizes: Sizes,
    /// What it imports: interfaces of a component, modules of a core module.
    pub imports: Listed<Import>,
    /// What it exports.
    pub exports: Listed<Export>,
    /// What built it: all entries of the `producers` sections, each once, in the order of the file.
    pub producers: Listed<Producer>,
    /// What its author wrote beside the query, such as `version`, `authors`, `licenses`, `source` and `revision`.
    pub annotations: Listed<Annotation>,
    /// Why its structure could not be read to its end; then the lists above are only a part.
    pub unreadable: Option<String>,
    /// The query, compiled; or why it is none, in the words of [`Runtime::load`].
    pub query: Result<Query, Error>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentKind {
    /// A WebAssembly component, which a query is.
    Component,
    /// A core WebAssembly module.
    Module,
    /// Code that was compiled before, for wasmtime.
    Precompiled,
    /// WebAssembly as text.
    Text,
    /// Nothing.
    Empty,
    /// None of these.
    Unknown,
}

/// Sizes in bytes, and counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sizes {
    /// The whole file.
    pub total: u64,
    /// Core modules, however deep.
    pub core_modules: u64,
    /// Functions of the core modules.
    pub functions: u64,
    /// Their code.
    pub code: u64,
    /// Their data: constants, and the memory image of a language runtime.
    pub data: u64,
    /// Names of functions, which backtraces show.
    pub names: u64,
    /// Debug information: where in the source a function is.
    pub debug_info: u64,
}

/// The first so many of a list, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed<T> {
    /// The first ones, in their order.
    pub items: Vec<T>,
    /// How many are left out.
    pub more: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), more: 0 }
    }
}

impl<T> Listed<T> {
    fn push(&mut self, item: T) {
        if self.items.len() < MAX_LISTED { self.items.push(item) } else { self.more = self.more.saturating_add(1) }
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternKind {
    /// An interface: functions, and types that they use.
    Interface,
    /// A function.
    Function,
    /// A core module: what another one imports from it.
    CoreModule,
    /// Something that a query has no use for, such as a component.
    Other,
}

impl ExternKind {
    /// One word for it: `interface`, `function`, `core-module` or `other`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interface => "interface",
            Self::Function => "function",
            Self::CoreModule => "core-module",
            Self::Other => "other",
        }
    }
}

/// What is imported under one name. Types alone are no import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// The name, with its version, such as `podlens:query/pods@0.1.0`.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// The functions, such as `list` and `[method]pod.name`; of a core module also what else is imported from there.
    pub functions: Listed<String>,
    /// Whether a query is offered it.
    pub offered: Offered,
}

/// Whether a query is offered what it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It is.
    Yes,
    /// In another version only.
    OtherVersion,
    /// No query is.
    No,
}

/// What is exported under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// The name, such as `run`.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// The functions, where it is an interface.
    pub functions: Listed<String>,
}

/// One thing that had a part in making the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Such as `Rust`.
    pub name: String,
    /// Such as `1.95.0`; may be empty.
    pub version: String,
}

/// One thing that the author says of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Annotation {
    /// Such as `version`.
    pub name: String,
    /// Such as `1.2.0`.
    pub text: String,
}

impl Inspection {
    /// What the query can ever do, whatever it is given: it has no way to a function that it does not import.
    pub fn abilities(&self) -> Abilities {
        Abilities::of(&self.imports)
    }
}

impl ComponentKind {
    /// By the first bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(load::COMPONENT_HEADER) {
            Self::Component
        } else if bytes.starts_with(load::MODULE_HEADER) {
            Self::Module
        } else if Engine::detect_precompiled(bytes).is_some() {
            Self::Precompiled
        } else if bytes.trim_ascii_start().starts_with(b"(") {
            Self::Text
        } else if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Unknown
        }
    }

    /// One word for it: `component`, `module`, `precompiled`, `text`, `empty` or `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Module => "module",
            Self::Precompiled => "precompiled",
            Self::Text => "text",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

impl Runtime {
    /// Tells all of a file that can be told without running it for pods. What is no query is told about, too.
    ///
    /// Takes as long as [`Runtime::load`], which it does last.
    pub async fn inspect(&self, bytes: impl Into<Vec<u8>>) -> Inspection {
        let bytes = bytes.into();
        let kind = ComponentKind::of(&bytes);
        let digest = Digest::of(&bytes);
        let mut facts = read::Facts::default();
        let bytes = if matches!(kind, ComponentKind::Component | ComponentKind::Module) {
            let read = tokio::task::spawn_blocking(move || (read::read(&bytes), bytes)).await;
            match read {
                Ok((read, bytes)) => {
                    facts = read;
                    Ok(bytes)
                }
                Err(error) => Err(load::fault("reading the component failed", error)),
            }
        } else {
            Ok(bytes)
        };
        let total = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let query = match bytes {
            Ok(bytes) => self.load(bytes).await,
            Err(error) => Err(error),
        };
        let read::Facts { sizes, imports, exports, producers, annotations, unreadable } = facts;
        Inspection { kind, digest, sizes: Sizes { total, ..sizes }, imports, exports, producers, annotations, unreadable, query }
    }
}
