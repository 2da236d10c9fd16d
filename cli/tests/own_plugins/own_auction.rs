//! An auction that nothing in the workspace knows of clears like the one that is built in, which has an oracle of its own.

#[path = "../book/blocks.rs"]
mod blocks;
#[path = "../../../examples/outside_plugin/src/k_double_auction.rs"]
mod k_double_auction;

use crate::folder;
use coase_core::RunContext;
use coase_core::auction::Auction;
use coase_core::book::{Book, Order};
use coase_testkit::files::{column, file};
use k_double_auction::KDoubleAuction;

fn book(bids: &[(f64, f64)], asks: &[(f64, f64)]) -> Book {
    let orders = |side: &[(f64, f64)], first: usize| -> Vec<Order> {
        side.iter()
            .enumerate()
            .map(|(k, (price, quantity))| Order { who: first + k, price: *price, quantity: *quantity })
            .collect()
    };
    let mut book = Book {
        buyers: orders(bids, 0),
        sellers: orders(asks, bids.len()),
        rating_kwh: vec![9.0; bids.len() + asks.len()],
        ..Book::default()
    };
    book.sort();
    book
}

#[test]
fn the_price_lies_between_the_marginal_bids_and_the_budget_balances() {
    // 3 and 2 kWh are worth more than the 4 kWh at 0.2 cost and 1 kWh of those at 0.3; of the last seller 2 kWh are left, so that no
    // price above 0.3 clears: at k = 0 and at k = 1 the price is 0.3.
    let split = book(&[(0.9, 3.0), (0.5, 2.0), (0.25, 5.0)], &[(0.2, 4.0), (0.3, 3.0)]);
    // 3 kWh against 3 kWh: any price between 0.4 and 0.6 clears.
    let free = book(&[(0.9, 1.0), (0.6, 2.0), (0.1, 1.0)], &[(0.2, 2.0), (0.4, 1.0), (0.7, 1.0)]);
    for (book, k, price, traded) in [
        (&split, 0.0, 0.3, 5.0),
        (&split, 1.0, 0.3, 5.0),
        (&free, 0.0, 0.4, 3.0),
        (&free, 0.25, 0.45, 3.0),
        (&free, 1.0, 0.6, 3.0),
    ] {
        let found = KDoubleAuction { k }.clear(book, &mut RunContext::new(1, ())).unwrap();
        assert!((found.price.unwrap() - price).abs() < 1e-12, "{found:?}");
        let sum = |fills: &[coase_core::auction::Fill]| {
            fills.iter().fold((0.0, 0.0), |(kwh, money), fill| (kwh + fill.quantity, money + fill.money))
        };
        assert_eq!(sum(&found.buys), sum(&found.sells));
        assert!((sum(&found.buys).0 - traded).abs() < 1e-12, "{found:?}");
    }
    let nothing =
        KDoubleAuction::default().clear(&book(&[(0.1, 1.0)], &[(0.2, 1.0)]), &mut RunContext::new(1, ())).unwrap();
    assert!(nothing.buys.is_empty() && nothing.sells.is_empty() && nothing.price.is_none());
    let refused = KDoubleAuction { k: 1.5 }.clear(&free, &mut RunContext::new(1, ())).unwrap_err().to_string();
    assert!(refused.contains('k') && refused.contains("1.5"), "{refused}");
}

/// Quantities of which no binary fraction is exact are used up and nothing hangs.
#[test]
fn it_clears_what_the_built_in_auction_clears() {
    let side = |first: usize, count: usize, from: f64, step: f64| -> Vec<(f64, f64)> {
        (first..first + count).map(|k| (from + step * k as f64, 0.1 * (1.0 + (k * 7 % 5) as f64))).collect()
    };
    let built_in =
        coase_core::mechanism::mechanisms().into_iter().find(|plugin| plugin.id == "double-auction").unwrap();
    let built_in = (built_in.open.default)();
    let auction = built_in.as_auction().unwrap();
    for count in 1..30 {
        let book = book(&side(0, count, 0.9, -0.03), &side(0, 30 - count, 0.1, 0.03));
        let own = KDoubleAuction::default().clear(&book, &mut RunContext::new(1, ())).unwrap();
        let other = auction.clear(&book, &mut RunContext::new(1, ())).unwrap();
        let of = |c: &coase_core::auction::Clearing| (c.price.unwrap(), c.buys.iter().map(|f| f.quantity).sum::<f64>());
        let (own, other) = (of(&own), of(&other));
        assert!((own.0 - other.0).abs() < 1e-8 && (own.1 - other.1).abs() < 1e-8, "{count}: {own:?} {other:?}");
    }
}

/// The study of `docs/first_study.md` with the new rule in it, as its last section says.
#[test]
fn it_enters_the_first_study_of_the_book() {
    let folder = folder("own_auction");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/first_study.md")).unwrap();
    for block in blocks::blocks(&page) {
        let Some(name) = block.file(&format!(".{}", block.language)) else { continue };
        let with = block.text.replace("NashBargaining(weights: Equal)", "KDoubleAuction(k: 0.25)");
        // One size of the panels is enough here.
        file(&folder, name, &with.replace("values: [50, 100, 150]", "values: [100]"));
    }
    let out = folder.join("out");
    let study = folder.join("my_study.ron");
    let tables = ["--tables", "runs,certificates"];
    let arguments =
        [&["coase", "run", study.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()][..], &tables];
    let ended = coase::main(arguments.concat());
    assert_eq!(format!("{ended:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
    let (mechanisms, costs) = (column(&out, "runs", "mechanism"), column(&out, "runs", "social_cost"));
    assert_eq!(mechanisms.iter().filter(|id| *id == "k-double-auction").count(), 2);
    // Another price between the same bids moves money and no energy.
    let of = |id: &str| -> Vec<f64> {
        let rows = mechanisms.iter().zip(&costs).filter(|(mechanism, _)| *mechanism == id);
        rows.map(|(_, cost)| cost.parse().unwrap()).collect()
    };
    for (own, built_in) in of("k-double-auction").iter().zip(of("double-auction")) {
        assert!((own - built_in).abs() < 1e-6 * built_in.abs(), "{own} {built_in}");
    }
    assert!(column(&out, "certificates", "verdict").iter().all(|verdict| verdict != "refuted"));
}
