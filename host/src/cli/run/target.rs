//! Over which pods a query runs: those of a cluster, of each of several, or of each of several namespaces. One run each.

use std::sync::Arc;
use std::time::SystemTime;

use super::super::connect::{ConnectArgs, ReachArgs, connect};
use super::super::grant_args::GrantArgs;
use super::super::pods_from::{Elsewhere, PodsFromArgs};
use crate::error::Error;
use crate::query::{Cell, Column, ColumnType};
use crate::source::{ApiServer, PodSource};
use crate::{Client, Grant};

/// One run's pods.
pub(super) struct Target {
    /// What it is called where there are several.
    pub(super) name: String,
    /// What its rows begin with.
    pub(super) cells: Vec<Cell>,
    pub(super) grant: Grant,
    /// Where the pods come from, or why they cannot.
    pub(super) source: Result<Arc<dyn PodSource>, Error>,
    /// Whether the source has all that was named.
    pub(super) is_whole: bool,
    /// The moment that the pods are of, if it is not this one.
    pub(super) now: Option<SystemTime>,
    /// The cluster that they come from, if they do.
    pub(super) client: Option<Client>,
}

/// What is typed of it.
pub(super) struct Asked<'a> {
    pub(super) contexts: &'a [String],
    pub(super) reach: &'a ReachArgs,
    pub(super) from: &'a PodsFromArgs,
    pub(super) grant: &'a GrantArgs,
}

impl Asked<'_> {
    /// The columns that are put before those of a query, so that a row says where it is from.
    pub(super) fn columns(&self, query: &[Column]) -> Vec<Column> {
        let mut columns = Vec::new();
        if once(self.contexts).count() > 1 {
            columns.push(column("cluster", "The kubeconfig's context", query));
        }
        if self.is_by_namespace(query) {
            columns.push(column("namespace", "The namespace", query));
        }
        columns
    }

    /// Whether each namespace is to be a run of its own: where there are several, and the query's rows do not name theirs.
    fn is_by_namespace(&self, query: &[Column]) -> bool {
        once(self.grant.named()).count() > 1 && !query.iter().any(|column| column.name == "namespace")
    }

    /// Clients of the clusters that are named, each with a connection that opens meanwhile; none where the pods come from elsewhere.
    pub(super) fn clients(&self) -> Vec<Result<Client, Error>> {
        let contexts: Vec<_> = match self.from.are_given() {
            true => Vec::new(),
            false if self.contexts.is_empty() => vec![None],
            false => once(self.contexts).map(Some).collect(),
        };
        let client = |context: Option<&String>| {
            let client = connect(ConnectArgs { context: context.cloned(), reach: self.reach.clone() })?;
            let opening = client.clone();
            tokio::spawn(async move { opening.open_ahead().await });
            Ok(client)
        };
        contexts.into_iter().map(client).collect()
    }

    /// Finds the pods. With one target, what is in the way is an error; of several, each has its own.
    pub(super) async fn targets(&self, clients: Vec<Result<Client, Error>>, query: &[Column]) -> Result<Vec<Target>, Error> {
        let by_namespace = self.is_by_namespace(query);
        let mut all = Vec::new();
        if let Some(elsewhere) = self.from.open(self.grant.gives_objects())? {
            self.add(&mut all, None, Ok(Place::Elsewhere(elsewhere)), by_namespace);
        }
        let is_one = clients.len() == 1;
        let contexts = once(self.contexts).map(Some).chain(std::iter::repeat(None));
        for (client, context) in clients.into_iter().zip(contexts) {
            // A credential plugin may have to ask a person, who takes longer than a run may.
            let client = match client {
                Ok(client) => client.authenticate().await.map(|()| client),
                Err(error) => Err(error),
            };
            match is_one {
                true => self.add(&mut all, None, Ok(Place::Cluster(client?)), by_namespace),
                false => self.add(&mut all, context, client.map(Place::Cluster), by_namespace),
            }
        }
        Ok(all)
    }

    /// Adds the runs over the pods of one place.
    fn add(&self, all: &mut Vec<Target>, context: Option<&String>, place: Result<Place, Error>, by_namespace: bool) {
        let cluster: Vec<_> = context.map(|context| Cell::Text(context.clone())).into_iter().collect();
        let named = context.map(|context| format!("cluster `{context}`"));
        if !by_namespace {
            let target = Target::new(named.unwrap_or_default(), cluster, place, |place| self.grant(place));
            return all.push(target);
        }
        for namespace in once(self.grant.named()) {
            let cells = cluster.iter().cloned().chain([Cell::Text(namespace.to_string())]).collect();
            let name = match &named {
                Some(named) => format!("namespace `{namespace}` of {named}"),
                None => format!("namespace `{namespace}`"),
            };
            all.push(Target::new(name, cells, place.clone(), |_| self.grant.grant_of(namespace)));
        }
    }

    fn grant(&self, place: &Place) -> Grant {
        match place {
            Place::Cluster(client) => self.grant.grant(client.namespace()),
            Place::Elsewhere(elsewhere) => self.grant.grant_or(elsewhere.grant.clone()),
        }
    }
}

/// What was named, each once.
fn once<T: PartialEq>(named: &[T]) -> impl Iterator<Item = &T> {
    named.iter().enumerate().filter(|(at, name)| !named[..*at].contains(name)).map(|(_, name)| name)
}

/// A column of that name, or of one that the query does not have.
fn column(name: &str, description: &str, query: &[Column]) -> Column {
    let is_free = |name: &String| !query.iter().any(|column| column.name == *name);
    // A query has at most 64 columns.
    let name = (1..=65).map(|number| if number == 1 { name.to_owned() } else { format!("{name}{number}") }).find(is_free);
    let mut column = Column::new(name.unwrap_or_default(), ColumnType::Text);
    description.clone_into(&mut column.description);
    column
}

/// Where pods are.
#[derive(Clone)]
enum Place {
    Cluster(Client),
    Elsewhere(Elsewhere),
}

impl Target {
    fn new(name: String, cells: Vec<Cell>, place: Result<Place, Error>, grant: impl FnOnce(&Place) -> Grant) -> Self {
        let is_whole = !matches!(&place, Ok(Place::Elsewhere(Elsewhere { is_whole: false, .. })));
        let (source, grant, now, client): (Result<Arc<dyn PodSource>, _>, _, _, _) = match place {
            Err(error) => (Err(error), Grant::nothing(), None, None),
            Ok(place) => {
                let grant = grant(&place);
                match place {
                    Place::Cluster(client) => {
                        (Ok(Arc::new(ApiServer::new(client.clone()).skip_refused_namespaces())), grant, None, Some(client))
                    }
                    Place::Elsewhere(Elsewhere { source, now, .. }) => (Ok(source), grant, now, None),
                }
            }
        };
        Self { name, cells, grant, source, is_whole, now, client }
    }
}
