//! What each node carries: pods, restarts, and what its pods ask for. Shows sums of quantities, which
//! `quantity.rs` reads.
//!
//! What a whole pod asks for (`spec.resources`), what its RuntimeClass adds (`spec.overhead`), and what a
//! resize in place has not given back yet, is not in the contract, and so not in the sums.

mod quantity;
mod requests;

use std::collections::BTreeMap;

use podlens_guest::{
    Arguments, Column, Description, Error, Query,
    pods::{self, ListOptions, Pod},
    row, rows,
};

use quantity::Quantity;

struct ByNode;

impl Query for ByNode {
    fn describe() -> Description {
        Description::new("By node", "What each node carries: pods, restarts, requests").columns([
            Column::text("node", "The node; nothing for pods that wait for one"),
            Column::integer("pods", "Its pods that have not ended").metric(),
            Column::integer("notReady", "Those of them that are not ready and not being deleted").metric(),
            Column::integer("terminating", "Those of them that are being deleted").metric(),
            Column::integer("restarts", "How often their containers were restarted").metric(),
            Column::number(
                "cpuRequestCores",
                "The processors that their containers ask for; without pod-level resources, overhead and resizes in place",
            )
            .metric(),
            Column::integer(
                "memoryRequestBytes",
                "The memory that their containers ask for; without pod-level resources, overhead and resizes in place",
            )
            .metric(),
        ])
    }

    fn run(_: Arguments) -> Result<(), Error> {
        let mut nodes: BTreeMap<Option<String>, Load> = BTreeMap::new();
        // As the scheduler: what has ended holds no place any more.
        let options = ListOptions::new().fields("status.phase!=Succeeded,status.phase!=Failed");
        for pod in pods::list(options)? {
            let pod = pod?;
            let spec = pod.spec();
            let cpu = requests::of_pod(&spec.containers, "cpu").map_err(|error| of_pod(&pod, &error))?;
            let memory = requests::of_pod(&spec.containers, "memory").map_err(|error| of_pod(&pod, &error))?;
            let load = nodes.entry(spec.node).or_default();
            load.cpu = load.cpu + cpu;
            load.memory = load.memory + memory;
            load.count(&pod);
        }

        // By name, but for what waits: it comes last.
        let waiting = nodes.remove(&None).map(|load| (None, load));
        for (node, load) in nodes.into_iter().chain(waiting) {
            let Load { pods, not_ready, terminating, restarts, cpu, memory } = load;
            rows::emit(row![node, pods, not_ready, terminating, restarts, cpu.to_f64(), memory.to_integer()])?;
        }
        Ok(())
    }
}

fn of_pod(pod: &Pod, error: &str) -> Error {
    Error::Other(format!("pod `{}/{}`: {error}", pod.namespace(), pod.name()))
}

/// What one node carries.
#[derive(Default)]
struct Load {
    pods: u32,
    not_ready: u32,
    terminating: u32,
    restarts: i64,
    cpu: Quantity,
    memory: Quantity,
}

impl Load {
    fn count(&mut self, pod: &Pod) {
        let health = pod.health();
        self.pods += 1;
        self.not_ready += u32::from(!health.ready && !health.terminating);
        self.terminating += u32::from(health.terminating);
        self.restarts += health.containers.iter().map(|container| i64::from(container.restarts)).sum::<i64>();
    }
}

podlens_guest::export!(ByNode);
