//! The schema of the result tables: the one place that knows a column's name, unit and meaning.
//!
//! Every table starts with `run_id`, which the result store adds; `runs` has one more column per swept parameter, after
//! `information`. Columns of devices come from the devices.

use crate::participant::{DevicePlugin, devices};
use std::sync::LazyLock;

/// A result table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row per run: what was run, how it ended, the metrics.
    Runs,
    /// One row per run and participant.
    Participants,
    /// One row per run, participant, period and product.
    Periods,
    /// One row per bilateral trade.
    Trades,
    /// One row per run, period and bus.
    Nodes,
    /// One row per run, period and branch in service.
    Branches,
    /// One row per run and certificate.
    Certificates,
    /// One row per recorded iteration of the mechanism in the settled round; of a mechanism that has none, per round of the
    /// fixed point of nodal prices around it.
    Convergence,
    /// One row per payment.
    Ledger,
}

impl Table {
    /// All tables, in the order in which they are written.
    pub const ALL: [Table; 9] = [
        Table::Runs,
        Table::Participants,
        Table::Periods,
        Table::Trades,
        Table::Nodes,
        Table::Branches,
        Table::Certificates,
        Table::Convergence,
        Table::Ledger,
    ];

    /// The name of its file, without extension.
    pub fn name(self) -> &'static str {
        match self {
            Table::Runs => "runs",
            Table::Participants => "participants",
            Table::Periods => "periods",
            Table::Trades => "trades",
            Table::Nodes => "nodes",
            Table::Branches => "branches",
            Table::Certificates => "certificates",
            Table::Convergence => "convergence",
            Table::Ledger => "ledger",
        }
    }

    /// Its columns after `run_id`; those of `runs` are [`RUN_KEYS`] (then swept parameters) and [`METRICS`].
    pub fn columns(self) -> Vec<&'static Column> {
        match self {
            Table::Runs => RUN_KEYS.iter().chain(METRICS).collect(),
            Table::Participants => PARTICIPANTS.iter().collect(),
            Table::Periods => PERIODS.iter().chain(DeviceColumns::all().iter()).collect(),
            Table::Trades => TRADES.iter().collect(),
            Table::Nodes => NODES.iter().collect(),
            Table::Branches => BRANCHES.iter().collect(),
            Table::Certificates => CERTIFICATES.iter().collect(),
            Table::Convergence => CONVERGENCE.iter().collect(),
            Table::Ledger => LEDGER.iter().collect(),
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
}

/// A column of a result table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in the file.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Unit; empty for words and ratios.
    pub unit: &'static str,
    /// Meaning in one sentence.
    pub meaning: &'static str,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words.
    Text(String),
    /// A finite number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// Does not apply, or was not asked for.
    Missing,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<f64> for Value {
    /// A number that is not finite is missing: no NaN ever reaches a file. Negative zero is zero.
    fn from(x: f64) -> Self {
        if x.is_finite() { Value::Number(x + 0.0) } else { Value::Missing }
    }
}

impl From<Option<f64>> for Value {
    fn from(x: Option<f64>) -> Self {
        x.map_or(Value::Missing, Value::from)
    }
}

impl From<usize> for Value {
    fn from(x: usize) -> Self {
        i64::try_from(x).map_or(Value::Missing, Value::Integer)
    }
}

impl From<u64> for Value {
    fn from(x: u64) -> Self {
        i64::try_from(x).map_or(Value::Missing, Value::Integer)
    }
}

/// A row of a table, without `run_id`.
pub type Row = Vec<Value>;

/// What one run leaves in the tables, except for what the experiment knows of it (its keys).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRecord {
    /// Values of [`METRICS`], in that order.
    pub metrics: Vec<Value>,
    /// Rows of all other tables.
    pub participants: Vec<Row>,
    /// Rows of `periods`.
    pub periods: Vec<Row>,
    /// Rows of `trades`.
    pub trades: Vec<Row>,
    /// Rows of `nodes`.
    pub nodes: Vec<Row>,
    /// Rows of `branches`.
    pub branches: Vec<Row>,
    /// Rows of `certificates`.
    pub certificates: Vec<Row>,
    /// Rows of `convergence`.
    pub convergence: Vec<Row>,
    /// Rows of `ledger`.
    pub ledger: Vec<Row>,
}

impl RunRecord {
    /// A record without a single figure: a run that failed.
    pub fn empty() -> Self {
        Self { metrics: vec![Value::Missing; METRICS.len()], ..Self::default() }
    }

    /// Rows of a table other than `runs`.
    pub fn rows(&self, table: Table) -> &[Row] {
        match table {
            Table::Runs => &[],
            Table::Participants => &self.participants,
            Table::Periods => &self.periods,
            Table::Trades => &self.trades,
            Table::Nodes => &self.nodes,
            Table::Branches => &self.branches,
            Table::Certificates => &self.certificates,
            Table::Convergence => &self.convergence,
            Table::Ledger => &self.ledger,
        }
    }
}

const fn text(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Text, unit: "", meaning }
}

const fn number(name: &'static str, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Number, unit, meaning }
}

const fn integer(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: Kind::Integer, unit: "", meaning }
}

/// Columns of `runs` that say what was run and how it ended.
pub const RUN_KEYS: &[Column] = &[
    text("scenario", "Name of the scenario."),
    text("mechanism", "Id of the mechanism."),
    text("variant", "Label of the mechanism's variant; its id where none was given."),
    text("carbon_policy", "Id of the carbon policy."),
    text("carbon_label", "Label of the policy; its id where none was given."),
    integer("seed", "Seed of all random streams."),
    text("status", "converged, not_converged, no_equilibrium, infeasible or failed."),
    text("reason", "Why a run is not converged."),
    number("residual", "", "Distance from convergence, in the mechanism's or the fixed point's own measure."),
    text("behaviour", "How participants report: truthful, best_response, learned or equilibrium."),
    text("information", "What participants reveal: full_types, reports, prior or prices."),
];

/// Columns of `runs` that measure the outcome.
pub const METRICS: &[Column] = &[
    number("total_cost", "money", "What all participants pay: operating cost, carbon cost and net payments."),
    number("operating_cost", "money", "Participants' own costs and tariff, without carbon."),
    number("carbon_cost", "money", "What participants pay for carbon before refunds."),
    number("social_cost", "money", "Resource cost, upstream resource cost and carbon damage; no transfers."),
    number("resource_cost", "money", "Fuel, wear, compensation and discomfort at true types."),
    number("upstream_resource_cost", "money", "Resource value of the net energy from upstream, losses included."),
    number("carbon_damage", "money", "Damage of the source-side emissions."),
    number(
        "welfare_gain",
        "money",
        "Participants' own gain before payments: fall of operating plus carbon cost against no trade under the same terms. Tariff margins and carbon payments avoided count, which others lose.",
    ),
    number(
        "resource_gain",
        "money",
        "What is saved whoever has it: fall of resource and upstream resource cost, losses included, against no trade under the same terms. No transfers.",
    ),
    number(
        "efficiency",
        "",
        "Welfare gain over the greatest possible welfare gain, the network ignored: of the participants' own costs, not of society's.",
    ),
    number("efficiency_repaired", "", "The same of the participants' own costs, both within the network's limits."),
    number("repair_cost", "money", "Rise of operating plus carbon cost by making the outcome respect the network."),
    number("operator_surplus", "money", "What the market operator ends with."),
    number(
        "dso_revenue",
        "money",
        "Network charges and nodal money less upstream cost of what the feeder loses and its shunts consume, and carbon it pays.",
    ),
    number(
        "retail_margin",
        "money",
        "Paid by participants for energy at the root less upstream cost of their net exchange.",
    ),
    number("carbon_revenue", "money", "What the carbon authority keeps after recycling."),
    number("carbon_payments", "money", "What the carbon authority receives before recycling."),
    number("carbon_price_per_tonne", "money/t", "Price of a tonne as applied; of a ladder, that of its first tier."),
    number("carbon_price_factor", "", "What the policy's prices as written were multiplied by to be applied."),
    number(
        "carbon_marginal_price_per_tonne",
        "money/t",
        "Price of the next tonne, mean over what payers are charged for.",
    ),
    number("carbon_average_price_per_tonne", "money/t", "Carbon payments over tonnes charged, before quotas."),
    number("individual_rationality_violation", "money", "Sum of losses against no trade under the same terms."),
    number("max_regret", "money", "Greatest gain found from a unilateral misreport; a lower bound."),
    number("core_excess", "money", "Greatest gain that a group would have by itself over what it got."),
    number("jain_index", "", "Jain's index of the participants' gains."),
    number("gini", "", "Gini coefficient of the participants' gains."),
    number("emissions_kg", "kg", "Source-side emissions of the whole feeder."),
    number("covered_kg", "kg", "Emissions charged to somebody."),
    number("uncovered_kg", "kg", "Emissions charged to nobody."),
    number("phantom_kg", "kg", "Kilograms charged that nobody emitted."),
    number("double_charged_kg", "kg", "Kilograms charged twice."),
    number("load_carbon_kg", "kg", "Carbon that the emission flow brings to loads."),
    number("loss_carbon_kg", "kg", "Carbon of network losses."),
    number("accounted_abatement_kg", "kg", "Charged base of this policy on the outcome without one, minus on its own."),
    number("actual_abatement_kg", "kg", "Emissions of the outcome without a policy, minus of its own."),
    number("curtailment_kwh", "kWh", "Renewable energy that was available and not used."),
    number("renewable_utilisation", "", "Renewable energy used over available."),
    number("self_sufficiency", "", "Share of the load not imported, netted over the community."),
    number(
        "self_consumption",
        "",
        "Share of own generation not exported, netted over the community; what storages and vehicles discharge is no generation.",
    ),
    number("peak_import_kw", "kW", "Greatest community import."),
    number("load_variance_kw2", "kW^2", "Variance of the community's net load over periods."),
    number("p2p_share", "", "Energy traded between participants over the load."),
    number(
        "resold_kwh",
        "kWh",
        "Energy that participants import and sell to others in the same period: relayed, not produced.",
    ),
    number("lerner_index", "", "Volume-weighted (price - marginal cost) / price of sellers."),
    number("user_satisfaction", "", "1 less interrupted load and temperature deviation; mean over what has comfort."),
    number("loss_kwh", "kWh", "Energy lost in the branches of the network."),
    number("voltage_violation_pu", "pu", "Sum of voltages beyond limits over buses and periods."),
    number("thermal_violation_kva", "kVA", "Sum of flows beyond ratings over branches and periods."),
    integer("iterations", "Recorded iterations: rows of `convergence`."),
    integer("messages", "Scalars sent between participants and operator."),
    integer("local_solves", "Questions asked of single participants."),
];

const PARTICIPANTS: &[Column] = &[
    text("participant", "Id."),
    number("total_cost", "money", "Operating cost, carbon cost and net payments."),
    number("operating_cost", "money", "Own cost and tariff, without carbon."),
    number("carbon_cost", "money", "Paid for carbon before refunds."),
    number("disagreement_cost", "money", "Total cost without trade under the same terms."),
    number("gain", "money", "Disagreement cost minus total cost."),
    number("gain_resource", "money", "Part of the gain that is resources saved, upstream energy included."),
    number("gain_retail_margin", "money", "Part of the gain that the retailer loses."),
    number("gain_carbon", "money", "Part of the gain that is carbon payment avoided, after refunds."),
    number(
        "gain_network",
        "money",
        "Part of the gain that the DSO pays: nodal electricity, imposed terms, network charges, shortfall.",
    ),
    number(
        "payment",
        "money",
        "Net payment that the mechanism decides, to whomever but the DSO: the gain's fifth part.",
    ),
    number("emissions_kg", "kg", "Imports at the grid's intensity and direct emissions, whatever the policy charges."),
    number("contract_kg", "kg", "Market-based emissions: contracts and the residual mix."),
    number("import_kwh", "kWh", "Energy bought from the grid."),
    number("export_kwh", "kWh", "Energy sold to the grid."),
    number("sold_kwh", "kWh", "Energy sold to peers."),
    number("bought_kwh", "kWh", "Energy bought from peers."),
    number("resold_kwh", "kWh", "Energy imported and sold to peers in the same period: relayed, not produced."),
    number("curtailed_kwh", "kWh", "Renewable energy not used."),
];

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

const PERIODS: &[Column] = &[
    text("participant", "Id."),
    integer("period", "From 0."),
    text("product", "What is traded."),
    number("net_export_kw", "kW", "Net injection at the connection point."),
    number("grid_import_kw", "kW", "Import from the grid."),
    number("grid_export_kw", "kW", "Export to the grid."),
    number("p2p_sold_kw", "kW", "Sold to peers."),
    number("p2p_bought_kw", "kW", "Bought from peers."),
    number("price_sell_per_kwh", "money/kWh", "Price received from peers."),
    number("price_buy_per_kwh", "money/kWh", "Price paid to peers."),
];

const TRADES: &[Column] = &[
    integer("period", "From 0."),
    text("product", "What is traded."),
    text("seller", "Id."),
    text("buyer", "Id."),
    number("quantity_kwh", "kWh", "Quantity, not negative."),
    number("price_per_kwh", "money/kWh", "Price of the trade, where it carries one."),
];

const NODES: &[Column] = &[
    integer("period", "From 0."),
    integer("bus", "Id in the network's file."),
    number("voltage_pu", "pu", "Voltage magnitude."),
    number("p_kw", "kW", "Net active injection."),
    number("q_kvar", "kvar", "Net reactive injection."),
    number("carbon_intensity_kg_per_kwh", "kg/kWh", "Average intensity of what flows through the bus."),
    number(
        "price_per_kwh",
        "money/kWh",
        "What one more kWh withdrawn here costs a load that the policy charges, before retail margins; the sum of the parts behind it. Empty where prices do not differ by bus.",
    ),
    number(
        "energy_per_kwh",
        "money/kWh",
        "Energy without carbon at the root, or by the retail tariff where that stays.",
    ),
    number("loss_per_kwh", "money/kWh", "Losses of the next kWh on its way, at the root's price without carbon."),
    number("congestion_per_kwh", "money/kWh", "Branch ratings."),
    number("voltage_per_kwh", "money/kWh", "Voltage limits."),
    number("carbon_per_kwh", "money/kWh", "Carbon, with generation as it is: of the next kWh and its losses."),
    number(
        "root_share_imported",
        "",
        "At the root, where its price jumps at the turn from export to import: share of the jump in the price, 1 on import, 0 on export, between them while the exchange rests.",
    ),
];

const BRANCHES: &[Column] = &[
    integer("period", "From 0."),
    integer("from", "Bus at the sending end, as in the network's file."),
    integer("to", "Bus at the receiving end."),
    number(
        "p_from_kw",
        "kW",
        "Active power into the branch at `from`; negative where power flows from `to` to `from`.",
    ),
    number("q_from_kvar", "kvar", "Reactive power into the branch at `from`."),
    number("loss_kw", "kW", "Active power lost in the branch."),
    number("carbon_flow_kg_per_h", "kg/h", "Carbon into the branch at `from`, signed as its power."),
    number("carbon_intensity_kg_per_kwh", "kg/kWh", "Average intensity of the bus that sends the power."),
];

const CERTIFICATES: &[Column] = &[
    text("name", "What was checked or measured."),
    number("value", "", "The figure."),
    number("tolerance", "", "What it may be at most, where something is claimed."),
    text("verdict", "upheld, refuted, measured, not_applicable or not_searched."),
    text("witness", "Where it was found, or why the question makes no sense or was not searched."),
    text(
        "kind",
        "What it is about: feasibility, conservation, optimality, fixed_point, policy_constraint (refuted, the run is not converged), claim or figure.",
    ),
];

const CONVERGENCE: &[Column] = &[
    integer("iteration", "From 0."),
    number(
        "primal_residual",
        "",
        "Distance from agreement; between rounds of nodal prices the greatest change of a withdrawal, kWh in a period.",
    ),
    number(
        "dual_residual",
        "",
        "Change of the agreement; between rounds of nodal prices the greatest marginal cost left, money/kWh.",
    ),
    number("objective", "money", "Cost at the iterate."),
];

const LEDGER: &[Column] = &[
    text("from", "Who pays: a participant's id, operator, dso, grid or authority."),
    text("to", "Who receives."),
    number("amount", "money", "Positive."),
    text("reason", "tariff, shortfall, imposed, nodal, carbon, carbon refund, trade, network, or a plugin's own."),
    text("product", "The product it belongs to."),
];

#[cfg(test)]
mod tests {
    use super::{DeviceColumns, Table, Value};

    #[test]
    fn columns_of_devices_stand_where_they_always_stood() {
        let known = [
            "pv_kw",
            "wind_kw",
            "micro_turbine_kw",
            "storage_kw",
            "load_kw",
            "interruptible_kw",
            "shiftable_kw",
            "ev_fleet_kw",
            "hvac_kw",
            "quadratic_kw",
            "soc_kwh",
            "ev_soc_kwh",
        ];
        let found: Vec<&str> =
            DeviceColumns::all().iter().map(|c| c.name).filter(|name| known.contains(name)).collect();
        assert_eq!(found, known);
        assert!(
            Table::Periods
                .columns()
                .iter()
                .map(|c| c.name)
                .collect::<Vec<_>>()
                .ends_with(&DeviceColumns::all().iter().map(|c| c.name).collect::<Vec<_>>())
        );
    }

    #[test]
    fn column_names_are_unique_within_a_table() {
        for table in Table::ALL {
            let mut names: Vec<_> = table.columns().iter().map(|c| c.name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", table.name());
        }
    }

    #[test]
    fn what_is_not_a_number_is_missing() {
        assert_eq!(Value::from(f64::NAN), Value::Missing);
        let Value::Number(zero) = Value::from(-0.0) else { panic!("a number") };
        assert!(zero.is_sign_positive());
    }
}
