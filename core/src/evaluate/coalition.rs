//! Would a group do better by itself, and could any division have kept it?

use super::Case;
use super::measures::money_tolerance;
use crate::coalition::{Coalition, CoalitionError, CoalitionGame};
use crate::market::NetworkMode;
use crate::outcome::Certificate;
use crate::setting::Setting;
use crate::words::number;

/// Groups are enumerated exactly up to this many members.
const MOST_MEMBERS: usize = 12;

const EXCESS: &str = "core_excess";
const LEAST: &str = "least_core_epsilon";

/// What a search over all groups found.
pub(super) struct Coalitions {
    /// Certificate `core_excess`, with the group as witness.
    pub excess: Certificate,
    /// What any division leaves: `least_core_epsilon`, and what each member gets in the core, `core_least_gain` and
    /// `core_most_gain` with the member as witness. They are of the scenario and its terms, whatever the mechanism.
    pub of_all_divisions: Vec<Certificate>,
}

/// `max over groups S of v(S) - sum of gains in S`, with `v(S)` the gain that the group reaches by itself, and the least that
/// any division of `v(N)` leaves.
///
/// The group of all counts where the outcome falls short of what all could gain; otherwise nobody can be better off with all
/// than with what was divided.
pub(super) fn search(case: &Case) -> Coalitions {
    let market = &case.cleared.truth;
    let n = market.len();
    let none = |why: String| Coalitions { excess: Certificate::not_applicable(EXCESS, why), of_all_divisions: vec![] };
    if n > MOST_MEMBERS {
        return none(format!("{n} members: groups are enumerated up to {MOST_MEMBERS}"));
    }
    let game = match market.remembered_coalitions(&NetworkMode::Ignored) {
        Ok(game) => game,
        Err(error) => return none(error.to_string()),
    };
    let setting = market.setting();
    let gains = case.gains();
    let all = Coalition::all(n);
    let worst = game.excess(&gains);
    let left = game.total() - all.sum(&gains);
    let short = worst.coalition.is_empty() || (left > worst.value && left > money_tolerance(case));
    let (value, group) = if short { (left, all) } else { (worst.value, worst.coalition) };
    let of_all_divisions = of_all_divisions(setting, &game)
        .unwrap_or_else(|error| vec![Certificate::not_applicable(LEAST, error.to_string())]);
    Coalitions { excess: Certificate::measure(EXCESS, value, named(setting, group)), of_all_divisions }
}

fn of_all_divisions(setting: &Setting, game: &CoalitionGame) -> Result<Vec<Certificate>, CoalitionError> {
    let epsilon = game.least_core()?.epsilon;
    let joining = game.not_superadditive().map_or_else(String::new, |found| {
        let [first, second] = [found.groups.0, found.groups.1].map(|group| named(setting, group));
        format!("; {first} and {second} lose {} by joining", number(found.loss))
    });
    let witness = if game.is_none(epsilon) {
        String::new()
    } else {
        format!("the core is empty: under every division some group gains this much more by itself{joining}")
    };
    let mut found = vec![Certificate::measure(LEAST, epsilon, witness)];
    for (member, interval) in setting.members.iter().zip(game.core_intervals()?) {
        found.push(Certificate::measure("core_least_gain", interval.least, member.id.as_str()));
        found.push(Certificate::measure("core_most_gain", interval.most, member.id.as_str()));
    }
    Ok(found)
}

fn named(setting: &Setting, group: Coalition) -> String {
    let names: Vec<&str> = group.members().map(|i| setting.members[i].id.as_str()).collect();
    format!("{{{}}}", names.join(", "))
}
