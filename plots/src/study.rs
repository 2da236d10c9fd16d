//! One scenario of a result store at one point of the sweeps: what figures and tables are drawn from.

use crate::figure::Figure;
use crate::identity::{Entity, Identity};
use crate::store::{ParticipantRow, PeriodRow, Run, Store};
use crate::text::{self, literal};
pub use crate::wanted::Wanted;
use coase_core::statistics::{Estimate, estimate};
use coase_store::{Facts, RunStatus};
use std::collections::{BTreeMap, BTreeSet};

/// Mechanisms that nobody would run as a market: they bound the others.
const BENCHMARKS: [&str; 2] = [GRID_ONLY, "central-optimum"];
/// What gains are measured against.
const GRID_ONLY: &str = "grid-only";
pub(crate) const NO_POLICY: &str = "none";
/// The party that receives what is paid for carbon.
const AUTHORITY: &str = "authority";

/// The runs of a scenario, by mechanism and policy.
#[derive(Clone, Debug)]
pub struct Study<'a> {
    pub store: &'a Store,
    pub identity: &'a Identity,
    pub scenario: String,
    pub facts: Facts,
    /// Mechanisms with a converged run; places in the identity.
    pub mechanisms: Vec<usize>,
    /// Policies with a converged run; places in the identity.
    pub policies: Vec<usize>,
    /// Participants of the scenario; places in the identity.
    pub participants: Vec<usize>,
    /// Runs at this point that did not converge and are in no figure; places in the store.
    pub left_out: Vec<usize>,
    /// The point of the sweeps that is shown: a value of every swept parameter, as written.
    pub(crate) point: Vec<String>,
    /// What the user wants of the figure.
    pub wanted: Wanted,
    /// What its panels are, where the user says so: the study cut to what each shows, with its name.
    pub facets: Vec<(String, Study<'a>)>,
    pub clock: Clock,
    cells: BTreeMap<(usize, usize), Vec<usize>>,
    /// The rows of participants by run.
    rows: BTreeMap<usize, Vec<&'a ParticipantRow>>,
}

/// How time is shown.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clock {
    pub periods: usize,
    /// Width of a period on the axis: hours, or 1 where its length is not known.
    pub step: f64,
    pub label: &'static str,
}

/// A quantity on an axis: multiply by the factor, print the unit.
#[derive(Clone, PartialEq, Debug)]
pub struct Unit {
    pub factor: f64,
    pub label: String,
}

impl<'a> Study<'a> {
    /// The studies of a store, one for each scenario, at the first point of the sweeps.
    pub fn all(store: &'a Store, identity: &'a Identity) -> Vec<Study<'a>> {
        Self::scenarios(store).into_iter().map(|s| Study::of(store, identity, s, Wanted::default())).collect()
    }

    /// The scenarios of a store, in order.
    pub fn scenarios(store: &Store) -> Vec<&str> {
        let mut scenarios: Vec<&str> = Vec::new();
        for run in &store.runs {
            if !scenarios.contains(&run.scenario.as_str()) {
                scenarios.push(&run.scenario);
            }
        }
        scenarios
    }

    /// What is wanted of a scenario.
    pub fn of(store: &'a Store, identity: &'a Identity, scenario: &str, wanted: Wanted) -> Study<'a> {
        let of_scenario = || store.runs.iter().enumerate().filter(|(_, r)| r.scenario == scenario);
        // a mechanism or policy without the swept field has an empty column and belongs to every point
        let value = |column: usize| {
            let mut values = of_scenario().map(|(_, r)| r.sweep[column].as_str()).filter(|v| !v.is_empty());
            let is_wanted = |value: &&str| wanted.at.get(&column).is_none_or(|wanted| wanted.is_written(value));
            values.find(is_wanted).unwrap_or("").to_owned()
        };
        let point: Vec<String> = (0..store.sweeps.len()).map(value).collect();
        let mut study = Study {
            store,
            identity,
            scenario: scenario.to_owned(),
            facts: store.facts(scenario),
            mechanisms: Vec::new(),
            policies: Vec::new(),
            participants: Vec::new(),
            left_out: Vec::new(),
            point,
            wanted,
            facets: Vec::new(),
            clock: Clock::of(store, scenario),
            cells: BTreeMap::new(),
            rows: BTreeMap::new(),
        };
        for (i, run) in of_scenario() {
            if !study.is_at_point(run, &[]) {
                continue;
            }
            if run.status != RunStatus::Converged {
                if study.has(run, &[]) {
                    study.left_out.push(i);
                }
                continue;
            }
            let (Some(m), Some(p)) = (identity.mechanism(&run.variant), identity.policy(&run.carbon_label)) else {
                continue;
            };
            insert(&mut study.mechanisms, m);
            insert(&mut study.policies, p);
            study.cells.entry((m, p)).or_default().push(i);
        }
        for row in store.participants.iter().filter(|r| store.runs[r.run].scenario == scenario) {
            study.rows.entry(row.run).or_default().push(row);
            if let Some(i) = identity.participant(&row.participant) {
                insert(&mut study.participants, i);
            }
        }
        for (found, wanted) in [
            (&mut study.mechanisms, &study.wanted.mechanisms),
            (&mut study.policies, &study.wanted.policies),
            (&mut study.participants, &study.wanted.participants),
        ] {
            if !wanted.is_empty() {
                *found = wanted.iter().copied().filter(|place| found.contains(place)).collect();
            }
        }
        study
    }

    /// Whether a run is one of those that the study shows, at its point of the sweeps but for the columns that are `free`;
    /// however it ended.
    pub fn has(&self, run: &Run, free: &[usize]) -> bool {
        let chosen = |wanted: &[usize], place: Option<usize>| {
            wanted.is_empty() || place.is_some_and(|place| wanted.contains(&place))
        };
        self.is_at_point(run, free)
            && chosen(&self.wanted.mechanisms, self.identity.mechanism(&run.variant))
            && chosen(&self.wanted.policies, self.identity.policy(&run.carbon_label))
    }

    /// The same of any mechanism and policy: what is not shown may be what others are compared with.
    fn is_at_point(&self, run: &Run, free: &[usize]) -> bool {
        let mut swept = run.sweep.iter().zip(&self.point).enumerate();
        run.scenario == self.scenario
            && self.wanted.seed.is_none_or(|seed| run.seed == seed)
            && swept.all(|(column, (value, here))| free.contains(&column) || value.is_empty() || value == here)
    }

    /// Width of a figure in mm: what the user wants, else what it needs.
    pub fn width_mm(&self, needed: f64) -> f64 {
        self.wanted.width_mm.unwrap_or(needed)
    }

    /// An empty figure that needs a width and a height, mm; where the user wants it narrower it grows in height.
    pub fn figure(&self, needed_mm: f64, height_mm: f64) -> Figure {
        Figure::new(self.width_mm(needed_mm), height_mm).needing(needed_mm)
    }

    pub fn mechanism(&self, m: usize) -> &'a Entity {
        &self.identity.mechanisms[m]
    }

    pub fn policy(&self, p: usize) -> &'a Entity {
        &self.identity.policies[p]
    }

    pub fn participant(&self, i: usize) -> &'a Entity {
        &self.identity.participants[i]
    }

    /// The converged runs of a cell, one for each seed.
    pub fn runs(&self, m: usize, p: usize) -> &[usize] {
        self.cells.get(&(m, p)).map_or(&[], Vec::as_slice)
    }

    /// Converged runs that are shown.
    pub fn run_count(&self) -> usize {
        let cells = self.mechanisms.iter().flat_map(|m| self.policies.iter().map(move |p| self.runs(*m, *p)));
        cells.map(<[usize]>::len).sum()
    }

    /// Most seeds in one cell.
    pub fn seeds(&self) -> usize {
        self.cells.values().map(Vec::len).max().unwrap_or(0)
    }

    /// Whether any figure differs between the seeds of a cell.
    pub fn seeds_matter(&self) -> bool {
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())),
            (a, b) => a.is_none() && b.is_none(),
        };
        let metrics = |run: usize| self.store.runs[run].metrics.iter().copied();
        let alike = |runs: &Vec<usize>| {
            runs.iter().skip(1).all(|run| metrics(*run).zip(metrics(runs[0])).all(|(a, b)| near(a, b)))
        };
        !self.cells.values().all(alike)
    }

    /// A metric of a cell over its seeds.
    pub fn metric(&self, m: usize, p: usize, name: &str) -> Option<Estimate> {
        let samples = self.runs(m, p).iter().filter_map(|r| self.store.metric(*r, name));
        estimate(&samples.map(without_noise).collect::<Vec<_>>())
    }

    /// A sum of metrics of a cell over its seeds, a sample for each run that knows all of them.
    pub fn sum_of_metrics(&self, m: usize, p: usize, names: &[&str]) -> Option<Estimate> {
        let of_run = |run: &usize| names.iter().map(|name| self.store.metric(*run, name)).sum::<Option<f64>>();
        estimate(&self.runs(m, p).iter().filter_map(of_run).map(without_noise).collect::<Vec<_>>())
    }

    /// A figure of a participant in a cell over its seeds.
    pub fn of_participant(
        &self,
        (m, p): (usize, usize),
        participant: usize,
        value: impl Fn(&ParticipantRow) -> Option<f64>,
    ) -> Option<Estimate> {
        let key = &self.participant(participant).key;
        let of_run = |run: &usize| self.rows.get(run).into_iter().flatten().filter(|r| r.participant == *key);
        let rows = self.runs(m, p).iter().flat_map(of_run);
        estimate(&rows.filter_map(|r| value(r)).map(without_noise).collect::<Vec<_>>())
    }

    /// The sum of a figure over participants in a cell over its seeds, a sample for each run that knows some of it.
    pub fn of_participants(
        &self,
        (m, p): (usize, usize),
        participants: &[usize],
        value: impl Fn(&ParticipantRow) -> Option<f64>,
    ) -> Option<Estimate> {
        let keys: BTreeSet<&str> = participants.iter().map(|i| self.participant(*i).key.as_str()).collect();
        let chosen = |r: &&&ParticipantRow| keys.contains(r.participant.as_str());
        let sum = |run: &usize| {
            let known: Vec<f64> =
                self.rows.get(run).into_iter().flatten().filter(chosen).filter_map(|r| value(r)).collect();
            (!known.is_empty()).then(|| without_noise(known.iter().sum()))
        };
        estimate(&self.runs(m, p).iter().filter_map(sum).collect::<Vec<_>>())
    }

    /// The run without trade, whether it is shown or not.
    pub fn baseline(&self) -> Option<usize> {
        self.cells.keys().map(|(m, _)| *m).find(|m| self.mechanism(*m).id == GRID_ONLY)
    }

    /// All mechanisms but the run without trade.
    pub fn trading(&self) -> Vec<usize> {
        self.mechanisms.iter().copied().filter(|m| Some(*m) != self.baseline()).collect()
    }

    /// The policy under which details are shown: the first that the user names, else the first with a carbon price.
    pub fn reference_policy(&self) -> Option<usize> {
        let priced = self.policies.iter().copied().find(|p| self.policy(*p).id != NO_POLICY);
        let first = self.policies.first().copied().filter(|_| !self.wanted.policies.is_empty());
        first.or(priced).or_else(|| self.policies.first().copied())
    }

    /// The market whose details are shown under a policy: the first that the user names, else least social cost among those that
    /// are no benchmark, then least total cost, then the first.
    pub fn best_market(&self, p: usize) -> Option<usize> {
        let ran: Vec<usize> = self.mechanisms.iter().copied().filter(|m| !self.runs(*m, p).is_empty()).collect();
        if !self.wanted.mechanisms.is_empty() {
            return ran.first().copied();
        }
        let markets: Vec<usize> =
            ran.iter().copied().filter(|m| !BENCHMARKS.contains(&self.mechanism(*m).id.as_str())).collect();
        let candidates = if markets.is_empty() { ran } else { markets };
        let by_social_cost = self.cheapest(&candidates, p, "social_cost");
        self.cheapest(&by_social_cost, p, "total_cost").first().copied()
    }

    /// The mechanisms of least cost; what differs by less than the tolerance of a solver is a tie.
    fn cheapest(&self, candidates: &[usize], p: usize, metric: &str) -> Vec<usize> {
        let cost = |m: usize| self.metric(m, p, metric).map_or(f64::INFINITY, |e| e.mean);
        let least = candidates.iter().map(|m| cost(*m)).fold(f64::INFINITY, f64::min);
        let tied = |m: &usize| cost(*m) <= least + 1e-6 * (1.0 + least.abs());
        candidates.iter().copied().filter(tied).collect()
    }

    /// The periods of the energy product of a participant in a run, in order.
    pub fn periods(&self, run: usize, participant: usize) -> Vec<PeriodRow> {
        let key = &self.participant(participant).key;
        in_order(self.store.periods(run).iter().filter(|r| r.participant == *key))
    }

    /// The same of all participants of the study, in their order.
    pub fn all_periods(&self, run: usize) -> Vec<Vec<PeriodRow>> {
        let all = self.store.periods(run);
        let mut of: BTreeMap<&str, Vec<&PeriodRow>> = BTreeMap::new();
        all.iter().for_each(|row| of.entry(&row.participant).or_default().push(row));
        let rows = |i: &usize| of.remove(self.participant(*i).key.as_str()).unwrap_or_default();
        self.participants.iter().map(rows).map(|rows| in_order(rows.into_iter())).collect()
    }

    /// What everybody pays for carbon on balance, refunds taken off, in a cell: by party, means over seeds. The authority
    /// is the receiver and not among them, so that the sum is its revenue.
    pub fn carbon_payments(&self, m: usize, p: usize) -> BTreeMap<String, f64> {
        const REASONS: [&str; 2] = ["carbon", "carbon refund"];
        let runs = self.runs(m, p);
        let mut paid: BTreeMap<String, f64> = BTreeMap::new();
        for run in runs {
            let ledger = self.store.ledger(*run);
            for row in ledger.iter().filter(|r| REASONS.contains(&r.reason.as_str())) {
                for (party, amount) in [(&row.from, row.amount), (&row.to, -row.amount)] {
                    if party != AUTHORITY {
                        *paid.entry(party.clone()).or_default() += amount / runs.len() as f64;
                    }
                }
            }
        }
        paid
    }

    /// The trunk and the laterals of the feeder, if the manifest tells them for just these buses; else one strand.
    pub fn strands(&self, buses: &[u64]) -> Vec<Vec<u64>> {
        let sorted = |mut v: Vec<u64>| {
            v.sort_unstable();
            v
        };
        let told = sorted(self.facts.feeder.iter().flatten().copied().collect());
        if told == sorted(buses.to_vec()) { self.facts.feeder.clone() } else { vec![buses.to_vec()] }
    }

    /// "/day" where the horizon is one.
    fn per(&self) -> &'static str {
        let clock = self.clock;
        let day = clock.label == "Hour of day" && (clock.end() - 24.0).abs() < 1e-9;
        if day { "/day" } else { "" }
    }

    /// Unit of money over the horizon, for values up to `largest`.
    pub fn money(&self, largest: f64) -> Unit {
        let (factor, power) = thousands(largest);
        Unit { factor, label: format!("{power}{}{}", self.currency(), self.per()) }
    }

    /// Unit of carbon over the horizon, for values up to `largest` kg.
    pub fn carbon(&self, largest: f64) -> Unit {
        let (factor, unit) = if largest >= 2000.0 { (1e-3, "t") } else { (1.0, "kg") };
        let (thousands, power) = thousands(largest * factor);
        Unit { factor: factor * thousands, label: format!("{power}{unit} CO_2{}", self.per()) }
    }

    /// The name of the currency.
    pub fn currency(&self) -> String {
        literal(self.facts.currency.as_deref().unwrap_or("currency units"))
    }
}

impl Clock {
    /// The periods of a scenario and their length.
    pub(crate) fn of(store: &Store, scenario: &str) -> Clock {
        let facts = store.facts(scenario);
        // Swept horizons differ from run to run; else one number is true of all.
        let told = facts.periods.filter(|_| !store.sweeps.iter().any(|path| path.starts_with("experiment.")));
        let periods = told.unwrap_or_else(|| {
            let of_scenario = store.runs.iter().enumerate().filter(|(_, r)| r.scenario == scenario).map(|(run, _)| run);
            let last = |run: usize| {
                let from_periods = store.periods(run).iter().map(|r| r.period + 1).max();
                from_periods.max(store.nodes(run).iter().map(|r| r.period + 1).max()).unwrap_or(0)
            };
            of_scenario.map(last).max().unwrap_or(0)
        });
        // a day in 24 periods needs no saying
        match facts.period_h.or((periods == 24).then_some(1.0)) {
            Some(step) if step > 0.0 => Clock { periods, step, label: "Hour of day" }.beyond_a_day(),
            _ => Clock { periods, step: 1.0, label: "Period" },
        }
    }

    /// End of the horizon on the axis.
    pub fn end(&self) -> f64 {
        self.periods as f64 * self.step
    }

    /// A period in a sentence: "hour 18-19", or "period 5" where the length of periods is not known.
    pub fn named(&self, period: usize) -> String {
        if self.label == "Period" {
            return format!("period {period}");
        }
        let hour = |t: usize| {
            let hours = t as f64 * self.step;
            text::plain_number(hours, usize::from((hours - hours.round()).abs() > 1e-9))
        };
        format!("hour {}\u{2013}{}", hour(period), hour(period + 1))
    }

    /// Beyond a day the hours count on.
    fn beyond_a_day(self) -> Clock {
        if self.end() > 24.0 + 1e-9 { Clock { label: "Hour", ..self } } else { self }
    }

    pub fn axis(&self, label: &str) -> crate::axis::Axis {
        crate::axis::Axis::hours(self.end(), label)
    }
}

/// Power in kW or MW, for values up to `largest` kW.
pub fn power(largest: f64) -> Unit {
    if largest >= 1000.0 { Unit { factor: 1e-3, label: "MW".into() } } else { Unit { factor: 1.0, label: "kW".into() } }
}

/// Residuals of solvers are allowed to be this large; a quantity that is smaller is zero.
const NOISE: f64 = 1e-6;

/// A quantity, zero where it is smaller than what solvers are allowed.
pub(crate) fn without_noise(value: f64) -> f64 {
    if value.abs() < NOISE { 0.0 } else { value }
}

/// What differs by less of its size is equal: solvers are allowed as much.
pub(crate) const SAME: f64 = 1e-6;

/// The largest magnitude.
pub fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(f64::abs).fold(0.0, f64::max)
}

fn thousands(largest: f64) -> (f64, String) {
    let mut exponent = 0;
    while largest >= 2.0 * 10f64.powi(exponent + 3) {
        exponent += 3;
    }
    let power = if exponent == 0 { String::new() } else { text::power_of_ten(exponent) + " " };
    (10f64.powi(-exponent), power)
}

/// The rows of the energy product, which comes first, by period.
fn in_order<'a>(rows: impl Iterator<Item = &'a PeriodRow>) -> Vec<PeriodRow> {
    let mut rows: Vec<PeriodRow> = rows.cloned().collect();
    if let Some(first) = rows.first().map(|r| r.product.clone()) {
        rows.retain(|r| r.product == first);
    }
    rows.sort_by_key(|r| r.period);
    rows
}

fn insert(places: &mut Vec<usize>, place: usize) {
    if let Err(at) = places.binary_search(&place) {
        places.insert(at, place);
    }
}
