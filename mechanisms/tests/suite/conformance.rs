//! What every mechanism and every carbon policy must do, whoever wrote it: asked of all that are registered, on three small
//! markets. A claim has a measure here or stands in the list of those that have none.

use coase_core::engine::Cleared;
use coase_core::evaluate::{Search, Yardstick, evaluate};
use coase_core::mechanism::{Mechanism, Need, mechanisms};
use coase_core::outcome::{Claim, Verdict};
use coase_core::participant::{Device, Load, MicroTurbine, Participant, Portfolio, Pv, Storage};
use coase_core::policy::{CarbonPolicy, policies};
use coase_core::setting::{Member, Periods, Prior, Setting};
use coase_core::{Certificate, Market, MechanismError, Party, Reason, RunContext};
use coase_mechanisms as _;
use coase_testkit::agents::{on_a_line, on_a_line_but, three_but};
use coase_testkit::measured::{Measured, try_clear, try_measure, yardstick};
use coase_testkit::{policy, tariff};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Claims that no certificate of a run speaks of: mechanism or policy, and which. Whoever adds one says so here.
const WITHOUT_A_MEASURE: &[(&str, &str)] = &[
    ("allowance-trading", "at the same emissions, trading allowances (in a market of their own) makes nobody pay more"),
    ("cap-and-trade", "with a fixed quota, dispatch is that of a tax"),
    (
        "integrated",
        "with the tax internalised and no margin, members alone reach the joint optimum with the network and its limits",
    ),
    ("nodal-marginal", "at the margin, everybody sees the damage it does"),
    ("stepped", "splitting an account pays"),
    ("tax", "emissions never grow with the price"),
];

/// Sunshine with a store, a turbine, and a load, for four hours.
fn with_stores() -> Market {
    let periods = Periods { count: 4, hours: 1.0 };
    let load = |kw: [f64; 4]| Load { p_kw: kw.to_vec().into() }.boxed();
    let storage = Storage {
        capacity_kwh: 40.0,
        p_charge_max_kw: 15.0,
        p_discharge_max_kw: 15.0,
        efficiency_charge: 0.95,
        efficiency_discharge: 0.95,
        retention_per_h: 1.0,
        soc_min: 0.1,
        soc_max: 0.9,
        soc_start: 0.5,
        soc_end: None,
        cost_per_kwh: 0.01,
        reserve_cost_per_kw: None,
    };
    let turbine = MicroTurbine {
        p_min_kw: 0.0,
        p_max_kw: 40.0,
        cost_per_kwh: 0.35,
        cost_per_kwh2: 2e-3,
        cost_per_h: 0.0,
        ramp_kw_per_h: Some(20.0),
        emission_kg_per_kwh: 0.45,
        reserve_cost_per_kw: None,
    };
    let sun = Pv { p_max_kw: 50.0, profile: vec![0.1, 0.9, 0.7, 0.0].into(), cost_per_kwh: 0.0 };
    let plants = [
        ("roof", vec![sun.boxed(), storage.boxed(), load([10.0, 8.0, 9.0, 20.0])]),
        ("works", vec![turbine.boxed(), load([15.0, 20.0, 25.0, 10.0])]),
        ("street", vec![load([20.0, 12.0, 14.0, 30.0])]),
    ];
    let mut members = vec![];
    let mut participants: Vec<Arc<dyn Participant>> = vec![];
    for (id, devices) in plants {
        let portfolio = Portfolio::new(id, devices, periods).expect("valid");
        let mut member = Member::new(id, 100.0, 100.0);
        (member.rating, member.quota_kg) = (portfolio.rating(), 60.0);
        members.push(member);
        participants.push(Arc::new(portfolio));
    }
    let tariff = tariff(&[0.3, 0.5, 0.6, 0.9], 0.2, 0.581);
    Market::new(Setting::energy(periods, Some(tariff), None, members), participants)
}

/// Makes a market to which nothing was answered yet.
type Make = fn() -> Market;

/// The three, of whom it is known that their prices lie anywhere in the tariff.
fn three() -> Market {
    three_but(known)
}

fn known(setting: &mut Setting) {
    for member in &mut setting.members {
        member.prior = Some(Prior::Uniform { low_per_kwh: 0.4, high_per_kwh: 1.0 });
    }
}

/// No network and priors, a feeder whose limit binds, stores.
const MARKETS: [(&str, Make); 3] =
    [("three agents", three), ("a line with a limit", on_a_line), ("stores", with_stores)];

/// A market that lacks something; convexity is a matter of terms, see below.
fn lacking(need: Need) -> Option<Market> {
    let but = |change: fn(&mut Setting)| {
        Some(on_a_line_but(|setting| {
            known(setting);
            change(setting);
        }))
    };
    match need {
        Need::Tariff => but(|setting| setting.tariff = None),
        Need::Network | Need::RadialNetwork => but(|setting| setting.feeder = None),
        Need::NoRequirement => but(|setting| setting.requirement = vec![10.0]),
        Need::Prior => but(|setting| setting.members.iter_mut().for_each(|member| member.prior = None)),
        // No market here has reserve.
        Need::Reserve => but(|_| {}),
        Need::Convexity => None,
    }
}

/// A word by which a missing need must be called.
fn called(need: Need) -> &'static str {
    match need {
        Need::Tariff => "tariff",
        Need::Prior => "prior",
        Need::Reserve => "reserve",
        Need::Network | Need::RadialNetwork => "network",
        Need::Convexity => "convex",
        Need::NoRequirement => "requirement",
    }
}

fn met(need: Need, setting: &Setting) -> bool {
    match need {
        Need::Tariff => setting.tariff.is_some(),
        Need::Network | Need::RadialNetwork => setting.feeder.is_some(),
        Need::NoRequirement => setting.requirement.iter().all(|r| *r == 0.0),
        Need::Prior => setting.members.iter().all(|member| member.prior.is_some()),
        Need::Reserve => false,
        Need::Convexity => true,
    }
}

fn refused_by_name(result: Result<Cleared, MechanismError>, need: Need, what: &str) {
    match result {
        Err(error @ MechanismError::Unmet { .. }) => {
            assert!(error.to_string().contains(called(need)), "{what}: {error} does not name {need:?}");
        }
        Err(error) => panic!("{what}: {need:?} is missing, and the error is {error}"),
        Ok(_) => panic!("{what}: {need:?} is missing, and it runs"),
    }
}

#[test]
fn a_missing_need_is_refused_by_name() {
    for plugin in mechanisms() {
        let mechanism = (plugin.open.default)();
        for need in plugin.needs {
            let what = plugin.id;
            if let Some(market) = lacking(*need) {
                refused_by_name(try_clear(&market, &*mechanism, &*policy("None()")), *need, what);
            } else {
                let escalating = policy("Stepped(interval_kg: 5, reward: Escalating(0.25))");
                refused_by_name(try_clear(&on_a_line(), &*mechanism, &*escalating), *need, what);
            }
        }
    }
}

/// Every figure of a run on a market to which nothing was answered before, down to the last bit: numbers are written so that
/// they are read back the same.
fn bits(make: Make, mechanism: &dyn Mechanism, policy: &dyn CarbonPolicy, threads: usize) -> String {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let run = try_measure(&make(), mechanism, policy).expect("it ran before");
        format!("{:?} {:?} {:?}", run.cleared.outcome, run.found.record, run.found.certificates)
    })
}

#[test]
fn every_mechanism_conforms_on_every_market_it_has_what_it_needs_on() {
    let mut ran = BTreeSet::new();
    let mut without_a_measure = BTreeSet::new();
    for (name, make) in MARKETS {
        let market = make();
        let setting = market.setting();
        for plugin in mechanisms() {
            let what = format!("{} on {name}", plugin.id);
            let mechanism = (plugin.open.default)();
            if let Some(need) = plugin.needs.iter().find(|need| !met(**need, setting)) {
                refused_by_name(try_clear(&market, &*mechanism, &*policy("None()")), *need, &what);
                continue;
            }
            ran.insert(plugin.id);
            let none = policy("None()");
            // Misreports are searched where truthfulness is claimed: elsewhere nothing here reads what is found.
            let claims_truth = plugin.claims.iter().any(|(claim, _)| *claim == Claim::Truthful);
            let regret = if claims_truth { Search::Made } else { Search::Skipped };
            let searched = Yardstick { core: Search::Made, regret, ..yardstick(&market, 0.0) };
            let cleared = try_clear(&market, &*mechanism, &*none);
            let cleared = cleared.unwrap_or_else(|error| panic!("{what}: {error}"));
            let found = evaluate(&cleared, &*mechanism, &*none, 1, &searched).expect("figures");
            let run = Measured { cleared, found };
            adds_up(&run, &*mechanism, &market, &what);
            for (claim, words) in plugin.claims {
                if !is_measured(&run, *claim, words, &what) {
                    without_a_measure.insert((plugin.id, claim.name()));
                }
            }
            let [first, second] = [1, 4].map(|threads| bits(make, &*mechanism, &*none, threads));
            assert!(first == second, "{what}: another answer the second time, on four threads");
        }
    }
    let all: BTreeSet<&str> = mechanisms().iter().map(|plugin| plugin.id).collect();
    assert_eq!(ran, all, "every mechanism runs somewhere");
    let listed: BTreeSet<(&str, &str)> = WITHOUT_A_MEASURE.iter().copied().filter(|(id, _)| all.contains(id)).collect();
    assert_eq!(without_a_measure, listed, "claims without a measure, and those that are listed");
}

/// Outcome, trades and money, summed here.
fn adds_up(run: &Measured, mechanism: &dyn Mechanism, market: &Market, what: &str) {
    let (setting, outcome) = (market.setting(), &run.cleared.outcome);
    let direct = mechanism.outcome(market, &mut RunContext::new(1, ())).expect("it ran before");
    direct.check(setting).unwrap_or_else(|error| panic!("{what}: {error}"));
    outcome.check(setting).unwrap_or_else(|error| panic!("{what}: {error}"));
    for slot in 0..setting.slots.len() {
        let sold: f64 = outcome.net.iter().map(|net| net[slot]).sum();
        assert!((sold - setting.requirement[slot]).abs() < 1e-5, "{what}: {sold} kWh too many in slot {slot}");
    }
    let mut left = outcome.net.clone();
    for trade in outcome.bilateral() {
        assert!(trade.quantity >= 0.0 && trade.seller != trade.buyer, "{what}: {trade:?}");
        left[trade.seller][trade.slot] -= trade.quantity;
        left[trade.buyer][trade.slot] += trade.quantity;
    }
    assert!(left.iter().flatten().all(|kwh| kwh.abs() < 1e-5), "{what}: trades leave {left:?}");
    for ledger in [&outcome.ledger, &run.found.ledger] {
        // Received less paid, by hand; nobody but these has an account.
        let parties = (0..market.len()).map(Party::Member);
        let parties = parties.chain([Party::Operator, Party::Dso, Party::Grid, Party::Authority]);
        let balances: Vec<f64> = parties
            .map(|party| {
                let signed = |e: &coase_core::outcome::Payment| {
                    f64::from(i8::from(e.to == party)) * e.amount - f64::from(i8::from(e.from == party)) * e.amount
                };
                ledger.entries().iter().map(signed).sum()
            })
            .collect();
        let (sum, moved): (f64, f64) = (balances.iter().sum(), balances.iter().map(|b| b.abs()).sum());
        assert!(sum.abs() <= 1e-9 * (1.0 + moved), "{what}: {balances:?}");
    }
    // What participants pay in the tables is what they pay in the ledger, and what they use up.
    let own: Vec<f64> = run.cleared.physical.plans.iter().map(|plan| plan.resource_cost).collect();
    let paid: Vec<f64> = (0..market.len()).map(|i| own[i] - run.found.ledger.balance(Party::Member(i))).collect();
    for (i, (table, paid)) in run.of_participants("total_cost").iter().zip(&paid).enumerate() {
        assert!((table - paid).abs() < 1e-6, "{what}: member {i} pays {paid}, and {table} is written");
    }
    for name in ["ledger_balance", "gain_split", "trade_balance", "dispatch_feasibility", "carbon_conservation"] {
        assert_eq!(run.verdict(name), Verdict::Upheld, "{what}: {:?}", run.certificate(name));
    }
}

/// Whether a claim has a certificate: which then is upheld, or says why the claim is not made here.
fn is_measured(run: &Measured, claim: Claim, words: &str, what: &str) -> bool {
    let name = match claim {
        Claim::Truthful => "regret",
        Claim::BayesianTruthful => "expected_regret",
        Claim::Core => "core_excess",
        Claim::Equilibrium => "equilibrium_gap",
        other => other.name(),
    };
    let Some(found) = run.found.certificates.iter().find(|c| c.name == name) else { return false };
    match found.verdict {
        Verdict::Upheld => true,
        Verdict::NotApplicable => {
            let withheld = run.cleared.outcome.withheld.iter().any(|(withheld, _)| *withheld == claim);
            assert!(withheld || !words.is_empty(), "{what}: {claim:?} has no condition, and is not held to: {found:?}");
            assert!(!found.witness.is_empty(), "{what}: {claim:?} is not made here, and nobody says why");
            true
        }
        Verdict::Measured => {
            assert!(
                !words.is_empty() && found.witness.contains(words),
                "{what}: {claim:?} is only measured: {found:?}"
            );
            true
        }
        Verdict::NotSearched => false,
        Verdict::Refuted => panic!("{what}: {claim:?} is refuted: {found:?}"),
    }
}

/// Rules with which everybody does the same as without and with which all trade.
fn rules() -> [Box<dyn Mechanism>; 2] {
    ["grid-only", "central-optimum"].map(coase_testkit::measured::mechanism)
}

#[test]
fn under_every_policy_a_tonne_has_one_payer_who_saw_its_charge() {
    let mut ran = BTreeSet::new();
    let mut without_a_measure = BTreeSet::new();
    for (name, make) in MARKETS {
        let market = make();
        for plugin in policies() {
            let policy = (plugin.open.default)();
            for rule in rules() {
                let what = format!("{} on {name} with {}", plugin.id, rule.plugin().id);
                let run = match try_measure(&market, &*rule, &*policy) {
                    Ok(run) => run,
                    Err(MechanismError::Policy(error)) => {
                        assert!(market.setting().feeder.is_none(), "{what}: {error}");
                        assert!(error.to_string().contains("network"), "{what}: {error}");
                        continue;
                    }
                    Err(error) => panic!("{what}: {error}"),
                };
                ran.insert(plugin.id);
                one_payer(&run, &*policy, &market, &what);
                for (k, words) in plugin.claims.iter().enumerate() {
                    let claimed = |c: &&Certificate| c.name == coase_core::policy::POLICY_CLAIM;
                    let found = run.found.certificates.iter().filter(claimed).nth(k).expect("one for each claim");
                    match found.verdict {
                        Verdict::Upheld => {}
                        Verdict::NotSearched => drop(without_a_measure.insert((plugin.id, *words))),
                        _ => assert!(
                            !found.witness.is_empty() && found.verdict == Verdict::NotApplicable,
                            "{what}: {found:?}"
                        ),
                    }
                }
            }
        }
    }
    assert_eq!(ran, policies().iter().map(|plugin| plugin.id).collect(), "every policy runs somewhere");
    let listed: BTreeSet<(&str, &str)> = WITHOUT_A_MEASURE.iter().copied().filter(|(id, _)| ran.contains(id)).collect();
    assert_eq!(without_a_measure, listed, "claims without a measure, and those that are listed");
}

/// Payments equal charges: what members pay beyond the tariff is what dispatch saw, the authority receives what is paid, and
/// kilograms are charged to one or named as charged to nobody.
fn one_payer(run: &Measured, policy: &dyn CarbonPolicy, market: &Market, what: &str) {
    for name in ["carbon_conservation", "ledger_balance", "gain_split"] {
        assert_eq!(run.verdict(name), Verdict::Upheld, "{what}: {:?}", run.certificate(name));
    }
    let answers = policy.responsibility(run.cleared.truth.setting(), &run.cleared.physical, &run.cleared.signal);
    let emitted: f64 =
        (0..market.setting().periods.count).map(|t| run.cleared.physical.emissions_kg(market.setting(), t)).sum();
    let sum = answers.covered_kg + answers.uncovered_kg;
    assert!((sum - emitted).abs() <= 1e-6 * (1.0 + emitted.abs()), "{what}: {answers:?}, emitted {emitted}");
    // Everything but what the mechanism moves and what comes back afterwards, which nobody sees when it decides.
    for (i, plan) in run.cleared.physical.plans.iter().enumerate() {
        let member = Party::Member(i);
        let settled = run.found.ledger.balance_where(member, |e| e.reason != Reason::CarbonRefund);
        let (paid, saw) = (run.cleared.outcome.ledger.balance(member) - settled, plan.cost - plan.resource_cost);
        assert!(
            (paid - saw).abs() <= 1e-4 * (1.0 + saw.abs()),
            "{what}: member {i} saw {saw}, and pays {paid}: {:?}",
            run.found.ledger.entries()
        );
    }
    if policy.plugin().id == "none" {
        let paid = run.found.ledger.entries().iter().filter(|e| e.reason == Reason::Carbon);
        assert_eq!(paid.count(), 0, "{what}: nothing is charged, and something is paid");
    }
}
