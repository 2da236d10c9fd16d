//! `Cournot(..)`: sellers who choose quantities, and a market operator who quotes a price for its service.

use super::named::{Named, check, check_ids};
use super::{Form, Game, GameAnswer, GameError, Sheet};
use crate::fault::{Cause, Fault};
use crate::text::Text;
use coase_core::cournot::{CostStep, Cournot as Played};
use coase_core::declaration::{Declaration, schema_of};
use coase_core::number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) const FORM: Form = Form {
    head: "Cournot",
    read: |text| Ok(Box::new(read(text)?)),
    schema: schema_of::<Cournot>,
    declarations: || {
        vec![
            ("Cournot", Declaration::of::<Cournot>()),
            ("CournotSeller", Declaration::of::<CournotSeller>()),
            ("CournotStep", Declaration::of::<CournotStep>()),
        ]
    },
};

/// Sellers who choose quantities against the price `intercept - slope x Q` that buyers pay, of which the market's operator keeps its
/// quotation.
///
/// `Cournot(intercept_per_kwh: 1.05, slope_per_kwh2: 0.002, sellers: [(id: "s1", cost_per_kwh: 0.30)], quotation_max_per_kwh: 0.7)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cournot {
    /// What buyers pay for the first kWh.
    pub intercept_per_kwh: f64,
    /// How much less they pay per kWh for each further one.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub slope_per_kwh2: f64,
    /// The sellers.
    #[serde(default)]
    pub sellers: Vec<CournotSeller>,
    /// The greatest quotation that the operator may make, per kWh.
    #[schemars(range(min = 0.0))]
    pub quotation_max_per_kwh: f64,
    /// The quotation, per kWh; the operator's best where nothing is said.
    #[serde(default)]
    #[schemars(extend("minimum" = 0.0))]
    pub quotation_per_kwh: Option<f64>,
}

/// A seller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CournotSeller {
    /// Its name.
    pub id: String,
    /// What each kWh costs it.
    pub cost_per_kwh: f64,
    /// How much it can sell, kWh; any amount where nothing is said.
    #[serde(default)]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_max_kwh: Option<f64>,
    /// What it can sell beyond that, in the order of its cost; by default nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_steps: Vec<CournotStep>,
}

/// A further part of what a seller can sell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CournotStep {
    /// What each kWh of it costs, no less than what comes before.
    pub cost_per_kwh: f64,
    /// How much it is, kWh.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_kwh: f64,
}

impl CournotSeller {
    fn steps(&self) -> Vec<CostStep> {
        let quantity_kwh = self.quantity_max_kwh.unwrap_or(f64::INFINITY);
        let first = CostStep { cost_per_kwh: self.cost_per_kwh, quantity_kwh };
        let step = |s: &CournotStep| CostStep { cost_per_kwh: s.cost_per_kwh, quantity_kwh: s.quantity_kwh };
        [first].into_iter().chain(self.further_steps.iter().map(step)).collect()
    }

    /// What the last kWh of a quantity costs it.
    fn marginal_cost(&self, quantity: f64) -> f64 {
        let mut sold = 0.0;
        let steps = self.steps();
        let last = steps.iter().find(|step| {
            sold += step.quantity_kwh;
            quantity <= sold
        });
        last.or(steps.last()).map_or(self.cost_per_kwh, |step| step.cost_per_kwh)
    }
}

/// A game that was checked.
pub(super) struct Checked {
    form: Cournot,
    game: Played,
}

/// Reads and checks the form.
pub(super) fn read(text: &Text) -> Result<Checked, Fault> {
    let form: Cournot = text.parse()?;
    let number =
        |field: &'static str, value: f64, fits: bool, expected| check(text, field, field, value, fits, expected);
    number("intercept_per_kwh", form.intercept_per_kwh, true, "a finite number")?;
    number("slope_per_kwh2", form.slope_per_kwh2, form.slope_per_kwh2 > 0.0, "a finite number above 0")?;
    let max = form.quotation_max_per_kwh;
    number("quotation_max_per_kwh", max, max >= 0.0, "a finite number of at least 0")?;
    if let Some(quotation) = form.quotation_per_kwh {
        let fits = (0.0..=max).contains(&quotation);
        number("quotation_per_kwh", quotation, fits, "a number from 0 to `quotation_max_per_kwh`")?;
    }
    check_ids(text, "sellers", "seller", form.sellers.iter().map(|seller| &seller.id))?;
    for (k, seller) in form.sellers.iter().enumerate() {
        let at = |field: &str| format!("sellers.{k}.{field}");
        check(text, &at("cost_per_kwh"), "cost_per_kwh", seller.cost_per_kwh, true, "a finite number")?;
        if let Some(most) = seller.quantity_max_kwh {
            let field = "quantity_max_kwh";
            check(text, &at(field), field, most, most > 0.0, "a finite number above 0")?;
        }
        if seller.quantity_max_kwh.is_none() && !seller.further_steps.is_empty() {
            let why = "what follows `further_steps` begins where it ends";
            return Err(text.fault(&format!("sellers.{k}"), Cause::Missing { field: "quantity_max_kwh", why }));
        }
        let mut before = seller.cost_per_kwh;
        for (n, step) in seller.further_steps.iter().enumerate() {
            let at = |field: &str| format!("sellers.{k}.further_steps.{n}.{field}");
            let (cost, most) = (step.cost_per_kwh, step.quantity_kwh);
            let expected = "a finite number, at least the cost of the step before";
            check(text, &at("cost_per_kwh"), "cost_per_kwh", cost, cost >= before, expected)?;
            check(text, &at("quantity_kwh"), "quantity_kwh", most, most > 0.0, "a finite number above 0")?;
            before = cost;
        }
    }
    let sellers = form.sellers.iter().map(CournotSeller::steps).collect();
    let game = Played::new(form.intercept_per_kwh, form.slope_per_kwh2, sellers).map_err(|error| {
        let (field, found) = ("sellers".to_owned(), error.to_string());
        text.fault("sellers", Cause::Field { field, found, expected: "a game".into() })
    })?;
    Ok(Checked { form, game })
}

/// What sellers and operator do, and how much of the market each has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CournotAnswer {
    /// What the operator keeps of every kWh.
    pub quotation_per_kwh: f64,
    /// What sellers receive per kWh.
    pub price_per_kwh: f64,
    /// What buyers pay per kWh: price and quotation.
    pub buyer_price_per_kwh: f64,
    /// What each seller sells.
    pub quantity_kwh: Named<f64>,
    /// What each seller earns.
    pub profit: Named<f64>,
    /// What the operator earns.
    pub operator_revenue: f64,
    /// What sellers gain by other quantities, each alone, in sum: 0 at an equilibrium.
    pub nikaido_isoda: f64,
    /// `(price - cost) / price` of each seller that sells; `None` where nothing is received.
    pub lerner_index: Named<Option<f64>>,
    /// Sum of squared shares of sales; `None` where nothing is sold.
    pub concentration: Option<f64>,
    /// The quotation from which on each seller sells nothing; `None` of one that sells at none.
    pub leaves_at_per_kwh: Named<Option<f64>>,
}

impl Game for Checked {
    fn answer(&self) -> Result<Box<dyn GameAnswer>, GameError> {
        let Self { form, game } = self;
        let played = match form.quotation_per_kwh {
            Some(quotation) => game.equilibrium(quotation),
            None => game.best_quotation(form.quotation_max_per_kwh),
        };
        let names = || form.sellers.iter().map(|seller| seller.id.clone());
        let price = played.price_per_kwh;
        let lerner = |(seller, sold): (&CournotSeller, &f64)| {
            (*sold > 0.0 && price > 0.0).then(|| (price - seller.marginal_cost(*sold)) / price)
        };
        Ok(Box::new(CournotAnswer {
            quotation_per_kwh: played.quotation_per_kwh,
            price_per_kwh: price,
            buyer_price_per_kwh: price + played.quotation_per_kwh,
            operator_revenue: played.operator_revenue(),
            nikaido_isoda: game.nikaido_isoda(&played),
            lerner_index: Named(names().zip(form.sellers.iter().zip(&played.quantity_kwh).map(lerner)).collect()),
            concentration: played.concentration(),
            leaves_at_per_kwh: Named(names().zip(game.leave_at()).collect()),
            quantity_kwh: Named(names().zip(played.quantity_kwh).collect()),
            profit: Named(names().zip(played.profit).collect()),
        }))
    }
}

impl GameAnswer for CournotAnswer {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn sheets(&self) -> Vec<Sheet> {
        let head = ["seller", "quantity kWh", "profit", "Lerner index", "leaves at"].map(str::to_owned).to_vec();
        let words = |x: Option<f64>| x.map_or("-".to_owned(), number);
        let row = |k: usize| {
            let (seller, quantity) = &self.quantity_kwh.0[k];
            vec![
                seller.clone(),
                number(*quantity),
                number(self.profit.0[k].1),
                words(self.lerner_index.0[k].1),
                words(self.leaves_at_per_kwh.0[k].1),
            ]
        };
        let (quotation, price, pays) = (self.quotation_per_kwh, self.price_per_kwh, self.buyer_price_per_kwh);
        let notes = vec![
            format!(
                "quotation {} per kWh: sellers receive {}, buyers pay {}",
                number(quotation),
                number(price),
                number(pays)
            ),
            format!("the operator earns {}", number(self.operator_revenue)),
            format!("concentration {}; Nikaido-Isoda gap {:.1e}", words(self.concentration), self.nikaido_isoda),
        ];
        vec![Sheet { head, rows: (0..self.quantity_kwh.0.len()).map(row).collect(), notes }]
    }
}
