//! Against figures of an independent program, closed forms and known bounds.

use super::{Learner, NormalForm, NormalFormError, learn, learn_from};
use crate::error::MechanismError;
use crate::game::{Game, Profile, Space, Strategy};
use crate::outcome::Party;

/// Rows (2, -1; -1, 1), zero-sum: both play (2/5, 3/5), and the row gets 1/5.
fn zero_sum() -> NormalForm {
    NormalForm::new(vec![2, 2], vec![2.0, -2.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0]).unwrap()
}

const ROW: [f64; 2] = [1.0, 0.0];

#[test]
fn regret_matching_has_its_known_path() {
    let game = zero_sum();
    let start = || vec![ROW.to_vec(), vec![0.0, 0.0]];
    let three = learn_from(&game, Learner::RegretMatching { plus: false }, 3, 0, start());
    for (found, expected) in three.average.concat().iter().zip([0.8, 0.2, 1.0 / 6.0, 5.0 / 6.0]) {
        assert!((found - expected).abs() < 1e-12, "{three:?}");
    }
    for (plus, rounds, expected) in [
        (false, 3, 1.266_666_667),
        (false, 10, 0.513_333_333),
        (false, 100, 0.175_558_734),
        (false, 1_000, 0.060_498_367),
        (false, 10_000, 0.018_896_825),
        (true, 10, 0.549_896_151),
        (true, 100, 0.074_260_308),
        (true, 1_000, 0.029_263_537),
        (true, 10_000, 0.009_617_720),
    ] {
        let found = learn_from(&game, Learner::RegretMatching { plus }, rounds, 0, start()).exploitability;
        assert!((found - expected).abs() < 1e-8, "plus {plus}, {rounds} rounds: {found}");
    }
}

#[test]
fn hedge_has_its_known_path() {
    for (rounds, expected) in
        [(10, 0.362_534_232), (100, 0.075_612_028), (1_000, 0.048_462_325), (10_000, 0.016_873_061)]
    {
        let bonus = vec![vec![0.5, 0.0], vec![0.0, 0.0]];
        let found = learn_from(&zero_sum(), Learner::Hedge { rate: Some(0.1) }, rounds, 0, bonus).exploitability;
        assert!((found - expected).abs() < 1e-8, "{rounds} rounds: {found}");
    }
}

/// Both begin with the belief that the other played its first strategy once, which counts as a round. Figures are those of exact
/// arithmetic, in which ties go to the first strategy.
#[test]
fn fictitious_play_has_its_known_path() {
    let game = zero_sum();
    let payoffs = game.expected(&[ROW.to_vec(), ROW.to_vec()]);
    for (rounds, expected) in [(10, 0.454_545_455), (100, 18.0 / 101.0), (1_000, 0.053_946_054)] {
        let learned = learn_from(&game, Learner::FictitiousPlay, rounds, 0, payoffs.clone());
        let t = rounds as f64;
        let with_belief = |x: &Vec<f64>| x.iter().zip(ROW).map(|(x, b)| (x * t + b) / (t + 1.0)).collect();
        let average: Vec<Vec<f64>> = learned.average.iter().map(with_belief).collect();
        let found: f64 = game.gains(&average).iter().sum();
        assert!((found - expected).abs() < 1e-8, "{rounds} rounds: {found}");
    }
}

#[test]
fn learners_keep_their_known_bounds_of_regret() {
    // Three players who gain by being alone with a strategy, with weights: no symmetric escape.
    let crowd = NormalForm::of(vec![3, 4, 2], |profile| {
        (0..3)
            .map(|i| {
                let others = profile.iter().enumerate().filter(|(k, s)| *k != i && **s == profile[i]).count();
                (1.0 + profile[i] as f64) / (1.0 + others as f64) + 0.1 * i as f64
            })
            .collect()
    })
    .unwrap();
    for game in [zero_sum(), crowd] {
        for rounds in [10, 100, 1_000] {
            for learner in [
                Learner::Hedge { rate: None },
                Learner::Hedge { rate: Some(0.3) },
                Learner::RegretMatching { plus: false },
                Learner::RegretMatching { plus: true },
            ] {
                let learned = learn(&game, learner, rounds, 0);
                for (regret, bound) in learned.regrets.iter().zip(learned.bounds.as_ref().expect("known")) {
                    assert!(regret <= bound, "{learner:?}, {rounds} rounds: {learned:?}");
                }
            }
        }
        // In expectation: the mean of many seeds.
        let seeds = 40;
        let rounds = 2_000;
        let mut mean = vec![0.0; game.players()];
        let mut bounds = vec![];
        for seed in 0..seeds {
            let learned = learn(&game, Learner::Exp3 { exploration: None }, rounds, seed);
            mean.iter_mut().zip(&learned.regrets).for_each(|(sum, r)| *sum += r / seeds as f64);
            bounds = learned.bounds.expect("known");
        }
        assert!(mean.iter().zip(&bounds).all(|(mean, bound)| mean <= bound), "{mean:?}, {bounds:?}");
    }
}

#[test]
fn drawn_play_depends_on_its_seed_alone() {
    let play = |seed| learn(&zero_sum(), Learner::Exp3 { exploration: None }, 500, seed);
    assert_eq!(play(3), play(3));
    assert_ne!(play(3).average, play(4).average);
    let certain = |seed| learn(&zero_sum(), Learner::RegretMatching { plus: true }, 50, seed);
    assert_eq!(certain(3), certain(4));
}

/// With little noise the logit response ends near the equilibrium of a game with a potential; with much it is uniform.
#[test]
fn the_logit_response_lies_between_the_equilibrium_and_chance() {
    // Two roads: everybody prefers the one that the other does not take, the first by more.
    let roads = NormalForm::new(vec![2, 2], vec![0.0, 0.0, 3.0, 2.0, 2.0, 3.0, 0.0, 0.0]).unwrap();
    let sharp =
        learn_from(&roads, Learner::LogitResponse { noise: 0.05 }, 5_000, 0, vec![vec![0.1, 0.0], vec![0.0; 2]]);
    assert!(sharp.exploitability < 1e-2, "{sharp:?}");
    let blunt = learn(&roads, Learner::LogitResponse { noise: 1e6 }, 100, 0);
    assert!(blunt.average.iter().flatten().all(|x| (x - 0.5).abs() < 1e-5), "{blunt:?}");
}

#[test]
fn pure_equilibria_are_those_of_the_table() {
    assert!(zero_sum().pure_equilibria().is_empty());
    // The prisoners' dilemma has one, and the coordination game two.
    let prisoners = NormalForm::new(vec![2, 2], vec![3.0, 3.0, 0.0, 5.0, 5.0, 0.0, 1.0, 1.0]).unwrap();
    assert_eq!(prisoners.pure_equilibria(), [[1, 1]]);
    let meeting = NormalForm::new(vec![2, 2], vec![2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]).unwrap();
    assert_eq!(meeting.pure_equilibria(), [[0, 0], [1, 1]]);
    assert_eq!(meeting.pure_gap(1), 1.0 + 2.0 - 0.0 - 1.0 + 1.0 - 0.0 - 1.0);
    let mixed = [vec![2.0 / 3.0, 1.0 / 3.0], vec![1.0 / 3.0, 2.0 / 3.0]];
    assert!(meeting.gains(&mixed).iter().all(|gain| gain.abs() < 1e-15));
}

/// The same game as a [`Game`] in numbers.
struct Numbers(NormalForm);

impl Game for Numbers {
    fn players(&self) -> Vec<Party> {
        (0..self.0.players()).map(Party::Member).collect()
    }

    fn space(&self, player: usize) -> Space {
        Space::new([("strategy", 0.0, self.0.strategies()[player] as f64 - 1.0)])
    }

    fn candidates(&self, player: usize, _: &Profile) -> Vec<Strategy> {
        (0..self.0.strategies()[player]).map(|s| vec![s as f64]).collect()
    }

    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError> {
        let at: Vec<usize> = profile.iter().map(|s| s[0] as usize).collect();
        Ok(self.0.payoffs(self.0.place(&at))[player])
    }
}

#[test]
fn any_game_on_grids_is_a_strategic_form() {
    let form = NormalForm::of(vec![2, 3], |p| vec![(p[0] * 3 + p[1]) as f64, -(p[0] as f64)]).unwrap();
    let game = Numbers(form.clone());
    let grids: Vec<Vec<Strategy>> = (0..2).map(|player| game.candidates(player, &vec![])).collect();
    assert_eq!(NormalForm::of_game(&game, &grids).unwrap(), form);
    assert_eq!(form.payoffs(form.place(&[1, 2])), [5.0, -1.0]);
    assert_eq!(form.alternatives(4, 1).collect::<Vec<_>>(), [-1.0; 3]);
}

/// The layout that Gambit documents: the first player's strategy moves fastest.
#[test]
fn gambit_reads_the_first_player_fastest() {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let form = NormalForm::new(vec![2, 2], vec![1.0, 2.0, 3.0, 4.0, 0.05, -6.0, 7.0, 8e-9]).unwrap();
    let text = form.nfg("a \"game\"", &names(&["row", "column"]), &[names(&["T", "B"]), names(&["L", "R"])]);
    let expected = "NFG 1 R \"a \\\"game\\\"\" { \"row\" \"column\" }\n\n{ { \"T\" \"B\" }\n  { \"L\" \"R\" }\n}\n\"\"\n\n\
                    1 2\n0.05 -6\n3 4\n7 0.000000008\n";
    assert_eq!(text, expected);
}

#[test]
fn what_is_no_game_is_refused() {
    assert_eq!(NormalForm::new(vec![], vec![]), Err(NormalFormError::Empty));
    assert_eq!(NormalForm::new(vec![2, 0], vec![]), Err(NormalFormError::Empty));
    assert_eq!(NormalForm::new(vec![2], vec![1.0]), Err(NormalFormError::Payoffs { found: 1, expected: 2 }));
    assert!(matches!(NormalForm::new(vec![1], vec![f64::NAN]), Err(NormalFormError::Value { at: 0, .. })));
    assert!(matches!(NormalForm::new(vec![1000; 9], vec![]), Err(NormalFormError::TooMany { .. })));
}
