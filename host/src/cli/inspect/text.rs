//! `podlens inspect -o text`: for people. All that the file's author wrote goes through `crate::text`.

use std::fmt::Write as _;
use std::io::{self, Write};

use tabwriter::TabWriter;

use crate::output::amount::bytes;
use crate::query::{Column, Description, Parameter};
use crate::runtime::{ComponentKind, ExternKind, Inspection, Listed, Offered, Query, Sizes};
use crate::text::{excerpt, visible};

/// Most functions of an interface, and characters of their names together, that are shown on its line. Arbitrary: two lines of a
/// terminal; `-o json` has them all.
const MAX_FUNCTIONS_CHARACTERS: usize = 140;

/// The queries that come with podlens.
pub(super) fn list(out: impl Write, queries: &[(&str, &str)]) -> io::Result<()> {
    let mut table = TabWriter::new(out).padding(3);
    writeln!(table, "NAME\tSUMMARY")?;
    for (name, summary) in queries {
        writeln!(table, "{name}\t{summary}")?;
    }
    table.flush()
}

pub(super) fn inspection(out: &mut impl Write, name: &str, inspection: &Inspection) -> io::Result<()> {
    match &inspection.query {
        Ok(query) => of_query(out, name, query, inspection)?,
        Err(_) => writeln!(out, "`{}` is {}, and not a query", excerpt(name), what(inspection.kind))?,
    }
    if matches!(inspection.kind, ComponentKind::Component | ComponentKind::Module) {
        imports(out, inspection)?;
        exports(out, inspection)?;
        producers(out, inspection)?;
    }
    writeln!(out, "\nSize: {}", sizes(&inspection.sizes))?;
    writeln!(out, "Digest: {}", inspection.digest)?;
    if let Some(reason) = &inspection.unreadable {
        writeln!(out, "Not read to its end: {}", visible(reason))?;
    }
    Ok(())
}

fn what(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Component => "a WebAssembly component",
        ComponentKind::Module => "a core WebAssembly module",
        ComponentKind::Precompiled => "precompiled code",
        ComponentKind::Text => "WebAssembly text",
        ComponentKind::Empty => "an empty file",
        ComponentKind::Unknown => "no WebAssembly",
    }
}

fn of_query(out: &mut impl Write, name: &str, query: &Query, inspection: &Inspection) -> io::Result<()> {
    let Description { title, summary, columns: of_columns, parameters: of_parameters, .. } = query.description();
    let separator = if summary.is_empty() { "" } else { ": " };
    writeln!(out, "{}{separator}{}", visible(title), visible(summary))?;
    columns(out, of_columns)?;
    parameters(out, of_parameters)?;
    writeln!(out, "\nReach: {}", inspection.abilities().to_string().replace("; ", ";\n       "))?;
    let verbs: Vec<_> = query.uses().verbs().collect();
    match verbs.is_empty() {
        true => writeln!(out, "Access: none, it reads no pods"),
        false => writeln!(out, "Access: {} on pods; `podlens rbac {}` prints a role for it", verbs.join(" and "), excerpt(name)),
    }
}

fn columns(out: &mut impl Write, columns: &[Column]) -> io::Result<()> {
    writeln!(out, "\nColumns:")?;
    let rows = columns.iter().map(|Column { name, column_type, description, priority, metric, .. }| {
        let mut notes = column_type.to_string();
        notes += if *metric { ", metric" } else { "" };
        notes += if *priority > 0 { ", wide only" } else { "" };
        vec![visible(name), notes, visible(description)]
    });
    table(out, rows)
}

fn parameters(out: &mut impl Write, parameters: &[Parameter]) -> io::Result<()> {
    if parameters.is_empty() {
        return writeln!(out, "\nParameters: none");
    }
    writeln!(out, "\nParameters:")?;
    let rows = parameters.iter().map(|Parameter { name, parameter_type, default, required, help, .. }| {
        let given = match default {
            Some(default) => format!("default `{}`", excerpt(default)),
            None if *required => "required".to_owned(),
            None => "optional".to_owned(),
        };
        vec![visible(name), format!("{parameter_type}, {given}"), visible(help)]
    });
    table(out, rows)
}

fn imports(out: &mut impl Write, inspection: &Inspection) -> io::Result<()> {
    let imports = &inspection.imports;
    let lines = imports.items.iter().map(|import| {
        let offered = match import.offered {
            Offered::Yes => "",
            Offered::OtherVersion => "  (in another version only)",
            Offered::No => "  (offered to no query)",
        };
        (visible(&import.name), functions(inspection, import.kind, &import.functions) + offered)
    });
    listed(out, "Imports", lines, imports.more)
}

fn exports(out: &mut impl Write, inspection: &Inspection) -> io::Result<()> {
    let exports = &inspection.exports;
    let lines = exports.items.iter().map(|export| (visible(&export.name), functions(inspection, export.kind, &export.functions)));
    listed(out, "Exports", lines, exports.more)
}

fn producers(out: &mut impl Write, inspection: &Inspection) -> io::Result<()> {
    let producers = &inspection.producers;
    let lines = producers.items.iter().map(|producer| {
        let name = visible(&producer.name);
        (visible(&producer.field), if producer.version.is_empty() { name } else { name + " " + &visible(&producer.version) })
    });
    listed(out, "Built with", lines, producers.more)?;
    let annotations = &inspection.annotations;
    if annotations.items.is_empty() {
        return Ok(());
    }
    let lines = annotations.items.iter().map(|annotation| (visible(&annotation.name), visible(&annotation.text)));
    listed(out, "Annotations", lines, annotations.more)
}

/// A heading with a row for each item below it.
fn listed(out: &mut impl Write, heading: &str, rows: impl Iterator<Item = (String, String)>, more: u64) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return writeln!(out, "\n{heading}: nothing");
    }
    writeln!(out, "\n{heading}:")?;
    table(out, rows.map(|(name, text)| vec![name, text]))?;
    if more > 0 {
        writeln!(out, "  … and {more} more")?;
    }
    Ok(())
}

/// Aligned rows, each indented, without blanks at its end.
fn table(out: &mut impl Write, rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let mut table = TabWriter::new(Vec::new()).padding(3);
    for row in rows {
        writeln!(table, "  {}", row.join("\t"))?;
    }
    let text = table.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
    String::from_utf8_lossy(&text).lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

fn functions(inspection: &Inspection, kind: ExternKind, functions: &Listed<String>) -> String {
    match kind {
        // Its functions may be behind what could not be read.
        ExternKind::Interface if inspection.unreadable.is_some() && functions.items.is_empty() => return String::new(),
        ExternKind::Interface if functions.items.is_empty() => return "types only".to_owned(),
        ExternKind::Interface | ExternKind::CoreModule => {}
        ExternKind::Function => return "function".to_owned(),
        _ => return String::new(),
    }
    let mut line = String::new();
    for (index, name) in functions.items.iter().enumerate() {
        let name = excerpt(name);
        if line.len() + name.len() > MAX_FUNCTIONS_CHARACTERS {
            let more = functions.more + (functions.items.len() - index) as u64;
            // Writing to a `String` cannot fail.
            let _ = write!(line, " and {more} more");
            return line;
        }
        line += if index == 0 { "" } else { ", " };
        line += &name;
    }
    line
}

fn sizes(sizes: &Sizes) -> String {
    let Sizes { total, core_modules, functions, code, data, names, debug_info, .. } = *sizes;
    if core_modules == 0 {
        return bytes(total);
    }
    let modules = if core_modules == 1 { "1 core module".to_owned() } else { format!("{core_modules} core modules") };
    let absent = |what: &str, size| if size == 0 { format!("no {what}") } else { format!("{what} {}", bytes(size)) };
    format!(
        "{}; {modules} with {functions} functions: code {}, data {}, {}, {}",
        bytes(total),
        bytes(code),
        bytes(data),
        absent("names", names),
        absent("debug information", debug_info),
    )
}
