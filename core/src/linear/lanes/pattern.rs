//! The pattern of one part, of the remainder, and where everything is in lanes.

use crate::linear::alike::Alike;
use crate::linear::ordering::{Graph, NONE, minimum_degree};
use crate::linear::pattern::Pattern;

/// The analysed pattern.
#[derive(Clone, Debug)]
pub(crate) struct LanePattern<const N: usize> {
    /// One part, its border last; a full block on the border takes up what is left there.
    pub(super) part: Pattern,
    pub(super) inner: usize,
    pub(super) parts: usize,
    /// Everything else, the borders with their full blocks.
    pub(super) remainder: Pattern,
    /// Unknown of the whole at every position of every chunk and lane; [`NONE`] in borders and in lanes without a part.
    pub(super) inside: Vec<u32>,
    /// Unknown of the whole at every position of the remainder.
    pub(super) outside: Vec<u32>,
    /// Position in the remainder of every chunk's border, lane by lane.
    pub(super) border: Vec<u32>,
    /// Slot in the remainder of the border's block of every chunk, by columns with the diagonal first, lane by lane.
    pub(super) left_over: Vec<u32>,
}

impl<const N: usize> LanePattern<N> {
    /// Analyses the pattern. Returns the slot of each entry, and of each diagonal entry; and about how many multiplications
    /// the parts would take one by one, without the remainder.
    pub(in crate::linear) fn new(
        signs: &[f64],
        entries: &[(usize, usize)],
        alike: &Alike,
    ) -> (Self, Vec<u32>, Vec<u32>, usize) {
        let (n, inner, parts) = (signs.len(), alike.inner, alike.parts.len());
        let size = alike.parts[0].len();
        let (part, alone) = one_part(signs, alike);

        // Part and place in it of every unknown that is in one, and place among the rest.
        let (mut of, mut place, mut rest) = (vec![NONE; n], vec![0; n], vec![0; n]);
        for (k, unknowns) in alike.parts.iter().enumerate() {
            for (at, &i) in unknowns.iter().enumerate() {
                (of[i], place[i]) = (k as u32, at);
            }
        }
        let is_inside = |i: usize| of[i] != NONE && place[i] < inner;
        let others: Vec<usize> = (0..n).filter(|&i| !is_inside(i)).collect();
        others.iter().enumerate().for_each(|(k, &i)| rest[i] = k);
        let mut between: Vec<(usize, usize)> = entries
            .iter()
            .filter(|(i, j)| !is_inside(*i) && !is_inside(*j))
            .map(|&(i, j)| (rest[i], rest[j]))
            .collect();
        for unknowns in &alike.parts {
            let border = &unknowns[inner..];
            for (k, &i) in border.iter().enumerate() {
                between.extend(border[..=k].iter().map(|&j| (rest[i], rest[j])));
            }
        }
        let (remainder, ..) = Pattern::new(&others.iter().map(|&i| signs[i]).collect::<Vec<f64>>(), &between);

        let chunks = parts.div_ceil(N);
        let stored = part.entries();
        let slot = |i: usize, j: usize| {
            if is_inside(i) || is_inside(j) {
                let k = of[i] as usize;
                ((k / N * stored + part.slot(place[i], place[j]) as usize) * N + k % N) as u32
            } else {
                (chunks * stored * N) as u32 + remainder.slot(rest[i], rest[j])
            }
        };
        let slots = entries.iter().map(|&(i, j)| slot(i, j)).collect();
        let diagonal = (0..n).map(|i| slot(i, i)).collect();

        let (mut inside, mut border, mut left_over) = (vec![], vec![], vec![]);
        let at = |chunk: usize, lane: usize, position: usize| {
            alike.parts.get(chunk * N + lane).map(|part_of| part_of[part.order[position] as usize])
        };
        let lanes = |to: &mut Vec<u32>, of: &dyn Fn(usize) -> Option<u32>| {
            to.extend((0..N).map(|lane| of(lane).unwrap_or(NONE)));
        };
        for chunk in 0..chunks {
            for position in 0..size {
                let is_inner = position < inner;
                lanes(&mut inside, &|a| at(chunk, a, position).filter(|_| is_inner).map(|i| i as u32));
            }
            for column in inner..size {
                let in_rest = |lane, position| at(chunk, lane, position).map(|i| rest[i]);
                lanes(&mut border, &|a| in_rest(a, column).map(|i| remainder.position[i]));
                for row in column..size {
                    lanes(&mut left_over, &|a| Some(remainder.slot(in_rest(a, row)?, in_rest(a, column)?)));
                }
            }
        }
        let outside = remainder.order.iter().map(|&k| others[k as usize] as u32).collect();
        let pattern = Self { part, inner, parts, remainder, inside, outside, border, left_over };
        (pattern, slots, diagonal, parts * alone)
    }

    pub(super) fn chunks(&self) -> usize {
        self.parts.div_ceil(N)
    }

    /// Numbers of the parts' entries; the remainder's follow.
    pub(super) fn lane_values(&self) -> usize {
        self.chunks() * self.part.entries() * N
    }

    /// Multiplications of all chunks, each counted once, and of the remainder.
    pub(in crate::linear) fn multiplications(&self) -> (usize, usize) {
        let remainder = self.remainder.multiplications(self.remainder.dimension());
        (self.chunks() * self.part.multiplications(self.inner), remainder)
    }
}

/// The pattern of one part with its border last, and the multiplications that it would take with its border anywhere.
fn one_part(signs: &[f64], alike: &Alike) -> (Pattern, usize) {
    let (inner, size) = (alike.inner, alike.parts[0].len());
    let signs: Vec<f64> = alike.parts[0].iter().map(|&i| signs[i]).collect();
    let free = Graph::new(size, &alike.entries);
    let unbound = minimum_degree(&free);
    let alone = Pattern::in_order(&signs, &free, &unbound).multiplications(size);

    let mut entries = alike.entries.clone();
    for i in inner..size {
        entries.extend((inner..=i).map(|j| (i, j)));
    }
    let graph = Graph::new(size, &entries);
    let within: Vec<(usize, usize)> = entries.into_iter().filter(|&(i, j)| i < inner && j < inner).collect();
    let bound = minimum_degree(&Graph::new(inner, &within));
    let unbound: Vec<usize> = unbound.into_iter().filter(|&i| i < inner).collect();
    let analysed = |mut order: Vec<usize>| {
        order.extend(inner..size);
        Pattern::in_order(&signs, &graph, &order)
    };
    let (a, b) = (analysed(bound), analysed(unbound));
    (if a.multiplications(inner) <= b.multiplications(inner) { a } else { b }, alone)
}
