//! Claims about outcomes: budget, individual rationality, efficiency, core, equilibrium, and the ledger.
//!
//! Such a claim is about every market, not about one. Every report that the search for misreports may try describes a market of
//! its own, in which it is the truth; the evaluator judges the mechanism there as in any run, and the worst that it finds
//! counts.

use super::bench::{Counts, Said};
use super::search::is_better;
use super::space::Space;
use super::truthful::chosen;
use super::{Audit, Finding, Found};
use crate::engine::{self, Cleared, Reporting};
use crate::error::MechanismError;
use crate::evaluate::{Evaluation, Search, Yardstick, evaluate};
use crate::market::Market;
use crate::outcome::{Certificate, Claim, Status, Verdict};
use crate::participant::Distortion;
use rayon::prelude::*;
use std::cmp::Ordering;

/// Claims about outcomes, and the certificates that judge them.
const JUDGED: [(Option<Claim>, &str); 7] = [
    (Some(Claim::IndividuallyRational), "individual_rationality"),
    (Some(Claim::BudgetBalanced), "budget_balance"),
    (Some(Claim::NoDeficit), "no_deficit"),
    (Some(Claim::Efficient), "efficiency"),
    (Some(Claim::Core), "core_excess"),
    (Some(Claim::Equilibrium), "equilibrium_gap"),
    (None, "ledger_balance"),
];
/// Reports of one member that describe other markets.
const REPORTS: usize = 10;
/// Most members of a market of which all groups are asked again for every report.
const MOST_IN_CORE: usize = 5;

/// The market that reports describe: they are the truth in it, and what is public follows from them.
pub(super) fn described(market: &Market, said: &Said) -> Market {
    if said.is_empty() {
        return market.clone();
    }
    let tell = |market: Market, (seat, what): &(usize, Distortion)| market.with_report(*seat, &what.report());
    said.iter().fold(market.clone(), tell).as_reported()
}

impl Audit<'_> {
    /// What comes of the mechanism if all tell the truth, and what the evaluator says of it.
    pub(super) fn judged(&self, market: &Market, core: bool) -> Result<(Cleared, Evaluation), MechanismError> {
        let entered = engine::enter(market, self.policy);
        let cleared = engine::clear(self.mechanism, &entered, self.policy, &Reporting::Truthful, self.seed, ())?;
        let search = |made| if made { Search::Made } else { Search::Skipped };
        let yardstick = Yardstick { core: search(core), regret: Search::Skipped, ..self.yardstick.clone() };
        let found = evaluate(&cleared, self.mechanism, self.policy, self.seed, &yardstick)?;
        Ok((cleared, found))
    }

    /// The worst of every claim over the market itself and those that searched reports describe.
    pub(super) fn outcomes(&self, truth: &Evaluation, spaces: &[Space], allowance: usize) -> Vec<Finding> {
        let core = self.market.len() <= MOST_IN_CORE;
        let all = reports(spaces, allowance);
        let counts = Counts::default();
        let one = |said: &Said| {
            let found = self.judged(&described(self.market, said), core).ok();
            let converged = found.filter(|(_, found)| found.ending.status == Status::Converged);
            let certificates = converged.map(|(_, found)| found.certificates);
            counts.count(self.watch, certificates).map(|found| (said.clone(), found))
        };
        let mut judged: Vec<(Said, Vec<Certificate>)> = vec![(vec![], truth.certificates.clone())];
        let of_others: Vec<Option<_>> = all.par_iter().map(one).collect();
        judged.extend(of_others.into_iter().flatten());
        let (tried, failed) = counts.read();
        let named = |name: &str| {
            let of = |(said, found): &(Said, Vec<Certificate>)| {
                found.iter().find(|c| c.name == name).map(|c| (said.clone(), c.clone()))
            };
            judged.iter().filter_map(of).collect::<Vec<_>>()
        };
        let finding = |(claim, certificate): (Option<Claim>, &'static str)| -> Option<Finding> {
            let all = named(certificate);
            let here = all.iter().find(|(said, _)| said.is_empty()).cloned();
            let worst = all.into_iter().reduce(|worst, next| if is_worse(&next.1, &worst.1) { next } else { worst })?;
            // That a claim holds in other markets does not make its condition hold in this one.
            let excepted = here.filter(|(_, own)| own.verdict == Verdict::NotApplicable);
            let is_refuted = worst.1.verdict == Verdict::Refuted;
            let (said, worst) = excepted.filter(|_| !is_refuted).unwrap_or(worst);
            let asked = if certificate == "core_excess" && !core { (0, 0) } else { (tried, failed) };
            let others = match asked.0 {
                0 => String::new(),
                count => format!(" and {count} markets that reports of one member describe"),
            };
            let place = if said.is_empty() { String::new() } else { format!("if {}", self.words(&said)) };
            let witness = [worst.witness.clone(), place].into_iter().filter(|part| !part.is_empty());
            Some(Finding {
                name: claim.map_or(certificate, Claim::name),
                claim,
                searched: format!("the market as it is{others}"),
                tried: 1 + asked.0,
                failed: asked.1,
                found: Found::AsIf(self.named(&said)),
                certificate: Certificate { witness: witness.collect::<Vec<_>>().join(", "), ..worst },
            })
        };
        JUDGED.into_iter().filter_map(finding).collect()
    }
}

/// Whether one is worse than another: a refuted claim, then one that holds, then a figure, then what does not apply; the larger
/// value of equals.
fn is_worse(one: &Certificate, other: &Certificate) -> bool {
    let rank = |certificate: &Certificate| match certificate.verdict {
        Verdict::Refuted => 4,
        Verdict::Upheld => 3,
        Verdict::Measured => 2,
        Verdict::NotApplicable => 1,
        Verdict::NotSearched => 0,
    };
    match rank(one).cmp(&rank(other)) {
        Ordering::Equal => one.value.is_some_and(|value| other.value.is_none_or(|than| is_better(value, than))),
        order => order.is_gt(),
    }
}

/// Reports of one member each that describe other markets.
fn reports(spaces: &[Space], allowance: usize) -> Vec<Said> {
    let of_seat = |seat: usize| {
        let (low, high) = spaces[seat].bounds[1];
        let factors = [0.5, 0.75, 1.25, 1.5].map(|k| Distortion { price_factor: k, ..Distortion::TRUTH });
        let shifts = [low, 0.5 * low, 0.5 * high, high]
            .map(|price_shift_per_kwh| Distortion { price_shift_per_kwh, ..Distortion::TRUTH });
        let quantities = [0.25, 0.5].map(|s| Distortion { quantity_factor: s, ..Distortion::TRUTH });
        let all = factors.into_iter().chain(shifts).chain(quantities);
        all.map(|report| vec![(seat, report)]).collect::<Vec<_>>()
    };
    let mut all: Vec<Said> = chosen(spaces.len(), allowance, REPORTS).into_iter().flat_map(of_seat).collect();
    all.truncate(allowance);
    all
}
