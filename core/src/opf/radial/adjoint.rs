//! Prices as the adjoint of the power flow: one sweep from the leaves to the roots and back.
//!
//! The Lagrangian is stationary in every flow and voltage, which fixes the duals of a branch given those of its parent.
//! With `L_j` the pair of prices at `j`, `w_j` the dual of its voltage row and `eta_j` the price of its squared current,
//!
//! ```text
//! eta_j    = r Lp_j + x Lq_j + |z|^2 w_j - 2 omega_r (r P^r + x Q^r)
//! down w_j = mu_j + G_j Lp_j - B_j Lq_j + 2 omega_r c_r Q^r + sum over children of (up w - eta l / v_j - 2 omega_s c_s Q^s)
//! L_j      = L_i - 2 (r, x) w_j + eta_j 2 (P, Q) / (up v_i) + 2 omega_s (P^s, Q^s) + 2 omega_r (P^r, Q^r)
//! ```
//!
//! A limit of an angle, `p P + q Q + v v_i >= 0` with dual nu, takes `nu (p, q)` from `L_j` and `nu v` from the sum of `i`.
//!
//! From the leaves up `w_j` is affine in `L_j`; the way down substitutes. Everything is linear in the sources.

use super::feeder::{Feeder, FlowState};

/// What prices come from: prices at the roots and duals of limits.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// Active and reactive price at the roots.
    pub root: (f64, f64),
    /// Dual of the upper less that of the lower voltage limit, by position.
    pub voltage: Vec<f64>,
    /// Duals of the squared apparent power at the sending and receiving terminal of the branch above each position.
    pub sending: Vec<f64>,
    pub receiving: Vec<f64>,
    /// Duals of the lower and the upper limit of the angle across it.
    pub angle: Vec<[f64; 2]>,
}

/// Prices by position.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    pub active: Vec<f64>,
    pub reactive: Vec<f64>,
    /// Price of the squared current of the branch above each position.
    pub current: Vec<f64>,
    /// What a unit more of the squared voltage of each root costs.
    pub root_voltage: Vec<f64>,
}

impl Sources {
    /// Only a price at the roots.
    pub fn root(n: usize, active: f64, reactive: f64) -> Self {
        let none = vec![0.0; n];
        Self {
            root: (active, reactive),
            voltage: none.clone(),
            sending: none.clone(),
            receiving: none,
            angle: vec![[0.0; 2]; n],
        }
    }
}

impl Feeder {
    /// The prices that `sources` cause at the flow `s`.
    pub fn prices(&self, s: &FlowState, sources: &Sources) -> Prices {
        let n = self.len();
        // down_j w_j = constant + slope . L_j, children added as they are met.
        let mut constant = sources.voltage.clone();
        let mut slope: Vec<[f64; 2]> = (0..n).map(|k| [self.g[k], -self.b[k]]).collect();
        // L_j = shift + turn L_i, eta_j = current + tilt . L_j.
        let (mut shift, mut turn) = (vec![[0.0; 2]; n], vec![[[0.0; 2]; 2]; n]);
        let (mut current, mut tilt) = (vec![0.0; n], vec![[0.0; 2]; n]);
        for k in (self.roots..n).rev() {
            let line = &self.branch[k];
            let i = line.parent;
            let [(ps, qs), (pr, qr)] = self.terminals(s, k);
            let (ws, wr) = (2.0 * sources.sending[k], 2.0 * sources.receiving[k]);
            constant[k] += wr * line.charging_down * qr;
            let (a, b) = (constant[k] / line.down, slope[k].map(|v| v / line.down));
            let eta = line.z2() * a - wr * (line.r * pr + line.x * qr);
            let delta = [line.r + line.z2() * b[0], line.x + line.z2() * b[1]];
            let flow = [2.0 * s.p[k] / (line.up * s.v[i]), 2.0 * s.q[k] / (line.up * s.v[i])];
            let z = [2.0 * line.r, 2.0 * line.x];
            let mut limit = [ws * ps + wr * pr, ws * qs + wr * qr];
            for (dual, angle) in sources.angle[k].iter().zip(line.angle_limits()) {
                let Some(angle) = angle.filter(|_| *dual != 0.0) else { continue };
                limit[0] -= dual * angle.p;
                limit[1] -= dual * angle.q;
                constant[i] -= dual * angle.v;
            }
            let own: [f64; 2] = std::array::from_fn(|m| flow[m] * eta - z[m] * a + limit[m]);
            let system: [[f64; 2]; 2] = std::array::from_fn(|m| {
                std::array::from_fn(|c| f64::from(u8::from(m == c)) + z[m] * b[c] - flow[m] * delta[c])
            });
            let inverse = inverted(system);
            shift[k] = product(inverse, own);
            turn[k] = inverse;
            (current[k], tilt[k]) = (eta, delta);
            // What the parent's voltage row sees: up w - eta l / v_i - 2 omega_s c_s Q^s.
            let drop = s.l[k] / s.v[i];
            let seen = [line.up * b[0] - delta[0] * drop, line.up * b[1] - delta[1] * drop];
            constant[i] +=
                line.up * a - eta * drop - ws * line.charging_up * qs + seen[0] * shift[k][0] + seen[1] * shift[k][1];
            for c in 0..2 {
                slope[i][c] += seen[0] * inverse[0][c] + seen[1] * inverse[1][c];
            }
        }
        let mut price = vec![[sources.root.0, sources.root.1]; n];
        let mut eta = vec![0.0; n];
        for k in self.roots..n {
            let above = product(turn[k], price[self.branch[k].parent]);
            price[k] = [shift[k][0] + above[0], shift[k][1] + above[1]];
            eta[k] = current[k] + tilt[k][0] * price[k][0] + tilt[k][1] * price[k][1];
        }
        Prices {
            active: price.iter().map(|p| p[0]).collect(),
            reactive: price.iter().map(|p| p[1]).collect(),
            current: eta,
            root_voltage: (0..self.roots)
                .map(|k| constant[k] + slope[k][0] * sources.root.0 + slope[k][1] * sources.root.1)
                .collect(),
        }
    }
}

fn inverted(m: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    [[m[1][1] / determinant, -m[0][1] / determinant], [-m[1][0] / determinant, m[0][0] / determinant]]
}

fn product(m: [[f64; 2]; 2], v: [f64; 2]) -> [f64; 2] {
    [m[0][0] * v[0] + m[0][1] * v[1], m[1][0] * v[0] + m[1][1] * v[1]]
}
