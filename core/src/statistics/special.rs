//! Special functions that distributions are made of: gamma and beta, complete and incomplete.
//!
//! Relative errors are about 1e-13, and 1e-12 for shapes of some hundreds, where logarithms of gamma functions cancel.

use std::f64::consts::PI;

/// Natural logarithm of the gamma function at `x > 0`: Stirling's series (Abramowitz and Stegun 6.1.41) from 10 on, below it
/// by `Gamma(x + 1) = x Gamma(x)`.
pub fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut passed) = (x, 1.0);
    while x < 10.0 {
        passed *= x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = [-1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360360.0, 1.0 / 156.0];
    let tail = series.iter().rev().fold(0.0, |sum, term| (sum + term) * r);
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + (1.0 / 12.0 + tail) / x - passed.ln()
}

const TINY: f64 = 1e-300;
const PRECISE: f64 = 1e-16;

/// The regularised incomplete gamma functions `(P(a, x), Q(a, x))` for `a > 0`, `x >= 0`, which sum to one: the series below
/// `a + 1`, the continued fraction (by Lentz) above.
pub fn incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * PRECISE {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let below = (front * sum).min(1.0);
        return (below, 1.0 - below);
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / b);
    let mut fraction = d;
    for n in 1..10_000 {
        let n = f64::from(n);
        let step = n * (a - n);
        b += 2.0;
        d = 1.0 / away_from_zero(step * d + b);
        c = away_from_zero(b + step / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() <= PRECISE {
            break;
        }
    }
    let above = (front * fraction).min(1.0);
    (1.0 - above, above)
}

/// The regularised incomplete beta functions `(I_x(a, b), 1 - I_x(a, b))` at `x` in `[0, 1]`, `y = 1 - x` given apart so that
/// neither loses digits near its end.
pub fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let front = (a * x.ln() + b * y.ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = (front * beta_fraction(x, a, b) / a).min(1.0);
        (below, 1.0 - below)
    } else {
        let above = (front * beta_fraction(y, b, a) / b).min(1.0);
        (1.0 - above, above)
    }
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8, by Lentz).
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for step in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + step * d);
            c = away_from_zero(1.0 + step / c);
            fraction *= d * c;
        }
        if (d * c - 1.0).abs() <= PRECISE {
            break;
        }
    }
    fraction
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// Where a growing function with its slope reaches `target` in `[low, high]`: Newton's method, halving where it would leave the
/// bracket or shrinks it too slowly.
pub fn invert(target: f64, low: f64, high: f64, at: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (low, high);
    let mut x = 0.5 * (low + high);
    let mut before = high - low;
    for _ in 0..200 {
        let (value, slope) = at(x);
        if value < target {
            low = x;
        } else {
            high = x;
        }
        let newton = x - (value - target) / slope;
        let step = newton - x;
        let next = if newton > low && newton < high && step.abs() < 0.5 * before { newton } else { 0.5 * (low + high) };
        before = (next - x).abs();
        if before <= 2.0 * f64::EPSILON * next.abs() || value == target {
            return if value == target { x } else { next };
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() <= 1e-13 * wanted.abs(), "{found} instead of {wanted}");
    }

    #[test]
    fn gamma_is_the_factorial_and_the_root_of_pi() {
        near(ln_gamma(11.0), 3628800_f64.ln());
        near(ln_gamma(0.5), PI.sqrt().ln());
        near(ln_gamma(171.0), 706.5730622457874);
        near(ln_gamma(1e-3), 6.907178885383853);
        assert!(ln_gamma(1.0).abs() < 1e-14 && ln_gamma(2.0).abs() < 1e-14);
    }

    #[test]
    fn incomplete_gamma_has_its_closed_forms() {
        // Q(1, x) = exp(-x), Q(3, x) = exp(-x) (1 + x + x^2/2)
        for x in [0.01_f64, 0.7, 1.9, 5.0, 40.0] {
            near(incomplete_gamma(1.0, x).1, (-x).exp());
            near(incomplete_gamma(3.0, x).1, (-x).exp() * (1.0 + x + x * x / 2.0));
        }
        assert_eq!(incomplete_gamma(2.0, 0.0), (0.0, 1.0));
    }

    #[test]
    fn incomplete_beta_has_its_closed_forms() {
        for x in [1e-6_f64, 0.2, 0.5, 0.9, 1.0 - 1e-6] {
            near(incomplete_beta(x, 1.0 - x, 2.5, 1.0).0, x.powf(2.5));
            // I_x(2, 2) = 3 x^2 - 2 x^3
            near(incomplete_beta(x, 1.0 - x, 2.0, 2.0).0, x * x * (3.0 - 2.0 * x));
            // the arcsine law
            near(incomplete_beta(x, 1.0 - x, 0.5, 0.5).0, 2.0 / PI * x.sqrt().asin());
        }
        assert_eq!(incomplete_beta(0.0, 1.0, 2.0, 3.0), (0.0, 1.0));
        assert_eq!(incomplete_beta(1.0, 0.0, 2.0, 3.0), (1.0, 0.0));
    }

    #[test]
    fn inversion_finds_roots_where_the_slope_is_flat_or_endless() {
        near(invert(1e-12, 0.0, 1.0, |x| (x.powi(3), 3.0 * x * x)), 1e-4);
        near(invert(0.25, 0.0, 1.0, |x| (x.sqrt(), 0.5 / x.sqrt())), 0.0625);
        near(invert(0.3, 0.0, 1.0, |x| (x, 0.0)), 0.3);
    }
}
