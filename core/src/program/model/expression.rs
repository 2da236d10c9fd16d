//! Variables, affine expressions and separable convex costs. Knows no solver.

/// A variable of a [`Program`](crate::program::Program).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(pub(in crate::program) usize);

impl Var {
    /// Position of the variable in a solution's `x`.
    pub fn index(self) -> usize {
        self.0
    }
}

/// An equality row of a [`Program`](crate::program::Program); its dual is the derivative of the least cost by its right-hand side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub(in crate::program) usize);

impl Row {
    /// Position of the row in a solution's `y`.
    pub fn index(self) -> usize {
        self.0
    }
}

/// An affine expression: sum of coefficient x variable, plus a constant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expr {
    /// Variables and their coefficients; a variable may occur more than once.
    pub terms: Vec<(Var, f64)>,
    /// The part that does not depend on variables.
    pub constant: f64,
}

impl Expr {
    /// The constant expression.
    pub fn constant(value: f64) -> Self {
        Self { terms: vec![], constant: value }
    }

    /// Adds `factor * other`.
    pub fn add(&mut self, factor: f64, other: impl Into<Expr>) -> &mut Self {
        let other = other.into();
        self.terms.extend(other.terms.iter().map(|&(v, c)| (v, factor * c)));
        self.constant += factor * other.constant;
        self
    }

    /// The expression plus `factor * other`.
    pub fn plus(mut self, factor: f64, other: impl Into<Expr>) -> Self {
        self.add(factor, other);
        self
    }

    /// The expression times `factor`.
    pub fn times(mut self, factor: f64) -> Self {
        for (_, c) in &mut self.terms {
            *c *= factor;
        }
        self.constant *= factor;
        self
    }

    /// Its value at `x`.
    pub fn value(&self, x: &[f64]) -> f64 {
        self.constant + self.terms.iter().map(|&(v, c)| c * x[v.0]).sum::<f64>()
    }
}

impl From<Var> for Expr {
    fn from(v: Var) -> Self {
        Self { terms: vec![(v, 1.0)], constant: 0.0 }
    }
}

impl From<&Expr> for Expr {
    fn from(e: &Expr) -> Self {
        e.clone()
    }
}

/// A convex separable cost: an affine part plus `weight * variable^2` terms.
///
/// It is kept apart from the program until it is added, so that a report can rescale it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// The affine part.
    pub affine: Expr,
    /// Variables and the weights of their squares; weights are not negative.
    pub squares: Vec<(Var, f64)>,
}

impl Cost {
    /// Adds `factor * expression`.
    pub fn add(&mut self, factor: f64, expression: impl Into<Expr>) -> &mut Self {
        self.affine.add(factor, expression);
        self
    }

    /// Adds `weight * variable^2`.
    pub fn add_square(&mut self, weight: f64, variable: Var) -> &mut Self {
        self.squares.push((variable, weight));
        self
    }

    /// The cost times `factor`.
    pub fn times(mut self, factor: f64) -> Self {
        self.affine = self.affine.times(factor);
        for (_, w) in &mut self.squares {
            *w *= factor;
        }
        self
    }

    /// Its value at `x`.
    pub fn value(&self, x: &[f64]) -> f64 {
        self.affine.value(x) + self.squares.iter().map(|&(v, w)| w * x[v.0] * x[v.0]).sum::<f64>()
    }
}
