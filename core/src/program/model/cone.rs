//! Second-order cones, `||A x + b|| <= c'x + d`: the constraint, its dual, and what it adds to a certificate. Knows no solver.

use super::{Expr, Instance, Program};

/// A cone of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cone(usize);

impl Cone {
    /// Position of the cone in a solution's `cones`.
    pub fn index(self) -> usize {
        self.0
    }
}

/// `||parts|| <= radius`.
#[derive(Clone, Debug)]
pub(in crate::program) struct SecondOrder {
    pub radius: Expr,
    pub parts: Vec<Expr>,
    /// Scope, what it means, and period.
    pub label: (usize, &'static str, Option<usize>),
}

/// The dual `(t, u)` of a cone, with `||u|| <= t`: what a unit more of the radius, and of each part, saves. At an optimum
/// `t radius + u'parts = 0`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConeDual {
    /// What a unit more of the radius saves; not negative.
    pub radius: f64,
    /// What a unit more of each part saves.
    pub parts: Vec<f64>,
}

impl Program {
    /// `||parts|| <= radius`, the Euclidean norm of affine expressions below an affine expression; convex. A program with cones is
    /// solved by a conic solver, and may not have power flows. The label says what the cone means if it cannot hold.
    pub fn within_cone(
        &mut self,
        parts: Vec<Expr>,
        radius: impl Into<Expr>,
        what: &'static str,
        period: Option<usize>,
    ) -> Cone {
        let label = (self.scopes.len().saturating_sub(1), what, period);
        self.cones.push(SecondOrder { radius: radius.into(), parts, label });
        Cone(self.cones.len() - 1)
    }
}

impl SecondOrder {
    /// By how much the norm exceeds the radius; negative inside.
    pub fn excess(&self, x: &[f64]) -> f64 {
        let square: f64 = self.parts.iter().map(|part| part.value(x).powi(2)).sum();
        square.sqrt() - self.radius.value(x)
    }

    /// The radius and the parts, each with its component of a dual.
    fn with<'a>(&'a self, dual: &'a ConeDual) -> impl Iterator<Item = (&'a Expr, f64)> {
        let norm: f64 = dual.parts.iter().map(|u| u * u).sum::<f64>().sqrt();
        // Whatever was found, a dual inside its cone is what proves something.
        let radius = if norm > dual.radius { norm } else { dual.radius };
        std::iter::once((&self.radius, radius)).chain(self.parts.iter().zip(dual.parts.iter().copied()))
    }
}

impl Instance {
    /// Takes what the duals of cones are worth from reduced costs, so that they are the gradient of the Lagrangian; returns
    /// `sum of t radius + u'parts` at `x`, the cones' part of the gap.
    pub(in crate::program) fn price_cones(&self, x: &[f64], duals: &[ConeDual], reduced: &mut [f64]) -> f64 {
        let mut worth = 0.0;
        for (cone, dual) in self.cones().iter().zip(duals) {
            for (expression, price) in cone.with(dual) {
                worth += price * expression.value(x);
                for &(v, a) in &expression.terms {
                    reduced[v.index()] -= price * a;
                }
            }
        }
        worth
    }
}
