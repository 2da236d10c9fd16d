//! The figures of a page: its experiments, run or read from where they ran before.

use super::expression::Reference;
use super::named::{Figure, Run, whole};
use crate::offence::Offence;
use crate::progress::{RunBar, Show};
use crate::rows::{Row, table};
use crate::run::of_this_build;
use anyhow::Context;
use coase_core::record::Table;
use coase_scenarios::{Override, StoreOptions};
use coase_store::{Dataset, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The experiments of a page.
#[derive(Default)]
pub struct Runs {
    stores: BTreeMap<String, Tables>,
}

#[derive(Default)]
struct Tables {
    folder: PathBuf,
    rows: BTreeMap<String, Vec<Row>>,
}

/// Runs what was not run before; every experiment has a folder of its own below `out`.
pub fn run_all(runs: Vec<&Run>, library: &Path, out: &Path) -> anyhow::Result<Runs> {
    let mut all = Runs::default();
    for run in runs {
        let set =
            run.set.iter().map(|s| s.parse::<Override>()).collect::<Result<Vec<_>, _>>().map_err(Offence::from)?;
        let experiment = coase_scenarios::load(&library.join(&run.file), &set).map_err(Offence::from)?;
        let folder = out.join(&run.name);
        let store = Store::create(folder.clone())?;
        let bar = Arc::new(RunBar::new(Show::OnTerminals));
        // Runs of another build would prove nothing about this one.
        let options = StoreOptions { file: Some(library.join(&run.file)), ..of_this_build()? };
        drop(experiment.run_into(&store, &options, bar.clone())?);
        bar.finish();
        let mut tables = Tables { folder, rows: BTreeMap::new() };
        let results = Dataset::open(&tables.folder)?;
        for name in [Table::Runs, Table::Participants, Table::Certificates, Table::Ledger] {
            tables.rows.insert(name.name().to_owned(), table(&results, name)?);
        }
        all.stores.insert(run.name.clone(), tables);
    }
    Ok(all)
}

impl Runs {
    #[cfg(test)]
    pub fn of<const N: usize>(name: &str, tables: [(&str, Vec<Row>); N]) -> Self {
        let rows = tables.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
        Self { stores: BTreeMap::from([(name.to_owned(), Tables { folder: PathBuf::new(), rows })]) }
    }

    fn tables(&self, run: &str) -> Result<&Tables, String> {
        self.stores.get(run).ok_or_else(|| format!("no `{{{{run {run}: ..}}}}` in the template"))
    }

    /// The run that a reference is about.
    fn run(&self, reference: &Reference) -> Result<&Row, String> {
        let [mechanism, policy, rest @ ..] = &reference.labels[..] else {
            return Err("a figure is told by mechanism and policy".to_owned());
        };
        let swept = if reference.table == "runs" { rest } else { rest.get(1..).unwrap_or_default() };
        let here = |row: &&Row| {
            row.cell("variant") == mechanism
                && row.cell("carbon_label") == policy
                && swept.iter().all(|label| row.is_swept_to(label))
        };
        let rows = self.tables(&reference.run)?.rows.get("runs").map_or(&[][..], Vec::as_slice);
        rows.iter()
            .find(here)
            .ok_or_else(|| format!("no run of {} in `{}`", reference.labels.join(", "), reference.run))
    }

    /// A figure of a run that has an answer.
    pub fn figure(&self, reference: &Reference) -> Result<f64, String> {
        let run = self.run(reference)?;
        let named = || format!("{} of `{}`", reference.labels.join(", "), reference.run);
        if run.cell("status") != "converged" {
            return Err(format!("{} is {}: {}", named(), run.cell("status"), run.cell("reason")));
        }
        if reference.table == "ledger" {
            return Ok(self.paid(reference, run.cell("run_id")));
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

    /// The price at which a run was matched, and its emissions.
    pub fn matched(&self, reference: &Reference) -> Result<String, String> {
        let run = self.run(reference)?;
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
