//! The figures and tables of a result store: that they come out, clean and the same every time.

use crate::fixture::{Shape, rewrite, write_store};
use coase_plots::canvas::Op;
use coase_plots::figures::KINDS;
use coase_plots::identity::Identity;
use coase_plots::lint::lint;
use coase_plots::store::Store;
use coase_plots::study::Study;
use coase_plots::text::unmarked;
use coase_plots::{Format, Named, draw, pictures, tables};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A fresh store.
pub fn store(name: &str, shape: &Shape) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    write_store(&dir, shape);
    dir
}

#[test]
fn side_by_side_is_drawn_in_all_formats() {
    let dir = store("side_by_side", &Shape::side_by_side());
    let report = draw(&Store::read(&dir).unwrap(), &dir, &Format::ALL, &|_, _| {}).unwrap();
    let skipped: Vec<_> = report.skipped.iter().map(|s| (s.figure.as_str(), s.reason.as_str())).collect();
    for expected in [
        ("abatement", "no policy at two carbon prices: nothing to draw a curve through"),
        ("price_decomposition", "column `energy_per_kwh` is empty"),
        ("sweep", "no swept parameter"),
    ] {
        assert!(skipped.contains(&expected), "{expected:?}: {skipped:?}");
    }
    assert!(report.drawn.len() >= 3 * 10);
    assert!(report.drawn.iter().all(|f| f.exists()));
}

/// Journals and reports take what is small.
#[test]
fn files_of_a_comparison_are_small() {
    let shape = Shape { mechanisms: four(), policies: nodal_policies(), ..Shape::side_by_side() };
    let dir = store("small_files", &shape);
    for file in draw(&Store::read(&dir).unwrap(), &dir, &Format::ALL, &|_, _| {}).unwrap().drawn {
        let kilobytes = std::fs::metadata(&file).unwrap().len() / 1000;
        let most = match file.extension().and_then(|e| e.to_str()) {
            Some("svg") => 150,
            Some("pdf") => 100,
            _ => 300,
        };
        assert!(kilobytes < most, "{}: {kilobytes} kB", file.display());
    }
}

#[test]
fn side_by_side_has_no_flaws() {
    let dir = store("flawless", &Shape::side_by_side());
    for named in pictures(&Store::read(&dir).unwrap()).0 {
        assert_eq!(lint(&named.picture.canvas), vec![], "{}", named.stem);
    }
}

#[test]
fn drawing_twice_gives_the_same_bytes() {
    let shape = Shape { periods: 6, buses: 9, ..Shape::side_by_side() };
    let (a, b) = (store("twice_a", &shape), store("twice_b", &shape));
    let first = draw(&Store::read(&a).unwrap(), &a, &Format::ALL, &|_, _| {}).unwrap();
    draw(&Store::read(&b).unwrap(), &b, &Format::ALL, &|_, _| {}).unwrap();
    for file in first.drawn.iter().chain([&a.join("figures/captions.md")]) {
        let other = b.join(file.strip_prefix(&a).unwrap());
        assert!(std::fs::read(file).unwrap() == std::fs::read(&other).unwrap(), "{}", file.display());
    }
}

/// Stores that stretch the figures; each must come out without a flaw.
fn stretched() -> Vec<(&'static str, Shape)> {
    let base = || Shape { buses: 5, core: true, ..Shape::side_by_side() };
    let two = || vec![("grid-only", "grid-only"), ("nash-bargaining", "nash-bargaining")];
    let one_policy = || vec![("tax", "tax")];
    vec![
        ("many_mechanisms", Shape { core: true, ..Shape::many_mechanisms() }),
        ("many_seeds", Shape { seeds: 8, periods: 2, buses: 3, ..base() }),
        ("one_period", Shape { periods: 1, ..base() }),
        (
            "one_run",
            Shape {
                mechanisms: vec![("nash-bargaining", "nash-bargaining")],
                policies: vec![("none", "none")],
                ..base()
            },
        ),
        ("baseline_only", Shape { mechanisms: vec![("grid-only", "grid-only")], ..base() }),
        ("one_policy", Shape { policies: vec![("none", "none")], ..base() }),
        ("no_network", Shape { buses: 0, ..base() }),
        ("all_equal", Shape { money: 0.0, ..base() }),
        ("negative", Shape { money: -1.0, ..base() }),
        ("large", Shape { money: 1e7, ..base() }),
        ("small", Shape { money: 1e-6, ..base() }),
        ("no_manifest", Shape { manifest: false, ..base() }),
        ("one_participant", Shape { participants: 1, ..base() }),
        ("many_participants", Shape { participants: 14, ..base() }),
        ("week", Shape { periods: 168, mechanisms: two(), policies: one_policy(), ..base() }),
        ("feeder_of_15", Shape { buses: 15, mechanisms: two(), ..base() }),
        ("feeder_of_69", Shape { buses: 69, mechanisms: two(), policies: nodal_policies(), ..base() }),
        ("long_feeder", Shape { buses: 141, mechanisms: two(), policies: nodal_policies(), ..base() }),
        ("two_buses", Shape { buses: 2, mechanisms: two(), policies: nodal_policies(), ..base() }),
        ("eight_policies", Shape { mechanisms: four(), policies: nodal_policies(), buses: 33, ..base() }),
        ("eight_policies_many_mechanisms", Shape { policies: nodal_policies(), seeds: 3, ..Shape::many_mechanisms() }),
        ("eight_policies_one_period", Shape { periods: 1, policies: nodal_policies(), ..base() }),
        ("eight_policies_all_equal", Shape { money: 0.0, policies: nodal_policies(), ..base() }),
        ("eight_policies_negative", Shape { money: -1.0, policies: nodal_policies(), ..base() }),
        ("eight_policies_many_participants", Shape { participants: 40, policies: nodal_policies(), ..base() }),
        ("empty", Shape { mechanisms: vec![], ..base() }),
        (
            "long_names",
            Shape {
                mechanisms: vec![
                    ("grid-only", "grid-only"),
                    ("nash-bargaining", "nash_bargaining_with_exponential_weights_and_a_long_label"),
                    ("shapley", "shapley"),
                ],
                policies: vec![
                    ("none", "none"),
                    ("tax", "tax"),
                    ("tax", "flat tax of three hundred and twenty per tonne"),
                    ("stepped", "stepped"),
                    ("stepped", "stepped^2 with_reward"),
                    ("nodal-flow", "nodal-flow"),
                ],
                ..base()
            },
        ),
    ]
}

/// The factorial of tariff and carbon policy, as a comparison labels it.
fn nodal_policies() -> Vec<(&'static str, &'static str)> {
    vec![
        ("none", "none"),
        ("tax", "tax"),
        ("stepped", "stepped"),
        ("integrated", "nodal price"),
        ("integrated", "nodal price + tax"),
        ("integrated", "nodal price + ladder"),
        ("integrated", "integrated"),
        ("integrated", "integrated ladder"),
    ]
}

fn four() -> Vec<(&'static str, &'static str)> {
    ["grid-only", "mid-market-rate", "nash-bargaining", "shapley"].map(|id| (id, id)).to_vec()
}

#[test]
fn stretched_stores_have_no_flaws() {
    let mut flaws = Vec::new();
    for (name, shape) in stretched() {
        let dir = store(name, &shape);
        let (drawn, skipped) = pictures(&Store::read(&dir).unwrap());
        for named in &drawn {
            flaws.extend(lint(&named.picture.canvas).into_iter().map(|f| format!("{name}: {}: {f:?}", named.stem)));
        }
        // every kind is drawn or says why not
        for kind in KINDS.iter().filter(|kind| name != "empty" && !kind.on_demand) {
            let of_kind = |stem: &str| stem == kind.name || stem.starts_with(&format!("{}-", kind.name));
            assert!(
                drawn.iter().any(|d| of_kind(&d.stem)) != skipped.iter().any(|s| s.figure == kind.name),
                "{name}: {}",
                kind.name
            );
        }
    }
    assert!(flaws.is_empty(), "{flaws:#?}");
}

#[test]
fn tables_have_a_row_for_every_cell() {
    let dir = store("tables", &Shape::side_by_side());
    let written = tables(&Store::read(&dir).unwrap(), &dir).unwrap();
    let names: Vec<_> = written.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["metrics.tex", "metrics.md", "participants.tex", "participants.md"]);
    let rows = |name: &str| {
        let text = std::fs::read_to_string(dir.join("tables").join(name)).unwrap();
        text.lines().filter(|l| l.starts_with("| ")).count() - 1
    };
    assert_eq!((rows("metrics.md"), rows("participants.md")), (6 * 4, 6 * 5));
}

/// The display lists of a tiny store against `tests/golden`. After a change that is meant, look at the figures, then run
/// with `COASE_BLESS=1` to write the lists anew.
#[test]
fn display_lists_are_as_they_were() {
    let shape = Shape {
        mechanisms: vec![
            ("grid-only", "grid-only"),
            ("mid-market-rate", "mid-market-rate"),
            ("nash-bargaining", "nash-bargaining"),
        ],
        policies: vec![("none", "none"), ("tax", "tax")],
        participants: 2,
        periods: 4,
        buses: 3,
        ..Shape::side_by_side()
    };
    let dir = store("golden", &shape);
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let drawn = pictures(&Store::read(&dir).unwrap()).0;
    let names =
        ["cost_emissions_plane", "profiles", "voltage", "gain_split-participants", "carbon_payers", "convergence"];
    for name in names {
        matches_golden(&drawn, name, &golden);
    }
    let nodal = Shape {
        mechanisms: vec![("grid-only", "grid-only"), ("nash-bargaining", "nash-bargaining")],
        policies: vec![("none", "none"), ("integrated", "integrated")],
        participants: 2,
        periods: 4,
        buses: 7,
        ..Shape::side_by_side()
    };
    let dir = store("golden_nodal", &nodal);
    let drawn = pictures(&Store::read(&dir).unwrap()).0;
    for name in ["carbon_flow", "price_decomposition-grid-only-integrated"] {
        matches_golden(&drawn, name, &golden);
    }
    let dir = store("golden_draws", &Shape { seeds: 5, periods: 1, ..shape.clone() });
    matches_golden(&pictures(&Store::read(&dir).unwrap()).0, "ranks", &golden);
    let dir = store("golden_core", &Shape { core: true, policies: vec![("none", "none")], ..shape.clone() });
    matches_golden(&pictures(&Store::read(&dir).unwrap()).0, "core", &golden);
    let dir = store("golden_curve", &Shape { policies: vec![("none", "none"), ("tax", "tax")], ..shape });
    at_three_prices(&dir);
    matches_golden(&pictures(&Store::read(&dir).unwrap()).0, "abatement", &golden);
}

/// Holds a figure against its display list.
pub fn matches_golden(drawn: &[Named], name: &str, golden: &Path) {
    {
        let canvas = &drawn.iter().find(|d| d.stem == name).unwrap().picture.canvas;
        let file = golden.join(name).with_extension("txt");
        if std::env::var_os("COASE_BLESS").is_some() {
            std::fs::write(&file, canvas.to_string()).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap();
        for (line, (is, was)) in canvas.to_string().lines().zip(expected.lines()).enumerate() {
            assert_eq!(is, was, "{name}.txt:{}", line + 1);
        }
        assert_eq!(canvas.to_string().lines().count(), expected.lines().count(), "{name}");
    }
}

#[test]
fn runs_that_failed_are_left_out_and_counted() {
    let dir = store("failed", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    rewrite(&dir, "runs", |t| t.replacen("converged,,", "failed,unmet need,", 3));
    let drawn = pictures(&Store::read(&dir).unwrap()).0;
    assert!(drawn.iter().all(|d| d.picture.caption.contains("3 runs not shown: 3 failed.")));
    rewrite(&dir, "runs", |t| t.replacen("failed,unmet need,", "infeasible,no room,", 2));
    let drawn = pictures(&Store::read(&dir).unwrap()).0;
    assert!(drawn.iter().all(|d| d.picture.caption.contains("3 runs not shown: 2 infeasible, 1 failed.")));
    assert!(drawn.iter().all(|d| lint(&d.picture.canvas).is_empty()));
}

/// What is not drawn is told: by number, never "every" over some.
#[test]
fn captions_tell_how_many_of_how_many_are_drawn() {
    let caption = |shape: &Shape, name: &str, stem: &str| {
        let drawn = pictures(&Store::read(&store(name, shape)).unwrap()).0;
        let of_stem = drawn.iter().find(|d| d.stem == stem);
        unmarked(&of_stem.unwrap_or_else(|| panic!("no {stem}")).picture.caption)
    };
    let homes = Shape { participants: 30, periods: 3, buses: 0, ..Shape::side_by_side() };
    for (stem, number) in [
        ("benefit", "8 of 30 participants"),
        ("gain_split-participants", "8 of 30 participants"),
        ("dispatch-vpp1", "12 of 30 participants"),
        ("profiles-4", "24 of 30 participants"),
    ] {
        let caption = caption(&homes, "told_homes", stem);
        assert!(caption.contains(number) && !caption.contains("every participant"), "{stem}: {caption}");
    }
    let five = Shape { participants: 5, ..homes };
    let caption_of_five = caption(&five, "told_five", "benefit");
    assert!(caption_of_five.contains("every participant") && !caption_of_five.contains(" of 5"), "{caption_of_five}");
    let markets = caption(&Shape::many_mechanisms(), "told_markets", "gain_split-total");
    assert!(markets.contains("10 of 19 mechanisms"), "{markets}");
    // profiles draw means and where most seeds lie, maps one run, bars draw means with intervals
    let seeds = Shape { seeds: 3, periods: 3, buses: 3, ..Shape::side_by_side() };
    let drawn = caption(&seeds, "told_seeds", "profiles");
    assert!(drawn.contains("Means over 3 seeds.") && drawn.contains("90 % of the seeds"), "{drawn}");
    let drawn = caption(&seeds, "told_seeds", "voltage");
    assert!(drawn.contains("One seed of 3") && !drawn.contains("interval"), "{drawn}");
    let means = caption(&seeds, "told_seeds", "benefit");
    assert!(means.contains("Means over 3 seeds; intervals are"), "{means}");
}

#[test]
fn seeds_that_change_nothing_are_said_to_change_nothing() {
    let shape = Shape { seeds: 3, periods: 2, buses: 2, ..Shape::side_by_side() };
    let mut read = Store::read(&store("idle_seeds", &shape)).unwrap();
    let first: Vec<_> = read.runs.iter().filter(|r| r.seed == read.runs[0].seed).cloned().collect();
    for run in &mut read.runs {
        let twin = first.iter().find(|f| (&f.variant, &f.carbon_label) == (&run.variant, &run.carbon_label)).unwrap();
        run.metrics.clone_from(&twin.metrics);
    }
    for named in pictures(&read).0 {
        let caption = unmarked(&named.picture.caption);
        assert!(caption.contains("All 3 seeds give the same figures.") && !caption.contains("bootstrap"), "{caption}");
    }
}

#[test]
fn a_policy_without_an_answer_is_named() {
    let dir = store("unanswered", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    rewrite(&dir, "runs", |t| {
        let lines = t.lines();
        lines.map(|l| if l.contains(",stepped,") { l.replacen("converged,,", "infeasible,no room,", 1) } else { l.into() } + "\n").collect()
    });
    for named in pictures(&Store::read(&dir).unwrap()).0 {
        let caption = unmarked(&named.picture.caption);
        assert!(
            caption.contains("6 runs not shown: 6 infeasible. No run of Stepped is among those shown."),
            "{caption}"
        );
    }
}

#[test]
fn several_scenarios_have_figures_of_their_own() {
    let dir = store("scenarios", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    rewrite(&dir, "runs", |t| {
        let lines = t.lines().enumerate();
        lines.map(|(i, l)| if i > 12 { l.replacen("five", "other one", 1) } else { l.to_owned() } + "\n").collect()
    });
    let stems: Vec<String> = pictures(&Store::read(&dir).unwrap()).0.into_iter().map(|d| d.stem).collect();
    assert!(stems.contains(&"cost_and_emissions-five".to_owned()), "{stems:?}");
    assert!(stems.contains(&"dispatch-other_one-vpp1".to_owned()), "{stems:?}");
    let files = tables(&Store::read(&dir).unwrap(), &dir).unwrap();
    assert!(files.iter().any(|f| f.ends_with("metrics-other_one.tex")));
}

#[test]
fn a_swept_parameter_is_shown_at_its_first_point() {
    let dir = store("sweep", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    rewrite(&dir, "runs", |t| {
        // without a carbon price there is nothing to sweep; else the first run of a cell is at 200, and a second at 280
        // has a cost that begins with a 9
        let mut out = String::new();
        for line in t.lines() {
            if let Some((before, after)) = line.split_once(",total_cost") {
                writeln!(out, "{before},carbon.price_per_tonne,total_cost{after}").unwrap();
                continue;
            }
            let (before, after) = line.split_once(",reports,").unwrap();
            if line.contains(",none,") {
                writeln!(out, "{before},reports,,{after}").unwrap();
            } else {
                writeln!(out, "{before},reports,200,{after}").unwrap();
                writeln!(out, "f{},reports,280,9{after}", &before[1..]).unwrap();
            }
        }
        out
    });
    let read = Store::read(&dir).unwrap();
    assert_eq!(read.sweeps, ["carbon.price_per_tonne"]);
    assert_eq!(read.runs.len(), 6 + 2 * 18);
    let drawn = pictures(&read).0;
    let caption = unmarked(&drawn[0].picture.caption);
    assert!(caption.contains("At carbon.price_per_tonne = 200, the first of 2 values."), "{caption}");
    let plain = store("no_sweep", &Shape { periods: 2, buses: 2, ..Shape::side_by_side() });
    let sweep = drawn.iter().find(|d| d.stem == "sweep").unwrap();
    // what is on the axis has no fixed value
    assert!(!unmarked(&sweep.picture.caption).contains("At carbon"), "{}", sweep.picture.caption);
    assert_eq!(lint(&sweep.picture.canvas), vec![]);
    draw(&Store::read(&dir).unwrap(), &dir, &[Format::Png], &|_, _| {}).unwrap();
    assert_eq!(drawn[0].picture.canvas, pictures(&Store::read(&plain).unwrap()).0[0].picture.canvas);
}

#[test]
fn residuals_of_a_solver_are_no_emissions() {
    let dir = store("noise", &Shape { periods: 1, buses: 0, ..Shape::side_by_side() });
    let mut read = Store::read(&dir).unwrap();
    let emissions = read.metrics.iter().position(|m| m == "emissions_kg").unwrap();
    for (i, run) in read.runs.iter_mut().enumerate() {
        run.metrics[emissions] = Some(1e-12 * i as f64);
    }
    for named in pictures(&read).0 {
        let tiny = |op: &Op| matches!(op, Op::Text(l) if l.text.contains("0000000"));
        assert!(!named.picture.canvas.ops.iter().any(tiny), "{}", named.stem);
    }
}

/// Every run with a carbon price at factors 1, 0.5 and 2 of it: at half the price half the abatement, at twice the price
/// the run has not converged.
fn at_three_prices(dir: &Path) {
    rewrite(dir, "runs", |t| {
        let mut out = String::new();
        for line in t.lines() {
            if let Some((before, after)) = line.split_once(",total_cost") {
                writeln!(out, "{before},carbon.price_factor,total_cost{after}").unwrap();
                continue;
            }
            let (before, after) = line.split_once(",reports,").unwrap();
            let cells: Vec<&str> = after.split(',').collect();
            let Some(price) = cells.get(19).and_then(|p| p.parse::<f64>().ok()) else {
                writeln!(out, "{before},reports,,{after}").unwrap();
                continue;
            };
            for (k, factor) in [1.0, 0.5, 2.0].into_iter().enumerate() {
                let number = |column: usize| cells[column].parse::<f64>().unwrap();
                let mut at: Vec<String> = cells.iter().map(|c| (*c).to_owned()).collect();
                // emissions, accounted and actual abatement, price
                at[7] = (number(7) + number(18) * (1.0 - factor)).to_string();
                at[17] = (number(17) * factor).to_string();
                at[18] = (number(18) * factor).to_string();
                at[19] = (price * factor).to_string();
                let id = ["", "f", "e"][k].to_owned() + &before[k.min(1)..];
                let id = if factor > 1.0 { id.replacen("converged", "not_converged", 1) } else { id };
                writeln!(out, "{id},reports,{factor},{}", at.join(",")).unwrap();
            }
        }
        out
    });
}

#[test]
fn curves_of_abatement_join_what_converged() {
    let policies = vec![("none", "none"), ("tax", "tax"), ("stepped", "stepped")];
    let dir = store("curve", &Shape { periods: 1, buses: 0, policies, ..Shape::side_by_side() });
    at_three_prices(&dir);
    let read = Store::read(&dir).unwrap();
    let (drawn, skipped) = pictures(&read);
    assert!(skipped.iter().all(|s| s.figure != "abatement"), "{skipped:?}");
    // six mechanisms, three a picture
    let curves: Vec<_> = drawn.iter().filter(|d| d.stem.starts_with("abatement")).collect();
    assert_eq!(curves.iter().map(|d| d.stem.as_str()).collect::<Vec<_>>(), ["abatement-1", "abatement-2"]);
    for named in curves {
        assert_eq!(lint(&named.picture.canvas), vec![]);
        assert!(named.picture.caption.contains("Hollow marks are runs that did not converge"));
        let texts = named.picture.canvas.ops.iter().filter_map(|op| match op {
            Op::Text(l) => Some(l.text.as_str()),
            _ => None,
        });
        let texts: Vec<&str> = texts.collect();
        // the axis reaches the price of the run that did not converge
        assert!(texts.contains(&"500") && texts.contains(&"Carbon price (CNY/t CO_2)"), "{texts:?}");
        assert!(texts.iter().any(|t| t.ends_with("accounted")));
    }
    // a single price makes no curve
    rewrite(&dir, "runs", |t| {
        t.lines().filter(|l| !l.contains(",reports,0.5,")).fold(String::new(), |o, l| o + l + "\n")
    });
    let (_, skipped) = pictures(&Store::read(&dir).unwrap());
    assert!(skipped.iter().any(|s| s.figure == "abatement"));
}

/// Writes curves for every run but those of the grid alone.
pub fn with_curves(dir: &Path, rows: &[&str]) {
    let runs = std::fs::read_to_string(dir.join("as_text/runs.csv")).unwrap();
    let traded = runs.lines().skip(1).filter(|line| !line.contains(",grid-only,"));
    let ids: Vec<String> = traded.map(|line| line.split(',').next().unwrap().to_owned()).collect();
    rewrite(dir, "curves", |head| {
        let mut out = head.to_owned();
        for id in &ids {
            for row in rows {
                writeln!(out, "{id},{row}").unwrap();
            }
        }
        out
    });
}

/// What bids and expected gains look like is drawn from the table of curves, and only where there is one.
#[test]
fn curves_that_explain_an_outcome_are_drawn() {
    let shape = Shape { periods: 1, buses: 0, policies: vec![("none", "none")], ..Shape::side_by_side() };
    let dir = store("curves", &shape);
    let absent = |dir: &Path| -> Vec<String> {
        pictures(&Store::read(dir).unwrap()).1.into_iter().map(|s| s.figure.clone()).collect()
    };
    for figure in ["supply_and_demand", "interim_utility"] {
        assert!(absent(&dir).iter().any(|s| s == figure), "{figure}");
    }
    with_curves(
        &dir,
        &[
            "demand,vpp2,,0,0,0,0.9",
            "demand,vpp2,,0,1,10,0.9",
            "demand,vpp3,,0,0,10,0.6",
            "demand,vpp3,,0,1,30,0.6",
            "supply,vpp1,,0,0,0,0.5",
            "supply,vpp1,,0,1,20,0.5",
            "interim_utility,vpp1,,0,0,0.4,0.5",
            "interim_utility,vpp1,,0,1,1.0,-0.1",
            "interim_contribution,vpp1,,0,0,0.4,0.6",
            "interim_contribution,vpp1,,0,1,1.0,0",
            "interim_utility,vpp2,,0,0,0.4,-0.1",
            "interim_utility,vpp2,,0,1,1.0,0.5",
        ],
    );
    let read = Store::read(&dir).unwrap();
    let curves = read.curves(1);
    assert_eq!(curves.len(), 6);
    assert_eq!((curves[1].name.as_str(), curves[1].participant.as_str()), ("demand", "vpp3"));
    assert_eq!(curves[1].points, [(10.0, 0.6), (30.0, 0.6)]);
    let (drawn, _) = pictures(&read);
    for figure in ["supply_and_demand", "interim_utility"] {
        let named = drawn.iter().find(|d| d.stem.starts_with(figure)).unwrap_or_else(|| panic!("{figure}"));
        assert_eq!(lint(&named.picture.canvas), vec![], "{figure}");
        assert!(named.picture.caption.contains("Drawn are 3 of"), "{}", named.picture.caption);
    }
}

/// Changes are differences to the run without trade and without a carbon price, whose own mark stands at zero.
#[test]
fn changes_are_drawn_against_no_trade() {
    let dir = store("change", &Shape { periods: 1, buses: 0, ..Shape::side_by_side() });
    let (drawn, _) = pictures(&Store::read(&dir).unwrap());
    let picture = &drawn.iter().find(|d| d.stem == "change").expect("drawn").picture;
    assert_eq!(lint(&picture.canvas), vec![]);
    assert!(picture.caption.contains("against Grid only under No carbon price"), "{}", picture.caption);
    // Without such a run there is nothing to compare with, and the reason is told.
    rewrite(&dir, "runs", |t| t.replace(",grid-only,grid-only,", ",mid-market-rate,second,"));
    let (_, skipped) = pictures(&Store::read(&dir).unwrap());
    let reason = &skipped.iter().find(|s| s.figure == "change").expect("not drawn").reason;
    assert!(reason.contains("without trade"), "{reason}");
}

/// Gains from misreports are drawn where they were searched, and every mark stands at its own figure.
#[test]
fn regret_is_drawn_by_participant_where_it_was_searched() {
    let shape = Shape { periods: 1, buses: 0, policies: vec![("none", "none")], ..Shape::side_by_side() };
    let dir = store("regret", &shape);
    let (_, skipped) = pictures(&Store::read(&dir).unwrap());
    let reason = &skipped.iter().find(|s| s.figure == "regret").unwrap().reason;
    assert!(reason.contains("regret: true"), "{reason}");
    rewrite(&dir, "participants", |text| {
        let mut lines = text.lines();
        let mut out = format!("{},regret\n", lines.next().unwrap());
        for (k, line) in lines.enumerate() {
            writeln!(out, "{line},{}", k % 7).unwrap();
        }
        out
    });
    let (drawn, _) = pictures(&Store::read(&dir).unwrap());
    let picture = &drawn.iter().find(|d| d.stem.starts_with("regret")).expect("drawn").picture;
    assert_eq!(lint(&picture.canvas), vec![]);
    assert!(picture.caption.contains("lower bound"), "{}", picture.caption);
}

/// Prices and choices on their way to rest, and prices by hour: only periods with several sellers show who is preferred.
#[test]
fn prices_and_choices_on_their_way_to_rest_are_drawn() {
    let shape = Shape { buses: 0, policies: vec![("none", "none")], ..Shape::side_by_side() };
    let dir = store("courses", &shape);
    let mut rows = vec![];
    for period in 0..3 {
        for seller in ["vpp1", "vpp3"].into_iter().take(1 + usize::from(period < 2)) {
            let course = [(0, 0.6), (1, 0.5), (2, 0.45)];
            let price = |(k, p): (i32, f64)| format!("price_update,{seller},,{period},{k},{k},{p}");
            let share = |(k, p): (i32, f64)| format!("choice_probability,vpp2,{seller},{period},{k},{k},{}", p - 0.2);
            rows.extend(course.map(price));
            rows.extend(course.map(share));
        }
        rows.push(format!("choice_probability,vpp2,,{period},0,0,0.4"));
    }
    rows.extend(["price_of_period,vpp1,,,0,0,0.45".into(), "price_of_period,vpp1,,,1,2,0.5".into()]);
    with_curves(&dir, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let (drawn, skipped) = pictures(&Store::read(&dir).unwrap());
    for (figure, told) in [
        ("price_update", "Prices that sellers ask"),
        ("choice_probability", "Shares of what a buyer needs"),
        ("price_of_period", "in every period in which they sell"),
    ] {
        let named = drawn.iter().find(|d| d.stem.starts_with(figure));
        let named = named.unwrap_or_else(|| panic!("{figure}: {:?}", skipped.iter().find(|s| s.figure == figure)));
        assert_eq!(lint(&named.picture.canvas), vec![], "{figure}");
        assert!(named.picture.caption.contains(told), "{}", named.picture.caption);
    }
    let choices = drawn.iter().find(|d| d.stem.starts_with("choice_probability")).unwrap();
    let is_grid = |op: &Op| matches!(op, Op::Text(label) if label.text == "grid");
    assert!(choices.picture.canvas.ops.iter().any(is_grid));
}

#[test]
fn what_is_paid_for_carbon_is_the_revenue_of_the_authority() {
    let shape = Shape { periods: 1, buses: 0, policies: nodal_policies(), ..Shape::side_by_side() };
    let read = Store::read(&store("payers", &shape)).unwrap();
    let identity = Identity::of(&read);
    let study = &Study::all(&read, &identity)[0];
    let mut paying = 0;
    for &m in &study.mechanisms {
        for &p in &study.policies {
            let paid = study.carbon_payments(m, p);
            let revenue = study.metric(m, p, "carbon_revenue").unwrap().mean;
            let sum: f64 = paid.values().sum();
            assert!((sum - revenue).abs() <= 1e-9 * (1.0 + revenue.abs()), "{sum} {revenue}");
            assert!(!paid.contains_key("authority"));
            if revenue > 0.0 {
                // what members pay the operator in the nodal price is theirs
                assert!(paid["vpp1"] < 0.0 && paid["vpp2"] > 0.0);
                paying += 1;
            }
        }
    }
    assert!(paying > 20, "{paying}");
}

#[test]
fn a_meshed_network_has_no_map() {
    let dir = store("meshed", &Shape { periods: 2, buses: 9, ..Shape::side_by_side() });
    rewrite(&dir, "branches", |t| {
        let line = t.lines().nth(1).unwrap();
        let id = line.split(',').next().unwrap();
        t.to_owned() + &format!("{id},0,4,9,1,0,0,0.5,0.5\n")
    });
    let (_, skipped) = pictures(&Store::read(&dir).unwrap());
    let reason = &skipped.iter().find(|s| s.figure == "carbon_flow").unwrap().reason;
    assert!(reason.contains("meshed"), "{reason}");
}
