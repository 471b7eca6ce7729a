//! podlens as a plugin of kubectl: started as `kubectl-podlens`, it is `kubectl podlens` to whoever reads its help.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::args::Args;
use super::completions::kubectl;

/// How kubectl names the program of a plugin `podlens`, and how it is then typed.
const PROGRAM: &str = "kubectl-podlens";
const TYPED: &str = "kubectl podlens";

/// What the program was started for.
pub(super) enum Started {
    /// For what is typed.
    ToRun(Box<Args>),
    /// To complete these words.
    ToComplete(Vec<OsString>),
}

/// Looks at how the program was started, and parses the command line.
pub(super) fn started() -> Result<Started, clap::Error> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_stem().unwrap_or_default();
    if program == kubectl::PROGRAM {
        return Ok(Started::ToComplete(arguments.collect()));
    }
    let command = if program == PROGRAM { as_plugin(Args::command().bin_name(TYPED)) } else { Args::command() };
    let matches = command.try_get_matches()?;
    Args::from_arg_matches(&matches).map(Box::new).map(Started::ToRun)
}

/// The command line with its examples as they are typed with kubectl.
fn as_plugin(mut command: Command) -> Command {
    let typed = |help: &StyledStr| {
        help.to_string().replace("  podlens ", &format!("  {TYPED} ")).replace("`podlens ", &format!("`{TYPED} "))
    };
    if let Some(help) = command.get_before_help().map(typed) {
        command = command.before_help(help);
    }
    if let Some(help) = command.get_after_help().map(typed) {
        command = command.after_help(help);
    }
    let names: Vec<_> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, as_plugin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_as_typed_with_kubectl() {
        let mut command = as_plugin(Args::command().bin_name(TYPED));
        let help = command.try_get_matches_from_mut(["kubectl-podlens", "rbac", "--help"]).unwrap_err().to_string();
        assert!(help.contains("Usage: kubectl podlens rbac "), "{help}");
        assert!(help.contains("\n  kubectl podlens rbac restarts -n shop"), "{help}");
        assert!(!help.contains("  podlens "), "{help}");
    }
}
