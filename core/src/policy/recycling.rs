//! Gives the authority's revenue back. Knows who paid, not what for.

use super::modifiers::Recycling;
use crate::market::Plan;
use crate::outcome::{Ledger, Party, Reason};
use crate::physical::Physical;
use crate::setting::Setting;
use std::sync::Arc;

/// Enters the refunds of what `bills` pays to the authority; where the authority has no revenue there is none.
///
/// Dividends are shares of the whole revenue, which they sum to: equal ones, or in proportion to the load that the meters of
/// the members counted (equal ones where nobody consumed anything). Among the others, what one member pays is shared among
/// the rest, so that no refund depends on what its receiver pays; a single member gets nothing, and what the network operator
/// pays is shared among all. If the authority also bought (surplus allowances), every payer's money is given back in the
/// proportion that is left.
pub(super) fn refund(setting: &Setting, physical: &Physical, recycling: Recycling, bills: &mut Ledger) {
    let members = setting.members.len();
    let paid_by = |party: Party| -> f64 {
        let entries = bills.entries().iter().filter(|e| e.reason != Reason::CarbonRefund);
        entries
            .map(|e| match (e.from, e.to) {
                (from, Party::Authority) if from == party => e.amount,
                (Party::Authority, to) if to == party => -e.amount,
                _ => 0.0,
            })
            .sum()
    };
    let by_member: Vec<f64> = (0..members).map(|i| paid_by(Party::Member(i))).collect();
    let by_operator = paid_by(Party::Dso);
    let revenue = by_member.iter().sum::<f64>() + by_operator;
    if revenue <= 0.0 {
        return;
    }
    let equal = || vec![1.0; members];
    let refunds = match recycling {
        Recycling::Kept => return,
        Recycling::ToDso => return bills.pay(Party::Authority, Party::Dso, revenue, Reason::CarbonRefund),
        Recycling::EqualPerHead => dividends(revenue, &equal()),
        Recycling::PerLoad => {
            let load = |plan: &Arc<Plan>| plan.load_kwh(setting.periods.hours).max(0.0);
            let loads: Vec<f64> = physical.plans.iter().map(load).collect();
            dividends(revenue, &if loads.iter().sum::<f64>() > 0.0 { loads } else { equal() })
        }
        Recycling::EqualAmongOthers => {
            let gross: f64 = by_member.iter().chain([&by_operator]).map(|p| p.max(0.0)).sum();
            let of_operator = dividends(by_operator.max(0.0) * revenue / gross, &equal());
            let of_members = by_member.iter().map(|p| p.max(0.0)).sum::<f64>() * revenue / gross;
            among_the_others(&by_member, of_members).iter().zip(of_operator).map(|(a, b)| a + b).collect()
        }
    };
    for (i, refund) in refunds.into_iter().enumerate() {
        bills.pay(Party::Authority, Party::Member(i), refund, Reason::CarbonRefund);
    }
}

/// An amount in proportion to weights that are not negative.
fn dividends(amount: f64, weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| amount * w / sum).collect()
}

/// Shares of an amount, per head among the members other than its payer, each payer's part in proportion to what it paid;
/// nothing of an amount that is not positive.
pub(super) fn among_the_others(paid: &[f64], amount: f64) -> Vec<f64> {
    let gross: f64 = paid.iter().map(|p| p.max(0.0)).sum();
    if amount <= 0.0 || gross <= 0.0 || paid.len() < 2 {
        return vec![0.0; paid.len()];
    }
    let others = (paid.len() - 1) as f64;
    paid.iter().map(|own| amount * (gross - own.max(0.0)) / gross / others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon_flow::storage::StorageEfficiency;
    use crate::market::DevicePlan;
    use crate::participant::{DeviceRole, Store};
    use crate::setting::{Member, Periods};

    /// Members that consume 10, 30 and 0 kWh; the second also charges a storage and generates.
    fn physical() -> Physical {
        let device = |role, kw: f64| DevicePlan { role, power_kw: vec![kw], ..DevicePlan::default() };
        let lossless = StorageEfficiency { charge: 1.0, discharge: 1.0, retention_per_h: 1.0 };
        let storage = DevicePlan {
            store: Some(Store { efficiency: lossless, start_kwh: 0.0 }),
            ..device(DeviceRole::Store, -7.0)
        };
        let plans = [
            vec![device(DeviceRole::FixedLoad, -12.0), device(DeviceRole::FlexibleLoad, 2.0)],
            vec![
                device(DeviceRole::FixedLoad, -25.0),
                device(DeviceRole::FlexibleLoad, -5.0),
                device(DeviceRole::Generation, 40.0),
                storage,
            ],
            vec![device(DeviceRole::Generation, 8.0)],
        ];
        let plan = |devices: &Vec<DevicePlan>| Arc::new(Plan { devices: devices.clone(), ..Plan::default() });
        Physical { plans: plans.iter().map(plan).collect(), upstream_import_kwh: vec![], grid: vec![] }
    }

    fn refunds(recycling: Recycling, paid: [f64; 4]) -> (Vec<f64>, Ledger) {
        refunds_of(recycling, paid, &physical())
    }

    fn refunds_of(recycling: Recycling, paid: [f64; 4], physical: &Physical) -> (Vec<f64>, Ledger) {
        // Ratings are no loads.
        let members = [90.0, 1.0, 50.0].map(|demand_kw| Member::new("m", demand_kw, 5.0)).to_vec();
        let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
        let mut bills = Ledger::default();
        for (i, amount) in paid[..3].iter().enumerate() {
            bills.pay(Party::Member(i), Party::Authority, *amount, Reason::Carbon);
        }
        bills.pay(Party::Dso, Party::Authority, paid[3], Reason::Carbon);
        refund(&setting, physical, recycling, &mut bills);
        ((0..3).map(|i| bills.balance_of(Party::Member(i), &[Reason::CarbonRefund])).collect(), bills)
    }

    #[test]
    fn equal_dividends_share_the_whole_revenue() {
        let (shares, bills) = refunds(Recycling::EqualPerHead, [8.0, 4.0, 0.0, 3.0]);
        assert_eq!(shares, [5.0; 3]);
        assert!(bills.balance(Party::Authority).abs() < 1e-12);
    }

    #[test]
    fn dividends_per_load_go_by_what_is_consumed() {
        let (shares, bills) = refunds(Recycling::PerLoad, [8.0, 4.0, 4.0, 0.0]);
        assert_eq!(shares, [4.0, 12.0, 0.0]);
        assert!(bills.balance(Party::Authority).abs() < 1e-12);
        let nobody = Physical { plans: vec![Arc::default(); 3], upstream_import_kwh: vec![], grid: vec![] };
        assert_eq!(refunds_of(Recycling::PerLoad, [8.0, 4.0, 0.0, 0.0], &nobody).0, [4.0; 3]);
    }

    #[test]
    fn among_the_others_no_refund_depends_on_what_its_receiver_pays() {
        let (shares, bills) = refunds(Recycling::EqualAmongOthers, [8.0, 4.0, 0.0, 3.0]);
        assert_eq!(shares, [2.0 + 1.0, 4.0 + 1.0, 4.0 + 2.0 + 1.0]);
        assert!(bills.balance(Party::Authority).abs() < 1e-12);
        for recycling in [Recycling::EqualAmongOthers, Recycling::Kept, Recycling::ToDso] {
            let (less, _) = refunds(recycling, [8.0, 4.0, 5.0, 2.0]);
            let (more, _) = refunds(recycling, [90.0, 4.0, 5.0, 2.0]);
            assert!((less[0] - more[0]).abs() < 1e-12);
        }
    }

    #[test]
    fn refunds_sum_to_the_revenue_and_nothing_is_given_of_none() {
        for recycling in [Recycling::EqualPerHead, Recycling::PerLoad, Recycling::EqualAmongOthers] {
            let (shares, bills) = refunds(recycling, [8.0, -4.0, 0.0, 1.0]);
            assert!((shares.iter().sum::<f64>() - 5.0).abs() < 1e-12, "{recycling:?} {shares:?}");
            assert!(bills.balance(Party::Authority).abs() < 1e-12);
            assert_eq!(refunds(recycling, [2.0, -4.0, 0.0, 0.0]).0, [0.0; 3]);
        }
        let (shares, _) = refunds(Recycling::EqualAmongOthers, [8.0, -4.0, 0.0, 0.0]);
        assert_eq!(shares, [0.0, 2.0, 2.0]);
        let (_, kept) = refunds(Recycling::Kept, [8.0, -4.0, 0.0, 0.0]);
        assert_eq!(kept.balance(Party::Authority), 4.0);
    }
}
