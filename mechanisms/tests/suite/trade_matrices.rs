//! Which pairs sales are said to be made of moves no energy, no gain and no payment in all.

use coase_core::mechanism::Mechanism;
use coase_core::network::Topology;
use coase_core::outcome::Trade;
use coase_core::{Market, MechanismError, Outcome, Party, RunContext};
use coase_mechanisms::NashBargaining;
use coase_testkit::agents::three;
use coase_testkit::five_vpps::OnFeeder;
use coase_testkit::ron;

fn run(trades: &str, market: &Market) -> Result<Outcome, MechanismError> {
    let rule: NashBargaining = ron().from_str(&format!("(trades: {trades})")).unwrap();
    (&rule as &dyn Mechanism).outcome(market, &mut RunContext::new(1, ()))
}

fn traded(outcome: &Outcome) -> &[Trade] {
    outcome.trades.as_deref().expect("bargaining names pairs")
}

#[test]
fn energy_and_payments_do_not_depend_on_the_pairs() {
    let market = OnFeeder::IEEE_33.market();
    let even = run("ProRata", &market).unwrap();
    for rule in ["LeastNorm", "NetworkFriction"] {
        let other = run(rule, &market).unwrap();
        assert_eq!(other.net, even.net, "{rule}");
        for i in 0..market.len() {
            let of = |outcome: &Outcome| outcome.ledger.balance(Party::Member(i));
            assert!((of(&other) - of(&even)).abs() < 1e-5, "{rule}, {i}: {} against {}", of(&other), of(&even));
            for slot in 0..market.setting().slots.len() {
                let sum = |outcome: &Outcome| -> f64 {
                    let side = |t: &Trade| f64::from(u8::from(t.seller == i)) - f64::from(u8::from(t.buyer == i));
                    traded(outcome).iter().filter(|t| t.slot == slot).map(|t| side(t) * t.quantity).sum()
                };
                assert!((sum(&other) - sum(&even)).abs() < 1e-5, "{rule}, {i} in {slot}");
            }
        }
    }
}

/// Resistance times square of the trade, over all trades: least by the rule that is made for it.
#[test]
fn friction_takes_trades_to_neighbours() {
    let market = OnFeeder::IEEE_33.market();
    let network = market.setting().feeder.as_ref().unwrap().network.clone();
    let topology = Topology::new(&network);
    let distance = |t: &Trade| {
        let node = |i: usize| market.setting().members[i].node.unwrap();
        topology.distance_ohm(&network, node(t.seller), node(t.buyer)).unwrap()
    };
    let friction = |rule: &str| -> f64 {
        traded(&run(rule, &market).unwrap()).iter().map(|t| distance(t) * t.quantity * t.quantity).sum()
    };
    let (near, even, flat) = (friction("NetworkFriction"), friction("ProRata"), friction("LeastNorm"));
    assert!(near < even && near < flat, "{near} against {even} and {flat}");
}

#[test]
fn friction_is_refused_where_there_are_no_distances() {
    let refused = run("NetworkFriction", &three()).unwrap_err();
    assert!(refused.to_string().contains("radial network"), "{refused}");
}
