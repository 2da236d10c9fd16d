//! What pairs of members agree on, and the step from one agreement to the next.
//!
//! Member `i` holds `e_ij` of what it sells to `j`, and both agree on `z_ij = -z_ji` at the price `p_ij`. With penalties `rho_ij`,
//! `1/R_i = sum_j 1/rho_ij` and `V_i = sum_j (z_ij + p_ij / rho_ij)` member `i` is asked for the least `f_i(x) + R_i/2 (x - V_i)^2`:
//! its copies are `e_ij = z_ij + p_ij / rho_ij + R_i (x_i - V_i) / rho_ij`. Then `q_i = R_i (V_i - x_i)` is its own marginal price,
//! and the step of the method of multipliers is
//!
//! - `p_ij <- (q_i + q_j) / 2`: a pair's price is the mean of its members' prices, so that prices are kept by member;
//! - `z_ij <- z_ij + (q_j - q_i) / (2 rho_ij)`: trade moves from the cheaper to the dearer.
//!
//! Where all pairs of a slot share a penalty, `z_ij = a_i - a_j` with potentials `a_i <- a_i - q_i / (2 rho)`: no pair has to be
//! written down, and a step between all of them costs as much as a sum over members. Where each pair has its own, `z` is by pair.
//!
//! With the network, a member holds its injections `g` too, the operator copies `n` of them, and both agree at prices `m`:
//! `m <- m - rho (g - n)`.

use super::graph::Graph;
use super::members::Question;

/// Agreement between the members, and penalties.
#[derive(Clone, Debug)]
pub(super) struct Couplings<'g> {
    pub graph: &'g Graph,
    /// Both members of every pair, where pairs have penalties of their own.
    list: Option<&'g [(usize, usize)]>,
    pub at: State,
    /// Penalties: by slot, or by pair and one for the network.
    pub rho: Vec<f64>,
}

/// A point of the method.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Potentials by member and slot, or sales of the first to the second by pair and slot.
    sale: Vec<f64>,
    /// Each member's own price by slot.
    pub price: Vec<f64>,
    /// Injections as the operator carries them, and their prices, by member and slot; empty without a network.
    pub carried: Vec<f64>,
    pub carrying_price: Vec<f64>,
}

/// Squares that residuals are made of, over both copies of every sale.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Squares {
    /// Copies less agreement.
    pub missed: f64,
    pub copies: f64,
    pub sales: f64,
    /// Penalty times the way of the agreement.
    pub moved: f64,
    pub prices: f64,
    /// `rho (|e - z|^2 + |z - z'|^2)`.
    pub combined: f64,
}

/// What the members and the operator answered: net sales, injections, and injections as carried, by member and slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered<'a> {
    pub net: &'a [f64],
    pub injection: &'a [f64],
    pub carried: &'a [f64],
}

impl<'g> Couplings<'g> {
    /// From nothing: no trade, no price.
    pub fn new(graph: &'g Graph, list: Option<&'g [(usize, usize)]>, network: bool, rho: f64) -> Self {
        let places = graph.members * graph.slots;
        let injections = if network { places } else { 0 };
        let at = State {
            sale: vec![0.0; list.map_or(places, |list| list.len() * graph.slots)],
            price: vec![0.0; places],
            carried: vec![0.0; injections],
            carrying_price: vec![0.0; injections],
        };
        Self { graph, list, at, rho: vec![rho; list.map_or(graph.slots, |list| list.len() + 1)] }
    }

    /// The same couplings at another point.
    pub fn elsewhere(&self, at: State) -> Self {
        Self { at, ..self.clone() }
    }

    /// Places that the members agree on, those with the network's operator included.
    pub fn places(&self) -> usize {
        self.graph.pairs() * self.graph.slots + self.at.carried.len()
    }

    fn slot(&self, place: usize) -> usize {
        place % self.graph.slots
    }

    /// Penalty of a member's injection.
    fn of_network(&self, place: usize) -> f64 {
        if self.list.is_some() { self.rho[self.rho.len() - 1] } else { self.rho[self.slot(place)] }
    }

    /// The question about trades that follows.
    pub fn question(&self) -> Question {
        let (graph, at) = (self.graph, &self.at);
        let slots = graph.slots;
        let Some(list) = self.list else {
            let potential: Vec<f64> =
                (0..at.sale.len()).map(|k| at.price[k] / (2.0 * self.rho[self.slot(k)]) - at.sale[k]).collect();
            let around = graph.around(&potential);
            let centre = |k: usize| {
                let degree = graph.degree(k / slots) as f64;
                degree * (at.sale[k] + at.price[k] / (2.0 * self.rho[self.slot(k)])) + around[k]
            };
            let weight = |k: usize| self.rho[self.slot(k)] / graph.degree(k / slots) as f64;
            let places = 0..at.sale.len();
            return Question { centre: places.clone().map(centre).collect(), weight: places.map(weight).collect() };
        };
        let (mut centre, mut weight) = (vec![0.0; at.price.len()], vec![0.0; at.price.len()]);
        for (pair, (i, j)) in list.iter().enumerate() {
            for t in 0..slots {
                let (a, b, rho) = (i * slots + t, j * slots + t, self.rho[pair]);
                let (sale, pull) = (at.sale[pair * slots + t], 0.5 * (at.price[a] + at.price[b]) / rho);
                centre[a] += sale + pull;
                centre[b] += pull - sale;
                weight[a] += 1.0 / rho;
                weight[b] += 1.0 / rho;
            }
        }
        for w in &mut weight {
            *w = 1.0 / *w;
        }
        Question { centre, weight }
    }

    /// The question about injections that follows.
    pub fn injecting(&self) -> Question {
        let weight: Vec<f64> = (0..self.at.carried.len()).map(|k| self.of_network(k)).collect();
        let centre = (0..weight.len()).map(|k| self.at.carried[k] + self.at.carrying_price[k] / weight[k]).collect();
        Question { centre, weight }
    }

    /// Where the operator's answer should be near: the members' injections less their price.
    pub fn wished(&self, injection: &[f64]) -> Vec<f64> {
        let of = |k: usize| injection[k] - self.at.carrying_price[k] / self.of_network(k);
        (0..injection.len()).map(of).collect()
    }

    /// The next agreement, and the squares of its residuals by group: slots, or pairs and the network.
    pub fn step(&self, question: &Question, answered: Answered<'_>) -> (State, Vec<Squares>) {
        let places = 0..self.at.price.len();
        let price: Vec<f64> = places.map(|k| question.weight[k] * (question.centre[k] - answered.net[k])).collect();
        let (sale, mut squares) = match self.list {
            None => self.step_by_slot(&price),
            Some(list) => self.step_by_pair(list, &price),
        };
        let mut carrying_price = self.at.carrying_price.clone();
        for (k, price) in carrying_price.iter_mut().enumerate() {
            let (injection, carried, rho) = (answered.injection[k], answered.carried[k], self.of_network(k));
            let (miss, moved) = (injection - carried, carried - self.at.carried[k]);
            *price -= rho * miss;
            let group = if self.list.is_some() { squares.len() - 1 } else { self.slot(k) };
            let of = &mut squares[group];
            of.missed += 2.0 * miss * miss;
            of.copies += injection * injection + carried * carried;
            of.sales += 2.0 * carried * carried;
            of.moved += 2.0 * (rho * moved).powi(2);
            of.prices += 2.0 * *price * *price;
            of.combined += 2.0 * rho * (miss * miss + moved * moved);
        }
        (State { sale, price, carried: answered.carried.to_vec(), carrying_price }, squares)
    }

    fn step_by_slot(&self, price: &[f64]) -> (Vec<f64>, Vec<Squares>) {
        let (graph, at) = (self.graph, &self.at);
        // Only differences of potentials count; about their mean they stay small.
        let mean = graph.mean(price);
        let sale: Vec<f64> = (0..price.len())
            .map(|k| at.sale[k] - (price[k] - mean[self.slot(k)]) / (2.0 * self.rho[self.slot(k)]))
            .collect();
        let fell: Vec<f64> = at.price.iter().zip(price).map(|(old, new)| old - new).collect();
        let (moved, missed) = (graph.differences(price, price), graph.sums(&fell, &fell));
        let (sales, prices) = (graph.differences(&sale, &sale), graph.sums(price, price));
        let squares = |t: usize| {
            let rho = self.rho[t];
            let missed = missed[t] / (2.0 * rho * rho);
            let moved = moved[t] / 2.0;
            let sales = 2.0 * sales[t];
            let combined = rho * missed + moved / rho;
            Squares { missed, copies: sales + missed, sales, moved, prices: prices[t] / 2.0, combined }
        };
        let squares = (0..graph.slots).map(squares).collect();
        (sale, squares)
    }

    fn step_by_pair(&self, list: &[(usize, usize)], price: &[f64]) -> (Vec<f64>, Vec<Squares>) {
        let (slots, at) = (self.graph.slots, &self.at);
        let mut sale = at.sale.clone();
        let mut squares = vec![Squares::default(); list.len() + 1];
        for (pair, (i, j)) in list.iter().enumerate() {
            let (rho, of) = (self.rho[pair], &mut squares[pair]);
            for t in 0..slots {
                let (a, b) = (i * slots + t, j * slots + t);
                let (old, new) = (0.5 * (at.price[a] + at.price[b]), 0.5 * (price[a] + price[b]));
                let (miss, moved) = ((old - new) / rho, (price[b] - price[a]) / (2.0 * rho));
                let sale = &mut sale[pair * slots + t];
                *sale += moved;
                of.missed += 2.0 * miss * miss;
                of.sales += 2.0 * *sale * *sale;
                of.copies += 2.0 * (*sale * *sale + miss * miss);
                of.moved += 2.0 * (rho * moved).powi(2);
                of.prices += 2.0 * new * new;
                of.combined += 2.0 * rho * (miss * miss + moved * moved);
            }
        }
        (sale, squares)
    }

    /// `<a, b>` of ways in `(sqrt(rho) z, p / sqrt(rho))`.
    pub fn inner(&self, a: &State, b: &State) -> f64 {
        let (graph, slots) = (self.graph, self.graph.slots);
        let network: f64 = (0..a.carried.len())
            .map(|k| {
                let rho = self.of_network(k);
                rho * a.carried[k] * b.carried[k] + a.carrying_price[k] * b.carrying_price[k] / rho
            })
            .sum();
        let Some(list) = self.list else {
            let (sales, prices) = (graph.differences(&a.sale, &b.sale), graph.sums(&a.price, &b.price));
            return network + (0..slots).map(|t| self.rho[t] * sales[t] + prices[t] / (4.0 * self.rho[t])).sum::<f64>();
        };
        let of_pair = |(pair, (i, j)): (usize, &(usize, usize))| -> f64 {
            let of_slot = |t: usize| {
                let price = |of: &State| 0.5 * (of.price[i * slots + t] + of.price[j * slots + t]);
                let place = pair * slots + t;
                self.rho[pair] * a.sale[place] * b.sale[place] + price(a) * price(b) / self.rho[pair]
            };
            (0..slots).map(of_slot).sum()
        };
        network + list.iter().enumerate().map(of_pair).sum::<f64>()
    }

    /// Net sale of every member by slot, as agreed.
    pub fn net(&self) -> Vec<f64> {
        let (graph, sale, slots) = (self.graph, &self.at.sale, self.graph.slots);
        let Some(list) = self.list else {
            let around = graph.around(sale);
            return (0..sale.len()).map(|k| graph.degree(k / slots) as f64 * sale[k] - around[k]).collect();
        };
        let mut net = vec![0.0; self.at.price.len()];
        for (pair, (i, j)) in list.iter().enumerate() {
            for t in 0..slots {
                net[i * slots + t] += sale[pair * slots + t];
                net[j * slots + t] -= sale[pair * slots + t];
            }
        }
        net
    }

    /// Sales of the first to the second, by pair of the graph and slot: for tests.
    #[cfg(test)]
    pub fn sales(&self) -> Vec<f64> {
        let slots = self.graph.slots;
        if self.list.is_some() {
            return self.at.sale.clone();
        }
        let of = |(i, j): (usize, usize)| (0..slots).map(move |t| (i * slots + t, j * slots + t));
        self.graph.list().into_iter().flat_map(of).map(|(a, b)| self.at.sale[a] - self.at.sale[b]).collect()
    }

    /// Mean price of the pairs, by slot.
    pub fn prices(&self) -> Vec<f64> {
        let (graph, slots) = (self.graph, self.graph.slots);
        let mut sum = vec![0.0; slots];
        for (k, price) in self.at.price.iter().enumerate() {
            sum[k % slots] += graph.degree(k / slots) as f64 * price;
        }
        sum.iter().map(|sum| sum / (2 * graph.pairs()) as f64).collect()
    }
}

impl State {
    /// The way from another point to this one.
    pub fn less(&self, other: &Self) -> Self {
        self.plus(-1.0, other)
    }

    /// This point and so many times another.
    pub fn plus(&self, times: f64, other: &Self) -> Self {
        let of = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + times * b).collect();
        Self {
            sale: of(&self.sale, &other.sale),
            price: of(&self.price, &other.price),
            carried: of(&self.carried, &other.carried),
            carrying_price: of(&self.carrying_price, &other.carrying_price),
        }
    }
}

impl Squares {
    /// Over several groups.
    pub fn total(of: &[Self]) -> Self {
        of.iter().fold(Self::default(), |sum, of| Self {
            missed: sum.missed + of.missed,
            copies: sum.copies + of.copies,
            sales: sum.sales + of.sales,
            moved: sum.moved + of.moved,
            prices: sum.prices + of.prices,
            combined: sum.combined + of.combined,
        })
    }
}
