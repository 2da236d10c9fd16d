//! Every registered device against random prices of either sign, alone and all together: whatever passes validation can
//! operate, and what it does obeys the equations of the device and costs what is reported, as the oracle of its declaration
//! recomputes it from the powers alone.

use coase_core::participant::oracle::{Delivered, Draw, follow_their_equations};
use coase_core::participant::{DeviceRole, devices};
use coase_core::setting::Periods;

const SEEDS: u64 = 200;

#[test]
fn every_device_has_an_oracle() {
    let without: Vec<&str> = devices().iter().filter(|p| p.oracle.is_none()).map(|p| p.id).collect();
    assert!(without.is_empty(), "without an oracle: {without:?}");
}

#[test]
fn every_device_follows_its_equations_alone() {
    assert!(devices().len() >= 10);
    let first = |plugin| (0..SEEDS).find_map(|seed| follow_their_equations(&[plugin], seed).err().map(|e| (seed, e)));
    let wrong: Vec<(u64, String)> = devices().into_iter().filter_map(first).collect();
    assert!(wrong.is_empty(), "{} devices, each with its first seed: {wrong:#?}", wrong.len());
}

#[test]
fn all_devices_together_follow_their_equations() {
    for seed in 0..SEEDS {
        assert_eq!(follow_their_equations(&devices(), seed), Ok(()), "seed {seed}");
    }
}

/// An oracle that accepts anything is none: of each device, twice its greatest power breaks a limit, or costs something else
/// than its power.
#[test]
fn no_oracle_accepts_what_a_device_cannot_do() {
    let periods = Periods { count: 4, hours: 1.0 };
    for plugin in devices() {
        let oracle = plugin.oracle.expect("see above");
        let mut draw = Draw::new(3);
        let refused = (0..20).all(|_| {
            let mut device = (oracle.draw)(&mut draw, periods);
            device.series().into_iter().for_each(|(_, series)| series.write_out(periods.count));
            let load_kw = [30.0; 4];
            let rating = device.rating(periods, &load_kw);
            let beyond = match plugin.role {
                DeviceRole::Generation | DeviceRole::Store => 2.0 * rating.supply_kw.max(rating.demand_kw) + 1.0,
                DeviceRole::FixedLoad | DeviceRole::FlexibleLoad => -2.0 * rating.demand_kw - 100.0,
            };
            let power_kw = [beyond; 4];
            let delivered = Delivered {
                periods,
                load_kw: &load_kw,
                power_kw: &power_kw,
                stored_kwh: &[0.0; 4],
                discomfort: &[0.0; 4],
            };
            (oracle.check)(&*device, &delivered).is_err()
        });
        assert!(refused, "{}", plugin.id);
    }
}
