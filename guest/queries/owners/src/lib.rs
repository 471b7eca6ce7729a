//! Pods by the controller that they belong to, the largest first. Shows what the owners and labels of
//! a pod tell of objects that a query cannot read.

use std::{cmp::Reverse, collections::BTreeMap};

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, Health, ListOptions, Metadata, Phase},
    row, rows,
};

struct Owners;

/// Most bytes of a controller's kind and name that are shown: no name of an object is longer. Whoever creates
/// a pod can write down a longer one, which must not keep the others from being shown.
const MAX_NAME_BYTES: usize = 253;

impl Query for Owners {
    fn describe() -> Description {
        Description::new("Owners", "Pods by the controller that they belong to")
            .columns([
                Column::text("namespace", "The pods' namespace"),
                Column::text("kind", "The controller's kind; nothing for pods that nobody looks after"),
                Column::text("name", "The controller's name"),
                Column::integer("pods", "Its pods that have neither ended nor are being deleted").metric(),
                Column::integer("ready", "Those of them that are ready").metric(),
                Column::integer("terminating", "Its pods that are being deleted").metric(),
                Column::integer("ended", "Its pods that have ended, with success or in failure").metric(),
                Column::text("apiVersion", "Group and version of the controller's kind"),
            ])
            .parameters([Parameter::boolean("fold", "Count for a Deployment, not for each of its ReplicaSets").default(true)])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let fold: bool = arguments.get("fold")?;
        let mut owners: BTreeMap<(String, Option<Controller>), Pods> = BTreeMap::new();
        for pod in pods::list(ListOptions::new())? {
            let pod = pod?;
            let owner = (pod.namespace(), controller(pod.metadata(), fold));
            owners.entry(owner).or_default().count(&pod.health());
        }

        let mut owners: Vec<_> = owners.into_iter().collect();
        // Stable: controllers of the same number stay in their order.
        owners.sort_by_key(|(_, pods)| Reverse(pods.active));
        for ((namespace, controller), pods) in owners {
            let Pods { active, ready, terminating, ended } = pods;
            let controller = controller.as_ref();
            rows::emit(row![
                namespace,
                controller.map(|it| &it.kind),
                controller.map(|it| &it.name),
                active,
                ready,
                terminating,
                ended,
                controller.map(|it| &it.api_version),
            ])?;
        }
        Ok(())
    }
}

/// Who looks after a pod.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Controller {
    kind: String,
    name: String,
    api_version: String,
}

/// How many pods a controller has, each counted once, as controllers count them themselves.
#[derive(Default)]
struct Pods {
    active: u32,
    ready: u32,
    terminating: u32,
    ended: u32,
}

impl Pods {
    fn count(&mut self, health: &Health) {
        if matches!(health.phase, Phase::Succeeded | Phase::Failed) {
            self.ended += 1;
        } else if health.terminating {
            self.terminating += 1;
        } else {
            self.active += 1;
            self.ready += u32::from(health.ready);
        }
    }
}

/// The owner that manages the pod. `fold`: for a ReplicaSet of a Deployment, the Deployment.
fn controller(metadata: Metadata, fold: bool) -> Option<Controller> {
    let owner = metadata.owners.into_iter().find(|owner| owner.controller)?;
    let (mut kind, mut name) = (owner.kind, owner.name);
    if fold && kind == "ReplicaSet" && owner.api_version.starts_with("apps/") {
        // A Deployment names its ReplicaSets for itself and this hash, and labels their pods with it. A ReplicaSet of
        // somebody else has no such label, or another name.
        let hash = metadata.labels.iter().find(|(key, _)| key == "pod-template-hash").map(|(_, hash)| hash.as_str());
        let deployment = hash.filter(|hash| !hash.is_empty()).and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
        if let Some(deployment) = deployment.filter(|deployment| !deployment.is_empty()) {
            (kind, name) = ("Deployment".to_owned(), deployment.to_owned());
        }
    }
    Some(Controller { kind: shortened(kind), name: shortened(name), api_version: shortened(owner.api_version) })
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_NAME_BYTES));
    text
}

podlens_guest::export!(Owners);
