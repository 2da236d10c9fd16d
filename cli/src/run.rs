//! `coase run` and `coase collect`: results, figures, and what they come to.

mod dry;

use crate::args::{Collect, Run};
use crate::progress::{RunBar, Show};
use crate::summary::Summary;
use crate::{Finish, console, interrupt, notes, offence::Offence, plot, report, wrap};
use anyhow::{Context, bail};
use coase_core::engine::report_rules;
use coase_core::mechanism::mechanisms;
use coase_core::participant::devices;
use coase_core::policy::policies;
use coase_core::record::Table;
use coase_scenarios::{Existing, Experiment, Prepared, RunOptions, StoreOptions};
use coase_store::{Build, Dataset, Held, RunStatus, Store, hash_of};
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Revision of the source.
const REVISION: Option<&str> = option_env!("COASE_SOURCE_REVISION");
/// How long runs that are under way may take to stop once they are asked to: what they hold is lost either way.
const GRACE: Duration = Duration::from_secs(10);

/// Runs an experiment into a store, draws it and says what came out.
pub fn run(args: &Run) -> anyhow::Result<Finish> {
    let experiment = Arc::new(coase_scenarios::load(&args.file, &args.set).map_err(Offence::from)?);
    plot::check(experiment.figures(), &experiment.names_for_figures())?;
    tell(&experiment.notes(), args.quiet);
    if args.is_dry {
        let jobs = args.jobs.map(usize::from);
        dry::dry_run(&experiment, &RunOptions { jobs, shard: args.shard })?;
        return Ok(Finish::Done);
    }
    let (store, options) = (Store::create(folder_of(&args.file, args.out.as_deref()))?, options(args)?);
    let prepared = Prepared::new(&store, experiment.clone(), options.clone())?;
    if let Some(before) = prepared.before().filter(|before| before.is_another_file && args.out.is_none()) {
        bail!(
            "`{}` holds the results of another file, `{}`: give this one a folder of its own with `--out DIR`, or name that \
             folder with `--out` to replace its tables and figures",
            store.dir().display(),
            store.dir().join(before.file.as_deref().unwrap_or_default()).display()
        );
    }
    console::aside(&notes::prepared(&prepared));
    let work = Work {
        show: if args.quiet { Show::Never } else { Show::OnTerminals },
        is_drawing: Arc::default(),
        experiment,
        store,
        options,
    };
    Ok(work.watched(prepared))
}

/// What a reader of the results must know; on standard error where nothing else is printed.
fn tell(notes: &[String], is_quiet: bool) {
    if is_quiet {
        console::notes_aside(notes);
    } else {
        console::notes(notes);
    }
}

/// What is done with a prepared experiment.
#[derive(Clone)]
struct Work {
    show: Show,
    experiment: Arc<Experiment>,
    store: Store,
    options: StoreOptions,
    /// All runs and tables are there.
    is_drawing: Arc<AtomicBool>,
}

/// How it ended.
enum End {
    Finished(Finish),
    /// The runs that were under way have stopped.
    Stopped,
    BrokeOff(anyhow::Error),
}

impl Work {
    /// Does the work, and leaves it when a signal asks for it.
    fn watched(self, prepared: Prepared) -> Finish {
        interrupt::listen();
        let (done, ended) = channel();
        let (work, bar) = (self.clone(), Arc::new(RunBar::new(self.show)));
        let own_bar = bar.clone();
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
            let end = work.work(prepared, &own_bar);
            // Nobody listens any more where the program is ending.
            let _ = done.send(end);
        });
        let thread = match thread {
            Ok(thread) => thread,
            Err(wrong) => return broke_off(&anyhow::Error::new(wrong).context("cannot start a thread")),
        };
        let mut asked: Option<Instant> = None;
        let say = |signal: i32| {
            bar.finish();
            if !self.is_drawing.load(Ordering::Relaxed) {
                let name = interrupt::name(signal);
                console::error(&format!("{name}: the runs under way are stopped; a second one ends at once\n"));
            }
            Some(Instant::now())
        };
        let end = loop {
            match ended.recv_timeout(Duration::from_millis(50)) {
                Ok(end) => break end,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => match thread.join() {
                    Err(panic) => resume_unwind(panic),
                    Ok(()) => break End::Stopped,
                },
            }
            if asked.is_none() {
                asked = interrupt::received().and_then(say);
            }
            if asked.is_some_and(|since| self.is_drawing.load(Ordering::Relaxed) || since.elapsed() > GRACE) {
                break End::Stopped;
            }
        };
        match end {
            End::Finished(finish) => finish,
            End::Stopped => {
                let signal = interrupt::received();
                if asked.is_none() {
                    signal.and_then(say);
                }
                console::error(&self.left());
                signal.map_or(Finish::SomeFailed, |signal| Finish::Interrupted(interrupt::status(signal)))
            }
            End::BrokeOff(wrong) => {
                let finish = broke_off(&wrong);
                console::error(&self.left());
                finish
            }
        }
    }

    fn work(&self, prepared: Prepared, bar: &Arc<RunBar>) -> End {
        let (planned, reused) = (prepared.planned(), prepared.found());
        let ran = prepared.run(bar.clone());
        bar.finish();
        let ran = match ran {
            Ok(ran) => ran,
            Err(wrong) => return End::BrokeOff(wrong.into()),
        };
        let coase_scenarios::Ran { held, results, summary } = ran;
        let Some(found) = &summary else { return End::Stopped };
        let (done, answered) = (results.len(), results.iter().all(|result| result.status.is_answer()));
        drop(results);
        self.is_drawing.store(true, Ordering::Relaxed);
        let is_part = self.options.run.shard.is_some();
        // What other parts have not done yet is not missing.
        let missing: Vec<_> = found.missing.iter().filter(|left| !is_part || left.why.is_some()).collect();
        console::aside(&notes::missing(&missing));
        let reported = if is_part { self.tell_part(done, found) } else { tell_all(&held, found, self.show) };
        if self.show != Show::Never && reused > 0 {
            console::print(&format!("{reused} of {planned} runs were there already and were not made again\n"));
        }
        if let Err(wrong) = reported {
            return End::BrokeOff(wrong);
        }
        let all = done == planned && (is_part || missing.is_empty());
        End::Finished(if all && answered { Finish::Done } else { Finish::SomeFailed })
    }

    /// The figures of a part of an experiment are drawn when it has been collected.
    fn tell_part(&self, done: usize, found: &coase_store::Summary) -> anyhow::Result<()> {
        let folder = self.store.dir();
        console::error(&Summary::read(&Dataset::open(folder)?)?.problems());
        if self.show != Show::Never {
            let (there, planned) = (found.finished(), found.planned);
            console::print(&format!(
                "{done} runs of this part are in {0}, {there} of {planned} with the other parts; when all are there: coase \
                 collect {0}\n",
                folder.display()
            ));
        }
        Ok(())
    }

    /// What is kept and how to go on.
    fn left(&self) -> String {
        let folder = self.store.dir().display();
        if self.is_drawing.load(Ordering::Relaxed) {
            return format!("all runs and tables are kept in {folder}; the same command draws the figures\n");
        }
        let (kept, of) = (self.experiment.kept_in(&self.store, &self.options.run), self.experiment.runs.len());
        format!("{kept} of {of} runs are kept in {folder}; the same command goes on from there\n")
    }
}

/// Builds the tables and figures of a store from the runs that are there.
pub fn collect(args: &Collect) -> anyhow::Result<Finish> {
    let store = Store::open(&args.folder)?;
    let held = store.hold()?;
    let found = held.collect(args.tables.wanted().as_deref().unwrap_or(&Table::ALL))?;
    tell_all(&held, &found, Show::OnTerminals)?;
    console::print(&format!("collected {} of {} runs\n", found.finished(), found.planned));
    console::aside(&notes::missing(&found.missing.iter().collect::<Vec<_>>()));
    if found.programs > 1 {
        let note =
            "note: the runs were made by {} programs of one source that were built apart, with plugins of their own\n";
        console::error(&note.replace("{}", &found.programs.to_string()));
    }
    let failures = [RunStatus::NotConverged, RunStatus::Infeasible, RunStatus::Failed];
    let failed: usize = failures.iter().map(|status| found.count(*status)).sum();
    Ok(if failed == 0 && found.missing.is_empty() { Finish::Done } else { Finish::SomeFailed })
}

/// Draws the figures, unless those that are there are of the same runs, and prints the summary; where nothing is shown, only
/// what went wrong, on standard error.
fn tell_all(held: &Held, found: &coase_store::Summary, show: Show) -> anyhow::Result<()> {
    let folder = held.store().dir();
    let results = coase_plots::store::Store::read(folder)?;
    // Other fonts draw other figures.
    let fonts = std::env::var_os("COASE_FONTS").unwrap_or_default();
    // So does another wish for them.
    let wanted = serde_json::to_string(&results.figures)?;
    let made_of = hash_of([found.of.as_str(), &fonts.to_string_lossy(), &wanted]);
    let mut not_drawn = String::new();
    if !held.is_made_of(&made_of) {
        let drawn = plot::draw(&results, folder, &coase_plots::Format::ALL, show)?;
        plot::tell_missing(&drawn);
        plot::tell_skipped(&drawn);
        let kinds: BTreeSet<&str> = drawn.skipped.iter().map(|skipped| skipped.figure.as_str()).collect();
        if show != Show::Never && !kinds.is_empty() {
            let (noun, verb) = if kinds.len() == 1 { ("kind", "is") } else { ("kinds", "are") };
            not_drawn = format!("; {} {noun} of figures {verb} not drawn, `figures/captions.md` says why", kinds.len());
        }
        let tables = coase_plots::tables(&results, folder)?;
        let page = report::write(&results, folder, &drawn.pictures, &drawn.skipped)?;
        let made = drawn.drawn.iter().chain(&drawn.sources).chain([&drawn.captions, &page]).chain(&tables);
        // A font that is installed later mends figures with missing characters.
        let made_of = drawn.missing.is_empty().then_some(made_of.as_str());
        held.set_made(made.map(PathBuf::as_path), |_| true, made_of)?;
    }
    let summary = Summary::read(results.data())?;
    if show == Show::Never {
        console::error(&summary.problems());
        return Ok(());
    }
    let manifest = held.store().manifest()?;
    let has_figures = manifest.made.iter().any(|file| {
        file.starts_with("figures/") && !["figures/captions.md", "figures/figures.tex"].contains(&file.as_str())
    });
    let figures = if has_figures {
        " (figures in `figures`, tables for papers in `tables`, all of it on one page in `report.html`)"
    } else {
        ""
    };
    let width = console::width();
    let results = format!("results in {}{figures}{not_drawn}\n", folder.display());
    let results = width.map_or(results.clone(), |width| wrap::folded(&results, width));
    console::print(&(summary.text(&manifest.baseline, width) + &results));
    Ok(())
}

fn broke_off(wrong: &anyhow::Error) -> Finish {
    console::failure(wrong);
    Finish::SomeFailed
}

/// Where the results of a file go: where the user says, or to a folder with its name.
pub fn folder_of(file: &Path, out: Option<&Path>) -> PathBuf {
    // The stem of `...ron` is no name of a folder.
    let stem = file.file_stem().map(Path::new).filter(|stem| stem.file_name().is_some());
    out.map_or_else(|| Path::new("results").join(stem.unwrap_or(Path::new("experiment"))), Path::to_owned)
}

/// How results of this build are told from those of others.
pub fn of_this_build() -> anyhow::Result<StoreOptions> {
    Ok(StoreOptions {
        source_revision: REVISION.map(str::to_owned),
        program_hash: has_outside_plugins().then(hash_of_program).transpose()?,
        ..StoreOptions::default()
    })
}

fn options(args: &Run) -> anyhow::Result<StoreOptions> {
    Ok(StoreOptions {
        run: RunOptions { jobs: args.jobs.map(usize::from), shard: args.shard },
        existing: match (args.fresh, args.retry_failed) {
            (true, _) => Existing::Fresh,
            (false, true) => Existing::RetryFailed,
            (false, false) => Existing::Reuse,
        },
        tables: args.tables.wanted(),
        file: Some(args.file.clone()),
        ..of_this_build()?
    })
}

/// Whether some plugin is of a crate whose source the revision says nothing of.
fn has_outside_plugins() -> bool {
    let own = |module: &str| matches!(module.split("::").next(), Some("coase_core" | "coase_mechanisms"));
    !mechanisms().iter().all(|plugin| own(plugin.open.module))
        || !policies().iter().all(|plugin| own(plugin.open.module))
        || !report_rules().iter().all(|plugin| own(plugin.open.module))
        || !devices().iter().all(|plugin| own(plugin.open.module))
}

fn hash_of_program() -> anyhow::Result<String> {
    let said = "cannot read the program itself, to tell its results from those of another build";
    Build::hash_of(&std::env::current_exe().context(said)?).context(said)
}
