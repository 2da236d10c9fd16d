//! The books that results are known for, used by the tests of every rule.

use coase_core::RunContext;
use coase_core::auction::{Auction, Clearing, Fill};
use coase_core::book::{Book, Order};
use coase_core::setting::Role;

/// Prices and quantities of the buyers, then of the sellers.
pub(crate) type Bids = (&'static [(f64, f64)], &'static [(f64, f64)]);

/// Units: four of six trade, worth 16.
pub(crate) const UA: Bids = (
    &[(9.0, 1.0), (8.0, 1.0), (7.0, 1.0), (6.0, 1.0), (4.0, 1.0), (3.0, 1.0)],
    &[(2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (5.0, 1.0), (6.0, 1.0), (8.0, 1.0)],
);

/// The same with weaker bids that are not served.
pub(crate) const UB: Bids = (&[(9.0, 1.0), (8.0, 1.0), (7.0, 1.0), (6.0, 1.0), (2.0, 1.0), (1.0, 1.0)], UA.1);

/// One block each: nine units, worth 3.65.
pub(crate) const BL: Bids = (
    &[(1.0, 3.0), (0.8, 2.0), (0.6, 4.0), (0.45, 2.0)],
    &[(0.2, 3.0), (0.35, 2.0), (0.5, 3.0), (0.55, 2.0), (0.7, 3.0)],
);

/// The book of these bids: buyers are the first participants, and what each bids is its rating.
pub(crate) fn book((buyers, sellers): &Bids) -> Book {
    book_of(buyers, sellers)
}

/// The same of any bids.
pub(crate) fn book_of(buyers: &[(f64, f64)], sellers: &[(f64, f64)]) -> Book {
    let orders = |bids: &[(f64, f64)], first: usize| -> Vec<Order> {
        bids.iter().enumerate().map(|(k, &(price, quantity))| Order { who: first + k, price, quantity }).collect()
    };
    let all = || buyers.iter().chain(sellers);
    Book {
        buyers: orders(buyers, 0),
        sellers: orders(sellers, buyers.len()),
        rating_kwh: all().map(|bid| bid.1).collect(),
        roles: (0..all().count()).map(|k| if k < buyers.len() { Role::Buyer } else { Role::Seller }).collect(),
        priors: vec![None; all().count()],
        ..Book::default()
    }
}

/// What a rule makes of a book, with seed 1.
pub(crate) fn clear(rule: &dyn Auction, book: &Book) -> Clearing {
    rule.clear(book, &mut RunContext::new(1, ())).unwrap_or_else(|e| panic!("{e}"))
}

/// Value of what a participant gets less what it pays, by its true blocks, best first.
pub(crate) fn utility(truth: &Book, found: &Clearing, who: usize) -> f64 {
    let worth = |orders: &[Order], fills: &[Fill]| {
        let mut left: f64 = fills.iter().filter(|f| f.who == who).map(|f| f.quantity).sum();
        let mut worth = 0.0;
        for order in orders.iter().filter(|o| o.who == who) {
            let part = order.quantity.min(left);
            worth += order.price * part;
            left -= part;
        }
        // What it cannot deliver or use costs it dearly or is worth nothing.
        (worth, left, fills.iter().filter(|f| f.who == who).map(|f| f.money).sum::<f64>())
    };
    let (value, _, paid) = worth(&truth.buyers, &found.buys);
    let (cost, missing, received) = worth(&truth.sellers, &found.sells);
    value - paid + received - cost - 1e3 * missing
}

/// The book in which a participant's blocks all have this price.
pub(crate) fn with_price(truth: &Book, who: usize, price: f64) -> Book {
    let mut said = truth.clone();
    said.buyers.iter_mut().chain(&mut said.sellers).filter(|o| o.who == who).for_each(|o| o.price = price);
    said.sort();
    said
}

/// Every profile of units with prices 0 to 3, every deviation in halves from -0.5 to 3.5: nobody gains, nobody loses by taking
/// part, and the operator has no loss.
pub(crate) fn truthful_on_units(rule: &dyn Auction, buyers: usize, sellers: usize) {
    let agents = buyers + sellers;
    for profile in 0..4_usize.pow(agents as u32) {
        let price = |k: usize| ((profile / 4_usize.pow(k as u32)) % 4) as f64;
        let bids: Vec<(f64, f64)> = (0..buyers).map(|k| (price(k), 1.0)).collect();
        let asks: Vec<(f64, f64)> = (buyers..agents).map(|k| (price(k), 1.0)).collect();
        let truth = book_of(&bids, &asks);
        let honest = clear(rule, &truth);
        let sum = |fills: &[Fill]| fills.iter().map(|f| f.money).sum::<f64>();
        assert!(sum(&honest.buys) - sum(&honest.sells) >= -1e-9, "{bids:?} {asks:?}: a deficit");
        for who in 0..agents {
            let before = utility(&truth, &honest, who);
            assert!(before >= -1e-9, "{bids:?} {asks:?}: {who} loses {before}");
            for said in -1..8 {
                let after = utility(&truth, &clear(rule, &with_price(&truth, who, 0.5 * f64::from(said))), who);
                assert!(after <= before + 1e-9, "{bids:?} {asks:?}: {who} gains {} by {said}/2", after - before);
            }
        }
    }
}
