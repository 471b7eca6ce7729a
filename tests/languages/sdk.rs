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
            Cell::Integer(9_007_199_254_740_993),
            Cell::Number(0.5),
            Cell::Boolean(false),
            Cell::Time(1_767_323_045),
        ];
        let second =
            vec![Cell::Text("nothing".to_owned()), Cell::Integer(i64::MIN), Cell::Number(3.0), Cell::Boolean(true), Cell::Time(-1)];
        assert_eq!((ran.told.as_str(), ran.rows), ("success", vec![first, second, vec![Cell::None; 5]]), "{language}");

        let ran = does(&query, "get").await;
        assert_eq!(ran.told, "success", "{language}");
        assert_eq!(ran.rows[0][..2], [Cell::Text("down".to_owned()), Cell::Integer(1)], "{language}");

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
            ("integer: huge", ["9223372036854775808", "64 bits"], 0),
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
    }
    assert_eq!(descriptions[0], descriptions[1]);
}
