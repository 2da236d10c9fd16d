//! Which way to exchange, where a kWh fed in earns more than one drawn costs: answers against the enumeration of all signs,
//! and what is no choice at all.

use coase_core::Market;
use coase_core::participant::{Contribution, Participant};
use coase_core::program::{Cost, Expr, Program, SolveError, Var};
use coase_core::setting::{Member, Periods, Setting, Tariff};
use coase_core::terms::{Account, Charge, Ladder, Reward, Terms};
use proptest::prelude::*;
use std::slice;
use std::sync::Arc;

/// A load, part of which may be moved between periods, and a generator with a rising cost and emissions.
#[derive(Clone, Debug)]
struct Plant {
    load_kwh: Vec<f64>,
    movable: f64,
    generator_kwh: f64,
    cost_per_kwh: f64,
    emission_kg_per_kwh: f64,
}

impl Participant for Plant {
    fn contribute(&self, program: &mut Program, _: &Setting) -> Contribution {
        let mut contribution = Contribution::default();
        let mut moved_in_all = Expr::default();
        for load in &self.load_kwh {
            let generation = program.var(0.0, self.generator_kwh);
            let moved = program.var(-self.movable * load, self.movable * load);
            moved_in_all.add(1.0, moved);
            contribution.cost.add(self.cost_per_kwh, generation).add_square(1e-3, generation);
            contribution.output.push(Expr::constant(-load).plus(1.0, generation).plus(-1.0, moved));
            contribution.emission_kg.push(Expr::from(generation).times(self.emission_kg_per_kwh));
            contribution.emitting_kwh.push(generation.into());
        }
        program.equal(moved_in_all, 0.0, "moved load", None);
        contribution
    }
}

const EXCHANGE_MAX: f64 = 200.0;

fn setting(buy: &[f64], sell: &[f64], members: usize) -> Setting {
    let tariff = Tariff {
        buy_per_kwh: buy.to_vec(),
        sell_per_kwh: sell.to_vec(),
        intensity_kg_per_kwh: vec![0.5; buy.len()],
        upstream_carbon_per_tonne: 0.0,
    };
    let members = (0..members).map(|i| Member::new(format!("m{i}"), EXCHANGE_MAX, EXCHANGE_MAX)).collect();
    Setting::energy(Periods { count: buy.len(), hours: 1.0 }, Some(tariff), None, members)
}

fn market(setting: Setting, plants: &[Plant], terms: &[Terms]) -> Market {
    let all = plants.iter().map(|p| Arc::new(p.clone()) as Arc<dyn Participant>).collect();
    Market::new(setting, all).imposing(terms)
}

/// The least cost over all signs of all net withdrawals: `trade` given, or free at `price`, or summing to zero over members.
fn by_enumeration(setting: &Setting, plants: &[Plant], terms: &[Terms], trade: Option<&[f64]>, price: &[f64]) -> f64 {
    let periods = setting.periods.count;
    let tariff = setting.tariff.as_ref().expect("a tariff");
    let mut best = f64::INFINITY;
    for signs in 0..1_usize << (plants.len() * periods) {
        let mut program = Program::new();
        let mut sold = vec![Expr::default(); periods];
        for (i, (plant, terms)) in plants.iter().zip(terms).enumerate() {
            let contribution = plant.contribute(&mut program, setting);
            program.add_cost(&contribution.cost);
            let mut money = Cost::default();
            let mut kg = Expr::default();
            for t in 0..periods {
                let (import, export) = (program.var(0.0, EXCHANGE_MAX), program.var(0.0, EXCHANGE_MAX));
                let feeds = signs >> (i * periods + t) & 1 == 1;
                let (low, high) = program.range(&contribution.output[t]);
                let part = |program: &mut Program, most: f64| program.var(0.0, most.max(0.0));
                let (drawn, fed) = if feeds {
                    (program.var(0.0, 0.0), part(&mut program, high))
                } else {
                    (part(&mut program, -low), program.var(0.0, 0.0))
                };
                let output = &contribution.output[t];
                program.equal(output.clone().plus(1.0, drawn).plus(-1.0, fed), 0.0, "net", Some(t));
                let sale = output.clone().plus(1.0, import).plus(-1.0, export);
                if let Some(trade) = trade {
                    program.equal(sale, trade[t], "given", Some(t));
                } else {
                    money.add(-price.get(t).copied().unwrap_or(0.0), &sale);
                    sold[t].add(1.0, &sale);
                }
                money.add(tariff.buy_per_kwh[t], import).add(-tariff.sell_per_kwh[t], export);
                let at = coase_core::terms::at;
                money.add(at(&terms.withdrawal_adder, t), drawn).add(at(&terms.injection_adder, t), fed);
                if let Some(a) = &terms.account {
                    kg.add(at(&a.import_kg_per_kwh, t), import).add(at(&a.export_kg_per_kwh, t), export);
                    kg.add(at(&a.withdrawal_kg_per_kwh, t), drawn).add(at(&a.injection_kg_per_kwh, t), fed);
                    kg.add(1.0, &contribution.emission_kg[t]);
                }
            }
            program.add_cost(&money);
            if let Some(a) = &terms.account {
                ladder(&mut program, &kg.plus(-1.0, Expr::constant(a.quota_kg)), &a.charge);
            }
        }
        if trade.is_none() && price.is_empty() {
            for sum in sold {
                program.equal(sum, 0.0, "sales meet purchases", None);
            }
        }
        match program.compile().instance().solve() {
            Ok(answer) => best = best.min(answer.certificate.objective),
            Err(SolveError::Infeasible { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    best
}

/// The epigraph of a convex charge: not below any of its lines.
fn ladder(program: &mut Program, kg: &Expr, charge: &Charge) {
    let owed: Var = program.var(-1e4, 1e4);
    let mut start = 0.0;
    for (k, slope) in charge.slopes.iter().enumerate() {
        if k > 0 {
            start = charge.breakpoints[k - 1];
        } else if let Some(first) = charge.breakpoints.first() {
            start = *first;
        }
        let line = kg.clone().times(*slope).plus(1.0, Expr::constant(charge.value(start) - slope * start));
        program.at_most(line.plus(-1.0, owed), 0.0, "line", None);
    }
    let mut cost = Cost::default();
    cost.add(1.0, owed);
    program.add_cost(&cost);
}

fn plant(periods: usize) -> impl Strategy<Value = Plant> {
    (prop::collection::vec(5.0..60.0f64, periods), 0.0..0.5f64, 10.0..80.0f64, 0.1..0.9f64, 0.1..1.2f64).prop_map(
        |(load_kwh, movable, generator_kwh, cost_per_kwh, emission_kg_per_kwh)| Plant {
            load_kwh,
            movable,
            generator_kwh,
            cost_per_kwh,
            emission_kg_per_kwh,
        },
    )
}

/// Charges and credits along flows, in money or on a ladder: either may be the greater.
fn nodal_terms(periods: usize) -> impl Strategy<Value = Terms> {
    let rates = || prop::collection::vec(0.0..0.6f64, periods);
    (rates(), rates(), any::<bool>(), 0.2..1.0f64, 2.0..40.0f64, 0.0..60.0f64).prop_map(
        |(drawn, credit, on_ladder, base_price_per_kg, interval_kg, quota_kg)| {
            let fed: Vec<f64> = credit.iter().map(|c| -c).collect();
            if on_ladder {
                let charge =
                    Ladder { base_price_per_kg, interval_kg, growth: 0.25, tiers: 3, reward: Reward::Flat }.into();
                let account = Account {
                    import_kg_per_kwh: vec![],
                    export_kg_per_kwh: vec![],
                    withdrawal_kg_per_kwh: drawn,
                    injection_kg_per_kwh: fed,
                    sold_kg_per_kwh: vec![],
                    bought_kg_per_kwh: vec![],
                    renewable_quota_kg_per_kwh: 0.0,
                    turbine_quota_kg_per_kwh: 0.0,
                    quota_kg,
                    charge,
                };
                Terms { account: Some(account), ..Terms::default() }
            } else {
                Terms { withdrawal_adder: drawn, injection_adder: fed, ..Terms::default() }
            }
        },
    )
}

/// Buy and sell prices of a few periods; the spread may be nothing, and prices may be negative.
fn prices(periods: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let spread = prop_oneof![Just(0.0), 0.0..0.4f64];
    prop::collection::vec((-0.1..0.9f64, spread), periods)
        .prop_map(|all| all.into_iter().map(|(sell, spread)| (sell + spread, sell)).unzip())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Alone, with trades given and with peers at given prices.
    #[test]
    fn one_member_answers_with_the_best_of_all_signs(
        plant in plant(3), terms in nodal_terms(3), (buy, sell) in prices(3),
        trade in prop::collection::vec(-30.0..30.0f64, 3), peers in prop::collection::vec(0.0..1.0f64, 3),
    ) {
        let setting = setting(&buy, &sell, 1);
        let market = market(setting.clone(), slice::from_ref(&plant), slice::from_ref(&terms));
        let (plants, terms) = ([plant], [terms]);
        for given in [vec![0.0; 3], trade] {
            let found = market.local(0).deliver(&given).unwrap();
            let best = by_enumeration(&setting, &plants, &terms, Some(&given), &[]);
            prop_assert!((found.cost - best).abs() <= 1e-7 * (1.0 + best.abs()), "{} {best} {found:?}", found.cost);
            prop_assert!(found.gap <= 1e-7 * (1.0 + best.abs()), "{}", found.gap);
            prop_assert!((0..3).all(|t| found.import_kwh[t].min(found.export_kwh[t]) == 0.0));
        }
        // Within a band of prices nobody relays grid energy without end, and the limits of the exchange hold anyway.
        let found = market.local(0).respond(&peers).unwrap();
        let value = found.cost - found.trade.iter().zip(&peers).map(|(q, p)| q * p).sum::<f64>();
        let best = by_enumeration(&setting, &plants, &terms, None, &peers);
        prop_assert!((value - best).abs() <= 1e-7 * (1.0 + best.abs()), "{value} {best}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn members_together_answer_with_the_best_of_all_signs(
        plants in prop::collection::vec(plant(2), 2), terms in prop::collection::vec(nodal_terms(2), 2),
        (buy, sell) in prices(2),
    ) {
        let setting = setting(&buy, &sell, 2);
        let market = market(setting.clone(), &plants, &terms);
        let found = market.solve(&market.grand()).unwrap();
        let best = by_enumeration(&setting, &plants, &terms, None, &[]);
        prop_assert!((found.cost - best).abs() <= 1e-7 * (1.0 + best.abs()), "{} {best}", found.cost);
    }

    /// One price in both directions makes import and export a tie, not a choice; so do charges along flows that never credit
    /// more than they ask. Any number of members and periods is one program.
    #[test]
    fn equal_prices_are_no_choice(
        plants in prop::collection::vec(plant(6), 3), charge in prop::collection::vec(0.0..0.6f64, 6),
        price in prop::collection::vec(-0.1..0.9f64, 6), share in 0.0..=1.0f64, on_account in any::<bool>(),
    ) {
        let setting = setting(&price, &price, 3);
        let fed = charge.iter().map(|c| -share * c).collect();
        let account = |charge: Vec<f64>, fed| Account {
            // Gross: exports bring nothing back.
            import_kg_per_kwh: charge.clone(),
            export_kg_per_kwh: vec![],
            withdrawal_kg_per_kwh: charge,
            injection_kg_per_kwh: fed,
            sold_kg_per_kwh: vec![],
            bought_kg_per_kwh: vec![],
            renewable_quota_kg_per_kwh: 0.0,
            turbine_quota_kg_per_kwh: 0.0,
            quota_kg: 20.0,
            charge: Ladder { base_price_per_kg: 0.3, interval_kg: 30.0, growth: 0.25, tiers: 3, reward: Reward::Nothing }.into(),
        };
        let terms = if on_account {
            Terms { account: Some(account(charge, fed)), ..Terms::default() }
        } else {
            Terms { withdrawal_adder: charge, injection_adder: fed, ..Terms::default() }
        };
        let market = market(setting, &plants, &vec![terms; 3]);
        let together = market.solve(&market.grand()).unwrap();
        prop_assert_eq!(together.programs, 1);
        for i in 0..3 {
            let alone = market.local(i).autarky().unwrap();
            prop_assert_eq!(alone.programs, 1);
            prop_assert!((0..6).all(|t| alone.import_kwh[t].min(alone.export_kwh[t]) == 0.0), "{:?}", alone);
        }
    }
}

/// A tariff that takes more for a kWh than it gives hides a smaller fall of the carbon charge at the same exchange; a kWh
/// sold to a peer parts the two, and the answer is still that of all signs.
#[test]
fn kinks_at_one_exchange_are_added_up() {
    let setting = setting(&[0.5; 3], &[0.2; 3], 1);
    let plant = Plant {
        load_kwh: vec![20.0, 30.0, 25.0],
        movable: 0.3,
        generator_kwh: 60.0,
        cost_per_kwh: 0.3,
        emission_kg_per_kwh: 0.6,
    };
    let terms = Terms { withdrawal_adder: vec![0.05; 3], injection_adder: vec![-0.25; 3], ..Terms::default() };
    let market = market(setting.clone(), slice::from_ref(&plant), slice::from_ref(&terms));
    assert_eq!(market.local(0).autarky().unwrap().programs, 1);
    let sold = [15.0, -10.0, 0.0];
    let found = market.local(0).deliver(&sold).unwrap();
    let best = by_enumeration(&setting, &[plant], &[terms], Some(&sold), &[]);
    assert!((found.cost - best).abs() < 1e-7, "{} {best}", found.cost);
}

/// A limit of one program leaves the best point of the relaxation, put in order, with what it may be away from the best.
#[test]
fn a_search_that_ends_early_answers_and_says_by_how_much_it_may_be_wrong() {
    let mut setting = setting(&[0.5; 4], &[0.4; 4], 1);
    let plant = Plant {
        load_kwh: vec![40.0, 50.0, 45.0, 42.0],
        movable: 0.5,
        generator_kwh: 60.0,
        cost_per_kwh: 0.75,
        emission_kg_per_kwh: 0.9,
    };
    let terms = Terms { withdrawal_adder: vec![0.1; 4], injection_adder: vec![-0.6; 4], ..Terms::default() };
    let best = by_enumeration(&setting, slice::from_ref(&plant), slice::from_ref(&terms), Some(&[0.0; 4]), &[]);
    let settled = market(setting.clone(), slice::from_ref(&plant), slice::from_ref(&terms)).local(0).autarky().unwrap();
    assert!(settled.programs > 1 && settled.choices_gap == 0.0 && (settled.cost - best).abs() < 1e-7, "{settled:?}");
    setting.choice_programs = 1;
    let market = market(setting, &[plant], &[terms]);
    let found = market.metered();
    let early = found.local(0).autarky().unwrap();
    assert!(early.choices_gap > 0.0 && early.cost <= best + early.choices_gap + 1e-9, "{early:?} {best}");
    assert!(early.cost >= best - 1e-9);
    assert_eq!(found.questions().choices_gap, early.choices_gap);
}
