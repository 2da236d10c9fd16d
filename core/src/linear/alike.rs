//! Parts of a symmetric system that look alike, such as the hours of a day. Knows no values.

use super::ordering::{Graph, NONE};

/// What two parts must have in common: by unknown whether its pivot is negative, and with whom in the part it shares an entry.
type Shape = Vec<(bool, Vec<usize>)>;

/// Parts of one pattern.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    /// Unknowns of each part, in one order for all: those that share entries with their part only, then its border.
    pub parts: Vec<Vec<usize>>,
    /// How many of a part's unknowns are not its border.
    pub inner: usize,
    /// Entries of one part, by position in its list.
    pub entries: Vec<(usize, usize)>,
}

impl Alike {
    /// The largest group of parts that look alike, each with what hangs on it alone; at least `fewest`, or nothing.
    pub fn among(signs: &[f64], graph: &Graph, parts: &[Vec<usize>], fewest: usize) -> Option<Self> {
        if parts.len() < fewest {
            return None;
        }
        let mut parts = parts.to_vec();
        let mut owner = vec![NONE; graph.len()];
        for (k, part) in parts.iter().enumerate() {
            for &i in part {
                owner[i] = k as u32;
            }
        }
        adopt(graph, &mut owner, &mut parts);

        let mut position = vec![0; graph.len()];
        for part in &parts {
            part.iter().enumerate().for_each(|(k, &i)| position[i] = k);
        }
        let owner = &owner[..];
        let inside = |i: usize| graph.of(i).iter().copied().filter(move |&j| owner[j] == owner[i]);
        let shape = |part: &[usize]| {
            let mut shape = Shape::with_capacity(part.len());
            for &i in part {
                let mut near: Vec<usize> = inside(i).map(|j| position[j]).collect();
                near.sort_unstable();
                shape.push((signs[i] < 0.0, near));
            }
            shape
        };
        let mut groups: Vec<(Shape, Vec<usize>)> = vec![];
        for (k, part) in parts.iter().enumerate() {
            let shape = shape(part);
            match groups.iter_mut().find(|(of, _)| *of == shape) {
                Some((_, members)) => members.push(k),
                None => groups.push((shape, vec![k])),
            }
        }
        // The first of equally large ones.
        let (shape, members) = groups.into_iter().rev().max_by_key(|(_, members)| members.len())?;
        if members.len() < fewest || shape.is_empty() {
            return None;
        }
        let mut border = vec![false; shape.len()];
        for &k in &members {
            for (at, &i) in border.iter_mut().zip(&parts[k]) {
                *at |= inside(i).count() < graph.of(i).len();
            }
        }
        let mut order: Vec<usize> = (0..shape.len()).collect();
        order.sort_by_key(|&at| border[at]);
        let mut place = vec![0; shape.len()];
        order.iter().enumerate().for_each(|(k, &at)| place[at] = k);
        let entries = order
            .iter()
            .flat_map(|&at| shape[at].1.iter().map(move |&other| (at, other)))
            .map(|(at, other)| (place[at], place[other]))
            .filter(|(a, b)| a >= b)
            .collect();
        Some(Self {
            parts: members.iter().map(|&k| order.iter().map(|&at| parts[k][at]).collect()).collect(),
            inner: border.iter().filter(|b| !**b).count(),
            entries,
        })
    }
}

/// Unknowns of no part that hang together and touch one part only become part of it.
fn adopt(graph: &Graph, owner: &mut [u32], parts: &mut [Vec<usize>]) {
    let mut seen = vec![false; owner.len()];
    for first in 0..owner.len() {
        if owner[first] != NONE || seen[first] {
            continue;
        }
        seen[first] = true;
        let (mut component, mut next) = (vec![first], 0);
        let (mut touched, mut alone) = (NONE, true);
        while let Some(&i) = component.get(next) {
            next += 1;
            for &j in graph.of(i) {
                if owner[j] != NONE {
                    alone &= touched == NONE || touched == owner[j];
                    touched = owner[j];
                } else if !seen[j] {
                    seen[j] = true;
                    component.push(j);
                }
            }
        }
        if alone && touched != NONE {
            component.sort_unstable();
            for &i in &component {
                owner[i] = touched;
            }
            parts[touched as usize].extend(component);
        }
    }
}
