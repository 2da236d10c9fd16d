//! `coase auction`: a mechanism on a plain list of bids.

use crate::args::Auction;
use crate::offence::Offence;
use crate::sheets::text;
use crate::{Finish, console};
use coase_core::MechanismError;
use coase_scenarios::answers::{AuctionError, read_auction, read_offers};

/// Clears the bids of a file and prints who trades what.
pub fn auction(args: &Auction) -> anyhow::Result<Finish> {
    let bids = read_auction(&args.file).map_err(Offence::from)?;
    if let Some(reports) = &args.reports {
        let offers = match read_offers(&bids, reports) {
            Ok(offers) => offers,
            Err(wrong) => anyhow::bail!("--reports: {wrong}"),
        };
        let heard = match bids.heard(&args.mechanism, args.seed, &offers) {
            Ok(heard) => heard,
            Err(wrong) => return no_answer(args, wrong),
        };
        if args.json {
            console::print_json(&serde_json::to_value(&heard)?)?;
        } else {
            console::print(&text(&heard.sheets()));
        }
        return Ok(Finish::Done);
    }
    let answer = match bids.clear(&args.mechanism, args.seed) {
        Ok(answer) => answer,
        Err(wrong) => return no_answer(args, wrong),
    };
    if args.json {
        console::print_json(&serde_json::to_value(&answer)?)?;
    } else {
        console::print(&text(&answer.sheets()));
    }
    Ok(if answer.converged { Finish::Done } else { Finish::SomeFailed })
}

/// The bids are right and there is no answer, which is no bad input; or something else is wrong, which is.
fn no_answer(args: &Auction, wrong: AuctionError) -> anyhow::Result<Finish> {
    match wrong {
        AuctionError::File(fault) => Err(Offence::from(fault).into()),
        AuctionError::Mechanism(wrong)
            if !matches!(wrong, MechanismError::Parameter { .. } | MechanismError::Unmet { .. }) =>
        {
            console::error(&format!("error: {}: {wrong}\n", args.file.display()));
            Ok(Finish::SomeFailed)
        }
        wrong => anyhow::bail!("{}: {wrong}", args.file.display()),
    }
}
