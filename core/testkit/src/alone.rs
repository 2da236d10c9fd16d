//! The problem of one participant alone with the grid, assembled by hand: the equations of the model, not the market's code.

use coase_core::participant::{Contribution, Participant};
use coase_core::program::{Cost, Expr, Program, Solution, SolveError, Var};
use coase_core::setting::Setting;
use coase_core::terms::{Account, Charge, Terms};

/// What is charged on `E - Q`, with `E = sum (e_0 m+ + direct)` and `Q = fixed + sum (d_grid m+ + d_turbine g)`.
#[derive(Clone, Debug)]
pub struct CarbonRule {
    /// What a balance costs.
    pub charge: Charge,
    /// `fixed`, kg.
    pub quota_kg: f64,
    /// `d_grid`.
    pub grid_quota_kg_per_kwh: f64,
    /// `d_turbine`.
    pub turbine_quota_kg_per_kwh: f64,
}

impl CarbonRule {
    /// A price for every kilogram of `E - quota`.
    pub fn tax(price_per_tonne: f64, quota_kg: f64) -> Self {
        Self::fixed(Charge::linear(price_per_tonne / 1000.0), quota_kg)
    }

    /// A charge above a fixed quota.
    pub fn fixed(charge: Charge, quota_kg: f64) -> Self {
        Self { charge, quota_kg, grid_quota_kg_per_kwh: 0.0, turbine_quota_kg_per_kwh: 0.0 }
    }

    /// One price, quota in proportion to output.
    pub fn output_based(price_per_tonne: f64, grid: f64, turbine: f64) -> Self {
        Self { grid_quota_kg_per_kwh: grid, turbine_quota_kg_per_kwh: turbine, ..Self::tax(price_per_tonne, 0.0) }
    }

    /// Five tiers whose price rises by `growth` of the base price at every interval; a surplus sells at the base price.
    pub fn ladder(base_per_tonne: f64, interval_kg: f64, growth: f64, quota_kg: f64) -> Self {
        let breakpoints = (1..5).map(|k| f64::from(k) * interval_kg).collect();
        let slopes = (0..5).map(|k| base_per_tonne / 1000.0 * (1.0 + growth * f64::from(k))).collect();
        Self::fixed(Charge { breakpoints, slopes, cap_kg: None }, quota_kg)
    }
}

impl CarbonRule {
    /// The same as terms of a market.
    pub fn terms(&self, setting: &Setting) -> Terms {
        let import = |t| setting.intensity(t) - self.grid_quota_kg_per_kwh;
        let account = Account {
            import_kg_per_kwh: (0..setting.periods.count).map(import).collect(),
            export_kg_per_kwh: vec![],
            withdrawal_kg_per_kwh: vec![],
            injection_kg_per_kwh: vec![],
            sold_kg_per_kwh: vec![],
            bought_kg_per_kwh: vec![],
            turbine_quota_kg_per_kwh: self.turbine_quota_kg_per_kwh,
            renewable_quota_kg_per_kwh: 0.0,
            quota_kg: self.quota_kg,
            charge: self.charge.clone(),
        };
        Terms { account: Some(account), ..Terms::default() }
    }
}

/// The answer of a participant alone with the grid.
#[derive(Debug)]
pub struct Autarky {
    /// The program's answer.
    pub solution: Solution,
    /// What the participant put into the program.
    pub contribution: Contribution,
    /// Import per period, kW.
    pub import: Vec<Var>,
    /// Export per period, kW.
    pub export: Vec<Var>,
    /// All it pays: own cost, energy, carbon.
    pub total: f64,
    /// Without carbon.
    pub operating: f64,
    /// `E`, kg.
    pub emission_kg: f64,
}

impl Autarky {
    /// Value of a series of expressions.
    pub fn series(&self, expressions: &[Expr]) -> Vec<f64> {
        expressions.iter().map(|e| self.solution.value(e)).collect()
    }

    /// Imported energy over the horizon, kWh.
    pub fn import_kwh(&self, setting: &Setting) -> f64 {
        self.import.iter().map(|v| self.solution.value(*v)).sum::<f64>() * setting.periods.hours
    }
}

/// Least cost of a participant that trades with the grid alone; `limit_kw` bounds import and export.
///
/// # Errors
/// Where it cannot operate.
pub fn autarky(
    participant: &dyn Participant,
    setting: &Setting,
    limit_kw: f64,
    rule: Option<&CarbonRule>,
) -> Result<Autarky, SolveError> {
    let tariff = setting.tariff.as_ref().expect("a grid");
    let h = setting.periods.hours;
    let mut program = Program::new();
    let contribution = participant.contribute(&mut program, setting);
    program.scope("grid exchange");
    let (mut import, mut export) = (vec![], vec![]);
    let mut operating = contribution.cost.clone();
    let (mut emission, mut balance) = (Expr::default(), Expr::default());
    for t in 0..setting.periods.count {
        let (buy, sell) = (program.var(0.0, limit_kw), program.var(0.0, limit_kw));
        let output = &contribution.output[setting.energy_slot(t).expect("an energy market")];
        program.equal(output.clone().plus(h, buy).plus(-h, sell), 0.0, "power balance", Some(t));
        operating.add(h * tariff.buy_per_kwh[t], buy).add(-h * tariff.sell_per_kwh[t], sell);
        emission.add(h * tariff.intensity_kg_per_kwh[t], buy).add(1.0, &contribution.emission_kg[t]);
        if let Some(rule) = rule {
            balance.add(-h * rule.grid_quota_kg_per_kwh, buy);
            balance.add(-rule.turbine_quota_kg_per_kwh, &contribution.emitting_kwh[t]);
        }
        import.push(buy);
        export.push(sell);
    }
    let mut total = operating.clone();
    if let Some(rule) = rule {
        let balance = balance.plus(1.0, &emission).plus(-1.0, Expr::constant(rule.quota_kg));
        let (carbon, _): (Cost, _) = rule.charge.contribute(&mut program, &balance);
        total.add(1.0, &carbon.affine);
    }
    program.add_cost(&total);
    let solution = program.compile().instance().solve()?;
    Ok(Autarky {
        total: total.value(&solution.x),
        operating: operating.value(&solution.x),
        emission_kg: solution.value(&emission),
        solution,
        contribution,
        import,
        export,
    })
}
