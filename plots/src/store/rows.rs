//! The rows of the tables. Units are in the names; what a metric means is said where it is computed.

use super::StoreError;
use super::table::Table;
use std::collections::BTreeMap;
use std::path::Path;

type Ids = BTreeMap<String, usize>;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Converged,
    NotConverged,
    NoEquilibrium,
    Infeasible,
    Failed,
}

/// One line of `runs`.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub id: String,
    pub scenario: String,
    pub mechanism: String,
    /// The label of the mechanism with its parameters; by default its id.
    pub variant: String,
    pub carbon_policy: String,
    /// The label of the policy with its parameters; by default its id.
    pub carbon_label: String,
    pub seed: u64,
    pub status: Status,
    /// As written, one for each swept parameter.
    pub sweep: Vec<String>,
    /// One for each column of metrics.
    pub metrics: Vec<Option<f64>>,
}

/// One line of `participants`: currency, kWh and kg over the horizon.
#[derive(Clone, PartialEq, Debug)]
pub struct ParticipantRow {
    pub run: usize,
    pub participant: String,
    pub total_cost: Option<f64>,
    pub operating_cost: Option<f64>,
    pub carbon_cost: Option<f64>,
    pub disagreement_cost: Option<f64>,
    pub gain: Option<f64>,
    pub gain_resource: Option<f64>,
    pub gain_retail_margin: Option<f64>,
    pub gain_carbon: Option<f64>,
    pub gain_network: Option<f64>,
    pub payment: Option<f64>,
    pub emissions_kg: Option<f64>,
    pub contract_kg: Option<f64>,
    pub import_kwh: Option<f64>,
    pub export_kwh: Option<f64>,
    pub sold_kwh: Option<f64>,
    pub bought_kwh: Option<f64>,
    pub curtailed_kwh: Option<f64>,
}

/// A kind of device: the name of its column without `_kw`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeviceColumn(pub String);

/// One line of `periods`; power positive towards the grid.
#[derive(Clone, PartialEq, Debug)]
pub struct PeriodRow {
    pub run: usize,
    pub participant: String,
    pub period: usize,
    pub product: String,
    pub net_export_kw: Option<f64>,
    pub grid_import_kw: Option<f64>,
    pub grid_export_kw: Option<f64>,
    pub p2p_sold_kw: Option<f64>,
    pub p2p_bought_kw: Option<f64>,
    pub price_sell_per_kwh: Option<f64>,
    pub price_buy_per_kwh: Option<f64>,
    /// One for each kind of device.
    pub devices_kw: Vec<Option<f64>>,
    pub soc_kwh: Option<f64>,
}

/// One line of `trades`.
#[derive(Clone, PartialEq, Debug)]
pub struct TradeRow {
    pub run: usize,
    pub period: usize,
    pub product: String,
    pub seller: String,
    pub buyer: String,
    pub quantity_kwh: f64,
    pub price_per_kwh: Option<f64>,
}

/// One line of `nodes`.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeRow {
    pub run: usize,
    pub period: usize,
    pub bus: u64,
    pub voltage_pu: Option<f64>,
    pub p_kw: Option<f64>,
    pub q_kvar: Option<f64>,
    pub carbon_intensity_kg_per_kwh: Option<f64>,
    pub price_per_kwh: Option<f64>,
    /// What the price is made of; `None` where the policy sets no price at the node.
    pub price_parts: Option<PriceParts>,
}

/// A nodal price in its parts, currency per kWh. Their sum is the price.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PriceParts {
    pub energy: f64,
    pub loss: f64,
    pub congestion: f64,
    pub voltage: f64,
    pub carbon: f64,
}

/// One line of `branches`; power positive from `from` to `to`.
#[derive(Clone, PartialEq, Debug)]
pub struct BranchRow {
    pub run: usize,
    pub period: usize,
    pub from: u64,
    pub to: u64,
    pub p_from_kw: Option<f64>,
    pub carbon_flow_kg_per_h: Option<f64>,
    /// Of the sending bus; `None` where nothing flows.
    pub carbon_intensity_kg_per_kwh: Option<f64>,
}

/// One line of `certificates`.
#[derive(Clone, PartialEq, Debug)]
pub struct CertificateRow {
    pub run: usize,
    pub name: String,
    pub value: Option<f64>,
    pub tolerance: Option<f64>,
    pub verdict: String,
    pub witness: String,
}

/// One line of `convergence`.
#[derive(Clone, PartialEq, Debug)]
pub struct ConvergenceRow {
    pub run: usize,
    pub iteration: usize,
    pub primal_residual: Option<f64>,
    pub dual_residual: Option<f64>,
    pub objective: Option<f64>,
}

/// One line of `ledger`.
#[derive(Clone, PartialEq, Debug)]
pub struct LedgerRow {
    pub run: usize,
    pub from: String,
    pub to: String,
    pub amount: f64,
    pub reason: String,
    pub product: String,
}

pub(super) struct Runs {
    pub(super) metrics: Vec<String>,
    pub(super) sweeps: Vec<String>,
    pub(super) rows: Vec<Run>,
}

/// The metrics begin here, the fixed columns end there; between them stand the swept parameters.
const FIRST_METRIC: &str = "total_cost";
const LAST_FIXED: &str = "information";

pub(super) fn runs(dir: &Path) -> Result<Runs, StoreError> {
    let table = Table::open(dir, "runs")?;
    let [id, scenario, mechanism, variant, policy, label, seed, status] = table.columns([
        "run_id",
        "scenario",
        "mechanism",
        "variant",
        "carbon_policy",
        "carbon_label",
        "seed",
        "status",
    ])?;
    let [last_fixed, first_metric] = table.columns([LAST_FIXED, FIRST_METRIC])?;
    let names = |range: std::ops::Range<usize>| range.map(|i| table.header[i].to_owned()).collect::<Vec<_>>();
    let sweep_columns = last_fixed + 1..first_metric;
    let metric_columns = first_metric..table.header.len();
    let (sweeps, metrics) = (names(sweep_columns.clone()), names(metric_columns.clone()));
    let rows = table.rows(|r| {
        Ok(Run {
            id: r.owned(id),
            scenario: r.owned(scenario),
            mechanism: r.owned(mechanism),
            variant: r.owned(variant),
            carbon_policy: r.owned(policy),
            carbon_label: r.owned(label),
            seed: r.whole(seed)?,
            status: match r.text(status) {
                "converged" => Status::Converged,
                "not_converged" => Status::NotConverged,
                "no_equilibrium" => Status::NoEquilibrium,
                "infeasible" => Status::Infeasible,
                "failed" => Status::Failed,
                _ => return Err(r.bad(status, "a status")),
            },
            sweep: sweep_columns.clone().map(|c| r.owned(c)).collect(),
            metrics: metric_columns.clone().map(|c| r.number(c)).collect::<Result<_, _>>()?,
        })
    })?;
    Ok(Runs { metrics, sweeps, rows })
}

pub(super) fn participants(dir: &Path, ids: &Ids) -> Result<Vec<ParticipantRow>, StoreError> {
    let table = Table::open(dir, "participants")?;
    let [run, participant] = table.columns(["run_id", "participant"])?;
    let c = table.columns([
        "total_cost",
        "operating_cost",
        "carbon_cost",
        "disagreement_cost",
        "gain",
        "gain_resource",
        "gain_retail_margin",
        "gain_carbon",
        "gain_network",
        "payment",
        "emissions_kg",
        "contract_kg",
        "import_kwh",
        "export_kwh",
        "sold_kwh",
        "bought_kwh",
        "curtailed_kwh",
    ])?;
    table.rows(|r| {
        Ok(ParticipantRow {
            run: r.run(run, ids)?,
            participant: r.owned(participant),
            total_cost: r.number(c[0])?,
            operating_cost: r.number(c[1])?,
            carbon_cost: r.number(c[2])?,
            disagreement_cost: r.number(c[3])?,
            gain: r.number(c[4])?,
            gain_resource: r.number(c[5])?,
            gain_retail_margin: r.number(c[6])?,
            gain_carbon: r.number(c[7])?,
            gain_network: r.number(c[8])?,
            payment: r.number(c[9])?,
            emissions_kg: r.number(c[10])?,
            contract_kg: r.number(c[11])?,
            import_kwh: r.number(c[12])?,
            export_kwh: r.number(c[13])?,
            sold_kwh: r.number(c[14])?,
            bought_kwh: r.number(c[15])?,
            curtailed_kwh: r.number(c[16])?,
        })
    })
}

pub(super) fn periods(dir: &Path, ids: &Ids) -> Result<(Vec<DeviceColumn>, Vec<PeriodRow>), StoreError> {
    let table = Table::open(dir, "periods")?;
    let [run, participant, period, product] = table.columns(["run_id", "participant", "period", "product"])?;
    let c = table.columns([
        "net_export_kw",
        "grid_import_kw",
        "grid_export_kw",
        "p2p_sold_kw",
        "p2p_bought_kw",
        "price_sell_per_kwh",
        "price_buy_per_kwh",
        "soc_kwh",
    ])?;
    let (first, last) = (c[6] + 1, c[7]);
    let devices: Vec<(usize, DeviceColumn)> = (first..last)
        .filter_map(|i| table.header[i].strip_suffix("_kw").map(|kind| (i, DeviceColumn(kind.to_owned()))))
        .collect();
    let rows = table.rows(|r| {
        Ok(PeriodRow {
            run: r.run(run, ids)?,
            participant: r.owned(participant),
            period: r.whole(period)?,
            product: r.owned(product),
            net_export_kw: r.number(c[0])?,
            grid_import_kw: r.number(c[1])?,
            grid_export_kw: r.number(c[2])?,
            p2p_sold_kw: r.number(c[3])?,
            p2p_bought_kw: r.number(c[4])?,
            price_sell_per_kwh: r.number(c[5])?,
            price_buy_per_kwh: r.number(c[6])?,
            devices_kw: devices.iter().map(|(i, _)| r.number(*i)).collect::<Result<_, _>>()?,
            soc_kwh: r.number(c[7])?,
        })
    })?;
    Ok((devices.into_iter().map(|d| d.1).collect(), rows))
}

pub(super) fn trades(dir: &Path, ids: &Ids) -> Result<Vec<TradeRow>, StoreError> {
    let table = Table::open(dir, "trades")?;
    let [run, period, product, seller, buyer, quantity, price] =
        table.columns(["run_id", "period", "product", "seller", "buyer", "quantity_kwh", "price_per_kwh"])?;
    table.rows(|r| {
        Ok(TradeRow {
            run: r.run(run, ids)?,
            period: r.whole(period)?,
            product: r.owned(product),
            seller: r.owned(seller),
            buyer: r.owned(buyer),
            quantity_kwh: r.given(quantity)?,
            price_per_kwh: r.number(price)?,
        })
    })
}

pub(super) fn nodes(dir: &Path, ids: &Ids) -> Result<Vec<NodeRow>, StoreError> {
    let table = Table::open(dir, "nodes")?;
    let [run, period, bus, voltage, p, q, intensity, price] = table.columns([
        "run_id",
        "period",
        "bus",
        "voltage_pu",
        "p_kw",
        "q_kvar",
        "carbon_intensity_kg_per_kwh",
        "price_per_kwh",
    ])?;
    let parts = ["energy", "loss", "congestion", "voltage", "carbon"].map(|p| table.column(&format!("{p}_per_kwh")));
    table.rows(|r| {
        let part = |k: usize| parts[k].map_or(Ok(None), |column| r.number(column));
        let price_parts = match part(0)? {
            None => None,
            Some(energy) => Some(PriceParts {
                energy,
                loss: part(1)?.unwrap_or(0.0),
                congestion: part(2)?.unwrap_or(0.0),
                voltage: part(3)?.unwrap_or(0.0),
                carbon: part(4)?.unwrap_or(0.0),
            }),
        };
        Ok(NodeRow {
            run: r.run(run, ids)?,
            period: r.whole(period)?,
            bus: r.whole(bus)?,
            voltage_pu: r.number(voltage)?,
            p_kw: r.number(p)?,
            q_kvar: r.number(q)?,
            carbon_intensity_kg_per_kwh: r.number(intensity)?,
            price_per_kwh: r.number(price)?,
            price_parts,
        })
    })
}

/// Empty where the store has no such table.
pub(super) fn branches(dir: &Path, ids: &Ids) -> Result<Vec<BranchRow>, StoreError> {
    let Some(table) = Table::open_if_there(dir, "branches")? else { return Ok(Vec::new()) };
    let [run, period, from, to, p, carbon, intensity] = table.columns([
        "run_id",
        "period",
        "from",
        "to",
        "p_from_kw",
        "carbon_flow_kg_per_h",
        "carbon_intensity_kg_per_kwh",
    ])?;
    table.rows(|r| {
        Ok(BranchRow {
            run: r.run(run, ids)?,
            period: r.whole(period)?,
            from: r.whole(from)?,
            to: r.whole(to)?,
            p_from_kw: r.number(p)?,
            carbon_flow_kg_per_h: r.number(carbon)?,
            carbon_intensity_kg_per_kwh: r.number(intensity)?,
        })
    })
}

pub(super) fn certificates(dir: &Path, ids: &Ids) -> Result<Vec<CertificateRow>, StoreError> {
    let table = Table::open(dir, "certificates")?;
    let [run, name, value, tolerance, verdict, witness] =
        table.columns(["run_id", "name", "value", "tolerance", "verdict", "witness"])?;
    table.rows(|r| {
        Ok(CertificateRow {
            run: r.run(run, ids)?,
            name: r.owned(name),
            value: r.number(value)?,
            tolerance: r.number(tolerance)?,
            verdict: r.owned(verdict),
            witness: r.owned(witness),
        })
    })
}

pub(super) fn convergence(dir: &Path, ids: &Ids) -> Result<Vec<ConvergenceRow>, StoreError> {
    let table = Table::open(dir, "convergence")?;
    let [run, iteration, primal, dual, objective] =
        table.columns(["run_id", "iteration", "primal_residual", "dual_residual", "objective"])?;
    table.rows(|r| {
        Ok(ConvergenceRow {
            run: r.run(run, ids)?,
            iteration: r.whole(iteration)?,
            primal_residual: r.number(primal)?,
            dual_residual: r.number(dual)?,
            objective: r.number(objective)?,
        })
    })
}

pub(super) fn ledger(dir: &Path, ids: &Ids) -> Result<Vec<LedgerRow>, StoreError> {
    let table = Table::open(dir, "ledger")?;
    let [run, from, to, amount, reason, product] =
        table.columns(["run_id", "from", "to", "amount", "reason", "product"])?;
    table.rows(|r| {
        Ok(LedgerRow {
            run: r.run(run, ids)?,
            from: r.owned(from),
            to: r.owned(to),
            amount: r.given(amount)?,
            reason: r.owned(reason),
            product: r.owned(product),
        })
    })
}
