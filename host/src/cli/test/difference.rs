//! How what happened differs from what was expected, line by line.

use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::text;

/// Lines that are shown before and after a change: the beginning of a row, mostly.
const CONTEXT_LINES: usize = 4;
/// Most lines that are shown. Arbitrary; a person reads the first ones, and changes the query.
const MAX_LINES: usize = 120;
/// Most characters of a line. Arbitrary; a cell may have 65,536.
const MAX_CHARACTERS: usize = 300;
/// How long the shortest difference is looked for; after that, a longer one will do.
const PATIENCE: Duration = Duration::from_millis(500);

/// The difference of two answers; `None` where they are the same: row by row in this order, each by its columns' names in any.
pub(super) fn of_rows(expected: &[Value], actual: &[Value], columns: &[&str]) -> Option<String> {
    let alike = |rows: &[Value]| rows.iter().cloned().map(alike).collect::<Vec<_>>();
    let (expected, actual) = (alike(expected), alike(actual));
    if expected == actual {
        return None;
    }
    Some(of_texts(&written(&expected, columns), &written(&actual, columns)))
}

/// The difference of two texts: `-` was expected, `+` happened. Fit to be shown.
pub(super) fn of_texts(expected: &str, actual: &str) -> String {
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(expected, actual);
    let mut shown = vec!["(- expected, + actual)".to_owned()];
    for (index, group) in difference.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            shown.push("  …".to_owned());
        }
        for change in group.iter().flat_map(|operation| difference.iter_changes(operation)) {
            let mut line = match change.tag() {
                ChangeTag::Delete => "- ",
                ChangeTag::Insert => "+ ",
                ChangeTag::Equal => "  ",
            }
            .to_owned();
            text::push_visible_at_most(&mut line, change.value().trim_end_matches(['\n', '\r']), MAX_CHARACTERS);
            shown.push(line);
        }
    }
    let more = shown.len().saturating_sub(MAX_LINES);
    if more > 0 {
        shown.truncate(MAX_LINES);
        shown.push(format!("  … and {more} more lines"));
    }
    shown.join("\n")
}

/// A value by which `3` and `3.0` are the same number, as for JSON.
fn alike(value: Value) -> Value {
    /// The first whole number that a 64-bit fraction cannot tell from the next: 2^53.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole, and of at most 53 bits")]
            Some(whole) if whole.fract() == 0.0 && whole.abs() < EXACT => Value::from(whole as i64),
            _ => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(alike).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, alike(value))).collect(),
        other => other,
    }
}

/// Rows as they are laid out in a file, a line for each cell, in the order of the columns.
fn written(rows: &[Value], columns: &[&str]) -> String {
    let mut text = String::from("[\n");
    for row in rows {
        let Value::Object(cells) = row else {
            text += &format!("    {row},\n");
            continue;
        };
        let declared = columns.iter().filter_map(|column| cells.get_key_value(*column));
        let others = cells.iter().filter(|(key, _)| !columns.contains(&key.as_str()));
        text += "    {\n";
        for (key, value) in declared.chain(others) {
            text += &format!("        {}: {value},\n", Value::from(key.as_str()));
        }
        text += "    },\n";
    }
    text + "]\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(expected: Value, actual: Value) -> Option<String> {
        let array = |value: Value| value.as_array().expect("it is an array").clone();
        of_rows(&array(expected), &array(actual), &["name", "count"])
    }

    #[test]
    fn the_same_values_are_the_same_however_they_are_written() {
        for (expected, actual) in [
            (json!([]), json!([])),
            (json!([{"count": 3, "name": "a"}]), json!([{"name": "a", "count": 3.0}])),
            (json!([{"count": null}]), json!([{"count": null}])),
            (json!([{"count": -0.0}]), json!([{"count": 0}])),
            (json!([{"count": 0.1}]), json!([{"count": 0.1}])),
        ] {
            assert_eq!(rows(expected, actual), None);
        }
    }

    #[test]
    fn what_differs_is_shown_by_lines() {
        for (expected, actual) in [
            (json!([{"a": 1}]), json!([])),
            (json!([{"a": 1}, {"a": 2}]), json!([{"a": 2}, {"a": 1}])),
            (json!([{"a": 1}]), json!([{"a": "1"}])),
            (json!([{"a": null}]), json!([{}])),
            (json!([{"a": 9_007_199_254_740_993_i64}]), json!([{"a": 9_007_199_254_740_992_i64}])),
            (json!([{"a": 0.1}]), json!([{"a": 0.2}])),
        ] {
            assert!(rows(expected.clone(), actual).is_some(), "{expected}");
        }
        let shown = rows(json!([{"count": 3, "name": "a"}]), json!([{"count": 4, "name": "a\u{202e}"}]));
        let lines = [
            "(- expected, + actual)",
            "  [",
            "      {",
            "-         \"name\": \"a\",",
            "-         \"count\": 3,",
            "+         \"name\": \"a\\u{202e}\",",
            "+         \"count\": 4,",
            "      },",
            "  ]",
        ];
        assert_eq!(shown.as_deref(), Some(lines.join("\n").as_str()));
    }

    #[test]
    fn a_long_difference_is_cut() {
        let many: Vec<_> = (0..1000).map(|count| json!({"name": "x".repeat(1000), "count": count})).collect();
        let shown = rows(json!(many), json!([])).expect("they differ");
        assert_eq!(shown.lines().count(), MAX_LINES + 1);
        assert!(shown.ends_with(" more lines") && shown.lines().all(|line| line.chars().count() < 310), "{shown}");
    }
}
