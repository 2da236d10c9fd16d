//! What a reader wants to know first: which mechanism did best at what, where the gains come from, and what went wrong.
//!
//! Read from a result store, so that it is the same after a run, a resumed run and a collection.

mod compared;
mod panel;
mod policies;
mod text;

use coase_core::record::Table;
use coase_store::{Dataset, Frame, Manifest, RowRef, as_played};
use panel::Group;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    /// The run table, and its row there.
    table: Rc<Frame>,
    row: usize,
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
    ///
    /// # Errors
    /// If a run file cannot be read.
    pub fn read(results: &Dataset) -> anyhow::Result<Self> {
        let mut summary = Self { assumptions: assumptions(results.manifest()), ..Self::default() };
        let table = Rc::new(results.runs().clone());
        for run in 0..table.len() {
            let rows = results.rows_of(&[Table::Participants, Table::Certificates], run)?;
            let rows = |of: Table| rows.get(&of).map(Frame::rows).into_iter().flatten();
            summary.add(&table, run, rows(Table::Participants), rows(Table::Certificates));
        }
        Ok(summary)
    }

    /// Adds a run with its participants and certificates.
    fn add<'a>(
        &mut self,
        table: &Rc<Frame>,
        row: usize,
        participants: impl Iterator<Item = RowRef<'a>>,
        certificates: impl Iterator<Item = RowRef<'a>>,
    ) {
        let of = table.row(row);
        let swept = || table.all().iter().filter(|series| series.head.is_swept());
        let told = swept().map(|series| (&series.head.name, series.text(row))).filter(|(_, cell)| !cell.is_empty());
        let mut run = Run {
            id: of.text("run_id"),
            scenario: of.text("scenario"),
            mechanism: as_played(&of.text("variant"), &of.text("reporting")),
            policy: of.text("carbon_label"),
            status: of.text("status"),
            reason: of.text("reason"),
            swept: told.map(|(name, cell)| format!("{name} = {cell}")).collect(),
            point: swept().map(|series| series.text(row)).chain([of.text("seed")]).collect(),
            table: table.clone(),
            row,
            ..Run::default()
        };
        for row in participants {
            // A missing figure adds nothing.
            let number = |column: &str| row.number(column).unwrap_or(0.0);
            let gains = &mut run.gains;
            gains.total += number("gain");
            gains.resource += number("gain_resource");
            gains.retail_margin += number("gain_retail_margin");
            gains.carbon += number("gain_carbon");
            gains.network += number("gain_network");
            gains.payments -= number("payment");
            // A millionth of what is at stake is a solver's rounding.
            let stake = number("disagreement_cost").abs() + number("payment").abs() + 1.0;
            run.losers += usize::from(number("gain") < -1e-6 * stake);
        }
        for row in certificates {
            let (verdict, value) = (row.word("verdict"), row.number("value"));
            let excess = || value.map(|by| Excess { by, place: row.text("witness") });
            match row.word("name") {
                "match" => run.matched = Some(Matched { is_met: verdict == "upheld", distance: value }),
                "voltage_excess_pu" => run.voltage = excess(),
                "rating_excess_kva" => run.rating = excess(),
                _ => {}
            }
            if verdict == "refuted" {
                run.refuted += 1;
                self.refuted.push(Refuted {
                    run: run.id.clone(),
                    name: row.text("name"),
                    value: row.text("value"),
                    tolerance: row.text("tolerance"),
                    witness: row.text("witness"),
                });
            }
        }
        self.runs.push(run);
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

    /// Scenarios with all their runs, in the order of the table.
    fn scenarios(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group> = vec![];
        for run in &self.runs {
            match groups.iter_mut().find(|g| g.scenario == run.scenario) {
                Some(group) => group.runs.push(run),
                None => groups.push(Group { scenario: &run.scenario, policy: "", runs: vec![run] }),
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
            let columns = run.table.all().iter().filter(|series| series.head.name != "seed");
            (run.status.clone(), columns.map(|series| series.number(run.row)).collect::<Vec<_>>())
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
    /// A number of the run table.
    fn number(&self, column: &str) -> Option<f64> {
        self.table.row(self.row).number(column)
    }

    fn answered(&self) -> bool {
        self.status == "converged" || self.status == "no_equilibrium"
    }
}

/// What the manifest says about its scenarios.
fn assumptions(manifest: &Manifest) -> Vec<Assumptions> {
    let of_scenario = |choices: &coase_store::Choices| Assumptions {
        currency: manifest.scenarios.get(&choices.scenario).and_then(|s| s.currency.clone()).unwrap_or_default(),
        upstream_cost: choices.upstream_cost.clone(),
        damage_per_tonne: Some(choices.damage_per_tonne),
        damage_from: choices.damage_from.clone(),
        matching: choices.matched_with.clone().map(|with| (choices.matching.clone(), with)),
        scenario: choices.scenario.clone(),
    };
    manifest.choices.iter().map(of_scenario).collect()
}
