//! What everybody ends with, read off a ledger in one pass: asking party by party takes a pass for each of them.

use super::{Ledger, Party, Payment};

/// What every party has from the entries of a ledger that count: receipts minus payments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Balances {
    members: Vec<f64>,
    /// Operator, DSO, grid and authority.
    others: [f64; 4],
}

impl Balances {
    /// What one party has.
    pub fn of(&self, party: Party) -> f64 {
        match place(party) {
            Ok(member) => self.members.get(member).copied().unwrap_or(0.0),
            Err(other) => self.others[other],
        }
    }

    /// Adds an entry to both sides; what somebody pays itself changes nothing.
    fn enter(&mut self, entry: &Payment) {
        if entry.from != entry.to {
            *self.at(entry.to) += entry.amount;
            *self.at(entry.from) -= entry.amount;
        }
    }

    fn at(&mut self, party: Party) -> &mut f64 {
        match place(party) {
            Ok(member) => {
                if member >= self.members.len() {
                    self.members.resize(member + 1, 0.0);
                }
                &mut self.members[member]
            }
            Err(other) => &mut self.others[other],
        }
    }
}

/// Position of a member, or place among the others.
fn place(party: Party) -> Result<usize, usize> {
    match party {
        Party::Member(i) => Ok(i),
        Party::Operator => Err(0),
        Party::Dso => Err(1),
        Party::Grid => Err(2),
        Party::Authority => Err(3),
    }
}

impl Ledger {
    /// What every party has in the end, in one pass.
    pub fn balances(&self) -> Balances {
        self.balances_where(|_| true)
    }

    /// What every party has from the entries that count, in one pass.
    pub fn balances_where(&self, counts: impl Fn(&Payment) -> bool) -> Balances {
        let mut balances = Balances::default();
        self.entries().iter().filter(|entry| counts(entry)).for_each(|entry| balances.enter(entry));
        balances
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::{Ledger, Party, Reason};
    use proptest::prelude::*;

    const PARTIES: [Party; 7] = [
        Party::Member(0),
        Party::Member(1),
        Party::Member(2),
        Party::Operator,
        Party::Dso,
        Party::Grid,
        Party::Authority,
    ];

    proptest! {
        /// One pass finds for every party what a pass of its own finds, to the last bit.
        #[test]
        fn one_pass_finds_what_a_pass_for_each_party_finds(
            entries in proptest::collection::vec((0_usize..7, 0_usize..7, -9.0_f64..9.0, any::<bool>()), 0..40),
        ) {
            let mut ledger = Ledger::default();
            for (from, to, amount, trade) in entries {
                let reason = if trade { Reason::Trade } else { Reason::Carbon };
                ledger.pay(PARTIES[from], PARTIES[to], amount, reason);
            }
            let (all, trade) = (ledger.balances(), ledger.balances_where(|e| e.reason == Reason::Trade));
            for party in PARTIES {
                prop_assert_eq!(all.of(party), ledger.balance(party));
                prop_assert_eq!(trade.of(party), ledger.balance_of(party, &[Reason::Trade]));
            }
        }
    }
}
