//! One participant inside a program: its devices, its exchange with the grid, its terms. The same block serves the local
//! problem and the problem of a coalition.

use super::charged::{self, Charged, KgPrices, Kink, Rate};
use super::plan::{DevicePlan, Plan};
use super::reach::Reach;
use crate::participant::{Contribution, Participant};
use crate::program::{Cost, Expr, Program, Row, Solution, Var};
use crate::setting::{Product, Setting};
use crate::terms::{Account, Terms, at};

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
    /// Net injection per energy slot, where asked for.
    pub injection: Vec<Option<Var>>,
    /// Energy that had to be bought because a commitment could not be kept, per period; empty unless asked for.
    shortfall: Vec<Var>,
    /// Kilograms on the account, and their row.
    balance: Option<(Expr, Row)>,
    /// Where the charge on the exchange is part of one on the net withdrawal: its row, per period.
    merged: Vec<Option<Row>>,
    /// Whether some sign is a choice.
    pub chooses: bool,
}

/// What a block is built for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form<'q> {
    /// Net sales that are given, per slot: the exchange then follows from the net withdrawal, and what is charged on both is
    /// charged on one.
    pub trade: Option<&'q [f64]>,
    /// Energy that it cannot deliver or take may be made up; not together with given sales.
    pub shortfall: Option<Shortfall>,
    /// Net injections are variables of their own.
    pub injects: bool,
}

/// Money that terms and tariff ask for flows.
#[derive(Clone, Copy, Debug, Default)]
struct Bill {
    tariff: f64,
    adders: f64,
}

impl Block {
    /// Adds a participant to a program.
    pub fn build(
        program: &mut Program,
        setting: &Setting,
        member: usize,
        (participant, reach): (&dyn Participant, &Reach),
        terms: &Terms,
        form: Form<'_>,
    ) -> Self {
        let who = &setting.members[member];
        let hours = setting.periods.hours;
        program.scope(&who.id);
        let contribution = participant.contribute(program, setting);
        program.add_cost(&contribution.cost);
        program.scope(&who.id);

        let connected = setting.tariff.is_some();
        let most = |kw: f64| if connected { kw * hours } else { 0.0 };
        let (import_max, export_max) = (most(who.import_max_kw), most(who.export_max_kw));
        let exchange: Vec<Var> = (0..setting.periods.count).map(|_| program.var(-export_max, import_max)).collect();

        let mut made_up = vec![];
        let mut penalty = Cost::default();
        let (mut trade, mut balance_rows) = (vec![], vec![]);
        for (k, slot) in setting.slots.iter().enumerate() {
            let mut offered = contribution.output[k].clone();
            if slot.product == Product::Energy {
                offered.add(1.0, exchange[slot.period]);
                if let Some(Shortfall { price_per_kwh, committed_kwh }) = form.shortfall {
                    let (low, high) = program.range(&offered);
                    let rating = who.rating.demand_kw.max(who.rating.supply_kw) * hours;
                    let most = (high - low).max(1.0) + rating.max(committed_kwh);
                    let (bought, dumped) = (program.var(0.0, most), program.var(0.0, most));
                    offered.add(1.0, bought).add(-1.0, dumped);
                    penalty.add(price_per_kwh, bought).add(price_per_kwh, dumped);
                    made_up.extend([bought, dumped]);
                }
            }
            let (low, high) = form.trade.map_or_else(
                || tradable(setting, member, slot.product, program.range(&offered)),
                |trade| (trade[k], trade[k]),
            );
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
            injection: vec![],
            shortfall: made_up,
            balance: None,
            merged: vec![],
            chooses: false,
        };
        let (mut money, kg) =
            block.charge(program, setting, terms, form.trade, |k| reach.withdrawal(setting, participant, k));
        for (k, trade) in block.trade.iter().enumerate() {
            money.add(-at(&terms.trade_adder, k), *trade);
        }
        for kg in &block.contribution.emission_kg {
            money.add(terms.direct_price_per_kg, kg);
        }
        let mut cost = Cost::default();
        cost.add(1.0, &money);
        program.add_cost(&cost);
        if let Some(account) = &terms.account {
            let mut balance = block.balance(account, kg);
            block.count_trade(program, setting, account, &mut balance);
            let (charge, row) = account.charge.contribute(program, &balance);
            program.add_cost(&charge);
            block.balance = Some((balance, row));
        }
        block.limit(program, setting, terms);
        if form.injects {
            let slots = setting.slots.iter().zip(&block.contribution.output);
            let injected = slots.map(|(slot, output)| {
                let is_energy = slot.product == Product::Energy;
                is_energy.then(|| program.alias(output.clone(), "net injection", Some(slot.period)))
            });
            block.injection = injected.collect();
        }
        block
    }

    /// Net physical output in a slot.
    pub fn output(&self, slot: usize) -> &Expr {
        &self.contribution.output[slot]
    }

    /// Net sales per slot at a solution.
    pub fn sales(&self, solution: &Solution) -> Vec<f64> {
        self.trade.iter().map(|v| clean(solution.x[v.index()])).collect()
    }

    /// Balance of its carbon account, kg; zero without one.
    pub fn account_balance(&self) -> Expr {
        self.balance.as_ref().map_or_else(Expr::default, |(balance, _)| balance.clone())
    }

    /// What the participant does and pays at a solution, under the terms the block was built with. Nobody imports and exports
    /// at once: a meter sees the difference, and where both would cost the same a solver may leave any.
    pub fn plan(&self, setting: &Setting, terms: &Terms, shortfall_price: f64, solution: &Solution) -> Plan {
        let all = |exprs: &[Expr]| exprs.iter().map(|e| clean(solution.value(e))).collect::<Vec<_>>();
        let vars = |vars: &[Var]| vars.iter().map(|v| clean(solution.x[v.index()])).collect::<Vec<_>>();
        let periods = setting.periods.count;
        let resource_cost = self.contribution.cost.value(&solution.x);
        let missing = vars(&self.shortfall);
        let shortfall_kwh: Vec<f64> = missing.chunks(2).map(|pair| pair.iter().sum()).collect();
        let shortfall_cost = shortfall_price * shortfall_kwh.iter().sum::<f64>();
        let exchange = vars(&self.exchange);
        let devices = self
            .contribution
            .devices
            .iter()
            .map(|d| DevicePlan {
                kind: d.kind,
                role: d.role,
                power_kw: all(&d.power_kw),
                stored_kwh: all(&d.stored_kwh),
                available_kw: d.available_kw.clone(),
                desired_kw: d.desired_kw.clone(),
                store: d.store,
                discomfort: all(&d.discomfort),
                device: d.device.clone(),
            })
            .collect();
        let mut plan = Plan {
            trade: self.sales(solution),
            output: all(&self.contribution.output),
            import_kwh: exchange.iter().map(|e| e.max(0.0)).collect(),
            export_kwh: exchange.iter().map(|e| (-e).max(0.0)).collect(),
            emission_kg: series(&self.contribution.emission_kg, periods, solution),
            emitting_kwh: series(&self.contribution.emitting_kwh, periods, solution),
            shortfall_kwh,
            shortfall_cost,
            resource_cost,
            devices,
            gap: solution.certificate.gap,
            programs: solution.nodes,
            choices_gap: if solution.settled { 0.0 } else { solution.certificate.gap },
            ..Plan::default()
        };
        let bill = bill(setting, terms, &plan);
        let balance_kg = terms.account.as_ref().map(|account| balance_kg(setting, account, &plan));
        plan.carbon_charge = match (&terms.account, balance_kg) {
            (Some(account), Some(balance)) => account.charge.value(balance),
            _ => 0.0,
        };
        (plan.tariff_cost, plan.adder_cost, plan.balance_kg) = (bill.tariff, bill.adders, balance_kg);
        plan.kg_price = self.kg_price(terms, balance_kg, solution);
        plan.cost = resource_cost + bill.tariff + bill.adders + plan.carbon_charge + shortfall_cost;
        plan.marginal_cost = self.marginal_cost(setting, terms, &plan, solution);
        plan
    }

    /// What the last kg on the account is worth to its owner: between two tiers whatever its own problem makes it.
    fn kg_price(&self, terms: &Terms, balance_kg: Option<f64>, solution: &Solution) -> Option<f64> {
        let (account, balance_kg, (_, row)) = (terms.account.as_ref()?, balance_kg?, self.balance.as_ref()?);
        let (low, high) = account.charge.slopes_at(balance_kg);
        Some((-solution.dual(*row)).clamp(low, high))
    }

    /// What one more unit sold per slot costs: the dual of its balance; where the exchange is charged with the net
    /// withdrawal, the exchange's part of the dual of that.
    fn marginal_cost(&self, setting: &Setting, terms: &Terms, plan: &Plan, solution: &Solution) -> Vec<f64> {
        let kg_price = plan.kg_price.unwrap_or(0.0);
        let own = |k: usize| {
            let slot = setting.slots[k];
            let t = slot.period;
            let dual = solution.dual(self.balance_rows[k]);
            let Some(row) = self.merged.get(t).copied().flatten().filter(|_| slot.product == Product::Energy) else {
                return dual;
            };
            let (tariff, withdrawal) = (tariff_kink(setting, terms, t, 0.0), withdrawal_kink(terms, t));
            let sides = [tariff.below, tariff.above].map(|rate| rate.at(kg_price));
            let (low, high) = (sides[0].min(sides[1]), sides[0].max(sides[1]));
            match plan.net_exchange_kwh(t) {
                e if e > 0.0 => sides[1],
                e if e < 0.0 => sides[0],
                _ => (-solution.dual(row) - withdrawal.rate(-plan.output[k]).at(kg_price)).clamp(low, high),
            }
        };
        (0..setting.slots.len()).map(own).collect()
    }

    /// Charges of the tariff and the terms on flows: money, and kilograms on the account.
    fn charge(
        &mut self,
        program: &mut Program,
        setting: &Setting,
        terms: &Terms,
        given: Option<&[f64]>,
        exact: impl Fn(usize) -> (f64, f64),
    ) -> (Expr, Expr) {
        let kg_prices = KgPrices::of(terms.account.as_ref());
        let (mut money, mut kg) = (Expr::default(), Expr::default());
        let mut merged = vec![None; setting.periods.count];
        let mut take = |charged: &Charged| {
            money.add(1.0, &charged.money);
            kg.add(1.0, &charged.kg);
            self.chooses |= charged.chooses;
        };
        for t in 0..setting.periods.count {
            let energy = setting.energy_slot(t);
            let withdrawal = withdrawal_kink(terms, t);
            let drawn = energy.map(|k| self.contribution.output[k].clone().times(-1.0));
            let (least, most) = program.bounds(self.exchange[t]);
            if let (Some(given), Some(k), Some(drawn)) = (given, energy, &drawn) {
                // What is exported to the grid is what is fed in beyond what peers take.
                let sold = given[k];
                let (low, high) = program.range(drawn);
                let within = |(low, high): (f64, f64)| {
                    let (cut_low, cut_high) = (low.max(least - sold), high.min(most - sold));
                    // Where nothing is left the balance cannot hold, and its row says so.
                    if cut_low <= cut_high { (cut_low, cut_high) } else { (low, high) }
                };
                let kinks = [withdrawal, tariff_kink(setting, terms, t, sold)];
                let exact = || within(exact(k));
                let here = ("net withdrawal", t);
                let charged = charged::charge(program, drawn, &kinks, within((low, high)), exact, kg_prices, here);
                merged[t] = charged.row;
                take(&charged);
                continue;
            }
            let tariff = tariff_kink(setting, terms, t, 0.0);
            let (exchange, range) = (Expr::from(self.exchange[t]), (least, most));
            let here = ("grid exchange", t);
            take(&charged::charge(program, &exchange, &[tariff], range, || range, kg_prices, here));
            if let (Some(k), Some(drawn)) = (energy, &drawn) {
                let (range, here) = (program.range(drawn), ("net withdrawal", t));
                take(&charged::charge(program, drawn, &[withdrawal], range, || exact(k), kg_prices, here));
            }
        }
        self.merged = if given.is_some() { merged } else { vec![] };
        (money, kg)
    }

    /// Kilograms on the account, of which flows bring so many.
    fn balance(&self, account: &Account, of_flows: Expr) -> Expr {
        let mut balance = Expr::constant(-account.quota_kg).plus(1.0, of_flows);
        for kg in &self.contribution.emission_kg {
            balance.add(1.0, kg);
        }
        for kwh in &self.contribution.emitting_kwh {
            balance.add(-account.turbine_quota_kg_per_kwh, kwh);
        }
        balance
    }

    /// Puts the kilograms of net sales and of renewable energy into the balance. Where a kg costs nothing the program may sell
    /// and buy at once; a plan counts the difference.
    fn count_trade(&self, program: &mut Program, setting: &Setting, account: &Account, balance: &mut Expr) {
        for (k, slot) in setting.slots.iter().enumerate().filter(|(_, s)| s.product == Product::Energy) {
            let of_sold = at(&account.sold_kg_per_kwh, slot.period);
            let of_bought = at(&account.bought_kg_per_kwh, slot.period);
            if of_sold == 0.0 && of_bought == 0.0 {
                continue;
            }
            let (low, high) = program.bounds(self.trade[k]);
            let (sold, bought) = (program.var(0.0, high.max(0.0)), program.var(0.0, (-low).max(0.0)));
            let parts = Expr::from(self.trade[k]).plus(-1.0, sold).plus(1.0, bought);
            program.equal(parts, 0.0, "net sale", Some(slot.period));
            balance.add(of_sold, sold).add(of_bought, bought);
        }
        if account.renewable_quota_kg_per_kwh != 0.0 {
            let rate = account.renewable_quota_kg_per_kwh * setting.periods.hours;
            let renewable = self.contribution.devices.iter().filter(|d| !d.available_kw.is_empty());
            for power_kw in renewable.flat_map(|d| &d.power_kw) {
                balance.add(-rate, power_kw);
            }
        }
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

/// Within which net sales a member can be at all in a slot: those that it can deliver or use, and that its limit on trade with
/// peers allows. Where it can do nothing within that limit its balance cannot hold, and the row of that says so.
fn tradable(setting: &Setting, member: usize, product: Product, (low, high): (f64, f64)) -> (f64, f64) {
    if product != Product::Energy {
        return (low, high);
    }
    (setting.within_peer_limit(member, low), setting.within_peer_limit(member, high))
}

/// What is charged on the exchange with the grid, as a charge on the net withdrawal where so much is sold to peers.
fn tariff_kink(setting: &Setting, terms: &Terms, period: usize, sold: f64) -> Kink {
    let (buy, sell) = match &setting.tariff {
        Some(tariff) => (tariff.buy_per_kwh[period], tariff.sell_per_kwh[period]),
        None => (0.0, 0.0),
    };
    let (import_kg, export_kg) = match &terms.account {
        Some(a) => (at(&a.import_kg_per_kwh, period), at(&a.export_kg_per_kwh, period)),
        None => (0.0, 0.0),
    };
    Kink {
        at: -sold,
        below: Rate { money: sell + at(&terms.export_adder, period), kg: -export_kg },
        above: Rate { money: buy + at(&terms.import_adder, period), kg: import_kg },
    }
}

/// What a kWh given to the grid instead of to a peer brings, and what one taken from it costs, with a kg at this price; what a
/// trade moves on the account counts with it.
pub(super) fn outside(setting: &Setting, terms: &Terms, period: usize, price_per_kg: f64) -> (f64, f64) {
    let kink = tariff_kink(setting, terms, period, 0.0);
    let (sold, bought) = match &terms.account {
        Some(a) => (at(&a.sold_kg_per_kwh, period), at(&a.bought_kg_per_kwh, period)),
        None => (0.0, 0.0),
    };
    (kink.below.at(price_per_kg) + price_per_kg * sold, kink.above.at(price_per_kg) - price_per_kg * bought)
}

/// What is charged on the net physical withdrawal.
fn withdrawal_kink(terms: &Terms, period: usize) -> Kink {
    let (drawn_kg, fed_kg) = match &terms.account {
        Some(a) => (at(&a.withdrawal_kg_per_kwh, period), at(&a.injection_kg_per_kwh, period)),
        None => (0.0, 0.0),
    };
    Kink {
        at: 0.0,
        below: Rate { money: -at(&terms.injection_adder, period), kg: -fed_kg },
        above: Rate { money: at(&terms.withdrawal_adder, period), kg: drawn_kg },
    }
}

/// Money for the flows of a schedule.
fn bill(setting: &Setting, terms: &Terms, plan: &Plan) -> Bill {
    let mut bill = Bill::default();
    for t in 0..setting.periods.count {
        let (import, export) = (plan.import_kwh[t], plan.export_kwh[t]);
        if let Some(tariff) = &setting.tariff {
            bill.tariff += tariff.buy_per_kwh[t] * import - tariff.sell_per_kwh[t] * export;
        }
        bill.adders += at(&terms.import_adder, t) * import - at(&terms.export_adder, t) * export;
        if let Some(k) = setting.energy_slot(t) {
            let (drawn, fed) = ((-plan.output[k]).max(0.0), plan.output[k].max(0.0));
            bill.adders += at(&terms.withdrawal_adder, t) * drawn + at(&terms.injection_adder, t) * fed;
            bill.adders -= at(&terms.trade_adder, k) * plan.trade[k];
        }
        bill.adders += terms.direct_price_per_kg * plan.emission_kg[t];
    }
    for (k, _) in setting.slots.iter().enumerate().filter(|(_, s)| s.product != Product::Energy) {
        bill.adders -= at(&terms.trade_adder, k) * plan.trade[k];
    }
    bill
}

/// Kilograms on an account at a schedule.
fn balance_kg(setting: &Setting, account: &Account, plan: &Plan) -> f64 {
    let mut kg = -account.quota_kg;
    for t in 0..setting.periods.count {
        kg += at(&account.import_kg_per_kwh, t) * plan.import_kwh[t];
        kg += at(&account.export_kg_per_kwh, t) * plan.export_kwh[t];
        if let Some(k) = setting.energy_slot(t) {
            kg += at(&account.withdrawal_kg_per_kwh, t) * (-plan.output[k]).max(0.0);
            kg += at(&account.injection_kg_per_kwh, t) * plan.output[k].max(0.0);
            kg += at(&account.sold_kg_per_kwh, t) * plan.trade[k].max(0.0);
            kg += at(&account.bought_kg_per_kwh, t) * (-plan.trade[k]).max(0.0);
        }
        if account.renewable_quota_kg_per_kwh != 0.0 {
            kg -= account.renewable_quota_kg_per_kwh * plan.renewable_kwh(setting.periods.hours, t);
        }
        kg += plan.emission_kg[t] - account.turbine_quota_kg_per_kwh * plan.emitting_kwh[t];
    }
    kg
}

fn series(exprs: &[Expr], periods: usize, solution: &Solution) -> Vec<f64> {
    (0..periods).map(|t| exprs.get(t).map_or(0.0, |e| clean(solution.value(e)))).collect()
}

/// A solver's rounding is not a quantity: below a billionth of a unit is zero.
fn clean(value: f64) -> f64 {
    if value.abs() < 1e-9 { 0.0 } else { value }
}
