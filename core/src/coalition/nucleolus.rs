//! The nucleolus, by a sequence of linear programs.

use super::linear::{Aim, Constraints, Point};
use super::span::Span;
use super::{Coalition, CoalitionError, CoalitionGame};

/// Slack below this share of the game's scale is none.
const TIGHT: f64 = 1e-8;
/// Room that an excess found gets in the programs that follow, so that rounding does not make them infeasible.
const ROOM: f64 = 1e-11;

/// The division whose sorted excesses are lexicographically least.
#[derive(Clone, Debug, PartialEq)]
pub struct Nucleolus {
    /// What each player gets.
    pub division: Vec<f64>,
    /// The excess settled at each level, falling.
    pub levels: Vec<f64>,
    /// Whether everybody is held to at least what it gains alone, as the definition wants. No division does so where players
    /// gain more alone than together; then all divisions compete (the prenucleolus).
    pub is_rational: bool,
    /// Largest proven distance of a level from its least, in money.
    pub gap: f64,
}

impl CoalitionGame {
    /// The nucleolus (Schmeidler, 1969): among the divisions of `v(N)` that leave nobody worse off than alone, the one whose
    /// excesses `v(S) - x(S)`, sorted from the largest, are lexicographically least. It lies in the core where there is one.
    ///
    /// Level by level the largest excess that is not settled is minimised. Coalitions that have it in *all* optima are
    /// settled at it: each that has it in one is tested by maximising what it gets (Maschler, Peleg and Shapley, 1979). It ends
    /// when the settled coalitions determine what everybody gets.
    ///
    /// # Errors
    /// If a linear program is not solved, or its answers are not precise enough to tell which coalitions are tight.
    pub fn nucleolus(&self) -> Result<Nucleolus, CoalitionError> {
        let n = self.players;
        let all = Coalition::all(n);
        let alone: Vec<f64> = (0..n).map(|i| self.value(Coalition::of([i]))).collect();
        let spare = self.total() - alone.iter().sum::<f64>();
        let is_rational = spare >= -ROOM * self.scale();
        let Aim::Excess(low, high) = self.least_excess() else { unreachable!("the aim is the excess") };
        // Equal shares of what is more than everybody gains alone show how large the least excess may be.
        let start: Vec<f64> = alone.iter().map(|a| a + spare / n as f64).collect();
        let high = if is_rational { self.excess(&start).value.max(low) + 1e-6 * self.scale() } else { high };
        let rounding = spare.min(0.0) / n as f64;
        let floor = |i: usize| if is_rational { alone[i] + rounding } else { alone[i] - high.max(0.0) };
        let floors: f64 = (0..n).map(floor).sum();
        let reach: Vec<(f64, f64)> =
            (0..n).map(|i| (floor(i), (self.total() - (floors - floor(i))).max(floor(i)))).collect();
        // The excess of any coalition lies between what it can get at most and at least.
        let deepest = self.proper().map(|s| self.value(s) - most(s, &reach)).fold(low, f64::min) - 1e-6 * self.scale();

        let mut settled = vec![(all, self.total())];
        let mut span = Span::new(n);
        span.take(all);
        let mut rows = self.first_rows();
        let (mut levels, mut gap, mut division, mut upper) = (vec![], 0.0_f64, vec![self.total()], high);
        while span.rank() < n {
            let before = span.rank();
            let open: Vec<bool> = Coalition::each(n).map(|s| !span.contains(s)).collect();
            let mut constraints = Constraints {
                game: self,
                settled: settled.clone(),
                is_open: Box::new(|s| open[s.index()]),
                reach: reach.clone(),
                rows: std::mem::take(&mut rows),
            };
            let point = constraints.solve(Aim::Excess(deepest, upper))?;
            gap = gap.max(point.gap);
            levels.push(point.excess);
            for s in self.tight_in_all(&mut constraints, &point)? {
                if !span.contains(s) {
                    span.take(s);
                    settled.push((s, self.value(s) - point.excess));
                }
            }
            upper = point.excess + 1e-6 * self.scale();
            rows = std::mem::take(&mut constraints.rows);
            drop(constraints);
            division = point.division;
            if span.rank() == before {
                return Err(CoalitionError::Unsettled { settled: before, players: n });
            }
        }
        if n > 1 {
            division = determined(&settled, n).unwrap_or(division);
        }
        Ok(Nucleolus { division, levels, is_rational, gap })
    }

    /// The open coalitions that have the excess of `point` in every optimum, in the order of their bits.
    fn tight_in_all(&self, constraints: &mut Constraints<'_>, point: &Point) -> Result<Vec<Coalition>, CoalitionError> {
        let slack = |s: Coalition, division: &[f64]| s.sum(division) - (self.value(s) - point.excess);
        let tight = TIGHT * self.scale();
        let mut doubtful: Vec<Coalition> =
            self.proper().filter(|s| (constraints.is_open)(*s) && slack(*s, &point.division) <= tight).collect();
        let mut found = vec![];
        let mut known = Span::new(self.players);
        settled_span(&mut known, constraints);
        while let Some(s) = (!doubtful.is_empty()).then(|| doubtful.remove(0)) {
            // What follows from coalitions that are tight in all optima is constant on them.
            if known.contains(s) {
                continue;
            }
            let other = constraints.solve(Aim::Most(s, point.excess + ROOM * self.scale()))?;
            if slack(s, &other.division) > tight {
                doubtful.retain(|t| slack(*t, &other.division) <= tight);
            } else {
                known.take(s);
                found.push(s);
            }
        }
        Ok(found)
    }
}

fn settled_span(known: &mut Span, constraints: &Constraints<'_>) {
    for (s, _) in &constraints.settled {
        known.take(*s);
    }
}

/// Most that a coalition can get within the reach of its players.
fn most(s: Coalition, reach: &[(f64, f64)]) -> f64 {
    s.members().map(|i| reach[i].1).sum()
}

/// The division that gives the settled coalitions what is settled: solved exactly, instead of read off the last program.
fn determined(settled: &[(Coalition, f64)], n: usize) -> Option<Vec<f64>> {
    let matrix = nalgebra::DMatrix::from_fn(n, n, |r, c| f64::from(u8::from(settled[r].0.contains(c))));
    let rhs = nalgebra::DVector::from_fn(n, |r, _| settled[r].1);
    matrix.full_piv_lu().solve(&rhs).map(|x| x.iter().copied().collect())
}
