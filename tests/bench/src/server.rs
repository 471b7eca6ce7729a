//! The API server as a process. The harness starts it below a process of its own, so that it is looked for.

use std::fs;

use crate::Result;
use crate::machine::Process;

/// The kube-apiserver that listens on this port of 127.0.0.1.
pub(crate) fn find(port: u16) -> Result<Process> {
    let flag = format!("--secure-port={port}");
    let processes = fs::read_dir("/proc").map_err(|error| format!("reading `/proc`: {error}"))?;
    let mut ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.find(|id: &u32| {
        // One that has just ended has none.
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        let program = words.next().is_some_and(|program| program.ends_with(b"kube-apiserver"));
        program && words.any(|word| word == flag.as_bytes())
    })
    .map(Process)
    .ok_or_else(|| format!("no process `kube-apiserver` with `{flag}`"))
}
