//! `vcg` through the binary on the three agents: what is paid, what the operator loses, and what `explain` says of it.

use crate::support::{coase, column, folder, status, stderr};
use coase as _; // links the plugins

#[test]
fn the_three_agents_pay_their_externalities_and_the_operator_loses() {
    let folder = folder("vcg");
    let file = folder.join("vcg.ron");
    let text = r#"Experiment(scenarios: ["three_vpp"], mechanisms: ["grid-only", "vcg",
        (label: "public", mechanism: Vcg(pivot: PublicBaseline))], evidence: (regret: true))"#;
    std::fs::write(&file, text).unwrap();
    let out = folder.join("out");
    let output = coase(&["run", file.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let runs = column(&out, "runs", "run_id");
    let surplus = column(&out, "runs", "operator_surplus");
    let (of_run, paid) = (column(&out, "participants", "run_id"), column(&out, "participants", "payment"));
    let (names, verdicts) = (column(&out, "certificates", "name"), column(&out, "certificates", "verdict"));
    let certified = column(&out, "certificates", "run_id");
    for run in 1..3 {
        assert!((surplus[run].parse::<f64>().unwrap() + 48.511_278_195).abs() < 1e-6);
        let paid: Vec<f64> =
            of_run.iter().zip(&paid).filter(|(id, _)| **id == runs[run]).map(|(_, x)| x.parse().unwrap()).collect();
        for (found, expected) in paid.iter().zip([-115.647_012_268, -30.540_166_205, 97.675_900_277]) {
            assert!((found - expected).abs() < 1e-6, "{paid:?}");
        }
        let verdict = |name: &str| {
            let rows = names.iter().zip(&verdicts).zip(&certified);
            let mut found = rows.filter(|((n, _), id)| *n == name && **id == runs[run]).map(|((_, v), _)| v.clone());
            found.next().unwrap_or_else(|| panic!("no certificate {name}"))
        };
        for name in ["regret", "individual_rationality", "efficiency", "marginal_contribution", "deficit_identity"] {
            assert_eq!(verdict(name), "upheld", "{name}");
        }
        assert_eq!(verdict("budget_balance"), "measured");
    }
}
