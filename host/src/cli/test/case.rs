//! One case: its settings, read strictly and checked. `pods.rs` reads the pods beside them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Deserialize;
use serde_saphyr::UserMessageFormatter;

use super::fault::Fault;
use super::file::{CaseError, CaseFolder};
use super::pods::Pods;
use crate::kube::{FieldSelector, LabelSelector, Namespace};
use crate::yaml::{self, Bounds};
use crate::{Grant, Limit, Limits, text};

/// The file of the settings.
pub(super) const SETTINGS: &str = "case.yaml";

/// Most bytes of the settings. Arbitrary; they are written by hand.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// Most characters of a description that are shown. Arbitrary; it is one line.
const MAX_DESCRIPTION_CHARACTERS: usize = 160;
/// Of the settings, which have three levels. Arbitrary.
const BOUNDS: Bounds = Bounds { depth: 8, nodes: 10_000 };
/// Most pods of one page, as of the API server's.
const MAX_PAGE_SIZE: usize = crate::kube::PAGE_LIMIT as usize;

/// What the query's clock shows where neither a case nor a recording says.
const DEFAULT_NOW: &str = "2026-01-01T00:00:00Z";

/// A case, read and checked.
pub(super) struct Case {
    /// Fit to be shown.
    pub(super) description: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) grant: Grant,
    pub(super) limits: Limits,
    pub(super) now: SystemTime,
    pub(super) pods: Pods,
    pub(super) faults: Vec<Fault>,
}

/// The settings as they are written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Settings {
    description: String,
    parameters: BTreeMap<String, String>,
    namespaces: Option<Vec<String>>,
    selector: String,
    field_selector: String,
    whole_objects: bool,
    now: Option<String>,
    page_size: Option<usize>,
    limits: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Case {
    /// Reads the case in this folder.
    pub(super) fn read(folder: &CaseFolder) -> Result<Self, CaseError> {
        let path = folder.file(SETTINGS);
        let Some(text) = folder.read_text(SETTINGS, MAX_SETTINGS_BYTES)? else {
            return Err(CaseError::of(&path, "is missing; it may be empty"));
        };
        let settings = Settings::parse(&text).map_err(|error| CaseError::of(&path, format_args!("is no test case: {error}")))?;
        let pods = Pods::read(folder, settings.whole_objects)?;
        settings.checked(pods).map_err(|error| CaseError::of(&path, format_args!("is no test case: {error}")))
    }
}

impl Settings {
    fn parse(text: &str) -> Result<Self, String> {
        // Comments alone are no document.
        let settings: Option<Self> = yaml::parse(text, BOUNDS).map_err(|error| {
            error.render_with_formatter(&UserMessageFormatter).lines().map(text::visible).collect::<Vec<_>>().join("\n")
        })?;
        Ok(settings.unwrap_or_default())
    }

    fn checked(self, pods: Pods) -> Result<Case, String> {
        let recorded = pods.recorded()?;
        let has_grant =
            self.namespaces.is_some() || !self.selector.is_empty() || !self.field_selector.is_empty() || self.whole_objects;
        let grant = match &recorded {
            Some((grant, _)) if !has_grant => grant.clone(),
            _ => self.grant()?,
        };
        let now = match (&self.now, recorded) {
            (None, Some((_, now))) => now,
            (now, _) => moment(now.as_deref().unwrap_or(DEFAULT_NOW))?,
        };
        let limits = self.limits.iter().try_fold(Limits::default(), |limits, (name, value)| with_limit(limits, name, value))?;
        let pods = match self.page_size {
            None => pods,
            Some(size) if (1..=MAX_PAGE_SIZE).contains(&size) => pods.page_size(size)?,
            Some(size) => return Err(format!("`pageSize` is {size}, expected 1 to {MAX_PAGE_SIZE}")),
        };
        super::fault::check(&self.faults)?;
        let description = text::visible_at_most(self.description.trim(), MAX_DESCRIPTION_CHARACTERS);
        Ok(Case { description, parameters: self.parameters, grant, limits, now, pods, faults: self.faults })
    }

    fn grant(&self) -> Result<Grant, String> {
        let mut grant = match &self.namespaces {
            None => Grant::all_namespaces(),
            Some(names) => names.iter().try_fold(Grant::nothing(), |grant, name| {
                Namespace::parse(name).map(|namespace| grant.namespace(namespace)).map_err(|error| format!("`namespaces`: {error}"))
            })?,
        };
        if self.whole_objects {
            grant = grant.whole_objects();
        }
        let labels = LabelSelector::parse(&self.selector).map_err(|error| format!("`selector`: {error}"))?;
        let fields = FieldSelector::parse(&self.field_selector).map_err(|error| format!("`fieldSelector`: {error}"))?;
        Ok(grant.labels(&labels).fields(&fields))
    }
}

/// A query's clock knows no moment before 1970.
fn moment(text: &str) -> Result<SystemTime, String> {
    let moment = text.parse().ok().filter(|moment: &Timestamp| *moment >= Timestamp::UNIX_EPOCH);
    let moment = moment.and_then(|moment| SystemTime::try_from(moment).ok());
    moment.ok_or_else(|| format!("`now` is `{}`, expected a moment since 1970 such as `{DEFAULT_NOW}`", text::excerpt(text)))
}

fn with_limit(limits: Limits, name: &str, value: &str) -> Result<Limits, String> {
    let Some(limit) = Limit::ALL.iter().find(|limit| limit.name() == name) else {
        let known: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        return Err(format!("`limits` has `{}`, expected one of {}", text::excerpt(name), text::Quoted(&known)));
    };
    let value =
        limit.unit().parse(value).map_err(|expected| format!("`limits.{name}` is `{}`: {expected}", text::excerpt(value)))?;
    Ok(limits.with(*limit, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Case, String> {
        Settings::parse(text)?.checked(Pods::Kept(crate::source::Snapshot::new(Vec::new())))
    }

    #[test]
    fn every_key_is_optional() {
        for text in ["", "# nothing\n", "{}", "---\n"] {
            let case = checked(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!((case.grant, case.limits), (Grant::all_namespaces(), Limits::default()));
            assert_eq!(Timestamp::try_from(case.now).expect("it is a moment").to_string(), DEFAULT_NOW);
        }
    }

    #[test]
    fn every_key_is_read() {
        let case = checked(
            "description: In full\n\
             parameters: {min: 3, ratio: 0.50, all: true, team: 'no', none: ''}\n\
             namespaces: [shop]\n\
             selector: app=web\n\
             fieldSelector: status.phase=Running\n\
             wholeObjects: true\n\
             now: 2026-01-02T03:04:05Z\n\
             pageSize: 2\n\
             limits: {max-pods: 100, timeout: 5s, memory-limit: 64Mi}\n\
             faults:\n- {list: 1, page: 2, error: expired}\n- {get: 1, error: not-found}\n",
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let parameters: Vec<_> = case.parameters.iter().map(|(name, text)| format!("{name}={text}")).collect();
        // As they would be typed: nothing is made of their digits.
        assert_eq!(parameters, ["all=true", "min=3", "none=", "ratio=0.50", "team=no"]);
        let grant = Grant::nothing().namespace(Namespace::parse("shop").expect("it is one")).whole_objects();
        let labels = LabelSelector::parse("app=web").expect("it is one");
        let fields = FieldSelector::parse("status.phase=Running").expect("it is one");
        assert_eq!(case.grant, grant.labels(&labels).fields(&fields));
        let limits = [Limit::Pods, Limit::WallTime, Limit::Memory].map(|limit| case.limits.get(limit));
        assert_eq!((limits, case.faults.len()), ([100, 5000, 64 << 20], 2));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, expected) in [
            ("parameter: {}", "unknown field `parameter`, expected one of description, parameters, namespaces"),
            ("limits: {pods: 1}", "`limits` has `pods`, expected one of `timeout`, "),
            ("limits: {timeout: 5}", "`limits.timeout` is `5`: expected a duration above 0"),
            ("namespaces: [Shop]", "`namespaces`: `Shop` is not a namespace"),
            ("selector: 'a in b'", "`selector`: "),
            ("fieldSelector: spec.x=1", "`fieldSelector`: "),
            ("now: yesterday", "`now` is `yesterday`, expected a moment since 1970 such as"),
            ("now: 1969-12-31T23:59:59Z", "`now` is `1969-12-31T23:59:59Z`, expected"),
            ("pageSize: 0", "`pageSize` is 0, expected 1 to 500"),
            ("faults: [{list: 0, error: denied}]", "a fault has `list: 0`, expected 1 for the first"),
            ("faults: [{list: 1, error: broken}]", "unknown variant `broken`, expected one of denied, expired"),
            ("faults: [{lists: 1, error: denied}]", "unknown field `lists`"),
            ("faults: [{list: 1}]", "missing field `error`"),
            ("faults: [{list: 1, get: 1, error: denied}]", "a fault has `get` beside `list` or `page`"),
            ("faults: [{list: 1, error: not-found}]", "a list answers with `not-found`, which only a get can"),
            ("faults: [{get: 1, error: expired}]", "a get answers with `expired`, which only a list can"),
            ("faults: [{error: denied}, {list: 1, page: 1, error: expired}]", "list 1, page 1 has two faults"),
            ("parameters: {min: 1, min: 2}", "duplicate"),
            ("parameters: {min: [1]}", ""),
            ("a: &a [1]\nselector: *a", ""),
            ("description: \"\\e[2J", ""),
        ] {
            let error = checked(text).map(|_| ()).expect_err(text);
            assert!(error.contains(expected) && !error.contains('\u{1b}'), "{text}: {error}");
        }
    }
}
