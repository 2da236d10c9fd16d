//! `coase game` on populations, prices and strategic forms, through the binary.

use crate::support::{coase, column, file, folder, json, status, stderr, stdout};
use coase as _; // links the plugins
use serde_json::Value;

const SELLERS: [(&str, f64, f64, f64, f64); 3] =
    [("s1", 0.55, 0.30, 100.0, 0.30), ("s2", 0.60, 0.35, 60.0, 0.20), ("s3", 0.50, 0.28, 80.0, 0.25)];

fn sellers(of: &str) -> String {
    let seller = |(id, price, cost, quantity, congestion): (&str, f64, f64, f64, f64)| {
        let number = if of == "price_per_kwh" { price } else { cost };
        format!("(id: \"{id}\", {of}: {number}, quantity_kwh: {quantity}, congestion_per_kwh: {congestion})")
    };
    SELLERS.map(seller).join(", ")
}

/// Three buyers to whom sellers differ.
const BUYERS: &str = "(id: \"b1\", quantity_kwh: 60, adders_per_kwh: [0, 0.02, 0.03]),
    (id: \"b2\", quantity_kwh: 50, adders_per_kwh: [0.03, 0, 0.01]),
    (id: \"b3\", quantity_kwh: 40, adders_per_kwh: [0.02, 0.01, 0])";
/// The same without differences.
const ALIKE: &str = "(id: \"b1\", quantity_kwh: 60), (id: \"b2\", quantity_kwh: 50), (id: \"b3\", quantity_kwh: 40)";

fn near(found: &Value, expected: &[(&str, f64)], tolerance: f64) {
    for (id, expected) in expected {
        let found = found[id].as_f64().unwrap_or(f64::NAN);
        assert!((found - expected).abs() <= tolerance, "{id}: {found} instead of {expected}");
    }
}

#[test]
fn buyers_come_to_the_known_equilibrium() {
    let folder = folder("game_population");
    let prices = sellers("price_per_kwh");
    let one = format!(
        "Population(sellers: [{prices}], buyers: [(id: \"b\", quantity_kwh: 150)], dynamics: Replicator(step: 0.8))"
    );
    let answer = json(&["game", &file(&folder, "one.ron", &one), "--json"], 0);
    assert_eq!(answer["status"], "converged");
    near(&answer["quantity_kwh"], &[("s1", 52.097_902_098), ("s2", 31.888_111_888), ("s3", 66.013_986_014)], 1e-6);
    near(&answer["shares"]["b"], &[("s1", 0.347_319_347), ("s2", 0.212_587_413), ("s3", 0.440_093_240)], 1e-8);
    near(&answer["cost_per_kwh"], &[("b", 0.706_293_706_294)], 1e-9);
    let eigenvalues: Vec<f64> = answer["eigenvalues"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert!((eigenvalues[0] + 0.180_616_853).abs() < 1e-7 && (eigenvalues[1] + 0.120_595_268).abs() < 1e-7);
    assert!(answer["wardrop_gap"].as_f64().unwrap() < 1e-8 * 150.0 && answer["steps"].as_u64().unwrap() > 10);
    for dynamics in ["Smith", "Projection"] {
        let text = format!("Population(sellers: [{prices}], buyers: [{BUYERS}], dynamics: {dynamics})");
        let answer = json(&["game", &file(&folder, "three.ron", &text), "--json"], 0);
        near(&answer["quantity_kwh"], &[("s1", 57.552_447_552), ("s2", 30.797_202_797), ("s3", 61.650_349_650)], 1e-5);
        near(&answer["cost_per_kwh"], &[("b1", 0.722_657_343), ("b2", 0.702_657_343), ("b3", 0.692_657_343)], 1e-7);
        assert!((answer["potential"].as_f64().unwrap() - 93.710_699_301).abs() < 1e-6);
    }
    let noisy = one.replace("Replicator(step: 0.8)", "Logit(noise: 0.05)");
    let answer = json(&["game", &file(&folder, "noisy.ron", &noisy), "--json"], 0);
    near(&answer["shares"]["b"], &[("s1", 0.342_435_231), ("s2", 0.242_641_469), ("s3", 0.414_923_299)], 1e-8);
    assert!(answer["wardrop_gap"].as_f64().unwrap() > 1e-3, "the quantal response is no equilibrium of Wardrop");
    let text = stdout(&coase(&["game", &file(&folder, "one.ron", &one)]));
    assert!(text.contains("0.347319") && text.contains("Wardrop gap") && text.contains("eigenvalues"), "{text}");
}

#[test]
fn sellers_come_to_the_known_equilibrium_by_every_method() {
    let folder = folder("game_pricing");
    for method in ["GaussSeidel", "Relaxation", "Gradient", "Extragradient"] {
        let text = format!(
            "Pricing(sellers: [{}], buyers: [{ALIKE}], price_min_per_kwh: 0.3, price_max_per_kwh: 1.2, method: {method})",
            sellers("cost_per_kwh")
        );
        let answer = json(&["game", &file(&folder, "alike.ron", &text), "--json"], 0);
        assert_eq!(answer["status"], "converged", "{method}");
        near(&answer["prices"], &[("s1", 0.544_143_353), ("s2", 0.559_410_088), ("s3", 0.534_108_535)], 1e-8);
        near(&answer["quantity_kwh"], &[("s1", 52.926_181_411), ("s2", 43.053_542_645), ("s3", 54.020_275_944)], 1e-5);
        near(&answer["profit"], &[("s1", 12.921_575_389), ("s2", 9.015_846_170), ("s3", 13.727_013_173)], 1e-6);
        assert!(answer["nikaido_isoda"].as_f64().unwrap() < 1e-8 && answer["rounds"].as_u64().unwrap() > 1);
        assert!((answer["least_concavity"].as_f64().unwrap() - 211.586_672).abs() < 1e-4);
    }
}

/// That there is none is an answer: exit status 0.
#[test]
fn prices_without_equilibrium_are_answered_by_the_least_gap() {
    let folder = folder("game_no_equilibrium");
    let text = format!("Pricing(sellers: [{}], buyers: [{BUYERS}])", sellers("cost_per_kwh"));
    let path = file(&folder, "apart.ron", &text);
    let answer = json(&["game", &path, "--json"], 0);
    assert_eq!(answer["status"], "no_equilibrium");
    let gap = answer["nikaido_isoda"].as_f64().unwrap();
    assert!(gap > 1e-3 && gap < 0.05, "below that of the stationary prices, 0.297: {gap}");
    assert_eq!(answer["cycle"], 2);
    let play = &answer["correlated"];
    assert!(play["gap"].as_f64().unwrap() <= 0.005, "{play}");
    near(&play["mean_prices"], &[("s1", 0.600), ("s2", 0.586), ("s3", 0.550)], 1e-2);
    let said = stdout(&coase(&["game", &path]));
    assert!(said.contains("no equilibrium was found") && said.contains("every 2 rounds"), "{said}");
}

const PENNIES: &str =
    "NormalForm(players: [(id: \"row\", strategies: [\"T\", \"B\"]), (id: \"column\", strategies: [\"L\", \"R\"])],
    payoffs: PAYOFFS)";

#[test]
fn a_strategic_form_has_its_equilibria_and_learners() {
    let folder = folder("game_normal_form");
    let flat = PENNIES.replace("PAYOFFS", "[2, -2, -1, 1, -1, 1, 1, -1]");
    let answer = json(&["game", &file(&folder, "flat.ron", &flat), "--json"], 0);
    assert_eq!(answer["pure_equilibria"].as_array().unwrap().len(), 0);
    let learned = answer["learned"].as_object().unwrap();
    let names: Vec<&String> = learned.keys().collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for (learner, play) in learned {
        assert!(play["exploitability"].as_f64().unwrap() < 0.25, "{learner}: {play}");
        near(&play["profile"]["row"], &[("T", 0.4), ("B", 0.6)], 0.1);
    }
    // The numbers of a profile may stand in brackets.
    let rows = PENNIES.replace("PAYOFFS", "[(2, -2), (-1, 1), (-1, 1), (1.0, -1.0)]");
    assert_eq!(json(&["game", &file(&folder, "rows.ron", &rows), "--json"], 0), answer);
    let lists = PENNIES.replace("PAYOFFS", "[[2, -2], [-1, 1], [-1, 1], [1, -1]]");
    assert_eq!(json(&["game", &file(&folder, "lists.ron", &lists), "--json"], 0), answer);
    let prisoners = PENNIES.replace("PAYOFFS", "[3, 3, 0, 5, 5, 0, 1, 1]");
    let answer = json(&["game", &file(&folder, "prisoners.ron", &prisoners), "--json"], 0);
    assert_eq!(answer["pure_equilibria"], serde_json::json!([{"row": "B", "column": "R"}]));
    assert!(answer["learned"]["hedge"]["exploitability"].as_f64().unwrap() < 0.1);
}

#[test]
fn strategic_forms_are_written_for_gambit() {
    let folder = folder("game_export");
    let form = file(&folder, "form.ron", &PENNIES.replace("PAYOFFS", "[1, 2, 3, 4, 5, 6, 7, 8]"));
    let nfg = folder.join("form.nfg").to_str().unwrap().to_owned();
    json(&["game", &form, "--json", "--export", &nfg], 0);
    let written = std::fs::read_to_string(&nfg).unwrap();
    assert!(written.starts_with("NFG 1 R ") && written.contains("{ \"T\" \"B\" }"), "{written}");
    assert!(written.ends_with("1 2\n5 6\n3 4\n7 8\n"), "the first player's strategy moves fastest: {written}");
    let pricing = format!("Pricing(sellers: [{}], buyers: [{ALIKE}], export_points: 3)", sellers("cost_per_kwh"));
    json(&["game", &file(&folder, "pricing.ron", &pricing), "--json", "--export", &nfg], 0);
    let written = std::fs::read_to_string(&nfg).unwrap();
    assert!(written.contains("\"0.75\"") && written.lines().filter(|line| line.split(' ').count() == 3).count() >= 27);
    let gains = file(&folder, "gains.ron", "Coalitions(players: [\"a\"])");
    let output = coase(&["game", &gains, "--export", &nfg]);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("`NormalForm(..)` and `Pricing(..)`"), "{}", stderr(&output));
}

/// What is wrong, where, and what it says.
#[test]
fn bad_games_are_refused_with_their_place() {
    let folder = folder("game_plain_bad");
    let priced = sellers("price_per_kwh");
    let costed = sellers("cost_per_kwh");
    let many = format!(
        "NormalForm(players: [{}], payoffs: [])",
        (0..30).map(|k| format!("(id: \"p{k}\", strategies: [\"a\", \"b\"])")).collect::<Vec<_>>().join(", ")
    );
    for (text, place, words) in [
        ("Population(sellers: [], buyers: [])".to_owned(), ":1:", "sellers is empty"),
        (format!("Population(sellers: [{priced}],\n buyers: [])"), ":2:", "buyers is empty"),
        (format!("Population(sellers: [{priced}],\n buyers: [(id: \"b\", quantity_kwh: 0)])"), ":2:", "above 0"),
        (
            format!("Population(sellers: [{priced}],\n buyers: [(id: \"b\", quantity_kwh: 1, adders_per_kwh: [1])])"),
            ":2:",
            "each of the 3 sellers",
        ),
        (
            format!(
                "Population(sellers: [{priced}], buyers: [(id: \"b\", quantity_kwh: 1)],\n dynamics: Replicator(step: 0))"
            ),
            ":2:",
            "above 0",
        ),
        (
            format!("Population(sellers: [{priced}], buyers: [(id: \"b\", quantity_kwh: 1)],\n dynamics: Smit)"),
            ":2:",
            "Smith",
        ),
        (
            format!(
                "Population(sellers: [{priced}], buyers: [(id: \"b\", quantity_kwh: 1),\n (id: \"b\", quantity_kwh: 1)])"
            ),
            ":2:",
            "there twice",
        ),
        (format!("Pricing(sellers: [{costed}], buyers: [{ALIKE}],\n price_min_per_kwh: 2)"), "", "price_min_per_kwh"),
        (
            format!("Pricing(sellers: [{costed}], buyers: [\n (id: \"b\", quantity_kwh: 1, value_per_kwh: 2)])"),
            ":2:",
            "slope_per_kwh2",
        ),
        (
            "Pricing(sellers: [\n (id: \"s\", cost_per_kwh: 1, quantity_kwh: 1, congestion_per_kwh: 0)], buyers: [(id: \"b\", quantity_kwh: 1)])"
                .to_owned(),
            ":2:",
            "above 0",
        ),
        (PENNIES.replace("PAYOFFS", "[1, 2]"), ":2:", "8 numbers"),
        (PENNIES.replace("PAYOFFS", "[1, 2, NaN, 4, 5, 6, 7, 8]"), ":2:", "finite"),
        (PENNIES.replace("PAYOFFS", "[\"much\"]"), ":2:", "number"),
        (many, ":1:", "payoffs are listed"),
        ("NormalForm(players: [(id: \"a\", strategies: [])], payoffs: [])".to_owned(), ":1:", "strategies is empty"),
    ] {
        let output = coase(&["game", &file(&folder, "bad.ron", &text)]);
        let said = stderr(&output);
        assert_eq!(status(&output), 2, "{text}: {said}");
        assert!(stdout(&output).is_empty(), "{text}");
        assert!(said.contains(words) && said.contains(place), "{text}\n{said}");
    }
}

#[test]
fn every_form_has_a_schema() {
    let schema = json(&["schema", "game"], 0);
    for (head, field) in [("Population", "dynamics"), ("Pricing", "method"), ("NormalForm", "payoffs")] {
        let form = schema["oneOf"].as_array().unwrap().iter().find(|form| !form["properties"][head].is_null()).unwrap();
        assert!(form["properties"][head]["properties"][field]["description"].is_string(), "{head}: {form}");
    }
}

/// Three plants with a surplus of 100, 60 and 80 kWh in the first period and of 20 and 30 in the second, and two who need 90 and 60.
const PLANTS: &str = r#"Scenario(name: "plants", periods: 2, period_h: 1.0, currency: "EUR",
    grid: (buy_price_per_kwh: 1.2, sell_price_per_kwh: 0.3, intensity_kg_per_kwh: 0.5),
    participants: [
        (id: "s1", import_max_kw: 200, export_max_kw: 200, devices: [Pv(p_max_kw: 100, profile: [1, 0.2])]),
        (id: "s2", import_max_kw: 200, export_max_kw: 200, devices: [Pv(p_max_kw: 60, profile: [1, 0])]),
        (id: "s3", import_max_kw: 200, export_max_kw: 200, devices: [Pv(p_max_kw: 80, profile: [1, 0.375])]),
        (id: "b1", import_max_kw: 200, export_max_kw: 200, devices: [Load(p_kw: 90), Interruptible(share: 0.2, compensation_per_kwh: 0.9)]),
        (id: "b2", import_max_kw: 200, export_max_kw: 200, devices: [Load(p_kw: 60)]),
    ])"#;

/// Sales by seller in the first period with their price, of the trades of a run.
fn traded(store: &std::path::Path) -> Vec<(String, f64, f64)> {
    let number = |name: &str| {
        column(store, "trades", name).iter().map(|x| x.parse::<f64>().unwrap_or(f64::NAN)).collect::<Vec<_>>()
    };
    let (sellers, periods) = (column(store, "trades", "seller"), number("period"));
    let (quantity, price) = (number("quantity_kwh"), number("price_per_kwh"));
    let mut all: Vec<(String, f64, f64)> = vec![];
    for k in (0..sellers.len()).filter(|k| periods[*k] == 0.0) {
        match all.iter_mut().find(|(seller, ..)| *seller == sellers[k]) {
            Some(known) => known.1 += quantity[k],
            None => all.push((sellers[k].clone(), quantity[k], price[k])),
        }
    }
    all
}

/// What a mechanism plays, written out and solved by `coase game`, is what the mechanism found.
#[test]
fn an_exported_game_has_the_answer_of_the_mechanism() {
    let folder = folder("game_exported");
    let plants = file(&folder, "plants.ron", PLANTS);
    for mechanism in ["evolutionary-buyers", "pricing-game", "multiple-game", "service-quotation"] {
        let store = folder.join(mechanism);
        let set = format!("experiment.mechanisms=[{mechanism:?}]");
        let ran = coase(&["run", &plants, "--out", store.to_str().unwrap(), "--set", &set, "--quiet"]);
        assert_eq!(status(&ran), 0, "{mechanism}: {}", stderr(&ran));
        let out = folder.join(format!("{mechanism}.ron"));
        let question = ["game", &plants, "--mechanism", mechanism, "--period", "0", "--json"];
        let asked: Vec<&str> = question.into_iter().chain(["--export", out.to_str().unwrap()]).collect();
        let answer = json(&asked, 0);
        let again = json(&["game", out.to_str().unwrap(), "--json"], 0);
        assert_eq!(answer, again, "{mechanism}: the file says what was solved");
        let sales = traded(&store);
        assert_eq!(sales.len(), 3, "{mechanism}: {sales:?}");
        for (seller, quantity, price) in sales {
            let told = |of: &Value| of[seller.as_str()].as_f64().unwrap_or(f64::NAN);
            let found = told(&answer["quantity_kwh"]);
            assert!((found - quantity).abs() < 1e-4 * quantity, "{mechanism} {seller}: {found} instead of {quantity}");
            let asks = match mechanism {
                "evolutionary-buyers" => 0.75,
                "service-quotation" => answer["price_per_kwh"].as_f64().unwrap(),
                _ => told(&answer["prices"]),
            };
            assert!((asks - price).abs() < 1e-5, "{mechanism} {seller}: {asks} instead of {price}");
        }
    }
    // The grid is an option among the sellers, whose name no participant can have.
    let text = std::fs::read_to_string(folder.join("evolutionary-buyers.ron")).unwrap();
    assert_eq!(text.matches("id: \"grid\"").count(), 1, "{text}");
    let gambit = folder.join("prices.nfg");
    let question =
        ["game", &plants, "--mechanism", "pricing-game", "--period", "1", "--export", gambit.to_str().unwrap()];
    assert_eq!(status(&coase(&question)), 0);
    assert!(std::fs::read_to_string(gambit).unwrap().starts_with("NFG 1 R"));
}

#[test]
fn what_is_not_played_is_told() {
    let folder = folder("game_not_played");
    let plants = file(&folder, "plants.ron", PLANTS);
    let complains = |arguments: &[&str], of: &[&str]| {
        let question: Vec<&str> = ["game", &plants].into_iter().chain(arguments.iter().copied()).collect();
        let found = coase(&question);
        assert_eq!(status(&found), 2, "{arguments:?}");
        let said = stderr(&found);
        assert!(of.iter().all(|words| said.contains(words)), "{arguments:?}: {said}");
    };
    complains(&["--mechanism", "pricing-game"], &["periods 0, 1", "--period"]);
    complains(&["--mechanism", "pricing-game", "--period", "7"], &["plays nothing in period 7", "0, 1"]);
    complains(&["--mechanism", "mid-market-rate"], &["plays no game"]);
    complains(&[], &["--mechanism", "mid-market-rate"]);
    complains(&["--mechanism", "pricing-gam"], &["pricing-game"]);
    let own = file(
        &folder,
        "own.ron",
        "Population(sellers: [(id: \"s\", price_per_kwh: 1, quantity_kwh: 1, congestion_per_kwh: 1)], buyers: [(id: \"b\", quantity_kwh: 1)])",
    );
    let found = coase(&["game", &own, "--period", "1"]);
    assert_eq!(status(&found), 2);
    assert!(stderr(&found).contains("no scenario or experiment"), "{}", stderr(&found));
}

/// Steps of a seller's cost: the second begins where the first ends.
#[test]
fn sellers_of_quantities_may_have_steps_of_cost() {
    let folder = folder("game_steps");
    let game = |steps: &str| {
        format!(
            "Cournot(intercept_per_kwh: 1.0, slope_per_kwh2: 0.01, quotation_max_per_kwh: 0, sellers: [(id: \"s\", cost_per_kwh: 0.2, quantity_max_kwh: 10, further_steps: [{steps}])])"
        )
    };
    // Alone it sells where 1 - 0.02 q is its cost: 0.6 at 20.
    let found = json(&["game", &file(&folder, "two.ron", &game("(cost_per_kwh: 0.6, quantity_kwh: 50)")), "--json"], 0);
    near(&found["quantity_kwh"], &[("s", 20.0)], 1e-9);
    near(&found["profit"], &[("s", 20.0 * 0.8 - 10.0 * 0.2 - 10.0 * 0.6)], 1e-9);
    near(&found["lerner_index"], &[("s", 0.25)], 1e-9);
    let falls = coase(&["game", &file(&folder, "falls.ron", &game("(cost_per_kwh: 0.1, quantity_kwh: 50)"))]);
    assert_eq!(status(&falls), 2);
    assert!(stderr(&falls).contains("further_steps"), "{}", stderr(&falls));
}
