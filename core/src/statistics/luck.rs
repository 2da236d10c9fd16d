//! Keyed uniform numbers: pure functions of seed, purpose, participant, period and the number of the draw, so that what is
//! compared is dealt the same luck, and draw 7 is draw 7 whoever asks first.

use crate::random::stream;
use rand::{Rng, RngExt};

/// How draws fill the unit interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Independently.
    Independent,
    /// One in each of so many equal strata: a Latin hypercube over all participants and periods (McKay, Beckman and Conover,
    /// 1979), `(permutation + uniform) / draws`. Draws beyond that number begin a further hypercube.
    Latin {
        /// Number of strata.
        draws: usize,
    },
}

/// Where uniform numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luck {
    /// Seed.
    pub seed: u64,
    /// How draws fill the unit interval.
    pub sampling: Sampling,
}

impl Luck {
    /// The number of one draw, strictly between 0 and 1.
    pub fn uniform(&self, draw: usize, purpose: &str, participant: usize, period: usize) -> f64 {
        let mut numbers = stream(self.seed, purpose, participant, period);
        // A number takes two words of the stream.
        numbers.set_word_pos(2 * draw as u128);
        let inside = open_unit(numbers.next_u64());
        let Sampling::Latin { draws } = self.sampling else { return inside };
        let draws = draws.max(1);
        let cube = draw / draws;
        let stratum = self.strata(draws, cube, purpose, participant, period)[draw % draws];
        in_stratum(stratum, inside, draws)
    }

    /// The numbers of draws 0 to `draws - 1`, as [`Luck::uniform`] gives them.
    pub fn uniforms(&self, draws: usize, purpose: &str, participant: usize, period: usize) -> Vec<f64> {
        let mut numbers = stream(self.seed, purpose, participant, period);
        let mut found: Vec<f64> = (0..draws).map(|_| open_unit(numbers.next_u64())).collect();
        if let Sampling::Latin { draws } = self.sampling {
            let draws = draws.max(1);
            for (cube, chunk) in found.chunks_mut(draws).enumerate() {
                let strata = self.strata(draws, cube, purpose, participant, period);
                for (number, stratum) in chunk.iter_mut().zip(strata) {
                    *number = in_stratum(stratum, *number, draws);
                }
            }
        }
        found
    }

    fn strata(&self, draws: usize, cube: usize, purpose: &str, participant: usize, period: usize) -> Vec<usize> {
        permutation(draws, &mut stream(self.seed, &format!("{purpose}, order {cube}"), participant, period))
    }
}

/// A number strictly between 0 and 1 from 52 random bits.
fn open_unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * 2f64.powi(-52)
}

/// The place of a number in one of so many strata; rounding must not push it to 1.
fn in_stratum(stratum: usize, inside: f64, draws: usize) -> f64 {
    ((stratum as f64 + inside) / draws as f64).min(1.0 - f64::EPSILON)
}

/// A random order of `0..n` (Fisher and Yates).
pub fn permutation(n: usize, luck: &mut crate::random::Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, luck.random_range(0..=last as u64) as usize);
    }
    order
}

/// A Latin hypercube of so many points in the unit cube: in every dimension one point in each stratum.
pub fn latin_hypercube(points: usize, dimensions: usize, seed: u64, purpose: &str) -> Vec<Vec<f64>> {
    let luck = Luck { seed, sampling: Sampling::Latin { draws: points } };
    let columns: Vec<Vec<f64>> = (0..dimensions).map(|d| luck.uniforms(points, purpose, d, 0)).collect();
    (0..points).map(|p| columns.iter().map(|column| column[p]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATIN: Luck = Luck { seed: 7, sampling: Sampling::Latin { draws: 50 } };
    const FREE: Luck = Luck { seed: 7, sampling: Sampling::Independent };

    #[test]
    fn a_draw_is_the_same_alone_and_among_others() {
        for luck in [LATIN, FREE] {
            let all = luck.uniforms(120, "wind", 3, 17);
            for draw in [0, 1, 49, 50, 119] {
                assert_eq!(all[draw], luck.uniform(draw, "wind", 3, 17));
            }
            assert_eq!(luck.uniforms(10, "wind", 3, 17), all[..10], "fewer draws are the first ones");
            for other in [luck.uniform(0, "sun", 3, 17), luck.uniform(0, "wind", 4, 17), luck.uniform(0, "wind", 3, 18)]
            {
                assert_ne!(other, all[0]);
            }
        }
    }

    #[test]
    fn every_stratum_has_one_draw() {
        let mut strata: Vec<usize> = LATIN.uniforms(50, "wind", 0, 0).iter().map(|u| (u * 50.0) as usize).collect();
        assert_ne!(strata, (0..50).collect::<Vec<_>>(), "in random order");
        strata.sort_unstable();
        assert_eq!(strata, (0..50).collect::<Vec<_>>());
        for dimension in 0..3 {
            let cube = latin_hypercube(20, 3, 1, "box");
            let mut strata: Vec<usize> = cube.iter().map(|p| (p[dimension] * 20.0) as usize).collect();
            strata.sort_unstable();
            assert_eq!(strata, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn latin_draws_estimate_a_mean_far_better() {
        // Stein (1987): of one variable the variance falls with the third power of n; here u^2 with mean 1/3, deviation 0.298.
        let error =
            |luck: Luck| (luck.uniforms(50, "wind", 0, 0).iter().map(|u| u * u).sum::<f64>() / 50.0 - 1.0 / 3.0).abs();
        assert!(error(LATIN) < 5.0 * 0.577 / 50f64.powf(1.5), "{}", error(LATIN));
        // Independent: 0.298 / sqrt(2e5) = 6.7e-4.
        let many = FREE.uniforms(200_000, "wind", 0, 0);
        assert!((many.iter().map(|u| u * u).sum::<f64>() / 2e5 - 1.0 / 3.0).abs() < 3e-3);
        assert!(many.iter().all(|u| *u > 0.0 && *u < 1.0));
    }

    #[test]
    fn numbers_never_reach_an_end() {
        assert!(open_unit(0) > 0.0 && open_unit(u64::MAX) < 1.0);
        assert!(in_stratum(999_999, open_unit(u64::MAX), 1_000_000) < 1.0);
    }
}
