//! Piecewise linear costs as convex pieces.
//!
//! Files round powers and costs, so that a straight line written in three pieces need not be convex in its last digit. Such a
//! cost is taken as the greatest of the lines through its pieces, which is what the usual formulation with one variable for
//! the cost makes of it (Zimmerman, Murillo-Sánchez and Thomas 2011); where the points are convex that is the cost itself.

/// A slope that falls by more than this share is no rounding, whatever the digits.
const MOST_ROUNDING: f64 = 1e-3;
const FOUR_DIGITS: f64 = 1e3;

/// A convex piecewise linear cost from `lower` up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pieces {
    /// Cost per hour at the lower end.
    pub base_per_h: f64,
    /// Where each piece begins, and its slope; slopes rise.
    pub from: Vec<(f64, f64)>,
}

/// The convex pieces of a cost between two powers, the outermost slopes going on beyond the points; nothing where the cost is
/// not convex.
pub(super) fn pieces(points: &[(f64, f64)], lower: f64, upper: f64) -> Option<Pieces> {
    let slopes: Vec<f64> = points.windows(2).map(|w| (w[1].1 - w[0].1) / (w[1].0 - w[0].0)).collect();
    let (powers, costs): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (power_unit, cost_unit) = (unit(&powers, -3), unit(&costs, 0));
    let rounding = |k: usize| (cost_unit + slopes[k].abs() * power_unit) / (points[k + 1].0 - points[k].0);
    for k in 1..slopes.len() {
        let (falls, size) = (slopes[k - 1] - slopes[k], slopes[k - 1].abs().max(slopes[k].abs()));
        let allowed = (rounding(k - 1) + rounding(k)).min(MOST_ROUNDING * size).max(1e-12 * size);
        if falls > allowed {
            return None;
        }
    }
    // Lines by rising slope; one that is nowhere the greatest is left out.
    let mut order: Vec<usize> = (0..slopes.len()).collect();
    order.sort_by(|a, b| slopes[*a].total_cmp(&slopes[*b]).then(a.cmp(b)));
    let at = |k: usize, p: f64| points[k].1 + slopes[k] * (p - points[k].0);
    let meet = |a: usize, b: usize| {
        if b == a + 1 {
            // The point that the file gives.
            return points[b].0;
        }
        points[a].0 + (at(b, points[a].0) - points[a].1) / (slopes[a] - slopes[b])
    };
    let mut kept: Vec<(f64, usize)> = vec![];
    for k in order {
        let mut from = f64::NEG_INFINITY;
        while let Some(&(begins, last)) = kept.last() {
            if slopes[last] == slopes[k] {
                // Parallel: the higher one.
                if at(last, points[k].0) >= points[k].1 {
                    from = f64::INFINITY;
                    break;
                }
            } else {
                from = meet(last, k);
                if from > begins {
                    break;
                }
            }
            kept.pop();
            from = f64::NEG_INFINITY;
        }
        if from < f64::INFINITY {
            kept.push((from, k));
        }
    }
    let mut from: Vec<(f64, f64)> = vec![];
    let mut base_per_h = f64::NEG_INFINITY;
    for (begins, k) in &kept {
        base_per_h = base_per_h.max(at(*k, lower));
        let begins = begins.max(lower);
        if begins >= upper && !from.is_empty() {
            break;
        }
        // What begins below the lower end replaces what began there before.
        if from.last().is_some_and(|(last, _)| *last >= begins) {
            from.pop();
        }
        from.push((begins, slopes[*k]));
    }
    Some(Pieces { base_per_h, from })
}

/// A unit of the last digit that all numbers are written with: 10^-d for the least d from `least` on that fits. Numbers of
/// few digits were not rounded.
fn unit(numbers: &[f64], least: i32) -> f64 {
    for digits in least..=9 {
        let scale = 10.0_f64.powi(digits);
        let fits = |x: f64| ((x * scale).round() - x * scale).abs() <= 1e-10 * (x * scale).abs();
        if numbers.iter().copied().all(fits) {
            let longest = numbers.iter().fold(0.0_f64, |most, x| most.max((x * scale).abs()));
            return if longest < FOUR_DIGITS { 0.0 } else { 1.0 / scale };
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(pieces: &Pieces, lower: f64, p: f64) -> f64 {
        let ends = pieces.from.iter().skip(1).map(|f| f.0).chain([f64::INFINITY]);
        let within = pieces.from.iter().zip(ends).map(|((a, s), b)| s * (p.min(b) - a).max(0.0));
        assert_eq!(pieces.from[0].0, lower);
        pieces.base_per_h + within.sum::<f64>()
    }

    /// The greatest of all lines, by looking at every one.
    fn greatest(points: &[(f64, f64)], p: f64) -> f64 {
        let line = |w: &[(f64, f64)]| w[0].1 + (w[1].1 - w[0].1) / (w[1].0 - w[0].0) * (p - w[0].0);
        points.windows(2).map(line).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Powers in kW as a file in MW rounds them.
    const ROUNDED: [(f64, f64); 4] =
        [(30e3, 823.98411), (45.33333e3, 1245.13151), (60.66667e3, 1666.27891), (76e3, 2087.42630)];

    #[test]
    fn a_line_in_rounded_pieces_is_the_greatest_of_them() {
        let found = pieces(&ROUNDED, 30e3, 76e3).unwrap();
        assert!(found.from.windows(2).all(|w| w[1].1 >= w[0].1), "{found:?}");
        for p in [30e3, 41e3, 45.33333e3, 52e3, 60.66667e3, 70e3, 76e3] {
            assert!((cost(&found, 30e3, p) - greatest(&ROUNDED, p)).abs() < 1e-9, "{p}");
        }
        assert!((cost(&found, 30e3, 76e3) - 2_087.426_585).abs() < 1e-6);
    }

    #[test]
    fn convex_points_are_kept_and_limits_cut_them() {
        let points = [(-10.0, -5.0), (0.0, 0.0), (20.0, 20.0), (50.0, 110.0)];
        for (lower, upper) in [(-5.0, 30.0), (0.0, 20.0), (-30.0, 90.0), (7.0, 7.0), (60.0, 70.0)] {
            let found = pieces(&points, lower, upper).unwrap();
            for share in [0.0, 0.3, 1.0] {
                let p = lower + share * (upper - lower);
                assert!((cost(&found, lower, p) - greatest(&points, p)).abs() < 1e-12, "{lower} {upper} {p} {found:?}");
            }
            assert!(found.from.iter().skip(1).all(|f| points.iter().any(|p| p.0 == f.0)), "{found:?}");
        }
    }

    #[test]
    fn what_no_rounding_explains_is_not_convex() {
        assert_eq!(pieces(&[(0.0, 0.0), (10.0, 20.0), (20.0, 30.0)], 0.0, 20.0), None);
        assert_eq!(pieces(&[(0.0, 0.0), (1000.0, 20_000.0), (2000.0, 39_990.0)], 0.0, 2000.0), None);
        // A thousandth of a falling slope, in numbers with digits enough to say so.
        assert_eq!(pieces(&[(0.0, 0.0), (10.0, 20.0), (20.0, 39.9876543)], 0.0, 20.0), None);
    }
}
