//! A component as JSON, for programs. Keys are never renamed or removed; new ones may be added.
//!
//! Lists are cut where a file holds more than anybody writes; the key beside each, such as `moreImports`, counts what is left out.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::Error;
use crate::output::escape_hidden;
use crate::query::{Column, Parameter};
use crate::runtime::{Abilities, Annotation, Export, Import, Inspection, Listed, Offered, Producer, Query, Sizes};

/// The queries that come with podlens.
pub(crate) fn list(out: impl Write, queries: &[(&str, &str)]) -> io::Result<()> {
    let queries: Vec<_> = queries.iter().map(|(name, summary)| json!({ "name": name, "summary": summary })).collect();
    write(out, &queries)
}

pub(crate) fn inspection(out: &mut impl Write, inspection: &Inspection) -> io::Result<()> {
    write(out, &Told::of(inspection))
}

/// The same as a value.
pub(crate) fn value(inspection: &Inspection) -> Value {
    serde_json::to_value(Told::of(inspection)).unwrap_or_default()
}

/// Writes one document. JSON requires escapes for C0 only; here all that a terminal acts on is escaped.
fn write(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    writeln!(out, "{}", escape_hidden(serde_json::to_string_pretty(value)?))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    /// `component`, `module`, `precompiled`, `text`, `empty` or `unknown`.
    kind: &'static str,
    digest: String,
    /// What the query says of itself; null where the file is not a query.
    query: Option<Value>,
    /// Why the file is not a query; null where it is.
    problem: Option<Value>,
    /// What it can ever do, each true or false.
    abilities: Value,
    /// What its account needs on pods, as RBAC's verbs.
    verbs: Vec<&'static str>,
    imports: Vec<Value>,
    more_imports: u64,
    exports: Vec<Value>,
    more_exports: u64,
    producers: Vec<Value>,
    more_producers: u64,
    annotations: Vec<Value>,
    more_annotations: u64,
    sizes: Value,
    /// Why the structure could not be read to its end; null where it could.
    unreadable: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(inspection: &'a Inspection) -> Self {
        let Inspection { kind, digest, sizes: of_sizes, imports, exports, producers, annotations, unreadable, query, .. } =
            inspection;
        let (imports, more_imports) = each(imports, import);
        let (exports, more_exports) = each(exports, export);
        let (producers, more_producers) = each(producers, producer);
        let (annotations, more_annotations) = each(annotations, annotation);
        Self {
            kind: kind.name(),
            digest: digest.to_string(),
            query: query.as_ref().ok().map(of_query),
            problem: query.as_ref().err().map(problem),
            abilities: abilities(inspection.abilities()),
            verbs: query.as_ref().map(|query| query.uses().verbs().collect()).unwrap_or_default(),
            imports,
            more_imports,
            exports,
            more_exports,
            producers,
            more_producers,
            annotations,
            more_annotations,
            sizes: sizes(of_sizes),
            unreadable: unreadable.as_deref(),
        }
    }
}

fn each<T>(listed: &Listed<T>, told: fn(&T) -> Value) -> (Vec<Value>, u64) {
    (listed.items.iter().map(told).collect(), listed.more)
}

fn of_query(query: &Query) -> Value {
    let description = query.description();
    json!({
        "title": description.title,
        "summary": description.summary,
        "columns": description.columns.iter().map(column).collect::<Vec<_>>(),
        "parameters": description.parameters.iter().map(parameter).collect::<Vec<_>>(),
    })
}

fn column(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.column_type.to_string(),
        "description": column.description,
        "priority": column.priority,
        "metric": column.metric,
    })
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "type": parameter.parameter_type.to_string(),
        "default": parameter.default,
        "required": parameter.required,
        "help": parameter.help,
    })
}

fn problem(error: &Error) -> Value {
    let causes: Vec<_> = error.causes().map(ToString::to_string).collect();
    json!({ "message": error.to_string(), "causes": causes, "hint": error.help() })
}

fn abilities(abilities: Abilities) -> Value {
    let Abilities { list, get, objects, rows, log, clock, random, .. } = abilities;
    json!({ "list": list, "get": get, "objects": objects, "rows": rows, "log": log, "clock": clock, "random": random })
}

fn import(import: &Import) -> Value {
    let offered = match import.offered {
        Offered::Yes => "yes",
        Offered::OtherVersion => "other-version",
        Offered::No => "no",
    };
    json!({
        "name": import.name,
        "kind": import.kind.name(),
        "functions": import.functions.items,
        "moreFunctions": import.functions.more,
        "offered": offered,
    })
}

fn export(export: &Export) -> Value {
    json!({ "name": export.name, "kind": export.kind.name(), "functions": export.functions.items, "moreFunctions": export.functions.more })
}

fn producer(producer: &Producer) -> Value {
    json!({ "field": producer.field, "name": producer.name, "version": producer.version })
}

fn annotation(annotation: &Annotation) -> Value {
    json!({ "name": annotation.name, "text": annotation.text })
}

fn sizes(sizes: &Sizes) -> Value {
    json!({
        "totalBytes": sizes.total,
        "coreModules": sizes.core_modules,
        "functions": sizes.functions,
        "codeBytes": sizes.code,
        "dataBytes": sizes.data,
        "namesBytes": sizes.names,
        "debugInfoBytes": sizes.debug_info,
    })
}
