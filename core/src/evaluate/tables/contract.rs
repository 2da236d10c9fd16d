//! Who answers for which emissions by contract.

use crate::carbon_flow::LossRule;
use crate::carbon_flow::contract::{Contract, Generation, Oversold, Party, overlay, pooled};
use crate::evaluate::Case;
use crate::outcome::{Pairs, Trade};

/// Market-based emissions of every member over the horizon: own generation used, contracts, and the residual mix; empty
/// where energies do not add up to an account.
pub(super) fn contract_kg(case: &Case) -> Vec<f64> {
    let setting = case.setting();
    let trades = case.traded.by_slot();
    let mut total = vec![0.0; setting.members.len()];
    for t in 0..setting.periods.count {
        let Some(kg) = contract_kg_in(case, &trades, t) else { return vec![] };
        for (sum, x) in total.iter_mut().zip(kg) {
            *sum += x;
        }
    }
    total
}

fn contract_kg_in(case: &Case, trades: &[Vec<&Trade>], period: usize) -> Option<Vec<f64>> {
    let setting = case.setting();
    let physical = &case.cleared.physical;
    let slot = setting.energy_slot(period)?;
    let output: Vec<f64> = physical.plans.iter().map(|p| p.output[slot]).collect();
    // Without a network a member that exports carries its own direct emissions and nothing else.
    let export_intensity = |i: usize| -> f64 {
        let plan = &physical.plans[i];
        physical.export_intensity_kg_per_kwh(i, period).unwrap_or_else(|| {
            let given = plan.given_kwh(period, setting.periods.hours);
            if given > 1e-9 { plan.emission_kg[period] / given } else { 0.0 }
        })
    };
    let mut parties: Vec<Party> = (0..output.len())
        .map(|i| Party {
            exported_kwh: output[i].max(0.0),
            export_kg_per_kwh: if output[i] > 0.0 { export_intensity(i) } else { 0.0 },
            withdrawn_kwh: (-output[i]).max(0.0),
        })
        .collect();
    let upstream = physical.upstream_import_kwh[period];
    let rest =
        physical.plans.iter().map(|p| p.net_exchange_kwh(period)).sum::<f64>() + physical.loss_kwh(setting, period);
    // Whoever else is on the feeder withdraws what upstream sends beyond members and losses; a backflow leaves at the root.
    let passive = (upstream - rest).max(0.0);
    parties.push(Party {
        exported_kwh: (rest - upstream).max(0.0),
        export_kg_per_kwh: 0.0,
        withdrawn_kwh: passive + (-upstream).max(0.0),
    });
    let outside = [Generation { kwh: upstream.max(0.0), kg_per_kwh: setting.intensity(period) }];
    let party_kg = match case.traded.pairs {
        Pairs::All => {
            let contract = |t: &&Trade| Contract { buyer: t.buyer, seller: t.seller, kwh: t.quantity };
            let contracts: Vec<Contract> = trades[slot].iter().map(contract).collect();
            overlay(&outside, &parties, &contracts, LossRule::Explicit, Oversold::Cap).ok()?.party_kg
        }
        // Who stands beside whom is no answer to whose energy a buyer gets: it gets the mix of all sellers.
        Pairs::Few => {
            let of = |kwh: &[Vec<f64>]| kwh.iter().map(|kwh| kwh[slot]).collect::<Vec<f64>>();
            pooled(&outside, &parties, &of(&case.traded.sold), &of(&case.traded.bought), LossRule::Explicit).ok()?
        }
    };
    let own = |i: usize| physical.plans[i].emission_kg[period] - parties[i].exported_kwh * parties[i].export_kg_per_kwh;
    Some((0..output.len()).map(|i| party_kg[i] + own(i)).collect())
}
