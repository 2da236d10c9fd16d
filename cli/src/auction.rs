//! `coase auction`: a mechanism on a plain list of bids.

use crate::args::Auction;
use crate::offence::Offence;
use crate::sheets::text;
use crate::{Finish, console};
use coase_core::MechanismError;
use coase_scenarios::answers::{AuctionError, read_auction};

/// Clears the bids of a file and prints who trades what.
pub fn auction(args: &Auction) -> anyhow::Result<Finish> {
    let bids = read_auction(&args.file).map_err(Offence::from)?;
    let answer = match bids.clear(&args.mechanism, args.seed) {
        Ok(answer) => answer,
        Err(AuctionError::File(fault)) => return Err(Offence::from(fault).into()),
        // The bids are right; that there is no answer is no bad input.
        Err(AuctionError::Mechanism(wrong))
            if !matches!(wrong, MechanismError::Parameter { .. } | MechanismError::Unmet { .. }) =>
        {
            console::error(&format!("error: {}: {wrong}\n", args.file.display()));
            return Ok(Finish::SomeFailed);
        }
        Err(wrong) => anyhow::bail!("{}: {wrong}", args.file.display()),
    };
    if args.json {
        console::print_json(&serde_json::to_value(&answer)?)?;
    } else {
        console::print(&text(&answer.sheets()));
    }
    Ok(if answer.converged { Finish::Done } else { Finish::SomeFailed })
}
