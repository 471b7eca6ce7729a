//! `podlens man`: manual pages, made of the same words as the help.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::args::Args;
use super::exit::{self, Failure};
use crate::error::{Error, Kind};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  podlens man | man -l -                                the page of podlens
  podlens man ~/.local/share/man/man1                   a page for each subcommand, too";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct ManArgs {
    /// A folder to write the pages to, one for each subcommand [default: print the page of podlens]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn man(args: ManArgs) -> Result<ExitCode, Failure> {
    let mut root = Args::command().disable_help_subcommand(true);
    root.build();
    let Some(folder) = args.folder else {
        return exit::unless_broken_pipe(page(&root, &mut io::stdout().lock()));
    };
    let write = || {
        fs::create_dir_all(&folder)?;
        pages(&root).into_iter().try_for_each(|command| {
            let name = format!("{}.1", name(command));
            page(command, &mut File::create(folder.join(name))?)
        })
    };
    write().map_err(|error: io::Error| {
        let message = format!("the manual pages cannot be written to `{}`", text::path(&folder));
        Failure::from(Error::new(Kind::Query, message).because(error))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The command and all those below it.
fn pages(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    std::iter::once(command).chain(below.flat_map(pages)).collect()
}

/// Such as `podlens-config-view`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(command: &Command, out: &mut impl Write) -> io::Result<()> {
    let man = Man::new(command.clone()).source(format!("podlens {}", env!("CARGO_PKG_VERSION"))).manual("podlens");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    // What surrounds the help is laid out with blanks, which a page would fill up.
    for help in [command.get_before_help(), command.get_after_help()].into_iter().flatten() {
        for (heading, lines) in sections(&help.to_string()) {
            as_it_is(&heading, &lines, out)?;
        }
    }
    Ok(())
}

/// The heading of what comes before any.
const NOTES: &str = "NOTES";

/// What a help says under which heading: one or two words that end in `:`, on a line of their own, at its beginning.
fn sections(help: &str) -> Vec<(String, Vec<&str>)> {
    let heading = |line: &str| {
        let words = line.strip_suffix(':')?;
        let is_heading = !words.starts_with(' ') && (1..=2).contains(&words.split(' ').count());
        (is_heading && words.chars().all(|it| it.is_ascii_alphabetic() || it == ' ')).then(|| words.to_uppercase())
    };
    let mut sections: Vec<(String, Vec<&str>)> = Vec::new();
    for line in help.lines() {
        match (heading(line), sections.last_mut()) {
            (Some(heading), _) => sections.push((heading, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => sections.push((NOTES.to_owned(), vec![line])),
        }
    }
    for (_, lines) in &mut sections {
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
    }
    sections
}

/// A section, line by line.
fn as_it_is(heading: &str, lines: &[&str], out: &mut impl Write) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [heading]).control("nf", []);
    for line in lines {
        roff.text([roman(*line)]);
    }
    roff.control("fi", []);
    roff.to_writer(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_a_line_of_one_or_two_words() {
        let help = "It has these, among others:\n  a:\n  b\n\nExamples:\n  a\n\nExit codes:\n  0: fine\nno heading:not\n";
        let expected = [
            ("NOTES", vec!["It has these, among others:", "  a:", "  b"]),
            ("EXAMPLES", vec!["  a"]),
            ("EXIT CODES", vec!["  0: fine", "no heading:not"]),
        ];
        assert_eq!(sections(help), expected.map(|(heading, lines)| (heading.to_owned(), lines)));
    }

    /// What a page may be divided into. One that is not here is most likely a line of a help that was taken for a heading.
    const HEADINGS: [&str; 12] = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "SUBCOMMANDS",
        NOTES,
        "FILES",
        "EXAMPLES",
        "SETTINGS",
        "\"EXIT CODES\"",
        "TOOLS",
        "TRACES",
    ];

    #[test]
    fn every_page_has_the_headings_of_a_page() {
        let mut root = Args::command().disable_help_subcommand(true);
        root.build();
        for command in pages(&root) {
            let mut text = Vec::new();
            page(command, &mut text).expect("memory can be written");
            let text = String::from_utf8(text).expect("it is text");
            let headings: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
            // Options have headings of their own.
            let of_options: Vec<_> =
                command.get_arguments().filter_map(|it| it.get_help_heading()).map(str::to_uppercase).collect();
            for (at, heading) in headings.iter().enumerate() {
                let is_known = HEADINGS.contains(heading) || of_options.iter().any(|known| heading.trim_matches('"') == known);
                assert!(is_known && !headings[..at].contains(heading), "{}: {headings:?}", name(command));
            }
            assert_eq!(headings[..2], ["NAME", "SYNOPSIS"], "{}", name(command));
        }
    }
}
