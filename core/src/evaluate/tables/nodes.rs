//! `nodes`: one row per realisation, period and bus.

use super::{ONLY, REALISATION};
use crate::evaluate::Case;
use crate::network::{Bus, BusKind};
use crate::opf::Price;
use crate::physical::GridState;
use crate::policy::NodePrices;
use crate::table::{Column, Field, Row, Value, columns, integer, number};

/// A bus in a period.
struct Line<'a> {
    realisation: usize,
    period: usize,
    bus: &'a Bus,
    /// Its node.
    node: usize,
    state: &'a GridState,
    price: Option<Price>,
    /// Share of the root's jump that is in the price.
    share: Option<f64>,
}

impl Line<'_> {
    fn price(&self, part: fn(&Price) -> f64) -> Value {
        self.price.as_ref().map(part).into()
    }
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    REALISATION.by(|l| l.realisation.into()),
    integer("period", "From 0.").by(|l| l.period.into()),
    integer("bus", "Id in the network's file.").by(|l| l.bus.id.into()),
    number("voltage_pu", "pu", "Voltage magnitude.")
        .by(|l| l.state.flow.voltages[l.node].map(|v| v.magnitude_pu).into()),
    number("p_kw", "kW", "Net active injection.").by(|l| l.state.flow.p_kw[l.node].into()),
    number("q_kvar", "kvar", "Net reactive injection.").by(|l| l.state.flow.q_kvar[l.node].into()),
    number("carbon_intensity_kg_per_kwh", "kg/kWh", "Average intensity of what flows through the bus.")
        .equals("kg/h into the bus / kW into the bus, from branches, upstream and generators alike")
        .by(|l| l.state.carbon.intensity_kg_per_kwh[l.node].into()),
    number(
        "price_per_kwh",
        "money/kWh",
        "What one more kWh withdrawn here costs a load that the policy charges, before retail margins; the sum of the parts behind it. Empty where prices do not differ by bus.",
    )
    .equals("energy_per_kwh + loss_per_kwh + congestion_per_kwh + voltage_per_kwh + carbon_per_kwh")
    .by(|l| l.price(Price::per_kwh)),
    number(
        "energy_per_kwh",
        "money/kWh",
        "Energy without carbon at the root, or by the retail tariff where that stays.",
    )
    .by(|l| l.price(|p| p.energy)),
    number("loss_per_kwh", "money/kWh", "Losses of the next kWh on its way, at the root's price without carbon.")
        .by(|l| l.price(|p| p.loss)),
    number("congestion_per_kwh", "money/kWh", "Branch ratings.").by(|l| l.price(|p| p.congestion)),
    number("voltage_per_kwh", "money/kWh", "Voltage limits.").by(|l| l.price(|p| p.voltage)),
    number("carbon_per_kwh", "money/kWh", "Carbon, with generation as it is: of the next kWh and its losses.")
        .by(|l| l.price(|p| p.carbon)),
    number(
        "root_share_imported",
        "",
        "At the root, where its price jumps at the turn from export to import: share of the jump in the price, 1 on import, 0 on export, between them while the exchange rests.",
    )
    .by(|l| l.share.filter(|_| l.bus.kind == BusKind::Slack).into()),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let Some(feeder) = &case.setting().feeder else { return vec![] };
    let prices = prices(case);
    let mut rows = vec![];
    for (period, state) in case.cleared.physical.grid.iter().enumerate() {
        let share = case.cleared.root_share_imported.get(period).copied().flatten();
        for (node, bus) in feeder.network.buses.iter().enumerate() {
            let price = prices.as_ref().and_then(|p| p[period][node]);
            let line = Line { realisation: ONLY, period, bus, node, state, price, share };
            rows.push(FIELDS.iter().map(|field| (field.value)(&line)).collect());
        }
    }
    rows
}

/// The policy's prices at all buses with what limits of the network add to them.
fn prices(case: &Case) -> Option<NodePrices> {
    let (cleared, setting) = (case.cleared, case.setting());
    let mut prices = case.policy.node_prices(setting, &cleared.physical, &cleared.signal)?;
    for (t, at_nodes) in prices.iter_mut().enumerate() {
        let parts = cleared.limits.prices.parts(setting, &cleared.physical, t);
        for (n, price) in at_nodes.iter_mut().enumerate() {
            *price = price.zip(parts.as_ref()).map(|(price, parts)| Price {
                congestion: price.congestion + parts[n].congestion,
                voltage: price.voltage + parts[n].voltage,
                ..price
            });
        }
    }
    Some(prices)
}
