//! Figures as an experiment, a file of their own or arguments want them.

use crate::support::{coase, file, folder, status, stderr, stdout};
use std::path::Path;

const EXPERIMENT: &str = r#"Experiment(
    scenarios: ["three_vpp"],
    mechanisms: ["grid-only", "mid-market-rate", (label: "own split", mechanism: "nash-bargaining")],
    carbon: ["none", (label: "flat", policy: Tax(price_per_tonne: 300))],
    sweep: [(path: "scenario.grid.sell_price_per_kwh", values: [0.1, 0.2])],
    first_periods: 3,
    figures: FIGURES,
)"#;

const SOME: &str = r##"(
    width_mm: 88.9,
    looks: [(of: "flat", name: "Flat tax", colour: "#AA3377"), (of: "elsewhere", name: "Elsewhere")],
    draw: [
        (kind: "change", name: "figure_2", title: "What trade changes", metrics: ["social_cost", "emissions_kg"],
         mechanisms: ["own split", "mid-market-rate"], policies: ["flat"], at: {"scenario.grid.sell_price_per_kwh": 0.2}),
        (kind: "metrics", metrics: ["welfare_gain"], facets: Swept("scenario.grid.sell_price_per_kwh")),
        (kind: "ranks"),
    ],
)"##;

fn written(folder: &Path, name: &str, figures: &str) -> String {
    file(folder, name, &EXPERIMENT.replace("FIGURES", figures))
}

fn pictures(out: &Path) -> Vec<String> {
    let names = std::fs::read_dir(out.join("figures")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| Path::new(name).extension().is_some_and(|e| e == "svg")).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_experiment_says_which_figures_are_drawn_and_what_cannot_be_is_told() {
    let folder = folder("figures_of_experiment");
    let out = folder.join("out");
    let args =
        |path: &str| vec!["run".to_owned(), path.to_owned(), "--out".to_owned(), out.to_str().unwrap().to_owned()];
    let run = |path: &str| coase(&args(path).iter().map(String::as_str).collect::<Vec<_>>());
    let first = run(&written(&folder, "a.ron", SOME));
    assert_eq!(status(&first), 0, "{}", stderr(&first));
    assert_eq!(pictures(&out), ["figure_2.svg", "metrics.svg"]);
    let told = "not drawn: ranks of three_vpp: fewer than two draws";
    assert!(stderr(&first).contains(told), "{}", stderr(&first));
    assert!(stdout(&first).contains("1 kind of figures is not drawn"), "{}", stdout(&first));
    let captions = std::fs::read_to_string(out.join("figures/captions.md")).unwrap();
    assert!(captions.contains("**figure_2.** What trade changes.") && captions.contains("# Not drawn\n\n- ranks: "));
    let svg = std::fs::read_to_string(out.join("figures/figure_2.svg")).unwrap();
    assert!(
        svg.contains("Own split") == svg.contains("own split") || svg.contains("own split"),
        "labels stay as written"
    );
    assert!(!svg.contains(">Grid only<") && svg.contains("width=\"252"), "a column wide, with what is listed");
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("What trade changes"));
    // No run hangs on how it is drawn; another wish draws anew, and nothing of the one before stays.
    let runs = std::fs::read(out.join("runs.csv")).unwrap();
    let again = run(&written(&folder, "a.ron", r#"(language: German, draw: [(kind: "cost_and_emissions")])"#));
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    assert_eq!(
        (pictures(&out), std::fs::read(out.join("runs.csv")).unwrap()),
        (vec!["cost_and_emissions.svg".to_owned()], runs)
    );
    assert!(std::fs::read_to_string(out.join("figures/cost_and_emissions.svg")).unwrap().contains("Gesamtkosten"));
    // What is archived draws the same.
    let resolved = out.join("resolved.ron");
    let checked = coase(&["check", resolved.to_str().unwrap()]);
    assert_eq!(status(&checked), 0, "{}", stderr(&checked));
    assert!(std::fs::read_to_string(resolved).unwrap().contains("language:German"));
}

#[test]
fn a_file_of_figures_serves_many_experiments_and_stored_results() {
    let folder = folder("figures_of_file");
    let out = folder.join("out");
    file(
        &folder,
        "style.ron",
        r##"Figures(looks: [(of: "flat", colour: "#AA3377", mark: Star)], draw: [(kind: "change")])"##,
    );
    let experiment = written(&folder, "a.ron", "\"style.ron\"");
    let run = coase(&["run", &experiment, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&run), 0, "{}", stderr(&run));
    assert_eq!(pictures(&out), ["change.svg"]);
    let spec = file(
        &folder,
        "other.ron",
        r#"Figures(width_mm: 120, draw: [(kind: "cost_and_emissions"), (kind: "voltage")])"#,
    );
    let plot = coase(&["plot", out.to_str().unwrap(), "--spec", &spec, "--format", "svg"]);
    assert_eq!(status(&plot), 0, "{}", stderr(&plot));
    assert_eq!(pictures(&out), ["cost_and_emissions.svg"]);
    assert!(!out.join("figures/change.pdf").exists(), "nothing drawn in another way stays");
    assert!(stdout(&plot).contains("not drawn: voltage of three_vpp: no network"), "{}", stdout(&plot));
    let plot =
        coase(&["plot", out.to_str().unwrap(), "--kind", "benefit,change", "--width-mm", "88.9", "--format", "svg"]);
    assert_eq!(status(&plot), 0, "{}", stderr(&plot));
    assert_eq!(pictures(&out), ["benefit.svg", "change.svg"]);
    for (args, told) in [
        (["--kind", "benifit"], "there is no kind of figure `benifit`; did you mean `benefit`?"),
        (["--width-mm", "20"], "width_mm is 20, expected 80 to 400 mm"),
    ] {
        let plot = coase(&[&["plot", out.to_str().unwrap()], &args[..]].concat());
        assert!(status(&plot) == 2 && stderr(&plot).contains(told), "{}", stderr(&plot));
    }
}

#[test]
fn what_is_wrong_with_figures_is_told_with_its_place_before_anything_runs() {
    let folder = folder("figures_wrong");
    for (figures, told) in [
        (r#"(draw: [(kind: "chagne")])"#, "there is no kind of figure `chagne`"),
        (r#"(draw: [(kind: "change", mechanisms: ["nash"])])"#, "there is no mechanism `nash`"),
        (r#"(draw: [(kind: "change", metrics: ["cost"])])"#, "there is no metric `cost`"),
        (r#"(draw: [(kind: "voltage", metrics: ["social_cost"])])"#, "expected none, for `voltage` shows its own"),
        (r#"(draw: [(kind: "change", facets: Policies)])"#, "expected none, for `change` has its own panels"),
        (r#"(draw: [(kind: "change", at: {"scenario.grid.sell_price_per_kwh": 0.3})])"#, "expected one of 0.1, 0.2"),
        (r#"(draw: [(kind: "change", width: 80)])"#, "no field `width`"),
        (r#"(looks: [(of: "flat", colour: "red")])"#, "colour is \"red\", expected a colour such as \"#0072B2\""),
        ("(width_mm: 10)", "width_mm is 10, expected 80 to 400 mm"),
        (r#""nowhere.ron""#, "there is no such file"),
    ] {
        let experiment = written(&folder, "wrong.ron", figures);
        let out = folder.join("out");
        for args in [vec!["check", &experiment], vec!["run", &experiment, "--quiet", "--out", out.to_str().unwrap()]] {
            let output = coase(&args);
            assert_eq!(status(&output), 2, "{figures}");
            let told_there = stderr(&output);
            assert!(told_there.contains(told) && told_there.contains("wrong.ron:7:"), "{figures}: {told_there}");
        }
        assert!(!out.exists());
    }
}

#[test]
fn kinds_of_figures_are_listed_with_what_can_be_chosen() {
    let text = stdout(&coase(&["list", "figures"]));
    assert!(
        text.contains("  change ")
            && text.contains("(to choose: up to 4 metrics, facets); drawn where it is asked for")
    );
}

#[test]
fn figures_of_the_book_are_drawn_as_it_says() {
    let page = include_str!("../../../docs/figures.md");
    let block = page.split("```ron\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = folder("figures_of_book");
    let out = folder.join("out");
    let experiment = file(&folder, "paper.ron", block);
    let args = ["run", &experiment, "--quiet", "--set", "experiment.first_periods=2", "--out", out.to_str().unwrap()];
    let run = coase(&args);
    assert_eq!(status(&run), 0, "{}", stderr(&run));
    assert_eq!(pictures(&out), ["figure_1.svg", "figure_2.svg", "figure_3-vpp5.svg"]);
    let kinds = stdout(&coase(&["list", "figures"]));
    for kind in ["change", "sweep", "dispatch", "metrics", "cost_and_emissions"] {
        assert!(page.contains(&format!("`{kind}`")) || page.contains(&format!("\"{kind}\"")));
        assert!(kinds.contains(&format!("  {kind} ")), "{kind}");
    }
    for line in kinds.lines().filter(|line| line.contains("to choose")) {
        let kind = line.split_whitespace().next().unwrap();
        assert!(
            page.contains(&format!("`{kind}`")),
            "the page does not say that metrics or facets of `{kind}` can be chosen"
        );
    }
}
