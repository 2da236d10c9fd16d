//! The terms on which a participant meets the world, as plain data: carbon, fees and limits on top of the tariff.
//!
//! A policy makes them, a mechanism may impose a further layer, and nobody ever asks which policy it was.

mod charge;
mod ladder;

pub use charge::Charge;
pub use ladder::{GrowthRule, Ladder, Reward};

/// An account of kilograms over the horizon and what is charged on its balance.
///
/// `balance = sum_t rates x flows + direct emissions - turbine quota x emitting energy - renewable quota x renewable energy -
/// quota`. A quota in proportion to imported energy lowers the import rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// kg per kWh imported from the grid, per period.
    pub import_kg_per_kwh: Vec<f64>,
    /// kg per kWh exported to the grid (negative credits), per period.
    pub export_kg_per_kwh: Vec<f64>,
    /// kg per kWh of positive net physical withdrawal, per period.
    pub withdrawal_kg_per_kwh: Vec<f64>,
    /// kg per kWh of positive net physical injection (negative credits), per period.
    pub injection_kg_per_kwh: Vec<f64>,
    /// kg per kWh of positive net sale to peers (allowances that leave with the energy), per period; not negative.
    pub sold_kg_per_kwh: Vec<f64>,
    /// kg per kWh of positive net purchase from peers, per period; not negative.
    pub bought_kg_per_kwh: Vec<f64>,
    /// Free allowance per kWh from emitting devices.
    pub turbine_quota_kg_per_kwh: f64,
    /// Free allowance per kWh from renewable devices.
    pub renewable_quota_kg_per_kwh: f64,
    /// Free allowance over the horizon, kg.
    pub quota_kg: f64,
    /// What the balance costs.
    pub charge: Charge,
}

/// Bounds on the net physical injection of a participant, kW per period.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Least net injection (negative: withdrawal).
    pub injection_min_kw: Vec<f64>,
    /// Greatest net injection.
    pub injection_max_kw: Vec<f64>,
}

/// A proximal term `sum_t weight_t / 2 (x_t - centre_t)^2` on the net physical withdrawal `x` in kWh. It steers the search
/// for a price fixed point; costs and payments are reported without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// kWh per period.
    pub centre_kwh: Vec<f64>,
    /// Money per kWh squared, per period.
    pub weight: Vec<f64>,
}

/// What is added to the tariff for one participant. Empty vectors mean zero everywhere.
///
/// ```
/// use coase_core::terms::Terms;
///
/// // A policy charges imports, and the mechanism a fee on both ways: layers add up.
/// let policy = Terms { import_adder: vec![0.16, 0.16], ..Terms::default() };
/// let fee = Terms { import_adder: vec![0.02, 0.02], export_adder: vec![-0.02, -0.02], ..Terms::default() };
/// let both = policy.and(&fee);
/// assert!((both.import_adder[1] - 0.18).abs() < 1e-12 && both.export_adder == fee.export_adder);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Added to the price of grid imports, per kWh and period.
    pub import_adder: Vec<f64>,
    /// Added to the price received for grid exports, per kWh and period.
    pub export_adder: Vec<f64>,
    /// Credited per unit sold to peers and charged per unit bought from them, per slot: of energy per kWh.
    pub trade_adder: Vec<f64>,
    /// Charged per kWh of positive net physical withdrawal, per period.
    pub withdrawal_adder: Vec<f64>,
    /// Charged per kWh of positive net physical injection (negative credits), per period.
    pub injection_adder: Vec<f64>,
    /// Price of a kg of direct emissions.
    pub direct_price_per_kg: f64,
    /// Carbon account over the horizon.
    pub account: Option<Account>,
    /// Bounds on the net injection.
    pub limits: Option<Limits>,
    /// Proximal term of a fixed-point search.
    pub anchor: Option<Anchor>,
}

impl Terms {
    /// These terms with a further layer on top: adders add up, limits intersect, an account or anchor of the layer replaces.
    pub fn and(&self, layer: &Terms) -> Terms {
        Terms {
            import_adder: sum(&self.import_adder, &layer.import_adder),
            export_adder: sum(&self.export_adder, &layer.export_adder),
            trade_adder: sum(&self.trade_adder, &layer.trade_adder),
            withdrawal_adder: sum(&self.withdrawal_adder, &layer.withdrawal_adder),
            injection_adder: sum(&self.injection_adder, &layer.injection_adder),
            direct_price_per_kg: self.direct_price_per_kg + layer.direct_price_per_kg,
            account: layer.account.clone().or_else(|| self.account.clone()),
            limits: match (&self.limits, &layer.limits) {
                (Some(a), Some(b)) => Some(Limits {
                    injection_min_kw: pairwise(&a.injection_min_kw, &b.injection_min_kw, f64::max),
                    injection_max_kw: pairwise(&a.injection_max_kw, &b.injection_max_kw, f64::min),
                }),
                (a, b) => b.clone().or_else(|| a.clone()),
            },
            anchor: layer.anchor.clone().or_else(|| self.anchor.clone()),
        }
    }

    /// Whether the local problem under these terms is convex: no escalating reward, and nowhere more given for a kWh of
    /// injection than taken for one of withdrawal.
    pub fn is_convex(&self) -> bool {
        let rises = |price_per_kg: f64, account: Option<&Account>| {
            let adders = sum(&self.withdrawal_adder, &self.injection_adder);
            let kg = account.map(|a| sum(&a.withdrawal_kg_per_kwh, &a.injection_kg_per_kwh)).unwrap_or_default();
            (0..adders.len().max(kg.len())).all(|t| at(&adders, t) + price_per_kg * at(&kg, t) >= -1e-12)
        };
        match &self.account {
            None => rises(0.0, None),
            Some(a) => a.charge.is_convex() && a.charge.slopes.iter().all(|price| rises(*price, Some(a))),
        }
    }
}

/// Value of an adder in a period: absent means zero.
pub fn at(series: &[f64], period: usize) -> f64 {
    series.get(period).copied().unwrap_or(0.0)
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    (0..a.len().max(b.len())).map(|t| at(a, t) + at(b, t)).collect()
}

fn pairwise(a: &[f64], b: &[f64], combine: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| combine(*x, *y)).collect()
}
