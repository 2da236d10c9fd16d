//! `coase gallery`: the library's experiments, run and drawn, on one page with every kind of figure and every paper.

mod examples;
mod papers;

use crate::args::Gallery as Asked;
use crate::offence::Offence;
use crate::progress::{Show, bar};
use crate::run::of_this_build;
use crate::{Finish, console, report};
use anyhow::Context;
use coase_plots::figures::KINDS;
use coase_plots::report::{Card, Gallery, Kind, Shown, answer_in_a_line, gallery_page};
use coase_plots::store::Store as Results;
use coase_plots::{Format, Named};
use coase_scenarios::{Cause, Experiment, LIBRARY, LibraryFile, Loader, Override, StoreOptions, load};
use coase_store::Store;
use examples::{AWKWARD, EXAMPLES, Example, shortened, when};
use std::path::{Path, PathBuf};

/// What draws some figures, in words, and the figures with their files as seen from the page.
type Drawn = (String, Vec<(Named, String)>);

/// Runs and draws everything, writes the page and checks it.
pub fn gallery(args: &Asked) -> anyhow::Result<Finish> {
    let work = Work { out: &args.out, periods: args.periods };
    let (examples, awkward) = if args.no_kinds { (&[][..], &[][..]) } else { (EXAMPLES, AWKWARD) };
    let files: Vec<&LibraryFile> =
        LIBRARY.iter().filter(|file| args.names.is_empty() || args.names.iter().any(|name| name == file.id)).collect();
    if let Some(unknown) = args.names.iter().find(|name| !LIBRARY.iter().any(|file| file.id == **name)) {
        anyhow::bail!("the library has no `{unknown}`; `coase list scenarios` says what there is");
    }
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make `{}`", args.out.display()))?;
    let mut found = Gallery { note: note(args.periods), papers: papers::of(&args.docs)?, ..Gallery::default() };
    let progress = bar(Show::OnTerminals, "experiments");
    progress.set_length((files.len() + examples.len() + awkward.len()) as u64);
    let mut of_library: Vec<Drawn> = vec![];
    for file in files {
        match work.library(file)? {
            Ok(made) => {
                let command = format!("coase run {}", file.id);
                of_library.push((command.clone(), made.drawn.clone()));
                found.cards.push(made.card(file, command));
            }
            Err(why) => found.left_out.push(format!("{}: {why}", file.id)),
        }
        progress.inc(1);
    }
    characteristic(&mut found.cards, &of_library);
    let made = |list: &[Example]| -> anyhow::Result<Vec<Drawn>> {
        let one = |example: &Example| {
            let made = work.example(example)?;
            progress.inc(1);
            Ok((example.shown(), made.map(|made| made.drawn).unwrap_or_default()))
        };
        list.iter().map(one).collect()
    };
    let (of_examples, of_awkward) = (made(examples)?, made(awkward)?);
    progress.finish_and_clear();
    for kind in KINDS.iter().filter(|_| !args.no_kinds) {
        let drawn_in = |all: &[Drawn]| -> Option<(String, Shown)> {
            let first = |(source, drawn): &Drawn| {
                let (named, file) = drawn.iter().find(|(named, _)| named.kind == kind.name)?;
                Some((source.clone(), shown(named, file)))
            };
            all.iter().find_map(first)
        };
        if let Some((source, picture)) = drawn_in(&of_examples).or_else(|| drawn_in(&of_library)) {
            let awkward = awkward
                .iter()
                .zip(&of_awkward)
                .find_map(|(example, drawn)| Some((example.name.to_owned(), drawn_in(std::slice::from_ref(drawn))?.1)));
            found.kinds.push(Kind {
                name: kind.name.to_owned(),
                when: when(kind.name).to_owned(),
                source,
                picture,
                awkward,
            });
        }
    }
    let html = gallery_page(&found);
    let page = coase_plots::write_page(&args.out, "index.html", &html)?;
    let faults = faults(&found, &html, &args.out);
    for fault in &faults {
        console::error(&format!("{}: {fault}\n", page.display()));
    }
    let (cards, kinds, papers) = (found.cards.len(), found.kinds.len(), found.papers.len());
    let noun = if cards == 1 { "experiment" } else { "experiments" };
    console::print(&format!("{}: {cards} {noun}, {kinds} kinds of figures, {papers} papers\n", page.display()));
    Ok(if faults.is_empty() { Finish::Done } else { Finish::SomeFailed })
}

/// Gives every card the figure that fewest others have: cards that look alike would tell nobody what is behind them.
fn characteristic(cards: &mut [Card], drawn: &[Drawn]) {
    let having = |kind: &str| drawn.iter().filter(|(_, of)| of.iter().any(|(named, _)| named.kind == kind)).count();
    for (card, (_, own)) in cards.iter_mut().zip(drawn) {
        let rarest = own.iter().min_by_key(|(named, _)| having(named.kind));
        card.picture = rarest.map(|(named, file)| shown(named, file));
    }
}

fn note(periods: Option<u32>) -> String {
    let cut = |n: u32| format!("Horizons are cut to {n} periods, and draws and sweeps of some experiments to a few");
    let cut = periods.map_or_else(|| "Draws of some experiments are cut to a few".to_owned(), cut);
    format!("{cut}: figures here show forms, not findings. The commands run the experiments whole.")
}

/// Cards without a picture, and links that lead nowhere.
fn faults(found: &Gallery, html: &str, out: &Path) -> Vec<String> {
    let mut faults: Vec<String> = vec![];
    for card in found.cards.iter().filter(|card| card.picture.is_none()) {
        faults.push(format!("the card of `{}` has no picture", card.id));
    }
    for address in ["href=\"", "src=\""].iter().flat_map(|attribute| html.split(attribute).skip(1)) {
        let address = address.split('"').next().unwrap_or_default();
        let is_there = match address.strip_prefix('#') {
            Some(id) => html.contains(&format!("id=\"{id}\"")),
            None => out.join(address).is_file(),
        };
        if !is_there {
            faults.push(format!("`{address}` leads nowhere"));
        }
    }
    faults
}

fn shown(named: &Named, file: &str) -> Shown {
    Shown { file: file.to_owned(), caption: coase_plots::text::unmarked(&named.picture.in_print()) }
}

struct Work<'a> {
    out: &'a Path,
    periods: Option<u32>,
}

/// What was made of an experiment.
struct Made {
    folder: String,
    results: Results,
    /// With their files as seen from the page.
    drawn: Vec<(Named, String)>,
    seconds: f64,
}

impl Work<'_> {
    /// An experiment of the library, or why it cannot be run here.
    fn library(&self, file: &LibraryFile) -> anyhow::Result<Result<Made, String>> {
        let cut = self.periods.map(|n| format!("experiment.first_periods={n}"));
        let set = cut.into_iter().chain(shortened(file.id).map(str::to_owned));
        let set = set.map(|s| s.parse::<Override>()).collect::<Result<Vec<_>, _>>().map_err(Offence::from)?;
        match load(Path::new(file.id), &set) {
            Err(fault) if matches!(*fault.cause, Cause::NoData { .. }) => Ok(Err("COASE_DATA is not set".to_owned())),
            loaded => Ok(Ok(self.made(file.id, &loaded.map_err(Offence::from)?)?)),
        }
    }

    /// A small experiment; `None` where it reads data that is not there.
    fn example(&self, example: &Example) -> anyhow::Result<Option<Made>> {
        let cut = self.periods.map(|n| format!("experiment.first_periods={n}"));
        let set =
            cut.into_iter().map(|s| s.parse::<Override>()).collect::<Result<Vec<_>, _>>().map_err(Offence::from)?;
        let loader = Loader { data: std::env::var_os("COASE_DATA").filter(|data| !data.is_empty()).map(PathBuf::from) };
        match loader.load_text(example.id, &example.shown(), Path::new(""), &set) {
            Err(fault) if matches!(*fault.cause, Cause::NoData { .. }) => Ok(None),
            loaded => self.made(example.id, &loaded.map_err(Offence::from)?).map(Some),
        }
    }

    fn made(&self, id: &str, experiment: &Experiment) -> anyhow::Result<Made> {
        let folder = self.out.join(id);
        let store = Store::create(folder.clone())?;
        drop(experiment.run_into(&store, &StoreOptions { ..of_this_build()? }, ())?);
        let results = Results::read(&folder)?;
        let drawing = coase_plots::draw(&results, &folder, &[Format::Svg], &|_, _| ())?;
        let page = report::write(&results, &folder, &drawing.pictures, &drawing.skipped)?;
        let held = store.hold()?;
        let made = drawing.drawn.iter().chain(&drawing.sources).chain([&drawing.captions, &page]);
        held.set_made(made.map(PathBuf::as_path), |_| false, None)?;
        drop(held);
        let seconds = store.timings().values().map(|t| (t.build + t.mechanism + t.evaluation).as_secs_f64()).sum();
        let file = |named: &Named| format!("{id}/figures/{}.svg", named.stem);
        let drawn = drawing.pictures.into_iter().map(|named| (named.clone(), file(&named))).collect();
        Ok(Made { folder: id.to_owned(), results, drawn, seconds })
    }
}

impl Made {
    fn card(&self, file: &LibraryFile, command: String) -> Card {
        let manifest = self.results.data().manifest();
        let distinct = |of: &dyn Fn(&coase_plots::store::Run) -> &str| {
            let mut names: Vec<String> = self.results.runs.iter().map(|run| of(run).to_owned()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let mut kinds: Vec<String> = self.drawn.iter().map(|(named, _)| named.kind.to_owned()).collect();
        kinds.dedup();
        let networks =
            manifest.scenarios.values().map(|facts| match facts.feeder.iter().map(Vec::len).sum::<usize>() {
                0 => "none".to_owned(),
                buses => format!("{buses} buses"),
            });
        let mut networks: Vec<String> = networks.collect();
        networks.sort_unstable();
        networks.dedup();
        let question = file.text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim);
        let question = question.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        // A sentence is enough where there is a question.
        let question = question.split_inclusive('?').next().unwrap_or(&question).to_owned();
        Card {
            id: file.id.to_owned(),
            question,
            answer: answer_in_a_line(&self.results),
            seconds: self.seconds,
            runs: self.results.runs.len(),
            unanswered: self.results.runs.iter().filter(|run| !run.status.is_answer()).count(),
            command,
            report: format!("{}/report.html", self.folder),
            picture: None,
            mechanisms: distinct(&|run| &run.mechanism),
            policies: distinct(&|run| &run.carbon_policy),
            networks,
            kinds,
        }
    }
}
