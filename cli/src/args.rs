//! What can be typed.

mod networks;
mod papers;
mod pictures;

use crate::nearest::hint;
use clap::{Args, Parser, Subcommand, ValueEnum};
use coase_core::record::Table;
use coase_scenarios::{Override, Shard};
pub use networks::{Flow, Formulation, Opf};
pub use papers::{Bundle, Cite, Methods, Verify};
pub use pictures::{Compare, FigureFormat, Gallery, Pages, Plot, Report};
use std::path::PathBuf;
use std::str::FromStr;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "coase", version = VERSION, about, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Version and source revision: what a paper names.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (source revision ", env!("COASE_SOURCE_REVISION"), ")");

const EXAMPLES: &str = "\
Examples:
  coase run scenarios/library/side_by_side.ron
  coase list                               what there is
  coase explain nash-bargaining            what a mechanism does, claims and needs
  coase new experiment my_study            a commented starting point
  coase flow ieee-33                       power flow of a built-in network
  coase opf ap-15                          its cheapest dispatch, and prices
  coase auction bids.ron --mechanism mcafee  who trades what, and for how much
  coase game gains.ron                     who gets what of a gain, what prices sellers post, ..
  coase audit three_vpp                    what misreports gain, and which claims they refute

Exit status: 0 all well, 1 something ran and failed or is missing, 2 bad input or usage, 130 Ctrl-C, 143 terminated.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Run),
    Audit(Audit),
    Collect(Collect),
    Slurm(Slurm),
    Check(Check),
    List(List),
    Explain(Explain),
    Schema(Schema),
    Flow(Flow),
    Opf(Opf),
    Auction(Auction),
    Game(Game),
    Plot(Plot),
    Methods(Methods),
    Cite(Cite),
    Bundle(Bundle),
    Verify(Verify),
    Report(Report),
    Compare(Compare),
    New(New),
    Pages(Pages),
    Gallery(Gallery),
}

/// Runs an experiment, or a scenario with the default mechanisms, and draws its figures
///
/// Results that are there already are not computed again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase run scenarios/library/side_by_side.ron
  coase run my_study.ron --out results/tonight --jobs 8
  coase run my_study.ron --set experiment.first_periods=4 --set carbon.price_per_tonne=320
  coase run my_study.ron --shard 0/4              one of four parts, for four machines
  coase run five_vpps                             a scenario of the library
  coase run my_study.ron --dry-run                what would be run, and how long it would take

Exit status: 0 every run found its answer (that there is no equilibrium is one), 1 some run did not converge, was
infeasible, failed or is missing, 2 bad input and nothing ran, 130 or 143 ended by Ctrl-C or termination: finished runs are
kept, and the same command goes on from there.")]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command")]
pub struct Run {
    /// An experiment or a scenario
    #[arg(value_name = "FILE.ron")]
    pub file: PathBuf,
    /// Where results go; by default results/<name of the file>
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Number of threads; by default as many as the machine has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Runs everything again, whatever is there
    #[arg(long)]
    pub fresh: bool,
    /// Runs again what failed before
    #[arg(long)]
    pub retry_failed: bool,
    /// Prints the run table and what it would take, from a few runs that are not kept; writes nothing
    #[arg(long = "dry-run")]
    pub is_dry: bool,
    /// No progress and no summary
    #[arg(long)]
    pub quiet: bool,
    /// Only one of N parts, counted from 0
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Overrides a parameter, by the path syntax of sweeps; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
    #[command(flatten)]
    pub tables: Tables,
}

/// Searches for counter-examples to what mechanisms claim
///
/// Every mechanism of the file is run on reports that are not true: shifted and multiplied prices and scaled quantities of one
/// member, refined around the best; one of its devices left out, misstated or overstated; another side of the market; two members
/// together; an account split in two. Claims about outcomes are judged on the market and on those that such reports describe. Each finding comes with the command that shows it.
///
/// A list of bids, `Auction(..)`, is audited by every auction: offers of one bidder at other prices or of less than it has; as
/// figures more than it has, the other side, two bidders together, two accounts. Small lists of whole numbers are searched through.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase audit three_vpp
  coase audit three_vpp --mechanism uniform-price --budget 20000
  coase audit my_study.ron --mechanism 'NashBargaining(weights: Exponential)' --json
  coase audit three_vpp --as-if '{\"vpp1\": (price_factor: 0.5)}'     a market in which this report is the truth
  coase audit bids.ron --mechanism mcafee                            a list of bids

That nothing was found proves nothing: `upheld` is a claim that what was searched does not refute.

Exit status: 0 no claim is refuted, 1 a claim is refuted or a mechanism has no outcome to audit, 2 bad input.")]
pub struct Audit {
    /// An experiment, a scenario or a list of bids
    #[arg(value_name = "FILE.ron")]
    pub file: PathBuf,
    /// Only this mechanism: one of the file, by its label, or another, by its id or with parameters
    #[arg(long, value_name = "ID")]
    pub mechanism: Option<String>,
    /// About how many times a mechanism may be run; by default 5000, on a list of bids 50000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub budget: Option<u32>,
    /// Takes these reports to be the truth, by participant
    #[arg(long, value_name = "REPORTS")]
    pub as_if: Option<String>,
    /// Narrows which prices and quantities are misreported: `(price_shift_per_kwh: (-0.2, 0.2), quantity_factor: (1, 1))`
    #[arg(long, value_name = "BOUNDS")]
    pub within: Option<String>,
    /// Of a list of bids: what mechanisms that draw lots draw them with; by default 1
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Number of threads; by default as many as the machine has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// As JSON, numbers in full precision
    #[arg(long)]
    pub json: bool,
    /// Overrides a parameter, by the path syntax of sweeps; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
}

/// Which tables are written.
#[derive(Debug, Default, Args)]
pub struct Tables {
    /// Only these tables, as `runs,participants`; figures need none of them, and the same command without it writes all
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    tables: Option<Vec<Wanted>>,
}

impl Tables {
    /// The tables that are wanted, where they were named.
    pub fn wanted(&self) -> Option<Vec<Table>> {
        self.tables.as_ref().map(|tables| tables.iter().map(|wanted| wanted.0).collect())
    }
}

/// A table by its name.
#[derive(Clone, Copy, Debug)]
struct Wanted(Table);

impl FromStr for Wanted {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Table::ALL.into_iter().find(|table| table.name() == name);
        let names = || Table::ALL.map(Table::name);
        found.map(Wanted).ok_or_else(|| match hint(name, names()) {
            none if none.is_empty() => format!("there is no such table; there are {}", names().join(", ")),
            hint => format!("there is no such table{hint}"),
        })
    }
}

/// Builds tables and figures from the runs that are there, as after several parts of an experiment
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase run my_study.ron --shard 0/2 --out results/my_study
  coase run my_study.ron --shard 1/2 --out results/my_study
  coase collect results/my_study

Exit status: 0 every run is there and found its answer, 1 some run did not or is missing (each is named), 2 no results.")]
pub struct Collect {
    /// Folder of the results
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub tables: Tables,
}

/// Writes scripts that run an experiment in parts on a cluster of Slurm, and then collect it
///
/// The scripts go to `slurm` in the folder of the results, which all nodes have to reach: `array.sh` is a job array with one part
/// a task, `collect.sh` follows it, `submit.sh` hands both to Slurm. A part that ends early puts itself back into the queue and
/// goes on where it was. Nothing is submitted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase slurm my_study.ron --shards 64 --time 01:00:00
  coase slurm my_study.ron --shards 64 --time 01:00:00 --partition short --out /scratch/me/my_study
  /scratch/me/my_study/slurm/submit.sh

The scripts run the program that wrote them, or the one that the environment names as COASE.

Exit status: 0 the scripts are written, 2 bad input.")]
pub struct Slurm {
    /// An experiment or a scenario
    #[arg(value_name = "FILE.ron")]
    pub file: PathBuf,
    /// Number of parts; no more than there are runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: u16,
    /// Most time that a part may take before it goes back into the queue, as Slurm writes it
    #[arg(long, value_name = "TIME")]
    pub time: SlurmTime,
    /// Where results go, reached from all nodes; by default results/<name of the file>
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads of a part
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    pub cpus: u16,
    /// Partition of the cluster
    #[arg(long, value_name = "NAME", value_parser = one_word)]
    pub partition: Option<String>,
    /// Account that is charged
    #[arg(long, value_name = "NAME", value_parser = one_word)]
    pub account: Option<String>,
    /// Memory of a part, as `4G`
    #[arg(long, value_name = "SIZE", value_parser = one_word)]
    pub mem: Option<String>,
    /// Overrides a parameter, by the path syntax of sweeps; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
}

/// A word that can stand in a line for Slurm.
fn one_word(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-,+".contains(c);
    let is_word = !text.is_empty() && text.chars().all(is_plain);
    is_word.then(|| text.to_owned()).ok_or_else(|| "expected letters, digits and any of . _ - , +".to_owned())
}

/// A length of time as Slurm writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmTime(pub String);

impl SlurmTime {
    /// A part is asked to end a minute before its time is up, and Slurm may ask a minute too early.
    const LEAST_SECONDS: u64 = 180;

    /// How many seconds a text means; `None` where it is no time.
    fn seconds(text: &str) -> Option<u64> {
        let number = |part: &str| {
            let is_number = !part.is_empty() && part.len() < 8 && part.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| part.parse::<u64>().ok()).flatten()
        };
        let (days, rest) = text.split_once('-').map_or((None, text), |(days, rest)| (Some(days), rest));
        let parts = rest.split(':').map(number).collect::<Option<Vec<u64>>>()?;
        let (days, hours, minutes, seconds) = match (days, parts.as_slice()) {
            (None, [minutes]) => (0, 0, *minutes, 0),
            (None, [minutes, seconds]) => (0, 0, *minutes, *seconds),
            (None, [hours, minutes, seconds]) => (0, *hours, *minutes, *seconds),
            (Some(days), [hours]) => (number(days)?, *hours, 0, 0),
            (Some(days), [hours, minutes]) => (number(days)?, *hours, *minutes, 0),
            (Some(days), [hours, minutes, seconds]) => (number(days)?, *hours, *minutes, *seconds),
            _ => return None,
        };
        Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    }
}

impl FromStr for SlurmTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::seconds(text) {
            None => Err("expected MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS, DAYS-HOURS:MINUTES or \
                         DAYS-HOURS:MINUTES:SECONDS"),
            Some(seconds) if seconds < Self::LEAST_SECONDS => {
                Err("a part is asked to end up to two minutes before its time is up: it needs 3 minutes at least")
            }
            Some(_) => Ok(Self(text.to_owned())),
        }
    }
}

/// Reads and checks scenarios and experiments, and runs nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase check my_study.ron
  coase check scenarios/library/*.ron
  coase check my_study.ron --set carbon.price_per_tonne=320")]
pub struct Check {
    /// Scenario or experiment files
    #[arg(required = true, value_name = "FILE.ron")]
    pub files: Vec<PathBuf>,
    /// Overrides a parameter, by the path syntax of sweeps; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
}

/// Lists mechanisms, carbon policies, report rules, devices, scenarios, networks, metrics and columns
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
    /// Rules by which participants report
    Reporting,
    /// Devices that participants own
    Devices,
    /// Scenarios and experiments of the library
    Scenarios,
    /// Built-in networks
    Networks,
    /// Metrics of a run
    Metrics,
    /// Columns of the result tables
    Columns,
    /// Kinds of figures
    Figures,
}

/// Explains a mechanism, a carbon policy, a report rule, a device, a network, a file of the library, a metric, a column, a form or a field
///
/// Of a mechanism, policy or device: what it does, its equations, every parameter with its meaning, unit, default and what may
/// be written, what it claims and when, and where it comes from.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase explain nash-bargaining
  coase explain stepped --json
  coase explain welfare_gain
  coase explain storage
  coase explain participant.quota_kg")]
pub struct Explain {
    /// Id, as in `coase list`
    pub id: String,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The JSON schema of a file form, with the meaning, unit, range and default of every field
///
/// Draft 2020-12. In JSON a name with fields, `Tax(price_per_tonne: 60)`, is an object with that name, and a name without fields
/// is a text; the head word of a file is left out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase schema scenario > scenario.schema.json
  coase schema experiment")]
pub struct Schema {
    /// Which form; all of them by their names if left out
    #[arg(value_enum)]
    pub form: Option<SchemaForm>,
}

/// A form of which there is a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaForm {
    Scenario,
    Experiment,
    Network,
    /// The carbon file of `coase flow` and `coase opf`
    Carbon,
    /// The bids of `coase auction`
    Auction,
    /// The game file of `coase game`
    Game,
}

/// An auction of plain bids: who trades what, and for how much
///
/// Any mechanism that needs nothing but bids and asks clears the list; `coase list mechanisms` names the auctions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase auction bids.ron --mechanism double-auction
  coase auction bids.ron --mechanism muda --seed 7 --json
  coase auction bids.ron --mechanism mcafee --reports '{\"s0\": (blocks: [(price_per_kwh: 3, quantity_kwh: 1)])}'

Bids and asks in blocks, best first; a side without bidders trades nothing, and a note says so:
  Auction(buyers: [(id: \"b0\", rating_kwh: 5, blocks: [(price_per_kwh: 1.0, quantity_kwh: 3)])],
          sellers: [(id: \"s0\", blocks: [(price_per_kwh: 0.2, quantity_kwh: 3)])], params: (kappa: 0.5))
`params` are the mechanism's own, `rating_kwh` is the sum of the blocks if it is left out. Ties go to whoever comes first. Prices
and quantities count to nine places after the point, prices up to 1e6 and a side up to 1e9 kWh.

Exit status: 0 cleared (no trade is a result), 1 no outcome, 2 bad input.")]
pub struct Auction {
    /// A file of bids
    #[arg(value_name = "FILE.ron")]
    pub file: PathBuf,
    /// Id of the mechanism, or the mechanism with its parameters
    #[arg(long, value_name = "ID")]
    pub mechanism: String,
    /// What mechanisms that draw lots draw them with
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// What these bidders say instead of the truth, which is the file: prints what everybody gains by it
    #[arg(long, value_name = "REPORTS")]
    pub reports: Option<String>,
    /// As JSON, numbers in full precision
    #[arg(long)]
    pub json: bool,
}

/// A game on plain numbers: divisions of a gain, choices of buyers, prices of sellers, strategic forms
///
/// The head word of the file says which game it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase game gains.ron
  coase game gains.ron --json

What groups gain by themselves, over standing alone; what is not given is 0:
  Coalitions(players: [\"a\", \"b\", \"c\"], values: [([\"a\", \"b\"], 2.25), ([\"a\", \"b\", \"c\"], 64.9)])
prints the Shapley value, the nucleolus, equal and marginal-proportional shares, which groups would do better by themselves,
and what the core leaves to each.

Buyers who spread over sellers at given prices, and the dynamics by which they do:
  Population(sellers: [(id: \"s1\", price_per_kwh: 0.55, quantity_kwh: 100, congestion_per_kwh: 0.3)],
    buyers: [(id: \"b1\", quantity_kwh: 60)], dynamics: Replicator(step: 0.8))
Sellers who post prices, knowing how buyers will spread:
  Pricing(sellers: [(id: \"s1\", cost_per_kwh: 0.3, quantity_kwh: 100, congestion_per_kwh: 0.3)],
    buyers: [(id: \"b1\", quantity_kwh: 60)], price_min_per_kwh: 0.3, price_max_per_kwh: 1.2)
A finite game, payoffs by profile with the last player's strategy moving fastest, and what learners make of it:
  NormalForm(players: [(id: \"row\", strategies: [\"T\", \"B\"]), (id: \"column\", strategies: [\"L\", \"R\"])],
    payoffs: [2, -2, -1, 1, -1, 1, 1, -1])
Sellers who choose quantities against a falling price, and an operator who keeps its quotation of each kWh:
  Cournot(intercept_per_kwh: 1.05, slope_per_kwh2: 0.002, sellers: [(id: \"s1\", cost_per_kwh: 0.30)], quotation_max_per_kwh: 0.7)
prints quantities, price, profits, the operator's best quotation and what sellers gain by other quantities.

What a mechanism plays in a scenario, to be checked here or elsewhere:
  coase game five_vpps.ron --mechanism pricing-game --period 12
  coase game five_vpps.ron --mechanism evolutionary-buyers --period 12 --export noon.ron
  coase game five_vpps.ron --mechanism pricing-game --period 12 --export noon.nfg

Exit status: 0 answered, 1 no answer that is proven, 2 bad input.")]
pub struct Game {
    /// A game file; or a scenario or experiment, whose mechanism plays one
    #[arg(value_name = "FILE.ron")]
    pub file: PathBuf,
    /// As JSON, numbers in full precision
    #[arg(long)]
    pub json: bool,
    /// Write the game: a name that ends in `.nfg` its strategic form in Gambit's format, which `NormalForm(..)` has, and `Pricing(..)`
    /// on a grid of prices; any other name the game file of what a mechanism plays
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Of a scenario or experiment: the mechanism, by its label there, or another by its id or as it is written in files
    #[arg(long, value_name = "ID")]
    pub mechanism: Option<String>,
    /// The label of the carbon policy; needed where there are several
    #[arg(long, value_name = "LABEL")]
    pub policy: Option<String>,
    /// The period, from 0; needed where something is played in several
    #[arg(long, value_name = "N")]
    pub period: Option<usize>,
    /// Overrides a parameter of the scenario or experiment
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<Override>,
}

/// Writes a commented starting point that runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coase new scenario my_village        my_village.ron
  coase new experiment my_study        my_study.ron and its scenario
  coase new mechanism my-rule          a crate my-rule/ with one mechanism, a program and an experiment
  coase new auction my-auction         a crate my-auction/ with one auction, a program and an experiment
  coase new policy my-tax              a crate my-tax/ with one carbon policy, a program and an experiment
  coase new device my-boiler           a crate my-boiler/ with one device, a program and an experiment")]
pub struct New {
    /// What
    pub kind: NewKind,
    /// Its name: a letter first, then letters, digits, `-` and `_`
    pub name: String,
}

/// What can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NewKind {
    /// A scenario file
    Scenario,
    /// An experiment file with its scenario
    Experiment,
    /// A crate with a mechanism of one's own
    Mechanism,
    /// A crate with an auction of one's own: a mechanism that clears books of bids
    Auction,
    /// A crate with a carbon policy of one's own
    Policy,
    /// A crate with a device of one's own
    Device,
}
