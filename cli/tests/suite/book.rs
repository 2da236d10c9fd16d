//! What the book shows is so: its blocks of code are done, run, or read by what they are written for.

#[path = "../book/blocks.rs"]
mod blocks;

use crate::support::{coase, file, folder, status, stderr, stdout};
use blocks::{Block, blocks};
use coase_scenarios::LIBRARY;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The pages that people write, and the templates of those that the program writes.
fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map(PathBuf::from).to_vec();
    for within in ["docs", "docs/pages"] {
        for entry in std::fs::read_dir(Path::new(ROOT).join(within)).unwrap() {
            let name = entry.unwrap().file_name();
            if Path::new(&name).extension().is_some_and(|ending| ending == "md") {
                paths.push(Path::new(within).join(name));
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        (path.to_str().unwrap().to_owned(), text)
    };
    paths.into_iter().map(read).collect()
}

/// The words of a command as a shell reads them; `None` where quotes are not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut all, mut word, mut quote, mut begun) = (vec![], String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => (quote, begun) = (Some(c), true),
            (c, Some(q)) if c == q => quote = None,
            ('#', None) if !begun => break,
            (c, None) if c.is_whitespace() => {
                if begun {
                    all.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (c, _) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        all.push(word);
    }
    quote.is_none().then_some(all)
}

/// The lines of a block, joined where they go on.
fn lines(block: &Block) -> Vec<String> {
    block.text.replace("\\\n", " ").lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The arguments of a line that runs the program, its name first; `None` for other programs.
fn arguments(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let line = line.strip_prefix("COASE_DATA=.. ").unwrap_or(line);
    let rest = line.strip_prefix("coase ").or_else(|| line.strip_prefix("cargo run --release -- "))?;
    let words = words(rest).unwrap_or_else(|| panic!("quotes are not closed: {line}"));
    // What a pipe or another command does with it is not ours.
    let own = words.into_iter().take_while(|word| !["|", "&&", ">", "\\"].contains(&word.as_str()));
    Some(std::iter::once("coase".to_owned()).chain(own).collect())
}

/// Every command that the book shows is one, and files of the repository that it names are there.
#[test]
fn commands_of_the_book_are_taken_by_the_program() {
    let (mut count, mut refused) = (0, vec![]);
    for (page, text) in pages() {
        let shown = blocks(&text);
        let lines = shown.iter().filter(|block| block.language == "sh").flat_map(lines);
        // In sentences, too: `coase explain NAME`, also with its end on the next line.
        let prose = text.replace('\n', " ");
        let spans: Vec<&str> = prose.split('`').skip(1).step_by(2).filter(|span| span.starts_with("coase ")).collect();
        let said = spans.into_iter().filter(|span| !span.contains(['|', '[', '{']) && !span.contains(".."));
        for line in lines.chain(said.map(str::to_owned)) {
            // Numbers that stand for any.
            let line = line
                .replace(" I/N", " 0/2")
                .replace("shards N", "shards 2")
                .replace(" PART/8", " 0/8")
                .replace(" FORM", " scenario");
            let Some(mut arguments) = arguments(&line) else { continue };
            // A command by its name alone.
            if arguments.len() == 2 {
                arguments.push("--help".to_owned());
            }
            if let Err(wrong) = coase::takes(&arguments) {
                refused.push(format!("{page}: `{line}`\n{wrong}"));
            }
            for name in arguments.iter().filter(|word| word.starts_with("scenarios/") || word.starts_with("examples/"))
            {
                assert!(Path::new(ROOT).join(name).exists(), "{page}: {name} is not there");
            }
            count += 1;
        }
    }
    assert!(refused.is_empty(), "{}", refused.concat());
    assert!(count > 60, "{count} commands");
}

/// Pages, and the languages of their blocks that a test reads.
const READ: &[(&str, &[&str])] = &[
    ("docs/first_study.md", &["csv", "ron", "tex", "text", "rust"]), // the_first_study_goes_as_the_page_says
    ("docs/extending.md", &["rust"]),                                // readme::the_example_is_the_file
    ("docs/figures.md", &["ron"]),   // figures::figures_of_the_book_are_drawn_as_it_says
    ("docs/scenarios.md", &["ron"]), // readme::scenarios_and_experiments_of_the_book_pass_the_check
    ("docs/results.md", &["python", "r", "julia"]), // papers::results_are_read_elsewhere_as_the_book_says
    ("docs/batches.md", &["python", "snakemake"]), // batches
    ("docs/verification.md", &["ron"]), // a_list_of_bids_is_audited_as_the_book_says
    ("docs/pages/verification.md", &["ron"]), // a_list_of_bids_is_audited_as_the_book_says
    ("ARCHITECTURE.md", &["text"]),  // drawings
];

/// A block in a language that no test reads would be a claim without one.
#[test]
fn every_block_of_the_book_is_read_by_a_test() {
    for (page, text) in pages() {
        for block in blocks(&text) {
            let language = block.language.as_str();
            let is_read = READ.iter().any(|(of, languages)| *of == page && languages.contains(&language));
            // Commands: above. What is no command of Coase is one of these.
            let others = ["cargo ", "export ", "seq ", "/scratch/", ".ci/run", "#", "cd "];
            let is_known =
                |line: &String| arguments(line).is_some() || others.iter().any(|other| line.starts_with(other));
            let by = is_read || language == "sh" && lines(&block).iter().all(is_known);
            assert!(by, "{page}: no test reads this block of `{}`:\n{}", block.language, block.text);
        }
    }
}

/// Whether TeX is here with a class.
fn has_class(name: &str) -> bool {
    Command::new("kpsewhich").arg(name).output().is_ok_and(|output| output.status.success())
}

/// `docs/first_study.md`, done as it says: files are written, commands run in their order, what is shown is what they print.
/// The program with the new mechanism is built by `.ci/run`; the mechanism itself runs in `own_plugins`.
#[test]
fn the_first_study_goes_as_the_page_says() {
    let folder = folder("first_study");
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/first_study.md")).unwrap();
    let own = include_str!("../../../examples/outside_plugin/src/k_double_auction.rs");
    let unindented = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let mut printed = String::new();
    let mut done = [0; 3];
    for block in blocks(&page) {
        match block.language.as_str() {
            kind @ ("csv" | "ron" | "tex") => {
                let name = block.file(&format!(".{kind}")).unwrap_or_else(|| panic!("no name: {}", block.before));
                file(&folder, name, &block.text);
                done[0] += 1;
                if kind == "tex" {
                    if !has_class("IEEEtran.cls") {
                        eprintln!("skipped: no IEEEtran to set the paper with");
                        continue;
                    }
                    let set = || {
                        Command::new("pdflatex")
                            .args(["-interaction=nonstopmode", "-halt-on-error", name])
                            .current_dir(&folder)
                            .output()
                    };
                    for _ in 0..2 {
                        let log = set().unwrap();
                        let said = String::from_utf8_lossy(&log.stdout).into_owned();
                        assert!(log.status.success() && !said.contains("Overfull"), "{said}");
                    }
                }
            }
            "sh" => {
                for line in block.text.lines().filter(|line| line.starts_with("coase ")) {
                    let arguments = arguments(line).unwrap();
                    let output = Command::new(env!("CARGO_BIN_EXE_coase"))
                        .args(&arguments[1..])
                        .current_dir(&folder)
                        .env_remove("COLUMNS")
                        .output()
                        .unwrap();
                    assert_eq!(status(&output), 0, "{line}: {}", stderr(&output));
                    printed = stdout(&output);
                    done[1] += 1;
                }
            }
            "text" => {
                assert!(printed.contains(&block.text), "not printed:\n{}\nbut\n{printed}", block.text);
                done[2] += 1;
            }
            "rust" => {
                assert!(unindented(own).contains(&unindented(&block.text)), "not in the example:\n{}", block.text);
            }
            other => panic!("what is a block of `{other}`?"),
        }
    }
    assert!(done[0] >= 4 && done[1] >= 4 && done[2] >= 3, "{done:?}");
    let made = |name: &str| folder.join(name).is_file();
    for name in
        ["results/my_study/figures/sweep.pdf", "results/my_study/report.html", "results/my_study/tables/metrics.tex"]
    {
        assert!(made(name), "{name} is not there");
    }
    assert!(made("village-auction/src/village_auction.rs"));
    assert!(page.contains("`VillageAuction(k: 0.25)`"));
}

/// The list of bids on the page of the matrix, by the command below it.
#[test]
fn a_list_of_bids_is_audited_as_the_book_says() {
    let folder = folder("book_bids");
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/pages/verification.md")).unwrap();
    let all = blocks(&page);
    let at = all.iter().position(|block| block.language == "ron").expect("a list of bids");
    let name = all[at].file(".ron").expect("its name");
    file(&folder, name, &all[at].text);
    let arguments = arguments(all[at + 1].text.trim()).expect("the command");
    assert!(arguments.iter().any(|word| word == name), "{arguments:?}");
    let output = Command::new(env!("CARGO_BIN_EXE_coase")).args(&arguments[1..]).current_dir(&folder).output().unwrap();
    assert!(status(&output) < 2, "{}", stderr(&output));
    assert!(stdout(&output).contains("truthful"), "{}", stdout(&output));
}

/// Every scenario of the library that the book names by its file is one, and the commands of `common_mistakes` are the runs
/// that its numbers are read from.
#[test]
fn commands_of_common_mistakes_are_the_runs_of_its_numbers() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/pages/common_mistakes.md")).unwrap();
    let runs: Vec<Vec<String>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("{{run ")?.strip_suffix("}}")?.split_once(": "))
        .map(|(_, run)| run.split(' ').map(str::to_owned).collect())
        .collect();
    assert!(runs.len() >= 5);
    let mut shown = 0;
    for block in blocks(&page).iter().filter(|block| block.language == "sh") {
        for line in lines(block) {
            let arguments = arguments(&line).unwrap();
            let file = arguments[2].rsplit('/').next().unwrap().to_owned();
            assert!(LIBRARY.iter().any(|entry| file == format!("{}.ron", entry.id)), "{file}");
            let given = arguments[3..].chunks(2).filter(|pair| pair[0] == "--set").map(|pair| pair[1].replace(' ', ""));
            let run: Vec<String> = std::iter::once(file).chain(given).collect();
            assert!(runs.contains(&run), "no run of the page: {run:?} among {runs:#?}");
            shown += 1;
        }
    }
    assert!(shown >= 5, "{shown}");
    assert_eq!(status(&coase(&["check", "side_by_side"])), 0);
}
