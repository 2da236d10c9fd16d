//! `coase flow`: power flow, and the carbon that flows with it.

mod answer;
pub mod carbon;

use crate::Finish;
use crate::args::Flow;
use crate::{console, network};
use answer::Answer;
use carbon::CarbonFile;
use coase_core::network::Network;
use coase_core::power_flow::{self, Injections, PowerFlow, PowerFlowError};

/// Solves a network as its file has it and prints what flows.
pub fn flow(args: &Flow) -> anyhow::Result<Finish> {
    let network = network::load(&args.network)?;
    let carbon = args.carbon.as_deref().map(|path| CarbonFile::read(path, &network)).transpose()?;
    let mut injections = Injections::of(&network);
    if let Some(carbon) = &carbon {
        carbon.add_to(&mut injections);
    }
    let solved = if args.dc { dc(&network, &injections) } else { ac(&network, &injections) };
    let answer = match solved {
        Ok(mut answer) => {
            if let Some(carbon) = &carbon {
                answer.trace(&network, carbon)?;
            }
            answer
        }
        Err(
            lost @ (PowerFlowError::NotConverged { .. }
            | PowerFlowError::Singular { .. }
            | PowerFlowError::BeyondCapability { .. }
            | PowerFlowError::NoOperatingState { .. }),
        ) => {
            console::error(&format!("error: {}: {lost}\n", network.name));
            Answer::not_converged(&network, &lost)
        }
        Err(wrong) => return Err(wrong.into()),
    };
    if args.json {
        console::print_json(&answer)?;
    } else {
        console::print(&answer.text());
    }
    Ok(if answer.converged { Finish::Done } else { Finish::SomeFailed })
}

fn ac(network: &Network, injections: &Injections) -> Result<Answer, PowerFlowError> {
    let flow = PowerFlow::new(network)?.solve_from_file(injections)?;
    Ok(Answer::ac(network, &flow))
}

fn dc(network: &Network, injections: &Injections) -> Result<Answer, PowerFlowError> {
    let flow = power_flow::dc_flow(network, injections)?;
    Ok(Answer::dc(network, &flow))
}
