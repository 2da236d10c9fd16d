//! Reports on a grid: what everybody gets at each profile of them, and what somebody gains by another.

use crate::error::MechanismError;
use crate::evaluate::audit::bench::Bench;
use crate::outcome::Certificate;
use crate::participant::{Distortion, Report};
use crate::words::number;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What may be reported: factors on cost, or shifts of the price of every kWh.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'r> {
    /// Factors on cost; they count where there are no shifts.
    pub factors: &'r [f64],
    /// Shifts of price, per kWh.
    pub shifts: &'r [f64],
}

impl Grid<'_> {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.factors.is_empty() && self.shifts.is_empty()
    }

    /// Whether it makes sense: there is a number, each is one, and none stands twice.
    pub fn check(&self) -> Result<(), String> {
        let (name, numbers) = if self.shifts.is_empty() {
            ("price_factors", self.factors)
        } else {
            ("price_shifts_per_kwh", self.shifts)
        };
        let twice = numbers.iter().enumerate().any(|(k, x)| numbers[..k].contains(x));
        match numbers {
            [] => Err("`price_factors` is empty: expected at least one factor".into()),
            all if !self.shifts.is_empty() && all.iter().any(|shift| !shift.is_finite()) => {
                Err("`price_shifts_per_kwh` holds a number that is none: expected finite numbers".into())
            }
            all if self.shifts.is_empty() && all.iter().any(|factor| !(factor.is_finite() && *factor >= 0.0)) => {
                Err("`price_factors` holds a number that is no factor: expected at least 0".into())
            }
            _ if twice && self.shifts.is_empty() => Err("`price_factors` holds a factor twice".into()),
            _ if twice => Err(format!("`{name}` holds a shift twice")),
            _ => Ok(()),
        }
    }

    /// The reports, in order.
    pub(super) fn reports(&self) -> Vec<Distortion> {
        if self.shifts.is_empty() {
            let of = |factor: &f64| Distortion { price_factor: *factor, ..Distortion::TRUTH };
            return self.factors.iter().map(of).collect();
        }
        let of = |shift: &f64| Distortion { price_shift_per_kwh: *shift, ..Distortion::TRUTH };
        self.shifts.iter().map(of).collect()
    }

    /// What its numbers are.
    fn words(&self) -> &'static str {
        if self.shifts.is_empty() { "price factors" } else { "price shifts" }
    }

    /// A report in a number.
    fn number(&self, report: &Distortion) -> String {
        number(if self.shifts.is_empty() { report.price_factor } else { report.price_shift_per_kwh })
    }
}

/// What everybody gets at profiles of reports, asked for once each.
pub(super) struct Table<'a> {
    grid: Grid<'a>,
    reports: Vec<Distortion>,
    bench: Bench<'a>,
    /// What everybody gets without trade: where reports have no outcome.
    alone: Vec<f64>,
    known: BTreeMap<Vec<usize>, Vec<f64>>,
}

impl<'a> Table<'a> {
    /// Reports on a grid.
    pub fn new(grid: Grid<'a>, bench: Bench<'a>) -> Result<Self, MechanismError> {
        Self::over(grid, grid.reports(), bench)
    }

    /// Reports of a grid in this order.
    pub fn over(grid: Grid<'a>, reports: Vec<Distortion>, bench: Bench<'a>) -> Result<Self, MechanismError> {
        let truth = bench.truth;
        let of = |player: usize| -> Result<f64, MechanismError> {
            let seats = truth.seats_of(player);
            Ok(seats
                .map(|seat| truth.local(seat).remembered_autarky().map(|plan| -plan.cost))
                .sum::<Result<f64, _>>()?)
        };
        let alone = (0..truth.players()).map(of).collect::<Result<_, _>>()?;
        Ok(Self { grid, reports, bench, alone, known: BTreeMap::new() })
    }

    /// What is said at a profile: a player says the same for each of its seats.
    fn said(&self, profile: &[usize]) -> Vec<(usize, Distortion)> {
        let of = |(player, s): (usize, &usize)| {
            self.bench.truth.seats_of(player).map(|seat| (seat, self.reports[*s])).collect::<Vec<_>>()
        };
        let said = profile.iter().enumerate().flat_map(of);
        said.filter(|(_, distortion)| *distortion != Distortion::TRUTH).collect()
    }

    /// The report nearest to the truth.
    pub fn nearest_to_truth(&self) -> usize {
        let distance =
            |k: &usize| (self.reports[*k].price_factor - 1.0).abs() + self.reports[*k].price_shift_per_kwh.abs();
        (0..self.reports.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    }

    /// The reports of all seats at a profile.
    pub fn reports(&self, profile: &[usize]) -> Vec<Report> {
        let mut reports = vec![Distortion::TRUTH.report(); self.bench.truth.len()];
        for (seat, distortion) in self.said(profile) {
            reports[seat] = distortion.report();
        }
        reports
    }

    /// Asks for profiles that are not known yet.
    fn ask(&mut self, profiles: Vec<Vec<usize>>) {
        let mut new: Vec<Vec<usize>> = profiles.into_iter().filter(|p| !self.known.contains_key(p)).collect();
        new.sort_unstable();
        new.dedup();
        let players: Vec<usize> = (0..self.alone.len()).collect();
        let this = &*self;
        let worth = |profile: &Vec<usize>| this.bench.worth(&this.said(profile), &players);
        let found: Vec<Option<Vec<f64>>> = new.par_iter().map(worth).collect();
        for (profile, found) in new.into_iter().zip(found) {
            let worth = found.unwrap_or_else(|| self.alone.clone());
            self.known.insert(profile, worth);
        }
    }

    /// What everybody gets at a profile.
    pub fn worth(&mut self, profile: &[usize]) -> Vec<f64> {
        self.ask(vec![profile.to_vec()]);
        self.known[profile].clone()
    }

    /// What each player would get by each of its reports, the others staying.
    pub fn alternatives(&mut self, profile: &[usize]) -> Vec<Vec<f64>> {
        self.ask((0..profile.len()).flat_map(|player| self.instead(profile, player)).collect());
        (0..profile.len()).map(|player| self.known_of(profile, player)).collect()
    }

    /// The same of one player.
    pub fn alternatives_of(&mut self, profile: &[usize], player: usize) -> Vec<f64> {
        self.ask(self.instead(profile, player));
        self.known_of(profile, player)
    }

    /// A profile with each report of a player.
    fn instead(&self, profile: &[usize], player: usize) -> Vec<Vec<usize>> {
        let with = |s: usize| {
            let mut other = profile.to_vec();
            other[player] = s;
            other
        };
        (0..self.reports.len()).map(with).collect()
    }

    fn known_of(&self, profile: &[usize], player: usize) -> Vec<f64> {
        self.instead(profile, player).iter().map(|other| self.known[other][player]).collect()
    }

    /// The most that anybody gains by another report of the grid, all of which are tried.
    pub fn exploitability(&mut self, profile: &[usize], when: &str) -> Certificate {
        let payoffs = self.alternatives(profile);
        let gain = |player: usize| {
            let (own, best) =
                (payoffs[player][profile[player]], payoffs[player].iter().copied().fold(f64::NEG_INFINITY, f64::max));
            best - own
        };
        let most = (0..profile.len())
            .map(|player| (gain(player), player))
            .fold((0.0, None), |most, (gain, player)| if gain > most.0 { (gain, Some(player)) } else { most });
        let setting = self.bench.truth.setting();
        let name = |player: usize| {
            let seat = self.bench.truth.seats_of(player).next();
            seat.and_then(|seat| setting.members.get(seat)).map_or("nobody", |member| member.id.as_str())
        };
        let said = profile
            .iter()
            .enumerate()
            .map(|(player, s)| format!("{} {}", name(player), self.grid.number(&self.reports[*s])));
        let gains = most.1.map_or(String::new(), |player| format!("; {} still gains {}", name(player), number(most.0)));
        let (runs, failed) = self.bench.counts();
        let without = if failed > 0 { format!(", {failed} without an outcome") } else { String::new() };
        let what = self.grid.words();
        let witness = format!("{what} {when} and {runs} runs{without}: {}{gains}", said.collect::<Vec<_>>().join(", "));
        Certificate::measure("exploitability", most.0, witness)
    }
}
