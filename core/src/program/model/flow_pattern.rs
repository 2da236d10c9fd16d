//! The pattern of the linear system of a Newton step on a program with power flows, and where everything goes in it.

use super::flows::{Divisor, FlowProgram, FlowTerm, Mode};
use crate::linear::SymmetricPattern;

/// The analysed pattern of the step's system, and where everything goes.
#[derive(Clone, Debug)]
pub(crate) struct FlowPattern {
    pub(in crate::program) pattern: SymmetricPattern,
    pub(in crate::program) mode: Mode,
    pub(in crate::program) variables: usize,
    pub(in crate::program) diagonal: Vec<u32>,
    pub(in crate::program) entry: Vec<u32>,
    /// Slots of all flow terms, one after the other.
    pub(in crate::program) flow: Vec<u32>,
    pub(in crate::program) disc: Vec<u32>,
}

impl FlowPattern {
    pub fn new(program: &FlowProgram, mode: Mode) -> Self {
        let found =
            Self::analysed(program, mode, |signs, entries, parts| Some(SymmetricPattern::new(signs, entries, parts)));
        found.expect("a pattern can always be analysed")
    }

    /// The same with so many parts side by side; see [`SymmetricPattern::in_lanes`].
    pub fn in_lanes(program: &FlowProgram, mode: Mode, lanes: usize) -> Option<Self> {
        Self::analysed(program, mode, |signs, entries, parts| SymmetricPattern::in_lanes(signs, entries, parts, lanes))
    }

    fn analysed(
        program: &FlowProgram,
        mode: Mode,
        analyse: impl FnOnce(&[f64], &[(usize, usize)], &[Vec<usize>]) -> Option<(SymmetricPattern, Vec<u32>, Vec<u32>)>,
    ) -> Option<Self> {
        let (n, m) = (program.linear.len(), program.rhs.len());
        let mut entries: Vec<(usize, usize)> = program.entries.iter().map(|&(i, j, _)| (n + i, j)).collect();
        let linear = entries.len();
        for f in &program.flows {
            let (corner, count) = corner(f);
            for a in 0..count {
                entries.extend((0..=a).map(|b| (corner[a], corner[b])));
            }
            for &(i, _) in &f.effect {
                entries.extend(corner[..count].iter().map(|&j| (n + i, j)));
            }
            if mode == Mode::Relaxed {
                for (a, &(i, _)) in f.effect.iter().enumerate() {
                    entries.extend(f.effect[..=a].iter().map(|&(other, _)| (n + i, n + other)));
                }
            }
        }
        let curved = entries.len();
        entries.extend(program.discs.iter().flat_map(|d| [(d.a, d.a), (d.b, d.a), (d.b, d.b)]));
        let signs: Vec<f64> = (0..n + m).map(|i| if i < n { 1.0 } else { -1.0 }).collect();
        let parts: Vec<Vec<usize>> =
            program.blocks.iter().map(|b| b.variables.clone().chain(b.rows.clone().map(|i| n + i)).collect()).collect();
        let (pattern, slots, diagonal) = analyse(&signs, &entries, &parts)?;
        Some(Self {
            pattern,
            mode,
            variables: n,
            diagonal,
            entry: slots[..linear].to_vec(),
            flow: slots[linear..curved].to_vec(),
            disc: slots[curved..].to_vec(),
        })
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }
}

/// The variables of a flow term: active and reactive flow, and the divisor if it is a variable.
fn corner(f: &FlowTerm) -> ([usize; 3], usize) {
    match f.v {
        Divisor::Constant(_) => ([f.p, f.q, 0], 2),
        Divisor::Variable(v, _) => ([f.p, f.q, v], 3),
    }
}
