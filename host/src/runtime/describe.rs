//! Has a query describe itself, once, when it is loaded.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::confine::{confined, deadline};
use super::cpu::CpuClock;
use super::engine::Shared;
use super::log::{self, Log};
use super::store::{Sandbox, State};
use crate::bindings;
use crate::bindings::podlens::query::types as wit;
use crate::error::{Error, Kind};
use crate::limits::{Budget, Limit, Limits};
use crate::policy::{Grant, PodRequest};
use crate::query::{Column, ColumnType, Description, Parameter, ParameterType};
use crate::source::{Bounds, BoxFuture, Page, PodPages, PodSource};

/// What a query may use to describe itself. A Python runtime takes about a second to start without its snapshot.
fn limits() -> Limits {
    Limits::default().with(Limit::CpuTime, 5_000).with(Limit::WallTime, 20_000)
}

/// Has a query describe itself, in an instance of its own that is granted nothing.
pub(super) async fn describe(shared: &Shared, pre: &bindings::QueryPre<State>) -> Result<Description, Error> {
    let described = confined(granted_nothing(), shared, "describe itself", async |store| {
        let query = pre.instantiate_async(&mut *store).await?;
        query.call_describe(store).await
    });
    // Whose limits these are matters: no flag raises them, so no hint is given.
    let description = described.await.map_err(|error| {
        let kind = match error.kind() {
            kind @ (Kind::Limit(_) | Kind::Fault) => kind,
            _ => Kind::Component,
        };
        Error::new(kind, "the query cannot describe itself").because(error)
    })?;
    description_of(description)
        .checked()
        .map_err(|error| Error::new(Kind::Component, "the query describes itself wrongly").because(error))
}

/// What an instance is given that is not to run.
pub(super) fn granted_nothing() -> Sandbox {
    let budget = Arc::new(Budget::new(limits()));
    Sandbox {
        grant: Arc::new(Grant::nothing()),
        source: Arc::new(NoPods),
        reads_fields: false,
        deadline: deadline(&budget, Instant::now()),
        columns: Arc::new([]),
        rows: None,
        notes: Arc::default(),
        log: Log::new(budget.clone(), log::to_tracing()),
        cpu: CpuClock::new(budget.clone()),
        // A description must not depend on it.
        now: Some(SystemTime::UNIX_EPOCH),
        budget,
    }
}

fn description_of(description: wit::Description) -> Description {
    let columns = description.columns.into_iter().map(|column| {
        let mut converted = Column::new(
            column.name,
            match column.type_ {
                wit::ColumnType::Text => ColumnType::Text,
                wit::ColumnType::Integer => ColumnType::Integer,
                wit::ColumnType::Number => ColumnType::Number,
                wit::ColumnType::Boolean => ColumnType::Boolean,
                wit::ColumnType::Time => ColumnType::Time,
            },
        );
        converted.description = column.description;
        converted.priority = column.priority;
        converted.metric = column.metric;
        converted
    });
    let parameters = description.parameters.into_iter().map(|parameter| {
        let mut converted = Parameter::new(
            parameter.name,
            match parameter.type_ {
                wit::ParameterType::Text => ParameterType::Text,
                wit::ParameterType::Integer => ParameterType::Integer,
                wit::ParameterType::Number => ParameterType::Number,
                wit::ParameterType::Boolean => ParameterType::Boolean,
            },
        );
        converted.default = parameter.default;
        converted.required = parameter.required;
        converted.help = parameter.help;
        converted
    });
    Description::new(description.title, description.summary, columns.collect(), parameters.collect())
}

/// The source of a query that is granted nothing.
struct NoPods;

impl PodSource for NoPods {
    fn list(&self, _: PodRequest) -> Box<dyn PodPages> {
        Box::new(Self)
    }

    fn get<'a>(&'a self, _: &'a PodRequest, _: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async { Err(Error::not_found()) })
    }
}

impl PodPages for NoPods {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async { Ok(None) })
    }
}
