//! Games whose players share constraints: everybody chooses a number within its own bounds, and some sums must not exceed a limit
//! that belongs to nobody (Rosen, 1965).
//!
//! The variational equilibrium gives the limits one price `mu` for all: it solves `F(x) + A' mu` against the bounds, `0 <= mu` against
//! `A x <= b`, with `F` minus the slopes of the payoffs. Other weights on the price give other equilibria, where one player can be
//! held to a limit that another is not: which is selected has to be said. Found by the extragradient method (Korpelevich, 1976)
//! with steps that shrink where the slopes bend faster (Khobotov, 1987). Numbers only: knows no market.

use thiserror::Error;

/// Players of one number each with concave payoffs, and the limits that they share.
pub trait SharedGame {
    /// Least and greatest number of each player.
    fn bounds(&self) -> Vec<(f64, f64)>;

    /// What a player gets.
    fn payoff(&self, player: usize, x: &[f64]) -> f64;

    /// How that grows with its own number.
    fn slope(&self, player: usize, x: &[f64]) -> f64;

    /// The limits: coefficients by player, and what their sum must not exceed.
    fn limits(&self) -> Vec<(Vec<f64>, f64)>;
}

/// An equilibrium, and how nearly it is one.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedEquilibrium {
    /// The number of each player.
    pub x: Vec<f64>,
    /// The price of each limit.
    pub price: Vec<f64>,
    /// How far a step along the slopes moves it, bounds kept: the natural residual, numbers and prices.
    pub residual: f64,
    /// The most that players gain by other numbers within bounds and limits, in sum.
    pub nikaido_isoda: f64,
    /// Greatest product of a price and what its limit leaves, and greatest excess over a limit.
    pub complementarity: f64,
    /// Steps taken.
    pub steps: usize,
}

/// Why no equilibrium was found.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SharedGameError {
    /// Weights that are none.
    #[error(
        "a weight of {weight} for player {player} (they count from 0): expected finite numbers above 0, one for each player"
    )]
    Weight {
        /// Which player.
        player: usize,
        /// Its weight.
        weight: f64,
    },
    /// The search ended too far from one.
    #[error("no equilibrium after {steps} steps: a residual of {residual:e}")]
    NotFound {
        /// Steps taken.
        steps: usize,
        /// What is left.
        residual: f64,
    },
}

const MOST_STEPS: usize = 200_000;
/// A step may stretch differences of slopes to this share of differences of numbers.
const STRETCH: f64 = 0.7;

/// The equilibrium in which the limits cost player `i` the price divided by its weight; with equal weights the variational one. To
/// within a residual, `1e-10` where nothing else is wanted.
///
/// # Errors
/// Weights that are none, or a search that ended too early.
pub fn equilibrium(
    game: &dyn SharedGame,
    weights: &[f64],
    tolerance: f64,
) -> Result<SharedEquilibrium, SharedGameError> {
    let bounds = game.bounds();
    for player in 0..bounds.len() {
        let weight = weights.get(player).copied().unwrap_or(f64::NAN);
        if !(weight > 0.0 && weight.is_finite()) {
            return Err(SharedGameError::Weight { player, weight });
        }
    }
    let limits = game.limits();
    let n = bounds.len();
    // Numbers first, then prices.
    let operator = |z: &[f64]| -> Vec<f64> {
        let (x, price) = z.split_at(n);
        let charged = |i: usize| limits.iter().zip(price).map(|((a, _), mu)| a[i] * mu).sum::<f64>() / weights[i];
        let own = (0..n).map(|i| charged(i) - game.slope(i, x));
        let left = limits.iter().map(|(a, b)| b - a.iter().zip(x).map(|(a, x)| a * x).sum::<f64>());
        own.chain(left).collect()
    };
    let inside = |z: Vec<f64>| -> Vec<f64> {
        let clamp = |(k, z): (usize, f64)| bounds.get(k).map_or(z.max(0.0), |(low, high)| z.clamp(*low, *high));
        z.into_iter().enumerate().map(clamp).collect()
    };
    let step_from =
        |z: &[f64], along: &[f64], step: f64| inside(z.iter().zip(along).map(|(z, f)| z - step * f).collect());
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let mut z = inside(bounds.iter().map(|(low, high)| 0.5 * (low + high)).chain(limits.iter().map(|_| 0.0)).collect());
    let mut step = 1.0;
    let (mut residual, mut steps) = (f64::INFINITY, 0);
    while steps < MOST_STEPS {
        let here = operator(&z);
        residual = z.iter().zip(step_from(&z, &here, 1.0)).fold(0.0, |most, (a, b)| most.max((a - b).abs()));
        if residual <= tolerance {
            break;
        }
        steps += 1;
        loop {
            let there = step_from(&z, &here, step);
            let slopes = operator(&there);
            let moved = distance(&z, &there);
            if step * distance(&here, &slopes) <= STRETCH * moved || moved == 0.0 || step < 1e-12 {
                z = step_from(&z, &slopes, step);
                break;
            }
            step *= 0.5;
        }
        step *= 1.05;
    }
    if residual > tolerance {
        return Err(SharedGameError::NotFound { steps, residual });
    }
    let price = z.split_off(n);
    let excess = |(a, b): &(Vec<f64>, f64)| a.iter().zip(&z).map(|(a, x)| a * x).sum::<f64>() - b;
    let products = limits.iter().zip(&price).map(|(limit, mu)| (mu * excess(limit)).abs().max(excess(limit)));
    let complementarity = products.fold(0.0, f64::max);
    let nikaido_isoda = nikaido_isoda(game, &z);
    Ok(SharedEquilibrium { x: z, price, residual, nikaido_isoda, complementarity, steps })
}

/// The most that players gain, in sum, by another number each while the others keep theirs, within bounds and limits (Nikaido and
/// Isoda, 1955): 0 at every equilibrium, whatever its weights.
pub fn nikaido_isoda(game: &dyn SharedGame, x: &[f64]) -> f64 {
    let (bounds, limits) = (game.bounds(), game.limits());
    let gain = |i: usize| {
        let (mut low, mut high) = bounds[i];
        for (a, b) in limits.iter().filter(|(a, _)| a[i] != 0.0) {
            let others: f64 = a.iter().zip(x).enumerate().filter(|(j, _)| *j != i).map(|(_, (a, x))| a * x).sum();
            let end = (b - others) / a[i];
            if a[i] > 0.0 { high = high.min(end) } else { low = low.max(end) }
        }
        let at = |own: f64| {
            let mut with = x.to_vec();
            with[i] = own;
            with
        };
        if low >= high {
            return 0.0;
        }
        // The payoff is concave: its slope falls.
        let slope = |own: f64| game.slope(i, &at(own));
        let best = if slope(low) <= 0.0 {
            low
        } else if slope(high) >= 0.0 {
            high
        } else {
            let (mut a, mut b) = (low, high);
            for _ in 0..200 {
                let middle = 0.5 * (a + b);
                if slope(middle) > 0.0 { a = middle } else { b = middle }
            }
            0.5 * (a + b)
        };
        (game.payoff(i, &at(best)) - game.payoff(i, x)).max(0.0)
    };
    (0..bounds.len()).map(gain).sum()
}

#[cfg(test)]
mod tests {
    use super::{SharedEquilibrium, SharedGame, SharedGameError, equilibrium, nikaido_isoda};

    /// `a x - b x^2 / 2 - p x - c x sum x` with `sum x <= most`.
    struct Crowded {
        price: f64,
        most: f64,
    }

    const A: [f64; 3] = [1.2, 1.0, 0.9];
    const B: [f64; 3] = [0.01, 0.012, 0.02];
    const CROWDING: f64 = 0.001;

    impl SharedGame for Crowded {
        fn bounds(&self) -> Vec<(f64, f64)> {
            vec![(0.0, 200.0); 3]
        }

        fn payoff(&self, i: usize, x: &[f64]) -> f64 {
            (A[i] - self.price - CROWDING * x.iter().sum::<f64>()) * x[i] - 0.5 * B[i] * x[i] * x[i]
        }

        fn slope(&self, i: usize, x: &[f64]) -> f64 {
            A[i] - self.price - CROWDING * (x.iter().sum::<f64>() + x[i]) - B[i] * x[i]
        }

        fn limits(&self) -> Vec<(Vec<f64>, f64)> {
            vec![(vec![1.0; 3], self.most)]
        }
    }

    fn solved(price: f64, most: f64, weights: [f64; 3]) -> SharedEquilibrium {
        equilibrium(&Crowded { price, most }, &weights, 1e-11).unwrap()
    }

    fn near(found: &[f64], expected: &[f64], tolerance: f64) {
        let fits = found.iter().zip(expected).all(|(f, e)| (f - e).abs() <= tolerance);
        assert!(fits && found.len() == expected.len(), "{found:?} instead of {expected:?}");
    }

    #[test]
    fn without_a_binding_limit_it_is_the_equilibrium_of_nash() {
        let found = solved(0.5, 500.0, [1.0; 3]);
        near(&found.x, &[54.575342466, 30.794520548, 14.301369863], 1e-7);
        near(&found.price, &[0.0], 1e-10);
    }

    #[test]
    fn one_price_for_all_selects_one_of_the_equilibria_and_other_weights_others() {
        let found = solved(0.5, 60.0, [1.0; 3]);
        near(&found.x, &[37.836166924, 16.630602782, 5.533230294], 1e-7);
        near(&found.price, &[0.223802163833], 1e-9);
        assert!(found.nikaido_isoda < 1e-8 && found.complementarity < 1e-8, "{found:?}");
        // A weight divides the price of its player.
        let other = solved(0.5, 60.0, [1.0, 0.5, 1.0]);
        near(&other.x, &[43.189066059, 8.473804100, 8.337129841], 1e-7);
        assert!(other.nikaido_isoda < 1e-8, "{other:?}");
        let game = Crowded { price: 0.5, most: 60.0 };
        assert!((nikaido_isoda(&game, &[20.0; 3]) - 0.145454545).abs() < 1e-8);
    }

    #[test]
    fn a_leader_who_sells_to_them_asks_what_the_closed_form_says() {
        let earns = |price: f64| (price - 0.45) * solved(price, 60.0, [1.0; 3]).x.iter().sum::<f64>();
        let (mut low, mut high) = (0.5, 0.9);
        for _ in 0..60 {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if earns(a) < earns(b) { low = a } else { high = b }
        }
        near(&[low], &[0.756143740], 1e-5);
        near(&solved(0.756143740, 60.0, [1.0; 3]).x, &[35.417194216, 14.583779721, 4.266149351], 1e-6);
        // The limit binds below a price.
        assert!(solved(0.7237, 60.0, [1.0; 3]).price[0] > 1e-6 && solved(0.7239, 60.0, [1.0; 3]).price[0] < 1e-9);
    }

    #[test]
    fn weights_that_are_none_are_refused() {
        let refused = equilibrium(&Crowded { price: 0.5, most: 60.0 }, &[1.0, 0.0, 1.0], 1e-10);
        assert_eq!(refused, Err(SharedGameError::Weight { player: 1, weight: 0.0 }));
    }
}
