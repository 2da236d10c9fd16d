//! Why there is no power flow.

use crate::network::NetworkError;

/// Why there is no flow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PowerFlowError {
    /// The network contradicts itself.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Injections for another network.
    #[error("{found} injections for {expected} buses")]
    InjectionCount {
        /// Number of buses.
        expected: usize,
        /// Number of injections.
        found: usize,
    },
    /// An injection is not a number.
    #[error("the injection at bus {bus} is not finite")]
    InjectionNotFinite {
        /// Where.
        bus: u64,
    },
    /// The equations have no unique solution even nearby.
    #[error("the power-flow equations are singular near bus {bus}")]
    Singular {
        /// Where elimination got stuck.
        bus: u64,
    },
    /// No solution was found: as a rule the network cannot carry the load.
    #[error(
        "the power flow does not converge: {mismatch_pu:.3e} pu of mismatch after {iterations} steps, worst at bus {worst_bus}"
    )]
    NotConverged {
        /// Newton steps taken.
        iterations: usize,
        /// Mismatch where it gave up, pu.
        mismatch_pu: f64,
        /// Where that is.
        worst_bus: u64,
    },
    /// The solutions that go on from no load end before these injections are reached: more than the network can carry.
    #[error(
        "the network cannot carry this: from no load on there is a power flow up to {:.2} % of the injections, where the \
         voltage of bus {bus} gives way",
        share * 100.0
    )]
    BeyondCapability {
        /// The bus whose voltage falls fastest there.
        bus: u64,
        /// Share of the injections that can be carried.
        share: f64,
    },
    /// The equations have a solution, but none that goes on from no load.
    #[error("{}", no_operating_state(*bus, *voltage_pu, *share))]
    NoOperatingState {
        /// The bus with the lowest voltage of that solution.
        bus: u64,
        /// That voltage, pu.
        voltage_pu: f64,
        /// Share of the injections up to which there is an operating state.
        share: Option<f64>,
    },
    /// The DC flow divides by reactances.
    #[error("branch {number} has no reactance, which the DC flow needs")]
    ZeroReactance {
        /// Its number in the list, from 1.
        number: usize,
    },
}

/// A solution at ordinary voltages is off the branch by its angles: power that circulates in a loop.
fn no_operating_state(bus: u64, voltage_pu: f64, share: Option<f64>) -> String {
    let found = if voltage_pu < 0.9 {
        format!("only a low-voltage solution was found ({voltage_pu:.4} pu at bus {bus})")
    } else {
        "only a solution with power circulating was found".into()
    };
    let end = match share {
        Some(share) => format!("ends at {:.2} % of the injections", share * 100.0),
        None => "does not begin".into(),
    };
    format!("{found}, which is no operating state: the branch of solutions that goes on from no load {end}")
}
