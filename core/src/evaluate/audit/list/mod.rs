//! The audit of an auction on a plain list of bids: no market, no network and no solver, so that lists of whole numbers can be searched
//! through.
//!
//! What bidders say is taken for what is true. *Truthful*: one bidder names other prices, or less than it has, and the outcome is
//! valued by the truth. Claims about outcomes are judged on the list and on those that such offers describe. What no rule claims to be
//! safe against are figures: more than one has, where nobody checks ratings; the other side, where nobody checks sides; two bidders
//! together; two accounts.
//!
//! Money is exact to the unit that auctions count in. A list on which the auction has no outcome is counted as such.

mod alone;
mod judged;
mod said;
mod space;
mod together;

pub use alone::{BidGain, BidRegret};
pub use said::Offer;

use super::bids::{Bidder, market_without_grid};
use super::search::is_better;
use super::space::Grid;
use super::{Finding, Found, Watch};
use crate::auction::{Auction, Clearing, Fill, position};
use crate::mechanism::{Condition, Here, Mechanism};
use crate::outcome::{Certificate, Claim, Kind, Outcome, Verdict};
use crate::policy::policies::NoPolicy;
use crate::policy::{Modified, Modifiers};
use crate::words::number;
use judged::{CLAIMS, Judged, worst};
use said::Bench;
use together::Pair;

/// Runs of an auction that the audit of a list takes, about, if nobody says otherwise.
pub const DEFAULT_LIST_BUDGET: usize = 50_000;

/// Rounds of an iteration that count for as much as clearing a list once.
const ROUNDS_OF_A_LIST: usize = 10;

/// An auction on a list of bids, to be audited.
pub struct ListAudit<'a> {
    /// The mechanism.
    pub mechanism: &'a dyn Mechanism,
    /// The part of it that clears lists.
    pub auction: &'a dyn Auction,
    /// Who bids what, which is the truth. Ties go to whoever comes first.
    pub bidders: &'a [Bidder],
    /// Seed of all runs: every list meets the same luck.
    pub seed: u64,
    /// About how many lists it may clear.
    pub budget: usize,
    /// Whoever watches.
    pub watch: &'a dyn Watch,
}

/// What the audit of a list found.
#[derive(Clone, Debug, PartialEq)]
pub struct ListAudited {
    /// One finding per claim, then figures.
    pub findings: Vec<Finding>,
    /// What bidders gain by offers, in the order of the list; those that were examined.
    pub regrets: Vec<BidRegret>,
}

impl ListAudited {
    /// Whether a claim that the mechanism makes here was refuted.
    pub fn refutes(&self) -> bool {
        self.findings.iter().any(|finding| finding.certificate.verdict == Verdict::Refuted)
    }

    /// A finding by its name.
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.name == name)
    }
}

/// What a bidder gets of a list on which some say something else.
#[derive(Clone, Debug, PartialEq)]
pub struct Got {
    /// What it gives, kWh; less than nothing: what it takes.
    pub gives_kwh: f64,
    /// What it receives; less than nothing: what it pays.
    pub receives: f64,
    /// What that is to it by what is true of it.
    pub gets: f64,
    /// The same where everybody tells the truth.
    pub gets_by_truth: f64,
}

/// How the mechanism stands by a claim on a list.
enum Stand {
    Unclaimed,
    Claimed,
    Excepted(String),
}

/// Runs so far, and those without an outcome.
type Ran = (usize, usize);

impl ListAudit<'_> {
    /// Searches.
    ///
    /// # Errors
    /// If the auction has no outcome on the list as it is: there is nothing to compare with.
    pub fn run(&self) -> Result<ListAudited, String> {
        let bench = Bench::new(self.auction, self.bidders, self.seed, self.watch);
        let truth = self.judge(&bench, vec![])?;
        let now = bench.gets(&bench.accounts(&[]), &truth.clearing);
        let paid = truth.clearing.buys.iter().chain(&truth.clearing.sells).map(|fill| fill.money.abs());
        let tolerance = 1e-9 * (1.0 + paid.sum::<f64>());
        let prices = self.bidders.iter().flat_map(|bidder| bidder.blocks.iter().map(|block| block.0));
        let sizes: Vec<f64> = self.bidders.iter().flat_map(|b| b.blocks.iter().map(|block| block.1)).collect();
        let Some(grid) = Grid::over(prices.collect(), &sizes) else {
            return Err("nobody bids: there is nothing to search".into());
        };
        // Whoever clears in rounds clears the fewer lists.
        let budget = (self.budget / (1 + bench.rounds() / ROUNDS_OF_A_LIST)).max(1);
        let mut findings = vec![];

        let regrets = alone::search(&bench, &grid, &now, budget / 2);
        let ran = bench.counts.read();
        findings.push(self.truthful(&truth, &regrets, &grid, tolerance, ran));
        if self.claims(Claim::BayesianTruthful) {
            findings.push(no_priors());
        }
        findings.extend(self.outcomes(&bench, truth, &grid, tolerance, budget / 5));
        findings.push(self.alone(
            "overstated_gain",
            "offers of more than there is, up to the rating and at least twice as much, as if nobody checked",
            &regrets,
            ran,
            |r| &r.overstated,
        ));
        findings.push(self.alone(
            "role_gain",
            "one block on the other side, as if nobody checked",
            &regrets,
            ran,
            |r| &r.other_side,
        ));
        findings.extend(self.pairs(&bench, &grid, &regrets, &now, budget * 3 / 10));
        findings.push(self.splits(&bench, &grid, &regrets, &now));
        Ok(ListAudited { findings, regrets })
    }

    /// What comes of the list where these bidders, by their positions, say something else: in the order of the list.
    ///
    /// # Errors
    /// If the auction has no outcome there, or none on the list as it is.
    pub fn outcome(&self, said: &[(usize, Offer)]) -> Result<Vec<Got>, String> {
        let bench = Bench::new(self.auction, self.bidders, self.seed, self.watch);
        let of = |said: &[(usize, &Offer)]| {
            let accounts = bench.accounts(said);
            let clearing = bench.cleared(&accounts)?;
            Ok::<_, String>((bench.gets(&accounts, &clearing), clearing))
        };
        let (by_truth, _) = of(&[])?;
        let (gets, clearing) = of(&said.iter().map(|(who, offer)| (*who, offer)).collect::<Vec<_>>())?;
        let sum = |who: usize, of: fn(&Fill) -> f64| {
            let all = |fills: &[Fill]| fills.iter().filter(|fill| fill.who == who).map(of).sum::<f64>();
            all(&clearing.sells) - all(&clearing.buys)
        };
        let got = |who: usize| Got {
            gives_kwh: sum(who, |fill| fill.quantity),
            receives: sum(who, |fill| fill.money),
            gets: gets[who],
            gets_by_truth: by_truth[who],
        };
        Ok((0..self.bidders.len()).map(got).collect())
    }

    fn claims(&self, claim: Claim) -> bool {
        self.mechanism.plugin().claims.iter().any(|(declared, _)| *declared == claim)
    }

    /// How the mechanism stands by a claim where everybody tells the truth.
    fn stand(&self, claim: Claim, bidders: &[Bidder], clearing: &Clearing) -> Stand {
        let declared = self.mechanism.plugin().claims.iter().find(|(declared, _)| *declared == claim);
        let Some((_, words)) = declared else { return Stand::Unclaimed };
        if let Some((_, why)) = clearing.withheld.iter().find(|(withheld, _)| *withheld == claim) {
            let name = |text: String, (who, bidder): (usize, &Bidder)| text.replace(&position(who), &bidder.id);
            return Stand::Excepted(bidders.iter().enumerate().fold(why.clone(), name));
        }
        let market = match market_without_grid(bidders) {
            Ok(market) => market,
            Err(wrong) => return Stand::Excepted(wrong.to_string()),
        };
        let policy = Modified::new(NoPolicy {}, Modifiers::default());
        let outcome = Outcome::new(market.setting());
        match self.mechanism.condition(claim, &Here { market: &market, policy: &policy, outcome: &outcome }) {
            Condition::Holds => Stand::Claimed,
            Condition::Fails(why) => Stand::Excepted(format!("claimed only if {words}: {why}")),
            Condition::Unknown => Stand::Excepted(format!("claimed only if {words}, which cannot be evaluated")),
        }
    }

    /// What a value says of a claim.
    fn held(&self, claim: Claim, bidders: &[Bidder], clearing: &Clearing, check: Certificate) -> Certificate {
        let figure = |verdict, kind, witness| Certificate { tolerance: None, verdict, kind, witness, ..check.clone() };
        match self.stand(claim, bidders, clearing) {
            Stand::Unclaimed => figure(Verdict::Measured, Kind::Figure, check.witness.clone()),
            Stand::Claimed => check.about(Kind::Claim),
            Stand::Excepted(why) => {
                let found = if check.witness.is_empty() { String::new() } else { format!("; {}", check.witness) };
                figure(Verdict::NotApplicable, Kind::Claim, format!("{why}{found}"))
            }
        }
    }

    fn words(&self, said: &[(usize, Offer)]) -> String {
        let one = |(who, offer): &(usize, Offer)| {
            let bidder = &self.bidders[*who];
            let is_true = *offer == Offer::truth(bidder);
            format!("{} {}", bidder.id, if is_true { "tells the truth".to_owned() } else { offer.words(bidder) })
        };
        said.iter().map(one).collect::<Vec<_>>().join(" and ")
    }

    fn named(&self, said: &[(usize, Offer)]) -> Vec<(String, Offer)> {
        said.iter().map(|(who, offer)| (self.bidders[*who].id.clone(), offer.clone())).collect()
    }

    fn whom(&self, regrets: &[BidRegret]) -> String {
        let (some, all) = (regrets.len(), self.bidders.len());
        if some == all { "one bidder".to_owned() } else { format!("one bidder, for {some} of {all}") }
    }

    fn truthful(&self, truth: &Judged, regrets: &[BidRegret], grid: &Grid, tolerance: f64, ran: Ran) -> Finding {
        let name = Claim::Truthful.name();
        let worst = largest(regrets, |regret| &regret.joint);
        let said = worst.map_or(vec![], |(who, gain)| vec![(who, gain.offer.clone())]);
        let gain = worst.map_or(0.0, |(_, gain)| gain.value);
        let witness =
            if said.is_empty() { String::new() } else { format!("{}: gains {}", self.words(&said), number(gain)) };
        let certificate = if ran.0 > 0 && ran.1 >= ran.0 {
            Certificate::not_searched(name, "no list but the true one has an outcome")
        } else {
            let check = Certificate::check(name, gain, tolerance, witness);
            self.held(Claim::Truthful, self.bidders, &truth.clearing, check)
        };
        let how = if regrets.iter().all(|regret| regret.is_complete) {
            format!("every offer of no more than there is: {}", grid.words())
        } else {
            "prices and quantities along lines, then refined around the best".to_owned()
        };
        let searched = format!("offers of {}: {how}", self.whom(regrets));
        let claim = Some(Claim::Truthful);
        Finding {
            name,
            claim,
            certificate,
            searched,
            tried: ran.0,
            failed: ran.1,
            found: Found::Bids(self.named(&said)),
        }
    }

    /// A figure of what one bidder gains.
    fn alone(
        &self,
        name: &'static str,
        what: &str,
        regrets: &[BidRegret],
        ran: Ran,
        of: fn(&BidRegret) -> &BidGain,
    ) -> Finding {
        let worst = largest(regrets, of);
        let said = worst.map_or(vec![], |(who, gain)| vec![(who, gain.offer.clone())]);
        let gain = worst.map_or(0.0, |(_, gain)| gain.value);
        let witness =
            if said.is_empty() { String::new() } else { format!("{}: gains {}", self.words(&said), number(gain)) };
        let searched = format!("{}: {what}", self.whom(regrets));
        let certificate = Certificate::measure(name, gain, witness);
        let found = Found::Bids(self.named(&said));
        Finding { name, claim: None, certificate, searched, tried: ran.0, failed: ran.1, found }
    }

    /// The worst of every claim about outcomes over the list itself and those that offers describe.
    fn outcomes(
        &self,
        bench: &Bench<'_>,
        truth: Judged,
        grid: &Grid,
        tolerance: f64,
        allowance: usize,
    ) -> Vec<Finding> {
        let before = bench.counts.read();
        let mut all = self.described(bench, grid, allowance);
        let after = bench.counts.read();
        let (tried, failed) = (after.0 - before.0, after.1 - before.1);
        all.insert(0, truth);
        let finding = |(k, claim): (usize, Claim)| -> Option<Finding> {
            let judged = |at: &Judged| {
                let place = if at.said.is_empty() { String::new() } else { format!(" if {}", self.words(&at.said)) };
                let miss = &at.misses[k];
                let witness = if miss.witness.is_empty() { String::new() } else { format!("{}{place}", miss.witness) };
                let check = Certificate::check(claim.name(), miss.value, tolerance, witness);
                self.held(claim, &at.bidders, &at.clearing, check)
            };
            // That a claim holds on other lists does not make its condition hold on this one.
            let here = judged(&all[0]);
            let missed = all.iter().filter(|at| at.misses[k].value > tolerance);
            let refuted = missed.filter(|at| judged(at).verdict == Verdict::Refuted);
            let refuted = refuted.reduce(|a, b| if b.misses[k].value > a.misses[k].value { b } else { a });
            let at = match refuted {
                Some(at) => at,
                None if here.verdict == Verdict::NotApplicable => &all[0],
                // Of a claim that is made here, lists on which it is not made say nothing.
                None if here.verdict == Verdict::Upheld => &all[0],
                None => worst(&all, k)?,
            };
            Some(Finding {
                name: claim.name(),
                claim: Some(claim),
                certificate: judged(at),
                searched: format!("the list as it is and {tried} lists that offers of one bidder describe"),
                tried: 1 + tried,
                failed,
                found: Found::AsIfBids(self.named(&at.said)),
            })
        };
        CLAIMS.into_iter().enumerate().filter_map(finding).collect()
    }

    fn pairs(
        &self,
        bench: &Bench<'_>,
        grid: &Grid,
        alone: &[BidRegret],
        now: &[f64],
        allowance: usize,
    ) -> Vec<Finding> {
        let before = bench.counts.read();
        let Some(found) = together::pairs(bench, grid, alone, now, allowance) else { return vec![] };
        let after = bench.counts.read();
        let finding = |name: &'static str, pair: &Pair, what: &str| {
            let is_gain = pair.gain > 0.0;
            let witness = if is_gain {
                format!("{}: together they gain {}", self.words(&pair.said), number(pair.gain))
            } else {
                String::new()
            };
            Finding {
                name,
                claim: None,
                certificate: Certificate::measure(name, pair.gain, witness),
                searched: format!("{} prices of each of {} pairs; {what}", found.places, found.count),
                tried: after.0 - before.0,
                failed: after.1 - before.1,
                found: Found::Bids(if is_gain { self.named(&pair.said) } else { vec![] }),
            }
        };
        vec![
            finding("pair_gain", &found.of_sum, "what counts is the sum of their gains"),
            finding("pair_gain_of_each", &found.of_each, "what counts is the sum of their gains where neither loses"),
        ]
    }

    fn splits(&self, bench: &Bench<'_>, grid: &Grid, alone: &[BidRegret], now: &[f64]) -> Finding {
        const NAME: &str = "split_gain";
        let before = bench.counts.read();
        let found = together::splits(bench, grid, alone, now);
        let after = bench.counts.read();
        let ran = (after.0 - before.0, after.1 - before.1);
        let (certificate, found) = match found {
            None if ran.0 == 0 => {
                (Certificate::not_applicable(NAME, "nobody has more than the unit of energy"), Found::Nowhere)
            }
            None => (Certificate::not_searched(NAME, "no list with a split account has an outcome"), Found::Nowhere),
            Some(split) => {
                let bidder = &self.bidders[split.who];
                let gain = split.gain.max(0.0);
                let (first, rest) = (split.first_kwh, bidder.size_kwh() - split.first_kwh);
                let witness = if is_better(gain, 0.0) {
                    format!(
                        "{} stands with two accounts, of {} and {} kWh: gains {}",
                        bidder.id,
                        number(first),
                        number(rest),
                        number(gain)
                    )
                } else {
                    String::new()
                };
                let share = first / bidder.size_kwh();
                (Certificate::measure(NAME, gain, witness), Found::Split { member: bidder.id.clone(), share })
            }
        };
        let searched = format!("{} with two accounts, the first with its best kWh", self.whom(alone));
        Finding { name: NAME, claim: None, certificate, searched, tried: ran.0, failed: ran.1, found }
    }
}

fn no_priors() -> Finding {
    let name = Claim::BayesianTruthful.name();
    Finding {
        name,
        claim: Some(Claim::BayesianTruthful),
        certificate: Certificate::not_searched(name, "a list says nothing of what is believed of its bidders"),
        searched: "nothing".to_owned(),
        tried: 0,
        failed: 0,
        found: Found::Nowhere,
    }
}

/// Who gains most, and by what; `None` where nobody gains.
fn largest(regrets: &[BidRegret], of: fn(&BidRegret) -> &BidGain) -> Option<(usize, &BidGain)> {
    let gains = regrets.iter().map(|regret| (regret.who, of(regret))).filter(|(_, gain)| gain.value > 0.0);
    gains.reduce(|best, next| if is_better(next.1.value, best.1.value) { next } else { best })
}
