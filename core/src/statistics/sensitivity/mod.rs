//! What a result hinges on: designs of points in a box of parameters, and what the results at those points say.
//!
//! A design is a list of points of the unit cube, so that they can be run anywhere, in parallel, and kept; an analysis takes
//! the results in the same order. [`Span::at`] brings a number of the unit interval to the range of a parameter.

mod morris;
mod one_at_a_time;
mod share;
mod sobol;
mod study;

pub use morris::{Effect, Morris};
pub use one_at_a_time::{Swing, one_at_a_time, swings};
pub use share::{Share, clopper_pearson, share_at_most, wilson};
pub use sobol::{Index, Indices, Saltelli};
pub use study::{Findings, Method, NoStudy, Parameter, Scale, Sensitivity};

/// The range of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Its least value.
    pub low: f64,
    /// Its greatest.
    pub high: f64,
}

impl Span {
    /// The value at a share of the way from low to high.
    pub fn at(&self, share: f64) -> f64 {
        self.low + share * (self.high - self.low)
    }
}

/// Results and points that do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// There are more or fewer results than points.
    #[error("the design has {points} points, and there are {results} results")]
    Count {
        /// Points of the design.
        points: usize,
        /// Results given.
        results: usize,
    },
    /// A result is not a finite number: a run without an answer cannot be left out of a design.
    #[error("the result at point {0} is not a finite number")]
    NotFinite(usize),
}

/// Checks that there is a finite result for every point.
fn answered(points: usize, results: &[f64]) -> Result<(), Mismatch> {
    if results.len() != points {
        return Err(Mismatch::Count { points, results: results.len() });
    }
    results.iter().position(|r| !r.is_finite()).map_or(Ok(()), |k| Err(Mismatch::NotFinite(k)))
}
