//! `podlens config view`: how the cluster is reached, each value with where it came from, and what is there and has no effect.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;
use tabwriter::TabWriter;

use super::connect::{self, ConnectArgs};
use super::exit::{self, Failure};
use crate::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the resolved values, each with where it came from; secrets are not shown
    View(ViewArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ViewArgs {
    /// How to print them
    #[arg(short = 'o', long, value_enum, value_name = "FORMAT", default_value_t)]
    output: ViewFormat,

    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ViewFormat {
    /// Lines for people
    #[default]
    Table,
    /// One object, for programs
    Json,
}

pub(super) fn config(command: ConfigCommand) -> Result<ExitCode, Failure> {
    let ConfigCommand::View(ViewArgs { output, connect }) = command;
    let config = connect::config(connect)?;
    let stdout = io::stdout().lock();
    exit::unless_broken_pipe(match output {
        ViewFormat::Table => table(&config, stdout),
        ViewFormat::Json => json(&config, stdout),
    })
}

fn table(config: &Config, out: impl Write) -> io::Result<()> {
    let mut table = TabWriter::new(out).padding(3);
    for setting in config.settings() {
        writeln!(table, "{}\t{}\t(from {})", setting.name, setting.value, setting.origin)?;
    }
    for (what, why) in config.unused() {
        writeln!(table, "not used\t{what}\t({why})")?;
    }
    table.flush()
}

fn json(config: &Config, mut out: impl Write) -> io::Result<()> {
    let settings: Vec<_> = config
        .settings()
        .into_iter()
        .map(|setting| json!({ "name": setting.name, "value": setting.value, "from": setting.origin }))
        .collect();
    let unused: Vec<_> = config.unused().into_iter().map(|(what, why)| json!({ "name": what, "reason": why })).collect();
    writeln!(out, "{:#}", json!({ "settings": settings, "unused": unused }))
}
