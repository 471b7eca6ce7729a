//! One flag for each limit, made from the table of limits, so that none is without a flag and no flag without a limit.

use clap::{Arg, ArgMatches, Command};

use crate::limits::{Limit, Limits, Unit};

/// The limits as typed.
#[derive(Debug, Default)]
pub(super) struct LimitArgs(pub(super) Limits);

impl clap::Args for LimitArgs {
    fn augment_args(command: Command) -> Command {
        let flags = Limit::ALL.iter().map(|limit| {
            let (name, unit) = (limit.name(), limit.unit());
            let default = unit.show(limit.default_value());
            Arg::new(name)
                .long(name)
                .value_name(match unit {
                    Unit::Count => "NUMBER",
                    Unit::Bytes => "QUANTITY",
                    Unit::Milliseconds => "DURATION",
                })
                .help(format!("Most {} [default: {default}]", limit.what()))
                .help_heading("Limits of the run")
                .value_parser(move |text: &str| parse(unit, text))
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for LimitArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for limit in Limit::ALL {
            if let Some(value) = matches.get_one::<u64>(limit.name()) {
                self.0 = self.0.clone().with(*limit, *value);
            }
        }
        Ok(())
    }
}

/// The value of a limit of this unit, or what is expected instead.
pub(super) fn parse(unit: Unit, text: &str) -> Result<u64, String> {
    let (value, expected) = match unit {
        Unit::Count => (text.parse().ok(), "a whole number above 0, such as 500"),
        Unit::Bytes => (parse_bytes(text), "a quantity of bytes above 0, such as 64Mi or 1Gi"),
        Unit::Milliseconds => (parse_milliseconds(text), "a duration above 0, such as 30s, 500ms or 5m"),
    };
    value.filter(|value| *value > 0).ok_or_else(|| format!("expected {expected}"))
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
            assert_eq!(parse(unit, text).ok(), value, "{text}");
        }
    }

    #[test]
    fn defaults_are_shown_as_they_can_be_typed() {
        for limit in Limit::ALL {
            let shown = limit.unit().show(limit.default_value()).to_string();
            assert_eq!(parse(limit.unit(), &shown), Ok(limit.default_value()), "{shown}");
        }
    }
}
