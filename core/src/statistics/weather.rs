//! Weather and load by inverse transform: a uniform number in, a wind speed, a share of full sun or a load out.

use super::distributions::{beta_quantile, normal_cdf, normal_density, normal_quantile};
use super::special::{incomplete_beta, ln_gamma};

/// Parameters that make no distribution.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NoDistribution {
    /// A parameter has to be finite and above 0.
    #[error("{0} has to be finite and above 0, and is {1}")]
    NotPositive(&'static str, f64),
    /// A number has to be finite and not negative.
    #[error("{0} has to be finite and at least 0, and is {1}")]
    Negative(&'static str, f64),
    /// The mean of a share has to be inside (0, 1).
    #[error("the mean of a share has to be between 0 and 1, and is {0}")]
    Mean(f64),
    /// A share cannot vary so much.
    #[error("a share with mean {mean} has a standard deviation below {most}, and not {deviation}")]
    Deviation {
        /// Mean.
        mean: f64,
        /// Standard deviation that was asked for.
        deviation: f64,
        /// What it has to stay below.
        most: f64,
    },
}

fn positive(name: &'static str, x: f64) -> Result<f64, NoDistribution> {
    if x.is_finite() && x > 0.0 { Ok(x) } else { Err(NoDistribution::NotPositive(name, x)) }
}

fn not_negative(name: &'static str, x: f64) -> Result<f64, NoDistribution> {
    if x.is_finite() && x >= 0.0 { Ok(x) } else { Err(NoDistribution::Negative(name, x)) }
}

/// Wind speed, `F(v) = 1 - exp(-(v / scale)^shape)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weibull {
    shape: f64,
    scale: f64,
}

impl Weibull {
    /// A distribution by its shape and its scale, the latter in the unit of the speed.
    ///
    /// # Errors
    /// If one is not finite or not above 0.
    pub fn new(shape: f64, scale: f64) -> Result<Self, NoDistribution> {
        Ok(Self { shape: positive("the shape", shape)?, scale: positive("the scale", scale)? })
    }

    /// Share of time with less wind.
    pub fn cdf(&self, speed: f64) -> f64 {
        -(-(speed.max(0.0) / self.scale).powf(self.shape)).exp_m1()
    }

    /// `v = scale (-ln(1 - u))^(1 / shape)`.
    pub fn quantile(&self, u: f64) -> f64 {
        self.scale * (-(-u).ln_1p()).powf(1.0 / self.shape)
    }

    /// `scale Gamma(1 + 1 / shape)`.
    pub fn mean(&self) -> f64 {
        self.scale * ln_gamma(1.0 + 1.0 / self.shape).exp()
    }

    /// Standard deviation, `scale sqrt(Gamma(1 + 2 / shape) - Gamma(1 + 1 / shape)^2)`.
    pub fn deviation(&self) -> f64 {
        let square = ln_gamma(1.0 + 2.0 / self.shape).exp() * self.scale * self.scale;
        (square - self.mean().powi(2)).max(0.0).sqrt()
    }
}

/// Share of full sun between 0 and 1, beta distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beta {
    alpha: f64,
    beta: f64,
}

impl Beta {
    /// A distribution by its two shapes.
    ///
    /// # Errors
    /// If one is not finite or not above 0.
    pub fn new(alpha: f64, beta: f64) -> Result<Self, NoDistribution> {
        Ok(Self { alpha: positive("alpha", alpha)?, beta: positive("beta", beta)? })
    }

    /// The distribution with a mean `m` and a standard deviation `s`: `nu = m (1 - m) / s^2 - 1`, shapes `m nu` and
    /// `(1 - m) nu`.
    ///
    /// # Errors
    /// If the mean is not in (0, 1) or `s^2` is not in (0, m (1 - m)).
    pub fn of_mean(mean: f64, deviation: f64) -> Result<Self, NoDistribution> {
        if !(mean > 0.0 && mean < 1.0) {
            return Err(NoDistribution::Mean(mean));
        }
        positive("the deviation", deviation)?;
        let most = (mean * (1.0 - mean)).sqrt();
        if deviation >= most {
            return Err(NoDistribution::Deviation { mean, deviation, most });
        }
        let nu = mean * (1.0 - mean) / (deviation * deviation) - 1.0;
        Self::new(mean * nu, (1.0 - mean) * nu)
    }

    /// The two shapes.
    pub fn shapes(&self) -> (f64, f64) {
        (self.alpha, self.beta)
    }

    /// Share of time with less sun.
    pub fn cdf(&self, x: f64) -> f64 {
        incomplete_beta(x, 1.0 - x, self.alpha, self.beta).0
    }

    /// The share of sun below which a share `u` lies.
    pub fn quantile(&self, u: f64) -> f64 {
        beta_quantile(u, self.alpha, self.beta)
    }
}

/// A load: normal around its mean, cut off at three standard deviations and at zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    mean: f64,
    deviation: f64,
}

impl Load {
    /// How many standard deviations it may be from its mean.
    const WIDEST: f64 = 3.0;

    /// A load by its mean and by the standard deviation, relative to the mean, of the normal distribution that is cut off.
    ///
    /// # Errors
    /// If one is not finite or negative.
    pub fn new(mean: f64, relative_deviation: f64) -> Result<Self, NoDistribution> {
        let mean = not_negative("the mean load", mean)?;
        Ok(Self { mean, deviation: mean * not_negative("the relative deviation", relative_deviation)? })
    }

    /// Shares of the normal distribution below the two ends.
    fn ends(&self) -> (f64, f64) {
        let lowest = if self.deviation > 0.0 { -(self.mean / self.deviation) } else { -Self::WIDEST };
        (lowest.max(-Self::WIDEST), Self::WIDEST)
    }

    /// The load below which a share `u` lies.
    pub fn quantile(&self, u: f64) -> f64 {
        let (low, high) = self.ends();
        let (below, within) = (normal_cdf(low), normal_cdf(high) - normal_cdf(low));
        let z = normal_quantile(below + u * within).clamp(low, high);
        (self.mean + self.deviation * z).max(0.0)
    }

    /// Its mean: that of the normal distribution only while the cut is the same on both sides.
    pub fn mean(&self) -> f64 {
        let (low, high) = self.ends();
        let within = normal_cdf(high) - normal_cdf(low);
        self.mean + self.deviation * (normal_density(low) - normal_density(high)) / within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 2e-10, "{found} instead of {wanted}");
    }

    /// The mean of a function of a uniform number, by the midpoint rule.
    fn expected(f: impl Fn(f64) -> f64) -> f64 {
        let n = 400_000;
        (0..n).map(|k| f((f64::from(k) + 0.5) / f64::from(n))).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn wind_has_the_known_moments_and_capacity_factors() {
        let wind = Weibull::new(2.0, 8.5).unwrap();
        near(wind.mean(), 7.5329288663);
        near(wind.deviation(), 3.9376366890);
        for (u, v) in [(0.1, 2.7590391908), (0.5, 7.0767141948), (0.9, 12.8981305998)] {
            near(wind.quantile(u), v);
            near(wind.cdf(v), u);
        }
        // A turbine that starts at 3, is full from 12 and stands above 25 m/s.
        near(wind.cdf(3.0) + 1.0 - wind.cdf(25.0), 0.1172963480);
        near(wind.cdf(25.0) - wind.cdf(12.0), 0.1361000719);
        let full = |v: f64, ramp: f64| if (3.0..25.0).contains(&v) { ramp.min(1.0) } else { 0.0 };
        let linear = expected(|u| full(wind.quantile(u), (wind.quantile(u) - 3.0) / 9.0));
        let cubic = expected(|u| full(wind.quantile(u), (wind.quantile(u).powi(3) - 27.0) / (1728.0 - 27.0)));
        assert!((linear - 0.4784248469).abs() < 2e-6, "{linear}");
        assert!((cubic - 0.3388223282).abs() < 2e-6, "{cubic}");
    }

    #[test]
    fn sun_has_the_mean_and_deviation_asked_for() {
        let sun = Beta::of_mean(0.55, 0.22).unwrap();
        near(sun.shapes().0, 2.2625);
        near(sun.shapes().1, 1.8511363636);
        near(sun.quantile(0.5), 0.5588080457);
        near(sun.cdf(0.3), 0.1526460093);
        let n = 4000;
        let draws: Vec<f64> = (0..n).map(|k| sun.quantile((f64::from(k) + 0.5) / f64::from(n))).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let deviation = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n)).sqrt();
        assert!((mean - 0.55).abs() < 1e-6 && (deviation - 0.22).abs() < 1e-4, "{mean} {deviation}");
    }

    #[test]
    fn load_is_cut_off_on_both_sides() {
        let load = Load::new(200.0, 0.05).unwrap();
        near(load.quantile(0.5), 200.0);
        near(load.quantile(0.0), 170.0);
        near(load.quantile(1.0), 230.0);
        near(load.mean(), 200.0);
        // Below: SciPy 1.17, truncnorm(-3, 3).ppf(0.1).
        assert!((load.quantile(0.1) - (200.0 - 10.0 * 1.27542222346758)).abs() < 1e-9, "{}", load.quantile(0.1));
        // So wide that zero cuts first: never negative, and the mean moves up.
        let wide = Load::new(10.0, 1.0).unwrap();
        assert_eq!(wide.quantile(0.0), 0.0);
        let mean = expected(|u| wide.quantile(u));
        assert!(mean > 10.5 && (wide.mean() - mean).abs() < 1e-4, "{mean} {}", wide.mean());
        assert_eq!(Load::new(0.0, 0.05).unwrap().quantile(0.3), 0.0);
        assert_eq!(Load::new(7.0, 0.0).unwrap().quantile(0.3), 7.0);
    }

    #[test]
    fn impossible_parameters_are_named() {
        assert!(Weibull::new(0.0, 8.0).unwrap_err().to_string().contains("the shape"));
        assert!(Weibull::new(2.0, f64::NAN).unwrap_err().to_string().contains("the scale"));
        assert!(Beta::of_mean(1.0, 0.1).unwrap_err().to_string().contains("between 0 and 1"));
        assert!(Beta::of_mean(0.5, 0.5).unwrap_err().to_string().contains("below 0.5"));
        assert!(Load::new(-1.0, 0.1).is_err() && Load::new(1.0, -0.1).is_err());
    }
}
