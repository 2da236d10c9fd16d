//! Who can trade with whom, when: pairs of members by slot, what both hold of each, and the one question that follows for a
//! member, for a solver whose prices are those of pairs.
//!
//! A member with partners `j`, weights `w_ij` and wishes `v_ij` is asked for the least `f_i(x) + sum_j w_ij/2 (e_ij - v_ij)^2`,
//! `x = sum_j e_ij`. Given `x` the best copies are `e_ij = v_ij + R (x - V) / w_ij` with `1/R = sum_j 1/w_ij` and
//! `V = sum_j v_ij`, so that the question is `f_i(x) + R/2 (x - V)^2`, however many partners there are.

use super::graph::Graph;
use super::members::Question;

/// Pairs of members, in all slots.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// Both members of each pair, the first before the second.
    pub list: Vec<(usize, usize)>,
    pub slots: usize,
    members: usize,
}

/// Quantities by pair and slot.
pub(super) type ByPair = Vec<f64>;

/// Copies of every sale: the first's of what it sells to the second, the second's of what it sells to the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies {
    pub first: ByPair,
    pub second: ByPair,
}

impl Pairs {
    pub fn of(graph: &Graph) -> Self {
        Self { list: graph.list(), slots: graph.slots, members: graph.members }
    }

    /// Number of pairs and slots together.
    pub fn len(&self) -> usize {
        self.list.len() * self.slots
    }

    /// Scalars that are sent for one exchange of all copies: one per directed copy and slot.
    pub fn messages(&self) -> usize {
        2 * self.len()
    }

    /// Both members of a place in [`ByPair`], and its slot.
    pub fn at(&self, place: usize) -> (usize, usize, usize) {
        let (i, j) = self.list[place / self.slots];
        (i, j, place % self.slots)
    }

    /// Where both members of a place stand in a field by member and slot.
    fn ends(&self, place: usize) -> (usize, usize) {
        let (i, j, t) = self.at(place);
        (i * self.slots + t, j * self.slots + t)
    }

    /// The question that follows from wishes and weights: a wish `v` of the first and of the second.
    pub fn ask(&self, wish: &Copies, weight: &[f64]) -> Question {
        let nothing = vec![0.0; self.members * self.slots];
        let mut question = Question { centre: nothing.clone(), weight: nothing };
        for (place, w) in weight.iter().enumerate() {
            let (a, b) = self.ends(place);
            question.centre[a] += wish.first[place];
            question.centre[b] += wish.second[place];
            question.weight[a] += 1.0 / w;
            question.weight[b] += 1.0 / w;
        }
        for w in &mut question.weight {
            *w = 1.0 / *w;
        }
        question
    }

    /// The copies that follow from the members' net sales.
    pub fn spread(&self, wish: &Copies, weight: &[f64], question: &Question, net: &[f64]) -> Copies {
        let part = |k: usize, w: f64| question.weight[k] * (net[k] - question.centre[k]) / w;
        let (mut first, mut second) = (wish.first.clone(), wish.second.clone());
        for (place, w) in weight.iter().enumerate() {
            let (a, b) = self.ends(place);
            first[place] += part(a, *w);
            second[place] += part(b, *w);
        }
        Copies { first, second }
    }

    /// Net sale by member and slot, where all pairs trade so much.
    pub fn net(&self, sale: &[f64]) -> Vec<f64> {
        let mut net = vec![0.0; self.members * self.slots];
        for (place, kwh) in sale.iter().enumerate() {
            let (a, b) = self.ends(place);
            net[a] += kwh;
            net[b] -= kwh;
        }
        net
    }

    /// Mean over pairs, by slot.
    pub fn mean(&self, of: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.slots];
        for (place, v) in of.iter().enumerate() {
            sum[place % self.slots] += v;
        }
        sum.iter().map(|s| s / self.list.len() as f64).collect()
    }
}

/// Greatest difference between places of one slot.
pub(super) fn spread_of(field: &[f64], slots: usize) -> f64 {
    let width = |t: usize| {
        let (low, high) = field
            .iter()
            .skip(t)
            .step_by(slots)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
        high - low
    };
    (0..slots).map(width).fold(0.0, f64::max)
}

impl Copies {
    /// What the pairs agree on: half the difference of what both hold.
    pub fn agreed(&self) -> ByPair {
        self.first.iter().zip(&self.second).map(|(a, b)| 0.5 * (a - b)).collect()
    }

    /// Sum of squares over both copies.
    pub fn squares(&self) -> f64 {
        squares(&self.first) + squares(&self.second)
    }
}

pub(super) fn squares(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}
