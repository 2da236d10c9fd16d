//! Carbon in an optimal power flow: what emissions cost, and what they answer to one more kilowatt of load.

use crate::network::Network;
use crate::units::per_kg;

use super::error::OpfError;

/// Intensities of what generates, and the price of emissions (tax-internalised: every source pays price x intensity).
///
/// What a generator takes in (a negative output) is credited at its intensity; one that can only consume has none.
#[derive(Debug, Clone, PartialEq)]
pub struct CarbonPricing {
    /// Price per tonne; 0 leaves the dispatch as it is and only accounts for the emissions.
    pub price_per_tonne: f64,
    /// Intensity of each generator of the network, kg/kWh.
    pub generator_kg_per_kwh: Vec<f64>,
    /// Intensity of a negative load, and of what the slack of each node would bring, kg/kWh, by node.
    pub node_kg_per_kwh: Vec<f64>,
}

/// Emissions at an optimum.
#[derive(Debug, Clone, PartialEq)]
pub struct OpfCarbon {
    /// Emissions of all sources, kg/h.
    pub emissions_kg_per_h: f64,
    /// Average intensity by node from the carbon emission flow of the dispatch, kg/kWh; `None` without throughflow.
    pub intensity_kg_per_kwh: Vec<Option<f64>>,
    /// Marginal emissions dE/dd by node, kg/kWh: the total derivative along the optimal dispatch, which by symmetry is
    /// the derivative of the nodal price by the price of carbon. Where the optimum is at a kink it is the one for a
    /// rising price of carbon. `None` at isolated nodes, and where the best dispatch is not unique in its emissions.
    pub marginal_kg_per_kwh: Vec<Option<f64>>,
}

impl CarbonPricing {
    /// The same intensity everywhere.
    pub fn uniform(network: &Network, kg_per_kwh: f64, price_per_tonne: f64) -> Self {
        Self {
            price_per_tonne,
            generator_kg_per_kwh: vec![kg_per_kwh; network.generators.len()],
            node_kg_per_kwh: vec![kg_per_kwh; network.buses.len()],
        }
    }

    /// Price per kg.
    pub fn price_per_kg(&self) -> f64 {
        per_kg(self.price_per_tonne)
    }

    pub(super) fn check(&self, network: &Network) -> Result<(), OpfError> {
        for (of, expected, found) in [
            ("generators", network.generators.len(), self.generator_kg_per_kwh.len()),
            ("buses", network.buses.len(), self.node_kg_per_kwh.len()),
        ] {
            if expected != found {
                return Err(OpfError::CarbonCount { of, expected, found });
            }
        }
        let mut numbers = self.generator_kg_per_kwh.iter().chain(&self.node_kg_per_kwh).chain([&self.price_per_tonne]);
        if numbers.all(|v| v.is_finite()) { Ok(()) } else { Err(OpfError::CarbonNotFinite) }
    }
}
