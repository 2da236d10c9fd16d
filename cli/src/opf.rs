//! `coase opf`: optimal power flow, and what a kilowatt-hour costs at every bus.

mod text;

use crate::args::{Formulation, Opf};
use crate::offence::asked;
use crate::{Finish, console};
use anyhow::ensure;
use coase_scenarios::answers::{CarbonFile, OpfFormulation, OpfQuestion, named_network};

/// Solves the optimal power flow of a network and prints dispatch and prices.
pub fn opf(args: &Opf) -> anyhow::Result<Finish> {
    let network = named_network(&args.network).map_err(asked)?;
    let carbon = args.carbon.as_deref().map(|path| CarbonFile::read(path, &network)).transpose();
    let carbon = carbon.map_err(|fault| asked(fault.into()))?;
    let price = args.carbon_price.unwrap_or(0.0);
    ensure!(price.is_finite() && price >= 0.0, "--carbon-price {price}: a price per tonne is not negative");
    let question = OpfQuestion {
        formulation: args.formulation.map(formulation),
        carbon: carbon.as_ref(),
        carbon_price_per_tonne: price,
        hold_slack: args.hold_slack,
    };
    let answer = question.ask(&network).map_err(asked)?;
    for note in &answer.notes {
        console::error(&format!("note: {note}\n"));
    }
    for wrong in answer.reason.iter().chain(&answer.missed) {
        console::error(&format!("error: {}: {wrong}\n", network.name));
    }
    if args.json {
        console::print_json(&answer)?;
    } else {
        console::print(&text::text(&answer));
    }
    Ok(if answer.converged { Finish::Done } else { Finish::SomeFailed })
}

fn formulation(typed: Formulation) -> OpfFormulation {
    match typed {
        Formulation::Ac => OpfFormulation::Ac,
        Formulation::Relaxed => OpfFormulation::Relaxed,
        Formulation::Dc => OpfFormulation::Dc,
        Formulation::Lindistflow => OpfFormulation::LinDistFlow,
    }
}
