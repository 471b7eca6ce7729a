//! A query of the first version of the contract, whose WIT is kept in `wit/` as it was: it has to run on every host that offers
//! 0.1.x, whatever is added. It uses each function and method that there was.

wit_bindgen::generate!({ path: "wit", world: "query" });

use podlens::query::pods::{self, ListOptions};
use podlens::query::rows::{self, Cell};
use podlens::query::types::{Column, ColumnType};

struct Frozen;

impl Guest for Frozen {
    fn describe() -> Description {
        let column =
            |name: &str, type_| Column { name: name.to_owned(), type_, description: String::new(), priority: 0, metric: false };
        Description {
            title: "Frozen".to_owned(),
            summary: String::new(),
            columns: vec![
                column("name", ColumnType::Text),
                column("labels", ColumnType::Integer),
                column("containers", ColumnType::Integer),
                column("statuses", ColumnType::Integer),
                column("object", ColumnType::Boolean),
            ],
            parameters: Vec::new(),
        }
    }

    fn run(_: Vec<Argument>) -> Result<(), Error> {
        let pages = pods::list(&ListOptions { namespace: None, label_selector: None, field_selector: None, objects: true })?;
        while let Some(page) = pages.next()? {
            for pod in page {
                let pod = pods::get(&pod.namespace(), &pod.name(), true)?;
                rows::emit(&[
                    Cell::Text(pod.name()),
                    count(pod.metadata().labels.len()),
                    count(pod.spec().containers.len()),
                    count(pod.status().containers.len()),
                    Cell::Boolean(pod.object()?.contains("\"kind\"")),
                ])?;
            }
        }
        Ok(())
    }
}

fn count(things: usize) -> Cell {
    Cell::Integer(i64::try_from(things).unwrap_or(i64::MAX))
}

export!(Frozen);
