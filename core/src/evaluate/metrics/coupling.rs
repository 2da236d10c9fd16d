//! What is lost by clearing slot by slot where slots depend on each other.

use super::Metric;
use crate::auction::{Auction, Clearing, Fill, per_slot};
use crate::book::Book;
use crate::context::RunContext;
use crate::error::MechanismError;
use crate::evaluate::Case;
use crate::table::number;

pub(super) const METRICS: &[Metric] = &[number(
    "coupling_loss",
    "money",
    "Of a rule that clears slot by slot: by how much the best trade in every slot by itself, delivered together, costs more than the best for all slots at once. Not what the rule itself gives up; steps of sloped bid curves count with it.",
)
.equals("(operating_cost + carbon_cost with all worthwhile trades on truthful bids, slot by slot) - least C of all together")
.by(|case| loss(case).into())];

fn loss(case: &Case) -> Option<f64> {
    // Whoever clears slot by slot says so by its evidence.
    if !case.cleared.outcome.evidence.iter().any(|c| c.name == "slot_coupling") {
        return None;
    }
    let truth = &case.cleared.truth;
    let outcome = per_slot(&AllWorthwhile, truth, &mut RunContext::new(case.seed, ())).ok()?;
    let costs = truth.each(|local| local.delivered(&outcome.net[local.id()]).map(|plan| plan.cost)).ok()?;
    let least = truth.remembered(&truth.grand()).ok()?.cost;
    Some(costs.iter().sum::<f64>() - least)
}

/// Every trade whose bid is no less than its ask; nobody pays.
struct AllWorthwhile;

impl Auction for AllWorthwhile {
    fn clear(&self, book: &Book, _: &mut RunContext) -> Result<Clearing, MechanismError> {
        let mut clearing = Clearing::default();
        let mut asks = book.sellers.iter().map(|o| (o, o.quantity));
        let mut ask = asks.next();
        for bid in &book.buyers {
            let mut wanted = bid.quantity;
            while let Some((order, left)) = ask.as_mut().filter(|(order, _)| wanted > 0.0 && order.price <= bid.price) {
                let quantity = wanted.min(*left);
                clearing.buys.push(Fill { who: bid.who, quantity, money: 0.0 });
                clearing.sells.push(Fill { who: order.who, quantity, money: 0.0 });
                wanted -= quantity;
                *left -= quantity;
                if *left <= 0.0 {
                    ask = asks.next();
                }
            }
        }
        Ok(clearing)
    }
}
