//! Pages of results: what their runs find stands in them, and what their runs deny is told.

use crate::support::{coase, folder, status, stderr, stdout};
use coase as _;
use std::fs;

#[test]
fn the_page_of_file_forms_is_what_the_types_declare() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
    let output = coase(&["pages", "file-format", "--check", "--docs", docs]);
    assert_eq!(status(&output), 0, "`coase pages file-format` writes it anew: {}", stderr(&output));
    assert_eq!(status(&coase(&["pages", "no-such-page", "--check", "--docs", docs])), 2);
}

const EXPERIMENT: &str = r#"Experiment(
    scenarios: ["three_vpp"], mechanisms: ["grid-only", "nash-bargaining"], carbon: ["none"],
)"#;

#[test]
fn a_page_is_written_from_its_runs_and_checked_against_them() {
    let root = folder("pages");
    let (docs, library) = (root.join("docs"), root.join("library"));
    fs::create_dir_all(docs.join("pages")).unwrap();
    fs::create_dir_all(&library).unwrap();
    fs::write(library.join("three.ron"), EXPERIMENT).unwrap();
    let template = docs.join("pages").join("result.md");
    // T3: alone -7.5 in sum, together -5505/76.
    let text = "{{run base: three.ron}}\nTogether {{base.total_cost[nash-bargaining, none] | .4}}, alone \
        {{base.total_cost[grid-only, none] | .1}}.\n{{claim: base upholds budget_balance}}\n";
    fs::write(&template, text).unwrap();
    let [docs_arg, library_arg, out] =
        [docs.clone(), library, root.join("out")].map(|path| path.to_str().unwrap().to_owned());
    let pages = |extra: &[&str]| {
        coase(&[&["pages", "--docs", &docs_arg, "--library", &library_arg, "--out", &out], extra].concat())
    };
    let written = pages(&[]);
    assert_eq!(status(&written), 0, "{}", stderr(&written));
    let page = docs.join("result.md");
    assert_eq!(fs::read_to_string(&page).unwrap(), "Together -72.4342, alone -7.5.\n");
    assert_eq!(status(&pages(&["--check"])), 0);
    // A page that somebody edited is stale.
    fs::write(&page, "Together -72, alone -7.5.\n").unwrap();
    let stale = pages(&["--check"]);
    assert_eq!(status(&stale), 1);
    assert!(stderr(&stale).contains("stale"), "{}", stderr(&stale));
    // What the runs deny is not written.
    fs::write(&template, format!("{text}{{{{claim: base.total_cost[nash-bargaining, none] > 0}}}}\n")).unwrap();
    let denied = pages(&[]);
    assert_eq!(status(&denied), 1);
    assert!(stderr(&denied).contains("line 4: the runs deny"), "{}", stderr(&denied));
    assert!(stdout(&denied).contains("not written"), "{}", stdout(&denied));
    assert_eq!(fs::read_to_string(&page).unwrap(), "Together -72, alone -7.5.\n");
}
