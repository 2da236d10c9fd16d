//! `coase game`: games on plain numbers.

use crate::args::Game;
use crate::offence::Offence;
use crate::sheets::text;
use crate::{Finish, console};
use anyhow::Context;
use coase_scenarios::answers::read_game;

/// Reads the game of a file, solves it and prints what was found.
pub fn game(args: &Game) -> anyhow::Result<Finish> {
    let game = read_game(&args.file).map_err(Offence::from)?;
    if let Some(path) = &args.export {
        let Some(form) = game.strategic_form() else {
            let why = "has no strategic form with finitely many strategies: `NormalForm(..)` and `Pricing(..)` do";
            return Err(anyhow::anyhow!("{}: the game {why}", args.file.display()));
        };
        let written = form
            .map_err(anyhow::Error::from)
            .and_then(|text| std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display())));
        written?;
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
