//! The command line as a whole: the subcommands, each of which has its flags where it is. Their spelling and meaning are kubectl's where
//! kubectl has them.

use clap::{Parser, Subcommand};

use super::connect::ConnectArgs;
use super::{audit, build, completions, config_view, demo, doctor, inspect, man, new, policy, proxy, rbac, run, serve, test};

const EXAMPLES: &str = "\
Examples:
  podlens demo                                  the whole story, without a cluster
  podlens run restarts -A -p min=3              a query that comes with podlens
  podlens run ./mine.wasm -n shop -l app=web    a query of your own";

const EXIT_CODES: &str = "\
Exit codes:
  0  answered
  1  the query answered with an error, or trapped
  2  wrong usage
  3  refused, by the grant or by the API server (401, 403)
  4  the cluster cannot be reached, or gave no usable answer
  5  a limit ended the run
  6  the component cannot be used as a query
  7  a cluster, namespace or file is not in the answer";

/// Runs sandboxed WebAssembly queries over the pods of a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(name = "podlens", version, before_help = EXAMPLES, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a query and print its answer
    Run(Box<run::RunArgs>),
    /// Show what a query is, can reach and was built by; or list those that come with podlens
    Inspect(inspect::InspectArgs),
    /// Begin a query of your own, in Rust, JavaScript or Python
    New(new::NewArgs),
    /// Build a query's component from its project
    Build(build::BuildArgs),
    /// Test a query against its test cases
    Test(test::TestArgs),
    /// Show the API server's address and version, and who you are to it
    ClusterInfo(ConnectArgs),
    /// Find out why the API server does not answer, and how to fix it
    Doctor(doctor::DoctorArgs),
    /// Print the least access that a query needs, as YAML
    Rbac(rbac::RbacArgs),
    /// Serve the pods of the cluster on this machine, read-only
    Proxy(proxy::ProxyArgs),
    /// Check the audit log of a server
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Serve tenants' queries over HTTP, by a policy
    Serve(Box<serve::ServeArgs>),
    /// Compile a component from standard input into the cache, within bounds
    #[command(hide = true)]
    CompileComponent,
    /// Check a policy of tenants, and explain what it gives
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Show how the cluster is reached
    #[command(subcommand)]
    Config(config_view::ConfigCommand),
    /// Show podlens at work on an API server of its own, without a cluster
    Demo(demo::DemoArgs),
    /// Print a script that completes podlens in a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write one for each subcommand
    Man(man::ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_well_formed() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
