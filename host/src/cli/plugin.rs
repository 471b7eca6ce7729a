//! podlens as a plugin of kubectl: started as `kubectl-podlens`, it is `kubectl podlens` to whoever reads its help.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::args::Args;
use super::completions::kubectl;

/// How kubectl names the program of a plugin `podlens`, and how it is then typed.
const PROGRAM: &str = "kubectl-podlens";
const TYPED: &str = "kubectl podlens";

/// How podlens is typed by whoever started this process, where it is not `podlens`.
static TYPED_AS: OnceLock<&str> = OnceLock::new();

/// A text for people, such as a hint, with podlens' own command lines as they are typed here: after a backtick, or after blanks at the
/// beginning of a line.
pub(super) fn as_typed(text: &str) -> String {
    TYPED_AS.get().map_or_else(|| text.to_owned(), |typed| typed_as(typed, text))
}

fn typed_as(typed: &str, text: &str) -> String {
    text.replace("  podlens ", &format!("  {typed} ")).replace("`podlens ", &format!("`{typed} "))
}

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
    let mut command = Args::command();
    if program == PROGRAM {
        let _ = TYPED_AS.set(TYPED);
        command = as_plugin(command.bin_name(TYPED));
    }
    let matches = command.try_get_matches()?;
    Args::from_arg_matches(&matches).map(Box::new).map(Started::ToRun)
}

/// The command line with all that its help has of podlens as it is typed with kubectl.
fn as_plugin(command: Command) -> Command {
    let typed = |help: &StyledStr| typed_as(TYPED, &help.to_string());
    let mut command = command.mut_args(|argument| {
        let (help, long_help) = (argument.get_help().map(typed), argument.get_long_help().map(typed));
        let argument = if let Some(help) = help { argument.help(help) } else { argument };
        if let Some(help) = long_help { argument.long_help(help) } else { argument }
    });
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

    #[test]
    fn no_help_says_it_as_typed_without_kubectl() {
        fn check(command: &mut Command) {
            let help = command.render_long_help().to_string();
            assert!(!help.contains("  podlens ") && !help.contains("`podlens "), "{help}");
            for command in command.get_subcommands_mut() {
                check(command);
            }
        }
        let mut command = as_plugin(Args::command().bin_name(TYPED));
        command.build();
        check(&mut command);
    }
}
