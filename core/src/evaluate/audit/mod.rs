//! The audit: searches for counter-examples to what a mechanism claims, on one market.
//!
//! Three kinds of claim, three searches. Truthfulness is a claim about *players*: the mechanism is run on reports that are not
//! true and the outcome is valued by the true participants (`truthful.rs`, `bayesian.rs`). Budget, rationality, efficiency and
//! the like are claims about *outcomes*: the evaluator judges them on the market and on those that reports describe
//! (`described.rs`). Groups of two and split accounts are what no mechanism here claims to be safe against, and are figures.
//!
//! A search that finds nothing proves nothing: `upheld` means that what is named as searched was searched. A report without an
//! outcome is counted as such and is neither a gain nor a loss. Under a policy with a signal the members take the signal as it
//! is, as price-takers. The answer does not depend on the number of threads.

mod accounts;
mod bayesian;
pub(crate) mod bench;
mod bids;
mod described;
mod dimension;
mod groups;
mod list;
pub(crate) mod search;
pub(crate) mod space;
mod truthful;

pub use bids::{Bidder, market_of_bids};
pub use dimension::{Dimension, DimensionHandle, Family, Lie, dimensions};
pub use list::{BidGain, BidRegret, DEFAULT_LIST_BUDGET, Got, ListAudit, ListAudited, Offer};
pub use truthful::{Gain, Regret};

use super::standing::{Charges, Claims};
use crate::engine::Cleared;
use crate::error::MechanismError;
use crate::evaluate::Yardstick;
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Certificate, Claim, Verdict};
use crate::participant::Distortion;
use crate::policy::CarbonPolicy;
use crate::words::number;
use bench::{Bench, Said};
use space::{Grid, Space};

pub use space::Within;

/// Runs of the mechanism that an audit takes, about, if nobody says otherwise.
pub const DEFAULT_BUDGET: usize = 5_000;

/// Whoever watches an audit.
pub trait Watch: Sync {
    /// One more run of the mechanism is done.
    fn ran(&self) {}
}

impl Watch for () {}

/// A mechanism on a market under a policy, to be audited.
pub struct Audit<'a> {
    /// The mechanism.
    pub mechanism: &'a dyn Mechanism,
    /// The true market.
    pub market: &'a Market,
    /// The carbon policy.
    pub policy: &'a dyn CarbonPolicy,
    /// What outcomes are measured with; what it says of searches is not looked at.
    pub yardstick: &'a Yardstick,
    /// Seed of all runs: every report meets the same luck.
    pub seed: u64,
    /// About how many runs of the mechanism it may take.
    pub budget: usize,
    /// Between which numbers prices and quantities are misreported.
    pub within: Within,
    /// Whoever watches.
    pub watch: &'a dyn Watch,
}

/// Where a finding was made, so that it can be made again.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// With these reports, by the ids of the members that make them; the others are truthful.
    Reports(Vec<(String, Distortion)>),
    /// On the market in which these reports are the truth; none: on the market itself.
    AsIf(Vec<(String, Distortion)>),
    /// On a list, with these offers, by the ids of the bidders that make them; the others are truthful.
    Bids(Vec<(String, Offer)>),
    /// On the list on which these offers are the truth; none: on the list itself.
    AsIfBids(Vec<(String, Offer)>),
    /// With reports that a rule makes.
    Rule {
        /// The rule as files have it.
        rule: String,
        /// Who says what.
        words: String,
    },
    /// With an account of this member split in two, of which the first has this share.
    Split {
        /// The member.
        member: String,
        /// Share of its first account.
        share: f64,
    },
    /// Nowhere in particular.
    Nowhere,
}

/// What came of one claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Name of the claim, or of the figure.
    pub name: &'static str,
    /// The claim; `None`: a figure that no mechanism claims anything about.
    pub claim: Option<Claim>,
    /// Value, tolerance, verdict and witness.
    pub certificate: Certificate,
    /// What was searched, in words.
    pub searched: String,
    /// Runs of the mechanism.
    pub tried: usize,
    /// Those among them without an outcome.
    pub failed: usize,
    /// Where it was found.
    pub found: Found,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq)]
pub struct Audited {
    /// One finding per claim, then figures.
    pub findings: Vec<Finding>,
    /// What members gain by reports, in the order of their seats; those that were examined.
    pub regrets: Vec<Regret>,
}

impl Audited {
    /// Whether a claim that the mechanism makes here was refuted.
    pub fn refutes(&self) -> bool {
        self.findings.iter().any(|finding| finding.certificate.verdict == Verdict::Refuted)
    }

    /// A finding by its name.
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.name == name)
    }
}

impl Audit<'_> {
    /// Searches.
    ///
    /// # Errors
    /// If the mechanism has no outcome on the true market: there is nothing to compare with.
    pub fn run(&self) -> Result<Audited, MechanismError> {
        let members = self.market.len();
        // All groups are asked: of many only where somebody says that none of them objects.
        let claimed = self.mechanism.plugin().claims.iter().any(|(claim, _)| *claim == Claim::Core);
        let most_in_core = if claimed { 12 } else { 8 };
        let (cleared, truth) = self.judged(self.market, members <= most_in_core)?;
        let market = &cleared.truth;
        let grid = Grid::of(market);
        let spaces: Vec<Space> =
            (0..members).map(|seat| Space::of(market, seat, grid.as_ref(), &self.within)).collect();
        let claims = self.claims(&cleared);
        let tolerance = tolerance(&cleared);
        let mut findings = vec![];

        let bench = Bench::new(self.mechanism, market, self.seed, self.watch);
        let (now, regrets) = truthful::search(&bench, &spaces, self.budget / 2)?;
        findings.push(self.truthful(&claims, &bench, &regrets, grid.as_ref(), tolerance));

        let is_bayesian = self.mechanism.plugin().claims.iter().any(|(claim, _)| *claim == Claim::BayesianTruthful);
        if is_bayesian {
            findings.push(self.bayesian(&claims, &bench, &spaces, tolerance));
        }
        findings.extend(self.outcomes(&truth, &spaces, self.budget / 5));
        findings.extend(self.pairs(&bench, &spaces, &regrets, &now));
        findings.push(self.splits(&bench, &regrets, &now));
        let seats: Vec<usize> = regrets.iter().map(|regret| regret.seat).collect();
        let further = dimensions().into_iter().map(|one| self.further(one, &claims, &bench, &seats, &now, tolerance));
        findings.extend(further);
        Ok(Audited { findings, regrets })
    }

    /// The same mechanism audited on the market in which these reports are the truth; members by their ids.
    ///
    /// # Errors
    /// An id that no member has.
    pub fn market_as_if(market: &Market, reports: &[(String, Distortion)]) -> Result<Market, String> {
        let members = &market.setting().members;
        let seat = |(id, report): &(String, Distortion)| {
            let found = members.iter().position(|member| member.id == *id);
            found.map(|seat| (seat, *report)).ok_or_else(|| id.clone())
        };
        Ok(described::described(market, &reports.iter().map(seat).collect::<Result<_, _>>()?))
    }

    fn claims<'b>(&'b self, cleared: &'b Cleared) -> Claims<'b> {
        let charges = Charges::of(self.policy, cleared);
        Claims { mechanism: self.mechanism, policy: self.policy, cleared, charges }
    }

    fn named(&self, said: &Said) -> Vec<(String, Distortion)> {
        said.iter().map(|(seat, what)| (self.market.setting().members[*seat].id.clone(), *what)).collect()
    }

    fn words(&self, said: &Said) -> String {
        let one = |(id, what): &(String, Distortion)| format!("{id} {}", what.words());
        self.named(said).iter().map(one).collect::<Vec<_>>().join(" and ")
    }

    fn truthful(
        &self,
        claims: &Claims<'_>,
        bench: &Bench<'_>,
        regrets: &[Regret],
        grid: Option<&Grid>,
        tolerance: f64,
    ) -> Finding {
        const NAME: &str = "truthful";
        let (tried, failed) = bench.counts();
        let worst = regrets.iter().fold(None, |worst: Option<&Regret>, next| match worst {
            Some(worst) if !search::is_better(next.joint.value, worst.joint.value) => Some(worst),
            _ => Some(next),
        });
        let said: Said =
            worst.filter(|worst| worst.joint.value > 0.0).map_or(vec![], |w| vec![(w.seat, w.joint.report)]);
        let gain = worst.map_or(0.0, |worst| worst.joint.value);
        let witness = if said.is_empty() { String::new() } else { self.gains(&said, gain) };
        let check = if tried > 1 && failed + 1 >= tried {
            Certificate::not_searched(NAME, "no report that is not true has an outcome")
        } else {
            claims.judged(Claim::Truthful, Certificate::check(NAME, gain, tolerance, witness))
        };
        let whom = if regrets.len() == self.market.len() {
            "reports of one member".to_owned()
        } else {
            format!("reports of one member, for {} of {}", regrets.len(), self.market.len())
        };
        let narrowed = if self.within == Within::default() { "" } else { ", within narrower bounds" };
        let what = grid.map_or_else(
            || "prices x 0.5 to 1.5 and shifted by half the dearest price, quantities from x 0.25, then refined around the best".to_owned(),
            Grid::words,
        );
        Finding {
            name: NAME,
            claim: Some(Claim::Truthful),
            certificate: check,
            searched: format!("{whom}: {what}{narrowed}"),
            tried,
            failed,
            found: Found::Reports(self.named(&said)),
        }
    }

    fn gains(&self, said: &Said, gain: f64) -> String {
        let verb = if said.len() > 1 { "together they gain" } else { "gains" };
        format!("{}: {verb} {}", self.words(said), number(gain))
    }

    fn bayesian(&self, claims: &Claims<'_>, bench: &Bench<'_>, spaces: &[Space], tolerance: f64) -> Finding {
        let name = Claim::BayesianTruthful.name();
        let before = bench.counts();
        let found = bayesian::search(bench, spaces, self.budget);
        let after = bench.counts();
        let (tried, failed) = (after.0 - before.0, after.1 - before.1);
        let none = |why: &str| (Certificate::not_searched(name, why), Found::Nowhere);
        let (certificate, found) = match found {
            Err(why) => none(&why),
            Ok(None) => none("no draw of the others' types has an outcome"),
            Ok(Some(expected)) => {
                let said = vec![(expected.seat, expected.report)];
                let tolerance = tolerance + 3.0 * expected.error;
                let witness = format!(
                    "{} in expectation, give or take {}",
                    self.gains(&said, expected.gain),
                    number(expected.error)
                );
                let check = Certificate::check(name, expected.gain.max(0.0), tolerance, witness);
                (claims.judged(Claim::BayesianTruthful, check), Found::Reports(self.named(&said)))
            }
        };
        let draws = bayesian::DRAWS;
        let searched = format!(
            "shifts of one member's price, chosen on {draws} draws of the others' types and measured on {draws} more; the \
             tolerance holds three standard errors"
        );
        Finding { name, claim: Some(Claim::BayesianTruthful), certificate, searched, tried, failed, found }
    }

    fn pairs(&self, bench: &Bench<'_>, spaces: &[Space], alone: &[Regret], now: &[f64]) -> Option<Finding> {
        const NAME: &str = "pair_gain";
        let before = bench.counts();
        let (found, count) = groups::search(bench, spaces, alone, now, self.budget * 3 / 10);
        let after = bench.counts();
        let pair = found?;
        let witness = if search::is_better(pair.gain, 0.0) { self.gains(&pair.said, pair.gain) } else { String::new() };
        Some(Finding {
            name: NAME,
            claim: None,
            certificate: Certificate::measure(NAME, pair.gain, witness),
            searched: format!("joint reports of {count} pairs; what counts is the sum of their gains"),
            tried: after.0 - before.0,
            failed: after.1 - before.1,
            found: Found::Reports(self.named(&pair.said)),
        })
    }

    /// What is found of a further kind of misreports.
    fn further(
        &self,
        dimension: &dyn Dimension,
        claims: &Claims<'_>,
        bench: &Bench<'_>,
        seats: &[usize],
        now: &[f64],
        tolerance: f64,
    ) -> Finding {
        let name = dimension.name();
        let before = bench.counts();
        let (worst, count) = dimension::search(bench, dimension, seats, now, self.budget / 5);
        let after = bench.counts();
        let (tried, failed) = (after.0 - before.0, after.1 - before.1);
        let gain = worst.as_ref().map_or(0.0, |worst| worst.gain);
        let found = worst.map_or(Found::Nowhere, |worst| {
            let words = format!("{} {}", self.market.setting().members[worst.seat].id, worst.words);
            Found::Rule { rule: worst.rule, words }
        });
        let witness = match &found {
            Found::Rule { words, .. } => format!("{words}: gains {}", number(gain)),
            _ => String::new(),
        };
        let claim = dimension.is_claimed().then_some(Claim::Truthful);
        let certificate = match claim {
            _ if tried == 0 => Certificate::not_applicable(name, "nobody has anything of the kind to misstate"),
            _ if failed == tried => Certificate::not_searched(name, "no report of the kind has an outcome"),
            Some(claim) => claims.judged(claim, Certificate::check(name, gain, tolerance, witness)),
            None => Certificate::measure(name, gain, witness),
        };
        let whom =
            if count == self.market.len() { String::new() } else { format!(", for {count} of {}", self.market.len()) };
        let searched = format!("reports of one member{whom}: {}", dimension.searched());
        Finding { name, claim, certificate, searched, tried, failed, found }
    }

    fn splits(&self, bench: &Bench<'_>, regrets: &[Regret], now: &[f64]) -> Finding {
        const NAME: &str = "split_gain";
        let before = bench.counts();
        let seats: Vec<usize> = regrets.iter().map(|regret| regret.seat).collect();
        let found = accounts::search(bench, &seats, now);
        let after = bench.counts();
        let shares = accounts::SHARES.map(number).join(", ");
        let (certificate, found) = match found {
            Err(why) => (Certificate::not_applicable(NAME, why), Found::Nowhere),
            Ok(None) => {
                (Certificate::not_searched(NAME, "no market with a split account has an outcome"), Found::Nowhere)
            }
            Ok(Some(split)) => {
                let member = self.market.setting().members[split.seat].id.clone();
                let (gain, share) = (split.gain.max(0.0), split.share);
                let witness = if search::is_better(gain, 0.0) {
                    format!(
                        "{member} stands with two accounts, of shares {} and {}: gains {}",
                        number(share),
                        number(1.0 - share),
                        number(gain)
                    )
                } else {
                    String::new()
                };
                (Certificate::measure(NAME, gain, witness), Found::Split { member, share })
            }
        };
        Finding {
            name: NAME,
            claim: None,
            certificate,
            searched: format!("every member with two accounts, the first with a share of {shares}"),
            tried: after.0 - before.0,
            failed: after.1 - before.1,
            found,
        }
    }
}

/// What a gain may be and still be a solver's rounding: a millionth of the money that is at stake with and without trade.
fn tolerance(cleared: &Cleared) -> f64 {
    let market = &cleared.truth;
    let of_plan = |plan: &crate::market::Plan| plan.resource_cost.abs() + plan.tariff_cost.abs();
    let with: f64 = cleared.physical.plans.iter().map(|plan| of_plan(plan)).sum();
    let alone = (0..market.len()).filter_map(|i| market.local(i).remembered_autarky().ok());
    let without: f64 = alone.map(|plan| of_plan(&plan)).sum();
    1e-6 * (with + without) + 1e-11 * (1.0 + cleared.outcome.ledger.turnover())
}
