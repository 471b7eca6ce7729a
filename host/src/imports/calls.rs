//! What a run called the host for: how often each function, and the last calls, for whoever has to find out why it failed.
//!
//! Names, selectors and counts only, never what is in a pod or a row. Calls that come by the thousand are counted, not written down:
//! noting one costs a few instructions.

use std::collections::VecDeque;
use std::fmt;

use wasmtime::component::{Resource, ResourceTable};

use super::HeldPod;
use crate::bindings::podlens::query::{pods, types};
use crate::text::excerpt;

/// Entries that are kept. Arbitrary: a few lines of an error, and enough to see what came before the last list or get.
const KEPT: usize = 8;

/// A function of the host that a query can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostFunction {
    /// `pods.list`.
    List,
    /// The next page of a list.
    Next,
    /// `pods.get`.
    Get,
    /// A pod's name.
    Name,
    /// A pod's namespace.
    Namespace,
    /// A pod's metadata.
    Metadata,
    /// A pod's spec.
    Spec,
    /// A pod's status.
    Status,
    /// How a pod does, in short.
    Health,
    /// A pod's whole object.
    Object,
    /// `rows.emit`.
    Emit,
}

impl HostFunction {
    /// All of them, in the order of the WIT.
    pub const ALL: &'static [Self] = &[
        Self::List,
        Self::Get,
        Self::Next,
        Self::Name,
        Self::Namespace,
        Self::Metadata,
        Self::Spec,
        Self::Status,
        Self::Health,
        Self::Object,
        Self::Emit,
    ];

    /// Its name, such as `pods.list`, `pod-pages.next`, `pod.status` or `rows.emit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "pods.list",
            Self::Next => "pod-pages.next",
            Self::Get => "pods.get",
            Self::Name => "pod.name",
            Self::Namespace => "pod.namespace",
            Self::Metadata => "pod.metadata",
            Self::Spec => "pod.spec",
            Self::Status => "pod.status",
            Self::Health => "pod.health",
            Self::Object => "pod.object",
            Self::Emit => "rows.emit",
        }
    }

    /// Whether it reads a pod that the query has.
    fn reads_pod(self) -> bool {
        !matches!(self, Self::List | Self::Next | Self::Get | Self::Emit)
    }
}

/// A call of the host, or several alike after one another. Its `Display` is a line such as
/// `pods.list(namespace shop, labels app=web) -> a list` or `1200 x rows.emit`.
///
/// Accessors of pods count as alike, and so does emitting a row between them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostCall {
    /// What was called, with its arguments where they tell something. Fit to be shown.
    pub call: String,
    /// What the query got; empty where it got what it asked for, and there is nothing to say of it.
    pub outcome: String,
    /// How often.
    pub times: u64,
}

impl fmt::Display for HostCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.times > 1 {
            write!(f, "{} x ", self.times)?;
        }
        f.write_str(&self.call)?;
        if self.outcome.is_empty() { Ok(()) } else { write!(f, " -> {}", self.outcome) }
    }
}

/// The record of one run.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    counts: [u64; HostFunction::ALL.len()],
    last: VecDeque<Entry>,
    /// The entry of the last call, from the end.
    current: usize,
    /// Was the key of a dropped pod, and is used anew for the next: most pods are told about until the next one is read.
    spare: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    function: HostFunction,
    arguments: Arguments,
    outcome: Outcome,
    times: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Arguments {
    None,
    /// In words.
    Words(String),
    /// The handle of a pod.
    Pod(u32),
    /// The [key](crate::ReadPod::key) of a pod that the query has dropped since.
    Dropped(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The host is still at it.
    Pending,
    Done,
    Pods(usize),
    NoMorePods,
    Refused(&'static str),
}

impl Calls {
    /// `pods.list` was called.
    pub(super) fn list(&mut self, options: &pods::ListOptions) {
        let mut words = vec![match &options.namespace {
            Some(namespace) => format!("namespace {}", excerpt(namespace)),
            None => "all granted namespaces".to_owned(),
        }];
        let selectors = [("labels", &options.label_selector), ("fields", &options.field_selector)];
        for (what, selector) in selectors {
            words.extend(selector.iter().filter(|it| !it.is_empty()).map(|selector| format!("{what} {}", excerpt(selector))));
        }
        words.extend(options.objects.then(|| "whole objects".to_owned()));
        self.begin(HostFunction::List, Arguments::Words(words.join(", ")));
    }

    /// `pods.get` was called.
    pub(super) fn get(&mut self, namespace: &str, name: &str) {
        self.begin(HostFunction::Get, Arguments::Words(format!("{}/{}", excerpt(namespace), excerpt(name))));
    }

    /// A page of a list was asked for.
    pub(super) fn next(&mut self) {
        self.begin(HostFunction::Next, Arguments::None);
    }

    /// A row was emitted.
    pub(super) fn emit(&mut self) {
        self.count(HostFunction::Emit);
        match self.again(|function| function == HostFunction::Emit) {
            Some(entry) => entry.times += 1,
            None => self.push(HostFunction::Emit, Arguments::None, Outcome::Done),
        }
    }

    /// A pod was read.
    pub(super) fn read(&mut self, function: HostFunction, pod: u32) {
        self.count(function);
        let Some(entry) = self.again(HostFunction::reads_pod) else {
            return self.push(function, Arguments::Pod(pod), Outcome::Done);
        };
        entry.times += 1;
        if entry.function == function && entry.arguments == Arguments::Pod(pod) {
            return;
        }
        entry.function = function;
        if let Arguments::Dropped(key) = std::mem::replace(&mut entry.arguments, Arguments::Pod(pod)) {
            self.spare = key;
        }
    }

    /// A pod was dropped. Its handle may soon be another pod's: if it is told about, then from now on by name.
    pub(super) fn dropped(&mut self, pod: u32, held: &HeldPod) {
        // Handles are used anew only once they are free, so one entry at most has this one; it is nearly always the last.
        if let Some(entry) = self.last.iter_mut().rev().find(|entry| entry.arguments == Arguments::Pod(pod)) {
            let mut key = std::mem::take(&mut self.spare);
            held.read.key().clone_into(&mut key);
            entry.arguments = Arguments::Dropped(key);
        }
    }

    /// The last call gave what it was to give.
    pub(super) fn done(&mut self) {
        self.settle(Outcome::Done);
    }

    /// The last call gave a page, or the end of the list.
    pub(super) fn page(&mut self, pods: Option<usize>) {
        self.settle(pods.map_or(Outcome::NoMorePods, Outcome::Pods));
    }

    /// The last call gave an error that the query may handle.
    pub(super) fn refused(&mut self, error: &types::Error) {
        let word = match error {
            types::Error::InvalidArgument(_) => "invalid argument",
            types::Error::Denied(_) => "denied",
            types::Error::NotFound => "not found",
            types::Error::Expired => "expired",
            types::Error::LimitExceeded(_) => "limit exceeded",
            types::Error::Unavailable(_) => "unavailable",
            types::Error::ServerError(_) => "server error",
            types::Error::Other(_) => "error",
        };
        // Of several alike, this one is not.
        if let Some(entry) = self.current().filter(|entry| entry.times > 1) {
            entry.times -= 1;
            let function = entry.function;
            self.push(function, Arguments::None, Outcome::Pending);
        }
        self.settle(Outcome::Refused(word));
    }

    /// How often each function was called.
    pub(super) fn counts(&self) -> Vec<(HostFunction, u64)> {
        HostFunction::ALL.iter().map(|function| (*function, self.counts[*function as usize])).collect()
    }

    /// The last calls, the oldest first.
    pub(super) fn last(&self, table: &ResourceTable) -> Vec<HostCall> {
        self.last.iter().map(|entry| entry.told(table)).collect()
    }

    fn count(&mut self, function: HostFunction) {
        self.counts[function as usize] = self.counts[function as usize].saturating_add(1);
    }

    /// The entry that one more call of this kind belongs to: the last, or the one before it if both come in turns.
    fn again(&mut self, alike: impl Fn(HostFunction) -> bool) -> Option<&mut Entry> {
        let is_plain =
            |entry: &Entry| entry.outcome == Outcome::Done && (entry.function == HostFunction::Emit || entry.function.reads_pod());
        // Most are alike the last one, and that was found so.
        if !self.current().is_some_and(|entry| is_plain(entry) && alike(entry.function)) {
            let mut both = self.last.iter().rev().take(2).take_while(|entry| is_plain(entry));
            self.current = both.position(|entry| alike(entry.function))?;
        }
        self.current()
    }

    fn current(&mut self) -> Option<&mut Entry> {
        let index = self.last.len().checked_sub(self.current + 1)?;
        self.last.get_mut(index)
    }

    fn begin(&mut self, function: HostFunction, arguments: Arguments) {
        self.count(function);
        self.push(function, arguments, Outcome::Pending);
    }

    fn push(&mut self, function: HostFunction, arguments: Arguments, outcome: Outcome) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(Entry { function, arguments, outcome, times: 1 });
        self.current = 0;
    }

    /// Notes how the last call ended, and joins it with the one before if that was the same.
    fn settle(&mut self, outcome: Outcome) {
        let Some(entry) = self.current() else { return };
        entry.outcome = outcome;
        if self.current > 0 {
            return;
        }
        let Some(entry) = self.last.pop_back() else { return };
        match self.last.back_mut() {
            Some(before)
                if (before.function, &before.arguments, &before.outcome) == (entry.function, &entry.arguments, &entry.outcome) =>
            {
                before.times += 1;
            }
            _ => self.last.push_back(entry),
        }
    }
}

impl Entry {
    fn told(&self, table: &ResourceTable) -> HostCall {
        let of_pod = |key: &str| match key.split_once('/') {
            Some((namespace, name)) => format!("({}/{})", excerpt(namespace), excerpt(name)),
            None => String::new(),
        };
        let arguments = match &self.arguments {
            Arguments::None => String::new(),
            Arguments::Words(words) => format!("({words})"),
            Arguments::Dropped(key) => of_pod(key),
            Arguments::Pod(handle) => match table.get(&Resource::<HeldPod>::new_borrow(*handle)) {
                Ok(held) => of_pod(held.read.key()),
                Err(_) => String::new(),
            },
        };
        let name = self.function.name();
        let call = match self.function.reads_pod() && self.times > 1 {
            true => format!("accessors of pods, the last {name}{arguments}"),
            false => format!("{name}{arguments}"),
        };
        let outcome = match &self.outcome {
            Outcome::Pending => "no answer".to_owned(),
            Outcome::Done => String::new(),
            Outcome::Pods(1) => "1 pod".to_owned(),
            Outcome::Pods(pods) => format!("{pods} pods"),
            Outcome::NoMorePods => "no more pods".to_owned(),
            Outcome::Refused(error) => (*error).to_owned(),
        };
        HostCall { call, outcome, times: self.times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(calls: &Calls) -> Vec<String> {
        calls.last(&ResourceTable::new()).iter().map(ToString::to_string).collect()
    }

    fn options(namespace: Option<&str>, labels: &str) -> pods::ListOptions {
        pods::ListOptions {
            namespace: namespace.map(str::to_owned),
            label_selector: Some(labels.to_owned()),
            field_selector: None,
            objects: false,
        }
    }

    #[test]
    fn what_comes_in_turns_is_counted() {
        let mut calls = Calls::default();
        calls.list(&options(Some("shop"), "app=web"));
        calls.done();
        calls.next();
        calls.page(Some(500));
        for pod in 0..500 {
            calls.read(HostFunction::Name, pod);
            calls.read(HostFunction::Status, pod);
            calls.emit();
        }
        calls.next();
        assert_eq!(
            told(&calls),
            [
                "pods.list(namespace shop, labels app=web)",
                "pod-pages.next -> 500 pods",
                "1000 x accessors of pods, the last pod.status",
                "500 x rows.emit",
                "pod-pages.next -> no answer",
            ]
        );
        assert_eq!(calls.counts().iter().map(|(_, count)| count).sum::<u64>(), 1503);
    }

    #[test]
    fn equal_calls_are_folded_and_the_oldest_forgotten() {
        let mut calls = Calls::default();
        for name in ["a", "a", "a", "b\u{1b}[2J"] {
            calls.get("shop", name);
            calls.refused(&types::Error::NotFound);
        }
        assert_eq!(told(&calls), ["3 x pods.get(shop/a) -> not found", "pods.get(shop/b\\u{1b}[2J) -> not found"]);
        for number in 0..20 {
            calls.get("shop", &number.to_string());
            calls.done();
        }
        assert_eq!(told(&calls).len(), KEPT);
        assert_eq!(told(&calls)[0], "pods.get(shop/12)");
    }

    #[test]
    fn a_refused_row_is_told_apart() {
        let mut calls = Calls::default();
        for _ in 0..3 {
            calls.emit();
            calls.read(HostFunction::Name, 1);
        }
        for _ in 0..2 {
            calls.emit();
            calls.refused(&types::Error::InvalidArgument(String::new()));
        }
        calls.emit();
        assert_eq!(
            told(&calls),
            ["3 x rows.emit", "3 x accessors of pods, the last pod.name", "2 x rows.emit -> invalid argument", "rows.emit",]
        );
    }
}
