//! A total cap over random small markets: the engine's price and schedules against one program with the cap as a row, written
//! plainly here and solved by another solver.

use crate::village::{AGENT_KWH, CONNECTION_KW, EFFICIENCY, PV_KW, STORE, Village, WEAR, village};
use coase_core::MechanismError;
use coase_core::engine::Cleared;
use coase_core::outcome::{Status, Verdict};
use coase_core::policy::CarbonPolicy;
use coase_core::program::{Cost, Expr, Program, Var};
use coase_mechanisms as _;
use coase_testkit::measured::{mechanism, try_clear};
use coase_testkit::policy;
use proptest::prelude::*;
use std::sync::Arc;

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

fn clear(village: &Village, id: &str, text: &str) -> Result<(Cleared, Box<dyn CarbonPolicy>), MechanismError> {
    let policy = policy(text);
    let cleared = try_clear(&village.market(), &*mechanism(id), &*policy)?;
    Ok((cleared, policy))
}

fn capped(village: &Village, mechanism: &str, cap_kg: f64) -> Result<Cleared, MechanismError> {
    let policy = format!("HardCap(scope: Total, cap_kg: {cap_kg:?})");
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
            let policy = format!("Tax(price_per_tonne: {price:?})");
            cost_and_kg(&village, &clear(&village, "mid-market-rate", &policy).expect("an outcome").0).1
        };
        let (most, least) = (at(0.0), at(1e5));
        prop_assume!(most - least > 1e-2);
        let cap_kg = least + share * (most - least);
        let cleared = capped(&village, "mid-market-rate", cap_kg).expect("an outcome");
        prop_assert_eq!(&cleared.outcome.status, &Status::Converged, "{:?}", cleared.reason);
        let (found, kg) = cost_and_kg(&village, &cleared);
        prop_assert!((kg - cap_kg).abs() <= 1e-6 * (1.0 + most), "{kg} kg, cap {cap_kg}");
        let price_per_kg = cleared.signal.scalar().expect("a price");
        let goal = Goal::LeastCost { price_per_kg, cap_kg: 1e6 };
        let (cost, its_kg) = plainly(&village, &Trade::Fixed(&cleared.outcome.net), goal).expect("solved");
        let (here, best) = (found + price_per_kg * kg, cost + price_per_kg * its_kg);
        let money: f64 = cleared.physical.plans.iter().map(|p| p.cost.abs()).sum();
        prop_assert!((here - best).abs() <= 2e-6 * (1.0 + money), "{here}, least at these trades {best}");
    }
}
