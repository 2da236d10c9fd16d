//! What a carbon balance costs: a continuous piecewise linear function. The only place that knows how a ladder is priced.

use crate::program::{Cost, Expr, Program, Restriction};

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

    /// Whether the slopes never decrease.
    pub fn is_convex(&self) -> bool {
        self.slopes.windows(2).all(|w| w[1] >= w[0])
    }

    /// `F(balance)`; the cap is a constraint and does not show here.
    pub fn value(&self, balance_kg: f64) -> f64 {
        // Integrate the slope from 0 to the balance.
        let (from, to, sign) = if balance_kg >= 0.0 { (0.0, balance_kg, 1.0) } else { (balance_kg, 0.0, -1.0) };
        let edge = |k: usize| self.breakpoints.get(k).copied().unwrap_or(f64::INFINITY);
        let start = |k: usize| if k == 0 { f64::NEG_INFINITY } else { edge(k - 1) };
        let total: f64 =
            self.slopes.iter().enumerate().map(|(k, s)| s * (edge(k).min(to) - start(k).max(from)).max(0.0)).sum();
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

    /// Puts the charge on `balance` into a program and returns its cost: `balance = start + sum of segments`, each segment a
    /// bounded variable with its own price. Where the charge is not convex the order of filling is a choice.
    pub fn contribute(&self, program: &mut Program, balance: &Expr) -> Cost {
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
        for w in edges.windows(2) {
            let s = program.var(0.0, w[1] - w[0]);
            let middle = 0.5 * (w[0] + w[1]);
            let slope = self.slopes[self.breakpoints.iter().filter(|b| **b <= middle).count()];
            cost.add(slope, s);
            row.add(-1.0, s);
            segments.push((s, w[1] - w[0], slope));
        }
        program.equal(row, low, "carbon account", None);
        let falls = segments.windows(2).rposition(|w| w[1].2 < w[0].2);
        if let Some(last) = falls {
            // Beyond the last fall of the price the segments fill in order by themselves.
            let alternatives = (0..=last + 1)
                .map(|active| {
                    let full = segments[..active].iter().map(|&(v, width, _)| Restriction {
                        variable: v,
                        lower: width,
                        upper: width,
                    });
                    let empty = segments.iter().enumerate().filter(|&(k, _)| k > active && active <= last);
                    full.chain(empty.map(|(_, &(v, ..))| Restriction { variable: v, lower: 0.0, upper: 0.0 })).collect()
                })
                .collect();
            program.either(alternatives);
        }
        cost
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
