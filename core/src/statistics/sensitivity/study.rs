//! A study of what a result hinges on, as a file gives it: parameters with their ranges, and a design of points.
//!
//! Knows names of parameters and numbers, and nothing of what a name stands for.

use super::super::luck::{Luck, Sampling};
use super::{Effect, Indices, Mismatch, Morris, Saltelli, Span, Swing, one_at_a_time, swings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a result hinges on within a box of parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensitivity {
    /// The parameters and their ranges: the box.
    pub over: Vec<Parameter>,
    /// Which points of the box are run, and what is made of them.
    pub method: Method,
    /// Seed of the points.
    #[serde(default = "one")]
    pub seed: u64,
}

/// A parameter and its range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BoxParameter")]
pub struct Parameter {
    /// Its path, as that of a sweep.
    pub path: String,
    /// Its least value.
    pub from: f64,
    /// Its greatest value.
    pub to: f64,
    /// How values lie between the two.
    #[serde(default)]
    pub scale: Scale,
    /// Its value while others are moved one at a time; not given: the middle of the scale.
    #[serde(default)]
    pub base: Option<f64>,
}

/// How values lie in a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Scale {
    /// At equal distances.
    #[default]
    Linear,
    /// At equal ratios; both ends are above 0.
    Log,
    /// At equal distances, each rounded to a whole number.
    Whole,
}

/// A design of points in a box, and its analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Method {
    /// Every parameter by itself at its two ends, `2 k + 1` points: a tornado diagram.
    OneAtATime,
    /// Elementary effects along random walks, `walks (k + 1)` points: which parameters matter at all (Morris, 1991).
    Morris {
        /// Number of walks.
        #[schemars(range(min = 1))]
        walks: usize,
        /// Levels of the grid, an even number.
        #[serde(default = "four")]
        #[schemars(range(min = 2))]
        levels: usize,
    },
    /// Shares of the variance, `rows (k + 2)` points (Sobol, 1993; Saltelli and others, 2010).
    Sobol {
        /// Rows of each of the two designs.
        #[schemars(range(min = 2))]
        rows: usize,
    },
    /// Points all over the box, each range covered evenly: in which share of the box one beats another.
    LatinHypercube {
        /// Number of points.
        #[schemars(range(min = 2))]
        points: usize,
    },
}

/// What a study finds, parameter by parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Findings {
    /// Of parameters moved one at a time, the longest bar first.
    Swings(Vec<Swing>),
    /// Elementary effects.
    Effects(Vec<Effect>),
    /// Shares of the variance.
    Indices(Indices),
    /// Points only.
    Points,
}

/// What a study cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoStudy {
    /// There is no parameter.
    #[error("no parameter is given")]
    Empty,
    /// A range that is none.
    #[error("`{field}` of parameter {parameter} is {value}, expected {expected}")]
    Range {
        /// Which parameter, from 0.
        parameter: usize,
        /// Which of its fields.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// A number of the design.
    #[error("`{field}` is {value}, expected {expected}")]
    Count {
        /// Which number.
        field: &'static str,
        /// Its value.
        value: usize,
        /// What it should be.
        expected: &'static str,
    },
}

fn one() -> u64 {
    1
}

fn four() -> usize {
    4
}

impl Parameter {
    /// The value at a share of the way, to twelve digits, so that equal points are equal texts.
    pub fn at(&self, share: f64) -> f64 {
        let span = Span { low: self.from, high: self.to };
        let value = match self.scale {
            Scale::Linear => span.at(share),
            Scale::Whole => span.at(share).round(),
            Scale::Log => Span { low: self.from.ln(), high: self.to.ln() }.at(share).exp(),
        };
        // The ends are what is written, whatever the logarithm makes of them.
        let value = if share <= 0.0 {
            self.from
        } else if share >= 1.0 {
            self.to
        } else {
            value
        };
        format!("{value:.11e}").parse().unwrap_or(value)
    }

    /// How far a value is along the way.
    fn share(&self, value: f64) -> f64 {
        let of = |x: f64| if self.scale == Scale::Log { x.ln() } else { x };
        (of(value) - of(self.from)) / (of(self.to) - of(self.from))
    }

    fn check(&self, parameter: usize) -> Result<(), NoStudy> {
        let wrong = |field, value, expected| Err(NoStudy::Range { parameter, field, value, expected });
        if !self.from.is_finite() {
            return wrong("from", self.from, "a finite number");
        }
        if !self.to.is_finite() || self.to <= self.from {
            return wrong("to", self.to, "a finite number above `from`");
        }
        if self.scale == Scale::Log && self.from <= 0.0 {
            return wrong("from", self.from, "above 0 on a logarithmic scale");
        }
        let is_whole = |x: f64| x.fract() == 0.0;
        if self.scale == Scale::Whole && !(is_whole(self.from) && is_whole(self.to)) {
            let (field, value) = if is_whole(self.from) { ("to", self.to) } else { ("from", self.from) };
            return wrong(field, value, "a whole number");
        }
        match self.base {
            Some(base) if !(self.from..=self.to).contains(&base) => wrong("base", base, "between `from` and `to`"),
            _ => Ok(()),
        }
    }
}

impl Method {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Method::OneAtATime => "one at a time",
            Method::Morris { .. } => "elementary effects (Morris)",
            Method::Sobol { .. } => "variance shares (Sobol)",
            Method::LatinHypercube { .. } => "Latin hypercube",
        }
    }
}

impl Sensitivity {
    /// Whether it can be run.
    ///
    /// # Errors
    /// What it cannot be.
    pub fn check(&self) -> Result<(), NoStudy> {
        if self.over.is_empty() {
            return Err(NoStudy::Empty);
        }
        self.over.iter().enumerate().try_for_each(|(k, parameter)| parameter.check(k))?;
        let wrong = |field, value, expected| Err(NoStudy::Count { field, value, expected });
        match self.method {
            Method::Morris { walks: 0, .. } => wrong("walks", 0, "at least 1"),
            Method::Morris { levels, .. } if levels < 2 || levels % 2 == 1 => {
                wrong("levels", levels, "an even number from 2 on")
            }
            Method::Sobol { rows } if rows < 2 => wrong("rows", rows, "at least 2"),
            Method::LatinHypercube { points } if points < 2 => wrong("points", points, "at least 2"),
            _ => Ok(()),
        }
    }

    fn morris(&self, walks: usize, levels: usize) -> Morris {
        Morris { parameters: self.over.len(), walks, levels, seed: self.seed }
    }

    fn saltelli(&self, rows: usize) -> Saltelli {
        Saltelli { parameters: self.over.len(), rows, seed: self.seed }
    }

    /// The points in the order of the analysis, each with a value for every parameter; some may be equal.
    pub fn points(&self) -> Vec<Vec<f64>> {
        let shares = match self.method {
            Method::OneAtATime => {
                let base: Vec<f64> = self.over.iter().map(|p| p.base.map_or(0.5, |base| p.share(base))).collect();
                one_at_a_time(&base)
            }
            Method::Morris { walks, levels } => self.morris(walks, levels).points(),
            Method::Sobol { rows } => self.saltelli(rows).points(),
            Method::LatinHypercube { points } => {
                let luck = Luck { seed: self.seed, sampling: Sampling::Latin { draws: points } };
                let columns: Vec<Vec<f64>> =
                    (0..self.over.len()).map(|k| luck.uniforms(points, "points of a box", k, 0)).collect();
                (0..points).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
            }
        };
        // Steps of a grid add up to what is not quite its end.
        let tidy = |share: f64| (share * 1e12).round() / 1e12;
        let point = |shares: Vec<f64>| self.over.iter().zip(shares).map(|(p, share)| p.at(tidy(share))).collect();
        shares.into_iter().map(point).collect()
    }

    /// Of the points, those that lie all over the box: a share of them is a share of the box. None of a design that moves one
    /// parameter at a time.
    pub fn all_over(&self) -> usize {
        match self.method {
            Method::OneAtATime | Method::Morris { .. } => 0,
            Method::Sobol { rows } => 2 * rows,
            Method::LatinHypercube { points } => points,
        }
    }

    /// What the results at [`Sensitivity::points`] say.
    ///
    /// # Errors
    /// If there is not a finite result for every point.
    pub fn findings(&self, results: &[f64]) -> Result<Findings, Mismatch> {
        match self.method {
            Method::OneAtATime => swings(self.over.len(), results).map(Findings::Swings),
            Method::Morris { walks, levels } => self.morris(walks, levels).effects(results).map(Findings::Effects),
            Method::Sobol { rows } => self.saltelli(rows).indices(results).map(Findings::Indices),
            Method::LatinHypercube { .. } => Ok(Findings::Points),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(from: f64, to: f64, scale: Scale) -> Parameter {
        Parameter { path: "x".into(), from, to, scale, base: None }
    }

    fn study(method: Method) -> Sensitivity {
        let over = vec![
            parameter(1.0, 100.0, Scale::Log),
            parameter(0.0, 1.0, Scale::Linear),
            parameter(2.0, 6.0, Scale::Whole),
        ];
        Sensitivity { over, method, seed: 3 }
    }

    #[test]
    fn values_lie_as_their_scale_says_and_ends_are_exact() {
        let log = parameter(0.1, 1000.0, Scale::Log);
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|s| log.at(s)), [0.1, 1.0, 10.0, 1000.0]);
        assert_eq!([0.0, 0.3, 0.5, 1.0].map(|s| parameter(2.0, 6.0, Scale::Whole).at(s)), [2.0, 3.0, 4.0, 6.0]);
        assert_eq!(parameter(0.0, 0.3, Scale::Linear).at(1.0 / 3.0), 0.1);
    }

    /// One at a time begins at the base, in the middle of each scale or where it is given.
    #[test]
    fn a_tornado_moves_one_parameter_from_its_base() {
        let mut tornado = study(Method::OneAtATime);
        tornado.over[1].base = Some(0.2);
        let points = tornado.points();
        let expected = [
            [10.0, 0.2, 4.0],
            [1.0, 0.2, 4.0],
            [100.0, 0.2, 4.0],
            [10.0, 0.0, 4.0],
            [10.0, 1.0, 4.0],
            [10.0, 0.2, 2.0],
            [10.0, 0.2, 6.0],
        ];
        assert_eq!(points, expected);
        let results: Vec<f64> = points.iter().map(|p| p[0] + 1000.0 * p[1] + p[2]).collect();
        let Ok(Findings::Swings(found)) = tornado.findings(&results) else { panic!() };
        assert_eq!(found.iter().map(|s| s.parameter).collect::<Vec<_>>(), [1, 0, 2]);
    }

    /// Points of Morris' grid come again on other walks: the same point must be the same numbers.
    #[test]
    fn equal_points_of_a_grid_are_equal_numbers() {
        let points = study(Method::Morris { walks: 200, levels: 4 }).points();
        let mut different = points.iter().map(|p| format!("{p:?}")).collect::<Vec<_>>();
        different.sort();
        different.dedup();
        assert_eq!(points.len(), 800);
        assert!(different.len() <= 4 * 4 * 4, "{}", different.len());
    }

    #[test]
    fn designs_have_the_points_that_they_say() {
        for (method, count, all_over) in [
            (Method::OneAtATime, 7, 0),
            (Method::Morris { walks: 5, levels: 4 }, 20, 0),
            (Method::Sobol { rows: 8 }, 40, 16),
            (Method::LatinHypercube { points: 9 }, 9, 9),
        ] {
            let study = study(method);
            assert_eq!((study.points().len(), study.all_over()), (count, all_over), "{method:?}");
            assert!(study.points().iter().all(|p| (1.0..=100.0).contains(&p[0]) && (0.0..=1.0).contains(&p[1])));
            assert_eq!(study.points(), study.points(), "{method:?}");
        }
    }

    #[test]
    fn what_is_no_study_is_refused_by_name() {
        let of = |change: &dyn Fn(&mut Sensitivity)| {
            let mut study = study(Method::Sobol { rows: 4 });
            change(&mut study);
            study.check().map_err(|e| e.to_string())
        };
        assert_eq!(of(&|_| ()), Ok(()));
        type Change<'a> = &'a dyn Fn(&mut Sensitivity);
        let cases: [(Change<'_>, &str); 8] = [
            (&|s| s.over.clear(), "no parameter"),
            (&|s| s.over[0].from = 0.0, "`from` of parameter 0 is 0, expected above 0"),
            (&|s| s.over[1].to = 0.0, "`to` of parameter 1 is 0"),
            (&|s| s.over[1].to = f64::NAN, "`to` of parameter 1 is NaN"),
            (&|s| s.over[2].to = 6.5, "`to` of parameter 2 is 6.5, expected a whole"),
            (&|s| s.over[2].base = Some(7.0), "`base` of parameter 2 is 7"),
            (&|s| s.method = Method::Morris { walks: 2, levels: 3 }, "`levels` is 3"),
            (&|s| s.method = Method::LatinHypercube { points: 1 }, "`points` is 1"),
        ];
        for (change, words) in cases {
            assert!(of(change).unwrap_err().contains(words), "{words}: {:?}", of(change));
        }
    }
}
