//! `coase game` through the binary.

use crate::support::{coase, file, folder, json, status, stderr, stdout};
use coase as _; // links the plugins
use std::path::Path;

/// The gains of the three agents of the library.
fn three(folder: &Path) -> String {
    let gains = "Coalitions(players: [\"vpp1\", \"vpp2\", \"vpp3\"], values: [([\"vpp1\", \"vpp2\"], 2.25), ([\"vpp3\", \"vpp1\"], 60),
        ([\"vpp2\", \"vpp3\"], 19.107142857142858), ([\"vpp1\", \"vpp2\", \"vpp3\"], 64.93421052631578)])";
    file(folder, "three.ron", gains)
}

#[test]
fn three_agents_have_the_table_of_their_closed_forms() {
    let folder = folder("game_three");
    let answer = json(&["game", &three(&folder), "--json"], 0);
    let near = |rule: &str, expected: [f64; 3]| {
        for (player, expected) in ["vpp1", "vpp2", "vpp3"].into_iter().zip(expected) {
            let found = answer[rule][player].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-8, "{rule} of {player}: {found}");
        }
    };
    near("shapley", [81877.0 / 3192.0, 4153.0 / 798.0, 108_781.0 / 3192.0]);
    near("nucleolus", [6095.0 / 266.0, 375.0 / 152.0, 2215.0 / 56.0]);
    near("equal", [4935.0 / 228.0; 3]);
    near("kalai_smorodinsky_marginal", [26.230_610_784, 2.824_255_673, 35.879_344_070]);
    for (rule, excess, blocks) in [
        ("equal", 16.710_526_316, true),
        ("shapley", 0.270_050_125, true),
        ("kalai_smorodinsky_marginal", -2.109_954_854, false),
        ("nucleolus", -2.467_105_263, false),
    ] {
        assert!((answer["core_excess"][rule].as_f64().unwrap() - excess).abs() < 1e-8, "{rule}");
        let objects = serde_json::json!(["vpp1", "vpp3"]);
        if blocks {
            assert_eq!(answer["blocking"][rule], objects);
        } else {
            assert!(answer["blocking"][rule].is_null(), "{rule}");
        }
        if rule != "nucleolus" {
            assert_eq!(answer["most_objecting"][rule], objects);
        }
    }
    assert!((answer["least_core_epsilon"].as_f64().unwrap() + 2.467_105_263).abs() < 1e-8);
    assert_eq!((&answer["superadditive"], &answer["convex"]), (&true.into(), &false.into()));
    assert!(answer["superadditive_witness"].is_null() && answer["convex_witness"].is_object());
    // Between 60 - M_3 and M_1 for the first.
    let interval = |player: &str| {
        let ends = answer["core_interval"][player].as_array().unwrap();
        [ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap()]
    };
    assert!((interval("vpp2")[0]).abs() < 1e-8 && (interval("vpp2")[1] - 4.934_210_526).abs() < 1e-8);
    // For people.
    let output = coase(&["game", &three(&folder)]);
    let text = stdout(&output);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    for words in ["25.650689", "39.553571", "vpp1, vpp3", "epsilon -2.467105", "superadditive: ", "not convex: "] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// Two pairs that share a line: together they gain less than apart.
#[test]
fn an_empty_core_is_said() {
    let folder = folder("game_empty");
    let pairs = "Coalitions(players: [\"s1\", \"b1\", \"s2\", \"b2\"], values: [([\"s1\", \"b1\"], 33.4), ([\"s2\", \"b2\"], 33.4),
        ([\"s1\", \"b2\"], 33.4), ([\"s2\", \"b1\"], 33.4), ([\"s1\", \"s2\", \"b1\"], 35.2), ([\"s1\", \"s2\", \"b2\"], 35.2),
        ([\"s1\", \"b1\", \"b2\"], 39.8), ([\"s2\", \"b1\", \"b2\"], 39.8), ([\"s1\", \"b1\", \"s2\", \"b2\"], 41.6)])";
    let path = file(&folder, "pairs.ron", pairs);
    let answer = json(&["game", &path, "--json"], 0);
    assert!((answer["least_core_epsilon"].as_f64().unwrap() - 12.6).abs() < 1e-8);
    assert_eq!(answer["superadditive"], false);
    assert!((answer["superadditive_witness"]["loss"].as_f64().unwrap() - 25.2).abs() < 1e-8);
    for (player, gain) in [("s1", 8.1), ("b1", 12.7), ("s2", 8.1), ("b2", 12.7)] {
        assert!((answer["nucleolus"][player].as_f64().unwrap() - gain).abs() < 1e-7, "{answer}");
    }
    let text = stdout(&coase(&["game", &path]));
    assert!(text.contains("the core is empty") && text.contains("lose 25.2 by joining"), "{text}");
}

#[test]
fn a_single_player_and_a_game_without_gains_have_answers() {
    let folder = folder("game_small");
    let one = json(&["game", &file(&folder, "one.ron", "Coalitions(players: [\"a\"])"), "--json"], 0);
    assert_eq!(one["shapley"]["a"], 0.0);
    assert!(one["blocking"]["equal"].is_null() && one["kalai_smorodinsky_marginal"].is_null());
    let two = file(&folder, "two.ron", "Coalitions(players: [\"a\", \"b\"], values: [([\"a\", \"b\"], 3)])");
    let two = json(&["game", &two, "--json"], 0);
    assert_eq!((two["shapley"]["a"].as_f64(), two["convex"].as_bool()), (Some(1.5), Some(true)));
}

/// What is wrong, where, and what it says.
#[test]
fn bad_games_are_refused_with_their_place() {
    let folder = folder("game_bad");
    let seventeen = (0..17).map(|k| format!("\"p{k}\"")).collect::<Vec<_>>().join(", ");
    for (text, place, words) in [
        ("Coalitions(players: [\"a\", \"b\"], values: [([\"a\", \"d\"], 1)])", ":1:", "no player `d`"),
        (
            "Coalitions(players: [\"a\", \"b\"],\n values: [([\"a\", \"b\"], 1),\n ([\"b\", \"a\"], 2)])",
            ":3:",
            "`{a, b}` is there twice",
        ),
        ("Coalitions(players: [\"a\", \"b\"],\n values: [([\"a\", \"a\"], 1)])", ":2:", "player `a` is there twice"),
        ("Coalitions(players: [\"a\", \"b\"],\n values: [([\"a\", \"b\"], \"much\")])", ":2:", "number"),
        ("Coalitions(players: [\"a\", \"b\"],\n values: [([\"a\", \"b\"], NaN)])", ":2:", "a finite number"),
        ("Coalitions(players: [\"a\", \"b\"],\n values: [([], 1)])", ":2:", "the group is empty"),
        ("Coalitions(players: [])", ":1:", "players is empty"),
        ("Coalitions(players: [\"a\", \"a\"])", ":1:", "player `a` is there twice"),
        ("Coalitions(players: [\"a\", \" \"])", ":1:", "a player has a name"),
        (&format!("Coalitions(players: [{seventeen}])"), ":1:", "at most 16 players"),
        ("Coalitions(player: [\"a\"])", ":1:", "player"),
        ("Coalition(players: [\"a\"])", ":1:", "`Coalitions(..)`"),
        ("", "", "holds no `Coalitions(..)`"),
        ("Coalitions(players: [\"a\"", ":1:", ""),
    ] {
        let output = coase(&["game", &file(&folder, "bad.ron", text)]);
        let said = stderr(&output);
        assert_eq!(status(&output), 2, "{text}: {said}");
        assert!(stdout(&output).is_empty(), "{text}");
        assert!(said.contains(words) && said.contains(place), "{text}\n{said}");
    }
    let missing = coase(&["game", folder.join("none.ron").to_str().unwrap(), "--json"]);
    assert_eq!((status(&missing), stdout(&missing)), (2, String::new()));
}

#[test]
fn the_form_has_a_schema() {
    let schema = json(&["schema", "game"], 0);
    let form = &schema["oneOf"][0]["properties"]["Coalitions"]["properties"];
    assert!(form["players"]["description"].is_string() && form["values"]["description"].is_string(), "{schema}");
}

/// `P = 1.05 - 0.002 Q`, sellers at 0.30, 0.36 and 0.45.
fn three_sellers(more: &str) -> String {
    format!(
        "Cournot(intercept_per_kwh: 1.05, slope_per_kwh2: 0.002, sellers: [(id: \"s1\", cost_per_kwh: 0.30),
        (id: \"s2\", cost_per_kwh: 0.36), (id: \"s3\", cost_per_kwh: 0.45)], {more})"
    )
}

#[test]
fn sellers_answer_a_quotation_as_in_the_closed_form() {
    let folder = folder("game_cournot");
    let best = json(&["game", &file(&folder, "best.ron", &three_sellers("quotation_max_per_kwh: 0.7")), "--json"], 0);
    let near = |answer: &serde_json::Value, expected: f64| (answer.as_f64().unwrap() - expected).abs() < 1e-9;
    assert!(near(&best["quotation_per_kwh"], 0.34) && near(&best["operator_revenue"], 43.35), "{best}");
    for (seller, kwh) in [("s1", 77.5), ("s2", 47.5), ("s3", 2.5)] {
        assert!(near(&best["quantity_kwh"][seller], kwh), "{best}");
    }
    let free = "quotation_max_per_kwh: 0.7, quotation_per_kwh: Some(0)";
    let free = json(&["game", &file(&folder, "free.ron", &three_sellers(free)), "--json"], 0);
    assert!(near(&free["price_per_kwh"], 0.54) && near(&free["nikaido_isoda"], 0.0), "{free}");
    for (seller, profit) in [("s1", 28.8), ("s2", 16.2), ("s3", 4.05)] {
        assert!(near(&free["profit"][seller], profit), "{free}");
    }
    let text = stdout(&coase(&["game", &file(&folder, "best.ron", &three_sellers("quotation_max_per_kwh: 0.7"))]));
    assert!(text.contains("the operator earns 43.35") && text.contains("77.5"), "{text}");
    for (more, words) in [
        ("quotation_max_per_kwh: 0.7, quotation_per_kwh: 0.8", "from 0 to `quotation_max_per_kwh`"),
        ("quotation_max_per_kwh: -1", "at least 0"),
    ] {
        let output = coase(&["game", &file(&folder, "bad.ron", &three_sellers(more))]);
        assert_eq!(status(&output), 2);
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

/// Three sellers whose cost falls from 0.35 to 0.20 sell more than half of what buyers would take at a price of 0, receive less
/// in all, 131.484375 after 137.8125, and profit by it: `n (A - c)^2 / (B (n + 1)^2)`.
#[test]
fn sellers_that_become_cheaper_may_receive_less() {
    let folder = folder("game_cheaper");
    let at = |cost: f64| {
        let sellers: Vec<String> = (1..=3).map(|k| format!("(id: \"s{k}\", cost_per_kwh: {cost})")).collect();
        let text = format!(
            "Cournot(intercept_per_kwh: 1.05, slope_per_kwh2: 0.002, sellers: [{}], quotation_max_per_kwh: 0)",
            sellers.join(", ")
        );
        let found = json(&["game", &file(&folder, "three.ron", &text), "--json"], 0);
        let of = |what: &str| -> f64 { found[what].as_object().unwrap().values().map(|x| x.as_f64().unwrap()).sum() };
        (found["price_per_kwh"].as_f64().unwrap() * of("quantity_kwh"), of("profit"))
    };
    let ((dear, poor), (cheap, rich)) = (at(0.35), at(0.2));
    assert!((dear - 137.8125).abs() < 1e-9 && (cheap - 131.484_375).abs() < 1e-9, "{dear} {cheap}");
    assert!((poor - 45.9375).abs() < 1e-9 && (rich - 67.734_375).abs() < 1e-9, "{poor} {rich}");
}
