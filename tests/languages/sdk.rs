//! What the SDKs for JavaScript and Python do that the examples do not need: every type of cell and parameter, `get`, lists that are left
//! early, errors of the query's own.

use std::sync::Arc;

use podlens::{Cell, Grant, Query};

use crate::pods;
use crate::projects::{self, LANGUAGES};
use crate::run::{Ran, load, run};

/// Column, and what it is given: as in `workout/`.
const REFUSED: [&str; 15] = [
    "text: number",
    "integer: fraction",
    "integer: huge",
    "integer: text",
    "integer: empty",
    "integer: spaced",
    "integer: boolean",
    "number: text",
    "number: boolean",
    "boolean: number",
    "boolean: text",
    "time: text",
    "time: boolean",
    "time: fraction",
    "time: no time",
];

/// The largest integer that JavaScript's numbers hold with all below it.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// The row of one text and nothing else.
fn text(text: &str) -> Vec<Cell> {
    vec![Cell::Text(text.to_owned()), Cell::None, Cell::None, Cell::None, Cell::None]
}

async fn does(query: &Query, what: &str) -> Ran {
    run(query, Arc::new(pods::varied_in_memory()), Grant::all_namespaces(), &[("what", what)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_sdk_does_all_that_it_promises() {
    let mut descriptions = Vec::new();
    for language in LANGUAGES {
        let query = load(&projects::workout(language)).await;
        descriptions.push(query.description().clone());

        let ran = does(&query, "cells").await;
        let first = vec![
            Cell::Text("é\0😀".to_owned()),
            Cell::Integer(MAX_SAFE),
            Cell::Number(0.5),
            Cell::Boolean(false),
            Cell::Time(1_767_323_045),
        ];
        let least = if language == "javascript" { -MAX_SAFE } else { i64::MIN + 1 };
        let second =
            vec![Cell::Text("nothing".to_owned()), Cell::Integer(least), Cell::Number(3.0), Cell::Boolean(true), Cell::Time(-1)];
        assert_eq!((ran.told.as_str(), ran.rows), ("success", vec![first, second, vec![Cell::None; 5]]), "{language}");

        let ran = does(&query, "get").await;
        assert_eq!(ran.told, "success", "{language}");
        let down = [Cell::Text("down".to_owned()), Cell::Integer(1), Cell::None, Cell::Boolean(true), Cell::None];
        assert_eq!(ran.rows, [down], "{language}");

        let ran = does(&query, "missing").await;
        assert_eq!(ran.rows, [text("not-found")], "{language}");
        assert!(ran.told.contains("there is no such pod"), "{language}: {}", ran.told);

        let ran = does(&query, "early").await;
        assert_eq!((ran.told.as_str(), ran.rows.len()), ("success", 20), "{language}");

        let ran = does(&query, "log").await;
        assert_eq!(ran.told, "success", "{language}");
        assert_eq!(ran.log, ["Stdout: to standard output", "Stderr: to standard error"], "{language}");

        // What a query's author reads when it is wrong: the error, and the line.
        for (what, words, rows) in [
            ("throws", ["a reason", "query."], 1),
            ("short", ["", "column"], 0),
            ("integer: fraction", ["1.5", ""], 0),
            ("integer: huge", ["9223372036854775808", if language == "javascript" { "2^53 - 1" } else { "64 bits" }], 0),
            ("invalid", ["invalid argument", "`..`"], 0),
        ] {
            let ran = does(&query, what).await;
            assert_eq!(ran.rows.len(), rows, "{language} {what}");
            assert!(words.iter().all(|word| ran.told.contains(word)), "{language} {what}: {}", ran.told);
        }

        // What is of another type than its column ends the run, and the error names the column.
        for what in REFUSED {
            let column = what.split(':').next().expect("a split gives something");
            let ran = does(&query, what).await;
            assert!(ran.rows.is_empty(), "{language} {what}: {:?}", ran.rows);
            assert!(ran.told.contains(&format!("column `{column}` takes ")), "{language} {what}: {}", ran.told);
        }
        if language == "javascript" {
            javascript_passes_on_nothing_that_its_engine_does_not_hold(&query).await;
        }
    }
    assert_eq!(descriptions[0], descriptions[1]);
}

/// Its engine would pass on another integer than was meant, or end the run where it is given another type.
async fn javascript_passes_on_nothing_that_its_engine_does_not_hold(query: &Query) {
    let ran = does(query, "inexact").await;
    assert!(ran.rows.is_empty() && ran.told.contains("column `integer` takes whole numbers between"), "{}", ran.told);

    for big in [MAX_SAFE + 1, MAX_SAFE + 2, i64::MIN] {
        let arguments = [("what", "cells"), ("big", &*big.to_string())];
        let ran = run(query, Arc::new(pods::varied_in_memory()), Grant::all_namespaces(), &arguments).await;
        let refused = ran.told.contains("invalid argument") && ran.told.contains("parameter `big` takes whole numbers between");
        assert!(ran.rows.is_empty() && refused, "{big}: {}", ran.told);
    }

    let ran = does(query, "half").await;
    assert_eq!((ran.told.as_str(), ran.rows), ("success", vec![text("\u{fffd}")]));

    let ran = does(query, "option").await;
    assert!(ran.told.contains("option `namespace` of `pods` takes a string, not a number"), "{}", ran.told);
}
