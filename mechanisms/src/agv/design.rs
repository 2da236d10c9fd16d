//! The mechanism of expected externalities for traders of one price each, whatever computes the expectations.
//!
//! Trader `i` has a public quantity, a side and a type `theta_i`, its price per kWh; `u_i(x, theta_i)` is `theta_i x` of a buyer
//! and `-theta_i x` of a seller. It receives `T_i = xi_i(r_i) - (1/(n-1)) sum over j != i of xi_j(r_j) + kappa_i`, where
//! `xi_i(r) = E[sum over j != i of u_j]` is what the others get on average where it reports `r`. Every `xi` is given once and
//! taken once: the transfers sum to zero whatever the expectations are worth. Whoever expects others to be truthful expects the
//! welfare of all plus a constant, and reports the truth.

use super::Calibration;
use super::many::Many;
use super::pair::Pair;
use super::trader::{Trader, allocation};

/// Who computes the expectations.
#[derive(Clone, Debug)]
enum Expectations {
    /// Closed forms.
    Pair(Pair),
    /// A matrix of types.
    Many(Many),
}

/// The mechanism for some traders.
#[derive(Clone, Debug)]
pub(super) struct Design {
    pub traders: Vec<Trader>,
    by: Expectations,
    /// `E xi_i`.
    expected: Vec<f64>,
    /// `kappa_i`, summing to zero.
    lump: Vec<f64>,
}

impl Design {
    /// Of some traders: in closed form where there are two, else over all types where they are few, else over a matrix of
    /// types, of which `uniforms` has a row for each draw and a column for each participant.
    pub fn new(traders: Vec<Trader>, uniforms: &[Vec<f64>], calibration: Calibration) -> Self {
        let by = if traders.len() == 2 && traders[0].sells != traders[1].sells {
            Expectations::Pair(Pair::new(&traders))
        } else {
            Expectations::Many(Many::new(&traders, uniforms))
        };
        Self::with(traders, by, calibration)
    }

    fn with(traders: Vec<Trader>, by: Expectations, calibration: Calibration) -> Self {
        let n = traders.len();
        let expected = match &by {
            Expectations::Pair(pair) => pair.expected_externalities().to_vec(),
            Expectations::Many(many) => many.expected_externalities(),
        };
        let mut design = Self { traders, by, expected, lump: vec![0.0; n] };
        let before = match calibration {
            Calibration::Uncalibrated => return design,
            // `E u_i + E T_i = (E W - E xi_i) + (E xi_i - mean of the others' E xi_j)`.
            Calibration::EqualSurplus => {
                let welfare = design.expected_welfare();
                (0..n).map(|i| welfare - others(&design.expected, i)).collect::<Vec<f64>>()
            }
            Calibration::EqualWorstOff => (0..n).map(|i| design.worst_utility(i)).collect(),
        };
        let mean = before.iter().sum::<f64>() / n as f64;
        design.lump = before.iter().map(|utility| mean - utility).collect();
        design
    }

    /// Welfare of all on average.
    pub fn expected_welfare(&self) -> f64 {
        match &self.by {
            Expectations::Pair(pair) => pair.expected_welfare(),
            Expectations::Many(many) => many.expected_welfare(),
        }
    }

    /// Quantities at these types, kWh.
    pub fn allocation(&self, types: &[f64]) -> Vec<f64> {
        allocation(&self.traders, types)
    }

    /// `xi_i(r)`.
    pub fn externality(&self, i: usize, report: f64) -> f64 {
        match &self.by {
            Expectations::Pair(pair) => pair.externality(i, report),
            Expectations::Many(many) => many.externality(i, report),
        }
    }

    /// What trader `i` trades on average where it reports this, kWh.
    pub fn expected_quantity(&self, i: usize, report: f64) -> f64 {
        match &self.by {
            Expectations::Pair(pair) => pair.expected_quantity(i, report),
            Expectations::Many(many) => many.expected_quantity(i, report),
        }
    }

    /// What each receives at these reports.
    pub fn transfers(&self, reports: &[f64]) -> Vec<f64> {
        let given: Vec<f64> = reports.iter().enumerate().map(|(i, report)| self.externality(i, *report)).collect();
        (0..given.len()).map(|i| given[i] - others(&given, i) + self.lump[i]).collect()
    }

    /// Welfare of all on average where the type of trader `i` is this and it says so.
    pub fn welfare_at(&self, i: usize, price: f64) -> f64 {
        self.traders[i].worth(price) * self.expected_quantity(i, price) + self.externality(i, price)
    }

    /// What trader `i` expects to gain in all where its type is this and it says so, and all others are truthful.
    pub fn utility(&self, i: usize, price: f64) -> f64 {
        self.welfare_at(i, price) - others(&self.expected, i) + self.lump[i]
    }

    /// The least of it over types: the less a trader gains from trade the less it gets.
    pub fn worst_utility(&self, i: usize) -> f64 {
        self.utility(i, self.traders[i].worst())
    }

    /// The most that trader `i` gains by a report that is not true where types are drawn as `true_design` says, with the type
    /// and the report: over all pairs of `prices`, and near the best of them.
    pub fn misreport(&self, true_design: &Self, i: usize, prices: &[f64], refine: bool) -> (f64, f64, f64) {
        let trader = &self.traders[i];
        let at = |report: f64| (true_design.expected_quantity(i, report), self.externality(i, report));
        let gain = |price: f64, said: (f64, f64), truth: (f64, f64)| {
            trader.worth(price) * (said.0 - truth.0) + said.1 - truth.1
        };
        let known: Vec<(f64, f64)> = prices.iter().map(|price| at(*price)).collect();
        let mut best = (f64::NEG_INFINITY, 0.0, 0.0);
        for (price, truth) in prices.iter().zip(&known) {
            for (report, said) in prices.iter().zip(&known) {
                let found = gain(*price, *said, *truth);
                if found > best.0 && price.to_bits() != report.to_bits() {
                    best = (found, *price, *report);
                }
            }
        }
        if !refine || prices.len() < 2 {
            return best;
        }
        let (low, high) = (prices[0], prices[prices.len() - 1]);
        let mut width = (high - low) / (prices.len() as f64 - 1.0);
        while width > 1e-7 * (high - low) {
            let (_, price, report) = best;
            for step in [-1.0, 0.0, 1.0].into_iter().flat_map(|a| [-1.0, 0.0, 1.0].map(|b| (a, b))) {
                let near = |x: f64, step: f64| (x + step * width).clamp(low, high);
                let (price, report) = (near(price, step.0), near(report, step.1));
                let found = gain(price, at(report), at(price));
                if found > best.0 {
                    best = (found, price, report);
                }
            }
            width *= 0.5;
        }
        best
    }
}

/// Mean of what all but one are given.
fn others(given: &[f64], i: usize) -> f64 {
    let others = given.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, x)| x);
    others.sum::<f64>() / (given.len() as f64 - 1.0)
}
