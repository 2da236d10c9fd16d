//! What a carbon balance costs: a continuous piecewise linear function. The only place that knows how a ladder is priced.

use crate::program::{Cost, Expr, Program, Row, Var};

/// A continuous piecewise linear charge with `F(0) = 0`, on a balance in kg, in money.
///
/// `slopes[k]` holds between `breakpoints[k-1]` and `breakpoints[k]`; the first slope reaches to minus infinity, the last
/// to plus infinity or to `cap_kg`. The charge is convex when the slopes do not decrease.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// Where the price changes, kg, increasing.
    pub breakpoints: Vec<f64>,
    /// Price per kg on each piece; one more than breakpoints.
    pub slopes: Vec<f64>,
    /// Greatest balance that is allowed, kg.
    pub cap_kg: Option<f64>,
}

impl Charge {
    /// One price for every kg, of either sign.
    pub fn linear(price_per_kg: f64) -> Self {
        Self { breakpoints: vec![], slopes: vec![price_per_kg], cap_kg: None }
    }

    /// `price_buy` for every kg above zero, `price_sell` for every kg below.
    pub fn two_sided(buy_price_per_kg: f64, sell_price_per_kg: f64) -> Self {
        Self::of_pieces(&[0.0], &[sell_price_per_kg, buy_price_per_kg])
    }

    /// Nothing up to `cap_kg`, which may not be exceeded.
    pub fn cap(cap_kg: f64) -> Self {
        Self { cap_kg: Some(cap_kg), ..Self::linear(0.0) }
    }

    /// A charge of these pieces without a cap; breakpoints at which the price does not change are left out.
    pub fn of_pieces(breakpoints: &[f64], slopes: &[f64]) -> Self {
        let kept: Vec<usize> = (0..breakpoints.len()).filter(|&k| slopes[k] != slopes[k + 1]).collect();
        Self {
            slopes: slopes.first().copied().into_iter().chain(kept.iter().map(|&k| slopes[k + 1])).collect(),
            breakpoints: kept.iter().map(|&k| breakpoints[k]).collect(),
            cap_kg: None,
        }
    }

    /// What `accounts` identical accounts cost together if they may pass allowances on: `n F(x / n)`, which is the infimal
    /// convolution of a convex charge with itself and, of a ladder, the ladder with `n` times the interval.
    pub fn pooled(&self, accounts: usize) -> Self {
        let n = accounts as f64;
        Self {
            breakpoints: self.breakpoints.iter().map(|b| n * b).collect(),
            slopes: self.slopes.clone(),
            cap_kg: self.cap_kg.map(|cap| n * cap),
        }
    }

    /// The conjugate `F*(y) = max_x y x - F(x)` at a price per kg, in money: what a balance that is free to move earns at that
    /// price. Infinite beyond the greatest slope where there is no cap, and below the first slope.
    pub fn conjugate(&self, price_per_kg: f64) -> f64 {
        let (first, last) = (self.slope(0), self.slope(self.breakpoints.len()));
        if price_per_kg < first || (price_per_kg > last && self.cap_kg.is_none()) {
            return f64::INFINITY;
        }
        let cap = self.cap_kg.unwrap_or(f64::INFINITY);
        let corners = self.breakpoints.iter().copied().filter(|b| *b < cap).chain(self.cap_kg);
        let best = corners.map(|x| price_per_kg * x - self.value(x)).fold(f64::NEG_INFINITY, f64::max);
        // One unbroken price: every balance earns the same, nothing.
        if best == f64::NEG_INFINITY { 0.0 } else { best }
    }

    /// The balances `[lower, upper]` that a price per kg calls for, `argmax_x y x - F(x)`; an end is infinite where nothing
    /// bounds it. Meant for convex charges: of another it is the hull of what the price may call for.
    pub fn demand(&self, price_per_kg: f64) -> (f64, f64) {
        let cap = self.cap_kg.unwrap_or(f64::INFINITY);
        let below = self.slopes.iter().filter(|s| **s < price_per_kg).count();
        let reached = self.slopes.iter().filter(|s| **s <= price_per_kg).count();
        let lower = if below == 0 { f64::NEG_INFINITY } else { self.edge(below - 1) };
        let upper = if reached == 0 { f64::NEG_INFINITY } else { self.edge(reached - 1) };
        (lower.min(cap), upper.min(cap))
    }

    /// `argmin_x F(x) + (x - centre)^2 / (2 gamma)` with `gamma > 0` in kg^2 per unit of money, not above the cap. Where a
    /// charge that is not convex has several minima: the least.
    pub fn prox(&self, centre_kg: f64, gamma: f64) -> f64 {
        let cap = self.cap_kg.unwrap_or(f64::INFINITY);
        let cost = |x: f64| self.value(x) + (x - centre_kg).powi(2) / (2.0 * gamma);
        let candidates = (0..=self.breakpoints.len()).filter(|&k| self.start(k) < cap).map(|k| {
            let upper = self.edge(k).min(cap);
            (centre_kg - gamma * self.slope(k)).clamp(self.start(k), upper)
        });
        candidates.fold(cap, |best, x| if cost(x) < cost(best) || best.is_infinite() { x } else { best })
    }

    /// Whether the slopes never decrease.
    pub fn is_convex(&self) -> bool {
        self.slopes.windows(2).all(|w| w[1] >= w[0])
    }

    /// `F(balance)`; the cap is a constraint and does not show here.
    pub fn value(&self, balance_kg: f64) -> f64 {
        // Integrate the slope from 0 to the balance.
        let (from, to, sign) = if balance_kg >= 0.0 { (0.0, balance_kg, 1.0) } else { (balance_kg, 0.0, -1.0) };
        let pieces = self.slopes.iter().enumerate();
        let total: f64 = pieces.map(|(k, s)| s * (self.edge(k).min(to) - self.start(k).max(from)).max(0.0)).sum();
        sign * total
    }

    /// Least and greatest marginal price at a balance: the subdifferential of a convex charge.
    pub fn slopes_at(&self, balance_kg: f64) -> (f64, f64) {
        let tolerance = 1e-7 * (1.0 + balance_kg.abs());
        let below = self.breakpoints.iter().filter(|b| **b < balance_kg - tolerance).count();
        let reached = self.breakpoints.iter().filter(|b| **b <= balance_kg + tolerance).count();
        let touched = &self.slopes[below..=reached];
        touched.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), s| (lo.min(*s), hi.max(*s)))
    }

    /// Puts the charge on `balance` into a program and returns its cost and its row: `balance = start + sum of segments`, each
    /// segment a bounded variable with its own price. The dual of the row is minus the price of a kg. Where the charge is
    /// not convex the order of filling is a choice.
    pub fn contribute(&self, program: &mut Program, balance: &Expr) -> (Cost, Row) {
        let (low, mut high) = program.range(balance);
        if let Some(cap) = self.cap_kg {
            high = high.min(cap);
        }
        let mut edges = vec![low];
        edges.extend(self.breakpoints.iter().copied().filter(|b| *b > low && *b < high));
        edges.push(high.max(low));
        let mut cost = Cost::default();
        cost.affine.constant = self.value(low);
        let mut row = balance.clone();
        let mut segments = vec![];
        for w in edges.windows(2).filter(|w| w[1] > w[0]) {
            let s = program.var(0.0, w[1] - w[0]);
            let middle = 0.5 * (w[0] + w[1]);
            let slope = self.slopes[self.breakpoints.iter().filter(|b| **b <= middle).count()];
            cost.add(slope, s);
            row.add(-1.0, s);
            segments.push((s, slope));
        }
        // A cap below everything that can happen cannot hold, and the row says so.
        let what = if self.cap_kg.is_some() { "kg under the cap" } else { "carbon account" };
        let row = program.equal(row, low.min(high), what, None);
        let (pieces, slopes): (Vec<Var>, Vec<f64>) = segments.into_iter().unzip();
        program.in_order((row, -1.0), &[], &pieces, |k| slopes[k + 1] < slopes[k]);
        (cost, row)
    }

    /// Upper end of a piece, kg.
    fn edge(&self, piece: usize) -> f64 {
        self.breakpoints.get(piece).copied().unwrap_or(f64::INFINITY)
    }

    /// Lower end of a piece, kg.
    fn start(&self, piece: usize) -> f64 {
        if piece == 0 { f64::NEG_INFINITY } else { self.edge(piece - 1) }
    }

    /// Price on a piece, per kg; the last one holds beyond the last breakpoint.
    fn slope(&self, piece: usize) -> f64 {
        self.slopes.get(piece).or(self.slopes.last()).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Charge;

    #[test]
    fn value_is_continuous_and_zero_at_zero() {
        let f = Charge { breakpoints: vec![-2.0, 0.0, 2.0], slopes: vec![1.0, 2.0, 3.0, 4.0], cap_kg: None };
        assert_eq!(f.value(0.0), 0.0);
        assert_eq!(f.value(2.0), 6.0);
        assert_eq!(f.value(3.0), 10.0);
        assert_eq!(f.value(-2.0), -4.0);
        assert_eq!(f.value(-3.0), -5.0);
        assert_eq!(f.slopes_at(2.0), (3.0, 4.0));
        assert_eq!(f.slopes_at(1.0), (3.0, 3.0));
    }
}
