//! Against closed forms and figures from an independent program.

use super::{Dynamics, Play, PopulationError, PopulationGame};
use proptest::collection::vec;
use proptest::prelude::*;

const E: [f64; 3] = [100.0, 60.0, 80.0];
const KAPPA: [f64; 3] = [0.30, 0.20, 0.25];
const PRICES: [f64; 3] = [0.55, 0.60, 0.50];
/// What pairs of the example with three buyers add.
const ADDERS: [[f64; 3]; 3] = [[0.0, 0.02, 0.03], [0.03, 0.0, 0.01], [0.02, 0.01, 0.0]];

fn slopes() -> Vec<f64> {
    KAPPA.iter().zip(E).map(|(k, e)| k / e).collect()
}

/// One buyer of 150 kWh.
fn alone() -> PopulationGame {
    PopulationGame::new(vec![150.0], &[PRICES.to_vec()], slopes()).unwrap()
}

fn three_buyers() -> PopulationGame {
    let base: Vec<Vec<f64>> =
        ADDERS.iter().map(|adders| adders.iter().zip(PRICES).map(|(w, p)| w + p).collect()).collect();
    PopulationGame::new(vec![60.0, 50.0, 40.0], &base, slopes()).unwrap()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} instead of {expected:?}");
    }
}

#[test]
fn equilibrium_of_one_buyer_is_its_closed_form() {
    let game = alone();
    let rest = game.equilibrium();
    near(&rest.levels, &[101.0 / 143.0], 1e-12);
    near(&rest.totals, &[52.097_902_098, 31.888_111_888, 66.013_986_014], 1e-8);
    near(&rest.shares, &[0.347_319_347_319, 0.212_587_412_587, 0.440_093_240_093], 1e-11);
    assert!(rest.gap <= 1e-12 && rest.sweeps <= 2, "{rest:?}");
}

#[test]
fn equilibrium_of_three_buyers_is_that_of_an_independent_program() {
    let game = three_buyers();
    let rest = game.equilibrium();
    near(&rest.totals, &[57.552_447_552, 30.797_202_797, 61.650_349_650], 1e-8);
    near(&rest.levels, &[0.722_657_342_657, 0.702_657_342_657, 0.692_657_342_657], 1e-11);
    assert!((game.potential(&rest.shares) - 93.710_699_301).abs() < 1e-8);
    assert!(rest.gap <= 1e-8 * 150.0, "{rest:?}");
}

#[test]
fn who_may_abstain_buys_what_its_value_pays() {
    // Prices of the equilibrium with elastic buyers, whose purchases and level are known from its closed form.
    let base = vec![vec![0.513_339_690_518, 0.531_403_935_921, 0.503_510_043_934]; 3];
    let game = PopulationGame::new(vec![1e3; 3], &base, slopes()).unwrap();
    let game = game.with_abstention(&[(1.3, 0.012), (1.2, 0.010), (1.25, 0.015)]).unwrap();
    let rest = game.equilibrium();
    near(&rest.levels, &[0.667_582_513_857; 3], 1e-9);
    let bought: Vec<f64> = (0..3).map(|i| 1e3 * (1.0 - game.row(&rest.shares, i)[3])).collect();
    near(&bought, &[52.701_457_179, 53.241_748_614, 38.827_832_410], 1e-6);
}

#[test]
fn three_steps_of_the_replicator_are_those_of_an_independent_program() {
    let game = alone();
    let mut play = Play::new(&game, Dynamics::Replicator { step: 0.8 }, &game.uniform());
    for expected in [
        [0.335_370_370_370, 0.317_592_592_593, 0.347_037_037_037],
        [0.336_741_467_724, 0.304_185_295_611, 0.359_073_236_666],
        [0.337_671_298_933, 0.292_721_790_313, 0.369_606_910_754],
    ] {
        play.advance();
        near(play.shares(), &expected, 1e-11);
    }
}

#[test]
fn every_dynamics_comes_to_the_equilibrium_in_the_known_number_of_steps() {
    let game = alone();
    let there = game.equilibrium().shares;
    for (rule, step, steps) in [
        (Dynamics::Replicator { step: 0.8 }, 0.8, 226),
        (Dynamics::BrownVonNeumannNash, 0.8, 177),
        (Dynamics::Smith, 0.8, 82),
        (Dynamics::Projection, 0.5, 101),
    ] {
        let rest = Play::new(&game, rule, &[0.8, 0.1, 0.1]).with_step(step).rest(1e-12, 10_000);
        assert!(rest.converged && rest.step == step, "{rule:?}: {rest:?}");
        // Near the equilibrium payoffs that grow only from above the mean are flat.
        near(&rest.shares, &there, if rule == Dynamics::BrownVonNeumannNash { 1e-9 } else { 1e-10 });
        assert!(rest.steps.abs_diff(steps) <= 1, "{rule:?}: {} steps instead of {steps}", rest.steps);
    }
}

#[test]
fn the_logit_dynamics_rests_at_the_quantal_response() {
    let game = alone();
    for (noise, expected) in [
        (0.1, [0.340_431_911_527, 0.260_167_000_995, 0.399_401_087_479]),
        (0.05, [0.342_435_231_156, 0.242_641_469_461, 0.414_923_299_383]),
        (0.01, [0.345_855_884_287, 0.220_291_688_716, 0.433_852_426_997]),
    ] {
        let rest = Play::new(&game, Dynamics::Logit { noise }, &game.uniform()).rest(1e-12, 100_000);
        assert!(rest.converged, "{noise}: {rest:?}");
        near(&rest.shares, &expected, 1e-10);
        let eigenvalues = game.eigenvalues(Dynamics::Logit { noise }, &rest.shares).unwrap();
        assert!(eigenvalues.iter().all(|e| *e < -1.0), "{eigenvalues:?}");
    }
}

#[test]
fn the_replicator_has_its_known_eigenvalues_on_the_tangent_space() {
    let game = alone();
    let rest = game.equilibrium().shares;
    let found = game.eigenvalues(Dynamics::Replicator { step: 0.8 }, &rest).unwrap();
    near(&found, &[-0.180_616_853_361, -0.120_595_267_851], 1e-10);
    assert!((2.0 / -found[0] - 11.07).abs() < 5e-3, "the local limit of the step");
    near(&game.payoff_eigenvalues().unwrap(), &[-0.4875, -0.458_333_333], 1e-8);
    assert!(game.eigenvalues(Dynamics::Smith, &rest).is_none());
}

/// Each eigenvalue is what the step of the dynamics multiplies a small displacement by, less one.
#[test]
fn eigenvalues_are_those_of_the_steps_themselves() {
    let game = three_buyers();
    let rule = Dynamics::Replicator { step: 0.1 };
    let inner = Play::new(&game, rule, &game.uniform()).with_step(0.5).rest(1e-13, 200_000);
    assert!(inner.converged, "{inner:?}");
    let found = game.eigenvalues(rule, &inner.shares).unwrap();
    // The greatest entry below rounding is the rate at which the last displacement dies.
    let slowest = found.iter().copied().filter(|e| *e < -1e-6).fold(f64::NEG_INFINITY, f64::max);
    let mut play = Play::new(&game, rule, &game.uniform()).with_step(0.5);
    let mut before = f64::NAN;
    let mut rate = f64::NAN;
    for _ in 0..3_000 {
        let speed = play.advance();
        (rate, before) = ((speed / before).ln() / 0.5, speed);
    }
    assert!(rate < 0.0 && (rate - slowest).abs() < 0.05 * slowest.abs(), "{rate} instead of {slowest} of {found:?}");
}

/// The reason for normalising: without it the replicator of negative payoffs leaves the simplex.
#[test]
fn shares_drift_from_the_simplex_unless_they_are_normalised() {
    let game = alone();
    let mut x = vec![0.8, 0.1, 0.1 + 1e-12];
    let mut sums = vec![];
    for _ in 0..400 {
        let c = game.costs(&x);
        let mean: f64 = x.iter().zip(&c).map(|(x, c)| x * c).sum();
        x.iter_mut().zip(&c).for_each(|(x, c)| *x += 0.8 * *x * (mean - c));
        sums.push(x.iter().sum::<f64>());
    }
    let left = sums.iter().position(|sum| (sum - 1.0).abs() > 0.1);
    assert!(left.is_some_and(|step| step < 399), "{sums:?}");
    let mut play = Play::new(&game, Dynamics::Replicator { step: 0.8 }, &[0.8, 0.1, 0.1]);
    for _ in 0..400 {
        play.advance();
        assert!((play.shares().iter().sum::<f64>() - 1.0).abs() < 1e-14);
    }
}

#[test]
fn every_function_of_lyapunov_falls_along_its_dynamics() {
    for game in [alone(), three_buyers()] {
        let rest = game.equilibrium().shares;
        let start: Vec<f64> = (0..game.buyers()).flat_map(|_| [0.8, 0.1, 0.1]).collect();
        type Height<'h> = (Dynamics, &'h dyn Fn(&[f64]) -> f64);
        let potential: &dyn Fn(&[f64]) -> f64 = &|x| game.potential(x);
        let all: [Height; 7] = [
            (Dynamics::Replicator { step: 0.1 }, potential),
            (Dynamics::BrownVonNeumannNash, potential),
            (Dynamics::Smith, potential),
            (Dynamics::Projection, potential),
            (Dynamics::Replicator { step: 0.1 }, &|x| game.divergence(&rest, x)),
            (Dynamics::BrownVonNeumannNash, &|x| game.excess(x)),
            (Dynamics::Smith, &|x| game.envy(x)),
        ];
        for (k, (rule, height)) in all.into_iter().enumerate() {
            let mut play = Play::new(&game, rule, &start).with_step(0.1);
            let mut before = height(play.shares());
            for step in 0..500 {
                play.advance();
                let now = height(play.shares());
                assert!(now <= before + 1e-12 * (1.0 + before.abs()), "{k}: {before} to {now} in step {step}");
                before = now;
            }
        }
    }
}

#[test]
fn no_invader_gains_a_foothold_at_the_equilibrium() {
    let game = alone();
    let rest = game.equilibrium().shares;
    assert!(game.invasion(&rest, 2_000, 7) < -1.0);
    // From elsewhere one does.
    assert!(game.invasion(&[0.8, 0.1, 0.1], 2_000, 7) > 0.0);
}

#[test]
fn without_congestion_all_buy_from_the_cheapest() {
    let game = PopulationGame::new(vec![10.0, 5.0], &[vec![0.5, 0.4], vec![0.3, 0.6]], vec![0.0, 0.0]).unwrap();
    let rest = game.equilibrium();
    near(&rest.shares, &[0.0, 1.0, 1.0, 0.0], 0.0);
    assert_eq!(rest.gap, 0.0);
    // The grid has no congestion: it caps the level, and takes the rest.
    let grid = PopulationGame::new(vec![150.0], &[vec![0.5, 1.0]], vec![0.25 / 80.0, 0.0]).unwrap().equilibrium();
    near(&grid.totals, &[160.0 - 10.0, 0.0], 1e-9);
    let grid = PopulationGame::new(vec![150.0], &[vec![0.5, 0.7]], vec![0.25 / 80.0, 0.0]).unwrap().equilibrium();
    near(&grid.totals, &[64.0, 86.0], 1e-9);
}

/// A step far beyond what is stable is halved until the potential falls.
#[test]
fn a_step_that_is_too_long_is_halved() {
    let game = PopulationGame::new(vec![1e4], &[vec![0.5, 0.6]], vec![0.25, 0.1]).unwrap();
    let rest = Play::new(&game, Dynamics::Replicator { step: 0.8 }, &[0.5, 0.5]).rest(1e-9, 200_000);
    assert!(rest.converged && rest.step < 0.01, "{rest:?}");
    near(&rest.shares, &game.equilibrium().shares, 1e-9);
}

#[test]
fn what_is_no_game_is_refused() {
    let new =
        |mass: &[f64], base: Vec<Vec<f64>>, slope: &[f64]| PopulationGame::new(mass.to_vec(), &base, slope.to_vec());
    assert_eq!(new(&[], vec![], &[1.0]), Err(PopulationError::Empty));
    assert!(matches!(new(&[1.0], vec![vec![0.5, 0.5]], &[1.0]), Err(PopulationError::Options { .. })));
    assert!(matches!(new(&[1.0, 2.0], vec![vec![0.5]], &[1.0]), Err(PopulationError::Options { .. })));
    for bad in [
        new(&[0.0], vec![vec![0.5]], &[1.0]),
        new(&[1.0], vec![vec![f64::NAN]], &[1.0]),
        new(&[1.0], vec![vec![0.5]], &[-1.0]),
    ] {
        assert!(matches!(bad, Err(PopulationError::Number { .. })), "{bad:?}");
    }
    let game = alone();
    assert!(game.with_abstention(&[(1.0, 0.0)]).is_err() && game.with_abstention(&[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Optimality of Wardrop's conditions at random games, and uniqueness of totals from another start.
    #[test]
    fn nobody_finds_a_cheaper_option(
        mass in vec(0.1_f64..100.0, 1..5),
        base in vec(0.2_f64..1.2, 20),
        slope in vec(1e-4_f64..1e-1, 2..5),
    ) {
        let m = slope.len();
        let rows: Vec<Vec<f64>> = (0..mass.len()).map(|i| base[i * m..(i + 1) * m].to_vec()).collect();
        let game = PopulationGame::new(mass.clone(), &rows, slope).unwrap();
        let rest = game.equilibrium();
        prop_assert!(rest.gap <= 1e-8 * game.total_mass(), "{:?}", rest);
        let from_corner: Vec<f64> = (0..mass.len() * m).map(|k| if k % m == 0 { 1.0 } else { 0.0 }).collect();
        let other = game.equilibrium_from(&from_corner);
        for (a, b) in rest.totals.iter().zip(&other.totals) {
            prop_assert!((a - b).abs() <= 1e-6 * game.total_mass(), "{:?} and {:?}", rest, other);
        }
        let costs = game.costs(&rest.shares);
        for (k, x) in rest.shares.iter().enumerate() {
            prop_assert!(*x <= 1e-6 || costs[k] <= rest.levels[k / m] + 1e-6);
        }
    }
}
