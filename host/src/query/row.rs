//! One row of a query's answer.

use std::fmt;

use super::description::{Column, ColumnType};

/// The longest text of a cell, in bytes; `wit/rows.wit` promises it to the guest.
const MAX_TEXT_BYTES: usize = 65_536;
/// `0001-01-01T00:00:00Z`, in seconds since 1970: the first moment that RFC 3339 and every output format can write.
const MIN_TIME_SECONDS: i64 = -62_135_596_800;
/// `9999-12-31T23:59:59Z`, in seconds since 1970: the last one.
const MAX_TIME_SECONDS: i64 = 253_402_300_799;
/// What a cell costs without its text, in bytes: the size of the integer, number or time that most cells are.
const CELL_BYTES: usize = 8;

/// One cell: the host's side of the WIT's variant `cell`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    None,
    /// For a [`Text`](ColumnType::Text) column, at most 65,536 bytes. May hold control characters: whoever shows it escapes them.
    Text(String),
    /// For an [`Integer`](ColumnType::Integer) column.
    Integer(i64),
    /// For a [`Number`](ColumnType::Number) column; finite.
    Number(f64),
    /// For a [`Boolean`](ColumnType::Boolean) column.
    Boolean(bool),
    /// For a [`Time`](ColumnType::Time) column: seconds since 1970-01-01T00:00:00Z, in the years 1 to 9999.
    Time(i64),
}

/// One row that fits the columns of its query.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(Vec<Cell>);

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct RowError(Box<Kind>);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Count { cells: usize, columns: usize },
    Type { column: String, expected: ColumnType, found: ColumnType },
    NotFinite { column: String, number: f64 },
    TimeRange { column: String, seconds: i64 },
    TextLength { column: String, bytes: usize },
}

impl Row {
    /// Returns the row if it fits the columns: as many cells, each none or of its column's type, numbers finite, times in
    /// the years 1 to 9999, texts of at most 65,536 bytes.
    ///
    /// ```
    /// use podlens::{Cell, Column, ColumnType, Row};
    ///
    /// let columns = [Column::new("restarts", ColumnType::Integer)];
    /// assert!(Row::new(vec![Cell::Integer(3)], &columns).is_ok());
    ///
    /// let error = Row::new(vec![Cell::Number(3.0)], &columns).unwrap_err();
    /// assert_eq!(error.to_string(), "cell for column `restarts` is of type `number`, expected type `integer`");
    /// assert!(!error.is_text_too_long());
    /// ```
    ///
    /// # Errors
    ///
    /// The first cell that does not fit; [`RowError::is_text_too_long`] where only its length does not.
    pub fn new(cells: Vec<Cell>, columns: &[Column]) -> Result<Self, RowError> {
        if cells.len() != columns.len() {
            return Err(Kind::Count { cells: cells.len(), columns: columns.len() }.into());
        }
        for (cell, column) in cells.iter().zip(columns) {
            check(cell, column)?;
        }
        Ok(Self(cells))
    }

    /// The cells, from left to right.
    pub fn cells(&self) -> &[Cell] {
        &self.0
    }

    /// The cells, from left to right, without a copy.
    pub fn into_cells(self) -> Vec<Cell> {
        self.0
    }

    /// What the row costs of a run's budget of output bytes: 8 for each cell, and the bytes of its texts.
    ///
    /// The same for every output format, so that a query that fits its budget fits it however its answer is shown. No row
    /// is free: even a row of nothing costs 8 bytes for each column.
    pub fn size_bytes(&self) -> usize {
        let size = |cell: &Cell| match cell {
            Cell::Text(text) => CELL_BYTES + text.len(),
            _ => CELL_BYTES,
        };
        self.0.iter().map(size).sum()
    }
}

fn check(cell: &Cell, column: &Column) -> Result<(), RowError> {
    let name = || column.name.clone();
    let Some(found) = cell.column_type() else { return Ok(()) };
    if found != column.column_type {
        return Err(Kind::Type { column: name(), expected: column.column_type, found }.into());
    }
    match *cell {
        Cell::Text(ref text) if text.len() > MAX_TEXT_BYTES => Err(Kind::TextLength { column: name(), bytes: text.len() }.into()),
        Cell::Number(number) if !number.is_finite() => Err(Kind::NotFinite { column: name(), number }.into()),
        Cell::Time(seconds) if !(MIN_TIME_SECONDS..=MAX_TIME_SECONDS).contains(&seconds) => {
            Err(Kind::TimeRange { column: name(), seconds }.into())
        }
        _ => Ok(()),
    }
}

impl Cell {
    /// The type of column that the cell is for; nothing for [`Cell::None`], which is for each.
    pub fn column_type(&self) -> Option<ColumnType> {
        match self {
            Self::None => None,
            Self::Text(_) => Some(ColumnType::Text),
            Self::Integer(_) => Some(ColumnType::Integer),
            Self::Number(_) => Some(ColumnType::Number),
            Self::Boolean(_) => Some(ColumnType::Boolean),
            Self::Time(_) => Some(ColumnType::Time),
        }
    }
}

impl RowError {
    /// Whether the row would fit, were one of its texts shorter. The WIT's `limit-exceeded`; all else is its
    /// `invalid-argument`.
    pub fn is_text_too_long(&self) -> bool {
        matches!(*self.0, Kind::TextLength { .. })
    }
}

impl From<Kind> for RowError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl std::error::Error for RowError {}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Count { cells, columns } => {
                write!(f, "row has {cells} cells, expected {columns}, one for each column")
            }
            Kind::Type { column, expected, found } => {
                write!(f, "cell for column `{column}` is of type `{found}`, expected type `{expected}`")
            }
            Kind::NotFinite { column, number } => {
                write!(f, "cell for column `{column}` is `{number}`, expected a finite number")
            }
            Kind::TimeRange { column, seconds } => write!(
                f,
                "cell for column `{column}` is `{seconds}`, expected `{MIN_TIME_SECONDS}` to `{MAX_TIME_SECONDS}`, \
                 the seconds of the years 1 to 9999"
            ),
            Kind::TextLength { column, bytes } => {
                write!(f, "text for column `{column}` has {bytes} bytes, expected at most {MAX_TEXT_BYTES}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> [Column; 5] {
        [
            Column::new("name", ColumnType::Text),
            Column::new("restarts", ColumnType::Integer),
            Column::new("ratio", ColumnType::Number),
            Column::new("ready", ColumnType::Boolean),
            Column::new("started", ColumnType::Time),
        ]
    }

    /// A row of nothing, with one cell changed.
    fn row(index: usize, cell: Cell) -> Result<Row, RowError> {
        let mut cells = vec![Cell::None; 5];
        cells[index] = cell;
        Row::new(cells, &columns())
    }

    #[test]
    fn a_row_that_fits_is_kept_and_charged() {
        let cases = [
            (0, Cell::None, 40),
            (0, Cell::Text(String::new()), 40),
            (0, Cell::Text("é\u{1b}".into()), 43),
            (0, Cell::Text("x".repeat(65_536)), 40 + 65_536),
            (1, Cell::Integer(i64::MIN), 40),
            (2, Cell::Number(f64::MIN_POSITIVE), 40),
            (3, Cell::Boolean(false), 40),
            (4, Cell::Time(-62_135_596_800), 40),
            (4, Cell::Time(253_402_300_799), 40),
        ];
        for (index, cell, size_bytes) in cases {
            let row = row(index, cell.clone()).expect("the row fits");
            assert_eq!(row.cells()[index], cell);
            assert_eq!(row.size_bytes(), size_bytes);
            assert_eq!(row.into_cells().len(), 5);
        }
    }

    #[test]
    fn a_row_that_does_not_fit_is_refused() {
        let range = "expected `-62135596800` to `253402300799`, the seconds of the years 1 to 9999";
        let cases = [
            (0, Cell::Integer(1), "cell for column `name` is of type `integer`, expected type `text`".to_owned()),
            (1, Cell::Number(1.0), "cell for column `restarts` is of type `number`, expected type `integer`".to_owned()),
            (1, Cell::Time(1), "cell for column `restarts` is of type `time`, expected type `integer`".to_owned()),
            (2, Cell::Integer(1), "cell for column `ratio` is of type `integer`, expected type `number`".to_owned()),
            (2, Cell::Number(f64::NAN), "cell for column `ratio` is `NaN`, expected a finite number".to_owned()),
            (2, Cell::Number(f64::INFINITY), "cell for column `ratio` is `inf`, expected a finite number".to_owned()),
            (3, Cell::Text("true".into()), "cell for column `ready` is of type `text`, expected type `boolean`".to_owned()),
            (4, Cell::Boolean(true), "cell for column `started` is of type `boolean`, expected type `time`".to_owned()),
            (4, Cell::Time(-62_135_596_801), format!("cell for column `started` is `-62135596801`, {range}")),
            (4, Cell::Time(i64::MAX), format!("cell for column `started` is `9223372036854775807`, {range}")),
        ];
        for (index, cell, expected) in cases {
            let error = row(index, cell).expect_err("the row does not fit");
            assert_eq!(error.to_string(), expected);
            assert!(!error.is_text_too_long(), "{error}");
        }
    }

    #[test]
    fn a_long_text_is_told_apart() {
        let error = row(0, Cell::Text("x".repeat(65_537))).expect_err("the text is too long");
        assert_eq!(error.to_string(), "text for column `name` has 65537 bytes, expected at most 65536");
        assert!(error.is_text_too_long());
    }

    #[test]
    fn a_row_has_as_many_cells_as_columns() {
        for count in [0, 4, 6] {
            let error = Row::new(vec![Cell::None; count], &columns()).expect_err("the count is wrong");
            assert_eq!(error.to_string(), format!("row has {count} cells, expected 5, one for each column"));
            assert!(!error.is_text_too_long());
        }
    }
}
