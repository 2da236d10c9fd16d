//! Files as other programs write them, damaged ones, and ones without end: read, or refused with their place.

use crate::support::{coase, file, folder, json, status, stderr, stdout};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of `tests/cases/readers`, where a scenario that names it must lie.
fn case(folder: &Path, name: &str) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/readers").join(name);
    let to = folder.join(name);
    std::fs::copy(from, &to).unwrap();
    to.to_str().unwrap().to_owned()
}

/// A scenario of three hours whose load is read from a column.
fn scenario(csv: &str) -> String {
    format!(
        "Scenario(name: \"s\", periods: 3, currency: \"EUR\",
    grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
    participants: [(id: \"a\", devices: [
        Load(p_kw: Csv({csv})),
    ])])"
    )
}

/// Checks a scenario; the status must be as expected, and every word must stand on standard error.
fn checked(folder: &Path, text: &str, expected: i32, words: &[&str]) {
    let path = file(folder, "case.ron", text);
    let output = coase(&["check", &path]);
    let complaint = stderr(&output);
    assert_eq!(status(&output), expected, "{complaint}\n{text}");
    for word in words {
        assert!(complaint.contains(word), "`{word}` is not in\n{complaint}");
    }
}

#[test]
fn a_matpower_file_with_a_bracketed_output_and_a_line_that_is_off_is_read() {
    let folder = folder("readers_matpower");
    let flows = ["bracket_output_a.m", "dcline_off_a.m"].map(|name| json(&["flow", &case(&folder, name), "--json"], 0));
    // 40 MW and 10 Mvar over 0.01 + 0.06j pu from 1 pu: v = u^2 solves v^2 - (1 - 2 (rp + xq)) v + |z|^2 |s|^2 = 0.
    let (r, x, p, q) = (0.01_f64, 0.06, 0.4, 0.1);
    let b = 1.0 - 2.0 * (r * p + x * q);
    let v2 = f64::midpoint(b, (b * b - 4.0 * (r * r + x * x) * (p * p + q * q)).sqrt());
    for flow in &flows {
        let found = flow["buses"][1]["voltage_pu"].as_f64().unwrap();
        assert!((found - v2.sqrt()).abs() < 1e-9, "{found} is not {}", v2.sqrt());
    }
    assert_eq!(flows[0]["loss_kw"], flows[1]["loss_kw"]);
    // 0.02 P^2 + 18 P at 40 MW, without losses.
    let cost = json(&["opf", &case(&folder, "bracket_output_a.m"), "--formulation", "dc", "--json"], 0);
    assert!((cost["objective_per_h"].as_f64().unwrap() - 752.0).abs() < 1e-6, "{cost}");
}

#[test]
fn a_line_in_service_is_refused_with_its_reason_and_its_line() {
    let folder = folder("readers_dcline");
    let text = std::fs::read_to_string(case(&folder, "dcline_off_a.m")).unwrap();
    let path = file(&folder, "on.m", &text.replace("mpc.dcline = [1 2 0", "mpc.dcline = [1 2 1"));
    for command in ["flow", "opf"] {
        let output = coase(&[command, &path]);
        assert_eq!(status(&output), 2);
        for word in ["on.m:12", "direct-current line 1 from bus 1 to bus 2 is in service"] {
            assert!(stderr(&output).contains(word), "{}", stderr(&output));
        }
    }
}

#[test]
fn a_matpower_file_may_be_in_latin_1_and_is_never_in_utf_16() {
    let folder = folder("readers_m_encoding");
    let text = std::fs::read_to_string(case(&folder, "bracket_output_a.m")).unwrap();
    let path = folder.join("latin.m");
    let mut bytes = b"% Umspannwerk K\xf6ln\r\n".to_vec();
    bytes.extend(text.bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(status(&coase(&["flow", path.to_str().unwrap()])), 0);
    let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(&path, wide).unwrap();
    let output = coase(&["flow", path.to_str().unwrap()]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("UTF-16") && stderr(&output).contains("latin.m:1:1"), "{}", stderr(&output));
}

#[test]
fn an_absurd_base_is_an_error_and_never_a_flow_of_nothing() {
    let folder = folder("readers_base");
    let text = std::fs::read_to_string(case(&folder, "bracket_output_a.m")).unwrap();
    for base in ["1e300", "1e-300", "1e9", "-1"] {
        let path = file(&folder, "base.m", &text.replace("baseMVA = 100", &format!("baseMVA = {base}")));
        for arguments in
            [vec!["flow", &path, "--json"], vec!["flow", &path, "--dc", "--json"], vec!["opf", &path, "--json"]]
        {
            let output = coase(&arguments);
            assert_eq!(status(&output), 2, "{}", stdout(&output));
            assert!(stderr(&output).contains("base.m:3"), "{}", stderr(&output));
        }
    }
    let network = "Network(\n    base_mva: 1e300,\n    buses: [(id: 1, kind: Slack), (id: 2, p_kw: 5)],\n    branches: [(from: 1, to: 2, r_pu: 0.1, x_pu: 0.1)])";
    let output = coase(&["flow", &file(&folder, "base.ron", network)]);
    assert!(status(&output) == 2 && stderr(&output).contains("base.ron:2"), "{}", stderr(&output));
    // The same with a byte order mark and a base that is none too large.
    let fine = format!("\u{feff}{}", network.replace("1e300", "1"));
    assert_eq!(status(&coase(&["flow", &file(&folder, "base.ron", &fine)])), 0);
}

#[test]
fn a_network_file_is_told_by_field_too() {
    let folder = folder("readers_network");
    let network = "// a feeder\nNetwork(base_mva: 1, base_kv: 10,\n    buses: [(id: 1, kind: Slack), (id: 2, p_kw: 5)],\n    branches: [(from: 1, to: 2, r_ohm: 1, x_ohm: 1)])";
    for (from, to, words) in [
        ("id: 2", "id: 2.5", ["net.ron:3", "id is 2.5, expected a whole number"]),
        ("kind: Slack", "kind: Slak", ["net.ron:3", "did you mean `Slack`?"]),
        ("p_kw", "p_kW", ["net.ron:3", "has no field `p_kW`"]),
        ("base_mva: 1, ", "", ["net.ron:2", "`base_mva` is missing in Network"]),
        ("p_kw: 5", "p_kw: NaN", ["net.ron:3", "bus 2: p_load_kw is NaN"]),
    ] {
        let output = coase(&["flow", &file(&folder, "net.ron", &network.replace(from, to))]);
        assert_eq!(status(&output), 2);
        for word in words {
            assert!(stderr(&output).contains(word), "`{word}` is not in\n{}", stderr(&output));
        }
    }
}

#[test]
fn brackets_without_end_are_told_and_do_not_end_the_program() {
    let folder = folder("readers_deep");
    let matlab = format!("mpc.baseMVA = {}1;\n", "(".repeat(50_000));
    let deep = format!("function mpc = deep\nmpc.bus = [{}1{}];\n", "(".repeat(50_000), ")".repeat(50_000));
    let ron = format!("Network(base_mva: 1, buses: {}, branches: [])", "[".repeat(50_000));
    let comments = format!("{} Network(", "/*".repeat(50_000));
    for (name, text) in [("open.m", matlab), ("deep.m", deep), ("deep.ron", ron), ("comments.ron", comments)] {
        let output = coase(&["flow", &file(&folder, name, &text)]);
        assert_eq!(status(&output), 2, "{name}");
        assert!(stderr(&output).contains(name), "{name}: {}", stderr(&output).chars().take(300).collect::<String>());
    }
    let scenario = format!("Scenario(name: {}", "(".repeat(50_000));
    assert_eq!(status(&coase(&["check", &file(&folder, "scenario.ron", &scenario)])), 2);
}

#[test]
fn tables_of_other_countries_and_programs_are_read_or_told_how_to() {
    let folder = folder("readers_csv");
    for name in ["twice_a.csv", "semicolon_decimal_a.csv", "latin1_a.csv"] {
        case(&folder, name);
    }
    checked(
        &folder,
        &scenario("file: \"semicolon_decimal_a.csv\", column: \"load\""),
        2,
        &["case.ron:4", "semicolon_decimal_a.csv, line 2", "separator: ';', decimal: ','"],
    );
    let german = "file: \"semicolon_decimal_a.csv\", column: \"load\", separator: ';', decimal: ','";
    checked(&folder, &scenario(german), 0, &[]);
    // The hour that comes twice when clocks are set back.
    checked(
        &folder,
        &scenario(&format!("{german}, time: \"time\"")),
        2,
        &["case.ron:4", "line 4, column `time`: `2024-10-27 02:00` is there twice", "UTC"],
    );
    checked(&folder, &scenario("file: \"twice_a.csv\", column: \"load\""), 2, &["twice_a.csv", "`load`", "1 and 2"]);
    checked(
        &folder,
        &scenario("file: \"latin1_a.csv\", column: \"leistung\""),
        2,
        &["latin1_a.csv, line 1, column 17", "UTF-8"],
    );
    file(&folder, "hourly.csv", ",time,load\n0,2024-01-01 00:00,2\n1,2024-01-01 01:00,4\n2,2024-01-01 02:00,4\n");
    let hourly = |more: &str| {
        scenario(&format!("file: \"hourly.csv\", column: \"load\"{more}"))
            .replace("periods: 3", "periods: 12, period_h: 0.25")
    };
    checked(&folder, &hourly(""), 2, &["3 values", "12 periods", "resample: Repeat"]);
    checked(&folder, &hourly(", time: \"time\""), 2, &["1 h apart", "0.25 h", "resample: Interpolate"]);
    checked(&folder, &hourly(", time: \"time\", resample: Repeat"), 0, &[]);
    checked(&folder, &hourly(", time: \"time\", resample: Hold"), 2, &["Hold", "Repeat"]);
    checked(
        &folder,
        &scenario("file: \"hourly.csv\", column: \"laod\""),
        2,
        &["`time`, `load`", "did you mean `load`?"],
    );
    checked(
        &folder,
        &scenario("file: \"hourly.csv\", column: \"load\", separator: 'ä'"),
        2,
        &["case.ron:4", "separator"],
    );
}

#[test]
fn files_without_end_are_refused_before_they_are_read() {
    let folder = folder("readers_endless");
    let column = |name: &str| scenario(&format!("file: \"{name}\", column: \"p\""));
    checked(&folder, &column("."), 2, &["it is a folder"]);
    if cfg!(unix) {
        let pipe: PathBuf = folder.join("pipe.csv");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|s| s.success());
        if made {
            checked(&folder, &column("pipe.csv"), 2, &["pipe.csv", "only regular files"]);
            std::fs::rename(&pipe, folder.join("pipe.ron")).unwrap();
            let output = coase(&["check", folder.join("pipe.ron").to_str().unwrap()]);
            assert!(status(&output) == 2 && stderr(&output).contains("only regular files"), "{}", stderr(&output));
        }
        checked(&folder, &column("/dev/zero"), 2, &["only regular files"]);
    }
    // 300 MiB of zeros in 300 kB: members of an archive follow one another.
    let mut zip = GzEncoder::new(vec![], Compression::fast());
    zip.write_all(&vec![b'0'; 1 << 20]).unwrap();
    std::fs::write(folder.join("bomb.csv.gz"), zip.finish().unwrap().repeat(300)).unwrap();
    checked(&folder, &column("bomb.csv.gz"), 2, &["bomb.csv.gz", "unpacked larger than 256 MiB"]);
}

#[test]
fn what_would_fill_the_memory_is_refused_with_its_bound() {
    let folder = folder("readers_bounds");
    let plain = scenario("").replace("Csv()", "1");
    checked(&folder, &plain, 0, &[]);
    checked(
        &folder,
        &plain.replace("periods: 3", "periods: 1000000000"),
        2,
        &["case.ron:1", "periods", "at most 400000"],
    );
    checked(
        &folder,
        &plain.replace("\"a\"", &format!("\"{}\"", "a".repeat(100_000))),
        2,
        &["case.ron:3", "500 letters"],
    );
    let fleet = "EvFleet(sessions: [(count: 18446744073709551615, arrival_h: 0, departure_h: 3, energy_kwh: 1, target_kwh: 2, capacity_kwh: 5, p_max_kw: 7)])";
    checked(&folder, &plain.replace("Load(p_kw: 1)", fleet), 2, &["case.ron:4", "count", "at most 1000000"]);
    file(&folder, "plain.ron", &plain);
    let experiment =
        |more: &str| format!("Experiment(scenarios: [\"plain.ron\"], mechanisms: [\"grid-only\"], {more})");
    let values = format!("[{}]", (0..400).map(|k| k.to_string()).collect::<Vec<_>>().join(", "));
    let sweep = |path: &str| format!("(path: \"scenario.{path}\", values: {values})");
    let many = ["damage_per_tonne", "grid.upstream_carbon_in_tariff", "participants.a.quota_kg"].map(sweep).join(", ");
    checked(&folder, &experiment(&format!("sweep: [{many}]")), 2, &["case.ron:1", "more than 1000000 runs"]);
    // A ladder without end fails in its run, with the reason, and before it is built.
    let path = file(&folder, "ladder.ron", &experiment("carbon: [Stepped(tiers: 30000000)]"));
    let out = folder.join("ladder");
    let output = coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    let reason = crate::support::column(&out, "runs", "reason");
    assert!(reason[0].contains("tiers") && reason[0].contains("at most 1000"), "{reason:?}");
}

#[test]
fn a_session_that_a_shortened_horizon_leaves_out_is_told() {
    let folder = folder("readers_session");
    let path = case(&folder, "cut_session_a.ron");
    let words = ["1 of 1 charging sessions of `a`", "20 kWh", "the first 3 periods"];
    let cut = ["--set", "experiment.first_periods=3"];
    let output = coase(&[&["check", &path][..], &cut].concat());
    assert_eq!(status(&output), 0);
    assert!(words.iter().all(|word| stdout(&output).contains(word)), "{}", stdout(&output));
    let out = folder.join("out");
    let output = coase(&[&["run", &path, "--out", out.to_str().unwrap()][..], &cut].concat());
    assert!(words.iter().all(|word| stdout(&output).contains(word)), "{}", stdout(&output));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap();
    let note = manifest["notes"][0].as_str().unwrap();
    assert!(words.iter().all(|word| note.contains(word)), "{note}");
    // Of many participants one line is said, with their sum.
    let many = "Scenario(name: \"fleet\", periods: 6, currency: \"EUR\", grid: (buy_price_per_kwh: 0.4, sell_price_per_kwh: 0.05,
        intensity_kg_per_kwh: 0.4), participants: [Repeat(id: \"v\", count: 3, of: (devices: [EvFleet(sessions: [
        (arrival_h: 0, departure_h: 5, energy_kwh: 10, target_kwh: 30, capacity_kwh: 50, p_max_kw: 7)])]))])";
    let output = coase(&[&["check", &file(&folder, "fleet.ron", many)][..], &cut].concat());
    let said = stdout(&output);
    assert!(
        said.contains("3 of 3 charging sessions of 3 participants (`v1` to `v3`)") && said.contains("60 kWh"),
        "{said}"
    );
    assert_eq!(said.matches("left out").count(), 1, "{said}");
    // Nothing is said where nothing is left out.
    let output = coase(&["check", &path]);
    assert!(!stdout(&output).contains("note"), "{}", stdout(&output));
}
