//! One slot: who sits at the table, in which groups they meet, what they trade and pay, and what can be proven of it.

use super::design::Design;
use super::opt_out::staying;
use super::trader::Trader;
use super::{Agv, Claim, Clearing, Fill, Kind, Matching, Participation, Prior, reserve_price};
use coase_core::book::{Book, Order};
use coase_core::statistics::bounded::Bounded;
use coase_core::{Certificate, Curve, Market, MechanismError};

/// What everybody knows of a slot before anybody reports.
pub(super) struct Public {
    /// Position, whether it sells, and quantity, kWh.
    pub sides: Vec<(usize, bool, f64)>,
    /// Between which prices bids lie in any slot.
    pub whole: Option<(f64, f64)>,
    /// The same in this slot.
    pub band: Option<(f64, f64)>,
    pub names: Vec<String>,
    /// Distances between participants, where they are asked for.
    pub distance: Vec<Vec<f64>>,
    /// Even numbers: one row for each draw, one column for each participant.
    pub uniforms: Vec<Vec<f64>>,
}

/// A slot with what is reported in it.
pub(super) struct Table {
    pub traders: Vec<Trader>,
    /// What prices are really drawn from, where that is asked about.
    truths: Option<Vec<Bounded>>,
    /// The steps of each on its side, best first.
    curves: Vec<Vec<Order>>,
    public: Public,
}

/// What came of a slot.
pub(super) struct Played {
    pub clearing: Clearing,
    groups: Vec<Group>,
    /// Greatest share of types that stays away, also from groups in which nobody is left.
    away: f64,
}

/// Some traders that met.
struct Group {
    /// Their places at the table.
    seats: Vec<usize>,
    design: Design,
    /// What each receives.
    transfers: Vec<f64>,
    /// What a type that stays still expects to lose, where no fixed point was found; else 0.
    unsettled: f64,
}

impl Table {
    /// The price that a trader reports for this quantity of its own.
    fn report(&self, seat: usize, quantity: f64) -> f64 {
        let Trader { sells, law, .. } = &self.traders[seat];
        let (low, high) = self.public.band.unwrap_or_else(|| law.bounds());
        let missing = if *sells { high } else { low };
        reserve_price(&self.curves[seat], *sells, quantity, missing).unwrap_or(missing).clamp(low, high)
    }

    /// Who is not indifferent between the kWh of its public quantity.
    pub fn bent(&self) -> Option<usize> {
        let bent = |(trader, curve): (&Trader, &Vec<Order>)| {
            let (mut sum, first) = (0.0, curve.first()?.price);
            for order in curve {
                if sum < trader.quantity * (1.0 - 1e-6) && (order.price - first).abs() > 1e-5 * first.abs() {
                    return Some(trader.who);
                }
                sum += order.quantity.abs();
            }
            (sum < trader.quantity * (1.0 - 1e-6)).then_some(trader.who)
        };
        self.traders.iter().zip(&self.curves).find_map(bent)
    }

    /// Who could trade more than its public quantity.
    pub fn beyond(&self) -> Option<usize> {
        let beyond = |(trader, curve): (&Trader, &Vec<Order>)| {
            let sum: f64 = curve.iter().map(|order| order.quantity.abs()).sum();
            (sum > trader.quantity * (1.0 + 1e-6)).then_some(trader.who)
        };
        self.traders.iter().zip(&self.curves).find_map(beyond)
    }
}

impl Agv {
    /// Sets a table: traders with something to trade, what is believed of them, and the prices that they report.
    pub(super) fn table(&self, book: &Book, public: Public) -> Result<Table, MechanismError> {
        let mut table = Table { traders: vec![], truths: None, curves: vec![], public };
        let idle = table.public.band.is_some_and(|(low, high)| low >= high);
        let sides: Vec<_> = table.public.sides.iter().copied().filter(|side| side.2 > 1e-6 && !idle).collect();
        for (who, sells, quantity) in sides {
            let name = &table.public.names[who];
            let own = if sells { &self.prior_of_sellers } else { &self.prior_of_buyers };
            let prior = own.as_ref().or(self.prior.as_ref()).or(book.priors.get(who).and_then(Option::as_ref));
            let prior = prior.ok_or_else(|| {
                MechanismError::Failed(format!("{name} has no prior: give `prior` to it, or to the mechanism"))
            })?;
            let law = believed(prior, &table.public, name)?;
            let orders: Vec<Order> = if sells {
                book.sellers.iter().filter(|order| order.who == who).copied().collect()
            } else {
                let bought = |order: &Order| Order { quantity: -order.quantity, ..*order };
                book.buyers.iter().filter(|order| order.who == who).map(bought).collect()
            };
            table.traders.push(Trader { who, sells, quantity, law });
            table.curves.push(orders);
        }
        if self.truth_of_buyers.is_some() || self.truth_of_sellers.is_some() {
            let of = |trader: &Trader| {
                let truth = if trader.sells { &self.truth_of_sellers } else { &self.truth_of_buyers };
                let name = &table.public.names[trader.who];
                truth.as_ref().map_or(Ok(trader.law.clone()), |prior| believed(prior, &table.public, name))
            };
            table.truths = Some(table.traders.iter().map(of).collect::<Result<_, _>>()?);
        }
        Ok(table)
    }

    /// Seats of those who meet: never what is reported decides.
    fn groups(&self, table: &Table) -> Vec<Vec<usize>> {
        let seats = |sells: bool| -> Vec<usize> {
            (0..table.traders.len()).filter(|seat| table.traders[*seat].sells == sells).collect()
        };
        let (mut sellers, mut buyers) = (seats(true), seats(false));
        let quantity = |seat: &usize| table.traders[*seat].quantity;
        match self.matching {
            Matching::Together if sellers.is_empty() || buyers.is_empty() => vec![],
            Matching::Together => vec![(0..table.traders.len()).collect()],
            Matching::Order => sellers.iter().zip(&buyers).map(|(s, b)| vec![*s, *b]).collect(),
            Matching::Quantity => {
                for side in [&mut sellers, &mut buyers] {
                    side.sort_by(|a, b| quantity(b).total_cmp(&quantity(a)));
                }
                sellers.iter().zip(&buyers).map(|(s, b)| vec![*s, *b]).collect()
            }
            Matching::Distance => {
                let apart = |s: usize, b: usize| table.public.distance[table.traders[s].who][table.traders[b].who];
                let mut all: Vec<(f64, usize, usize)> =
                    sellers.iter().flat_map(|s| buyers.iter().map(|b| (apart(*s, *b), *s, *b))).collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
                let mut met: Vec<Vec<usize>> = vec![];
                for (_, s, b) in all {
                    if !met.iter().flatten().any(|seat| *seat == s || *seat == b) {
                        met.push(vec![s, b]);
                    }
                }
                met
            }
        }
    }

    /// Everybody reports, trades and is paid.
    pub(super) fn play(&self, table: &Table) -> Played {
        let mut played = Played { clearing: Clearing::default(), groups: vec![], away: 0.0 };
        for seats in self.groups(table) {
            let traders: Vec<Trader> = seats.iter().map(|seat| table.traders[*seat].clone()).collect();
            let uniforms = &table.public.uniforms;
            // Two trade the smaller of their quantities or nothing.
            let smaller = traders.iter().map(|trader| trader.quantity).fold(f64::INFINITY, f64::min);
            let among = seats.len();
            let report =
                |seat: usize| table.report(seat, if among == 2 { smaller } else { table.traders[seat].quantity });
            let build = |traders| Design::new(traders, uniforms, self.calibration);
            let (seats, design, unsettled) = match self.participation {
                Participation::Mandatory => (seats, build(traders), 0.0),
                Participation::OptOutIterated => {
                    let stay = staying(traders, &build);
                    played.away = played.away.max(stay.away);
                    played.clearing.withheld = vec![(
                        Claim::Efficient,
                        "whoever expects to lose may stay away, and trades that would be gains are not made".into(),
                    )];
                    let there = |k: &usize| stay.takes_part(*k, report(seats[*k]));
                    let (kept, left): (Vec<usize>, Vec<Trader>) = (0..seats.len())
                        .filter(there)
                        .filter_map(|k| Some((seats[k], stay.traders[k].clone()?)))
                        .unzip();
                    if !left.iter().any(|trader| trader.sells) || left.iter().all(|trader| trader.sells) {
                        continue;
                    }
                    (kept, build(left), stay.unsettled)
                }
            };
            let reports: Vec<f64> = seats.iter().map(|seat| report(*seat)).collect();
            let (traded, transfers) = (design.allocation(&reports), design.transfers(&reports));
            for ((trader, quantity), received) in design.traders.iter().zip(&traded).zip(&transfers) {
                let fill = |money: f64| Fill { who: trader.who, quantity: *quantity, money };
                if trader.sells {
                    played.clearing.sells.push(fill(*received));
                } else {
                    played.clearing.buys.push(fill(-received));
                }
            }
            played.groups.push(Group { seats, design, transfers, unsettled });
        }
        if let ([sale], [purchase]) = (&played.clearing.sells[..], &played.clearing.buys[..])
            && sale.quantity > 0.0
        {
            played.clearing.price = Some(purchase.money / purchase.quantity);
        }
        played
    }
}

impl Agv {
    /// The lines `interim_utility` and `interim_contribution` of everybody at a table: expected gain, and expected marginal
    /// contribution, which the rule of Vickrey, Clarke and Groves pays, by price.
    pub(super) fn interim_curves(&self, table: &Table, slot: usize) -> Vec<Curve> {
        let mut curves = vec![];
        for group in self.play(table).groups {
            let welfare_without = |i: usize| {
                let but_one = |(k, trader): (usize, &Trader)| (k != i).then(|| trader.clone());
                let left: Vec<Trader> = group.design.traders.iter().enumerate().filter_map(but_one).collect();
                if left.len() < 2 {
                    return 0.0;
                }
                Design::new(left, &table.public.uniforms, self.calibration).expected_welfare()
            };
            for (i, trader) in group.design.traders.iter().enumerate() {
                let prices = tried(&trader.law, CURVE_POINTS);
                let without = welfare_without(i);
                let utility = |price: &f64| (*price, group.design.utility(i, *price));
                let contribution = |price: &f64| (*price, group.design.welfare_at(i, *price) - without);
                let line = |name, points: Vec<(f64, f64)>| Curve {
                    name,
                    member: Some(trader.who),
                    other: None,
                    slot: Some(slot),
                    points,
                };
                curves.push(line("interim_utility", prices.iter().map(utility).collect()));
                curves.push(line("interim_contribution", prices.iter().map(contribution).collect()));
            }
        }
        curves
    }
}

/// Prices at which a line of utilities is drawn.
const CURVE_POINTS: usize = 33;

/// What is believed of a price in this slot.
fn believed(prior: &Prior, public: &Public, name: &str) -> Result<Bounded, MechanismError> {
    let told = |what: &dyn std::fmt::Display| MechanismError::Failed(format!("the prior of {name}: {what}"));
    let law = prior.bounded(public.whole).map_err(|error| told(&error))?;
    let Some((low, high)) = public.band else { return Ok(law) };
    law.within(low, high).ok_or_else(|| told(&format!("no price that it allows lies between {low} and {high}")))
}

/// Prices at which misreports are tried: all where there are few, else at equal distances.
fn tried(law: &Bounded, count: usize) -> Vec<f64> {
    if let Bounded::Points(points) = law {
        return points.iter().map(|point| point.0).collect();
    }
    let (low, high) = law.bounds();
    (0..count).map(|k| low + (high - low) * k as f64 / (count as f64 - 1.0)).collect()
}

/// What can be proven of a run, over its slots.
#[derive(Default)]
pub(super) struct Evidence {
    /// Sum of transfers as a share of what moves.
    unbalanced: f64,
    gain: f64,
    gain_allowed: f64,
    gainer: String,
    /// Least interim utility by participant.
    worst: Vec<(usize, f64, f64)>,
    misspecified: Option<(f64, String)>,
    away: Option<f64>,
    /// What a type that stays still expects to lose, where no fixed point was found.
    pub unsettled: f64,
}

impl Evidence {
    pub fn add(&mut self, agv: &Agv, table: &Table) {
        let played = agv.play(table);
        if agv.participation == Participation::OptOutIterated {
            self.away = Some(self.away.unwrap_or(0.0).max(played.away));
        }
        for group in played.groups {
            let moved: f64 = group.transfers.iter().map(|x| x.abs()).sum();
            self.unbalanced = self.unbalanced.max(group.transfers.iter().sum::<f64>().abs() / (1.0 + moved));
            self.unsettled = self.unsettled.max(group.unsettled);
            let truth = table.truths.as_ref().map(|truths| {
                let really =
                    |(trader, seat): (&Trader, &usize)| Trader { law: truths[*seat].clone(), ..trader.clone() };
                let traders = group.design.traders.iter().zip(&group.seats).map(really).collect();
                Design::new(traders, &table.public.uniforms, agv.calibration)
            });
            let closed = group.seats.len() == 2;
            for (i, trader) in group.design.traders.iter().enumerate() {
                let words = |(gain, price, report): (f64, f64, f64)| {
                    let name = &table.public.names[trader.who];
                    (gain, format!("{name}, whose price is {price:.4}, says {report:.4}"))
                };
                let prices = tried(&trader.law, if closed { 129 } else { 9 });
                let found = words(group.design.misreport(&group.design, i, &prices, closed));
                if found.0 > self.gain {
                    (self.gain, self.gainer) = found;
                }
                let (low, high) = trader.law.bounds();
                self.gain_allowed = self.gain_allowed.max(1e-9 * trader.quantity * low.abs().max(high.abs()).max(1.0));
                if let Some(truth) = &truth {
                    let prices = tried(&truth.traders[i].law, if closed { 129 } else { 9 });
                    let found = words(group.design.misreport(truth, i, &prices, closed));
                    if self.misspecified.as_ref().is_none_or(|(gain, _)| found.0 > *gain) {
                        self.misspecified = Some(found);
                    }
                }
                let (utility, price) = (group.design.worst_utility(i), trader.worst());
                match self.worst.iter_mut().find(|worst| worst.0 == trader.who) {
                    Some(worst) if worst.1 <= utility => {}
                    Some(worst) => (worst.1, worst.2) = (utility, price),
                    None => self.worst.push((trader.who, utility, price)),
                }
            }
        }
    }

    pub fn certificates(self, market: &Market) -> Vec<Certificate> {
        let id = |who: usize| market.setting().members.get(who).map_or("nobody", |member| member.id.as_str());
        let mut all = vec![
            Certificate::check(
                "transfer_balance",
                self.unbalanced,
                1e-12,
                "sum of transfers, as a share of what moves",
            )
            .about(Kind::Conservation),
            Certificate::check("bayesian_gain", self.gain.max(0.0), self.gain_allowed, self.gainer).about(Kind::Claim),
        ];
        let worst = self.worst.into_iter().map(|(who, utility, price)| {
            let witness = format!("{}, at a price of {price:.4}, before the prices of others are known", id(who));
            Certificate::measure("worst_interim_utility", utility, witness)
        });
        all.extend(worst);
        if let Some((gain, witness)) = self.misspecified {
            all.push(Certificate::measure(
                "misspecification_gain",
                gain,
                format!("where prices are really drawn so: {witness}"),
            ));
        }
        if let Some(away) = self.away {
            let witness = "greatest share of a participant's types that stays away, because it expects to lose";
            all.push(Certificate::measure("opt_out_share", away, witness));
        }
        all
    }
}
