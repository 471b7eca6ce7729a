//! The examples in JavaScript and Python, each beside the one in Rust.

use std::path::Path;
use std::sync::Arc;

use podlens::{Error, Grant, Limit, Namespace, PodSource, Query};
use podlens_tests::program::{self, Done};

use crate::pods::{self, BreaksOff};
use crate::projects::{self, LANGUAGES};
use crate::run::{Ran, load, run};

const QUERIES: [&str; 2] = ["pod-names", "restarts"];

/// All formats that need no more than their name.
const FORMATS: [&str; 10] = ["table", "wide", "json", "jsonl", "yaml", "csv", "markdown", "html", "prometheus", "name"];

/// A query in Rust, and in another language.
struct Pair {
    name: String,
    query: &'static str,
    in_rust: Query,
    other: Query,
}

/// All that there are, compiled once for the test that asks.
async fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for query in QUERIES {
        for language in LANGUAGES {
            let component = projects::example(query, language);
            let (in_rust, other) = (load(&projects::in_rust(query)).await, load(&component).await);
            pairs.push(Pair { name: format!("{query} in {language}"), query, in_rust, other });
        }
    }
    pairs
}

impl Pair {
    /// Runs both. They have to do the same, from the first row to the last word.
    async fn run(&self, source: Arc<dyn PodSource>, grant: &Grant, arguments: &[(&str, &str)]) -> Ran {
        let expected = run(&self.in_rust, source.clone(), grant.clone(), arguments).await;
        let ran = run(&self.other, source, grant.clone(), arguments).await;
        assert_eq!((&ran.told, &ran.rows), (&expected.told, &expected.rows), "{} {arguments:?}", self.name);
        assert_eq!((&ran.log, &ran.report.incomplete.is_some()), (&expected.log, &expected.report.incomplete.is_some()));
        ran
    }
}

/// One test, since compiling the four takes most of the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_do_what_those_in_rust_do() {
    for pair in pairs().await {
        assert_eq!(pair.other.description(), pair.in_rust.description(), "{}", pair.name);
        let mins: &[&[(&str, &str)]] = match pair.query {
            "restarts" => &[&[], &[("min", "0")], &[("min", "5")], &[("min", "-9007199254740991")], &[("min", "2147483648")]],
            _ => &[&[]],
        };

        let everything = Grant::all_namespaces();
        for arguments in mins {
            let ran = pair.run(Arc::new(pods::varied_in_memory()), &everything, arguments).await;
            assert_eq!(ran.told, "success", "{}", pair.name);
            assert!(ran.rows.is_empty() == (*arguments == [("min", "2147483648")]), "{}", pair.name);
        }

        // What is not granted is not there.
        for namespace in ["payments", "nobody"] {
            let grant = Grant::nothing().namespace(Namespace::parse(namespace).expect("it is one"));
            let ran = pair.run(Arc::new(pods::varied_in_memory()), &grant, &[]).await;
            assert_eq!((ran.told.as_str(), ran.rows.len()), ("success", usize::from(namespace == "payments")), "{}", pair.name);
        }
        let ran = pair.run(Arc::new(pods::varied_in_memory()), &Grant::nothing(), &[]).await;
        assert!(ran.told.contains("denied") || ran.told.contains("granted"), "{}: {}", pair.name, ran.told);

        // An error of the cluster comes to the operator as it was, after the rows before it.
        for error in [
            Error::denied("the cluster says no"),
            Error::expired("the list is too old"),
            Error::unavailable("the cluster is asleep", None),
            Error::server_error("the cluster is on fire"),
        ] {
            let told = error.to_string();
            let ran = pair.run(Arc::new(BreaksOff(error)), &everything, &[]).await;
            assert!(ran.told.contains(&told), "{}: {}", pair.name, ran.told);
        }

        let refused = |query: &Query| {
            let arguments = query.description().arguments([("min", "three")]);
            arguments.expect_err("three is no number, and `pod-names` has no such parameter").to_string()
        };
        assert_eq!(refused(&pair.other), refused(&pair.in_rust));

        let many = pair.run(Arc::new(pods::many(10_000)), &everything, &[]).await;
        assert_eq!(many.told, "success", "{}", pair.name);
        assert_eq!(
            (many.rows.len(), many.report.used(Limit::Pods)),
            (if pair.query == "restarts" { 7_500 } else { 10_000 }, 10_000)
        );
    }
}

/// The rows are compared above; here it is what is printed of them. Each run compiles its component.
#[test]
fn they_print_the_same_bytes_in_every_format() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let pods = place.path().join("pods.json");
    std::fs::write(&pods, pods::varied().to_string()).expect("a temporary folder can be written");
    let print = |component: &Path, format: &str| {
        let mut command = projects::podlens();
        let Done { code, stdout, stderr } =
            program::run(command.arg("run").arg(component).args(["-A", "-o", format, "--from"]).arg(&pods));
        assert_eq!(code, 0, "{stderr}");
        // A page says when it was made; the times of its rows have their age beside them.
        let made = |line: &&str| line.contains("<time datetime=") && !line.contains("title=");
        stdout.lines().filter(|line| format != "html" || !made(line)).collect::<Vec<_>>().join("\n")
    };
    for language in LANGUAGES {
        let component = projects::example("restarts", language);
        for format in FORMATS {
            let (printed, expected) = (print(&component, format), print(&projects::in_rust("restarts"), format));
            assert!(printed == expected && !printed.is_empty(), "{language} -o {format}:\n{printed}\nand not\n{expected}");
        }
    }
}

/// What it imports tells how much of each pod the cluster is asked for.
#[test]
fn they_import_of_a_pod_what_they_name() {
    for query in QUERIES {
        for language in LANGUAGES {
            let done =
                program::run(projects::podlens().arg("inspect").arg(projects::example(query, language)).args(["-o", "json"]));
            assert_eq!(done.code, 0, "{query} in {language}: {}", done.stderr);
            let imports = |method: &str| done.stdout.contains(&format!("\"[method]pod.{method}\""));
            assert!(imports("name") && imports("namespace"), "{query} in {language}: {}", done.stdout);
            assert_eq!(imports("status"), query == "restarts", "{query} in {language}");
            assert!(!imports("spec") && !imports("object"), "{query} in {language}");
        }
    }
}

/// The test cases lie beside the query in Rust: what is granted, what goes wrong in mid-list, what a parameter may be.
#[test]
fn they_pass_the_test_cases_of_those_in_rust() {
    for query in QUERIES {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/queries").join(query);
        for language in LANGUAGES {
            let component = projects::example(query, language);
            let done = program::run(projects::podlens().arg("test").arg(&cases).arg("--component").arg(&component));
            assert_eq!(done.code, 0, "{query} in {language}: {}{}", done.stdout, done.stderr);
            assert!(done.stdout.contains(" passed"), "{query} in {language}: {}", done.stdout);
        }
    }
}
