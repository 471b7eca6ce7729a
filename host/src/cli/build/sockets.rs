//! Takes the sockets out of a component: what imports them gets functions that trap.
//!
//! componentize-py links Python's socket library into every component, used or not, and no query is offered sockets. Its own remedy,
//! `--stub-wasi`, takes the clock and the output as well, without which a query can neither tell an age nor say what is wrong with it.
//!
//! Only the component around the core modules is rewritten, entry by entry, so that every index keeps its meaning: an import becomes an
//! instance with nothing in it, each type of it a resource that nobody has, each function of it one that is never called, and what it
//! was lowered to an export of one more core module, whose functions trap. That module's instance is the first one; so of the indices,
//! only those of core instances change, by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use wasm_encoder::{
    Alias, CodeSection, Component, ComponentAliasSection, ComponentExportKind, ComponentInstanceSection, ComponentSection,
    ComponentSectionId, ComponentTypeSection, ExportKind, ExportSection, Function, FunctionSection, InstanceSection, InstanceType,
    Module, ModuleArg, ModuleSection, RawSection, TypeSection, ValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentTypeRef, ExternalKind, FromReader, Instance, Parser,
    Payload, SectionLimited, Validator, WasmFeatures,
};

/// How the names of the interfaces begin that are taken out.
const SOCKETS: &str = "wasi:sockets/";

/// A function without parameters and with one result, so that it can stand for any in a list of functions that nobody calls. Python's
/// runtime imports it always.
const SPARE: (&str, &str) = ("wasi:clocks/monotonic-clock@", "now");

/// The custom section with the names of a component's items. Those of core instances would be off by one.
const NAMES: &str = "component-name";

/// The component without its sockets; unchanged if it has none.
pub(super) fn take_out(component: &[u8]) -> Result<Vec<u8>, Unexpected> {
    let mut rewriting = Rewriting { component, ..Rewriting::default() };
    // Whether its features are allowed, and the code in its functions, is for the runtime to check.
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let before = if depth == 0 { Counts::of(validator.types(0)) } else { Counts::default() };
        validator.payload(&payload)?;
        if depth == 0 {
            rewriting.section(&payload, before, validator.types(0))?;
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(if rewriting.closed.is_empty() { component.to_vec() } else { rewriting.finish() })
}

/// The component is not built as expected: by another version of the tool, or by another tool.
#[derive(Debug)]
pub(super) struct Unexpected(String);

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unexpected {}

impl From<wasmparser::BinaryReaderError> for Unexpected {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self(error.to_string())
    }
}

/// How many items there are of each kind that is counted.
#[derive(Clone, Copy, Default)]
struct Counts {
    types: u32,
    functions: u32,
    instances: u32,
    core_functions: u32,
    core_modules: u32,
}

impl Counts {
    fn of(types: Option<TypesRef<'_>>) -> Self {
        types.map_or_else(Self::default, |types| Self {
            types: types.component_type_count(),
            functions: types.component_function_count(),
            instances: types.component_instance_count(),
            core_functions: types.function_count(),
            core_modules: types.module_count(),
        })
    }
}

/// One section of the new component, from its identifier to its end.
type Section = Vec<u8>;

fn encoded(section: &impl ComponentSection) -> Section {
    let mut bytes = Vec::new();
    section.append_to_component(&mut bytes);
    bytes
}

#[derive(Default)]
struct Rewriting<'a> {
    component: &'a [u8],
    sections: Vec<Section>,
    /// In which section each type is defined, by its index.
    types: BTreeMap<u32, usize>,
    /// The instances that are taken out.
    closed: BTreeSet<u32>,
    /// Their functions.
    closed_functions: BTreeSet<u32>,
    /// The instance that [`SPARE`] is in.
    spare: Option<u32>,
    /// The parameters and results of the functions that trap.
    trapping: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// Before which section the module of these functions comes, and its index.
    trapping_module: Option<(usize, u32)>,
}

impl<'a> Rewriting<'a> {
    fn section(&mut self, payload: &Payload<'a>, before: Counts, after: Option<TypesRef<'_>>) -> Result<(), Unexpected> {
        match payload {
            Payload::ComponentTypeSection(reader) => self.each(reader, ComponentSectionId::Type, |this, offset, _| {
                this.types.insert(before.types + offset, this.sections.len());
                Ok(None)
            }),
            Payload::ComponentImportSection(reader) => {
                let mut instances = before.instances;
                self.each(reader, ComponentSectionId::Import, |this, _, import| {
                    let ComponentTypeRef::Instance(of_type) = import.ty else { return Ok(None) };
                    let name = import.name.name;
                    if name.starts_with(SPARE.0) {
                        this.spare = Some(instances);
                    }
                    let section = name.starts_with(SOCKETS).then(|| this.close(instances, of_type));
                    instances += 1;
                    section.transpose()
                })
            }
            Payload::ComponentAliasSection(reader) => {
                let mut functions = before.functions;
                self.each(reader, ComponentSectionId::Alias, |this, _, alias| {
                    let section = this.alias(&alias, functions);
                    if let ComponentAlias::InstanceExport { kind: ComponentExternalKind::Func, .. } = alias {
                        functions += 1;
                    }
                    section
                })
            }
            Payload::ComponentCanonicalSection(reader) => {
                let mut core_functions = before.core_functions;
                self.each(reader, ComponentSectionId::CanonicalFunction, |this, _, function| {
                    let section = match function {
                        CanonicalFunction::Lower { func_index, .. } if this.closed_functions.contains(&func_index) => {
                            Some(this.trap(core_functions, after)?)
                        }
                        _ => None,
                    };
                    core_functions += u32::from(!matches!(function, CanonicalFunction::Lift { .. }));
                    Ok(section)
                })
            }
            Payload::InstanceSection(reader) => {
                if self.trapping_module.is_none() {
                    self.trapping_module = Some((self.sections.len(), before.core_modules));
                }
                self.each(reader, ComponentSectionId::CoreInstance, |_, _, instance| Ok(instance_after_one_more(&instance)))
            }
            Payload::ModuleSection { .. } if self.trapping_module.is_some() => {
                Err(Unexpected("a core module comes after a core instance".to_owned()))
            }
            Payload::CustomSection(reader) if reader.name() == NAMES => Ok(()),
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    self.sections.push(encoded(&RawSection { id, data: self.bytes(range) }));
                }
                Ok(())
            }
        }
    }

    /// Makes a section of each entry: what `rewrite` makes of it, or the entry as it is. It is told how many came before.
    fn each<T: FromReader<'a>>(
        &mut self,
        reader: &SectionLimited<'a, T>,
        id: ComponentSectionId,
        mut rewrite: impl FnMut(&mut Self, u32, T) -> Result<Option<Section>, Unexpected>,
    ) -> Result<(), Unexpected> {
        let entries = reader.clone().into_iter_with_offsets().collect::<Result<Vec<_>, _>>()?;
        let ends: Vec<_> = entries.iter().skip(1).map(|(start, _)| *start).chain([reader.range().end]).collect();
        for (number, ((start, entry), end)) in (0..).zip(entries.into_iter().zip(ends)) {
            let section = rewrite(self, number, entry)?;
            self.sections.push(section.unwrap_or_else(|| {
                // A section of one entry begins with that number.
                let data = [&[1], self.bytes(start..end)].concat();
                encoded(&RawSection { id: id.into(), data: &data })
            }));
        }
        Ok(())
    }

    fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.component.get(range).unwrap_or_default()
    }

    /// Takes out an instance of a type: neither has anything in it any more.
    fn close(&mut self, instance: u32, of_type: u32) -> Result<Section, Unexpected> {
        self.closed.insert(instance);
        let section = self.types.get(&of_type).and_then(|at| self.sections.get_mut(*at));
        let mut empty = ComponentTypeSection::new();
        empty.instance(&InstanceType::new());
        *section.ok_or_else(|| Unexpected("the type of an import is defined elsewhere".to_owned()))? = encoded(&empty);
        let mut instances = ComponentInstanceSection::new();
        instances.export_items::<&str, [(&str, ComponentExportKind, u32); 0]>([]);
        Ok(encoded(&instances))
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>, functions: u32) -> Result<Option<Section>, Unexpected> {
        Ok(match alias {
            ComponentAlias::InstanceExport { kind, instance_index, .. } if self.closed.contains(instance_index) => match kind {
                ComponentExternalKind::Type => {
                    let mut types = ComponentTypeSection::new();
                    types.resource(ValType::I32, None);
                    Some(encoded(&types))
                }
                ComponentExternalKind::Func => {
                    self.closed_functions.insert(functions);
                    let instance = self.spare.ok_or_else(|| Unexpected(format!("`{}` is not imported", SPARE.0)))?;
                    Some(aliased(Alias::InstanceExport { instance, kind: ComponentExportKind::Func, name: SPARE.1 }))
                }
                _ => return Err(Unexpected("a socket's interface has more than types and functions".to_owned())),
            },
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let kind = match kind {
                    ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
                    ExternalKind::Table => ExportKind::Table,
                    ExternalKind::Memory => ExportKind::Memory,
                    ExternalKind::Global => ExportKind::Global,
                    ExternalKind::Tag => ExportKind::Tag,
                };
                Some(aliased(Alias::CoreInstanceExport { instance: instance_index + 1, kind, name }))
            }
            _ => None,
        })
    }

    /// A core function that traps in the place of the one with this index.
    fn trap(&mut self, core_function: u32, types: Option<TypesRef<'_>>) -> Result<Section, Unexpected> {
        let types = types.ok_or_else(|| Unexpected("a function has no type".to_owned()))?;
        let of_type = types[types.core_function_at(core_function)].unwrap_func();
        let signature = (values(of_type.params())?, values(of_type.results())?);
        let known = self.trapping.iter().position(|known| *known == signature);
        let number = known.unwrap_or_else(|| {
            self.trapping.push(signature);
            self.trapping.len() - 1
        });
        Ok(aliased(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name: &number.to_string() }))
    }

    fn finish(mut self) -> Vec<u8> {
        if let Some((at, module)) = self.trapping_module {
            let mut instances = InstanceSection::new();
            instances.instantiate::<[(&str, ModuleArg); 0], _>(module, []);
            let trapping = [encoded(&ModuleSection(&trapping_module(&self.trapping))), encoded(&instances)];
            self.sections.splice(at..at, trapping);
        }
        [Component::HEADER.to_vec(), self.sections.concat()].concat()
    }
}

fn aliased(alias: Alias<'_>) -> Section {
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(alias);
    encoded(&aliases)
}

/// A core instance whose arguments are found one later; `None` for one that names no other.
fn instance_after_one_more(instance: &Instance<'_>) -> Option<Section> {
    let Instance::Instantiate { module_index, args } = instance else { return None };
    let mut instances = InstanceSection::new();
    instances.instantiate(*module_index, args.iter().map(|arg| (arg.name, ModuleArg::Instance(arg.index + 1))));
    Some(encoded(&instances))
}

fn values(types: &[wasmparser::ValType]) -> Result<Vec<ValType>, Unexpected> {
    let value = |of_type: &wasmparser::ValType| match of_type {
        wasmparser::ValType::I32 => Ok(ValType::I32),
        wasmparser::ValType::I64 => Ok(ValType::I64),
        wasmparser::ValType::F32 => Ok(ValType::F32),
        wasmparser::ValType::F64 => Ok(ValType::F64),
        other => Err(Unexpected(format!("a lowered function has a value of type `{other}`"))),
    };
    types.iter().map(value).collect()
}

/// A module that exports a function of each of these types, by its number. Each traps.
fn trapping_module(signatures: &[(Vec<ValType>, Vec<ValType>)]) -> Module {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    for (number, (parameters, results)) in (0..).zip(signatures) {
        types.ty().function(parameters.iter().copied(), results.iter().copied());
        functions.function(number);
        exports.export(&number.to_string(), ExportKind::Func, number);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    module
}

// The languages lane takes them out of a component of Python's, and runs it.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::builtin;

    #[test]
    fn a_component_without_sockets_stays_as_it_is() {
        for name in builtin::names() {
            let component = builtin::query(name).expect("it comes with podlens");
            assert!(take_out(component).expect("it is a component") == component, "{name}");
        }
    }

    #[test]
    fn what_is_no_component_is_an_error() {
        let component = builtin::query("restarts").expect("it comes with podlens");
        for bytes in [&b""[..], b"#!/bin/sh\n", &component[..component.len() / 2]] {
            let error = take_out(bytes).expect_err("it is broken");
            assert!(!error.to_string().is_empty());
        }
    }
}
