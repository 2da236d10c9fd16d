//! Makes any network-blind mechanism respect the network: injection limits, tightened where that relieves, and the
//! mechanism run again under them.
//!
//! Who is limited bears what that costs it; no further payment is made, by one rule for all mechanisms. It terminates,
//! because limits only shrink; it is not the constrained optimum.

use coase_core::auction::Auction;
use coase_core::carbon_flow::storage::StorageRule;
use coase_core::game::Game;
use coase_core::mechanism::Mechanism;
use coase_core::open::Open;
use coase_core::outcome::{Kind, Status};
use coase_core::{Certificate, Market, MechanismError, Outcome, RunContext, register, repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Another mechanism within the limits of the network: where its outcome breaks one, injections are limited and it runs again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRepair {
    /// The mechanism that does not look at the network.
    #[serde(default = "bargaining")]
    pub inner: Box<dyn Mechanism>,
}

impl Default for NetworkRepair {
    fn default() -> Self {
        Self { inner: bargaining() }
    }
}

fn bargaining() -> Box<dyn Mechanism> {
    let entry = <dyn Mechanism>::set().get("nash-bargaining").expect("registered in this crate");
    (entry.default)()
}

register!(NetworkRepair, "network-repair", Wrapper, "limits injections until the network holds, and runs the inner mechanism again",
    claims: [], needs: [Network], information: Reports, source: "trade adjustment as in the coordination of active networks with microgrids");

impl Mechanism for NetworkRepair {
    fn draws(&self) -> bool {
        self.inner.draws()
    }

    fn run(&self, market: &Market, ctx: &mut RunContext) -> Result<Outcome, MechanismError> {
        let repaired = repair::repair(market, StorageRule::Conserving, |limited| {
            let outcome = self.inner.outcome(limited, ctx)?;
            // The budget of steps is the runner's; a repair that exhausts it ends with its own limit of rounds.
            let _ = ctx.step("repair", &[]);
            Ok(outcome)
        })?;
        let mut outcome = repaired.outcome;
        outcome.evidence.push(Certificate::measure("repair_rounds", repaired.rounds as f64, ""));
        let some: Vec<&str> = repaired.missed.iter().take(3).map(String::as_str).collect();
        let more = repaired.missed.len() - some.len();
        let witness = some.join("; ") + &if more > 0 { format!("; and {more} more") } else { String::new() };
        outcome
            .evidence
            .push(Certificate::check("network_limits", repaired.residual, 0.0, witness).about(Kind::Feasibility));
        if repaired.residual > 0.0 && outcome.status == Status::Converged {
            outcome.status = Status::NotConverged { residual: repaired.residual };
        }
        Ok(outcome)
    }

    fn as_auction(&self) -> Option<&dyn Auction> {
        self.inner.as_auction()
    }

    fn game<'a>(&'a self, market: &'a Market) -> Option<Box<dyn Game + 'a>> {
        self.inner.game(market)
    }
}
