//! Series that begin at one time, whichever clocks their files show.

use coase_scenarios::Loader;
use std::path::Path;

const SCENARIO: &str = "Scenario(
    name: \"autumn\", periods: 4, period_h: 1.0, currency: \"EUR\", start: \"2024-10-27 01:00\", zone: \"Europe/Berlin\",
    grid: (buy_price_per_kwh: Csv(file: \"utc.csv\", column: \"p\", time: \"time\", scale: 0.1), sell_price_per_kwh: 0.0,
        intensity_kg_per_kwh: 0.4),
    participants: [
        (id: \"a\", devices: [Load(p_kw: Csv(file: \"local.csv\", column: \"p\", time: \"time\"))]),
        (id: \"b\", devices: [Load(p_kw: Csv(file: \"lisbon.csv\", column: \"p\", time: \"time\", zone: \"Europe/Lisbon\", resample: Mean))]),
    ],
)";

/// The night in which clocks are put back, in three files: hours of Berlin, hours in UTC, half hours of Lisbon.
fn written(folder: &Path) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "local.csv",
        "time,p\n2024-10-27 00:00,9\n2024-10-27 01:00,1\n2024-10-27 02:00,2\n2024-10-27 02:00,3\n2024-10-27 03:00,4\n2024-10-27 04:00,9\n",
    );
    write(
        "utc.csv",
        "time,p\n2024-10-26T22:00:00Z,9\n2024-10-26T23:00:00Z,1\n2024-10-27T00:00:00Z,2\n2024-10-27T01:00:00Z,3\n2024-10-27T02:00:00Z,4\n",
    );
    // One hour behind Berlin: its own hour that comes twice is from 1:00.
    let halves = [
        "00:00,0.5",
        "00:30,1.5",
        "01:00,1",
        "01:30,3",
        "01:00,2",
        "01:30,4",
        "02:00,3",
        "02:30,5",
        "03:00,9",
        "03:30,9",
    ];
    let lines: Vec<String> = halves.iter().map(|line| format!("2024-10-27 {line}\n")).collect();
    write("lisbon.csv", &("time,p\n".to_owned() + &lines.concat()));
}

#[test]
fn files_of_three_clocks_meet() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clocks");
    std::fs::create_dir_all(&folder).unwrap();
    written(&folder);
    let load = |text: &str| {
        let path = folder.join("case.ron");
        std::fs::write(&path, text).unwrap();
        Loader::default().load(&path, &[])
    };
    let experiment = load(SCENARIO).unwrap();
    let mut form = experiment.runs[0].instance.form.clone();
    let mut loads = form.participants.iter_mut().map(|p| p.devices[0].series()[0].1.values().to_vec());
    assert_eq!(loads.next().unwrap(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(loads.next().unwrap(), [1.0, 2.0, 3.0, 4.0]);
    let prices = form.grid.buy_price_per_kwh.values();
    assert!(prices.iter().zip([0.1, 0.2, 0.3, 0.4]).all(|(a, b)| (a - b).abs() < 1e-12), "{prices:?}");

    let refused = |from: &str, to: &str| {
        let fault = load(&SCENARIO.replace(from, to)).unwrap_err();
        let place = fault.place.clone().map_or_else(String::new, |place| place.text);
        (fault.to_string(), fault.hint.unwrap_or_default(), place)
    };
    let (what, _, place) = refused("2024-10-27 01:00", "2024-10-28 01:00");
    assert!(
        what.contains("no row is of 2024-10-28 01:00; the times go from") && place.contains("start:"),
        "{what} at {place}"
    );
    let (what, hint, place) = refused("Europe/Berlin", "Europe/Berln");
    assert!(
        what.contains("Europe/Berln") && hint.contains("`Europe/Berlin`") && place.contains("zone:"),
        "{what} {hint}"
    );
    let (what, _, _) = refused("2024-10-27 01:00", "tomorrow");
    assert!(what.contains("start is `tomorrow`") && what.contains("a date and a time"), "{what}");
    let (what, _, _) =
        refused("column: \"p\", time: \"time\", scale", "column: \"p\", from: \"2024-10-27 01:00\", scale");
    assert!(what.contains("`from` without `time`"), "{what}");
    // A day drawn from there on counts from the beginning.
    let shifted = SCENARIO.replace("2024-10-27 01:00", "2024-10-26T23:00:00Z");
    assert_eq!(load(&shifted).unwrap().runs.len(), experiment.runs.len());
}
