//! Says what would be markup and scripts to whoever takes it for that: in its description, in its rows, in its error, and as it is told.

use podlens_guest::{Arguments, Column, Description, Error, Parameter, row, rows};

/// Sets `hacked`, wherever it is taken for more than words.
const WORDS: [&str; 7] = [
    "</td></table><script>window.hacked = 1</script>",
    "<img src=x onerror=\"window.hacked = 1\">",
    "\"'><svg onload=window.hacked=1>",
    "</script><script>window.hacked = 1</script><!--",
    "javascript:window.hacked=1",
    "&lt;script&gt;window.hacked = 1&lt;/script&gt; ${window.hacked = 1} {{hacked = 1}}",
    "\u{202e}txet\u{2066} שלום \u{200f}<b>",
];

fn describe() -> Description {
    Description::new("</title><script>window.hacked = 1</script>", "<img src=x onerror=\"window.hacked = 1\"> \"'>")
        .columns([Column::text("words", "\"><script>window.hacked = 1</script>"), Column::integer("number", "' onclick='hacked=1")])
        .parameters([
            Parameter::text("say", "</small><script>window.hacked = 1</script>").required(),
            Parameter::text("quoted", "\" onfocus=\"window.hacked=1").default("\" autofocus onfocus=\"window.hacked=1\" x=\""),
            Parameter::boolean("fail", "Whether to fail").default(false),
        ])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    if arguments.get("fail")? {
        return Err(WORDS.join("\n").into());
    }
    for (number, words) in (0..).zip(WORDS) {
        rows::emit(row![words, number])?;
    }
    rows::emit(row![arguments.get::<String>("say")?, -1])
}

podlens_test_guests::guest!(describe, run);
