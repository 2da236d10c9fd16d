//! Symmetric systems in the way that suits them: as a whole, or with parts that look alike side by side.

use super::alike::Alike;
use super::lanes::{LaneLdl, LanePattern};
use super::ldl::{Ldl, Pivots};
use super::ordering::Graph;
use super::pattern::Pattern;
use std::fmt::Debug;
use std::sync::Arc;

/// Parts that are eliminated side by side.
const LANES: usize = 8;
/// Fewer parts are not worth it.
const FEWEST_PARTS: usize = 4;
/// Multiplications of one number that take as long as one of all lanes.
const LANES_TAKE: usize = 2;

/// The analysed pattern of a quasidefinite matrix.
#[derive(Clone, Debug)]
pub(crate) enum SymmetricPattern {
    Whole(Box<Pattern>),
    SideBySide(Arc<dyn Lanes>),
}

/// Values over a pattern, and their factors.
pub(crate) enum SymmetricLdl<'p> {
    Whole(Ldl<'p>),
    SideBySide(Box<dyn LaneFactors + 'p>),
}

/// A [`LanePattern`] of some number of lanes.
pub(crate) trait Lanes: Debug + Send + Sync {
    /// A matrix of zeros.
    fn zeros(&self) -> Box<dyn LaneFactors + '_>;
}

/// A [`LaneLdl`] of some number of lanes.
pub(crate) trait LaneFactors {
    fn values(&mut self) -> &mut Vec<f64>;
    fn factor(&mut self, replacement: Option<f64>) -> usize;
    fn refined(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64);
}

impl<const N: usize> Lanes for LanePattern<N> {
    fn zeros(&self) -> Box<dyn LaneFactors + '_> {
        Box::new(LaneLdl::new(self))
    }
}

impl<const N: usize> LaneFactors for LaneLdl<'_, N> {
    fn values(&mut self) -> &mut Vec<f64> {
        &mut self.values
    }

    fn factor(&mut self, replacement: Option<f64>) -> usize {
        LaneLdl::factor(self, replacement)
    }

    fn refined(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64) {
        LaneLdl::refined(self, rhs, out, tolerance);
    }
}

impl SymmetricPattern {
    /// Analyses the pattern with the given entries (either triangle, repetitions allowed; every diagonal entry is part of
    /// it), signs of the pivots, and lists of unknowns of parts that may look alike. Returns the slot of each entry, and of
    /// each diagonal entry.
    pub fn new(signs: &[f64], entries: &[(usize, usize)], parts: &[Vec<usize>]) -> (Self, Vec<u32>, Vec<u32>) {
        if let Some(alike) = alike(signs, entries, parts) {
            let (pattern, slots, diagonal, one_by_one) = LanePattern::<LANES>::new(signs, entries, &alike);
            // A wide border fills: then the parts are better eliminated one by one, border and all.
            let (lanes, remainder) = pattern.multiplications();
            if LANES_TAKE * lanes + remainder <= one_by_one {
                return (Self::SideBySide(Arc::new(pattern)), slots, diagonal);
            }
        }
        let (pattern, slots, diagonal) = Pattern::new(signs, entries);
        (Self::Whole(Box::new(pattern)), slots, diagonal)
    }

    /// The same with 1, 3 or as many parts side by side as in [`new`](Self::new), worth it or not; nothing where none look
    /// alike. For the test that no result depends on it.
    pub fn in_lanes(
        signs: &[f64],
        entries: &[(usize, usize)],
        parts: &[Vec<usize>],
        lanes: usize,
    ) -> Option<(Self, Vec<u32>, Vec<u32>)> {
        fn shared<const N: usize>(
            (pattern, slots, diagonal, _): (LanePattern<N>, Vec<u32>, Vec<u32>, usize),
        ) -> (SymmetricPattern, Vec<u32>, Vec<u32>) {
            (SymmetricPattern::SideBySide(Arc::new(pattern)), slots, diagonal)
        }
        let alike = alike(signs, entries, parts)?;
        match lanes {
            1 => Some(shared(LanePattern::<1>::new(signs, entries, &alike))),
            3 => Some(shared(LanePattern::<3>::new(signs, entries, &alike))),
            LANES => Some(shared(LanePattern::<LANES>::new(signs, entries, &alike))),
            _ => None,
        }
    }
}

/// The parts that look alike, if there are enough.
fn alike(signs: &[f64], entries: &[(usize, usize)], parts: &[Vec<usize>]) -> Option<Alike> {
    if parts.len() < FEWEST_PARTS {
        return None;
    }
    Alike::among(signs, &Graph::new(signs.len(), entries), parts, FEWEST_PARTS)
}

impl<'p> SymmetricLdl<'p> {
    /// The matrix without any entry.
    pub fn new(pattern: &'p SymmetricPattern) -> Self {
        match pattern {
            SymmetricPattern::Whole(pattern) => Self::Whole(Ldl::new(pattern)),
            SymmetricPattern::SideBySide(pattern) => Self::SideBySide(pattern.zeros()),
        }
    }

    /// The matrix, at the slots that [`SymmetricPattern::new`] returned.
    pub fn values(&mut self) -> &mut Vec<f64> {
        match self {
            Self::Whole(ldl) => &mut ldl.values,
            Self::SideBySide(ldl) => ldl.values(),
        }
    }

    /// Factors the current values. A pivot that is not safely of its sign is replaced by its sign times `replacement`.
    pub fn factor_signed(&mut self, replacement: f64) {
        match self {
            Self::Whole(ldl) => ldl.factor(&Pivots::Signed { floor: None, replacement: &|_| replacement }),
            Self::SideBySide(ldl) => ldl.factor(Some(replacement)),
        };
    }

    /// Factors the current values with pivots of any sign; returns the number of negative ones.
    pub fn factor_free(&mut self) -> usize {
        match self {
            Self::Whole(ldl) => ldl.factor(&Pivots::Free),
            Self::SideBySide(ldl) => ldl.factor(None),
        }
    }

    /// Solves `K out = rhs`, and refines while the residual exceeds `tolerance`.
    pub fn refined(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64) {
        match self {
            Self::Whole(ldl) => ldl.refined(rhs, out, tolerance),
            Self::SideBySide(ldl) => ldl.refined(rhs, out, tolerance),
        }
    }
}
