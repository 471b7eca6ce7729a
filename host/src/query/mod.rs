//! The words of a query: what it says of itself, what it is told, and the rows it answers with.
//!
//! Everything here is pure: no guest, no cluster, no I/O. Guests choose most of these values, so each type that can be wrong
//! has one function that checks it against the promises of `wit/types.wit` and `wit/rows.wit`, and whose error a query's
//! author can act on. Read `description.rs` first.

mod arguments;
mod check;
mod description;
mod row;
mod value;

pub use arguments::{Argument, ArgumentError};
pub use check::DescriptionError;
pub use description::{Column, ColumnType, Description, Parameter, ParameterType};
pub use row::{Cell, Row, RowError};
pub use value::ArgumentValue;
