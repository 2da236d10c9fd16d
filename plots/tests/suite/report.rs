//! The page of results: that it is well-formed, whole, escaped, of itself, and the same every time.

use crate::fixture::{Shape, rewrite, write_store};
use crate::markup::{Element, parse};
use coase_plots::report::{
    About, Card, Gallery, Kind, Method, Paper, Shown, answer_in_a_line, compare, comparison_page, gallery_page, report,
};
use coase_plots::store::Store;
use coase_plots::{Named, Skipped, pictures};
use std::path::{Path, PathBuf};

fn folder(name: &str, shape: &Shape) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report_{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    write_store(&dir, shape);
    dir
}

fn small() -> Shape {
    Shape {
        mechanisms: vec![("grid-only", "grid-only"), ("nash-bargaining", "nash-bargaining"), ("shapley", "shapley")],
        policies: vec![("none", "none"), ("tax", "tax")],
        periods: 4,
        buses: 5,
        ..Shape::side_by_side()
    }
}

fn page(store: &Store, (drawn, skipped): &(Vec<Named>, Vec<Skipped>)) -> String {
    let method = Method {
        id: "shapley".into(),
        kind: "mechanism".into(),
        meaning: "The gain `v(S)` of <groups>.\n\n```text\nphi_i = sum ..\n```".into(),
        ..Method::default()
    };
    let about = About {
        resolved: Some("Experiment(\n  a: \"<b>\",\n)"),
        methods: &[method],
        pictures: drawn,
        skipped,
        files: &["benefit.svg".to_owned()],
        ..About::default()
    };
    report(store, &about)
}

/// What a page of any results must be.
fn sound(html: &str, store: &Store) -> Element {
    let root = parse(html).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(root.find("html")[0].attribute("lang"), Some("en"));
    // Nothing from elsewhere.
    for element in root.all() {
        for name in ["src", "href", "xlink:href", "action", "data", "srcset", "poster"] {
            let Some(to) = element.attribute(name) else { continue };
            let is_here =
                to.starts_with('#') || to.starts_with("figures/") || ["manifest.json", "resolved.ron"].contains(&to);
            assert!(is_here, "{name}={to}");
        }
        assert!(element.attributes.iter().all(|(name, _)| !name.starts_with("on")), "{element:?}");
    }
    for foreign in ["url(http", "@import", "//cdn", "<iframe", "<object", "fetch(", "XMLHttpRequest", "eval("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    let is_data = |script: &&&Element| script.attribute("type") == Some("application/json");
    let scripts = root.find("script");
    let (data, code) = (scripts.iter().filter(is_data).count(), scripts.iter().filter(|s| !is_data(s)).count());
    assert!((code, root.find("style").len()) == (1, 1 + embedded(&root)) && data <= 4, "{code} {data}");
    // One place has one address, and every address has a place.
    let mut ids: Vec<&str> = root.all().iter().filter_map(|e| e.attribute("id")).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id twice");
    for link in root.find("a").iter().filter_map(|a| a.attribute("href")).filter_map(|to| to.strip_prefix('#')) {
        let name = unescaped_address(link);
        assert!(ids.binary_search(&name.as_str()).is_ok(), "#{name} leads nowhere");
    }
    // Every run is there.
    for run in &store.runs {
        assert!(ids.binary_search(&format!("run-{}", run.id).as_str()).is_ok(), "{}", run.id);
    }
    // Heads have a scope, tables a caption, drawings a name.
    assert!(root.find("th").iter().all(|th| th.attribute("scope").is_some()));
    assert!(root.find("table").iter().all(|table| !table.find("caption").is_empty()));
    assert!(root.find("svg").iter().all(|svg| svg.attribute("aria-label").is_some_and(|label| !label.is_empty())));
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    root
}

/// Style sheets of drawings that carry a font.
fn embedded(root: &Element) -> usize {
    root.find("svg").iter().map(|svg| svg.find("style").len()).sum()
}

/// `%41` as `A`.
fn unescaped_address(link: &str) -> String {
    let mut bytes = vec![];
    let mut rest = link.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2).and_then(|h| std::str::from_utf8(h).ok())).flatten();
        let byte = hex.and_then(|h| u8::from_str_radix(h, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_page_is_well_formed_whole_and_of_itself() {
    let dir = folder("whole", &small());
    let store = Store::read(&dir).unwrap();
    let drawn = pictures(&store);
    let html = page(&store, &drawn);
    let root = sound(&html, &store);
    let titles: Vec<String> = root.find("h2").iter().map(|h| h.text().replace('#', "").trim().to_owned()).collect();
    for title in [
        "Answer",
        "Mechanisms and policies",
        "All runs",
        "Gains",
        "Carbon",
        "Network",
        "Claims",
        "Methods",
        "Provenance",
    ] {
        assert!(titles.iter().any(|t| t == title), "{title}: {titles:?}");
    }
    assert_eq!(root.find("figure").len(), drawn.0.len());
    // The same bytes for the same store.
    assert_eq!(page(&Store::read(&dir).unwrap(), &drawn), html);
    // Files are linked to where they are there.
    let files: Vec<&str> =
        root.find("a").iter().filter_map(|a| a.attribute("href")).filter(|to| to.starts_with("figures/")).collect();
    assert_eq!(files, ["figures/benefit.svg"]);
}

#[test]
fn figures_of_the_page_are_those_of_the_store() {
    let dir = folder("figures_of_the_store", &small());
    let store = Store::read(&dir).unwrap();
    let root = sound(&page(&store, &pictures(&store)), &store);
    // The matrix has a cell for every mechanism and policy, with the social cost of its only run.
    let (m, p) = (1, 1);
    let run = store.runs.iter().position(|r| r.variant == "nash-bargaining" && r.carbon_label == "tax").unwrap();
    let expected = store.metric(run, "social_cost").unwrap();
    let id = format!("cell-0-social_cost-{m}-{p}");
    let cell = root.all().into_iter().find(|e| e.attribute("id") == Some(&id)).unwrap();
    let shown: f64 = cell.find("span")[0].text().replace(['\u{2009}', '\u{2605}'], "").parse().unwrap();
    assert!((shown - expected).abs() <= 0.5, "{shown} {expected}");
    // The answer names the least social cost of all.
    let least = (0..store.runs.len()).filter_map(|r| store.metric(r, "social_cost")).fold(f64::INFINITY, f64::min);
    let sentence = root.find("li").iter().map(|li| li.text()).find(|t| t.starts_with("Least social cost")).unwrap();
    assert!(sentence.replace('\u{2009}', "").contains(&format!("{least:.0}")), "{sentence}");
}

#[test]
fn words_of_others_stay_words() {
    let vile = "</script><img src=x onerror=alert(1)> & \"q\" 'a' <b>";
    let shape = Shape { mechanisms: vec![("grid-only", "grid-only"), ("shapley", VILE)], ..small() };
    let dir = folder("vile", &shape);
    rewrite(&dir, "certificates", |text| {
        text.replace("ledger_balance,0,1e-9,upheld,", "ledger_balance,1,1e-9,refuted,<i>there</i>")
    });
    let store = Store::read(&dir).unwrap();
    let root = sound(&page(&store, &pictures(&store)), &store);
    assert!(root.find("img").is_empty() && root.find("i").is_empty());
    let text = root.text();
    assert!(text.contains("<i>there</i>") && text.contains("of <groups>") && text.contains("a: \"<b>\""));
    assert!(text.contains(VILE), "{vile}");
}

/// A label that would end the script, and carries one. No comma and quote: the fixture writes plain CSV.
const VILE: &str = "</script><img src=x onerror=alert(1)> & 'a' <b>";

#[test]
fn a_run_without_an_answer_is_told_and_compared_with_nobody() {
    let dir = folder("failed", &small());
    rewrite(&dir, "runs", |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let last = lines.last_mut().unwrap();
        *last = last.replace("converged,,1e-9", "failed,no <room> there,");
        lines.join("\n") + "\n"
    });
    let store = Store::read(&dir).unwrap();
    let root = sound(&page(&store, &pictures(&store)), &store);
    let text = root.text();
    assert!(text.contains("5 answered") && text.contains("1 failed"), "{text}");
    assert!(text.contains("Shapley value under Tax: 0 of 1 points answered; failed: no <room> there"), "{text}");
    let hatched = root
        .all()
        .into_iter()
        .filter(|e| e.attribute("class") == Some("none") && e.attribute("id").is_some_and(|id| id.ends_with("-2-1")));
    assert!(hatched.count() > 0);
}

#[test]
fn pages_of_awkward_stores_are_sound() {
    let base = small;
    let shapes: Vec<(&str, Shape)> = vec![
        ("empty", Shape { mechanisms: vec![], ..base() }),
        ("one_run", Shape { mechanisms: vec![("shapley", "shapley")], policies: vec![("none", "none")], ..base() }),
        ("no_network", Shape { buses: 0, ..base() }),
        ("all_equal", Shape { money: 0.0, ..base() }),
        ("negative", Shape { money: -1.0, ..base() }),
        ("no_manifest", Shape { manifest: false, ..base() }),
        ("seeds", Shape { seeds: 5, ..base() }),
        ("many_participants", Shape { participants: 200, ..base() }),
        ("cjk", Shape { mechanisms: vec![("grid-only", "grid-only"), ("shapley", "\u{7535} \u{1f600}")], ..base() }),
    ];
    for (name, shape) in shapes {
        let store = Store::read(&folder(name, &shape)).unwrap();
        sound(&page(&store, &pictures(&store)), &store);
    }
}

#[test]
fn a_comparison_finds_what_differs_and_only_that() {
    let (a, b) = (
        folder("a", &small()),
        folder("b", &Shape { policies: vec![("none", "none"), ("stepped", "stepped")], ..small() }),
    );
    rewrite(&b, "runs", |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // The first run is grid-only under none: its total cost is 10820.
        lines[1] = lines[1].replacen(",10820,", ",10900,", 1);
        lines.join("\n") + "\n"
    });
    let (one, other) = (Store::read(&a).unwrap(), Store::read(&b).unwrap());
    assert_eq!(compare(&one, &one).equal, 6);
    let found = compare(&one, &other);
    assert_eq!((found.differing.len(), found.equal, found.only_a.len(), found.only_b.len()), (1, 2, 3, 3));
    let figure = &found.differing[0].figures[0];
    assert_eq!((figure.metric, figure.a, figure.b), ("total_cost", Some(10820.0), Some(10900.0)));
    let html = comparison_page(&found, "a<1>", "b");
    let root = parse(&html).unwrap_or_else(|wrong| panic!("{wrong}"));
    let text = root.text();
    assert!(text.contains("a<1>") && text.contains("grid-only under tax in five, seed 1"), "{text}");
    assert!(root.find("td").iter().any(|td| td.attribute("data-v") == Some("10900")));
}

#[test]
fn the_feeder_stands_on_the_page_without_the_script_and_its_data_are_those_of_the_store() {
    let dir = folder("feeder", &small());
    let store = Store::read(&dir).unwrap();
    let root = sound(&page(&store, &pictures(&store)), &store);
    let block = |kind: &str| {
        let blocks = root.all().into_iter().filter(|e| e.attribute("data-explore") == Some(kind)).collect::<Vec<_>>();
        assert_eq!(blocks.len(), 1, "{kind}");
        blocks[0]
    };
    let feeder = block("feeder");
    let marks: Vec<&str> = feeder.all().iter().filter_map(|e| e.attribute("data-bus")).collect();
    assert_eq!(marks.len(), 5);
    // Every mark says its value where nobody can see its colour.
    let titles =
        feeder.find("rect").iter().flat_map(|rect| rect.find("title")).filter(|t| t.text().contains("p.u.")).count();
    assert_eq!(titles, 5);
    let data: serde_json::Value = serde_json::from_str(&feeder.find("script")[0].raw()).unwrap();
    let run = &data["runs"][0];
    let values = run["voltage"].as_array().unwrap();
    assert_eq!(values.len(), 4 * 5);
    let nodes = store.nodes(0);
    let first = nodes.iter().find(|n| n.period == 0 && Some(n.bus) == data["buses"][0].as_u64()).unwrap();
    assert!((values[0].as_f64().unwrap() - first.voltage_pu.unwrap()).abs() < 1e-3, "{values:?}");
    let operation: serde_json::Value = serde_json::from_str(&block("operation").find("script")[0].raw()).unwrap();
    assert_eq!(operation["runs"].as_array().unwrap().len(), 6);
    let power = operation["runs"][0]["of"]["0"]["power"].as_array().unwrap();
    assert!(!power.is_empty() && power.iter().all(|line| line[1].as_array().unwrap().len() == 4), "{power:?}");
}

#[test]
fn a_gallery_shows_every_card_kind_and_paper() {
    let shown = Shown { file: "a/b.svg".to_owned(), caption: "A <caption>".to_owned() };
    let gallery = Gallery {
        note: "Cut.".to_owned(),
        cards: vec![Card {
            id: "one".to_owned(),
            question: "Is `x` & y?".to_owned(),
            report: "one/report.html".to_owned(),
            picture: Some(shown.clone()),
            mechanisms: vec!["a".to_owned(), "b".to_owned()],
            ..Card::default()
        }],
        kinds: vec![Kind {
            name: "plane".to_owned(),
            source: "Experiment()".to_owned(),
            picture: shown.clone(),
            awkward: Some(("many".to_owned(), shown)),
            ..Kind::default()
        }],
        papers: vec![Paper {
            id: "p".to_owned(),
            heads: ["id", "statement", "verdict"].map(str::to_owned).to_vec(),
            rows: vec![["P-1", "s", "holds"].map(str::to_owned).to_vec()],
            ..Paper::default()
        }],
        left_out: vec!["two: no data".to_owned()],
    };
    let root = parse(&gallery_page(&gallery)).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(
        root.find("img").len() == 3 && root.find("img").iter().all(|img| img.attribute("alt") == Some("A <caption>"))
    );
    assert_eq!(root.find("article")[0].attribute("data-mechanism"), Some("a|b"));
    let text = root.text();
    for words in ["Is x & y?", "P-1", "many", "two: no data", "Experiment()"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(answer_in_a_line(&Store::read(&folder("line", &small())).unwrap()).matches(": ").count(), 2);
}
