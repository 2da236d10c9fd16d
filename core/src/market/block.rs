//! One participant inside a program: its devices, its exchange with the grid, its terms. The same block serves the local
//! problem and the problem of a coalition.

use super::plan::{DevicePlan, Plan};
use crate::participant::{Contribution, Participant};
use crate::program::{Cost, Expr, Program, Row, Solution, Var};
use crate::setting::{Product, Setting};
use crate::terms::{Account, Terms, at};

/// Relative difference of two prices that are one but for rounding: a choice between them would be settled by noise.
const SAME_PRICE: f64 = 1e-9;

/// How what cannot be kept is made up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shortfall {
    /// At which price.
    pub price_per_kwh: f64,
    /// The greatest commitment of a period: whatever was committed can be made up.
    pub committed_kwh: f64,
}

/// Where one participant's quantities are in a program.
#[derive(Debug)]
pub(super) struct Block {
    contribution: Contribution,
    /// Net sale per slot.
    pub trade: Vec<Var>,
    balance_rows: Vec<Row>,
    /// Grid import minus export per period, kWh.
    pub exchange: Vec<Var>,
    import: Vec<Var>,
    export: Vec<Var>,
    /// Energy that had to be bought because a commitment could not be kept, per period; empty unless asked for.
    shortfall: Vec<Var>,
    tariff: Expr,
    adders: Expr,
    balance: Option<(Expr, Row)>,
}

impl Block {
    /// Adds a participant to a program. With a shortfall, energy that it cannot deliver or take may be made up at a price.
    pub fn build(
        program: &mut Program,
        setting: &Setting,
        member: usize,
        participant: &dyn Participant,
        terms: &Terms,
        shortfall: Option<Shortfall>,
    ) -> Self {
        let who = &setting.members[member];
        let hours = setting.periods.hours;
        program.scope(&who.id);
        let contribution = participant.contribute(program, setting);
        program.add_cost(&contribution.cost);
        program.scope(&who.id);

        let connected = setting.tariff.is_some();
        let reach = |kw: f64| if connected { kw * hours } else { 0.0 };
        let periods = setting.periods.count;
        let import: Vec<Var> = (0..periods).map(|_| program.var(0.0, reach(who.import_max_kw))).collect();
        let export: Vec<Var> = (0..periods).map(|_| program.var(0.0, reach(who.export_max_kw))).collect();
        let exchange: Vec<Var> = (0..periods)
            .map(|t| {
                program.exclusive(import[t], export[t]);
                program.alias(Expr::from(import[t]).plus(-1.0, export[t]), "grid exchange", Some(t))
            })
            .collect();

        let mut made_up = vec![];
        let mut penalty = Cost::default();
        let (mut trade, mut balance_rows) = (vec![], vec![]);
        for (k, slot) in setting.slots.iter().enumerate() {
            let mut offered = contribution.output[k].clone();
            if slot.product == Product::Energy {
                offered.add(1.0, exchange[slot.period]);
                if let Some(Shortfall { price_per_kwh, committed_kwh }) = shortfall {
                    let (low, high) = program.range(&offered);
                    let rating = who.rating.demand_kw.max(who.rating.supply_kw) * hours;
                    let most = (high - low).max(1.0) + rating.max(committed_kwh);
                    let (bought, dumped) = (program.var(0.0, most), program.var(0.0, most));
                    offered.add(1.0, bought).add(-1.0, dumped);
                    penalty.add(price_per_kwh, bought).add(price_per_kwh, dumped);
                    made_up.extend([bought, dumped]);
                }
            }
            let (low, high) = program.range(&offered);
            let sale = program.var(low, high);
            balance_rows.push(program.equal(offered.plus(-1.0, sale), 0.0, "energy balance", Some(slot.period)));
            trade.push(sale);
        }
        program.add_cost(&penalty);

        let mut block = Self {
            contribution,
            trade,
            balance_rows,
            exchange,
            import,
            export,
            shortfall: made_up,
            tariff: Expr::default(),
            adders: Expr::default(),
            balance: None,
        };
        block.tariff = block.tariff_bill(setting);
        let withdrawal = block.net_withdrawal(program, setting, terms);
        block.adders = block.terms_bill(setting, terms, &withdrawal);
        let mut money = Cost::default();
        money.add(1.0, &block.tariff).add(1.0, &block.adders);
        program.add_cost(&money);
        if let Some(account) = &terms.account {
            let balance = block.balance(setting, account, &withdrawal);
            let (charge, row) = account.charge.contribute(program, &balance);
            program.add_cost(&charge);
            block.balance = Some((balance, row));
        }
        block.limit(program, setting, terms);
        block
    }

    /// Net physical output in a slot.
    pub fn output(&self, slot: usize) -> &Expr {
        &self.contribution.output[slot]
    }

    /// Balance of its carbon account, kg; zero without one.
    pub fn account_balance(&self) -> Expr {
        self.balance.as_ref().map_or_else(Expr::default, |(balance, _)| balance.clone())
    }

    /// What the participant does and pays at a solution, under the terms the block was built with.
    pub fn plan(&self, setting: &Setting, terms: &Terms, shortfall_price: f64, solution: &Solution) -> Plan {
        let all = |exprs: &[Expr]| exprs.iter().map(|e| clean(solution.value(e))).collect::<Vec<_>>();
        let vars = |vars: &[Var]| vars.iter().map(|v| clean(solution.x[v.index()])).collect::<Vec<_>>();
        let resource_cost = self.contribution.cost.value(&solution.x);
        let tariff_cost = solution.value(&self.tariff);
        let adder_cost = solution.value(&self.adders);
        let balance_kg = self.balance.as_ref().map(|(b, _)| solution.value(b));
        let carbon_charge = match (&terms.account, balance_kg) {
            (Some(account), Some(balance)) => account.charge.value(balance),
            _ => 0.0,
        };
        let missing = vars(&self.shortfall);
        let shortfall_kwh: Vec<f64> = missing.chunks(2).map(|pair| pair.iter().sum()).collect();
        let shortfall_cost = shortfall_price * shortfall_kwh.iter().sum::<f64>();
        let devices = self
            .contribution
            .devices
            .iter()
            .map(|d| DevicePlan {
                kind: d.kind,
                power_kw: all(&d.power_kw),
                stored_kwh: all(&d.stored_kwh),
                available_kw: d.available_kw.clone(),
                desired_kw: d.desired_kw.clone(),
                store: d.store,
                discomfort: all(&d.discomfort),
                fleet: d.fleet.clone(),
            })
            .collect();
        Plan {
            trade: vars(&self.trade),
            output: all(&self.contribution.output),
            import_kwh: vars(&self.import),
            export_kwh: vars(&self.export),
            emission_kg: series(&self.contribution.emission_kg, setting.periods.count, solution),
            emitting_kwh: series(&self.contribution.emitting_kwh, setting.periods.count, solution),
            shortfall_kwh,
            shortfall_cost,
            resource_cost,
            tariff_cost,
            adder_cost,
            carbon_charge,
            balance_kg,
            kg_price: self.kg_price(terms, solution),
            cost: resource_cost + tariff_cost + adder_cost + carbon_charge + shortfall_cost,
            marginal_cost: self.balance_rows.iter().map(|row| solution.dual(*row)).collect(),
            devices,
            gap: solution.certificate.gap,
            arbitrary: false,
        }
    }

    /// What the last kg on the account is worth to its owner: between two tiers whatever its own problem makes it.
    fn kg_price(&self, terms: &Terms, solution: &Solution) -> Option<f64> {
        let (account, (balance, row)) = (terms.account.as_ref()?, self.balance.as_ref()?);
        let (low, high) = account.charge.slopes_at(solution.value(balance));
        Some((-solution.dual(*row)).clamp(low, high))
    }

    fn tariff_bill(&self, setting: &Setting) -> Expr {
        let mut bill = Expr::default();
        if let Some(tariff) = &setting.tariff {
            for t in 0..setting.periods.count {
                bill.add(tariff.buy_per_kwh[t], self.import[t]).add(-tariff.sell_per_kwh[t], self.export[t]);
            }
        }
        bill
    }

    /// Positive and negative part of the net physical withdrawal per period, where the terms price them. Where both have
    /// the same price the whole is its positive part: there is nothing to choose.
    fn net_withdrawal(&self, program: &mut Program, setting: &Setting, terms: &Terms) -> Vec<(Expr, Expr)> {
        let none: &[f64] = &[];
        let account = terms.account.as_ref();
        let prices = [
            (&terms.withdrawal_adder[..], &terms.injection_adder[..]),
            account.map_or((none, none), |a| (&a.withdrawal_kg_per_kwh, &a.injection_kg_per_kwh)),
        ];
        if prices.iter().all(|(drawn, fed)| drawn.iter().chain(*fed).all(|x| *x == 0.0)) {
            return vec![];
        }
        self.outputs(setting)
            .map(|(t, output)| {
                let same = |a: f64, b: f64| (a - b).abs() <= SAME_PRICE * (a.abs() + b.abs());
                if prices.iter().all(|(drawn, fed)| same(at(drawn, t), -at(fed, t))) {
                    let whole = program.alias(output.clone().times(-1.0), "net withdrawal", Some(t));
                    return (whole.into(), Expr::default());
                }
                let (low, high) = program.range(output);
                let (drawn, fed) = (program.var(0.0, (-low).max(0.0)), program.var(0.0, high.max(0.0)));
                program.exclusive(drawn, fed);
                program.equal(output.clone().plus(1.0, drawn).plus(-1.0, fed), 0.0, "net withdrawal", Some(t));
                (drawn.into(), fed.into())
            })
            .collect()
    }

    fn terms_bill(&self, setting: &Setting, terms: &Terms, withdrawal: &[(Expr, Expr)]) -> Expr {
        let mut bill = Expr::default();
        for t in 0..setting.periods.count {
            bill.add(at(&terms.import_adder, t), self.import[t]).add(-at(&terms.export_adder, t), self.export[t]);
            if let Some((drawn, fed)) = withdrawal.get(t) {
                bill.add(at(&terms.withdrawal_adder, t), drawn).add(at(&terms.injection_adder, t), fed);
            }
        }
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, s)| s.product == Product::Energy) {
            bill.add(-at(&terms.trade_adder, slot.period), self.trade[k]);
        }
        for kg in &self.contribution.emission_kg {
            bill.add(terms.direct_price_per_kg, kg);
        }
        bill
    }

    fn balance(&self, setting: &Setting, account: &Account, withdrawal: &[(Expr, Expr)]) -> Expr {
        let mut balance = Expr::constant(-account.quota_kg);
        for t in 0..setting.periods.count {
            balance.add(at(&account.import_kg_per_kwh, t), self.import[t]);
            balance.add(at(&account.export_kg_per_kwh, t), self.export[t]);
            if let Some((drawn, fed)) = withdrawal.get(t) {
                balance.add(at(&account.withdrawal_kg_per_kwh, t), drawn);
                balance.add(at(&account.injection_kg_per_kwh, t), fed);
            }
        }
        for kg in &self.contribution.emission_kg {
            balance.add(1.0, kg);
        }
        for kwh in &self.contribution.emitting_kwh {
            balance.add(-account.turbine_quota_kg_per_kwh, kwh);
        }
        balance
    }

    fn limit(&self, program: &mut Program, setting: &Setting, terms: &Terms) {
        let hours = setting.periods.hours;
        for (t, output) in self.outputs(setting) {
            if let Some(limits) = &terms.limits {
                let (low, high) = (limits.injection_min_kw[t] * hours, limits.injection_max_kw[t] * hours);
                program.within(output.clone(), low, high, "injection limit", Some(t));
            }
            if let Some(anchor) = &terms.anchor {
                let withdrawn = program.alias(output.clone().times(-1.0), "net withdrawal", Some(t));
                let (weight, centre) = (anchor.weight[t], anchor.centre_kwh[t]);
                let mut cost = Cost::default();
                cost.add_square(0.5 * weight, withdrawn).add(-weight * centre, withdrawn);
                cost.affine.constant += 0.5 * weight * centre * centre;
                program.add_cost(&cost);
            }
        }
    }

    /// Net output of the energy slots, with their periods.
    fn outputs<'a>(&'a self, setting: &'a Setting) -> impl Iterator<Item = (usize, &'a Expr)> {
        let slots = setting.slots.iter().zip(&self.contribution.output);
        slots.filter(|(s, _)| s.product == Product::Energy).map(|(s, e)| (s.period, e))
    }
}

fn series(exprs: &[Expr], periods: usize, solution: &Solution) -> Vec<f64> {
    (0..periods).map(|t| exprs.get(t).map_or(0.0, |e| clean(solution.value(e)))).collect()
}

/// A solver's rounding is not a quantity: below a billionth of a unit is zero.
fn clean(value: f64) -> f64 {
    if value.abs() < 1e-9 { 0.0 } else { value }
}
