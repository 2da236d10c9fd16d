//! Parameters moved one at a time from a base to their two ends: the tornado diagram.

use super::{Mismatch, answered};

/// What one parameter does to the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swing {
    /// Which parameter.
    pub parameter: usize,
    /// Result with the parameter at its low end.
    pub low: f64,
    /// Result with the parameter at its high end.
    pub high: f64,
    /// Result at the base.
    pub base: f64,
}

impl Swing {
    /// Size of the bar: from the least to the greatest of the three results.
    pub fn size(&self) -> f64 {
        self.low.max(self.high).max(self.base) - self.low.min(self.high).min(self.base)
    }
}

/// The points of a tornado: the base, then every parameter at 0 and at 1, the others at the base.
pub fn one_at_a_time(base: &[f64]) -> Vec<Vec<f64>> {
    let moved = |(parameter, end)| {
        let mut point = base.to_vec();
        point[parameter] = end;
        point
    };
    let ends = (0..base.len()).flat_map(|parameter| [(parameter, 0.0), (parameter, 1.0)]);
    std::iter::once(base.to_vec()).chain(ends.map(moved)).collect()
}

/// The bars of a tornado from the results at [`one_at_a_time`], the longest first, of equals the first parameter.
///
/// # Errors
/// If there is not a finite result for every point.
pub fn swings(parameters: usize, results: &[f64]) -> Result<Vec<Swing>, Mismatch> {
    answered(1 + 2 * parameters, results)?;
    let of = |parameter: usize| Swing {
        parameter,
        low: results[1 + 2 * parameter],
        high: results[2 + 2 * parameter],
        base: results[0],
    };
    let mut swings: Vec<Swing> = (0..parameters).map(of).collect();
    swings.sort_by(|a, b| b.size().total_cmp(&a.size()));
    Ok(swings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_a_known_function() {
        // y = x0 + 10 x1 - (2 x2 - 1)^2 at the middle: bars 1, 10 and 1 (both ends fall by one)
        let y = |x: &Vec<f64>| x[0] + 10.0 * x[1] - (2.0 * x[2] - 1.0).powi(2);
        let points = one_at_a_time(&[0.5, 0.5, 0.5]);
        assert_eq!(points.len(), 7);
        let found = swings(3, &points.iter().map(y).collect::<Vec<_>>()).unwrap();
        let order: Vec<(usize, f64)> = found.iter().map(|s| (s.parameter, s.size())).collect();
        assert_eq!(order, [(1, 10.0), (0, 1.0), (2, 1.0)]);
        assert_eq!((found[0].low, found[0].base, found[0].high), (0.5, 5.5, 10.5));
        assert_eq!(swings(3, &[1.0]), Err(Mismatch::Count { points: 7, results: 1 }));
        assert_eq!(swings(1, &[1.0, f64::NAN, 2.0]), Err(Mismatch::NotFinite(1)));
    }
}
