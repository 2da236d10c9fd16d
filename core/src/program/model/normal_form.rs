//! The normal form in its own units: what the solvers see of an instance.
//!
//! Fixed variables are gone; quantities are counted in a unit of the problem's own power, money in a unit of its own
//! price, rows by their largest coefficient. All three are powers of two, so that scaling rounds nothing and a
//! certificate holds in either units. Knows no participant, and no algorithm.

use super::cone::ConeDual;
use crate::linear::Pattern;
use crate::program::{Certificate, Instance, Var};

/// What the pattern of a program determines: columns, row scales, and the analysed pattern of `A A'`.
#[derive(Clone, Debug)]
pub(in crate::program) struct Symbolic {
    columns: Columns,
    /// Power of two near the largest coefficient of each row; the columns are divided by it.
    row_scale: Vec<f64>,
    pattern: Pattern,
    /// Slot of each row's diagonal entry.
    diagonal: Vec<u32>,
}

/// Columns of `A`, and for each the entries it adds to `A diag(d) A'` per unit of its weight.
#[derive(Clone, Debug, Default)]
struct Columns {
    start: Vec<u32>,
    row: Vec<u32>,
    value: Vec<f64>,
    product_start: Vec<u32>,
    product: Vec<(u32, f64)>,
}

/// An instance without its fixed variables, in its own units.
#[derive(Clone, Debug)]
pub(in crate::program) struct Normal<'p> {
    pub pattern: &'p Pattern,
    columns: Columns,
    /// `h`, `q`, `l`, `u` and `u - l` of the remaining variables.
    pub curvature: Vec<f64>,
    pub linear: Vec<f64>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    pub range: Vec<f64>,
    pub rhs: Vec<f64>,
    /// Size of what a row adds up: its residual is measured against it.
    pub size: Vec<f64>,
    free: Vec<u32>,
    row_scale: &'p [f64],
    unit: f64,
    money: f64,
}

/// Values of variables and multipliers of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::program) struct Point {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
}

/// A [`Certificate`] in relative terms: what acceptance is decided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::program) struct Quality {
    /// Largest row residual, relative to the row's size.
    pub residual: f64,
    /// Duality gap, relative to the money that moves.
    pub gap: f64,
}

impl Quality {
    /// Whether rows hold to 1e-9 and the gap is at most `gap`.
    pub fn within(self, gap: f64) -> bool {
        self.meets(Quality { residual: 1e-9, gap })
    }

    /// Whether it is at least as good as another quality in both respects.
    pub fn meets(self, asked: Quality) -> bool {
        self.residual <= asked.residual && self.gap <= asked.gap
    }
}

impl Symbolic {
    pub fn new(n: usize, rows: &[Vec<(Var, f64)>]) -> Self {
        let m = rows.len();
        let row_scale: Vec<f64> =
            rows.iter().map(|row| power_of_two(row.iter().fold(0.0, |most: f64, &(_, a)| most.max(a.abs())))).collect();
        let mut start = vec![0_u32; n + 1];
        for &(v, _) in rows.iter().flatten() {
            start[v.index() + 1] += 1;
        }
        for j in 0..n {
            start[j + 1] += start[j];
        }
        let (mut row, mut value) = (vec![0; start[n] as usize], vec![0.0; start[n] as usize]);
        let mut next = start.clone();
        for (i, terms) in rows.iter().enumerate() {
            for &(v, a) in terms {
                let at = next[v.index()] as usize;
                row[at] = i as u32;
                value[at] = a / row_scale[i];
                next[v.index()] += 1;
            }
        }
        let (mut entries, mut product_start) = (vec![], vec![0]);
        for j in 0..n {
            let range = start[j] as usize..start[j + 1] as usize;
            for a in range.clone() {
                entries.extend((range.start..=a).map(|b| (row[a] as usize, row[b] as usize)));
            }
            product_start.push(entries.len() as u32);
        }
        let (pattern, slots, diagonal) = Pattern::new(&vec![1.0; m], &entries);
        let mut next = slots.iter().copied();
        let mut product = Vec::with_capacity(entries.len());
        for j in 0..n {
            let range = start[j] as usize..start[j + 1] as usize;
            for a in range.clone() {
                product.extend((range.start..=a).zip(&mut next).map(|(b, slot)| (slot, value[a] * value[b])));
            }
        }
        let columns = Columns { start, row, value, product_start, product };
        Self { columns, row_scale, pattern, diagonal }
    }
}

impl<'p> Normal<'p> {
    /// The normal form of an instance whose bounds are finite and in order.
    pub fn new(symbolic: &'p Symbolic, problem: &Instance) -> Self {
        let n = problem.lower.len();
        let span = |j: usize| problem.upper[j] - problem.lower[j];
        let mut rhs: Vec<f64> = problem.rhs.iter().zip(&symbolic.row_scale).map(|(b, s)| b / s).collect();
        let mut size: Vec<f64> = rhs.iter().map(|b| b.abs()).collect();
        let columns = &symbolic.columns;
        for j in (0..n).filter(|&j| is_point(problem.lower[j], problem.upper[j])) {
            columns.subtract(j, problem.lower[j], &mut rhs);
            columns.enlarge(j, problem.lower[j].abs(), &mut size);
        }
        let mut ranges: Vec<f64> =
            (0..n).filter(|&j| !is_point(problem.lower[j], problem.upper[j])).map(span).collect();
        let typical = median(&mut ranges).unwrap_or(1.0);
        let largest = rhs.iter().fold(0.0, |most: f64, b| most.max(b.abs()));
        let unit = power_of_two(if largest >= 1e-4 * typical { largest } else { typical });
        // A range below the rounding of the unit carries nothing but noise.
        let free: Vec<u32> = (0..n as u32)
            .filter(|&j| {
                !is_point(problem.lower[j as usize], problem.upper[j as usize]) && span(j as usize) > 1e-13 * unit
            })
            .collect();
        for j in (0..n).filter(|&j| !is_point(problem.lower[j], problem.upper[j]) && span(j) <= 1e-13 * unit) {
            columns.subtract(j, problem.lower[j], &mut rhs);
            columns.enlarge(j, problem.lower[j].abs(), &mut size);
        }
        for &j in &free {
            // A loose bound says nothing about sizes: no variable counts for more than one unit.
            let j = j as usize;
            columns.enlarge(j, problem.lower[j].abs().max(problem.upper[j].abs()).min(unit), &mut size);
        }
        let pick =
            |values: &[f64], factor: f64| free.iter().map(|&j| values[j as usize] * factor).collect::<Vec<f64>>();
        let mut stakes: Vec<f64> = free
            .iter()
            .map(|&j| j as usize)
            .map(|j| {
                let middle = 0.5 * (problem.lower[j] + problem.upper[j]);
                (problem.curvature[j] * middle + problem.linear[j]).abs() * span(j).min(unit)
            })
            .filter(|&stake| stake > 0.0 && stake.is_finite())
            .collect();
        let money = power_of_two(median(&mut stakes).unwrap_or(unit));
        for b in &mut rhs {
            *b /= unit;
        }
        let lower = pick(&problem.lower, 1.0 / unit);
        let upper = pick(&problem.upper, 1.0 / unit);
        Self {
            pattern: &symbolic.pattern,
            columns: columns.selected(&free),
            curvature: pick(&problem.curvature, unit * unit / money),
            linear: pick(&problem.linear, unit / money),
            range: upper.iter().zip(&lower).map(|(u, l)| u - l).collect(),
            lower,
            upper,
            // A row of nothing but zeros has no size of its own.
            size: size.iter().map(|&s| if s > 0.0 { s / unit } else { 1.0 }).collect(),
            rhs,
            free,
            row_scale: &symbolic.row_scale,
            unit,
            money,
        }
    }

    /// The elastic problem: each row may be missed in either direction at its price; other costs are dropped.
    /// Variables `n + 2 i` and `n + 2 i + 1` are what row `i` falls short and what it exceeds.
    pub fn elastic(&self, symbolic: &'p Symbolic, prices: &[f64]) -> Self {
        let mut elastic = self.clone();
        let n = self.linear.len();
        elastic.curvature = vec![0.0; n];
        elastic.linear = vec![0.0; n];
        let middle: Vec<f64> = self.lower.iter().zip(&self.upper).map(|(l, u)| 0.5 * (l + u)).collect();
        let mut miss = vec![0.0; self.rhs.len()];
        self.residual(&middle, &mut miss);
        for i in 0..self.rhs.len() {
            // Missing twice what the middle of the box misses is never needed.
            let most = 2.0 * miss[i].abs() + self.size[i];
            for sign in [1.0, -1.0] {
                let c = &mut elastic.columns;
                c.row.push(i as u32);
                c.value.push(sign);
                c.product.push((symbolic.diagonal[i], 1.0));
                c.start.push(c.row.len() as u32);
                c.product_start.push(c.product.len() as u32);
                elastic.curvature.push(0.0);
                elastic.linear.push(prices[i]);
                elastic.lower.push(0.0);
                elastic.upper.push(most);
                elastic.range.push(most);
            }
        }
        elastic
    }

    /// Takes the costs of an instance whose bounds and right-hand sides are those that this form was made of, in the units that
    /// it was made with; whether a curvature changed.
    pub fn take_costs(&mut self, problem: &Instance) -> bool {
        let (of_linear, of_curvature) = (self.unit / self.money, self.unit * self.unit / self.money);
        let mut bent = false;
        for (k, &j) in self.free.iter().enumerate() {
            let j = j as usize;
            self.linear[k] = problem.linear[j] * of_linear;
            let curvature = problem.curvature[j] * of_curvature;
            bent |= curvature != self.curvature[k];
            self.curvature[k] = curvature;
        }
        bent
    }

    /// A point of the instance in the units of this form.
    pub fn scaled(&self, x: &[f64], y: &[f64]) -> Point {
        let own = self.free.iter().map(|&j| x[j as usize] / self.unit).collect();
        let duals = y.iter().zip(self.row_scale).map(|(y, s)| y * s / (self.money / self.unit)).collect();
        Point { x: own, y: duals }
    }

    /// Back to the variables and units of the instance.
    pub fn restore(&self, problem: &Instance, point: &Point) -> Point {
        let mut x = problem.lower.clone();
        for (&j, &v) in self.free.iter().zip(&point.x) {
            let j = j as usize;
            x[j] = (v * self.unit).clamp(problem.lower[j], problem.upper[j]);
        }
        let y = point.y.iter().zip(self.row_scale).map(|(y, s)| y * (self.money / self.unit) / s).collect();
        Point { x, y }
    }

    /// Position here of every variable of the instance; nothing for fixed ones, which stand at their lower bound.
    pub fn columns_of(&self, problem: &Instance) -> Vec<Option<usize>> {
        let mut column = vec![None; problem.lower.len()];
        for (k, &j) in self.free.iter().enumerate() {
            column[j as usize] = Some(k);
        }
        column
    }

    /// Quantity of the instance that one unit stands for.
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// Money of the instance that one unit stands for.
    pub fn money(&self) -> f64 {
        self.money
    }

    /// Row, column and value of every coefficient.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let c = &self.columns;
        (0..self.linear.len())
            .flat_map(|j| (c.start[j] as usize..c.start[j + 1] as usize).map(move |at| (j, at)))
            .map(|(j, at)| (c.row[at] as usize, j, c.value[at]))
    }

    /// A row's miss in the units of the instance.
    pub fn row_amount(&self, row: usize, scaled: f64) -> f64 {
        scaled * self.unit * self.row_scale[row]
    }

    /// Quality of a restored point, from its certificate and nothing else.
    pub fn quality(&self, problem: &Instance, point: &Point, cones: &[ConeDual]) -> (Certificate, Quality) {
        let certificate = Certificate::with_cones(problem, &point.x, &point.y, cones);
        let mut residual = problem.rhs.clone();
        let mut moved = 0.0;
        for (i, row) in problem.rows().iter().enumerate() {
            for &(v, a) in row {
                residual[i] -= a * point.x[v.index()];
            }
            residual[i] /= self.row_scale[i] * self.unit * self.size[i];
        }
        for (j, x) in point.x.iter().enumerate() {
            moved += ((0.5 * problem.curvature[j] * x + problem.linear[j]) * x).abs();
        }
        let gap = certificate.gap.abs() / (self.money + moved);
        (certificate, Quality { residual: largest(&residual), gap: if gap.is_nan() { f64::INFINITY } else { gap } })
    }

    /// [`Quality`] of a point of this form; `reduced` and `residual` are scratch.
    pub fn certify(&self, point: &Point, reduced: &mut [f64], residual: &mut [f64]) -> Quality {
        self.transposed(&point.y, reduced);
        self.residual(&point.x, residual);
        let (mut gap, mut moved, mut slack, mut worst) = (0.0, 1.0, 0.0, 0.0_f64);
        for j in 0..point.x.len() {
            let (h, x, c) = (self.curvature[j], point.x[j], self.linear[j] - reduced[j]);
            moved += ((0.5 * h * x + self.linear[j]) * x).abs();
            let best = if h > 0.0 {
                (-c / h).clamp(self.lower[j], self.upper[j])
            } else if c >= 0.0 {
                self.lower[j]
            } else {
                self.upper[j]
            };
            gap += (x - best) * (0.5 * h * (x + best) + c);
        }
        for ((r, y), s) in residual.iter().zip(&point.y).zip(&self.size) {
            slack += r * y;
            worst = worst.max(r.abs() / s);
        }
        let gap = (gap + slack.abs()) / moved;
        // `max` drops NaN, sums do not.
        if gap.is_finite() { Quality { residual: worst, gap } } else { Quality { residual: worst, gap: f64::INFINITY } }
    }

    /// `out = A'y`.
    pub fn transposed(&self, y: &[f64], out: &mut [f64]) {
        let c = &self.columns;
        for (out, range) in out.iter_mut().zip(c.start.windows(2)) {
            let (a, b) = (range[0] as usize, range[1] as usize);
            *out = c.row[a..b].iter().zip(&c.value[a..b]).map(|(&i, v)| v * y[i as usize]).sum();
        }
    }

    /// `r -= A x`.
    pub fn subtract(&self, x: &[f64], r: &mut [f64]) {
        for (j, &x) in x.iter().enumerate() {
            self.columns.subtract(j, x, r);
        }
    }

    /// `r = b - A x`.
    pub fn residual(&self, x: &[f64], r: &mut [f64]) {
        r.copy_from_slice(&self.rhs);
        self.subtract(x, r);
    }

    /// `values = A diag(weights) A'`; a weight of zero removes the variable.
    pub fn weigh(&self, weights: &[f64], values: &mut [f64]) {
        let c = &self.columns;
        values.fill(0.0);
        for (&d, range) in weights.iter().zip(c.product_start.windows(2)) {
            if d != 0.0 {
                for &(slot, v) in &c.product[range[0] as usize..range[1] as usize] {
                    values[slot as usize] += d * v;
                }
            }
        }
    }

    /// Diagonal of `A diag(weights) A'`, by row.
    pub fn weighed_diagonal(&self, weights: &[f64]) -> Vec<f64> {
        let mut diagonal = vec![0.0; self.rhs.len()];
        let c = &self.columns;
        for (&d, range) in weights.iter().zip(c.start.windows(2)) {
            for at in range[0] as usize..range[1] as usize {
                diagonal[c.row[at] as usize] += d * c.value[at] * c.value[at];
            }
        }
        diagonal
    }

    /// Largest residual relative to the size of its row.
    pub fn relative(&self, residual: &[f64]) -> f64 {
        residual.iter().zip(&self.size).fold(0.0, |most: f64, (r, s)| most.max(r.abs() / s))
    }
}

impl Columns {
    fn subtract(&self, j: usize, x: f64, r: &mut [f64]) {
        let (a, b) = (self.start[j] as usize, self.start[j + 1] as usize);
        for (&i, v) in self.row[a..b].iter().zip(&self.value[a..b]) {
            r[i as usize] -= v * x;
        }
    }

    /// `size = max(size, |A| reach)` for one variable.
    fn enlarge(&self, j: usize, reach: f64, size: &mut [f64]) {
        let (a, b) = (self.start[j] as usize, self.start[j + 1] as usize);
        for (&i, v) in self.row[a..b].iter().zip(&self.value[a..b]) {
            size[i as usize] = size[i as usize].max(v.abs() * reach);
        }
    }

    fn selected(&self, of: &[u32]) -> Self {
        let mut picked = Self { start: vec![0], product_start: vec![0], ..Self::default() };
        for &j in of {
            let j = j as usize;
            let (a, b) = (self.start[j] as usize, self.start[j + 1] as usize);
            picked.row.extend_from_slice(&self.row[a..b]);
            picked.value.extend_from_slice(&self.value[a..b]);
            picked.start.push(picked.row.len() as u32);
            let (a, b) = (self.product_start[j] as usize, self.product_start[j + 1] as usize);
            picked.product.extend_from_slice(&self.product[a..b]);
            picked.product_start.push(picked.product.len() as u32);
        }
        picked
    }
}

/// Bounds that mean one value.
fn is_point(lower: f64, upper: f64) -> bool {
    upper - lower <= 4.0 * f64::EPSILON * lower.abs()
}

/// Nearest power of two; 1 for what has no size.
pub(in crate::program) fn power_of_two(v: f64) -> f64 {
    if v > 0.0 && v.is_finite() { 2.0_f64.powi(v.log2().round() as i32) } else { 1.0 }
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() { None } else { Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1) }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, v| if v.is_nan() { f64::INFINITY } else { most.max(v.abs()) })
}
