//! The evaluator: trusts nobody, knows the true market, and turns a cleared outcome into figures and certificates.
//!
//! Gains and efficiency are measured under the run's own final terms; runs under different policies are compared by social
//! cost, which holds resources only and never transfers.

mod accounts;
pub mod audit;
mod benchmark;
mod carbon;
mod certificates;
mod coalition;
mod expected;
mod fairness;
mod limits;
mod measures;
pub(crate) mod metrics;
mod repaired;
mod report_game;
mod standing;
pub(crate) mod tables;
mod traded;

pub use carbon::CarbonFigures;
pub use fairness::{gini, jain};
pub use report_game::{ReportGame, utility};
pub use tables::certificates::certificate_row;

use crate::engine::{Cleared, Ending};
use crate::error::MechanismError;
use crate::mechanism::Mechanism;
use crate::outcome::{Certificate, Ledger};
use crate::physical::{self, Physical};
use crate::policy::{CarbonPolicy, Responsibility};
use crate::setting::Setting;
use crate::table::RunRecord;
use crate::terms::Terms;
use accounts::Accounts;
use benchmark::Benchmark;
use coalition::Coalitions;
use limits::Beyond;
use repaired::{Compared, Repaired};
use standing::{Charges, Claims};
use std::sync::Arc;
use traded::Traded;

/// What outcomes are measured with: the same for everything that is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Yardstick {
    /// Resource value of upstream energy per period, per kWh.
    pub upstream_cost_per_kwh: Vec<f64>,
    /// Damage of a tonne of emissions.
    pub damage_per_tonne: f64,
    /// Whether groups that would do better alone are searched, and what the core leaves each (all coalitions, up to 12 members).
    pub core: Search,
    /// Whether regret is searched (the mechanism is run on every standard misreport).
    pub regret: Search,
    /// Whether the curves that explain the outcome are computed.
    pub curves: Search,
}

/// Whether an expensive search is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// It is.
    Made,
    /// It is not; the metric stays empty.
    Skipped,
}

/// Everything the figures are read from: the outcome's accounts and those of no trade under the same terms.
struct Case<'a> {
    cleared: &'a Cleared,
    mechanism: &'a dyn Mechanism,
    policy: &'a dyn CarbonPolicy,
    yardstick: &'a Yardstick,
    seed: u64,
    accounts: Accounts,
    /// Trades between members, and their prices.
    traded: Traded<'a>,
    /// No trade under the run's own final terms.
    alone: Accounts,
    alone_physical: Physical,
    responsibility: Responsibility,
    /// The policy's price of a tonne as applied, and what it was multiplied by.
    price: Option<(f64, f64)>,
    carbon: CarbonFigures,
    /// Whether participants decided under the terms they are charged by.
    charges: Charges,
    /// The outcome against the least cost of all together; `None` where that is not known.
    benchmark: Option<Benchmark>,
    /// Whether the trades of that answer are an arbitrary choice among some that cost the same.
    arbitrary_trades: bool,
    /// The comparison within the network's limits.
    repaired: Option<Repaired>,
    /// How far the outcome is beyond them; `None` without a network.
    beyond: Option<Beyond>,
    /// What groups would gain by themselves, where that was searched.
    coalitions: Option<Coalitions>,
    /// What is gained by misreporting, where that was searched.
    regret: Option<certificates::Regret>,
}

impl Case<'_> {
    /// The setting of the true market.
    fn setting(&self) -> &Setting {
        self.cleared.truth.setting()
    }

    /// What the mechanism claims of it.
    fn claims(&self) -> Claims<'_> {
        let &Self { mechanism, policy, cleared, charges, .. } = self;
        Claims { mechanism, policy, cleared, charges }
    }

    /// Gain of each member over no trade.
    fn gains(&self) -> Vec<f64> {
        self.alone
            .members
            .iter()
            .zip(&self.accounts.members)
            .map(|(before, after)| before.total_cost() - after.total_cost())
            .collect()
    }
}

/// A measured run.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Its rows in the result tables.
    pub record: RunRecord,
    /// All certificates: the mechanism's own evidence, then the evaluator's.
    pub certificates: Vec<Certificate>,
    /// How the run ended in view of them.
    pub ending: Ending,
    /// The complete ledger.
    pub ledger: Ledger,
    /// Gain of each member over no trade under the same terms.
    pub gains: Vec<f64>,
}

/// Measures a cleared outcome; one that is kept in several realisations, in each of them and in expectation.
///
/// # Errors
/// If a question to the true participants, or to the network without trade, has no answer.
pub fn evaluate(
    cleared: &Cleared,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
    seed: u64,
    yardstick: &Yardstick,
) -> Result<Evaluation, MechanismError> {
    if cleared.realisations.is_empty() {
        return in_one(cleared, mechanism, policy, seed, yardstick);
    }
    let each = cleared.each();
    let found = each.iter().map(|(weight, one)| Ok((*weight, in_one(one, mechanism, policy, seed, yardstick)?)));
    let found: Vec<(f64, Evaluation)> = found.collect::<Result<_, MechanismError>>()?;
    let (record, certificates, ledger, gains) = expected::all(&found);
    let ending = cleared.ending(&certificates);
    Ok(Evaluation { record, certificates, ending, ledger, gains })
}

/// Measures an outcome in one realisation.
fn in_one(
    cleared: &Cleared,
    mechanism: &dyn Mechanism,
    policy: &dyn CarbonPolicy,
    seed: u64,
    yardstick: &Yardstick,
) -> Result<Evaluation, MechanismError> {
    let setting = cleared.truth.setting();
    let outcome = &cleared.outcome;
    let account = |physical: &Physical, ledger: &Ledger, imposed: &[Terms]| {
        Accounts::new(cleared, physical, ledger, imposed, policy, yardstick)
    };
    let alone_plans = cleared.truth.each(|l| l.remembered_autarky())?;
    let traded =
        cleared.physical.plans.iter().zip(&alone_plans).any(|(plan, alone)| !Arc::ptr_eq(plan, alone) && plan != alone);
    let alone_physical = if traded {
        physical::of_plans(setting, alone_plans, policy.storage_rule())
            .map_err(|error| MechanismError::WithoutTrade(Box::new(error.into())))?
    } else {
        cleared.physical.clone()
    };
    let charges = Charges::of(policy, cleared);
    // Seen terms are those of the run, anchor of a fixed point included.
    let charged = match charges {
        Charges::Hidden => cleared.truth.under(&policy.charged_terms(setting, &cleared.signal)),
        Charges::Seen => cleared.truth.clone(),
    };
    // A coalition that cannot be solved leaves efficiency empty; it does not spoil the run.
    let together = charged.remembered(&charged.grand()).ok();
    let accounts = account(&cleared.physical, &outcome.ledger, &outcome.imposed);
    let alone = account(&alone_physical, &Ledger::default(), &[]);
    let compared = Compared {
        cleared,
        mechanism,
        policy,
        seed,
        accounts: &accounts,
        alone: &alone,
        alone_physical: &alone_physical,
        charged: &charged,
    };
    let benchmark = match policy.scarcity(setting, &cleared.physical) {
        Some(scarcity) => compared.within_what_is_scarce(&scarcity),
        None => together.as_ref().map(|best| Benchmark {
            outcome: accounts.operating_and_carbon(),
            alone: alone.operating_and_carbon(),
            least: best.cost,
            gap: best.gap,
        }),
    };
    let repaired = compared.repaired(&account, measures::NOTHING_TO_GAIN);
    let responsibility = policy.responsibility(setting, &cleared.physical, &cleared.signal);
    let mut case = Case {
        beyond: Beyond::of(setting, &cleared.physical),
        coalitions: None,
        regret: None,
        repaired,
        carbon: CarbonFigures::of(cleared, policy, &accounts, &responsibility),
        accounts,
        traded: Traded::new(setting, outcome),
        alone,
        responsibility,
        price: policy.price_per_tonne().map(|price| (price, policy.price_factor())),
        charges,
        alone_physical,
        benchmark,
        arbitrary_trades: traded && together.is_some_and(|best| best.arbitrary),
        cleared,
        mechanism,
        policy,
        yardstick,
        seed,
    };
    let evidence = policy.evidence(setting, &cleared.physical, &cleared.signal);
    case.coalitions = (yardstick.core == Search::Made).then(|| coalition::search(&case));
    case.regret = (yardstick.regret == Search::Made).then(|| certificates::regret(&case));
    let certificates = certificates::all(&case, evidence);
    let record = RunRecord {
        metrics: metrics::row(&case),
        participants: tables::participants::rows(&case),
        periods: tables::periods::rows(&case),
        trades: tables::trades::rows(&case),
        nodes: tables::nodes::rows(&case),
        branches: tables::branches::rows(&case),
        certificates: certificates.iter().map(certificate_row).collect(),
        convergence: tables::convergence::rows(&case),
        ledger: tables::ledger::rows(&case),
        curves: if yardstick.curves == Search::Made { tables::curves::rows(&case)? } else { vec![] },
    };
    let gains = case.gains();
    let ending = cleared.ending(&certificates);
    Ok(Evaluation { record, certificates, ending, ledger: case.accounts.ledger, gains })
}
