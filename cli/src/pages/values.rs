//! The figures of a page: its experiments, run or read from where they ran before.

use super::details;
use super::expression::{Figures, Missing, Reference};
use super::named::{Figure, Run, whole};
use crate::offence::Offence;
use crate::progress::{RunBar, Show};
use crate::rows::{Row, table};
use crate::run::of_this_build;
use anyhow::Context;
use coase_core::record::Table;
use coase_core::statistics::against::Order;
use coase_scenarios::{Cause, Override, StoreOptions};
use coase_store::{Dataset, Frame, Store, as_played};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The experiments of a page.
#[derive(Default)]
pub struct Runs {
    stores: BTreeMap<String, Tables>,
    /// Those that read data which is not there.
    absent: Vec<String>,
}

#[derive(Default)]
struct Tables {
    folder: PathBuf,
    /// Whether seeds are days in order.
    in_order: bool,
    rows: BTreeMap<String, Vec<Row>>,
    /// Tables with many rows for a run, read where a page asks for them.
    frames: BTreeMap<Table, OnceCell<Frame>>,
}

/// Runs what was not run before; every experiment has a folder of its own below `out`.
pub fn run_all(runs: Vec<&Run>, library: &Path, out: &Path) -> anyhow::Result<Runs> {
    let mut all = Runs::default();
    for run in runs {
        let set =
            run.set.iter().map(|s| s.parse::<Override>()).collect::<Result<Vec<_>, _>>().map_err(Offence::from)?;
        let experiment = match coase_scenarios::load(&library.join(&run.file), &set) {
            Err(fault) if matches!(*fault.cause, Cause::NoData { .. }) => {
                all.absent.push(run.name.clone());
                continue;
            }
            loaded => loaded.map_err(Offence::from)?,
        };
        let folder = out.join(&run.name);
        let store = Store::create(folder.clone())?;
        let bar = Arc::new(RunBar::new(Show::OnTerminals));
        // Runs of another build would prove nothing about this one.
        let options = StoreOptions { file: Some(library.join(&run.file)), ..of_this_build()? };
        drop(experiment.run_into(&store, &options, bar.clone())?);
        bar.finish();
        let results = Dataset::open(&folder)?;
        let in_order = results.manifest().seeds_in_order;
        let mut tables = Tables { folder, in_order, ..Tables::default() };
        tables.frames = details::TABLES.into_iter().map(|table| (table, OnceCell::new())).collect();
        for name in [Table::Runs, Table::Participants, Table::Certificates, Table::Ledger] {
            tables.rows.insert(name.name().to_owned(), table(&results, name)?);
        }
        all.stores.insert(run.name.clone(), tables);
    }
    Ok(all)
}

impl Tables {
    /// A whole table, read once.
    fn frame(&self, table: Table) -> Result<&Frame, String> {
        if let Some(frame) = self.frames.get(&table).and_then(OnceCell::get) {
            return Ok(frame);
        }
        let read = Dataset::open(&self.folder).and_then(|results| results.table(table)).map_err(|e| e.to_string())?;
        let cell = self.frames.get(&table).ok_or_else(|| format!("`{}` is not read by pages", table.name()))?;
        Ok(cell.get_or_init(|| read))
    }
}

impl Runs {
    #[cfg(test)]
    pub fn of<const N: usize>(name: &str, tables: [(&str, Vec<Row>); N]) -> Self {
        let rows = tables.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
        Self { stores: BTreeMap::from([(name.to_owned(), Tables { rows, ..Tables::default() })]), absent: vec![] }
    }

    #[cfg(test)]
    pub fn forget(&mut self, name: &str) {
        self.absent.push(name.to_owned());
    }

    /// Names of the experiments that were not run, for the data that they read is not there.
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    fn tables(&self, run: &str) -> Result<&Tables, String> {
        self.stores.get(run).ok_or_else(|| format!("no `{{{{run {run}: ..}}}}` in the template"))
    }

    /// The run that a reference is about, of one seed where one is told.
    fn run(&self, reference: &Reference, seed: Option<u64>) -> Result<&Row, String> {
        let [mechanism, policy, rest @ ..] = &reference.labels[..] else {
            return Err("a figure is told by mechanism and policy".to_owned());
        };
        let swept: Vec<&String> = match reference.table.as_str() {
            "runs" => rest.iter().collect(),
            table if details::table(table).is_some() => vec![],
            "certificates" => rest.iter().filter(|label| whose(label).is_none()).collect(),
            _ => rest.iter().skip(1).collect(),
        };
        let here = |row: &&Row| {
            as_played(row.cell("variant"), row.cell("reporting")) == *mechanism
                && row.cell("carbon_label") == policy
                && swept.iter().all(|label| row.is_swept_to(label))
                && seed.is_none_or(|seed| row.cell("seed") == seed.to_string())
        };
        let rows = self.tables(&reference.run)?.rows.get("runs").map_or(&[][..], Vec::as_slice);
        let named = || format!("{} of `{}`", reference.labels.join(", "), reference.run);
        let mut found = rows.iter().filter(here);
        let first = found.next().ok_or_else(|| format!("no run of {}", named()))?;
        match found.next() {
            Some(other) if other.cell("seed") != first.cell("seed") => {
                Err(format!("{} are runs of several seeds: write `mean(..)`", named()))
            }
            Some(other) if other.cell("scenario") != first.cell("scenario") => {
                Err(format!("{} are runs of several scenarios", named()))
            }
            _ => Ok(first),
        }
    }

    /// How the one run that a reference is about ended.
    pub fn status(&self, reference: &Reference) -> Result<&str, String> {
        self.run(reference, None).map(|run| run.cell("status"))
    }

    /// A figure of the one run that a reference is about.
    pub fn figure(&self, reference: &Reference) -> Result<f64, String> {
        self.of_run(reference, self.run(reference, None)?)
    }

    fn of_run(&self, reference: &Reference, run: &Row) -> Result<f64, String> {
        let named = || format!("{} of `{}`", reference.labels.join(", "), reference.run);
        if !is_answered(run) {
            return Err(format!("{} is {}: {}", named(), run.cell("status"), run.cell("reason")));
        }
        if reference.table == "ledger" {
            return Ok(self.paid(reference, run.cell("run_id")));
        }
        if reference.table == "moved" {
            return self.moved(reference, run);
        }
        if reference.table == "certificates" {
            return self.certified(reference, run.cell("run_id"));
        }
        if let Some(table) = details::table(&reference.table) {
            let frame = self.tables(&reference.run)?.frame(table)?;
            return details::figure(frame, table, reference, run.cell("run_id"));
        }
        let row = if reference.table == "runs" {
            run
        } else {
            let rows = self.tables(&reference.run)?.rows.get(&reference.table);
            let participant = reference.labels.get(2).map_or("", String::as_str);
            let here = |row: &&Row| row.cell("run_id") == run.cell("run_id") && row.cell("participant") == participant;
            rows.into_iter().flatten().find(here).ok_or_else(|| format!("no row of {}", named()))?
        };
        let cell = row.cell(&reference.column);
        cell.parse().map_err(|_| format!("`{}` of {} is `{cell}`, no number", reference.column, named()))
    }

    /// What a party pays on balance for a reason, refunds included: `ledger.carbon[MECHANISM, POLICY, PARTY]`.
    fn paid(&self, reference: &Reference, run_id: &str) -> f64 {
        let party = reference.labels.get(2).map_or("", String::as_str);
        let rows = self.tables(&reference.run).ok().and_then(|tables| tables.rows.get("ledger"));
        let of_run = |row: &&Row| row.cell("run_id") == run_id && row.cell("reason").starts_with(&reference.column);
        let paid = |row: &Row| {
            let amount: f64 = row.cell("amount").parse().unwrap_or(0.0);
            amount * (f64::from(u8::from(row.cell("from") == party)) - f64::from(u8::from(row.cell("to") == party)))
        };
        rows.into_iter().flatten().filter(of_run).map(paid).sum()
    }

    /// The value of a certificate: `certificates.leader_gap[MECHANISM, POLICY]`; where there are several of its name, of the one
    /// whose witness begins with the participant of a label `of vpp1`.
    fn certified(&self, reference: &Reference, run_id: &str) -> Result<f64, String> {
        let rows = self.tables(&reference.run)?.rows.get("certificates");
        let whose = reference.labels.iter().find_map(|label| whose(label)).unwrap_or("");
        let here = |row: &&Row| {
            row.cell("run_id") == run_id
                && row.cell("name") == reference.column
                && row.cell("witness").strip_prefix(whose).is_some_and(|rest| whose.is_empty() || rest.starts_with(','))
        };
        let mut found = rows.into_iter().flatten().filter(here);
        let named = || format!("`{}` of {} of `{}`", reference.column, reference.labels.join(", "), reference.run);
        let first = found.next().ok_or_else(|| format!("no certificate {}", named()))?;
        if found.next().is_some() {
            return Err(format!("several certificates {}: say whose", named()));
        }
        let value = first.cell("value");
        value.parse().map_err(|_| format!("{} is `{value}`, no number", named()))
    }

    /// Energy that devices of a kind move between two policies, kWh: half the sum of what participants and periods differ by,
    /// `moved.ev_fleet_kw[MECHANISM, POLICY, OTHER POLICY]`.
    fn moved(&self, reference: &Reference, run: &Row) -> Result<f64, String> {
        let [mechanism, _, other] = &reference.labels[..] else {
            return Err("`moved` is told by mechanism and two policies".to_owned());
        };
        let to =
            Reference { table: "runs".into(), labels: vec![mechanism.clone(), other.clone()], ..reference.clone() };
        let results = Dataset::open(&self.tables(&reference.run)?.folder).map_err(|error| error.to_string())?;
        let ids: Vec<String> = results.runs().rows().map(|row| row.word("run_id").to_owned()).collect();
        let powers = |run: &Row| -> Result<Vec<f64>, String> {
            let place = ids.iter().position(|id| id == run.cell("run_id")).ok_or("a run without rows")?;
            let rows = results.rows(Table::Periods, place).map_err(|error| error.to_string())?;
            let column = rows.all().iter().find(|series| series.head.name == reference.column);
            let column = column.ok_or_else(|| format!("the table of periods has no column `{}`", reference.column))?;
            Ok((0..rows.len()).map(|row| column.text(row).parse().unwrap_or(0.0)).collect())
        };
        let (from, to) = (powers(run)?, powers(self.run(&to, None)?)?);
        let facts = results.manifest().scenarios.get(run.cell("scenario")).and_then(|facts| facts.period_h);
        let period_h = facts.ok_or("the manifest does not tell how long a period is")?;
        Ok(0.5 * period_h * from.iter().zip(&to).map(|(a, b)| (a - b).abs()).sum::<f64>())
    }

    /// The price at which a run was matched, and its emissions.
    pub fn matched(&self, reference: &Reference) -> Result<String, String> {
        let run = self.run(reference, None)?;
        let certificates = self.tables(&reference.run)?.rows.get("certificates").map_or(&[][..], Vec::as_slice);
        let of_run = |row: &&Row| row.cell("run_id") == run.cell("run_id") && row.cell("name") == "match";
        match certificates.iter().find(of_run).map(|row| row.cell("verdict")) {
            Some("upheld") | None => {}
            Some(_) => return Ok("not attainable".to_owned()),
        }
        let of = |column: &str| self.figure(&Reference { column: column.to_owned(), ..reference.clone() });
        Ok(format!("{}: {}", whole(of("carbon_price_per_tonne")?), whole(of("emissions_kg")?)))
    }

    /// Whether no run refutes a certificate and some run upholds it.
    pub fn upholds(&self, run: &str, certificate: &str) -> Result<(), String> {
        let rows = self.tables(run)?.rows.get("certificates").map_or(&[][..], Vec::as_slice);
        let of_name = || rows.iter().filter(|row| row.cell("name") == certificate);
        if let Some(row) = of_name().find(|row| row.cell("verdict") == "refuted") {
            return Err(format!("{certificate} is refuted in run {}: {}", row.cell("run_id"), row.cell("witness")));
        }
        if of_name().any(|row| row.cell("verdict") == "upheld") {
            Ok(())
        } else {
            Err(format!("no run upholds {certificate}"))
        }
    }

    /// Draws the figures of an experiment and takes one.
    pub fn draw(&self, figure: &Figure, docs: &Path) -> anyhow::Result<()> {
        let tables = self.tables(&figure.run).map_err(anyhow::Error::msg)?;
        let results = coase_plots::store::Store::read(&tables.folder)?;
        crate::plot::draw(&results, &tables.folder, &[coase_plots::Format::Png], Show::Never)?;
        let from = tables.folder.join("figures").join(&figure.stem).with_extension("png");
        let to = docs.join(&figure.file);
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy `{}` to `{}`", from.display(), to.display()))?;
        Ok(())
    }
}

impl Figures for Runs {
    fn figure(&self, reference: &Reference, seed: Option<u64>) -> Result<f64, Missing> {
        let run = self.run(reference, seed).map_err(Missing::Unknown)?;
        let kind = if is_answered(run) { Missing::Unknown } else { Missing::NoAnswer };
        self.of_run(reference, run).map_err(kind)
    }

    fn seeds(&self, run: &str) -> Result<(Vec<u64>, Order), String> {
        let tables = self.tables(run)?;
        let rows = tables.rows.get("runs").map_or(&[][..], Vec::as_slice);
        let mut seeds: Vec<u64> = rows.iter().filter_map(|row| row.cell("seed").parse().ok()).collect();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.len() < 2 {
            return Err(format!("`{run}` has no draws: it has one seed"));
        }
        Ok((seeds, if tables.in_order { Order::Days(None) } else { Order::Independent }))
    }
}

/// The participant that a label says a certificate is of.
fn whose(label: &str) -> Option<&str> {
    label.strip_prefix("of ")
}

fn is_answered(run: &Row) -> bool {
    run.cell("status") == "converged"
}
