//! Five virtual power plants alone with the grid for a day, under four carbon policies: costs and emissions as found by two
//! independent formulations outside this project (1e-7 yuan apart).

use coase_core::terms::Terms;
use coase_testkit::alone::{CarbonRule, autarky};
use coase_testkit::five_vpps::{EXCHANGE_MAX_KW, five_vpps, market, setting};

/// Total yuan and kg of each participant under `none`, `tax`, `cap-and-trade`, `stepped`.
const ORACLE: [[(f64, f64); 4]; 5] = [
    [(967.869371, 2064.141385), (1544.914311, 2057.608193), (1048.427715, 2063.230561), (1198.889719, 2055.974895)],
    [(5674.685000, 4426.214000), (6882.631748, 4237.008700), (5758.170008, 4412.313200), (6696.414748, 4121.422100)],
    [(3790.778237, 2538.067921), (4468.679439, 2307.875721), (3889.854623, 2538.067921), (4182.782040, 2307.875721)],
    [(1945.132000, 2360.172000), (2598.783232, 2279.228800), (1990.469248, 2346.271200), (2562.585579, 2176.031650)],
    [(-1558.140000, 0.0); 4],
];

fn rules(quota_kg: f64) -> [Option<CarbonRule>; 4] {
    [
        None,
        Some(CarbonRule::tax(280.0, 0.0)),
        Some(CarbonRule::output_based(280.0, 0.50, 0.40)),
        Some(CarbonRule::ladder(280.0, 500.0, 0.25, quota_kg)),
    ]
}

#[test]
fn costs_and_emissions_of_five_plants_under_four_policies() {
    let setting = setting();
    for (vpp, expected) in five_vpps().iter().zip(ORACLE) {
        for (rule, (total, emission_kg)) in rules(vpp.quota_kg).iter().zip(expected) {
            let found = autarky(&vpp.portfolio, &setting, EXCHANGE_MAX_KW, rule.as_ref()).unwrap();
            assert!((found.total - total).abs() < 1e-4, "{} {rule:?}: {} not {total}", vpp.id, found.total);
            let emitted = found.emission_kg;
            assert!((emitted - emission_kg).abs() < 1e-4, "{} {rule:?}: {emitted} kg not {emission_kg}", vpp.id);
            for (buy, sell) in found.import.iter().zip(&found.export) {
                let (buy, sell) = (found.solution.value(*buy), found.solution.value(*sell));
                assert!(buy.min(sell) < 1e-4, "{} buys {buy} kW while it sells {sell} kW", vpp.id);
            }
        }
    }
}

#[test]
fn a_market_finds_the_same_costs_emissions_and_energy() {
    let vpps = five_vpps();
    let bare = market();
    for policy in 0..4 {
        let terms = |quota| rules(quota)[policy].as_ref().map_or(Terms::default(), |r| r.terms(bare.setting()));
        let terms: Vec<Terms> = vpps.iter().map(|v| terms(v.quota_kg)).collect();
        let market = bare.under(&terms);
        for (i, expected) in ORACLE.iter().enumerate() {
            let plan = market.local(i).autarky().unwrap();
            let (total, emission_kg) = expected[policy];
            assert!((plan.cost - total).abs() < 1e-4, "{}: {} not {total}", vpps[i].id, plan.cost);
            let imported: f64 = plan.import_kwh.iter().map(|kwh| 0.581 * kwh).sum();
            let emitted = imported + plan.emission_kg.iter().sum::<f64>();
            assert!((emitted - emission_kg).abs() < 1e-4, "{}: {emitted} kg not {emission_kg}", vpps[i].id);
            for t in 0..24 {
                let power: f64 = plan.devices.iter().map(|d| d.power_kw[t]).sum();
                assert!((power - plan.output[t]).abs() < 1e-6);
                assert!((plan.output[t] + plan.net_exchange_kwh(t)).abs() < 1e-6);
            }
        }
    }
}
