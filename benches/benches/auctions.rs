//! What clearing a list of bids costs: rules that sort and cross the stacks at 100,000 bids a side, and payments of everybody by
//! what the others lose at 10,000 a side. Parts of the peers' comparison at 1,000 a side.

use coase_core::RunContext;
use coase_core::auction::Auction;
use coase_core::book::{Book, Order};
use coase_core::mechanism::Mechanism;
use coase_core::open::Open;
use coase_core::random;
use coase_core::setting::Role;
use coase_mechanisms::vcg_of_blocks;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rand::RngExt;
use std::hint::black_box;

/// One block each: prices from 0 to 1, sizes of 1, 2 or 3 kWh.
fn bids(side: usize) -> Book {
    let mut stream = random::stream(1, "bids of a benchmark", 0, 0);
    let mut book = Book::default();
    for who in 0..2 * side {
        let order = Order { who, price: stream.random::<f64>(), quantity: f64::from(stream.random_range(1..=3_u8)) };
        let (orders, role) =
            if who < side { (&mut book.buyers, Role::Buyer) } else { (&mut book.sellers, Role::Seller) };
        orders.push(order);
        book.roles.push(role);
        book.rating_kwh.push(3.0);
    }
    book
}

fn rule(id: &str) -> Box<dyn Mechanism> {
    (<dyn Mechanism>::set().get(id).expect("registered").default)()
}

fn clear(rule: &dyn Auction, book: &Book) -> usize {
    rule.clear(book, &mut RunContext::new(1, ())).expect("cleared").buys.len()
}

fn stacks(c: &mut Criterion) {
    let mut group = c.benchmark_group("auctions");
    group.sample_size(10);
    for (side, ids) in [
        (100_000, &["double-auction", "mcafee", "huang", "muda", "pay-as-bid"][..]),
        (10_000, &["competition-padding"][..]),
        (1_000, &["double-auction", "mcafee", "huang", "muda"][..]),
    ] {
        let book = bids(side);
        for id in ids {
            let rule = rule(id);
            let auction = rule.as_auction().expect("an auction");
            group.bench_function(format!("{id}, {side} a side"), |b| {
                b.iter_batched(|| (), |()| black_box(clear(auction, &book)), BatchSize::PerIteration);
            });
        }
    }
    let book = bids(10_000);
    group.bench_function("vcg, 10000 a side", |b| {
        b.iter(|| black_box(vcg_of_blocks(&book).expect("cleared").buys.len()));
    });
    group.finish();
}

criterion_group!(benches, stacks);
criterion_main!(benches);
