//! What is wrong with a file is said with its place, and nothing runs.

use crate::support::{coase, file, folder, status, stderr, stdout};
use std::path::Path;

/// A scenario of two periods with a device of the case's own, and what stands in for the rest.
fn scenario(device: &str) -> String {
    format!(
        "Scenario(
    name: \"case\", periods: 2, period_h: 1.0, currency: \"EUR\",
    network: Some((source: \"net.ron\")),
    grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
    participants: [
        (id: \"a\", bus: 2, devices: [
            Load(p_kw: [10, 20]),
            {device}
        ]),
    ],
)"
    )
}

const NETWORK: &str = "Network(name: \"net\", base_mva: 1, base_kv: 10,
    buses: [(id: 1, kind: Slack), (id: 2), (id: 3)],
    branches: [(from: 1, to: 2, r_ohm: 1.2, x_ohm: 0.8), (from: 2, to: 3, r_ohm: 1, x_ohm: 1, in_service: false)])";

/// Checks a text; the status must be 2, and every word of `expected` must stand on standard error.
fn refused(folder: &Path, text: &str, expected: &[&str]) {
    let path = file(folder, "case.ron", text);
    for command in [vec!["check", &path], vec!["run", &path, "--quiet", "--out", "never"]] {
        let output = coase(&command);
        let complaint = stderr(&output);
        assert_eq!(status(&output), 2, "{command:?} {complaint}\n{text}");
        assert_eq!(stdout(&output), "");
        for words in expected {
            assert!(complaint.contains(words), "`{words}` is not in\n{complaint}");
        }
    }
    assert!(!Path::new("never").exists(), "nothing may be written");
}

#[test]
fn a_scenario_that_is_right_is_accepted() {
    let folder = folder("bad_not");
    file(&folder, "net.ron", NETWORK);
    let path = file(&folder, "case.ron", &scenario("Pv(p_max_kw: 5, profile: [0.5, 1])"));
    let output = coase(&["check", &path]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("ok, 4 runs"), "{}", stdout(&output));
}

#[test]
fn every_mistake_is_told_with_file_line_and_column() {
    let folder = folder("bad_input");
    file(&folder, "net.ron", NETWORK);
    file(&folder, "short.csv", "p\n1\n");
    file(&folder, "odd.csv", "p\n1\nx\n");
    let device = |device: &str| scenario(device);
    let cases: [(String, &[&str]); 15] = [
        (device("Pv(p_max_kw: 5, profile: [0.5, 1]"), &["case.ron:9"]),
        (device("Pv(p_max_kw: -5, profile: [0.5, 1])"), &["case.ron:8", "p_max_kw", "-5"]),
        (device("Pv(p_max_kw: 5, profile: [0.5, 1, 1])"), &["case.ron:8", "3", "2"]),
        (device("Pv(p_max_kw: 5, profile: [0.5, NaN])"), &["case.ron:8", "NaN"]),
        (
            device("Pv(p_max_kw: 5, profle: [0.5, 1])"),
            &["case.ron:8", "Pv has no field `profle`; it has p_max_kw", "did you mean `profile`?"],
        ),
        (device("Pv(p_max_kw: 5)"), &["case.ron:8:13", "`profile` is missing in Pv"]),
        (device("Pw(p_max_kw: 5)"), &["case.ron:8", "Pw"]),
        (device("Pv(p_max_kw: 5, profile: Csv(file: \"none.csv\", column: \"p\"))"), &["none.csv"]),
        (device("Pv(p_max_kw: 5, profile: Csv(file: \"odd.csv\", column: \"p\"))"), &["odd.csv", "3", "x"]),
        (device("Pv(p_max_kw: 5, profile: Csv(file: \"short.csv\", column: \"p\"))"), &["1", "2"]),
        (
            device(
                "EvFleet(sessions: [(count: 1, arrival_h: 1, departure_h: 5, energy_kwh: 10, target_kwh: 25, \
                 capacity_kwh: 50, p_max_kw: 7)])",
            ),
            &["case.ron:8", "departure_h"],
        ),
        (device("").replace("bus: 2", "bus: 99"), &["case.ron:6", "99"]),
        (device("").replace("bus: 2", "bus: 3"), &["case.ron:6", "bus 3"]),
        (device("").replace("net.ron", "nowhere.ron"), &["nowhere.ron"]),
        (device("").replace("Scenario(", "("), &["case.ron:1:1"]),
    ];
    for (text, expected) in &cases {
        refused(&folder, text, expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_bad_input() {
    let missing = folder("bad_missing").join("none.ron");
    let output = coase(&["check", missing.to_str().unwrap()]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("none.ron"), "{}", stderr(&output));
}

#[test]
fn an_unknown_mechanism_or_policy_is_suggested_for() {
    let folder = folder("bad_plugins");
    file(&folder, "net.ron", NETWORK);
    file(&folder, "good.ron", &scenario(""));
    let experiment = |mechanism: &str, policy: &str| {
        format!(
            "Experiment(\n    scenarios: [\"good.ron\"],\n    mechanisms: [{mechanism}],\n    carbon: [{policy}],\n)"
        )
    };
    refused(
        &folder,
        &experiment("\"grid-olny\"", "\"none\""),
        &["case.ron:3", "grid-olny", "did you mean `grid-only`?"],
    );
    refused(&folder, &experiment("NashBargian()", "\"none\""), &["case.ron:3", "NashBargaining"]);
    refused(&folder, &experiment("NashBargaining(wieghts: Equal)", "\"none\""), &["case.ron:3", "wieghts", "weights"]);
    refused(&folder, &experiment("\"grid-only\"", "Tax(price: 3)"), &["case.ron:4", "price_per_tonne"]);
    refused(&folder, &experiment("", "\"none\""), &["case.ron", "empty"]);
}

#[test]
fn an_override_that_leads_nowhere_is_bad_input() {
    let folder = folder("bad_set");
    file(&folder, "net.ron", NETWORK);
    let path = file(&folder, "good.ron", &scenario(""));
    for set in ["scenario.grid.buy_prize_per_kwh=1", "nonsense", "carbon.price_per_tonne=3", "scenario.periods=x y"] {
        let output = coase(&["check", &path, "--set", set]);
        assert_eq!(status(&output), 2, "{set}: {}{}", stdout(&output), stderr(&output));
        assert_ne!(stderr(&output), "", "{set}");
    }
    let output = coase(&["check", &path, "--set", "scenario.grid.buy_price_per_kwh=[0.3, 0.2]"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
}

#[test]
fn every_file_is_checked_whatever_is_wrong_with_the_first() {
    let folder = folder("bad_many");
    file(&folder, "net.ron", NETWORK);
    let bad = file(&folder, "bad.ron", "Scenario(");
    let good = file(&folder, "good.ron", &scenario(""));
    let output = coase(&["check", &bad, &good]);
    assert_eq!(status(&output), 2);
    assert!(stdout(&output).contains("good.ron: ok"), "{}", stdout(&output));
    assert!(stderr(&output).contains("bad.ron"), "{}", stderr(&output));
}

#[test]
fn a_file_without_a_scenario_says_so() {
    let folder = folder("bad_empty");
    for text in ["", "\n", "// a comment\n/* and another */\n", "#![enable(implicit_some)]\n"] {
        refused(&folder, text, &["case.ron", "the file holds no `Scenario(..)` or `Experiment(..)`"]);
    }
    refused(&folder, "Network(buses: [])", &["case.ron:1:1", "begins with `Network`, expected `Scenario(..)` or"]);
    file(&folder, "empty.ron", "// nothing\n");
    let listed = "Experiment(scenarios: [\"empty.ron\"], mechanisms: [\"grid-only\"])";
    refused(&folder, listed, &["empty.ron", "the file holds no `Scenario(..)`"]);
}

#[test]
fn a_name_may_stand_in_quotes() {
    let folder = folder("bad_quotes");
    file(&folder, "net.ron", &NETWORK.replace("kind: Slack", "kind: \"Slack\""));
    file(&folder, "good.ron", &scenario(""));
    let experiment = |mechanism: &str, policy: &str| {
        format!(
            "Experiment(scenarios: [\"good.ron\"], mechanisms: [\"grid-only\", {mechanism}], carbon: [\"none\", {policy}], \
             match: \"Revenue\")"
        )
    };
    let accepted = [
        ("NashBargaining(weights: \"Exponential\")", "Stepped(reward: \"Nothing\", coverage: \"Feeder\")"),
        ("NetworkRepair(inner: \"mid-market-rate\")", "Stepped(quota: \"Fixed\")"),
        ("(label: \"x\", mechanism: NetworkRepair(inner: NashBargaining(payments: \"SequentialBounded\")))", "\"tax\""),
    ];
    for (mechanism, policy) in accepted {
        let path = file(&folder, "case.ron", &experiment(mechanism, policy));
        let output = coase(&["check", &path]);
        assert_eq!(status(&output), 0, "{mechanism}: {}", stderr(&output));
    }
    let wrong = experiment("NashBargaining(weights: \"Exponental\")", "\"tax\"");
    refused(
        &folder,
        &wrong,
        &["weights is \"Exponental\", expected Equal, Exponential", "did you mean `Exponential`?"],
    );
    let wrong = experiment("NashBargaining(weights: Exponental)", "\"tax\"");
    refused(&folder, &wrong, &["weights is Exponental, expected Equal, Exponential", "did you mean `Exponential`?"]);
}

#[test]
fn paths_reach_what_a_wrapper_wraps() {
    let folder = folder("bad_inner");
    file(&folder, "net.ron", NETWORK);
    file(&folder, "good.ron", &scenario(""));
    let runs = |mechanism: &str, path: &str| {
        let text = format!(
            "Experiment(scenarios: [\"good.ron\"], mechanisms: [\"grid-only\", {mechanism}],\n    \
             sweep: [(path: \"{path}\", values: [Equal, \"Exponential\"])])"
        );
        let path = file(&folder, "case.ron", &text);
        coase(&["check", &path])
    };
    for mechanism in [
        "\"network-repair\"",
        "NetworkRepair()",
        "NetworkRepair(inner: \"nash-bargaining\")",
        "NetworkRepair(inner: NashBargaining(payments: SequentialBounded))",
        "(label: \"repaired\", mechanism: \"network-repair\")",
    ] {
        let output = runs(mechanism, "mechanism.inner.weights");
        assert_eq!(status(&output), 0, "{mechanism}: {}", stderr(&output));
        // Without the parameter once, with it twice.
        assert!(stdout(&output).contains("ok, 3 runs"), "{mechanism}: {}", stdout(&output));
    }
    // What is wrapped does not have it: nobody has the path.
    let output = runs("NetworkRepair(inner: \"grid-only\")", "mechanism.inner.weights");
    assert_eq!(status(&output), 2, "{}", stdout(&output));
    assert!(stderr(&output).contains("mechanism.inner.weights"), "{}", stderr(&output));
    let alone = file(&folder, "alone.ron", "Experiment(scenarios: [\"good.ron\"], mechanisms: [\"network-repair\"])");
    let set = coase(&["check", &alone, "--set", "mechanism.inner.weights=Logarithmic"]);
    assert_eq!(status(&set), 0, "{}", stderr(&set));
}

#[test]
fn messages_name_the_field_what_stands_there_and_what_was_expected() {
    let folder = folder("bad_words");
    file(&folder, "net.ron", NETWORK);
    file(&folder, "good.ron", &scenario(""));
    let with = |from: &str, to: &str| scenario("").replacen(from, to, 1);
    let cases: [(String, &[&str]); 14] = [
        (with("periods: 2", "periods: 2.0"), &["case.ron:2:28", "periods is 2.0, expected a whole number"]),
        (with("periods: 2", "periods: -2"), &["case.ron:2", "periods is -2, expected a whole number of at least 0"]),
        (with("periods: 2", "periods: None"), &["case.ron:2", "periods is None, expected a whole number"]),
        (with("\"case\"", "case"), &["case.ron:2", "name is case, expected text in quotes", "write \"case\""]),
        (with("(buy", "[buy"), &["case.ron:4"]),
        (with(" currency: \"EUR\",", ""), &["case.ron:1:1", "`currency` is missing in Scenario"]),
        (with("0.3", "\"0.3\""), &["case.ron:4", "buy_price_per_kwh is \"0.3\", expected a number, a list of numbers"]),
        (with("[10, 20]", "[10, \"20\"]"), &["case.ron:7", "p_kw.1 is \"20\", expected a number"]),
        (with("Load(p_kw: [10, 20])", "Load"), &["case.ron:7", "devices.0", "Load", "in parentheses"]),
        (with("Load(p_kw: [10, 20])", "Load(10)"), &["case.ron:7", "`Load` is given `10`, expected `name: value`"]),
        (with("Load(p_kw: [10, 20])", "Pv(p_max_kw: 1,5, profile: 1)"), &["case.ron:7", "decimals have a point"]),
        (
            with("Load(p_kw", "Laod(p_kw"),
            &["case.ron:7", "devices.0 is Laod, expected BaseStation, EvFleet, Hvac", "did you mean `Load`?"],
        ),
        (
            with("source: \"net.ron\"", "sourc: \"net.ron\""),
            &["case.ron:3", "network has no field `sourc`; it has source"],
        ),
        (with("Load(p_kw: [10, 20])", "Load(p_kw: [10, 20], p_kw: 3)"), &["case.ron:7", "field `p_kw` is there twice"]),
    ];
    for (text, expected) in &cases {
        refused(&folder, text, expected);
    }
    let experiment = |rest: &str| format!("Experiment(scenarios: [\"good.ron\"],\n    {rest},\n)");
    let cases: [(&str, &[&str]); 12] = [
        (
            "mechanisms: [(label: \"a\", mechanizm: \"grid-only\")]",
            &["case.ron:2", "no field `mechanizm`; it has label"],
        ),
        (
            "mechanisms: [\"grid-only\"], sweep: [(pth: \"a\")]",
            &["case.ron:2", "sweep.0 has no field `pth`; it has path"],
        ),
        ("mechanisms: [\"grid-only\"], sweep: [(path: \"a\")]", &["case.ron:2", "`values` is missing in sweep.0"]),
        (
            "mechanisms: [\"grid-only\"], seeds: [-1]",
            &["case.ron:2", "seeds.0 is -1, expected a whole number of at least 0"],
        ),
        ("mechanisms: [\"grid-only\"], seeds: 1", &["case.ron:2", "seeds is 1, expected a list in brackets"]),
        (
            "mechanisms: [grid-only]",
            &["case.ron:2", "mechanisms.0 is grid-only, expected text in quotes", "write \"grid-only\""],
        ),
        ("mechanisms: [\"grid-only\"], carbon: [Tax(60)]", &["case.ron:2", "`Tax` is given `60`", "price_per_tonne"]),
        (
            "mechanisms: [\"grid-only\"], carbon: [None]",
            &["case.ron:2", "carbon policy is None", "write \"none\" in quotes"],
        ),
        (
            "mechanisms: [NetworkRepair(inner: \"grid-olny\")]",
            &["case.ron:2", "inner is \"grid-olny\", expected", "GridOnly", "did you mean `grid-only`?"],
        ),
        ("mechanisms: [\"grid-only\"], match: Revenu", &["match is Revenu", "did you mean `Revenue`?"]),
        ("mechanisms: [\"grid-only\"], evidence: true", &["evidence is true, expected fields in parentheses"]),
        ("mechanisms: [\"grid-only\"], carbon: [Stepped(tiers: 3.5)]", &["tiers is 3.5, expected a whole number"]),
    ];
    for (rest, expected) in cases {
        refused(&folder, &experiment(rest), expected);
    }
}

/// What a newcomer wrote, and what it is answered with.
#[test]
fn paths_options_and_units_that_newcomers_get_wrong_are_answered_with_what_to_write() {
    let folder = folder("newcomers");
    let experiment = |carbon: &str, more: &str| {
        format!("Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\"], carbon: [{carbon}]{more})")
    };
    let both = "Tax(price_per_tonne: 60), (label: \"tax-120\", policy: Tax(price_per_tonne: 120))";
    let plain = file(&folder, "plain.ron", &experiment(both, ""));
    let sweep = |path: &str| experiment("\"none\"", &format!(", sweep: [(path: \"{path}\", values: [1])]"));
    let cases = [
        (
            file(&folder, "none.ron", &experiment("None()", "")),
            vec![],
            vec!["none.ron:1", "`\"none\"`, the id in quotes"],
        ),
        (plain.clone(), vec!["--set", "carbon.tax-12.price_per_tonne=1"], vec!["did you mean `tax-120`?"]),
        (plain.clone(), vec!["--set", "carbon.tax-120.price_per_ton=1"], vec!["did you mean `price_per_tonne`?"]),
        (
            file(&folder, "device.ron", &sweep("scenario.participants.vpp1.devices.Pv.p_max_kw")),
            vec![],
            vec!["device.ron:1", "after `scenario.participants.vpp1.devices` comes `Quadratic`"],
        ),
        (
            file(&folder, "who.ron", &sweep("scenario.participants.vpp9.bus")),
            vec![],
            vec!["after `scenario.participants` comes `vpp1`, `vpp2`, `vpp3`"],
        ),
    ];
    for (path, set, words) in cases {
        let output = coase(&[&["check", path.as_str()][..], &set].concat());
        let said = stderr(&output);
        assert_eq!(status(&output), 2, "{said}");
        for word in words {
            // Lines of a drawing name the place as [ file:line:column ].
            assert!(said.contains(word), "`{word}` is not in\n{said}");
        }
    }
    // A file that is not there is named once.
    let said = stderr(&coase(&["check", "nowhere.ron"]));
    assert_eq!(said.matches("nowhere.ron").count(), 1, "{said}");
    // Grams where kilograms are meant.
    let grams =
        "Scenario(name: \"g\", periods: 1, currency: \"EUR\", grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1,
        intensity_kg_per_kwh: 400), participants: [(id: \"a\", devices: [Load(p_kw: 1)])])";
    let output = coase(&["check", &file(&folder, "grams.ron", grams)]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.contains("up to 400 kg per kWh") && told.contains("scale: 0.001"), "{told}");
}
