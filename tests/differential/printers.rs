//! The same rows printed by podlens and by kubectl's own printers: templates, columns, orders. A difference is listed with its reason.

use std::fs;
use std::path::Path;
use std::thread;

use podlens_tests::guests;
use podlens_tests::program::{self, Done};
use serde_json::{Map, Value, json};

use crate::go;

/// How many runs of podlens go on at once.
const WORKERS: usize = 4;

/// What is asked, and how the answers compare.
struct Case {
    kind: &'static str,
    argument: String,
    /// Whether one of the rows is hostile.
    hostile: bool,
    compared: Compared,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// Byte for byte.
    Exactly,
    /// By what the JSON texts mean: Go sorts keys and escapes other characters.
    AsJson,
    /// By words in any order: Go visits a map at random.
    AsWords,
    /// They are not the same, for this reason.
    Differs(&'static str),
}
use Compared::{AsJson, AsWords, Differs, Exactly};

// Why podlens decides otherwise.
const BEFORE_THE_RUN: &str = "podlens refuses what cannot be right before the query runs, kubectl finds out row by row, if at all";
const NUMBERS: &str = "Go compares no whole number with a fraction; to whoever writes a filter both are numbers";
const TEXT_IS_NO_LIST: &str = "Go's reflection takes a text apart into its bytes";
const OPEN_RANGE: &str = "kubectl prints what follows a `range` without `end` once more, for the list itself";
const SWALLOWED: &str = "kubectl takes an error in a filter that asks for existence for existence";
const INVALID_UTF8: &str = "podlens prints no bytes that are not text";
const VISIBLE: &str = "kubectl escapes ESC and carriage return alone, and lets a line feed break the table";
const WIDTH: &str = "kubectl counts characters, and East Asian ones take two places";
const NO_PATH: &str = "a column without a path is a slip";
const OBJECT: &str = "kubectl shows an object as Go does, with `map[…]`";
const UNKNOWN_COLUMN: &str = "podlens knows the columns, and refuses another before the query runs";
const KEYWORDS: &str = "kubectl counts two keywords in one pair of braces, and gets lost";

const EXACT: &[&str] = &[
    // Text and escapes.
    "plain",
    "plain }} text",
    "日本 é",
    "{.items[0].name}\n",
    "a{.items[0].name}b{.items[1].name}c",
    r"a\tb",
    r#"{"\t"}|{'\t'}|{"\n"}"#,
    r#"{"it's"}{'a "b"'}{'it\'s'}{"\"q\""}"#,
    r#"{"\u00e9\U0001F600\x41\101\a\b\f\v\r\\ "}"#,
    r#"{"a\\"}"#,
    r#"{'}'}{"{"}"#,
    "{ .items[0].name }",
    "{.items[0].name  }{  'x' }",
    // Keys.
    "{.items[*].name}",
    "{$.items[*].name}",
    "{@.items[*].name}",
    "{$$@.items[0].name}",
    "{['items'][*]['name']}",
    "{.items[0]['name']}",
    "{.items[0].name.first}",
    "{.items.name}",
    "{.nothing}",
    "{.nothing.at.all[*].here}",
    "{.items[*].nothing}",
    "{.items[*].lastReason}",
    "{.items[*].message}",
    "{.items[3].message}",
    r"{.items[0].na\me}",
    r"{.items[0]['na\me']}",
    r"{.items[0].last\.reason}",
    "{.items[0].lastReason.}",
    "{.}",
    "{.items[0].NAME}",
    "{.items[0].日本}",
    "{.items[0].na-me}",
    "{.items[0].a/b}",
    "{.items[0].a\"b\"}",
    "{.items[0].}x",
    "{.items[0]['']}",
    "{.items[0]['name.first']}",
    // Values.
    "{.items[*].restarts}",
    "{.items[*].ratio}",
    "{.items[*].ready}",
    "{.items[*].started}",
    "{.items[*].memory}",
    "{1}{-1}{+1}{007}{1.50}{-0.0}{1.}{99999999999999999999}{true}{false}",
    "{.items[*] 1}",
    "{.items[*] 'x'}",
    "{.items[*] true}",
    "{.nothing 1}|{.nothing 'x'}",
    // Positions.
    "{.items[0].name}",
    "{.items[4].name}",
    "{.items[-1].name}",
    "{.items[-5].name}",
    "{.items[:].name}",
    "{.items[].name}",
    "{.items[1:].name}",
    "{.items[:2].name}",
    "{.items[1:3].name}",
    "{.items[-2:].name}",
    "{.items[:-1].name}",
    "{.items[-3:-1].name}",
    "{.items[::2].name}",
    "{.items[1::2].name}",
    "{.items[0:5:3].name}",
    "{.items[:5:].name}",
    "{.items[0:0].name}",
    "{.items[9:9].name}",
    "{.items[00].name}",
    "{.items[-0].name}",
    // Several.
    "{.items[0,2].name}",
    "{.items[0, 2 ,-1].name}",
    "{.items[0:2,4].name}",
    "{.items[*]['name','restarts']}",
    "{.items[0]['name','nothing','restarts']}",
    "{.items[0,].name}",
    "{['items','items'][0].name}",
    "{.items[0,0].name}",
    "{.items[*,0].name}",
    // Descent.
    "{..name}",
    "{...name}",
    "{..restarts}",
    "{.items..name}",
    "{.items[0]..name}",
    "{..nothing}",
    "{..name..name}",
    "{..items[0].name}",
    // Filters.
    "{.items[?(@.restarts>3)].name}",
    "{.items[?(@.restarts>=3)].name}",
    "{.items[?(@.restarts<3)].name}",
    "{.items[?(@.restarts<=3)].name}",
    "{.items[?(@.restarts==3)].name}",
    "{.items[?(@.restarts!=3)].name}",
    "{.items[?(@.restarts == 3 )].name}",
    "{.items[?(3==@.restarts)].name}",
    "{.items[?(@.restarts==@.restarts)].name}",
    "{.items[?(@.ratio>0.5)].name}",
    "{.items[?(@.ratio==0.25)].name}",
    "{.items[?(@.ready==true)].name}",
    "{.items[?(@.ready!=true)].name}",
    "{.items[?(@.ready)].name}",
    "{.items[?(@.lastReason)].name}",
    "{.items[?(@.nothing)].name}",
    "{.items[?(@.nothing==1)].name}",
    "{.items[?(@.restarts==@.nothing)].name}",
    "{.items[?(@['lastReason']=='OOMKilled')].name}",
    "{.items[?(@.name==\"web-10\")].restarts}",
    "{.items[?(@.name=='web-10')].restarts}",
    "{.items[?($.name=='web-10')].restarts}",
    "{.items[?(.name=='web-10')].restarts}",
    "{.items[?(@.name>'web')].name}",
    "{.items[?(@.name<='api-日本')].name}",
    "{.items[?(@.started>'2000')].name}",
    "{.items[?(@.message==\"it's \\\"ok\\\", once\")].name}",
    "{.items[?(@.message=='x, y')].name}",
    "{.items[?(@.name==')]')].name}",
    "{.items[?(@.name=='a==b')].name}",
    "{.items[?(@.namespace=='shop')].name}{'\\n'}{.items[?(@.namespace=='payments')].name}",
    "{.items[?(@)].name}",
    // Loops.
    "{range .items[*]}{.name}{'\\t'}{.restarts}{'\\n'}{end}",
    "{range .items[*]}{.name}: {.lastReason}; {end}done",
    "{range .items[*]}{end}x",
    "{range .items[*]}x{end}",
    "{range .nothing[*]}{.name}{end}x",
    "{range .nothing}{.name}{end}x",
    "{range .items[?(@.restarts>99)]}{.name}{end}x",
    "{range .items[?(@.restarts>2)]}{.name}\n{end}",
    "{range .items[0:2]}{range .name}<{@}>{end},{end};{.items[0].name}",
    "{range .items}{[0].name}{end}",
    "{range}{.items[0].name}{end}",
    "{range .items[*].name}{@} {end}",
    "{range .items[*]['name','restarts']}{@} {end}",
    "{.items[*] range}{.name}{end}",
    "{range .items[0]}{range .nothing}x{end}y{end}z",
    "{range .items[0:2]}{range .nothing}{.a}{end}{.name}{end}",
    "{range .items[0]}a{end}{range .items[1]}b{end}",
    "{range .items[0:2]}{.name}{range .name}[{@}]{end}",
    "{range .items[0]}{.name end}",
    "{range .items[0]}{.name}{end .x}y",
    // Broken.
    "{..*}",
    "{range .nothing}{foo}{end}",
    "{range .items[0] end}{.name}",
    "{",
    "{.items",
    "{.items[0}",
    "{.items[0.name}",
    "{.items[x].name}",
    "{.items[0:1:2:3].name}",
    "{.items[-].name}",
    "{.items[1.5].name}",
    "{.items[99999999999999999999].name}",
    "{.items[\"name\"]}",
    "{.items[0]['a'b']}",
    "{.items[0]['name]}",
    "{.items[0]['na]me']}",
    "{.items[0].name",
    "{.items\n}",
    "{.items\t}",
    "{#}",
    "{.items[0].name | x}",
    "{foo}",
    "{.items[*] foo}",
    "{end}",
    "{.items[0].name}{end}",
    "{range .items[*]}{end}{end}",
    "{....name}",
    "{'a}",
    "{\"a}",
    "{'a\nb'}",
    r"{'\q'}",
    r"{'\u12'}",
    r"{'\400'}",
    r"{'\ud800'}",
    r"{'a\'}",
    "{1.2.3}",
    "{-}",
    "{{.items}}",
    "{.items[?(@.name]}",
    "{.items[?(@.name)}",
    "{.items[?(@.name=='x)]}",
    "{.items[?()].name}",
    "{.items[?(@.name==)].name}",
    "{.items[?(==1)].name}",
    "{.items[?(@.name=~'w')].name}",
    "{.items[?(@.name=='web-9' && @.restarts==0)].name}",
    "{.items[?(@.name=='web-9')][?(@.name)].name}",
    "{.items[0].name[0]}",
    "{.items[0][0]}",
    "{[0]}",
    "{..[0]}",
    "{.items[99].name}",
    "{.items[5].name}",
    "{.items[-6].name}",
    "{.items[0:6].name}",
    "{.items[3:1].name}",
    "{.items[::0].name}",
    "{.items[::-1].name}",
    "{.items[?(@.name>1)].name}",
    "{.items[?(@.name==true)].name}",
    "{.items[?(@.ready>true)].name}",
    "{.items[?(@.restarts=='3')].name}",
    "{.items[?(@==1)].name}",
    "{[?(@.name)]}",
    "{.items[0][?(@.name)]}",
    "{range .items[*]}{.name[0]}{end}",
    "{.items[*]['name'",
    r"{.items[0]['a\']}",
];

const JSON: &[&str] =
    &["{}", "{}{}", "{.*}", "{@}", "{$}", "{.items}", "{.items[0]}", "{.items[*]}", "{.items[?(@.ready)]}", "{..items}"];

const WORDS: &[&str] = &["{.items[0].*}", "{.items[*].*}", "{.items[1]['name','*']}", "{.items[0][*]}"];

const DIFFERENT: &[(&str, &str)] = &[
    ("{.items[?(@.restarts>2.5)].name}", NUMBERS),
    ("{.items[?(@.ratio>1)].name}", NUMBERS),
    ("{.items[?(@.restarts==@.ratio)].name}", NUMBERS),
    ("{.items[0].name.*}", TEXT_IS_NO_LIST),
    ("{.items[0]..}", TEXT_IS_NO_LIST),
    ("{range .items[*]}{.name} ", OPEN_RANGE),
    ("{.items[?(@.name[0])].name}", SWALLOWED),
    (r"{'\xff'}", INVALID_UTF8),
    ("{.items[?(@.nothing==foo)].name}", BEFORE_THE_RUN),
    ("{.items[?(@.nothing=1)].name}", BEFORE_THE_RUN),
    ("{range range .items[0]}{.name}{end}", KEYWORDS),
];

const COLUMNS: &[&str] = &[
    "NAME:.name",
    "NAME:name",
    "NAME:{.name}",
    "NAME:{name}",
    "NAME:.restarts,RATIO:.ratio,READY:.ready,AT:.started",
    "N:.restarts,NAMESPACE:.namespace",
    "A:.nothing,B:.name.first,C:.lastReason",
    "lower case:.restarts,MEMORY:.memory",
    ":.restarts",
    "A:['restarts']",
    "A:{['restarts']}",
    "A:..restarts",
    "A:$.restarts",
    "A:@.restarts",
    "A:$",
    "A:.restarts.",
    "A:.items[0]",
    "A:.[0]",
    "A:[0]",
    "A:.nothing[0]",
    "A:.nothing[?(@.x)]",
    "A:.restarts['x']",
    "A",
    "A:.restarts,",
    "A:.name,B",
    "A:{.restarts}{.ratio}",
    "A:{.restarts",
    "A:.restarts}",
    "A:.restarts[",
    "A:.restarts B",
    "A:.a:b",
    "A:.restarts|x",
    "A:range",
    "A:.x[?(@.y==1)].z",
    "A:'text'",
];

const DIFFERENT_COLUMNS: &[(&str, &str)] =
    &[("A:", NO_PATH), ("A:.", OBJECT), ("A:{.}", OBJECT), ("NAME:.name,RATIO:.ratio", WIDTH), ("A\tB:.restarts", VISIBLE)];

const ORDERS: &[&str] = &[
    "name",
    ".name",
    "{.name}",
    "{name}",
    ".restarts",
    ".ratio",
    ".started",
    "{.ratio}",
    ".namesp ace",
    "$.name",
    "['name']",
    "{",
    "{.a}{.b}",
    "a}",
    "}",
];

const DIFFERENT_ORDERS: &[(&str, &str)] = &[("..name", UNKNOWN_COLUMN)];

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |kind, argument: &str, hostile, compared| {
        cases.push(Case { kind, argument: argument.to_owned(), hostile, compared });
    };
    for template in EXACT {
        add("jsonpath", template, false, Exactly);
    }
    for template in JSON {
        add("jsonpath", template, false, AsJson);
        add("jsonpath", template, true, AsJson);
        add("jsonpath-as-json", template, true, AsJson);
    }
    for template in
        ["{.items[*].name}", "{.nothing}", "{range .items[*]}{.name}{.restarts}{end}", "{.items[?(@.ready)]}", "a{1}{'b'}"]
    {
        add("jsonpath-as-json", template, true, AsJson);
    }
    for template in
        ["{.items[*].name}|{.items[*].message}", "{.items[-1].restarts} {.items[-1].ratio}", "{.items[?(@.restarts<0)].memory}"]
    {
        add("jsonpath", template, true, Exactly);
    }
    for template in WORDS {
        add("jsonpath", template, false, AsWords);
    }
    for (template, why) in DIFFERENT {
        add("jsonpath", template, false, Differs(why));
    }
    for columns in COLUMNS {
        add("custom-columns", columns, false, Exactly);
    }
    for (columns, why) in DIFFERENT_COLUMNS {
        add("custom-columns", columns, false, Differs(why));
    }
    add("custom-columns", "R:.lastReason,M:.memory", true, Exactly);
    add("custom-columns", "M:.message", true, Differs(VISIBLE));
    for order in ORDERS {
        add("sort-by", order, false, Exactly);
    }
    for (order, why) in DIFFERENT_ORDERS {
        add("sort-by", order, false, Differs(why));
    }
    cases
}

/// `podlens run` of the guest, which asks no API server for anything.
fn run(kubeconfig: &Path, hostile: bool, arguments: &[&str]) -> Done {
    let mut command = program::command();
    command.env("KUBECONFIG", kubeconfig).args([
        "run",
        guests::ALL_TYPES,
        "-p",
        if hostile { "hostile=true" } else { "hostile=false" },
    ]);
    program::run(command.args(arguments))
}

/// What podlens prints, or how it fails.
fn podlens(kubeconfig: &Path, case: &Case) -> Result<String, String> {
    let done = match case.kind {
        "sort-by" => {
            let sort = format!("--sort-by={}", case.argument);
            run(kubeconfig, case.hostile, &["-o", "jsonpath={range .items[*]}{.name}{'\\n'}{end}", &sort])
        }
        kind => run(kubeconfig, case.hostile, &["-o", &format!("{kind}={}", case.argument)]),
    };
    if done.code == 0 { Ok(done.stdout) } else { Err(done.stderr) }
}

/// The rows as an API server would send them: without what has no value.
fn rows(kubeconfig: &Path, hostile: bool) -> String {
    let done = run(kubeconfig, hostile, &["-o", "json"]);
    let mut rows: Vec<Map<String, Value>> = serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    rows.iter_mut().for_each(|row| row.retain(|_, value| !value.is_null()));
    serde_json::to_string(&rows).expect("it was JSON")
}

/// The values in a text of JSON texts, with numbers that are equal the same.
fn values(text: &str) -> Option<Vec<Value>> {
    fn level(value: &mut Value) {
        match value {
            Value::Number(number) => {
                if let Some(float) = number.as_f64().filter(|_| !number.is_i64()) {
                    *value = json!(format!("{float:e}"));
                } else if let Some(integer) = number.as_i64() {
                    *value = json!(format!("{:e}", integer as f64));
                }
            }
            Value::Array(values) => values.iter_mut().for_each(level),
            Value::Object(members) => members.values_mut().for_each(level),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut values: Vec<Value> = serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().ok()?;
    values.iter_mut().for_each(level);
    Some(values)
}

fn is_same(compared: Compared, ours: &str, theirs: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    match compared {
        Exactly | Differs(_) => ours == theirs,
        AsWords => words(ours) == words(theirs),
        AsJson => values(ours).is_some() && values(ours) == values(theirs),
    }
}

#[test]
fn rows_are_printed_as_kubectl_prints_them() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let kubeconfig = folder.path().join("config");
    let config = json!({
        "current-context": "c",
        "contexts": [{ "name": "c", "context": { "cluster": "k", "user": "u" } }],
        "clusters": [{ "name": "k", "cluster": { "server": "https://127.0.0.1:1" } }],
        "users": [{ "name": "u", "user": { "token": "t" } }],
    });
    fs::write(&kubeconfig, config.to_string()).expect("the temporary folder is writable");
    let rows = [false, true].map(|hostile| rows(&kubeconfig, hostile));

    let cases = cases();
    let question = |case: &Case| {
        let rows = &rows[usize::from(case.hostile)];
        json!({ "rows": rows, "kind": case.kind, "argument": case.argument }).to_string() + "\n"
    };
    let theirs: Vec<Value> = go::run("printers", cases.iter().map(question).collect())
        .iter()
        .map(|line| serde_json::from_str(line).expect("the program answers with JSON"))
        .collect();
    assert_eq!(theirs.len(), cases.len());
    let share = cases.len().div_ceil(WORKERS);
    let ours: Vec<Result<String, String>> = thread::scope(|scope| {
        let kubeconfig = &kubeconfig;
        let ask = |case: &Case| podlens(kubeconfig, case);
        let workers: Vec<_> =
            cases.chunks(share).map(|cases| scope.spawn(move || cases.iter().map(ask).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it does not panic")).collect()
    });

    let mut wrong = Vec::new();
    let (mut printed, mut refused) = (0, 0);
    for ((case, ours), theirs) in cases.iter().zip(&ours).zip(&theirs) {
        let theirs = match theirs["error"].as_str() {
            Some("") => Ok(theirs["output"].as_str().expect("it is text")),
            error => Err(error.unwrap_or_default()),
        };
        let same = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => is_same(case.compared, ours, theirs),
            (Err(_), Err(_)) => true,
            _ => false,
        };
        printed += usize::from(same && ours.is_ok());
        refused += usize::from(same && ours.is_err());
        let expected = !matches!(case.compared, Differs(_));
        if same != expected {
            let Case { kind, argument, .. } = case;
            wrong
                .push(format!("{kind} {argument:?}, listed as different: {}\n  ours:   {ours:?}\n  theirs: {theirs:?}", !expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(printed > 120 && refused > 60, "{printed} printed, {refused} refused: this compares little");
}
