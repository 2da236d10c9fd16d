//! What bidders say on a list, the book that it makes, and what an outcome is truly worth to them.

use crate::auction::{Auction, Clearing, Fill};
use crate::book::{Book, Order};
use crate::context::RunContext;
use crate::evaluate::audit::Watch;
use crate::evaluate::audit::bench::Counts;
use crate::evaluate::audit::bids::Bidder;
use crate::setting::Role;
use crate::words::number;
use std::sync::Arc;

/// What a bidder says: a side, and blocks of a price per kWh and kWh, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Whether it says that it sells; else it says that it buys.
    pub sells: bool,
    /// Its blocks; none: it stays away.
    pub blocks: Vec<(f64, f64)>,
}

/// One account on a list. Its position is its place in the order of ties and in whatever is drawn.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Whose it is.
    pub owner: usize,
    pub offer: Offer,
    pub rating_kwh: f64,
}

impl Offer {
    /// What a bidder truly is.
    pub fn truth(bidder: &Bidder) -> Self {
        Self { sells: bidder.sells, blocks: bidder.blocks.clone() }
    }

    /// All that is offered, kWh.
    pub(super) fn size_kwh(&self) -> f64 {
        self.blocks.iter().map(|block| block.1).sum()
    }

    /// What somebody does that says this, as in `asks 3 for 1 kWh`.
    pub fn words(&self, truth: &Bidder) -> String {
        let verb = if self.sells { "asks" } else { "bids" };
        let side = match (self.sells, truth.sells) {
            (true, false) => " as a seller",
            (false, true) => " as a buyer",
            _ => "",
        };
        if self.blocks.is_empty() {
            return "stays away".to_owned();
        }
        let block = |block: &(f64, f64)| format!("{} for {} kWh", number(block.0), number(block.1));
        let same = |of: fn(&(f64, f64)) -> f64| {
            self.blocks.len() == truth.blocks.len()
                && self.blocks.iter().zip(&truth.blocks).all(|(a, b)| of(a) == of(b))
        };
        if self.blocks.len() > 4 && self.sells == truth.sells {
            let shift = self.blocks[0].0 - truth.blocks[0].0;
            let shifted = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 - b.0 - shift).abs() < 1e-9;
            if same(|b| b.1) && self.blocks.iter().zip(&truth.blocks).all(shifted) {
                let way = if shift > 0.0 { "more" } else { "less" };
                return format!("{verb} {} per kWh {way} than is true", number(shift.abs()));
            }
            if same(|b| b.0) {
                return format!("offers {} of its {} kWh", number(self.size_kwh()), number(truth.size_kwh()));
            }
        }
        let blocks = match self.blocks.as_slice() {
            [first, .., last] if self.blocks.len() > 4 => {
                format!("from {} to {} in {} blocks", block(first), block(last), self.blocks.len())
            }
            blocks => blocks.iter().map(block).collect::<Vec<_>>().join(" and "),
        };
        format!("{verb} {blocks}{side}")
    }
}

impl Bidder {
    /// All that it truly sells or wants, kWh.
    pub(super) fn size_kwh(&self) -> f64 {
        self.blocks.iter().map(|block| block.1).sum()
    }

    /// The accounts of a list on which everybody says what is true.
    pub(super) fn accounts(all: &[Self]) -> Vec<Account> {
        let account = |(owner, b): (usize, &Self)| Account { owner, offer: Offer::truth(b), rating_kwh: b.rating_kwh };
        all.iter().enumerate().map(account).collect()
    }

    /// What it is worth to it to give so many kWh, less than nothing to take them. What a seller takes is of no use to it, nor
    /// what a buyer takes beyond its blocks; what anybody gives and has not, it buys elsewhere at the price `dear`.
    fn worth(&self, gives_kwh: f64, dear: f64) -> f64 {
        let best = |quantity: f64| {
            let (mut left, mut money) = (quantity, 0.0);
            for &(price, kwh) in &self.blocks {
                let part = kwh.min(left);
                money += part * price;
                left -= part;
            }
            (money, left.max(0.0))
        };
        match (self.sells, gives_kwh > 0.0) {
            (true, true) => {
                let (cost, missing) = best(gives_kwh);
                -cost - dear * missing
            }
            (true, false) => 0.0,
            (false, true) => -dear * gives_kwh,
            (false, false) => best(-gives_kwh).0,
        }
    }
}

/// An auction on a list whose truth is known: every run of a search goes through here and is counted.
pub(super) struct Bench<'a> {
    pub auction: &'a dyn Auction,
    pub bidders: &'a [Bidder],
    /// What a kWh costs that was sold and is not there.
    pub dear: f64,
    pub seed: u64,
    pub watch: &'a dyn Watch,
    pub counts: Arc<Counts>,
}

impl<'a> Bench<'a> {
    pub fn new(auction: &'a dyn Auction, bidders: &'a [Bidder], seed: u64, watch: &'a dyn Watch) -> Self {
        let prices = || bidders.iter().flat_map(|bidder| bidder.blocks.iter().map(|block| block.0));
        let (low, high) = prices().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p), h.max(p)));
        let dear = if low <= high { high + (high - low).max(1.0) } else { 1.0 };
        Self { auction, bidders, dear, seed, watch, counts: Arc::default() }
    }

    /// Rounds that the auction takes to clear the list as it is, by its steps or by what pairs tell each other; none where it is no
    /// iteration.
    pub fn rounds(&self) -> usize {
        let mut ctx = RunContext::new(self.seed, ());
        // Without an outcome there is nothing to search, and whoever asks finds out by itself.
        let _ = self.auction.clear(&book(&Bidder::accounts(self.bidders)), &mut ctx);
        let sellers = self.bidders.iter().filter(|bidder| bidder.sells).count();
        let pairs = (sellers * (self.bidders.len() - sellers)).max(1);
        let trace = ctx.finish();
        trace.steps.len().max(trace.messages as usize / (2 * pairs))
    }

    /// Clears a list; every list meets the same luck.
    ///
    /// # Errors
    /// Those of the auction, in words.
    pub fn cleared(&self, accounts: &[Account]) -> Result<Clearing, String> {
        let clearing = self.auction.clear(&book(accounts), &mut RunContext::new(self.seed, ()));
        let clearing = clearing.map_err(|error| error.to_string())?;
        match clearing.missed {
            Some(gap) => Err(format!("no answer to tolerance: {gap:.3e}")),
            None => Ok(clearing),
        }
    }

    /// What each bidder gets of an outcome by what is true of it.
    pub fn gets(&self, accounts: &[Account], clearing: &Clearing) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.bidders.len()];
        let mut add = |fills: &[Fill], sign: f64| {
            for fill in fills {
                let sum = &mut sums[accounts[fill.who].owner];
                sum.0 += sign * fill.quantity;
                sum.1 += sign * fill.money;
            }
        };
        add(&clearing.sells, 1.0);
        add(&clearing.buys, -1.0);
        self.bidders.iter().zip(sums).map(|(bidder, (gives, money))| money + bidder.worth(gives, self.dear)).collect()
    }

    /// What each bidder gets where this is said; `None`, and a failed run, where there is no outcome.
    pub fn worth(&self, accounts: &[Account]) -> Option<Vec<f64>> {
        let found = self.cleared(accounts).ok().map(|clearing| self.gets(accounts, &clearing));
        self.counts.count(self.watch, found.filter(|gets| gets.iter().all(|x| x.is_finite())))
    }

    /// The accounts where these bidders say something else. A rating counts for no less than what is offered: whether it is checked
    /// is whoever's business tries more.
    pub fn accounts(&self, said: &[(usize, &Offer)]) -> Vec<Account> {
        let mut accounts = Bidder::accounts(self.bidders);
        for (who, offer) in said {
            let account = &mut accounts[*who];
            account.offer = (*offer).clone();
            account.rating_kwh = account.rating_kwh.max(offer.size_kwh());
        }
        accounts
    }

    /// What one bidder gains by saying something else, the others being truthful.
    pub fn gain(&self, who: usize, offer: &Offer, now: &[f64]) -> Option<f64> {
        Some(self.worth(&self.accounts(&[(who, offer)]))?[who] - now[who])
    }
}

/// The book that accounts make: sides and sizes are those that are said.
fn book(accounts: &[Account]) -> Book {
    let mut book = Book::default();
    for (who, account) in accounts.iter().enumerate() {
        let Offer { sells, blocks } = &account.offer;
        let orders = if *sells { &mut book.sellers } else { &mut book.buyers };
        orders.extend(blocks.iter().map(|&(price, quantity)| Order { who, price, quantity }));
        book.rating_kwh.push(account.rating_kwh);
        book.roles.push(if *sells { Role::Seller } else { Role::Buyer });
        book.priors.push(None);
    }
    book.sort();
    book
}

#[cfg(test)]
mod tests {
    use super::Offer;
    use crate::evaluate::audit::bids::Bidder;

    fn bidder(sells: bool, blocks: &[(f64, f64)]) -> Bidder {
        Bidder { id: "b".into(), sells, rating_kwh: 9.0, blocks: blocks.to_vec() }
    }

    #[test]
    fn what_is_given_and_not_there_is_bought_dear_and_what_is_of_no_use_is_worth_nothing() {
        let seller = bidder(true, &[(2.0, 1.0), (3.0, 2.0)]);
        assert_eq!(seller.worth(2.0, 10.0), -5.0);
        assert_eq!(seller.worth(4.0, 10.0), -8.0 - 10.0);
        assert_eq!(seller.worth(-4.0, 10.0), 0.0);
        let buyer = bidder(false, &[(6.0, 1.0), (4.0, 2.0)]);
        assert_eq!(buyer.worth(-2.0, 10.0), 10.0);
        assert_eq!(buyer.worth(-9.0, 10.0), 14.0);
        assert_eq!(buyer.worth(1.0, 10.0), -10.0);
    }

    #[test]
    fn an_offer_says_what_is_done() {
        let seller = bidder(true, &[(4.0, 1.0), (10.0, 1.0)]);
        let words = |sells, blocks: &[(f64, f64)]| Offer { sells, blocks: blocks.to_vec() }.words(&seller);
        assert_eq!(words(true, &[(4.0, 1.0), (5.0, 1.0)]), "asks 4 for 1 kWh and 5 for 1 kWh");
        assert_eq!(words(false, &[(3.0, 2.0)]), "bids 3 for 2 kWh as a buyer");
        assert_eq!(words(true, &[]), "stays away");
        let curve: Vec<(f64, f64)> = (0..9).map(|k| (f64::from(k), 1.0)).collect();
        let of = bidder(false, &curve);
        let shifted = curve.iter().map(|(p, q)| (p - 0.25, *q)).collect();
        assert_eq!(Offer { sells: false, blocks: shifted }.words(&of), "bids 0.25 per kWh less than is true");
    }
}
