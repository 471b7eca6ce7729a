//! The README says what is: each fact in it that a program can look up is looked up.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use podlens::Limit;
use podlens_tests::program;

use crate::demo::{steady, story};
use crate::tidy::files;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn readme() -> String {
    read("README.md")
}

/// The content of each fenced block of this language, in their order.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        if found == language {
            blocks.push(block);
        }
    }
    blocks
}

/// What is in backticks of `text`.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The rows of the table whose first header is this, cell by cell.
fn table(readme: &str, first_header: &str) -> Vec<Vec<String>> {
    let header = format!("| {first_header} |");
    let rows = readme.lines().skip_while(|line| !line.starts_with(&header)).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "no table begins with `{header}`");
    rows
}

fn help(arguments: &[&str]) -> String {
    program::run(program::command().args(arguments)).stdout
}

/// The text below each heading of a help, by heading.
fn sections(help: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in help.lines() {
        match (line.strip_suffix(':').filter(|line| !line.starts_with(' ')), sections.last_mut()) {
            (Some(heading), _) => sections.push((heading, Vec::new())),
            (None, Some((_, lines))) if !line.is_empty() => lines.push(line),
            _ => {}
        }
    }
    sections
}

/// The flags of a help's line as the README writes them, such as ``-n`, `--namespace NAMESPACE``. `None` where a line only goes on.
fn flags(line: &str) -> Option<String> {
    let line = line.trim_start();
    let (flags, _) = line.split_once("  ").unwrap_or((line, ""));
    flags.starts_with('-').then(|| {
        let flags: Vec<String> = flags.replace(['<', '>'], "").split(", ").map(|flag| format!("`{flag}`")).collect();
        flags.join(", ")
    })
}

#[test]
fn its_first_screen_is_what_the_demo_prints() {
    let readme = readme();
    let block = blocks(&readme, "console").into_iter().next().expect("it begins with a run");
    let shown = block.strip_prefix("$ cargo run --release -- demo\n").expect("the first command is the demo");
    let printed = steady(&story());
    // `…` on a line of its own stands for what is left out.
    let mut rest = printed.as_str();
    for (index, piece) in steady(shown).split("…\n").enumerate() {
        let at = rest.find(piece).unwrap_or_else(|| panic!("the demo prints\n{rest}\nand not\n{piece}"));
        assert!(index > 0 || at == 0, "it begins with\n{}", &rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    assert!(rest.is_empty() || shown.trim_end().ends_with('…'), "the demo goes on:\n{rest}");
}

#[test]
fn its_tables_of_flags_are_those_of_the_help() {
    let readme = readme();
    let help = help(&["run", "-h"]);
    let of_help = |wanted: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
        let lines = sections(&help).into_iter().filter(|(heading, _)| wanted(heading)).flat_map(|(_, lines)| lines);
        lines.filter_map(flags).filter(|flags| flags != "`-h`, `--help`").collect()
    };
    let flags = table(&readme, "flag");
    let (argument, flags) = flags.split_first().expect("it has rows");
    assert_eq!(argument[0], "`COMPONENT`");
    assert!(help.contains("\nArguments:\n  <COMPONENT> "));
    let is_limit = |heading: &str| heading == "Limits of the run";
    let is_connection = |heading: &str| heading.starts_with("Connection: ");
    let shown: BTreeSet<String> = flags.iter().map(|row| row[0].clone()).collect();
    assert_eq!(shown, of_help(&|heading| !is_limit(heading) && !is_connection(heading) && heading != "Arguments"));
    assert_eq!(shown.len(), flags.len(), "none is there twice");

    // Here a row may have two of them.
    let rows = table(&readme, "connection flag");
    let shown: BTreeSet<String> = rows.iter().flat_map(|row| row[0].split(", ").map(str::to_owned)).collect();
    assert_eq!(shown, of_help(&is_connection));

    let limits = of_help(&is_limit).len();
    assert_eq!(limits, Limit::ALL.len());

    // The formats of `-o`.
    let (_, formats) = help.split_once("[possible values: ").expect("`-o` has formats");
    let formats: Vec<&str> = formats.split(']').next().unwrap_or_default().split(',').map(str::trim).collect();
    let row = flags.iter().find(|row| row[0].starts_with("`-o`")).expect("it was just found");
    let shown = quoted(&row[1]);
    assert_eq!(shown[..formats.len()], formats);
    assert!(help.contains(&format!("[default: {}]", shown[formats.len()])));
}

#[test]
fn its_table_of_limits_is_the_librarys() {
    let readme = readme();
    let (_, section) = readme.split_once("\n### Limits\n").expect("there is a section for them");
    let shown: Vec<_> = table(section, "flag").into_iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    let limit = |limit: &Limit| (format!("`--{}`", limit.name()), limit.unit().show(limit.default_value()).to_string());
    assert_eq!(shown, Limit::ALL.iter().map(limit).collect::<Vec<_>>());
}

#[test]
fn its_table_of_exit_codes_is_the_helps() {
    let readme = readme();
    let help = help(&["--help"]);
    let of_help = sections(&help).into_iter().find(|(heading, _)| *heading == "Exit codes").expect("the help has them").1;
    let shown = table(&readme, "code");
    assert_eq!(shown.len(), of_help.len());
    for (row, line) in shown.iter().zip(of_help) {
        let (code, meaning) = line.trim().split_once("  ").expect("a code and its meaning");
        assert!(row[0] == code && row[1].starts_with(meaning), "{row:?} and {line}");
    }
}

#[test]
fn the_query_that_it_shows_is_the_one_that_it_names() {
    let readme = readme();
    let source = read("guest/queries/pod-names/src/lib.rs");
    let without_header: Vec<&str> = source.lines().skip_while(|line| line.starts_with("//!") || line.is_empty()).collect();
    assert_eq!(blocks(&readme, "rust"), [without_header.join("\n") + "\n"]);
    assert!(readme.contains("(guest/queries/pod-names/src/lib.rs)"));
    // As short as it says they are.
    for query in ["pod-names", "restarts", "images", "unready"] {
        assert!(readme.contains(&format!("`{query}`")), "`{query}` is not named");
        let lines = read(&format!("guest/queries/{query}/src/lib.rs")).lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert!(lines <= 70, "`{query}` has {lines} lines");
    }
}

/// The words of a command as a shell takes them, up to a comment, a pipe or a file.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in command.chars() {
        match character {
            '\'' => quoted = !quoted,
            '#' | '|' | '>' if !quoted => break,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is one").push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_that_it_shows_is_one() {
    let readme = readme();
    let blocks = blocks(&readme, "console");
    let shown = blocks.iter().flat_map(|block| block.lines()).filter_map(|line| line.strip_prefix("$ podlens "));
    let mut count = 0;
    for command in shown {
        let arguments = words(command);
        // Help is given for what is otherwise in order; for all else, an error.
        let done = program::run(program::command().args(arguments).arg("--help"));
        assert_eq!(done.code, 0, "`podlens {command}`: {}", done.stderr);
        count += 1;
    }
    assert!(count >= 4, "{count} commands");
}

#[test]
fn every_link_leads_somewhere() {
    let readme = readme();
    let headings: BTreeSet<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| format!("#{}", line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-").replace('`', "")))
        .collect();
    let mut count = 0;
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains("://")) {
        let found = if link.starts_with('#') { headings.contains(link) } else { root().join(link).exists() };
        assert!(found, "`{link}` leads nowhere");
        count += 1;
    }
    assert!(count >= 5, "{count} links");
}

#[test]
fn its_environment_is_the_sources() {
    let readme = readme();
    let sources: String = files(&root().join("host/src"), &[".rs"]).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let is_variable = |word: &&str| word.len() > 3 && word.chars().all(|it| it.is_ascii_uppercase() || it == '_');
    let shown: BTreeSet<String> =
        table(&readme, "name").iter().flat_map(|row| quoted(&row[0]).into_iter().map(str::to_owned).collect::<Vec<_>>()).collect();
    for variable in &shown {
        assert!(sources.contains(&format!("\"{variable}\"")), "no source reads `{variable}`");
    }
    // Those that are read, but for the proxies that are not used.
    let read = [read("host/src/config/environment.rs"), read("host/src/cli/report.rs")].concat();
    let read: BTreeSet<&str> = read.split('"').skip(1).step_by(2).filter(is_variable).collect();
    for variable in read.iter().filter(|variable| !variable.ends_with("_PROXY") && variable.len() > 4) {
        assert!(shown.contains(*variable), "`{variable}` is not in the table");
    }
}

#[test]
fn its_versions_are_those_in_use() {
    let readme = readme();
    let rows = table(&readme, "what");
    let version = |what: &str| rows.iter().find(|row| row[0] == what).unwrap_or_else(|| panic!("no version of {what}"))[1].clone();
    let manifest = read("Cargo.toml");
    let of_manifest = |key: &str| {
        let value = manifest.lines().find_map(|line| line.strip_prefix(key)?.split('"').nth(1));
        value.unwrap_or_else(|| panic!("no `{key}` in Cargo.toml")).to_owned()
    };
    assert_eq!(version("Rust"), of_manifest("rust-version = "));
    assert!(readme.contains(&format!("needs Rust {} ", of_manifest("rust-version = "))));
    let wasmtime = of_manifest("wasmtime = ");
    assert!(version("wasmtime").starts_with(wasmtime.split('.').next().unwrap_or_default()), "{wasmtime}");
    assert!(read("wit/world.wit").contains(&format!("package {};", quoted(&version("WIT"))[0])));
    assert!(readme.contains(&format!("\n{}: ", of_manifest("version = "))), "the version is among the changes");
    let kubernetes = read("tests/cluster/go.mod");
    let tested = version("Kubernetes");
    let tested = tested.strip_prefix("tested on ").and_then(|rest| rest.split(';').next()).expect("it says what it is tested on");
    assert!(kubernetes.contains(&format!("k8s.io/kubernetes v{tested} ")), "{tested}");
}

#[test]
fn its_map_of_the_code_is_complete() {
    let readme = readme();
    let (_, map) = readme.split_once("\n## Map of the code\n").expect("there is one");
    let shown: BTreeSet<String> = table(map, "where").iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    for folder in &shown {
        assert!(root().join(folder).is_dir(), "there is no `{folder}`");
    }
    let folders = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(root().join(path)).expect("the folder can be read").map(|entry| entry.expect("it can be read"));
        entries
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.') && name != "target")
            .map(|name| format!("{path}{name}/"))
            .collect()
    };
    let missing: Vec<String> = folders("")
        .into_iter()
        .filter(|folder| folder != "host/")
        .chain(folders("host/src/"))
        .filter(|it| !shown.contains(it))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// The value of a constant, such as `64 << 20`.
fn constant(path: &str, name: &str) -> u64 {
    let source = read(path);
    let value = source.lines().find_map(|line| line.split_once(&format!("{name}: "))?.1.split_once(" = "));
    let (_, value) = value.unwrap_or_else(|| panic!("no {name} in {path}"));
    let parse =
        |number: &str| number.replace('_', "").parse::<u64>().unwrap_or_else(|error| panic!("{name} is `{value}`: {error}"));
    match value.trim_end_matches(';').split_once(" << ") {
        Some((number, shift)) => parse(number) << parse(shift),
        None => parse(value.trim_end_matches(';')),
    }
}

fn bytes(value: u64) -> String {
    if value.is_multiple_of(1 << 20) { format!("{} MiB", value >> 20) } else { format!("{} KiB", value >> 10) }
}

/// With a comma before each three digits.
fn count(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[test]
fn its_fixed_bounds_are_the_sources() {
    let readme = readme();
    let (_, text) = readme.split_once("\nEach can be set and none can be switched off.").expect("it follows the table of limits");
    let (text, _) = text.split_once("\n\n").expect("it is a paragraph");
    for bound in [
        format!("{} pods a page", count(constant("host/src/kube/request.rs", "PAGE_LIMIT"))),
        count(constant("host/src/runtime/store.rs", "MAX_HANDLES")),
        format!("{} lists", count(constant("host/src/imports/mod.rs", "MAX_OPEN_LISTS"))),
        format!("a component has at most {}", bytes(constant("host/src/runtime/load.rs", "MAX_COMPONENT_BYTES"))),
        format!("an answer of the API server {}", bytes(constant("host/src/source/mod.rs", "MAX_ANSWER_BYTES"))),
        format!("a cell of text {}", bytes(constant("host/src/query/row.rs", "MAX_TEXT_BYTES"))),
    ] {
        assert!(text.replace('\n', " ").contains(&bound), "not `{bound}`: {text}");
    }
}
