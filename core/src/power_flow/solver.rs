//! One door to both methods.

use std::sync::OnceLock;

use crate::network::{BusKind, Network, NetworkError, NodeId, Topology};

use super::admittance::{TwoPort, shunts};
use super::complex::Complex;
use super::flow::{BranchFlow, Flow, Method, SlackFlow, Voltage};
use super::injections::Injections;
use super::newton::{Newton, SingularAt};
use super::sensitivity::Sensitivities;
use super::sweep::Sweep;

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
    /// The DC flow divides by reactances.
    #[error("branch {number} has no reactance, which the DC flow needs")]
    ZeroReactance {
        /// Its number in the list, from 1.
        number: usize,
    },
}

/// A network made ready for many power flows.
#[derive(Debug, Clone)]
pub struct PowerFlow {
    network: Network,
    topology: Topology,
    kinds: Vec<BusKind>,
    start: Vec<Complex>,
    shunt: Vec<Complex>,
    ports: Vec<TwoPort>,
    sweep: Option<Sweep>,
    // Radial feeders hardly ever need it.
    newton: OnceLock<Result<Newton, SingularAt>>,
}

impl PowerFlow {
    /// Prepares a network. Its loads and generators are not used: injections come with each question.
    ///
    /// # Errors
    /// A network that does not pass [`Network::check`].
    pub fn new(network: &Network) -> Result<Self, PowerFlowError> {
        network.check()?;
        let topology = Topology::new(network);
        let mut held = vec![false; network.buses.len()];
        for generator in network.generators.iter().filter(|g| g.in_service) {
            held[generator.node.0] = true;
        }
        let kind = |(i, bus): (usize, &crate::network::Bus)| match bus.kind {
            BusKind::Pv if !held[i] => BusKind::Pq,
            kind => kind,
        };
        let kinds: Vec<BusKind> = network.buses.iter().enumerate().map(kind).collect();
        let start = flat_start(network, &topology, &kinds);
        let radial = topology.is_radial() && !topology.order().iter().any(|node| kinds[node.0] == BusKind::Pv);
        let sweep = radial.then(|| Sweep::new(network, &topology, &start));
        Ok(Self {
            shunt: shunts(network),
            ports: network.branches.iter().map(TwoPort::of).collect(),
            network: network.clone(),
            topology,
            kinds,
            start,
            sweep,
            newton: OnceLock::new(),
        })
    }

    /// Who is connected with whom.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Solves for given injections: by sweep where the network is radial and the sweep converges, else by Newton's
    /// method from the flat start. What is asked of isolated nodes is not served.
    ///
    /// # Errors
    /// Injections that do not fit, a singular network, or no convergence.
    pub fn solve(&self, injections: &Injections) -> Result<Flow, PowerFlowError> {
        let injection = self.per_unit(injections)?;
        if let Some(sweep) = &self.sweep
            && let Some((state, sweeps, mismatch)) = sweep.solve(&injection)
        {
            let mut powers = vec![None; self.ports.len()];
            for (branch, from, to) in sweep.branch_powers(&state) {
                powers[branch] = Some((from, to));
            }
            let voltage = sweep.voltages(&state, self.kinds.len());
            return Ok(self.flow(injections, &voltage, &powers, Method::Sweep, sweeps, mismatch));
        }
        self.solve_by_newton(injections)
    }

    /// [`solve`](Self::solve) by Newton's method whatever the network is like.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_by_newton(&self, injections: &Injections) -> Result<Flow, PowerFlowError> {
        let injection = self.per_unit(injections)?;
        let found = self.newton()?.solve(&injection).map_err(|lost| PowerFlowError::NotConverged {
            iterations: lost.steps,
            mismatch_pu: lost.mismatch,
            worst_bus: self.network.buses[lost.worst_node].id,
        })?;
        let voltage = &found.voltage;
        let powers: Vec<_> = self
            .network
            .branches
            .iter()
            .zip(&self.ports)
            .map(|(branch, port)| {
                let live = branch.in_service && self.topology.is_energised(branch.from);
                live.then(|| port.power(voltage[branch.from.0], voltage[branch.to.0]))
            })
            .collect();
        Ok(self.flow(injections, voltage, &powers, Method::Newton, found.steps, found.mismatch))
    }

    /// How a solved flow of this network answers to small changes of load.
    ///
    /// # Errors
    /// [`PowerFlowError::Singular`] at the limit of loadability.
    pub fn sensitivities(&self, flow: &Flow) -> Result<Sensitivities<'_>, PowerFlowError> {
        if flow.voltages.len() != self.kinds.len() {
            let (expected, found) = (self.kinds.len(), flow.voltages.len());
            return Err(PowerFlowError::InjectionCount { expected, found });
        }
        let complex =
            |v: &Option<Voltage>| v.map_or(Complex::ZERO, |v| Complex::polar(v.magnitude_pu, v.angle_deg.to_radians()));
        let voltage: Vec<Complex> = flow.voltages.iter().map(complex).collect();
        let newton = self.newton()?;
        let factors = newton.factors(&voltage).map_err(|at| self.singular(at))?;
        Ok(Sensitivities {
            newton,
            factors,
            voltage,
            kinds: &self.kinds,
            branches: &self.network.branches,
            ports: &self.ports,
            base_kva: self.network.base_kva(),
        })
    }

    fn newton(&self) -> Result<&Newton, PowerFlowError> {
        self.newton
            .get_or_init(|| Newton::new(&self.network, &self.topology, &self.kinds, self.start.clone()))
            .as_ref()
            .map_err(|at| self.singular(*at))
    }

    fn singular(&self, at: SingularAt) -> PowerFlowError {
        PowerFlowError::Singular { bus: self.network.buses[at.node].id }
    }

    fn per_unit(&self, injections: &Injections) -> Result<Vec<Complex>, PowerFlowError> {
        injections.check(&self.network)?;
        let base = self.network.base_kva();
        Ok(injections.p_kw.iter().zip(&injections.q_kvar).map(|(p, q)| Complex::new(p / base, q / base)).collect())
    }

    fn flow(
        &self,
        injections: &Injections,
        voltage: &[Complex],
        powers: &[Option<(Complex, Complex)>],
        method: Method,
        iterations: usize,
        mismatch_pu: f64,
    ) -> Flow {
        let base = self.network.base_kva();
        // What the network takes at each node.
        let mut taken: Vec<Complex> =
            voltage.iter().zip(&self.shunt).map(|(v, y)| y.conj().scale(v.square_norm())).collect();
        let mut branches = vec![BranchFlow::default(); powers.len()];
        let mut loss = Complex::ZERO;
        for (k, branch) in self.network.branches.iter().enumerate() {
            let Some((from, to)) = powers[k] else { continue };
            taken[branch.from.0] += from;
            taken[branch.to.0] += to;
            loss += from + to;
            branches[k] = BranchFlow {
                p_from_kw: from.re * base,
                q_from_kvar: from.im * base,
                p_to_kw: to.re * base,
                q_to_kvar: to.im * base,
            };
        }
        let (mut p_kw, mut q_kvar) = (injections.p_kw.clone(), injections.q_kvar.clone());
        let mut slacks = Vec::new();
        let mut voltages = Vec::with_capacity(voltage.len());
        for (i, v) in voltage.iter().enumerate() {
            if !self.topology.is_energised(NodeId(i)) {
                (p_kw[i], q_kvar[i]) = (0.0, 0.0);
                voltages.push(None);
                continue;
            }
            voltages.push(Some(Voltage { magnitude_pu: v.norm(), angle_deg: v.angle().to_degrees() }));
            let (p, q) = (taken[i].re * base, taken[i].im * base);
            match self.kinds[i] {
                BusKind::Pq => {}
                BusKind::Pv => q_kvar[i] = q,
                BusKind::Slack => {
                    slacks.push(SlackFlow { node: NodeId(i), p_kw: p - p_kw[i], q_kvar: q - q_kvar[i] });
                    (p_kw[i], q_kvar[i]) = (p, q);
                }
            }
        }
        Flow {
            voltages,
            p_kw,
            q_kvar,
            branches,
            slacks,
            loss_kw: loss.re * base,
            loss_kvar: loss.im * base,
            iterations,
            mismatch_pu,
            method,
        }
    }
}

/// Set-points where there are any, else 1 pu, everywhere at the angle of the slack of the tree.
fn flat_start(network: &Network, topology: &Topology, kinds: &[BusKind]) -> Vec<Complex> {
    let start = |node: NodeId| {
        let Some(root) = topology.root(node) else { return Complex::ZERO };
        let magnitude = if kinds[node.0] == BusKind::Pq { 1.0 } else { network.voltage_set_point(node) };
        Complex::polar(magnitude, network.bus(root).angle_deg.to_radians())
    };
    network.nodes().map(start).collect()
}
