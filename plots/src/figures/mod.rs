//! The figures: one function per kind, from a study to pictures, through a registry.

mod abatement;
mod benefit;
mod best_response;
mod branch_loading;
mod budget_and_efficiency;
mod carbon_flow;
mod carbon_payers;
mod change;
mod choice_probability;
mod claims;
mod convergence;
mod core;
mod cost_and_emissions;
mod cost_emissions_plane;
mod courses;
mod dispatch;
mod distribution;
mod duration;
mod explained;
mod fee_and_distance;
mod feeder;
pub(crate) mod feeder_layout;
mod feeder_map;
mod gain_split;
mod heat;
mod interim_utility;
mod metrics;
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
mod spread;
mod state_of_charge;
mod supply_and_demand;
mod sweep;
mod trades;

use crate::canvas::Canvas;
use crate::footnote::Basis;
use crate::study::Study;
pub(crate) use crate::words::listed;
use coase_store::KindOfFigure;

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

impl Picture {
    /// Title and caption in one, as they stand below the figure; a caption that begins with the title stands alone. A label.
    pub fn in_print(&self) -> String {
        let (title, caption) = (&self.title, self.caption.trim());
        let is_repeated = caption.strip_prefix(title.as_str()).is_some_and(|rest| rest.starts_with([' ', ',', '.']));
        if is_repeated { caption.to_owned() } else { format!("{title}. {caption}") }
    }
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
    #[error("nobody gains or loses anything over trading with the grid alone")]
    NothingGained,
    #[error("no run with a certificate")]
    NoCertificates,
    #[error("nobody has a storage or vehicles")]
    NoStorage,
    #[error("{participants} participants: `benefit` draws each of them")]
    FewParticipants { participants: usize },
    #[error("no trades: the table of trades is empty for the runs shown")]
    NoTrades,
    #[error("column `{column}` is empty")]
    NoData { column: &'static str },
}

/// A kind of figure.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// As in the file name.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    pub draw: fn(&Study) -> Result<Vec<Picture>, Absent>,
    /// The most metrics that it shows where the user chooses them; 0 where it has its own.
    pub metrics: usize,
    /// Whether the user may choose what its panels are.
    pub facets: bool,
    /// Whether it is drawn only where the user asks for it.
    pub on_demand: bool,
}

impl Kind {
    const fn new(name: &'static str, shows: &'static str, draw: fn(&Study) -> Result<Vec<Picture>, Absent>) -> Kind {
        Kind { name, shows, draw, metrics: 0, facets: false, on_demand: false }
    }

    /// The same, of which the user chooses up to so many metrics.
    const fn of_metrics(self, metrics: usize) -> Kind {
        Kind { metrics, ..self }
    }

    /// The same, of which the user chooses the panels.
    const fn with_facets(self) -> Kind {
        Kind { facets: true, ..self }
    }

    /// The same, drawn only where it is asked for.
    const fn on_demand(self) -> Kind {
        Kind { on_demand: true, ..self }
    }

    /// What of a wish for it can be wrong.
    pub fn facts(&self) -> KindOfFigure {
        KindOfFigure { name: self.name, metrics: self.metrics, facets: self.facets }
    }
}

/// All kinds, in the order of a paper.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "cost_and_emissions",
        "cost and emissions, or other metrics, of every mechanism under every policy",
        cost_and_emissions::draw,
    )
    .of_metrics(4),
    Kind::new("change", "change of metrics against no trade", change::draw).of_metrics(4),
    Kind::new("metrics", "any metrics, by scenario, policy, mechanism or swept value", metrics::draw)
        .of_metrics(4)
        .with_facets()
        .on_demand(),
    Kind::new("cost_emissions_plane", "resources used against emissions, with the front", cost_emissions_plane::draw),
    Kind::new("benefit", "gain of every participant", benefit::draw),
    Kind::new("distribution", "gains and costs of many participants", distribution::draw),
    Kind::new(
        "gain_split",
        "where the gains come from: resources, retail margin, carbon, network, payments",
        gain_split::draw,
    ),
    Kind::new("core", "what groups could gain by themselves over what they got", core::draw),
    Kind::new(
        "budget_and_efficiency",
        "surplus of the market's operator against the gain that is lost",
        budget_and_efficiency::draw,
    ),
    Kind::new("supply_and_demand", "curves of a market with what is cleared", supply_and_demand::draw),
    Kind::new("interim_utility", "expected gain by type, and of types that lie", interim_utility::draw),
    Kind::new("regret", "what every participant could gain by lying", regret::draw),
    Kind::new("play", "social cost and exploitability under several kinds of play", play::draw),
    Kind::new("simplex", "dynamics of shares of three strategies, with their points of rest", simplex::draw),
    Kind::new("shares_over_time", "shares of strategies on their way to rest", shares_over_time::draw),
    Kind::new("best_response", "best responses of two players and where they meet", best_response::draw),
    Kind::new("fee_and_distance", "a network fee against the distance of those who trade", fee_and_distance::draw),
    Kind::new("price_of_period", "equilibrium price of every period", price_of_period::draw),
    Kind::new("price_update", "prices by round of a game of prices", price_update::draw),
    Kind::new("choice_probability", "probability of every choice by round", choice_probability::draw),
    Kind::new("trades", "who sells how much to whom", trades::draw),
    Kind::new("carbon_payers", "who pays for carbon", carbon_payers::draw),
    Kind::new("abatement", "emissions against the carbon price", abatement::draw),
    Kind::new("profiles", "net positions and prices over time", profiles::draw),
    Kind::new("dispatch", "devices and trade of a participant over time", dispatch::draw),
    Kind::new("state_of_charge", "energy in storages and vehicles over time", state_of_charge::draw),
    Kind::new("duration", "for which share of the time power is at least so great", duration::draw),
    Kind::new("price_decomposition", "parts of nodal prices", price_decomposition::draw),
    Kind::new("carbon_intensity", "carbon intensity of buses over time", feeder::carbon_intensity),
    Kind::new("voltage", "voltages of buses over time", feeder::voltage),
    Kind::new("branch_loading", "loading of branches over time", branch_loading::draw),
    Kind::new("carbon_flow", "carbon along the feeder", carbon_flow::draw),
    Kind::new("sweep", "metrics against a swept parameter", sweep::draw).of_metrics(4).with_facets(),
    Kind::new("ranks", "mean ranks over draws with critical differences", ranks::draw),
    Kind::new("sensitivity", "what the results hinge on", sensitivity::draw),
    Kind::new("convergence", "residuals by iteration", convergence::draw),
    Kind::new("claims", "what mechanisms claim and what was found", claims::draw),
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

/// The places of those with the greatest and of those with the least values, half of `n` each, in their own order: `most` and `least`
/// are what a place reaches anywhere.
fn extremes(most: &[f64], least: &[f64], n: usize) -> Vec<usize> {
    let mut winners: Vec<usize> = (0..most.len()).collect();
    let mut losers = winners.clone();
    winners.sort_by(|a, b| most[*b].total_cmp(&most[*a]));
    losers.sort_by(|a, b| least[*a].total_cmp(&least[*b]));
    let mut places: Vec<usize> = vec![];
    for place in winners.into_iter().zip(losers).flat_map(|(winner, loser)| [winner, loser]) {
        if places.len() < n && !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    places
}

/// What a caption says of participants chosen by [`extremes`], and where all of them are.
fn extremes_of(shown: usize, all: usize) -> String {
    let told = shown_of(shown, all, "participants", "those that gain most and those that gain least or lose most");
    if told.is_empty() { told } else { format!("{told} The other {} are in the figure distribution.", all - shown) }
}

#[cfg(test)]
mod tests {
    use super::{extremes, extremes_of};

    #[test]
    fn winners_and_losers_are_drawn_alike() {
        // The third wins most here and loses most there; nobody is drawn twice.
        let (most, least) = ([1.0, 2.0, 9.0, 4.0, 0.0, 3.0], [0.0, 1.0, -8.0, 2.0, -5.0, -1.0]);
        assert_eq!(extremes(&most, &least, 4), [2, 3, 4, 5]);
        assert_eq!(extremes(&most, &least, 9), [0, 1, 2, 3, 4, 5]);
        assert!(extremes(&[], &[], 4).is_empty());
        assert!(extremes_of(8, 30).contains("The other 22 are in the figure distribution."));
        assert_eq!(extremes_of(5, 5), "");
    }
}
