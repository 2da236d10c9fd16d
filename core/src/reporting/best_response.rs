//! Everybody answers best to what the others report, in turn, until nobody gains by another report.

use super::grid::{Grid, Table};
use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::evaluate::audit::Within;
use crate::evaluate::audit::bench::Bench;
use crate::evaluate::audit::search::{Best, best_of, golden, pattern};
use crate::evaluate::audit::space::{Space, at, distortion};
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::outcome::{Certificate, Kind};
use crate::participant::Distortion;
use crate::register_report_rule;
use crate::setting::Setting;
use crate::words::number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What members misreport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Misreport {
    /// The level of their marginal cost: a shift of their price.
    #[default]
    Level,
    /// The factor of their cost.
    Factor,
    /// Their quantities.
    Quantity,
    /// All three jointly.
    All,
}

/// Each member in turn reports what brings it most against what the others report, `r_i = argmax u_i(M(r_i, r_-i); true i)`,
/// from the truth on, until a round in which nobody gains. The certificate `exploitability` is the most that anybody still
/// gains by another report of the same kind; where reports do not come to rest, the run is flagged. With `price_factors` reports are
/// chosen among these factors on cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BestResponse {
    /// What is misreported.
    pub misreport: Misreport,
    /// Factors on their cost among which members choose, instead of the search that `misreport` says; none by default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_factors: Vec<f64>,
    /// The same, as shifts of the price of every kWh.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price_shifts_per_kwh: Vec<f64>,
    /// Rounds after which it is given up.
    #[schemars(range(min = 1))]
    pub rounds_max: usize,
    /// Gain that moves nobody, as a share of the money at stake.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub tolerance: f64,
}

impl Default for BestResponse {
    fn default() -> Self {
        Self {
            misreport: Misreport::Level,
            price_factors: vec![],
            price_shifts_per_kwh: vec![],
            rounds_max: 50,
            tolerance: 1e-8,
        }
    }
}

register_report_rule!(BestResponse, "best-response", "everybody answers best to what the others report", behaviour: BestResponse,
    source: "Cournot (1838); rest points: Nash (1950)");

/// Certificate of the rest point.
const NAME: &str = "exploitability";
/// What a gain may be at rest, as a share of the money at stake.
const AT_REST: f64 = 1e-6;
/// Runs of a joint search.
const JOINT: usize = 300;

/// Why the rounds ended.
enum End {
    /// Nobody gained in this round.
    Rest(usize),
    /// The reports of this round are those of an earlier one.
    Cycle(usize, usize),
    /// The rounds were used up.
    GivenUp(usize),
}

impl End {
    /// Why they ended, given what was said after each: `None` where they go on.
    fn of<T>(known: &[T], now: &T, same: impl Fn(&T, &T) -> bool, most: usize, cancelled: bool) -> Option<Self> {
        let round = known.len();
        match known.iter().position(|other| same(other, now)) {
            Some(earlier) => Some(Self::Cycle(round, earlier)),
            None if round >= most || cancelled => Some(Self::GivenUp(round)),
            None => None,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Rest(rounds) => format!("at rest after {rounds} rounds"),
            Self::Cycle(round, earlier) => {
                format!("the reports of round {round} are those of round {earlier}: they cycle")
            }
            Self::GivenUp(rounds) => format!("not at rest after {rounds} rounds"),
        }
    }
}

/// The play of one run.
struct Play<'a> {
    bench: Bench<'a>,
    spaces: Vec<Space>,
    rule: &'a BestResponse,
}

impl Play<'_> {
    /// What a player gets where these reports are made.
    fn worth(&self, reports: &[Distortion], player: usize) -> Option<f64> {
        let said = reports.iter().copied().enumerate().filter(|(_, report)| *report != Distortion::TRUTH).collect();
        Some(self.bench.worth(&said, &[player])?[0])
    }

    /// The best report of a seat against the others', and what it gains above its present one.
    fn best(&self, reports: &[Distortion], seat: usize) -> Result<(Distortion, f64), MechanismError> {
        let player = self.bench.truth.ownership()[seat];
        let no_outcome = || MechanismError::Failed("no outcome where everybody answers best so far".into());
        let now = self.worth(reports, player).ok_or_else(no_outcome)?;
        let f = |point: &[f64]| {
            let mut reports = reports.to_vec();
            reports[seat] = distortion(point);
            Some(self.worth(&reports, player)? - now)
        };
        let space = &self.spaces[seat];
        let present = Best { at: at(reports[seat]), value: 0.0 };
        let line = |axis: usize| {
            let mut line = space.along(axis);
            for point in &mut line {
                let x = point[axis];
                point.clone_from(&present.at);
                point[axis] = x;
            }
            let width = line[1][axis] - line[0][axis];
            let best = present.clone().or(best_of(&line, &f));
            let (low, high) = space.bounds[axis];
            let around = ((best.at[axis] - width).max(low), (best.at[axis] + width).min(high));
            let refined = golden(&f, &best.at, axis, around, 45);
            best.or(refined)
        };
        let best = match self.rule.misreport {
            Misreport::Factor => line(0),
            Misreport::Level => line(1),
            Misreport::Quantity => line(2),
            Misreport::All => {
                let start = line(0).or(Some(line(1))).or(Some(line(2)));
                pattern(&f, start, &space.bounds, 0.05, JOINT)
            }
        };
        Ok((distortion(&best.at), best.value))
    }
}

impl ReportRule for BestResponse {
    fn said(&self, truth: &Market, mechanism: &dyn Mechanism, ctx: &mut RunContext) -> Result<Said, MechanismError> {
        self.check(truth.setting()).map_err(MechanismError::Failed)?;
        let bench = Bench::new(mechanism, truth, ctx.seed(), &());
        let stake = stake(truth) + bench.truthful()?.iter().map(|x| x.abs()).sum::<f64>();
        if self.grid().is_empty() { self.searched(bench, stake, ctx) } else { self.chosen(bench, stake, ctx) }
    }

    fn check(&self, _: &Setting) -> Result<(), String> {
        match self {
            Self { rounds_max: 0, .. } => Err("`rounds_max` is 0: expected at least 1".into()),
            Self { tolerance, .. } if !(tolerance.is_finite() && *tolerance > 0.0) => {
                Err(format!("`tolerance` is {tolerance}: expected a number above 0"))
            }
            _ if !self.grid().is_empty() => self.grid().check(),
            _ => Ok(()),
        }
    }
}

impl BestResponse {
    fn grid(&self) -> Grid<'_> {
        Grid { factors: &self.price_factors, shifts: &self.price_shifts_per_kwh }
    }

    /// Reports are sought over a range.
    fn searched(&self, bench: Bench<'_>, stake: f64, ctx: &RunContext) -> Result<Said, MechanismError> {
        let truth = bench.truth;
        let spaces = (0..truth.len()).map(|seat| Space::of(truth, seat, None, &Within::default())).collect();
        let play = Play { bench, spaces, rule: self };
        let mut reports = vec![Distortion::TRUTH; truth.len()];
        let mut known = vec![reports.clone()];
        let end = loop {
            let mut moved = false;
            for seat in 0..truth.len() {
                let (report, gain) = play.best(&reports, seat)?;
                if gain > self.tolerance * stake {
                    (reports[seat], moved) = (report, true);
                }
            }
            if !moved {
                break End::Rest(known.len());
            }
            let same = |a: &Vec<Distortion>, b: &Vec<Distortion>| are_same(a, b);
            if let Some(end) = End::of(&known, &reports, same, self.rounds_max, ctx.cancelled()) {
                break end;
            }
            known.push(reports.clone());
        };
        let mut most = (0, 0.0);
        for seat in 0..truth.len() {
            let gain = play.best(&reports, seat)?.1;
            if gain > most.1 {
                most = (seat, gain);
            }
        }
        let who = &truth.setting().members.get(most.0).map_or("nobody", |member| member.id.as_str());
        let gains = if most.1 > 0.0 { format!("; {who} still gains {}", number(most.1)) } else { String::new() };
        let check = Certificate::check(NAME, most.1, AT_REST * stake, end.words() + &gains).about(Kind::FixedPoint);
        let reports = reports.into_iter().map(Distortion::report).collect();
        Ok(Said { reports, roles: Roles::Public, evidence: vec![check] })
    }

    /// Reports are chosen on a grid.
    fn chosen(&self, bench: Bench<'_>, stake: f64, ctx: &RunContext) -> Result<Said, MechanismError> {
        let players = bench.truth.players();
        let mut table = Table::new(self.grid(), bench)?;
        let mut profile = vec![table.nearest_to_truth(); players];
        let mut known = vec![profile.clone()];
        let end = loop {
            let mut moved = false;
            for player in 0..players {
                let payoffs = table.alternatives_of(&profile, player);
                let best = (0..payoffs.len()).fold(profile[player], |b, s| if payoffs[s] > payoffs[b] { s } else { b });
                if payoffs[best] - payoffs[profile[player]] > self.tolerance * stake {
                    (profile[player], moved) = (best, true);
                }
            }
            if !moved {
                break End::Rest(known.len());
            }
            if let Some(end) = End::of(&known, &profile, Vec::eq, self.rounds_max, ctx.cancelled()) {
                break end;
            }
            known.push(profile.clone());
        };
        let found = table.exploitability(&profile, &end.words());
        let gain = found.value.unwrap_or(f64::INFINITY);
        let check = Certificate::check(NAME, gain, AT_REST * stake, found.witness).about(Kind::FixedPoint);
        Ok(Said { reports: table.reports(&profile), roles: Roles::Public, evidence: vec![check] })
    }
}

/// Money that members pay for resources and to the grid without trade.
fn stake(truth: &Market) -> f64 {
    let plans = (0..truth.len()).filter_map(|member| truth.local(member).remembered_autarky().ok());
    plans.map(|plan| plan.resource_cost.abs() + plan.tariff_cost.abs()).sum()
}

fn are_same(one: &[Distortion], other: &[Distortion]) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
    one.iter().zip(other).all(|(a, b)| {
        near(a.price_factor, b.price_factor)
            && near(a.price_shift_per_kwh, b.price_shift_per_kwh)
            && near(a.quantity_factor, b.quantity_factor)
    })
}
