//! `pods.list`, `pods.get` and the pods they give.

use std::borrow::Cow;

use tokio::time::Instant;
use wasmtime::component::Resource;

use super::convert;
use super::read_ahead::{HeldPod, OpenList, Reader, Stop};
use super::{Failure, HostFunction, Imports, MAX_OPEN_LISTS};
use crate::bindings::podlens::query::{pods, types};
use crate::error::{Error, Kind};
use crate::kube::{Detail, FieldSelector, LabelSelector, Namespace, PodName};
use crate::limits::Limit;
use crate::policy::{Ask, PodRequest, VisiblePod, authorize};
use crate::source::Requests;

impl Imports {
    /// The one way from a guest to a source.
    fn authorize(&self, ask: Ask) -> Result<PodRequest, Failure> {
        authorize(&self.grant, ask).map_err(|denied| {
            self.notes.denied(denied.to_string());
            self.notes.failed(Error::new(Kind::Denied, denied.to_string()));
            denied.into()
        })
    }

    /// The least that has to be read of each pod.
    fn detail(&self, objects: bool) -> Detail {
        match (objects, self.reads_fields) {
            (true, _) => Detail::Object,
            (false, true) => Detail::Fields,
            (false, false) => Detail::Metadata,
        }
    }

    fn reader(&self) -> Reader {
        Reader { budget: self.budget.clone(), notes: self.notes.clone(), deadline: self.deadline, reads: self.reads.clone() }
    }

    fn stopped(&self, stop: Stop) -> Failure {
        match stop {
            Stop::Limit(limit) => self.budget.reach(limit).into(),
            // A source that gives up at the deadline may be back a moment before the run's own clock is.
            Stop::Source(_) if Instant::now() >= self.deadline => self.budget.reach(Limit::WallTime).into(),
            Stop::Source(error) => {
                let failure = Failure::of_source(&error);
                self.notes.source_failed(error);
                failure
            }
        }
    }

    /// The pod that `function` reads.
    fn held(&mut self, function: HostFunction, pod: &Resource<HeldPod>) -> wasmtime::Result<&VisiblePod> {
        self.charge_call()?;
        self.calls.read(function, pod.rep());
        Ok(&self.table.get(pod)?.read)
    }
}

impl pods::Host for Imports {
    fn list(&mut self, options: pods::ListOptions) -> Result<Resource<OpenList>, Failure> {
        self.charge_call()?;
        self.calls.list(&options);
        let ask = Ask::List {
            namespace: options.namespace.as_deref().map(Namespace::parse).transpose()?,
            labels: LabelSelector::parse(options.label_selector.as_deref().unwrap_or_default())?,
            fields: FieldSelector::parse(options.field_selector.as_deref().unwrap_or_default())?,
            detail: self.detail(options.objects),
        };
        let request = self.authorize(ask)?;
        if self.open_lists >= MAX_OPEN_LISTS {
            return Err(Failure::limit_exceeded(format!("{MAX_OPEN_LISTS} lists are open: drop one first")));
        }
        let pages = self.source.list(request.clone());
        let list = self.table.push(OpenList::start(pages, request, self.reader()))?;
        self.open_lists += 1;
        self.calls.done();
        Ok(list)
    }

    async fn get(&mut self, namespace: String, name: String, objects: bool) -> Result<Resource<HeldPod>, Failure> {
        self.charge_call()?;
        self.calls.get(&namespace, &name);
        let ask = Ask::Get { namespace: Namespace::parse(&namespace)?, name: PodName::parse(&name)?, detail: self.detail(objects) };
        let request = self.authorize(ask)?;
        self.budget.charge(Limit::Requests, 1)?;
        let reader = self.reader();
        let bounds = reader.bounds(Requests::default());
        let page = self.source.get(&request, bounds).await.map_err(|error| self.stopped(Stop::Source(error)))?;
        match reader.one(page, &request) {
            Ok(pod) => {
                self.calls.done();
                Ok(self.table.push(pod)?)
            }
            Err(stop) => Err(self.stopped(stop)),
        }
    }
}

impl pods::HostPodPages for Imports {
    async fn next(&mut self, list: Resource<OpenList>) -> Result<Option<Vec<Resource<HeldPod>>>, Failure> {
        self.charge_call()?;
        self.calls.next();
        let list = self.table.get_mut(&list)?;
        match list.next().await {
            Ok(None) => {
                if !list.broke_off() {
                    self.notes.list_complete(&list.request);
                }
                self.calls.page(None);
                Ok(None)
            }
            Ok(Some(page)) => {
                self.calls.page(Some(page.len()));
                Ok(Some(page.into_iter().map(|pod| self.table.push(pod)).collect::<Result<_, _>>()?))
            }
            Err(stop) => {
                if let Stop::Source(error) = &stop {
                    self.notes.list_ended_early(list.request.clone(), error.clone());
                }
                Err(self.stopped(stop))
            }
        }
    }

    fn drop(&mut self, list: Resource<OpenList>) -> wasmtime::Result<()> {
        self.table.delete(list)?;
        self.open_lists -= 1;
        Ok(())
    }
}

impl pods::HostPod for Imports {
    fn name(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<String> {
        Ok(self.held(HostFunction::Name, &pod)?.name().to_owned())
    }

    fn namespace(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<String> {
        Ok(self.held(HostFunction::Namespace, &pod)?.namespace().to_owned())
    }

    fn metadata(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<pods::Metadata> {
        Ok(convert::metadata(self.held(HostFunction::Metadata, &pod)?.metadata()))
    }

    fn spec(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<pods::Spec> {
        Ok(convert::spec(self.held(HostFunction::Spec, &pod)?.spec()))
    }

    fn status(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<pods::Status> {
        Ok(convert::status(self.held(HostFunction::Status, &pod)?))
    }

    fn health(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<pods::Health> {
        Ok(convert::health(self.held(HostFunction::Health, &pod)?))
    }

    fn object(&mut self, pod: Resource<HeldPod>) -> Result<String, Failure> {
        let object = self.held(HostFunction::Object, &pod).map_err(Failure::Trap)?.object().map(Cow::into_owned);
        object.ok_or_else(|| Failure::Guest(types::Error::Denied("whole objects were not asked for with this pod".into())))
    }

    fn drop(&mut self, pod: Resource<HeldPod>) -> wasmtime::Result<()> {
        let handle = pod.rep();
        let held = self.table.delete(pod)?;
        self.calls.dropped(handle, &held);
        Ok(())
    }
}
