//! Distributions: shares below a value, and the values below which a share lies.

use super::special::{incomplete_beta, incomplete_gamma, invert, ln_gamma};
use std::f64::consts::{PI, SQRT_2};

/// Density of the standard normal distribution.
pub fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// Share of the standard normal distribution below `z`; relative errors stay small in the lower tail.
pub fn normal_cdf(z: f64) -> f64 {
    let x = z / SQRT_2;
    let (inside, outside) = incomplete_gamma(0.5, x * x);
    if z < 0.0 { 0.5 * outside } else { 0.5 + 0.5 * inside }
}

/// The value below which a share of the standard normal distribution lies (Wichura, 1988, algorithm AS 241, about 1e-16).
pub fn normal_quantile(share: f64) -> f64 {
    let q = share - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180625 - q * q);
    }
    let r = (-share.min(1.0 - share).ln()).sqrt();
    let z = if r <= 5.0 { ratio(&MIDDLE, r - 1.6) } else { ratio(&FAR, r - 5.0) };
    if share <= 0.0 {
        f64::NEG_INFINITY
    } else if share >= 1.0 {
        f64::INFINITY
    } else {
        z.copysign(q)
    }
}

type Ratio = ([f64; 8], [f64; 8]);

fn ratio((above, below): &Ratio, x: f64) -> f64 {
    let at = |coefficients: &[f64]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    at(above) / at(below)
}

const CENTRE: Ratio = (
    [
        3.387_132_872_796_366_6,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_4e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_66e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);

const MIDDLE: Ratio = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const FAR: Ratio = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_049e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// Share of Student's distribution with `freedom` degrees below `t`.
pub fn student_cdf(t: f64, freedom: f64) -> f64 {
    let all = freedom + t * t;
    let outside = 0.5 * incomplete_beta(freedom / all, t * t / all, 0.5 * freedom, 0.5).0;
    if t < 0.0 { outside } else { 1.0 - outside }
}

/// Both tails of Student's distribution beyond `|t|`.
pub fn student_tails(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let all = freedom + t * t;
    incomplete_beta(freedom / all, t * t / all, 0.5 * freedom, 0.5).0
}

/// The value below which a share of Student's distribution with `freedom` degrees lies; `share` in (0, 1).
pub fn student_quantile(share: f64, freedom: f64) -> f64 {
    // With u = t / sqrt(freedom + t^2) in (-1, 1) the bracket is finite.
    let lower = share.min(1.0 - share);
    let scale = (ln_gamma(0.5 * (freedom + 1.0)) - ln_gamma(0.5 * freedom)).exp() / PI.sqrt();
    let u = invert(lower, -1.0, 0.0, |u| {
        let rest = (1.0 - u) * (1.0 + u);
        (0.5 * incomplete_beta(rest, u * u, 0.5 * freedom, 0.5).0, scale * rest.powf(0.5 * freedom - 1.0))
    });
    let t = u.abs() * (freedom / ((1.0 - u) * (1.0 + u))).sqrt();
    if share < 0.5 { -t } else { t }
}

/// Share of the noncentral Student distribution with `freedom` degrees and noncentrality `shift` below `t` (Lenth, 1989,
/// algorithm AS 243); `|shift|` up to 37.
pub fn noncentral_student_cdf(t: f64, freedom: f64, shift: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - noncentral_student_cdf(-t, freedom, -shift);
    }
    let below_zero = normal_cdf(-shift);
    if t == 0.0 {
        return below_zero;
    }
    let all = freedom + t * t;
    let (x, rest, b, lambda) = (t * t / all, freedom / all, 0.5 * freedom, shift * shift);
    let mut a = 0.5;
    let mut p = 0.5 * (-0.5 * lambda).exp();
    let mut q = (2.0 / PI).sqrt() * p * shift;
    let mut left = 0.5 - p;
    let power = rest.powf(b);
    let mut odd = incomplete_beta(x, rest, a, b).0;
    let mut odd_step = 2.0 * power * (a * x.ln() - (PI.sqrt().ln() + ln_gamma(b) - ln_gamma(a + b))).exp();
    let mut even = 1.0 - power;
    let mut even_step = b * x * power;
    let mut sum = p * odd + q * even;
    for n in 1..5000 {
        let n = f64::from(n);
        a += 1.0;
        odd -= odd_step;
        even -= even_step;
        odd_step *= x * (a + b - 1.0) / a;
        even_step *= x * (a + b - 0.5) / (a + 0.5);
        p *= lambda / (2.0 * n);
        q *= lambda / (2.0 * n + 1.0);
        left -= p;
        sum += p * odd + q * even;
        if n > 0.5 * lambda && 2.0 * left * (odd - odd_step) < 1e-15 {
            break;
        }
    }
    (sum + below_zero).clamp(0.0, 1.0)
}

/// Share of Fisher's F distribution above `f`.
pub fn f_above(f: f64, above: f64, below: f64) -> f64 {
    if f <= 0.0 {
        return 1.0;
    }
    if f.is_infinite() {
        return 0.0;
    }
    let all = below + above * f;
    incomplete_beta(below / all, above * f / all, 0.5 * below, 0.5 * above).0
}

/// Share of the chi-square distribution above `x`.
pub fn chi_square_above(x: f64, freedom: f64) -> f64 {
    incomplete_gamma(0.5 * freedom, 0.5 * x).1
}

/// The value below which a share of the beta distribution lies.
pub fn beta_quantile(share: f64, a: f64, b: f64) -> f64 {
    if share <= 0.0 {
        return 0.0;
    }
    if share >= 1.0 {
        return 1.0;
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    let at = |x: f64| {
        let y = 1.0 - x;
        let density = (front + (a - 1.0) * x.ln() + (b - 1.0) * y.ln()).exp();
        (incomplete_beta(x, y, a, b).0, density)
    };
    invert(share, 0.0, 1.0, at)
}

/// Share of the studentised range of `groups` normal means, their variance known, below `q`:
/// `k` integral of `phi(z) (Phi(z) - Phi(z - q))^(k-1)` over the largest mean `z`.
pub fn studentised_range_cdf(q: f64, groups: usize) -> f64 {
    if q <= 0.0 {
        return 0.0;
    }
    // The integrand is analytic and gone at both ends, so that the trapezium rule converges faster than any power of its step.
    let (step, end) = (1.0 / 16.0, 9.0);
    let places = (2.0 * end / step) as i32;
    let sum: f64 = (0..=places)
        .map(|k| -end + f64::from(k) * step)
        .map(|z| normal_density(z) * (normal_cdf(z) - normal_cdf(z - q)).powi(groups as i32 - 1))
        .sum();
    (groups as f64 * sum * step).min(1.0)
}

/// The value below which a share of the studentised range of `groups` normal means lies, their variance known.
pub fn studentised_range_quantile(share: f64, groups: usize) -> f64 {
    invert(share, 0.0, 40.0, |q| (studentised_range_cdf(q, groups), 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() <= 2e-14 + 2e-12 * wanted.abs(), "{found} instead of {wanted}");
    }

    // Values without a formula beside them are from SciPy 1.17.

    #[test]
    fn normal_distribution_and_its_quantiles() {
        for (z, share) in [
            (-8.0, 6.22096057427174e-16),
            (-3.0, 0.00134989803163009),
            (-1.0, 0.158655253931457),
            (0.0, 0.5),
            (0.5, 0.691462461274013),
            (2.0, 0.977249868051821),
            (5.0, 0.999999713348428),
        ] {
            assert!((normal_cdf(z) / share - 1.0).abs() < 1e-13, "{z}");
        }
        for (share, z) in [
            (1e-20, -9.26234008979841),
            (1e-6, -4.7534243088229),
            (0.025, -1.95996398454005),
            (0.3, -0.524400512708041),
            (0.5, 0.0),
            (0.9, 1.2815515655446),
            (0.999, 3.09023230616781),
        ] {
            near(normal_quantile(share), z);
        }
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn student_distribution_and_its_quantiles() {
        for (t, freedom, share) in [
            (-2.5, 3.0, 0.0438533235040328),
            (1.3, 7.0, 0.882616082303811),
            (4.0, 1.0, 0.922020869622631),
            (-0.2, 50.0, 0.421145904121792),
        ] {
            near(student_cdf(t, freedom), share);
        }
        for (share, freedom, t) in [
            (0.975, 1.0, 12.7062047361747),
            (0.975, 7.0, 2.36462425159278),
            (0.9, 2.0, 1.88561808316413),
            (0.995, 30.0, 2.74999565356723),
            (0.001, 4.0, -7.17318221978231),
            (0.95, 1000.0, 1.64637881728546),
        ] {
            near(student_quantile(share, freedom), t);
        }
        assert!((student_quantile(0.975, 1e6) - 1.95996635681411).abs() < 1e-9);
        near(student_tails(-2.5, 3.0), 2.0 * 0.0438533235040328);
        assert_eq!(student_tails(f64::INFINITY, 3.0), 0.0);
    }

    #[test]
    fn noncentral_student_distribution() {
        for (t, freedom, shift, share) in [
            (2.0, 9.0, 1.5, 0.65587591399855),
            (-1.0, 5.0, 0.7, 0.0569580473657869),
            (3.0, 33.0, 2.9, 0.528599153796093),
            (0.0, 4.0, -1.0, 0.841344746068543),
            (2.03, 33.0, -2.9, 0.999999104022417),
        ] {
            near(noncentral_student_cdf(t, freedom, shift), share);
        }
        near(noncentral_student_cdf(1.3, 7.0, 0.0), 0.882616082303811);
    }

    #[test]
    fn fisher_and_chi_square_tails() {
        near(f_above(3.69, 3.0, 39.0), 0.0197440996894889);
        near(f_above(1.0, 2.0, 2.0), 0.5);
        near(f_above(10.0, 5.0, 4.0), 0.0222522495052824);
        near(chi_square_above(9.28, 3.0), 0.0257907241987568);
        near(chi_square_above(0.5, 1.0), 0.479500122186953);
        assert!((chi_square_above(40.0, 10.0) / 1.69447439300674e-05 - 1.0).abs() < 1e-12);
        assert_eq!((f_above(0.0, 2.0, 3.0), f_above(f64::INFINITY, 2.0, 3.0)), (1.0, 0.0));
    }

    #[test]
    fn beta_quantiles() {
        for (share, a, b, x) in [
            (0.01, 0.5, 0.7, 0.000156970358481136),
            (0.999, 30.0, 2.0, 0.998512313863058),
            (0.25, 200.0, 300.0, 0.385146904794221),
        ] {
            near(beta_quantile(share, a, b), x);
        }
        assert_eq!((beta_quantile(0.0, 2.0, 3.0), beta_quantile(1.0, 2.0, 3.0)), (0.0, 1.0));
    }

    #[test]
    fn studentised_range_quantiles_are_the_tabled_ones() {
        // Two means: the range is |N(0, 2)|. Else q_0.05 with endless degrees of freedom (Harter, 1960).
        near(studentised_range_quantile(0.95, 2), 1.959963984540054 * SQRT_2);
        for (groups, q) in [(3, 3.314), (4, 3.633), (5, 3.858), (6, 4.030), (10, 4.474), (20, 5.012)] {
            let found = studentised_range_quantile(0.95, groups);
            assert!((found - q).abs() < 1e-3, "{groups}: {found}");
        }
        for (groups, q) in [(3, 4.120), (10, 5.157)] {
            assert!((studentised_range_quantile(0.99, groups) - q).abs() < 1e-3);
        }
    }
}
