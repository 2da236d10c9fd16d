//! Against closed forms, figures of an independent program, and an example without equilibrium.

use super::{Buyer, Method, Patience, PricingError, PricingGame, Seller, Update};
use crate::game::{Game, deviations};
use crate::population::Dynamics;

const COSTS: [f64; 3] = [0.30, 0.35, 0.28];
const E: [f64; 3] = [100.0, 60.0, 80.0];
const KAPPA: [f64; 3] = [0.30, 0.20, 0.25];
const START: [f64; 3] = [0.55, 0.60, 0.50];
const ADDERS: [[f64; 3]; 3] = [[0.0, 0.02, 0.03], [0.03, 0.0, 0.01], [0.02, 0.01, 0.0]];

fn sellers() -> Vec<Seller> {
    (0..3).map(|j| Seller { cost: COSTS[j], quantity: E[j], congestion: KAPPA[j] }).collect()
}

fn buyer(quantity: f64, adders: [f64; 3]) -> Buyer {
    Buyer { quantity, adders: adders.to_vec(), grid_price: None, value: None }
}

/// All sellers are the same to all buyers, 150 kWh in all.
fn alike() -> PricingGame {
    let buyers: Vec<Buyer> = [60.0, 50.0, 40.0].map(|q| buyer(q, [0.0; 3])).into();
    PricingGame::new(sellers(), &buyers, 0.3, 1.2).unwrap()
}

/// Pairs differ.
fn apart() -> PricingGame {
    let buyers: Vec<Buyer> = [60.0, 50.0, 40.0].into_iter().zip(ADDERS).map(|(q, w)| buyer(q, w)).collect();
    PricingGame::new(sellers(), &buyers, 0.3, 1.2).unwrap()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} instead of {expected:?}");
    }
}

const EQUILIBRIUM: [f64; 3] = [0.544_143_352_960, 0.559_410_088_376, 0.534_108_534_868];

/// The closed form where all sellers are in use and none sells out: `M = sum s_l p_l / S` first, then each price.
fn closed_form(demand: f64) -> Vec<f64> {
    let s: Vec<f64> = sellers().iter().map(Seller::slope).collect();
    let all: f64 = s.iter().sum();
    let share: Vec<f64> = s.iter().map(|s| s / all).collect();
    let own: Vec<f64> = (0..3).map(|j| demand / all + COSTS[j] * (1.0 - share[j])).collect();
    let sum = |of: &dyn Fn(usize) -> f64| (0..3).map(of).sum::<f64>();
    let mean = sum(&|j| share[j] * own[j] / (2.0 - share[j])) / (1.0 - sum(&|j| share[j] / (2.0 - share[j])));
    (0..3).map(|j| (mean + own[j]) / (2.0 - share[j])).collect()
}

#[test]
fn every_method_ends_in_the_closed_form() {
    let game = alike();
    near(&closed_form(150.0), &EQUILIBRIUM, 1e-11);
    for method in Method::ALL {
        let found = game.solve(method, &mut |_, _| true);
        assert!(found.found, "{method:?}: {found:?}");
        near(&found.prices, &EQUILIBRIUM, 1e-9);
        near(&found.demand.totals, &[52.926_181_411, 43.053_542_645, 54.020_275_943], 1e-6);
        near(&found.profits, &[12.921_575_389, 9.015_846_170, 13.727_013_173], 1e-6);
        near(&game.levels(&found.demand), &[0.702_921_897_193; 3], 1e-9);
        assert!(found.gap.nikaido_isoda < 1e-9 && found.cycle.is_none());
    }
}

#[test]
fn best_responses_in_turn_have_their_known_path() {
    let game = alike();
    let mut path = vec![];
    let end = game.seek(Method::GaussSeidel, &START, None, 1e-12, &mut |prices, _| {
        path.push(prices.to_vec());
        true
    });
    near(&path[0], &[0.545_161_290_323, 0.551_316_655_695, 0.532_459_547_486], 1e-11);
    near(&path[1], &[0.541_759_719_277, 0.558_398_184_914, 0.533_241_601_500], 1e-11);
    assert!(end.at_rest && end.rounds.abs_diff(18) <= 1, "{end:?}");
    near(&end.prices, &EQUILIBRIUM, 1e-11);
}

#[test]
fn the_gradient_has_its_known_path() {
    let game = alike();
    let mut first = None;
    let end = game.seek(Method::Gradient, &START, Some(2e-4), 1e-14, &mut |prices, _| {
        first.get_or_insert(prices.to_vec());
        true
    });
    near(&first.unwrap(), &[0.549_580_419_580, 0.596_097_902_098, 0.503_848_951_049], 1e-11);
    assert!(end.at_rest && end.rounds.abs_diff(548) <= 3, "{} rounds", end.rounds);
    near(&end.prices, &EQUILIBRIUM, 1e-11);
}

#[test]
fn the_gap_is_the_sum_of_what_each_gains_alone() {
    let game = alike();
    let gap = game.nikaido_isoda(&START);
    assert!((gap.nikaido_isoda - 0.903_491_176_541).abs() < 1e-9, "{gap:?}");
    // The general search for deviations finds the largest of these gains.
    let profile = START.map(|p| vec![p]).to_vec();
    let found = deviations(&game, &profile).unwrap();
    let most = gap.gains.iter().copied().fold(0.0, f64::max);
    assert!((found.gain - most).abs() < 1e-9 && found.by.is_some(), "{found:?}, {gap:?}");
    assert_eq!(game.players().len(), 3);
}

#[test]
fn the_game_is_diagonally_strictly_concave_where_sellers_are_alike_to_buyers() {
    let game = alike();
    near(&game.concavity(&EQUILIBRIUM), &[211.586_672, 516.133_437, 542.209_961], 1e-5);
    let least = game.least_concavity(500, 1).unwrap();
    assert!((least - 211.586_672).abs() < 1e-5, "{least}: the same wherever all sell and none sells out");
    // Against differences of the slopes themselves.
    let matrix = game.concavity_matrix(&EQUILIBRIUM);
    let slopes = |at: usize, by: f64| {
        let mut prices = EQUILIBRIUM.to_vec();
        prices[at] += by;
        game.follower().gradient(&prices)
    };
    for k in 0..3 {
        let (up, down) = (slopes(k, 1e-5), slopes(k, -1e-5));
        for j in 0..3 {
            let (other_up, other_down) = (slopes(j, 1e-5), slopes(j, -1e-5));
            let half = -0.5 * ((up[j] - down[j]) + (other_up[k] - other_down[k])) / 2e-5;
            assert!((matrix[(j, k)] - half).abs() < 1e-4, "{j} {k}: {} and {half}", matrix[(j, k)]);
        }
    }
}

/// What a planner would pay who chose for all, against what sellers' prices lead to.
#[test]
fn anarchy_costs_what_it_is_known_to() {
    let game = alike();
    let costs = |prices: &[f64]| {
        let demand = game.demand(prices);
        let congestion: f64 = demand.totals.iter().zip(sellers()).map(|(y, s)| 0.5 * y * y / s.slope()).sum();
        demand.totals.iter().zip(COSTS).map(|(y, c)| y * c).sum::<f64>() + congestion
    };
    // The least cost has prices at cost: costs below the range of prices are not asked for here.
    let planner = PricingGame::new(sellers(), &[buyer(150.0, [0.0; 3])], 0.0, 1.2).unwrap();
    let least = planner.buyers_at(&COSTS).potential(&planner.demand(&COSTS).rest.shares);
    assert!((least - 57.753_636_364).abs() < 1e-8);
    let anarchy = costs(&EQUILIBRIUM);
    assert!((anarchy - 57.923_060_730).abs() < 1e-7 && (anarchy / least - 1.002_933_571).abs() < 1e-8);
}

#[test]
fn elastic_buyers_have_their_known_equilibrium() {
    let values = [(1.3, 0.012), (1.2, 0.010), (1.25, 0.015)];
    let buyers: Vec<Buyer> =
        values.into_iter().map(|value| Buyer { value: Some(value), ..buyer(1e3, [0.0; 3]) }).collect();
    let game = PricingGame::new(sellers(), &buyers, 0.3, 1.2).unwrap();
    for method in [Method::GaussSeidel, Method::Gradient] {
        let found = game.solve(method, &mut |_, _| true);
        assert!(found.found, "{found:?}");
        near(&found.prices, &[0.513_339_690_518, 0.531_403_935_921, 0.503_510_043_934], 1e-8);
        near(&game.levels(&found.demand), &[0.667_582_513_857; 3], 1e-8);
        near(&found.profits, &[10.968_705_399, 7.410_999_008, 11.734_990_387], 1e-6);
        let shares = game.shares(&found.demand.rest.shares);
        let bought: Vec<f64> = shares.iter().map(|x| 1e3 * (1.0 - x[3])).collect();
        near(&bought, &[52.701_457_179, 53.241_748_614, 38.827_832_410], 1e-5);
        let value: f64 = bought.iter().zip(values).map(|(q, (a, b))| a * q - 0.5 * b * q * q).sum();
        let paid =
            |y: &[f64]| -> f64 { y.iter().zip(sellers()).map(|(y, s)| s.cost * y + 0.5 * y * y / s.slope()).sum() };
        let welfare = value - paid(&found.demand.totals);
        assert!((welfare - 83.313_775_826).abs() < 1e-6, "{welfare}");
        let efficient = PricingGame::new(sellers(), &buyers, 0.0, 1.2).unwrap();
        let best = efficient.demand(&COSTS);
        let bought: Vec<f64> = efficient.shares(&best.rest.shares).iter().map(|x| 1e3 * (1.0 - x[3])).collect();
        let value: f64 = bought.iter().zip(values).map(|(q, (a, b))| a * q - 0.5 * b * q * q).sum();
        assert!((value - paid(&best.totals) - 87.693_541_090).abs() < 1e-6);
    }
}

/// Buyers who differ by seller: profits have several peaks, and nobody's best price is best for long.
#[test]
fn best_responses_cycle_where_no_equilibrium_exists() {
    let game = apart();
    let stationary = game.seek(Method::Gradient, &START, Some(2e-4), 1e-12, &mut |_, _| true);
    assert!(stationary.at_rest);
    near(&stationary.prices, &[0.554_115_742_435, 0.557_308_361_886, 0.525_971_912_666], 1e-9);
    let there = game.answer(stationary.prices.clone(), 0, None);
    near(&there.profits, &[13.998_735_155, 8.835_780_791, 12.862_002_289], 1e-6);
    assert!(!there.found && (there.gap.nikaido_isoda - 0.296_998_853).abs() < 1e-7, "{there:?}");
    assert!((there.gap.prices[2] - 0.608_975_03).abs() < 1e-6);
    let mut path = vec![];
    let cycle = game.seek(Method::GaussSeidel, &START, None, 1e-12, &mut |prices, _| {
        path.push(prices.to_vec());
        true
    });
    assert_eq!(cycle.cycle.len(), 2, "{cycle:?} {path:?}");
    // Each price was the best of 20 001 against what the others asked then.
    let mut follower = game.follower();
    let mut prices = START.to_vec();
    for next in path.iter().take(3).chain(path.last()) {
        if next == path.last().unwrap() {
            prices.clone_from(&path[path.len() - 2]);
        }
        for j in 0..3 {
            prices[j] = next[j];
            let got = follower.profit_only(&prices, j);
            let mut other = prices.clone();
            for k in 0..=20_000 {
                other[j] = 0.3 + 0.9 * f64::from(k) / 20_000.0;
                assert!(follower.profit_only(&other, j) <= got + 1e-9, "seller {j} at {prices:?}: {other:?}");
            }
        }
    }
}

#[test]
fn no_price_of_a_grid_is_an_equilibrium_and_correlated_play_has_none_either() {
    let game = apart();
    let form = game.on_grid(19).unwrap();
    assert!(form.pure_equilibria().is_empty());
    let least = (0..form.profiles()).map(|k| (form.pure_gap(k), k)).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    assert!((least.0 - 0.002_097_903).abs() < 1e-8, "{least:?}");
    let grid = game.grid(19);
    let prices: Vec<f64> = form.profile(least.1).into_iter().map(|k| grid[k]).collect();
    near(&prices, &[0.60, 0.60, 0.55], 1e-12);
    let play = game.correlated().unwrap();
    assert!(play.gap <= 0.005, "{play:?}");
    near(&play.mean_prices, &[0.600, 0.586, 0.550], 1e-2);
}

#[test]
fn where_no_equilibrium_is_found_the_least_gap_is_answered() {
    let game = apart();
    let found = game.solve(Method::GaussSeidel, &mut |_, _| true);
    assert!(!found.found && found.cycle == Some(2), "{found:?}");
    // Below the stationary point, and not below what other prices than those of the grid can gain at its best.
    let grid = game.nikaido_isoda(&[0.60, 0.60, 0.55]).nikaido_isoda;
    assert!(
        found.gap.nikaido_isoda <= grid && found.gap.nikaido_isoda < 0.296_998_853,
        "{} {grid} {:?}",
        found.gap.nikaido_isoda,
        found.prices
    );
    assert!(found.gap.nikaido_isoda > found.tolerance);
}

/// The grid caps what a kWh can cost: a seller alone asks half-way between that and its cost, or what sells just all it has.
#[test]
fn a_single_seller_is_a_monopolist_below_the_grid() {
    let alone = |quantity: f64, demand: f64| {
        let seller = Seller { cost: 0.4, quantity, congestion: 0.25 };
        let buyer = Buyer { quantity: demand, adders: vec![0.0], grid_price: Some(1.0), value: None };
        PricingGame::new(vec![seller], &[buyer], 0.3, 1.2).unwrap()
    };
    for method in Method::ALL {
        // y = (1 - p) 80 / 0.25 = 80 at p = 0.75, above the monopoly's 0.7: it sells out.
        let found = alone(80.0, 1e4).solve(method, &mut |_, _| true);
        assert!(found.found, "{method:?}: {found:?}");
        near(&found.prices, &[0.75], 1e-6);
        near(&found.sold, &[80.0], 1e-3);
    }
    // All demand is served where the price of the grid is reached with less than it has: p = 1 - 0.25 * 20 / 80.
    let few = alone(80.0, 20.0).solve(Method::GaussSeidel, &mut |_, _| true);
    assert!(few.found, "{few:?}");
    near(&few.prices, &[1.0 - 0.25 * 20.0 / 80.0], 1e-9);
    near(&few.profits, &[20.0 * (0.9375 - 0.4)], 1e-7);
    // Without congestion worth the name it takes the monopoly's price.
    let wide = PricingGame::new(
        vec![Seller { cost: 0.4, quantity: 80.0, congestion: 0.8 }],
        &[Buyer { quantity: 1e4, adders: vec![0.0], grid_price: Some(1.0), value: None }],
        0.3,
        1.2,
    );
    let found = wide.unwrap().solve(Method::GaussSeidel, &mut |_, _| true);
    near(&found.prices, &[0.7], 1e-9);
}

#[test]
fn the_layers_rest_where_the_closed_form_does() {
    let buyers = [buyer(150.0, [0.0; 3])];
    let game = PricingGame::new(sellers(), &buyers, 0.3, 1.2).unwrap();
    let mut prices = vec![];
    let mut shares = vec![];
    let patience = Patience { tolerance: 1e-10, inner_tolerance: 1e-12, forcing: 0.0, rounds: 1_000 };
    let (dynamics, update) = (Dynamics::Replicator { step: 0.8 }, Update::Gradient { step: Some(1e-3) });
    let found = game.layered(&START, dynamics, update, patience, &mut |now| {
        prices.push(now.prices.clone());
        shares.push(now.shares.clone());
        true
    });
    near(&shares[0], &[0.347_319_347, 0.212_587_413, 0.440_093_240], 1e-9);
    near(&prices[0], &[0.547_902_098, 0.580_489_510, 0.519_244_755], 1e-9);
    near(&prices[1], &[0.546_820_480, 0.570_719_390, 0.528_107_702], 1e-9);
    assert!(found.at_rest);
    near(&found.prices, &EQUILIBRIUM, 1e-8);
    assert!(found.outer.abs_diff(69) <= 2 && found.inner.abs_diff(4_900) <= 250, "{} {}", found.outer, found.inner);
}

/// Excess demand moves prices until each sells just what it has: the Walrasian prices, not those of an equilibrium of the game.
#[test]
fn excess_demand_ends_in_walrasian_prices_or_at_an_end() {
    let game = |demand: f64| PricingGame::new(sellers(), &[buyer(demand, [0.0; 3])], 0.3, 1.2).unwrap();
    let play = |game: &PricingGame| {
        let update = Update::ExcessDemand { step: None };
        game.layered(&START, Dynamics::Replicator { step: 0.8 }, update, Patience::default(), &mut |_| true)
    };
    // 240 kWh are there: of 150 none is scarce, and prices fall to the least.
    let glut = play(&game(150.0));
    assert!(glut.at_rest, "{glut:?}");
    near(&glut.prices, &[0.3; 3], 1e-6);
    assert!(glut.wardrop_gap <= 1e-7 * 150.0, "buyers have answered the last prices: {}", glut.wardrop_gap);
    // With a grid at 0.9 a kWh costs 0.9 wherever it is bought; each sells all at 0.9 - congestion.
    let buyers = [Buyer { grid_price: Some(0.9), ..buyer(400.0, [0.0; 3]) }];
    let short = PricingGame::new(sellers(), &buyers, 0.3, 1.2).unwrap();
    let found = play(&short);
    assert!(found.at_rest, "{found:?}");
    near(&found.prices, &[0.6, 0.7, 0.65], 1e-5);
    near(&found.totals, &E, 1e-2);
    assert!(short.nikaido_isoda(&found.prices).nikaido_isoda < 1e-3, "here they happen to be best as well");
}

/// Alone with a grid at 0.45, a seller with costs of 0.3 sells best half-way between, from wherever it begins; beyond 0.45 it
/// sells nothing, and buyers come only near to that.
#[test]
fn a_seller_who_begins_too_dear_comes_back_to_the_market() {
    let sellers = vec![Seller { cost: 0.3, quantity: 100.0, congestion: 0.25 }];
    let buyers = [Buyer { grid_price: Some(0.45), ..buyer(400.0, [0.0; 3]) }];
    let buyers = buyers.map(|buyer| Buyer { adders: vec![0.0], ..buyer });
    let game = PricingGame::new(sellers, &buyers, 0.3, 1.2).unwrap();
    for start in [0.3, 0.4, 0.5, 0.75, 1.2] {
        let (dynamics, patience) = (Dynamics::Replicator { step: 0.8 }, Patience::default());
        let found = game.layered(&[start], dynamics, Update::default(), patience, &mut |_| true);
        assert!(found.at_rest && (found.prices[0] - 0.375).abs() < 1e-5, "from {start}: {found:?}");
    }
}

#[test]
fn what_is_no_game_is_refused() {
    let one = buyer(1.0, [0.0; 3]);
    let new = |sellers: Vec<Seller>, buyers: &[Buyer], low, high| PricingGame::new(sellers, buyers, low, high);
    assert!(matches!(new(sellers(), &[], 0.3, 1.2), Err(PricingError::Population(_))));
    assert!(matches!(new(vec![], std::slice::from_ref(&one), 0.3, 1.2), Err(PricingError::Population(_))));
    assert!(matches!(new(sellers(), std::slice::from_ref(&one), 1.3, 1.2), Err(PricingError::Number { .. })));
    let mut flat = sellers();
    flat[0].congestion = 0.0;
    assert!(matches!(new(flat, std::slice::from_ref(&one), 0.3, 1.2), Err(PricingError::Number { .. })));
    let grid = Buyer { grid_price: Some(1.0), ..one.clone() };
    assert!(matches!(new(sellers(), &[one, grid], 0.3, 1.2), Err(PricingError::Grid)));
}
