//! Whole outputs, format by format.

use super::*;
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

/// Texts that a careless writer turns into something else.
const HARD_TEXTS: &[&str] = &[
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

    for (format, lines) in [("json", json), ("yaml", yaml), ("csv", csv)] {
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, expected, "{format}");
    }
}

#[test]
fn nothing_hidden_reaches_a_terminal() {
    let all: String = ('\0'..=char::MAX).filter(|&character| crate::text::is_hidden(character)).collect();
    let chunks: Vec<&str> = HARD_TEXTS.iter().copied().chain([all.as_str()]).collect();
    for format in ["table", "wide", "json", "yaml"] {
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
