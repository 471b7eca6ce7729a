//! Time that has passed, as kubectl shows it.

use std::fmt;

use jiff::SignedDuration;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Without leap days, as kubectl counts.
const YEAR: i64 = 365 * DAY;

/// A span of time with two or three significant digits, such as `5d3h`.
///
/// The thresholds are those of `HumanDuration` in `pkg/util/duration/duration.go` of k8s.io/apimachinery v0.37.2, so that a
/// column of ages reads like the AGE of `kubectl get`. Two clocks may differ: up to two seconds (excluded) in the future
/// count as now, more is `<invalid>`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age(pub(super) SignedDuration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounds towards zero: one second and a half in the future is -1.
        let seconds = self.0.as_secs();
        match seconds {
            ..=-2 => f.write_str("<invalid>"),
            -1 => f.write_str("0s"),
            0..120 => write!(f, "{seconds}s"),
            120..600 => two_units(f, seconds, (MINUTE, 'm'), (1, 's')),
            600..10_800 => write!(f, "{}m", seconds / MINUTE),
            10_800..28_800 => two_units(f, seconds, (HOUR, 'h'), (MINUTE, 'm')),
            28_800..172_800 => write!(f, "{}h", seconds / HOUR),
            172_800..691_200 => two_units(f, seconds, (DAY, 'd'), (HOUR, 'h')),
            691_200..63_072_000 => write!(f, "{}d", seconds / DAY),
            63_072_000..252_288_000 => two_units(f, seconds, (YEAR, 'y'), (DAY, 'd')),
            252_288_000.. => write!(f, "{}y", seconds / YEAR),
        }
    }
}

/// Writes the count of the large unit, and what remains in the small one unless that is nothing.
fn two_units(f: &mut fmt::Formatter<'_>, seconds: i64, large: (i64, char), small: (i64, char)) -> fmt::Result {
    write!(f, "{}{}", seconds / large.0, large.1)?;
    match seconds % large.0 / small.0 {
        0 => Ok(()),
        count => write!(f, "{count}{}", small.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEARS: i64 = YEAR;

    #[test]
    fn ages_are_those_of_kubectl() {
        // Each line of thresholds: the last age of one form, the first of the next, and one between two of its values.
        let cases = [
            (i64::MIN, "<invalid>"),
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (1, "1s"),
            (70, "70s"),
            (2 * MINUTE - 1, "119s"),
            (2 * MINUTE, "2m"),
            (2 * MINUTE + 1, "2m1s"),
            (3 * MINUTE + 10, "3m10s"),
            (10 * MINUTE - 1, "9m59s"),
            (10 * MINUTE, "10m"),
            (10 * MINUTE + 1, "10m"),
            (70 * MINUTE, "70m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 59, "3h"),
            (3 * HOUR + MINUTE, "3h1m"),
            (8 * HOUR - 1, "7h59m"),
            (8 * HOUR, "8h"),
            (9 * HOUR - 1, "8h"),
            (47 * HOUR, "47h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR - 1, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (5 * DAY + 3 * HOUR, "5d3h"),
            (8 * DAY - 1, "7d23h"),
            (8 * DAY, "8d"),
            (9 * DAY - 1, "8d"),
            (367 * DAY, "367d"),
            (2 * YEARS - 1, "729d"),
            (2 * YEARS, "2y"),
            (2 * YEARS + DAY - 1, "2y"),
            (2 * YEARS + DAY, "2y1d"),
            (3 * YEARS, "3y"),
            (7 * YEARS, "7y"),
            (8 * YEARS - 1, "7y364d"),
            (8 * YEARS, "8y"),
            (9 * YEARS - 1, "8y"),
            (9 * YEARS, "9y"),
            (2_000 * YEARS, "2000y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(Age(SignedDuration::from_secs(seconds)).to_string(), expected, "{seconds} s");
        }
    }

    #[test]
    fn parts_of_a_second_round_towards_now() {
        let cases = [
            (SignedDuration::new(-2, 0), "<invalid>"),
            (SignedDuration::new(-1, -999_999_999), "0s"),
            (SignedDuration::from_millis(-1), "0s"),
            (SignedDuration::from_millis(999), "0s"),
            (SignedDuration::from_millis(119_999), "119s"),
            (SignedDuration::from_millis(YEAR * 8 * 1000 - 1), "7y364d"),
        ];
        for (elapsed, expected) in cases {
            assert_eq!(Age(elapsed).to_string(), expected, "{elapsed:?}");
        }
    }
}
