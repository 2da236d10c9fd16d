//! Divisions of the gain with a closed form.

use super::{Coalition, CoalitionGame};

impl CoalitionGame {
    /// The same to everybody: the symmetric Nash solution, and that of Kalai and Smorodinsky where everybody could wish for all.
    pub fn equal(&self) -> Vec<f64> {
        vec![self.total() / self.players as f64; self.players]
    }

    /// Average marginal contribution over all orders in which players may join,
    /// `phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S and i) - v(S))` (Shapley, 1953).
    pub fn shapley(&self) -> Vec<f64> {
        // |S|! (n - |S| - 1)! / n! = 1 / (n C(n - 1, |S|))
        let n = self.players;
        let mut weight = vec![1.0 / n as f64; n];
        for size in 1..n {
            weight[size] = weight[size - 1] * size as f64 / (n - size) as f64;
        }
        self.weighted_marginals(|size| weight[size])
    }

    /// Average marginal contribution over all coalitions that a player may join (Banzhaf, 1965). It does not add up to the
    /// gain of all.
    pub fn banzhaf(&self) -> Vec<f64> {
        let share = 0.5_f64.powi(i32::try_from(self.players).unwrap_or(i32::MAX) - 1);
        self.weighted_marginals(|_| share)
    }

    /// `x_i = v(N) M_i / sum M` with `M_i = v(N) - v(N without i)`: in proportion to what the others lose without a player.
    /// `None` where these do not add up to more than nothing.
    pub fn marginal_proportional(&self) -> Option<Vec<f64>> {
        let marginals = self.marginals();
        let sum: f64 = marginals.iter().sum();
        let shares = || marginals.iter().map(|m| self.total() * (m / sum)).collect();
        (sum > 1e-9 * self.scale()).then(shares)
    }

    fn weighted_marginals(&self, weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let marginal = |s: Coalition, player: usize| self.value(s.with(player)) - self.value(s);
        let of = |player: usize| {
            let without = Coalition::each(self.players).filter(move |s| !s.contains(player));
            without.map(|s| weight(s.size()) * marginal(s, player)).sum()
        };
        (0..self.players).map(of).collect()
    }
}
