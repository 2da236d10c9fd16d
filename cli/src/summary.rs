//! What a reader wants to know first: which mechanism did best at what, where the gains come from, and what went wrong.
//!
//! Read from the tables of a result store, so that it is the same after a run, a resumed run and a collection.

mod compared;
mod panel;
mod text;

use crate::rows::table;
use panel::Group;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The runs of a store, in the order of its tables.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    runs: Vec<Run>,
    refuted: Vec<Refuted>,
    assumptions: Vec<Assumptions>,
}

#[derive(Clone, Debug, Default)]
struct Run {
    id: String,
    scenario: String,
    mechanism: String,
    policy: String,
    status: String,
    reason: String,
    /// Swept parameters with their values, as written.
    swept: Vec<String>,
    /// Values of all swept parameters, then the seed; empty where the run does not have the parameter.
    point: Vec<String>,
    /// Columns of the run table that hold a number.
    numbers: BTreeMap<String, f64>,
    gains: Gains,
    /// Participants that are worse off than without trade.
    losers: usize,
    refuted: usize,
    voltage: Option<Excess>,
    rating: Option<Excess>,
    matched: Option<Matched>,
}

/// How far a run is beyond the network's limits, and where.
#[derive(Clone, Debug, Default, PartialEq)]
struct Excess {
    by: f64,
    place: String,
}

/// How near a run came to what it was matched with.
#[derive(Clone, Copy, Debug)]
struct Matched {
    is_met: bool,
    /// Relative to the target; missing where nothing was found.
    distance: Option<f64>,
}

/// Sums over the participants of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Gains {
    total: f64,
    resource: f64,
    retail_margin: f64,
    carbon: f64,
    network: f64,
    /// Received from each other, the operator and others: what participants pay on balance, with the other sign.
    payments: f64,
}

/// A claim that does not hold.
#[derive(Clone, Debug)]
struct Refuted {
    run: String,
    name: String,
    value: String,
    tolerance: String,
    witness: String,
}

/// What the manifest says about a scenario that a reader of its costs must know.
#[derive(Clone, Debug, Default)]
struct Assumptions {
    scenario: String,
    currency: String,
    upstream_cost: String,
    damage_per_tonne: Option<f64>,
    /// The policy whose price was taken for the damage.
    damage_from: Option<String>,
    /// How policies were made comparable: the measure, and the policy that the others were matched with.
    matching: Option<(String, String)>,
}

impl Summary {
    /// Reads the tables `runs`, `participants` and `certificates`, and of the manifest what figures are measured with.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut summary = Self { assumptions: assumptions(folder), ..Self::default() };
        let mut at = BTreeMap::new();
        for row in table(folder, "runs")? {
            at.insert(row.text("run_id"), summary.runs.len());
            summary.runs.push(Run {
                id: row.text("run_id"),
                scenario: row.text("scenario"),
                mechanism: row.text("variant"),
                policy: row.text("carbon_label"),
                status: row.text("status"),
                reason: row.text("reason"),
                swept: row.swept(),
                point: row.point(),
                numbers: row.numbers(),
                ..Run::default()
            });
        }
        for row in table(folder, "participants")? {
            if let Some(&run) = at.get(&row.text("run_id")) {
                let run = &mut summary.runs[run];
                let gains = &mut run.gains;
                gains.total += row.number("gain");
                gains.resource += row.number("gain_resource");
                gains.retail_margin += row.number("gain_retail_margin");
                gains.carbon += row.number("gain_carbon");
                gains.network += row.number("gain_network");
                gains.payments -= row.number("payment");
                // A millionth of what is at stake is a solver's rounding.
                let stake = row.number("disagreement_cost").abs() + row.number("payment").abs() + 1.0;
                run.losers += usize::from(row.number("gain") < -1e-6 * stake);
            }
        }
        for row in table(folder, "certificates")? {
            let Some(&run) = at.get(&row.text("run_id")) else { continue };
            let run = &mut summary.runs[run];
            let (verdict, value) = (row.text("verdict"), row.cell("value").parse().ok());
            let excess = || value.map(|by| Excess { by, place: row.text("witness") });
            match row.cell("name") {
                "match" => run.matched = Some(Matched { is_met: verdict == "upheld", distance: value }),
                "voltage_excess_pu" => run.voltage = excess(),
                "rating_excess_kva" => run.rating = excess(),
                _ => {}
            }
            if verdict == "refuted" {
                run.refuted += 1;
                summary.refuted.push(Refuted {
                    run: row.text("run_id"),
                    name: row.text("name"),
                    value: row.text("value"),
                    tolerance: row.text("tolerance"),
                    witness: row.text("witness"),
                });
            }
        }
        Ok(summary)
    }

    /// Scenarios and policies with the runs under them, in the order of the table.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group> = vec![];
        for run in &self.runs {
            let of_run = |g: &&mut Group| g.scenario == run.scenario && g.policy == run.policy;
            match groups.iter_mut().find(of_run) {
                Some(group) => group.runs.push(run),
                None => groups.push(Group { scenario: &run.scenario, policy: &run.policy, runs: vec![run] }),
            }
        }
        groups
    }

    fn assumptions_of(&self, scenario: &str) -> Option<&Assumptions> {
        self.assumptions.iter().find(|a| a.scenario == scenario)
    }

    /// Whether several seeds were run and none of them changed a figure.
    fn seeds_change_nothing(&self) -> bool {
        let seed = |run: &Run| run.point.last().cloned().unwrap_or_default();
        let without = |run: &Run| {
            let swept = run.point[..run.point.len().saturating_sub(1)].to_vec();
            (run.scenario.clone(), run.mechanism.clone(), run.policy.clone(), swept)
        };
        let figures = |run: &Run| {
            let mut numbers = run.numbers.clone();
            numbers.remove("seed");
            (run.status.clone(), numbers)
        };
        let seeds: BTreeSet<String> = self.runs.iter().map(seed).collect();
        let mut first: BTreeMap<_, &Run> = BTreeMap::new();
        let same = self.runs.iter().all(|run| {
            let known = first.entry(without(run)).or_insert(run);
            figures(known) == figures(run)
        });
        seeds.len() > 1 && same
    }
}

impl Run {
    fn answered(&self) -> bool {
        self.status == "converged" || self.status == "no_equilibrium"
    }
}

/// What the manifest of a store says about its scenarios; nothing where there is none.
fn assumptions(folder: &Path) -> Vec<Assumptions> {
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).ok();
    let manifest: serde_json::Value =
        manifest.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(serde_json::Value::Null);
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let choices = manifest["choices"].as_array().map_or(&[][..], Vec::as_slice);
    let of_scenario = |choice: &serde_json::Value| {
        let scenario = text(&choice["scenario"]).unwrap_or_default();
        Assumptions {
            currency: text(&manifest["scenarios"][&scenario]["currency"]).unwrap_or_default(),
            upstream_cost: text(&choice["upstream_cost"]).unwrap_or_default(),
            damage_per_tonne: choice["damage_per_tonne"].as_f64(),
            damage_from: text(&choice["damage_from"]),
            matching: text(&choice["match"]).zip(text(&choice["matched_with"])),
            scenario,
        }
    };
    choices.iter().map(of_scenario).collect()
}
