//! The elimination of the parts side by side and of the remainder.

use super::pattern::LanePattern;
use super::split::Split;
use crate::linear::ldl::{Ldl, Pivots, REFINEMENTS};
use crate::linear::ordering::NONE;
use crate::linear::pattern::Pattern;

/// Values over a pattern, and their factors.
#[derive(Clone, Debug)]
pub(crate) struct LaneLdl<'p, const N: usize> {
    pattern: &'p LanePattern<N>,
    /// At the slots that [`LanePattern::new`] returned.
    pub values: Vec<f64>,
    lower: Vec<[f64; N]>,
    /// Inverse pivots; in borders what is left of the diagonal.
    inverse_pivot: Vec<[f64; N]>,
    /// A column before it is divided by its pivot.
    column: Vec<[f64; N]>,
    remainder: Ldl<'p>,
    solution: Split<N>,
    residual: Split<N>,
}

impl<'p, const N: usize> LaneLdl<'p, N> {
    /// A matrix of zeros, but for ones where a lane has no part.
    pub fn new(pattern: &'p LanePattern<N>) -> Self {
        let (part, chunks) = (&pattern.part, pattern.chunks());
        let mut values = vec![0.0; pattern.lane_values() + pattern.remainder.entries()];
        for k in pattern.parts..chunks * N {
            for position in 0..pattern.inner {
                let diagonal = part.column_start[position + 1] as usize - 1;
                values[(k / N * part.entries() + diagonal) * N + k % N] = part.sign[position];
            }
        }
        let longest = part.lower_start.windows(2).map(|r| (r[1] - r[0]) as usize).max().unwrap_or(0);
        Self {
            pattern,
            values,
            lower: vec![[0.0; N]; chunks * part.lower_row.len()],
            inverse_pivot: vec![[0.0; N]; chunks * part.dimension()],
            column: vec![[0.0; N]; longest],
            remainder: Ldl::new(&pattern.remainder),
            solution: Split::zero(pattern),
            residual: Split::zero(pattern),
        }
    }

    /// Factors the current values; returns the number of negative pivots. See [`Pivots`] for what `replacement` is.
    pub fn factor(&mut self, replacement: Option<f64>) -> usize {
        let p = self.pattern;
        let (lanes, rest) = self.values.split_at(p.lane_values());
        self.remainder.values.copy_from_slice(rest);
        let mut negative = 0;
        let (stored, filled, size) = (p.part.entries(), p.part.lower_row.len(), p.part.dimension());
        let mut slots = p.left_over.as_chunks::<N>().0.iter();
        for chunk in 0..p.chunks() {
            let values = &lanes.as_chunks::<N>().0[chunk * stored..][..stored];
            let lower = &mut self.lower[chunk * filled..][..filled];
            let left = &mut self.inverse_pivot[chunk * size..][..size];
            let counts = eliminate(&p.part, p.inner, values, lower, left, &mut self.column, replacement);
            negative += counts[..N.min(p.parts - chunk * N)].iter().sum::<usize>();
            for column in p.inner..size {
                let below = p.part.lower_start[column] as usize..p.part.lower_start[column + 1] as usize;
                for (left_over, slots) in std::iter::once(&left[column]).chain(&lower[below]).zip(slots.by_ref()) {
                    for a in 0..N {
                        if let Some(to) = self.remainder.values.get_mut(slots[a] as usize) {
                            *to += left_over[a];
                        }
                    }
                }
            }
        }
        negative += match replacement {
            Some(by) => self.remainder.factor(&Pivots::Signed { floor: None, replacement: &|_| by }),
            None => self.remainder.factor(&Pivots::Free),
        };
        // Residuals are those of the matrix itself.
        self.remainder.values.copy_from_slice(rest);
        negative
    }

    /// Solves `K out = rhs`, and refines while the residual exceeds `tolerance`: see [`Ldl::refined`].
    pub fn refined(&mut self, rhs: &[f64], out: &mut [f64], tolerance: f64) {
        let p = self.pattern;
        let Self { values, lower, inverse_pivot, remainder, solution, residual, .. } = self;
        let lanes = values[..p.lane_values()].as_chunks::<N>().0;
        solution.load(p, rhs);
        substitute(p, lower, inverse_pivot, remainder, solution);
        for _ in 0..if tolerance < f64::INFINITY { REFINEMENTS } else { 0 } {
            residual.load(p, rhs);
            let (stored, size) = (p.part.entries(), p.part.dimension());
            for ((values, x), r) in
                lanes.chunks(stored).zip(solution.lanes.chunks(size)).zip(residual.lanes.chunks_mut(size))
            {
                subtract_product(&p.part, values, x, r);
            }
            residual.hand_over(p);
            remainder.subtract_product(&solution.rest, &mut residual.rest);
            let worst = residual.worst();
            if worst <= tolerance || !worst.is_finite() {
                break;
            }
            substitute(p, lower, inverse_pivot, remainder, residual);
            for (x, c) in solution.lanes.iter_mut().zip(&residual.lanes) {
                for a in 0..N {
                    x[a] += c[a];
                }
            }
            for (x, c) in solution.rest.iter_mut().zip(&residual.rest) {
                *x += c;
            }
        }
        solution.store(p, out);
    }
}

/// Eliminates the first `inner` columns of a chunk; what is left is in the others. Counts negative pivots by lane.
fn eliminate<const N: usize>(
    p: &Pattern,
    inner: usize,
    values: &[[f64; N]],
    mut lower: &mut [[f64; N]],
    left: &mut [[f64; N]],
    column: &mut [[f64; N]],
    replacement: Option<f64>,
) -> [usize; N] {
    lower.fill([0.0; N]);
    for (k, left) in left.iter_mut().enumerate() {
        let (first, diagonal) = (p.column_start[k] as usize, p.column_start[k + 1] as usize - 1);
        for (&at, v) in p.landing[first..diagonal].iter().zip(&values[first..diagonal]) {
            lower[at as usize] = *v;
        }
        *left = values[diagonal];
    }
    let (mut rows, mut target, mut apart) = (&p.lower_row[..], &p.target[..], &p.apart[..]);
    let mut negative = [0; N];
    for (k, range) in p.lower_start.windows(2).enumerate().take(inner) {
        let (pivot, own, sign) = (left[k], values[p.column_start[k + 1] as usize - 1], p.sign[k]);
        let mut inverse = [0.0; N];
        for a in 0..N {
            let safe = match replacement {
                Some(by) if sign * pivot[a] <= 1e-12 * own[a].abs() => sign * by,
                None if pivot[a] == 0.0 => f64::EPSILON * sign,
                _ => pivot[a],
            };
            negative[a] += usize::from(safe < 0.0);
            inverse[a] = 1.0 / safe;
        }
        left[k] = inverse;

        let count = (range[1] - range[0]) as usize;
        let (own, later) = std::mem::take(&mut lower).split_at_mut(count);
        let (own_rows, later_rows) = rows.split_at(count);
        let (own_target, later_target) = target.split_at(count);
        let whole = &mut column[..count];
        whole.copy_from_slice(own);
        for (b, (l, &row)) in own.iter_mut().zip(own_rows).enumerate() {
            let mut factor = [0.0; N];
            let diagonal = &mut left[row as usize];
            for a in 0..N {
                factor[a] = l[a] * inverse[a];
                diagonal[a] -= factor[a] * l[a];
            }
            *l = factor;
            let following = &whole[b + 1..];
            if own_target[b] == NONE {
                let (at, rest) = apart.split_at(following.len());
                apart = rest;
                for (&to, w) in at.iter().zip(following) {
                    subtract(&mut later[to as usize], &factor, w);
                }
            } else {
                let begin = own_target[b] as usize;
                for (to, w) in later[begin..begin + following.len()].iter_mut().zip(following) {
                    subtract(to, &factor, w);
                }
            }
        }
        (rows, lower, target) = (later_rows, later, later_target);
    }
    negative
}

/// `to -= by * from`, lane by lane.
#[inline(always)]
fn subtract<const N: usize>(to: &mut [f64; N], by: &[f64; N], from: &[f64; N]) {
    for a in 0..N {
        to[a] -= by[a] * from[a];
    }
}

/// `t` becomes the solution of `L D L' x = t`; borders are zero before and hold their values after.
fn substitute<const N: usize>(
    p: &LanePattern<N>,
    lower: &[[f64; N]],
    inverse_pivot: &[[f64; N]],
    remainder: &Ldl,
    t: &mut Split<N>,
) {
    let (part, filled, size) = (&p.part, p.part.lower_row.len(), p.part.dimension());
    let column = |k: usize| part.lower_start[k] as usize..part.lower_start[k + 1] as usize;
    for (chunk, t) in t.lanes.chunks_mut(size).enumerate() {
        let lower = &lower[chunk * filled..][..filled];
        for k in 0..p.inner {
            let v = t[k];
            for (&i, l) in part.lower_row[column(k)].iter().zip(&lower[column(k)]) {
                subtract(&mut t[i as usize], l, &v);
            }
        }
    }
    t.hand_over(p);
    remainder.substitute(&mut t.rest);
    t.take_back(p);
    for (chunk, t) in t.lanes.chunks_mut(size).enumerate() {
        let (lower, inverse) = (&lower[chunk * filled..][..filled], &inverse_pivot[chunk * size..][..size]);
        for k in (0..p.inner).rev() {
            let mut v = t[k];
            for a in 0..N {
                v[a] *= inverse[k][a];
            }
            for (&i, l) in part.lower_row[column(k)].iter().zip(&lower[column(k)]) {
                subtract(&mut v, l, &t[i as usize]);
            }
            t[k] = v;
        }
    }
}

/// `out -= K x` of a chunk.
fn subtract_product<const N: usize>(p: &Pattern, values: &[[f64; N]], x: &[[f64; N]], out: &mut [[f64; N]]) {
    let (mut rows, mut values) = (&p.column_row[..], values);
    for (k, range) in p.column_start.windows(2).enumerate() {
        let count = (range[1] - range[0]) as usize;
        let (own_rows, later_rows) = rows.split_at(count);
        let (own, later) = values.split_at(count);
        let (v, mut sum) = (x[k], [0.0; N]);
        for a in 0..N {
            sum[a] = own[count - 1][a] * v[a];
        }
        for (&i, value) in own_rows[..count - 1].iter().zip(own) {
            let other = &x[i as usize];
            for a in 0..N {
                sum[a] += value[a] * other[a];
            }
            subtract(&mut out[i as usize], value, &v);
        }
        for a in 0..N {
            out[k][a] -= sum[a];
        }
        (rows, values) = (later_rows, later);
    }
}
