//! A total cap over random small markets: the engine's price and schedules against one program with the cap as a row, written
//! plainly here and solved by another solver.

use coase_core::carbon::CarbonPolicy;
use coase_core::engine::{self, Cleared, Reporting};
use coase_core::mechanism::Mechanism;
use coase_core::open::Open;
use coase_core::outcome::{Status, Verdict};
use coase_core::participant::{Device, Load, MicroTurbine, Portfolio, Quadratic, Renewable, Storage};
use coase_core::program::{Cost, Expr, Program, Var};
use coase_core::setting::{Member, Periods, Setting, Tariff};
use coase_core::{Market, MechanismError, Participant};
use coase_mechanisms as _;
use proptest::prelude::*;
use std::sync::Arc;

/// Export of a quadratic agent, kWh in a period.
const AGENT_KWH: f64 = 40.0;
/// Rating of a storage, kW and kWh; start and end half full, without losses of its own.
const STORE: f64 = 20.0;
const EFFICIENCY: f64 = 0.9;
const WEAR: f64 = 0.01;
const PV_KW: f64 = 80.0;
const CONNECTION_KW: f64 = 500.0;

#[derive(Clone, Debug)]
struct Plant {
    load: Vec<f64>,
    /// Shares of its rating.
    pv: Option<Vec<f64>>,
    /// Cost, curvature, emission, rating.
    turbine: Option<(f64, f64, f64, f64)>,
    /// `a`, `b` of `a/2 x^2 + b x`.
    agent: Option<(f64, f64)>,
    storage: bool,
}

#[derive(Clone, Debug)]
struct Village {
    buy: Vec<f64>,
    sell: f64,
    intensity: Vec<f64>,
    plants: Vec<Plant>,
}

impl Village {
    fn periods(&self) -> usize {
        self.buy.len()
    }

    fn market(&self) -> Market {
        let periods = Periods { count: self.periods(), hours: 1.0 };
        let tariff = Tariff {
            buy_per_kwh: self.buy.clone(),
            sell_per_kwh: vec![self.sell; self.periods()],
            intensity_kg_per_kwh: self.intensity.clone(),
            upstream_carbon_per_tonne: 0.0,
        };
        let portfolio = |(i, plant): (usize, &Plant)| {
            let mut devices = vec![Device::Load(Load { p_kw: plant.load.clone() })];
            devices.extend(
                plant
                    .pv
                    .clone()
                    .map(|available| Device::Pv(Renewable { p_max_kw: PV_KW, profile: available, cost_per_kwh: 0.0 })),
            );
            devices.extend(plant.turbine.map(|(cost, curvature, emission, rating)| {
                Device::MicroTurbine(MicroTurbine {
                    p_min_kw: 0.0,
                    p_max_kw: rating,
                    cost_per_kwh: cost,
                    cost_per_kwh2: curvature,
                    cost_per_h: 0.0,
                    ramp_kw_per_h: None,
                    emission_kg_per_kwh: emission,
                    reserve_cost_per_kw: None,
                })
            }));
            devices.extend(plant.agent.map(|(a, b)| {
                Device::Quadratic(Quadratic {
                    a_per_kwh2: a,
                    b_per_kwh: vec![b; self.periods()],
                    net_export_min_kwh: -AGENT_KWH,
                    net_export_max_kwh: AGENT_KWH,
                    reserve_cost_per_kw: None,
                })
            }));
            devices.extend(plant.storage.then(|| {
                Device::Storage(Storage {
                    capacity_kwh: STORE,
                    p_charge_max_kw: STORE,
                    p_discharge_max_kw: STORE,
                    efficiency_charge: EFFICIENCY,
                    efficiency_discharge: EFFICIENCY,
                    retention_per_h: 1.0,
                    soc_min: 0.0,
                    soc_max: 1.0,
                    soc_start: 0.5,
                    soc_end: None,
                    cost_per_kwh: WEAR,
                    reserve_cost_per_kw: None,
                })
            }));
            Arc::new(Portfolio::new(format!("p{i}"), devices, periods).expect("valid")) as Arc<dyn Participant>
        };
        let members = (0..self.plants.len()).map(|i| Member::new(format!("p{i}"), CONNECTION_KW, CONNECTION_KW));
        let setting = Setting::energy(periods, Some(tariff), None, members.collect());
        Market::new(setting, self.plants.iter().enumerate().map(portfolio).collect())
    }
}

/// What the plain program looks for.
#[derive(Clone, Copy)]
enum Goal {
    LeastCost { price_per_kg: f64, cap_kg: f64 },
    LeastEmissions,
}

/// Who trades with whom in the plain program.
enum Trade<'t> {
    Free,
    Fixed(&'t [Vec<f64>]),
}

/// The equations of the village in one program: least cost, its kilograms, and the cost without the price.
fn plainly(village: &Village, trade: &Trade<'_>, goal: Goal) -> Option<(f64, f64)> {
    let mut program = Program::new();
    let (mut money, mut kg) = (Cost::default(), Expr::default());
    let mut sales: Vec<Vec<Var>> = vec![];
    for plant in &village.plants {
        let mut level = Expr::constant(0.5 * STORE);
        let mut sold = vec![];
        for t in 0..village.periods() {
            let (import, export) = (program.var(0.0, CONNECTION_KW), program.var(0.0, CONNECTION_KW));
            money.add(village.buy[t], import).add(-village.sell, export);
            kg.add(village.intensity[t], import);
            let mut output = Expr::constant(-plant.load[t]).plus(1.0, import).plus(-1.0, export);
            if let Some(pv) = &plant.pv {
                output.add(1.0, program.var(0.0, PV_KW * pv[t]));
            }
            if let Some((cost, curvature, emission, rating)) = plant.turbine {
                let g = program.var(0.0, rating);
                output.add(1.0, g);
                money.add(cost, g).add_square(curvature, g);
                kg.add(emission, g);
            }
            if let Some((a, b)) = plant.agent {
                let x = program.var(-AGENT_KWH, AGENT_KWH);
                output.add(1.0, x);
                money.add(b, x).add_square(0.5 * a, x);
            }
            if plant.storage {
                let (charge, discharge) = (program.var(0.0, STORE), program.var(0.0, STORE));
                let last = t + 1 == village.periods();
                let next = if last { program.var(0.5 * STORE, 0.5 * STORE) } else { program.var(0.0, STORE) };
                let stored = level.plus(EFFICIENCY, charge).plus(-1.0 / EFFICIENCY, discharge).plus(-1.0, next);
                program.equal(stored, 0.0, "store", Some(t));
                output.add(1.0, discharge).add(-1.0, charge);
                money.add(WEAR, charge).add(WEAR, discharge);
                level = next.into();
            }
            let sale = program.var(-2.0 * CONNECTION_KW, 2.0 * CONNECTION_KW);
            program.equal(output.plus(-1.0, sale), 0.0, "balance", Some(t));
            sold.push(sale);
        }
        sales.push(sold);
    }
    for t in 0..village.periods() {
        match trade {
            Trade::Free => {
                let sum = sales.iter().fold(Expr::default(), |sum, sold| sum.plus(1.0, sold[t]));
                program.equal(sum, 0.0, "market", Some(t));
            }
            Trade::Fixed(net) => {
                for (sold, net) in sales.iter().zip(*net) {
                    program.equal(sold[t], net[t], "trade", Some(t));
                }
            }
        }
    }
    match goal {
        Goal::LeastCost { price_per_kg, cap_kg } => {
            let mut all = money.clone();
            all.add(price_per_kg, &kg);
            program.add_cost(&all);
            program.at_most(kg.clone(), cap_kg, "cap", None);
        }
        Goal::LeastEmissions => {
            let mut all = Cost::default();
            all.add(1.0, &kg);
            program.add_cost(&all);
        }
    }
    let solution = program.compile().instance().second_opinion().ok()?;
    let certificate = solution.certificate;
    (certificate.feasibility < 1e-5).then(|| (money.value(&solution.x), solution.value(&kg)))
}

fn clear(village: &Village, mechanism: &str, policy: &str) -> Result<(Cleared, Box<dyn CarbonPolicy>), MechanismError> {
    let policy: Box<dyn CarbonPolicy> = serde_json::from_str(policy).expect("a policy");
    let mechanism = (<dyn Mechanism>::set().get(mechanism).expect("registered").default)();
    let market = engine::enter(&village.market(), &*policy);
    let cleared = engine::clear(&*mechanism, &market, &*policy, &Reporting::Truthful, 1, &())?;
    Ok((cleared, policy))
}

fn capped(village: &Village, mechanism: &str, cap_kg: f64) -> Result<Cleared, MechanismError> {
    let policy = format!(r#"{{"HardCap": {{"scope": "Total", "cap_kg": {cap_kg:?}}}}}"#);
    let (cleared, policy) = clear(village, mechanism, &policy)?;
    let evidence = policy.evidence(cleared.truth.setting(), &cleared.physical, &cleared.signal);
    assert!(evidence.iter().all(|c| c.name == "emission_cap" && c.verdict == Verdict::Upheld), "{evidence:?}");
    assert!(cleared.outcome.evidence.iter().all(|c| c.verdict != Verdict::Refuted), "{:?}", cleared.outcome.evidence);
    Ok(cleared)
}

/// Cost without what is paid for carbon, and kilograms.
fn cost_and_kg(village: &Village, cleared: &Cleared) -> (f64, f64) {
    let plans = &cleared.physical.plans;
    let cost = plans.iter().map(|p| p.cost - p.carbon_charge).sum();
    let kg = |p: &Arc<coase_core::Plan>| {
        (0..village.periods()).map(|t| village.intensity[t] * p.import_kwh[t] + p.emission_kg[t]).sum::<f64>()
    };
    (cost, plans.iter().map(kg).sum())
}

fn plant(periods: usize) -> impl Strategy<Value = Plant> {
    let turbine = (0.4..1.4f64, prop_oneof![Just(0.0), 1e-4..4e-3f64], 0.02..0.9f64, 20.0..120.0f64);
    (
        prop::collection::vec(0.0..100.0f64, periods),
        prop::option::of(prop::collection::vec(0.0..1.0f64, periods)),
        prop::option::weighted(0.7, turbine),
        prop::option::of((2e-3..2e-2f64, 0.2..1.2f64)),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(load, pv, turbine, agent, storage)| Plant { load, pv, turbine, agent, storage })
}

fn village() -> impl Strategy<Value = Village> {
    (1usize..4).prop_flat_map(|periods| {
        (
            prop::collection::vec(0.6..1.2f64, periods),
            0.05..0.5f64,
            prop::collection::vec(0.2..0.9f64, periods),
            prop::collection::vec(plant(periods), 1..5),
        )
            .prop_map(|(buy, sell, intensity, plants)| Village { buy, sell, intensity, plants })
    })
}

/// What the grid-only mechanism is free to trade: nothing.
fn nothing(village: &Village) -> Vec<Vec<f64>> {
    vec![vec![0.0; village.periods()]; village.plants.len()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Under a cap between what is emitted free of charge and what must be, mechanisms that minimise cost reach the least cost
    /// under the cap, with its kilograms.
    #[test]
    fn cost_minimisers_reach_the_least_cost_under_the_cap(village in village(), share in 0.05..0.95f64) {
        let none = nothing(&village);
        let free = Goal::LeastCost { price_per_kg: 0.0, cap_kg: 1e6 };
        for (mechanism, trade) in [
            ("grid-only", Trade::Fixed(&none)), ("central-optimum", Trade::Free), ("nash-bargaining", Trade::Free)
        ] {
            let (_, most) = plainly(&village, &trade, free).expect("solved");
            let (_, least) = plainly(&village, &trade, Goal::LeastEmissions).expect("solved");
            if most - least < 1e-2 {
                continue;
            }
            let cap_kg = least + share * (most - least);
            let goal = Goal::LeastCost { price_per_kg: 0.0, cap_kg };
            let (cost, _) = plainly(&village, &trade, goal).expect("solved");
            let cleared = capped(&village, mechanism, cap_kg).expect("an outcome");
            prop_assert_eq!(&cleared.outcome.status, &Status::Converged, "{:?}", cleared.reason);
            let (found, kg) = cost_and_kg(&village, &cleared);
            let money: f64 = cleared.physical.plans.iter().map(|p| p.cost.abs()).sum();
            prop_assert!((found - cost).abs() <= 1e-6 * (1.0 + money), "{mechanism}: {found}, least under the cap {cost}");
            prop_assert!((kg - cap_kg).abs() <= 1e-6 * (1.0 + most), "{mechanism}: {kg} kg, cap {cap_kg}");
            // Below what must be emitted nothing holds it, and the least is named.
            if least > 1.0 {
                match capped(&village, mechanism, 0.9 * least) {
                    Err(MechanismError::CapBelowReach { attainable_kg, who, .. }) => {
                        prop_assert!((attainable_kg - least).abs() <= 1e-5 * (1.0 + most), "{attainable_kg} {least}");
                        prop_assert!((who.iter().map(|w| w.1).sum::<f64>() - attainable_kg).abs() < 1e-9);
                    }
                    other => prop_assert!(false, "{:?}", other.map(|c| c.signal)),
                }
            }
        }
    }

    /// Under a rule that is no optimisation the cap holds too, and with the trades that it makes everybody's schedule is
    /// optimal at the price.
    #[test]
    fn a_rule_without_an_objective_keeps_the_cap_with_optimal_schedules(village in village(), share in 0.05..0.95f64) {
        let at = |price: f64| {
            let policy = format!(r#"{{"Tax": {{"price_per_tonne": {price:?}}}}}"#);
            cost_and_kg(&village, &clear(&village, "mid-market-rate", &policy).expect("an outcome").0).1
        };
        let (most, least) = (at(0.0), at(1e5));
        prop_assume!(most - least > 1e-2);
        let cap_kg = least + share * (most - least);
        let cleared = capped(&village, "mid-market-rate", cap_kg).expect("an outcome");
        prop_assert_eq!(&cleared.outcome.status, &Status::Converged, "{:?}", cleared.reason);
        let (found, kg) = cost_and_kg(&village, &cleared);
        prop_assert!((kg - cap_kg).abs() <= 1e-6 * (1.0 + most), "{kg} kg, cap {cap_kg}");
        let price_per_kg = cleared.signal[0];
        let goal = Goal::LeastCost { price_per_kg, cap_kg: 1e6 };
        let (cost, its_kg) = plainly(&village, &Trade::Fixed(&cleared.outcome.net), goal).expect("solved");
        let (here, best) = (found + price_per_kg * kg, cost + price_per_kg * its_kg);
        let money: f64 = cleared.physical.plans.iter().map(|p| p.cost.abs()).sum();
        prop_assert!((here - best).abs() <= 2e-6 * (1.0 + money), "{here}, least at these trades {best}");
    }
}
