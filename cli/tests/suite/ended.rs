//! A run that is ended from outside: by a signal, by a full disk, by being killed. What is there is whole, and goes on.
#![cfg(unix)]

use crate::support::{coase, file, folder, status, stderr};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const TABLES: [&str; 10] = [
    "runs",
    "participants",
    "periods",
    "trades",
    "nodes",
    "branches",
    "certificates",
    "convergence",
    "ledger",
    "curves",
];

/// The three agents at many prices of the grid.
fn experiment(prices: usize) -> String {
    let values: Vec<String> = (0..prices).map(|k| (0.3 + 0.3 * k as f64 / prices as f64).to_string()).collect();
    format!(
        "Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\", \"mid-market-rate\", \"nash-bargaining\"],
            carbon: [\"none\", \"tax\"], sweep: [(path: \"scenario.grid.sell_price_per_kwh\", values: [{}])])",
        values.join(", ")
    )
}

fn begun(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_coase")).args(args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn kept(store: &Path) -> usize {
    let is_run = |name: &str| name.len() == 36 && name.strip_suffix(".run").is_some();
    let names = fs::read_dir(store.join("runs")).into_iter().flatten().flatten().map(|e| e.file_name());
    names.filter(|name| name.to_str().is_some_and(is_run)).count()
}

fn waited_for(child: &mut Child, store: &Path, runs: usize) {
    let begin = Instant::now();
    while kept(store) < runs {
        assert!(
            child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_secs(60),
            "{} runs",
            kept(store)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn tables(store: &Path) -> [Vec<u8>; 10] {
    TABLES.map(|table| fs::read(store.join(format!("{table}.csv"))).unwrap())
}

/// Files on their way that nobody will bring there.
fn left_over(store: &Path) -> Vec<String> {
    let folders = ["", "runs", "figures", "tables"].map(|name| store.join(name));
    let names = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    names.map(|e| e.file_name().into_string().unwrap()).filter(|name| name.contains(".tmp.")).collect()
}

#[test]
fn signals_end_a_run_cleanly_and_it_goes_on_where_it_was() {
    let folder = folder("ended_signals");
    let path = file(&folder, "study.ron", &experiment(30));
    let (out, whole) = (folder.join("out"), folder.join("whole"));
    let args = ["run", &path, "--quiet", "--jobs", "2", "--out", out.to_str().unwrap()];
    let mut runs = 0;
    for (name, expected, word) in [("-INT", 130, "Ctrl-C"), ("-TERM", 143, "termination")] {
        let mut child = begun(&args);
        waited_for(&mut child, &out, runs + 10);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(status(&output), expected, "{}", stderr(&output));
        runs = kept(&out);
        assert!(runs < 180, "it was over before the signal came");
        let told = stderr(&output);
        assert!(told.contains(word) && told.contains(&format!("{runs} of 180 runs are kept")), "{told}");
        assert!(told.contains(out.to_str().unwrap()) && told.contains("goes on from there"), "{told}");
        assert_eq!(left_over(&out), [""; 0]);
    }
    // What is there can be collected, and what is not is named.
    let collected = coase(&["collect", out.to_str().unwrap()]);
    assert_eq!(status(&collected), 1);
    assert!(stderr(&collected).contains("MISSING") && stderr(&collected).contains(" more"), "{}", stderr(&collected));
    let on = coase(&args);
    assert_eq!((status(&on), stderr(&on)), (0, String::new()));
    let again = coase(&["run", &path, "--quiet", "--jobs", "1", "--out", whole.to_str().unwrap()]);
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    assert!(tables(&out) == tables(&whole));
}

/// Kills at times spread over the whole length of a run, figures included; every file that is there is whole every time.
#[test]
fn killed_at_any_time_no_file_is_half_written_and_the_end_is_the_same() {
    let folder = folder("ended_killed");
    let path = file(&folder, "study.ron", &experiment(4));
    let (out, whole) = (folder.join("out"), folder.join("whole"));
    let run = |out: &Path| coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]);
    let begin = Instant::now();
    assert_eq!(status(&run(&whole)), 0);
    let length = begin.elapsed();
    for k in 0..kills() {
        let mut args = vec!["run", &path, "--quiet", "--out", out.to_str().unwrap()];
        if k % 3 == 2 {
            args.push("--fresh");
        }
        let mut child = begun(&args);
        // The golden ratio spreads them evenly in whatever order.
        std::thread::sleep(length.mul_f64((f64::from(k) * 0.618_034).fract() * 0.8));
        let _ = child.kill();
        child.wait().unwrap();
        is_whole(&out);
    }
    let output = run(&out);
    assert_eq!((status(&output), stderr(&output)), (0, String::new()));
    assert!(tables(&out) == tables(&whole));
    assert_eq!(left_over(&out), [""; 0]);
    let figures = |store: &Path| {
        let mut names: Vec<_> = fs::read_dir(store.join("figures")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names.into_iter().map(|name| (fs::read(store.join("figures").join(&name)).unwrap(), name)).collect::<Vec<_>>()
    };
    assert!(figures(&out) == figures(&whole));
}

/// How often runs are killed: 24 times, or as often as `COASE_KILLS` says.
fn kills() -> u32 {
    std::env::var("COASE_KILLS").ok().map_or(24, |count| count.parse().expect("COASE_KILLS is a number"))
}

/// Every file in a store but those on their way.
fn is_whole(store: &Path) {
    for table in TABLES {
        let Ok(text) = fs::read_to_string(store.join(format!("{table}.csv"))) else { continue };
        assert!(text.ends_with('\n'), "{table}");
        // The reader refuses rows of another length than the header.
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.records().for_each(|row| drop(row.unwrap_or_else(|e| panic!("{table}: {e}"))));
    }
    let end = |path: &Path| match path.extension().and_then(|e| e.to_str()) {
        Some("json") => Some("}"),
        Some("svg") => Some("</svg>"),
        Some("pdf") => Some("%%EOF"),
        Some("ron") => Some(")"),
        _ => None,
    };
    for folder in ["", "runs", "figures", "tables"] {
        for entry in fs::read_dir(store.join(folder)).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "run") {
                // Twelve bytes of name, eight of length, sixteen of checksum, and the rest.
                let bytes = fs::read(&path).unwrap();
                let length = u64::from_le_bytes(bytes[12..20].try_into().unwrap());
                assert_eq!(length, bytes.len() as u64 - 36, "{}", path.display());
            }
            let Some(end) = end(&path) else { continue };
            let bytes = fs::read(&path).unwrap();
            assert!(bytes.trim_ascii_end().ends_with(end.as_bytes()), "{}", path.display());
        }
    }
}

/// A limit on the length of files stands in for a full disk: writing beyond it fails in the same way.
#[test]
fn a_full_disk_is_an_error_with_a_way_on_and_leaves_nothing_half_written() {
    let folder = folder("ended_full");
    let path = file(&folder, "study.ron", &experiment(12));
    let (out, whole) = (folder.join("out"), folder.join("whole"));
    let limited = |blocks: usize| -> Output {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run \"$1\" --quiet --out \"$2\"");
        let args = [env!("CARGO_BIN_EXE_coase"), &path, out.to_str().unwrap()];
        Command::new("sh").arg("-c").arg(script).args(args).output().unwrap()
    };
    // In blocks of 512 or 1024 bytes: too small for a run, for the manifest, for the tables.
    for blocks in [1, 4, 24, 40] {
        let output = limited(blocks);
        assert_eq!(status(&output), 1, "{blocks} blocks: {}", stderr(&output));
        let told = stderr(&output);
        assert!(told.contains("error: cannot write") && told.contains(out.to_str().unwrap()), "{blocks}: {told}");
        assert!(told.contains("of 72 runs are kept"), "{blocks}: {told}");
        assert_eq!(left_over(&out), [""; 0], "{blocks}");
        is_whole(&out);
    }
    for store in [&out, &whole] {
        let output = coase(&["run", &path, "--quiet", "--out", store.to_str().unwrap()]);
        assert_eq!((status(&output), stderr(&output)), (0, String::new()));
    }
    assert!(tables(&out) == tables(&whole));
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_runs() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("ended_read_only");
    let path = file(&folder, "study.ron", &experiment(1));
    let out = folder.join("out");
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).unwrap();
    let is_bound = fs::write(out.join("probe"), "").is_err();
    let output = coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]);
    fs::set_permissions(&out, fs::Permissions::from_mode(0o755)).unwrap();
    if !is_bound {
        println!("skipped: permissions do not bind this user");
        return;
    }
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("cannot write") && stderr(&output).contains("out"), "{}", stderr(&output));
}
