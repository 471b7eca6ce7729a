//! The vocabulary of the table: workloads, their containers, and how each of their pods is.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    /// A pod that somebody made by hand.
    None,
}

/// How one pod is. Durations are in seconds before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Healthy,
    /// Runs, after its first container ended with an error.
    Restarted {
        restarts: i32,
        ago: i64,
    },
    /// Its first container is killed for memory again and again.
    CrashLooping {
        restarts: i32,
    },
    /// Runs, but its readiness probe fails.
    NotReady {
        since: i64,
    },
    /// Its image is not in the registry.
    ImageMissing,
    /// No node has room for it.
    Unschedulable,
    /// Its node ran out of memory.
    Evicted,
    /// Asked to end, and still there.
    Terminating {
        since: i64,
    },
    Completed,
    Failed,
}

/// Pods of one template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workload {
    pub(super) owner: Owner,
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) team: &'static str,
    /// Seconds since its pods were created.
    pub(super) age: i64,
    /// One for each pod.
    pub(super) pods: &'static [Health],
    pub(super) containers: &'static [Container],
    pub(super) sidecar: Option<Container>,
    pub(super) service_account: &'static str,
    pub(super) priority: Option<(&'static str, i32)>,
    pub(super) host_network: bool,
    pub(super) host_pid: bool,
    pub(super) host_paths: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Container {
    pub(super) name: &'static str,
    /// With its tag.
    pub(super) image: &'static str,
    /// Whether the image's digest is given too.
    pub(super) pinned: bool,
    pub(super) resources: Resources,
    /// Whether it has a liveness and a readiness probe.
    pub(super) probed: bool,
    pub(super) privileged: bool,
}

/// Request and limit of each; empty for none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resources {
    pub(super) cpu: (&'static str, &'static str),
    pub(super) memory: (&'static str, &'static str),
}

impl Resources {
    pub(super) const fn new(cpu: (&'static str, &'static str), memory: (&'static str, &'static str)) -> Self {
        Self { cpu, memory }
    }
}

macro_rules! owners {
    ($($name:ident = $owner:ident),*) => {$(
        pub(super) const fn $name(
            namespace: &'static str,
            name: &'static str,
            team: &'static str,
            age: i64,
            pods: &'static [Health],
        ) -> Workload {
            Workload::new(Owner::$owner, namespace, name, team, age, pods)
        }
    )*};
}

owners!(deployment = Deployment, stateful_set = StatefulSet, daemon_set = DaemonSet, job = Job, bare = None);

impl Workload {
    const fn new(
        owner: Owner,
        namespace: &'static str,
        name: &'static str,
        team: &'static str,
        age: i64,
        pods: &'static [Health],
    ) -> Self {
        Self {
            owner,
            namespace,
            name,
            team,
            age,
            pods,
            containers: &[],
            sidecar: None,
            service_account: "default",
            priority: None,
            host_network: false,
            host_pid: false,
            host_paths: &[],
        }
    }

    pub(super) const fn runs(self, containers: &'static [Container]) -> Self {
        Self { containers, ..self }
    }

    /// An init container that keeps running.
    pub(super) const fn sidecar(self, container: Container) -> Self {
        Self { sidecar: Some(container), ..self }
    }

    pub(super) const fn service_account(self, service_account: &'static str) -> Self {
        Self { service_account, ..self }
    }

    pub(super) const fn priority(self, class: &'static str, value: i32) -> Self {
        Self { priority: Some((class, value)), ..self }
    }

    pub(super) const fn host_network(self) -> Self {
        Self { host_network: true, ..self }
    }

    pub(super) const fn host_pid(self) -> Self {
        Self { host_pid: true, ..self }
    }

    pub(super) const fn host_paths(self, host_paths: &'static [&'static str]) -> Self {
        Self { host_paths, ..self }
    }
}

pub(super) const fn container(name: &'static str, image: &'static str, resources: Resources) -> Container {
    Container { name, image, pinned: false, resources, probed: false, privileged: false }
}

impl Container {
    pub(super) const fn pinned(self) -> Self {
        Self { pinned: true, ..self }
    }

    pub(super) const fn probed(self) -> Self {
        Self { probed: true, ..self }
    }

    pub(super) const fn privileged(self) -> Self {
        Self { privileged: true, ..self }
    }
}

pub(super) const fn minutes(count: i64) -> i64 {
    count * 60
}

pub(super) const fn hours(count: i64) -> i64 {
    minutes(count * 60)
}

pub(super) const fn days(count: i64) -> i64 {
    hours(count * 24)
}
