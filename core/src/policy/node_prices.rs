//! Prices at all buses of a solved network, in their parts: what a policy's tables say of nodes where nobody takes part.
//!
//! Pure functions of the physical outcome. Knows no concrete policy and no limit of the network.

use crate::opf::Price;
use crate::physical::Physical;
use crate::setting::Setting;

/// Prices by period and node, per kWh; `None` at nodes without voltage, and where the network is at its limit of
/// loadability.
pub type NodePrices = Vec<Vec<Option<Price>>>;

/// What one more kWh withdrawn does at a node, in a period.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtNode {
    /// The period.
    pub period: usize,
    /// Position in the network.
    pub node: usize,
    /// `dP_0 / dd_n`: energy from upstream.
    pub upstream: f64,
}

/// Prices from what one more kWh does at each node; nothing without a network.
pub(super) fn at_all_nodes(
    setting: &Setting,
    physical: &Physical,
    price: impl Fn(AtNode) -> Option<Price>,
) -> Option<NodePrices> {
    let feeder = setting.feeder.as_ref()?;
    let of_period = |(period, state): (usize, &crate::physical::GridState)| {
        let response = feeder.power_flow.sensitivities(&state.flow).map(|mut s| s.slack_kw()).ok();
        let at = |(node, voltage): (usize, &Option<crate::power_flow::Voltage>)| {
            let upstream = response.as_ref().filter(|_| voltage.is_some())?.p[node];
            price(AtNode { period, node, upstream })
        };
        state.flow.voltages.iter().enumerate().map(at).collect()
    };
    Some(physical.grid.iter().enumerate().map(of_period).collect())
}

/// Average intensity at a node, kg/kWh; the grid's where nothing flows.
pub(super) fn intensity(setting: &Setting, physical: &Physical, at: AtNode) -> f64 {
    let found = physical.grid.get(at.period).and_then(|state| state.carbon.intensity_kg_per_kwh[at.node]);
    found.unwrap_or_else(|| setting.intensity(at.period))
}

/// Price of energy at the root, per kWh.
pub(super) fn buy(setting: &Setting, period: usize) -> f64 {
    setting.tariff.as_ref().map_or(0.0, |tariff| tariff.buy_per_kwh[period])
}
