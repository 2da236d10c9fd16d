//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "coase", version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coase list                               what there is
  coase explain nash-bargaining            what a mechanism does, claims and needs
  coase flow ieee-33                       power flow of a built-in network

Exit status: 0 all well, 1 something ran and failed, 2 bad input or usage.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    List(List),
    Explain(Explain),
    Flow(Flow),
}

/// Lists mechanisms, carbon policies, scenarios, networks, metrics and columns
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase list
  coase list mechanisms
  coase list columns --json")]
pub struct List {
    /// Only this kind
    pub kind: Option<ListKind>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListKind {
    /// Market mechanisms
    Mechanisms,
    /// Carbon policies
    Carbon,
    /// Scenarios and experiments of the library
    Scenarios,
    /// Built-in networks
    Networks,
    /// Metrics of a run
    Metrics,
    /// Columns of the result tables
    Columns,
}

/// Explains a mechanism or a carbon policy: what it does, its parameters, what it claims and when, where it comes from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase explain nash-bargaining
  coase explain stepped --json")]
pub struct Explain {
    /// Id, as in `coase list`
    pub id: String,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// AC power flow and carbon emission flow of a network
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase flow ieee-33
  coase flow case118.m --json
  coase flow feeder.ron --carbon carbon.ron
  coase flow ieee-14 --dc

A carbon file gives the intensity of what each bus generates, and may add generation:
  (default_kg_per_kwh: 0.581, by_bus: {6: 0.45}, generation: {6: (p_kw: 300, q_kvar: 0)})")]
pub struct Flow {
    /// Id of a built-in network, a MATPOWER case (.m) or a network file (.ron)
    pub network: String,
    /// As JSON, numbers in full precision
    #[arg(long)]
    pub json: bool,
    /// DC instead of AC power flow: 1 pu everywhere, no losses
    #[arg(long)]
    pub dc: bool,
    /// Traces carbon with the intensities of this file
    #[arg(long, value_name = "FILE.ron")]
    pub carbon: Option<std::path::PathBuf>,
}
