//! Templates over three rows, whole. The differential tests ask kubectl's own code about many more.

use crate::output::style::Style;
use crate::output::{Printer, PrinterOptions};
use crate::query::{Cell, Column, ColumnType, Description, Row};

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn evaluate(format: &str) -> Result<String, String> {
    let columns = vec![
        Column::new("name", ColumnType::Text),
        Column::new("restarts", ColumnType::Integer),
        Column::new("ratio", ColumnType::Number),
        Column::new("ready", ColumnType::Boolean),
        Column::new("end", ColumnType::Time),
    ];
    let rows = [
        vec![text("web-0"), Cell::Integer(1), Cell::Number(0.5), Cell::Boolean(true), Cell::Time(0)],
        vec![text("web-1"), Cell::Integer(4), Cell::Number(3.0), Cell::Boolean(false), Cell::None],
        vec![text("db-0"), Cell::Integer(9), Cell::None, Cell::None, Cell::None],
    ];
    let options = PrinterOptions {
        headers: true,
        now: jiff::Timestamp::UNIX_EPOCH,
        terminal: false,
        style: Style::plain(),
        sort_by: None,
        links: Vec::new(),
    };
    let description = Description::new("T", "", columns, Vec::new());
    let format = format.parse::<crate::output::Format>().map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    let mut printer = Printer::new(format, &description, &options, &mut out).map_err(|error| error.to_string())?;
    for cells in rows {
        printer.row(&Row::new(cells, &description.columns).expect("the row fits")).map_err(|error| error.to_string())?;
    }
    printer.finish(true).map_err(|error| error.to_string())?;
    String::from_utf8(out).map_err(|error| error.to_string())
}

#[track_caller]
fn check(template: &str, expected: Result<&str, &str>) {
    let found = evaluate(&format!("jsonpath={template}"));
    assert_eq!(found.as_deref().map_err(String::as_str), expected, "{template}");
}

#[test]
fn templates_are_kubectls() {
    let cases = [
        ("plain }text", "plain }text"),
        ("{.items[*].name}", "web-0 web-1 db-0"),
        ("{$.items[*].name}", "web-0 web-1 db-0"),
        ("{.items[*]['name','restarts']}", "web-0 web-1 db-0 1 4 9"),
        ("{.items[0,2].name}", "web-0 db-0"),
        ("{.items[-1].name}", "db-0"),
        ("{.items[-2:].name}", "web-1 db-0"),
        ("{.items[::2].name}", "web-0 db-0"),
        ("{.items[:-1]['name']}", "web-0 web-1"),
        ("{.items[9:9].name}", ""),
        ("{..name}", "web-0 web-1 db-0"),
        ("{.items[0].*}", "web-0 1 0.5 true 1970-01-01T00:00:00Z"),
        ("{.items[2].*}", "db-0 9"),
        ("{.items[2]}", r#"{"name":"db-0","restarts":9}"#),
        ("{range .items[*]}{.name}{'\\t'}{.end}{\"\\n\"}{end}|", "web-0\t1970-01-01T00:00:00Z\nweb-1\t\ndb-0\t\n|"),
        ("{range .items[*]}{.name} ", "web-0 web-1 db-0 "),
        ("{range .items[0:2]}{range .name}{@},{end};{end}", "web-0,;web-1,;"),
        ("{.items[?(@.restarts>3)].name}", "web-1 db-0"),
        ("{.items[?(@.restarts>=4)].name}", "web-1 db-0"),
        ("{.items[?(@.ratio<=3)].name}", "web-0 web-1"),
        ("{.items[?(@.restarts<1.5)].name}", "web-0"),
        ("{.items[?(@.name==\"db-0\")].restarts}", "9"),
        ("{.items[?(@.name!='db-0')].restarts}", "1 4"),
        ("{.items[?(@.name==\")]\")].restarts}", ""),
        ("{.items[?(@.ready==true)].name}", "web-0"),
        ("{.items[?(@.ready)].name}", "web-0 web-1"),
        ("{.nothing}{.items[*].nothing.at.all}", ""),
        (r"{.items[0].na\me}", "web-0"),
        ("{3}{true}{'it\\'s'}{\"\\u00e9\\x41\\101\"}", "3trueit'séAA"),
    ];
    for (template, expected) in cases {
        check(template, Ok(expected));
    }
}

#[test]
fn a_wrong_template_is_told_before_anything_runs() {
    let cases = [
        ("{", "`{` has no `}`"),
        ("{.items", "`{.items` has no `}`"),
        ("{.items[0}", "`[0}` has no `]`"),
        ("{.items[x]}", "`[x]` is no position; expected such as `[0]`, `[1:3]`, `[*]` or `['name']`"),
        ("{.items[1:2:3:4]}", "`[1:2:3:4]` is no position; expected such as `[0]`, `[1:3]`, `[*]` or `['name']`"),
        (
            "{.items[99999999999999999999]}",
            "`[99999999999999999999]` is no position; expected such as `[0]`, `[1:3]`, `[*]` or `['name']`",
        ),
        ("{items}", "`items` is not known; expected `range`, `end` or a path such as `.items`"),
        ("{end}", "`{end}` without a `{range}` before it"),
        ("{range .items[*]}{end}{end}", "`{end}` without a `{range}` before it"),
        (&"{range}".repeat(17), "more than 16 `{range}` within each other"),
        ("{range end}", "`range` and `end` stand in braces of their own"),
        ("{....name}", "`..` after `..`"),
        ("{'a}", "`'a}` has no ' at its end"),
        (r"{'\q'}", r"`\q` has an escape that is not known; expected such as `\n` or `\t`"),
        (r"{'\xff'}", r"`\xff` has an escape that is not known; expected such as `\n` or `\t`"),
        ("{#}", "`#` is not expected in a path"),
        ("{1.2.3}", "`1.2.3` is not a number"),
        ("{.items[?(@.name]}", "`[?(@.name]}` has no `)]`"),
        ("{.items[?(@.name)}", "expected `]` after `[?(@.name)`"),
        ("{.items[?(@.name=~'a')]}", "`=` compares nothing; expected `==`, `!=`, `<`, `<=`, `>` or `>=`"),
        ("{.items[?(@.name==)]}", "`@.name==` compares with nothing"),
        ("{.items[?(@.name==web)]}", "`web` is not known; expected `range`, `end` or a path such as `.web`"),
        ("{.a\u{1b}\n}", r"`{.a\u{1b}` has no `}`"),
    ];
    for (template, expected) in cases {
        check(template, Err(expected));
    }
}

#[test]
fn what_the_rows_have_no_answer_for_is_told() {
    let cases = [
        ("{.items[3]}", "position 3 is not in a list of 3"),
        ("{.items[2:1]}", "`[2:1]` starts after its end"),
        ("{.items[::0]}", "a step of 0 leads nowhere, expected 1 or more"),
        ("{.items[0][0]}", "`[]` is for lists, and there is an object"),
        ("{.items[?(@.name>1)]}", "a filter cannot compare text with a number so"),
        ("{.items[?(@.ready<true)]}", "a filter cannot compare a boolean with a boolean so"),
        ("{.items[?(@.*==1)]}", "a filter compares one value with one other, and a side has several"),
    ];
    for (template, expected) in cases {
        check(template, Err(expected));
    }
}

#[test]
fn custom_columns_are_kubectls() {
    let cases = [
        ("A:.name", Ok("A\nweb-0\nweb-1\ndb-0\n")),
        ("A:name,B:{.end}", Ok("A       B\nweb-0   1970-01-01T00:00:00Z\nweb-1   <none>\ndb-0    <none>\n")),
        ("A:['restarts']", Ok("A\n<none>\n<none>\n<none>\n")),
        ("A:.name['x']", Ok("A\n<none>\n<none>\n<none>\n")),
        ("A\u{1b}:.ratio", Ok("A\\u{1b}\n0.5\n3\n<none>\n")),
        ("A", Err("`A` is not a column; expected a header, `:` and a path, such as `POD:.name`")),
        ("A:.name,", Err("`` is not a column; expected a header, `:` and a path, such as `POD:.name`")),
        ("A:", Err("`` is not a path; expected such as `.name`, `name` or `{.name}`")),
        ("A:{.name}{.ratio}", Err("`{.name}{.ratio}` is not a path; expected such as `.name`, `name` or `{.name}`")),
        ("A:.items[", Err("`[}` has no `]`")),
        ("A:.name[0]", Err("`[]` is for lists, and there is text")),
    ];
    for (spec, expected) in cases {
        let found = evaluate(&format!("custom-columns={spec}"));
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{spec}");
    }
}
