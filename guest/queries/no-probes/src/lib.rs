//! Containers without probes, and which are missing: Kubernetes takes them for ready and healthy for
//! as long as they run. Shows a boolean parameter, and which containers can have a probe at all.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, Container, ContainerKind, ListOptions},
    row, rows,
};

struct NoProbes;

/// Most characters of an image that are shown. Arbitrary; whoever creates a pod can give it more than a cell may hold,
/// and must not keep the others from being shown.
const MAX_IMAGE_CHARACTERS: usize = 1000;

impl Query for NoProbes {
    fn describe() -> Description {
        Description::new("No probes", "Containers without a liveness or readiness probe")
            .columns([
                Column::text("namespace", "The pod's namespace"),
                Column::text("name", "The pod's name"),
                Column::text("container", "The container's name"),
                Column::text("missing", "The probes it lacks: `liveness`, `readiness` or both"),
                Column::integer("missingCount", "How many of these probes it lacks").priority(1).metric(),
                Column::boolean("startup", "Whether it has a startup probe, which ends with the start").priority(1),
                Column::text("image", "The image as written in the pod").priority(1),
            ])
            .parameters([
                Parameter::text("probe", "Look for `liveness`, `readiness` or `any` of both").default("any"),
                Parameter::boolean("jobs", "Also pods that are to end, as those of Jobs").default(false),
            ])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let probe: String = arguments.get("probe")?;
        if !["any", "liveness", "readiness"].contains(&probe.as_str()) {
            let text = format!("`probe` is `{probe}`, expected `liveness`, `readiness` or `any`");
            return Err(Error::InvalidArgument(text));
        }
        let jobs: bool = arguments.get("jobs")?;
        let options = ListOptions::new().fields("status.phase!=Succeeded,status.phase!=Failed");
        for pod in pods::list(options)? {
            let pod = pod?;
            let spec = pod.spec();
            if is_to_end(&spec.restart_policy) && !jobs {
                continue;
            }
            for container in spec.containers.into_iter().filter(can_have_probes) {
                let missing = missing(&container, &probe);
                if !missing.is_empty() {
                    rows::emit(row![
                        pod.namespace(),
                        pod.name(),
                        container.name,
                        missing.join(","),
                        missing.len(),
                        container.startup_probe,
                        cut(container.image),
                    ])?;
                }
            }
        }
        Ok(())
    }
}

/// Whether its containers end for good. The policy is `Always` where none is given.
fn is_to_end(restart_policy: &str) -> bool {
    matches!(restart_policy, "OnFailure" | "Never")
}

/// The API accepts probes of no other container.
fn can_have_probes(container: &Container) -> bool {
    matches!(container.kind, ContainerKind::App | ContainerKind::Sidecar)
}

/// The probes that a container lacks, of those that were asked for.
fn missing(container: &Container, asked: &str) -> Vec<&'static str> {
    let probes = [("liveness", container.liveness_probe), ("readiness", container.readiness_probe)];
    let missing = probes.into_iter().filter(|(name, given)| !given && (asked == "any" || asked == *name));
    missing.map(|(name, _)| name).collect()
}

fn cut(image: String) -> String {
    match image.char_indices().nth(MAX_IMAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &image[..end]),
        None => image,
    }
}

podlens_guest::export!(NoProbes);
