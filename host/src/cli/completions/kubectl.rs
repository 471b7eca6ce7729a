//! Completion of `kubectl podlens …`.
//!
//! kubectl (1.26 and later) runs `kubectl_complete-podlens` with the words after `podlens`, the last of which is being completed and may
//! be empty, and reads candidates as cobra's `__complete` prints them: a line each, a tab before its description, and last a colon and
//! a number (`ShellCompDirective` in cobra's `completions.go`).

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::is_component;
use crate::cli::args::Args;
use crate::cli::builtin;

/// The name of the program that kubectl asks.
pub(in crate::cli) const PROGRAM: &str = "kubectl_complete-podlens";

/// Files where no candidate fits.
const DEFAULT: u8 = 0;
/// Never files.
const NO_FILES: u8 = 4;

/// Answers kubectl.
pub(in crate::cli) fn answer(words: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    // A shell that is gone needs no candidates.
    let _ = io::stdout().lock().write_all(candidates(&words).as_bytes());
    ExitCode::SUCCESS
}

fn candidates(words: &[String]) -> String {
    let mut root = Args::command();
    root.build();
    let (word, before) = words.split_last().map_or(("", &[][..]), |(word, before)| (word.as_str(), before));
    let place = Place::after(&root, before);
    let (candidates, directive) = place.candidates(word);
    // Of `--flag=value` kubectl's scripts take the value alone, and put the flag before it.
    let value = word.split_once('=').filter(|_| word.starts_with("--")).map_or(word, |(_, value)| value);
    let fitting = candidates.into_iter().filter(|(candidate, _)| candidate.starts_with(value));
    let mut lines: String = fitting
        .map(|(candidate, help)| if help.is_empty() { format!("{candidate}\n") } else { format!("{candidate}\t{help}\n") })
        .collect();
    lines += &format!(":{directive}\n");
    lines
}

/// Where the word is that is being completed.
struct Place<'a> {
    command: &'a Command,
    /// The flag whose value it is.
    flag: Option<&'a Arg>,
    /// Arguments that are no flags, before it.
    positionals: usize,
}

impl<'a> Place<'a> {
    fn after(root: &'a Command, words: &[String]) -> Self {
        let mut place = Self { command: root, flag: None, positionals: 0 };
        for word in words {
            if place.flag.take().is_some() {
                continue;
            }
            if word.starts_with('-') {
                place.flag = place.flag_named(word).filter(|flag| flag.get_action().takes_values());
            } else if let Some(command) = place.command.find_subcommand(word) {
                place = Self { command, flag: None, positionals: 0 };
            } else {
                place.positionals += 1;
            }
        }
        place
    }

    fn flag_named(&self, word: &str) -> Option<&'a Arg> {
        let mut flags = self.command.get_arguments();
        match word.strip_prefix("--") {
            Some(long) => flags.find(|flag| flag.get_long() == Some(long)),
            None => {
                flags.find(|flag| flag.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str())))
            }
        }
    }

    /// What could be here, each with its help, and whether it could also be a file.
    fn candidates(&self, word: &str) -> (Vec<(String, String)>, u8) {
        if let Some(flag) = self.flag {
            return of_values(flag);
        }
        if let Some((flag, _)) = word.split_once('=').filter(|_| word.starts_with("--")) {
            return self.flag_named(flag).filter(|flag| flag.get_action().takes_values()).map_or((Vec::new(), NO_FILES), of_values);
        }
        if word.starts_with('-') {
            let flags = self.command.get_arguments().filter(|flag| !flag.is_hide_set());
            let named = flags.filter_map(|flag| Some((format!("--{}", flag.get_long()?), first_line(flag.get_help()))));
            return (named.collect(), NO_FILES);
        }
        if self.command.has_subcommands() {
            let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set());
            return (commands.map(|it| (it.get_name().to_owned(), first_line(it.get_about()))).collect(), NO_FILES);
        }
        let is_repeated = |positional: &&Arg| matches!(positional.get_action(), ArgAction::Append);
        let positionals = || self.command.get_positionals();
        let positional = positionals().nth(self.positionals).or_else(|| positionals().last().filter(is_repeated));
        positional.map_or((Vec::new(), NO_FILES), of_values)
    }
}

fn of_values(argument: &Arg) -> (Vec<(String, String)>, u8) {
    if is_component(argument) {
        return (builtin::summaries().map(|(name, summary)| (name.to_owned(), summary.to_owned())).collect(), DEFAULT);
    }
    let values = argument.get_possible_values();
    let directive = if values.is_empty() { DEFAULT } else { NO_FILES };
    (values.iter().map(|value| (value.get_name().to_owned(), first_line(value.get_help()))).collect(), directive)
}

fn first_line(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(words: &[&str]) -> Vec<String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        candidates(&words).lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn words_are_completed_where_they_are() {
        for (words, expected) in [
            (&["r"][..], &["run", "rbac", ":4"][..]),
            (&["run", "rest"], &["restarts", ":0"]),
            (&["run", "-n", "shop", "rest"], &["restarts", ":0"]),
            (&["run", "--namespace=shop", "rest"], &["restarts", ":0"]),
            (&["run", "-A", "rest"], &["restarts", ":0"]),
            (&["run", "restarts", "-o", "ya"], &["yaml", ":4"]),
            (&["run", "restarts", "rest"], &[":4"]),
            (&["run", "./m"], &[":0"]),
            (&["run", "--no-h"], &["--no-headers", ":4"]),
            (&["run", "-n", ""], &[":0"]),
            (&["inspect", "pod"], &["pod-names", ":0"]),
            (&["config", ""], &["view", "help", ":4"]),
            (&["run", "restarts", "--output=ya"], &["yaml", ":4"]),
            (&["run", "restarts", "--no-headers=ya"], &[":4"]),
            (&["run", "--namespace=sh"], &[":0"]),
            (&["test", ""], &[":0"]),
            (&["test", "a", ""], &[":0"]),
            (&["test", "a", "b", ""], &[":0"]),
            (&["test", "a", "--component", "rest"], &["restarts", ":0"]),
            (&["test", "a", "--component=rest"], &["restarts", ":0"]),
            (&["build", "a", ""], &[":4"]),
        ] {
            assert_eq!(completed(words), expected, "{words:?}");
        }
        assert!(completed(&[]).contains(&"demo".to_owned()));
    }
}
