//! A status means what it says: a run is converged only where everything that its answer asserts holds, what a mechanism
//! returns is checked where it enters, and what goes wrong in one run stays in it.

use coase_core::context;
use coase_core::game::{Game, Profile, Space, Strategy};
use coase_core::mechanism::{Here, Mechanism};
use coase_core::outcome::{Kind, Trade};
use coase_core::participant::{Contribution, Participant};
use coase_core::physical::Physical;
use coase_core::policy::{CarbonPolicy, MarginalPrice, PolicyError, Responsibility, Signal};
use coase_core::program::Program;
use coase_core::record::{RunRecord, Value};
use coase_core::schemars::{self, JsonSchema};
use coase_core::setting::Setting;
use coase_core::terms::Terms;
use coase_core::{
    Certificate, Ledger, Market, MechanismError, Outcome, Party, RunContext, Status, register, register_policy,
};
use coase_mechanisms as _;
use coase_scenarios::{Experiment, Loader, Progress, Run, RunOptions, RunResult, RunStatus, Store, StoreOptions};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What can be wrong with what a mechanism returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Fault {
    #[default]
    Nothing,
    /// The first participant sells 5 kWh that nobody buys.
    FromNothing,
    /// The first sells to the second, but the trades say something else.
    OtherTrades,
    /// Everybody commits to deliver a million kWh to the last.
    Undeliverable,
    NotANumber,
    OneListTooFew,
    PaysNotANumber,
    NobodysPosition,
    /// Its own certificate says that it is not the optimum.
    RefutedOptimum,
    /// The same where it says that there is no equilibrium.
    RefutedWithoutEquilibrium,
    /// A certificate of a claim is refuted.
    RefutedClaim,
    /// Steps without end, and says that it has converged.
    Endless,
    /// It gives up, in words of its own.
    GivesUp,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Faulty {
    fault: Fault,
}

register!(Faulty, "faulty", Baseline, "returns what it should not",
    claims: [BudgetBalanced], needs: [], information: Prices);

impl Mechanism for Faulty {
    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = Outcome::new(market.setting());
        match self.fault {
            Fault::Nothing => {}
            Fault::FromNothing => outcome.net[0][0] = 5.0,
            Fault::OtherTrades => {
                (outcome.net[0][0], outcome.net[1][0]) = (1.0, -1.0);
                outcome.trades = Some(vec![Trade { seller: 0, buyer: 1, slot: 0, quantity: 0.75, price: None }]);
            }
            Fault::Undeliverable => {
                let last = market.len() - 1;
                (outcome.net[0][0], outcome.net[last][0]) = (1e6, -1e6);
            }
            Fault::NotANumber => outcome.net[1][0] = f64::NAN,
            Fault::OneListTooFew => outcome.net.truncate(1),
            Fault::PaysNotANumber => outcome.ledger.pay(Party::Member(0), Party::Member(1), f64::NAN, "trade"),
            Fault::NobodysPosition => outcome.ledger.pay(Party::Member(17), Party::Operator, 1.0, "trade"),
            Fault::RefutedOptimum => {
                outcome.evidence.push(Certificate::check("own_gap", 3.5, 1e-6, "of the first stage"));
            }
            Fault::RefutedWithoutEquilibrium => {
                outcome.status = Status::NoEquilibriumFound { gap: 2.0 };
                let gap = Certificate::check("own_fixed_point", 3.5, 1e-6, "between both sides");
                outcome.evidence.push(gap.about(Kind::FixedPoint));
            }
            Fault::RefutedClaim => {
                outcome.evidence.push(Certificate::check("own_claim", 3.5, 1e-6, "").about(Kind::Claim));
            }
            Fault::Endless => while ctx.step("loop", &[("primal_residual", 0.25)]).is_continue() {},
            Fault::GivesUp => {
                return Err(MechanismError::Failed("the second stage found no seller for mill".to_owned()));
            }
        }
        Ok(outcome)
    }
}

const PAIR: &str = r#"Scenario(
    name: "pair", periods: 2, currency: "CNY",
    grid: (buy_price_per_kwh: [1.0, 0.6], sell_price_per_kwh: 0.3, intensity_kg_per_kwh: 0.8),
    participants: [
        (id: "farm", devices: [MicroTurbine(p_max_kw: 30, cost_per_kwh: 0.5, emission_kg_per_kwh: 0.45), Load(p_kw: 5)]),
        (id: "mill", devices: [Load(p_kw: [10, 20])]),
    ],
)"#;

fn load(scenarios: &str, mechanisms: &str, more: &str) -> Experiment {
    let text = format!("Experiment(scenarios: [{scenarios}], mechanisms: [{mechanisms}], {more})");
    Loader::default().load_text("test", &text, Path::new(""), &[]).unwrap_or_else(|fault| panic!("{fault}"))
}

fn runs(experiment: &Experiment) -> Vec<RunResult> {
    experiment.run(&RunOptions::default(), ()).unwrap()
}

fn one(mechanism: &str, more: &str) -> RunResult {
    runs(&load(PAIR, mechanism, more)).remove(0)
}

fn faulty(fault: Fault) -> RunResult {
    one(&format!("Faulty(fault: {fault:?})"), "")
}

/// Verdict and witness of a certificate.
fn certificate(record: &RunRecord, name: &str) -> Option<(String, String)> {
    let text = |value: &Value| if let Value::Text(text) = value { text.clone() } else { String::new() };
    let row = record.certificates.iter().find(|row| text(&row[0]) == name)?;
    Some((text(&row[3]), text(&row[4])))
}

fn verdict(result: &RunResult, name: &str) -> String {
    certificate(&result.record, name).unwrap_or_else(|| panic!("no {name}")).0
}

#[test]
fn what_does_not_balance_has_not_converged() {
    assert_eq!(faulty(Fault::Nothing).status, RunStatus::Converged);
    for (fault, name, residual, said) in [
        (Fault::FromNothing, "trade_balance", 5.0, "energy in period 0"),
        (Fault::OtherTrades, "trade_consistency", 0.25, "farm"),
        (Fault::Undeliverable, "dispatch_feasibility", 1e6, "mill cannot keep"),
    ] {
        let result = faulty(fault);
        assert_eq!(result.status, RunStatus::NotConverged, "{fault:?}");
        assert!(result.reason.contains(name) && result.reason.contains(said), "{}", result.reason);
        assert!((result.residual.unwrap() / residual - 1.0).abs() < 0.01, "{:?}", result.residual);
        assert_eq!(verdict(&result, name), "refuted");
    }
}

#[test]
fn what_cannot_be_read_has_failed_and_says_whose_it_is() {
    for (fault, said) in [
        (Fault::NotANumber, "net sale of mill, energy in period 0, is NaN"),
        (Fault::OneListTooFew, "lists of net sales is 1, expected 2"),
        (Fault::PaysNotANumber, "payment for `trade` from farm to mill is NaN"),
        (Fault::NobodysPosition, "payer of a payment for `trade` is 17"),
    ] {
        let result = faulty(fault);
        assert_eq!(result.status, RunStatus::Failed, "{fault:?}");
        assert!(result.reason.contains(said), "{}", result.reason);
    }
}

#[test]
fn an_answer_is_held_to_its_own_certificates_and_claims_to_nothing() {
    let optimum = faulty(Fault::RefutedOptimum);
    assert_eq!((optimum.status, optimum.residual), (RunStatus::NotConverged, Some(3.5)));
    assert!(
        optimum.reason.contains("`own_gap`") && optimum.reason.contains("of the first stage"),
        "{}",
        optimum.reason
    );
    // That there is no equilibrium is an answer, which its fixed point refutes by nature.
    let none = faulty(Fault::RefutedWithoutEquilibrium);
    assert_eq!((none.status, none.residual), (RunStatus::NoEquilibrium, Some(2.0)));
    assert_eq!(faulty(Fault::RefutedClaim).status, RunStatus::Converged);
}

#[test]
fn a_mechanism_out_of_steps_has_not_converged_whatever_it_returns() {
    let result = faulty(Fault::Endless);
    assert_eq!((result.status, result.residual), (RunStatus::NotConverged, Some(0.25)));
    assert!(result.reason.contains("20000 steps") && result.reason.contains("`loop`"), "{}", result.reason);
    // A wrapper gives its budget to what is inside, and answers for it.
    let feeder = r#"Scenario(name: "f", periods: 1, currency: "EUR", network: (source: "ieee-33"),
        grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
        participants: [(id: "a", bus: 18, devices: [Load(p_kw: 1)]), (id: "b", bus: 25, devices: [Load(p_kw: 1)])])"#;
    let wrapped = runs(&load(feeder, "NetworkRepair(inner: Faulty(fault: Endless))", "")).remove(0);
    assert_eq!(wrapped.status, RunStatus::NotConverged, "{}", wrapped.reason);
}

/// Waits for the first step of anybody, and then wants no more.
#[derive(Default)]
struct Impatient {
    wants_no_more: AtomicBool,
    finished: AtomicUsize,
}

impl Progress for Impatient {
    fn step(&self, _: &Run, _: &context::Progress<'_>) {
        self.wants_no_more.store(true, Ordering::Relaxed);
    }

    fn finished(&self, _: &Run, _: &RunResult) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.wants_no_more.load(Ordering::Relaxed)
    }
}

#[test]
fn a_cancelled_run_is_not_kept_and_is_run_again() {
    let folder = std::env::temp_dir().join(format!("coase-cancelled-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let store = Store::create(&folder).unwrap();
    let experiment = load(PAIR, "Faulty(fault: Endless)", "");
    let impatient = Arc::new(Impatient::default());
    let results = experiment.run_into(&store, &StoreOptions::default(), impatient.clone()).unwrap().results;
    assert!(results.is_empty() && impatient.finished.load(Ordering::Relaxed) == 0);
    let files = std::fs::read_dir(folder.join("runs")).map_or(0, Iterator::count);
    assert_eq!(files, 0);
    let resumed = experiment.run_into(&store, &StoreOptions::default(), ()).unwrap().results;
    assert!(resumed[0].reason.contains("20000 steps"), "{}", resumed[0].reason);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Declares what is claimed on conditions and what is searched elsewhere, and transfers money to the second.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Claimant {
    takes: f64,
    /// What everybody plays, where there is a game.
    plays: Option<f64>,
}

register!(Claimant, "claimant", Baseline, "claims much",
    claims: [IndividuallyRational if "nobody pays" => nobody_pays, BudgetBalanced if "the moon is full", Truthful, Core,
        BayesianTruthful, Equilibrium],
    needs: [], information: Prices);

fn nobody_pays(of: &Claimant, here: &Here<'_>) -> Result<(), String> {
    let id = &here.market.setting().members[0].id;
    if of.takes == 0.0 { Ok(()) } else { Err(format!("{id} pays {}", of.takes)) }
}

impl Mechanism for Claimant {
    fn run(&self, market: &Market, _: &mut RunContext) -> Result<Outcome, MechanismError> {
        let mut outcome = Outcome::new(market.setting());
        outcome.ledger.pay(Party::Member(0), Party::Operator, self.takes, "trade");
        outcome.strategies = self.plays.map_or(vec![], |plays| vec![vec![plays]; market.len()]);
        Ok(outcome)
    }

    fn game<'a>(&'a self, market: &'a Market) -> Option<Box<dyn Game + 'a>> {
        self.plays.map(|_| Box::new(Nearest(market)) as Box<dyn Game>)
    }
}

/// Everybody loses the square of its distance from 1, whatever the others do.
struct Nearest<'a>(&'a Market);

impl Game for Nearest<'_> {
    fn players(&self) -> Vec<Party> {
        (0..self.0.len()).map(Party::Member).collect()
    }

    fn space(&self, _: usize) -> Space {
        Space::new([("place", 0.0, 2.0)])
    }

    fn candidates(&self, _: usize, _: &Profile) -> Vec<Strategy> {
        (0..=4).map(|k| vec![0.5 * f64::from(k)]).collect()
    }

    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError> {
        Ok(-(profile[player][0] - 1.0).powi(2))
    }

    fn words(&self, player: usize, strategy: &[f64]) -> String {
        format!("{} goes to {}", self.0.setting().members[player].id, strategy[0])
    }
}

#[test]
fn what_a_mechanism_says_of_its_failure_is_the_reason() {
    let result = faulty(Fault::GivesUp);
    assert_eq!(result.status, RunStatus::Failed);
    assert_eq!(result.reason, "the second stage found no seller for mill");
}

#[test]
fn the_condition_of_a_claim_is_evaluated() {
    let free = one("Claimant()", "");
    assert_eq!(verdict(&free, "individual_rationality"), "upheld");
    let dear = one("Claimant(takes: 2)", "");
    let (found, why) = certificate(&dear.record, "individual_rationality").unwrap();
    assert_eq!(found, "not_applicable");
    assert!(why.contains("nobody pays") && why.contains("farm pays 2"), "{why}");
    // A condition in words only cannot be evaluated: nothing is refuted by it.
    assert_eq!(verdict(&free, "budget_balance"), "upheld");
    let (found, why) = certificate(&dear.record, "budget_balance").unwrap();
    assert_eq!(found, "measured");
    assert!(why.contains("the moon is full"), "{why}");
    assert_eq!(dear.status, RunStatus::Converged);
}

#[test]
fn what_is_claimed_and_not_measured_says_how_it_would_be() {
    let result = one("Claimant()", "");
    for (name, how) in [
        ("regret", "evidence: (regret: true)"),
        ("core_excess", "evidence: (core: true)"),
        ("expected_regret", "priors"),
        ("equilibrium_gap", "Mechanism::game"),
    ] {
        let (found, said) = certificate(&result.record, name).unwrap_or_else(|| panic!("no {name}"));
        assert!(found == "not_searched" && said.contains(how), "{name}: {found} {said}");
    }
    // Who claims nothing of the kind has no such rows.
    let faulty = faulty(Fault::Nothing);
    assert!(certificate(&faulty.record, "equilibrium_gap").is_none());
}

#[test]
fn an_equilibrium_is_one_in_the_mechanism_s_own_game() {
    let equilibrium = one("Claimant(plays: Some(1))", "");
    assert_eq!((equilibrium.status, verdict(&equilibrium, "equilibrium_gap")), (RunStatus::Converged, "upheld".into()));
    let none = one("Claimant(plays: Some(1.5))", "");
    let (found, witness) = certificate(&none.record, "equilibrium_gap").unwrap();
    assert!(found == "refuted" && witness == "farm goes to 1", "{found} {witness}");
    assert_eq!((none.status, none.residual), (RunStatus::NotConverged, Some(0.25)));
}

#[test]
fn a_misreport_is_told_in_words() {
    let result = one("\"nash-bargaining\"", "evidence: (regret: true)");
    let (_, witness) = certificate(&result.record, "regret").unwrap();
    assert!(witness.starts_with("farm ") || witness.starts_with("mill "), "{witness}");
    assert!(witness.contains("its cost") || witness.contains("its quantities"), "{witness}");
}

#[test]
fn exports_that_earn_allowances_are_no_condition_of_mid_market_rationality() {
    let carbon = "carbon: [Tax(price_per_tonne: 400, import_base: NetOfExports), \"none\"]";
    let results = runs(&load(PAIR, "\"mid-market-rate\", \"supply-demand-ratio\"", carbon));
    for result in &results {
        assert_eq!(result.status, RunStatus::Converged, "{}", result.reason);
        assert_ne!(verdict(result, "individual_rationality"), "refuted");
    }
    let verdicts: Vec<String> = results.iter().map(|r| verdict(r, "individual_rationality")).collect();
    assert!(verdicts.contains(&"not_applicable".to_owned()) && verdicts.contains(&"upheld".to_owned()), "{verdicts:?}");
}

/// Nobody has thought of it: it breaks as soon as anybody asks.
#[derive(Debug)]
struct Unthinkable;

impl Participant for Unthinkable {
    fn contribute(&self, _: &mut Program, _: &Setting) -> Contribution {
        panic!("nobody thought of it")
    }
}

/// A policy that breaks where a market enters it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Breaks {}
register_policy!(Breaks, "breaks", "breaks where it is entered", claims: [], source: "test");

impl CarbonPolicy for Breaks {
    fn check(&self, _: &Setting) -> Result<(), PolicyError> {
        Ok(())
    }
    fn price_per_tonne(&self) -> Option<f64> {
        None
    }
    fn with_price_factor(&self, _: f64) -> Arc<dyn CarbonPolicy> {
        Arc::new(self.clone())
    }
    fn terms(&self, _: &Setting, _: &Signal) -> Vec<Terms> {
        panic!("no terms")
    }
    fn settle(&self, _: &Setting, _: &Physical, _: &Signal, _: &mut Ledger) {}
    fn responsibility(&self, _: &Setting, _: &Physical, _: &Signal) -> Responsibility {
        Responsibility::default()
    }
    fn marginal_prices(&self, _: &Setting, _: &Physical, _: &Signal) -> Vec<MarginalPrice> {
        vec![]
    }
}

#[test]
fn what_cannot_be_built_or_entered_spoils_its_own_runs_only() {
    let other = PAIR.replace("\"pair\"", "\"other\"").replace("0.3", "0.25");
    let mechanisms = "\"grid-only\", \"nash-bargaining\"";
    let mut experiment = load(&format!("{PAIR}, {other}"), mechanisms, "carbon: [\"none\", \"breaks\"]");
    for run in experiment.runs.iter_mut().filter(|run| run.scenario == "other") {
        let mut instance = (*run.instance).clone();
        instance.participants[1] = Arc::new(Unthinkable);
        Arc::make_mut(run).instance = Arc::new(instance);
    }
    for (run, result) in experiment.runs.iter().zip(runs(&experiment)) {
        let broken = match (run.scenario.as_str(), run.carbon_label.as_str()) {
            ("other", _) => Some("the market cannot be built: nobody thought of it"),
            (_, "breaks") => Some("the market cannot enter the policy: no terms"),
            _ => None,
        };
        match broken {
            Some(said) => assert!(result.status == RunStatus::Failed && result.reason == said, "{}", result.reason),
            None => assert_eq!(result.status, RunStatus::Converged, "{}", result.reason),
        }
    }
}

/// Figures whose products overflow are refused in their place, before anything is built.
#[test]
fn figures_beyond_all_measure_are_refused_by_name() {
    for (device, said) in [
        ("Quadratic(a_per_kwh2: 1e308, b_per_kwh: 0.4)", "a_per_kwh2"),
        ("Quadratic(a_per_kwh2: 1e-308, b_per_kwh: 0.4)", "net_export"),
        (
            "MicroTurbine(p_max_kw: 30, cost_per_kwh: 0.5, cost_per_kwh2: 1e308, emission_kg_per_kwh: 0)",
            "cost_per_kwh2",
        ),
        ("Load(p_kw: 1e308)", "p_kw"),
        ("Storage(capacity_kwh: 1e200, p_charge_max_kw: 5, p_discharge_max_kw: 5)", "capacity_kwh"),
    ] {
        let text =
            format!("Experiment(scenarios: [{}], mechanisms: [\"grid-only\"])", PAIR.replace("Load(p_kw: 5)", device));
        let fault = Loader::default().load_text("test", &text, Path::new(""), &[]).expect_err(device).to_string();
        assert!(fault.contains(said) && fault.contains("1e15"), "{fault}");
    }
}

/// A scenario on a network, with one participant per bus and power.
fn on(network: &str, periods: usize, loads: &[(u64, &str)]) -> String {
    let member = |(bus, kw): &(u64, &str)| format!("(id: \"at{bus}\", bus: {bus}, devices: [Load(p_kw: {kw})])");
    let members: Vec<String> = loads.iter().map(member).collect();
    format!(
        "Scenario(name: \"on\", periods: {periods}, currency: \"EUR\", network: ({network}),
        grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.08, intensity_kg_per_kwh: 0.4), participants: [{}])",
        members.join(", ")
    )
}

/// What a mechanism cannot do at all is no property of the scenario's limits.
#[test]
fn an_unmet_need_is_a_failure() {
    let meshed = on("source: \"ieee-14\"", 1, &[(9, "5"), (13, "3")]);
    let results = runs(&load(&meshed, "\"security-constrained\", \"grid-only\"", ""));
    assert_eq!(results[0].status, RunStatus::Failed, "{}", results[0].reason);
    assert!(results[0].reason.contains("needs a radial network"), "{}", results[0].reason);
    assert_eq!(results[1].status, RunStatus::Converged, "{}", results[1].reason);
}

/// The 69-bus feeder is lowest at bus 65, with 0.9092 pu (Baran and Wu 1989); nobody there can lift it.
#[test]
fn limits_that_cannot_be_kept_are_named_at_their_worst_bus() {
    let low = on("source: \"ieee-69\", v_min_pu: 0.95", 2, &[(3, "0.01"), (30, "0.01")]);
    let result = runs(&load(&low, "\"security-constrained\"", "")).remove(0);
    assert_eq!(result.status, RunStatus::Infeasible, "{}", result.reason);
    let said = &result.reason;
    assert!(
        said.starts_with("bus 65, period ") && said.contains(": voltage 0.9092 pu") && said.contains("at best"),
        "{said}"
    );
    assert!(said.contains("0.0408 below its limit of 0.95 pu") && said.contains("more"), "{said}");
    assert!(!said.contains("infeasible"), "{said}");
}

#[test]
fn a_power_flow_without_an_answer_says_when() {
    let heavy = on("source: \"ieee-33\"", 2, &[(18, "[1, 50000]"), (25, "1")]);
    let result = runs(&load(&heavy, "\"grid-only\"", "")).remove(0);
    assert_eq!(result.status, RunStatus::Failed, "{}", result.reason);
    assert!(result.reason.starts_with("period 1: "), "{}", result.reason);
}

/// Somebody who cannot do what its devices ask is named with the period and the amount.
#[test]
fn who_cannot_operate_is_named() {
    let short = PAIR.replace("(id: \"mill\",", "(id: \"mill\", import_max_kw: 12,");
    let result = runs(&load(&short, "\"nash-bargaining\"", "")).remove(0);
    assert_eq!(result.status, RunStatus::Infeasible, "{}", result.reason);
    assert!(result.reason.starts_with("mill: ") && result.reason.contains("period 1: "), "{}", result.reason);
    assert!(result.reason.contains("by 8"), "{}", result.reason);
}

/// Where losing power pays the flows are not convex, and the least cost may stay unproven: then nobody calls it an answer.
#[test]
fn at_negative_prices_an_unproven_optimum_has_not_converged() {
    let text = r#"Scenario(name: "s", periods: 2, currency: "EUR", network: (source: "ieee-33", load_scale: 0.5),
        grid: (buy_price_per_kwh: -0.1, sell_price_per_kwh: -0.2, intensity_kg_per_kwh: 0.5),
        participants: [
            (id: "a", bus: 18, devices: [Pv(p_max_kw: 20, profile: 0.5)]), (id: "b", bus: 25, devices: [Load(p_kw: 10)]),
        ])"#;
    let results = runs(&load(text, "\"grid-only\", \"central-optimum\", \"security-constrained\"", ""));
    for result in &results[..2] {
        assert_eq!(result.status, RunStatus::Converged, "{}", result.reason);
    }
    let constrained = &results[2];
    if verdict(constrained, "least_cost_gap") == "upheld" {
        assert_eq!(constrained.status, RunStatus::Converged, "{}", constrained.reason);
        return;
    }
    assert_eq!(constrained.status, RunStatus::NotConverged);
    assert!(constrained.reason.contains("least_cost_gap"), "{}", constrained.reason);
    assert!(constrained.residual.is_some_and(|gap| gap > 1.0), "{:?}", constrained.residual);
}

/// Every claim of a policy has a certificate: measured, excepted with the reason, or not searched.
#[test]
fn what_policies_claim_is_measured_excepted_or_not_searched() {
    let found = |policy: &str| -> Vec<(String, String)> {
        let result = one("\"grid-only\"", &format!("carbon: [{policy}]"));
        assert_eq!(result.status, RunStatus::Converged, "{policy}: {}", result.reason);
        let text = |value: &Value| if let Value::Text(text) = value { text.clone() } else { String::new() };
        let rows = result.record.certificates.iter().filter(|row| text(&row[0]) == "policy_claim");
        rows.map(|row| (text(&row[3]), text(&row[4]))).collect()
    };
    for (policy, verdicts, said) in [
        ("\"none\"", vec![], ""),
        ("\"tax\"", vec!["not_searched"], "emissions never grow with the price"),
        ("\"stepped\"", vec!["upheld", "not_searched"], "convex"),
        ("Stepped(reward: Escalating(0.25))", vec!["not_applicable", "not_searched"], "the reward escalates"),
        ("\"cap-and-trade\"", vec!["not_searched"], "dispatch is that of a tax"),
        (
            "CapAndTrade(quota: OutputBased(grid_kg_per_kwh: 0.1, turbine_kg_per_kwh: 0.1))",
            vec!["not_applicable"],
            "the quota grows with output",
        ),
    ] {
        let rows = found(policy);
        assert_eq!(rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), verdicts, "{policy}");
        assert!(said.is_empty() || rows[0].1.contains(said), "{policy}: {rows:?}");
    }
    let flows = runs(&load(
        &on("source: \"ieee-33\"", 1, &[(18, "5"), (25, "8")]),
        "\"grid-only\"",
        "carbon: [\"nodal-flow\", (label: \"both\", policy: NodalFlow(export_credit: NoCredit)), \"stepped-nodal\"]",
    ));
    let verdicts: Vec<String> = flows.iter().map(|run| verdict(run, "policy_claim")).collect();
    assert_eq!(verdicts, ["upheld", "not_applicable", "upheld"]);
}
