//! Who stays where nobody has to: types that expect to lose leave, what is believed of the rest is cut, and so on.

use super::design::Design;
use super::trader::Trader;

/// Rounds of leaving.
const ROUNDS: usize = 2000;
/// Nobody leaves for less than this share of what its quantity is worth at most.
const NOTHING: f64 = 1e-5;

/// Who stays.
pub(super) struct Staying {
    /// The traders as they are now believed to be; `None` where no type stays.
    pub traders: Vec<Option<Trader>>,
    /// Greatest share of a trader's types that stays away.
    pub away: f64,
    /// What a type that stays still expects to lose, where the rounds were used up; else 0.
    pub unsettled: f64,
}

impl Staying {
    /// Whether a trader of this price takes part.
    pub fn takes_part(&self, k: usize, price: f64) -> bool {
        self.traders[k].as_ref().is_some_and(|trader| {
            let (low, high) = trader.law.bounds();
            if trader.sells { price <= high } else { price >= low }
        })
    }
}

/// Leaves only those types that expect not to lose, if all others stay.
pub(super) fn staying(traders: Vec<Trader>, build: &dyn Fn(Vec<Trader>) -> Design) -> Staying {
    let first = traders.clone();
    let nobody = |away: f64| Staying { traders: vec![None; first.len()], away, unsettled: 0.0 };
    let mut design = build(traders);
    let mut unsettled = 0.0;
    for round in 0..=ROUNDS {
        let mut next = design.traders.clone();
        unsettled = 0.0_f64;
        for (i, trader) in next.iter_mut().enumerate() {
            let (low, high) = trader.law.bounds();
            let nothing = NOTHING * trader.quantity * low.abs().max(high.abs());
            let loss = -design.worst_utility(i);
            if loss <= nothing {
                continue;
            }
            unsettled = unsettled.max(loss);
            let best = if trader.sells { low } else { high };
            if design.utility(i, best) < 0.0 {
                return nobody(1.0);
            }
            let (mut out, mut stays) = (trader.worst(), best);
            while (out - stays).abs() > 1e-12 * (1.0 + best.abs()) {
                let middle = 0.5 * (out + stays);
                if middle == out || middle == stays {
                    break;
                }
                if design.utility(i, middle) < 0.0 {
                    out = middle;
                } else {
                    stays = middle;
                }
            }
            let (least, most) = if trader.sells { (low, stays) } else { (stays, high) };
            match trader.law.within(least, most) {
                Some(law) => trader.law = law,
                None => return nobody(1.0),
            }
        }
        if unsettled == 0.0 || round == ROUNDS {
            break;
        }
        design = build(next);
    }
    let away = |(before, now): (&Trader, &Trader)| {
        let (low, high) = now.law.bounds();
        1.0 - if now.sells { before.law.share_below(high) } else { before.law.share_above(low) }
    };
    let away = first.iter().zip(&design.traders).map(away).fold(0.0, f64::max);
    Staying { traders: design.traders.into_iter().map(Some).collect(), away, unsettled }
}
