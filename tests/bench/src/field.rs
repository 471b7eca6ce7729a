//! The field that a size is run on: an API server of its own, filled with pods. One with more pods is slower, so that none is shared.

use podlens_tests::cluster::{Cluster, Options, realistic_pod};

use crate::answers::Expected;
use crate::machine::{self, Process};
use crate::{Result, server};

/// Pods of one page. Everybody pages by 500, which is also kubectl's and the pager's own default.
pub(crate) const PAGE_SIZE: usize = 500;

/// From how many pods on they are spread over several namespaces, and everybody asks for all; below there is one, which is asked for.
const SPREAD_FROM: usize = 1_000;

/// How many namespaces those are.
const NAMESPACES: usize = 10;

/// An API server with so many pods.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) cluster: Cluster,
    pub(crate) pods: usize,
    /// The one that is asked for; `None` for all.
    pub(crate) namespace: Option<String>,
    /// One without pods, to warm up on.
    pub(crate) empty: String,
    pub(crate) expected: Expected,
    server: Process,
}

impl Field {
    pub(crate) fn new(pods: usize) -> Result<Self> {
        let cluster = Cluster::start(&Options::default());
        let count = if pods < SPREAD_FROM { 1 } else { NAMESPACES };
        if !pods.is_multiple_of(count) {
            return Err(format!("`--pods {pods}` does not spread over {count} namespaces; use a multiple of {count}"));
        }
        let namespaces: Vec<_> = (0..count).map(|_| cluster.namespace("shop").name().to_owned()).collect();
        for namespace in &namespaces {
            cluster.create_pods(namespace, pods / count, realistic_pod);
        }
        let expected = Expected::new(&namespaces, pods / count);
        let empty = cluster.namespace("empty").name().to_owned();
        let server = server::find(cluster.address().port())?;
        let namespace = if count == 1 { namespaces.into_iter().next() } else { None };
        Ok(Self { cluster, pods, namespace, empty, expected, server })
    }

    /// Which Kubernetes it is, such as `v1.37.2`.
    pub(crate) fn version(&self) -> String {
        self.cluster.get("/version")["gitVersion"].as_str().unwrap_or_default().to_owned()
    }

    /// CPU seconds that the API server used so far.
    pub(crate) fn server_cpu_seconds(&self) -> Result<f64> {
        machine::cpu_seconds(self.server)
    }
}
