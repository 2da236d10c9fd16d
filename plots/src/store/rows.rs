//! The rows of the tables. Units are in the names; what a metric means is said where it is computed.

use coase_core::record::{DeviceColumns, METRICS};
use coase_store::{Frame, RunStatus, Series, as_played};

/// One line of `runs`.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub id: String,
    pub scenario: String,
    pub mechanism: String,
    /// The label of the mechanism with its parameters, by default its id, and the rule by which it is played where that is not
    /// the truth.
    pub variant: String,
    /// The label of the mechanism alone, and that of the report rule.
    pub label: String,
    pub reporting: String,
    pub carbon_policy: String,
    /// The label of the policy with its parameters; by default its id.
    pub carbon_label: String,
    pub seed: u64,
    pub status: RunStatus,
    /// Why it has no answer; empty where it has one.
    pub reason: String,
    /// Distance from convergence, in the measure of what was iterated.
    pub residual: Option<f64>,
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
    pub regret: Option<f64>,
}

/// A kind of device: the name of its column without `_kw`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeviceColumn(pub String);

/// One line of `periods`; power positive towards the grid.
#[derive(Clone, PartialEq, Debug)]
pub struct PeriodRow {
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
    pub grid_sell_per_kwh: Option<f64>,
    pub grid_buy_per_kwh: Option<f64>,
    /// One for each kind of device.
    pub devices_kw: Vec<Option<f64>>,
    /// Energy in storages at the end of the period, and in vehicles.
    pub soc_kwh: Option<f64>,
    pub ev_soc_kwh: Option<f64>,
}

/// One line of `trades`.
#[derive(Clone, PartialEq, Debug)]
pub struct TradeRow {
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

/// One line of `convergence`.
#[derive(Clone, PartialEq, Debug)]
pub struct IterationRow {
    pub iteration: u64,
    pub primal_residual: Option<f64>,
    pub dual_residual: Option<f64>,
    pub objective: Option<f64>,
}

/// One line of `branches`; power positive from `from` to `to`.
#[derive(Clone, PartialEq, Debug)]
pub struct BranchRow {
    pub period: usize,
    pub from: u64,
    pub to: u64,
    pub p_from_kw: Option<f64>,
    pub q_from_kvar: Option<f64>,
    pub carbon_flow_kg_per_h: Option<f64>,
    /// Of the sending bus; `None` where nothing flows.
    pub carbon_intensity_kg_per_kwh: Option<f64>,
}

/// One line of `ledger`.
#[derive(Clone, PartialEq, Debug)]
pub struct LedgerRow {
    pub from: String,
    pub to: String,
    pub amount: f64,
    pub reason: String,
    pub product: String,
}

/// A curve of the table `curves`.
#[derive(Clone, PartialEq, Debug)]
pub struct CurveRows {
    pub name: String,
    /// Whose it is; empty where it is nobody's.
    pub participant: String,
    /// The other participant that it is about; empty where there is none.
    pub other: String,
    pub period: Option<usize>,
    pub points: Vec<(f64, f64)>,
}

/// One line of `certificates`.
#[derive(Clone, PartialEq, Debug)]
pub struct CertificateRow {
    pub name: String,
    pub value: Option<f64>,
    /// What the value may be at most, where something is claimed.
    pub tolerance: Option<f64>,
    /// `upheld`, `refuted`, `measured`, `not_applicable` or `not_searched`.
    pub verdict: String,
    pub witness: String,
}

/// The columns of a table by their names; one that is not there is empty.
struct Columns<'a> {
    frame: &'a Frame,
}

impl<'a> Columns<'a> {
    fn number(&self, name: &str) -> impl Fn(usize) -> Option<f64> + use<'a> {
        let series = self.frame.series(name);
        move |row| series.and_then(|s: &Series| s.number(row))
    }

    /// A whole number; 0 where there is none, which no table has.
    fn whole(&self, name: &str) -> impl Fn(usize) -> u64 + use<'a> {
        let series = self.frame.series(name);
        move |row| series.and_then(|s| s.integer(row)).and_then(|x| u64::try_from(x).ok()).unwrap_or(0)
    }

    fn word(&self, name: &str) -> impl Fn(usize) -> String + use<'a> {
        let series = self.frame.series(name);
        move |row| series.map_or("", |s| s.word(row)).to_owned()
    }
}

/// The swept parameters, and the runs.
pub(super) fn runs(frame: &Frame) -> (Vec<String>, Vec<Run>) {
    let swept = || frame.all().iter().filter(|series| series.head.is_swept());
    let sweeps = swept().map(|series| series.head.name.clone()).collect();
    let metrics: Vec<Option<&Series>> = METRICS.iter().map(|column| frame.series(column.name)).collect();
    let seed = Columns { frame }.whole("seed");
    let residual = Columns { frame }.number("residual");
    let run = |row: coase_store::RowRef, k: usize| Run {
        id: row.text("run_id"),
        scenario: row.text("scenario"),
        mechanism: row.text("mechanism"),
        variant: as_played(&row.text("variant"), &row.text("reporting")),
        label: row.text("variant"),
        reporting: row.text("reporting"),
        carbon_policy: row.text("carbon_policy"),
        carbon_label: row.text("carbon_label"),
        seed: seed(k),
        status: RunStatus::named(row.word("status")).unwrap_or(RunStatus::Failed),
        reason: row.text("reason"),
        residual: residual(k),
        sweep: swept().map(|series| row.text(&series.head.name)).collect(),
        metrics: metrics.iter().map(|series| series.and_then(|s| s.number(k))).collect(),
    };
    (sweeps, frame.rows().enumerate().map(|(k, row)| run(row, k)).collect())
}

/// Device kinds that have a column in `periods`.
pub(super) fn devices() -> Vec<DeviceColumn> {
    DeviceColumns::all().power.iter().map(|(kind, _)| DeviceColumn((*kind).to_owned())).collect()
}

pub(super) fn participants(run: usize, frame: &Frame) -> Vec<ParticipantRow> {
    let columns = Columns { frame };
    let participant = columns.word("participant");
    let [total_cost, operating_cost, carbon_cost, disagreement_cost] =
        ["total_cost", "operating_cost", "carbon_cost", "disagreement_cost"].map(|name| columns.number(name));
    let [gain, gain_resource, gain_retail_margin, gain_carbon, gain_network, payment] =
        ["gain", "gain_resource", "gain_retail_margin", "gain_carbon", "gain_network", "payment"]
            .map(|name| columns.number(name));
    let [emissions_kg, contract_kg] = ["emissions_kg", "contract_kg"].map(|name| columns.number(name));
    let [import_kwh, export_kwh, sold_kwh, bought_kwh, curtailed_kwh] =
        ["import_kwh", "export_kwh", "sold_kwh", "bought_kwh", "curtailed_kwh"].map(|name| columns.number(name));
    let regret = columns.number("regret");
    let row = |k| ParticipantRow {
        run,
        participant: participant(k),
        total_cost: total_cost(k),
        operating_cost: operating_cost(k),
        carbon_cost: carbon_cost(k),
        disagreement_cost: disagreement_cost(k),
        gain: gain(k),
        gain_resource: gain_resource(k),
        gain_retail_margin: gain_retail_margin(k),
        gain_carbon: gain_carbon(k),
        gain_network: gain_network(k),
        payment: payment(k),
        emissions_kg: emissions_kg(k),
        contract_kg: contract_kg(k),
        import_kwh: import_kwh(k),
        export_kwh: export_kwh(k),
        sold_kwh: sold_kwh(k),
        bought_kwh: bought_kwh(k),
        curtailed_kwh: curtailed_kwh(k),
        regret: regret(k),
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn periods(frame: &Frame) -> Vec<PeriodRow> {
    let columns = Columns { frame };
    let (participant, product) = (columns.word("participant"), columns.word("product"));
    let period = columns.whole("period");
    let [net_export_kw, grid_import_kw, grid_export_kw, p2p_sold_kw, p2p_bought_kw] =
        ["net_export_kw", "grid_import_kw", "grid_export_kw", "p2p_sold_kw", "p2p_bought_kw"]
            .map(|name| columns.number(name));
    let [price_sell_per_kwh, price_buy_per_kwh, grid_sell_per_kwh, grid_buy_per_kwh] =
        ["price_sell_per_kwh", "price_buy_per_kwh", "grid_sell_per_kwh", "grid_buy_per_kwh"]
            .map(|name| columns.number(name));
    let [soc_kwh, ev_soc_kwh] = ["soc_kwh", "ev_soc_kwh"].map(|name| columns.number(name));
    let devices: Vec<_> = devices().iter().map(|kind| columns.number(&format!("{}_kw", kind.0))).collect();
    let row = |k| PeriodRow {
        participant: participant(k),
        period: period(k) as usize,
        product: product(k),
        net_export_kw: net_export_kw(k),
        grid_import_kw: grid_import_kw(k),
        grid_export_kw: grid_export_kw(k),
        p2p_sold_kw: p2p_sold_kw(k),
        p2p_bought_kw: p2p_bought_kw(k),
        price_sell_per_kwh: price_sell_per_kwh(k),
        price_buy_per_kwh: price_buy_per_kwh(k),
        grid_sell_per_kwh: grid_sell_per_kwh(k),
        grid_buy_per_kwh: grid_buy_per_kwh(k),
        devices_kw: devices.iter().map(|of| of(k)).collect(),
        soc_kwh: soc_kwh(k),
        ev_soc_kwh: ev_soc_kwh(k),
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn trades(frame: &Frame) -> Vec<TradeRow> {
    let columns = Columns { frame };
    let period = columns.whole("period");
    let [product, seller, buyer] = ["product", "seller", "buyer"].map(|name| columns.word(name));
    let [quantity_kwh, price_per_kwh] = ["quantity_kwh", "price_per_kwh"].map(|name| columns.number(name));
    let row = |k| TradeRow {
        period: period(k) as usize,
        product: product(k),
        seller: seller(k),
        buyer: buyer(k),
        quantity_kwh: quantity_kwh(k).unwrap_or(0.0),
        price_per_kwh: price_per_kwh(k),
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn nodes(frame: &Frame) -> Vec<NodeRow> {
    let columns = Columns { frame };
    let (period, bus) = (columns.whole("period"), columns.whole("bus"));
    let [voltage_pu, p_kw, q_kvar, intensity, price_per_kwh] =
        ["voltage_pu", "p_kw", "q_kvar", "carbon_intensity_kg_per_kwh", "price_per_kwh"]
            .map(|name| columns.number(name));
    let parts = ["energy", "loss", "congestion", "voltage", "carbon"].map(|p| columns.number(&format!("{p}_per_kwh")));
    let row = |k| {
        let part = |of: usize| parts[of](k);
        let price_parts = part(0).map(|energy| PriceParts {
            energy,
            loss: part(1).unwrap_or(0.0),
            congestion: part(2).unwrap_or(0.0),
            voltage: part(3).unwrap_or(0.0),
            carbon: part(4).unwrap_or(0.0),
        });
        NodeRow {
            period: period(k) as usize,
            bus: bus(k),
            voltage_pu: voltage_pu(k),
            p_kw: p_kw(k),
            q_kvar: q_kvar(k),
            carbon_intensity_kg_per_kwh: intensity(k),
            price_per_kwh: price_per_kwh(k),
            price_parts,
        }
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn branches(frame: &Frame) -> Vec<BranchRow> {
    let columns = Columns { frame };
    let [period, from, to] = ["period", "from", "to"].map(|name| columns.whole(name));
    let [p_from_kw, q_from_kvar] = ["p_from_kw", "q_from_kvar"].map(|name| columns.number(name));
    let [carbon_flow_kg_per_h, intensity] =
        ["carbon_flow_kg_per_h", "carbon_intensity_kg_per_kwh"].map(|name| columns.number(name));
    let row = |k| BranchRow {
        period: period(k) as usize,
        from: from(k),
        to: to(k),
        p_from_kw: p_from_kw(k),
        q_from_kvar: q_from_kvar(k),
        carbon_flow_kg_per_h: carbon_flow_kg_per_h(k),
        carbon_intensity_kg_per_kwh: intensity(k),
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn certificates(frame: &Frame) -> Vec<CertificateRow> {
    let columns = Columns { frame };
    let [name, verdict, witness] = ["name", "verdict", "witness"].map(|of| columns.word(of));
    let [value, tolerance] = ["value", "tolerance"].map(|of| columns.number(of));
    let row = |k| CertificateRow {
        name: name(k),
        value: value(k),
        tolerance: tolerance(k),
        verdict: verdict(k),
        witness: witness(k),
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn iterations(frame: &Frame) -> Vec<IterationRow> {
    let columns = Columns { frame };
    let iteration = columns.whole("iteration");
    let [primal, dual, objective] = ["primal_residual", "dual_residual", "objective"].map(|name| columns.number(name));
    let row = |k| IterationRow {
        iteration: iteration(k),
        primal_residual: primal(k),
        dual_residual: dual(k),
        objective: objective(k),
    };
    (0..frame.len()).map(row).collect()
}

pub(super) fn ledger(frame: &Frame) -> Vec<LedgerRow> {
    let columns = Columns { frame };
    let [from, to, reason, product] = ["from", "to", "reason", "product"].map(|name| columns.word(name));
    let amount = columns.number("amount");
    let row = |k| LedgerRow {
        from: from(k),
        to: to(k),
        amount: amount(k).unwrap_or(0.0),
        reason: reason(k),
        product: product(k),
    };
    (0..frame.len()).map(row).collect()
}

/// The points of the table, curve by curve: a curve ends where the next one begins with its first point.
pub(super) fn curves(frame: &Frame) -> Vec<CurveRows> {
    let columns = Columns { frame };
    let [name, participant, other] = ["curve", "participant", "other"].map(|of| columns.word(of));
    let [period, x, y] = ["period", "x", "y"].map(|of| columns.number(of));
    let point = columns.whole("point");
    let mut curves: Vec<CurveRows> = vec![];
    for k in 0..frame.len() {
        if point(k) == 0 {
            curves.push(CurveRows {
                name: name(k),
                participant: participant(k),
                other: other(k),
                period: period(k).map(|period| period as usize),
                points: vec![],
            });
        }
        if let (Some(curve), Some(x), Some(y)) = (curves.last_mut(), x(k), y(k)) {
            curve.points.push((x, y));
        }
    }
    curves
}
