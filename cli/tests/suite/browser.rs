//! Pages in a browser, where there is one: no script fails, controls do what they say, nothing overflows a narrow window, and what is
//! printed is A4.

use crate::support::{coase, file, folder, status, stderr};
use coase as _; // links the plugins
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first of some programs that answers.
fn browser() -> Option<&'static str> {
    let answers = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    ["chromium", "chromium-browser", "google-chrome", "chrome"].into_iter().find(answers)
}

/// What a page says of itself in a window of so many pixels: its errors, the width of its content, and what a script tells.
/// `None` where no browser runs.
fn told(page: &Path, width: u32, script: &str) -> Option<Vec<String>> {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium or chrome to open the page in");
        return None;
    };
    let html = std::fs::read_to_string(page).unwrap();
    let first =
        "<script>window.wrong = []; window.addEventListener('error', (e) => window.wrong.push(e.message));</script>";
    let last = format!(
        "<script>document.body.style.width = '{width}px'; document.title = [window.wrong.join('; '), document.body.scrollWidth]\
         .concat((() => {{ {script} }})()).join('~');</script>"
    );
    let probe = page.with_file_name("probe.html");
    let html = html.replacen("<head>", &format!("<head>{first}"), 1).replacen("</body>", &format!("{last}</body>"), 1);
    std::fs::write(&probe, html).unwrap();
    let profile = format!("--user-data-dir={}", page.with_file_name("profile").display());
    let (size, address) = (format!("--window-size={width},900"), format!("file://{}", probe.display()));
    let flags = ["--headless=old", "--no-sandbox", "--disable-gpu", &profile, &size, "--dump-dom", &address];
    let output = Command::new(browser).args(flags).output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    if title.is_none() {
        eprintln!("skipped: {browser} does not run here: {}", stderr(&output));
    }
    let parts: Vec<String> = title?.split('~').map(str::to_owned).collect();
    assert_eq!(parts[0], "", "errors on the page");
    let content: u32 = parts[1].parse().unwrap();
    assert!(content <= width, "the content is {content} px wide in a window of {width}");
    Some(parts[2..].to_vec())
}

/// Two members on a feeder for three periods.
fn ran(folder: &Path, price: u32) -> PathBuf {
    let text = format!(
        "Experiment(scenarios: [Scenario(name: \"s\", periods: 3, currency: \"EUR\", network: (source: \"das-15\", load_shape: [0.2, 1.0, 0.5]),
            grid: (buy_price_per_kwh: [0.3, 0.4, 0.3], sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
            participants: [(id: \"a\", bus: 5, devices: [Load(p_kw: [20, 10, 30])]),
                (id: \"b\", bus: 8, devices: [Load(p_kw: 5), MicroTurbine(p_max_kw: 12, cost_per_kwh: 0.2, emission_kg_per_kwh: 0.6)])])],
        mechanisms: [\"grid-only\", \"mid-market-rate\"], carbon: [\"none\", Tax(price_per_tonne: {price})])"
    );
    let out = folder.join(format!("out_{price}"));
    let written = file(folder, &format!("study_{price}.ron"), &text);
    let output = coase(&["run", &written, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    out
}

const SLIDE: &str = "const slide = (box, act) => { const input = box.querySelector('input[type=range]'); input.value = 1; \
                     input.dispatchEvent(new Event('input')); return act(); };";

#[test]
fn sliders_and_choices_change_what_is_drawn() {
    let folder = folder("browser_explore");
    let out = ran(&folder, 100);
    let script = format!(
        "{SLIDE} const feeder = document.querySelector('[data-explore=feeder]'); \
         const fills = () => Array.from(feeder.querySelectorAll('[data-bus]')).map((b) => b.getAttribute('fill')).join(); \
         const choose = (box, k, value) => {{ const s = box.querySelectorAll('select')[k]; s.value = value; s.dispatchEvent(new Event('change')); }}; \
         const first = fills(); const second = slide(feeder, fills); choose(feeder, 1, 'power'); \
         const words = feeder.querySelector('.told').textContent; \
         const plant = document.querySelector('[data-explore=operation]'); const drawn = () => plant.querySelector('.scroll').innerHTML; \
         const one = drawn(); choose(plant, 1, '1'); const other = drawn(); const later = slide(plant, drawn); \
         return [first !== second, words, one !== other, other !== later, document.querySelectorAll('.here').length > 10];"
    );
    for width in [400, 1280] {
        let Some(told) = told(&out.join("report.html"), width, &script) else { return };
        assert_eq!((told[0].as_str(), told[2].as_str(), told[3].as_str()), ("true", "true", "true"), "{told:?}");
        assert!(told[1].starts_with("Power in branches, ") && told[1].contains("in period 1"), "{told:?}");
    }
}

#[test]
fn a_comparison_has_no_errors_and_fits_a_narrow_window() {
    let folder = folder("browser_compare");
    let (a, b) = (ran(&folder, 100), ran(&folder, 200));
    assert_eq!(status(&coase(&["compare", a.to_str().unwrap(), b.to_str().unwrap()])), 0);
    let script = "const t = document.getElementById('table-differing'); t.tHead.querySelectorAll('button')[7].click(); \
                  const values = Array.from(t.tBodies[0].rows).map((row) => Number(row.cells[7].dataset.v)); \
                  return [values.every((v, k) => k === 0 || values[k - 1] <= v), values.length];";
    let Some(told) = told(&b.join("comparison.html"), 400, script) else { return };
    assert!(told[0] == "true" && told[1].parse::<usize>().unwrap() > 3, "{told:?}");
}

#[test]
fn a_gallery_has_pictures_filters_and_links_that_lead_somewhere() {
    let folder = folder("browser_gallery");
    let out = folder.join("gallery");
    let docs = folder.join("docs");
    std::fs::create_dir_all(docs.join("pages")).unwrap();
    let page = "# A paper\n\n| id | claim | here |\n|---|---|---|\n| A-1 | it pays | holds |\n";
    std::fs::write(docs.join("paper.md"), page).unwrap();
    std::fs::write(docs.join("pages").join("paper.md"), page).unwrap();
    let (out_name, docs_name) = (out.to_str().unwrap(), docs.to_str().unwrap());
    let flags = ["--periods", "1", "--docs", docs_name, "--out", out_name, "--no-kinds"];
    let output = coase(&[&["gallery", "three_vpp", "two_best_fees"][..], &flags].concat());
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let html = std::fs::read_to_string(out.join("index.html")).unwrap();
    for words in [
        "Is the operator&#39;s best fee the only one?",
        "coase run two_best_fees",
        "A-1",
        "href=\"three_vpp/report.html\"",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let script = "const seen = () => document.querySelectorAll('.card:not(.hidden)').length; const before = seen(); \
                  const select = document.querySelector('.tools select'); select.value = 'stackelberg-network-fee'; \
                  select.dispatchEvent(new Event('change')); \
                  return [before, seen(), document.querySelectorAll('.card img').length];";
    for width in [400, 1280] {
        let Some(told) = told(&out.join("index.html"), width, script) else { return };
        assert_eq!(told, ["2", "1", "2"]);
    }
    let output = coase(&["gallery", "three_vp", "--out", out_name]);
    assert!(status(&output) == 2 && stderr(&output).contains("three_vp"), "{}", stderr(&output));
}
