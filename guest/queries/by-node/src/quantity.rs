//! Quantities of Kubernetes, exactly: `250m`, `64Mi`, `1e3`, `0.5`.
//!
//! Grammar, rounding and the largest one are those of `k8s.io/apimachinery/pkg/api/resource`.

use std::ops::Add;

/// In billionths, the finest that Kubernetes keeps. A sum that leaves the range stays at its end.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Quantity(i128);

const BILLION: i128 = 1_000_000_000;
/// Kubernetes reads what is above 2^63-1 as that.
const MAX: i128 = (i64::MAX as i128) * BILLION;

impl Quantity {
    /// Reads a quantity; finer than a billionth is rounded away from zero. Of more digits than a number of 128 bits
    /// has, none is read.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // Fails for no digit at all and for a second point.
        let digits: u128 = [whole, fraction].concat().parse().ok()?;
        let (factor, tens) = scale(suffix)?;
        let magnitude = digits.checked_mul(factor)?;

        let tens = i64::from(tens) + 9 - i64::try_from(fraction.len()).ok()?;
        let shift = 10_u128.saturating_pow(u32::try_from(tens.unsigned_abs()).ok()?);
        let billionths = if tens < 0 { magnitude.div_ceil(shift) } else { magnitude.saturating_mul(shift) };
        let billionths = i128::try_from(billionths).unwrap_or(MAX).min(MAX);
        Some(Self(if is_negative { -billionths } else { billionths }))
    }

    /// The nearest number.
    pub(crate) fn to_f64(self) -> f64 {
        self.0 as f64 / BILLION as f64
    }

    /// The next whole number that is not less.
    pub(crate) fn to_integer(self) -> i64 {
        let floor = self.0.div_euclid(BILLION);
        i64::try_from(floor + i128::from(self.0 > floor * BILLION)).unwrap_or(i64::MAX)
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// What a suffix stands for: a factor, and a power of ten.
fn scale(suffix: &str) -> Option<(u128, i32)> {
    Some(match suffix {
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "" => (1, 0),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        exponent => (1, exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        for (text, billionths) in [
            ("0", 0),
            ("1", BILLION),
            ("+1", BILLION),
            ("-1", -BILLION),
            ("1.", BILLION),
            (".5", BILLION / 2),
            ("007", 7 * BILLION),
            ("100n", 100),
            ("100u", 100_000),
            ("250m", 250_000_000),
            ("1k", 1000 * BILLION),
            ("1E", 1_000_000_000_000_000_000 * BILLION),
            ("1e3", 1000 * BILLION),
            ("1E3", 1000 * BILLION),
            ("1e+3", 1000 * BILLION),
            ("5e-1", BILLION / 2),
            ("0.1", BILLION / 10),
            ("64Mi", (64 << 20) * BILLION),
            ("1.5Gi", (3 << 29) * BILLION),
            ("0.1Ki", 102_400_000_000),
            ("7Ei", (7 << 60) * BILLION),
            // Rounded away from zero.
            ("0.1n", 1),
            ("-0.1n", -1),
            ("1e-30", 1),
            ("0e99", 0),
            // Too much.
            ("8Ei", MAX),
            ("-8Ei", -MAX),
            ("9223372036854775808", MAX),
            ("1e99", MAX),
            ("1e2000000000", MAX),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity(billionths)), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "Mi",
            "1.2.3",
            "1 Mi",
            " 1",
            "1MB",
            "1mi",
            "1Kii",
            "1e",
            "1e1.5",
            "--1",
            "0x1",
            "1_0",
            "١",
            &"9".repeat(40),
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sums_are_exact_and_end_at_the_range() {
        let sum = |texts: &[&str]| texts.iter().filter_map(|text| Quantity::parse(text)).fold(Quantity::default(), Add::add);
        assert_eq!(sum(&["100m"; 30]).to_f64(), 3.0);
        assert_eq!(sum(&["0.5", "1"]).to_integer(), 2);
        assert_eq!(sum(&["-1500m"]).to_integer(), -1);
        assert_eq!(sum(&["8Ei", "8Ei"]).to_integer(), i64::MAX);
    }
}
