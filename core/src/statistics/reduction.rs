//! Fewer scenarios that stand for many.

/// Scenarios that are kept, and what they stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// Places of the scenarios that are kept, in the order in which they were chosen.
    pub kept: Vec<usize>,
    /// Their probabilities: their own and those of the scenarios nearest to them.
    pub weights: Vec<f64>,
    /// Mean distance of a scenario from the nearest that is kept.
    pub distance: f64,
}

/// Fast forward selection (Heitsch and Römisch, 2003): adds the scenario that leaves the least mean distance, of equals the
/// first, until `keep` are there; then everybody's probability moves to the nearest, of equals the one chosen first.
pub fn reduce(weights: &[f64], distance: impl Fn(usize, usize) -> f64, keep: usize) -> Reduction {
    let n = weights.len();
    let mut kept: Vec<usize> = vec![];
    let mut nearest = vec![f64::INFINITY; n];
    while kept.len() < keep.min(n) {
        let left = |candidate: usize| -> f64 {
            (0..n).filter(|k| weights[*k] > 0.0).map(|k| weights[k] * nearest[k].min(distance(k, candidate))).sum()
        };
        let open = (0..n).filter(|k| !kept.contains(k)).map(|k| (left(k), k));
        let Some((_, best)) = open.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        kept.push(best);
        for (k, near) in nearest.iter_mut().enumerate() {
            *near = near.min(distance(k, best));
        }
    }
    let mut moved = vec![0.0; kept.len()];
    let mut total = 0.0;
    for (k, weight) in weights.iter().enumerate() {
        let closest = (0..kept.len()).min_by(|a, b| distance(k, kept[*a]).total_cmp(&distance(k, kept[*b])));
        let Some(closest) = closest else { break };
        moved[closest] += weight;
        total += weight * nearest[k];
    }
    Reduction { kept, weights: moved, distance: total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_five_numbers() {
        let x: [f64; 5] = [0.0, 1.0, 3.0, 7.0, 12.0];
        let found = |keep| reduce(&[0.2; 5], |a, b| (x[a] - x[b]).abs(), keep);
        assert!((found(1).distance - 3.6).abs() < 1e-12 && found(1).kept == [2]);
        let two = found(2);
        assert_eq!(two.kept, [2, 4]);
        assert!((two.distance - 1.8).abs() < 1e-12);
        // 7 is nearer to 3 than to 12: four fifths and one fifth.
        assert!((two.weights[0] - 0.8).abs() < 1e-12 && (two.weights[1] - 0.2).abs() < 1e-12);
        assert_eq!(found(9).distance, 0.0);
        assert_eq!(found(0), Reduction { kept: vec![], weights: vec![], distance: 0.0 });
    }
}
