//! The members as followers: what they trade at given fees, exactly, and what that earns the leader.

use super::Fee;
use crate::leader_search::Trial;
use coase_core::market::{Along, Dislike, Link, Pairwise, PairwiseSession, PairwiseSteps};
use coase_core::outcome::Trade;
use coase_core::setting::Product;
use coase_core::{Market, MechanismError};

/// Pairs that trade less than this, kWh, do not.
const NO_TRADE_KWH: f64 = 1e-7;

/// The members, and which fee each of their links pays.
pub(super) struct Followers<'m> {
    session: PairwiseSession<'m>,
    /// Fee and distance of each link.
    pays: Vec<(usize, f64)>,
    /// Names of the fees.
    names: Vec<String>,
    wear_per_kwh2: f64,
}

impl<'m> Followers<'m> {
    pub fn new(market: &'m Market, distance: &[Vec<f64>], fee: Fee, wear_per_kwh2: f64) -> Self {
        let setting = market.setting();
        let n = market.len();
        let edges: Vec<(usize, usize)> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
        let (mut links, mut pays) = (vec![], vec![]);
        for (slot, what) in setting.slots.iter().enumerate().filter(|(_, s)| s.product == Product::Energy) {
            for (edge, &(i, j)) in edges.iter().enumerate() {
                let group = match fee {
                    Fee::Scalar | Fee::Fixed { .. } => 0,
                    Fee::PerPeriod => what.period,
                    Fee::PerEdge => edge,
                };
                for (seller, buyer) in [(i, j), (j, i)] {
                    links.push(Link { seller, buyer, slot, worth_per_kwh: 0.0 });
                    pays.push((group, distance[i][j]));
                }
            }
        }
        let id = |i: usize| setting.members[i].id.as_str();
        let names = match fee {
            Fee::Scalar | Fee::Fixed { .. } => vec!["fee_per_kwh".to_owned()],
            Fee::PerPeriod => (0..setting.periods.count).map(|t| format!("fee_per_kwh in period {t}")).collect(),
            Fee::PerEdge => edges.iter().map(|&(i, j)| format!("fee_per_kwh of {}-{}", id(i), id(j))).collect(),
        };
        let session = market.pairwise_session(&Pairwise { weights: vec![1.0; n], links });
        Self { session, pays, names, wear_per_kwh2 }
    }

    /// How many fees there are.
    pub fn fees(&self) -> usize {
        self.names.len()
    }

    /// What the fees are called.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn links(&self) -> &[Link] {
        self.session.links()
    }

    pub fn session(&self) -> &PairwiseSession<'m> {
        &self.session
    }

    /// Fee and distance of each link.
    pub fn pays(&self) -> &[(usize, f64)] {
        &self.pays
    }

    /// What the energy of a link costs the leader, per kWh squared.
    pub fn wear(&self, link: usize) -> f64 {
        self.wear_per_kwh2 * self.pays[link].1
    }

    /// What a kWh along each link pays.
    pub fn charged(&self, fees: &[f64]) -> Vec<f64> {
        self.pays.iter().map(|(fee, distance)| fees.get(*fee).copied().unwrap_or(0.0) * distance).collect()
    }

    fn worths(&self, fees: &[f64]) -> Vec<f64> {
        self.charged(fees).into_iter().map(|charge| -charge).collect()
    }

    /// What the leader earns at these trades: fees less wear.
    pub fn revenue(&self, fees: &[f64], along: &Along) -> f64 {
        let charged = self.charged(fees);
        let quantity = along.quantity.iter().enumerate();
        quantity.map(|(k, kwh)| charged[k] * kwh - 0.5 * self.wear(k) * kwh * kwh).sum()
    }

    /// What comes of many lists of fees; prices and slopes are those of one of them.
    pub fn trials(&self, all: &[Vec<f64>], of: usize) -> Result<Vec<Trial>, MechanismError> {
        let worths: Vec<Vec<f64>> = all.iter().map(|fees| self.worths(fees)).collect();
        let answers = self.session.answers(&worths)?;
        Ok(all.iter().zip(&answers).map(|(fees, along)| self.trial(fees, along, of)).collect())
    }

    /// The same of one list, from the last step.
    pub fn step(&self, steps: &mut PairwiseSteps<'_, '_>, fees: &[f64], of: usize) -> Result<Trial, MechanismError> {
        Ok(self.trial(fees, &steps.answer(&self.worths(fees))?, of))
    }

    fn trial(&self, fees: &[f64], along: &Along, of: usize) -> Trial {
        let paying = self.pays.iter().zip(&along.quantity).filter(|((fee, _), _)| *fee == of);
        Trial {
            price: fees[of],
            gain: self.revenue(fees, along),
            least_cost: along.objective,
            slope: paying.map(|((_, distance), kwh)| distance * kwh).sum(),
        }
    }

    /// Of the best trades of the members at these fees those that the leader likes best (`side` 1) or least (-1), and of these
    /// the ones with the least sum of squares.
    pub fn favouring(&self, fees: &[f64], side: f64) -> Result<Along, MechanismError> {
        let charged = self.charged(fees).into_iter().enumerate();
        // What it likes least is concave in the energy: the wear is left out.
        let square = |k: usize| if side > 0.0 { self.wear(k) } else { 0.0 };
        let dislike: Vec<Dislike> =
            charged.map(|(k, charge)| Dislike { linear_per_kwh: -side * charge, square_per_kwh2: square(k) }).collect();
        Ok(self.session.liked(&self.worths(fees), &dislike)?)
    }

    /// The trades with what their seller receives, and the fee that each pays per kWh.
    pub fn trades(&self, fees: &[f64], along: &Along) -> Vec<(Trade, f64)> {
        let charged = self.charged(fees);
        // Both ways of a pair stand one after the other; what goes there and back does not go.
        let pairs = self.links().chunks(2).zip(along.quantity.chunks(2)).zip(charged.chunks(2));
        let trade = |((links, kwh), charge): ((&[Link], &[f64]), &[f64])| {
            let Link { seller, buyer, slot, .. } = if kwh[0] >= kwh[1] { links[0] } else { links[1] };
            let quantity = (kwh[0] - kwh[1]).abs();
            let price = along.price[seller].get(slot).copied();
            (quantity > NO_TRADE_KWH).then_some((Trade { seller, buyer, slot, quantity, price }, charge[0]))
        };
        pairs.filter_map(trade).collect()
    }
}
