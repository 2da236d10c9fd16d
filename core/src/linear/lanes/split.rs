//! Vectors in lanes, and the way between the parts' borders and the remainder.

use super::pattern::LanePattern;

/// A vector: by chunk, position and lane, and by position of the remainder.
#[derive(Clone, Debug)]
pub(super) struct Split<const N: usize> {
    pub lanes: Vec<[f64; N]>,
    pub rest: Vec<f64>,
}

impl<const N: usize> Split<N> {
    pub fn zero(p: &LanePattern<N>) -> Self {
        let rows = p.chunks() * p.part.dimension();
        Self { lanes: vec![[0.0; N]; rows], rest: vec![0.0; p.remainder.dimension()] }
    }

    /// Reads a vector of the whole; borders belong to the remainder.
    pub fn load(&mut self, p: &LanePattern<N>, whole: &[f64]) {
        for (to, from) in self.lanes.iter_mut().zip(p.inside.as_chunks::<N>().0) {
            for a in 0..N {
                to[a] = whole.get(from[a] as usize).copied().unwrap_or(0.0);
            }
        }
        for (to, &from) in self.rest.iter_mut().zip(&p.outside) {
            *to = whole[from as usize];
        }
    }

    pub fn store(&self, p: &LanePattern<N>, whole: &mut [f64]) {
        for (from, to) in self.lanes.iter().zip(p.inside.as_chunks::<N>().0) {
            for a in 0..N {
                if let Some(to) = whole.get_mut(to[a] as usize) {
                    *to = from[a];
                }
            }
        }
        for (&from, &to) in self.rest.iter().zip(&p.outside) {
            whole[to as usize] = from;
        }
    }

    /// Adds what the parts have put on their borders to the remainder.
    pub fn hand_over(&mut self, p: &LanePattern<N>) {
        let borders = self.lanes.chunks_mut(p.part.dimension()).flat_map(|chunk| &mut chunk[p.inner..]);
        for (from, to) in borders.zip(p.border.as_chunks::<N>().0) {
            for a in 0..N {
                if let Some(to) = self.rest.get_mut(to[a] as usize) {
                    *to += from[a];
                }
            }
            *from = [0.0; N];
        }
    }

    /// Copies the remainder's values to the borders.
    pub fn take_back(&mut self, p: &LanePattern<N>) {
        let borders = self.lanes.chunks_mut(p.part.dimension()).flat_map(|chunk| &mut chunk[p.inner..]);
        for (to, from) in borders.zip(p.border.as_chunks::<N>().0) {
            for a in 0..N {
                to[a] = self.rest.get(from[a] as usize).copied().unwrap_or(0.0);
            }
        }
    }

    pub fn worst(&self) -> f64 {
        self.lanes.iter().flatten().chain(&self.rest).fold(0.0, |most: f64, r| most.max(r.abs()))
    }
}
