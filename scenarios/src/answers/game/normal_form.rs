//! `NormalForm(..)`: a finite game by its payoffs, its pure equilibria, and what learners make of it.

use super::named::{Named, cell, check_ids};
use super::{Form, Game, GameAnswer, GameError, Sheet};
use crate::fault::{Cause, Fault};
use crate::text::Text;
use coase_core::declaration::{Declaration, schema_of};
use coase_core::learning::{Learned, Learner, NormalForm as Strategic, NormalFormError, learn};
use coase_core::number;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;

pub(super) const FORM: Form = Form {
    head: "NormalForm",
    read: |text| Ok(Box::new(read(text)?)),
    schema: schema_of::<NormalForm>,
    declarations: || {
        vec![
            ("NormalForm", Declaration::of::<NormalForm>()),
            ("NormalFormPlayer", Declaration::of::<NormalFormPlayer>()),
        ]
    },
};

/// A game with finitely many strategies.
///
/// `NormalForm(players: [(id: "row", strategies: ["T", "B"]), (id: "column", strategies: ["L", "R"])], payoffs: [2, -2, -1, 1, -1, 1,
/// 1, -1])`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NormalForm {
    /// Who plays.
    pub players: Vec<NormalFormPlayer>,
    /// At each profile, the last player's strategy moving fastest, one number for each player; those of a profile may stand in
    /// brackets of their own.
    #[serde(deserialize_with = "flat")]
    #[schemars(schema_with = "numbers_or_rows")]
    pub payoffs: Vec<f64>,
    /// Rounds that learners play; by default 10 000, and fewer in games with many profiles.
    #[schemars(range(min = 1))]
    pub rounds: Option<usize>,
    /// Seed of learners that draw.
    pub seed: u64,
    /// Payoff by which the logit response errs; by default a twentieth of the widest range of payoffs.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub noise: Option<f64>,
}

/// A player with its strategies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalFormPlayer {
    /// Name, of which there is one in the file.
    pub id: String,
    /// Names of its strategies.
    pub strategies: Vec<String>,
}

fn numbers_or_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]}})
}

/// A list of numbers, some of which may stand in brackets.
fn flat<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    struct Numbers;
    impl<'de> Visitor<'de> for Numbers {
        type Value = Vec<f64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, or the numbers of a profile in brackets")
        }

        fn visit_f64<E>(self, x: f64) -> Result<Self::Value, E> {
            Ok(vec![x])
        }

        fn visit_i64<E>(self, x: i64) -> Result<Self::Value, E> {
            Ok(vec![x as f64])
        }

        fn visit_u64<E>(self, x: u64) -> Result<Self::Value, E> {
            Ok(vec![x as f64])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut all = vec![];
            while let Some(x) = seq.next_element()? {
                all.push(x);
            }
            Ok(all)
        }
    }
    struct Part(Vec<f64>);
    impl<'de> Deserialize<'de> for Part {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Numbers).map(Part)
        }
    }
    let parts: Vec<Part> = Vec::deserialize(deserializer)?;
    Ok(parts.into_iter().flat_map(|part| part.0).collect())
}

/// A game that was checked.
struct Checked {
    players: Vec<String>,
    strategies: Vec<Vec<String>>,
    form: Strategic,
    rounds: usize,
    seed: u64,
    noise: f64,
}

/// Rounds by default, and what they may cost: products of chances.
const ROUNDS: usize = 10_000;
const MOST_PRODUCTS: usize = 500_000_000;

fn read(text: &Text) -> Result<Checked, Fault> {
    let NormalForm { players, payoffs, rounds, seed, noise } = text.parse()?;
    let ids = check_ids(text, "players", "player", players.iter().map(|player| &player.id))?;
    for (i, player) in players.iter().enumerate() {
        let at = |s: usize| format!("players.{i}.strategies.{s}");
        if player.strategies.is_empty() {
            return Err(text.fault(&format!("players.{i}.strategies"), Cause::Empty("strategies")));
        }
        for (s, name) in player.strategies.iter().enumerate() {
            if player.strategies[..s].contains(name) {
                return Err(text.fault(&at(s), Cause::Twice { kind: "strategy", name: name.clone() }));
            }
        }
    }
    let counts: Vec<usize> = players.iter().map(|player| player.strategies.len()).collect();
    let form = Strategic::new(counts, payoffs).map_err(|error| {
        let field = "payoffs".to_owned();
        match error {
            NormalFormError::Value { at, value } => {
                let (found, expected) = (format!("{value} at place {at}"), "finite numbers".to_owned());
                text.fault(&format!("payoffs.{at}"), Cause::Field { field, found, expected })
            }
            NormalFormError::Payoffs { found, expected } => {
                let expected = format!("{expected} numbers, one for each player at each profile");
                text.fault("payoffs", Cause::Field { field, found: format!("a list of {found} numbers"), expected })
            }
            other => {
                let (found, expected) = (other.to_string(), "a game that can be listed".to_owned());
                text.fault("players", Cause::Field { field: "players".into(), found, expected })
            }
        }
    })?;
    if rounds == Some(0) {
        let (field, found) = ("rounds".to_owned(), "0".to_owned());
        return Err(text.fault("rounds", Cause::Field { field, found, expected: "at least 1".into() }));
    }
    let widest = (0..ids.len()).map(|player| form.range(player)).fold(0.0, f64::max);
    let noise = noise.unwrap_or(if widest > 0.0 { 0.05 * widest } else { 1.0 });
    if !(noise.is_finite() && noise > 0.0) {
        return Err(text.fault("noise", Cause::Value { field: "noise", value: noise, expected: "a number above 0" }));
    }
    let products = form.profiles() * ids.len() * ids.len();
    let rounds = rounds.unwrap_or(ROUNDS.min(MOST_PRODUCTS / products).max(1));
    let strategies = players.into_iter().map(|player| player.strategies).collect();
    Ok(Checked { players: ids, strategies, form, rounds, seed, noise })
}

/// Equilibria and learned play.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NormalFormAnswer {
    /// Profiles from which nobody gains by moving alone, by player.
    pub pure_equilibria: Vec<Named<String>>,
    /// By learner, what its play averages to where everybody follows it.
    pub learned: Named<LearnedPlay>,
    /// Rounds played.
    pub rounds: usize,
}

/// What a learner's play averages to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnedPlay {
    /// By player and strategy, the share of rounds.
    pub profile: Named<Named<f64>>,
    /// What players gain in all by their best reply to it.
    pub exploitability: f64,
    /// By player, what one strategy all along would have brought more per round.
    pub regret: Named<f64>,
    /// By player, what that is known not to exceed, in expectation where play is drawn; `None` without a known bound.
    pub regret_bound: Option<Named<f64>>,
}

impl Checked {
    fn by_player<T>(&self, values: impl IntoIterator<Item = T>) -> Named<T> {
        Named(self.players.iter().cloned().zip(values).collect())
    }

    fn play(&self, learner: Learner) -> LearnedPlay {
        let Learned { average, exploitability, regrets, bounds, .. } =
            learn(&self.form, learner, self.rounds, self.seed);
        let named = |(x, names): (Vec<f64>, &Vec<String>)| Named(names.iter().cloned().zip(x).collect());
        LearnedPlay {
            profile: self.by_player(average.into_iter().zip(&self.strategies).map(named)),
            exploitability,
            regret: self.by_player(regrets),
            regret_bound: bounds.map(|bounds| self.by_player(bounds)),
        }
    }
}

impl Game for Checked {
    fn answer(&self) -> Result<Box<dyn GameAnswer>, GameError> {
        let learners = [
            Learner::Hedge { rate: None },
            Learner::Exp3 { exploration: None },
            Learner::RegretMatching { plus: false },
            Learner::RegretMatching { plus: true },
            Learner::FictitiousPlay,
            Learner::LogitResponse { noise: self.noise },
        ];
        let named = |profile: Vec<usize>| {
            self.by_player(profile.into_iter().zip(&self.strategies).map(|(s, names)| names[s].clone()))
        };
        Ok(Box::new(NormalFormAnswer {
            pure_equilibria: self.form.pure_equilibria().into_iter().map(named).collect(),
            learned: Named(
                learners.into_iter().map(|learner| (learner.name().to_owned(), self.play(learner))).collect(),
            ),
            rounds: self.rounds,
        }))
    }

    fn strategic_form(&self) -> Option<Result<String, GameError>> {
        Some(Ok(self.form.nfg("a strategic form", &self.players, &self.strategies)))
    }
}

impl GameAnswer for NormalFormAnswer {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn sheets(&self) -> Vec<Sheet> {
        let players: Vec<&String> = self.learned.0[0].1.profile.0.iter().map(|(id, _)| id).collect();
        let said = |x: &Named<f64>| {
            let parts: Vec<String> =
                x.0.iter().filter(|(_, p)| *p > 5e-4).map(|(s, p)| format!("{s} {p:.3}")).collect();
            parts.join(", ")
        };
        let row = |(learner, play): &(String, LearnedPlay)| {
            let profile = play.profile.0.iter().map(|(_, x)| said(x));
            [learner.replace('_', " "), cell(play.exploitability)].into_iter().chain(profile).collect()
        };
        let head = ["learner", "exploitability"].into_iter().chain(players.iter().map(|id| id.as_str()));
        let equilibrium = |profile: &Named<String>| {
            let parts: Vec<String> = profile.0.iter().map(|(id, s)| format!("{id} {s}")).collect();
            format!("pure equilibrium: {}", parts.join(", "))
        };
        let mut notes = vec![format!("what play averages to after {} rounds", number(self.rounds as f64))];
        if self.pure_equilibria.is_empty() {
            notes.push("there is no pure equilibrium".to_owned());
        }
        notes.extend(self.pure_equilibria.iter().map(equilibrium));
        vec![Sheet { head: head.map(str::to_owned).collect(), rows: self.learned.0.iter().map(row).collect(), notes }]
    }
}
