//! Sessions answer as their participants do, a market of some members is the question about them, and a book keeps on both
//! sides who is idle by itself.

use coase_core::engine::{Roles, Said};
use coase_core::participant::{Step, Steps};
use coase_core::setting::{Member, Periods, Product, Setting, Slot, Tariff};
use coase_core::terms::Terms;
use coase_core::{Market, Participant, Report};
use std::sync::Arc;

fn steps(id: &str, steps: &[(f64, f64)]) -> Arc<dyn Participant> {
    let slot = steps.iter().map(|&(price_per_kwh, quantity_kwh)| Step { price_per_kwh, quantity_kwh }).collect();
    Arc::new(Steps::new(id, vec![slot]).expect("a bid list"))
}

/// A seller, a buyer, a trader who buys cheap and sells dear, and another buyer.
fn market(tariff: Option<Tariff>) -> Market {
    let ids = ["seller", "buyer", "trader", "other"];
    let members = ids.iter().map(|id| Member::new(*id, 20.0, 20.0)).collect();
    let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, tariff, None, members);
    let all = vec![
        steps("seller", &[(0.30, 6.0), (0.35, 4.0)]),
        steps("buyer", &[(0.50, -6.0)]),
        steps("trader", &[(0.20, -5.0), (0.40, 5.0)]),
        steps("other", &[(0.45, -8.0)]),
    ];
    Market::new(setting, all)
}

fn tariff() -> Tariff {
    Tariff {
        buy_per_kwh: vec![0.9],
        sell_per_kwh: vec![0.1],
        intensity_kg_per_kwh: vec![0.5],
        upstream_carbon_per_tonne: 0.0,
    }
}

#[test]
fn a_session_answers_as_its_participant_whatever_was_asked_before() {
    let market = market(Some(tariff()));
    let mut sessions = market.sessions();
    for (centre, rho) in [(3.0, 0.01), (-4.0, 0.5), (0.0, 2.0)] {
        let found = market.each_with(&mut sessions, |s| s.prox(&[centre], &[rho]).map(<[f64]>::to_vec)).unwrap();
        for (i, trade) in found.iter().enumerate() {
            let alone = market.local(i).prox(&[centre], &[rho]).unwrap();
            assert!((trade[0] - alone.trade[0]).abs() < 1e-6, "{trade:?} {:?}", alone.trade);
            let plan = sessions[i].plan().unwrap();
            assert_eq!(plan.trade, *trade);
            // A plan counts the charge on carbon and the tariff by itself.
            assert!((sessions[i].cost() - plan.cost).abs() < 1e-9 && (plan.cost - alone.cost).abs() < 1e-6);
        }
    }
    // In closed form: the second step of 0.35 + rho (x - c) = 0 is met at c - 0.35 / rho, below its first kWh.
    let seller = market.sessions().remove(0).prox(&[7.0], &[0.5]).unwrap()[0];
    assert!((seller - 6.3).abs() < 1e-6, "{seller}");
}

#[test]
fn a_market_of_some_members_is_the_question_about_them() {
    for market in [market(None), market(Some(tariff()))] {
        for group in [vec![0, 1], vec![0, 3], vec![0, 1, 3], vec![2]] {
            let part = market.of(&group);
            assert_eq!(part.len(), group.len());
            let (inside, alone) = (market.solve(&market.grand().only(&group)), part.solve(&part.grand()));
            let (inside, alone) = (inside.unwrap(), alone.unwrap());
            assert!((inside.cost - alone.cost).abs() < 1e-9, "{group:?}");
            for (k, i) in group.iter().enumerate() {
                assert_eq!(part.setting().members[k], market.setting().members[*i]);
            }
        }
    }
    // Six kWh change hands between seller and buyer, worth 0.20 each.
    let pair = market(None).of(&[1, 0]);
    assert!((pair.solve(&pair.grand()).unwrap().cost + 6.0 * 0.20).abs() < 1e-6);
}

#[test]
fn a_book_knows_its_slot_and_keeps_who_is_idle_on_both_sides() {
    let book = market(None).book(0).unwrap();
    assert_eq!(book.slot, 0);
    let of =
        |orders: &[coase_core::book::Order]| orders.iter().map(|o| (o.who, o.price, o.quantity)).collect::<Vec<_>>();
    assert_eq!(of(&book.sellers), [(0, 0.30, 6.0), (0, 0.35, 4.0), (2, 0.40, 5.0)]);
    assert_eq!(of(&book.buyers), [(1, 0.50, 6.0), (3, 0.45, 8.0), (2, 0.20, 5.0)]);
}

/// A forecast of the other sign: with the roles of the truth its bids are on the wrong side and left out.
#[test]
fn a_book_on_forecasts_has_the_roles_of_the_forecasts() {
    let truth = market(None);
    let forecast = Report::Other(steps("buyer", &[(0.25, 3.0)]));
    let said = |roles| {
        let reports = vec![Report::Truth, forecast.clone()];
        Said { reports, roles, evidence: vec![] }.market(&truth).book(0).unwrap()
    };
    let sells = |book: &coase_core::book::Book, who: usize| book.sellers.iter().any(|order| order.who == who);
    let buys = |book: &coase_core::book::Book, who: usize| book.buyers.iter().any(|order| order.who == who);
    let (public, of_reports) = (said(Roles::Public), said(Roles::OfReports));
    assert!(!sells(&public, 1) && !buys(&public, 1));
    assert!(sells(&of_reports, 1) && !buys(&of_reports, 1));
    assert!(buys(&of_reports, 3) && sells(&of_reports, 0));
}

/// Terms on what is traded are by slot: a fee on reserve touches no energy.
#[test]
fn a_fee_on_one_product_leaves_the_other_alone() {
    let slots = vec![Slot { product: Product::ReserveUp, period: 0 }, Slot { product: Product::Energy, period: 0 }];
    let members = vec![Member::new("plant", 20.0, 20.0)];
    let energy = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
    let setting = Setting { slots, requirement: vec![0.0, 0.0], ..energy };
    let step = |price_per_kwh, quantity_kwh| vec![Step { price_per_kwh, quantity_kwh }];
    let plant = Steps::new("plant", vec![step(0.05, 4.0), step(0.30, 10.0)]).expect("a bid list");
    let market = Market::new(setting.clone(), vec![Arc::new(plant)]);
    assert_eq!(setting.by_slot(&[0.7]), [0.0, 0.7]);
    let sold = |trade_adder: Vec<f64>| {
        let plan =
            market.imposing(&[Terms { trade_adder, ..Terms::default() }]).local(0).respond(&[0.10, 0.40]).unwrap();
        (plan.trade[0].round(), plan.trade[1].round(), plan.adder_cost)
    };
    assert_eq!((sold(vec![]).0, sold(vec![]).1), (4.0, 10.0));
    // A charge of 0.08 per unit of reserve makes it dearer than its price, and energy stays.
    assert_eq!((sold(vec![-0.08, 0.0]).0, sold(vec![-0.08, 0.0]).1), (0.0, 10.0));
    // A credit on reserve is money of its slot alone.
    let (reserve, _, adders) = sold(vec![0.02, 0.0]);
    assert!((adders + 0.02 * reserve).abs() < 1e-6, "{adders}");
}
