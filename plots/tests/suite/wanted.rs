//! Figures as a user wants them: which, of what, in which order, how wide, in which language, and what everything looks like.

use crate::figures::store;
use crate::fixture::{Shape, rewrite};
use coase_plots::canvas::{Canvas, Op};
use coase_plots::figures::KINDS;
use coase_plots::identity::Identity;
use coase_plots::lint::lint;
use coase_plots::store::Store;
use coase_plots::style::MM;
use coase_plots::text::unmarked;
use coase_plots::{Named, check, pictures};
use coase_store::{Drawing, Facets, Figures, Language, Look, MarkStyle, Swept};
use std::fmt::Write as _;
use std::path::Path;

fn small(name: &str) -> Store {
    let shape = Shape { periods: 4, buses: 6, ..Shape::side_by_side() };
    Store::read(&store(name, &shape)).unwrap()
}

fn drawing(kind: &str) -> Drawing {
    Drawing { kind: kind.to_owned(), ..Drawing::default() }
}

fn own(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn labels(canvas: &Canvas) -> Vec<(f64, String)> {
    let label = |op: &Op| match op {
        Op::Text(label) => Some((label.at.1, label.text.clone())),
        _ => None,
    };
    canvas.ops.iter().filter_map(label).collect()
}

fn has_label(canvas: &Canvas, text: &str) -> bool {
    labels(canvas).iter().any(|(_, label)| label == text)
}

fn drawn(store: Store, figures: Figures) -> Vec<Named> {
    assert_eq!(check(&figures, &store.names()), Ok(()));
    pictures(&store.drawn_as(figures)).0
}

#[test]
fn every_kind_is_drawn_at_any_width_without_flaws() {
    let mut flaws = vec![];
    for (name, shape) in
        [("widths_plain", Shape { periods: 24, ..Shape::side_by_side() }), ("widths_many", Shape::many_mechanisms())]
    {
        let dir = store(name, &shape);
        for width_mm in [80.0, 88.9, 140.0, 300.0] {
            let wanted = Figures { width_mm: Some(width_mm), ..Figures::default() };
            let all = drawn(Store::read(&dir).unwrap(), wanted);
            assert!(all.len() > 10);
            for named in all {
                let canvas = &named.picture.canvas;
                assert!((canvas.width - width_mm * MM).abs() < 1e-9, "{}: {}", named.stem, canvas.width / MM);
                flaws.extend(
                    lint(canvas).into_iter().map(|f| format!("{name}: {} at {width_mm} mm: {f:?}", named.stem)),
                );
                let size = |op: &Op| if let Op::Text(label) = op { label.size } else { 7.0 };
                assert!(canvas.ops.iter().all(|op| size(op) >= 7.0), "{}: text below 7 pt", named.stem);
            }
        }
    }
    assert!(flaws.is_empty(), "{flaws:#?}");
}

#[test]
fn mechanisms_and_policies_are_those_that_are_listed_in_that_order() {
    let wanted = Drawing {
        name: Some("own name".into()),
        title: Some("What_I say".into()),
        mechanisms: own(&["nash-bargaining", "grid-only"]),
        policies: own(&["stepped", "none"]),
        ..drawing("change")
    };
    let all = drawn(small("wanted_order"), Figures { draw: vec![wanted], ..Figures::default() });
    let [named] = &all[..] else { panic!("{}", all.len()) };
    assert_eq!((named.stem.as_str(), unmarked(&named.picture.title)), ("own_name", "What_I say".to_owned()));
    let canvas = &named.picture.canvas;
    let row = |name: &str| labels(canvas).into_iter().find(|(_, text)| text == name).map(|(y, _)| y);
    assert!(row("Nash bargaining").unwrap() < row("Grid only").unwrap());
    for (name, is_there) in [("Mid-market rate", false), ("Tax", false), ("Stepped", true), ("No carbon price", true)] {
        assert_eq!(has_label(canvas, name), is_there, "{name}");
    }
}

#[test]
fn what_changes_are_measured_against_need_not_be_drawn() {
    let wanted = Drawing { mechanisms: own(&["nash-bargaining"]), ..drawing("change") };
    let all = drawn(small("wanted_baseline"), Figures { draw: vec![wanted], ..Figures::default() });
    assert!(!has_label(&all[0].picture.canvas, "Grid only") && all[0].picture.caption.contains("against Grid only"));
}

#[test]
fn looks_are_pinned_whatever_else_an_experiment_has() {
    let looks = vec![
        Look {
            of: "tax".into(),
            name: Some("Steuer".into()),
            colour: Some("#123456".into()),
            mark: Some(MarkStyle::Star),
            ..Look::default()
        },
        Look { of: "of another experiment".into(), ..Look::default() },
    ];
    let mut shape = Shape { periods: 2, buses: 2, ..Shape::side_by_side() };
    for (k, policies) in
        [vec![("none", "none"), ("tax", "tax")], vec![("stepped", "stepped"), ("tax", "tax")]].into_iter().enumerate()
    {
        shape.policies = policies;
        let results = Store::read(&store(&format!("looks_{k}"), &shape)).unwrap();
        let results = results.drawn_as(Figures { looks: looks.clone(), ..Figures::default() });
        let identity = Identity::of(&results);
        let tax = &identity.policies[identity.policy("tax").unwrap()];
        assert_eq!((tax.name.as_str(), tax.series.color.css().as_str()), ("Steuer", "#123456"));
        assert_eq!(tax.series.mark, coase_plots::style::Mark::Star);
    }
}

#[test]
fn a_policy_of_the_library_looks_the_same_beside_any_others() {
    let series = |policies: &[(&'static str, &'static str)]| {
        let shape = Shape { periods: 2, buses: 2, policies: policies.to_vec(), ..Shape::side_by_side() };
        let results = Store::read(&store(&format!("same_look_{}", policies.len()), &shape)).unwrap();
        let identity = Identity::of(&results);
        identity.policies[identity.policy("nodal-flow").unwrap()].series
    };
    let two = series(&[("none", "none"), ("nodal-flow", "nodal-flow")]);
    let four =
        [("none", "none"), ("nodal-marginal", "nodal-marginal"), ("tax", "own tax"), ("nodal-flow", "nodal-flow")];
    assert_eq!(two, series(&four));
}

/// Three values of a swept parameter: the runs of the fixture, each again at 0.5 and 2 times the cost.
fn swept(dir: &Path) {
    rewrite(dir, "runs", |text| {
        let mut lines = text.lines();
        let head = lines.next().unwrap();
        let columns: Vec<&str> = head.split(',').collect();
        let at = columns.iter().position(|c| *c == "total_cost").unwrap();
        let mut out = head.replacen("total_cost", "scenario.load_scale,total_cost", 1) + "\n";
        for (k, line) in lines.enumerate() {
            for (j, factor) in [1.0, 0.5, 2.0].into_iter().enumerate() {
                let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
                if j > 0 {
                    cells[0] = format!("{:032x}", 1000 * (j + 1) + k);
                }
                cells[at] = (cells[at].parse::<f64>().unwrap() * factor).to_string();
                cells.insert(at, factor.to_string());
                out += &(cells.join(",") + "\n");
            }
        }
        out
    });
}

#[test]
fn a_point_of_a_sweep_is_drawn_and_told() {
    let dir = store("wanted_point", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    swept(&dir);
    let at = |value: f64| Drawing {
        at: [("scenario.load_scale".to_owned(), Swept::Number(value))].into(),
        metrics: own(&["total_cost"]),
        ..drawing("cost_and_emissions")
    };
    let wanted = Figures { draw: vec![at(1.0), at(2.0)], ..Figures::default() };
    let all = drawn(Store::read(&dir).unwrap(), wanted);
    let [one, two] = &all[..] else { panic!("{}", all.len()) };
    assert!(
        unmarked(&two.picture.caption).contains("At scenario.load_scale = 2, one of 3 values."),
        "{}",
        two.picture.caption
    );
    let places = |named: &Named| -> Vec<f64> {
        let text = named.picture.canvas.numbers.csv();
        let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let x = head.iter().position(|c| *c == "x").unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(x).unwrap().parse().unwrap()).collect()
    };
    let (one, two) = (places(one), places(two));
    assert!(!one.is_empty() && one.len() == two.len());
    for (a, b) in one.iter().zip(&two) {
        assert!((b - 2.0 * a).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
    }
}

#[test]
fn panels_are_what_the_user_wants_side_by_side() {
    let dir = store("wanted_facets", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    swept(&dir);
    let with =
        |kind: &str, facets: Facets| Drawing { metrics: own(&["total_cost"]), facets: Some(facets), ..drawing(kind) };
    let draw = vec![
        with("metrics", Facets::Policies),
        with("metrics", Facets::Swept("scenario.load_scale".into())),
        with("metrics", Facets::Scenarios),
        with("sweep", Facets::Policies),
        with("sweep", Facets::Mechanisms),
    ];
    let all = drawn(Store::read(&dir).unwrap(), Figures { draw, ..Figures::default() });
    let panels: Vec<usize> = all.iter().map(|named| named.picture.canvas.numbers.panels.len()).collect();
    assert_eq!(panels, [4, 3, 1, 4, 6]);
    for named in &all {
        assert_eq!(lint(&named.picture.canvas), vec![], "{}", named.stem);
    }
    assert!(has_label(&all[3].picture.canvas, "Load scale"));
    assert!(has_label(&all[0].picture.canvas, "(b) Tax") && has_label(&all[1].picture.canvas, "(c) load\\_scale = 2"));
    // panels of one metric are drawn on one scale
    let scales: Vec<_> = all[1].picture.canvas.numbers.panels.iter().map(|p| (p.x.low, p.x.high)).collect();
    assert!(scales.iter().all(|scale| *scale == scales[0]));
}

#[test]
fn runs_that_are_missing_in_any_panel_are_told() {
    let dir = store("wanted_missing", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    swept(&dir);
    // of the runs at twice the cost, which is no panel's but the third's, one has no answer
    rewrite(&dir, "runs", |text| {
        let id = format!("{:032x}", 3000);
        let spoilt = |line: &str| {
            if line.starts_with(&id) { line.replacen(",converged,", ",infeasible,", 1) } else { line.to_owned() }
        };
        text.lines().map(|line| spoilt(line) + "\n").collect()
    });
    let draw = vec![Drawing { facets: Some(Facets::Swept("scenario.load_scale".into())), ..drawing("metrics") }];
    let all = drawn(Store::read(&dir).unwrap(), Figures { draw, ..Figures::default() });
    assert!(all[0].picture.caption.contains(" 1 run not shown: 1 infeasible."), "{}", all[0].picture.caption);
}

#[test]
fn panels_are_those_of_the_scenarios_that_are_listed() {
    let dir = store("wanted_scenarios", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    let before = Store::read(&dir).unwrap().runs[0].scenario.clone();
    rewrite(&dir, "runs", |text| {
        let mut out = text.to_owned();
        for (k, other) in ["second", "third"].into_iter().enumerate() {
            for (j, line) in text.lines().skip(1).enumerate() {
                let line = line.replacen(&format!(",{before},"), &format!(",{other},"), 1);
                writeln!(out, "{:032x}{}", 5000 + 100 * k + j, &line[32..]).unwrap();
            }
        }
        out
    });
    let with = |scenarios: &[&str]| Drawing {
        metrics: own(&["total_cost"]),
        facets: Some(Facets::Scenarios),
        scenarios: own(scenarios),
        ..drawing("metrics")
    };
    let draw = vec![with(&[]), with(&["second", "third"])];
    let all = drawn(Store::read(&dir).unwrap(), Figures { draw, ..Figures::default() });
    let titles =
        |named: &Named| named.picture.canvas.numbers.panels.iter().map(|p| p.title.clone()).collect::<Vec<_>>();
    assert_eq!((titles(&all[0]).len(), titles(&all[1])), (3, own(&["(a) second", "(b) third"])));
}

#[test]
fn a_list_of_mechanisms_without_runs_does_not_become_all() {
    let wanted = Figures { mechanisms: own(&["of-another-part"]), ..Figures::default() };
    let (drawn, _) = pictures(&small("wanted_nobody").drawn_as(wanted));
    assert!(drawn.iter().all(|named| named.kind != "cost_and_emissions" && named.kind != "change"));
}

#[test]
fn what_is_drawn_only_on_demand_is_not_among_all() {
    let on_demand: Vec<&str> = KINDS.iter().filter(|kind| kind.on_demand).map(|kind| kind.name).collect();
    assert!(on_demand.contains(&"metrics"));
    let (drawn, skipped) = pictures(&small("on_demand"));
    assert!(drawn.iter().all(|named| !on_demand.contains(&named.kind)));
    assert!(skipped.iter().all(|skipped| !on_demand.contains(&skipped.figure.as_str()) && !skipped.is_wanted));
}

#[test]
fn what_is_asked_for_and_cannot_be_drawn_is_told_with_its_reason() {
    let store = small("wanted_absent");
    let figures = Figures { draw: vec![drawing("sweep")], ..Figures::default() };
    let (drawn, skipped) = pictures(&store.drawn_as(figures));
    assert!(drawn.is_empty());
    assert!(skipped[0].is_wanted && skipped[0].reason == "no swept parameter", "{:?}", skipped[0]);
}

/// Words that are no names: numbers, units and ids are the same in every language.
fn words(label: &str) -> Vec<String> {
    let plain = unmarked(label);
    let words = plain.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 3);
    words.map(str::to_lowercase).collect()
}

#[test]
fn labels_are_in_the_language_that_is_wanted() {
    let store = |name: &str| small(name);
    let english = drawn(store("language"), Figures::default());
    for language in [Language::German, Language::Chinese] {
        let other = drawn(store("language"), Figures { language, ..Figures::default() });
        assert_eq!(english.len(), other.len());
        for (a, b) in english.iter().zip(&other) {
            assert_eq!(a.stem, b.stem);
            let of =
                |named: &Named| labels(&named.picture.canvas).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
            // Words that stand in both are words that nobody translates.
            let (before, after) = (of(a), of(b));
            let known = [
                "nash",
                "front",
                "relative",
                "shapley",
                "optimum",
                "vpp",
                "smorodinsky",
                "kalai",
                "budget",
                "iteration",
                "import",
                "export",
                "wind",
                "jain",
                "gini",
            ];
            for word in after.iter().flat_map(|label| words(label)) {
                let is_left = before.iter().flat_map(|label| words(label)).any(|english| english == word);
                assert!(!is_left || known.contains(&word.as_str()), "{}: `{word}` in {language:?}", b.stem);
            }
            assert_eq!(a.picture.caption, b.picture.caption, "captions stay in English");
        }
    }
    let german = drawn(store("language"), Figures { language: Language::German, ..Figures::default() });
    let numbers = german.iter().flat_map(|named| labels(&named.picture.canvas)).map(|(_, text)| text);
    assert!(numbers.filter(|text| text.parse::<f64>().is_ok()).all(|text| !text.contains('.')), "a decimal point");
}
