//! `podlens man`: manual pages, made of the same words as the help.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::StyledStr;
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
        as_it_is(help, out)?;
    }
    Ok(())
}

fn as_it_is(help: &StyledStr, out: &mut impl Write) -> io::Result<()> {
    let help = help.to_string();
    let (heading, text) = match help.split_once('\n') {
        Some((heading, text)) if heading.ends_with(':') => (heading.trim_end_matches(':').to_uppercase(), text),
        _ => ("NOTES".to_owned(), help.as_str()),
    };
    let mut roff = Roff::default();
    roff.control("SH", [heading.as_str()]).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff.to_writer(out)
}
