//! Any mechanism as a game in reports: what the search for profitable misreports plays.

use crate::context::RunContext;
use crate::error::MechanismError;
use crate::game::{Axis, Game, Profile, Space, Strategy};
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Outcome, Party};
use crate::participant::Report;

/// What is reported for a seat that tells the truth.
const TRUTH: [f64; 3] = [1.0, 0.0, 1.0];

/// Any mechanism as a game in reports. A player reports for each of its seats ([`Market::ownership`]), one after the other:
/// (price factor, price shift, quantity factor), truth is (1, 0, 1). It gets the sum of what its seats get.
pub struct ReportGame<'a> {
    /// The mechanism.
    pub mechanism: &'a dyn Mechanism,
    /// The true market.
    pub truth: &'a Market,
    /// Seed of the runs: the same luck for every report.
    pub seed: u64,
    /// Factors on price (and, less one, shifts of price) that are tried.
    pub price_factors: Vec<f64>,
    /// Factors on quantity that are tried; above 1 only where quantities cannot be verified.
    pub quantity_factors: Vec<f64>,
}

impl<'a> ReportGame<'a> {
    /// The standard deviations: prices x 0.5 .. 1.5 in steps of 0.05, quantities x 0.25, 0.5, 0.75.
    pub fn standard(mechanism: &'a dyn Mechanism, truth: &'a Market, seed: u64) -> Self {
        let price_factors = (10..=30).map(|k| f64::from(k) / 20.0).collect();
        Self { mechanism, truth, seed, price_factors, quantity_factors: vec![0.25, 0.5, 0.75] }
    }

    /// Everybody tells the truth.
    pub fn truthful(&self) -> Profile {
        (0..self.truth.players()).map(|player| TRUTH.repeat(self.truth.seats_of(player).count())).collect()
    }

    /// The report behind a strategy.
    pub fn report(strategy: &[f64]) -> Report {
        match *strategy {
            [price_factor, price_shift, quantity_factor] if [price_factor, price_shift, quantity_factor] != TRUTH => {
                Report::Distorted { price_factor, price_shift, quantity_factor }
            }
            _ => Report::Truth,
        }
    }

    fn outcome(&self, profile: &Profile) -> Result<Outcome, MechanismError> {
        let of_player = |(player, strategy): (usize, &'_ Strategy)| {
            let reports: Vec<Report> = strategy.chunks(TRUTH.len()).map(Self::report).collect();
            self.truth.seats_of(player).zip(reports).collect::<Vec<_>>()
        };
        let reports = profile.iter().enumerate().flat_map(of_player);
        let said = reports.fold(self.truth.clone(), |market, (seat, report)| market.with_report(seat, &report));
        self.mechanism.outcome(&said, &mut RunContext::new(self.seed, ()))
    }
}

impl Game for ReportGame<'_> {
    fn players(&self) -> Vec<Party> {
        let first = |player| self.truth.seats_of(player).next().map(Party::Member);
        (0..self.truth.players()).filter_map(first).collect()
    }

    fn space(&self, player: usize) -> Space {
        let reach = |of: &[f64]| of.iter().fold((1.0_f64, 1.0_f64), |(low, high), k| (low.min(*k), high.max(*k)));
        let ((low, high), (least, most)) = (reach(&self.price_factors), reach(&self.quantity_factors));
        let of_seat = [
            ("price_factor", low, high),
            ("price_shift_per_kwh", low - 1.0, high - 1.0),
            ("quantity_factor", least, most),
        ];
        let seats: Vec<usize> = self.truth.seats_of(player).collect();
        if seats.len() == 1 {
            return Space::new(of_seat);
        }
        let named = |seat: &usize| {
            let id = self.id(*seat);
            of_seat.map(|(name, min, max)| Axis { name: format!("{name} of {id}"), min, max })
        };
        Space { axes: seats.iter().flat_map(named).collect() }
    }

    /// The standard deviations of one seat; of several, those of each while the others tell the truth, and those of all alike.
    fn candidates(&self, player: usize, _: &Profile) -> Vec<Strategy> {
        let prices = self
            .price_factors
            .iter()
            .filter(|k| **k != 1.0)
            .flat_map(|&k| [vec![k, 0.0, 1.0], vec![1.0, k - 1.0, 1.0]]);
        let alone: Vec<Strategy> = prices.chain(self.quantity_factors.iter().map(|&s| vec![1.0, 0.0, s])).collect();
        let seats = self.truth.seats_of(player).count();
        if seats == 1 {
            return alone;
        }
        let one = |seat: usize, report: &Strategy| -> Strategy {
            (0..seats).flat_map(|k| if k == seat { report.clone() } else { TRUTH.to_vec() }).collect()
        };
        let by_one = (0..seats).flat_map(|seat| alone.iter().map(move |report| one(seat, report)));
        by_one.chain(alone.iter().map(|report| report.repeat(seats))).collect()
    }

    fn payoff(&self, player: usize, profile: &Profile) -> Result<f64, MechanismError> {
        let outcome = self.outcome(profile)?;
        self.truth.seats_of(player).map(|seat| utility(self.truth, seat, &outcome)).sum()
    }

    fn words(&self, player: usize, strategy: &[f64]) -> String {
        let seats = self.truth.seats_of(player).zip(strategy.chunks(TRUTH.len()));
        let of_seats: Vec<String> = seats.map(|(seat, report)| self.words_of_seat(seat, report)).collect();
        of_seats.join(", ")
    }
}

impl ReportGame<'_> {
    fn id(&self, seat: usize) -> &str {
        self.truth.setting().members.get(seat).map_or("nobody", |member| &member.id)
    }

    fn words_of_seat(&self, seat: usize, strategy: &[f64]) -> String {
        let id = self.id(seat);
        let Report::Distorted { price_factor, price_shift, quantity_factor } = Self::report(strategy) else {
            return format!("{id} tells the truth");
        };
        let mut said = vec![];
        if price_factor != 1.0 {
            said.push(format!("asks {price_factor:.2} times its cost"));
        }
        if price_shift != 0.0 {
            let way = if price_shift > 0.0 { "more" } else { "less" };
            said.push(format!("asks {:.2} per kWh {way} than its cost", price_shift.abs()));
        }
        if quantity_factor != 1.0 {
            said.push(format!("says that it has {quantity_factor:.2} times its quantities"));
        }
        format!("{id} {}", said.join(" and "))
    }
}

/// True utility of a participant: what the ledger brings minus what keeping the commitment truly costs.
///
/// # Errors
/// Where the true participant cannot operate under the outcome at all.
pub fn utility(truth: &Market, member: usize, outcome: &Outcome) -> Result<f64, MechanismError> {
    let plan = truth.imposing(&outcome.imposed).local(member).deliver(&outcome.net[member])?;
    Ok(outcome.ledger.balance(Party::Member(member)) - plan.cost)
}
