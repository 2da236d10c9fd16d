//! Day-ahead programs of virtual power plants, written against the public builder: shared by tests and benchmarks.

use coase_core::program::{Cost, Expr, Program, Row, Template, Var};

/// Periods of the day.
pub const HOURS: usize = 24;

// Load shapes (percent of peak) of the IEEE Reliability Test System: winter, summer and spring weekdays.
const WINTER: [f64; 24] = [
    67., 63., 60., 59., 59., 60., 74., 86., 95., 96., 96., 95., 95., 95., 93., 94., 99., 100., 100., 96., 91., 83.,
    73., 63.,
];
const SUMMER: [f64; 24] = [
    64., 60., 58., 56., 56., 58., 64., 76., 87., 95., 99., 100., 99., 100., 100., 97., 96., 96., 93., 92., 92., 93.,
    87., 72.,
];
const SPRING: [f64; 24] = [
    63., 62., 60., 58., 59., 65., 72., 85., 95., 99., 100., 99., 93., 92., 90., 88., 90., 92., 96., 98., 96., 90., 80.,
    70.,
];
const SUN: [f64; 24] = [
    0., 0., 0., 0., 0., 0.02, 0.10, 0.25, 0.43, 0.60, 0.74, 0.83, 0.86, 0.83, 0.74, 0.60, 0.43, 0.25, 0.10, 0.02, 0.,
    0., 0., 0.,
];
const WIND: [f64; 24] = [
    0.62, 0.64, 0.66, 0.67, 0.66, 0.63, 0.58, 0.52, 0.45, 0.40, 0.36, 0.33, 0.31, 0.30, 0.31, 0.34, 0.38, 0.43, 0.48,
    0.52, 0.55, 0.58, 0.60, 0.61,
];

/// Time-of-use tariff T-A, per kWh.
pub fn tariff(t: usize) -> f64 {
    match t {
        0..=4 | 23 => 0.385,
        5 | 6 | 16 | 17 | 21 | 22 => 0.754,
        _ => 1.02,
    }
}

/// A small generator of uniform numbers (splitmix64), so that benchmarks need no other crate.
pub struct Draw(pub u64);

impl Draw {
    /// Between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between two numbers.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

/// What distorts an ordinary day; everything is off by default.
#[derive(Clone, Copy, Debug)]
pub struct Twist {
    /// Powers and energies are counted in kW times this.
    pub power: f64,
    /// Money is counted in yuan times this.
    pub money: f64,
    /// Cost of everything that is not bought, sold or burnt: 1 as it is, 0 free.
    pub wear: f64,
    /// Midday tariff (buying and selling nearly alike) is lowered by this, per kWh.
    pub midday_discount: f64,
    /// Exchange and trade limits, kW.
    pub limit_kw: f64,
    /// Factor on every device curvature.
    pub curvature: f64,
    /// Paid for renewable energy that is used, per kWh.
    pub renewable_reward: f64,
    /// Weight of the trade's square.
    pub trade_weight: f64,
    /// Trades of the second half of the day are fixed at zero.
    pub pinned: bool,
    /// Ladder on emissions: quota and interval in tonnes, base price per tonne.
    pub ladder: Option<(f64, f64, f64)>,
    /// Ranges of some devices shrink to this fraction.
    pub narrow: f64,
}

impl Default for Twist {
    fn default() -> Self {
        Self {
            power: 1.0,
            money: 1.0,
            wear: 1.0,
            midday_discount: 0.0,
            limit_kw: 3000.0,
            curvature: 1.0,
            renewable_reward: 0.0,
            trade_weight: 1e-3,
            pinned: false,
            ladder: None,
            narrow: 1.0,
        }
    }
}

impl Twist {
    /// Days that are degenerate, badly scaled or both, by what they are.
    pub fn all() -> Vec<(&'static str, Self)> {
        let plain = Twist::default();
        vec![
            ("plain", plain),
            ("free devices", Twist { wear: 0.0, ..plain }),
            ("negative prices", Twist { midday_discount: 1.2, ..plain }),
            ("loose limits", Twist { limit_kw: 1e6, ..plain }),
            ("narrow ranges", Twist { narrow: 1e-5, ..plain }),
            ("ladder", Twist { ladder: Some((10.0, 2.0, 280.0)), ..plain }),
            ("steep ladder", Twist { ladder: Some((25.0, 0.5, 250.0)), ..plain }),
            ("hardly curved", Twist { curvature: 1e-6, ..plain }),
            ("strongly curved", Twist { curvature: 1e4, ..plain }),
            ("rewarded renewables", Twist { renewable_reward: 0.65, ..plain }),
            ("pinned trades", Twist { pinned: true, ..plain }),
            ("megawatts", Twist { power: 1e-3, ..plain }),
            ("watts", Twist { power: 1e3, ..plain }),
            ("cents", Twist { money: 100.0, ..plain }),
            ("thousands of yuan", Twist { money: 1e-3, ..plain }),
        ]
    }
}

/// A virtual power plant inside a program.
pub struct Vpp {
    /// Sale to others, kW.
    pub trade: Vec<Var>,
    /// From the grid, kW.
    pub import: Vec<Var>,
    /// To the grid, kW.
    pub export: Vec<Var>,
    /// The balance of power of each hour.
    pub balance: Vec<Row>,
}

/// Device-by-device writer of one plant.
struct Writer<'a> {
    program: &'a mut Program,
    twist: Twist,
    net: Vec<Expr>,
    emission: Expr,
}

impl Writer<'_> {
    fn var(&mut self, lower_kw: f64, upper_kw: f64) -> Var {
        self.program.var(lower_kw * self.twist.power, upper_kw * self.twist.power)
    }

    /// Adds `slope` per kWh and `square` per kW^2 to the cost of a variable.
    fn cost(&mut self, v: Var, slope: f64, square: f64) {
        let (power, money) = (self.twist.power, self.twist.money);
        let mut cost = Cost::default();
        cost.add(slope * money / power, v);
        if square > 0.0 {
            cost.add_square(square * money / (power * power), v);
        }
        self.program.add_cost(&cost);
    }

    fn source(&mut self, t: usize, most_kw: f64, slope: f64) -> Var {
        let v = self.var(0.0, most_kw);
        self.cost(v, slope, 0.0);
        self.net[t].add(1.0, v);
        v
    }

    fn sink(&mut self, t: usize, most_kw: f64, slope: f64) -> Var {
        let v = self.var(0.0, most_kw);
        self.cost(v, slope, 0.0);
        self.net[t].add(-1.0, v);
        v
    }

    fn turbine(&mut self, least_kw: f64, most_kw: f64, slope: f64, square: f64, ramp_kw: f64, intensity: f64) {
        let mut before: Option<Var> = None;
        for t in 0..HOURS {
            let g = self.var(least_kw, most_kw);
            self.cost(g, slope, square * self.twist.curvature);
            self.net[t].add(1.0, g);
            self.emission.add(intensity / self.twist.power, g);
            if let Some(before) = before {
                let ramp = ramp_kw * self.twist.power;
                self.program.within(Expr::from(g).plus(-1.0, before), -ramp, ramp, "ramp", Some(t));
            }
            before = Some(g);
        }
    }

    fn storage(&mut self, capacity_kwh: f64, power_kw: f64, efficiency: f64, retention: f64, slope: f64) {
        let start = 0.5 * capacity_kwh * self.twist.power;
        let mut level = Expr::constant(start);
        for t in 0..HOURS {
            let charge = self.sink(t, power_kw, slope);
            let discharge = self.source(t, power_kw, slope);
            let (low, high) = if t + 1 == HOURS { (0.5, 0.5) } else { (0.1, 0.9) };
            let next = self.var(low * capacity_kwh, high * capacity_kwh);
            let flow = level.times(retention).plus(efficiency, charge).plus(-1.0 / efficiency, discharge);
            self.program.equal(flow.plus(-1.0, next), 0.0, "stored energy", Some(t));
            level = Expr::from(next);
        }
    }

    fn interruptible(&mut self, load: &[f64], share: f64, slope: f64, square: f64) {
        for t in 0..HOURS {
            let v = self.source(t, share * load[t] * self.twist.narrow, slope);
            self.cost(v, 0.0, square * self.twist.curvature);
        }
    }

    fn shiftable(&mut self, load: &[f64], share: f64, slope: f64) {
        let mut sum = Expr::default();
        for t in 0..HOURS {
            let up = self.sink(t, share * load[t], slope);
            let down = self.source(t, share * load[t], slope);
            sum.add(1.0, up).add(-1.0, down);
        }
        self.program.equal(sum, 0.0, "shifted energy", None);
    }

    /// Cumulative energy between two envelopes of randomly drawn vehicles.
    fn vehicles(&mut self, draw: &mut Draw, count: usize, arrival: usize, departure: usize) {
        let (mut low, mut high) = (vec![0.0; HOURS + 1], vec![0.0; HOURS + 1]);
        let mut connected = [0.0; HOURS];
        for _ in 0..count {
            let a = arrival + (draw.unit() * 3.0) as usize;
            let d = (departure - (draw.unit() * 3.0) as usize).max(a + 3).min(HOURS);
            let room = draw.between(20.0, 40.0);
            let need = (7.0 * (d - a) as f64 * draw.between(0.3, 0.8)).min(0.9 * room);
            for t in 0..=HOURS {
                let inside = t.clamp(a, d);
                let most = (7.0 * (inside - a) as f64).min(room);
                high[t] += most;
                low[t] += (need - 7.0 * (d - inside) as f64).max(0.0).min(most);
            }
            connected[a..d].iter_mut().for_each(|p| *p += 7.0);
        }
        let mut charged = Expr::default();
        for t in 0..HOURS {
            let p = self.sink(t, connected[t], 0.0);
            let next = self.var(low[t + 1], high[t + 1]);
            self.program.equal(charged.plus(1.0, p).plus(-1.0, next), 0.0, "charged energy", Some(t));
            charged = Expr::from(next);
        }
    }

    fn cooling(&mut self, resistance: f64, capacity: f64, most_kw: f64, discomfort: f64) {
        let decay = (-1.0 / (resistance * capacity)).exp();
        let gain = (1.0 - decay) * resistance * 3.5 / self.twist.power;
        let mut inside = Expr::constant(24.0);
        for t in 0..HOURS {
            let p = self.sink(t, most_kw, 0.0);
            let outdoor = 30.0 + 5.0 * (std::f64::consts::TAU * (t as f64 - 9.0) / 24.0).sin();
            let next = self.program.var(22.0, 26.0);
            let flow = inside.times(decay).plus(-gain, p).plus(-1.0, next);
            self.program.equal(flow, -(1.0 - decay) * outdoor, "indoor temperature", Some(t));
            let weight = discomfort * self.twist.money * self.twist.curvature;
            if weight > 0.0 {
                let mut cost = Cost::default();
                cost.add_square(weight, next).add(-2.0 * 24.0 * weight, next);
                self.program.add_cost(&cost);
            }
            inside = Expr::from(next);
        }
    }

    /// Exchange with the grid and with others, then the balance of every hour.
    fn finish(mut self, load: &[f64]) -> Vpp {
        let w = self.twist;
        let mut vpp = Vpp { trade: vec![], import: vec![], export: vec![], balance: vec![] };
        for t in 0..HOURS {
            let discount = if (11..15).contains(&t) { w.midday_discount } else { 0.0 };
            let import = self.source(t, w.limit_kw, tariff(t) - discount);
            let export = self.sink(t, w.limit_kw, -0.35 + 0.999 * discount);
            self.emission.add(0.581e-3 / w.power, import);
            let most = if w.pinned && t >= 12 { 0.0 } else { 0.5 * w.limit_kw };
            let trade = self.var(-most, most);
            self.cost(trade, 0.0, w.trade_weight);
            self.net[t].add(1.0, trade);
            vpp.import.push(import);
            vpp.export.push(export);
            vpp.trade.push(trade);
        }
        for t in 0..HOURS {
            let net = std::mem::take(&mut self.net[t]);
            vpp.balance.push(self.program.equal(net, load[t] * w.power, "power balance", Some(t)));
        }
        if let Some((quota, interval, price)) = w.ladder {
            let mut excess = self.emission.plus(0.0, Expr::default());
            for k in 0..5 {
                let tier = self.program.var(0.0, if k == 4 { 1000.0 } else { interval });
                let mut cost = Cost::default();
                cost.add(w.money * price * (1.0 + 0.25 * f64::from(k)), tier);
                self.program.add_cost(&cost);
                excess.add(-1.0, tier);
            }
            let unused = self.program.var(0.0, quota);
            let mut reward = Cost::default();
            reward.add(-w.money * price, unused);
            self.program.add_cost(&reward);
            self.program.equal(excess.plus(1.0, unused), quota, "emission ladder", None);
        }
        vpp
    }
}

/// One of five kinds of plants; the seed varies its numbers.
pub fn plant(program: &mut Program, kind: usize, seed: u64, twist: Twist) -> Vpp {
    let mut draw = Draw(seed.wrapping_mul(7919).wrapping_add(kind as u64));
    program.scope(format!("vpp{}", kind + 1));
    let peak = [4000., 3000., 2500., 3500., 3000.][kind];
    let shape = [&WINTER, &SUMMER, &SPRING, &SUMMER, &WINTER][kind];
    let load: Vec<f64> = shape.iter().map(|s| peak * s / 100.0 * draw.between(0.97, 1.03)).collect();
    let mut w = Writer { program, twist, net: vec![Expr::default(); HOURS], emission: Expr::default() };
    for t in 0..HOURS {
        let (sun, wind) =
            ([3000., 500., 1000., 1500., 300.][kind] * SUN[t], [500., 800., 400., 300., 3500.][kind] * WIND[t]);
        w.source(t, sun * draw.between(0.9, 1.1), -twist.renewable_reward);
        w.source(t, wind * draw.between(0.85, 1.15), -twist.renewable_reward);
    }
    let rating = [1000., 2500., 800., 1500., 600.][kind];
    let slope = [0.48, 0.45, 0.52, 0.50, 0.55][kind];
    w.turbine(0.1 * rating, rating, slope, 0.04 / rating, 0.3 * rating, 0.55e-3);
    let wear = twist.wear;
    match kind {
        0 => w.storage(2000., 500., 0.95, 1.0, 0.005 * wear),
        1 => w.storage(1000., 500., 0.92, 0.995, 0.02 * wear),
        2 => {
            // Two identical ones that cost nothing.
            w.storage(2000., 500., 0.95, 1.0, 0.0);
            w.storage(2000., 500., 0.95, 1.0, 0.0);
        }
        3 => w.storage(1500., 400., 0.95, 0.999, 0.01 * wear),
        _ => {
            w.storage(3000., 800., 0.95, 1.0, 0.005 * wear);
            w.storage(1000., 500., 0.9, 1.0, 0.005 * wear);
        }
    }
    w.interruptible(&load, 0.05, 0.5 * wear, 10.0 / peak);
    w.shiftable(&load, 0.1, [0.0, 0.02, 0.01, 0.02, 0.0][kind] * wear);
    w.vehicles(&mut draw, [30, 40, 60, 20, 50][kind], [7, 16, 7, 7, 0][kind], [18, 24, 18, 18, 9][kind]);
    let resistance = 0.01 * draw.between(0.9, 1.1);
    w.cooling(
        resistance,
        200.0 * draw.between(0.9, 1.1),
        [500., 600., 500., 900., 500.][kind],
        [2., 0.5, 1., 4., 0.][kind],
    );
    w.finish(&load)
}

/// A plant on its own.
pub fn single(kind: usize, seed: u64, twist: Twist) -> (Template, Vpp) {
    let mut program = Program::new();
    let vpp = plant(&mut program, kind, seed, twist);
    (program.compile(), vpp)
}

/// All five plants, trading with each other at no loss.
pub fn joint(seed: u64) -> Template {
    let mut program = Program::new();
    let plants: Vec<Vpp> = (0..5).map(|kind| plant(&mut program, kind, seed, Twist::default())).collect();
    program.scope("market");
    for t in 0..HOURS {
        let sum = plants.iter().fold(Expr::default(), |e, v| e.plus(1.0, v.trade[t]));
        program.equal(sum, 0.0, "trades cancel", Some(t));
    }
    program.compile()
}

/// The single-plant benchmark day: photovoltaics, wind, turbine, storage, interruptible load, in kW and yuan.
pub struct Benchmark {
    /// The program.
    pub template: Template,
    /// From the grid, kW.
    pub import: Vec<Var>,
    /// Of the turbine, kW.
    pub turbine: Vec<Var>,
}

/// `tax` per tonne on imports and fuel; with a ladder instead: (quota, interval) in tonnes at base price 280, growth 1/4.
pub fn benchmark(tax: f64, ladder: Option<(f64, f64)>) -> Benchmark {
    let mut program = Program::new();
    program.scope("benchmark");
    let load: Vec<f64> = WINTER.iter().map(|s| 40.0 * s).collect();
    let mut w = Writer {
        program: &mut program,
        twist: Twist::default(),
        net: vec![Expr::default(); HOURS],
        emission: Expr::default(),
    };
    let (mut import, mut turbine) = (vec![], vec![]);
    for t in 0..HOURS {
        w.source(t, 2000.0 * SUN[t], 0.0);
        w.source(t, 1500.0 * WIND[t], 0.0);
        import.push(w.source(t, 3000.0, tariff(t) + tax * 0.581e-3));
        w.sink(t, 3000.0, -0.35);
        w.interruptible_hour(t, 0.05 * load[t], 0.8);
        w.emission.add(0.581e-3, import[t]);
    }
    let mut before: Option<Var> = None;
    for t in 0..HOURS {
        let g = w.source(t, 2000.0, 0.48 + tax * 0.55e-3);
        w.cost(g, 0.0, 20e-6);
        w.emission.add(0.55e-3, g);
        if let Some(before) = before {
            w.program.within(Expr::from(g).plus(-1.0, before), -600.0, 600.0, "ramp", Some(t));
        }
        before = Some(g);
        turbine.push(g);
    }
    w.storage(2000.0, 500.0, 0.95, 1.0, 0.005);
    let (net, emission) = (w.net, w.emission);
    for (t, net) in net.into_iter().enumerate() {
        program.equal(net, load[t], "power balance", Some(t));
    }
    if let Some((quota, interval)) = ladder {
        let mut excess = emission;
        for k in 0..5 {
            let tier = program.var(0.0, if k == 4 { 100.0 } else { interval });
            let mut cost = Cost::default();
            cost.add(280.0 * (1.0 + 0.25 * f64::from(k)), tier);
            program.add_cost(&cost);
            excess.add(-1.0, tier);
        }
        program.equal(excess, quota, "emission ladder", None);
    }
    Benchmark { template: program.compile(), import, turbine }
}

impl Writer<'_> {
    fn interruptible_hour(&mut self, t: usize, most_kw: f64, slope: f64) {
        self.source(t, most_kw, slope);
    }
}
