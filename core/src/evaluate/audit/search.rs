//! Searches for the largest value of a function that need not have one everywhere: numbers only.
//!
//! A point without a value is passed over. It is no worst value: nobody knows what it would have been. That is why these two
//! searches are ours and not a library's, which would give up at the first point without an answer.

use rayon::prelude::*;

/// A function of a point; `None` where it has no value there.
pub(crate) type Function<'a> = &'a (dyn Fn(&[f64]) -> Option<f64> + Sync);

/// A point and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Best {
    pub at: Vec<f64>,
    pub value: f64,
}

/// Whether a value is better by more than what solvers leave undecided: of equals the first stays, on every machine.
pub(crate) fn is_better(value: f64, than: f64) -> bool {
    value > than + 1e-10 * (1.0 + than.abs())
}

impl Best {
    /// The better of two; of equals the first.
    pub fn or(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if is_better(other.value, self.value) => other,
            _ => self,
        }
    }
}

/// The best of some points, evaluated in parallel; of equals the first.
pub(crate) fn best_of(points: &[Vec<f64>], f: Function<'_>) -> Option<Best> {
    let values: Vec<Option<f64>> = points.par_iter().map(|at| f(at)).collect();
    let known = points.iter().zip(values).filter_map(|(at, value)| Some(Best { at: at.clone(), value: value? }));
    known.fold(None, |best, found| Some(best.map_or(found.clone(), |best: Best| best.or(Some(found)))))
}

/// Golden section (Kiefer 1953) on an interval of one coordinate, the others as in `at`: the best point that is met.
pub(crate) fn golden(f: Function<'_>, at: &[f64], axis: usize, (low, high): (f64, f64), steps: usize) -> Option<Best> {
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = (low, high);
    let mut best: Option<Best> = None;
    let mut value = |x: f64| {
        let mut at = at.to_vec();
        at[axis] = x;
        let value = f(&at)?;
        let found = Best { at, value };
        best = Some(best.take().map_or(found.clone(), |best| best.or(Some(found))));
        Some(value)
    };
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut of_left, mut of_right) = (value(left), value(right));
    for _ in 2..steps {
        // Where one has no value the interval shrinks away from it.
        if of_left.unwrap_or(f64::NEG_INFINITY) >= of_right.unwrap_or(f64::NEG_INFINITY) {
            (high, right, of_right) = (right, left, of_left);
            left = high - ratio * (high - low);
            of_left = value(left);
        } else {
            (low, left, of_left) = (left, right, of_right);
            right = low + ratio * (high - low);
            of_right = value(right);
        }
    }
    best
}

/// Pattern search (Hooke and Jeeves 1961) within a box: steps along the axes and the diagonals of two of them, halved where
/// none is an improvement, until they are a billionth of the box or `most` points have been met.
pub(crate) fn pattern(f: Function<'_>, start: Best, bounds: &[(f64, f64)], share: f64, most: usize) -> Best {
    let width: Vec<f64> = bounds.iter().map(|(low, high)| high - low).collect();
    let free: Vec<usize> = (0..bounds.len()).filter(|j| width[*j] > 0.0).collect();
    let within =
        |at: Vec<f64>| -> Vec<f64> { at.iter().zip(bounds).map(|(x, (low, high))| x.clamp(*low, *high)).collect() };
    let directions = directions(&free);
    if directions.is_empty() {
        return start;
    }
    let (mut best, mut step, mut met) = (start, share, 0);
    let mut along: Option<Vec<f64>> = None;
    while step > 1e-9 && met + directions.len() < most {
        let shifted = |by: &[(usize, f64)]| {
            let mut at = best.at.clone();
            for (j, sign) in by {
                at[*j] += sign * step * width[*j];
            }
            within(at)
        };
        let mut points: Vec<Vec<f64>> = directions.iter().map(|by| shifted(by)).filter(|at| *at != best.at).collect();
        // Where the last step led, once more.
        points.extend(along.take().map(|by| within(best.at.iter().zip(by).map(|(x, d)| x + d).collect())));
        met += points.len();
        match best_of(&points, f).filter(|found| is_better(found.value, best.value)) {
            Some(found) => {
                along = Some(found.at.iter().zip(&best.at).map(|(new, old)| 2.0 * (new - old)).collect());
                best = found;
            }
            None => step *= 0.5,
        }
    }
    best
}

/// Both ways along every axis, and along the diagonals of every two.
fn directions(axes: &[usize]) -> Vec<Vec<(usize, f64)>> {
    let signs = [1.0, -1.0];
    let single = axes.iter().flat_map(|j| signs.map(|s| vec![(*j, s)]));
    let pairs = axes.iter().enumerate().flat_map(|(k, i)| axes[k + 1..].iter().map(move |j| (*i, *j)));
    let diagonal = pairs.flat_map(|(i, j)| signs.into_iter().flat_map(move |a| signs.map(|b| vec![(i, a), (j, b)])));
    single.chain(diagonal).collect()
}

#[cfg(test)]
mod tests {
    use super::{Best, best_of, golden, pattern};

    #[test]
    fn golden_section_finds_a_kink_and_passes_over_points_without_value() {
        let f = |at: &[f64]| if at[0] < -0.9 { None } else { Some(-(at[0] - 0.3).abs()) };
        let found = golden(&f, &[0.0, 7.0], 0, (-1.0, 1.0), 60).expect("values");
        assert!((found.at[0] - 0.3).abs() < 1e-9 && found.at[1] == 7.0, "{found:?}");
        assert_eq!(golden(&|_| None, &[0.0], 0, (0.0, 1.0), 10), None);
    }

    /// A ridge across the axes, with its top at the edge of the box.
    #[test]
    fn pattern_search_follows_a_ridge_to_the_edge() {
        let f = |at: &[f64]| Some(at[0] - 50.0 * (at[0] + at[1] - 0.5).abs());
        let start = Best { at: vec![0.0, 0.0], value: f(&[0.0, 0.0]).expect("a value") };
        let found = pattern(&f, start, &[(-1.0, 1.0), (-1.0, 1.0)], 0.1, 20_000);
        assert!((found.value - 1.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn of_equals_the_first_is_kept_whatever_the_threads() {
        let points: Vec<Vec<f64>> = (0..100).map(|k| vec![f64::from(k)]).collect();
        assert_eq!(best_of(&points, &|at| Some((at[0] / 10.0).floor().min(5.0))).expect("values").at, [50.0]);
        assert_eq!(best_of(&[], &|_| Some(0.0)), None);
    }
}
