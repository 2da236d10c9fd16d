//! What papers are made from: data and sources of figures, tables that fit a page. Set by LaTeX where there is one.

use crate::fixture::{Shape, write_store};
use coase_plots::store::Store;
use coase_plots::{Format, Report, draw, tables};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn drawn(name: &str, shape: &Shape) -> (PathBuf, Store, Report) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("papers_{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    write_store(&dir, shape);
    let store = Store::read(&dir).unwrap();
    let report = draw(&store, &dir, &[Format::Pdf], &|_, _| {}).unwrap();
    tables(&store, &dir).unwrap();
    (dir, store, report)
}

fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |row: csv::Result<csv::StringRecord>| {
        header.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect()
    };
    reader.records().map(row).collect()
}

#[test]
fn the_data_of_a_figure_are_the_figures_of_the_store() {
    let (dir, store, report) = drawn("data", &Shape { periods: 6, buses: 9, ..Shape::side_by_side() });
    // Cost and emissions: a mark for each mechanism and policy, where the metric says.
    let marks = rows(&dir.join("figures/cost_and_emissions.csv"));
    let emissions: Vec<f64> = marks
        .iter()
        .filter(|row| row["shape"] == "mark" && row["x_axis"].contains("missions"))
        .map(|row| row["x"].parse().unwrap())
        .collect();
    let expected: Vec<f64> = (0..store.runs.len()).filter_map(|run| store.metric(run, "emissions_kg")).collect();
    assert_eq!(emissions.len(), expected.len(), "{marks:?}");
    let (sum, of) = (emissions.iter().sum::<f64>() * 1000.0, expected.iter().sum::<f64>());
    assert!((sum - of).abs() < 1e-6 * of, "{sum} {of}");
    // Every series of the legend is called by its name.
    for row in marks.iter().filter(|row| row["shape"] == "mark") {
        assert!(["No carbon price", "Tax", "Cap and trade", "Stepped"].contains(&row["series"].as_str()), "{row:?}");
        assert!(!row["x_name"].is_empty() || !row["y_name"].is_empty(), "{row:?}");
    }
    // What is written is told, and there.
    assert!(report.sources.iter().all(|file| file.is_file()));
    let all = std::fs::read_to_string(dir.join("figures/figures.tex")).unwrap();
    for named in &report.pictures {
        let is_there = ["", "[width=\\linewidth]"]
            .iter()
            .any(|size| all.contains(&format!("\\includegraphics{size}{{{}.pdf}}", named.stem)));
        assert!(is_there, "{}", named.stem);
    }
}

#[test]
fn sources_are_balanced_and_the_same_every_time() {
    let shape = Shape { periods: 6, buses: 9, ..Shape::side_by_side() };
    let (a, _, first) = drawn("twice_a", &shape);
    let (b, _, _) = drawn("twice_b", &shape);
    for file in &first.sources {
        let text = std::fs::read_to_string(file).unwrap();
        let other = std::fs::read_to_string(b.join(file.strip_prefix(&a).unwrap())).unwrap();
        assert!(text == other, "{}", file.display());
        if file.extension().is_some_and(|e| e == "tex") {
            let plain = text.replace("\\{", "").replace("\\}", "");
            assert_eq!(plain.matches('{').count(), plain.matches('}').count(), "{}", file.display());
            assert_eq!(text.matches("\\begin{").count(), text.matches("\\end{").count(), "{}", file.display());
        }
    }
}

/// The text of a paper in two columns of the width of IEEE's journals, with what is set in it.
fn paper(packages: &str, body: &str) -> String {
    format!(
        "\\documentclass[10pt,twocolumn]{{article}}\n\\usepackage[T1]{{fontenc}}\n\\usepackage[utf8]{{inputenc}}\n\
         \\usepackage{{booktabs,graphicx}}\n{packages}\n\\setlength{{\\textwidth}}{{516pt}}\\setlength{{\\columnsep}}{{12pt}}\n\
         \\setlength{{\\textheight}}{{680pt}}\\setlength{{\\oddsidemargin}}{{-20pt}}\\setcounter{{totalnumber}}{{50}}\n\
         \\begin{{document}}\n{body}\n\\clearpage\n\\end{{document}}\n"
    )
}

/// Sets a text; the log. `None` where there is no LaTeX.
fn set(dir: &Path, name: &str, text: &str) -> Option<String> {
    let file = dir.join(format!("{name}.tex"));
    std::fs::write(&file, text).unwrap();
    let command =
        Command::new("pdflatex").args(["-interaction=nonstopmode", "-halt-on-error", name]).current_dir(dir).output();
    let output = match command {
        Ok(output) => output,
        Err(wrong) => {
            eprintln!("skipped: no pdflatex to set tables and figures with: {wrong}");
            return None;
        }
    };
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", &log[log.len().saturating_sub(3000)..]);
    Some(log)
}

/// The points by which lines of a log are too wide.
fn overfull(log: &str) -> Vec<f64> {
    let of = |line: &str| line.split_once("Overfull \\hbox (")?.1.split_once("pt")?.0.parse().ok();
    log.lines().filter_map(of).collect()
}

#[test]
fn tables_and_captions_are_set_by_latex_and_fit_the_page() {
    let long = ("nash-bargaining", "nash bargaining with exponential weights & a long label");
    let shapes = [
        ("usual", Shape::side_by_side()),
        ("seeds", Shape { seeds: 4, periods: 3, buses: 4, ..Shape::side_by_side() }),
        ("many", Shape { participants: 60, periods: 2, buses: 4, ..Shape::side_by_side() }),
        ("large", Shape { money: 1e7, periods: 3, buses: 4, ..Shape::side_by_side() }),
        ("small", Shape { money: 1e-6, periods: 3, buses: 4, ..Shape::side_by_side() }),
        (
            "odd",
            Shape {
                mechanisms: vec![("grid-only", "grid-only"), long, ("shapley", "\u{7535} <b> | $x_1$ 50 %")],
                periods: 3,
                buses: 4,
                ..Shape::side_by_side()
            },
        ),
    ];
    let asked = Command::new("kpsewhich").arg("IEEEtran.cls").output();
    let has_ieee = asked.is_ok_and(|output| output.status.success());
    for (name, shape) in shapes {
        let (dir, _, _) = drawn(&format!("set_{name}"), &shape);
        let mut inputs: Vec<String> = vec![];
        for entry in std::fs::read_dir(dir.join("tables")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "tex") {
                inputs.push(format!("\\input{{tables/{}}}\n", path.file_name().unwrap().to_str().unwrap()));
            }
        }
        let captions = "\\graphicspath{{figures/}}\n\\input{figures/figures.tex}\n";
        // In IEEE's own class nothing is too wide; where it is not there, estimated widths may miss by little.
        let (body, room) = (inputs.concat() + captions, if has_ieee { 0.0 } else { 6.0 });
        let texts = match (has_ieee, name) {
            (false, _) => vec![paper("", &body)],
            (true, "usual") => vec![ieee("journal", &body), ieee("conference", &body)],
            (true, _) => vec![ieee("journal", &body)],
        };
        for text in texts {
            let Some(log) = set(&dir, "paper", &text) else { return };
            let worst = overfull(&log).into_iter().fold(0.0, f64::max);
            assert!(worst <= room, "{name}: {worst} pt too wide");
        }
    }
}

/// The text of a paper in IEEE's own class, of a kind that the class knows.
fn ieee(kind: &str, body: &str) -> String {
    format!(
        "\\documentclass[{kind}]{{IEEEtran}}\n\\usepackage[T1]{{fontenc}}\n\\usepackage[utf8]{{inputenc}}\n\
         \\usepackage{{booktabs,graphicx}}\n\\setcounter{{totalnumber}}{{50}}\n\
         \\begin{{document}}\n\\title{{T}}\\author{{A}}\\maketitle\n{body}\n\\clearpage\n\\end{{document}}\n"
    )
}

#[test]
fn figures_are_set_by_pgfplots() {
    let (dir, _, report) = drawn("pgf", &Shape { periods: 6, buses: 9, ..Shape::side_by_side() });
    let has = Command::new("kpsewhich").arg("pgfplots.sty").output().is_ok_and(|o| o.status.success());
    if !has {
        eprintln!("skipped: no pgfplots to set figures with");
        return;
    }
    let is_figure = |file: &&PathBuf| file.extension().is_some_and(|e| e == "tex") && !file.ends_with("figures.tex");
    let inputs: Vec<String> = report
        .sources
        .iter()
        .filter(is_figure)
        .map(|file| format!("\\input{{figures/{}}}\n\\clearpage\n", file.file_name().unwrap().to_str().unwrap()))
        .collect();
    let body = inputs.concat();
    assert!(body.len() > 100);
    set(&dir, "pgf", &paper("\\usepackage{pgfplots}\\pgfplotsset{compat=1.16}", &body));
}
