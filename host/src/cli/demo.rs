//! `podlens demo`: the story of a program that wants the pod list, told on the demo's own API server.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::exit::{self, Failure};
use super::interrupt::Interrupts;
use super::{builtin, component, report};
use crate::config::{Authority, Credentials, Origin, Sourced, TlsSources};
use crate::demo::{Account, Server, Tenant};
use crate::error::{Error, Kind};
use crate::output::style::Style;
use crate::output::{Format, Printer, PrinterOptions};
use crate::runtime::RunOptions;
use crate::source::ApiServer;
use crate::{Client, Config, Grant, LabelSelector, Runtime};

#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Keep the demo's API server running, and print what `podlens run` needs to use it as if inside a pod
    #[arg(long)]
    serve: bool,
}

pub(super) async fn demo(args: DemoArgs) -> Result<ExitCode, Failure> {
    let cannot_start = |error: io::Error| Error::new(Kind::Unreachable, "the demo's API server cannot start").because(error);
    let server = Server::start().await.map_err(cannot_start)?;
    if args.serve { serve(&server).await } else { tell(&server).await }
}

/// Keeps the server up until it is interrupted.
async fn serve(server: &Server) -> Result<ExitCode, Failure> {
    let address = server.address();
    // From before the first word, an interrupt ends in order: the folder with the tokens goes with the server.
    let interrupts = Interrupts::listen()?;
    let printed = (|| {
        let mut out = io::stdout().lock();
        writeln!(out, "# The demo's API server is at https://{address} until you press Ctrl-C. In another terminal:")?;
        // An empty kubeconfig: a real one would come before the service account.
        writeln!(out, "export KUBECONFIG=/dev/null")?;
        writeln!(out, "export KUBERNETES_SERVICE_HOST={}", address.ip())?;
        writeln!(out, "export KUBERNETES_SERVICE_PORT={}", address.port())?;
        writeln!(out, "export PODLENS_SERVICE_ACCOUNT_DIR={}", server.mount(Account::Podlens).display())?;
        writeln!(out, "# The account without a role: {}", server.mount(Account::Default).display())?;
        writeln!(out, "# The account of a server that reads as its tenants' accounts: {}", server.kubeconfig().display())?;
        let [shop, payments] = Tenant::ALL.map(|tenant| server.caller_token(tenant));
        writeln!(out, "# The tokens of that server's callers: {} {}", shop.display(), payments.display())?;
        writeln!(out, "podlens run restarts -A")?;
        out.flush()
    })();
    if printed.is_ok() {
        interrupts.wait().await;
    }
    exit::unless_broken_pipe(printed)
}

/// Tells the story once, step by step.
async fn tell(server: &Server) -> Result<ExitCode, Failure> {
    let story = Story {
        address: format!("https://{}", server.address()),
        with_role: Config::service_account(&format!("https://{}", server.address()), &server.mount(Account::Podlens))?,
        without_role: Config::service_account(&format!("https://{}", server.address()), &server.mount(Account::Default))?,
        runtime: component::runtime()?,
    };
    match story.tell().await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Ending::Output(error)) => exit::unless_broken_pipe(Err(error)),
        Err(Ending::Failure(failure)) => Err(failure),
    }
}

/// The queries of the story: the query, the label selector of its grant, its parameters.
const TOLD: [(&str, &str, &[&str]); 4] =
    [("pod-names", "app=web", &[]), ("restarts", "", &["min=3"]), ("unready", "", &[]), ("images", "", &[])];

struct Story {
    address: String,
    with_role: Config,
    without_role: Config,
    runtime: Runtime,
}

/// Why the story is not told to its end.
enum Ending {
    Output(io::Error),
    Failure(Failure),
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        Self::Failure(error.into())
    }
}

impl Story {
    async fn tell(&self) -> Result<(), Ending> {
        let address = &self.address;
        say(&format!(
            "An API server runs in this process at {address}, with TLS, tokens, RBAC and the pods of a small company.\n\
             Nothing leaves this machine. A program in one of its pods wants the list of pods. What does it need?"
        ))?;

        let nothing = Config {
            tls: TlsSources { authority: Authority::Platform, server_name: None, identity: None },
            credentials: Sourced::new(Credentials::None, Origin::Default),
            ..self.with_role.clone()
        };
        let ca_only = Config { credentials: Sourced::new(Credentials::None, Origin::Default), ..self.with_role.clone() };
        say("\n1. The address alone. The cluster signs its own certificates, and the system does not know its CA:\n")?;
        self.refused(nothing).await?;
        say("\n2. The address and the CA, no token. The API server answers now, and takes the program for nobody:\n")?;
        self.refused(ca_only).await?;
        say("\n3. The token of its service account, too. The API server knows who asks, and nothing allows it:\n")?;
        self.refused(self.without_role.clone()).await?;

        say("\n4. A service account with a role that may get and list pods. podlens finds address, CA and token where\n\
             the kubelet puts them. A query gets none of these, only pods. Some of the queries that come with podlens:")?;
        for (query, labels, arguments) in TOLD {
            let mut flags = String::from(" -A");
            if !labels.is_empty() {
                flags += &format!(" -l {labels}");
            }
            flags.extend(arguments.iter().map(|argument| format!(" -p {argument}")));
            say(&format!("\n$ podlens run {query}{flags}"))?;
            self.run(self.with_role.clone(), query, labels, arguments).await?;
        }
        say("\nTry them yourself: `podlens demo --serve` keeps this API server up. To write your own, see the README.")?;
        Ok(())
    }

    /// Runs a query as `config` says, and tells how it was refused.
    async fn refused(&self, config: Config) -> Result<(), Ending> {
        match self.run(config, "pod-names", "", &[]).await {
            Err(Ending::Failure(failure)) => Ok(say(report::explained(&failure).trim_end())?),
            other => other,
        }
    }

    async fn run(&self, config: Config, query: &str, labels: &str, arguments: &[&str]) -> Result<(), Ending> {
        let component = builtin::query(query)
            .ok_or_else(|| Error::new(Kind::Component, format!("no query `{query}` comes with this podlens")))?;
        let query = self.runtime.load(component).await?;
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(Kind::InvalidArgument, "the demo asks for what cannot be").because(error)
        };
        let labels = LabelSelector::parse(labels).map_err(|error| wrong(error.into()))?;
        let arguments = arguments.iter().filter_map(|argument| argument.split_once('='));
        let options = RunOptions {
            grant: Grant::all_namespaces().labels(&labels),
            arguments: query.description().arguments(arguments).map_err(|error| wrong(error.into()))?,
            ..RunOptions::default()
        };
        let printer_options = PrinterOptions {
            headers: true,
            now: Timestamp::now(),
            terminal: io::stdout().is_terminal(),
            style: Style::of_stdout(),
            sort_by: None,
            links: Vec::new(),
        };
        let mut printer = Printer::new(Format::Table, query.description(), &printer_options, io::stdout())
            .map_err(|error| Error::new(Kind::Query, "the answer has no table").because(error))?;

        let mut run = query.run(Arc::new(ApiServer::new(Client::new(config)?)), options);
        while let Some(row) = run.next_row().await {
            printer.row(&row)?;
        }
        run.finish().await.result?;
        Ok(printer.finish(true)?)
    }
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}
