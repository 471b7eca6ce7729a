//! Whole outputs, format by format.

use super::*;
use crate::output::style::Style;
use crate::query::{Cell, Column, ColumnType, Row};

/// `2026-01-02T03:04:05Z`.
const NOW_SECONDS: i64 = 1_767_323_045;

fn description() -> Description {
    let mut message = Column::new("lastMessage", ColumnType::Text);
    message.priority = 1;
    message.description = "Its <last> words".into();
    let mut restarts = Column::new("restarts", ColumnType::Integer);
    restarts.metric = true;
    restarts.description = r"How often, \ and 'why'".into();
    let mut ratio = Column::new("ratio", ColumnType::Number);
    ratio.metric = true;
    let columns = vec![
        Column::new("name", ColumnType::Text),
        restarts,
        ratio,
        Column::new("ready", ColumnType::Boolean),
        message,
        Column::new("startedAt", ColumnType::Time),
    ];
    Description::new("Restarts", "Pods & \"restarts\"", columns, Vec::new())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// Three rows: an ordinary one, one of nothing but a name, and one of a guest that attacks the terminal.
fn rows() -> Vec<Vec<Cell>> {
    let age = 5 * 86_400 + 3 * 3_600;
    vec![
        vec![
            text("web-1"),
            Cell::Integer(3),
            Cell::Number(0.25),
            Cell::Boolean(true),
            text("it's \"ok\", once"),
            Cell::Time(NOW_SECONDS - age),
        ],
        vec![text("日本"), Cell::None, Cell::None, Cell::None, Cell::None, Cell::None],
        vec![
            text("db\u{1b}[2J\nx"),
            Cell::Integer(i64::MIN),
            Cell::Number(3.0),
            Cell::Boolean(false),
            text("\u{202e}gnp\u{9b}\u{7f}\u{e0041}\t "),
            Cell::Time(NOW_SECONDS + 2),
        ],
    ]
}

const OPTIONS: PrinterOptions = PrinterOptions {
    headers: true,
    now: Timestamp::constant(NOW_SECONDS, 0),
    terminal: false,
    style: Style::plain(),
    sort_by: None,
    links: Vec::new(),
};

/// One of each format, with what is typed for it.
const FORMATS: [&str; 13] = [
    "table",
    "wide",
    "json",
    "jsonl",
    "yaml",
    "csv",
    "markdown",
    "html",
    "prometheus",
    "name",
    "jsonpath={.items[*]}",
    "jsonpath-as-json={.items[*]}",
    "custom-columns=NAME:.name,AT:.startedAt",
];

fn format(text: &str) -> Format {
    text.parse().unwrap_or_else(|error| panic!("`{text}` is a format: {error}"))
}

fn try_print(name: &str, description: &Description, options: PrinterOptions, rows: Vec<Vec<Cell>>) -> io::Result<String> {
    finish(name, description, options, rows, true)
}

fn finish(
    name: &str,
    description: &Description,
    options: PrinterOptions,
    rows: Vec<Vec<Cell>>,
    complete: bool,
) -> io::Result<String> {
    let mut out = Vec::new();
    let mut printer = Printer::new(format(name), description, &options, &mut out).map_err(io::Error::other)?;
    for cells in rows {
        printer.row(&Row::new(cells, &description.columns).map_err(io::Error::other)?)?;
    }
    printer.finish(complete)?;
    String::from_utf8(out).map_err(io::Error::other)
}

fn print(format: &str, options: PrinterOptions, rows: Vec<Vec<Cell>>) -> String {
    try_print(format, &description(), options, rows).expect("the rows are printed")
}

#[test]
fn each_format_prints_all_rows() {
    let table = r"
NAME                RESTARTS               RATIO    READY    STARTED AT
web-1               3                      0.25     true     5d3h
日本                <none>                 <none>   <none>   <none>
db\u{1b}[2J\u{a}x   -9223372036854775808   3        false    <invalid>
";
    let wide = r#"
NAME                RESTARTS               RATIO    READY    LAST MESSAGE                            STARTED AT
web-1               3                      0.25     true     it's "ok", once                         5d3h
日本                <none>                 <none>   <none>   <none>                                  <none>
db\u{1b}[2J\u{a}x   -9223372036854775808   3        false    \u{202e}gnp\u{9b}\u{7f}\u{e0041}\u{9}   <invalid>
"#;
    let json = r#"
[
    {
        "name": "web-1",
        "restarts": 3,
        "ratio": 0.25,
        "ready": true,
        "lastMessage": "it's \"ok\", once",
        "startedAt": "2025-12-28T00:04:05Z"
    },
    {
        "name": "日本",
        "restarts": null,
        "ratio": null,
        "ready": null,
        "lastMessage": null,
        "startedAt": null
    },
    {
        "name": "db\u001b[2J\nx",
        "restarts": -9223372036854775808,
        "ratio": 3.0,
        "ready": false,
        "lastMessage": "\u202egnp\u009b\u007f\udb40\udc41\t ",
        "startedAt": "2026-01-02T03:04:07Z"
    }
]
"#;
    let yaml = r#"
- name: web-1
  restarts: 3
  ratio: 0.25
  ready: true
  lastMessage: it's "ok", once
  startedAt: "2025-12-28T00:04:05Z"
- name: 日本
  restarts: null
  ratio: null
  ready: null
  lastMessage: null
  startedAt: null
- name: "db\e[2J\nx"
  restarts: -9223372036854775808
  ratio: 3.0
  ready: false
  lastMessage: "\U0000202Egnp\x9B\x7F\U000E0041\t "
  startedAt: "2026-01-02T03:04:07Z"
"#;
    let csv = "
name,restarts,ratio,ready,lastMessage,startedAt
web-1,3,0.25,true,\"it's \"\"ok\"\", once\",2025-12-28T00:04:05Z
日本,,,,,
\"db\u{1b}[2J\nx\",-9223372036854775808,3.0,false,\u{202e}gnp\u{9b}\u{7f}\u{e0041}\t ,2026-01-02T03:04:07Z
";
    let name = r"
pod/web-1
pod/\u{65e5}\u{672c}
pod/db\u{1b}\u{5b}2J\u{a}x
";
    let cases = [("table", table), ("wide", wide), ("json", json), ("yaml", yaml), ("csv", csv), ("name", name)];
    for (format, expected) in cases {
        let output = print(format, OPTIONS, rows());
        assert_eq!(output, expected.trim_start_matches('\n'), "{format}:\n{output}");
    }
}

#[test]
fn no_rows_print_what_is_valid() {
    let header = "name,restarts,ratio,ready,lastMessage,startedAt\n";
    let cases = [("table", ""), ("wide", ""), ("json", "[]\n"), ("yaml", "[]\n"), ("csv", header), ("name", "")];
    for (format, expected) in cases {
        assert_eq!(print(format, OPTIONS, Vec::new()), expected, "{format}");
    }
}

#[test]
fn headers_can_be_left_out() {
    let options = || PrinterOptions { headers: false, ..OPTIONS };
    let row = || rows().drain(..1).collect::<Vec<_>>();
    let cases = [
        ("table", "web-1   3     0.25   true   5d3h\n"),
        ("wide", "web-1   3     0.25   true   it's \"ok\", once   5d3h\n"),
        ("csv", "web-1,3,0.25,true,\"it's \"\"ok\"\", once\",2025-12-28T00:04:05Z\n"),
        ("name", "pod/web-1\n"),
    ];
    for (format, expected) in cases {
        assert_eq!(print(format, options(), row()), expected, "{format}");
    }
    assert_eq!(print("csv", options(), Vec::new()), "");
    assert_eq!(print("json", options(), row()), print("json", OPTIONS, row()));
    assert_eq!(print("yaml", options(), row()), print("yaml", OPTIONS, row()));
}

#[test]
fn csv_on_a_terminal_is_escaped() {
    let options = PrinterOptions { headers: false, terminal: true, ..OPTIONS };
    let expected = concat!(
        r"db\u{1b}[2J\u{a}x,-9223372036854775808,3.0,false,",
        r"\u{202e}gnp\u{9b}\u{7f}\u{e0041}\u{9} ,2026-01-02T03:04:07Z",
        "\n"
    );
    assert_eq!(print("csv", options, rows().drain(2..).collect()), expected);
}

/// One column called `text`, with the texts as its rows.
fn texts(format: &str, texts: &[&str]) -> String {
    let columns = vec![Column::new("text", ColumnType::Text)];
    let rows = texts.iter().map(|&value| vec![text(value)]).collect();
    try_print(format, &Description::new("T", "", columns, Vec::new()), OPTIONS, rows).expect("the rows are printed")
}

#[test]
fn a_table_shows_texts_without_surprises() {
    let long = "é".repeat(1024);
    let cases = [
        ("", "<none>"),
        ("   ", "<none>"),
        ("a  ", "a"),
        ("  a", "  a"),
        ("a\tb\nc", r"a\u{9}b\u{a}c"),
        (&long, &long),
        (&format!("{long}é"), &format!("{long}…")),
    ];
    for (value, expected) in cases {
        assert_eq!(texts("table", &[value]), format!("TEXT\n{expected}\n"));
    }
}

#[test]
fn a_table_aligns_by_width_and_leaves_no_blanks_at_the_end() {
    let columns = vec![Column::new("a", ColumnType::Text), Column::new("b", ColumnType::Text)];
    let description = Description::new("T", "", columns, Vec::new());
    let rows = [["日本", "x "], ["e\u{301}", ""], ["👍", "\u{a0}y"]];
    let rows = rows.map(|[a, b]| vec![text(a), text(b)]).to_vec();
    let expected = "A      B\n日本   x\ne\u{301}      <none>\n👍     \u{a0}y\n";
    assert_eq!(try_print("table", &description, OPTIONS, rows).ok().as_deref(), Some(expected));
}

#[test]
fn a_table_without_ordinary_columns_shows_the_others() {
    let mut column = Column::new("a", ColumnType::Text);
    column.priority = 1;
    let description = Description::new("T", "", vec![column.clone(), column], Vec::new());
    let output = try_print("table", &description, OPTIONS, vec![vec![text("x"), text("y")]]);
    assert_eq!(output.ok().as_deref(), Some("A     A\nx     y\n"));
}

#[test]
fn a_table_shows_the_shortest_number() {
    let columns = vec![Column::new("number", ColumnType::Number)];
    let description = Description::new("T", "", columns, Vec::new());
    let cases = [
        (0.0, "0", "0.0"),
        (-0.0, "-0", "-0.0"),
        (3.0, "3", "3.0"),
        (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
        (1e15, "1000000000000000", "1000000000000000.0"),
        (1e300, "1e300", "1e300"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308", "2.2250738585072014e-308"),
    ];
    for (number, table, csv) in cases {
        let print =
            |format| try_print(format, &description, OPTIONS, vec![vec![Cell::Number(number)]]).expect("the row is printed");
        assert_eq!(print("table"), format!("NUMBER\n{table}\n"));
        assert_eq!(print("csv"), format!("number\n{csv}\n"));
        for (format, text) in [("json", print("json")), ("yaml", print("yaml"))] {
            let parsed: Vec<serde_json::Map<String, serde_json::Value>> = match format {
                "json" => serde_json::from_str(&text).expect("the output is JSON"),
                _ => serde_saphyr::from_str(&text).expect("the output is YAML"),
            };
            assert_eq!(parsed[0]["number"].as_f64(), Some(number), "{format}: {text}");
        }
    }
}

#[test]
fn an_incomplete_answer_is_not_passed_off_as_whole() {
    let row = || rows().drain(..1).collect::<Vec<_>>();
    let cases = [
        ("table", "# the answer is not complete"),
        ("wide", "# the answer is not complete"),
        ("json", "    }"),
        ("jsonl", "# the answer is not complete"),
        ("yaml", "[ # the answer is not complete"),
        ("csv", "# the answer is not complete"),
        ("markdown", "**the answer is not complete**"),
        ("prometheus", "the answer is not complete"),
        ("name", "# the answer is not complete"),
        ("custom-columns=NAME:.name", "# the answer is not complete"),
    ];
    for (format, expected) in cases {
        let output = finish(format, &description(), OPTIONS, row(), false).expect("the row is printed");
        assert_eq!(output.lines().last(), Some(expected), "{format}:\n{output}");
    }
    let page = finish("html", &description(), OPTIONS, row(), false).expect("the row is printed");
    assert!(page.contains(">The answer is not complete: rows are missing.</p>"), "{page}");
    for template in ["jsonpath={.items[*].name}", "jsonpath-as-json={.items[*].name}"] {
        assert_eq!(finish(template, &description(), OPTIONS, row(), false).ok().as_deref(), Some(""));
    }
    // What parses cannot be taken for the whole.
    let print = |format| finish(format, &description(), OPTIONS, row(), false).expect("the row is printed");
    serde_json::from_str::<serde_json::Value>(&print("json")).expect_err("the array stays open");
    serde_saphyr::from_str::<serde_json::Value>(&print("yaml")).expect_err("the bracket stays open");
    assert!(print("jsonl").lines().any(|line| serde_json::from_str::<serde_json::Value>(line).is_err()));
    assert!(::csv::Reader::from_reader(print("csv").as_bytes()).records().any(|record| record.is_err()));
    exposition(&print("prometheus")).expect_err("its only line is none");
}

#[test]
fn a_row_of_one_column_is_never_what_ends_a_cut_answer() {
    let description = Description::new("T", "", vec![Column::new("name", ColumnType::Text)], Vec::new());
    let row = || vec![vec![text("# the answer is not complete")]];
    for headers in [true, false] {
        let options = || PrinterOptions { headers, ..OPTIONS };
        let whole = try_print("csv", &description, options(), row()).expect("the row is printed");
        let cut = finish("csv", &description, options(), row(), false).expect("the row is printed");
        assert_eq!(cut, format!("{whole}# the answer is not complete,\n"));
        let mut reader = ::csv::ReaderBuilder::new().has_headers(headers).from_reader(cut.as_bytes());
        assert_eq!(reader.records().map(|record| record.is_ok()).collect::<Vec<_>>(), [true, false]);
    }
}

#[test]
fn an_incomplete_answer_without_rows_is_nothing() {
    for format in FORMATS {
        let output = finish(format, &description(), OPTIONS, Vec::new(), false);
        assert_eq!(output.ok().as_deref(), Some(""), "{format}");
    }
}

#[test]
fn every_format_prints_in_the_order_asked_for() {
    for by in [".restarts", "restarts", "{.restarts}"] {
        let options = || PrinterOptions { sort_by: by.parse().ok(), ..OPTIONS };
        let mut sorted = rows();
        sorted.swap(0, 1);
        sorted.swap(1, 2);
        for format in FORMATS {
            assert_eq!(print(format, options(), rows()), print(format, OPTIONS, sorted.clone()), "{format}");
        }
    }
    let options = PrinterOptions { sort_by: "{.nodes}".parse().ok(), ..OPTIONS };
    check_refused(
        "json",
        &[Column::new("name", ColumnType::Text), Column::new("node", ColumnType::Text)],
        options,
        "this query has no column `nodes` to sort by; expected one of `name`, `node`",
    );
}

#[test]
fn a_terminal_shows_colours_that_take_no_room() {
    let options = || PrinterOptions { style: Style::coloured(), ..OPTIONS };
    let columns = vec![
        Column::new("name", ColumnType::Text),
        Column::new("reason", ColumnType::Text),
        Column::new("ready", ColumnType::Boolean),
        Column::new("node", ColumnType::Text),
    ];
    let description = Description::new("T", "", columns, Vec::new());
    let cells = vec![
        vec![text("日本"), text("CrashLoopBackOff"), Cell::Boolean(false), Cell::None],
        vec![text("e\u{301}\u{1b}[31m"), text("Pending"), Cell::Boolean(true), text("a")],
        vec![text("x"), text("Error "), Cell::None, text("Errors")],
    ];
    for name in ["table", "wide", "custom-columns=NAME:.name,REASON:.reason,READY:.ready,NODE:.node"] {
        let plain = try_print(name, &description, OPTIONS, cells.clone()).expect("the rows are printed");
        let coloured = try_print(name, &description, options(), cells.clone()).expect("the rows are printed");
        assert!(!plain.contains('\u{1b}'));
        let mut without = coloured.clone();
        for code in ["1", "2", "31", "33", "0"] {
            without = without.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(without, plain, "{coloured}");
    }
    let expected = "\u{1b}[1mNAME\u{1b}[0m   \u{1b}[1mREASON\u{1b}[0m             \u{1b}[1mREADY\u{1b}[0m   \u{1b}[1mNODE\u{1b}[0m\n\
                    日本   \u{1b}[31mCrashLoopBackOff\u{1b}[0m   \u{1b}[2mfalse\u{1b}[0m   \u{1b}[2m<none>\u{1b}[0m\n";
    let coloured = try_print("table", &description, options(), cells[..1].to_vec());
    assert_eq!(coloured.ok().as_deref(), Some(expected));
    // Data has none.
    for format in ["json", "jsonl", "yaml", "csv", "markdown", "html", "name", "jsonpath={.items[*].name}"] {
        let cells = cells[..1].to_vec();
        assert_eq!(
            try_print(format, &description, options(), cells.clone()).ok(),
            try_print(format, &description, OPTIONS, cells).ok(),
            "{format}"
        );
    }
}

/// Texts that a careless writer turns into something else.
const HARD_TEXTS: &[&str] = &[
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "</td></tr></table>",
    "<!-- -->",
    "]]>",
    "&lt;&amp;&#0;",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "[a](https://example.org)",
    "![a](https://example.org/a.png)",
    "https://example.org www.example.org me@example.org",
    "@me #1 :tada: $x$",
    "**a** _b_ ~c~",
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "||",
    "`",
    "``a`",
    "` `` ```",
    "` a",
    "",
    " ",
    "~",
    "null",
    "Null",
    "NULL",
    "true",
    "False",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "N",
    "1",
    "-1",
    "+1",
    "01",
    "0o7",
    "0x1F",
    "0b1",
    "1_000",
    "1e3",
    "1E3",
    ".5",
    "5.",
    "-.inf",
    ".NaN",
    "nan",
    "inf",
    "1:30",
    "190:20:30",
    "2026-01-02",
    "2026-01-02T03:04:05Z",
    "2026-01-02 03:04:05",
    "<<",
    "=",
    "-",
    "- a",
    "--- a",
    "---",
    "...",
    "?",
    "? a",
    ":",
    ": a",
    "a:",
    "a: b",
    "a:b",
    "#",
    "a #b",
    "a#b",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "{a: b}",
    "[a]",
    ",a",
    "'a'",
    "\"a\"",
    "it's",
    "a\\nb",
    "\\",
    " a",
    "a ",
    "\ta",
    "a\t",
    "a\nb",
    "a\n",
    "\na",
    "a\n\n b\n",
    "a\r\nb",
    "\r",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{9b}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{feff}",
    "a\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{200b}",
    "\u{e0041}",
    "é",
    "日本",
    "👍\u{1f3fd}",
    "\u{10ffff}",
    "{{ a }}",
    "${a}",
    "a,b",
    "a;b",
    "=1+1",
];

#[test]
fn json_and_yaml_and_csv_are_read_back_equal() {
    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
    }
    let long = "many words, and more of them ".repeat(50);
    let expected: Vec<&str> = HARD_TEXTS.iter().copied().chain([long.as_str()]).collect();

    let json: Vec<Line> = serde_json::from_str(&texts("json", &expected)).expect("the output is JSON");
    let yaml: Vec<Line> = serde_saphyr::from_str(&texts("yaml", &expected)).expect("the output is YAML");
    let csv = texts("csv", &expected);
    let mut csv = ::csv::Reader::from_reader(csv.as_bytes());
    let csv: Vec<Line> = csv.deserialize().collect::<Result<_, _>>().expect("the output is CSV");

    let json_lines = texts("jsonl", &expected);
    let json_lines: Vec<Line> = json_lines.lines().map(serde_json::from_str).collect::<Result<_, _>>().expect("each line is JSON");
    let as_json: Vec<Line> = serde_json::from_str(&texts("jsonpath-as-json={.items[*]}", &expected)).expect("the output is JSON");

    for (format, lines) in [("json", json), ("yaml", yaml), ("csv", csv), ("jsonl", json_lines), ("jsonpath-as-json", as_json)] {
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, expected, "{format}");
    }
}

#[test]
fn nothing_hidden_reaches_a_terminal() {
    let all: String = ('\0'..=char::MAX).filter(|&character| crate::text::is_hidden(character)).collect();
    let chunks: Vec<&str> = HARD_TEXTS.iter().copied().chain([all.as_str()]).collect();
    for format in FORMATS.iter().filter(|name| !matches!(**name, "csv" | "prometheus" | "jsonpath={.items[*]}")) {
        if *format == "name" {
            // It has no empty names.
            continue;
        }
        let output = texts(format, &chunks);
        let found = output.chars().find(|&character| character != '\n' && crate::text::is_hidden(character));
        assert_eq!(found, None, "{format}");
    }
}

#[test]
fn yaml_quotes_what_yaml_1_1_reads_as_another_type() {
    // As PyYAML and Go's sigs.k8s.io/yaml, which resolve by YAML 1.1, would otherwise not read a string.
    let quoted = [
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "N",
        "true",
        "null",
        "~",
        "",
        "1",
        "0x1F",
        "1_000",
        "1e3",
        ".5",
        "1:30",
        "2026-01-02",
        "<<",
        "=",
    ];
    let plain = ["web-1", "a:b", "it's", "a#b", "registry.example/web:1.2", "app=web", "v1.2.3", "10m", "64Mi"];
    for value in quoted {
        assert_eq!(texts("yaml", &[value]), format!("- text: \"{value}\"\n"));
    }
    for value in plain {
        assert_eq!(texts("yaml", &[value]), format!("- text: {value}\n"));
    }
}

#[test]
fn yaml_quotes_names_that_are_words() {
    let columns = ["y", "no", "null", "true", "on"].map(|name| Column::new(name, ColumnType::Integer)).to_vec();
    let description = Description::new("T", "", columns, Vec::new());
    let output = try_print("yaml", &description, OPTIONS, vec![vec![Cell::Integer(1); 5]]);
    let expected = "- \"y\": 1\n  \"no\": 1\n  \"null\": 1\n  \"true\": 1\n  \"on\": 1\n";
    assert_eq!(output.ok().as_deref(), Some(expected));
}

/// A format that is refused before the query runs.
#[track_caller]
fn check_refused(name: &str, columns: &[Column], options: PrinterOptions, expected: &str) {
    let description = Description::new("T", "", columns.to_vec(), Vec::new());
    let error = Printer::new(format(name), &description, &options, io::sink()).map(drop);
    assert_eq!(error.map_err(|error| error.to_string()), Err(expected.to_owned()));
}

#[test]
fn name_needs_a_column_of_that_name() {
    let cases = [
        (Column::new("node", ColumnType::Text), "this query has no column `name` for output format `name`"),
        (
            Column::new("name", ColumnType::Integer),
            "this query's column `name` is not of type `text`, as output format `name` needs",
        ),
    ];
    for (column, expected) in cases {
        check_refused("name", &[column], OPTIONS, expected);
    }
}

#[test]
fn name_is_one_word_or_an_error() {
    let cases = [
        (text("web-1.a"), Ok("pod/web-1.a\n".to_owned())),
        (text("a -n kube-system"), Ok("pod/a\\u{20}-n\\u{20}kube-system\n".to_owned())),
        (text("a/../b;$(c)"), Ok(r"pod/a\u{2f}..\u{2f}b\u{3b}\u{24}\u{28}c\u{29}".to_owned() + "\n")),
        (Cell::None, Err("row 1 has no `name` for output format `name`".to_owned())),
        (text(""), Err("row 1 has no `name` for output format `name`".to_owned())),
    ];
    let description = Description::new("T", "", vec![Column::new("name", ColumnType::Text)], Vec::new());
    for (cell, expected) in cases {
        let output = try_print("name", &description, OPTIONS, vec![vec![cell]]);
        assert_eq!(output.map_err(|error| error.to_string()), expected);
    }
}

/// A pipe whose reader has gone.
struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_error_of_the_writer_is_passed_on() {
    let description = description();
    let row = Row::new(rows().swap_remove(0), &description.columns).expect("the row fits");
    for name in FORMATS {
        let mut printer = Printer::new(format(name), &description, &OPTIONS, Broken).expect("the format fits");
        let result = printer.row(&row).and_then(|()| printer.finish(true));
        assert_eq!(result.map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe), "{name}");
    }
}

#[test]
fn a_page_is_as_reviewed() {
    let page = print("html", OPTIONS, rows());
    let (head, rest) = page.split_once("<style>").expect("it has a style");
    let (_, rest) = rest.split_once("</style>").expect("it ends");
    let (body, rest) = rest.split_once("<script>").expect("it has a script");
    let (_, tail) = rest.split_once("</script>").expect("it ends");
    let (before, hashes) = head.split_once("script-src 'sha256-").expect("the policy names the script");
    let (_, after) = hashes.split_once("'; base-uri").expect("and then the rest");
    let head = format!("{before}…{after}").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let expected = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; … 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="podlens VERSION">
<title>Restarts</title>

</head>
<body>
<main>
<h1>Restarts</h1>
<p class="summary">Pods &amp; &quot;restarts&quot;</p>
<div class="bar">
<p class="facts"><span id="count" role="status">3 rows</span>, <time datetime="2026-01-02T03:04:05Z">2026-01-02T03:04:05Z</time></p>
<label hidden><input type="search" placeholder="Filter rows" aria-label="Filter rows" spellcheck="false"></label>
</div>
<div class="scroll" role="region" aria-label="Restarts" tabindex="0">
<table>
<thead><tr><th scope="col" class="text" data-type="text" title="">NAME</th><th scope="col" class="integer" data-type="integer" title="How often, \ and &#39;why&#39;">RESTARTS</th><th scope="col" class="number" data-type="number" title="">RATIO</th><th scope="col" class="boolean" data-type="boolean" title="">READY</th><th scope="col" class="text" data-type="text" title="Its &lt;last&gt; words">LAST MESSAGE</th><th scope="col" class="time" data-type="time" title="">STARTED AT</th></tr></thead>
<tbody>
<tr><td class="text">web-1</td><td class="integer" data-value="3">3</td><td class="number" data-value="0.25">0.25</td><td class="boolean" data-value="true">true</td><td class="text">it&#39;s &quot;ok&quot;, once</td><td class="time" data-value="1766880245"><time datetime="2025-12-28T00:04:05Z" title="5d3h">2025-12-28T00:04:05Z</time></td></tr>
<tr><td class="text">日本</td><td class="integer open" data-none>&lt;none&gt;</td><td class="number open" data-none>&lt;none&gt;</td><td class="boolean open" data-none>&lt;none&gt;</td><td class="text open" data-none>&lt;none&gt;</td><td class="time open" data-none>&lt;none&gt;</td></tr>
<tr><td class="text">db\u{1b}[2J\u{a}x</td><td class="integer" data-value="-9223372036854775808">-9223372036854775808</td><td class="number" data-value="3.0">3</td><td class="boolean open" data-value="false">false</td><td class="text">\u{202e}gnp\u{9b}\u{7f}\u{e0041}\u{9} </td><td class="time" data-value="1767323047"><time datetime="2026-01-02T03:04:07Z" title="&lt;invalid&gt;">2026-01-02T03:04:07Z</time></td></tr>
</tbody>
</table>
</div>
<details>
<summary>Columns</summary>
<dl>
<dt>RESTARTS</dt><dd>How often, \ and &#39;why&#39;</dd>
<dt>LAST MESSAGE</dt><dd>Its &lt;last&gt; words</dd>
</dl>
</details>
</main>

</body>
</html>
"#;
    let found = head + body + tail;
    assert_eq!(found, expected, "{found}");
}

/// The cells of a page's rows, by a reader that knows the elements and attributes that podlens writes, and no others.
fn page_cells(page: &str) -> Result<Vec<String>, String> {
    const ATTRIBUTES: [&str; 4] = ["class", "data-value", "datetime", "title"];
    let (_, rest) = page.split_once("<tbody>\n").ok_or("no table")?;
    let (mut rest, _) = rest.split_once("</tbody>\n</table>").ok_or("no end of the table")?;
    let mut open: Vec<&str> = Vec::new();
    let mut cells: Vec<String> = Vec::new();
    while let Some((text, after)) = rest.split_once('<') {
        let text = ["&lt;", "&gt;", "&quot;", "&#39;", "&amp;"]
            .iter()
            .zip(["<", ">", "\"", "'", "&"])
            .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
        match cells.last_mut() {
            Some(cell) if open.contains(&"td") => cell.push_str(&text),
            _ if text.trim().is_empty() => {}
            _ => return Err(format!("`{text}` is outside of a cell")),
        }
        let (tag, after) = after.split_once('>').ok_or("a tag has no end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("`{tag}` closes nothing"));
            }
            continue;
        }
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !["tr", "td", "time"].contains(&name) {
            return Err(format!("`{name}` is not an element of a row"));
        }
        attributes = attributes.strip_suffix(" data-none").unwrap_or(attributes);
        while !attributes.is_empty() {
            let (name, value) = attributes.split_once("=\"").ok_or_else(|| format!("`{attributes}` is no attribute"))?;
            let (_, after) = value.split_once('"').ok_or("an attribute has no end")?;
            if !ATTRIBUTES.contains(&name.trim_start()) {
                return Err(format!("`{name}` is not an attribute of a row"));
            }
            attributes = after;
        }
        open.push(name);
        if name == "td" {
            cells.push(String::new());
        }
    }
    if open.is_empty() { Ok(cells) } else { Err(format!("{open:?} stay open")) }
}

/// The text of the only cell of each row of a table in Markdown, as GFM (section 4.10) splits rows, and CommonMark (section 6.1) reads code.
fn markdown_cells(table: &str) -> Result<Vec<String>, String> {
    table.lines().skip(2).map(markdown_cell).collect()
}

fn markdown_cell(line: &str) -> Result<String, String> {
    let inner = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")).ok_or("a row has a bar at each end")?;
    if inner.is_empty() {
        return Ok(String::new());
    }
    // Whether a bar after two backslashes is escaped depends on the renderer.
    for (at, _) in inner.match_indices('|') {
        if !inner[..at].ends_with('\\') || inner[..at].ends_with("\\\\") {
            return Err(format!("`{line}` has another cell"));
        }
    }
    let cell = inner.replace("\\|", "|");
    let fence: String = cell.chars().take_while(|character| *character == '`').collect();
    let (code, after) = cell[fence.len()..].rsplit_once(&fence).ok_or_else(|| format!("`{cell}` is no code"))?;
    let ends_early = code.split(|character| character != '`').any(|run| run.len() == fence.len());
    if fence.is_empty() || !after.is_empty() || code.ends_with('`') || ends_early {
        return Err(format!("`{cell}` is not one code span"));
    }
    let stripped = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' ')).filter(|_| !code.trim_matches(' ').is_empty());
    Ok(stripped.unwrap_or(code).to_owned())
}

/// Name, labels and value.
type Sample = (String, Vec<(String, String)>, f64);

/// The samples of an exposition. The grammar of the text format 0.0.4, strictly.
fn exposition(text: &str) -> Result<Vec<Sample>, String> {
    let is_name = |name: &str, colon: bool| {
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || (colon && c == ':');
        name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
    };
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    let mut metric = "";
    let mut known = std::collections::HashSet::new();
    let mut samples = Vec::new();
    for line in text.split_terminator('\n') {
        if let Some(help) = line.strip_prefix("# HELP ") {
            metric = help.split_once(' ').ok_or("a help has a text")?.0;
            if !is_name(metric, true) || !known.insert(metric) {
                return Err(format!("`{metric}` is no name, or known"));
            }
            continue;
        }
        if let Some(of_type) = line.strip_prefix("# TYPE ") {
            if of_type != format!("{metric} gauge") {
                return Err(format!("`{line}` is not the type of `{metric}`"));
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').ok_or_else(|| format!("`{line}` has no value"))?;
        let (name, rest) = series.split_at(series.find('{').unwrap_or(series.len()));
        if name != metric || metric.is_empty() {
            return Err(format!("`{name}` is not among the samples of `{metric}`"));
        }
        let mut labels: Vec<(String, String)> = Vec::new();
        let mut rest = match rest.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or("labels have an end")?,
            None => rest,
        };
        while !rest.is_empty() {
            let (label, after) = rest.split_once("=\"").ok_or("a label has a value")?;
            let mut value = String::new();
            let mut characters = after.chars();
            loop {
                match characters.next().ok_or("a value has an end")? {
                    '"' => break,
                    '\\' => value.push(match characters.next() {
                        Some('n') => '\n',
                        Some(character @ ('\\' | '"')) => character,
                        other => return Err(format!("`{other:?}` is no escape")),
                    }),
                    character => value.push(character),
                }
            }
            rest = characters.as_str();
            rest = if rest.is_empty() { rest } else { rest.strip_prefix(',').ok_or("labels have commas between them")? };
            if !is_name(label, false) || label.starts_with("__") || labels.iter().any(|(known, _)| known == label) {
                return Err(format!("`{label}` is no label, or known"));
            }
            labels.push((label.to_owned(), value));
        }
        samples.push((name.to_owned(), labels, value.parse().map_err(|_| format!("`{value}` is no number"))?));
    }
    Ok(samples)
}

#[test]
fn markdown_and_html_and_prometheus_are_read_back_visible() {
    let long = "many words, and more of them ".repeat(50);
    let given: Vec<&str> = HARD_TEXTS.iter().copied().chain([long.as_str()]).collect();
    let visible: Vec<String> = given.iter().map(|text| crate::text::visible(text)).collect();
    let cut = |text: &str| {
        let mut cut = String::new();
        crate::text::push_visible_at_most(&mut cut, text, 1024);
        cut
    };

    assert_eq!(page_cells(&texts("html", &given)), Ok(visible));

    let cells = markdown_cells(&texts("markdown", &given)).expect("the output is a table");
    // A bar after a backslash is shown by its escape.
    let mut barred = 0;
    for (cell, text) in cells.iter().zip(&given) {
        barred += usize::from(cell != &cut(text));
        assert_eq!(cell.replace(r"\u{7c}", "|"), cut(text));
    }
    assert_eq!((cells.len(), barred), (given.len(), 2));

    let mut value = Column::new("value", ColumnType::Integer);
    value.metric = true;
    let columns = vec![Column::new("text", ColumnType::Text), value];
    let description = Description::new("T", "", columns, Vec::new());
    let rows = given.iter().zip(0..).map(|(value, index)| vec![text(value), Cell::Integer(index)]).collect();
    let samples = exposition(&try_print("prometheus", &description, OPTIONS, rows).expect("the rows are printed"));
    let expected = given.iter().zip(0_u32..).map(|(text, index)| {
        let labels = if text.is_empty() { vec![] } else { vec![("text".to_owned(), cut(text))] };
        ("podlens_t_value".to_owned(), labels, f64::from(index))
    });
    assert_eq!(samples, Ok(expected.collect()));
}

/// A query of one text and one metric.
fn measured(title: &str, rows: &[(&str, i64)]) -> io::Result<String> {
    let mut value = Column::new("value", ColumnType::Integer);
    value.metric = true;
    let columns = vec![Column::new("node", ColumnType::Text), value];
    let rows = rows.iter().map(|(node, value)| vec![text(node), Cell::Integer(*value)]).collect();
    try_print("prometheus", &Description::new(title, "", columns, Vec::new()), OPTIONS, rows)
}

#[test]
fn two_rows_of_one_series_are_told() {
    let result = measured("Pods by node", &[("a", 1), ("b", 2), ("a", 3)]).map_err(|error| (error.kind(), error.to_string()));
    let told =
        "rows 1 and 3 are one series in output format `prometheus`: they have the same `node`, and no other column is a label";
    assert_eq!(result, Err((io::ErrorKind::InvalidData, told.to_owned())));

    let mut column = Column::new("value", ColumnType::Integer);
    column.metric = true;
    let description = Description::new("T", "", vec![column], Vec::new());
    let one = vec![Cell::Integer(1)];
    assert!(
        try_print("prometheus", &description, OPTIONS, vec![one.clone()]).is_ok_and(|text| text.ends_with("podlens_t_value 1\n"))
    );
    let result = try_print("prometheus", &description, OPTIONS, vec![one.clone(), one]).map_err(|error| error.to_string());
    let told = "rows 1 and 2 are one series in output format `prometheus`: the query has no column of text or booleans that tells them apart";
    assert_eq!(result, Err(told.to_owned()));
}

#[test]
fn samples_are_bounded() {
    let names: Vec<String> = (0..10_001).map(|number| format!("node-{number}")).collect();
    let rows: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    assert_eq!(measured("T", &rows[1..]).map(|text| text.lines().count()).ok(), Some(10_002));
    let result = measured("T", &rows).map_err(|error| error.to_string());
    assert_eq!(result, Err("more than 10000 samples, the most for output format `prometheus`".to_owned()));
}

#[test]
fn prometheus_needs_metrics_of_different_names() {
    let metric = |name: &str| {
        let mut column = Column::new(name, ColumnType::Integer);
        column.metric = true;
        column
    };
    let text = |name: &str| Column::new(name, ColumnType::Text);
    let no_metric = "this query has no column that is a metric for output format `prometheus`, expected at least one";
    let both = |one: &str, other: &str, name: &str| {
        format!("this query's columns `{one}`, `{other}` are both `{name}` in output format `prometheus`")
    };
    let cases = [
        (vec![text("name"), Column::new("restarts", ColumnType::Integer)], no_metric.to_owned()),
        (vec![Column::new("end", ColumnType::Time)], no_metric.to_owned()),
        (vec![metric("podIP"), metric("podIp")], both("podIP", "podIp", "podlens_t_pod_ip")),
        (vec![metric("a"), text("podIP"), text("podIp")], both("podIP", "podIp", "pod_ip")),
        (
            vec![metric("endTimestampSeconds"), Column::new("end", ColumnType::Time)],
            both("endTimestampSeconds", "end", "podlens_t_end_timestamp_seconds"),
        ),
    ];
    for (columns, expected) in cases {
        check_refused("prometheus", &columns, OPTIONS, &expected);
    }
}

#[test]
fn a_terminal_gets_the_texts_of_a_template_escaped_and_its_own_as_they_are() {
    let options = PrinterOptions { terminal: true, ..OPTIONS };
    let template = "jsonpath={.items[2].name}{'\\t\\n'}{.items[2].lastMessage}\n";
    let expected = "db\\u{1b}[2J\\u{a}x\t\n\\u{202e}gnp\\u{9b}\\u{7f}\\u{e0041}\\u{9} \n";
    assert_eq!(print(template, options, rows()), expected);
}

/// Writes that say when they were flushed.
#[derive(Default)]
struct Flushed {
    seen: Vec<u8>,
    pending: Vec<u8>,
}

impl io::Write for &mut Flushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.seen.extend(pending);
        Ok(())
    }
}

#[test]
fn a_line_of_json_is_there_at_once() {
    let description = description();
    let mut out = Flushed::default();
    let mut printer = Printer::new(Format::JsonLines, &description, &OPTIONS, &mut out).expect("the format fits");
    printer.row(&Row::new(rows().swap_remove(0), &description.columns).expect("the row fits")).expect("it is printed");
    drop(printer);
    assert!(out.pending.is_empty() && out.seen.ends_with(b"}\n"), "{:?}", out.seen);
}
