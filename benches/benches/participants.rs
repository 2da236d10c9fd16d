//! The whole program, from a file to tables and figures, on more and more participants: time, peak memory, and the slope of
//! time against participants on logarithmic axes.
//!
//! `cargo build --release && cargo bench -p coase-benches --bench participants` measures 50 to 2000 participants under four
//! mechanisms, and bargaining that is agreed upon pair by pair, between all and, up to 10,000, between few partners (some five
//! minutes on two cores); `-- 200 2000` other numbers under the four. The figure goes to `target/growth`, as SVG and PNG. Every run is
//! a process of its own, so that its peak memory is its own (read from `/proc`, so on Linux only). Not a criterion benchmark: a
//! run takes seconds, and memory is half of the question.

use coase_benches::growth::{Curve, Taken, draw};
use coase_plots::Format;
use coase_plots::export::{Meta, encode};
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const EXPERIMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/participants.ron");
const COUNTS: [usize; 5] = [50, 200, 500, 1000, 2000];
const MECHANISMS: [(&str, &str); 4] = [
    ("grid-only", "GridOnly()"),
    ("central-optimum", "CentralOptimum()"),
    ("mid-market-rate", "MidMarketRate()"),
    ("nash-bargaining", "NashBargaining()"),
];
/// Bargaining whose first stage is agreed upon by messages: between all, and between few.
const BY_MESSAGES: [(&str, &str, &[usize]); 2] = [
    ("ADMM, all pairs", "NashBargaining(solver: Admm(scaling: Adaptive()))", &COUNTS),
    (
        "ADMM, 8 nearest",
        "NashBargaining(solver: Admm(scaling: Adaptive(), partners: Nearest(8)))",
        &[50, 200, 500, 1000, 2000, 5000, 10_000],
    ),
];
/// From so many participants on the slope is fitted: below, starting the program is what takes time.
const FIT_FROM: usize = 200;

type Answer<T> = Result<T, Box<dyn Error>>;

fn main() -> Answer<()> {
    let given: Vec<String> = env::args().skip(1).collect();
    // `cargo test --benches` runs this too, without `--bench`.
    if !given.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let asked: Vec<usize> = given.iter().filter_map(|argument| argument.parse().ok()).collect();
    let program = program()?;
    let results = env::temp_dir().join(format!("coase-participants-{}", std::process::id()));
    let measured = |name: &str, mechanism: &str, counts: &[usize]| -> Answer<Curve> {
        let mut runs = vec![];
        for &count in counts {
            let taken = run(&program, mechanism, count, &results)?;
            let Taken { participants, wall_s, cpu_s, peak_mb, answered } = taken;
            let ended = if answered { "answered" } else { "not converged" };
            println!("| {name} | {participants} | {wall_s:.2} | {cpu_s:.2} | {peak_mb:.0} | {ended} |");
            runs.push(taken);
        }
        Ok(Curve { name: name.to_owned(), runs })
    };
    println!("| mechanism | participants | wall s | CPU s | peak MB | ended |\n|---|---|---|---|---|---|");
    let counts = if asked.is_empty() { &COUNTS[..] } else { &asked };
    let mut curves = vec![];
    for (name, mechanism) in MECHANISMS {
        curves.push(measured(name, mechanism, counts)?);
    }
    for (name, mechanism, counts) in BY_MESSAGES.into_iter().filter(|_| asked.is_empty()) {
        curves.push(measured(name, mechanism, counts)?);
    }
    let mut slopes = String::new();
    for curve in &curves {
        let of = |figure: fn(&Taken) -> f64| curve.slope(FIT_FROM, figure);
        let [wall, cpu, memory] = [of(|t| t.wall_s), of(|t| t.cpu_s), of(|t| t.peak_mb)];
        writeln!(slopes, "| {} | {wall:.2} | {cpu:.2} | {memory:.2} |", curve.name)?;
    }
    println!("\nSlopes from {FIT_FROM} participants on (1: as many times as there are participants)\n");
    println!("| mechanism | wall | CPU | peak memory |\n|---|---|---|---|\n{slopes}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/growth");
    fs::create_dir_all(&folder)?;
    let meta = Meta {
        title: "Growth of time and memory".into(),
        description: format!("Slopes are fitted from {FIT_FROM} participants on; 24 periods, no network."),
        experiment: String::new(),
    };
    for format in [Format::Svg, Format::Png] {
        let file = folder.join(format!("participants.{}", format.extension()));
        fs::write(file, encode(&draw(&curves, FIT_FROM), &meta, format))?;
    }
    println!("figure in {}", folder.display());
    Ok(())
}

/// The program as it was built last, beside this benchmark.
fn program() -> Answer<PathBuf> {
    let here = env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).ok_or("no folder of programs")?;
    let program = folder.join(format!("coase{}", env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("{} is missing: `cargo build --release`", program.display()).into())
}

fn run(program: &Path, mechanism: &str, participants: usize, results: &Path) -> Answer<Taken> {
    let before = cpu_s_of_children();
    let begin = Instant::now();
    let mut child = Command::new(program)
        .args(["run", EXPERIMENT, "--quiet", "--out"])
        .arg(results)
        .args(["--set", &format!("experiment.mechanisms=[(label: \"measured\", mechanism: {mechanism})]")])
        .args(["--set", "experiment.baseline=\"measured\""])
        .args(["--set", &format!("scenario.participants.home.count={participants}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak_mb = f64::NAN;
    let status = loop {
        peak_mb = peak_mb_of(&child).map_or(peak_mb, |mb| mb.max(peak_mb));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(Duration::from_millis(5));
    };
    let wall_s = begin.elapsed().as_secs_f64();
    let cpu_s = cpu_s_of_children() - before;
    fs::remove_dir_all(results)?;
    // A run that says that it has not converged ends with 1, bad input with 2.
    let answered = match status.code() {
        Some(0) => true,
        Some(1) => false,
        _ => return Err(format!("{mechanism} with {participants} participants ended with {status}").into()),
    };
    Ok(Taken { participants, wall_s, cpu_s, peak_mb, answered })
}

/// The most memory that a process has held so far, MB.
fn peak_mb_of(child: &Child) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kb / 1024.0)
}

/// Time on processors that ended children took, s: fields 16 and 17 of `/proc/self/stat`, in hundredths.
fn cpu_s_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(13) + ticks(14)) / 100.0
}
