//! `coase game`: games on plain numbers, from a file or as a mechanism plays them in a scenario.

use crate::args::Game;
use crate::offence::Offence;
use crate::sheets::text;
use crate::{Finish, console};
use anyhow::{Context, bail};
use coase_scenarios::answers::{Game as Plain, plays_games, read_game, read_game_text};
use coase_scenarios::{Run, load};
use std::path::Path;
use std::sync::Arc;

/// Reads the game of a file, or makes the one that a mechanism plays, solves it and prints what was found.
pub fn game(args: &Game) -> anyhow::Result<Finish> {
    let (game, file) = if plays_games(&args.file) {
        let text = played(args)?;
        (read_game_text(&args.file.display().to_string(), &text).map_err(Offence::from)?, Some(text))
    } else {
        let chosen = [("--mechanism", args.mechanism.is_some()), ("--policy", args.policy.is_some())];
        let chosen = chosen.into_iter().chain([("--period", args.period.is_some()), ("--set", !args.set.is_empty())]);
        if let Some((flag, _)) = chosen.into_iter().find(|(_, is_there)| *is_there) {
            let what = "asks for what a mechanism plays, and this is no scenario or experiment";
            bail!("{}: `{flag}` {what}", args.file.display());
        }
        (read_game(&args.file).map_err(Offence::from)?, None)
    };
    if let Some(path) = &args.export {
        export(args, &*game, file.as_deref(), path)?;
    }
    let answer = match game.answer() {
        Ok(answer) => answer,
        // The file is right; that there is no answer is no bad input.
        Err(wrong) => {
            console::error(&format!("error: {}: {wrong}\n", args.file.display()));
            return Ok(Finish::SomeFailed);
        }
    };
    if args.json {
        console::print_json(&answer.json()?)?;
    } else {
        console::print(&text(&answer.sheets()));
    }
    Ok(if answer.is_found() { Finish::Done } else { Finish::SomeFailed })
}

/// Writes the strategic form of a game, or its file.
fn export(args: &Game, game: &dyn Plain, file: Option<&str>, path: &Path) -> anyhow::Result<()> {
    let is_gambit = path.extension().is_some_and(|end| end == "nfg");
    let text = match (file, game.strategic_form()) {
        (Some(file), _) if !is_gambit => file.to_owned(),
        (_, Some(form)) => form?,
        (_, None) => {
            let why = "has no strategic form with finitely many strategies: `NormalForm(..)` and `Pricing(..)` do";
            bail!("{}: the game {why}", args.file.display());
        }
    };
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The game file of what a mechanism plays.
fn played(args: &Game) -> anyhow::Result<String> {
    let file = args.file.display();
    let run = chosen(args)?;
    let games = run.played_games().map_err(|why| anyhow::anyhow!("{file}: {}: {why}", run.variant))?;
    let periods = || games.iter().map(|game| game.period.to_string()).collect::<Vec<_>>().join(", ");
    let game = match (args.period, &games[..]) {
        (_, []) => bail!("{file}: {} plays no game here that can be written as a game file", run.variant),
        (None, [game]) => game,
        (None, _) => bail!("{file}: {} plays in periods {}: choose one by `--period`", run.variant, periods()),
        (Some(period), _) => games.iter().find(|game| game.period == period).ok_or_else(|| {
            anyhow::anyhow!("{file}: {} plays nothing in period {period}; it does in {}", run.variant, periods())
        })?,
    };
    let title =
        format!("// {} plays this in period {}, carbon policy {}.\n", run.variant, game.period, run.carbon_label);
    Ok(title + &game.text)
}

/// The one run that is asked for.
fn chosen(args: &Game) -> anyhow::Result<Arc<Run>> {
    let file = args.file.display();
    let mut set = args.set.clone();
    let mut experiment = load(&args.file, &set).map_err(Offence::from)?;
    // A mechanism of the file by its label; otherwise another in the place of all.
    let mut variant = args.mechanism.clone();
    if let Some(wanted) = args.mechanism.as_ref().filter(|wanted| experiment.runs.iter().all(|r| r.variant != **wanted))
    {
        let element = if wanted.contains('(') { wanted.clone() } else { format!("{wanted:?}") };
        set.push(format!("experiment.mechanisms=[{element}]").parse().map_err(Offence::from)?);
        experiment = load(&args.file, &set).map_err(Offence::from)?;
        variant = None;
    }
    let is_wanted = |run: &&Arc<Run>| {
        variant.as_ref().is_none_or(|wanted| run.variant == *wanted)
            && args.policy.as_ref().is_none_or(|wanted| run.carbon_label == *wanted)
    };
    let wanted: Vec<&Arc<Run>> = experiment.runs.iter().filter(is_wanted).collect();
    let distinct = |of: fn(&Run) -> &str| {
        let mut names: Vec<&str> = wanted.iter().map(|run| of(run)).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    match wanted[..] {
        [] => bail!("{file}: no run of it has this carbon policy: expected the label of one"),
        [run] => Ok(run.clone()),
        _ => {
            for (flag, names) in
                [("--mechanism", distinct(|r| &r.variant)), ("--policy", distinct(|r| &r.carbon_label))]
            {
                if names.len() > 1 {
                    bail!(
                        "{file}: {} runs: choose one by `{flag}`, which is one of {}",
                        wanted.len(),
                        names.join(", ")
                    );
                }
            }
            bail!(
                "{file}: {} runs differ by scenario, swept value, report rule or seed: choose one by `--set`",
                wanted.len()
            )
        }
    }
}
