//! Pods and containers that reach into their node: a row for what a pod has, and one for each of its
//! privileged containers. Shows a cell without a value, and a text that others choose the length of.

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, ListOptions, Spec},
    row, rows,
};

struct HostAccess;

const KINDS: [&str; 5] = ["hostNetwork", "hostPID", "hostIPC", "hostPath", "privileged"];
/// Most characters of the paths of one pod that are shown. Arbitrary; whoever creates a pod can give it
/// more than a cell may hold, and must not keep the others from being shown.
const MAX_PATHS_CHARACTERS: usize = 1000;

impl Query for HostAccess {
    fn describe() -> Description {
        Description::new("Host access", "Pods and containers that reach into their node, and how")
            .columns([
                Column::text("namespace", "The pod's namespace"),
                Column::text("name", "The pod's name"),
                Column::text("container", "The container that has it; nothing for what the whole pod has"),
                Column::text("access", "What it has, such as `hostNetwork` or `privileged`"),
                Column::text("hostPaths", "The node's paths that it mounts"),
                Column::integer("accessCount", "How many kinds of access it has").priority(1).metric(),
                Column::text("serviceAccount", "The service account it runs as").priority(1),
                Column::text("node", "The node it is on").priority(1),
            ])
            .parameters([Parameter::text("access", format!("Only what has this: {}", KINDS.join(", ")))])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let only: Option<String> = arguments.get("access")?;
        if let Some(only) = only.as_deref().filter(|only| !KINDS.contains(only)) {
            return Err(Error::InvalidArgument(format!("`access` is `{only}`, expected one of {}", KINDS.join(", "))));
        }
        let is_wanted = |access: &[&str]| only.as_deref().map_or(!access.is_empty(), |only| access.contains(&only));

        // What has ended reaches nothing any more.
        let options = ListOptions::new().fields("status.phase!=Succeeded,status.phase!=Failed");
        for pod in pods::list(options)? {
            let pod = pod?;
            let spec = pod.spec();
            let emit = |container: Option<&str>, access: &[&str], paths: Option<String>| {
                let account = Some(&spec.service_account).filter(|account| !account.is_empty());
                let (count, access, node) = (access.len(), access.join(","), spec.node.as_ref());
                rows::emit(row![pod.namespace(), pod.name(), container, access, paths, count, account, node])
            };
            let access = of_pod(&spec);
            if is_wanted(&access) {
                emit(None, &access, paths(&spec))?;
            }
            if is_wanted(&["privileged"]) {
                for container in spec.containers.iter().filter(|it| it.privileged) {
                    emit(Some(&container.name), &["privileged"], None)?;
                }
            }
        }
        Ok(())
    }
}

/// What all containers of a pod have.
fn of_pod(spec: &Spec) -> Vec<&'static str> {
    let has = [spec.host_network, spec.host_pid, spec.host_ipc, !spec.host_paths.is_empty()];
    KINDS.into_iter().zip(has).filter_map(|(kind, has)| has.then_some(kind)).collect()
}

/// The paths, without those that are named twice, in order.
fn paths(spec: &Spec) -> Option<String> {
    let mut paths = spec.host_paths.clone();
    paths.sort();
    paths.dedup();
    let all = paths.join(",");
    let cut = all.char_indices().nth(MAX_PATHS_CHARACTERS).map(|(end, _)| format!("{}…", &all[..end]));
    Some(cut.unwrap_or(all)).filter(|paths| !paths.is_empty())
}

podlens_guest::export!(HostAccess);
