use super::{LaneLdl, LanePattern};
use crate::linear::alike::Alike;
use crate::linear::ordering::Graph;
use crate::linear::{Ldl, Pattern, Pivots};
use proptest::prelude::*;

/// A quasidefinite system of parts that look alike, joined by a few unknowns: signs, entries, values, and the parts.
struct Joined {
    signs: Vec<f64>,
    entries: Vec<(usize, usize)>,
    values: Vec<f64>,
    parts: Vec<Vec<usize>>,
}

impl Joined {
    /// Parts of `size`, of which the last `border` share entries with `outside` further unknowns.
    fn draw(parts: usize, size: usize, border: usize, outside: usize, seed: &[f64]) -> Self {
        let mut draw = seed.iter().cycle().copied();
        let mut next = move || draw.next().expect("cycles");
        let n = parts * size + outside;
        let sign = |i: usize| if i % 3 == 2 { -1.0 } else { 1.0 };
        let within: Vec<(usize, usize)> =
            (0..size).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|_| next() > 0.2).collect();
        let joints: Vec<(usize, usize)> = (0..outside)
            .flat_map(|o| (size - border..size).map(move |i| (o, i)))
            .filter(|&(o, _)| o == 0 || next() > 0.0)
            .collect();
        let mut signs = vec![0.0; n];
        let (mut entries, mut values) = (vec![], vec![]);
        let mut put = |i: usize, j: usize, v: f64| {
            entries.push((i, j));
            values.push(v);
        };
        for k in 0..parts {
            let first = k * size;
            for i in 0..size {
                signs[first + i] = sign(i);
                put(first + i, first + i, sign(i) * (0.2 + next().abs()));
            }
            // Quasidefinite: entries join unknowns of different sign only.
            for &(i, j) in within.iter().filter(|&&(i, j)| sign(i) != sign(j)) {
                put(first + i, first + j, next());
            }
            for &(o, i) in &joints {
                let same = (sign(i) > 0.0) == (o % 2 == 0);
                put(parts * size + o, first + i, if same { 0.01 * next() } else { next() });
            }
        }
        for o in 0..outside {
            let i = parts * size + o;
            signs[i] = if o % 2 == 0 { 1.0 } else { -1.0 };
            put(i, i, 5.0 * signs[i]);
        }
        let parts = (0..parts).map(|k| (k * size..(k + 1) * size).collect()).collect();
        Self { signs, entries, values, parts }
    }

    fn alike(&self) -> Option<Alike> {
        Alike::among(&self.signs, &Graph::new(self.signs.len(), &self.entries), &self.parts, 4)
    }

    /// Negative pivots and the solution, with `N` lanes.
    fn solved<const N: usize>(&self, rhs: &[f64], tolerance: f64) -> (usize, Vec<f64>) {
        let (pattern, slots, diagonal, _) =
            LanePattern::<N>::new(&self.signs, &self.entries, &self.alike().expect("alike"));
        let mut ldl = LaneLdl::new(&pattern);
        for (&slot, v) in slots.iter().zip(&self.values) {
            ldl.values[slot as usize] += v;
        }
        for (i, &slot) in diagonal.iter().enumerate() {
            assert_eq!(ldl.values[slot as usize].signum(), self.signs[i]);
        }
        let mut x = vec![0.0; rhs.len()];
        let negative = ldl.factor(None);
        ldl.refined(rhs, &mut x, tolerance);
        (negative, x)
    }

    fn whole(&self, rhs: &[f64], tolerance: f64) -> (usize, Vec<f64>) {
        let (pattern, slots, _) = Pattern::new(&self.signs, &self.entries);
        let mut ldl = Ldl::new(&pattern);
        for (&slot, v) in slots.iter().zip(&self.values) {
            ldl.values[slot as usize] += v;
        }
        let mut x = vec![0.0; rhs.len()];
        let negative = ldl.factor(&Pivots::Free);
        ldl.refined(rhs, &mut x, tolerance);
        (negative, x)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against the scalar elimination of the whole; and the same bits whatever the number of lanes.
    #[test]
    fn parts_side_by_side_solve_the_system_of_the_whole(
        parts in 4_usize..12, size in 2_usize..9, border in 0_usize..3, outside in 0_usize..4,
        seed in proptest::collection::vec(-1.0_f64..1.0, 331),
    ) {
        let system = Joined::draw(parts, size, border.min(size), outside, &seed);
        let rhs: Vec<f64> = (0..system.signs.len()).map(|i| seed[i * 7 % 331]).collect();
        for tolerance in [f64::INFINITY, 1e-15] {
            let (negative, x) = system.solved::<8>(&rhs, tolerance);
            let (expected, whole) = system.whole(&rhs, tolerance);
            prop_assert_eq!(negative, expected);
            let scale = whole.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
            for (a, b) in x.iter().zip(&whole) {
                prop_assert!((a - b).abs() < 1e-10 * scale, "{a} {b}");
            }
            let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
            let one = bits(system.solved::<1>(&rhs, tolerance).1);
            prop_assert_eq!(&one, &bits(system.solved::<3>(&rhs, tolerance).1));
            prop_assert_eq!(&one, &bits(x));
        }
    }
}

#[test]
fn what_hangs_on_one_part_alone_belongs_to_it_and_what_looks_different_does_not() {
    // Parts of two; a chain of two more on the first unknown of each but the last; one unknown that joins all.
    let parts: Vec<Vec<usize>> = (0..6).map(|k| vec![2 * k, 2 * k + 1]).collect();
    let mut entries: Vec<(usize, usize)> = parts.iter().map(|p| (p[0], p[1])).collect();
    entries.extend((0..5).flat_map(|k| [(12 + 2 * k, 2 * k), (13 + 2 * k, 12 + 2 * k)]));
    entries.extend((0..6).map(|k| (22, 2 * k + 1)));
    let alike = Alike::among(&[1.0; 23], &Graph::new(23, &entries), &parts, 4).expect("five of a kind");
    assert_eq!((alike.parts.len(), alike.inner), (5, 3));
    assert_eq!(alike.parts[1], [2, 14, 15, 3]);
    assert!(Alike::among(&[1.0; 23], &Graph::new(23, &entries), &parts, 6).is_none());
}

#[test]
fn an_unsafe_pivot_is_replaced_in_its_lane_only() {
    let seed: Vec<f64> = (0..97).map(|k| (f64::from(k) * 0.7).sin()).collect();
    let mut system = Joined::draw(5, 4, 1, 1, &seed);
    let rhs: Vec<f64> = (0..system.signs.len()).map(|i| 1.0 + i as f64).collect();
    let (pattern, slots, ..) = LanePattern::<8>::new(&system.signs, &system.entries, &system.alike().expect("alike"));
    let solve = |values: &[f64]| {
        let mut ldl = LaneLdl::new(&pattern);
        for (&slot, v) in slots.iter().zip(values) {
            ldl.values[slot as usize] += v;
        }
        ldl.factor(Some(1e30));
        let mut x = vec![0.0; rhs.len()];
        ldl.refined(&rhs, &mut x, f64::INFINITY);
        x
    };
    // An unknown of the third part that stands alone and has no pivot.
    for ((i, j), v) in system.entries.iter().zip(&mut system.values) {
        if (*i == 8) != (*j == 8) || (*i, *j) == (8, 8) {
            *v = 0.0;
        }
    }
    let x = solve(&system.values);
    assert!(x[8].abs() < 1e-28 && x.iter().all(|v| v.is_finite()), "{x:?}");
    let at = system.entries.iter().position(|e| *e == (8, 8)).expect("a diagonal");
    system.values[at] = 1.0;
    let with_pivot = solve(&system.values);
    assert_eq!(with_pivot[8], rhs[8]);
    for (i, (a, b)) in x.iter().zip(&with_pivot).enumerate().filter(|(i, _)| *i != 8) {
        assert_eq!(a, b, "{i}");
    }
}
