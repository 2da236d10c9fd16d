//! Who trades with whom, and sums over partners that follow.
//!
//! Fields are by member and slot, `i * slots + t`. Between all members sums over pairs have a closed form in sums over members;
//! between some they are taken along the pairs.

/// Members that trade in pairs, in slots.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub members: usize,
    pub slots: usize,
    links: Links,
}

#[derive(Clone, Debug)]
enum Links {
    /// Everybody with everybody.
    All,
    /// Each with its partners, in ascending order.
    Some(Vec<Vec<usize>>),
}

impl Graph {
    pub fn all(members: usize, slots: usize) -> Self {
        Self { members, slots, links: Links::All }
    }

    /// Partners of each member, both ways.
    pub fn of(partners: Vec<Vec<usize>>, slots: usize) -> Self {
        Self { members: partners.len(), slots, links: Links::Some(partners) }
    }

    /// Number of pairs.
    pub fn pairs(&self) -> usize {
        match &self.links {
            Links::All => self.members * self.members.saturating_sub(1) / 2,
            Links::Some(partners) => partners.iter().map(Vec::len).sum::<usize>() / 2,
        }
    }

    /// Both members of every pair, the first before the second.
    pub fn list(&self) -> Vec<(usize, usize)> {
        match &self.links {
            Links::All => (0..self.members).flat_map(|i| (i + 1..self.members).map(move |j| (i, j))).collect(),
            Links::Some(partners) => {
                let later = |(i, of): (usize, &Vec<usize>)| -> Vec<(usize, usize)> {
                    of.iter().filter(|j| **j > i).map(|j| (i, *j)).collect()
                };
                partners.iter().enumerate().flat_map(later).collect()
            }
        }
    }

    /// Number of partners.
    pub fn degree(&self, member: usize) -> usize {
        match &self.links {
            Links::All => self.members.saturating_sub(1),
            Links::Some(partners) => partners[member].len(),
        }
    }

    /// Sum over the partners of each member.
    pub fn around(&self, field: &[f64]) -> Vec<f64> {
        let slots = self.slots;
        match &self.links {
            Links::All => {
                let sum = self.total(|i, t| field[i * slots + t]);
                field.iter().enumerate().map(|(k, v)| sum[k % slots.max(1)] - v).collect()
            }
            Links::Some(partners) => {
                let of = |partners: &Vec<usize>| {
                    let mut sum = vec![0.0; slots];
                    for j in partners {
                        for (sum, v) in sum.iter_mut().zip(&field[j * slots..]) {
                            *sum += v;
                        }
                    }
                    sum
                };
                partners.iter().flat_map(of).collect()
            }
        }
    }

    /// `sum over pairs of (a_i - a_j) (b_i - b_j)`, by slot.
    pub fn differences(&self, a: &[f64], b: &[f64]) -> Vec<f64> {
        if let Links::All = self.links {
            let (mean_a, mean_b) = (self.mean(a), self.mean(b));
            let part = |i: usize, t: usize| (a[i * self.slots + t] - mean_a[t]) * (b[i * self.slots + t] - mean_b[t]);
            return self.total(part).iter().map(|sum| sum * self.members as f64).collect();
        }
        self.along(|i, j| (a[i] - a[j]) * (b[i] - b[j]))
    }

    /// `sum over pairs of (a_i + a_j) (b_i + b_j)`, by slot.
    pub fn sums(&self, a: &[f64], b: &[f64]) -> Vec<f64> {
        if let Links::All = self.links {
            let at = |of: &[f64]| self.total(|i, t| of[i * self.slots + t]);
            let own = self.total(|i, t| a[i * self.slots + t] * b[i * self.slots + t]);
            let (of_a, of_b, others) = (at(a), at(b), self.members as f64 - 2.0);
            return (0..self.slots).map(|t| others * own[t] + of_a[t] * of_b[t]).collect();
        }
        self.along(|i, j| (a[i] + a[j]) * (b[i] + b[j]))
    }

    /// Mean over members, by slot.
    pub fn mean(&self, field: &[f64]) -> Vec<f64> {
        let total = self.total(|i, t| field[i * self.slots + t]);
        total.iter().map(|sum| sum / self.members as f64).collect()
    }

    /// Sum over members, by slot.
    fn total(&self, of: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut sum = vec![0.0; self.slots];
        for i in 0..self.members {
            for (t, sum) in sum.iter_mut().enumerate() {
                *sum += of(i, t);
            }
        }
        sum
    }

    /// Sum over pairs, by slot, of a function of both places.
    fn along(&self, of: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let Links::Some(partners) = &self.links else { return vec![] };
        let slots = self.slots;
        let mut sum = vec![0.0; slots];
        for (i, partners) in partners.iter().enumerate() {
            for j in partners.iter().filter(|j| **j > i) {
                for (t, sum) in sum.iter_mut().enumerate() {
                    *sum += of(i * slots + t, j * slots + t);
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;
    use proptest::prelude::*;

    proptest! {
        /// The closed forms of all pairs are the sums along the pairs.
        #[test]
        fn sums_over_all_pairs_have_a_closed_form(values in proptest::collection::vec(-9.0_f64..9.0, 12..=12), slots in 1_usize..4) {
            let n = 12 / slots;
            let (a, b): (Vec<f64>, Vec<f64>) = (values[..n * slots].to_vec(), values[..n * slots].iter().map(|v| v * v - 3.0).collect());
            let everybody = (0..n).map(|i| (0..n).filter(|j| *j != i).collect()).collect();
            let (all, some) = (Graph::all(n, slots), Graph::of(everybody, slots));
            prop_assert_eq!(all.list(), some.list());
            prop_assert_eq!(all.pairs(), some.list().len());
            let near = |x: Vec<f64>, y: Vec<f64>| x.len() == y.len() && x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-9 * (1.0 + x.abs()));
            prop_assert!(near(all.around(&a), some.around(&a)));
            prop_assert!(near(all.differences(&a, &b), some.differences(&a, &b)));
            prop_assert!(near(all.sums(&a, &b), some.sums(&a, &b)));
            prop_assert_eq!(all.degree(0), some.degree(0));
        }
    }
}
