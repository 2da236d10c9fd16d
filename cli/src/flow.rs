//! `coase flow`: power flow, and the carbon that flows with it.

mod text;

use crate::args::Flow;
use crate::offence::asked;
use crate::{Finish, console};
use coase_scenarios::answers::{CarbonFile, FlowQuestion, named_network};

/// Solves a network as its file has it and prints what flows.
pub fn flow(args: &Flow) -> anyhow::Result<Finish> {
    let network = named_network(&args.network).map_err(asked)?;
    let carbon = args.carbon.as_deref().map(|path| CarbonFile::read(path, &network)).transpose();
    let carbon = carbon.map_err(|fault| asked(fault.into()))?;
    let answer = FlowQuestion { dc: args.dc, carbon: carbon.as_ref() }.ask(&network).map_err(asked)?;
    if let Some(reason) = &answer.reason {
        console::error(&format!("error: {}: {reason}\n", network.name));
    }
    if args.json {
        console::print_json(&answer)?;
    } else {
        console::print(&text::text(&answer));
    }
    Ok(if answer.converged { Finish::Done } else { Finish::SomeFailed })
}
