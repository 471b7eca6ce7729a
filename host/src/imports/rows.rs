//! `rows.emit`: one row, checked against the columns, charged, and handed to the reader.

use crate::bindings::podlens::query::{rows, types};
use crate::imports::{Failure, Imports};
use crate::limits::Limit;
use crate::query::{Cell, Row};

impl rows::Host for Imports {
    async fn emit(&mut self, cells: Vec<rows::Cell>) -> Result<(), Failure> {
        self.charge_call()?;
        self.calls.emit();
        let Some(reader) = &self.rows else {
            return Err(Failure::Guest(types::Error::InvalidArgument("rows are emitted by `run`, not by `describe`".into())));
        };
        let row = Row::new(cells.into_iter().map(Cell::from).collect(), &self.columns)?;
        self.budget.charge(Limit::Rows, 1)?;
        self.budget.charge(Limit::OutputBytes, row.size_bytes() as u64)?;
        // The receiver goes away only with the whole run.
        reader.send(row).await.map_err(|_| Failure::Trap(wasmtime::format_err!("nobody reads the rows any more")))
    }
}

impl From<rows::Cell> for Cell {
    fn from(cell: rows::Cell) -> Self {
        match cell {
            rows::Cell::None => Self::None,
            rows::Cell::Text(text) => Self::Text(text),
            rows::Cell::Integer(integer) => Self::Integer(integer),
            rows::Cell::Number(number) => Self::Number(number),
            rows::Cell::Boolean(boolean) => Self::Boolean(boolean),
            rows::Cell::Time(seconds) => Self::Time(seconds),
        }
    }
}
