//! The figures: one function per kind, from a study to pictures, through a registry.

mod abatement;
mod benefit;
mod best_response;
mod budget_and_efficiency;
mod carbon_flow;
mod carbon_payers;
mod change;
mod choice_probability;
mod convergence;
mod core;
mod cost_and_emissions;
mod cost_emissions_plane;
mod courses;
mod dispatch;
mod explained;
mod fee_and_distance;
mod feeder;
pub(crate) mod feeder_layout;
mod feeder_map;
mod gain_split;
mod interim_utility;
mod play;
mod price_decomposition;
mod price_of_period;
mod price_update;
mod profiles;
mod ranks;
mod regret;
mod rows;
mod sensitivity;
mod shares_over_time;
mod simplex;
mod supply_and_demand;
mod sweep;

use crate::canvas::Canvas;
use crate::footnote::Basis;
use crate::study::Study;
pub(crate) use crate::words::listed;

/// A finished figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    /// What it shows within its kind, for the file name; empty where a kind has one picture.
    pub qualifier: String,
    /// Title and caption are labels: names in them have their markup.
    pub title: String,
    pub caption: String,
    pub canvas: Canvas,
}

/// Why a kind of figure is not drawn.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Absent {
    #[error("no run converged")]
    NoRun,
    #[error("one run: nothing to compare")]
    OneRun,
    #[error("one period: no profile over time")]
    OnePeriod,
    #[error("{periods} periods: more than a heat map can show")]
    TooManyPeriods { periods: usize },
    #[error("no network: the table of nodes is empty for the runs shown")]
    NoNetwork,
    #[error("the table of periods is empty for the runs shown")]
    NoPeriods,
    #[error("no run without trade to compare with")]
    NoBaseline,
    #[error("no mechanism besides the baseline")]
    OnlyBaseline,
    #[error("fewer than three mechanisms: nothing to rank")]
    FewMechanisms,
    #[error("fewer than two draws that all mechanisms meet: nothing to rank over")]
    FewDraws,
    #[error("no swept parameter")]
    NoSweep,
    #[error("no swept parameter has two numbers to draw against")]
    NoNumericSweep,
    #[error("no box of parameters with a design that measures their effects")]
    NoStudy,
    #[error("nobody pays for carbon")]
    NoCarbonPayment,
    #[error("no policy at two carbon prices: nothing to draw a curve through")]
    NoCarbonPrices,
    #[error("no branches: the table of branches is empty for the runs shown")]
    NoBranches,
    #[error("the feeder is meshed, or the manifest does not tell its trunk and laterals")]
    NotRadial,
    #[error("no mechanism leaves the operator with a surplus or a deficit")]
    NoBudget,
    #[error("no run with iterations and residuals in the table of convergence")]
    NoIterations,
    #[error("members play in one way only: write `reporting` with two rules")]
    OneKindOfPlay,
    #[error("no run with a certificate `exploitability`: report rules write it")]
    NoExploitability,
    #[error("no run with curves of this kind: write `evidence: (curves: true)`")]
    NoCurves,
    #[error("no misreports were searched: write `evidence: (regret: true)`")]
    NotSearched,
    #[error("column `{column}` is empty")]
    NoData { column: &'static str },
}

/// A kind of figure.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// As in the file name.
    pub name: &'static str,
    pub draw: fn(&Study) -> Result<Vec<Picture>, Absent>,
}

/// All kinds, in the order of a paper.
pub const KINDS: &[Kind] = &[
    Kind { name: "cost_and_emissions", draw: cost_and_emissions::draw },
    Kind { name: "change", draw: change::draw },
    Kind { name: "cost_emissions_plane", draw: cost_emissions_plane::draw },
    Kind { name: "benefit", draw: benefit::draw },
    Kind { name: "gain_split", draw: gain_split::draw },
    Kind { name: "core", draw: core::draw },
    Kind { name: "budget_and_efficiency", draw: budget_and_efficiency::draw },
    Kind { name: "supply_and_demand", draw: supply_and_demand::draw },
    Kind { name: "interim_utility", draw: interim_utility::draw },
    Kind { name: "regret", draw: regret::draw },
    Kind { name: "play", draw: play::draw },
    Kind { name: "simplex", draw: simplex::draw },
    Kind { name: "shares_over_time", draw: shares_over_time::draw },
    Kind { name: "best_response", draw: best_response::draw },
    Kind { name: "fee_and_distance", draw: fee_and_distance::draw },
    Kind { name: "price_of_period", draw: price_of_period::draw },
    Kind { name: "price_update", draw: price_update::draw },
    Kind { name: "choice_probability", draw: choice_probability::draw },
    Kind { name: "carbon_payers", draw: carbon_payers::draw },
    Kind { name: "abatement", draw: abatement::draw },
    Kind { name: "profiles", draw: profiles::draw },
    Kind { name: "dispatch", draw: dispatch::draw },
    Kind { name: "price_decomposition", draw: price_decomposition::draw },
    Kind { name: "carbon_intensity", draw: feeder::carbon_intensity },
    Kind { name: "voltage", draw: feeder::voltage },
    Kind { name: "carbon_flow", draw: carbon_flow::draw },
    Kind { name: "sweep", draw: sweep::draw },
    Kind { name: "ranks", draw: ranks::draw },
    Kind { name: "sensitivity", draw: sensitivity::draw },
    Kind { name: "convergence", draw: convergence::draw },
];

/// Share of the distance of two categories that `n` bars side by side take, so that few bars do not become walls.
fn group_width(n: usize) -> f64 {
    f64::min(0.76, 0.4 * n as f64)
}

/// `(a) `, `(b) `, ... before the title of a panel.
fn lettered(i: usize, title: &str) -> String {
    let letter = char::from(b'a' + (i % 26) as u8);
    format!("({letter}) {title}")
}

/// What a caption says where not everything is drawn: how many of how many, and which.
fn shown_of(shown: usize, all: usize, noun: &str, which: &str) -> String {
    if shown >= all { String::new() } else { format!(" Drawn are {shown} of {all} {noun}: {which}.") }
}

/// The places of the `n` greatest values, in their own order.
fn greatest(values: &[f64], n: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    places.truncate(n);
    places.sort_unstable();
    places
}
