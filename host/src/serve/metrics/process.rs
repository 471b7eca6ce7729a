//! What the system tells of this process, read with each scrape. Where it tells nothing, as outside of Linux, the metric is left out.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::time::{ClockId, clock_gettime};

/// The metrics that Prometheus' own client libraries have for every process.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(bytes) = resident_memory_bytes() {
            encode(&mut encoder, "process_resident_memory_bytes", "Memory of the process", &ConstGauge::new(bytes))?;
        }
        encode(&mut encoder, "process_cpu_seconds", "Processor time of the process", &ConstCounter::new(cpu_seconds()))?;
        if let Some(count) = open_fds() {
            encode(&mut encoder, "process_open_fds", "File descriptors of the process", &ConstGauge::new(count))?;
        }
        Ok(())
    }
}

fn encode(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), fmt::Error> {
    // The registry ends a help with a full stop; a collector does it itself.
    metric.encode(encoder.encode_descriptor(name, &format!("{help}."), None, metric.metric_type())?)
}

/// proc_pid_status(5).
fn resident_memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // Exact to a millisecond for 100,000 years.
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn open_fds() -> Option<u64> {
    // The one that reads is among them.
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(open.saturating_sub(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_is_measured() {
        assert!(resident_memory_bytes().unwrap() > 1 << 20);
        let before = open_fds().unwrap();
        let files: Vec<_> = (0..10).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        // Other tests open and close files meanwhile.
        assert!(open_fds().unwrap() + 5 > before + 10);
        drop(files);
        let before = cpu_seconds();
        assert!((0.0..1e6).contains(&before) && cpu_seconds() >= before);
    }
}
