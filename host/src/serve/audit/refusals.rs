//! How many refusals are written. Anybody can cause one, so an unbounded number would fill the disk; those that are left out are counted,
//! and the next line that is written tells how many.

use jiff::Timestamp;

use super::event::Refused;

/// Refusals written in each second, of those whose tenant is known and again of the others, so that who is nobody cannot hide what a tenant
/// is refused. Arbitrary; some 700 bytes each, so at most 600 MB a day in all.
const PER_SECOND: u32 = 5;

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Of those whose tenant is not known, and of those whose is.
    seconds: [Second; 2],
    left_out: u64,
}

#[derive(Debug, Default)]
struct Second {
    second: i64,
    written: u32,
}

impl Refusals {
    /// Whether to write one more.
    pub(super) fn admit(&mut self, refused: &Refused, now: Timestamp) -> bool {
        let second = &mut self.seconds[usize::from(refused.tenant.is_some())];
        // Who is late by a moment does not begin the second before anew; a clock that is set back does.
        let is_late = (1..60).contains(&(second.second - now.as_second()));
        if second.second != now.as_second() && !is_late {
            *second = Second { second: now.as_second(), written: 0 };
        }
        let fits = second.written < PER_SECOND;
        if fits {
            second.written += 1;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        fits
    }

    /// How many are not in the log, and were not told of yet.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// They were told of.
    pub(super) fn told(&mut self) {
        self.left_out = 0;
    }
}
