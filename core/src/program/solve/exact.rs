//! A normal form from the middle of its box to the exact face.

use super::crossover::{EXACT, refine};
use super::normal_equations::NormalEquations;
use super::predictor_corrector::Ended;
use crate::program::model::normal_form::{Normal, Point, Quality};

/// Interior point, then crossover to the exact face; where the face is not exact, from deeper inside again. The best
/// point found, whatever its quality.
pub(super) fn interior_then_face(normal: &Normal) -> Option<Point> {
    let mut interior = NormalEquations::new(normal);
    let mut best: Option<(Point, Quality)> = None;
    let mut keep = |point: Point, quality: Quality| {
        let gap = |q: Quality| if q.residual <= 1e-9 { q.gap } else { f64::INFINITY };
        if best.as_ref().is_none_or(|&(_, b)| gap(quality) < gap(b)) {
            best = Some((point, quality));
        }
        best.as_ref().is_some_and(|&(_, b)| b.within(EXACT))
    };
    let (mut reduced, mut residual) = (vec![0.0; normal.linear.len()], vec![0.0; normal.rhs.len()]);
    for (target, steps) in [(4e-10, 6), (4e-13, 20), (4e-16, 40)] {
        let ended = interior.descend(target);
        if let Some((point, quality)) = refine(normal, &interior.point, steps)
            && keep(point, quality)
        {
            break;
        }
        let quality = normal.certify(&interior.point, &mut reduced, &mut residual);
        if keep(interior.point.clone(), quality) || ended == Ended::Stuck {
            break;
        }
    }
    best.map(|(point, _)| point)
}
