//! `periods`: one row per realisation, participant, period and product.

use super::{ONLY, REALISATION};
use crate::evaluate::Case;
use crate::market::Plan;
use crate::participant::{DevicePlugin, devices};
use crate::setting::{Product, Slot};
use crate::table::{Column, Field, Row, Value, columns, integer, number, text};
use crate::terms::{Account, at};
use std::sync::LazyLock;

/// A participant in a slot.
struct Line<'a> {
    realisation: usize,
    case: &'a Case<'a>,
    member: usize,
    plan: &'a Plan,
    /// Number of the slot.
    at: usize,
    slot: Slot,
    /// Sold to and bought from peers in the slot.
    sold: f64,
    bought: f64,
}

impl Line<'_> {
    fn is_energy(&self) -> bool {
        self.slot.product == Product::Energy
    }

    /// What a quantity of the slot is as a power.
    fn kw(&self, quantity: f64) -> Value {
        let per_hour = if self.is_energy() { self.case.setting().periods.hours } else { 1.0 };
        (quantity / per_hour).into()
    }

    /// An exchange with the grid by period, which is one of energy, as a power.
    fn grid_kw(&self, kwh: &[f64]) -> Value {
        if self.is_energy() {
            (kwh[self.slot.period] / self.case.setting().periods.hours).into()
        } else {
            Value::Missing
        }
    }

    fn price(&self, selling: bool) -> Value {
        self.case.traded.price(self.member, self.at, selling).into()
    }

    /// The price at which a kWh traded with peers is as good as one traded with the grid, under the terms that the participant decides
    /// under: carbon at the price of its last kilogram, and what the terms charge for trades. Nothing without a tariff.
    fn as_good_as_the_grid(&self, selling: bool) -> Value {
        let (setting, period) = (self.case.setting(), self.slot.period);
        let Some(tariff) = setting.tariff.as_ref().filter(|_| self.is_energy()) else { return Value::Missing };
        let terms = self.case.cleared.truth.terms(self.member);
        let kg = |of: fn(&Account) -> &Vec<f64>| terms.account.as_ref().map_or(0.0, |account| at(of(account), period));
        let per_kg = self.plan.kg_price.unwrap_or(0.0);
        let outside = if selling {
            tariff.sell_per_kwh[period] + at(&terms.export_adder, period)
                - per_kg * (kg(|a| &a.export_kg_per_kwh) - kg(|a| &a.sold_kg_per_kwh))
        } else {
            tariff.buy_per_kwh[period]
                + at(&terms.import_adder, period)
                + per_kg * (kg(|a| &a.import_kg_per_kwh) - kg(|a| &a.bought_kg_per_kwh))
        };
        (outside - at(&terms.trade_adder, self.at)).into()
    }
}

/// What fills a column.
type Fill = fn(&Line) -> Value;

const FIELDS: &[Field<Fill>] = &[
    REALISATION.by(|l| l.realisation.into()),
    text("participant", "Id.").by(|l| l.case.setting().members[l.member].id.as_str().into()),
    integer("period", "From 0.").by(|l| l.slot.period.into()),
    text("product", "What is traded.").by(|l| l.slot.product.name().into()),
    number("net_export_kw", "kW", "Net injection at the connection point.")
        .equals("sum of what devices inject")
        .by(|l| l.kw(l.plan.output[l.at])),
    number("grid_import_kw", "kW", "Import from the grid.").by(|l| l.grid_kw(&l.plan.import_kwh)),
    number("grid_export_kw", "kW", "Export to the grid.").by(|l| l.grid_kw(&l.plan.export_kwh)),
    number("p2p_sold_kw", "kW", "Sold to peers.").by(|l| l.kw(l.sold)),
    number("p2p_bought_kw", "kW", "Bought from peers.").by(|l| l.kw(l.bought)),
    number("price_sell_per_kwh", "money/kWh", "Price received from peers.").by(|l| l.price(true)),
    number("price_buy_per_kwh", "money/kWh", "Price paid to peers.").by(|l| l.price(false)),
    number(
        "grid_sell_per_kwh",
        "money/kWh",
        "Price at which selling to peers is as good as selling to the grid, carbon included at the price of the last kilogram.",
    )
    .by(|l| l.as_good_as_the_grid(true)),
    number(
        "grid_buy_per_kwh",
        "money/kWh",
        "Price at which buying from peers is as good as buying from the grid, carbon included at the price of the last kilogram.",
    )
    .by(|l| l.as_good_as_the_grid(false)),
];

pub(super) static COLUMNS: [Column; FIELDS.len()] = columns(FIELDS);

/// The columns of devices in the table `periods`, after all others: power of every kind, then what is stored.
#[derive(Debug)]
pub struct DeviceColumns {
    /// Power of each kind, with the kind.
    pub power: Vec<(&'static str, Column)>,
    /// Stored energy, with the kinds that share the column.
    pub stored: Vec<(Vec<&'static str>, Column)>,
}

impl DeviceColumns {
    /// Those of all devices linked into this binary.
    pub fn all() -> &'static Self {
        static ALL: LazyLock<DeviceColumns> = LazyLock::new(|| DeviceColumns::of(&devices()));
        &ALL
    }

    fn of(devices: &[&'static DevicePlugin]) -> Self {
        let mut columns = Self { power: vec![], stored: vec![] };
        for plugin in devices {
            // The set of devices lives as long as the program: so may the names of its columns.
            let name: &'static str = Box::leak(format!("{}_kw", plugin.kind).into_boxed_str());
            columns.power.push((plugin.kind, number(name, "kW", plugin.power)));
            let Some((name, meaning)) = plugin.stored else { continue };
            match columns.stored.iter_mut().find(|(_, column)| column.name == name) {
                Some((kinds, _)) => kinds.push(plugin.kind),
                None => columns.stored.push((vec![plugin.kind], number(name, "kWh", meaning))),
            }
        }
        columns
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.power.iter().map(|(_, column)| column).chain(self.stored.iter().map(|(_, column)| column))
    }
}

pub(in crate::evaluate) fn rows(case: &Case) -> Vec<Row> {
    let setting = case.setting();
    let devices = DeviceColumns::all();
    let mut rows = vec![];
    for (member, plan) in case.cleared.physical.plans.iter().enumerate() {
        let (sold, bought) = (&case.traded.sold[member], &case.traded.bought[member]);
        for (at, slot) in setting.slots.iter().enumerate() {
            let line =
                Line { realisation: ONLY, case, member, plan, at, slot: *slot, sold: sold[at], bought: bought[at] };
            let mut row = Row::with_capacity(COLUMNS.len() + devices.power.len() + devices.stored.len());
            row.extend(FIELDS.iter().map(|field| (field.value)(&line)));
            let of = |value: Value| if line.is_energy() { value } else { Value::Missing };
            row.extend(devices.power.iter().map(|(kind, _)| of(device_kw(plan, kind, slot.period))));
            row.extend(devices.stored.iter().map(|(kinds, _)| of(stored_kwh(plan, slot.period, kinds))));
            rows.push(row);
        }
    }
    rows
}

/// Sum of a kind's power; empty where the participant has no such device.
fn device_kw(plan: &Plan, kind: &str, period: usize) -> Value {
    sum(plan.devices.iter().filter(|d| d.kind == kind).filter_map(|d| d.power_kw.get(period)))
}

/// Energy in the devices of these kinds; empty where there is none, or none that knows.
fn stored_kwh(plan: &Plan, period: usize, kinds: &[&str]) -> Value {
    sum(plan.devices.iter().filter(|d| kinds.contains(&d.kind)).filter_map(|d| d.stored_kwh.get(period)))
}

/// The sum, or nothing where there is nothing to add.
fn sum<'a>(values: impl Iterator<Item = &'a f64>) -> Value {
    values.fold(None, |sum: Option<f64>, x| Some(sum.unwrap_or(0.0) + x)).into()
}
