//! `Coalitions(..)`: what groups of players gain by themselves, and the divisions of what all gain.

use super::named::{Named, cell};
use super::{Game, GameAnswer, GameError, Sheet};
use crate::fault::{Cause, Fault, did_you_mean};
use crate::text::Text;
use coase_core::coalition::{Coalition, CoalitionGame, Interval, MOST_PLAYERS};
use coase_core::number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A game in coalitional form: what each group of players gains by itself, over what its members have standing alone.
///
/// `Coalitions(players: ["a", "b", "c"], values: [(["a", "b"], 2.25), (["a", "b", "c"], 64.9)])`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Coalitions {
    /// The players, 1 to 16.
    pub players: Vec<String>,
    /// Groups of players with what each gains: a group at most once, its players in any order. A group that is not there gains
    /// nothing.
    pub values: Vec<(Vec<String>, f64)>,
}

/// A game that was checked.
pub(super) struct Checked {
    players: Vec<String>,
    game: CoalitionGame,
}

/// Reads and checks the form.
pub(super) fn read(text: &Text) -> Result<Checked, Fault> {
    let Coalitions { players, values } = text.parse()?;
    if players.is_empty() {
        return Err(text.fault("players", Cause::Empty("players")));
    }
    for (k, player) in players.iter().enumerate() {
        let at = format!("players.{k}");
        if player.trim().is_empty() {
            let why = "a player has a name";
            return Err(text.fault(&at, Cause::Name { kind: "a player", name: player.clone(), why }));
        }
        if players[..k].contains(player) {
            return Err(text.fault(&at, Cause::Twice { kind: "player", name: player.clone() }));
        }
    }
    if players.len() > MOST_PLAYERS {
        let (found, expected) = (format!("a list of {}", players.len()), format!("at most {MOST_PLAYERS} players"));
        let cause = Cause::Field { field: "players".into(), found, expected };
        let hint = "every group has a value, and groups double with each player".to_owned();
        return Err(text.fault(&format!("players.{MOST_PLAYERS}"), cause).with_hint(hint));
    }
    let mut worth: Vec<Option<f64>> = vec![None; 1 << players.len()];
    for (k, (group, value)) in values.iter().enumerate() {
        let coalition = group_of(group, &players, text, k)?;
        if !value.is_finite() {
            let field = format!("the gain of {}", named(&players, coalition));
            let (found, expected) = (value.to_string(), "a finite number".to_owned());
            return Err(text.fault(&format!("values.{k}.1"), Cause::Field { field, found, expected }));
        }
        if worth[coalition.index()].replace(*value).is_some() {
            let name = named(&players, coalition);
            return Err(text.fault(&format!("values.{k}.0"), Cause::Twice { kind: "coalition", name }));
        }
    }
    let game = CoalitionGame::of(players.len(), |s| worth[s.index()].unwrap_or(0.0)).map_err(|error| {
        let (field, found) = ("players".to_owned(), error.to_string());
        text.fault("players", Cause::Field { field, found, expected: "a game".into() })
    })?;
    Ok(Checked { players, game })
}

/// The coalition that an entry names.
fn group_of(group: &[String], players: &[String], text: &Text, entry: usize) -> Result<Coalition, Fault> {
    if group.is_empty() {
        return Err(text.fault(&format!("values.{entry}.0"), Cause::Empty("the group")));
    }
    let mut coalition = Coalition::default();
    for (j, name) in group.iter().enumerate() {
        let at = format!("values.{entry}.0.{j}");
        let Some(player) = players.iter().position(|player| player == name) else {
            let hint = did_you_mean(name, players.iter().map(String::as_str));
            return Err(text.fault(&at, Cause::Unknown { kind: "player", name: name.clone() }).with_hint(hint));
        };
        if coalition.contains(player) {
            return Err(text.fault(&at, Cause::Twice { kind: "player", name: name.clone() }));
        }
        coalition = coalition.with(player);
    }
    Ok(coalition)
}

fn named(players: &[String], coalition: Coalition) -> String {
    format!("{{{}}}", names(players, coalition).join(", "))
}

fn names(players: &[String], coalition: Coalition) -> Vec<String> {
    coalition.members().map(|player| players[player].clone()).collect()
}

/// Divisions of what all gain, and what groups have against them. Gains and excesses are in the unit of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoalitionsAnswer {
    /// The Shapley value (1953): what each brings, on average over all orders of joining.
    pub shapley: Named<f64>,
    /// The nucleolus (Schmeidler, 1969): lexicographically least excesses.
    pub nucleolus: Named<f64>,
    /// Equal shares.
    pub equal: Named<f64>,
    /// In proportion to what the others lose without each; `None` where that adds up to nothing.
    pub kalai_smorodinsky_marginal: Option<Named<f64>>,
    /// By rule, what the group gains that objects most: above 0 it would do better by itself.
    pub core_excess: Named<f64>,
    /// By rule, a group that would do better by itself: the one with the greatest excess; `None` where there is none.
    pub blocking: Named<Option<Vec<String>>>,
    /// By rule, the group with the greatest excess, whether or not it would do better; `None` for a single player.
    pub most_objecting: Named<Option<Vec<String>>>,
    /// The least excess that any division leaves: above 0 the core is empty.
    pub least_core_epsilon: f64,
    /// A division that reaches it.
    pub least_core: Named<f64>,
    /// What each player gets at least and at most in the core, or in the least core where the core is empty.
    pub core_interval: Named<[f64; 2]>,
    /// Swings: average marginal contribution over all groups (Banzhaf, 1965). No division.
    pub banzhaf: Named<f64>,
    /// Whether no two groups lose by joining.
    pub superadditive: bool,
    /// Two that lose most; `None` where none do.
    pub superadditive_witness: Option<Joining>,
    /// Whether nobody brings less to a larger group.
    pub convex: bool,
    /// Who brings less to which; `None` where nobody does.
    pub convex_witness: Option<Bringing>,
    /// Whether the nucleolus leaves everybody at least what it has alone; no division does where players gain more alone.
    pub nucleolus_individually_rational: bool,
    /// Largest proven distance of a linear program's answer from its optimum.
    pub gap: f64,
}

/// Two groups that lose by joining.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Joining {
    /// The groups.
    pub groups: [Vec<String>; 2],
    /// How much less they gain together.
    pub loss: f64,
}

/// A player that brings less to a larger group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bringing {
    /// Who.
    pub player: String,
    /// The smaller group.
    pub group: Vec<String>,
    /// Who makes it larger.
    pub with: String,
    /// How much less.
    pub loss: f64,
}

impl Game for Checked {
    fn answer(&self) -> Result<Box<dyn GameAnswer>, GameError> {
        Ok(Box::new(self.solved()?))
    }
}

impl Checked {
    fn solved(&self) -> Result<CoalitionsAnswer, GameError> {
        let Self { players, game } = self;
        let by_player = |gains: Vec<f64>| Named(players.iter().cloned().zip(gains).collect());
        let nucleolus = game.nucleolus()?;
        let least_core = game.least_core()?;
        let interval = |Interval { least, most }: Interval| [least, most];
        let intervals = game.core_intervals()?.into_iter().map(interval);
        let rules: Vec<(&str, Vec<f64>)> = [
            ("shapley", Some(game.shapley())),
            ("nucleolus", Some(nucleolus.division.clone())),
            ("equal", Some(game.equal())),
            ("kalai_smorodinsky_marginal", game.marginal_proportional()),
        ]
        .into_iter()
        .filter_map(|(rule, division)| Some((rule, division?)))
        .collect();
        let excess: Vec<_> = rules.iter().map(|(rule, division)| ((*rule).to_owned(), game.excess(division))).collect();
        let worst = |coalition: Coalition| (!coalition.is_empty()).then(|| names(players, coalition));
        let joining = game.not_superadditive().map(|found| Joining {
            groups: [found.groups.0, found.groups.1].map(|group| names(players, group)),
            loss: found.loss,
        });
        let bringing = game.not_convex().map(|found| Bringing {
            player: players[found.second].clone(),
            group: names(players, found.group),
            with: players[found.first].clone(),
            loss: found.loss,
        });
        Ok(CoalitionsAnswer {
            shapley: by_player(game.shapley()),
            nucleolus: by_player(nucleolus.division),
            equal: by_player(game.equal()),
            kalai_smorodinsky_marginal: game.marginal_proportional().map(by_player),
            core_excess: Named(excess.iter().map(|(rule, e)| (rule.clone(), e.value)).collect()),
            blocking: Named(
                excess
                    .iter()
                    .map(|(rule, e)| (rule.clone(), worst(e.coalition).filter(|_| !game.is_none(e.value))))
                    .collect(),
            ),
            most_objecting: Named(excess.iter().map(|(rule, e)| (rule.clone(), worst(e.coalition))).collect()),
            least_core_epsilon: least_core.epsilon,
            least_core: by_player(least_core.division),
            core_interval: Named(players.iter().cloned().zip(intervals).collect()),
            banzhaf: by_player(game.banzhaf()),
            superadditive: joining.is_none(),
            superadditive_witness: joining,
            convex: bringing.is_none(),
            convex_witness: bringing,
            nucleolus_individually_rational: nucleolus.is_rational,
            gap: nucleolus.gap.max(least_core.gap),
        })
    }
}

impl GameAnswer for CoalitionsAnswer {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn sheets(&self) -> Vec<Sheet> {
        vec![self.gains(), self.objections()]
    }
}

impl CoalitionsAnswer {
    fn gains(&self) -> Sheet {
        let divisions = [
            ("equal", Some(&self.equal)),
            ("Shapley", Some(&self.shapley)),
            ("marginal", self.kalai_smorodinsky_marginal.as_ref()),
            ("nucleolus", Some(&self.nucleolus)),
        ];
        let columns: Vec<(&str, &Named<f64>)> =
            divisions.into_iter().filter_map(|(name, of)| Some((name, of?))).collect();
        let head = ["player"].into_iter().chain(columns.iter().map(|(name, _)| *name)).chain(["core from", "to"]);
        let row = |i: usize| {
            let (player, [least, most]) = &self.core_interval.0[i];
            let gains = columns.iter().map(|(_, of)| of.0[i].1).chain([*least, *most]);
            [player.clone()].into_iter().chain(gains.map(cell)).collect()
        };
        let mut notes = vec![];
        if self.is_empty_core() {
            notes.push("the core is empty: its columns are those of the least core".to_owned());
        }
        if !self.nucleolus_individually_rational {
            notes.push(
                "players gain more alone than together: the nucleolus leaves some of them less than that".to_owned(),
            );
        }
        if self.kalai_smorodinsky_marginal.is_none() {
            notes.push(
                "nobody's absence costs the others anything: there is no marginal-proportional division".to_owned(),
            );
        }
        Sheet { head: head.map(str::to_owned).collect(), rows: (0..self.equal.0.len()).map(row).collect(), notes }
    }

    fn objections(&self) -> Sheet {
        let row = |k: usize| {
            let (rule, excess) = &self.core_excess.0[k];
            let group = self.most_objecting.0[k].1.as_ref().map_or("-".to_owned(), |group| group.join(", "));
            let blocks = if self.blocking.0[k].1.is_some() { "yes" } else { "no" };
            vec![rule.replace('_', " "), cell(*excess), blocks.to_owned(), group]
        };
        let mut notes = vec![format!("least core: epsilon {}", cell(self.least_core_epsilon))];
        notes.push(match &self.superadditive_witness {
            None => "superadditive: no two groups lose by joining".to_owned(),
            Some(Joining { groups: [a, b], loss }) => {
                format!(
                    "not superadditive: {{{}}} and {{{}}} lose {} by joining",
                    a.join(", "),
                    b.join(", "),
                    number(*loss)
                )
            }
        });
        notes.push(match &self.convex_witness {
            None => "convex: nobody brings less to a larger group".to_owned(),
            Some(Bringing { player, group, with, loss }) => {
                let group = group.join(", ");
                format!("not convex: {player} brings {} less to {{{group}}} with {with} than without", number(*loss))
            }
        });
        let head = ["rule", "excess", "blocked", "by the group that objects most"].map(str::to_owned).to_vec();
        Sheet { head, rows: (0..self.core_excess.0.len()).map(row).collect(), notes }
    }

    fn is_empty_core(&self) -> bool {
        // Of a single player nobody blocks anything.
        let scale = self.equal.0.iter().map(|(_, x)| x.abs()).sum::<f64>();
        self.least_core_epsilon > 1e-9 * (1.0 + scale)
    }
}
