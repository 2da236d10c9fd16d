//! A series by chance: weather and load, drawn anew by every seed and shared by everything that is compared.
//!
//! Knows the laws of `statistics` and no device.

use super::Series;
use crate::statistics::copula::{Copula, Correlation, NoCorrelation};
use crate::statistics::distributions::{normal_cdf, normal_quantile};
use crate::statistics::luck::{Luck, Sampling};
use crate::statistics::weather::{Beta, Load, NoDistribution, Weibull};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `Drawn(law: .., times: ..)`: in period `t` the value is `times_t X_t`, with `X_t` of the law. Numbers are keyed by seed and
/// by whose series it is, so that runs which are compared share them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Drawn")]
pub struct DrawnSeries {
    /// What is drawn in every period.
    pub law: Law,
    /// What it is multiplied by: a shape of the day, a mean load.
    #[serde(default = "ones")]
    pub times: Box<Series>,
    /// Correlation of a period with the next, of the normal numbers behind the draws.
    #[serde(default)]
    #[schemars(range(min = -1, max = 1))]
    pub hourly: f64,
    /// Correlation with every other series of the same law and `shared`: one wind blows for all.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub shared: f64,
    /// Seeds that together have one draw in each of so many equal strata (Latin hypercube; McKay, Beckman and Conover, 1979),
    /// counted from seed 1; not given: draws are independent.
    #[serde(default)]
    pub latin: Option<usize>,
}

/// Behind a pointer, for a series may be what a series is multiplied by.
fn ones() -> Box<Series> {
    Box::new(Series::Constant(1.0))
}

/// A law of chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Law {
    /// Wind power per rated power: the speed is Weibull distributed, `F(v) = 1 - exp(-(v / scale)^shape)`, and goes through the
    /// power curve of a turbine.
    Wind {
        /// Shape of the distribution of the speed.
        #[serde(default = "rayleigh")]
        #[schemars(extend("exclusiveMinimum" = 0))]
        shape: f64,
        /// Scale of the distribution of the speed, m/s.
        #[schemars(extend("exclusiveMinimum" = 0))]
        scale_m_per_s: f64,
        /// Speed from which the turbine generates, m/s.
        #[serde(default = "cut_in")]
        cut_in_m_per_s: f64,
        /// Speed from which it generates its rated power, m/s.
        #[serde(default = "rated")]
        rated_m_per_s: f64,
        /// Speed from which it stands still, m/s.
        #[serde(default = "cut_out")]
        cut_out_m_per_s: f64,
        /// Power between the first two.
        #[serde(default)]
        curve: PowerCurve,
    },
    /// Share of full sun, beta distributed with this mean and standard deviation.
    Sun {
        /// Mean share.
        #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
        mean: f64,
        /// Standard deviation of the share; its square is below `mean (1 - mean)`.
        #[schemars(extend("exclusiveMinimum" = 0))]
        deviation: f64,
    },
    /// Normal around 1, cut off at three standard deviations and at zero: a load around its mean.
    Normal {
        /// Standard deviation as a share of the mean.
        #[schemars(range(min = 0))]
        relative_deviation: f64,
    },
}

/// Power of a turbine between its cut-in and its rated speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PowerCurve {
    /// `(v^3 - v_in^3) / (v_rated^3 - v_in^3)`.
    #[default]
    Cubic,
    /// `(v - v_in) / (v_rated - v_in)`.
    Linear,
}

fn rayleigh() -> f64 {
    2.0
}

fn cut_in() -> f64 {
    3.0
}

fn rated() -> f64 {
    12.0
}

fn cut_out() -> f64 {
    25.0
}

/// Why a law cannot be drawn from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotDrawn {
    /// Its parameters make no distribution.
    #[error(transparent)]
    Distribution(#[from] NoDistribution),
    /// Its correlations cannot be.
    #[error(transparent)]
    Correlation(#[from] NoCorrelation),
    /// The share that is shared is none.
    #[error("`shared` is {0}, expected 0 to 1")]
    Shared(f64),
    /// The speeds of a turbine are not in order.
    #[error("cut-in at {cut_in}, rated at {rated} and cut-out at {cut_out} m/s: each is above the one before")]
    Speeds {
        /// First.
        cut_in: f64,
        /// Second.
        rated: f64,
        /// Third.
        cut_out: f64,
    },
    /// A hypercube without strata.
    #[error("`latin` is 0, expected at least 1")]
    Latin,
}

impl Law {
    /// Its name, which keys its numbers.
    fn name(&self) -> &'static str {
        match self {
            Law::Wind { .. } => "wind",
            Law::Sun { .. } => "sun",
            Law::Normal { .. } => "normal",
        }
    }

    /// The value below which a share `u` of all lies, for every `u` of a list.
    fn quantiles(&self, shares: &[f64]) -> Result<Vec<f64>, NotDrawn> {
        match *self {
            Law::Wind {
                shape,
                scale_m_per_s,
                cut_in_m_per_s: cut_in,
                rated_m_per_s: rated,
                cut_out_m_per_s: cut_out,
                curve,
            } => {
                let speed = Weibull::new(shape, scale_m_per_s)?;
                if !(0.0 <= cut_in && cut_in < rated && rated < cut_out) {
                    return Err(NotDrawn::Speeds { cut_in, rated, cut_out });
                }
                let power = |v: f64| match curve {
                    _ if v < cut_in || v >= cut_out => 0.0,
                    _ if v >= rated => 1.0,
                    PowerCurve::Linear => (v - cut_in) / (rated - cut_in),
                    PowerCurve::Cubic => (v.powi(3) - cut_in.powi(3)) / (rated.powi(3) - cut_in.powi(3)),
                };
                Ok(shares.iter().map(|u| power(speed.quantile(*u))).collect())
            }
            Law::Sun { mean, deviation } => {
                let share = Beta::of_mean(mean, deviation)?;
                Ok(shares.iter().map(|u| share.quantile(*u)).collect())
            }
            Law::Normal { relative_deviation } => {
                let load = Load::new(1.0, relative_deviation)?;
                Ok(shares.iter().map(|u| load.quantile(*u)).collect())
            }
        }
    }
}

/// Seed of the numbers behind all draws; the seed of a run is the number of its draw.
const LUCK: u64 = 0;

impl DrawnSeries {
    /// The draw of a seed for one series, told from others by `whose`: `times` is what it is multiplied by, a value for every
    /// period.
    ///
    /// # Errors
    /// [`NotDrawn`].
    pub fn values(&self, seed: u64, whose: &str, times: &[f64]) -> Result<Vec<f64>, NotDrawn> {
        if !(0.0..=1.0).contains(&self.shared) {
            return Err(NotDrawn::Shared(self.shared));
        }
        let sampling = match self.latin {
            None => Sampling::Independent,
            Some(0) => return Err(NotDrawn::Latin),
            Some(draws) => Sampling::Latin { draws },
        };
        let copula = Copula::new(Luck { seed: LUCK, sampling }, Correlation::even(1, 0.0)?, self.hourly)?;
        let draw = usize::try_from(seed.saturating_sub(1)).unwrap_or(usize::MAX);
        let (periods, law) = (times.len(), self.law.name());
        let normal = |purpose: &str| -> Vec<f64> {
            copula.uniforms(draw, purpose, 0, periods).into_iter().map(normal_quantile).collect()
        };
        // One factor for all and one of its own: correlation `shared` between any two.
        let own = normal(&format!("{law} of {whose}"));
        let all = if self.shared > 0.0 { normal(&format!("{law} of all")) } else { vec![0.0; periods] };
        let (common, alone) = (self.shared.sqrt(), (1.0 - self.shared).sqrt());
        let uniform = |(all, own): (&f64, &f64)| {
            normal_cdf(common * all + alone * own).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON)
        };
        let shares: Vec<f64> = all.iter().zip(&own).map(uniform).collect();
        let drawn = self.law.quantiles(&shares)?;
        Ok(drawn.iter().zip(times).map(|(x, times)| times * x).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(law: Law) -> DrawnSeries {
        DrawnSeries { law, times: ones(), hourly: 0.0, shared: 0.0, latin: None }
    }

    fn wind(curve: PowerCurve) -> Law {
        Law::Wind {
            shape: 2.0,
            scale_m_per_s: 8.5,
            cut_in_m_per_s: 3.0,
            rated_m_per_s: 12.0,
            cut_out_m_per_s: 25.0,
            curve,
        }
    }

    /// Capacity factors of the two curves at shape 2 and scale 8.5, by quadrature elsewhere.
    #[test]
    fn the_mean_wind_power_is_the_capacity_factor_of_its_curve() {
        for (curve, expected) in [(PowerCurve::Linear, 0.478_424_846_9), (PowerCurve::Cubic, 0.338_822_328_2)] {
            let n = 200_000;
            let shares: Vec<f64> = (0..n).map(|k| (f64::from(k) + 0.5) / f64::from(n)).collect();
            let mean = wind(curve).quantiles(&shares).expect("a law").iter().sum::<f64>() / f64::from(n);
            assert!((mean - expected).abs() < 2e-5, "{mean} instead of {expected}");
        }
    }

    /// Means and correlations of many draws are those of the law, to four standard errors.
    #[test]
    fn draws_have_the_mean_and_the_correlation_that_they_are_said_to_have() {
        let series = DrawnSeries { hourly: 0.8, shared: 0.5, ..of(Law::Normal { relative_deviation: 0.05 }) };
        let n = 4000;
        let (mut a, mut b) = (vec![], vec![]);
        for seed in 1..=n {
            a.push(series.values(seed, "a", &[1.0, 1.0]).expect("a draw"));
            b.push(series.values(seed, "b", &[1.0, 1.0]).expect("a draw"));
        }
        let n = n as f64;
        let mean = a.iter().map(|x| x[0]).sum::<f64>() / n;
        assert!((mean - 1.0).abs() < 4.0 * 0.05 / n.sqrt(), "{mean}");
        let correlation = |x: Vec<f64>, y: Vec<f64>| {
            let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
            let product = |u: &[f64], mu: f64, v: &[f64], mv: f64| -> f64 {
                u.iter().zip(v).map(|(u, v)| (u - mu) * (v - mv)).sum()
            };
            product(&x, mx, &y, my) / (product(&x, mx, &x, mx) * product(&y, my, &y, my)).sqrt()
        };
        let of = |rows: &[Vec<f64>], t: usize| rows.iter().map(|row| row[t]).collect::<Vec<_>>();
        for (found, expected) in [(correlation(of(&a, 0), of(&b, 0)), 0.5), (correlation(of(&a, 0), of(&a, 1)), 0.8)] {
            assert!((found - expected).abs() < 4.0 / n.sqrt(), "{found} instead of {expected}");
        }
    }

    /// One draw in each of ten equal strata: the ranks of ten seeds are a permutation.
    #[test]
    fn a_latin_hypercube_has_one_draw_in_every_stratum() {
        let series = DrawnSeries { latin: Some(10), ..of(Law::Sun { mean: 0.55, deviation: 0.22 }) };
        let law = Beta::of_mean(0.55, 0.22).expect("a law");
        let draw = |seed: u64| series.values(seed, "roof", &[1.0]).expect("a draw")[0];
        let mut strata: Vec<usize> = (1..=10).map(|seed| (law.cdf(draw(seed)) * 10.0) as usize).collect();
        strata.sort_unstable();
        assert_eq!(strata, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn who_draws_first_changes_nothing_and_laws_that_are_none_are_refused() {
        let series = of(wind(PowerCurve::Cubic));
        let times = [100.0; 24];
        let first = series.values(7, "vpp1", &times).expect("a draw");
        let _ = series.values(3, "vpp2", &times);
        assert_eq!(first, series.values(7, "vpp1", &times).expect("a draw"));
        assert_eq!(first[..12], series.values(7, "vpp1", &times[..12]).expect("a draw")[..]);
        assert_ne!(first, series.values(8, "vpp1", &times).expect("a draw"));
        assert!(first.iter().all(|kw| (0.0..=100.0).contains(kw)));
        let refused = |series: DrawnSeries| series.values(1, "x", &[1.0]).expect_err("refused").to_string();
        assert!(refused(DrawnSeries { shared: 1.5, ..series.clone() }).contains("1.5"));
        assert!(refused(DrawnSeries { hourly: 2.0, ..series.clone() }).contains('2'));
        assert!(refused(DrawnSeries { latin: Some(0), ..series }).contains("latin"));
        assert!(refused(of(Law::Sun { mean: 0.5, deviation: 0.6 })).contains("0.6"));
        let slow = Law::Wind {
            shape: 2.0,
            scale_m_per_s: 8.5,
            cut_in_m_per_s: 12.0,
            rated_m_per_s: 3.0,
            cut_out_m_per_s: 25.0,
            curve: PowerCurve::Cubic,
        };
        assert!(refused(of(slow)).contains("cut-in at 12"));
    }
}
