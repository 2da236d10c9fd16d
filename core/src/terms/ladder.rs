//! The stepped carbon price: a base price that grows from tier to tier, and what a surplus of allowances earns.

use super::Charge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a surplus earns; tiers of the reward are as wide as those of the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Reward {
    /// The base price for every kg (R1).
    #[default]
    Flat,
    /// Nothing (R0).
    Nothing,
    /// The base price in the first tier, less by this share of it in every further one, and never less than nothing (R2).
    Declining(f64),
    /// The base price in the first tier, more by this share of it in every further one (R3): not convex.
    Escalating(f64),
    /// As [`Reward::Escalating`], and the first tier already earns more (R3'): not convex at zero either.
    EscalatingAtOnce(f64),
}

impl Reward {
    /// Price of a kg of surplus in a tier, relative to the base price.
    fn factor(self, tier: f64) -> f64 {
        match self {
            Reward::Flat => 1.0,
            Reward::Nothing => 0.0,
            Reward::Declining(rate) => (1.0 - rate * tier).max(0.0),
            Reward::Escalating(rate) => 1.0 + rate * tier,
            Reward::EscalatingAtOnce(rate) => 1.0 + rate * (tier + 1.0),
        }
    }
}

/// How the price of a tier follows from the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GrowthRule {
    /// Every tier adds the same share of the base price: `base (1 + k growth)`.
    #[default]
    Added,
    /// Every tier adds that share of the price of the tier before: `base (1 + growth)^k`.
    Compounded,
}

impl GrowthRule {
    /// Price of a kg in tier `k`, relative to the base price.
    fn factor(self, growth: f64, tier: usize) -> f64 {
        match self {
            GrowthRule::Added => 1.0 + growth * tier as f64,
            GrowthRule::Compounded => (1.0 + growth).powf(tier as f64),
        }
    }
}

/// A ladder of prices on a balance `x` in kg: `base (1 + k growth)` in tier `k`, between `k` and `k + 1` intervals; the last
/// tier has no end. Tiers of the reward mirror those of the price.
///
/// ```text
/// F(x) = max_k  base (1 + k growth) x - base interval growth k (k + 1) / 2      for x >= 0
/// ```
///
/// A kg is priced at the tier it lies in; the tiers below keep their prices, so that `F` has no jump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ladder {
    /// Price of a kg in the first tier.
    pub base_price_per_kg: f64,
    /// Width of a tier, kg; infinite means one tier.
    pub interval_kg: f64,
    /// What every tier adds, as a share of the base price.
    pub growth: f64,
    /// Number of tiers on either side, at least one.
    pub tiers: usize,
    /// What a surplus earns.
    pub reward: Reward,
}

impl From<Ladder> for Charge {
    fn from(ladder: Ladder) -> Self {
        ladder.growing(GrowthRule::Added)
    }
}

impl Ladder {
    /// The charge where prices grow by another rule from tier to tier. Any rule that does not lower them leaves it convex for
    /// `x >= 0`.
    pub fn growing(self, rule: GrowthRule) -> Charge {
        let ladder = self;
        let tiers = ladder.tiers.max(1);
        let step = |k: usize| k as f64 * ladder.interval_kg;
        let rewards = (0..tiers).rev().map(|k| ladder.base_price_per_kg * ladder.reward.factor(k as f64));
        let prices = (0..tiers).map(|k| ladder.base_price_per_kg * rule.factor(ladder.growth, k));
        let below = (1..tiers).rev().map(|k| -step(k));
        let breakpoints: Vec<f64> = below.chain([0.0]).chain((1..tiers).map(step)).collect();
        Charge::of_pieces(&breakpoints, &rewards.chain(prices).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tonnes and money per tonne keep the published numbers legible.
    fn published(reward: Reward) -> Charge {
        Ladder { base_price_per_kg: 280.0, interval_kg: 2.0, growth: 0.25, tiers: 5, reward }.into()
    }

    fn meets(charge: &Charge, oracle: &[(f64, f64)]) {
        for &(x, expected) in oracle {
            let found = charge.value(x);
            assert!((found - expected).abs() < 1e-6, "F({x}) = {found}, expected {expected}");
        }
    }

    #[test]
    fn the_published_ladder_has_the_published_values() {
        let ladder = published(Reward::Flat);
        assert_eq!(ladder.slopes, [280.0, 350.0, 420.0, 490.0, 560.0]);
        assert_eq!(ladder.breakpoints, [2.0, 4.0, 6.0, 8.0]);
        meets(&ladder, &[(0.0, 0.0), (2.0, 560.0), (4.0, 1260.0), (6.0, 2100.0), (8.0, 3080.0), (10.0, 4200.0)]);
        meets(&ladder, &[(1.0, 280.0), (3.0, 910.0), (5.0, 1680.0), (7.0, 2590.0), (9.0, 3640.0)]);
        meets(&ladder, &[(12.3456789, 5513.580184), (-1.0, -280.0)]);
        // A flat price of 320 crosses it at 4.2.
        meets(&ladder, &[(4.2, 320.0 * 4.2)]);
    }

    /// 280 times powers of 1.25; what two tiers and more cost is their sum, 2 t each.
    #[test]
    fn a_ladder_may_grow_by_compounding() {
        let ladder =
            Ladder { base_price_per_kg: 280.0, interval_kg: 2.0, growth: 0.25, tiers: 5, reward: Reward::Flat };
        let compounded = ladder.growing(GrowthRule::Compounded);
        assert_eq!(compounded.slopes, [280.0, 350.0, 437.5, 546.875, 683.59375]);
        assert_eq!(compounded.breakpoints, [2.0, 4.0, 6.0, 8.0]);
        meets(&compounded, &[(-1.0, -280.0), (2.0, 560.0), (4.0, 1260.0), (6.0, 2135.0), (10.0, 4595.9375)]);
        assert!(compounded.is_convex());
        assert_eq!(ladder.growing(GrowthRule::Added), ladder.into());
    }

    #[test]
    fn rewards_have_the_published_values() {
        meets(&published(Reward::Nothing), &[(-3.0, 0.0), (3.0, 910.0)]);
        meets(&published(Reward::Declining(0.2)), &[(-3.0, -784.0), (-5.0, -1176.0)]);
        meets(&published(Reward::Escalating(0.25)), &[(-2.0, -560.0), (-3.0, -910.0), (-5.0, -1680.0)]);
        meets(&published(Reward::EscalatingAtOnce(0.25)), &[(-2.0, -700.0), (-3.0, -1120.0), (-5.0, -2030.0)]);
    }

    #[test]
    fn only_escalating_rewards_are_not_convex() {
        for reward in [Reward::Flat, Reward::Nothing, Reward::Declining(0.2)] {
            assert!(published(reward).is_convex());
        }
        for reward in [Reward::Escalating(0.25), Reward::EscalatingAtOnce(0.25)] {
            assert!(!published(reward).is_convex());
        }
    }

    /// Lines of the epigraph: intercepts 0, 140, 420, 840, 1400.
    #[test]
    fn a_ladder_is_the_maximum_of_its_lines() {
        let ladder = published(Reward::Flat);
        let lines = [(280.0, 0.0), (350.0, 140.0), (420.0, 420.0), (490.0, 840.0), (560.0, 1400.0)];
        for step in -40..200 {
            let x = 0.1 * f64::from(step);
            let highest = lines.iter().map(|(s, c)| s * x - c).fold(f64::NEG_INFINITY, f64::max);
            assert!((ladder.value(x) - highest).abs() < 1e-9);
        }
    }

    /// Printed with the constants of two reward tiers swapped, the reward jumps by 840 at a balance of zero.
    #[test]
    fn the_form_in_circulation_with_swapped_constants_jumps_and_ours_does_not() {
        let (base, interval, rate) = (280.0, 2.0, 0.25);
        let circulating = |x: f64| match x {
            x if x <= -interval => -base * (1.0 + 2.0 * rate) * (-x - interval),
            x if x <= 0.0 => -base * (1.0 + 2.0 * rate) * interval + base * (1.0 + rate) * x,
            _ => published(Reward::Flat).value(x),
        };
        assert!((circulating(1e-9) - circulating(0.0) - 840.0).abs() < 1e-6);
        for reward in [Reward::Escalating(rate), Reward::EscalatingAtOnce(rate), Reward::Declining(rate)] {
            let ladder = published(reward);
            for x in [-8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0] {
                assert!((ladder.value(x + 1e-9) - ladder.value(x - 1e-9)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn pricing_the_whole_excess_at_its_tier_would_jump_and_the_ladder_does_not() {
        let ladder = published(Reward::Flat);
        let whole = |x: f64| ladder.slopes_at(x).1 * x;
        assert!((whole(2.0) - whole(2.0 - 1e-6) - 140.0).abs() < 1e-3);
        assert!((ladder.value(2.0) - ladder.value(2.0 - 1e-6)).abs() < 1e-3);
    }

    #[test]
    fn splitting_an_account_pays() {
        let ladder = published(Reward::Flat);
        for (accounts, total) in [(1.0, 5320.0), (2.0, 4200.0), (3.0, 3780.0)] {
            assert!((accounts * ladder.value(12.0 / accounts) - total).abs() < 1e-9);
        }
    }

    #[test]
    fn three_pooled_ladders_are_one_with_three_times_the_interval() {
        let pool = published(Reward::Flat).pooled(3);
        meets(&pool, &[(10.0, 3080.0)]);
        let wide = Ladder { base_price_per_kg: 280.0, interval_kg: 6.0, growth: 0.25, tiers: 5, reward: Reward::Flat };
        assert_eq!(pool, wide.into());
    }

    /// Balances of 5 and -1 pay 1400; equal balances of 2 pay 1120: passing 3 tonnes on is worth 280.
    #[test]
    fn passing_allowances_on_gains_280() {
        let ladder = published(Reward::Flat);
        let (apart, together) = (ladder.value(5.0) + ladder.value(-1.0), ladder.pooled(2).value(4.0));
        assert!((apart - 1400.0).abs() < 1e-9 && (together - 1120.0).abs() < 1e-9);
    }

    #[test]
    fn growth_zero_and_an_endless_interval_are_a_flat_price() {
        let ladder = Ladder { base_price_per_kg: 280.0, interval_kg: 2.0, growth: 0.0, tiers: 5, reward: Reward::Flat };
        assert_eq!(Charge::from(ladder), Charge::linear(280.0));
        for x in [-7.0, 0.0, 3.0, 50.0] {
            let nearly = Ladder { growth: 1e-9, ..ladder };
            assert!((Charge::from(nearly).value(x) - 280.0 * x).abs() < 1e-3);
            let endless = Ladder { growth: 0.25, interval_kg: f64::INFINITY, tiers: 1, ..ladder };
            assert_eq!(Charge::from(endless).value(x), 280.0 * x);
            let wide = Ladder { growth: 0.25, interval_kg: 1e9, ..ladder };
            assert_eq!(Charge::from(wide).value(x), 280.0 * x);
        }
    }

    fn any_reward() -> impl Strategy<Value = Reward> {
        prop_oneof![
            Just(Reward::Flat),
            Just(Reward::Nothing),
            (0.0..0.5).prop_map(Reward::Declining),
            (0.0..0.5).prop_map(Reward::Escalating),
            (0.0..0.5).prop_map(Reward::EscalatingAtOnce),
        ]
    }

    fn any_ladder() -> impl Strategy<Value = Charge> {
        ((0.05..1.0f64), (0.5..5.0f64), (0.0..0.6f64), (1usize..6), any_reward()).prop_map(
            |(base_price_per_kg, interval_kg, growth, tiers, reward)| {
                Ladder { base_price_per_kg, interval_kg, growth, tiers, reward }.into()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ladders_are_superadditive_above_zero(f in any_ladder(), x in 0.0..40.0f64, y in 0.0..40.0f64) {
            prop_assert!(f.value(x + y) >= f.value(x) + f.value(y) - 1e-9);
        }

        #[test]
        fn marginal_prices_are_the_one_sided_derivatives(f in any_ladder(), x in -30.0..30.0f64) {
            let h = 1e-4;
            let (below, above) = ((f.value(x) - f.value(x - h)) / h, (f.value(x + h) - f.value(x)) / h);
            let (low, high) = f.slopes_at(x);
            let near = f.breakpoints.iter().any(|b| (b - x).abs() < 2.0 * h);
            prop_assert!(near || ((below - low).abs() < 1e-6 && (above - high).abs() < 1e-6));
        }

        #[test]
        fn hourly_settlement_costs_no_less_than_daily(
            (base_price_per_kg, interval_kg, growth) in (0.05..1.0f64, 1.0..20.0f64, 0.0..0.6f64),
            hours in prop::collection::vec(-3.0..5.0f64, 2..24),
        ) {
            let daily = Ladder { base_price_per_kg, interval_kg, growth, tiers: 5, reward: Reward::Flat };
            let hourly = Ladder { interval_kg: interval_kg / hours.len() as f64, ..daily };
            let by_hour: f64 = hours.iter().map(|x| Charge::from(hourly).value(*x)).sum();
            prop_assert!(by_hour >= Charge::from(daily).value(hours.iter().sum()) - 1e-9);
        }

        /// By definition: no point of a grid is better, and the bound is attained.
        #[test]
        fn the_conjugate_is_the_greatest_earning(f in any_ladder(), share in 0.0..=1.0f64) {
            let (first, last) = (f.slopes[0], f.slopes[f.slopes.len() - 1]);
            let price = first + share * (last - first);
            prop_assume!(price >= first && price <= last);
            let reach = 1.0 + f.breakpoints.iter().fold(0.0, |most: f64, b| most.max(b.abs()));
            let grid = (-400..=400).map(|k| reach * f64::from(k) / 400.0).chain(f.breakpoints.clone());
            let greatest = grid.map(|x| price * x - f.value(x)).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((f.conjugate(price) - greatest).abs() < 1e-9, "{} {}", f.conjugate(price), greatest);
            prop_assert_eq!(f.conjugate(last + 1e-3), f64::INFINITY);
            if f.is_convex() {
                let (low, high) = f.demand(price);
                for x in [low, high].into_iter().filter(|x| x.is_finite()) {
                    prop_assert!((price * x - f.value(x) - greatest).abs() < 1e-9);
                }
            }
        }

        #[test]
        fn the_prox_is_the_least_point(f in any_ladder(), centre in -30.0..30.0f64, gamma in 0.1..20.0f64) {
            let cost = |x: f64| f.value(x) + (x - centre).powi(2) / (2.0 * gamma);
            let found = cost(f.prox(centre, gamma));
            for k in -800..=800 {
                prop_assert!(found <= cost(centre + 0.05 * f64::from(k)) + 1e-9);
            }
        }

        #[test]
        fn the_prox_respects_a_cap(f in any_ladder(), centre in -30.0..30.0f64, cap in -10.0..10.0f64) {
            let capped = Charge { cap_kg: Some(cap), ..f };
            let cost = |x: f64| capped.value(x) + (x - centre).powi(2) / 2.0;
            let x = capped.prox(centre, 1.0);
            prop_assert!(x <= cap);
            for k in 0..=800 {
                prop_assert!(cost(x) <= cost(cap - 0.05 * f64::from(k)) + 1e-9);
            }
        }
    }

    /// The published prox: constant on `[b + gamma s_below, b + gamma s_above]`, shifted by `gamma s` between.
    #[test]
    fn the_prox_stays_at_a_breakpoint_over_an_interval() {
        let f = published(Reward::Flat);
        let gamma = 0.01;
        for (centre, expected) in [(2.0, -0.8), (4.8, 2.0), (5.5, 2.0), (5.6, 2.1), (13.9, 8.3), (-3.0, -5.8)] {
            assert!((f.prox(centre, gamma) - expected).abs() < 1e-12, "{centre}");
        }
        assert_eq!(published(Reward::Nothing).prox(2.0, gamma), 0.0);
    }
}
