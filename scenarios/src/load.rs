//! From files and `--set` to an experiment of which every run is known and checked.

use crate::build::{Instance, instance};
use crate::draws::Drawn;
use crate::experiment::{Experiment, Materials, Plan, ScenarioEntry};
use crate::fault::{Cause, Fault, did_you_mean};
use crate::figures::WrittenFigures;
use crate::library::{LIBRARY, library_file};
use crate::overrides::{Override, ParameterPath, Root};
use crate::repeat;
use crate::resolve::{self, Files};
use crate::spec::{ExperimentForm, Scenario};
use crate::sweep::{Filters, sweeps};
use crate::text::Text;
use crate::variant::{Kind, Variant, path_hint};
use coase_core::Mechanism;
use coase_core::engine::ReportRule;
use coase_core::policy::CarbonPolicy;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a scenario that is run alone is run with.
const ALONE: &str = r#"Experiment(
    scenarios: [],
    mechanisms: ["grid-only", "mid-market-rate", "central-optimum", "nash-bargaining"],
    carbon: ["none"],
)"#;

/// Reads an experiment, or a scenario with its default mechanisms, and checks all of it. `$COASE_DATA` is looked up in the
/// environment.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Experiment, Fault> {
    Loader { data: std::env::var_os("COASE_DATA").filter(|d| !d.is_empty()).map(PathBuf::from) }.load(path, overrides)
}

/// Reads experiments, with the folder of reference data given.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    /// What stands for `$COASE_DATA`.
    pub data: Option<PathBuf>,
}

impl Loader {
    /// As [`load`].
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn load(&self, path: &Path, overrides: &[Override]) -> Result<Experiment, Fault> {
        // What is no file may be the name of one that comes with the program.
        let known = path.to_str().filter(|_| !path.exists()).and_then(library_file);
        if let Some(known) = known {
            let text = Text::new(format!("library/{}.ron", known.id), "", known.text);
            return self.read(known.id, text, overrides, BTreeSet::new());
        }
        let name = path.file_stem().map_or_else(|| "experiment".to_owned(), |s| s.to_string_lossy().into_owned());
        self.read(&name, Text::read(path)?, overrides, BTreeSet::from([path.to_owned()]))
    }

    /// Reads a text that lies in no file, such as one of the library; `folder` is what relative names in it refer to.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn load_text(
        &self,
        name: &str,
        text: &str,
        folder: &Path,
        overrides: &[Override],
    ) -> Result<Experiment, Fault> {
        self.read(name, Text::new(name, folder, text), overrides, BTreeSet::new())
    }

    fn read(
        &self,
        name: &str,
        text: Text,
        overrides: &[Override],
        read: BTreeSet<PathBuf>,
    ) -> Result<Experiment, Fault> {
        let files = Files::new(self.data.clone());
        let mut reader = Reader { files, overrides, used: BTreeSet::new(), beyond: 0, read };
        let experiment = match text.head() {
            "Scenario" => reader.experiment(name, Text::new(&*text.file, &text.folder, ALONE), vec![text.clone()]),
            "Experiment" => {
                let scenarios = reader.listed_scenarios(&text)?;
                reader.experiment(name, text, scenarios)
            }
            found => Err(text.wrong_head(found, "`Scenario(..)` or `Experiment(..)`")),
        }?;
        let inputs = reader.read.into_iter().chain(reader.files.named()).collect::<BTreeSet<PathBuf>>();
        Ok(Experiment { inputs: inputs.into_iter().collect(), ..experiment })
    }
}

/// What a tonne of emissions is taken to damage where a scenario does not say.
struct Damage {
    per_tonne: f64,
    /// Label of the policy whose price it is.
    from: Option<String>,
}

impl Damage {
    /// The price, as written, of the first policy that has one. A negative price, which a policy may refuse for itself, says
    /// nothing about damage.
    fn of(policies: &[Variant<dyn CarbonPolicy>]) -> Self {
        let priced = |p: &Variant<dyn CarbonPolicy>| {
            let price = p.plugin.written_price_per_tonne().filter(|price| *price >= 0.0 && price.is_finite())?;
            Some(Self { per_tonne: price, from: Some(p.label.clone()) })
        };
        policies.iter().find_map(priced).unwrap_or(Self { per_tonne: 0.0, from: None })
    }
}

struct Reader<'a> {
    files: Files,
    overrides: &'a [Override],
    /// Overrides that have found their place.
    used: BTreeSet<usize>,
    /// Periods beyond the horizon at which the last day of a draw begins.
    beyond: usize,
    /// Files of experiments and scenarios that were read.
    read: BTreeSet<PathBuf>,
}

impl Reader<'_> {
    fn experiment(&mut self, name: &str, text: Text, scenarios: Vec<Text>) -> Result<Experiment, Fault> {
        let text = self.overridden(text, Root::Experiment);
        let form: ExperimentForm = text.parse()?;
        let seeds = seeds(&form, &text)?;
        if let Some(draws) = form.draws {
            draws.check(&seeds, &text)?;
            self.beyond = seeds.iter().map(|seed| draws.offset(*seed)).max().unwrap_or(0);
        }
        let mechanisms = self.variants::<dyn Mechanism>(&text, "mechanisms", Root::Mechanism)?;
        let policies = self.variants::<dyn CarbonPolicy>(&text, "carbon", Root::Carbon)?;
        let rules = self.variants::<dyn ReportRule>(&text, "reporting", Root::Reporting)?;
        let damage = Damage::of(&policies);
        let scenarios = scenarios
            .into_iter()
            .map(|scenario| {
                let text = self.overridden(scenario, Root::Scenario);
                self.scenario(text, &damage)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if scenarios.is_empty() {
            return Err(text.fault("scenarios", Cause::Empty("the list of scenarios")));
        }
        if form.draws.is_some() && !scenarios.iter().any(|scenario| scenario.form.is_long()) {
            let why = "no series of a scenario is longer than its horizon: there is one day";
            return Err(text.fault("draws", Cause::NotPossible { what: "a draw of days".to_owned(), why }));
        }
        for (k, scenario) in scenarios.iter().enumerate() {
            if scenarios[..k].iter().any(|other| other.form.name == scenario.form.name) {
                let cause = Cause::Twice { kind: "scenario", name: scenario.form.name.clone() };
                return Err(text
                    .fault(&format!("scenarios.{k}"), cause)
                    .with_hint("tables tell them apart by name".to_owned()));
            }
        }
        let sweeps = sweeps(&form, &text)?;
        if let Some((_, unused)) = self.overrides.iter().enumerate().find(|(k, _)| !self.used.contains(k)) {
            let hint = path_hint(
                &unused.path,
                scenarios.iter().map(|scenario| &scenario.text),
                &mechanisms,
                &policies,
                &rules,
            );
            return Err(unused.fault(Cause::Path { path: unused.path.written().to_owned() }).with_hint(hint));
        }
        let baseline = baseline(&form, &text, &mechanisms)?;
        let figures = WrittenFigures::of(&text)?;
        self.read.extend(figures.file.clone());
        let experiment = Experiment {
            name: name.to_owned(),
            scenarios,
            mechanisms,
            policies,
            rules,
            baseline,
            seeds,
            filters: Filters::of(&form, &sweeps, &text)?,
            draws: form.draws,
            sensitivity: form.sensitivity.clone(),
            sweeps,
            plan: Plan::of(&form),
            figures,
            runs: vec![],
            inputs: vec![],
            text,
        };
        experiment.planned(self)
    }

    /// The texts of an experiment's scenarios: in place, from a file, or from the library.
    fn listed_scenarios(&mut self, text: &Text) -> Result<Vec<Text>, Fault> {
        // Overrides may replace the list.
        let text = self.overridden(text.clone(), Root::Experiment);
        text.parse::<ExperimentForm>()?;
        let tree = text.outline();
        let Some(list) = tree.as_ref().and_then(|t| t.field("scenarios")) else { return Ok(vec![]) };
        let mut scenarios = vec![];
        for (k, item) in list.items().iter().enumerate() {
            let element = text.part(&item.span);
            let Some(file) = element.as_str().strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
                scenarios.push(element);
                continue;
            };
            let path = text.folder.join(file);
            let scenario = match (path.exists() && (path.is_file() || library_file(file).is_none()), library_file(file))
            {
                (false, Some(known)) => Text::new(format!("library/{}.ron", known.id), &text.folder, known.text),
                (false, None) => {
                    let place = format!("scenarios.{k}");
                    let reason = "there is no such file".to_owned();
                    let cause = Cause::Unreadable { path: path.display().to_string(), reason };
                    let hint = did_you_mean(file, LIBRARY.iter().map(|f| f.id));
                    return Err(text.fault(&place, cause).with_hint(hint));
                }
                (true, _) => {
                    let scenario = Text::read(&path)?;
                    self.read.insert(path);
                    scenario
                }
            };
            scenarios.push(scenario);
        }
        Ok(scenarios)
    }

    fn scenario(&mut self, text: Text, damage: &Damage) -> Result<ScenarioEntry, Fault> {
        let mut form = self.read_scenario(&text)?;
        let borrowed_from = if form.damage_per_tonne.is_some() { None } else { damage.from.clone() };
        form.damage_per_tonne.get_or_insert(damage.per_tonne);
        Ok(ScenarioEntry { form, text, damage: damage.per_tonne, borrowed_from })
    }

    fn inlined(&mut self, text: &Text, damage: f64) -> Result<Scenario, Fault> {
        let mut form = self.read_scenario(text)?;
        form.damage_per_tonne.get_or_insert(damage);
        Ok(form)
    }

    fn read_scenario(&mut self, text: &Text) -> Result<Scenario, Fault> {
        match text.head() {
            "Scenario" => {}
            found => return Err(text.wrong_head(found, "`Scenario(..)`")),
        }
        let text = repeat::written_out(text)?;
        resolve::inline(text.parse()?, &text, &mut self.files, self.beyond)
    }

    fn variants<T: Kind + ?Sized>(
        &mut self,
        text: &Text,
        field: &'static str,
        root: Root,
    ) -> Result<Vec<Variant<T>>, Fault>
    where
        Box<T>: DeserializeOwned,
    {
        let tree = text.outline();
        let list = tree.as_ref().and_then(|t| t.field(field));
        let elements: Vec<Text> = if let Some(list) = list {
            list.items().iter().map(|item| text.part(&item.span)).collect()
        } else {
            let default = if root == Root::Reporting { "truthful" } else { "none" };
            vec![Text::new("default", "", format!("{default:?}"))]
        };
        let mut variants: Vec<Variant<T>> = vec![];
        for (k, element) in elements.iter().enumerate() {
            let mut variant = Variant::read(element)?;
            for (o, set) in self.overrides.iter().enumerate().filter(|(_, o)| o.path.root == root) {
                if let Some(changed) = variant.with(&set.path.parts(), &set.value) {
                    variant = changed.map_err(|fault| named_after(fault, set))?;
                    self.used.insert(o);
                }
            }
            if variants.iter().any(|other| other.label == variant.label) {
                let cause = Cause::Twice { kind: T::NAME, name: variant.label };
                let hint = format!("give each a label: (label: \"..\", {}: ..)", T::FIELD);
                return Err(text.fault(&format!("{field}.{k}"), cause).with_hint(hint));
            }
            variants.push(variant);
        }
        if variants.is_empty() {
            let what = match root {
                Root::Mechanism => "the list of mechanisms",
                Root::Reporting => "the list of report rules",
                _ => "the list of carbon policies",
            };
            return Err(text.fault(field, Cause::Empty(what)));
        }
        Ok(variants)
    }

    fn overridden(&mut self, mut text: Text, root: Root) -> Text {
        for (k, set) in self.overrides.iter().enumerate().filter(|(_, o)| o.path.root == root) {
            if let Ok(mut changed) = text.put(&set.path.parts(), &set.value) {
                if !changed.file.contains(" with --set") {
                    changed.file.push_str(" with --set");
                }
                text = changed;
                self.used.insert(k);
            }
        }
        text
    }
}

impl Materials for Reader<'_> {
    fn instance(
        &mut self,
        entry: &ScenarioEntry,
        set: &[(&ParameterPath, &str)],
        drawn: Option<Drawn>,
        first_periods: Option<usize>,
    ) -> Result<Arc<Instance>, Fault> {
        let mut text = entry.text.clone();
        for (path, value) in set {
            text = text
                .put(&path.parts(), value)
                .map_err(|_| entry.text.fault("", Cause::Path { path: path.written().to_owned() }))?;
        }
        let repeated = drawn.and_then(|drawn| repeat::of_seed(&text, drawn.seed));
        let as_read = set.is_empty() && repeated.is_none();
        let text = repeated.unwrap_or(text);
        let form = if as_read { entry.form.clone() } else { self.inlined(&text, entry.damage)? };
        instance(form, drawn, first_periods, &repeat::written_out(&text)?).map(Arc::new)
    }
}

fn named_after(mut fault: Fault, set: &Override) -> Fault {
    fault.file = format!("{} with {}", fault.file, set.source());
    fault
}

/// The seeds of an experiment, whose other plain fields are right.
fn seeds(form: &ExperimentForm, text: &Text) -> Result<Vec<u64>, Fault> {
    let whole = |(k, written): (usize, &String)| {
        written.parse::<u64>().map_err(|_| {
            let (field, found) = (format!("seeds.{k}"), written.clone());
            let expected = "a whole number of at least 0".to_owned();
            text.fault(&format!("seeds.{k}"), Cause::Field { field, found, expected })
        })
    };
    let written = form.seeds.0.read().map_err(|expected| {
        let (field, found) = ("seeds".to_owned(), form.seeds.0.0.clone());
        text.fault("seeds", Cause::Field { field, found, expected })
    })?;
    let seeds: Vec<u64> = written.iter().enumerate().map(whole).collect::<Result<_, _>>()?;
    if seeds.is_empty() {
        return Err(text.fault("seeds", Cause::Empty("the list of seeds")));
    }
    let mut known = BTreeSet::new();
    if let Some((k, seed)) = seeds.iter().enumerate().find(|(_, seed)| !known.insert(**seed)) {
        return Err(text.fault(&format!("seeds.{k}"), Cause::Twice { kind: "seed", name: seed.to_string() }));
    }
    if form.first_periods == Some(0) {
        let cause = Cause::Value { field: "first_periods", value: 0.0, expected: "at least 1" };
        return Err(text.fault("first_periods", cause));
    }
    Ok(seeds)
}

/// The mechanism that others are compared with.
fn baseline(form: &ExperimentForm, text: &Text, mechanisms: &[Variant<dyn Mechanism>]) -> Result<String, Fault> {
    let Some(baseline) = &form.baseline else { return Ok("grid-only".to_owned()) };
    let labels = || mechanisms.iter().map(|m| m.label.as_str());
    // The default may be written out where it is not run; anything else must be there.
    if baseline != "grid-only" && !labels().any(|label| label == baseline) {
        let cause = Cause::Unknown { kind: "mechanism of this experiment", name: baseline.clone() };
        return Err(text.fault("baseline", cause).with_hint(did_you_mean(baseline, labels())));
    }
    Ok(baseline.clone())
}
