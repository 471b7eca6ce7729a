//! Values of limits as people write them: on the command line, in test cases and in policies.

use super::Unit;

impl Unit {
    /// The value that a text stands for, or what is expected instead. None is 0.
    pub(crate) fn parse(self, text: &str) -> Result<u64, String> {
        let (value, expected) = match self {
            Self::Count => (text.parse().ok(), "a whole number above 0, such as 500"),
            Self::Bytes => (parse_bytes(text), "a quantity of bytes above 0, such as 64Mi or 1Gi"),
            Self::Milliseconds => (parse_milliseconds(text), "a duration above 0, such as 30s, 500ms or 5m"),
        };
        value.filter(|value| *value > 0).ok_or_else(|| format!("expected {expected}"))
    }
}

/// A whole Kubernetes quantity: binary suffixes `Ki` to `Ti`, decimal ones `k` to `T`, or none.
fn parse_bytes(text: &str) -> Option<u64> {
    const SUFFIXES: [(&str, u64); 8] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
    ];
    let (digits, factor) = SUFFIXES
        .into_iter()
        .find_map(|(suffix, factor)| text.strip_suffix(suffix).map(|digits| (digits, factor)))
        .unwrap_or((text, 1));
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A duration as Go writes it, such as `1m30s`; a unit is needed.
fn parse_milliseconds(text: &str) -> Option<u64> {
    let duration: jiff::SignedDuration = text.parse().ok()?;
    u64::try_from(duration.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Limit;
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        for (unit, text, value) in [
            (Unit::Count, "500", Some(500)),
            (Unit::Count, "0", None),
            (Unit::Count, "-1", None),
            (Unit::Count, "5k", None),
            (Unit::Bytes, "64Mi", Some(64 << 20)),
            (Unit::Bytes, "1000", Some(1000)),
            (Unit::Bytes, "2G", Some(2_000_000_000)),
            (Unit::Bytes, "64MB", None),
            (Unit::Bytes, "Mi", None),
            (Unit::Bytes, "99999999999Ti", None),
            (Unit::Milliseconds, "30s", Some(30_000)),
            (Unit::Milliseconds, "500ms", Some(500)),
            (Unit::Milliseconds, "1m30s", Some(90_000)),
            (Unit::Milliseconds, "0s", None),
            (Unit::Milliseconds, "30", None),
            (Unit::Milliseconds, "-5s", None),
        ] {
            assert_eq!(unit.parse(text).ok(), value, "{text}");
        }
    }

    #[test]
    fn defaults_are_shown_as_they_can_be_typed() {
        for limit in Limit::ALL {
            let shown = limit.unit().show(limit.default_value()).to_string();
            assert_eq!(limit.unit().parse(&shown), Ok(limit.default_value()), "{shown}");
        }
    }
}
