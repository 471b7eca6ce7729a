//! Rows: the answer of a query, one at a time, in the order in which they are to be shown.
//!
//! [`emit`] takes anything that becomes cells: an array of one type, or [`row!`](crate::row) for
//! cells of several types. A time is a plain number of seconds, so it has to be called one:
//! [`Cell::Time`]. `None` is the cell without a value, whatever the type of its column.

use crate::{Error, bindings::podlens::query::rows};

pub use crate::bindings::podlens::query::rows::Cell;

/// Emits one row: as many cells as the description has columns, each empty or of its column's type.
///
/// The row has left the query when this returns; it is not taken back if the run fails later.
///
/// ```no_run
/// use podlens_guest::{Error, pods::Pod, row, rows::{self, Cell}};
///
/// /// For the columns `namespace`, `name`, `containers` (integer) and `created` (time).
/// fn emit(pod: &Pod) -> Result<(), Error> {
///     let containers = pod.spec().containers.len();
///     let created = pod.metadata().created.map(Cell::Time);
///     rows::emit(row![pod.namespace(), pod.name(), containers, created])
/// }
/// ```
///
/// # Errors
///
/// The row is not emitted: [`Error::InvalidArgument`] if it does not fit the columns,
/// [`Error::LimitExceeded`] if a text is longer than 65,536 bytes. Going over the run's budget of
/// rows or output bytes ends the run instead.
pub fn emit(row: impl IntoIterator<Item: Into<Cell>>) -> Result<(), Error> {
    let cells: Vec<Cell> = row.into_iter().map(Into::into).collect();
    rows::emit(&cells)
}

/// Makes one row of values of several types: an array of [`Cell`](crate::rows::Cell)s, each by
/// `Cell::from`.
///
/// ```
/// use podlens_guest::{row, rows::Cell};
///
/// let row = row!["web-0", 3_u32, 0.5, true, Cell::Time(0), None::<&str>];
/// assert_eq!(row[1], Cell::Integer(3));
/// assert_eq!(row[5], Cell::None);
/// ```
#[macro_export]
macro_rules! row {
    ($($cell:expr),* $(,)?) => {
        [$($crate::rows::Cell::from($cell)),*]
    };
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<i32> for Cell {
    fn from(integer: i32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<u32> for Cell {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

/// For counts. Exact in a component, where a `usize` has 32 bits; elsewhere it saturates.
impl From<usize> for Cell {
    fn from(integer: usize) -> Self {
        Self::Integer(i64::try_from(integer).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Cell {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::None, Into::into)
    }
}
