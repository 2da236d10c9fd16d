//! Against closed forms, published figures, and enumeration of vertices, which shares nothing with the linear programs.

use super::{Coalition, CoalitionGame, Interval, antithetic_orders, sampled_shapley};
use crate::random::stream;
use nalgebra::{DMatrix, DVector};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::RngExt;

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} instead of {expected:?}");
    }
}

/// The three quadratic agents at a tariff of 0.4 / 1.0.
fn three_agents() -> CoalitionGame {
    let values = [0.0, 0.0, 0.0, 2.25, 0.0, 60.0, 535.0 / 28.0, 4935.0 / 76.0];
    CoalitionGame::of(3, |s| values[s.index()]).unwrap()
}

/// Two sellers (0, 2) and two buyers (1, 3) with costs `0.002 g^2 + 0.2 g` and `0.002 g^2 + g` at the ends of a line of 80 kW,
/// the grid (0.4 / 1.0) at the sellers' end.
fn across_a_line() -> CoalitionGame {
    CoalitionGame::of(4, |s| {
        let sellers = [0, 2].iter().filter(|i| s.contains(**i)).count();
        match (sellers, s.size() - sellers) {
            (1, 1) => 33.4,
            (2, 1) => 35.2,
            (1, 2) => 39.8,
            (2, 2) => 41.6,
            _ => 0.0,
        }
    })
    .unwrap()
}

/// Bankruptcy: what is left of an estate once all others are paid in full (O'Neill, 1982).
fn bankruptcy(estate: f64, claims: &[f64]) -> CoalitionGame {
    let total: f64 = claims.iter().sum();
    CoalitionGame::of(claims.len(), |s| (estate - (total - s.sum(claims))).max(0.0)).unwrap()
}

/// The Talmud's rule, which is the nucleolus of the bankruptcy game (Aumann and Maschler, 1985): equal awards up to half of
/// each claim, then equal losses.
fn talmud(estate: f64, claims: &[f64]) -> Vec<f64> {
    let half: Vec<f64> = claims.iter().map(|c| 0.5 * c).collect();
    let sum: f64 = half.iter().sum();
    let equal_awards = |amount: f64| -> Vec<f64> {
        let (mut low, mut high) = (0.0, half.iter().fold(0.0_f64, |a, b| a.max(*b)));
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if half.iter().map(|h| h.min(middle)).sum::<f64>() < amount { low = middle } else { high = middle }
        }
        half.iter().map(|h| h.min(high)).collect()
    };
    if estate <= sum {
        return equal_awards(estate);
    }
    let losses = equal_awards(2.0 * sum - estate);
    claims.iter().zip(losses).map(|(c, l)| c - l).collect()
}

#[test]
fn three_agents_have_the_table_of_their_closed_forms() {
    let game = three_agents();
    near(&game.equal(), &[21.644_736_842_105; 3], 1e-11);
    near(&game.shapley(), &[81877.0 / 3192.0, 4153.0 / 798.0, 108_781.0 / 3192.0], 1e-12);
    let nucleolus = game.nucleolus().unwrap();
    near(&nucleolus.division, &[6095.0 / 266.0, 375.0 / 152.0, 2215.0 / 56.0], 1e-9);
    assert!(nucleolus.is_rational && nucleolus.gap < 1e-9);
    near(&game.marginals(), &[45.827_067_669, 4.934_210_526, 62.684_210_526], 1e-9);
    near(&game.marginal_proportional().unwrap(), &[26.230_610_784, 2.824_255_673, 35.879_344_070], 1e-9);
    let excess = |division: &[f64]| {
        let worst = game.excess(division);
        (worst.value, worst.coalition)
    };
    let first_and_third = Coalition::of([0, 2]);
    let uniform = [32.451_523_546, 3.895_429_363, 28.587_257_618];
    for (division, expected) in [
        (game.equal(), 16.710_526_316),
        (vec![41.558_513_021, 8.087_174_959, 15.288_522_546], 3.152_964_433),
        (game.shapley(), 0.270_050_125),
        (game.marginal_proportional().unwrap(), -2.109_954_9),
        (uniform.to_vec(), -1.038_781_2),
    ] {
        let (value, coalition) = excess(&division);
        assert!((value - expected).abs() < 1e-6, "{value} instead of {expected}");
        assert_eq!(coalition, first_and_third);
    }
    let least = game.least_core().unwrap();
    for epsilon in [least.epsilon, excess(&nucleolus.division).0, excess(&least.division).0] {
        assert!((epsilon + 375.0 / 152.0).abs() < 1e-9, "{epsilon}");
    }
    assert_eq!((game.not_superadditive(), game.not_convex().map(|w| w.group)), (None, Some(Coalition::of([2]))));
}

#[test]
fn a_line_that_two_pairs_share_leaves_no_core() {
    let game = across_a_line();
    assert!((game.least_core().unwrap().epsilon - 12.6).abs() < 1e-9);
    let witness = game.not_superadditive().unwrap();
    assert_eq!(witness.groups, (Coalition::of([0, 1]), Coalition::of([2, 3])));
    assert!((witness.loss - 25.2).abs() < 1e-9);
    near(&game.nucleolus().unwrap().division, &vertices_nucleolus_of_two_pairs(), 1e-8);
}

/// Both sellers get the same and both buyers: one number is free, and every pair has half of the gain, so that the largest
/// excess of what is left decides.
fn vertices_nucleolus_of_two_pairs() -> Vec<f64> {
    // With s for a seller and b = 20.8 - s for a buyer, the pairs have an excess of 12.6 whatever s is. Two sellers and a
    // buyer object 35.2 - 2 s - b = 14.4 - s, a seller and two buyers 39.8 - s - 2 b = s - 1.8: equal at s = 8.1.
    vec![8.1, 12.7, 8.1, 12.7]
}

#[test]
fn an_estate_is_divided_as_the_talmud_says() {
    let claims = [100.0, 200.0, 300.0];
    for (estate, expected) in [(100.0, [100.0 / 3.0; 3]), (200.0, [50.0, 75.0, 75.0]), (300.0, [50.0, 100.0, 150.0])] {
        near(&bankruptcy(estate, &claims).nucleolus().unwrap().division, &expected, 1e-8);
    }
}

/// The cost of a runway is that of the largest aircraft: who needs a stretch shares its cost equally (Littlechild and Owen, 1973).
#[test]
fn a_runway_is_paid_by_those_who_need_it() {
    let costs = [1.0, 3.0, 4.0, 4.0, 9.0];
    let game = CoalitionGame::of(5, |s| -s.members().map(|i| costs[i]).fold(0.0, f64::max)).unwrap();
    near(
        &game.shapley().iter().map(|x| -x).collect::<Vec<_>>(),
        &[0.2, 0.7, 31.0 / 30.0, 31.0 / 30.0, 181.0 / 30.0],
        1e-12,
    );
    assert_eq!((game.not_superadditive(), game.not_convex()), (None, None));
}

#[test]
fn a_vote_of_a_large_party_counts_as_banzhaf_says() {
    // Quota 51 of 50, 49 and 1: swings 3, 1 and 1 of 4.
    let votes = [50.0, 49.0, 1.0];
    let game = CoalitionGame::of(3, |s| f64::from(u8::from(s.sum(&votes) >= 51.0))).unwrap();
    near(&game.banzhaf(), &[0.75, 0.25, 0.25], 1e-15);
    near(&game.shapley(), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0], 1e-15);
}

#[test]
fn gloves_that_are_scarce_get_everything() {
    // Two left gloves, three right ones.
    let game = CoalitionGame::of(5, |s| {
        let left = s.members().filter(|i| *i < 2).count();
        left.min(s.size() - left) as f64
    })
    .unwrap();
    near(&game.nucleolus().unwrap().division, &[1.0, 1.0, 0.0, 0.0, 0.0], 1e-9);
    assert!(game.least_core().unwrap().epsilon.abs() < 1e-9);
    let single = |x: f64| Interval { least: x, most: x };
    for (found, expected) in game.core_intervals().unwrap().iter().zip([1.0, 1.0, 0.0, 0.0, 0.0].map(single)) {
        near(&[found.least, found.most], &[expected.least, expected.most], 1e-8);
    }
}

#[test]
fn players_that_gain_more_alone_have_a_prenucleolus() {
    // Joining costs: no division leaves everybody as well off as alone.
    let game = CoalitionGame::of(3, |s| if s.size() == 1 { 2.0 } else { 0.0 }).unwrap();
    let found = game.nucleolus().unwrap();
    assert!(!found.is_rational);
    near(&found.division, &[0.0; 3], 1e-9);
    assert!(game.not_superadditive().is_some());
}

#[test]
fn one_player_and_two_players_and_nothing_to_gain() {
    let one = CoalitionGame::of(1, |_| 5.0).unwrap();
    near(&one.nucleolus().unwrap().division, &[5.0], 0.0);
    near(&one.shapley(), &[5.0], 0.0);
    assert_eq!(one.core_intervals().unwrap(), [Interval { least: 5.0, most: 5.0 }]);
    let two = CoalitionGame::of(2, |s| [0.0, 1.0, 2.0, 7.0][s.index()]).unwrap();
    near(&two.nucleolus().unwrap().division, &[3.0, 4.0], 1e-9);
    near(&two.shapley(), &[3.0, 4.0], 1e-12);
    let none = CoalitionGame::of(4, |_| 0.0).unwrap();
    near(&none.nucleolus().unwrap().division, &[0.0; 4], 1e-9);
    assert_eq!(none.marginal_proportional(), None);
    assert!(CoalitionGame::of(0, |_| 0.0).is_err() && CoalitionGame::of(17, |_| 0.0).is_err());
    assert!(CoalitionGame::of(2, |_| f64::NAN).is_err());
}

#[test]
fn sampled_orders_come_near_the_exact_value_within_their_errors() {
    let game = bankruptcy(500.0, &[100.0, 200.0, 300.0, 50.0, 220.0]);
    let orders = antithetic_orders(5, 400, &mut stream(1, "orders", 0, 0));
    let found = sampled_shapley(&orders, |k, j| game.value(Coalition::of(orders[k][..j].iter().copied())));
    assert!((found.division.iter().sum::<f64>() - 500.0).abs() < 1e-9);
    for ((estimate, error), exact) in found.division.iter().zip(&found.standard_error).zip(game.shapley()) {
        assert!(
            *error > 0.0 && *error < 3.0 && (estimate - exact).abs() < 4.0 * error,
            "{estimate} +- {error}, {exact}"
        );
    }
    // All orders of three players give the value itself.
    let all = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1], [1, 2, 0]].map(|o| o.to_vec());
    let three = three_agents();
    let found = sampled_shapley(&all, |k, j| three.value(Coalition::of(all[k][..j].iter().copied())));
    near(&found.division, &three.shapley(), 1e-12);
}

#[test]
fn many_players_are_settled() {
    let mut random = stream(3, "claims", 0, 0);
    let claims: Vec<f64> = (0..12).map(|_| random.random_range(1.0..100.0)).collect();
    let estate = 0.4 * claims.iter().sum::<f64>();
    near(&bankruptcy(estate, &claims).nucleolus().unwrap().division, &talmud(estate, &claims), 1e-6);
}

/// A game of `n` players by its values.
fn game(n: usize) -> impl Strategy<Value = CoalitionGame> {
    vec(-2.0..10.0_f64, 1 << n).prop_map(move |mut values| {
        // Alone nobody gains, as in games of gains.
        (0..n).for_each(|i| values[1 << i] = 0.0);
        let all = (1 << n) - 1;
        values[all] = values[all].abs() + 5.0;
        CoalitionGame::of(n, |s| values[s.index()]).unwrap()
    })
}

fn any_game() -> impl Strategy<Value = CoalitionGame> {
    (2_usize..=5).prop_flat_map(game)
}

fn renamed(game: &CoalitionGame, order: &[usize]) -> CoalitionGame {
    CoalitionGame::of(game.players(), |s| game.value(Coalition::of(s.members().map(|i| order[i])))).unwrap()
}

/// Excesses from the largest.
fn sorted_excesses(game: &CoalitionGame, division: &[f64]) -> Vec<f64> {
    let mut excesses: Vec<f64> = game.proper().map(|s| game.value(s) - s.sum(division)).collect();
    excesses.sort_by(|a, b| b.total_cmp(a));
    excesses
}

/// Least excess over the vertices of `x(S) + e >= v(S)`, `x(N) = v(N)`: every choice of `n` rows.
fn least_excess_of_vertices(game: &CoalitionGame) -> f64 {
    let n = game.players();
    let rows: Vec<Coalition> = game.proper().collect();
    let mut best = f64::INFINITY;
    choose(rows.len(), n, &mut vec![], &mut |chosen| {
        let of = |r: usize| if r < n { rows[chosen[r]] } else { Coalition::all(n) };
        let matrix = DMatrix::from_fn(n + 1, n + 1, |r, c| match c {
            c if c < n => f64::from(u8::from(of(r).contains(c))),
            _ => f64::from(u8::from(r < n)),
        });
        let rhs = DVector::from_fn(n + 1, |r, _| game.value(of(r)));
        let lu = matrix.full_piv_lu();
        if lu.is_invertible()
            && let Some(point) = lu.solve(&rhs)
        {
            let division = &point.as_slice()[..n];
            if game.excess(division).value <= point[n] + 1e-9 {
                best = best.min(point[n]);
            }
        }
    });
    best
}

fn choose(from: usize, count: usize, chosen: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
    if chosen.len() == count {
        visit(chosen);
        return;
    }
    for next in chosen.last().map_or(0, |last| last + 1)..from {
        chosen.push(next);
        choose(from, count, chosen, visit);
        chosen.pop();
    }
}

/// Least and most over the vertices of `x(S) >= v(S) - e`, `x(N) = v(N)`.
fn intervals_of_vertices(game: &CoalitionGame, excess: f64) -> Vec<Interval> {
    let n = game.players();
    let rows: Vec<Coalition> = game.proper().collect();
    let mut found = vec![Interval { least: f64::INFINITY, most: f64::NEG_INFINITY }; n];
    choose(rows.len(), n - 1, &mut vec![], &mut |chosen| {
        let of = |r: usize| if r < n - 1 { rows[chosen[r]] } else { Coalition::all(n) };
        let matrix = DMatrix::from_fn(n, n, |r, c| f64::from(u8::from(of(r).contains(c))));
        let rhs = DVector::from_fn(n, |r, _| game.value(of(r)) - if r < n - 1 { excess } else { 0.0 });
        let lu = matrix.full_piv_lu();
        if lu.is_invertible()
            && let Some(point) = lu.solve(&rhs)
            && game.excess(point.as_slice()).value <= excess + 1e-9
        {
            for (i, x) in point.iter().enumerate() {
                found[i] = Interval { least: found[i].least.min(*x), most: found[i].most.max(*x) };
            }
        }
    });
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn divisions_add_up_and_keep_their_axioms(game in any_game(), twist in 0_u64..1000) {
        let n = game.players();
        for division in [game.shapley(), game.nucleolus().unwrap().division, game.equal()] {
            prop_assert!((division.iter().sum::<f64>() - game.total()).abs() < 1e-8);
        }
        // Names do not matter.
        let order = antithetic_orders(n, 1, &mut stream(twist, "names", 0, 0)).swap_remove(0);
        let other = renamed(&game, &order);
        let back = |division: Vec<f64>| {
            let mut of = vec![0.0; n];
            (0..n).for_each(|i| of[order[i]] = division[i]);
            of
        };
        near(&back(other.shapley()), &game.shapley(), 1e-10);
        near(&back(other.nucleolus().unwrap().division), &game.nucleolus().unwrap().division, 1e-6);
        // Who adds nothing to anybody gets nothing, and two that add the same get the same.
        let more = CoalitionGame::of(n + 1, |s| game.value(s.without(n))).unwrap();
        prop_assert!(more.shapley()[n].abs() < 1e-10);
        near(&more.shapley()[..n], &game.shapley(), 1e-10);
        let twins = CoalitionGame::of(n + 1, |s| {
            let twin = s.contains(n) || s.contains(n - 1);
            let one = if twin { s.without(n).with(n - 1) } else { s };
            if one.is_empty() { 0.0 } else { game.value(one) }
        }).unwrap();
        let (shapley, nucleolus) = (twins.shapley(), twins.nucleolus().unwrap().division);
        prop_assert!((shapley[n] - shapley[n - 1]).abs() < 1e-10);
        prop_assert!((nucleolus[n] - nucleolus[n - 1]).abs() < 1e-6);
    }

    #[test]
    fn no_nearby_division_has_lexicographically_smaller_excesses(game in any_game(), twist in 0_u64..1000) {
        let found = game.nucleolus().unwrap();
        prop_assume!(found.is_rational);
        let n = game.players();
        let here = sorted_excesses(&game, &found.division);
        let mut random = stream(twist, "directions", 0, 0);
        for step in [1e-3, 1e-1, 1.0] {
            for _ in 0..100 {
                // A division that leaves nobody worse off than alone.
                let moved: Vec<f64> =
                    found.division.iter().map(|x| (x + step * random.random_range(-1.0..1.0)).max(0.0)).collect();
                let sum: f64 = moved.iter().sum();
                let other: Vec<f64> = moved.iter().map(|x| x * game.total() / sum).collect();
                if other.iter().zip(&found.division).all(|(a, b)| (a - b).abs() < 1e-5) {
                    continue;
                }
                let there = sorted_excesses(&game, &other);
                let first = here.iter().zip(&there).find(|(a, b)| (*a - *b).abs() > 1e-6);
                prop_assert!(first.is_none_or(|(a, b)| a < b), "{other:?} is better than {found:?} ({n} players)");
            }
        }
    }

    #[test]
    fn the_least_core_is_that_of_enumerated_vertices(game in (2_usize..=4).prop_flat_map(game)) {
        let least = game.least_core().unwrap();
        prop_assert!((least.epsilon - least_excess_of_vertices(&game)).abs() < 1e-8, "{least:?}");
        prop_assert!((game.excess(&least.division).value - least.epsilon).abs() < 1e-8);
        if game.is_none(least.epsilon) {
            let nucleolus = game.nucleolus().unwrap();
            prop_assert!((game.excess(&nucleolus.division).value - least.epsilon).abs() < 1e-7);
        }
        let found = game.core_intervals().unwrap();
        let expected = intervals_of_vertices(&game, least.epsilon.max(0.0));
        for (f, e) in found.iter().zip(&expected) {
            prop_assert!((f.least - e.least).abs() < 1e-6 && (f.most - e.most).abs() < 1e-6, "{f:?} {e:?}");
        }
    }

    #[test]
    fn estates_of_any_size_are_divided_as_the_talmud_says(
        claims in vec(1.0..50.0_f64, 2..7), share in 0.05..0.95_f64,
    ) {
        let estate = share * claims.iter().sum::<f64>();
        let game = bankruptcy(estate, &claims);
        near(&game.nucleolus().unwrap().division, &talmud(estate, &claims), 1e-6);
        // It is convex: the Shapley value is in the core.
        prop_assert!(game.not_convex().is_none() && game.not_superadditive().is_none());
        prop_assert!(game.excess(&game.shapley()).value < 1e-9);
    }

    #[test]
    fn what_is_said_of_a_game_is_what_enumeration_finds(game in any_game()) {
        let n = game.players();
        let pairs = || Coalition::each(n).flat_map(|s| Coalition::each(n).map(move |t| (s, t)));
        let mut disjoint = pairs().filter(|(s, t)| s.members().all(|i| !t.contains(i)));
        let superadditive =
            disjoint.all(|(s, t)| game.value(s) + game.value(t) <= game.value(s.union(t)) + 1e-8);
        prop_assert_eq!(game.not_superadditive().is_none(), superadditive);
        let meet = |s: Coalition, t: Coalition| Coalition::of(s.members().filter(|i| t.contains(*i)));
        let convex = pairs().all(|(s, t)| {
            game.value(s) + game.value(t) <= game.value(s.union(t)) + game.value(meet(s, t)) + 1e-8
        });
        prop_assert_eq!(game.not_convex().is_none(), convex);
        if let Some(w) = game.not_convex() {
            let (with, both) = (w.group.with(w.first), w.group.with(w.first).with(w.second));
            let less = game.value(w.group.with(w.second)) - game.value(w.group) - (game.value(both) - game.value(with));
            prop_assert!((less - w.loss).abs() < 1e-12 && less > 0.0);
        }
    }
}
