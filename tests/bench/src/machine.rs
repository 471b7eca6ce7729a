//! What is known of the machine: its processors, how busy it is, and what a process used so far. All of it is Linux's `/proc`.

use std::fs;
use std::thread;

use nix::unistd::{SysconfVar, sysconf};

use crate::Result;
use crate::results::Machine;

/// A process by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// This machine, as it is now.
pub(crate) fn look() -> Result<Machine> {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|it| it.split(' ').next()?.parse::<u64>().ok());
    Ok(Machine {
        processor,
        processors: thread::available_parallelism().map_or(1, Into::into),
        memory_mib: memory.unwrap_or_default() >> 10,
        load_before: load()?,
    })
}

/// How many processes wanted a processor in the last minute, on average.
fn load() -> Result<f64> {
    let text = read("/proc/loadavg")?;
    let first = text.split(' ').next().and_then(|it| it.parse().ok());
    first.ok_or_else(|| format!("`/proc/loadavg` is {text:?}"))
}

/// CPU seconds that a process used so far, in all its threads, as exact as the kernel's clock tick: a hundredth of a second.
pub(crate) fn cpu_seconds(process: Process) -> Result<f64> {
    let path = format!("/proc/{}/stat", process.0);
    let text = read(&path)?;
    // Field 2 is the program's name in parentheses, which may have anything in it; 14 and 15 are user and system time (proc_pid_stat(5)).
    let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    let ticks: Option<u64> = fields.and_then(|fields| fields.map(|it| it.parse::<u64>().ok()).sum());
    let ticks = ticks.ok_or_else(|| format!("`{path}` is {text:?}"))?;
    let tick = sysconf(SysconfVar::CLK_TCK).ok().flatten().ok_or("the system does not tell its clock tick")?;
    Ok(as_f64(ticks) / as_f64(tick.unsigned_abs()))
}

/// A number that is far below 2⁵³: of pods, ticks, bytes.
#[expect(clippy::cast_precision_loss, reason = "it is far below 2⁵³")]
pub(crate) fn as_f64(number: u64) -> f64 {
    number as f64
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = read(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("reading `{path}`: {error}"))
}
