//! Games that mechanisms play, written as game files: what [`read_game_text`](super::read_game_text) reads.

use super::cournot::CournotStep;
use super::{
    Cournot, CournotSeller, Population, PopulationBuyer, PopulationSeller, Pricing, PricingBuyer, PricingSeller,
};
use crate::text::options;
use coase_core::cournot::CostStep;
use coase_core::plain_game::{Numbers, Priced, Spreading};
use coase_core::pricing::{Buyer, Seller};
use ron::ser::PrettyConfig;
use serde::Serialize;

/// The name of the grid among sellers: no participant can have it.
const GRID: &str = "grid";

/// A game as the text of a game file, participants by their ids.
///
/// # Errors
/// None, as long as numbers and names are values.
pub(crate) fn written(game: &Numbers, ids: &[&str]) -> Result<String, ron::Error> {
    let id = |member: usize| ids.get(member).map_or_else(|| format!("participant {member}"), |id| (*id).to_owned());
    match game {
        Numbers::Population { options, buyers, dynamics } => {
            let seller = |option: &Priced| PopulationSeller {
                id: option.member.map_or_else(|| GRID.to_owned(), id),
                price_per_kwh: option.price_per_kwh,
                quantity_kwh: option.quantity_kwh,
                congestion_per_kwh: option.congestion_per_kwh,
            };
            let buyer = |buyer: &Spreading| PopulationBuyer {
                id: id(buyer.member),
                quantity_kwh: buyer.quantity_kwh,
                adders_per_kwh: buyer.adders_per_kwh.clone(),
            };
            let (sellers, buyers) = (options.iter().map(seller).collect(), buyers.iter().map(buyer).collect());
            file("Population", &Population { sellers, buyers, dynamics: *dynamics })
        }
        Numbers::Pricing { sellers, buyers, range, method } => {
            let seller = |(member, seller): &(usize, Seller)| PricingSeller {
                id: id(*member),
                cost_per_kwh: seller.cost,
                quantity_kwh: seller.quantity,
                congestion_per_kwh: seller.congestion,
            };
            let buyer = |(member, buyer): &(usize, Buyer)| PricingBuyer {
                id: id(*member),
                quantity_kwh: buyer.quantity,
                adders_per_kwh: buyer.adders.clone(),
                grid_price_per_kwh: buyer.grid_price,
                value_per_kwh: buyer.value.map(|(value, _)| value),
                slope_per_kwh2: buyer.value.map(|(_, slope)| slope),
            };
            let (price_min_per_kwh, price_max_per_kwh) = *range;
            file(
                "Pricing",
                &Pricing {
                    sellers: sellers.iter().map(seller).collect(),
                    buyers: buyers.iter().map(buyer).collect(),
                    price_min_per_kwh,
                    price_max_per_kwh,
                    method: *method,
                    ..Pricing::default()
                },
            )
        }
        Numbers::Cournot { intercept_per_kwh, slope_per_kwh2, sellers, quotation_max_per_kwh, quotation_per_kwh } => {
            let step = |s: &CostStep| CournotStep { cost_per_kwh: s.cost_per_kwh, quantity_kwh: s.quantity_kwh };
            let seller = |(member, steps): &(usize, Vec<CostStep>)| {
                let (first, further) = steps.split_first()?;
                Some(CournotSeller {
                    id: id(*member),
                    cost_per_kwh: first.cost_per_kwh,
                    quantity_max_kwh: first.quantity_kwh.is_finite().then_some(first.quantity_kwh),
                    further_steps: further.iter().map(step).collect(),
                })
            };
            file(
                "Cournot",
                &Cournot {
                    intercept_per_kwh: *intercept_per_kwh,
                    slope_per_kwh2: *slope_per_kwh2,
                    sellers: sellers.iter().filter_map(seller).collect(),
                    quotation_max_per_kwh: *quotation_max_per_kwh,
                    quotation_per_kwh: *quotation_per_kwh,
                },
            )
        }
    }
}

/// A form under its head word, a seller or buyer a line.
fn file(head: &str, form: &impl Serialize) -> Result<String, ron::Error> {
    let shape = PrettyConfig::new().depth_limit(2).indentor("    ").new_line("\n");
    Ok(format!("{head}{}\n", options().to_string_pretty(form, shape)?))
}
