//! What an outcome must be before anybody reads it: as many figures as there is something to say, every figure a number,
//! every position somebody's. Whether it balances is measured, and certified, where it is evaluated.

use super::{Outcome, Party, Trade};
use crate::setting::{Setting, Slot};
use crate::terms::{Account, Terms};
use std::fmt::Display;

/// What is wrong with an outcome that nobody can read: a fault of the mechanism.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the mechanism returned what is no outcome: {what} is {found}, expected {expected}")]
pub struct MalformedOutcome {
    /// Which figure: whose, and when.
    pub what: String,
    /// What it is.
    pub found: String,
    /// What it should be.
    pub expected: String,
}

type Checked = Result<(), MalformedOutcome>;

impl Outcome {
    /// Refuses an outcome that nobody can read: wrong numbers of figures, figures that are not finite, positions of nobody.
    ///
    /// # Errors
    /// The first figure that is wrong, by participant and period.
    pub fn check(&self, setting: &Setting) -> Checked {
        let check = Check { setting };
        check.net(&self.net)?;
        for (number, trade) in self.trades.iter().flatten().enumerate() {
            check.trade(number, *trade)?;
        }
        check.ledger(self)?;
        check.prices(self)?;
        check.imposed(&self.imposed)?;
        for (player, strategy) in self.strategies.iter().enumerate() {
            for (k, x) in strategy.iter().enumerate() {
                finite(*x, || format!("number {k} of the strategy of player {player}"))?;
            }
        }
        Ok(())
    }
}

fn wrong(what: String, found: impl Display, expected: impl Into<String>) -> Checked {
    Err(MalformedOutcome { what, found: found.to_string(), expected: expected.into() })
}

fn finite(x: f64, what: impl Fn() -> String) -> Checked {
    if x.is_finite() { Ok(()) } else { wrong(what(), x, "a finite number") }
}

fn count(what: &str, found: usize, expected: usize, each: &str) -> Checked {
    if found == expected {
        return Ok(());
    }
    wrong(format!("the number of {what}"), found, format!("{expected}, one for each {each}"))
}

struct Check<'a> {
    setting: &'a Setting,
}

impl Check<'_> {
    fn slot(&self, slot: usize) -> String {
        let Slot { product, period } = self.setting.slots[slot];
        format!("{} in period {period}", product.name())
    }

    fn id(&self, member: usize) -> &str {
        &self.setting.members[member].id
    }

    fn member(&self, position: usize, what: impl Fn() -> String) -> Checked {
        let members = self.setting.members.len();
        if position < members {
            return Ok(());
        }
        wrong(what(), position, format!("the position of one of {members} participants, counted from 0"))
    }

    fn net(&self, net: &[Vec<f64>]) -> Checked {
        count("lists of net sales", net.len(), self.setting.members.len(), "participant")?;
        for (i, sales) in net.iter().enumerate() {
            let what = format!("net sales of {}", self.id(i));
            count(&what, sales.len(), self.setting.slots.len(), "product and period")?;
            for (k, x) in sales.iter().enumerate() {
                finite(*x, || format!("the net sale of {}, {},", self.id(i), self.slot(k)))?;
            }
        }
        Ok(())
    }

    fn trade(&self, number: usize, trade: Trade) -> Checked {
        self.member(trade.seller, || format!("the seller of trade {number}"))?;
        self.member(trade.buyer, || format!("the buyer of trade {number}"))?;
        let slots = self.setting.slots.len();
        if trade.slot >= slots {
            return wrong(format!("the slot of trade {number}"), trade.slot, format!("one of {slots}, counted from 0"));
        }
        let named = |what: &str| {
            let (seller, buyer, when) = (self.id(trade.seller), self.id(trade.buyer), self.slot(trade.slot));
            format!("the {what} from {seller} to {buyer}, {when},")
        };
        if trade.seller == trade.buyer {
            return wrong(named("trade"), "one with itself", "one between two participants");
        }
        if !(trade.quantity >= 0.0 && trade.quantity.is_finite()) {
            return wrong(named("quantity traded"), trade.quantity, "a finite number, not negative");
        }
        finite(trade.price.unwrap_or(0.0), || named("price of the trade"))
    }

    fn ledger(&self, outcome: &Outcome) -> Checked {
        for payment in outcome.ledger.entries() {
            for (party, side) in [(payment.from, "payer"), (payment.to, "receiver")] {
                if let Party::Member(position) = party {
                    self.member(position, || format!("the {side} of a payment for `{}`", payment.reason.name()))?;
                }
            }
            finite(payment.amount, || {
                let (from, to) = (payment.from.name(self.setting), payment.to.name(self.setting));
                format!("the payment for `{}` from {from} to {to}", payment.reason.name())
            })?;
        }
        Ok(())
    }

    fn prices(&self, outcome: &Outcome) -> Checked {
        for signal in &outcome.prices {
            if let Some(member) = signal.member {
                self.member(member, || "whom a price is for".into())?;
            }
            let whose = signal.member.map_or("everybody", |i| self.id(i));
            let what = format!("prices for {whose}");
            count(&what, signal.price.len(), self.setting.slots.len(), "product and period")?;
            for (k, price) in signal.price.iter().enumerate() {
                finite(price.unwrap_or(0.0), || format!("the price for {whose}, {},", self.slot(k)))?;
            }
        }
        Ok(())
    }

    fn imposed(&self, imposed: &[Terms]) -> Checked {
        if !imposed.is_empty() {
            count("imposed terms", imposed.len(), self.setting.members.len(), "participant, or none at all")?;
        }
        for (i, terms) in imposed.iter().enumerate() {
            let series = |name: &str, series: &[f64]| self.series(i, name, series, f64::is_finite, "a finite number");
            let adder = |name: &str, adder: &[f64]| if adder.is_empty() { Ok(()) } else { series(name, adder) };
            adder("import adder", &terms.import_adder)?;
            adder("export adder", &terms.export_adder)?;
            if !terms.trade_adder.is_empty() {
                let what = format!("values of the trade adder imposed on {}", self.id(i));
                count(&what, terms.trade_adder.len(), self.setting.slots.len(), "slot")?;
                for (k, x) in terms.trade_adder.iter().enumerate() {
                    finite(*x, || format!("the trade adder imposed on {} for {}", self.id(i), self.slot(k)))?;
                }
            }
            adder("withdrawal adder", &terms.withdrawal_adder)?;
            adder("injection adder", &terms.injection_adder)?;
            finite(terms.direct_price_per_kg, || format!("the price per kg imposed on {}", self.id(i)))?;
            if let Some(Account {
                import_kg_per_kwh,
                export_kg_per_kwh,
                withdrawal_kg_per_kwh,
                injection_kg_per_kwh,
                turbine_quota_kg_per_kwh,
                quota_kg,
                ..
            }) = &terms.account
            {
                adder("account of imports", import_kg_per_kwh)?;
                adder("account of exports", export_kg_per_kwh)?;
                adder("account of withdrawals", withdrawal_kg_per_kwh)?;
                adder("account of injections", injection_kg_per_kwh)?;
                finite(turbine_quota_kg_per_kwh + quota_kg, || format!("the quota imposed on {}", self.id(i)))?;
            }
            if let Some(limits) = &terms.limits {
                let (low, high) = (&limits.injection_min_kw, &limits.injection_max_kw);
                self.series(i, "least injection", low, |x| !x.is_nan(), "a number")?;
                self.series(i, "greatest injection", high, |x| !x.is_nan(), "a number")?;
                // Layers intersect: two limits that are meant to be one may differ by rounding.
                let crossed = |(low, high): (&f64, &f64)| low - high > 1e-9 * (1.0 + low.abs());
                if let Some(t) = low.iter().zip(high).position(crossed) {
                    let what = format!("the greatest injection imposed on {} in period {t}", self.id(i));
                    return wrong(what, high[t], format!("the least one, {} kW, or more", low[t]));
                }
            }
            if let Some(anchor) = &terms.anchor {
                series("centre of the anchor", &anchor.centre_kwh)?;
                let weight = |x: f64| x >= 0.0 && x.is_finite();
                self.series(i, "weight of the anchor", &anchor.weight, weight, "a finite number, not negative")?;
            }
        }
        Ok(())
    }

    fn series(
        &self,
        member: usize,
        name: &str,
        series: &[f64],
        is_right: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Checked {
        let id = self.id(member);
        count(&format!("values of the {name} imposed on {id}"), series.len(), self.setting.periods.count, "period")?;
        match series.iter().position(|x| !is_right(*x)) {
            Some(t) => wrong(format!("the {name} imposed on {id} in period {t}"), series[t], expected),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::{Ledger, Outcome, Pairs, Party, Side, Signal, Status, Trade};
    use crate::setting::{Member, Periods, Setting};
    use crate::terms::{Limits, Terms};

    fn setting() -> Setting {
        let members = vec![Member::new("farm", 10.0, 10.0), Member::new("mill", 10.0, 10.0)];
        Setting::energy(Periods { count: 2, hours: 1.0 }, None, None, members)
    }

    fn right() -> Outcome {
        let mut ledger = Ledger::default();
        ledger.pay(Party::Member(1), Party::Member(0), 2.0, "trade");
        Outcome {
            net: vec![vec![0.0, 4.0], vec![0.0, -4.0]],
            trades: Some(vec![Trade { seller: 0, buyer: 1, slot: 1, quantity: 4.0, price: Some(0.5) }]),
            pairs: Pairs::All,
            ledger,
            prices: vec![Signal { side: Side::Both, member: Some(1), price: vec![None, Some(0.5)] }],
            imposed: vec![Terms::default(), Terms { import_adder: vec![0.0, 0.1], ..Terms::default() }],
            status: Status::Converged,
            evidence: vec![],
            withheld: vec![],
            strategies: vec![vec![0.5]],
        }
    }

    #[test]
    fn what_can_be_read_is_accepted() {
        right().check(&setting()).expect("well formed");
    }

    /// Every way of being malformed is refused, and the message says whose figure it is, and when.
    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        let trade =
            |change: fn(&mut Trade)| move |o: &mut Outcome| change(&mut o.trades.as_mut().expect("there is one")[0]);
        type Change = Box<dyn Fn(&mut Outcome)>;
        let cases: Vec<(Change, &[&str])> = vec![
            (Box::new(|o| o.net.truncate(1)), &["lists of net sales is 1", "expected 2"]),
            (Box::new(|o| o.net[1].push(0.0)), &["net sales of mill is 3", "expected 2"]),
            (Box::new(|o| o.net[1][1] = f64::NAN), &["net sale of mill, energy in period 1, is NaN", "finite"]),
            (Box::new(|o| o.net[0][0] = f64::INFINITY), &["net sale of farm, energy in period 0, is inf"]),
            (Box::new(trade(|t| t.seller = 7)), &["seller of trade 0 is 7", "2 participants"]),
            (Box::new(trade(|t| t.buyer = 2)), &["buyer of trade 0 is 2"]),
            (Box::new(trade(|t| t.slot = 2)), &["slot of trade 0 is 2"]),
            (Box::new(trade(|t| t.buyer = 0)), &["from farm to farm", "itself"]),
            (Box::new(trade(|t| t.quantity = -1.0)), &["from farm to mill, energy in period 1, is -1", "negative"]),
            (Box::new(trade(|t| t.quantity = f64::NAN)), &["quantity traded from farm to mill"]),
            (Box::new(trade(|t| t.price = Some(f64::INFINITY))), &["price of the trade from farm to mill"]),
            (
                Box::new(|o| o.ledger.pay(Party::Member(0), Party::Dso, f64::NAN, "fee")),
                &["payment for `fee` from farm to dso is NaN"],
            ),
            (Box::new(|o| o.ledger.pay(Party::Operator, Party::Member(9), 1.0, "fee")), &["receiver", "`fee`", "9"]),
            (Box::new(|o| o.prices[0].member = Some(4)), &["whom a price is for is 4"]),
            (Box::new(|o| o.prices[0].price.truncate(1)), &["prices for mill is 1"]),
            (Box::new(|o| o.prices[0].price[0] = Some(f64::NAN)), &["price for mill, energy in period 0,"]),
            (Box::new(|o| o.imposed.truncate(1)), &["imposed terms is 1"]),
            (Box::new(|o| o.imposed[1].import_adder = vec![0.1]), &["import adder imposed on mill is 1"]),
            (Box::new(|o| o.imposed[1].import_adder[0] = f64::NAN), &["import adder imposed on mill in period 0"]),
            (
                Box::new(|o| {
                    let (injection_min_kw, injection_max_kw) = (vec![0.0, 3.0], vec![1.0, 2.0]);
                    o.imposed[0].limits = Some(Limits { injection_min_kw, injection_max_kw });
                }),
                &["greatest injection imposed on farm in period 1 is 2", "3 kW"],
            ),
            (Box::new(|o| o.strategies[0][0] = f64::NAN), &["strategy of player 0"]),
        ];
        for (change, said) in cases {
            let mut outcome = right();
            change(&mut outcome);
            let error = outcome.check(&setting()).expect_err(said[0]).to_string();
            assert!(said.iter().all(|part| error.contains(part)), "{error} instead of {said:?}");
        }
    }
}
