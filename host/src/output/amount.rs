//! Quantities as people read them, rounded down to tenths of their unit: `2,000,000`, `1.1 MiB`, `30 s`.

/// A size: `812 B`, `128 MiB`, `22.1 KiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{} {name}", in_tenths(bytes, unit)),
        None => format!("{bytes} B"),
    }
}

/// A time: `2 ms`, `1.5 s`.
pub(crate) fn milliseconds(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds} ms");
    }
    format!("{} s", in_tenths(milliseconds, 1000))
}

/// A number: `2,000,000`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Without tenths where there are none: limits are whole, as a rule.
fn in_tenths(value: u64, unit: u64) -> String {
    match (value / unit, value % unit * 10 / unit) {
        (whole, 0) => whole.to_string(),
        (whole, tenths) => format!("{whole}.{tenths}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_as_people_read_them() {
        for (value, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (2_000_000, "2,000,000")] {
            assert_eq!(count(value), expected);
        }
        for (value, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1535, "1.4 KiB"),
            (22_715, "22.1 KiB"),
            (3 << 19, "1.5 MiB"),
            (128 << 20, "128 MiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(bytes(value), expected);
        }
        for (value, expected) in [(2, "2 ms"), (1500, "1.5 s"), (30_000, "30 s")] {
            assert_eq!(milliseconds(value), expected);
        }
    }
}
