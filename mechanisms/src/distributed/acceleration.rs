//! The geometric series of the path: where every step is so many times the last one, the limit is known.
//!
//! The method maps `w = (sqrt(rho) z, p / sqrt(rho))` to the next `w`. Once its steps `d_k = w_k - w_{k-1}` settle to one
//! direction, their ratio is `g = <d_k, d_{k-1}> / |d_{k-1}|^2` and what is left of the path is `d_k g / (1 - g)`. The point
//! there is only a guess: one iteration is tried from it, and taken where its residual is clearly below the present one.
//!
//! A reconstruction of the acceleration that X. Song et al. (2024) name; the formula is that of geometric extrapolation.

use super::couplings::{Couplings, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is made of the path so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Acceleration {
    /// Nothing.
    #[default]
    Off,
    /// The rest of the path is taken for a geometric series where its steps have settled to one direction and ratio; one
    /// iteration tries the point at its end, which is kept if its residual is below nine tenths of the present one.
    GeometricSeries,
}

/// Iterations between two guesses.
const EVERY: usize = 5;
/// Ratio of steps up to which a series has an end worth guessing, and cosine from which steps have one direction.
const MOST_RATIO: f64 = 0.999;
const ONE_DIRECTION: f64 = 0.9;

/// The last three points of the path.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    points: Vec<State>,
}

impl Path {
    pub fn forget(&mut self) {
        self.points.clear();
    }

    /// Adds a point, and says where the series ends that it continues, if it is time to guess.
    pub fn guess(&mut self, iteration: usize, at: &Couplings<'_>) -> Option<State> {
        self.points.push(at.at.clone());
        if self.points.len() > 3 {
            self.points.remove(0);
        }
        let [before, last, now] = &self.points[..] else { return None };
        if !iteration.is_multiple_of(EVERY) {
            return None;
        }
        let (recent, earlier) = (now.less(last), last.less(before));
        let along = at.inner(&recent, &earlier);
        let (size, earlier) = (at.inner(&recent, &recent), at.inner(&earlier, &earlier));
        let (ratio, cosine) = (along / earlier, along / (size * earlier).sqrt());
        if !(ratio > 0.0 && ratio < MOST_RATIO && cosine > ONE_DIRECTION) {
            return None;
        }
        Some(now.plus(ratio / (1.0 - ratio), &recent))
    }
}
