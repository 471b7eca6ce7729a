//! House rules that the compiler does not know, held against the sources: who may use whom, and what only one place may do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which module of the host uses which, all of it. An arrow that is missing here, or that nothing needs any more, fails.
///
/// They go one way: `cli -> runtime -> imports -> source -> client -> config`, and `policy`, `query` and `limits` know only words.
const ARROWS: &[(&str, &[&str])] = &[
    // What is measured alone and is no part of the API.
    ("bench", &["error", "kube", "runtime"]),
    // The one circle, and generated: what stands behind a guest's handle is told to `bindgen!`, and implemented in `imports`.
    ("bindings", &["imports"]),
    // The binary may use the whole library, as an embedder may, but none of the WIT.
    (
        "cli",
        &[
            "client", "config", "demo", "error", "kube", "limits", "output", "policy", "proxy", "query", "runtime", "serve",
            "source", "text", "yaml",
        ],
    ),
    ("client", &["config", "error", "kube", "text"]),
    // Of `kube` the names: a namespace is configuration.
    ("config", &["error", "kube", "text", "yaml"]),
    // An API server for demonstrations: it speaks Kubernetes and shares nothing with the client that reads from it.
    ("demo", &["kube"]),
    ("error", &[]),
    ("imports", &["bindings", "error", "kube", "limits", "policy", "query", "source", "text"]),
    ("kube", &["text"]),
    ("limits", &["error"]),
    ("main", &["cli"]),
    // What answers look like, whoever writes them.
    ("output", &["config", "error", "query", "runtime", "text"]),
    ("policy", &["kube"]),
    // A server for others: it decides by grant, reads by the client, and shares nothing with runs.
    ("proxy", &["client", "error", "kube", "policy", "text", "web"]),
    ("query", &["text"]),
    ("runtime", &["bindings", "error", "imports", "limits", "policy", "query", "source", "text"]),
    // A server for tenants: it runs what they may run, and writes down what was done.
    (
        "serve",
        &["client", "config", "error", "kube", "limits", "output", "policy", "query", "runtime", "source", "text", "web", "yaml"],
    ),
    ("source", &["client", "error", "kube", "policy", "text"]),
    ("text", &[]),
    // Clients who are not trusted, whatever is served.
    ("web", &[]),
    ("yaml", &[]),
];

/// What a module has never heard of, as paths begin in code.
const STRANGERS: &[(&str, &[&str])] = &[
    ("client", &["wasmtime", "wasmtime_wasi"]),
    // A URL and a header's value are words; sending them is not.
    ("config", &["reqwest::Client", "tokio::net", "wasmtime", "wasmtime_wasi"]),
    ("error", IO),
    ("kube", IO),
    ("limits", IO),
    ("policy", IO),
    ("query", IO),
    ("source", &["reqwest", "std::fs", "wasmtime", "wasmtime_wasi"]),
    ("text", IO),
    ("yaml", IO),
];
const IO: &[&str] =
    &["http", "hyper", "reqwest", "rustls", "std::env", "std::fs", "std::io", "std::net", "tokio", "wasmtime", "wasmtime_wasi"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One file of the host without comments and without its tests, which come last and may use what they need.
struct Source {
    /// From `host/src`, such as `policy/grant.rs`.
    path: String,
    code: String,
}

impl Source {
    /// The module of the crate's root that the file belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// How many modules lie between the file's items and the crate's root, `super` by `super`.
    fn depth(&self) -> usize {
        let names = self.path.trim_end_matches(".rs").split('/');
        names.filter(|name| *name != "mod").count()
    }

    /// Whether the code has `path`, such as `std::env::var` or `tokio::`, and not as a part of longer words.
    fn has(&self, path: &str) -> bool {
        let word = |character: char| character.is_alphanumeric() || character == '_';
        self.code.match_indices(path).any(|(at, _)| {
            let after = &self.code[at + path.len()..];
            !self.code[..at].ends_with(word) && (path.ends_with("::") || !after.starts_with(word))
        })
    }

    /// Whether the code uses a crate, or a module such as `std::fs`, alone or in a group.
    fn knows(&self, stranger: &str) -> bool {
        match stranger.split_once("::") {
            None => self.has(&format!("{stranger}::")) || self.has(&format!("use {stranger}")),
            Some((krate, module)) => {
                let start = format!("{krate}::");
                let mut paths = self.code.match_indices(&start);
                paths.any(|(at, _)| first_names(&self.code[at + start.len()..]).iter().any(|name| name == module))
            }
        }
    }

    /// The names at the crate's root that the code uses: after `crate::`, and after as many `super::` as lead there.
    fn names_at_root(&self) -> BTreeSet<String> {
        let up = "super::".repeat(self.depth());
        let starts = ["crate::", &up, "podlens::"];
        // `podlens::` is the crate for its binary, and a package of the WIT in the paths of the bindings.
        let starts = if self.path == "main.rs" { &starts[2..] } else { &starts[..2] };
        let mut names = BTreeSet::new();
        for start in starts {
            for (at, _) in self.code.match_indices(start) {
                names.extend(first_names(&self.code[at + start.len()..]));
            }
        }
        names
    }
}

/// The first name of each path at the beginning of `text`: one, or those of a group in braces.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let mut names = vec![name(group)];
    let mut depth = 0;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn host() -> Vec<Source> {
    let folder = root().join("host/src");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let path = path.strip_prefix(&folder).expect("it was found there").display().to_string();
        Source { path, code }
    };
    let is_test = |path: &PathBuf| path.file_name().is_some_and(|name| name == "tests.rs");
    let sources: Vec<_> = files(&folder, &[".rs"]).into_iter().filter(|path| !is_test(path)).map(read).collect();
    assert!(sources.len() > 50, "the sources are found");
    sources
}

/// All files below `folder` whose names end so, but for what is built and what git keeps.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !matches!(name, ".git" | "target" | "node_modules" | "__pycache__" | ".venv") {
                found.extend(files(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn arrows_between_modules_go_one_way() {
    let sources = host();
    let facade = facade(&sources);
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        let used = arrows.entry(source.module()).or_default();
        for name in source.names_at_root() {
            let Some(module) = facade.get(&name) else { panic!("{}: what is `crate::{name}`?", source.path) };
            if module != source.module() {
                used.insert(module);
            }
        }
    }
    let expected: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(module, used)| (*module, used.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    for module in arrows.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
        let none = BTreeSet::new();
        let (found, allowed) = (arrows.get(module).unwrap_or(&none), expected.get(module).unwrap_or(&none));
        wrong.extend(found.difference(allowed).map(|used| format!("`{module}` uses `{used}`, which it may not")));
        wrong.extend(allowed.difference(found).map(|used| format!("`{module}` does not use `{used}` any more")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is at the crate's root, and in which module: the modules, and what `lib.rs` re-exports of them.
fn facade(sources: &[Source]) -> BTreeMap<String, String> {
    let lib = &sources.iter().find(|source| source.path == "lib.rs").expect("there is a library").code;
    let modules = lib.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let mut facade: BTreeMap<_, _> = modules.map(|module| (module.to_owned(), module.to_owned())).collect();
    for export in lib.split("pub use ").skip(1) {
        let (module, names) = export.split_once("::").expect("a module is re-exported by its items");
        facade.extend(first_names(names).into_iter().map(|name| (name, module.to_owned())));
    }
    facade
}

#[test]
fn modules_know_no_strangers() {
    let source = |code: &str| Source { path: "kube/mod.rs".into(), code: code.into() };
    for code in ["use std::fs;", "use std::{fmt, fs::File};", "std::fs::read(path)", "use std::{\n    fmt,\n    fs,\n};"] {
        assert!(source(code).knows("std::fs") && !source(code).knows("std::net"), "{code}");
    }
    assert!(source("tokio::spawn(x)").knows("tokio") && !source("my_tokio::spawn(tokio)").knows("tokio"));
    for source in host() {
        let strangers = STRANGERS.iter().find(|(module, _)| *module == source.module());
        for stranger in strangers.map(|(_, strangers)| *strangers).unwrap_or_default() {
            assert!(!source.knows(stranger), "{}: `{}` must not know `{stranger}`", source.path, source.module());
        }
    }
}

/// What is done, by which paths in the code, and which file may.
type Rule = (&'static str, &'static [&'static str], fn(&Source) -> bool);

/// Each of these is done in one place; a second one would miss what the first looks after.
#[test]
fn what_is_done_in_one_place_is_done_nowhere_else() {
    let environment = &[
        "env::var",
        "env::var_os",
        "env::vars",
        "env::vars_os",
        "env::set_var",
        "from_env",
        "try_from_env",
        "from_default_env",
    ][..];
    let rules: &[Rule] = &[
        ("reads the environment", environment, |source| source.module() == "config" || source.path == "cli/report.rs"),
        ("makes a store", &["Store::new", "Store::try_new"], |source| source.path == "runtime/store.rs"),
        ("makes an engine", &["Engine::new"], |source| source.path == "runtime/engine.rs"),
        ("makes a linker", &["Linker::new"], |source| source.path == "runtime/engine.rs"),
        ("makes a WASI context", &["WasiCtx::builder", "WasiCtxBuilder"], |source| source.path == "runtime/wasi.rs"),
        ("gets at a pod that was not admitted", &["ReadPod"], |source| {
            source.module() != "imports" || source.path == "imports/read_ahead.rs"
        }),
        ("keeps what a query may not see", &["admitted"], |source| {
            matches!(source.path.as_str(), "policy/authorize.rs" | "source/watch/follow.rs")
        }),
        ("ends the process", &["process::exit", "process::abort"], |_| false),
    ];
    for source in host() {
        for (what, paths, may) in rules {
            for path in *paths {
                assert!(!source.has(path) || may(&source), "{} {what}: `{path}`", source.path);
            }
        }
        let makes_request =
            source.code.replace("impl PodRequest {", "").replace("struct PodRequest {", "").contains("PodRequest {");
        assert!(!makes_request || source.path == "policy/authorize.rs", "{} makes a request of its own", source.path);
    }
    // The rules find what they look for.
    let all = host();
    let count = |path: &str| all.iter().filter(|source| source.has(path)).count();
    assert_eq!((count("Store::try_new"), count("Engine::new"), count("Linker::new"), count("WasiCtx::builder")), (1, 1, 1, 1));
}

/// Nothing in the repository tells on which machine, or from which mirror of a registry, it was made.
#[test]
fn no_file_names_a_machine() {
    // In pieces, for this file is read too.
    let machines =
        [["/ro", "ot/"], ["/wo", "rk/"], ["/Us", "ers/"], ["/ho", "me/"], ["C:\\Us", "ers"]].map(|pieces| pieces.concat());
    let registries = [
        ["arti", "factory"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["registry.", "npmjs.org"],
        ["proxy.", "golang.org"],
        ["sum.", "golang.org"],
        ["files.", "pythonhosted.org"],
        ["pypi.", "org"],
    ]
    .map(|pieces| pieces.concat());
    // The reader's own home, in examples.
    let example = ["/ho", "me/me/"].concat();
    for path in files(&root(), &[""]) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            let line = line.replace(&example, "");
            for word in machines.iter().chain(&registries) {
                assert!(!line.contains(word), "{}:{}: `{word}`", path.display(), number + 1);
            }
        }
    }
}

/// Dependencies come from the public registry: no path outside of the repository, no git, no other registry.
#[test]
fn dependencies_come_from_one_registry() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("the lock file is in the repository");
    let sources: BTreeSet<_> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["\"registry+https://github.com/rust-lang/crates.io-index\""]);
}
