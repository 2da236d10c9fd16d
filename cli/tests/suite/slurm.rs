//! The scripts of `coase slurm`, really run: by a stand-in for Slurm that runs what it is handed at once, in the order that
//! dependencies give, and puts back into the queue what asks for it.
#![cfg(unix)]

use crate::support::{coase, file, folder, status, stderr, stdout};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// Runs a script at once, as a job or, where the script says so, as an array of them; refuses one that depends on a job that
/// it does not know.
const SBATCH: &str = r#"#!/usr/bin/env bash
set -u
log=/dev/null after=
while [ $# -gt 1 ]; do
    case "$1" in
        --parsable) shift ;;
        --output) log="$2"; shift 2 ;;
        --dependency) after="${2#afterany:}"; shift 2 ;;
        *) echo "sbatch: $1?" >&2; exit 1 ;;
    esac
done
script="$1"
if [ -n "$after" ] && [ ! -e "$QUEUE/ended-$after" ]; then echo "sbatch: job $after?" >&2; exit 1; fi
job=$(($(cat "$QUEUE/last" 2>/dev/null || echo 100) + 1))
last="$(sed -n 's/^#SBATCH --array=0-//p' "$script")"
export SLURM_CPUS_PER_TASK="$(sed -n 's/^#SBATCH --cpus-per-task=//p' "$script")"
for task in $(seq 0 "${last:-0}"); do
    export SLURM_JOB_ID=$((job + task)) SLURM_RESTART_COUNT=0
    if [ -n "$last" ]; then export SLURM_ARRAY_JOB_ID=$job SLURM_ARRAY_TASK_ID=$task; fi
    while true; do
        bash "$script" >> "${log//%a/$task}" 2>&1
        echo "$job $task $SLURM_RESTART_COUNT $?" >> "$QUEUE/ends"
        [ -e "$QUEUE/requeue-${job}_$task" ] || break
        rm "$QUEUE/requeue-${job}_$task"
        SLURM_RESTART_COUNT=$((SLURM_RESTART_COUNT + 1))
    done
done
echo $((job + ${last:-0})) > "$QUEUE/last"
touch "$QUEUE/ended-$job"
echo "$job;cluster"
"#;

const SCONTROL: &str = r#"#!/usr/bin/env bash
[ "$1" = requeue ] && touch "$QUEUE/requeue-$2"
"#;

/// The program, but that part 1 is killed when it is begun for the first time and has finished two runs.
const KILLED: &str = r#"#!/usr/bin/env bash
if [ "$1" != run ] || [ "$SLURM_ARRAY_TASK_ID" != 1 ] || [ "$SLURM_RESTART_COUNT" != 0 ]; then exec COASE "$@"; fi
runs() { ls "$STORE/runs" | grep -c '\.run$'; }
before=$(runs)
COASE "$@" &
while [ "$(runs)" -lt $((before + 2)) ]; do
    kill -0 $! || { echo "it was over before it could be killed" >&2; exit 99; }
done
kill -KILL $!
wait $!
"#;

/// The three agents at many prices of the grid.
fn experiment(prices: usize) -> String {
    let values: Vec<String> = (0..prices).map(|k| (0.3 + 0.3 * k as f64 / prices as f64).to_string()).collect();
    format!(
        "Experiment(scenarios: [\"three_vpp.ron\"], mechanisms: [\"grid-only\", \"mid-market-rate\", \"nash-bargaining\"],
            carbon: [\"none\"], sweep: [(path: \"scenario.grid.sell_price_per_kwh\", values: [{}])])",
        values.join(", ")
    )
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Hands the scripts of a store to the stand-in.
fn submitted(at: &Path, store: &Path, program: Option<&Path>) -> Output {
    let (programs, queue) = (at.join("programs"), at.join("queue"));
    fs::create_dir_all(&programs).unwrap();
    fs::create_dir_all(&queue).unwrap();
    executable(&programs.join("sbatch"), SBATCH);
    executable(&programs.join("scontrol"), SCONTROL);
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(store.join("slurm/submit.sh"));
    command.env("PATH", path).env("QUEUE", &queue).env("STORE", store).env_remove("COASE");
    if let Some(program) = program {
        command.env("COASE", program);
    }
    command.output().unwrap()
}

fn files(store: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let tables =
        TABLES.iter().flat_map(|table| [format!("{table}.csv"), format!("{table}.parquet")]).map(PathBuf::from);
    let figures =
        fs::read_dir(store.join("figures")).unwrap().map(|e| Path::new("figures").join(e.unwrap().file_name()));
    let mut all: Vec<PathBuf> = tables.chain(figures).collect();
    all.sort();
    all.into_iter().map(|name| (name.clone(), fs::read(store.join(name)).unwrap())).collect()
}

#[test]
fn a_part_that_is_killed_goes_on_and_nothing_shows_in_the_tables() {
    let at = folder("slurm it's here"); // a name that scripts must quote
    let path = file(&at, "study.ron", &experiment(20));
    let (out, whole) = (at.join("out"), at.join("whole"));
    let written = coase(&[
        "slurm",
        &path,
        "--shards",
        "3",
        "--time",
        "10",
        "--partition",
        "short",
        "--out",
        out.to_str().unwrap(),
        "--set",
        "scenario.grid.buy_price_per_kwh=0.9",
    ]);
    assert_eq!(status(&written), 0, "{}", stderr(&written));
    assert!(stdout(&written).contains("60 runs in 3 parts of at most 20"), "{}", stdout(&written));

    let killed = at.join("killed");
    executable(&killed, &KILLED.replace("COASE \"$@\"", &format!("{} \"$@\"", env!("CARGO_BIN_EXE_coase"))));
    let output = submitted(&at, &out, Some(&killed));
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("3 parts are job 101, the tables and figures job 104"), "{}", stdout(&output));
    // Job, part, how often begun again, exit status: part 1 was killed once.
    let ends = fs::read_to_string(at.join("queue/ends")).unwrap();
    let log = |name: &str| fs::read_to_string(out.join("slurm").join(name)).unwrap();
    assert_eq!(
        ends,
        "101 0 0 0\n101 1 0 137\n101 1 1 0\n101 2 0 0\n104 0 0 0\n",
        "{}{}",
        log("part-1.log"),
        log("collect.log")
    );
    assert!(log("part-1.log").contains("ended with 137, and goes back into the queue"), "{}", log("part-1.log"));
    assert!(log("collect.log").contains("collected 60 of 60 runs"), "{}", log("collect.log"));

    let again = coase(&[
        "run",
        &path,
        "--quiet",
        "--out",
        whole.to_str().unwrap(),
        "--set",
        "scenario.grid.buy_price_per_kwh=0.9",
    ]);
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    for ((name, one), (_, other)) in files(&out).iter().zip(&files(&whole)) {
        assert!(one == other, "{} differs", name.display());
    }
    assert_eq!(files(&out).len(), files(&whole).len());
    // Handed over again, everything is there; and now by the program that wrote the scripts.
    assert_eq!(status(&submitted(&at, &out, None)), 0);
    assert!(
        fs::read_to_string(at.join("queue/ends")).unwrap().ends_with("105 0 0 0\n105 1 0 0\n105 2 0 0\n108 0 0 0\n")
    );
}

#[test]
fn a_part_that_never_comes_through_is_left_and_named() {
    let at = folder("slurm_left");
    let path = file(&at, "study.ron", &experiment(2));
    let out = at.join("out");
    assert_eq!(status(&coase(&["slurm", &path, "--shards", "2", "--time", "5:00", "--out", out.to_str().unwrap()])), 0);
    let killed = at.join("killed");
    let program =
        "#!/usr/bin/env bash\nif [ \"$1\" = run ] && [ \"$SLURM_ARRAY_TASK_ID\" = 1 ]; then kill -KILL $$; fi\n";
    executable(&killed, &format!("{program}exec {} \"$@\"\n", env!("CARGO_BIN_EXE_coase")));
    assert_eq!(status(&submitted(&at, &out, Some(&killed))), 0);
    let ends = fs::read_to_string(at.join("queue/ends")).unwrap();
    assert!(ends.contains("101 1 20 137\n") && !ends.contains("101 1 21"), "begun again twenty times: {ends}");
    assert!(ends.ends_with("103 0 0 1\n"), "collected, and runs are missing: {ends}");
    assert!(fs::read_to_string(out.join("slurm/part-1.log")).unwrap().contains("it is left"));
    assert!(fs::read_to_string(out.join("slurm/collect.log")).unwrap().contains("MISSING"));
}

#[test]
fn what_slurm_would_refuse_is_refused_before() {
    let at = folder("slurm_bad");
    let path = file(&at, "study.ron", &experiment(1));
    let refused = |more: &[&str], word: &str| {
        let out = at.join("out");
        let output = coase(&[&["slurm", &path, "--out", out.to_str().unwrap()], more].concat());
        assert_eq!(status(&output), 2, "{more:?}");
        assert!(stderr(&output).contains(word), "{more:?}: {}", stderr(&output));
        assert!(!out.exists());
    };
    refused(&["--shards", "4", "--time", "10"], "there are 3 runs");
    refused(&["--shards", "0", "--time", "10"], "0");
    for time in ["1h", "", "1:2:3:4", "-1", ":10", "1-", "1-2:3:4:5"] {
        refused(&["--shards", "2", &format!("--time={time}")], "HOURS:MINUTES:SECONDS");
    }
    for time in ["2", "0", "00:02:59", "2:59", "0-0:2"] {
        refused(&["--shards", "2", &format!("--time={time}")], "3 minutes at least");
    }
    refused(&["--shards", "2", "--time", "10", "--partition", "a b"], "letters");
    refused(&["--shards", "2", "--time", "10", "--set", "scenario.grid.buy_prise_per_kwh=1"], "buy_price_per_kwh");
    for time in ["3", "90", "10:30", "00:03:00", "1-12", "1-12:30", "2-00:00:01"] {
        let output =
            coase(&["slurm", &path, "--shards", "2", "--time", time, "--out", at.join(time).to_str().unwrap()]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let script = fs::read_to_string(at.join(time).join("slurm/array.sh")).unwrap();
        assert!(script.contains(&format!("\n#SBATCH --time={time}\n")) && script.contains("\n#SBATCH --array=0-1\n"));
    }
}
