//! Gives the authority's revenue back. Knows who paid, not what for.

use super::modified::{CARBON, CARBON_REFUND};
use super::modifiers::Recycling;
use crate::outcome::{Ledger, Party};
use crate::setting::Setting;

/// Enters the refunds of what `bills` pays to the authority; where the authority has no revenue there is none.
///
/// Per head and per load, what one member pays is shared among the others, so that no refund depends on what its receiver
/// pays; a single member gets nothing. What the network operator pays is shared among all. If the authority also bought
/// (surplus allowances), every payer's money is given back in the proportion that is left.
pub(super) fn refund(setting: &Setting, recycling: Recycling, bills: &mut Ledger) {
    let members = setting.members.len();
    let paid_by = |party: Party| -> f64 {
        let entries = bills.entries().iter().filter(|e| e.reason == CARBON);
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
    let weight = |i: usize| match recycling {
        Recycling::PerLoad => setting.members[i].rating.demand_kw,
        _ => 1.0,
    };
    match recycling {
        Recycling::Kept => {}
        Recycling::ToDso => bills.pay(Party::Authority, Party::Dso, revenue, CARBON_REFUND),
        Recycling::EqualPerHead | Recycling::PerLoad => {
            let gross: f64 = by_member.iter().chain([&by_operator]).map(|p| p.max(0.0)).sum();
            let mut refunds = vec![0.0; members];
            let mut share_out = |payer: Option<usize>, amount: f64| {
                let others = || (0..members).filter(|i| Some(*i) != payer);
                let weights: f64 = others().map(weight).sum();
                let heads = others().count() as f64;
                for i in others() {
                    refunds[i] += amount * if weights > 0.0 { weight(i) / weights } else { 1.0 / heads };
                }
            };
            for (i, paid) in by_member.iter().enumerate() {
                share_out(Some(i), paid.max(0.0) * revenue / gross);
            }
            share_out(None, by_operator.max(0.0) * revenue / gross);
            for (i, refund) in refunds.into_iter().enumerate() {
                bills.pay(Party::Authority, Party::Member(i), refund, CARBON_REFUND);
            }
        }
    }
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
    use crate::setting::{Member, Periods};

    fn refunds(recycling: Recycling, paid: [f64; 4]) -> (Vec<f64>, Ledger) {
        let members = [10.0, 30.0, 0.0].map(|demand_kw| Member::new("m", demand_kw, 5.0)).to_vec();
        let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
        let mut bills = Ledger::default();
        for (i, amount) in paid[..3].iter().enumerate() {
            bills.pay(Party::Member(i), Party::Authority, *amount, CARBON);
        }
        bills.pay(Party::Dso, Party::Authority, paid[3], CARBON);
        refund(&setting, recycling, &mut bills);
        ((0..3).map(|i| bills.balance_of(Party::Member(i), &[CARBON_REFUND])).collect(), bills)
    }

    #[test]
    fn revenue_per_head_is_shared_among_the_others() {
        let (shares, bills) = refunds(Recycling::EqualPerHead, [8.0, 4.0, 0.0, 3.0]);
        assert_eq!(shares, [2.0 + 1.0, 4.0 + 1.0, 4.0 + 2.0 + 1.0]);
        assert!(bills.balance(Party::Authority).abs() < 1e-12);
    }

    #[test]
    fn revenue_per_load_follows_public_ratings() {
        let (shares, bills) = refunds(Recycling::PerLoad, [8.0, 4.0, 4.0, 0.0]);
        assert_eq!(shares, [4.0 + 1.0, 8.0 + 3.0, 0.0]);
        assert!(bills.balance(Party::Authority).abs() < 1e-12);
    }

    #[test]
    fn no_refund_depends_on_what_its_receiver_pays() {
        for recycling in [Recycling::EqualPerHead, Recycling::PerLoad, Recycling::Kept, Recycling::ToDso] {
            let (less, _) = refunds(recycling, [8.0, 4.0, 5.0, 2.0]);
            let (more, _) = refunds(recycling, [90.0, 4.0, 5.0, 2.0]);
            assert_eq!(less[0], more[0]);
        }
    }

    #[test]
    fn surplus_bought_by_the_authority_is_taken_off_first() {
        let (shares, bills) = refunds(Recycling::EqualPerHead, [8.0, -4.0, 0.0, 0.0]);
        assert_eq!(shares, [0.0, 2.0, 2.0]);
        assert!(bills.balance(Party::Authority).abs() < 1e-12);
        assert_eq!(refunds(Recycling::EqualPerHead, [2.0, -4.0, 0.0, 0.0]).0, [0.0; 3]);
        let (_, kept) = refunds(Recycling::Kept, [8.0, -4.0, 0.0, 0.0]);
        assert_eq!(kept.balance(Party::Authority), 4.0);
    }
}
