//! Auctions on 250 households with load and panels only, each with a tariff of its own; skipped without the data.
//!
//! Figures of the double auction are those of an independent computation: what is matched, what it is worth, where the price lies,
//! and that nobody gains by another bid, for in every period supply and demand differ by more than anybody has.

use coase_core::auction::Clearing;
use coase_core::book::{Book, Order};
use coase_core::mechanism::{Family, Mechanism, Need, mechanisms};
use coase_core::open::Open;
use coase_core::participant::{Device, Load, Participant, Portfolio, Pv};
use coase_core::setting::{Member, Periods, Role, Setting, Tariff};
use coase_core::terms::Terms;
use coase_core::{Market, RunContext};
use coase_mechanisms as _;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

const HOURS: f64 = 0.25;

/// One value per period and household.
type Table = Vec<Vec<f64>>;

fn table(name: &str) -> Option<Table> {
    let folder = PathBuf::from(std::env::var_os("COASE_DATA")?).join("gecad_community_250");
    let bytes = std::fs::read(folder.join(format!("{name}.csv.gz"))).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("a text");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows =
        reader.records().map(|row| row.expect("a row").iter().skip(1).map(|x| x.parse().expect("a number")).collect());
    Some(rows.collect())
}

struct Community {
    load_kw: Table,
    pv_kw: Table,
    buy: Table,
    sell: Table,
}

fn community() -> Option<Community> {
    let found = (|| {
        let (load_kw, pv_kw) = (table("load_kw")?, table("pv_kw")?);
        Some(Community { load_kw, pv_kw, buy: table("buy_price_eur_per_kwh")?, sell: table("sell_price_eur_per_kwh")? })
    })();
    if found.is_none() {
        eprintln!("skipped: COASE_DATA names no folder with gecad_community_250");
    }
    found
}

impl Community {
    fn net_kwh(&self, t: usize, i: usize) -> f64 {
        HOURS * (self.pv_kw[t][i] - self.load_kw[t][i])
    }

    /// Truth as bids: everybody at its own tariff.
    fn book(&self, t: usize) -> Book {
        let mut book = Book { slot: t, ..Book::default() };
        for i in 0..self.buy[t].len() {
            let net = self.net_kwh(t, i);
            if net > 0.0 {
                book.sellers.push(Order { who: i, price: self.sell[t][i], quantity: net });
            } else if net < 0.0 {
                book.buyers.push(Order { who: i, price: self.buy[t][i], quantity: -net });
            }
            book.rating_kwh.push(net.abs());
            book.roles.push(if net > 0.0 { Role::Seller } else { Role::Buyer });
        }
        book.sort();
        book
    }

    /// The community in some periods.
    fn market(&self, periods: std::ops::Range<usize>) -> Market {
        let count = periods.len();
        let horizon = Periods { count, hours: HOURS };
        let of = |table: &Table, i: usize| table[periods.clone()].iter().map(|row| row[i]).collect::<Vec<f64>>();
        let (buy, sell) = (of(&self.buy, 0), of(&self.sell, 0));
        let tariff = Tariff {
            buy_per_kwh: buy.clone(),
            sell_per_kwh: sell.clone(),
            intensity_kg_per_kwh: vec![0.0; count],
            upstream_carbon_per_tonne: 0.0,
        };
        let (mut members, mut participants, mut terms) = (vec![], vec![], vec![]);
        for i in 0..self.buy[0].len() {
            let id = format!("home{i:03}");
            let (pv, load) = (of(&self.pv_kw, i), of(&self.load_kw, i));
            let most = pv.iter().fold(1e-3_f64, |most, x| most.max(*x));
            let devices = vec![
                Pv {
                    p_max_kw: most,
                    profile: pv.iter().map(|x| x / most).collect::<Vec<_>>().into(),
                    cost_per_kwh: 0.0,
                }
                .boxed(),
                Load { p_kw: load.into() }.boxed(),
            ];
            let portfolio = Portfolio::new(&id, devices, horizon).expect("valid");
            let mut member = Member::new(&id, 1e3, 1e3);
            member.rating = portfolio.rating();
            members.push(member);
            participants.push(Arc::new(portfolio) as Arc<dyn Participant>);
            let less = |a: Vec<f64>, b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
            terms.push(Terms {
                import_adder: less(of(&self.buy, i), &buy),
                export_adder: less(of(&self.sell, i), &sell),
                ..Terms::default()
            });
        }
        Market::new(Setting::energy(horizon, Some(tariff), None, members), participants).under(&terms)
    }
}

fn double_auction() -> Box<dyn Mechanism> {
    (<dyn Mechanism>::set().get("double-auction").expect("registered").default)()
}

fn cleared(rule: &dyn Mechanism, book: &Book) -> Clearing {
    rule.as_auction().expect("an auction").clear(book, &mut RunContext::new(1, ())).expect("cleared")
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} {expected}");
}

#[test]
fn households_trade_at_the_limit_of_the_long_side_and_nobody_is_pivotal() {
    let Some(community) = community() else { return };
    let rule = double_auction();
    let sum = |table: &Table| HOURS * table.iter().flatten().sum::<f64>();
    near(sum(&community.load_kw), 6_135.296_020_641, 1e-6);
    near(sum(&community.pv_kw), 2_390.857_084_816, 1e-6);
    let (mut matched, mut gain, mut at_buyers, mut at_sellers) = (0.0, 0.0, 0, 0);
    let mut slack = (f64::INFINITY, 0);
    for t in 0..96 {
        let book = community.book(t);
        let found = cleared(&*rule, &book);
        let Some(price) = found.price else { continue };
        matched += found.buys.iter().map(|f| f.quantity).sum::<f64>();
        gain += found.buys.iter().map(|f| community.buy[t][f.who] * f.quantity).sum::<f64>();
        gain -= found.sells.iter().map(|f| community.sell[t][f.who] * f.quantity).sum::<f64>();
        let (demand, supply): (f64, f64) =
            (book.buyers.iter().map(|o| o.quantity).sum(), book.sellers.iter().map(|o| o.quantity).sum());
        let is_limit = |orders: &[Order]| orders.iter().any(|o| (o.price - price).abs() < 1e-9);
        if demand > supply {
            assert!(is_limit(&book.buyers), "{t}: {price}");
            at_buyers += 1;
        } else {
            assert!(is_limit(&book.sellers), "{t}: {price}");
            at_sellers += 1;
        }
        let largest = book.buyers.iter().chain(&book.sellers).map(|o| o.quantity).fold(0.0, f64::max);
        let room = (supply - demand).abs() - largest;
        if room < slack.0 {
            slack = (room, t);
        }
    }
    near(matched, 435.685_975_226, 1e-6);
    near(gain, 65.086_264_320, 1e-6);
    assert_eq!((at_buyers, at_sellers), (21, 15));
    assert_eq!(slack.1, 42);
    near(slack.0, 0.326_089_986, 1e-6);
    // Where there is least room, every other bid of everybody that trades on the long side.
    let book = community.book(42);
    let honest = cleared(&*rule, &book);
    let utility = |found: &Clearing, who: usize| {
        let (buy, sell) = (community.buy[42][who], community.sell[42][who]);
        found.buys.iter().filter(|f| f.who == who).map(|f| buy * f.quantity - f.money).sum::<f64>()
            + found.sells.iter().filter(|f| f.who == who).map(|f| f.money - sell * f.quantity).sum::<f64>()
    };
    for who in (0..250).step_by(5) {
        for k in 0..=10 {
            let bid = 0.03 * f64::from(k);
            let mut said = book.clone();
            said.buyers.iter_mut().chain(&mut said.sellers).filter(|o| o.who == who).for_each(|o| o.price = bid);
            said.sort();
            let gained = utility(&cleared(&*rule, &said), who) - utility(&honest, who);
            // Beyond its own limit it may trade at a loss, never at a gain.
            assert!(gained <= 1e-12, "{who} gains {gained} by {bid}");
        }
    }
}

/// The same bids come out of the households' own problems, and every auction clears them.
#[test]
fn every_auction_clears_the_households_of_a_market() {
    let Some(community) = community() else { return };
    let periods = 43..46;
    let market = community.market(periods.clone());
    for (k, t) in periods.clone().enumerate() {
        let (derived, direct) = (market.book(k).expect("a book"), community.book(t));
        for (derived, direct) in [(&derived.buyers, &direct.buyers), (&derived.sellers, &direct.sellers)] {
            assert_eq!(derived.len(), direct.iter().filter(|o| o.quantity > 1e-6).count());
            for order in derived {
                let same = direct.iter().find(|o| o.who == order.who).expect("the same side");
                near(order.quantity, same.quantity, 1e-6);
                near(order.price, same.price, 1e-9);
            }
        }
        near(derived.step_error, 0.0, 0.0);
    }
    let expected: f64 = periods
        .map(|t| cleared(&*double_auction(), &community.book(t)).buys.iter().map(|f| f.quantity).sum::<f64>())
        .sum();
    for plugin in mechanisms().into_iter().filter(|plugin| plugin.family == Family::Auction) {
        let rule = (plugin.open.default)();
        // Nothing is believed of the households' prices.
        let needs_priors = plugin.needs.contains(&Need::Prior);
        if rule.as_auction().is_none() || plugin.id == "iterative-double-auction" || needs_priors {
            continue;
        }
        let mut ctx = RunContext::new(1, ());
        let outcome = rule.outcome(&market, &mut ctx).unwrap_or_else(|e| panic!("{}: {e}", plugin.id));
        let traded = |sign: f64| outcome.net.iter().flatten().map(|x| (sign * x).max(0.0)).sum::<f64>();
        near(traded(1.0), traded(-1.0), 1e-6);
        assert!(
            traded(1.0) <= expected + 1e-6 || ["muda", "continuous-double-auction"].contains(&plugin.id),
            "{}",
            plugin.id
        );
        if plugin.id == "double-auction" {
            near(traded(1.0), expected, 1e-5);
        }
        let coupling = outcome.evidence.iter().find(|c| c.name == "slot_coupling").and_then(|c| c.value);
        near(coupling.unwrap_or(0.0), 0.0, 1e-5);
    }
}
