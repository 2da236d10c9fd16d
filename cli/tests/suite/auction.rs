//! `coase auction` through the binary.

use crate::support::{coase, file, folder, json, status, stderr, stdout};
use coase as _; // links the plugins
use serde_json::Value;

const BL: &str = r#"Auction(
    buyers: [
        (id: "b0", rating_kwh: 3, blocks: [(price_per_kwh: 1.0, quantity_kwh: 3)]),
        (id: "b1", blocks: [(price_per_kwh: 0.8, quantity_kwh: 2)]),
        (id: "b2", blocks: [(price_per_kwh: 0.6, quantity_kwh: 4)]),
        (id: "b3", blocks: [(price_per_kwh: 0.45, quantity_kwh: 2)]),
    ],
    sellers: [
        (id: "s0", blocks: [(price_per_kwh: 0.2, quantity_kwh: 3)]),
        (id: "s1", blocks: [(price_per_kwh: 0.35, quantity_kwh: 2)]),
        (id: "s2", blocks: [(price_per_kwh: 0.5, quantity_kwh: 3)]),
        (id: "s3", blocks: [(price_per_kwh: 0.55, quantity_kwh: 2)]),
        (id: "s4", blocks: [(price_per_kwh: 0.7, quantity_kwh: 3)]),
    ], PARAMS
)"#;

fn bl(params: &str) -> String {
    BL.replace("PARAMS", params)
}

fn near(found: &Value, expected: f64) {
    assert!((found.as_f64().unwrap() - expected).abs() < 1e-9, "{found} {expected}");
}

/// Money of everybody on a side.
fn money(answer: &Value, side: &str, what: &str) -> Vec<f64> {
    answer[side].as_array().unwrap().iter().map(|b| b[what].as_f64().unwrap()).collect()
}

fn all_near(found: &[f64], expected: &[f64]) {
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-9),
        "{found:?} {expected:?}"
    );
}

#[test]
fn blocks_are_cleared_by_every_rule_as_known() {
    let folder = folder("auction_blocks");
    let clear = |params: &str, id: &str| {
        json(&["auction", &file(&folder, "bl.ron", &bl(params)), "--mechanism", id, "--json"], 0)
    };
    let double = clear("", "double-auction");
    near(&double["price_per_kwh"], 0.55);
    near(&double["welfare"], 3.65);
    near(&double["traded_kwh"], 9.0);
    near(&double["budget_surplus"], 0.0);
    assert_eq!(double["sellers"][4], serde_json::json!({"id": "s4", "quantity_kwh": 0.0, "receipt": 0.0}));
    let huang = clear("params: (rationing: ProRata)", "huang");
    all_near(&money(&huang, "sellers", "quantity_kwh"), &[1.875, 1.25, 1.875, 0.0, 0.0]);
    near(&huang["budget_surplus"], 0.25);
    near(&huang["welfare"], 2.85);
    assert!(huang["price_per_kwh"].is_null());
    let padding = clear("params: (quantum_kwh: 1)", "competition-padding");
    all_near(&money(&padding, "buyers", "payment"), &[1.9, 1.3, 0.0, 0.0]);
    all_near(&money(&padding, "sellers", "receipt"), &[1.5, 1.0, 0.0, 0.0, 0.0]);
    near(&padding["welfare"], 3.3);
    let mirror = clear("params: (side: PhantomSeller, padding_kwh: 6, quantum_kwh: 1)", "competition-padding");
    all_near(&money(&mirror, "buyers", "payment"), &[1.8, 1.2, 0.0, 0.0]);
    all_near(&money(&mirror, "sellers", "receipt"), &[1.4, 0.9, 0.0, 0.0, 0.0]);
    let auto = clear("params: (padding_kwh: Auto, quantum_kwh: 1)", "competition-padding");
    assert_eq!(auto, padding);
    assert!(padding["withheld"].as_array().unwrap().is_empty());
    let small = clear("params: (padding_kwh: 3)", "competition-padding");
    assert_eq!(small["withheld"][0]["claim"], "no_deficit");
    let units = clear("", "mcafee");
    assert_eq!(units["withheld"][0]["claim"], "truthful");
    for id in ["muda", "pay-as-bid", "continuous-double-auction", "iterative-double-auction"] {
        let found = clear("", id);
        near(&found["budget_surplus"], 0.0);
        assert!(found["welfare"].as_f64().unwrap() <= 3.65 + 1e-9, "{id}: {found}");
    }
    // The seed decides what is drawn, and nothing else does.
    let path = file(&folder, "bl.ron", &bl(""));
    let drawn = |seed: &str| json(&["auction", &path, "--mechanism", "muda", "--seed", seed, "--json"], 0);
    assert_eq!(drawn("7"), drawn("7"));
    assert!(["1", "2", "3", "4", "5"].iter().any(|seed| drawn(seed) != drawn("7")));
    // For people.
    let text = stdout(&coase(&["auction", &path, "--mechanism", "mcafee"]));
    for words in ["b0", "pays", "receives", "not claimed here: truthful (blocks have several sizes"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn no_trade_is_a_result_and_says_why() {
    let folder = folder("auction_none");
    let one = |name: &str, price: f64| format!("(id: \"{name}\", blocks: [(price_per_kwh: {price}, quantity_kwh: 1)])");
    for (buyers, sellers, why) in [
        (String::new(), String::new(), "nobody bids and nobody asks"),
        (String::new(), one("s", 0.2), "the side of the buyers is empty"),
        (one("b", 0.2), String::new(), "the side of the sellers is empty"),
        (one("b", 0.2), one("s", 0.3), "every ask is above every bid"),
        (one("b", 0.3), one("s", 0.2), "the rule gives up"),
    ] {
        let path = file(&folder, "none.ron", &format!("Auction(buyers: [{buyers}], sellers: [{sellers}])"));
        for id in ["mcafee", "huang"] {
            let answer = json(&["auction", &path, "--mechanism", id, "--json"], 0);
            assert!(answer["price_per_kwh"].is_null(), "{answer}");
            near(&answer["traded_kwh"], 0.0);
            near(&answer["budget_surplus"], 0.0);
            assert!(answer["notes"][0].as_str().unwrap().contains(why), "{answer}");
        }
        assert!(stdout(&coase(&["auction", &path, "--mechanism", "mcafee"])).contains(why));
    }
}

/// What is wrong, where, and what it says.
#[test]
fn bad_bids_are_refused_with_their_place_and_name() {
    let folder = folder("auction_bad");
    let blocks = |blocks: &str| format!("Auction(buyers: [(id: \"b\",\n blocks: [{blocks}])])");
    let ask = |blocks: &str| format!("Auction(sellers: [(id: \"s\",\n blocks: [{blocks}])])");
    for (text, place, words) in [
        (blocks("(price_per_kwh: 1, quantity_kwh: -3)"), ":2:", "quantity_kwh of block 0 of `b` is -3"),
        (blocks("(price_per_kwh: NaN, quantity_kwh: 3)"), ":2:", "price_per_kwh of block 0 of `b`"),
        (blocks("(price_per_kwh: inf, quantity_kwh: 3)"), ":2:", "-1e6 to 1e6"),
        (blocks("(price_per_kwh: 1e7, quantity_kwh: 3)"), ":2:", "-1e6 to 1e6"),
        (blocks("(price_per_kwh: 1, quantity_kwh: 1e12)"), ":2:", "0 to 1e9"),
        (blocks("(price_per_kwh: 1, quantity_kwh: 1e-12)"), ":2:", "billionths"),
        (
            blocks("(price_per_kwh: 1, quantity_kwh: 1), (price_per_kwh: 2, quantity_kwh: 1)"),
            ":2:",
            "block 1 of `b` is 2, expected no more than",
        ),
        (
            ask("(price_per_kwh: 2, quantity_kwh: 1), (price_per_kwh: 1, quantity_kwh: 1)"),
            ":2:",
            "block 1 of `s` is 1, expected no less than",
        ),
        (
            "Auction(buyers: [(id: \"a\", blocks: []),\n (id: \"a\", blocks: [])])".into(),
            ":2:",
            "bidder `a` is there twice",
        ),
        (
            "Auction(buyers: [(id: \"a\", blocks: [])],\n sellers: [(id: \"a\", blocks: [])])".into(),
            ":2:",
            "stands on one side",
        ),
        (
            "Auction(buyers: [(id: \"a\", rating_kwh: 1,\n blocks: [(price_per_kwh: 1, quantity_kwh: 2)])])".into(),
            ":1:",
            "rating_kwh of `a` is 1",
        ),
        ("Auction(buyers: [(id: \" \", blocks: [])])".into(), ":1:", "a bidder has a name"),
        ("Auction(buyer: [])".into(), ":1:", "buyer"),
        ("Auctions()".into(), ":1:", "`Auction(..)`"),
        (String::new(), "", "holds no `Auction(..)`"),
        (bl("params: (kapa: 0.5)"), ":14:", "kapa"),
    ] {
        let output = coase(&["auction", &file(&folder, "bad.ron", &text), "--mechanism", "double-auction"]);
        let said = stderr(&output);
        assert_eq!(status(&output), 2, "{text}: {said}");
        assert!(stdout(&output).is_empty(), "{text}");
        assert!(said.contains(words) && said.contains(place), "{text}\n{said}");
    }
    let path = file(&folder, "bl.ron", &bl(""));
    for (id, words) in [("mcafe", "did you mean `mcafee`"), ("nash-bargaining", "needs more than a list of bids")] {
        let output = coase(&["auction", &path, "--mechanism", id, "--json"]);
        assert_eq!((status(&output), stdout(&output)), (2, String::new()), "{id}");
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    let wrong = file(&folder, "kappa.ron", &bl("params: (kappa: 2)"));
    let output = coase(&["auction", &wrong, "--mechanism", "double-auction"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("parameter `kappa` is 2"), "{}", stderr(&output));
}

#[test]
fn the_form_has_a_schema() {
    let schema = json(&["schema", "auction"], 0);
    let properties = &schema["properties"];
    for field in ["buyers", "sellers", "params"] {
        assert!(properties[field]["description"].is_string(), "{field}: {schema}");
    }
}
