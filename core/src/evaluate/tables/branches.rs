//! `branches`: one row per realisation, period and branch in service.

use super::{ONLY, REALISATION};
use crate::carbon_flow::BranchCarbon;
use crate::evaluate::Case;
use crate::network::{Branch, Network};
use crate::physical::GridState;
use crate::power_flow::BranchFlow;
use crate::table::{Column, Field, Row, Value, columns, integer, number};

/// A branch in a period.
struct Line<'a> {
    realisation: usize,
    period: usize,
    network: &'a Network,
    branch: &'a Branch,
    state: &'a GridState,
    flow: &'a BranchFlow,
    carbon: &'a BranchCarbon,
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    REALISATION.by(|l| l.realisation.into()),
    integer("period", "From 0.").by(|l| l.period.into()),
    integer("from", "Bus at the sending end, as in the network's file.").by(|l| l.network.bus(l.branch.from).id.into()),
    integer("to", "Bus at the receiving end.").by(|l| l.network.bus(l.branch.to).id.into()),
    number(
        "p_from_kw",
        "kW",
        "Active power into the branch at `from`; negative where power flows from `to` to `from`.",
    )
    .by(|l| l.flow.p_from_kw.into()),
    number("q_from_kvar", "kvar", "Reactive power into the branch at `from`.").by(|l| l.flow.q_from_kvar.into()),
    number("loss_kw", "kW", "Active power lost in the branch.")
        .equals("active power into the branch at `from` less that out of it at `to`")
        .by(|l| l.flow.loss_kw().into()),
    number("carbon_flow_kg_per_h", "kg/h", "Carbon into the branch at `from`, signed as its power.")
        .by(|l| l.carbon.from_kg_per_h.into()),
    number("carbon_intensity_kg_per_kwh", "kg/kWh", "Average intensity of the bus that sends the power.").by(|l| {
        let sending = if l.flow.p_from_kw >= l.flow.p_to_kw { l.branch.from } else { l.branch.to };
        l.state.carbon.intensity_kg_per_kwh[sending.0].into()
    }),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let Some(feeder) = &case.setting().feeder else { return vec![] };
    let network = &feeder.network;
    let mut rows = vec![];
    for (period, state) in case.cleared.physical.grid.iter().enumerate() {
        let in_service = network.branches.iter().zip(&state.flow.branches).filter(|(b, _)| b.in_service);
        for ((branch, flow), carbon) in in_service.zip(&state.carbon.branches) {
            let line = Line { realisation: ONLY, period, network, branch, state, flow, carbon };
            rows.push(FIELDS.iter().map(|field| (field.value)(&line)).collect());
        }
    }
    rows
}
