//! Image tags that run as several digests: pods of one name that do not run the same program. Shows
//! an answer of what two parts of a pod say together.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use podlens_guest::{
    Arguments, Column, Description, Error, Query,
    pods::{self, ContainerKind, ContainerState, ContainerStatus, ListOptions, Pod},
    row, rows,
};

struct ImageDrift;

impl Query for ImageDrift {
    fn describe() -> Description {
        Description::new("Image drift", "Image tags that run as several digests").columns([
            Column::text("image", "The image and tag as written in the pods"),
            Column::text("digest", "What it is in some of them"),
            Column::integer("pods", "The number of pods that run this digest").metric(),
            Column::text("examplePod", "One of them").priority(1),
            Column::text("exampleNode", "The node that this one is on").priority(1),
        ])
    }

    fn run(_: Arguments) -> Result<(), Error> {
        let mut uses: BTreeMap<(String, Origin), BTreeMap<String, Use>> = BTreeMap::new();
        // What a finished pod ran is history.
        let options = ListOptions::new().fields("status.phase!=Succeeded,status.phase!=Failed");
        for pod in pods::list(options)? {
            let pod = pod?;
            for (image, origin, digest) in images(&pod) {
                let digests = uses.entry((image, origin)).or_default();
                digests.entry(digest).or_insert_with(|| Use::of(&pod)).pods += 1;
            }
        }

        for ((image, _), digests) in uses {
            if digests.len() < 2 {
                continue;
            }
            let mut digests: Vec<_> = digests.into_iter().collect();
            // Stable: digests of the same number stay in their order.
            digests.sort_by_key(|(_, it)| Reverse(it.pods));
            for (digest, Use { pods, pod, node }) in digests {
                rows::emit(row![&image, digest, pods, pod, node])?;
            }
        }
        Ok(())
    }
}

/// Where a digest comes from. The digest of a manifest in a registry and the id that a node gave an
/// image that never was in one are different numbers of perhaps the same image: never compared.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Origin {
    Registry,
    Node,
}

/// How often a digest is used, and where first.
struct Use {
    pods: u32,
    pod: String,
    node: Option<String>,
}

impl Use {
    fn of(pod: &Pod) -> Self {
        Self { pods: 0, pod: format!("{}/{}", pod.namespace(), pod.name()), node: pod.spec().node }
    }
}

/// The tags that a pod runs, and as what. Two containers of one image count once, unless it moved between their starts.
fn images(pod: &Pod) -> BTreeSet<(String, Origin, String)> {
    let statuses = pod.status().containers;
    let running = pod.spec().containers.into_iter().filter_map(|container| {
        let tag = tag(&container.image)?;
        let status = statuses.iter().find(|status| status.name == container.name).filter(|status| !is_over(status))?;
        let (origin, digest) = digest(&status.image_id)?;
        Some((tag, origin, digest.to_owned()))
    });
    running.collect()
}

/// Whether it was to end, and has: what it ran is history, as in a finished pod.
fn is_over(status: &ContainerStatus) -> bool {
    status.kind == ContainerKind::Init && matches!(status.state, ContainerState::Terminated(_))
}

/// The name and tag of an image; none where it is given by digest alone, which nobody can move.
fn tag(image: &str) -> Option<String> {
    let (name, pinned) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    // A colon before the last `/` begins a registry's port.
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    match (has_tag, pinned) {
        (true, _) => Some(name.to_owned()),
        (false, true) => None,
        (false, false) => Some(format!("{name}:latest")),
    }
}

/// What runs, as the container runtime tells it: `web@sha256:…`, `docker-pullable://web@sha256:…`,
/// or `sha256:…` for an image that was loaded on the node. Nothing while nothing was pulled.
fn digest(image_id: &str) -> Option<(Origin, &str)> {
    match image_id.rsplit_once('@') {
        Some((_, digest)) => Some((Origin::Registry, digest)),
        None if image_id.is_empty() => None,
        None => Some((Origin::Node, image_id)),
    }
}

podlens_guest::export!(ImageDrift);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_can_move_and_a_digest_cannot() {
        for (image, expected) in [
            ("web", Some("web:latest")),
            ("web:1.2", Some("web:1.2")),
            ("registry.example:5000/web", Some("registry.example:5000/web:latest")),
            ("registry.example:5000/web:1.2", Some("registry.example:5000/web:1.2")),
            ("registry.example:5000/web:1.2@sha256:9f86", Some("registry.example:5000/web:1.2")),
            ("registry.example:5000/web@sha256:9f86", None),
        ] {
            assert_eq!(tag(image).as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn each_runtime_tells_a_digest_its_way() {
        for (image_id, expected) in [
            ("", None),
            ("sha256:9f86", Some((Origin::Node, "sha256:9f86"))),
            ("docker://sha256:9f86", Some((Origin::Node, "docker://sha256:9f86"))),
            ("docker.io/library/web@sha256:9f86", Some((Origin::Registry, "sha256:9f86"))),
            ("docker-pullable://web@sha256:9f86", Some((Origin::Registry, "sha256:9f86"))),
        ] {
            assert!(digest(image_id) == expected, "{image_id}");
        }
    }
}
