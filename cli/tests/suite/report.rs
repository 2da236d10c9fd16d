//! `report.html` and `coase compare` through the binary, and the page in a browser where there is one.

use crate::support::{coase, file, folder, json, status, stderr, stdout};
use coase as _; // links the plugins
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two members under two policies; the first comment is the question.
fn study(folder: &Path, price: u32) -> String {
    let pair = "Scenario(name: \"pair\", periods: 2, currency: \"EUR\",
        grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
        participants: [(id: \"a\", devices: [Load(p_kw: 20)]),
            (id: \"b\", devices: [Load(p_kw: 5), MicroTurbine(p_max_kw: 12, cost_per_kwh: 0.2, emission_kg_per_kwh: 0.6)])])";
    let text = format!(
        "// Which rule is best, and does <a tax> change it?\n//\n// This is no question.\nExperiment(scenarios: [{pair}],
        mechanisms: [\"grid-only\", \"mid-market-rate\", \"nash-bargaining\"], carbon: [\"none\", Tax(price_per_tonne: {price})])"
    );
    file(folder, &format!("study_{price}.ron"), &text)
}

fn ran(folder: &Path, price: u32) -> PathBuf {
    let out = folder.join(format!("out_{price}"));
    let output = coase(&["run", &study(folder, price), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    out
}

#[test]
fn a_run_leaves_its_page_and_the_page_can_be_written_again() {
    let folder = folder("report_page");
    let out = ran(&folder, 100);
    let page = || std::fs::read_to_string(out.join("report.html")).unwrap();
    let html = page();
    assert!(html.contains("Which rule is best, and does &lt;a tax&gt; change it?") && !html.contains("no question"));
    for words in ["6 answered", "Nash bargaining", "figures/benefit.svg", "coase run resolved.ron", "Nash (1950)"] {
        assert!(html.contains(words), "{words}");
    }
    std::fs::remove_file(out.join("report.html")).unwrap();
    let output = coase(&["report", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("report.html"), "{}", stdout(&output));
    assert!(page() == html, "the same store gives the same bytes");
    assert_eq!(status(&coase(&["report", folder.to_str().unwrap()])), 2);
}

/// A page of an experiment that is gone would be taken for one of these results.
#[test]
fn the_page_of_another_experiment_goes_with_its_tables() {
    let folder = folder("report_stale");
    let out = ran(&folder, 100);
    std::fs::write(out.join("comparison.html"), "old").unwrap();
    let run = |more: &[&str]| {
        coase(&[&["run", &study(&folder, 200), "--quiet", "--out", out.to_str().unwrap()], more].concat())
    };
    assert_eq!(status(&run(&["--shard", "0/2"])), 0);
    assert!(!out.join("report.html").exists() && !out.join("comparison.html").exists());
    assert_eq!(status(&run(&[])), 0);
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("200"));
}

#[test]
fn two_folders_are_compared_as_text_json_and_page() {
    let folder = folder("report_compare");
    let (a, b) = (ran(&folder, 100), ran(&folder, 200));
    let (dir_a, dir_b) = (a.to_str().unwrap(), b.to_str().unwrap());
    let same = json(&["compare", dir_a, dir_a, "--json"], 0);
    assert_eq!((same["equal"].as_u64(), same["differing"].as_array().unwrap().len()), (Some(6), 0));
    let found = json(&["compare", dir_a, dir_b, "--json"], 0);
    // Social cost counts damage at the price of the first policy with one, so that it differs without a policy too.
    let differing = found["differing"].as_array().unwrap();
    assert_eq!(differing.len(), 6);
    let first = differing.iter().find(|run| run["mechanism"] == "grid-only" && run["carbon_policy"] == "none").unwrap();
    let figure = first["figures"].as_array().unwrap().iter().find(|f| f["metric"] == "carbon_damage");
    let figure = figure.unwrap_or_else(|| panic!("{first}"));
    let ratio = figure["b"].as_f64().unwrap() / figure["a"].as_f64().unwrap();
    assert!((ratio - 2.0).abs() < 1e-9, "{figure}");
    assert!(!b.join("comparison.html").exists(), "JSON alone writes no page");
    let output = coase(&["compare", dir_a, dir_b]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("damage per tonne of pair: `100` in A, `200` in B"), "{text}");
    assert!(text.contains("6 runs differ, 0 are equal, 0 only in A, 0 only in B"), "{text}");
    assert!(std::fs::read_to_string(b.join("comparison.html")).unwrap().contains("Two results side by side"));
    assert_eq!(status(&coase(&["compare", dir_a, folder.to_str().unwrap()])), 2);
}

#[test]
fn what_is_printed_fits_the_width_it_is_given() {
    let folder = folder("report_width");
    let run = |columns: &str| {
        let out = folder.join("out");
        let mut command = Command::new(env!("CARGO_BIN_EXE_coase"));
        command.args(["run", &study(&folder, 100), "--out", "out"]).current_dir(&folder).env("COLUMNS", columns);
        let output = command.output().unwrap();
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        assert!(out.is_dir());
        stdout(&output)
    };
    let (narrow, wide) = (run("72"), run("400"));
    assert!(narrow.lines().all(|line| line.chars().count() <= 72), "{narrow}");
    let words = |text: &str| text.split_whitespace().filter(|w| w.parse::<f64>().is_err()).count();
    assert!(words(&narrow) >= words(&wide.replace("6 of 6 runs were there already and were not made again", "")));
    // The second time nothing was made again.
    assert!(!narrow.contains("already") && wide.contains("6 of 6 runs were there already"), "{wide}");
    assert!(wide.contains("pair: carbon policies compared"), "{wide}");
}

/// The claim that the best fee is the only one does not hold where two fees earn the same.
#[test]
fn the_command_beside_a_refuted_claim_shows_it_again() {
    let folder = folder("report_refuted");
    let out = folder.join("out");
    let dir = out.to_str().unwrap();
    assert_eq!(status(&coase(&["run", "two_best_fees", "--quiet", "--out", dir])), 0);
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    let table = html.split("id=\"table-refuted\"").nth(1).unwrap().split("</table>").next().unwrap();
    let command = table.split("<code>coase run").nth(1).unwrap().split("</code>").next().unwrap();
    let command = command.replace("&quot;", "\"").replace("&#39;", "'");
    assert!(command.contains("\"mechanism\": \"best\""), "{command}");
    let command = format!("'{}' run{command}", env!("CARGO_BIN_EXE_coase"));
    let output = Command::new("sh").args(["-c", &command]).current_dir(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command}: {}", stderr(&output));
    let refuted = |dir: &Path| {
        let rows = std::fs::read_to_string(dir.join("certificates.csv")).unwrap();
        rows.lines().filter(|row| row.contains(",refuted,")).map(|row| row[33..].to_owned()).collect::<Vec<_>>()
    };
    let again = refuted(&out.join("again"));
    assert!(again.len() == 1 && refuted(&out) == again, "{again:?}");
}

#[test]
fn a_page_says_from_which_files_and_networks_and_in_what_time() {
    let folder = folder("report_provenance");
    let file = file(
        &folder,
        "series.ron",
        "Scenario(name: \"s\", periods: 2, currency: \"EUR\", network: (source: \"das-15\"),
            grid: (buy_price_per_kwh: Csv(file: \"prices.csv\", column: \"p\"), sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
            participants: [(id: \"a\", bus: 2, devices: [Load(p_kw: 20)])])",
    );
    std::fs::write(folder.join("prices.csv"), "p\n0.3\n0.4\n").unwrap();
    let out = folder.join("out");
    assert_eq!(status(&coase(&["run", &file, "--quiet", "--out", out.to_str().unwrap()])), 0);
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    let inputs = html.split("id=\"table-inputs\"").nth(1).unwrap().split("</table>").next().unwrap();
    // `printf 'p\n0.3\n0.4\n' | b3sum`
    let hash = coase_store::hash_of_bytes(b"p\n0.3\n0.4\n");
    assert!(inputs.contains("../prices.csv") && inputs.contains(&hash) && inputs.contains("../series.ron"), "{inputs}");
    for words in [
        "Longest time",
        "Size of s: 1 participant, 2 periods and 15 buses",
        "<code>das-15</code>",
        "Das",
        "@misc{coase_results",
    ] {
        assert!(html.contains(words), "{words}");
    }
    // Formulas are set, and what was run stands beside its default.
    assert!(html.contains("<math>") && html.contains("As run"), "no formula");
}

/// The first of some programs that answers.
fn browser() -> Option<&'static str> {
    let answers = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    ["chromium", "chromium-browser", "google-chrome", "chrome"].into_iter().find(answers)
}

#[test]
fn a_browser_adds_controls_and_a_narrow_page_does_not_overflow() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium or chrome to open the page in");
        return;
    };
    let folder = folder("report_browser");
    let out = ran(&folder, 100);
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    // The page says itself how wide its content is in a window of so many pixels, and what its script made.
    let told = |width: u32| {
        format!(
            "<script>document.body.style.width = '{width}px'; document.title = [document.body.scrollWidth, {width}, \
             document.querySelectorAll('th button').length, document.querySelectorAll('.tools').length, \
             (() => {{ const table = document.getElementById('table-runs'); table.tHead.querySelectorAll('button')[1].click(); \
             return Array.from(table.tBodies[0].rows).map((row) => row.cells[1].textContent).join('|'); }})()].join(';');</script>"
        )
    };
    let probe = out.join("probe.html");
    let address = format!("file://{}", probe.display());
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let open = |size: &str, more: &str| {
        let flags = ["--headless=old", "--no-sandbox", "--disable-gpu", &profile, size, more, &address];
        Command::new(browser).args(flags).output().unwrap()
    };
    for width in [360_u32, 1280] {
        std::fs::write(&probe, html.replace("</body>", &format!("{}</body>", told(width)))).unwrap();
        let output = open(&format!("--window-size={width},900"), "--dump-dom");
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some(title) = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()) else {
            eprintln!("skipped: {browser} does not run here: {}", stderr(&output));
            return;
        };
        let parts: Vec<&str> = title.split(';').collect();
        let number = |k: usize| parts[k].parse::<u32>().unwrap_or_else(|_| panic!("{title}"));
        assert!(number(0) <= number(1), "the content is wider than the window: {title}");
        assert!(number(2) > 10 && number(3) > 3, "{title}");
        let names: Vec<&str> = parts[4].split('|').collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert!(names.len() == 6 && names == sorted, "{title}");
    }
    let pdf = out.join("page.pdf");
    open("--no-pdf-header-footer", &format!("--print-to-pdf={}", pdf.display()));
    let printed = String::from_utf8_lossy(&std::fs::read(&pdf).unwrap()).into_owned();
    // A4 is 595.28 by 841.89 pt.
    assert!(printed.contains("MediaBox [0 0 594.95996 841.91998]") || printed.contains("MediaBox [0 0 595"), "no A4");
}
