//! The `podlens` binary: what is typed, what is printed, and the exit code. Not part of the library's API.
//!
//! `args.rs` has the subcommands, and each of those a file, or a folder, with its flags and its story; flags of several of them are in
//! `connect.rs`, `grant_args.rs` and `limit_args.rs`, and `project.rs` is the folder with a query's sources. `report.rs` prints
//! errors, and `exit.rs` decides the code; `shell.rs` and `file.rs` are how commands are shown and files written.

mod args;
mod audit;
mod build;
mod builtin;
mod cluster_info;
mod completions;
mod component;
mod config_view;
mod connect;
mod demo;
mod doctor;
mod exit;
mod file;
mod grant_args;
mod inspect;
mod interrupt;
mod limit_args;
mod man;
mod new;
mod plugin;
mod pods_from;
mod policy;
mod project;
mod proxy;
mod rbac;
mod report;
mod run;
mod serve;
mod shell;
mod stats;
mod test;

use std::process::ExitCode;

use args::Command;
use plugin::Started;

/// Runs the program: parses the command line, does it, prints errors.
#[doc(hidden)]
pub fn main() -> ExitCode {
    let args = match plugin::started() {
        Ok(Started::ToRun(args)) => args,
        Ok(Started::ToComplete(words)) => return completions::kubectl::answer(words.into_iter()),
        Err(error) => return report::usage(&error),
    };
    report::start_log();
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(worker_threads(&args.command)).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return report::failed(&exit::Failure::from(error)),
        };
    let done = runtime.block_on(async {
        match args.command {
            Command::Run(args) => run::run(*args).await,
            Command::Inspect(args) => inspect::inspect(args).await,
            Command::New(args) => new::new(&args),
            Command::Build(args) => build::build(args).await,
            Command::ClusterInfo(args) => cluster_info::cluster_info(args).await,
            Command::Doctor(args) => doctor::doctor(args).await,
            Command::Rbac(args) => rbac::rbac(args).await,
            Command::Proxy(args) => proxy::proxy(args).await,
            Command::Audit(command) => audit::audit(command),
            Command::Serve(args) => serve::serve(*args).await,
            Command::CompileComponent => serve::compile_component(),
            Command::Policy(command) => policy::policy(command).await,
            Command::Config(command) => config_view::config(command),
            Command::Demo(args) => demo::demo(args).await,
            Command::Completions(args) => completions::completions(args),
            Command::Man(args) => man::man(args),
            Command::Test(args) => test::test(args).await,
        }
    });
    // A compilation or a look-up of a name that is still under way must not hold up the end.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(failure) => report::failed(&failure),
    }
}

/// One for the guest and one for the network and decoding ahead of it; a run has no third thing to do. A server has as many as there are
/// processors, beside those of its guests.
fn worker_threads(command: &Command) -> usize {
    const OF_A_RUN: usize = 2;
    match command {
        Command::Serve(_) => std::thread::available_parallelism().map_or(OF_A_RUN, usize::from).max(OF_A_RUN),
        _ => OF_A_RUN,
    }
}
