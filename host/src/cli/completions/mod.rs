//! `podlens completions`: scripts that complete `podlens` in a shell.
//!
//! `kubectl.rs` answers kubectl, which asks a plugin for candidates instead.

pub(super) mod kubectl;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::args::Args;
use super::builtin;
use super::exit::{self, Failure};

/// The value name of an argument that is a component's file, or the name of a query that comes with podlens.
const COMPONENT: &str = "COMPONENT";

const EXAMPLES: &str = "\
Examples:
  source <(podlens completions bash)                    for this shell
  podlens completions zsh > ~/.zfunc/_podlens           for each, with ~/.zfunc in fpath
  podlens completions fish > ~/.config/fish/completions/podlens.fish

For `kubectl podlens`, name the binary twice in a folder of PATH: kubectl-podlens and
kubectl_complete-podlens, as links or as copies.";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn completions(args: CompletionsArgs) -> Result<ExitCode, Failure> {
    exit::unless_broken_pipe(io::stdout().lock().write_all(script(args.shell).as_bytes()))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut with_queries(Args::command()), "podlens", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        // Elsewhere files are offered where no name fits; zsh offers the names alone unless told to.
        Shell::Zsh => {
            let names = builtin::names().collect::<Vec<_>>().join(" ");
            let files = format!(r#":{{_alternative "queries:query:({names})" "files:component:_files -g \"*.wasm\""}}"#);
            script.replace(&format!(":({names})"), &files)
        }
        Shell::Fish => script + &fish_components(),
        _ => script,
    }
}

/// The queries in addition to files, which fish offers for every argument.
fn fish_components() -> String {
    let command = Args::command();
    let takers = command.get_subcommands().filter(|command| command.get_positionals().any(is_component));
    let names = builtin::names().collect::<Vec<_>>().join(" ");
    takers
        .map(|taker| format!("complete -c podlens -n \"__fish_podlens_using_subcommand {}\" -a \"{names}\"\n", taker.get_name()))
        .collect()
}

/// The command line, with the queries that come with podlens as values of each [`COMPONENT`].
fn with_queries(mut command: Command) -> Command {
    let components: Vec<_> = command.get_positionals().filter(|it| is_component(it)).map(|it| it.get_id().clone()).collect();
    for id in components {
        command = command.mut_arg(id, |argument| argument.value_parser(PossibleValuesParser::new(builtin::names())));
    }
    let names: Vec<_> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_queries))
}

fn is_component(argument: &clap::Arg) -> bool {
    argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == COMPONENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_completes_the_queries() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            for name in builtin::names() {
                assert!(script.contains(name), "{shell}: {name}");
            }
        }
        assert!(script(Shell::Zsh).contains(r#"_files -g \"*.wasm\""#));
    }
}
