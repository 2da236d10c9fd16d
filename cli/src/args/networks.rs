//! What can be typed for networks without a market.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// AC power flow and carbon emission flow of a network
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase flow ieee-33
  coase flow case118.m --json
  coase flow feeder.ron --carbon carbon.ron
  coase flow ieee-14 --dc

The AC flow begins at the voltages of the file and is the operating state: the solution that goes on from the network
without load. Where there is none, the answer says up to which share of the load there is, and where the voltage gives
way. Limits (voltages, ratings, reactive power) are not enforced.

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
    pub carbon: Option<PathBuf>,
}

/// Optimal power flow: the cheapest dispatch within the limits, nodal prices and what they are made of
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase opf ap-15
  coase opf case118.m --json
  coase opf feeder.ron --formulation lindistflow
  coase opf case5.m --carbon carbon.ron --carbon-price 50

Kept are the limits of voltages (of the slacks too, which choose theirs unless --hold-slack; a slack of a .ron network whose
limits are not written stays at its set point), ratings at both ends, limits of angles across branches, and limits of units.
`dc` keeps ratings as active power, angles and units. Ramps are of no account within one hour. What cannot hold is named with its bus or branch and by how much.

The carbon file is that of `coase flow`; what it adds as generation runs as written, at no cost. Where no generator of a
network has a cost, every kWh generated counts 1.")]
pub struct Opf {
    /// Id of a built-in network, a MATPOWER case (.m) or a network file (.ron)
    pub network: String,
    /// Which equations; default `ac` on radial networks, `dc` on meshed ones
    #[arg(long)]
    pub formulation: Option<Formulation>,
    /// Leaves the voltage of the slacks at their set point instead of choosing it within their limits
    #[arg(long)]
    pub hold_slack: bool,
    /// Accounts for carbon with the intensities of this file
    #[arg(long, value_name = "FILE.ron")]
    pub carbon: Option<PathBuf>,
    /// Price of carbon per tonne, paid by every source; 0 without it
    #[arg(long, value_name = "P", requires = "carbon", allow_negative_numbers = true)]
    pub carbon_price: Option<f64>,
    /// As JSON, numbers in full precision
    #[arg(long)]
    pub json: bool,
}

/// What equations an optimal power flow keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Formulation {
    /// The AC flow of a radial network
    Ac,
    /// Its convex relaxation, which bounds it
    Relaxed,
    /// Angles only: no losses, no voltages; any network
    Dc,
    /// Voltages but no losses; radial networks
    Lindistflow,
}
