//! The market: participants as they present themselves, and every question that may be asked of them.
//!
//! A report is a participant and truth is another market: [`Market::with_report`] is the only difference between them.
//! Answers are remembered per question; a memory forgets with the report it belongs to. This module knows no mechanism and
//! no policy.

mod bids;
mod block;
mod charged;
mod coalitions;
mod economy;
mod limits_missed;
mod local;
mod memory;
mod mixture;
mod network_side;
mod ownership;
mod pairwise;
mod plan;
mod reach;
mod session;
mod standing;

pub use economy::{Allocation, Economy, NetworkMode, Outsiders};
pub use local::Local;
pub use memory::Questions;
pub use network_side::{Carried, NetworkSide};
pub use ownership::OwnershipError;
pub use pairwise::{Along, Dislike, Link, Paired, Pairwise, PairwiseSession, PairwiseSteps};
pub use plan::{DevicePlan, Plan};
pub use session::LocalSession;
pub use standing::reserve_price;

use crate::book::{BidCurve, Book, Order};
use crate::participant::{Participant, Report};
use crate::program::SolveError;
use crate::setting::{Member, Product, Role, Setting};
use crate::terms::{Charge, Terms};
use local::LocalProblem;
use memory::{Memory, Meter};
use mixture::Mixture;
use rayon::prelude::*;
use reach::Reach;
use standing::Standing;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// One participant under its terms; a changed report or changed terms is another seat.
#[derive(Debug)]
struct Seat {
    id: u64,
    /// Number of the change that made it: answers about it live in the memory of that change.
    generation: usize,
    participant: Arc<dyn Participant>,
    terms: Terms,
    /// What its devices can do: the same under all terms.
    reach: Arc<Reach>,
    problem: OnceLock<LocalProblem>,
    /// The same with its net injections as quantities that can be asked about.
    injecting: OnceLock<LocalProblem>,
    autarky: OnceLock<Result<Arc<Plan>, SolveError>>,
    orders: Vec<OnceLock<Result<BidCurve, SolveError>>>,
}

/// Participants as they present themselves, under their terms.
///
/// ```
/// use coase_core::participant::{Step, Steps};
/// use coase_core::setting::{Member, Periods, Setting};
/// use coase_core::{Market, Report};
/// use std::sync::Arc;
///
/// let asks = Steps::new("plant", vec![vec![Step { price_per_kwh: 0.30, quantity_kwh: 10.0 }]]).expect("finite numbers");
/// let member = Member::new("plant", 0.0, 10.0);
/// let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, vec![member]);
/// let truth = Market::new(setting, vec![Arc::new(asks)]);
/// // It claims to cost half as much again: another market, in which it sells nothing at 0.40.
/// let report = Report::Distorted { price_factor: 1.5, price_shift: 0.0, quantity_factor: 1.0 };
/// let said = truth.with_report(0, &report);
/// assert!((truth.local(0).respond(&[0.40])?.trade[0] - 10.0).abs() < 1e-6);
/// assert!(said.local(0).respond(&[0.40])?.trade[0].abs() < 1e-6);
/// # Ok::<(), coase_core::program::SolveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Market {
    setting: Arc<Setting>,
    seats: Vec<Arc<Seat>>,
    memories: Vec<Arc<Memory>>,
    ids: Arc<AtomicU64>,
    meter: Arc<Meter>,
    /// Player of each seat.
    ownership: Arc<[usize]>,
    /// Whose answers are mixed, where this market answers between two others.
    mixture: Option<Arc<Mixture>>,
}

impl Market {
    /// A market of these participants under the bare tariff. Roles and public baselines are fixed here, from autarky, before
    /// anybody reports.
    pub fn new(setting: Setting, participants: Vec<Arc<dyn Participant>>) -> Self {
        let mut market = Self {
            setting: Arc::new(setting),
            seats: vec![],
            memories: vec![Arc::default()],
            ids: Arc::default(),
            meter: Arc::default(),
            ownership: (0..participants.len()).collect(),
            mixture: None,
        };
        market.seats = participants.into_iter().map(|p| market.seat(None, p, Terms::default())).collect();
        let standings = market.standings();
        let mut setting = (*market.setting).clone();
        for (member, standing) in setting.members.iter_mut().zip(standings) {
            if member.roles.is_empty() {
                member.roles = standing.roles;
            }
            if member.baseline_kwh.is_empty() {
                member.baseline_kwh = standing.baseline_kwh;
            }
            member.price_level_per_kwh = member.price_level_per_kwh.or(standing.price_level_per_kwh);
        }
        market.setting = Arc::new(setting);
        market
    }

    /// What everybody knows.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Number of participants.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Whether nobody takes part.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// One participant.
    pub fn local(&self, member: usize) -> Local<'_> {
        Local { market: self, member }
    }

    /// The same question to everybody, in parallel; answers in order.
    ///
    /// # Errors
    /// The first error in order.
    pub fn each<T: Send>(&self, ask: impl Fn(Local<'_>) -> Result<T, SolveError> + Sync) -> Result<Vec<T>, SolveError> {
        let answers: Vec<Result<T, SolveError>> = (0..self.len())
            .into_par_iter()
            .map(|i| ask(self.local(i)).map_err(|error| error.of(&self.setting.members[i].id)))
            .collect();
        answers.into_iter().collect()
    }

    /// A session for everybody, in order.
    pub fn sessions(&self) -> Vec<LocalSession<'_>> {
        (0..self.len()).map(|i| self.local(i).session()).collect()
    }

    /// A step of every session, in parallel; answers in order.
    ///
    /// # Errors
    /// The first error in order.
    pub fn each_with<'m, T: Send>(
        &'m self,
        sessions: &mut [LocalSession<'m>],
        step: impl Fn(&mut LocalSession<'m>) -> Result<T, SolveError> + Sync,
    ) -> Result<Vec<T>, SolveError> {
        let named = |session: &mut LocalSession<'m>| {
            let id = &self.setting.members[session.id()].id;
            step(session).map_err(|error| error.of(id))
        };
        let answers: Vec<Result<T, SolveError>> = sessions.par_iter_mut().map(named).collect();
        answers.into_iter().collect()
    }

    /// The market of some members only, in this order, under their terms; the others are not there at all. Roles, ratings and
    /// priors stay.
    ///
    /// # Panics
    /// Where a position is out of range.
    #[must_use]
    pub fn of(&self, members: &[usize]) -> Self {
        let mut setting = (*self.setting).clone();
        setting.members = members.iter().map(|i| self.setting.members[*i].clone()).collect();
        let participants = members.iter().map(|i| self.seats[*i].participant.clone()).collect();
        let terms: Vec<Terms> = members.iter().map(|i| self.seats[*i].terms.clone()).collect();
        let ownership = ownership::of(&self.ownership, members);
        let market =
            Self { mixture: self.mixture.clone(), ownership, ..Self::new(setting, participants).under(&terms) };
        market.mixing(|side| side.of(members))
    }

    /// The question about everybody together.
    pub fn grand(&self) -> Economy {
        Economy {
            inside: vec![true; self.len()],
            extra: vec![],
            network: NetworkMode::Ignored,
            outsiders: Outsiders::default(),
            apart: false,
        }
    }

    /// Least cost of a group; solved once per question.
    ///
    /// # Errors
    /// If the group cannot operate, or its problem is not solved to tolerance.
    pub fn solve(&self, question: &Economy) -> Result<Arc<Allocation>, SolveError> {
        self.meter.count_economy();
        let answer = self.remembered(question)?;
        self.meter.note_choices_gap(answer.choices_gap);
        Ok(answer)
    }

    /// Several groups, in parallel; answers in order.
    ///
    /// # Errors
    /// The first error in order.
    pub fn solve_all(&self, questions: &[Economy]) -> Result<Vec<Arc<Allocation>>, SolveError> {
        let answers: Vec<_> = questions.par_iter().map(|q| self.solve(q)).collect();
        answers.into_iter().collect()
    }

    /// Bids of everybody in one slot, other slots frozen at autarky. Sellers' and buyers' sides are the public roles; who is
    /// idle may stand on both.
    ///
    /// # Errors
    /// If a participant cannot operate.
    pub fn book(&self, slot: usize) -> Result<Book, SolveError> {
        let curves = self.each(|l| l.orders(slot))?;
        let hours = self.setting.periods.hours;
        let mut book = Book { slot, ..Book::default() };
        for (i, curve) in curves.into_iter().enumerate() {
            let member = &self.setting.members[i];
            let role = member.roles.get(slot).copied().unwrap_or(Role::Idle);
            let rating = match role {
                Role::Seller => member.rating.supply_kw,
                Role::Buyer => member.rating.demand_kw,
                Role::Idle => member.rating.supply_kw.max(member.rating.demand_kw),
            };
            // Ratings are known of energy; of another good a participant bids what it has.
            let bid = || curve.orders.iter().map(|o| o.quantity.abs()).sum::<f64>();
            let is_energy = self.setting.slots[slot].product == Product::Energy;
            book.rating_kwh.push(if is_energy { rating * hours } else { bid() });
            book.roles.push(role);
            book.priors.push(member.prior.clone());
            book.step_error = book.step_error.max(curve.step_error);
            for order in curve.orders {
                if order.quantity > 0.0 && role != Role::Buyer {
                    book.sellers.push(order);
                } else if order.quantity < 0.0 && role != Role::Seller {
                    book.buyers.push(Order { quantity: -order.quantity, ..order });
                }
            }
        }
        book.sort();
        Ok(book)
    }

    /// The market in which one participant presents itself differently. Keeps every answer that this cannot change.
    pub fn with_report(&self, member: usize, report: &Report) -> Self {
        if matches!(report, Report::Truth) {
            return self.clone();
        }
        self.changed(|i, seat| (i == member).then(|| (report.apply(&seat.participant), seat.terms.clone())))
            .mixing(|side| side.with_report(member, report))
    }

    /// The market whose public roles are those of the participants as they present themselves here: a member that forecasts a
    /// surplus stands among the sellers, whatever is true.
    #[must_use]
    pub fn with_roles_of_reports(&self) -> Self {
        self.restanding(&|member, standing| member.roles = standing.roles)
    }

    /// The market in which a member is known to stand on this side in every slot, whatever is true.
    ///
    /// # Panics
    /// Where the position is out of range.
    #[must_use]
    pub fn with_role(&self, member: usize, role: Role) -> Self {
        let mut setting = (*self.setting).clone();
        setting.members[member].roles = vec![role; setting.slots.len()];
        // Its bids depend on its role: its seat is made again.
        let mut market = self.changed(|i, seat| (i == member).then(|| (seat.participant.clone(), seat.terms.clone())));
        market.setting = Arc::new(setting);
        market.mixing(|side| side.with_role(member, role))
    }

    /// The market in which the participants are what they present themselves as here: roles and metered schedules follow from
    /// that. Who would be idle keeps the side that it is known for.
    pub(crate) fn as_reported(&self) -> Self {
        self.restanding(&|member, standing| {
            let known = std::mem::take(&mut member.roles).into_iter().chain(std::iter::repeat(Role::Idle));
            let side = |(now, known)| if now == Role::Idle { known } else { now };
            member.roles = standing.roles.into_iter().zip(known).map(side).collect();
            member.baseline_kwh = standing.baseline_kwh;
            member.price_level_per_kwh = standing.price_level_per_kwh;
        })
    }

    fn restanding(&self, set: &dyn Fn(&mut Member, Standing)) -> Self {
        let standings = self.under(&vec![Terms::default(); self.len()]).standings();
        let mut setting = (*self.setting).clone();
        setting.members.iter_mut().zip(standings).for_each(|(member, standing)| set(member, standing));
        // Bids depend on roles: every seat is made again.
        let mut market = self.changed(|_, seat| Some((seat.participant.clone(), seat.terms.clone())));
        market.setting = Arc::new(setting);
        market.mixing(|side| side.restanding(set))
    }

    /// The market with a further layer of terms, one per participant; an empty layer changes nothing.
    pub fn imposing(&self, layer: &[Terms]) -> Self {
        if layer.iter().all(|terms| *terms == Terms::default()) {
            return self.clone();
        }
        self.changed(|i, seat| Some((seat.participant.clone(), seat.terms.and(&layer[i]))))
            .mixing(|side| side.imposing(layer))
    }

    /// The market under these terms instead of whatever held: the policy's layer, and the engine's business only.
    pub fn under(&self, terms: &[Terms]) -> Self {
        if self.mixture.is_none() && terms.iter().zip(&self.seats).all(|(t, seat)| *t == seat.terms) {
            return self.clone();
        }
        let market = self.changed(|i, seat| Some((seat.participant.clone(), terms[i].clone())));
        Self { mixture: None, ..market }
    }

    /// The market under these terms, whose answer to every question lies between those of two others of the same
    /// participants: `share` of what `low` answers, and the rest of what `high` answers. `place` is the weight of `low`'s
    /// terms in these: where both sides' answers are optimal under them, so are the mixed ones, and [`Plan::gap`] proves it.
    pub fn between(&self, terms: &[Terms], low: &Self, high: &Self, share: f64, place: f64) -> Self {
        let market = self.changed(|i, seat| Some((seat.participant.clone(), terms[i].clone())));
        Self { mixture: Some(Arc::new(Mixture { low: low.clone(), high: high.clone(), share, place })), ..market }
    }

    /// The terms of one participant.
    pub fn terms(&self, member: usize) -> &Terms {
        &self.seats[member].terms
    }

    /// Whether every local problem is convex under its terms.
    pub fn is_convex(&self) -> bool {
        self.seats.iter().all(|s| s.terms.is_convex())
    }

    /// The same market with a fresh count of questions: one per run.
    pub fn metered(&self) -> Self {
        Self { meter: Arc::default(), ..self.clone() }
    }

    /// Questions asked through this handle and its clones.
    pub fn questions(&self) -> Questions {
        self.meter.read()
    }

    /// The answer to a group question without counting it: evaluators.
    pub(crate) fn remembered(&self, question: &Economy) -> Result<Arc<Allocation>, SolveError> {
        let inside = || self.seats.iter().zip(&question.inside).filter(|(_, inside)| **inside).map(|(seat, _)| seat);
        let mut key: Vec<u64> = inside().map(|seat| seat.id).collect();
        key.push(u64::MAX);
        key.push(u64::from(question.apart));
        key.extend(question.extra.iter().map(|x| x.to_bits()));
        let mut generation = inside().map(|seat| seat.generation).max().unwrap_or(0);
        if let NetworkMode::Inside { loss_price_per_kwh } = &question.network {
            key.push(u64::MAX);
            key.push(question.outsiders as u64);
            if question.outsiders == Outsiders::Reported {
                // Outsiders stay on the network: their schedules are part of the question.
                key.extend(self.seats.iter().map(|seat| seat.id));
                generation = self.seats.iter().map(|seat| seat.generation).max().unwrap_or(generation);
            }
            key.extend(loss_price_per_kwh.iter().map(|x| x.to_bits()));
        }
        // Nothing inside may go parallel: a stolen task could ask the same question and wait for itself.
        let compute = || match &self.mixture {
            Some(mixture) => mixture.allocation(self, question),
            None => economy::solve(self, question).map_err(|error| limits_missed::named(self, question, error)),
        };
        self.memories[generation].answer(key, || compute().map(Arc::new))
    }

    /// Least sum of the balances of all accounts, kg, whatever it costs, and each member's part of it: what emissions cannot
    /// fall below if all act together.
    ///
    /// # Errors
    /// If they cannot operate.
    pub(crate) fn least_balances_kg(&self) -> Result<Vec<f64>, SolveError> {
        economy::least_balances_kg(self)
    }

    /// Least cost of all together, and its proven gap, if they share one account: `charge` on the sum of their balances and
    /// `other_kg`, whatever their own accounts charge.
    ///
    /// # Errors
    /// If no schedule keeps the charge's cap, or the problem is not solved to tolerance.
    pub(crate) fn least_cost_of_pool(&self, charge: &Charge, other_kg: f64) -> Result<(f64, f64), SolveError> {
        economy::least_cost_of_pool(self, charge, other_kg)
    }

    /// The same market with the sides that it mixes changed.
    fn mixing(self, change: impl Fn(&Self) -> Self) -> Self {
        let mixture = self.mixture.as_ref().map(|mixture| Arc::new(mixture.map(change)));
        Self { mixture, ..self }
    }

    /// A new seat, that of a member here or of somebody new. What is known of a participant whatever its terms stays.
    fn seat(&self, member: Option<usize>, participant: Arc<dyn Participant>, terms: Terms) -> Arc<Seat> {
        let is_same = |seat: &&Arc<Seat>| Arc::ptr_eq(&seat.participant, &participant);
        let own = member.and_then(|member| self.seats.get(member)).filter(is_same);
        let kept = own.or_else(|| self.seats.iter().find(is_same));
        let reach = kept.map_or_else(|| Arc::new(Reach::new(self.setting.slots.len())), |seat| seat.reach.clone());
        Arc::new(Seat {
            reach,
            id: self.ids.fetch_add(1, Ordering::Relaxed),
            generation: self.memories.len() - 1,
            participant,
            terms,
            problem: OnceLock::new(),
            injecting: OnceLock::new(),
            autarky: OnceLock::new(),
            orders: self.setting.slots.iter().map(|_| OnceLock::new()).collect(),
        })
    }

    /// The same market with some seats changed: what concerns only the others is still remembered.
    fn changed(&self, change: impl Fn(usize, &Seat) -> Option<(Arc<dyn Participant>, Terms)>) -> Self {
        let mut market = self.clone();
        market.memories.push(Arc::default());
        market.seats = self
            .seats
            .iter()
            .enumerate()
            .map(|(i, seat)| change(i, seat).map_or_else(|| seat.clone(), |(p, terms)| market.seat(Some(i), p, terms)))
            .collect();
        market
    }
}
