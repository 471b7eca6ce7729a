//! Tries rows that do not fit its columns, and emits the answer to each.

use podlens_guest::{
    Arguments, Column, Description, Error, row,
    rows::{self, Cell},
};

fn describe() -> Description {
    Description::new("Bad rows", "Tries rows that do not fit").columns([
        Column::text("answer", "The answer to one row"),
        Column::number("number", "A number"),
        Column::time("time", "A time"),
    ])
}

fn run(_: Arguments) -> Result<(), Error> {
    let rows_that_do_not_fit = [
        vec![],
        row!["too", 2.0].to_vec(),
        row!["too", 4.0, Cell::Time(0), "many"].to_vec(),
        row![1, 0.5, Cell::Time(0)].to_vec(),
        row!["an integer for a number", 1, Cell::Time(0)].to_vec(),
        row!["an integer for a time", 0.5, 0].to_vec(),
        row!["not a number", f64::NAN, Cell::Time(0)].to_vec(),
        row!["infinite", f64::INFINITY, Cell::Time(0)].to_vec(),
        row!["after the year 9999", 0.5, Cell::Time(i64::MAX)].to_vec(),
        row!["before the year 1", 0.5, Cell::Time(i64::MIN)].to_vec(),
        row!["x".repeat(65_537), 0.5, Cell::Time(0)].to_vec(),
    ];
    for row in rows_that_do_not_fit {
        let answer = rows::emit(row);
        rows::emit(row![format!("{answer:?}"), Cell::None, Cell::None])?;
    }
    Ok(())
}

podlens_test_guests::guest!(describe, run);
