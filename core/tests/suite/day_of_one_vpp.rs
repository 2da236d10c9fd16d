//! One virtual power plant alone with the grid for a day under seven carbon policies. The figures were computed outside this
//! project; the tiers of the ladder were cross-checked there through the equivalent flat tax.

use coase_core::participant::{Device, Interruptible, Load, MicroTurbine, Portfolio, Pv, Storage, Wind};
use coase_core::setting::{Member, Setting};
use coase_testkit::alone::{Autarky, CarbonRule, autarky};
use coase_testkit::shapes::{DAY, PV, RTS_WINTER, WIND, scaled, tariff_a};

const EXCHANGE_MAX_KW: f64 = 3000.0;

fn plant() -> (Portfolio, Setting) {
    let devices = vec![
        Load { p_kw: scaled(4000.0, &RTS_WINTER).into() }.boxed(),
        Pv { p_max_kw: 2000.0, profile: PV.to_vec().into(), cost_per_kwh: 0.0 }.boxed(),
        Wind { p_max_kw: 1500.0, profile: WIND.to_vec().into(), cost_per_kwh: 0.0 }.boxed(),
        MicroTurbine {
            p_min_kw: 0.0,
            p_max_kw: 2000.0,
            cost_per_kwh: 0.48,
            cost_per_kwh2: 2e-5,
            cost_per_h: 0.0,
            ramp_kw_per_h: Some(600.0),
            emission_kg_per_kwh: 0.55,
            reserve_cost_per_kw: None,
        }
        .boxed(),
        Storage {
            capacity_kwh: 2000.0,
            p_charge_max_kw: 500.0,
            p_discharge_max_kw: 500.0,
            efficiency_charge: 0.95,
            efficiency_discharge: 0.95,
            retention_per_h: 1.0,
            soc_min: 0.1,
            soc_max: 0.9,
            soc_start: 0.5,
            soc_end: None,
            cost_per_kwh: 0.005,
            reserve_cost_per_kw: None,
        }
        .boxed(),
        Interruptible { share: 0.05, compensation_per_kwh: 0.8 }.boxed(),
    ];
    let member = Member::new("vpp", EXCHANGE_MAX_KW, EXCHANGE_MAX_KW);
    let portfolio = Portfolio::new("vpp", devices, DAY).unwrap();
    (portfolio, Setting::energy(DAY, Some(tariff_a()), None, vec![member]))
}

fn solve(rule: Option<&CarbonRule>) -> Autarky {
    let (portfolio, setting) = plant();
    autarky(&portfolio, &setting, EXCHANGE_MAX_KW, rule).unwrap()
}

/// Total and operating cost in yuan, emissions in tonnes, turbine and bought energy in MWh.
fn assert_day(label: &str, rule: Option<&CarbonRule>, [total, operating, tonnes, turbine, bought]: [f64; 5]) {
    let (_, setting) = plant();
    let day = solve(rule);
    let turbine_mwh = day.series(&day.contribution.emitting_kwh).iter().sum::<f64>() / 1000.0;
    let close = |what, found: f64, expected: f64, tolerance: f64| {
        assert!((found - expected).abs() < tolerance, "{label}, {what}: {found} instead of {expected}");
    };
    close("total", day.total, total, 1e-4);
    close("operating cost", day.operating, operating, 1e-4);
    close("emissions", day.emission_kg / 1000.0, tonnes, 1e-7);
    close("turbine", turbine_mwh, turbine, 1e-5);
    close("bought", day.import_kwh(&setting) / 1000.0, bought, 1e-5);
}

#[test]
fn a_day_without_a_policy() {
    assert_day("none", None, [25096.247587, 25096.247587, 26.64707905, 36.398186, 11.408050]);
}

#[test]
fn a_day_under_taxes() {
    for (price, expected) in [
        (280.0, [32474.424637, 25130.788715, 26.22727115, 36.470179, 10.617337]),
        (320.0, [33513.499305, 25235.445521, 25.86891808, 35.733366, 10.698050]),
        (490.0, [37887.206520, 25563.942662, 25.14951808, 34.425366, 10.698050]),
    ] {
        assert_day("tax", Some(&CarbonRule::tax(price, 0.0)), expected);
    }
}

#[test]
fn a_day_under_cap_and_trade_with_a_quota_by_output() {
    let rule = CarbonRule::output_based(280.0, 0.40, 0.40);
    assert_day("cap and trade", Some(&rule), [27199.808549, 25128.907587, 26.23456905, 36.398186, 10.698050]);
}

#[test]
fn a_fixed_quota_at_one_price_changes_the_bill_by_its_value_and_nothing_else() {
    let rule = CarbonRule::tax(280.0, 18000.0);
    assert_day("quota", Some(&rule), [27434.424637, 25130.788715, 26.22727115, 36.470179, 10.617337]);
    let (taxed, with_quota) = (solve(Some(&CarbonRule::tax(280.0, 0.0))), solve(Some(&rule)));
    assert!((taxed.total - with_quota.total - 5040.0).abs() < 1e-6);
}

#[test]
fn a_ladder_acts_as_the_tax_of_the_tier_it_ends_in() {
    let rule = CarbonRule::ladder(280.0, 2000.0, 0.25, 18000.0);
    assert_day("ladder", Some(&rule), [28227.206520, 25563.942662, 25.14951808, 34.425366, 10.698050]);
}
