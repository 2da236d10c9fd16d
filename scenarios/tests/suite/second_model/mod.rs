//! A second model of the whole market, written plainly, dense and slow, against the program on random scenarios: all devices,
//! the carbon policies that need no network, the baselines, bargaining and the internal prices.
//!
//! The second model shares no line with the program: it draws numbers, writes each member's equations as rows of a quadratic
//! program, and has Clarabel solve it. The program reads the same numbers from a file.
//! `COASE_RANDOM_SCENARIOS=400 cargo test -p coase-scenarios --test suite second_model -- --nocapture` tries more.

mod draw;
mod member;
mod plain;

use coase_core::record::{METRICS, Row, RunRecord, Table, Value};
use coase_mechanisms as _;
use coase_scenarios::{Experiment, Loader, RunOptions, RunResult, RunStatus};
use draw::{Draw, World, world};
use member::{Seat, seat};
use plain::{Found, Plain, Terms};
use std::path::Path;

/// A carbon policy of the second model. Prices are per tonne.
#[derive(Clone, Debug)]
enum Policy {
    None,
    Tax { price: f64, net: bool },
    Cap { buy: f64, sell: f64 },
    Ladder { base: f64, interval: f64, growth: f64, reward: Reward, by_output: Option<(f64, f64)> },
    Each { cap: f64 },
    Total { cap: f64 },
    Traded { base: f64, interval: f64, growth: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Reward {
    Flat,
    Nothing,
    Declining(f64),
}

const TIERS: i32 = 5;

/// The ladder as the greatest of lines, `slope kg + intercept`, per kg.
fn lines(base: f64, interval: f64, growth: f64, reward: Reward) -> Vec<(f64, f64)> {
    let base = base / 1000.0;
    let price = |k: f64| (base * (1.0 + growth * k), -base * interval * growth * k * (k + 1.0) / 2.0);
    let mut lines: Vec<(f64, f64)> = (0..TIERS).map(|k| price(f64::from(k))).collect();
    match reward {
        Reward::Flat => {}
        Reward::Nothing => lines.push((0.0, 0.0)),
        // Tier k of the surplus earns base (1 - k r), down to nothing.
        Reward::Declining(r) => {
            let mut value = 0.0;
            for k in 0..TIERS {
                let slope = base * (1.0 - r * f64::from(k)).max(0.0);
                let edge = -interval * f64::from(k);
                lines.push((slope, value - slope * edge));
                value -= slope * interval;
            }
        }
    }
    lines
}

impl Policy {
    fn ron(&self) -> String {
        match self {
            Policy::None => "\"none\"".into(),
            Policy::Tax { price, net } => {
                let base = if *net { ", import_base: NetOfExports" } else { "" };
                format!("Tax(price_per_tonne: {price:?}{base})")
            }
            Policy::Cap { buy, sell } => {
                format!("CapAndTrade(price_per_tonne: {buy:?}, sell_price_per_tonne: {sell:?})")
            }
            Policy::Ladder { base, interval, growth, reward, by_output } => {
                let reward = match reward {
                    Reward::Flat => "Flat".to_owned(),
                    Reward::Nothing => "Nothing".to_owned(),
                    Reward::Declining(r) => format!("Declining({r:?})"),
                };
                let quota = by_output.map_or(String::new(), |(grid, turbine)| {
                    format!(", quota: OutputBased(grid_kg_per_kwh: {grid:?}, turbine_kg_per_kwh: {turbine:?})")
                });
                format!(
                    "Stepped(base_price_per_tonne: {base:?}, interval_kg: {interval:?}, growth: {growth:?}, reward: {reward}{quota})"
                )
            }
            Policy::Each { cap } => format!("HardCap(cap_kg: Some({cap:?}), scope: Each)"),
            Policy::Total { cap } => format!("HardCap(cap_kg: Some({cap:?}), scope: Total)"),
            Policy::Traded { base, interval, growth } => {
                format!(
                    "AllowanceTrading(base_price_per_tonne: {base:?}, interval_kg: {interval:?}, growth: {growth:?})"
                )
            }
        }
    }

    /// Whether the price is found by the market: then costs of members alone are no questions of their own.
    fn is_scarce(&self) -> bool {
        matches!(self, Policy::Total { .. } | Policy::Traded { .. })
    }

    /// Charges one member, or forbids it more.
    fn charge(&self, program: &mut Plain, seat: &Seat, quota: f64) {
        let gross = seat.gross_kg();
        match self {
            Policy::None | Policy::Total { .. } | Policy::Traded { .. } => {}
            Policy::Tax { price, net } => {
                let base = if *net { [gross, seat.exported_kg.clone()].concat() } else { gross };
                for (kg, v) in &base {
                    program.linear[*v] += price / 1000.0 * kg;
                }
            }
            Policy::Cap { buy, sell } => {
                let lines = [buy, sell].map(|p| (p / 1000.0, -p / 1000.0 * quota));
                program.above(&gross, &lines);
            }
            Policy::Ladder { base, interval, growth, reward, by_output } => {
                let (balance, free) = match by_output {
                    None => (gross, quota),
                    Some((grid, turbine)) => {
                        let quotas =
                            |rate: f64, kwh: &Terms| kwh.iter().map(|(a, v)| (-rate * a, *v)).collect::<Terms>();
                        ([gross, quotas(*grid, &seat.imported_kwh), quotas(*turbine, &seat.fuel_kwh)].concat(), 0.0)
                    }
                };
                let shifted: Vec<(f64, f64)> =
                    lines(*base, *interval, *growth, *reward).iter().map(|(a, b)| (*a, b - a * free)).collect();
                program.above(&balance, &shifted);
            }
            Policy::Each { cap } => program.at_most(gross, *cap),
        }
    }

    /// Charges or limits all together.
    fn charge_all(&self, program: &mut Plain, seats: &[Seat], quota: f64) {
        let gross: Terms = seats.iter().flat_map(Seat::gross_kg).collect();
        match self {
            Policy::Total { cap } => program.at_most(gross, *cap),
            // Equal ladders whose allowances are passed on are one ladder with as many times the interval.
            Policy::Traded { base, interval, growth } => {
                let pooled = lines(*base, interval * seats.len() as f64, *growth, Reward::Flat);
                let shifted: Vec<(f64, f64)> = pooled.iter().map(|(a, b)| (*a, b - a * quota)).collect();
                program.above(&gross, &shifted);
            }
            _ => {}
        }
    }
}

/// A member alone at the tariff.
fn alone(world: &World, k: usize, policy: &Policy) -> (Plain, Seat) {
    let mut program = Plain::default();
    let member = &world.members[k];
    let seat = seat(&mut program, world, member);
    for v in &seat.sold {
        program.equal(vec![(1.0, *v)], 0.0);
    }
    policy.charge(&mut program, &seat, member.quota_kg);
    (program, seat)
}

/// All together; without trade where `trade` is false.
fn together(world: &World, policy: &Policy, trade: bool) -> (Plain, Vec<Seat>) {
    let mut program = Plain::default();
    let mut seats = vec![];
    for member in &world.members {
        let seat = seat(&mut program, world, member);
        policy.charge(&mut program, &seat, member.quota_kg);
        seats.push(seat);
    }
    for t in 0..world.periods {
        if trade {
            program.equal(seats.iter().map(|s| (1.0, s.sold[t])).collect(), 0.0);
        } else {
            for seat in &seats {
                program.equal(vec![(1.0, seat.sold[t])], 0.0);
            }
        }
    }
    let quota = world.members.iter().map(|m| m.quota_kg).sum();
    policy.charge_all(&mut program, &seats, quota);
    (program, seats)
}

/// Kilograms at the sources: fuel, and what all together import.
fn emissions_kg(world: &World, seats: &[Seat], x: &[f64]) -> f64 {
    let value = |terms: &Terms| terms.iter().map(|(a, v)| a * x[*v]).sum::<f64>();
    let upstream = (0..world.periods).map(|t| {
        let net: f64 = seats.iter().map(|s| x[s.import[t]] - x[s.export[t]]).sum();
        world.hours * world.intensity[t] * net.max(0.0)
    });
    seats.iter().map(|s| value(&s.fuel_kg)).sum::<f64>() + upstream.sum::<f64>()
}

/// Whether another optimum would show: the objective is tilted a little at random, twice.
fn is_unique(program: &Plain, seats: &[Seat], found: &Found) -> bool {
    let mut draw = Draw::new(42);
    (0..2).all(|_| {
        let mut tilted = program.clone();
        for seat in seats {
            for v in seat.import.iter().chain(&seat.export).chain(seat.fuel_kwh.iter().map(|(_, v)| v)) {
                tilted.linear[*v] += 1e-5 * (draw.unit() - 0.5);
            }
        }
        let Some(other) = tilted.solve() else { return false };
        seats.iter().flat_map(|s| s.import.iter().chain(&s.export).chain(s.fuel_kwh.iter().map(|(_, v)| v))).all(|v| {
            let (a, b) = (found.x[*v], other.x[*v]);
            (a - b).abs() < 1e-2 * (1.0 + a.abs())
        })
    })
}

/// Random policies for a world; caps lie between what must be emitted and what would be.
fn policies(world: &World, draw: &mut Draw) -> Vec<Policy> {
    let base = draw.between(50.0, 500.0);
    let interval = draw.between(5.0, 60.0);
    let growth = draw.between(0.05, 0.6);
    let kg = |program: &Plain, seats: &[Seat]| {
        let found = program.solve().expect("a member can always be served");
        let value = |s: &Seat| s.gross_kg().iter().map(|(a, v)| a * found.x[*v]).sum::<f64>();
        seats.iter().map(value).sum::<f64>()
    };
    let (mut least, mut usual, mut least_total, mut usual_total) = (0.0_f64, f64::INFINITY, 0.0, 0.0);
    for k in 0..world.members.len() {
        let (mut program, seat) = alone(world, k, &Policy::None);
        let seats = [seat];
        let b = kg(&program, &seats);
        program.linear.fill(0.0);
        program.square.fill(0.0);
        for (kg, v) in seats[0].gross_kg() {
            program.linear[v] += kg;
        }
        let a = kg(&program, &seats);
        (least, usual) = (least.max(a), usual.min(b));
        (least_total, usual_total) = (least_total + a, usual_total + b);
    }
    let share = 0.15 + 0.7 * draw.unit();
    let mut all = vec![
        Policy::None,
        Policy::Tax { price: draw.between(20.0, 500.0), net: false },
        Policy::Cap { buy: base, sell: (0.5 * base * 1e4).round() / 1e4 },
        Policy::Ladder { base, interval, growth, reward: Reward::Flat, by_output: None },
        Policy::Ladder { base, interval, growth, reward: Reward::Nothing, by_output: None },
        Policy::Ladder { base, interval, growth, reward: Reward::Declining(0.2), by_output: None },
        Policy::Ladder { base, interval, growth, reward: Reward::Flat, by_output: Some((0.2, 0.25)) },
        Policy::Each { cap: least + 0.3 * (usual - least).max(0.0) + 0.5 },
        Policy::Traded { base, interval, growth },
    ];
    if usual_total - least_total > 0.5 {
        all.push(Policy::Total { cap: least_total + share * (usual_total - least_total) });
    }
    // A credit for exports needs prices that do not make buying and selling back a business.
    let price = 100.0;
    if world.buy.iter().zip(&world.sell).all(|(b, s)| b - s > 0.02) {
        all.push(Policy::Tax { price, net: true });
    }
    all
}

/// What was compared.
#[derive(Debug, Default)]
struct Count {
    scenarios: usize,
    impossible: usize,
    runs: usize,
    figures: usize,
    emissions_skipped: usize,
    wrong: Vec<String>,
}

impl Count {
    fn compare(&mut self, what: impl FnOnce() -> String, found: f64, expected: f64, tolerance: f64) {
        self.figures += 1;
        if (found - expected).abs() > tolerance || !found.is_finite() {
            self.wrong.push(format!("{}: program {found}, second model {expected}", what()));
        }
    }
}

fn metric(record: &RunRecord, name: &str) -> f64 {
    number(&record.metrics[METRICS.iter().position(|c| c.name == name).unwrap()])
}

fn of_participant(row: &Row, name: &str) -> f64 {
    number(&row[Table::Participants.columns().iter().position(|c| c.name == name).unwrap()])
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(x) => *x,
        Value::Integer(x) => *x as f64,
        _ => f64::NAN,
    }
}

const MECHANISMS: [&str; 6] =
    ["grid-only", "central-optimum", "nash-bargaining", "mid-market-rate", "supply-demand-ratio", "bill-sharing"];

fn experiment(world: &World, policies: &[Policy]) -> Experiment {
    let mechanisms = MECHANISMS.map(|m| format!("{m:?}")).join(", ");
    let labelled: Vec<String> =
        policies.iter().enumerate().map(|(k, p)| format!("(label: \"p{k}\", policy: {})", p.ron())).collect();
    let text = format!(
        "Experiment(scenarios: [{}], mechanisms: [{mechanisms}], carbon: [{}])",
        world.ron("drawn"),
        labelled.join(", ")
    );
    Loader::default().load_text("drawn", &text, Path::new(""), &[]).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
}

/// Runs a random scenario and compares every figure that the second model knows.
fn compare(seed: u64, count: &mut Count) {
    let world = world(seed);
    // Weather may ask more of a room than its machine can do: such a draw is no scenario.
    if (0..world.members.len()).any(|k| alone(&world, k, &Policy::None).0.solve().is_none()) {
        count.impossible += 1;
        return;
    }
    let policies = policies(&world, &mut Draw::new(seed ^ 0x5EED));
    let experiment = experiment(&world, &policies);
    let results = experiment.run(&RunOptions::default(), ()).unwrap();
    let of = |mechanism: &str, k: usize| -> &RunResult {
        let label = format!("p{k}");
        let place = experiment.runs.iter().position(|r| r.variant == mechanism && r.carbon_label == label);
        &results[place.unwrap()]
    };
    count.scenarios += 1;
    for (k, policy) in policies.iter().enumerate() {
        compare_policy(seed, &world, policy, count, &|mechanism| of(mechanism, k));
    }
}

fn compare_policy<'a>(
    seed: u64,
    world: &World,
    policy: &Policy,
    count: &mut Count,
    result: &dyn Fn(&str) -> &'a RunResult,
) {
    let (separate, separate_seats) = together(world, policy, false);
    let (joint, joint_seats) = together(world, policy, true);
    let (Some(apart), Some(best)) = (separate.solve(), joint.solve()) else {
        count.wrong.push(format!("seed {seed}, {policy:?}: the second model has no answer"));
        return;
    };
    let stake: f64 = world
        .members
        .iter()
        .enumerate()
        .map(|(i, _)| alone(world, i, &Policy::None).0.solve().map_or(0.0, |f| f.cost.abs()))
        .sum();
    let money = 2e-6 * (1.0 + stake);
    for mechanism in MECHANISMS {
        count.runs += 1;
        let run = result(mechanism);
        let internal = !matches!(mechanism, "grid-only" | "central-optimum" | "nash-bargaining");
        if run.status != RunStatus::Converged {
            // An internal price is no optimum: under a cap on each member its trades may leave no way to keep it.
            if !(internal && matches!(policy, Policy::Each { .. })) {
                count.wrong.push(format!("seed {seed}, {policy:?}, {mechanism}: {:?} {}", run.status, run.reason));
            }
            continue;
        }
        let said = |what: &str| format!("seed {seed}, {policy:?}, {mechanism}: {what}");
        let record = &run.record;
        let (found, seats, program) = match mechanism {
            "grid-only" => (&apart, &separate_seats, &separate),
            "central-optimum" | "nash-bargaining" => (&best, &joint_seats, &joint),
            _ => {
                if matches!(policy, Policy::None) {
                    compare_internal_price(seed, world, mechanism, record, count, money);
                }
                continue;
            }
        };
        // A scarce allowance is paid to others or to the authority; what all together bear is what the cap costs.
        let cost = match policy {
            Policy::Total { .. } => metric(record, "operating_cost"),
            _ => metric(record, "total_cost"),
        };
        count.compare(|| said("cost"), cost, found.cost, money);
        if is_unique(program, seats, found) {
            let kg = emissions_kg(world, seats, &found.x);
            count.compare(|| said("emissions_kg"), metric(record, "emissions_kg"), kg, 1e-4 * (1.0 + kg));
        } else {
            count.emissions_skipped += 1;
        }
        if let Policy::Total { cap } = policy {
            let kg: f64 = record.participants.iter().map(|row| of_participant(row, "emissions_kg")).sum();
            count.compare(|| said("kilograms beyond the cap"), (kg - cap).max(0.0), 0.0, 1e-5 * (1.0 + cap));
        }
        if policy.is_scarce() {
            continue;
        }
        let alone_costs: Vec<f64> =
            (0..world.members.len()).map(|i| alone(world, i, policy).0.solve().map_or(f64::NAN, |f| f.cost)).collect();
        let share = (alone_costs.iter().sum::<f64>() - best.cost) / world.members.len() as f64;
        for (i, row) in record.participants.iter().enumerate() {
            let disagreement = of_participant(row, "disagreement_cost");
            count.compare(|| said(&format!("disagreement of m{i}")), disagreement, alone_costs[i], money);
            let expected = match mechanism {
                "grid-only" => alone_costs[i],
                "nash-bargaining" => alone_costs[i] - share,
                _ => continue,
            };
            count.compare(|| said(&format!("cost of m{i}")), of_participant(row, "total_cost"), expected, money);
        }
    }
}

/// Positions as without trade, and the published prices on them.
fn compare_internal_price(
    seed: u64,
    world: &World,
    mechanism: &str,
    record: &RunRecord,
    count: &mut Count,
    money: f64,
) {
    let mut positions = vec![];
    let mut costs = vec![];
    for k in 0..world.members.len() {
        let (program, seat) = alone(world, k, &Policy::None);
        let Some(found) = program.solve() else { return };
        if !is_unique(&program, std::slice::from_ref(&seat), &found) {
            return;
        }
        costs.push(found.cost);
        positions.push(
            (0..world.periods)
                .map(|t| world.hours * (found.x[seat.export[t]] - found.x[seat.import[t]]))
                .collect::<Vec<f64>>(),
        );
    }
    for t in 0..world.periods {
        let (low, high) = (world.sell[t], world.buy[t]);
        let surplus: f64 = positions.iter().map(|x| x[t].max(0.0)).sum();
        let deficit: f64 = positions.iter().map(|x| (-x[t]).max(0.0)).sum();
        if surplus < 1e-6 || deficit < 1e-6 {
            continue;
        }
        let middle = f64::midpoint(low, high);
        let (sell, buy) = match mechanism {
            "mid-market-rate" if deficit >= surplus => {
                (middle, (surplus * middle + (deficit - surplus) * high) / deficit)
            }
            "mid-market-rate" => ((deficit * middle + (surplus - deficit) * low) / surplus, middle),
            "supply-demand-ratio" if surplus > deficit => (low, low),
            "supply-demand-ratio" => {
                let ratio = surplus / deficit;
                let sell = low * high / ((high - low) * ratio + low);
                (sell, sell * ratio + high * (1.0 - ratio))
            }
            _ => (low * (surplus - deficit).max(0.0) / surplus, high * (deficit - surplus).max(0.0) / deficit),
        };
        for (cost, position) in costs.iter_mut().zip(&positions) {
            let x = position[t];
            *cost += if x > 0.0 { (low - sell) * x } else { (buy - high) * -x };
        }
    }
    for (i, row) in record.participants.iter().enumerate() {
        let said = || format!("seed {seed}, {mechanism}: cost of m{i}");
        count.compare(said, of_participant(row, "total_cost"), costs[i], 10.0 * money);
    }
}

#[test]
fn the_program_and_a_second_model_find_the_same_on_random_scenarios() {
    let scenarios = std::env::var("COASE_RANDOM_SCENARIOS").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let mut count = Count::default();
    for seed in 0..scenarios {
        compare(1000 + seed, &mut count);
    }
    let Count { scenarios, impossible, runs, figures, emissions_skipped, wrong } = &count;
    println!(
        "{scenarios} scenarios ({impossible} draws were none), {runs} runs, {figures} figures compared, {} wrong; emissions not unique in {emissions_skipped}",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{} of {figures} figures differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(*figures > 100 * scenarios, "only {figures} figures were compared");
}
