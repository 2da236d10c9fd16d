//! Writes a small result store with plausible, synthetic numbers: the shapes of five participants on a feeder, not a
//! result of anything.

use coase_core::record::{Column, Kind, METRICS as METRICS_OF_RUNS, RunRecord, Table, Value};
use coase_store::{Build, Keys, Manifest, PlannedRun, RunResult, RunStatus, Store, Swept, hash_of};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;

/// What the store holds.
#[derive(Clone)]
pub struct Shape {
    pub mechanisms: Vec<(&'static str, &'static str)>,
    pub policies: Vec<(&'static str, &'static str)>,
    pub seeds: u64,
    pub participants: usize,
    pub periods: usize,
    pub buses: u32,
    /// Multiplies costs and gains; 0 makes all equal, -1 all negative.
    pub money: f64,
    pub manifest: bool,
    /// Whether groups that would do better alone were searched.
    pub core: bool,
}

impl Shape {
    pub fn side_by_side() -> Shape {
        let ids = [
            "grid-only",
            "mid-market-rate",
            "supply-demand-ratio",
            "bill-sharing",
            "nash-bargaining",
            "central-optimum",
        ];
        let policies = ["none", "tax", "cap-and-trade", "stepped"];
        Shape {
            mechanisms: ids.map(|id| (id, id)).to_vec(),
            policies: policies.map(|id| (id, id)).to_vec(),
            seeds: 1,
            participants: 5,
            periods: 24,
            buses: 33,
            money: 1.0,
            manifest: true,
            core: false,
        }
    }

    pub fn many_mechanisms() -> Shape {
        let ids = [
            "grid-only",
            "mid-market-rate",
            "supply-demand-ratio",
            "bill-sharing",
            "uniform-price",
            "nash-bargaining",
            "shapley",
            "nucleolus",
            "kalai-smorodinsky",
            "stackelberg-network-fee",
            "stackelberg-integrated-price",
            "evolutionary-buyers",
            "pricing-game",
            "double-auction",
            "mcafee",
            "continuous-double-auction",
            "vcg",
            "agv",
            "competition-padding",
            "central-optimum",
        ];
        Shape { mechanisms: ids.map(|id| (id, id)).to_vec(), seeds: 2, periods: 3, buses: 4, ..Shape::side_by_side() }
    }
}

const METRICS: [&str; 22] = [
    "total_cost",
    "operating_cost",
    "carbon_cost",
    "social_cost",
    "welfare_gain",
    "efficiency",
    "jain_index",
    "emissions_kg",
    "curtailment_kwh",
    "self_sufficiency",
    "peak_import_kw",
    "p2p_share",
    "loss_kwh",
    "voltage_violation_pu",
    "iterations",
    "messages",
    "carbon_revenue",
    "accounted_abatement_kg",
    "actual_abatement_kg",
    "carbon_price_per_tonne",
    "resource_cost",
    "upstream_resource_cost",
];

/// A repeatable number in [-1, 1].
fn noise(parts: &[usize]) -> f64 {
    let mut z = parts
        .iter()
        .fold(0x9E37_79B9_7F4A_7C15_u64, |z, p| (z ^ *p as u64).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(29));
    z = (z ^ (z >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn sun(h: usize) -> f64 {
    let t = (h % 24) as f64 + 0.5;
    if (5.0..19.0).contains(&t) { (std::f64::consts::PI * (t - 5.0) / 14.0).sin().powf(1.2) } else { 0.0 }
}

fn demand(h: usize) -> f64 {
    const WINTER: [f64; 24] = [
        0.67, 0.63, 0.60, 0.59, 0.59, 0.60, 0.74, 0.86, 0.95, 0.96, 0.96, 0.95, 0.95, 0.95, 0.93, 0.94, 0.99, 1.0, 1.0,
        0.96, 0.91, 0.83, 0.73, 0.63,
    ];
    WINTER[h % 24]
}

fn retail(h: usize) -> f64 {
    match h % 24 {
        0..=4 | 23 => 0.385,
        7..=15 | 18..=20 => 1.02,
        _ => 0.754,
    }
}

const FEED_IN: f64 = 0.35;

/// PV, wind, turbine, storage, load, EV, HVAC of a participant, kW.
fn devices(i: usize, h: usize, cooperative: f64) -> [f64; 7] {
    let hour = h % 24;
    let night = 0.3 + 0.36 * (1.0 - sun(h));
    let pv = [1500.0, 0.0, 0.0, 600.0, 0.0][i % 5] * sun(h) * 0.86;
    let wind = [0.0, 0.0, 250.0, 0.0, 900.0][i % 5] * night;
    let turbine =
        if (7..22).contains(&hour) { [0.0, 300.0, 0.0, 450.0, 0.0][i % 5] * (0.6 + 0.4 * cooperative) } else { 0.0 };
    let storage = [200.0, 0.0, 0.0, 0.0, 150.0][i % 5]
        * if (2..6).contains(&hour) || (11..14).contains(&hour) {
            -0.8
        } else if (18..21).contains(&hour) {
            0.9
        } else {
            0.0
        };
    let load = -[450.0, 500.0, 350.0, 350.0, 300.0][i % 5] * demand(h);
    let ev = [0.0, 0.0, -90.0, 0.0, 0.0][i % 5] * if (7..18).contains(&hour) { 0.0 } else { 1.0 };
    let hvac = [-120.0, 0.0, 0.0, 0.0, 0.0][i % 5] * (0.2 + 0.8 * sun(h));
    [pv, wind, turbine, storage, load, ev, hvac]
}

/// Energy in the storages and vehicles of a participant at the end of an hour, kWh; empty where it has none.
fn stored(i: usize, h: usize, level: f64) -> String {
    let wave = 0.5 + 0.3 * (std::f64::consts::TAU * (h % 24) as f64 / 24.0).sin() + 0.15 * level;
    let own = [800.0, 0.0, 0.0, 0.0, 600.0][i % 5] * wave;
    let vehicles = [0.0, 0.0, 900.0, 0.0, 0.0][i % 5] * if (7..18).contains(&(h % 24)) { 0.0 } else { wave };
    let cell = |kwh: f64, any: bool| if any { n(kwh) } else { String::new() };
    format!("{},{}", cell(own, own > 0.0), cell(vehicles, i % 5 == 2))
}

struct Exchange {
    net: f64,
    sold: f64,
    bought: f64,
}

/// Net positions, and what of them is netted inside.
fn exchange(shape: &Shape, h: usize, trades: bool) -> Vec<Exchange> {
    let cooperative = if trades { 1.0 } else { 0.0 };
    let net: Vec<f64> = (0..shape.participants).map(|i| devices(i, h, cooperative).iter().sum()).collect();
    let supply: f64 = net.iter().map(|v| v.max(0.0)).sum();
    let need: f64 = net.iter().map(|v| (-v).max(0.0)).sum();
    let inside = if trades { supply.min(need) } else { 0.0 };
    let share = |v: f64, all: f64| if all > 0.0 { v.max(0.0) / all * inside } else { 0.0 };
    net.iter().map(|v| Exchange { net: *v, sold: share(*v, supply), bought: share(-v, need) }).collect()
}

/// Shortest text of a number.
fn n(v: f64) -> String {
    format!("{}", if v == 0.0 { 0.0 } else { v })
}

/// Writes the store.
pub fn write_store(dir: &Path, shape: &Shape) {
    std::fs::create_dir_all(dir).unwrap();
    let mut runs = format!(
        "run_id,scenario,mechanism,variant,carbon_policy,carbon_label,seed,status,reason,residual,behaviour,information,{}\n",
        METRICS.join(",") + if shape.core { ",core_excess" } else { "" }
    );
    let mut participants =
        "run_id,participant,total_cost,operating_cost,carbon_cost,disagreement_cost,gain,gain_resource,\
        gain_retail_margin,gain_carbon,gain_network,payment,emissions_kg,contract_kg,import_kwh,export_kwh,sold_kwh,\
        bought_kwh,curtailed_kwh\n"
            .to_owned();
    let mut periods = "run_id,participant,period,product,net_export_kw,grid_import_kw,grid_export_kw,p2p_sold_kw,p2p_bought_kw,\
        price_sell_per_kwh,price_buy_per_kwh,pv_kw,wind_kw,micro_turbine_kw,storage_kw,load_kw,ev_fleet_kw,hvac_kw,soc_kwh,ev_soc_kwh\n"
        .to_owned();
    let mut nodes = "run_id,period,bus,voltage_pu,p_kw,q_kvar,carbon_intensity_kg_per_kwh,price_per_kwh\n".to_owned();
    if shape.policies.iter().any(|p| nodal(p.0)) {
        nodes.truncate(nodes.len() - 1);
        nodes += ",energy_per_kwh,loss_per_kwh,congestion_per_kwh,voltage_per_kwh,carbon_per_kwh\n";
    }
    let parts = nodes.contains("energy_per_kwh");
    let tree = Tree::of(shape.buses);
    let mut branches = "run_id,period,from,to,p_from_kw,q_from_kvar,loss_kw,carbon_flow_kg_per_h,\
        carbon_intensity_kg_per_kwh\n"
        .to_owned();
    let mut trades = "run_id,period,product,seller,buyer,quantity_kwh,price_per_kwh\n".to_owned();
    let mut certificates = "run_id,name,value,tolerance,verdict,witness\n".to_owned();
    let mut convergence = "run_id,iteration,primal_residual,dual_residual,objective\n".to_owned();
    let mut ledger = "run_id,from,to,amount,reason,product\n".to_owned();

    let mut run = 0u128;
    for (m, (mechanism, variant)) in shape.mechanisms.iter().enumerate() {
        for (p, (policy, label)) in shape.policies.iter().enumerate() {
            for seed in 1..=shape.seeds {
                run += 1;
                let id = format!("{run:032x}");
                let trading = *mechanism != "grid-only";
                let quality = if trading { m as f64 / (shape.mechanisms.len() - 1).max(1) as f64 } else { 0.0 };
                let jitter = 0.02 * noise(&[m, p, seed as usize]) * (shape.seeds - 1) as f64;
                let carbon_price = [0.0, 0.28, 0.03, 0.22][p % 4];
                let emissions = (11_390.0 - [0.0, 730.0, 30.0, 510.0][p % 4]) * (1.0 - 0.46 * quality) * (1.0 + jitter);
                let operating = 10_820.0 * (1.0 - 0.42 * quality) * (1.0 + 0.5 * jitter);
                let carbon = carbon_price * emissions;
                let total = (operating + carbon) * shape.money;
                let base = (10_820.0 + carbon_price * (11_390.0 - [0.0, 730.0, 30.0, 510.0][p % 4])) * shape.money;
                let gain = base - total;
                let values = [
                    total,
                    operating * shape.money,
                    carbon * shape.money,
                    total * 0.8,
                    gain,
                    quality,
                    0.95 - 0.3 * (1.0 - quality),
                    emissions,
                    0.0,
                    0.4 + 0.3 * quality,
                    1900.0 - 500.0 * quality,
                    0.35 * quality,
                    964.0 - 120.0 * quality,
                    0.0,
                    12.0 * m as f64,
                    240.0 * m as f64,
                    carbon * shape.money,
                    [0.0, 700.0, 60.0, 640.0][p % 4],
                    [0.0, 730.0, 30.0, 510.0][p % 4],
                    280.0,
                    0.3 * operating * shape.money,
                    0.2 * operating * shape.money,
                ];
                // without a policy there is no price
                let mut values = values.map(n);
                if *policy == "none" {
                    values[19].clear();
                }
                let values = values.join(",");
                // every third market is in the core
                let excess = gain * [0.06, -0.02, 0.01][m % 3];
                let excess = if shape.core { format!(",{}", n(excess)) } else { String::new() };
                let _ = writeln!(
                    runs,
                    "{id},five,{mechanism},{variant},{policy},{label},{seed},converged,,1e-9,truthful,reports,{values}{excess}"
                );
                if shape.core {
                    let _ = writeln!(certificates, "{id},least_core_epsilon,{},,measured,", n(-0.03 * gain.abs()));
                }
                for i in 0..shape.participants {
                    let share = [0.12, 0.32, 0.24, 0.14, 0.18][i % 5] * 5.0 / shape.participants as f64;
                    let own = gain * share;
                    // the parts of all participants sum to the gain of all: weights below have that mean
                    let part = |weights: [f64; 5]| gain * weights[i % 5] / shape.participants as f64;
                    let carbon = part([-0.4, 0.5, 0.4, -0.3, -0.2]) * carbon_price;
                    let network = part([-0.1, -0.1, 0.0, -0.2, -0.1]);
                    let resource = part([-0.6, 1.4, 0.8, 1.1, 0.8]);
                    let margin = part([0.9, 0.6, 0.3, 0.1, 0.1]);
                    let payment = resource + margin + carbon + network - own;
                    let ends = [("least", own - 0.2 * own.abs()), ("most", own + 0.3 * own.abs())];
                    for (end, gain) in ends.iter().filter(|_| shape.core) {
                        let _ = writeln!(certificates, "{id},core_{end}_gain,{},,measured,vpp{}", n(*gain), i + 1);
                    }
                    let cells = [
                        base * share - own,
                        base * share * 0.9,
                        base * share * 0.1,
                        base * share,
                        own,
                        resource,
                        margin,
                        carbon,
                        network,
                        payment,
                        emissions * share,
                        emissions * share,
                        4000.0 * share,
                        900.0 * share,
                        1200.0 * quality * share,
                        1200.0 * quality * share,
                        0.0,
                    ];
                    let _ = writeln!(participants, "{id},vpp{},{}", i + 1, cells.map(n).join(","));
                }
                for h in 0..shape.periods {
                    let all = exchange(shape, h, trading);
                    let price = FEED_IN + (retail(h) - FEED_IN) * (0.3 + 0.4 * demand(h) * (1.0 - 0.5 * sun(h)));
                    for (i, e) in all.iter().enumerate() {
                        let d = devices(i, h, if trading { 1.0 } else { 0.0 });
                        let import = (-e.net - e.bought).max(0.0);
                        let export = (e.net - e.sold).max(0.0);
                        let spread = if *mechanism == "supply-demand-ratio" { 0.06 } else { 0.0 };
                        let priced = |q: f64, v: f64| if q > 1e-6 { n(v) } else { String::new() };
                        let _ = writeln!(
                            periods,
                            "{id},vpp{},{h},energy,{},{},{},{},{},{},{},{},{}",
                            i + 1,
                            n(e.net),
                            n(import),
                            n(export),
                            n(e.sold),
                            n(e.bought),
                            priced(e.sold, price - spread),
                            priced(e.bought, price + spread),
                            d.map(n).join(","),
                            stored(i, h, quality + jitter)
                        );
                    }
                    for b in 1..=shape.buses {
                        node(&mut nodes, &id, h, b, trading);
                        if parts {
                            nodes.truncate(nodes.len() - 1);
                            nodes += &price_parts(nodal(policy), h, b);
                        }
                    }
                    tree.flows(&mut branches, &id, h, trading);
                    // every seller serves up to four buyers
                    let buyers: Vec<usize> = (0..all.len()).filter(|i| all[*i].bought > 1e-6).take(4).collect();
                    for (seller, e) in all.iter().enumerate().filter(|(_, e)| e.sold > 1e-6) {
                        for buyer in &buyers {
                            let kwh = n(e.sold / buyers.len() as f64);
                            let _ = writeln!(
                                trades,
                                "{id},{h},energy,vpp{},vpp{},{kwh},{}",
                                seller + 1,
                                buyer + 1,
                                n(price)
                            );
                        }
                    }
                }
                let _ = writeln!(certificates, "{id},ledger_balance,0,1e-9,upheld,");
                let _ = writeln!(certificates, "{id},phantom_kg,{},,measured,", n(12.0 * quality));
                let _ = writeln!(certificates, "{id},regret,,1e-6,not_searched,");
                if trading {
                    let verdict = if m % 3 == 1 && p % 2 == 1 { "refuted" } else { "upheld" };
                    let _ = writeln!(certificates, "{id},individual_rationality,{},1e-6,{verdict},", n(quality));
                }
                if m % 4 == 3 {
                    let verdict = if p == 0 { "not_applicable" } else { "upheld" };
                    let _ = writeln!(certificates, "{id},policy_claim,0,1e-6,{verdict},");
                }
                let _ = writeln!(ledger, "{id},vpp2,vpp1,{},p2p,energy", n(100.0 * quality));
                carbon_payments(&mut ledger, &id, carbon * shape.money, shape.participants, nodal(policy));
                for k in 0..5 {
                    let _ =
                        writeln!(convergence, "{id},{k},{},{},{}", n(10f64.powi(-k)), n(10f64.powi(-k - 1)), n(total));
                }
            }
        }
    }
    std::fs::create_dir_all(dir.join(AS_TEXT)).unwrap();
    for (name, text) in [
        ("runs", runs),
        ("participants", participants),
        ("periods", periods),
        ("nodes", nodes),
        ("trades", trades),
        ("certificates", certificates),
        ("convergence", convergence),
        ("ledger", ledger),
        ("curves", "run_id,curve,participant,other,period,point,x,y\n".to_owned()),
        ("branches", branches),
    ] {
        std::fs::write(dir.join(AS_TEXT).join(name).with_extension("csv"), text).unwrap();
    }
    let scenarios = if shape.manifest { scenarios(shape) } else { "{}".to_owned() };
    std::fs::write(dir.join(AS_TEXT).join("scenarios.json"), scenarios).unwrap();
    settle(dir);
}

/// Where the tables are before they become results.
const AS_TEXT: &str = "as_text";

/// Changes a table, and with it the store.
pub fn rewrite(dir: &Path, table: &str, change: impl Fn(&str) -> String) {
    let file = dir.join(AS_TEXT).join(table).with_extension("csv");
    std::fs::write(&file, change(&std::fs::read_to_string(&file).unwrap())).unwrap();
    settle(dir);
}

/// Makes run files and a manifest of the tables.
fn settle(dir: &Path) {
    let scenarios = std::fs::read_to_string(dir.join(AS_TEXT).join("scenarios.json")).unwrap();
    let runs = read(dir, "runs");
    let fixed: Vec<&str> = Table::Runs.columns().into_iter().map(|column| column.name).collect();
    let is_swept = |name: &&String| !fixed.contains(&name.as_str()) && *name != "run_id";
    let swept: Vec<String> =
        runs.first().map(|run| run.0.iter().filter(is_swept).cloned().collect()).unwrap_or_default();
    let planned = |run: &TextRow| PlannedRun {
        run_id: run.get("run_id").to_owned(),
        swept: swept.iter().map(|path| Some(Swept::Number(run.get(path).parse().ok()?))).collect(),
        ..PlannedRun::default()
    };
    let planned: Vec<PlannedRun> = runs.iter().map(planned).collect();
    let manifest = Manifest {
        experiment_hash: hash_of(planned.iter().map(|run| run.run_id.as_str())),
        scenarios: serde_json::from_str(&scenarios).unwrap(),
        swept,
        runs: planned,
        ..Manifest::default()
    };
    let store = Store::create(dir).unwrap();
    store.set_manifest(&manifest).unwrap();
    let mut results: BTreeMap<String, RunResult> =
        runs.iter().map(|run| (run.get("run_id").to_owned(), result(run))).collect();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Runs) {
        for row in read(dir, table.name()) {
            let record = &mut results.get_mut(row.get("run_id")).unwrap().record;
            let rows = match table {
                Table::Runs => unreachable!(),
                Table::Participants => &mut record.participants,
                Table::Periods => &mut record.periods,
                Table::Trades => &mut record.trades,
                Table::Nodes => &mut record.nodes,
                Table::Branches => &mut record.branches,
                Table::Certificates => &mut record.certificates,
                Table::Convergence => &mut record.convergence,
                Table::Ledger => &mut record.ledger,
                Table::Curves => &mut record.curves,
            };
            rows.push(table.columns().into_iter().map(|column| row.cell(column)).collect());
        }
    }
    for result in results.values() {
        store.keep(&Build::default(), result).unwrap();
    }
}

/// A row of a table as text: header and cells.
struct TextRow(Rc<Vec<String>>, csv::StringRecord);

impl TextRow {
    fn get(&self, name: &str) -> &str {
        self.0.iter().position(|column| column == name).map_or("", |k| &self.1[k])
    }

    fn cell(&self, column: &Column) -> Value {
        match (self.get(column.name), column.kind) {
            ("", _) => Value::Missing,
            (text, Kind::Text) => text.into(),
            (text, Kind::Number) => text.parse::<f64>().unwrap().into(),
            (text, Kind::Integer) => Value::Integer(text.parse().unwrap()),
        }
    }
}

fn read(dir: &Path, table: &str) -> Vec<TextRow> {
    let mut reader = csv::Reader::from_path(dir.join(AS_TEXT).join(table).with_extension("csv")).unwrap();
    let header = Rc::new(reader.headers().unwrap().iter().map(str::to_owned).collect());
    reader.records().map(|cells| TextRow(Rc::clone(&header), cells.unwrap())).collect()
}

fn result(run: &TextRow) -> RunResult {
    let word = |name: &str| run.get(name).to_owned();
    let metrics = METRICS_OF_RUNS.iter().map(|column| run.cell(column)).collect();
    RunResult {
        run_id: word("run_id"),
        keys: Keys {
            scenario: word("scenario"),
            mechanism: word("mechanism"),
            variant: word("variant"),
            carbon_policy: word("carbon_policy"),
            carbon_label: word("carbon_label"),
            reporting: word("behaviour").replace('_', "-"),
            seed: run.get("seed").parse().unwrap(),
        },
        status: RunStatus::named(run.get("status")).unwrap(),
        reason: word("reason"),
        residual: run.get("residual").parse().ok(),
        behaviour: word("behaviour"),
        information: word("information"),
        charged_kg: None,
        charged_kg_under: BTreeMap::new(),
        record: RunRecord { metrics, ..RunRecord::default() },
        timing: None,
    }
}

/// A feeder like the 33-bus one: trunk 1-18, laterals from 2, 3 and 6.
fn lateral(bus: u32) -> (f64, f64) {
    match bus {
        1..=18 => (f64::from(bus - 1) / 17.0, 1.0),
        19..=22 => (f64::from(bus - 18) / 17.0, 0.3),
        23..=25 => (f64::from(bus - 21) / 17.0, 0.5),
        _ => (f64::from(bus - 21) / 17.0, 0.8),
    }
}

fn node(out: &mut String, id: &str, h: usize, bus: u32, trading: bool) {
    let (distance, weight) = lateral(bus);
    let local = if trading { 1.3 } else { 1.0 } * sun(h);
    let v = 1.0 - distance * weight * (0.065 * demand(h) - 0.05 * local);
    let clean = (1.2 * sun(h) * distance * if trading { 1.2 } else { 0.8 }).min(1.0);
    let intensity =
        if (21..=22).contains(&bus) && (2..5).contains(&(h % 24)) { String::new() } else { n(0.581 * (1.0 - clean)) };
    let p = if bus == 1 { 0.0 } else { -60.0 * demand(h) };
    let _ = writeln!(out, "{id},{h},{bus},{},{},{},{intensity},{}", n(v), n(p), n(p / 2.0), n(retail(h)));
}

/// Whether a policy sets prices at nodes.
fn nodal(policy: &str) -> bool {
    policy == "integrated"
}

/// The price of [`node`] and its parts, in place of the price alone.
fn price_parts(nodal: bool, h: usize, bus: u32) -> String {
    if !nodal {
        return ",,,,,\n".to_owned();
    }
    let (distance, weight) = lateral(bus);
    let loss = retail(h) * 0.09 * distance * weight * demand(h);
    let voltage = if (12..14).contains(&(h % 24)) && distance > 0.7 { -0.05 * distance } else { 0.0 };
    let congestion = if (18..20).contains(&(h % 24)) && bus > 25 { 0.04 } else { 0.0 };
    let parts = [retail(h), loss, congestion, voltage, 0.163 * (1.0 + loss)];
    parts.map(|v| format!(",{}", n(v))).concat() + "\n"
}

/// Payments for carbon whose sum the authority keeps: a share of each participant, a credit, a refund, and under nodal
/// prices the network operator as collector.
fn carbon_payments(ledger: &mut String, id: &str, revenue: f64, participants: usize, nodal: bool) {
    let mut enter = |from: &str, to: &str, amount: f64, reason: &str| {
        let (from, to) = if amount < 0.0 { (to, from) } else { (from, to) };
        if amount != 0.0 {
            let _ = writeln!(ledger, "{id},{from},{to},{},{reason},energy", n(amount.abs()));
        }
    };
    let share = revenue / participants.max(1) as f64;
    for i in 0..participants {
        // the first is given more than it pays
        let own = share * [-0.5, 1.5, 1.2, 1.6, 0.9][i % 5];
        let to = if nodal { "dso" } else { "authority" };
        enter(&format!("vpp{}", i + 1), to, own * 1.1, "carbon");
        enter("authority", &format!("vpp{}", i + 1), own * 0.1, "carbon refund");
    }
    let own: f64 = (0..participants).map(|i| share * [-0.5, 1.5, 1.2, 1.6, 0.9][i % 5]).sum();
    let collected = if nodal { own * 1.1 } else { 0.0 };
    enter("dso", "authority", revenue - own + collected, "carbon");
}

/// A radial feeder: the strands of the 33-bus one, or laterals of up to nine buses on a trunk and on each other.
struct Tree {
    strands: Vec<Vec<u32>>,
    /// By bus, from 1; 0 for the root.
    parent: Vec<u32>,
}

/// The feeder of the literature with so many buses.
fn published(buses: u32) -> Option<&'static str> {
    match buses {
        15 => Some("das-15"),
        69 => Some("ieee-69"),
        141 => Some("khodr-141"),
        _ => None,
    }
}

impl Tree {
    fn of(buses: u32) -> Tree {
        if let Some(id) = published(buses) {
            return Tree::built_in(id);
        }
        let mut strands: Vec<Vec<u32>> = Vec::new();
        let mut from: Vec<u32> = vec![0];
        if buses == 33 {
            strands = vec![(1..=18).collect(), (19..=22).collect(), (23..=25).collect(), (26..=33).collect()];
            from = vec![0, 2, 3, 6];
        } else {
            let mut next = 1;
            while next <= buses {
                let pick = |k: usize| f64::midpoint(noise(&[next as usize, k]), 1.0);
                let trunk = (buses / 4).max(3);
                let length = if next == 1 { trunk } else { 1 + (9.0 * pick(0)) as u32 };
                let end = (next + length - 1).min(buses);
                if next > 1 {
                    from.push(1 + (pick(1) * f64::from(next - 1)) as u32);
                }
                strands.push((next..=end).collect());
                next = end + 1;
            }
        }
        let mut parent = vec![0; buses as usize + 1];
        for (strand, from) in strands.iter().zip(from) {
            for (k, bus) in strand.iter().enumerate() {
                parent[*bus as usize] = if k == 0 { from } else { bus - 1 };
            }
        }
        Tree { strands, parent }
    }

    /// A feeder of the literature: from every bus the way goes on to the child with the longest way ahead.
    fn built_in(id: &str) -> Tree {
        let network = coase_core::network::built_in(id).unwrap().network().unwrap();
        let topology = coase_core::network::Topology::new(&network);
        let number = |node| network.bus(node).id as u32;
        let mut parent = vec![0; network.buses.len() + 1];
        let mut ahead = parent.clone();
        for node in topology.order().iter().rev() {
            if let Some(from) = topology.parent(*node) {
                let (bus, from) = (number(*node) as usize, number(from.node));
                parent[bus] = from;
                ahead[from as usize] = ahead[from as usize].max(ahead[bus] + 1);
            }
        }
        let (mut strands, mut starts, mut next) = (Vec::new(), vec![1u32], 0);
        while next < starts.len() {
            let mut strand = vec![starts[next]];
            while let Some(here) = strand.last().copied() {
                let mut children: Vec<u32> = (1..parent.len() as u32).filter(|b| parent[*b as usize] == here).collect();
                children.sort_by_key(|b| std::cmp::Reverse(ahead[*b as usize]));
                let Some((first, laterals)) = children.split_first() else { break };
                starts.extend(laterals);
                strand.push(*first);
            }
            strands.push(strand);
            next += 1;
        }
        Tree { strands, parent }
    }

    /// A row of `branches` for each but the root, every third branch written from its far end.
    fn flows(&self, out: &mut String, id: &str, h: usize, trading: bool) {
        let n_buses = self.parent.len() - 1;
        let local = if trading { 1.4 } else { 0.9 } * sun(h);
        let mut flow: Vec<f64> =
            (0..=n_buses).map(|b| 60.0 * demand(h) - if b % 7 == 0 { 700.0 * local } else { 0.0 }).collect();
        for bus in (2..=n_buses).rev() {
            flow[self.parent[bus] as usize] += flow[bus];
        }
        // not in the order of the feeder
        for bus in (2..=n_buses).rev() {
            let (parent, power) = (self.parent[bus] as usize, if bus == n_buses && h == 3 { 0.0 } else { flow[bus] });
            let intensity = if power > 0.0 { 0.581 * (1.0 - 0.5 * sun(h)) } else { 0.05 };
            let (from, to, sent) = if bus % 3 == 0 { (bus, parent, -power) } else { (parent, bus, power) };
            let none = if power == 0.0 { String::new() } else { n(intensity) };
            let _ = writeln!(out, "{id},{h},{from},{to},{},0,0,{},{none}", n(sent), n(sent * intensity));
        }
    }
}

fn scenarios(shape: &Shape) -> String {
    let list = |f: &dyn Fn(usize) -> f64| (0..shape.periods).map(f).map(n).collect::<Vec<_>>().join(", ");
    let strands = Tree::of(shape.buses).strands;
    let places = |i: usize| 1 + (i as u32 * 7 + 6) % shape.buses.max(1);
    let buses: Vec<String> = (0..shape.participants)
        .filter(|_| shape.buses > 0)
        .map(|i| format!(r#""vpp{}": {}"#, i + 1, places(i)))
        .collect();
    // the trunk has ratings that evenings come near to
    let trunk = strands.first().map_or(&[][..], Vec::as_slice);
    let ratings: Vec<String> = trunk
        .windows(2)
        .map(|ends| format!(r#"{{"from": {}, "to": {}, "rating_kva": 1800}}"#, ends[0], ends[1]))
        .collect();
    format!(
        r#"{{"five": {{
            "currency": "CNY", "period_h": 1.0, "v_min_pu": 0.95, "v_max_pu": 1.05, "feeder": {strands:?}, "participant_bus": {{{}}},
            "ratings": [{}], "buy_price_per_kwh": [{}], "sell_price_per_kwh": [{}]}}}}"#,
        buses.join(", "),
        ratings.join(", "),
        list(&retail),
        list(&|_| FEED_IN)
    )
}
