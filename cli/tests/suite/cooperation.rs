//! `coase run cooperation` through the binary: rules that divide a gain, by the tables that it writes.

use crate::support::{coase, column, folder, status, stderr};
use coase as _; // links the plugins
use std::path::Path;

fn numbers(store: &Path, table: &str, name: &str) -> Vec<f64> {
    column(store, table, name).iter().map(|x| x.parse().unwrap_or_else(|_| panic!("{name}: `{x}`"))).collect()
}

/// Rule, gains, greatest excess of {vpp1, vpp3} (of any group for the nucleolus), Jain's index, Gini coefficient.
const TABLE: [(&str, [f64; 3], f64, f64, f64); 7] = [
    ("bargaining", [21.644_736_842; 3], 16.710_526_316, 1.0, 0.0),
    (
        "bargaining, exponential weights",
        [41.558_513_021, 8.087_174_959, 15.288_522_546],
        3.152_964_433,
        0.693_637_498,
        0.343_643_592,
    ),
    ("equal split", [21.644_736_842; 3], 16.710_526_316, 1.0, 0.0),
    ("shapley", [25.650_689_223, 5.204_260_652, 34.079_260_652], 0.270_050_125, 0.761_186_540, 0.296_453_901),
    ("uniform-price", [32.451_523_546, 3.895_429_363, 28.587_257_618], -1.038_781_163, 0.745_414_291, 0.293_179_758),
    ("nucleolus", [22.913_533_835, 2.467_105_263, 39.553_571_429], -2.467_105_263, 0.670_682_759, 0.380_759_396),
    ("marginal-proportional", [26.230_610_784, 2.824_255_673, 35.879_344_070], -2.109_954_854, f64::NAN, f64::NAN),
];

#[test]
fn every_rule_has_its_row_of_the_table() {
    let folder = folder("cooperation");
    let out = folder.join("out");
    let output = coase(&["run", "cooperation", "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let (variants, ids) = (column(&out, "runs", "variant"), column(&out, "runs", "run_id"));
    let (excess, jain, gini) =
        (column(&out, "runs", "core_excess"), column(&out, "runs", "jain_index"), column(&out, "runs", "gini"));
    let of_run = column(&out, "participants", "run_id");
    let gains = numbers(&out, "participants", "gain");
    let near = |found: f64, expected: f64, what: &str| {
        assert!((found - expected).abs() < 1e-6, "{what}: {found} instead of {expected}");
    };
    let gains_of = |variant: &str| -> Vec<f64> {
        let run = variants.iter().position(|v| v == variant).unwrap_or_else(|| panic!("{variant}: {variants:?}"));
        of_run.iter().zip(&gains).filter(|(id, _)| **id == ids[run]).map(|(_, gain)| *gain).collect()
    };
    for (variant, expected, greatest, evenness, gini_coefficient) in TABLE {
        let run = variants.iter().position(|v| v == variant).unwrap_or_else(|| panic!("{variant}: {variants:?}"));
        for (found, expected) in gains_of(variant).into_iter().zip(expected) {
            near(found, expected, variant);
        }
        near(excess[run].parse().unwrap(), greatest, variant);
        if evenness.is_finite() {
            near(jain[run].parse().unwrap(), evenness, variant);
            near(gini[run].parse().unwrap(), gini_coefficient, variant);
        }
    }
    let gain = 4935.0 / 76.0;
    for (found, weight) in
        gains_of("bargaining, logarithmic weights").into_iter().zip([0.536_006_369, 0.195_990_446, 0.268_003_185])
    {
        assert!((found - weight * gain).abs() < 1e-6);
    }
    for (variant, expected) in [
        ("bargaining, then bounded prices", [25.533_240_997, 13.867_728_532, 25.533_240_997]),
        ("bargaining with bounded prices", [23.862_197_96, 16.691_235_84, 23.862_197_96]),
    ] {
        for (found, expected) in gains_of(variant).into_iter().zip(expected) {
            near(found, expected, variant);
        }
    }
    // Who objects, and what any division leaves.
    let (names, witnesses) = (column(&out, "certificates", "name"), column(&out, "certificates", "witness"));
    let values = column(&out, "certificates", "value");
    let found = |name: &str| -> Vec<(String, f64)> {
        let rows = names.iter().zip(&witnesses).zip(&values).filter(|((n, _), _)| *n == name);
        rows.map(|((_, witness), value)| (witness.clone(), value.parse().unwrap())).collect()
    };
    assert!(found("core_excess").iter().filter(|(witness, _)| witness.starts_with("{vpp1, vpp3}")).count() >= 9);
    assert!(found("least_core_epsilon").iter().all(|(_, epsilon)| (epsilon + 2.467_105_263).abs() < 1e-6));
    assert_eq!(found("core_least_gain").len(), 3 * variants.len());
    // The figure is drawn.
    assert!(out.join("figures/core.svg").is_file());
}
