//! What goes wrong while a query reads: a source of pods that fails where a case says so.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;
use crate::policy::PodRequest;
use crate::source::{Bounds, BoxFuture, Page, PodPages, PodSource};

/// After how long a cluster that is not available asks to be asked again.
const WAIT: Duration = Duration::from_secs(1);

/// Most faults of a case: as many failures as a run's report has. More would be taken for never met.
const MAX_FAULTS: usize = 100;

/// One read that fails, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    list: Option<u32>,
    page: Option<u32>,
    get: Option<u32>,
    error: Kind,
}

/// What it fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Denied,
    Expired,
    Unavailable,
    Truncated,
    NotFound,
}

/// A read of a run, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Page { list: u32, page: u32 },
    Get(u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { list, page } => write!(f, "list {list}, page {page}"),
            Self::Get(get) => write!(f, "get {get}"),
        }
    }
}

impl Fault {
    fn place(&self) -> Place {
        match self.get {
            Some(get) => Place::Get(get),
            None => Place::Page { list: self.list.unwrap_or(1), page: self.page.unwrap_or(1) },
        }
    }

    fn error(&self) -> Error {
        let told = |what: &str| format!("{}: {what}, since the test case says so", self.place());
        match self.error {
            Kind::Denied => Error::denied(told("the API server refuses")),
            Kind::Expired => Error::expired(told("the API server has dropped the snapshot that it was reading from")),
            Kind::Unavailable => Error::unavailable(told("the API server gives no usable answer"), Some(WAIT)),
            Kind::Truncated => Error::server_error(told("the answer breaks off")),
            Kind::NotFound => Error::not_found(),
        }
    }
}

/// Whether the faults of a case make sense.
pub(super) fn check(faults: &[Fault]) -> Result<(), String> {
    if faults.len() > MAX_FAULTS {
        return Err(format!("`faults` has {}, expected at most {MAX_FAULTS}", faults.len()));
    }
    for (index, fault) in faults.iter().enumerate() {
        for (key, number) in [("list", fault.list), ("page", fault.page), ("get", fault.get)] {
            if number == Some(0) {
                return Err(format!("a fault has `{key}: 0`, expected 1 for the first"));
            }
        }
        let place = fault.place();
        match (place, fault.error) {
            (Place::Get(_), _) if fault.list.is_some() || fault.page.is_some() => {
                return Err("a fault has `get` beside `list` or `page`, expected one or the other".to_owned());
            }
            (Place::Get(_), Kind::Expired) => return Err("a get answers with `expired`, which only a list can".to_owned()),
            (Place::Page { .. }, Kind::NotFound) => return Err("a list answers with `not-found`, which only a get can".to_owned()),
            _ if faults[..index].iter().any(|other| other.place() == place) => return Err(format!("{place} has two faults")),
            _ => {}
        }
    }
    Ok(())
}

/// A source that fails where it is to fail, and otherwise answers as the one behind it. A clone is the same source.
#[derive(Clone)]
pub(super) struct Faulty {
    inner: Arc<Inner>,
}

struct Inner {
    source: Box<dyn PodSource>,
    /// Each with the one error that it fails with, by which it is known again.
    faults: Vec<(Fault, Error)>,
    lists: AtomicU32,
    gets: AtomicU32,
}

impl Faulty {
    pub(super) fn new(source: Box<dyn PodSource>, faults: &[Fault]) -> Self {
        let faults = faults.iter().map(|fault| (fault.clone(), fault.error())).collect();
        Self { inner: Arc::new(Inner { source, faults, lists: AtomicU32::new(0), gets: AtomicU32::new(0) }) }
    }

    /// The faults that the query never met, each as the read that was to fail. `told`: what it was told that failed.
    ///
    /// Not what was read here: pages are read ahead of the query, and whether one was before the query ended is a matter of luck.
    pub(super) fn unmet(&self, told: &[Error]) -> Vec<String> {
        let unmet = self.inner.faults.iter().filter(|(_, error)| !told.iter().any(|other| other.is_same_as(error)));
        unmet.map(|(fault, _)| fault.place().to_string()).collect()
    }
}

impl Inner {
    fn fail_at(&self, place: Place) -> Result<(), Error> {
        match self.faults.iter().find(|(fault, _)| fault.place() == place) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

impl PodSource for Faulty {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        let list = self.inner.lists.fetch_add(1, Ordering::Relaxed) + 1;
        Box::new(FaultyPages { pages: self.inner.source.list(request), inner: self.inner.clone(), list, page: 0 })
    }

    fn get<'a>(&'a self, request: &'a PodRequest, bounds: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        let get = self.inner.gets.fetch_add(1, Ordering::Relaxed) + 1;
        Box::pin(async move {
            self.inner.fail_at(Place::Get(get))?;
            self.inner.source.get(request, bounds).await
        })
    }
}

struct FaultyPages {
    pages: Box<dyn PodPages>,
    inner: Arc<Inner>,
    list: u32,
    page: u32,
}

impl PodPages for FaultyPages {
    fn next(&mut self, bounds: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async move {
            self.page += 1;
            self.inner.fail_at(Place::Page { list: self.list, page: self.page })?;
            self.pages.next(bounds).await
        })
    }
}
