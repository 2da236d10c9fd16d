//! Answers between two markets: at a price at which the best answers form a set, a program takes a corner of it, and what is
//! asked of all together (a cap, say) may need a point inside.
//!
//! Where both sides are optimal at the price in force, so is every mixture of them, because the optima of a convex problem
//! form a convex set. Mixed are the *answers to each question*, not an outcome: so schedules are optimal at the price for
//! every mechanism, whatever it makes of the answers. Of two sides of a problem that is not convex a mixture may break a
//! choice (charging and discharging at once); it is then answered with an infinite gap.
//!
//! This module knows no mechanism and no policy.

use super::economy::Allocation;
use super::{Economy, Market};
use crate::program::{Certificate, ConeDual, Instance, Solution, SolveError};
use crate::terms::{Limits, Terms};
use std::sync::Arc;

/// Two markets of the same participants, and how their answers are mixed.
#[derive(Debug)]
pub(super) struct Mixture {
    /// Under a price below the one in force.
    pub low: Market,
    /// Under a price above it.
    pub high: Market,
    /// Weight of the answers of `low`.
    pub share: f64,
    /// Weight of the terms of `low` in those in force.
    pub place: f64,
}

impl Mixture {
    /// The same between changed sides.
    pub fn map(&self, change: impl Fn(&Market) -> Market) -> Self {
        Self { low: change(&self.low), high: change(&self.high), share: self.share, place: self.place }
    }

    /// A participant's answer between those of the sides, certified against its problem under the terms in force; with
    /// whether the second criterion settled both.
    pub fn answer(
        &self,
        instance: &Instance,
        ask: impl Fn(&Market) -> Result<(Solution, bool), SolveError>,
    ) -> Result<(Solution, bool), SolveError> {
        let ((low, low_settled), (high, high_settled)) = (ask(&self.low)?, ask(&self.high)?);
        let other = |a: &Solution| (a.x.len(), a.y.len()) != instance.size();
        if other(&low) || other(&high) {
            // Terms of another shape on one side: nothing lies between them.
            let certificate = Certificate { gap: f64::INFINITY, ..high.certificate };
            return Ok((Solution { certificate, ..high }, high_settled));
        }
        let x = between(self.share, &low.x, &high.x);
        let y = between(self.place, &low.y, &high.y);
        let mixed = |(a, b): (&ConeDual, &ConeDual)| ConeDual {
            radius: between(self.place, &[a.radius], &[b.radius])[0],
            parts: between(self.place, &a.parts, &b.parts),
        };
        let cones: Vec<ConeDual> = low.cones.iter().zip(&high.cones).map(mixed).collect();
        let mut certificate = Certificate::with_cones(instance, &x, &y, &cones);
        if !instance.respects_choices(&x) {
            certificate.gap = f64::INFINITY;
        }
        let nodes = low.nodes.max(high.nodes);
        let settled = low.settled && high.settled;
        Ok((Solution { x, y, cones, certificate, nodes, settled }, low_settled && high_settled))
    }

    /// The answer to a group question: trades between those of the sides, and what every member makes of them.
    pub fn allocation(&self, market: &Market, question: &Economy) -> Result<Allocation, SolveError> {
        let (low, high) = (self.low.remembered(question)?, self.high.remembered(question)?);
        let mix = |low: f64, high: f64| self.share * low + (1.0 - self.share) * high;
        let limits = low.limits.iter().zip(&high.limits).map(|(a, b)| self.limits(a, b)).collect::<Vec<_>>();
        let held = if limits.is_empty() { market.clone() } else { market.imposing(&limits) };
        let mut plans = vec![None; market.len()];
        for (i, (low, high)) in low.plans.iter().zip(&high.plans).enumerate() {
            if let (Some(low), Some(high)) = (low, high) {
                let trade = between(self.share, &low.trade, &high.trade);
                plans[i] = Some(Arc::new(held.local(i).delivered(&trade)?));
            }
        }
        let loss_cost = mix(low.loss_cost, high.loss_cost);
        let cost = plans.iter().flatten().map(|p| p.cost).sum::<f64>() + loss_cost;
        // The least cost is a concave function of the terms' price: between the sides it lies above their chord.
        let bound = self.place * (low.cost - low.gap) + (1.0 - self.place) * (high.cost - high.gap);
        let price = |low: &[f64], high: &[f64]| between(self.place, low, high);
        Ok(Allocation {
            cost,
            plans,
            price: price(&low.price, &high.price),
            nodal_price: low.nodal_price.iter().zip(&high.nodal_price).map(|(a, b)| price(a, b)).collect(),
            loss_cost,
            limits,
            gap: (cost - bound).max(0.0),
            choices_gap: low.choices_gap.max(high.choices_gap),
            programs: low.programs.max(high.programs),
            convex: low.convex && high.convex,
            arbitrary: low.arbitrary || high.arbitrary,
        })
    }

    /// Injection limits between those of the sides.
    fn limits(&self, low: &Terms, high: &Terms) -> Terms {
        let limits = low.limits.as_ref().zip(high.limits.as_ref()).map(|(a, b)| Limits {
            injection_min_kw: between(self.share, &a.injection_min_kw, &b.injection_min_kw),
            injection_max_kw: between(self.share, &a.injection_max_kw, &b.injection_max_kw),
        });
        Terms { limits, ..low.clone() }
    }
}

fn between(share: f64, low: &[f64], high: &[f64]) -> Vec<f64> {
    // Equal numbers stay what they are, to the last digit.
    low.iter().zip(high).map(|(a, b)| if a == b { *a } else { share * a + (1.0 - share) * b }).collect()
}
