//! What a paper needs besides figures: references.

use crate::support::{coase, folder, status, stderr, stdout};

#[test]
fn what_results_rest_on_is_printed_as_bibtex() {
    let out = folder("cite").join("out");
    let out = out.to_str().unwrap();
    let run = coase(&[
        "run",
        "five_vpps",
        "--quiet",
        "--set",
        "experiment.first_periods=1",
        "--out",
        out,
        "--tables",
        "runs",
    ]);
    assert_eq!(status(&run), 0, "{}", stderr(&run));
    let cited = coase(&["cite", out]);
    assert_eq!(status(&cited), 0, "{}", stderr(&cited));
    let text = stdout(&cited);
    // The feeder, the bargain, the internal price, the disagreement point; the program with its revision.
    for entry in
        ["% ieee-33\n@article{Baran1989a,", "nash-bargaining\n@article{Nash1950,", "{Long2017,", "source revision "]
    {
        assert!(text.contains(entry), "{entry} is missing in\n{text}");
    }
    assert!(!text.contains("{Khodr2008,") && !text.contains("{McAfee1992,"), "what was not used is not cited");
    assert!(text.contains("% central-optimum: no entry; the planner's benchmark"), "{text}");
    assert_eq!(text.matches('{').count(), text.matches('}').count());
}

#[test]
fn a_folder_without_results_is_refused() {
    let empty = folder("cite_nothing");
    let cited = coase(&["cite", empty.to_str().unwrap()]);
    assert_eq!(status(&cited), 2);
    assert!(stderr(&cited).contains("cite_nothing") && stdout(&cited).is_empty(), "{}", stderr(&cited));
}

/// Packed, unpacked and run again, the tables are the same; packed twice, so is the archive; a changed file and a changed result are
/// told apart from it.
#[test]
fn a_bundle_is_run_again_to_the_same_bytes() {
    let folder = folder("bundle");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let out = path("out");
    let run = coase(&["run", "five_vpps", "--quiet", "--set", "experiment.first_periods=2", "--out", &out]);
    assert_eq!(status(&run), 0, "{}", stderr(&run));
    for name in ["first.tar.gz", "second.tar.gz"] {
        let packed = coase(&["bundle", &out, "--out", &path(name)]);
        assert_eq!(status(&packed), 0, "{}", stderr(&packed));
        assert!(stdout(&packed).contains(&format!("coase verify {} ", path(name))), "{}", stdout(&packed));
    }
    assert_eq!(std::fs::read(path("first.tar.gz")).unwrap(), std::fs::read(path("second.tar.gz")).unwrap());
    let same = coase(&["verify", &path("first.tar.gz")]);
    assert_eq!(status(&same), 0, "{}{}", stdout(&same), stderr(&same));
    assert_eq!(stdout(&same).matches("the same, byte for byte").count(), coase_core::record::Table::ALL.len());
    // A cost that is not what comes out.
    let runs = std::fs::read_to_string(folder.join("out/runs.csv")).unwrap();
    let mut lines: Vec<String> = runs.lines().map(str::to_owned).collect();
    let column = lines[0].split(',').position(|name| name == "total_cost").unwrap();
    let mut cells: Vec<String> = lines[1].split(',').map(str::to_owned).collect();
    cells[column] = "1.5".to_owned();
    lines[1] = cells.join(",");
    std::fs::write(folder.join("out/runs.csv"), lines.join("\n") + "\n").unwrap();
    let packed = coase(&["bundle", &out, "--out", &path("wrong.tar.gz")]);
    assert_eq!(status(&packed), 0, "{}", stderr(&packed));
    let differs = coase(&["verify", &path("wrong.tar.gz"), "--out", &path("again")]);
    assert_eq!(status(&differs), 1, "{}", stderr(&differs));
    assert!(
        stdout(&differs).contains("runs.csv: line 2, column total_cost: ") && stdout(&differs).contains("`1.5` packed")
    );
    assert!(folder.join("again/again/runs.csv").is_file());
    // No bundle at all.
    std::fs::write(folder.join("no.tar.gz"), b"no archive").unwrap();
    let none = coase(&["verify", &path("no.tar.gz")]);
    assert_eq!(status(&none), 2);
    assert!(stderr(&none).contains("no.tar.gz"), "{}", stderr(&none));
}

/// The snippets that read results do so, where their language is installed with what they need.
#[test]
fn results_are_read_elsewhere_as_the_book_says() {
    let folder = folder("elsewhere");
    let out = folder.join("results/side_by_side");
    let set =
        ["--set", "experiment.first_periods=1", "--set", "experiment.mechanisms=[\"grid-only\",\"mid-market-rate\"]"];
    let run = coase(&[&["run", "side_by_side", "--quiet", "--out", out.to_str().unwrap()][..], &set].concat());
    assert_eq!(status(&run), 0, "{}", stderr(&run));
    let book = include_str!("../../../docs/results.md");
    let snippet = |language: &str| {
        let rest = book.split_once(&format!("```{language}\n")).expect("a snippet").1;
        rest.split_once("```").expect("its end").0
    };
    for (language, program, flag, needs) in [
        ("python", "python3", "-c", "import pandas"),
        ("r", "Rscript", "-e", "1"),
        ("julia", "julia", "-e", "using CSV, DataFrames"),
    ] {
        let asked = |code: &str| std::process::Command::new(program).args([flag, code]).current_dir(&folder).output();
        if !asked(needs).is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: {program} cannot run `{needs}` here");
            continue;
        }
        let read = asked(snippet(language)).unwrap();
        assert_eq!(status(&read), 0, "{language}: {}", stderr(&read));
        assert!(stdout(&read).contains("mid-market-rate"), "{language}: {}", stdout(&read));
    }
}

/// The methods name what was used and nothing else, by the keys of the references.
#[test]
fn the_methods_of_a_paper_are_those_of_its_runs() {
    let out = folder("methods").join("out");
    let out = out.to_str().unwrap();
    let set =
        ["--set", "experiment.first_periods=1", "--set", "experiment.mechanisms=[\"grid-only\",\"nash-bargaining\"]"];
    let run = coase(&[&["run", "side_by_side", "--quiet", "--out", out, "--tables", "runs"][..], &set].concat());
    assert_eq!(status(&run), 0, "{}", stderr(&run));
    let text = stdout(&coase(&["methods", out]));
    for words in [
        "\\item[\\texttt{nash-bargaining}]",
        "\\item[\\texttt{stepped}]",
        "\\item[\\texttt{storage}]",
        "\\item[\\texttt{social\\_cost}]",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
    assert!(!text.contains("\\texttt{vcg}") && !text.contains("\\texttt{base-station}"), "{text}");
    let references = stdout(&coase(&["cite", out]));
    for keys in text.split("\\cite{").skip(1).filter_map(|rest| rest.split_once('}')).map(|(keys, _)| keys) {
        for key in keys.split(',') {
            assert!(references.contains(&format!("{{{key},")), "{key} is cited and is no reference");
        }
    }
    assert_eq!(text.matches("\\begin{").count(), text.matches("\\end{").count());
}
