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
                .value_parser(move |text: &str| unit.parse(text))
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
