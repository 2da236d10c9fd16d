//! An experiment: scenarios x mechanisms x policies x report rules x sweeps x seeds, with every run planned, checked and named.

use crate::build::Instance;
use crate::draws::Drawn;
use crate::fault::{Cause, Fault};
use crate::figures::WrittenFigures;
use crate::overrides::{ParameterPath, Root};
use crate::repeat;
use crate::spec::{Draws, Evidence, ExperimentForm, Matching, Scenario};
use crate::sweep::{Axes, Filters, Sweep, shown};
use crate::text::Text;
use crate::variant::{Kind, Variant, path_hint};
use coase_core::engine::ReportRule;
use coase_core::evaluate::{Search, Yardstick};
use coase_core::policy::CarbonPolicy;
use coase_core::record::Value;
use coase_core::statistics::sensitivity::Sensitivity;
use coase_core::{Mechanism, Plain};
pub use coase_store::{Choices, VERSION};
use coase_store::{as_played, hash_of as hex};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Carbon dioxide per kWh of electricity that no fuel reaches, kg.
const MOST_INTENSITY: f64 = 3.0;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Name of its file.
    pub name: String,
    /// Label of the mechanism that others are compared with.
    pub baseline: String,
    /// Seeds, each a run.
    pub seeds: Vec<u64>,
    /// All runs in the order of the tables.
    pub runs: Vec<Arc<Run>>,
    /// The files that it was read from: its own, those of scenarios, series and networks. What comes with the program is in none.
    pub inputs: Vec<PathBuf>,
    pub(crate) scenarios: Vec<ScenarioEntry>,
    pub(crate) mechanisms: Vec<Variant<dyn Mechanism>>,
    pub(crate) policies: Vec<Variant<dyn CarbonPolicy>>,
    pub(crate) rules: Vec<Variant<dyn ReportRule>>,
    pub(crate) sweeps: Vec<Sweep>,
    pub(crate) filters: Filters,
    pub(crate) draws: Option<Draws>,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) plan: Plan,
    pub(crate) figures: WrittenFigures,
    pub(crate) text: Text,
}

/// One run: a mechanism on a scenario under a policy, played by a rule, with a seed.
#[derive(Clone, Debug)]
pub struct Run {
    /// 32 hex digits: a hash of everything that determines the run.
    pub run_id: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Label of the mechanism.
    pub variant: String,
    /// Label of the policy.
    pub carbon_label: String,
    /// Label of the rule by which participants report.
    pub reporting: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Values of the swept parameters, in the order of [`Experiment::swept`]; missing where the run has no such parameter.
    pub swept: Vec<Value>,
    /// The scenario.
    pub instance: Arc<Instance>,
    /// The mechanism.
    pub mechanism: Arc<dyn Mechanism>,
    /// The policy.
    pub policy: Arc<dyn CarbonPolicy>,
    /// How participants report.
    pub rule: Arc<dyn ReportRule>,
    /// Hash of the policy with its parameters.
    pub policy_hash: String,
    /// The run that differs by having no policy, by its `run_id`.
    pub without_policy: Option<String>,
    /// In a run without a policy: the policies that it is compared with, by their hashes.
    pub compared: Vec<(String, Arc<dyn CarbonPolicy>)>,
    /// What the outcome is measured with.
    pub yardstick: Arc<Yardstick>,
    /// What the policy is made comparable by; `None` where it runs as written.
    pub matched: Option<Matched>,
}

/// How a policy is made comparable: its price factor is the one at which a measure is that of another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// What is to be equal.
    pub measure: Matching,
    /// The run it is to be equal to, by its position in [`Experiment::runs`]: the same but for its policy, which is the
    /// first of the list that has a price.
    pub reference: usize,
}

/// A scenario as listed: inlined, over its whole horizon.
#[derive(Clone, Debug)]
pub(crate) struct ScenarioEntry {
    pub(crate) form: Scenario,
    pub(crate) text: Text,
    /// The damage of a tonne where the scenario gives none.
    pub(crate) damage: f64,
    /// Label of the policy whose price that damage is, where the scenario gives none.
    pub(crate) borrowed_from: Option<String>,
}

impl ScenarioEntry {
    /// Whether seeds of the experiment change it.
    pub(crate) fn is_drawn(&self) -> bool {
        self.form.is_drawn() || repeat::is_drawn(&self.text)
    }
}

/// What of an experiment determines a run besides what is listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) evidence: Evidence,
    pub(crate) matching: Matching,
    pub(crate) first_periods: Option<usize>,
}

impl Plan {
    pub(crate) fn of(form: &ExperimentForm) -> Self {
        Self { evidence: form.evidence, matching: form.matching, first_periods: form.first_periods }
    }
}

/// What sweeps need while the runs are planned.
pub(crate) trait Materials {
    /// The scenario with parameters set, as a seed draws it, cut to its first periods.
    fn instance(
        &mut self,
        entry: &ScenarioEntry,
        set: &[(&ParameterPath, &str)],
        drawn: Option<Drawn>,
        first_periods: Option<usize>,
    ) -> Result<Arc<Instance>, Fault>;
}

/// One choice of a value for some of the sweeps.
type Choice = Vec<Option<usize>>;

/// What has been built of a scenario: by the values of its sweeps, and by the seed where it is drawn.
type Built = BTreeMap<(Choice, Option<u64>), (Plan, Arc<Instance>, Arc<Yardstick>)>;

impl Experiment {
    /// Paths of the swept parameters: the further columns of the run table.
    pub fn swept(&self) -> Vec<&str> {
        self.sweeps.iter().flat_map(|s| &s.paths).map(ParameterPath::written).collect()
    }

    /// Labels of the mechanisms, in order.
    pub fn variants(&self) -> Vec<&str> {
        self.mechanisms.iter().map(|m| m.label.as_str()).collect()
    }

    /// Every name that the user gave and figures show: scenarios, currencies, participants, labels.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let forms = self.scenarios.iter().flat_map(|entry| {
            let participants = entry.form.participants.iter().map(|p| p.id.as_str());
            [entry.form.name.as_str(), entry.form.currency.as_str()].into_iter().chain(participants)
        });
        let labels =
            self.mechanisms.iter().map(|m| m.label.as_str()).chain(self.policies.iter().map(|p| p.label.as_str()));
        forms.chain(labels).chain(self.rules.iter().map(|rule| rule.label.as_str()))
    }

    /// A hash of all that determines any of its runs, 32 hex digits.
    pub fn hash(&self) -> String {
        hex(self.runs.iter().map(|run| run.run_id.as_str()))
    }

    /// What a reader must know about how social cost is counted: upstream cost and damage, per scenario.
    pub fn choices(&self) -> Vec<Choices> {
        let choice = |entry: &ScenarioEntry| {
            let upstream = entry.form.grid.upstream_cost_per_kwh.is_some();
            Choices {
                scenario: entry.form.name.clone(),
                upstream_cost: if upstream { "as written" } else { "the sell price" }.to_owned(),
                damage_per_tonne: entry.form.damage_per_tonne.unwrap_or(entry.damage),
                damage_from: entry.borrowed_from.clone(),
                matching: format!("{:?}", self.plan.matching),
                matched_with: self.reference().map(|k| self.policies[k].label.clone()),
            }
        };
        self.scenarios.iter().map(choice).collect()
    }

    /// What a reader of the results must know and would not expect: what a shortened horizon leaves out, and an intensity that no
    /// fuel has.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = vec![];
        for run in &self.runs {
            let form = &run.instance.form;
            let most = form.grid.intensity_kg_per_kwh.values().iter().copied().fold(0.0, f64::max);
            if most > MOST_INTENSITY {
                let note = format!(
                    "{}: grid.intensity_kg_per_kwh is up to {} kg per kWh, and no fuel emits more than {MOST_INTENSITY}: grams per \
                     kWh are a thousandth of it (`scale: 0.001` in Csv(..))",
                    run.scenario,
                    Plain(most)
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            let end_h = Plain(form.periods as f64 * form.period_h);
            let mut all = coase_core::participant::LeftOut::default();
            for left in &run.instance.left_out {
                all.sessions += left.of_devices.sessions;
                all.of += left.of_devices.of;
                all.vehicles += left.of_devices.vehicles;
                all.energy_kwh += left.of_devices.energy_kwh;
            }
            let of = match &run.instance.left_out[..] {
                [] => continue,
                [one] => format!("`{}`", one.participant),
                [first, second] => format!("`{}` and `{}`", first.participant, second.participant),
                [first, .., last] => {
                    let count = run.instance.left_out.len();
                    format!("{count} participants (`{}` to `{}`)", first.participant, last.participant)
                }
            };
            let verb = if all.sessions == 1 { "is" } else { "are" };
            let vehicles = if all.vehicles == 1 { "vehicle" } else { "vehicles" };
            let note = format!(
                "{}: the first {} periods end at hour {end_h}, and {} of {} charging sessions of {of} {verb} left out \
                 ({} {vehicles} that would charge {} kWh): cost and emissions are without them",
                run.scenario,
                form.periods,
                all.sessions,
                all.of,
                all.vehicles,
                Plain(all.energy_kwh)
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// The policy that others are matched with: the first that has a price.
    fn reference(&self) -> Option<usize> {
        let first = || self.policies.iter().position(|policy| is_priced(&policy.plugin));
        if self.plan.matching == Matching::BasePrice { None } else { first() }
    }

    /// Plans every run and checks it.
    pub(crate) fn planned(mut self, materials: &mut dyn Materials) -> Result<Self, Fault> {
        let mut hit: Vec<Vec<bool>> = self.sweeps.iter().map(|sweep| vec![false; sweep.paths.len()]).collect();
        let mut runs: Vec<Run> = vec![];
        let reference = self.reference();
        if reference.is_none() && self.plan.matching != Matching::BasePrice {
            let what = format!("match: {:?}", self.plan.matching);
            let why = "no policy of the list has a price that others could be matched with";
            return Err(self.text.fault("match", Cause::NotPossible { what, why }));
        }
        for entry in &self.scenarios {
            let scenario_sweeps = self.scenario_sweeps(entry);
            let is_drawn = entry.is_drawn() || self.draws.is_some();
            let mut instances = Built::new();
            for mechanism in &self.mechanisms {
                // Runs of the policy that others are matched with, by what was chosen for them.
                let mut references: Vec<(usize, Choice, u64, usize)> = vec![];
                for (p, policy) in self.policies.iter().enumerate() {
                    let swept = |sweep: &Sweep| sweep.has(Root::Carbon) && takes(policy, Root::Carbon, sweep);
                    let priced = || is_priced(&policy.plugin) || self.sweeps.iter().any(swept);
                    let leader = reference.filter(|k| *k != p && priced()).map(|k| &self.policies[k]);
                    for (r, rule) in self.rules.iter().enumerate() {
                        let has = |sweep: &Sweep, path: usize, by_scenario: bool| {
                            let value = &sweep.rows[0][path];
                            let path = &sweep.paths[path];
                            match path.root {
                                Root::Mechanism => has(mechanism, path, value),
                                // What the reference takes changes the policy that is matched with it.
                                Root::Carbon => has(policy, path, value) || leader.is_some_and(|l| has(l, path, value)),
                                Root::Reporting => has(rule, path, value),
                                Root::Scenario | Root::Experiment => by_scenario,
                            }
                        };
                        let taken: Vec<Vec<bool>> = self
                            .sweeps
                            .iter()
                            .zip(&scenario_sweeps)
                            .map(|(sweep, by_scenario)| {
                                (0..sweep.paths.len()).map(|j| has(sweep, j, by_scenario[j])).collect()
                            })
                            .collect();
                        for (hit, taken) in hit.iter_mut().flatten().zip(taken.iter().flatten()) {
                            *hit |= taken;
                        }
                        let takes: Vec<bool> = taken.iter().map(|of_paths| of_paths.contains(&true)).collect();
                        self.check_count(runs.len(), &takes)?;
                        for choice in self.choices_of(&takes) {
                            let mechanism = self.applied(mechanism, Root::Mechanism, &choice)?;
                            let policy = self.applied(policy, Root::Carbon, &choice)?;
                            let rule = self.applied(rule, Root::Reporting, &choice)?;
                            let taken = leader.filter(|_| is_priced(&policy.plugin)).map(|l| self.taken(l, &choice));
                            for seed in &self.seeds {
                                let drawn = is_drawn.then_some(*seed);
                                let (plan, instance, yardstick) =
                                    self.instance(entry, &choice, drawn, &mut instances, materials)?;
                                self.check_rule(r, &rule, &instance)?;
                                let equal = |(of, c, s, _): &&(usize, Choice, u64, usize)| {
                                    *of == r && Some(c) == taken.as_ref() && s == seed
                                };
                                let matched = references
                                    .iter()
                                    .find(equal)
                                    .map(|(.., reference)| Matched { measure: plan.matching, reference: *reference });
                                if reference == Some(p) {
                                    references.push((r, choice.clone(), *seed, runs.len()));
                                }
                                let with = matched.map(|m| runs[m.reference].policy_hash.clone());
                                runs.push(Run {
                                    matched,
                                    ..self.named(
                                        entry,
                                        &mechanism,
                                        &policy,
                                        &rule,
                                        *seed,
                                        &choice,
                                        plan,
                                        with.as_deref(),
                                        instance.clone(),
                                        yardstick.clone(),
                                    )
                                });
                            }
                        }
                    }
                }
            }
        }
        let missed = |hit: &Vec<bool>| hit.iter().position(|hit| !hit);
        if let Some((k, j)) = hit.iter().enumerate().find_map(|(k, hit)| Some((k, missed(hit)?))) {
            let path = &self.sweeps[k].paths[j];
            let cause = Cause::Path { path: path.written().to_owned() };
            let hint = path_hint(
                path,
                self.scenarios.iter().map(|scenario| &scenario.text),
                &self.mechanisms,
                &self.policies,
                &self.rules,
            );
            return Err(self.text.fault(&self.sweeps[k].at_path(j), cause).with_hint(hint));
        }
        self.refuse_idle_seeds()?;
        let runs = self.filtered(runs)?;
        self.runs = paired(runs).into_iter().map(Arc::new).collect();
        Ok(self)
    }

    /// Refuses seeds that would repeat the same runs.
    fn refuse_idle_seeds(&self) -> Result<(), Fault> {
        let is_drawn = self.draws.is_some() || self.scenarios.iter().any(ScenarioEntry::is_drawn);
        if self.seeds.len() < 2
            || is_drawn
            || self.mechanisms.iter().any(|mechanism| mechanism.plugin.draws())
            || self.rules.iter().any(|rule| rule.plugin.draws())
        {
            return Ok(());
        }
        let what = format!("a draw for each of {} seeds", self.seeds.len());
        let why = "nothing is drawn: no mechanism or report rule of the list draws, no series of a scenario is a law of chance, and nothing is repeated with `drawn: true`";
        let hint = "give the experiment `draws`, or a scenario a series such as `Drawn(law: Normal(relative_deviation: 0.1), times: ..)`; or one seed".to_owned();
        Err(self.text.fault("seeds", Cause::NotPossible { what, why }).with_hint(hint))
    }

    /// The runs that `only` and `except` leave.
    fn filtered(&self, runs: Vec<Run>) -> Result<Vec<Run>, Fault> {
        if self.filters.is_empty() {
            return Ok(runs);
        }
        if self.plan.matching != Matching::BasePrice {
            let what = format!("`only` or `except` with match: {:?}", self.plan.matching);
            let why = "a run could lose the run that it is matched with";
            let at = if self.text.has("only") { "only" } else { "except" };
            return Err(self.text.fault(at, Cause::NotPossible { what, why }));
        }
        let paths = self.swept();
        let axes: Vec<Axes<'_>> = runs.iter().map(|run| axes(run, &paths)).collect();
        self.filters.check(&axes, &self.text)?;
        let kept: Vec<bool> = axes.iter().map(|axes| self.filters.keep(axes)).collect();
        Ok(runs.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(run, _)| run).collect())
    }

    /// Refuses sweeps that multiply to more runs than can be planned.
    fn check_count(&self, planned: usize, takes: &[bool]) -> Result<(), Fault> {
        const MOST: usize = 1_000_000;
        let values = self.sweeps.iter().zip(takes).filter(|(_, takes)| **takes).map(|(sweep, _)| sweep.rows.len());
        let runs = values.fold(self.seeds.len(), usize::saturating_mul).saturating_add(planned);
        if runs <= MOST {
            return Ok(());
        }
        let what = format!("an experiment of more than {MOST} runs");
        let why = "every value of a sweep is combined with every value of the others and every seed";
        Err(self.text.fault("sweep", Cause::NotPossible { what, why }))
    }

    /// Which sweeps have a place in a scenario or in the experiment itself.
    fn scenario_sweeps(&self, entry: &ScenarioEntry) -> Vec<Vec<bool>> {
        let has = |(path, value): (&ParameterPath, &String)| match path.root {
            Root::Scenario => entry.text.put(&path.parts(), value).is_ok(),
            Root::Experiment => true,
            Root::Mechanism | Root::Carbon | Root::Reporting => false,
        };
        self.sweeps.iter().map(|sweep| sweep.paths.iter().zip(&sweep.rows[0]).map(has).collect()).collect()
    }

    /// All combinations of values of the sweeps that apply, the first sweep changing slowest.
    fn choices_of(&self, takes: &[bool]) -> Vec<Choice> {
        let mut choices: Vec<Choice> = vec![vec![]];
        for (sweep, takes) in self.sweeps.iter().zip(takes) {
            let values: Vec<Option<usize>> =
                if *takes { (0..sweep.rows.len()).map(Some).collect() } else { vec![None] };
            choices = choices
                .iter()
                .flat_map(|choice| {
                    values.iter().map(|value| choice.iter().copied().chain(std::iter::once(*value)).collect())
                })
                .collect();
        }
        choices
    }

    /// A choice without the values of policy parameters that a policy does not have.
    fn taken(&self, policy: &Variant<dyn CarbonPolicy>, choice: &Choice) -> Choice {
        let value = |(sweep, value): (&Sweep, &Option<usize>)| {
            let of_policies = sweep.paths.iter().all(|path| path.root == Root::Carbon);
            value.filter(|_| !of_policies || takes(policy, Root::Carbon, sweep))
        };
        self.sweeps.iter().zip(choice).map(value).collect()
    }

    /// The chosen values of the sweeps of one kind.
    fn chosen<'a>(
        &'a self,
        root: Root,
        choice: &'a Choice,
    ) -> impl Iterator<Item = (usize, &'a ParameterPath, &'a str)> {
        let of_sweep = move |(k, (sweep, row)): (usize, (&'a Sweep, &'a Option<usize>))| {
            let row = row.map(|row| &sweep.rows[row]);
            let values = row.into_iter().flat_map(|row| sweep.paths.iter().zip(row));
            values.filter(move |(path, _)| path.root == root).map(move |(path, value)| (k, path, value.as_str()))
        };
        self.sweeps.iter().zip(choice).enumerate().flat_map(of_sweep)
    }

    /// Refuses a rule that makes no sense among the members of a scenario.
    fn check_rule(&self, position: usize, rule: &Variant<dyn ReportRule>, on: &Instance) -> Result<(), Fault> {
        rule.plugin.check(&on.setting).map_err(|wrong| {
            let cause = Cause::Rule { label: rule.label.clone(), scenario: on.form.name.clone(), wrong };
            self.text.fault(&format!("reporting.{position}"), cause)
        })
    }

    fn applied<T: Kind + ?Sized>(&self, variant: &Variant<T>, root: Root, choice: &Choice) -> Result<Variant<T>, Fault>
    where
        Box<T>: DeserializeOwned,
        Variant<T>: Clone,
    {
        let mut variant = variant.clone();
        for (k, path, value) in self.chosen(root, choice) {
            if let Some(changed) = variant.with(&path.parts(), value) {
                variant = changed.map_err(|fault| self.sweep_fault(k, fault))?;
            }
        }
        Ok(variant)
    }

    fn instance(
        &self,
        entry: &ScenarioEntry,
        choice: &Choice,
        seed: Option<u64>,
        known: &mut Built,
        materials: &mut dyn Materials,
    ) -> Result<(Plan, Arc<Instance>, Arc<Yardstick>), Fault> {
        let is_own = |sweep: &Sweep| sweep.has(Root::Scenario) || sweep.has(Root::Experiment);
        let key: Choice = self.sweeps.iter().zip(choice).map(|(s, c)| c.filter(|_| is_own(s))).collect();
        let key = (key, seed);
        if let Some(found) = known.get(&key) {
            return Ok(found.clone());
        }
        let plan = self.plan_at(choice)?;
        // Of the paths of a zip a scenario takes those that it has.
        let is_there = |path: &ParameterPath, value: &str| entry.text.put(&path.parts(), value).is_ok();
        let set: Vec<(usize, &ParameterPath, &str)> =
            self.chosen(Root::Scenario, choice).filter(|(_, path, value)| is_there(path, value)).collect();
        let last = set.last().map(|s| s.0);
        let set: Vec<(&ParameterPath, &str)> = set.into_iter().map(|(_, path, value)| (path, value)).collect();
        let instance = materials
            .instance(entry, &set, seed.map(|seed| self.drawn(seed)), plan.first_periods)
            .map_err(|fault| last.map_or(fault.clone(), |k| self.sweep_fault(k, fault)))
            .map_err(|fault| seed.map_or(fault.clone(), |seed| of_seed(fault, seed)))?;
        let search = |made: bool| if made { Search::Made } else { Search::Skipped };
        let upstream = instance.form.grid.upstream_cost_per_kwh.as_ref();
        let yardstick = Arc::new(Yardstick {
            upstream_cost_per_kwh: upstream.map_or_else(Vec::new, |s| s.values().to_vec()),
            damage_per_tonne: instance.form.damage_per_tonne.unwrap_or(entry.damage),
            core: search(plan.evidence.core),
            regret: search(plan.evidence.regret),
            curves: search(plan.evidence.curves),
        });
        known.insert(key, (plan, instance.clone(), yardstick.clone()));
        Ok((plan, instance, yardstick))
    }

    /// What a seed draws of the days of long series.
    fn drawn(&self, seed: u64) -> Drawn {
        Drawn { seed, offset: self.draws.map_or(0, |draws| draws.offset(seed)) }
    }

    /// The experiment's own fields at a choice.
    fn plan_at(&self, choice: &Choice) -> Result<Plan, Fault> {
        let mut text = self.text.clone();
        let mut last = None;
        for (k, path, value) in self.chosen(Root::Experiment, choice) {
            text = text
                .put(&path.parts(), value)
                .map_err(|_| self.text.fault(&self.sweeps[k].at, Cause::Path { path: path.written().to_owned() }))?;
            last = Some(k);
        }
        let Some(k) = last else { return Ok(self.plan) };
        let plan = Plan::of(&text.parse().map_err(|fault| self.sweep_fault(k, fault))?);
        if plan.first_periods == Some(0) {
            let cause = Cause::Value { field: "first_periods", value: 0.0, expected: "at least 1" };
            return Err(self.text.fault(&self.sweeps[k].at_values(), cause));
        }
        Ok(plan)
    }

    /// What a value of a sweep does wrong, placed at the sweep.
    fn sweep_fault(&self, sweep: usize, fault: Fault) -> Fault {
        let place = fault.place.as_ref().map(|p| format!("leads to line {} `{}`", p.line, p.text.trim()));
        self.text.fault(&self.sweeps[sweep].at, *fault.cause).with_hint(fault.hint.or(place))
    }

    #[expect(clippy::too_many_arguments, reason = "the axes of an experiment")]
    fn named(
        &self,
        entry: &ScenarioEntry,
        mechanism: &Variant<dyn Mechanism>,
        policy: &Variant<dyn CarbonPolicy>,
        rule: &Variant<dyn ReportRule>,
        seed: u64,
        choice: &Choice,
        plan: Plan,
        matched_with: Option<&str>,
        instance: Arc<Instance>,
        yardstick: Arc<Yardstick>,
    ) -> Run {
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_else(|error| error.to_string());
        let policy_json = json(policy.plugin.hashed());
        // What is swept is part of the identity even where it changes nothing: rows of tables are told apart by it.
        let row = |(sweep, row): (&'_ Sweep, &Option<usize>)| -> Vec<String> {
            let values = row.map(|row| &sweep.rows[row]).into_iter().flatten();
            sweep.paths.iter().zip(values).map(|(path, value)| format!("{}={value}", path.written())).collect()
        };
        let chosen: Vec<String> = self.sweeps.iter().zip(choice).flat_map(row).collect();
        // Whoever tells the truth, as everybody did before there were rules, has the identity that it always had.
        let rule_json = json(rule.plugin.hashed());
        let is_plain = || rule_json == json((rule.plugin.plugin().open.default)().hashed());
        let is_truthful = rule.id == "truthful" && rule.label == rule.id && is_plain();
        let told = if is_truthful { vec![] } else { vec![rule_json, rule.label.clone()] };
        let parts = [
            VERSION,
            &instance.hash,
            &json(mechanism.plugin.hashed()),
            &mechanism.label,
            &policy_json,
            &policy.label,
            &seed.to_string(),
            &json(serde_json::to_string(&plan.evidence)),
            &json(serde_json::to_string(&plan.matching)),
            matched_with.unwrap_or_default(),
            &chosen.join("\n"),
        ];
        let run_id = hex(parts.into_iter().chain(told.iter().map(String::as_str)));
        let swept = self.sweeps.iter().zip(choice);
        Run {
            run_id,
            scenario: entry.form.name.clone(),
            variant: mechanism.label.clone(),
            carbon_label: policy.label.clone(),
            reporting: rule.label.clone(),
            seed,
            swept: swept.flat_map(|(sweep, row)| sweep.cells(*row)).collect(),
            instance,
            mechanism: mechanism.plugin.clone(),
            policy: policy.plugin.clone(),
            rule: rule.plugin.clone(),
            policy_hash: hex([policy_json.as_str()]),
            without_policy: None,
            compared: vec![],
            yardstick,
            matched: None,
        }
    }
}

/// Every run knows the one without a policy that it is compared with, and that one knows the policies.
fn paired(mut runs: Vec<Run>) -> Vec<Run> {
    let key = |run: &Run, json: &str| {
        let played = as_played(&run.variant, &run.reporting);
        hex([&run.instance.hash, json, &played, &run.seed.to_string()])
    };
    let keys: Vec<String> = runs
        .iter()
        .map(|run| key(run, &Kind::hashed(&*run.mechanism).unwrap_or_else(|error| error.to_string())))
        .collect();
    let is_without = |run: &Run| Kind::id(&*run.policy) == "none";
    let without: BTreeMap<&str, usize> =
        keys.iter().enumerate().filter(|(k, _)| is_without(&runs[*k])).map(|(k, key)| (key.as_str(), k)).collect();
    for k in 0..runs.len() {
        let Some(base) = without.get(keys[k].as_str()).copied().filter(|_| !is_without(&runs[k])) else { continue };
        let policy = (runs[k].policy_hash.clone(), runs[k].policy.clone());
        runs[k].without_policy = Some(runs[base].run_id.clone());
        if !runs[base].compared.iter().any(|(hash, _)| *hash == policy.0) {
            runs[base].compared.push(policy);
        }
    }
    runs
}

/// Whether a policy has a price to be matched.
fn is_priced(policy: &Arc<dyn CarbonPolicy>) -> bool {
    policy.price_per_tonne().is_some_and(|price| price > 0.0)
}

/// Whether a variant has a parameter.
fn has<T: Kind + ?Sized>(variant: &Variant<T>, path: &ParameterPath, value: &str) -> bool
where
    Box<T>: DeserializeOwned,
{
    variant.with(&path.parts(), value).is_some()
}

/// Whether a variant has some parameter of a sweep.
fn takes<T: Kind + ?Sized>(variant: &Variant<T>, root: Root, sweep: &Sweep) -> bool
where
    Box<T>: DeserializeOwned,
{
    let paths = sweep.paths.iter().zip(&sweep.rows[0]);
    paths.filter(|(path, _)| path.root == root).any(|(path, value)| has(variant, path, value))
}

/// What a run is told apart by.
fn axes<'a>(run: &Run, paths: &[&'a str]) -> Axes<'a> {
    let mut axes: Axes<'a> = BTreeMap::from([
        ("scenario", run.scenario.clone()),
        ("mechanism", run.variant.clone()),
        ("carbon", run.carbon_label.clone()),
        ("reporting", run.reporting.clone()),
        ("seed", run.seed.to_string()),
    ]);
    let swept = paths.iter().zip(&run.swept).filter(|(_, value)| **value != Value::Missing);
    axes.extend(swept.map(|(path, value)| (*path, shown(value))));
    axes
}

/// What a seed draws wrong.
fn of_seed(fault: Fault, seed: u64) -> Fault {
    let hint = format!("seed {seed} draws it");
    let all = fault.hint.as_ref().map_or(hint.clone(), |first| format!("{first}; {hint}"));
    fault.with_hint(all)
}
