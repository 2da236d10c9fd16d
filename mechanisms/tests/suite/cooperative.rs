//! Rules that divide the gain of the three-participant instance, against closed forms: `v(12) = 9/4`, `v(13) = 60`,
//! `v(23) = 535/28`, `v(N) = 4935/76`.

use coase_core::coalition::{Coalition, CoalitionGame};
use coase_core::evaluate::{Search, Yardstick};
use coase_core::market::NetworkMode;
use coase_core::mechanism::Mechanism;
use coase_core::network::Network;
use coase_core::outcome::Verdict;
use coase_core::{Market, MechanismError, Outcome, Party, RunContext};
use coase_mechanisms::{
    KalaiSmorodinsky, NashBargaining, Nucleolus, PaymentMode, Shapley, UniformPrice, Utopia, Weights,
};
use coase_testkit::agents::{Agent, market, on_network, pair, three};
use coase_testkit::measured::{Measured, try_measure_by, yardstick};
use coase_testkit::{assert_all, policy};
use std::collections::BTreeMap;

const GAIN: f64 = 4935.0 / 76.0;

fn run(mechanism: &dyn Mechanism, market: &Market) -> Outcome {
    mechanism.run(market, &mut RunContext::new(1, ())).expect("an outcome")
}

/// Gain of each member: cost without trade, less the cost of keeping the commitment, plus what the ledger brings.
fn gains(market: &Market, outcome: &Outcome) -> Vec<f64> {
    let of = |i: usize| {
        let alone = market.local(i).autarky().expect("feasible").cost;
        let kept = market.local(i).deliver(&outcome.net[i]).expect("feasible").cost;
        alone - kept + outcome.ledger.balance(Party::Member(i))
    };
    (0..market.len()).map(of).collect()
}

fn measured(mechanism: &dyn Mechanism, market: &Market) -> Measured {
    let yardstick = Yardstick { core: Search::Made, ..yardstick(market, 0.0) };
    try_measure_by(&yardstick, market, mechanism, &*policy("None()")).expect("figures")
}

fn marginal() -> KalaiSmorodinsky {
    KalaiSmorodinsky { utopia: Utopia::Marginal }
}

fn exponential() -> NashBargaining {
    NashBargaining { weights: Weights::Exponential, ..NashBargaining::default() }
}

fn joint_bounded() -> NashBargaining {
    NashBargaining { payments: PaymentMode::JointBounded, ..NashBargaining::default() }
}

/// Rules by gains and by the greatest excess of {1, 3}, or of all groups where that is not given.
#[test]
fn every_rule_divides_the_gain_as_its_closed_form_says() {
    let market = three();
    let nucleolus = [6095.0 / 266.0, 375.0 / 152.0, 2215.0 / 56.0];
    let table: [(&dyn Mechanism, [f64; 3], f64); 7] = [
        (&NashBargaining::default(), [GAIN / 3.0; 3], 16.710_526_316),
        (&KalaiSmorodinsky::default(), [GAIN / 3.0; 3], 16.710_526_316),
        (&exponential(), [41.558_513_021, 8.087_174_959, 15.288_522_546], 3.152_964_433),
        (&Shapley::default(), [81877.0 / 3192.0, 4153.0 / 798.0, 108_781.0 / 3192.0], 0.270_050_125),
        (&marginal(), [26.230_610_784, 2.824_255_673, 35.879_344_070], -2.109_954_854),
        (&UniformPrice::default(), [32.451_523_546, 3.895_429_363, 28.587_257_618], -1.038_781_163),
        (&Nucleolus::default(), nucleolus, -375.0 / 152.0),
    ];
    for (mechanism, expected, excess) in table {
        let run = measured(mechanism, &market);
        let id = mechanism.plugin().id;
        assert_all(&run.of_participants("gain"), &expected, 1e-6);
        let found = run.certificate("core_excess");
        assert!((found.value.expect("searched") - excess).abs() < 1e-6, "{id}: {found:?}");
        assert!((run.metric("core_excess") - excess).abs() < 1e-6);
        if id != "nucleolus" {
            assert!(found.witness.starts_with("{vpp1, vpp3}"), "{id}: {found:?}");
        }
        // The core is not empty, whatever the rule.
        assert!((run.certificate("least_core_epsilon").value.expect("searched") + 375.0 / 152.0).abs() < 1e-6);
        assert_eq!(run.verdict("budget_balance"), Verdict::Upheld, "{id}");
        assert_eq!(run.verdict("individual_rationality"), Verdict::Upheld, "{id}");
        assert_eq!(run.verdict("efficiency"), Verdict::Upheld, "{id}");
        assert!(run.found.certificates.iter().all(|c| c.verdict != Verdict::Refuted), "{id}");
    }
}

/// Jain's index and the Gini coefficient of each division.
#[test]
fn how_evenly_each_rule_divides() {
    let market = three();
    let table: [(&dyn Mechanism, f64, f64); 5] = [
        (&NashBargaining::default(), 1.0, 0.0),
        (&Shapley::default(), 0.761_186_540, 0.296_453_901),
        (&UniformPrice::default(), 0.745_414_291, 0.293_179_758),
        (&exponential(), 0.693_637_498, 0.343_643_592),
        (&Nucleolus::default(), 0.670_682_759, 0.380_759_396),
    ];
    for (mechanism, jain, gini) in table {
        let run = measured(mechanism, &market);
        assert_all(&[run.metric("jain_index"), run.metric("gini")], &[jain, gini], 1e-7);
    }
}

#[test]
fn a_claim_to_the_core_is_kept_or_says_why_it_is_not_made() {
    let market = three();
    for claims in [&UniformPrice::default() as &dyn Mechanism, &Nucleolus::default()] {
        assert_eq!(measured(claims, &market).verdict("core_excess"), Verdict::Upheld);
    }
    // vpp2 brings 2.25 to vpp1 and less to vpp1 with vpp3.
    let shapley = measured(&Shapley::default(), &market);
    let found = shapley.certificate("core_excess");
    assert_eq!(found.verdict, Verdict::NotApplicable);
    assert!(found.witness.starts_with("{vpp1, vpp3}; ") && found.witness.contains("less to"), "{found:?}");
    assert_eq!(measured(&NashBargaining::default(), &market).verdict("core_excess"), Verdict::Measured);
}

/// What each gets in the core: between 0 and its marginal gain, as the other two allow.
#[test]
fn the_core_leaves_each_member_an_interval() {
    let market = three();
    let run = measured(&UniformPrice::default(), &market);
    let of = |name: &str| -> Vec<(String, f64)> {
        let found = run.found.certificates.iter().filter(|c| c.name == name);
        found.map(|c| (c.witness.clone(), c.value.expect("searched"))).collect()
    };
    let (least, most) = (of("core_least_gain"), of("core_most_gain"));
    // M = v(N) - v(N without i), and x_i >= v(ij) - M_j.
    let m = [GAIN - 535.0 / 28.0, GAIN - 60.0, GAIN - 2.25];
    let floors = [(2.25 - m[1]).max(60.0 - m[2]).max(0.0), 0.0, (60.0 - m[0]).max(0.0)];
    for (i, id) in ["vpp1", "vpp2", "vpp3"].into_iter().enumerate() {
        assert_eq!((least[i].0.as_str(), most[i].0.as_str()), (id, id));
        assert_all(&[least[i].1, most[i].1], &[floors[i], m[i]], 1e-6);
    }
}

#[test]
fn one_price_for_all_pays_every_trade() {
    let market = three();
    let outcome = run(&UniformPrice::default(), &market);
    for trade in outcome.bilateral() {
        assert!((trade.price.expect("a price") - 71.0 / 95.0).abs() < 1e-8);
    }
    assert!(outcome.evidence.iter().all(|c| c.name != "price_outside_band"));
}

/// The price between 2 and 3 that splits the gain equally is 1.197, and the grid sells at 1.
#[test]
fn a_price_outside_the_band_says_between_whom_when_and_why() {
    let outcome = run(&NashBargaining::default(), &three());
    let found = outcome.evidence.iter().find(|c| c.name == "price_outside_band").expect("outside");
    assert!((found.value.expect("measured") - 0.197_017_543_860).abs() < 1e-6, "{found:?}");
    for word in ["vpp2 sells 39.47", "to vpp3 in period 0 at 1.197", "above the 1 at which vpp3", "17.7493 more"] {
        assert!(found.witness.contains(word), "{word}: {}", found.witness);
    }
}

#[test]
fn weights_may_count_emissions_and_flexibility_or_be_given() {
    let market = three();
    let of = |weights: Weights| gains(&market, &run(&NashBargaining { weights, ..NashBargaining::default() }, &market));
    // Only vpp3 imports without trade, 50 kWh; nobody has a store.
    let powers = [0.5 * 1.718_281_828_459, 0.5 * 0.334_373_026_496, 0.5 * 0.632_120_558_829 + 0.3 * 1.0_f64.exp_m1()];
    let sum: f64 = powers.iter().sum();
    let multi = of(Weights::MultiAttribute { energy: 0.5, carbon: 0.3, flexibility: 0.2 });
    assert_all(&multi, &powers.map(|p| p / sum * GAIN), 1e-6);
    let given =
        |weights: &[(&str, f64)]| Weights::Given(weights.iter().map(|(id, w)| ((*id).to_owned(), *w)).collect());
    assert_all(&of(given(&[("vpp1", 2.0)])), &[GAIN / 2.0, GAIN / 4.0, GAIN / 4.0], 1e-6);
    let refused = |weights: Weights| {
        let bargaining = NashBargaining { weights, ..NashBargaining::default() };
        bargaining.run(&market, &mut RunContext::new(1, ())).expect_err("refused").to_string()
    };
    assert!(refused(given(&[("vpp9", 2.0)])).contains("vpp9"));
    assert!(refused(given(&[("vpp1", -2.0)])).contains("not negative"));
    assert!(refused(Weights::Given(BTreeMap::from([("vpp1".to_owned(), f64::NAN)]))).contains("NaN"));
}

/// Trades and prices at once: a seller that may be paid no more than 1 for a kWh sells more of them.
#[test]
fn trades_and_bounded_prices_found_together_reach_a_higher_product() {
    let market = three();
    let joint = joint_bounded();
    let outcome = run(&joint, &market);
    let trades = outcome.bilateral();
    assert_all(&trades.iter().map(|t| t.quantity).collect::<Vec<_>>(), &[132.576_458_01, 52.270_625_96], 1e-6);
    assert_all(&trades.iter().filter_map(|t| t.price).collect::<Vec<_>>(), &[0.682_855_201_9, 1.0], 1e-8);
    let gains = gains(&market, &outcome);
    assert_all(&gains, &[23.862_197_96, 16.691_235_84, 23.862_197_96], 1e-6);
    assert_all(&[gains.iter().sum(), gains.iter().product::<f64>()], &[64.415_631_75, 9_504.064_652], 1e-4);
    let gap = outcome.evidence.iter().find(|c| c.name == "joint_bargain_gap").expect("certified");
    assert_eq!(gap.verdict, Verdict::Upheld, "{gap:?}");
    assert_eq!(outcome.status, coase_core::Status::Converged);
    let benefit = outcome.evidence.iter().find(|c| c.name == "joint_bargain_benefit").and_then(|c| c.value);
    assert_all(&[benefit.expect("measured")], &[(9_504.064_652_f64 / 9_041.015_6).ln() / 3.0], 1e-6);
    // By weights that make nobody leave the band it is the unbounded bargain.
    let exponential = NashBargaining { weights: Weights::Exponential, ..joint };
    let outcome = run(&exponential, &market);
    let prices: Vec<f64> = outcome.bilateral().iter().filter_map(|t| t.price).collect();
    assert_all(&prices, &[0.813_919_498, 0.853_559_310], 1e-6);
    let resale = outcome.evidence.iter().find(|c| c.name == "resale").expect("told");
    assert_eq!(resale.value, Some(0.0));
    assert!(resale.witness.contains("41.5585 for vpp1"), "{resale:?}");
    // Nothing bounds what is taken from whom no power counts for.
    let refused =
        NashBargaining { weights: Weights::Given(BTreeMap::from([("vpp2".to_owned(), 0.0)])), ..joint_bounded() };
    assert!(refused.run(&market, &mut RunContext::new(1, ())).is_err());
}

/// Six agents, so that drawn orders are few among all.
const SIX: [Agent; 6] = [
    Agent::of(0.004, 0.20),
    Agent::of(0.005, 0.55),
    Agent::of(0.002, 1.10),
    Agent::of(0.003, 0.30),
    Agent::of(0.004, 0.95),
    Agent::of(0.006, 0.70),
];

#[test]
fn drawn_orders_estimate_the_value_and_say_how_well() {
    let market = market(&SIX);
    let exact = gains(&market, &run(&Shapley::default(), &market));
    let drawn = Shapley { samples: Some(60) };
    let outcome = run(&drawn, &market);
    let estimate = gains(&market, &outcome);
    let errors: Vec<f64> = outcome
        .evidence
        .iter()
        .filter(|c| c.name == "shapley_standard_error")
        .map(|c| c.value.expect("measured"))
        .collect();
    assert_eq!(errors.len(), 6);
    for ((found, exact), error) in estimate.iter().zip(&exact).zip(&errors) {
        assert!(*error > 0.0 && (found - exact).abs() < 4.0 * error + 1e-6, "{estimate:?} {exact} +- {error}");
    }
    assert!((estimate.iter().sum::<f64>() - exact.iter().sum::<f64>()).abs() < 1e-6);
    // The same seed draws the same orders, another one others.
    assert_eq!(estimate, gains(&market, &run(&drawn, &market)));
    let other = drawn.run(&market, &mut RunContext::new(2, ())).expect("an outcome");
    assert_ne!(estimate, gains(&market, &other));
    let few = Shapley { samples: Some(2) }.run(&market, &mut RunContext::new(1, ()));
    assert!(matches!(few, Err(MechanismError::Parameter { name: "samples", .. })), "{few:?}");
}

/// Of 13 members not all groups are asked.
#[test]
fn beyond_twelve_members_orders_are_drawn() {
    let many: Vec<Agent> = (0..13).map(|k| SIX[k % 6]).collect();
    let market = market(&many);
    let outcome = run(&Shapley::default(), &market);
    let found = outcome.evidence.iter().filter(|c| c.name == "shapley_standard_error").collect::<Vec<_>>();
    assert_eq!(found.len(), 13);
    assert!(found[0].witness.starts_with("vpp1: 200 orders"), "{:?}", found[0]);
    // Twins have the same value, and estimates of it.
    let gains = gains(&market, &outcome);
    let error = found[0].value.expect("measured").max(found[6].value.expect("measured"));
    assert!((gains[0] - gains[6]).abs() < 6.0 * error, "{gains:?} +- {error}");
    assert!(matches!(
        Nucleolus::default().run(&market, &mut RunContext::new(1, ())),
        Err(MechanismError::Failed(why)) if why.contains("13 members")
    ));
}

#[test]
fn names_and_order_of_members_do_not_matter() {
    let order = [2, 0, 5, 1, 4, 3];
    let (first, second) = (market(&SIX), market(&order.map(|i| SIX[i])));
    let rules: [&dyn Mechanism; 5] =
        [&Shapley::default(), &Nucleolus::default(), &marginal(), &UniformPrice::default(), &exponential()];
    for rule in rules {
        let (here, there) = (gains(&first, &run(rule, &first)), gains(&second, &run(rule, &second)));
        assert_all(&there, &order.map(|i| here[i]), 1e-5);
    }
}

#[test]
fn nobody_divides_nothing() {
    let market = pair();
    let rules: [&dyn Mechanism; 5] =
        [&Shapley::default(), &Nucleolus::default(), &marginal(), &UniformPrice::default(), &NashBargaining::default()];
    for rule in rules {
        let outcome = run(rule, &market);
        assert!(outcome.ledger.entries().is_empty() && outcome.net.iter().flatten().all(|x| *x == 0.0), "{rule:?}");
    }
}

/// Two sellers at the grid's end of a line of 80 kVA, two buyers beyond it: each pair by itself has the whole line.
#[test]
fn two_pairs_across_a_line_have_no_core() {
    const LINE: &str = r#"Network(
        name: "line of 80", base_mva: 1,
        buses: [(id: 1, kind: Slack, v_min_pu: 0.9, v_max_pu: 1.1), (id: 2, p_kw: 0.001, v_min_pu: 0.9, v_max_pu: 1.1)],
        branches: [(from: 1, to: 2, r_pu: 1e-7, x_pu: 1e-7, rate_kva: 80)],
    )"#;
    let network = Network::from_ron(LINE).expect("a network");
    let (seller, buyer) = (Agent::of(0.004, 0.2).at(1), Agent::of(0.004, 1.0).at(2));
    let market = on_network(network, 1.0, &[seller, buyer, seller, buyer]);
    let inside = NetworkMode::Inside { loss_price_per_kwh: vec![1.0] };
    let game: CoalitionGame = market.coalitions(&inside).expect("values");
    let worth = |players: &[usize]| game.value(Coalition::of(players.iter().copied()));
    assert_all(&[worth(&[0, 1]), worth(&[2, 3]), worth(&[0, 1, 2, 3])], &[33.4, 33.4, 41.6], 1e-3);
    assert_all(&[worth(&[0, 1, 2]), worth(&[0, 1, 3]), worth(&[0, 2])], &[35.2, 39.8, 0.0], 1e-3);
    assert!((game.least_core().expect("solved").epsilon - 12.6).abs() < 1e-3);
    assert!(game.not_superadditive().is_some());
    // Without the line there is a core.
    let unlimited = market.coalitions(&NetworkMode::Ignored).expect("values");
    assert!(unlimited.is_none(unlimited.least_core().expect("solved").epsilon));
    assert!(unlimited.not_superadditive().is_none());
}
