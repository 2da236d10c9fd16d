//! Who can trade with whom, when: pairs of members by slot, what both hold of each, and the one question that follows for a
//! member.
//!
//! A member with partners `j`, weights `w_ij` and wishes `v_ij` is asked for the least `f_i(x) + sum_j w_ij/2 (e_ij - v_ij)^2`,
//! `x = sum_j e_ij`. Given `x` the best copies are `e_ij = v_ij + R (x - V) / w_ij` with `1/R = sum_j 1/w_ij` and
//! `V = sum_j v_ij`, so that the question is `f_i(x) + R/2 (x - V)^2`, however many partners there are.

/// All pairs of members, in all slots.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// Both members of each pair, the first before the second.
    pub list: Vec<(usize, usize)>,
    pub slots: usize,
    members: usize,
}

/// Quantities by pair and slot; where the network takes part, after them those by member and slot that are agreed upon with its
/// operator.
pub(super) type ByPair = Vec<f64>;

/// What pairs agree on: sale of the first to the second, and its price; injections of members and their prices.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Agreement {
    pub sale: ByPair,
    pub price: ByPair,
}

/// Copies of every sale: the first's of what it sells to the second, the second's of what it sells to the first. Of an injection
/// the first is the member's, the second the operator's with the opposite sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies {
    pub first: ByPair,
    pub second: ByPair,
}

/// A question to every member: centres and weights by slot.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub centre: Vec<Vec<f64>>,
    pub weight: Vec<Vec<f64>>,
}

impl Pairs {
    pub fn of(members: usize, slots: usize) -> Self {
        let list = (0..members).flat_map(|i| (i + 1..members).map(move |j| (i, j))).collect();
        Self { list, slots, members }
    }

    /// Number of pairs and slots together.
    pub fn len(&self) -> usize {
        self.list.len() * self.slots
    }

    /// Scalars that are sent for one exchange of all copies: one per directed copy and slot.
    pub fn messages(&self) -> usize {
        2 * self.len()
    }

    /// By member and slot, the quantities after those of pairs.
    pub fn of_members(&self, of: &[f64]) -> Vec<Vec<f64>> {
        of[self.len()..].chunks(self.slots.max(1)).map(<[f64]>::to_vec).collect()
    }

    /// Both members of a place in [`ByPair`], and its slot.
    pub fn at(&self, place: usize) -> (usize, usize, usize) {
        let (i, j) = self.list[place / self.slots];
        (i, j, place % self.slots)
    }

    /// The question that follows from wishes and weights: a wish `v` of the first and of the second.
    pub fn ask(&self, wish: &Copies, weight: &[f64]) -> Question {
        let nothing = vec![vec![0.0; self.slots]; self.members];
        let mut question = Question { centre: nothing.clone(), weight: nothing };
        for (place, w) in weight.iter().enumerate().take(self.len()) {
            let (i, j, t) = self.at(place);
            question.centre[i][t] += wish.first[place];
            question.centre[j][t] += wish.second[place];
            question.weight[i][t] += 1.0 / w;
            question.weight[j][t] += 1.0 / w;
        }
        question.weight.iter_mut().flatten().for_each(|w| *w = 1.0 / *w);
        question
    }

    /// The copies that follow from the members' net sales.
    pub fn spread(&self, wish: &Copies, weight: &[f64], question: &Question, net: &[Vec<f64>]) -> Copies {
        let part = |member: usize, t: usize, w: f64| {
            question.weight[member][t] * (net[member][t] - question.centre[member][t]) / w
        };
        let (mut first, mut second) = (wish.first.clone(), wish.second.clone());
        for (place, w) in weight.iter().enumerate().take(self.len()) {
            let (i, j, t) = self.at(place);
            first[place] += part(i, t, *w);
            second[place] += part(j, t, *w);
        }
        Copies { first, second }
    }

    /// Net sale of every member by slot, where all pairs trade so much.
    pub fn net(&self, sale: &[f64]) -> Vec<Vec<f64>> {
        let mut net = vec![vec![0.0; self.slots]; self.members];
        for (place, kwh) in sale.iter().enumerate().take(self.len()) {
            let (i, j, t) = self.at(place);
            net[i][t] += kwh;
            net[j][t] -= kwh;
        }
        net
    }

    /// Mean over pairs, by slot.
    pub fn mean(&self, of: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.slots];
        for (place, v) in of.iter().enumerate().take(self.len()) {
            sum[place % self.slots] += v;
        }
        sum.iter().map(|s| s / self.list.len() as f64).collect()
    }

    /// Greatest difference between pairs in one slot.
    pub fn spread_of(&self, of: &[f64]) -> f64 {
        let slot = |t: usize| of[..self.len()].iter().skip(t).step_by(self.slots);
        let width = |t: usize| {
            let (low, high) =
                slot(t).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
            high - low
        };
        (0..self.slots).map(width).fold(0.0, f64::max)
    }
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
