//! Lists pods as a Rust program does that cares about memory: kube-rs in pages, each dropped when its lines are printed.
//!
//!     kube-rs names|restarts [NAMESPACE]

use std::io::{BufWriter, Write};
use std::{env, io};

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};

/// Pods of one page, as every competitor asks for.
const PAGE_SIZE: u32 = 500;

type Print = fn(&mut dyn Write, &Pod) -> io::Result<()>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let print: Print = match arguments.next().as_deref() {
        Some("names") => print_name,
        Some("restarts") => print_restarts,
        task => return Err(format!("the task is {task:?}; it can be `names` or `restarts`").into()),
    };
    let client = Client::try_default().await?;
    let pods: Api<Pod> = match arguments.next() {
        Some(namespace) => Api::namespaced(client, &namespace),
        None => Api::all(client),
    };

    let mut out = BufWriter::new(io::stdout().lock());
    let mut parameters = ListParams::default().limit(PAGE_SIZE);
    loop {
        let page = pods.list(&parameters).await?;
        for pod in &page.items {
            print(&mut out, pod)?;
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => break,
        }
    }
    Ok(out.flush()?)
}

fn print_name(out: &mut dyn Write, pod: &Pod) -> io::Result<()> {
    let (namespace, name) = names(pod);
    writeln!(out, "{namespace} {name}")
}

fn print_restarts(out: &mut dyn Write, pod: &Pod) -> io::Result<()> {
    let (namespace, name) = names(pod);
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    for container in containers.into_iter().flatten().filter(|container| container.restart_count > 0) {
        writeln!(out, "{namespace} {name} {} {}", container.name, container.restart_count)?;
    }
    Ok(())
}

fn names(pod: &Pod) -> (&str, &str) {
    (pod.metadata.namespace.as_deref().unwrap_or_default(), pod.metadata.name.as_deref().unwrap_or_default())
}
