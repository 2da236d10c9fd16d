//! Elementary effects (Morris, 1991; `mu*` of Campolongo, Cariboni and Saltelli, 2007): a cheap screening of many parameters.

use super::super::luck::permutation;
use super::{Mismatch, answered};
use crate::random::stream;
use rand::RngExt;

/// Random walks over a grid of the unit cube that change one parameter at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Morris {
    /// Number of parameters `k`.
    pub parameters: usize,
    /// Number of walks; each takes `k + 1` runs.
    pub walks: usize,
    /// Number of levels `p` of the grid, even and at least 2; a step is `p / (2 (p - 1))`, which reaches every level as often.
    pub levels: usize,
    /// Seed.
    pub seed: u64,
}

/// What one parameter does, in units of the result for its whole range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Mean effect; effects of both signs cancel.
    pub mu: f64,
    /// Mean size of the effect: how much the parameter matters.
    pub mu_star: f64,
    /// Standard deviation of the effects: curvature, or company of other parameters.
    pub sigma: f64,
}

impl Morris {
    /// Length of a step.
    fn step(&self) -> f64 {
        self.levels as f64 / (2.0 * (self.levels as f64 - 1.0))
    }

    /// The order in which one walk changes the parameters, its beginning, and the direction of each step.
    fn walk(&self, walk: usize) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
        let mut luck = stream(self.seed, "elementary effects", 0, walk);
        let order = permutation(self.parameters, &mut luck);
        let half = (self.levels / 2).max(1) as u64;
        let mut begin = vec![];
        let mut way = vec![];
        for _ in 0..self.parameters {
            let low = luck.random_range(0..half) as f64 / (self.levels as f64 - 1.0);
            let up = luck.random::<bool>();
            begin.push(if up { low } else { low + self.step() });
            way.push(if up { self.step() } else { -self.step() });
        }
        (order, begin, way)
    }

    /// The points: of every walk its beginning and what it comes to.
    pub fn points(&self) -> Vec<Vec<f64>> {
        let of = |walk| {
            let (order, mut at, way) = self.walk(walk);
            let mut points = vec![at.clone()];
            for parameter in order {
                at[parameter] += way[parameter];
                points.push(at.clone());
            }
            points
        };
        (0..self.walks).flat_map(of).collect()
    }

    /// The effect of every parameter from the results at [`Morris::points`]; `sigma` is 0 for a single walk.
    ///
    /// # Errors
    /// If there is not a finite result for every point.
    pub fn effects(&self, results: &[f64]) -> Result<Vec<Effect>, Mismatch> {
        let length = self.parameters + 1;
        answered(self.walks * length, results)?;
        let mut effects = vec![vec![]; self.parameters];
        for (walk, results) in results.chunks(length).enumerate() {
            let (order, _, way) = self.walk(walk);
            for (k, parameter) in order.into_iter().enumerate() {
                effects[parameter].push((results[k + 1] - results[k]) / way[parameter]);
            }
        }
        let of = |effects: &Vec<f64>| {
            let n = effects.len() as f64;
            let mu = effects.iter().sum::<f64>() / n;
            let squares: f64 = effects.iter().map(|e| (e - mu).powi(2)).sum();
            Effect {
                mu,
                mu_star: effects.iter().map(|e| e.abs()).sum::<f64>() / n,
                sigma: if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 },
            }
        };
        Ok(effects.iter().map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: Morris = Morris { parameters: 4, walks: 400, levels: 4, seed: 5 };

    #[test]
    fn walks_stay_on_the_grid_and_change_one_parameter_at_a_time() {
        let points = DESIGN.points();
        assert_eq!(points.len(), 400 * 5);
        for walk in points.chunks(5) {
            for pair in walk.windows(2) {
                let moved: Vec<f64> =
                    pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b).abs()).filter(|d| *d > 0.0).collect();
                assert!(moved.len() == 1 && (moved[0] - 2.0 / 3.0).abs() < 1e-12);
            }
            assert!(
                walk.iter()
                    .flatten()
                    .all(|x| (3.0 * x - (3.0 * x).round()).abs() < 1e-12 && (-1e-12..1.0 + 1e-12).contains(x))
            );
        }
        for level in 0..4 {
            let there = points.iter().filter(|p| (3.0 * p[2] - f64::from(level)).abs() < 1e-9).count() as f64;
            assert!((there / 2000.0 - 0.25).abs() < 0.05, "level {level}: {there}");
        }
    }

    #[test]
    fn effects_of_a_known_function() {
        // 3 x0 - 2 x1 + 4 x0 x2: effects 3 + 4 x2, -2, 4 x0 and 0. x over the grid {0, 1/3, 2/3, 1}: mean 1/2, deviation
        // sqrt(5)/6.
        let results: Vec<f64> = DESIGN.points().iter().map(|x| 3.0 * x[0] - 2.0 * x[1] + 4.0 * x[0] * x[2]).collect();
        let found = DESIGN.effects(&results).unwrap();
        let spread = 4.0 * 5f64.sqrt() / 6.0;
        let wanted = [(5.0, 5.0, spread), (-2.0, 2.0, 0.0), (2.0, 2.0, spread), (0.0, 0.0, 0.0)];
        for (effect, (mu, mu_star, sigma)) in found.iter().zip(wanted) {
            // Standard error of the mean 1.49 / 20.
            assert!((effect.mu - mu).abs() < 0.25 && (effect.mu_star - mu_star).abs() < 0.25, "{found:?}");
            assert!((effect.sigma - sigma).abs() < 0.1, "{found:?}");
        }
        assert!((found[1].mu + 2.0).abs() < 1e-12 && found[1].sigma < 1e-12, "a linear effect is exact");
        assert_eq!(DESIGN.effects(&[0.0]), Err(Mismatch::Count { points: 2000, results: 1 }));
    }

    #[test]
    fn effects_that_cancel_still_count() {
        // (x - 1/2)^2 on two levels above and below: effects of both signs, mean 0, size > 0.
        let design = Morris { parameters: 1, walks: 300, levels: 4, seed: 1 };
        let results: Vec<f64> = design.points().iter().map(|x| (x[0] - 0.5).powi(2)).collect();
        let effect = design.effects(&results).unwrap()[0];
        // From 0 to 2/3: (1/36 - 1/4) / (2/3) = -1/3; from 1/3 to 1: +1/3.
        assert!(effect.mu.abs() < 0.06 && (effect.mu_star - 1.0 / 3.0).abs() < 1e-12, "{effect:?}");
        assert!((effect.sigma - 1.0 / 3.0).abs() < 0.01);
    }
}
