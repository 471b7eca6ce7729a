//! Emits rows of every type; with `hostile`, one more that attacks whoever shows it.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, row,
    rows::{self, Cell},
};

fn describe() -> Description {
    Description::new("All types", "Rows of every type")
        .columns([
            Column::text("namespace", "The pod's namespace"),
            Column::text("name", "The pod's name"),
            Column::integer("restarts", "How often it was restarted").metric(),
            Column::number("ratio", "Of what it may use").metric(),
            Column::boolean("ready", "Whether it is ready"),
            Column::text("lastReason", "Why it ended"),
            Column::text("memory", "What it asks for"),
            Column::time("started", "When it started"),
            Column::text("message", "What it said").priority(1),
        ])
        .parameters([Parameter::boolean("hostile", "Whether one row is hostile").default(false)])
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let none = || Cell::None;
    rows::emit(row!["shop", "web-10", 3, 0.25, true, "OOMKilled", "64Mi", Cell::Time(1_767_323_045), "it's \"ok\", once"])?;
    rows::emit(row!["shop", "web-9", 0, 3.0, false, none(), "1Gi", none(), none()])?;
    rows::emit(row!["payments", "api-日本", 12, 1e21, true, "Error", "100M", Cell::Time(0), "a [b] {c} $d @e"])?;
    rows::emit(row!["kube-system", "dns.1", none(), 0.000_012_5, none(), "", none(), Cell::Time(-1), ""])?;
    rows::emit(row!["shop", "job", 3, none(), false, "Completed", "1Gi", Cell::Time(1_700_000_000), "x, y"])?;
    if arguments.get("hostile")? {
        rows::emit(row![
            "shop",
            "db\u{1b}[2J\nx",
            i64::MIN,
            -0.0,
            true,
            "</td><script>alert(1)</script>",
            "a|b`c\\",
            Cell::Time(253_402_300_799),
            "\u{202e}gnp\u{9b}\u{7f}\u{e0041}\t ",
        ])?;
    }
    Ok(())
}

podlens_test_guests::guest!(describe, run);
