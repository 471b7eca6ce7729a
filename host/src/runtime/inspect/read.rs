//! Reads the structure of a component or core module: sections, imports, exports and what tools wrote into it.
//!
//! Accepts every proposal that the parser knows, since what is refused is told about, too. Function bodies are stepped over.

use std::ops::Range;

use wasmparser::component_types::{ComponentEntityType, ComponentItem};
use wasmparser::types::TypesRef;
use wasmparser::{
    BinaryReaderError, ComponentExternalKind, ComponentTypeRef, CustomSectionReader, Encoding, ExternalKind, Imports, KnownCustom,
    Parser, Payload, ProducersSectionReader, Validator, WasmFeatures,
};

use super::{Annotation, Export, ExternKind, Import, Listed, MAX_TEXT_CHARACTERS, Offered, Producer, Sizes};
use crate::runtime::load;

/// The custom sections of a component that say something of it as text: those of `wasm-tools metadata`, which are OCI's annotations.
const ANNOTATIONS: &[&str] = &["version", "description", "authors", "licenses", "source", "homepage", "revision"];

/// What was read.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) sizes: Sizes,
    pub(super) imports: Listed<Import>,
    pub(super) exports: Listed<Export>,
    pub(super) producers: Listed<Producer>,
    pub(super) annotations: Listed<Annotation>,
    pub(super) unreadable: Option<String>,
}

/// Reads `bytes` as far as they can be read.
pub(super) fn read(bytes: &[u8]) -> Facts {
    let mut reader = Reader::default();
    if let Err(error) = reader.all(bytes) {
        reader.facts.unreadable = Some(error.to_string());
    }
    reader.tell_names(None);
    let mut facts = reader.facts;
    // What a section says of its own size need not be so.
    let sizes = &mut facts.sizes;
    for size in [&mut sizes.code, &mut sizes.data, &mut sizes.names, &mut sizes.debug_info] {
        *size = (*size).min(bytes.len() as u64);
    }
    facts
}

/// Most names of imports or exports that are read, to check and to tell. A query imports some twenty; arbitrary, bounds what an unread
/// component takes.
const MAX_NAMES: usize = 10_000;

/// The names that a component imports, but for types, as far as they can be read.
pub(in crate::runtime) fn imported_names(bytes: &[u8]) -> Vec<String> {
    let mut parser = Parser::new(0);
    parser.set_features(WasmFeatures::all());
    let mut reader = Reader::default();
    for payload in parser.parse_all(bytes) {
        if payload.and_then(|payload| reader.payload(&payload)).is_err() || reader.imports.len() > MAX_NAMES {
            break;
        }
    }
    reader.imports.into_iter().map(|(name, _)| name).collect()
}

#[derive(Default)]
struct Reader {
    facts: Facts,
    /// How many modules and components are being read, one in the other.
    depth: usize,
    /// Names of the outermost level whose types are not known yet.
    imports: Vec<(String, ExternKind)>,
    exports: Vec<(String, ExternKind)>,
}

impl Reader {
    fn all(&mut self, bytes: &[u8]) -> Result<(), BinaryReaderError> {
        let mut parser = Parser::new(0);
        parser.set_features(WasmFeatures::all());
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        // What is no valid WebAssembly may still have facts: the first complaint is kept, and reading goes on.
        let mut invalid = None;
        for payload in parser.parse_all(bytes) {
            let payload = payload.map_err(|error| invalid.take().unwrap_or(error))?;
            self.payload(&payload)?;
            if invalid.is_none() {
                match validator.payload(&payload) {
                    Ok(_) => self.tell_names(validator.types(0)),
                    Err(error) => invalid = Some(error),
                }
            }
        }
        invalid.map_or(Ok(()), Err)
    }

    fn payload(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        let size = |range: Range<usize>| range.len() as u64;
        let is_outermost = self.depth == 1;
        let sizes = &mut self.facts.sizes;
        match payload {
            Payload::Version { encoding, .. } => {
                sizes.core_modules += u64::from(matches!(encoding, Encoding::Module));
                self.depth += 1;
            }
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::CodeSectionStart { count, range, .. } => {
                sizes.functions += u64::from(*count);
                sizes.code += size(range.clone());
            }
            Payload::DataSection(section) => sizes.data += size(section.range()),
            Payload::ImportSection(section) if is_outermost => {
                for imports in section.clone() {
                    self.core_imports(imports?)?;
                }
            }
            Payload::ExportSection(section) if is_outermost => {
                for export in section.clone() {
                    let export = export?;
                    let is_function = matches!(export.kind, ExternalKind::Func);
                    let kind = if is_function { ExternKind::Function } else { ExternKind::Other };
                    self.exports.push((export.name.to_owned(), kind));
                }
            }
            Payload::ComponentImportSection(section) if is_outermost => {
                for import in section.clone() {
                    let import = import?;
                    let kind = match import.ty {
                        ComponentTypeRef::Type(_) => continue,
                        ComponentTypeRef::Instance(_) => ExternKind::Interface,
                        ComponentTypeRef::Func(_) => ExternKind::Function,
                        _ => ExternKind::Other,
                    };
                    if self.imports.len() > MAX_NAMES {
                        break;
                    }
                    self.imports.push((import.name.name.to_owned(), kind));
                }
            }
            Payload::ComponentExportSection(section) if is_outermost => {
                for export in section.clone() {
                    let export = export?;
                    let kind = match export.kind {
                        ComponentExternalKind::Type => continue,
                        ComponentExternalKind::Instance => ExternKind::Interface,
                        ComponentExternalKind::Func => ExternKind::Function,
                        _ => ExternKind::Other,
                    };
                    self.exports.push((export.name.name.to_owned(), kind));
                }
            }
            Payload::CustomSection(section) => self.custom(section, is_outermost),
            _ => {}
        }
        Ok(())
    }

    /// What a core module imports: those of one module together.
    fn core_imports(&mut self, imports: Imports<'_>) -> Result<(), BinaryReaderError> {
        match imports {
            Imports::Single(_, import) => self.core_import(import.module, import.name),
            Imports::Compact1 { module, items } => {
                for item in items {
                    self.core_import(module, item?.name);
                }
            }
            Imports::Compact2 { module, names, .. } => {
                for name in names {
                    self.core_import(module, name?);
                }
            }
        }
        Ok(())
    }

    fn core_import(&mut self, module: &str, name: &str) {
        let imports = &mut self.facts.imports;
        let module = short(module);
        if let Some(import) = imports.items.iter_mut().find(|import| import.name == module) {
            return import.functions.push(short(name));
        }
        let mut functions = Listed::default();
        functions.push(short(name));
        imports.push(Import { name: module, kind: ExternKind::CoreModule, functions, offered: Offered::No });
    }

    fn custom(&mut self, section: &CustomSectionReader<'_>, is_outermost: bool) {
        let size = section.range().len() as u64;
        match section.name() {
            "name" | "component-name" => self.facts.sizes.names += size,
            "sourceMappingURL" | "external_debug_info" => self.facts.sizes.debug_info += size,
            name if name.starts_with(".debug_") => self.facts.sizes.debug_info += size,
            name if is_outermost && ANNOTATIONS.contains(&name) => {
                let text = short(&String::from_utf8_lossy(section.data()));
                self.facts.annotations.push(Annotation { name: name.to_owned(), text });
            }
            _ => {
                if let KnownCustom::Producers(producers) = section.as_known() {
                    // What is not as its convention says is left out: nothing depends on it.
                    let _ = self.producers(producers);
                }
            }
        }
    }

    fn producers(&mut self, section: ProducersSectionReader<'_>) -> Result<(), BinaryReaderError> {
        for field in section {
            let field = field?;
            for value in field.values {
                let value = value?;
                let producer = Producer { field: short(field.name), name: short(value.name), version: short(value.version) };
                if !self.facts.producers.items.contains(&producer) {
                    self.facts.producers.push(producer);
                }
            }
        }
        Ok(())
    }

    /// Passes on the names that were read last, with the functions behind them.
    fn tell_names(&mut self, types: Option<TypesRef<'_>>) {
        let functions = |item: Option<&ComponentItem>| {
            let mut functions = Listed::default();
            if let (Some(ComponentEntityType::Instance(instance)), Some(types)) = (item.map(|item| item.ty), types) {
                let items = types[instance].exports.iter();
                let named = items.filter(|(_, item)| matches!(item.ty, ComponentEntityType::Func(_)));
                named.for_each(|(name, _)| functions.push(short(name)));
            }
            functions
        };
        for (name, kind) in self.imports.drain(..) {
            let functions = functions(types.and_then(|types| types.component_item_for_import(&name)));
            self.facts.imports.push(Import { name: short(&name), kind, functions, offered: load::offer(&name) });
        }
        for (name, kind) in self.exports.drain(..) {
            let functions = functions(types.and_then(|types| types.component_item_for_export(&name)));
            self.facts.exports.push(Export { name: short(&name), kind, functions });
        }
    }
}

/// At most [`MAX_TEXT_CHARACTERS`] of a text.
fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
