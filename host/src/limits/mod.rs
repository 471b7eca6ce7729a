//! What one run may use, and what it has used. One budget covers the guest's work and the host's work for it.
//!
//! [`Limits`] is what the operator sets; [`Budget`] is shared by all that works for one run, and every charge goes through
//! [`Budget::charge`]. A limit that nothing charges does not exist here. `runtime` reads the clock and the memory,
//! `imports` charges calls, pods and rows.

mod budget;
#[cfg(feature = "cli")]
mod parse;

use std::fmt;
use std::time::Duration;

pub(crate) use budget::{Budget, Charge, LimitReached};

macro_rules! limits {
    ($($(#[$doc:meta])* $variant:ident { flag: $flag:literal, what: $what:literal, unit: $unit:ident, default: $default:expr, },)*) => {
        /// One limit of a run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Limit {
            $($(#[$doc])* $variant,)*
        }

        impl Limit {
            /// All limits, in the order in which help and reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, which is also the flag of the command line without its dashes.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $flag,)* }
            }

            /// What it counts, in words.
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// The unit of its value.
            pub fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// The value where the operator sets none.
            pub const fn default_value(self) -> u64 {
                match self { $(Self::$variant => $default,)* }
            }
        }
    };
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

limits! {
    /// Wall time from the start of the run to its end, waiting included. It also cuts a blocked call of the host.
    /// Default 2 minutes: a list of 100,000 pods takes about 10 seconds.
    WallTime { flag: "timeout", what: "wall time", unit: Milliseconds, default: 120_000, },
    /// Processor time of the guest and of the host's work inside its calls; waiting is not charged. Checked every 10 ms.
    /// Default 30 seconds.
    CpuTime { flag: "cpu-limit", what: "processor time", unit: Milliseconds, default: 30_000, },
    /// All linear memories and tables of the guest together, and the pods that were read for it and that it has not dropped.
    /// Default 256 MiB: what a component
    /// with a JavaScript or Python runtime in it needs.
    Memory { flag: "memory-limit", what: "memory", unit: Bytes, default: 256 * MIB, },
    /// Calls of the guest to the host. Default 20 million: some ten for each of a million pods.
    HostCalls { flag: "max-host-calls", what: "host calls", unit: Count, default: 20_000_000, },
    /// Pages of lists, and gets. Default 10,000.
    Requests { flag: "max-requests", what: "requests for pods", unit: Count, default: 10_000, },
    /// Pods that were read. Default one million.
    Pods { flag: "max-pods", what: "pods", unit: Count, default: 1_000_000, },
    /// Bytes of the answers that the pods came in. Default 16 GiB: a million pods of the size met in practice.
    ResponseBytes { flag: "max-response-bytes", what: "bytes of answers", unit: Bytes, default: 16 * GIB, },
    /// Rows that the query emits. Default one million.
    Rows { flag: "max-rows", what: "rows", unit: Count, default: 1_000_000, },
    /// Bytes of the emitted rows. Default 64 MiB.
    OutputBytes { flag: "max-output-bytes", what: "bytes of rows", unit: Bytes, default: 64 * MIB, },
    /// Bytes of the guest's standard output and error that are kept. More is dropped, with one line that says so; the run goes on.
    /// Default 64 KiB.
    LogBytes { flag: "max-log-bytes", what: "bytes of log", unit: Bytes, default: 64 << 10, },
}

/// The unit of a limit's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// The value with its unit, as the command line accepts it: `500`, `64Mi`, `30s`.
    pub fn show(self, value: u64) -> impl fmt::Display {
        struct Shown(Unit, u64);

        impl fmt::Display for Shown {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const SUFFIXES: [(&str, u64); 3] = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
                match (self.0, self.1) {
                    (Unit::Bytes, value) => match SUFFIXES.into_iter().find(|(_, size)| value >= *size && value % size == 0) {
                        Some((suffix, size)) => write!(f, "{}{suffix}", value / size),
                        None => write!(f, "{value}"),
                    },
                    (Unit::Milliseconds, value) if value >= 1000 && value % 1000 == 0 => write!(f, "{}s", value / 1000),
                    (Unit::Milliseconds, value) => write!(f, "{value}ms"),
                    (Unit::Count, value) => write!(f, "{value}"),
                }
            }
        }

        Shown(self, value)
    }
}

/// The limits of one run. Each has a default; none can be switched off, though any can be set as high as its unit allows.
///
/// ```
/// use podlens::{Limit, Limits};
/// let limits = Limits::default().with(Limit::Memory, 64 << 20).with(Limit::Rows, 500);
/// assert_eq!(limits.get(Limit::Rows), 500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    values: [u64; Limit::ALL.len()],
}

impl Default for Limits {
    fn default() -> Self {
        let mut values = [0; Limit::ALL.len()];
        for limit in Limit::ALL {
            values[*limit as usize] = limit.default_value();
        }
        Self { values }
    }
}

impl Limits {
    /// These limits with one of them set, in its [`Limit::unit`].
    #[must_use]
    pub fn with(mut self, limit: Limit, value: u64) -> Self {
        self.values[limit as usize] = value;
        self
    }

    /// The value of a limit, in its [`Limit::unit`].
    pub fn get(&self, limit: Limit) -> u64 {
        self.values[limit as usize]
    }

    /// The value of a limit of time.
    pub(crate) fn duration(&self, limit: Limit) -> Duration {
        debug_assert_eq!(limit.unit(), Unit::Milliseconds);
        Duration::from_millis(self.get(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_show_as_the_command_line_accepts_them() {
        for (unit, value, shown) in [
            (Unit::Bytes, 0, "0"),
            (Unit::Bytes, 1000, "1000"),
            (Unit::Bytes, 64 << 10, "64Ki"),
            (Unit::Bytes, 256 << 20, "256Mi"),
            (Unit::Bytes, 3 << 30, "3Gi"),
            (Unit::Milliseconds, 30_000, "30s"),
            (Unit::Milliseconds, 1500, "1500ms"),
            (Unit::Count, 500, "500"),
        ] {
            assert_eq!(unit.show(value).to_string(), shown);
        }
    }
}
