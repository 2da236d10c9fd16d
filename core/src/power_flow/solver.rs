//! One door to both methods.

use std::sync::OnceLock;

use crate::network::{BusKind, Network, NodeId, Topology};

use super::admittance::{TwoPort, shunts};
use super::complex::Complex;
use super::continuation::Branch;
use super::error::PowerFlowError;
use super::flow::{BranchFlow, Flow, Method, SlackFlow, Voltage};
use super::injections::Injections;
use super::newton::{Found, Lost, Newton, ORDINARY_PU, SingularAt, Steps};
use super::sensitivity::Sensitivities;
use super::start::Start;
use super::sweep::Sweep;

/// A network made ready for many power flows.
#[derive(Debug, Clone)]
pub struct PowerFlow {
    network: Network,
    topology: Topology,
    kinds: Vec<BusKind>,
    flat: Start,
    filed: Option<Start>,
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
        let flat = Start::flat(network, &topology, &kinds);
        let filed = Start::filed(network, &topology, &kinds, &flat);
        let radial = topology.is_radial() && !topology.order().iter().any(|node| kinds[node.0] == BusKind::Pv);
        let sweep = radial.then(|| Sweep::new(network, &topology, &flat.voltages()));
        Ok(Self {
            shunt: shunts(network),
            ports: network.branches.iter().map(TwoPort::of).collect(),
            network: network.clone(),
            topology,
            kinds,
            flat,
            filed,
            sweep,
            newton: OnceLock::new(),
        })
    }

    /// Who is connected with whom.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Solves for given injections: by sweep where the network is radial and the sweep converges, else by Newton's
    /// method from the flat start, phase shifts included. What is asked of isolated nodes is not served.
    ///
    /// A solution that might be none of those that go on from no load is checked against that branch of solutions.
    ///
    /// # Errors
    /// Injections that do not fit, a singular network, no convergence, or no operating state.
    pub fn solve(&self, injections: &Injections) -> Result<Flow, PowerFlowError> {
        match self.solve_by_sweep(injections)? {
            Some(flow) => Ok(flow),
            None => self.solve_by_newton(injections),
        }
    }

    /// [`solve`](Self::solve), Newton's method beginning at the voltages that the buses carry: those of a solved case.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_from_file(&self, injections: &Injections) -> Result<Flow, PowerFlowError> {
        match self.solve_by_sweep(injections)? {
            Some(flow) => Ok(flow),
            None => self.newton_from(&[self.filed.as_ref(), None], injections),
        }
    }

    /// [`solve`](Self::solve) by Newton's method whatever the network is like.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_by_newton(&self, injections: &Injections) -> Result<Flow, PowerFlowError> {
        self.newton_from(&[None, self.filed.as_ref()], injections)
    }

    /// By sweep; nothing where the network is meshed, the sweep gives up, or what it found needs a second look.
    fn solve_by_sweep(&self, injections: &Injections) -> Result<Option<Flow>, PowerFlowError> {
        let injection = self.per_unit(injections)?;
        let Some(sweep) = &self.sweep else { return Ok(None) };
        let Some((state, sweeps, mismatch)) = sweep.solve(&injection) else { return Ok(None) };
        if !state.voltage.iter().all(|v| ORDINARY_PU.contains(&v.norm())) {
            return Ok(None);
        }
        let mut powers = vec![None; self.ports.len()];
        for (branch, from, to) in sweep.branch_powers(&state) {
            powers[branch] = Some((from, to));
        }
        let voltage = sweep.voltages(&state, self.kinds.len());
        Ok(Some(self.flow(injections, &voltage, &powers, Method::Sweep, sweeps, mismatch)))
    }

    /// By Newton's method from one start after the other (`None` is the flat one), then along the solutions from no load.
    fn newton_from(&self, starts: &[Option<&Start>; 2], injections: &Injections) -> Result<Flow, PowerFlowError> {
        let injection = self.per_unit(injections)?;
        let found = self.operating_state(self.newton()?, starts, &injection)?;
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

    fn operating_state(
        &self,
        newton: &Newton,
        starts: &[Option<&Start>; 2],
        injection: &[Complex],
    ) -> Result<Found, PowerFlowError> {
        let (mut doubtful, mut lost) = (None, None);
        // Where the file has nothing of its own both are the flat start.
        let starts = if starts[0] == starts[1] { &starts[..1] } else { &starts[..] };
        for how in [Steps::Bold, Steps::Careful] {
            if doubtful.is_some() {
                break;
            }
            for start in starts {
                match newton.solve(*start, injection, how) {
                    Ok(found) if newton.is_ordinary(&found) => return Ok(found),
                    Ok(found) => doubtful = doubtful.or(Some(found)),
                    Err(why) => lost = lost.or(Some(why)),
                }
            }
        }
        let bus = |node: usize| self.network.buses[node].id;
        let end = match newton.continue_from_no_load(injection) {
            Branch::Arrived(found) => return Ok(found),
            Branch::Ended { share, node, .. } => Some((share, node)),
            Branch::NotBegun => None,
        };
        if let Some(found) = doubtful {
            let node = newton.lowest(&found.voltage);
            let share = end.map(|(share, _)| share);
            return Err(PowerFlowError::NoOperatingState {
                bus: bus(node),
                voltage_pu: found.voltage[node].norm(),
                share,
            });
        }
        if let Some((share, node)) = end {
            return Err(PowerFlowError::BeyondCapability { bus: bus(node), share });
        }
        let lost = lost.unwrap_or(Lost { steps: 0, mismatch: f64::INFINITY, worst_node: 0 });
        Err(PowerFlowError::NotConverged {
            iterations: lost.steps,
            mismatch_pu: lost.mismatch,
            worst_bus: bus(lost.worst_node),
        })
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
            .get_or_init(|| Newton::new(&self.network, &self.topology, &self.kinds, self.flat.clone()))
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
