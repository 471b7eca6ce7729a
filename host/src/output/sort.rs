//! `--sort-by`: the order of the rows, whatever they are printed as.

use std::cmp::Ordering;
use std::str::FromStr;

use super::error::{FormatError, FormatErrorKind};
use super::jsonpath::{self, TemplateError};
use crate::query::{Cell, Column, Row};

/// The column to sort by, as kubectl's flag takes it: `.restarts`, `restarts`, `{.restarts}` or `{restarts}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortBy(String);

impl FromStr for SortBy {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        jsonpath::undressed(text).map(|column| Self(column.to_owned()))
    }
}

/// The rows so far, kept until all are there.
#[derive(Debug)]
pub(super) struct Sorted {
    column: usize,
    rows: Vec<Row>,
}

impl Sorted {
    /// # Errors
    ///
    /// The query has no such column.
    pub(super) fn new(by: &SortBy, columns: &[Column]) -> Result<Self, FormatError> {
        let names = || columns.iter().map(|column| column.name.clone()).collect();
        let column = columns.iter().position(|column| column.name == by.0);
        let column = column.ok_or_else(|| FormatError(FormatErrorKind::NoSuchColumn { given: by.0.clone(), columns: names() }))?;
        Ok(Self { column, rows: Vec::new() })
    }

    pub(super) fn row(&mut self, row: &Row) {
        self.rows.push(row.clone());
    }

    /// The rows in order: those without a value first, as kubectl has them; rows of the same value stay as they came.
    pub(super) fn finish(mut self) -> Vec<Row> {
        // kubectl compares two texts as quantities where both are, and so may find a < b < c < a. Here all are, or none.
        let mut texts = self.rows.iter().filter_map(|row| text(self.cell(row)));
        let as_quantities = texts.all(|text| quantity(text).is_some());
        let column = self.column;
        self.rows.sort_by(|left, right| {
            let [left, right] = [left, right].map(|row| row.cells().get(column).unwrap_or(&Cell::None));
            match (text(left), text(right)) {
                (Some(left), Some(right)) if as_quantities => {
                    quantity(left).partial_cmp(&quantity(right)).unwrap_or(Ordering::Equal)
                }
                _ => compare(left, right),
            }
        });
        self.rows
    }

    fn cell<'a>(&self, row: &'a Row) -> &'a Cell {
        row.cells().get(self.column).unwrap_or(&Cell::None)
    }
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

/// Two cells of one column.
fn compare(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Integer(left), Cell::Integer(right)) | (Cell::Time(left), Cell::Time(right)) => left.cmp(right),
        // A cell's number is finite: only the two zeros are told apart.
        (Cell::Number(left), Cell::Number(right)) => left.total_cmp(right),
        (Cell::Boolean(left), Cell::Boolean(right)) => left.cmp(right),
        _ => (left != &Cell::None).cmp(&(right != &Cell::None)),
    }
}

/// The number that a Kubernetes quantity stands for, such as 67,108,864 for `64Mi`, as near as a float is to it.
///
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/> has the grammar.
fn quantity(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let (number, factor) = match &text[number.len()..] {
        "n" => (number, 1e-9),
        "u" => (number, 1e-6),
        "m" => (number, 1e-3),
        "k" => (number, 1e3),
        "M" => (number, 1e6),
        "G" => (number, 1e9),
        "T" => (number, 1e12),
        "P" => (number, 1e15),
        "E" => (number, 1e18),
        "Ki" => (number, 1024.0),
        "Mi" => (number, 1024.0 * 1024.0),
        "Gi" => (number, 1024.0 * 1024.0 * 1024.0),
        "Ti" => (number, 1024.0 * 1024.0 * 1024.0 * 1024.0),
        "Pi" => (number, 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0),
        "Ei" => (number, 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0),
        // A plain number, or one with an exponent.
        "" => (text, 1.0),
        _ => return None,
    };
    // Only the latter: what Rust reads besides as a number, such as `inf`, is none here.
    let has_exponent = number.len() == text.len();
    let is_of_number =
        |character| matches!(character, '0'..='9' | '.' | '+' | '-') || (has_exponent && matches!(character, 'e' | 'E'));
    number.chars().all(is_of_number).then(|| number.parse::<f64>().ok()).flatten().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::ColumnType;

    fn sorted(column_type: ColumnType, cells: &[Cell]) -> Vec<Cell> {
        let columns = [Column::new("value", column_type), Column::new("position", ColumnType::Integer)];
        let mut sorted = Sorted::new(&SortBy("value".into()), &columns).expect("there is such a column");
        for (cell, position) in cells.iter().zip(0..) {
            sorted.row(&Row::new(vec![cell.clone(), Cell::Integer(position)], &columns).expect("the row fits"));
        }
        sorted.finish().into_iter().map(|row| row.into_cells().swap_remove(0)).collect()
    }

    fn texts(texts: &[&str]) -> Vec<Cell> {
        texts.iter().map(|text| Cell::Text((*text).to_owned())).collect()
    }

    #[test]
    fn each_type_has_its_order() {
        let cases = [
            (ColumnType::Integer, vec![Cell::Integer(10), Cell::None, Cell::Integer(9), Cell::Integer(i64::MIN)], [1, 3, 2, 0]),
            (ColumnType::Number, vec![Cell::Number(0.5), Cell::Number(-1.0), Cell::Number(10.0), Cell::None], [3, 1, 0, 2]),
            (ColumnType::Boolean, vec![Cell::Boolean(true), Cell::Boolean(false), Cell::None, Cell::Boolean(false)], [2, 1, 3, 0]),
            (ColumnType::Time, vec![Cell::Time(3), Cell::Time(-1), Cell::None, Cell::Time(2)], [2, 1, 3, 0]),
            (ColumnType::Text, texts(&["web-2", "web-10", "", "Web"]), [2, 3, 1, 0]),
            (ColumnType::Text, texts(&["1Gi", "64Mi", "100m", "2e3"]), [2, 3, 1, 0]),
            (ColumnType::Text, texts(&["1Gi", "64Mi", "100m", "words"]), [2, 0, 1, 3]),
        ];
        for (column_type, cells, order) in cases {
            let expected: Vec<_> = order.iter().map(|index: &usize| cells[*index].clone()).collect();
            assert_eq!(sorted(column_type, &cells), expected, "{cells:?}");
        }
    }

    #[test]
    fn rows_of_the_same_value_stay_as_they_came() {
        let columns = [Column::new("value", ColumnType::Text), Column::new("position", ColumnType::Integer)];
        let mut sorted = Sorted::new(&SortBy("value".into()), &columns).expect("there is such a column");
        for position in 0..100 {
            let value = if position % 3 == 0 { Cell::None } else { Cell::Text("1Ki".into()) };
            sorted.row(&Row::new(vec![value, Cell::Integer(position)], &columns).expect("the row fits"));
        }
        let positions: Vec<_> = sorted.finish().iter().map(|row| row.cells()[1].clone()).collect();
        let expected = (0..100).filter(|position| position % 3 == 0).chain((0..100).filter(|position| position % 3 != 0));
        assert_eq!(positions, expected.map(Cell::Integer).collect::<Vec<_>>());
    }

    #[test]
    fn a_column_is_named_as_kubectl_takes_it() {
        for text in [".restarts", "restarts", "{.restarts}", "{restarts}"] {
            assert_eq!(text.parse(), Ok(SortBy("restarts".into())), "{text}");
        }
        for text in ["", "{", "{}", "{.a}{.b}", "a}"] {
            let error = text.parse::<SortBy>().map(drop).map_err(|error| error.to_string());
            assert_eq!(error, Err(format!("`{text}` is not a path; expected such as `.name`, `name` or `{{.name}}`")));
        }
    }

    #[test]
    fn quantities_are_kubernetes() {
        let cases = [
            ("0", Some(0.0)),
            ("64Mi", Some(67_108_864.0)),
            ("100m", Some(0.1)),
            ("1.5k", Some(1500.0)),
            ("-2E", Some(-2e18)),
            ("2e3", Some(2000.0)),
            ("2E3", Some(2000.0)),
            ("", None),
            ("Mi", None),
            ("64mi", None),
            ("64 Mi", None),
            ("inf", None),
            ("nan", None),
            ("infinity", None),
            ("1e", None),
            ("1e3Mi", None),
        ];
        for (text, expected) in cases {
            assert_eq!(quantity(text), expected, "{text}");
        }
    }
}
