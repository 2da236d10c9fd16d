//! Branches as two-ports, buses as shunts: the per-unit model behind both methods.

use crate::network::{Branch, Network, Topology};

use super::complex::Complex;

/// Currents into a branch from its ends: I_f = y_ff V_f + y_ft V_t, I_t = y_tf V_f + y_tt V_t.
#[derive(Debug, Clone, Copy)]
pub(super) struct TwoPort {
    pub ff: Complex,
    pub ft: Complex,
    pub tf: Complex,
    pub tt: Complex,
}

impl TwoPort {
    /// With y = 1/(r + jx), charging b and ratio a = τe^{jφ} at the sending side: y_ff = (y + jb/2)/|a|²,
    /// y_ft = −y/a*, y_tf = −y/a, y_tt = y + jb/2.
    pub(super) fn of(branch: &Branch) -> Self {
        let y = Complex::new(branch.r_pu, branch.x_pu).inverse();
        let own = y + Complex::new(0.0, branch.b_pu / 2.0);
        let ratio = ratio(branch);
        Self { ff: own.scale(1.0 / ratio.square_norm()), ft: -(y / ratio.conj()), tf: -(y / ratio), tt: own }
    }

    /// Power into the branch at its sending and receiving end.
    pub(super) fn power(&self, from: Complex, to: Complex) -> (Complex, Complex) {
        let i_from = self.ff * from + self.ft * to;
        let i_to = self.tf * from + self.tt * to;
        (from * i_from.conj(), to * i_to.conj())
    }
}

/// Voltage and current at the near end from those at the far end: V_n = a V_f + b I, I_n = c V_f + d I, the current
/// flowing from near to far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    pub a: Complex,
    pub b: Complex,
    pub c: Complex,
    pub d: Complex,
}

impl Chain {
    /// Sending end near, receiving end far.
    pub(super) fn along(branch: &Branch) -> Self {
        let z = Complex::new(branch.r_pu, branch.x_pu);
        let half = Complex::new(0.0, branch.b_pu / 2.0);
        let own = Complex::ONE + z * half;
        let ratio = ratio(branch);
        let back = ratio.conj().inverse();
        Self { a: ratio * own, b: ratio * z, c: back * (half + half + half * half * z), d: back * own }
    }

    /// Receiving end near, sending end far.
    pub(super) fn against(branch: &Branch) -> Self {
        let Self { a, b, c, d } = Self::along(branch);
        let ratio = ratio(branch);
        // Reciprocal of the determinant: 1 but for a phase shift.
        let scale = ratio.conj() / ratio;
        Self { a: d * scale, b: b * scale, c: c * scale, d: a * scale }
    }
}

fn ratio(branch: &Branch) -> Complex {
    if branch.shift_deg == 0.0 {
        return Complex::new(branch.tap, 0.0);
    }
    Complex::polar(branch.tap, branch.shift_deg.to_radians())
}

/// Shunt admittance of each bus, pu: G consumes, B injects reactive power.
pub(super) fn shunts(network: &Network) -> Vec<Complex> {
    let base = network.base_kva();
    network.buses.iter().map(|bus| Complex::new(bus.g_kw / base, bus.b_kvar / base)).collect()
}

/// The bus admittance matrix of the energised part by rows, the diagonal first.
#[derive(Debug, Clone)]
pub(super) struct Admittance {
    pub start: Vec<usize>,
    pub column: Vec<usize>,
    pub value: Vec<Complex>,
}

impl Admittance {
    pub(super) fn new(network: &Network, topology: &Topology) -> Self {
        let mut rows: Vec<Vec<(usize, Complex)>> =
            shunts(network).into_iter().enumerate().map(|(i, y)| vec![(i, y)]).collect();
        for branch in network.branches.iter().filter(|b| b.in_service && topology.is_energised(b.from)) {
            let (f, t) = (branch.from.0, branch.to.0);
            let port = TwoPort::of(branch);
            for (i, j, y) in [(f, f, port.ff), (f, t, port.ft), (t, f, port.tf), (t, t, port.tt)] {
                match rows[i].iter_mut().find(|entry| entry.0 == j) {
                    Some(entry) => entry.1 += y,
                    None => rows[i].push((j, y)),
                }
            }
        }
        let mut start = vec![0];
        let (mut column, mut value) = (Vec::new(), Vec::new());
        for row in rows {
            column.extend(row.iter().map(|entry| entry.0));
            value.extend(row.iter().map(|entry| entry.1));
            start.push(column.len());
        }
        Self { start, column, value }
    }

    pub(super) fn row(&self, i: usize) -> impl Iterator<Item = (usize, Complex)> + '_ {
        let range = self.start[i]..self.start[i + 1];
        self.column[range.clone()].iter().copied().zip(self.value[range].iter().copied())
    }

    /// Σ_j Y_ij V_j.
    pub(super) fn current(&self, i: usize, voltage: &[Complex]) -> Complex {
        let mut sum = Complex::ZERO;
        for (j, y) in self.row(i) {
            sum += y * voltage[j];
        }
        sum
    }
}
