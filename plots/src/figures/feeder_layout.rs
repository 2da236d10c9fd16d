//! Where the buses of a radial feeder stand on a map: the trunk on lane 0, every lateral on a lane of its own stretch, its
//! first bus above or below the bus it leaves, and no line across another.
//!
//! Laterals are placed from the far end of their strand to the near one. All of a lateral lies right of the column where
//! it begins, so the way to a later one never meets an earlier one, and there is always a lane that is free.

use crate::geometry::Pt;
use std::collections::{BTreeMap, BTreeSet};

/// Columns count along the trunk, lanes from it, both from any number; positive lanes are below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Column and lane of every bus.
    pub(crate) places: BTreeMap<u64, Pt>,
    /// The line to every bus but the root, from its parent: columns and lanes of its corners.
    pub(crate) lines: BTreeMap<u64, Vec<Pt>>,
}

/// By bus, the one towards the root; `None` where the branches are no tree along the strands.
pub(crate) fn parents(strands: &[Vec<u64>], branches: &[(u64, u64)]) -> Option<BTreeMap<u64, u64>> {
    strands.first()?.first()?;
    if branches.len() + 1 != strands.iter().map(Vec::len).sum::<usize>() {
        return None;
    }
    let along = strands.iter().flat_map(|s| s.windows(2)).map(|w| (w[1], w[0]));
    let mut parent: BTreeMap<u64, u64> = along.collect();
    // a lateral leaves a bus of a strand before it
    let mut before: BTreeSet<u64> = strands[0].iter().copied().collect();
    for lateral in &strands[1..] {
        let first = *lateral.first()?;
        let mut neighbours = branches.iter().filter_map(|(from, to)| match (*from == first, *to == first) {
            (true, _) => Some(*to),
            (_, true) => Some(*from),
            _ => None,
        });
        parent.insert(first, neighbours.find(|n| before.contains(n))?);
        before.extend(lateral);
    }
    let known = |(from, to): &(u64, u64)| parent.get(to) == Some(from) || parent.get(from) == Some(to);
    branches.iter().all(known).then_some(parent)
}

impl Layout {
    /// `strands` are the trunk and the laterals outwards; `parent` tells the bus that each lateral leaves.
    pub(crate) fn of(strands: &[Vec<u64>], parent: &BTreeMap<u64, u64>) -> Layout {
        let mut laterals: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (i, strand) in strands.iter().enumerate().skip(1) {
            if let Some(from) = strand.first().and_then(|b| parent.get(b)) {
                laterals.entry(*from).or_default().push(i);
            }
        }
        let packer = Packer { strands, laterals };
        let block = packer.block(0, Entry::Root);
        Layout { places: block.places, lines: block.lines }
    }

    /// Least and greatest column, least and greatest lane.
    pub(crate) fn extent(&self) -> (Pt, Pt) {
        let points = || self.places.values().chain(self.lines.values().flatten());
        let fold = |f: fn(f64, f64) -> f64, pick: fn(&Pt) -> f64| points().map(pick).reduce(f).unwrap_or(0.0);
        ((fold(f64::min, |p| p.0), fold(f64::max, |p| p.0)), (fold(f64::min, |p| p.1), fold(f64::max, |p| p.1)))
    }
}

/// Whether a line comes in from the side of the negative lanes.
#[derive(Clone, Copy, PartialEq)]
enum Entry {
    Root,
    Lateral,
}

/// Something drawn: a piece of a strand or a line across lanes.
#[derive(Clone, Copy)]
struct Taken {
    columns: Pt,
    lanes: Pt,
}

/// Half the height of a strand, in lanes.
const HALF: f64 = 0.4;
/// Free columns between two things.
const APART: f64 = 0.3;
/// How far left of its bus a further lateral of the same bus and side goes, in columns.
const ASIDE: f64 = 0.35;

impl Taken {
    fn meets(&self, other: &Taken) -> bool {
        let columns = self.columns.0 < other.columns.1 + APART && other.columns.0 < self.columns.1 + APART;
        columns && self.lanes.0 < other.lanes.1 && other.lanes.0 < self.lanes.1
    }

    /// Moved by columns and lanes, and turned upside down with a side of -1.
    fn moved(&self, column: f64, lane: f64, side: f64) -> Taken {
        let (a, b) = (side * (self.lanes.0 + lane), side * (self.lanes.1 + lane));
        Taken { columns: (self.columns.0 + column, self.columns.1 + column), lanes: (a.min(b), a.max(b)) }
    }
}

/// A strand with everything that hangs on it; its first bus stands at column 0, lane 0.
#[derive(Default)]
struct Block {
    taken: Vec<Taken>,
    places: BTreeMap<u64, Pt>,
    lines: BTreeMap<u64, Vec<Pt>>,
}

struct Packer<'a> {
    strands: &'a [Vec<u64>],
    /// The laterals that leave a bus.
    laterals: BTreeMap<u64, Vec<usize>>,
}

impl Packer<'_> {
    fn block(&self, strand: usize, entry: Entry) -> Block {
        let buses = &self.strands[strand];
        let mut block = Block::default();
        for (k, bus) in buses.iter().enumerate() {
            block.places.insert(*bus, (k as f64, 0.0));
            if k > 0 {
                block.lines.insert(*bus, vec![((k - 1) as f64, 0.0), (k as f64, 0.0)]);
            }
        }
        block.taken.push(Taken { columns: (0.0, (buses.len() - 1) as f64), lanes: (-HALF, HALF) });
        let way_in = Taken { columns: (0.0, 0.0), lanes: (f64::NEG_INFINITY, -HALF) };
        let way_in: &[Taken] = if entry == Entry::Lateral { &[way_in] } else { &[] };
        for (column, bus) in buses.iter().enumerate().rev() {
            for &lateral in self.laterals.get(bus).into_iter().flatten() {
                block.hang(&self.block(lateral, Entry::Lateral), self.strands[lateral][0], column as f64, way_in);
            }
        }
        block
    }
}

/// Where a lateral goes.
struct Spot {
    side: f64,
    lane: f64,
    /// Column of the line across the lanes.
    across: f64,
}

impl Block {
    /// Hangs a lateral on the bus in a column, on the side and lane next to the strand that are free.
    fn hang(&mut self, lateral: &Block, first: u64, column: f64, way_in: &[Taken]) {
        let taken: Vec<Taken> = self.taken.iter().chain(way_in).copied().collect();
        let nearest = |side: f64| nearest(&taken, lateral, column, side);
        let (below, above) = (nearest(1.0), nearest(-1.0));
        let spot = match (below, above) {
            (Some(below), Some(above)) if above.lane < below.lane => above,
            (Some(below), _) => below,
            (None, Some(above)) => above,
            (None, None) => return,
        };
        let Spot { side, lane, across } = spot;
        let place = |p: &Pt| (p.0 + column, side * (p.1 + lane));
        self.taken.extend(lateral.taken.iter().map(|t| t.moved(column, lane, side)));
        self.taken.push(way(across, lane, side));
        self.taken.push(Taken { columns: (across, column), lanes: (lane - HALF, lane + HALF) }.moved(0.0, 0.0, side));
        self.places.extend(lateral.places.iter().map(|(b, p)| (*b, place(p))));
        self.lines.extend(lateral.lines.iter().map(|(b, line)| (*b, line.iter().map(place).collect())));
        let (from, to) = ((column, 0.0), (column, side * lane));
        let line = if across == column {
            vec![from, to]
        } else {
            vec![from, (across, side * ASIDE), (across, side * lane), to]
        };
        self.lines.insert(first, line);
    }
}

/// The line from the strand to a lane.
fn way(across: f64, lane: f64, side: f64) -> Taken {
    Taken { columns: (across, across), lanes: (HALF, lane) }.moved(0.0, 0.0, side)
}

/// The nearest lane on a side where a lateral meets nothing.
fn nearest(taken: &[Taken], lateral: &Block, column: f64, side: f64) -> Option<Spot> {
    let depth = lateral.taken.iter().map(|t| -t.lanes.0).fold(HALF, f64::max) - HALF;
    let free = |t: &Taken| taken.iter().all(|other| !t.meets(other));
    // straight, or round the laterals that already leave this bus on this side
    let ways = (0..6).map(|k| column - ASIDE * f64::from(k));
    for across in ways.filter(|x| free(&way(*x, 1.0, side))) {
        for step in 1..=taken.len() + lateral.taken.len() + 1 {
            let lane = step as f64 + depth.ceil();
            let fits = |t: &Taken| free(&t.moved(column, lane, side));
            let corner = Taken { columns: (across, column), lanes: (lane - HALF, lane + HALF) }.moved(0.0, 0.0, side);
            if free(&way(across, lane - HALF, side)) && free(&corner) && lateral.taken.iter().all(fits) {
                return Some(Spot { side, lane, across });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Strands of a tree as the manifest has them: the way with the most buses ahead goes on.
    fn strands(parent: &BTreeMap<u64, u64>, n: u64) -> Vec<Vec<u64>> {
        let children = |b: u64| (1..=n).filter(move |c| parent.get(c) == Some(&b));
        fn ahead(b: u64, children: &dyn Fn(u64) -> Vec<u64>) -> usize {
            children(b).into_iter().map(|c| 1 + ahead(c, children)).max().unwrap_or(0)
        }
        let list = |b: u64| children(b).collect::<Vec<_>>();
        let (mut starts, mut out, mut next) = (vec![1], Vec::new(), 0);
        while next < starts.len() {
            let mut here = starts[next];
            let mut strand = vec![here];
            loop {
                let mut ways = list(here);
                ways.sort_by_key(|b| std::cmp::Reverse(ahead(*b, &list)));
                let Some((first, laterals)) = ways.split_first() else { break };
                starts.extend(laterals);
                strand.push(*first);
                here = *first;
            }
            out.push(strand);
            next += 1;
        }
        out
    }

    /// Whether two upright or level or slanted pieces have a point in common.
    fn cross(a: (Pt, Pt), b: (Pt, Pt)) -> bool {
        let turn = |p: Pt, q: Pt, r: Pt| {
            let t = (q.0 - p.0) * (r.1 - p.1) - (q.1 - p.1) * (r.0 - p.0);
            if t.abs() < 1e-9 { 0.0 } else { t.signum() }
        };
        let within = |p: Pt, q: Pt, r: Pt| {
            r.0 >= p.0.min(q.0) - 1e-9
                && r.0 <= p.0.max(q.0) + 1e-9
                && r.1 >= p.1.min(q.1) - 1e-9
                && r.1 <= p.1.max(q.1) + 1e-9
        };
        let t = [turn(a.0, a.1, b.0), turn(a.0, a.1, b.1), turn(b.0, b.1, a.0), turn(b.0, b.1, a.1)];
        (t[0] != t[1] && t[2] != t[3])
            || (t[0] == 0.0 && within(a.0, a.1, b.0))
            || (t[1] == 0.0 && within(a.0, a.1, b.1))
            || (t[2] == 0.0 && within(b.0, b.1, a.0))
            || (t[3] == 0.0 && within(b.0, b.1, a.1))
    }

    /// Lines meet only at a bus that both have.
    fn check(parent: &BTreeMap<u64, u64>, n: u64) -> Result<Layout, String> {
        let layout = Layout::of(&strands(parent, n), parent);
        if layout.places.len() != n as usize || layout.lines.len() != n as usize - 1 {
            return Err(format!("{} places, {} lines", layout.places.len(), layout.lines.len()));
        }
        let mut places: Vec<(i64, i64)> =
            layout.places.values().map(|p| ((p.0 * 100.0).round() as i64, (p.1 * 100.0).round() as i64)).collect();
        places.sort_unstable();
        places.dedup();
        if places.len() != n as usize {
            return Err("two buses in one place".into());
        }
        let pieces: Vec<(u64, usize, (Pt, Pt))> = layout
            .lines
            .iter()
            .flat_map(|(b, line)| line.windows(2).enumerate().map(|(k, w)| (*b, k, (w[0], w[1]))))
            .collect();
        for (i, (b, k, piece)) in pieces.iter().enumerate() {
            for (c, l, other) in &pieces[i + 1..] {
                let neighbours = (b == c && k.abs_diff(*l) == 1)
                    || (b != c && (parent[b] == *c || parent[c] == *b || parent[b] == parent[c]));
                if neighbours {
                    // they share one point at most
                    let shared = |p: Pt| p == other.0 || p == other.1;
                    let middle = |q: (Pt, Pt)| (f64::midpoint(q.0.0, q.1.0), f64::midpoint(q.0.1, q.1.1));
                    let on = |p: Pt, q: (Pt, Pt)| cross((p, p), q);
                    if on(middle(*piece), *other) || on(middle(*other), *piece) {
                        return Err(format!("{b} lies on {c}"));
                    }
                    if !(shared(piece.0) || shared(piece.1)) && cross(*piece, *other) {
                        return Err(format!("{b} meets {c}"));
                    }
                } else if cross(*piece, *other) {
                    return Err(format!("{b} crosses {c}: {piece:?} {other:?}"));
                }
            }
        }
        Ok(layout)
    }

    fn feeder(id: &str) -> (BTreeMap<u64, u64>, u64) {
        let network = coase_core::network::built_in(id).unwrap().network().unwrap();
        let topology = coase_core::network::Topology::new(&network);
        // ids from 1 in the order of the way outwards
        let number: BTreeMap<u64, u64> =
            topology.order().iter().enumerate().map(|(i, b)| (network.bus(*b).id, i as u64 + 1)).collect();
        let of = |b| number[&network.bus(b).id];
        let parent = topology.order().iter().filter_map(|b| Some((of(*b), of(topology.parent(*b)?.node)))).collect();
        (parent, number.len() as u64)
    }

    #[test]
    fn the_33_bus_feeder_has_three_lanes() {
        let (parent, n) = feeder("ieee-33");
        let ((left, right), (top, bottom)) = check(&parent, n).unwrap().extent();
        assert_eq!((left, right, top, bottom), (0.0, 17.0, -1.0, 1.0));
    }

    #[test]
    fn no_line_crosses_another_on_any_feeder() {
        let radial = coase_core::network::BUILT_IN.iter().filter(|b| {
            let network = b.network().unwrap();
            network.branches.iter().filter(|l| l.in_service).count() + 1 == network.buses.len()
        });
        let mut seen = 0;
        for b in radial {
            let (parent, n) = feeder(b.id);
            check(&parent, n).unwrap_or_else(|e| panic!("{}: {e}", b.id));
            seen += 1;
        }
        assert!(seen >= 3, "{seen} radial feeders");
    }

    proptest! {
        #[test]
        fn no_line_crosses_another_on_any_tree(picks in prop::collection::vec(0.0..1.0f64, 1..150), recent in 1.0..20.0f64) {
            // most buses go on from one of the last
            let parent: BTreeMap<u64, u64> = picks
                .iter()
                .enumerate()
                .map(|(i, u)| (i as u64 + 2, (i as f64 + 1.0 - (u * recent.min(i as f64 + 1.0)).floor()).max(1.0) as u64))
                .collect();
            let n = picks.len() as u64 + 1;
            // more laterals at one bus than there are ways round is no feeder
            let most = (1..=n).map(|b| parent.values().filter(|p| **p == b).count()).max().unwrap_or(0);
            prop_assume!(most <= 4);
            let checked = check(&parent, n);
            prop_assert!(checked.is_ok(), "{:?}", checked.err());
        }
    }
}
