//! What a reader wants to know first: which mechanism did best at what, where the gains come from, and what went wrong.
//!
//! Read from the tables of a result store, so that it is the same after a run, a resumed run and a collection.

mod text;

use anyhow::Context;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// The runs of a store, in the order of its tables.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    runs: Vec<Run>,
    refuted: Vec<Refuted>,
    /// How policies were made comparable: the measure, and the label of the policy that the others were matched with.
    matching: Option<(String, String)>,
}

#[derive(Clone, Debug)]
struct Run {
    id: String,
    scenario: String,
    mechanism: String,
    policy: String,
    status: String,
    reason: String,
    /// Swept parameters with their values, as written.
    swept: Vec<String>,
    /// Columns of the run table that hold a number.
    numbers: BTreeMap<String, f64>,
    gains: Gains,
    matched: Option<Matched>,
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

impl Summary {
    /// Reads the tables `runs`, `participants` and `certificates`, and of the manifest how policies were made comparable.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut summary = Self { matching: matching(folder), ..Self::default() };
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
                numbers: row.numbers(),
                gains: Gains::default(),
                matched: None,
            });
        }
        for row in table(folder, "participants")? {
            if let Some(&run) = at.get(&row.text("run_id")) {
                let gains = &mut summary.runs[run].gains;
                gains.total += row.number("gain");
                gains.resource += row.number("gain_resource");
                gains.retail_margin += row.number("gain_retail_margin");
                gains.carbon += row.number("gain_carbon");
                gains.network += row.number("gain_network");
            }
        }
        for row in table(folder, "certificates")? {
            let verdict = row.text("verdict");
            if let ("match", Some(&run)) = (row.cell("name"), at.get(&row.text("run_id"))) {
                summary.runs[run].matched =
                    Some(Matched { is_met: verdict == "upheld", distance: row.cell("value").parse().ok() });
            }
            if verdict != "refuted" {
                continue;
            }
            summary.refuted.push(Refuted {
                run: row.text("run_id"),
                name: row.text("name"),
                value: row.text("value"),
                tolerance: row.text("tolerance"),
                witness: row.text("witness"),
            });
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
}

impl Run {
    fn answered(&self) -> bool {
        self.status == "converged" || self.status == "no_equilibrium"
    }
}

/// The runs of a scenario under a policy.
struct Group<'a> {
    scenario: &'a str,
    policy: &'a str,
    runs: Vec<&'a Run>,
}

/// What one can be best at.
#[derive(Clone, Copy)]
struct Criterion {
    column: &'static str,
    title: &'static str,
    best: Best,
}

#[derive(Clone, Copy, PartialEq)]
enum Best {
    Least,
    Most,
}

const CRITERIA: [Criterion; 6] = [
    Criterion { column: "social_cost", title: "least social cost", best: Best::Least },
    Criterion { column: "emissions_kg", title: "least emissions (kg)", best: Best::Least },
    Criterion { column: "total_cost", title: "least cost to participants", best: Best::Least },
    Criterion { column: "jain_index", title: "most even gains (Jain)", best: Best::Most },
    Criterion { column: "peak_import_kw", title: "least peak import (kW)", best: Best::Least },
    Criterion { column: "renewable_utilisation", title: "most renewables used", best: Best::Most },
];

impl Group<'_> {
    /// Mechanisms in their order with the mean of a figure over seeds and swept values; only answered runs count.
    fn means(&self, figure: impl Fn(&Run) -> Option<f64>) -> Vec<(&str, f64)> {
        let mut sums: Vec<(&str, f64, usize)> = vec![];
        for run in self.runs.iter().filter(|run| run.answered()) {
            let Some(value) = figure(run) else { continue };
            match sums.iter_mut().find(|sum| sum.0 == run.mechanism) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + value, sum.2 + 1),
                None => sums.push((&run.mechanism, value, 1)),
            }
        }
        sums.into_iter().map(|(mechanism, sum, count)| (mechanism, sum / count as f64)).collect()
    }

    /// The best mechanisms at something, with the value; several where they are equal to a hundredth of a percent, none
    /// where all are.
    fn best(&self, criterion: Criterion) -> Option<(Vec<&str>, f64)> {
        let means = self.means(|run| run.numbers.get(criterion.column).copied());
        let sign = if criterion.best == Best::Least { 1.0 } else { -1.0 };
        let best = means.iter().map(|m| sign * m.1).min_by(f64::total_cmp)?;
        let tolerance = 1e-4 * best.abs() + 1e-9;
        let winners: Vec<&str> = means.iter().filter(|m| sign * m.1 <= best + tolerance).map(|m| m.0).collect();
        (winners.len() < means.len()).then_some((winners, sign * best))
    }
}

/// A row of a table by the names of its columns.
struct Row {
    header: Rc<csv::StringRecord>,
    cells: csv::StringRecord,
}

impl Row {
    fn cell(&self, column: &str) -> &str {
        self.header.iter().position(|name| name == column).and_then(|k| self.cells.get(k)).unwrap_or("")
    }

    fn text(&self, column: &str) -> String {
        self.cell(column).to_owned()
    }

    /// A missing figure adds nothing.
    fn number(&self, column: &str) -> f64 {
        self.cell(column).parse().unwrap_or(0.0)
    }

    /// Parameters that were swept: their columns are named by paths.
    fn swept(&self) -> Vec<String> {
        let cells = self.header.iter().zip(&self.cells);
        cells.filter(|(name, cell)| name.contains('.') && !cell.is_empty()).map(|(n, c)| format!("{n} = {c}")).collect()
    }

    fn numbers(&self) -> BTreeMap<String, f64> {
        let parsed =
            self.header.iter().zip(&self.cells).map(|(name, cell)| Some((name.to_owned(), cell.parse().ok()?)));
        parsed.flatten().collect()
    }
}

/// A store without a manifest that says so has not matched anything.
fn matching(folder: &Path) -> Option<(String, String)> {
    let text = std::fs::read_to_string(folder.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    let choice = manifest["choices"].get(0)?;
    Some((choice["match"].as_str()?.to_owned(), choice["matched_with"].as_str()?.to_owned()))
}

fn table(folder: &Path, name: &str) -> anyhow::Result<Vec<Row>> {
    let path = folder.join(format!("{name}.csv"));
    let said = || format!("cannot read `{}`", path.display());
    let mut reader = csv::Reader::from_path(&path).with_context(said)?;
    let header = Rc::new(reader.headers().with_context(said)?.clone());
    reader.records().map(|cells| Ok(Row { header: header.clone(), cells: cells.with_context(said)? })).collect()
}
