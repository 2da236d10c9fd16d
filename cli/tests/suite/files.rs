//! Folders of results through the binary: what is there is never lost or mixed in silence.

use crate::support::{coase, column, file, folder, status, stderr, stdout};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn experiment(mechanisms: &str) -> String {
    format!("Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [{mechanisms}])")
}

fn within(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coase")).args(args).current_dir(folder).output().unwrap()
}

fn run_files(store: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(store.join("runs")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn damaged_and_missing_runs_are_named_and_made_again() {
    let folder = folder("files_damaged");
    let path = file(&folder, "study.ron", &experiment("\"grid-only\", \"mid-market-rate\", \"central-optimum\""));
    let out = folder.join("out");
    let run = |more: &[&str]| coase(&[&["run", &path, "--quiet", "--out", out.to_str().unwrap()], more].concat());
    assert_eq!(stderr(&run(&[])), "");
    let table = fs::read(out.join("participants.csv")).unwrap();
    // A bit is changed, and another file is gone.
    let files = run_files(&out);
    let mut bytes = fs::read(&files[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&files[0], bytes).unwrap();
    fs::remove_file(&files[1]).unwrap();
    let collected = coase(&["collect", out.to_str().unwrap()]);
    assert_eq!(status(&collected), 1, "{}", stderr(&collected));
    assert!(stdout(&collected).contains("collected 1 of 3 runs"), "{}", stdout(&collected));
    let told = stderr(&collected);
    let line = |starts: &str| told.lines().find(|line| line.starts_with(starts)).unwrap_or_else(|| panic!("{told}"));
    assert!(line("NOT USED").contains(files[0].to_str().unwrap()) && line("NOT USED").contains("checksum"), "{told}");
    assert!(line("MISSING").contains("under none in three_vpp, seed 1"), "{told}");
    assert_eq!(column(&out, "runs", "run_id").len(), 1);
    let again = run(&[]);
    assert_eq!(status(&again), 0);
    let told = stderr(&again);
    assert!(
        told.contains("note: ") && told.contains(files[0].to_str().unwrap()) && told.lines().count() == 1,
        "{told}"
    );
    assert!(fs::read(out.join("participants.csv")).unwrap() == table);
    assert_eq!((status(&coase(&["collect", out.to_str().unwrap()])), stderr(&run(&[]))), (0, String::new()));
}

#[test]
fn figures_of_another_experiment_go_and_what_the_user_put_there_stays() {
    let folder = folder("files_another");
    let many = "carbon: [\"none\", Tax(price_per_tonne: 60)], sweep: [(path: \"carbon.price_factor\", values: [1, 2])]";
    let first = experiment("\"grid-only\", \"mid-market-rate\"").replace("])", &format!("], {many})"));
    let first = file(&folder, "first.ron", &first);
    let second = file(&folder, "second.ron", &experiment("\"grid-only\""));
    let out = folder.join("out");
    let run = |path: &str| {
        let output = coase(&["run", path, "--quiet", "--out", out.to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        stderr(&output)
    };
    assert_eq!(run(&first), "");
    assert!(out.join("figures/sweep.svg").is_file() && out.join("tables/metrics.tex").is_file());
    fs::write(out.join("figures/own.svg"), "mine").unwrap();
    fs::write(out.join("notes.csv"), "mine").unwrap();
    let told = run(&second);
    assert!(told.contains("another experiment, `first` (6 runs") && told.contains("first.ron"), "{told}");
    assert!(!out.join("figures/sweep.svg").exists() && out.join("figures/captions.md").is_file());
    assert!(out.join("figures/own.svg").is_file() && out.join("notes.csv").is_file());
    assert_eq!(column(&out, "runs", "variant"), ["grid-only"]);
    // The first again: nothing is run, its figures are back.
    assert!(run(&first).contains("another experiment, `second` (1 run,"));
    assert!(out.join("figures/sweep.svg").is_file());
}

#[test]
fn two_files_with_one_stem_do_not_share_a_folder_unasked() {
    let folder = folder("files_stem");
    for (sub, mechanism) in [("a b", "\"grid-only\""), ("c", "\"mid-market-rate\", \"grid-only\"")] {
        fs::create_dir_all(folder.join(sub)).unwrap();
        file(&folder.join(sub), "study.ron", &experiment(mechanism));
    }
    assert_eq!(status(&within(&folder, &["run", "a b/study.ron", "--quiet"])), 0);
    let table = fs::read(folder.join("results/study/runs.csv")).unwrap();
    let refused = within(&folder, &["run", "c/study.ron", "--quiet"]);
    assert_eq!(status(&refused), 2);
    assert!(stderr(&refused).contains("a b/study.ron") && stderr(&refused).contains("--out"), "{}", stderr(&refused));
    assert!(fs::read(folder.join("results/study/runs.csv")).unwrap() == table);
    // The same file changed, or by another way, is the same experiment; a moved project is too.
    file(&folder.join("a b"), "study.ron", &experiment("\"grid-only\", \"central-optimum\""));
    let changed = within(&folder, &["run", "./c/../a b/study.ron", "--quiet"]);
    assert_eq!(status(&changed), 0, "{}", stderr(&changed));
    assert!(stderr(&changed).contains("another experiment"), "{}", stderr(&changed));
    let moved = folder.join("moved");
    fs::create_dir(&moved).unwrap();
    fs::rename(folder.join("a b"), moved.join("a b")).unwrap();
    fs::rename(folder.join("results"), moved.join("results")).unwrap();
    assert_eq!(stderr(&within(&moved, &["run", "a b/study.ron", "--quiet"])), "");
    // Asked for, it is done.
    let asked = within(&moved, &["run", "../c/study.ron", "--quiet", "--out", "results/study"]);
    assert_eq!(status(&asked), 0, "{}", stderr(&asked));
    assert_eq!(column(&moved.join("results/study"), "runs", "variant"), ["mid-market-rate", "grid-only"]);
}

#[test]
fn a_folder_that_is_no_store_is_not_written_over() {
    let folder = folder("files_foreign");
    let path = file(&folder, "study.ron", &experiment("\"grid-only\""));
    for (name, text) in [("runs.csv", "distance_km,time\n10,50\n"), ("manifest.json", "{\"name\": \"my web page\"}")] {
        let out = folder.join(name.replace('.', "_"));
        fs::create_dir(&out).unwrap();
        fs::write(out.join(name), text).unwrap();
        let output = coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]);
        assert_eq!(status(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(name) && stderr(&output).contains("another folder"), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(out.join(name)).unwrap(), text);
    }
    // A file in the place of a folder is found before anything runs.
    for blocked in ["out", "out/runs", "out/figures"] {
        let _ = fs::remove_dir_all(folder.join("out"));
        fs::create_dir_all(folder.join(blocked).parent().unwrap()).unwrap();
        fs::write(folder.join(blocked), "").unwrap();
        let output = coase(&["run", &path, "--quiet", "--out", folder.join("out").to_str().unwrap()]);
        assert_eq!(status(&output), 2, "{blocked}: {}", stderr(&output));
        assert!(stderr(&output).contains(blocked), "{blocked}: {}", stderr(&output));
        let _ = fs::remove_file(folder.join(blocked));
    }
}

#[test]
fn long_and_strange_names_reach_the_figures() {
    let folder = folder("files_names");
    let long = "n".repeat(300);
    let names = [format!("{long}1"), format!("{long}2"), "a/b:c".into(), "a?b*c".into(), "..\\村".into()];
    let scenario = |name: &String| {
        format!(
            "Scenario(name: {name:?}, periods: 1, currency: \"EUR\",
                grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),
                participants: [(id: \"a\", devices: [Load(p_kw: 20)])])",
        )
    };
    let scenarios: Vec<String> = names.iter().map(scenario).collect();
    let text = format!(
        "Experiment(scenarios: [{}], mechanisms: [(label: \"{long}\", mechanism: \"mid-market-rate\")])",
        scenarios.join(", ")
    );
    let path = file(&folder, &format!("{}.ron", "e".repeat(200)), &text);
    let output = within(&folder, &["run", &path, "--quiet"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let figures = folder.join("results").join("e".repeat(200)).join("figures");
    let drawn: Vec<String> =
        fs::read_dir(&figures).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let of = |starts: &str| drawn.iter().filter(|n| n.starts_with(starts) && n.strip_suffix(".svg").is_some()).count();
    assert_eq!(of("claims-"), names.len(), "{drawn:?}");
    for name in &drawn {
        assert!(name.len() <= 110 && !name.contains(['/', '\\', ':', '?', '*', '"', '<', '>', '|']), "{name}");
        let lower = name.to_lowercase();
        assert_eq!(drawn.iter().filter(|other| other.to_lowercase() == lower).count(), 1, "{name}");
    }
    let tables = fs::read_dir(figures.with_file_name("tables")).unwrap().count();
    assert_eq!(tables, names.len() * 2 * 2, "two tables in two forms for every scenario");
}

#[test]
fn one_process_at_a_time_and_the_parts_of_one_experiment_together() {
    let folder = folder("files_lock");
    let path = file(&folder, "study.ron", &experiment("\"grid-only\", \"mid-market-rate\""));
    let out = folder.join("out");
    let run = |more: &[&str]| coase(&[&["run", &path, "--quiet", "--out", out.to_str().unwrap()], more].concat());
    assert_eq!(status(&run(&[])), 0);
    // This test stands in for a process that runs.
    let lock = fs::File::options().read(true).write(true).open(out.join(".lock")).unwrap();
    lock.lock().unwrap();
    fs::write(out.join(".lock"), "4321").unwrap();
    for output in [
        run(&[]),
        run(&["--shard", "0/2"]),
        coase(&["collect", out.to_str().unwrap()]),
        coase(&["plot", out.to_str().unwrap()]),
    ] {
        assert_eq!(status(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains("in use") && stderr(&output).contains("4321"), "{}", stderr(&output));
    }
    lock.unlock().unwrap();
    lock.lock_shared().unwrap();
    assert_eq!(status(&run(&["--shard", "0/2"])), 0);
    assert_eq!(status(&run(&[])), 2);
    // Another experiment may not come in between.
    let other = file(&folder, "other.ron", &experiment("\"central-optimum\""));
    let output = coase(&["run", &other, "--quiet", "--shard", "0/1", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    lock.unlock().unwrap();
    assert_eq!(status(&run(&[])), 0);
}

#[test]
fn what_killed_processes_left_is_removed_and_nothing_else() {
    let folder = folder("files_left");
    let path = file(&folder, "study.ron", &experiment("\"grid-only\""));
    let out = folder.join("out");
    let run = || coase(&["run", &path, "--quiet", "--out", out.to_str().unwrap()]);
    assert_eq!(status(&run()), 0);
    let id = &column(&out, "runs", "run_id")[0];
    let left = [
        "runs.csv.tmp.999999".to_owned(),
        "manifest.json.tmp.1".to_owned(),
        format!("runs/{id}.run.tmp.4000000"),
        "figures/benefit.pdf.tmp.77".to_owned(),
        "tables/metrics.tex.tmp.77".to_owned(),
    ];
    let own = ["my.csv.tmp.1", "runs.csv.tmp", "runs.csv.tmp.old", "runs/readme.run.tmp.12", "figures/plan.xlsx.tmp.3"];
    for name in left.iter().map(String::as_str).chain(own) {
        fs::write(out.join(name), "").unwrap();
    }
    assert_eq!(status(&run()), 0);
    assert!(left.iter().all(|name| !out.join(name).exists()));
    assert!(own.iter().all(|name| out.join(name).exists()));
}

#[cfg(unix)]
#[test]
fn links_and_other_folders_are_followed() {
    let folder = folder("files_links");
    let (real, elsewhere) = (folder.join("real place"), folder.join("elsewhere"));
    fs::create_dir_all(&real).unwrap();
    fs::create_dir_all(&elsewhere).unwrap();
    file(&real, "study.ron", &experiment("\"grid-only\""));
    std::os::unix::fs::symlink(&real, folder.join("link")).unwrap();
    std::os::unix::fs::symlink(real.join("study.ron"), elsewhere.join("study.ron")).unwrap();
    // One file by three ways.
    for (from, path) in [(&folder, "link/study.ron"), (&folder, "real place/study.ron"), (&elsewhere, "study.ron")] {
        let output = within(from, &["run", path, "--quiet", "--out", folder.join("link/out").to_str().unwrap()]);
        assert_eq!((status(&output), stderr(&output)), (0, String::new()), "{path}");
    }
    assert!(real.join("out/runs.csv").is_file());
}
