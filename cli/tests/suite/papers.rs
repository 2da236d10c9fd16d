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
