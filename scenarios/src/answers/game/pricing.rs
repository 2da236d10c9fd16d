//! `Pricing(..)`: sellers who post prices, and buyers who spread over them.

use super::named::{Named, cell, check, check_adders, check_ids};
use super::{Form, Game, GameAnswer, GameError, Sheet};
use crate::fault::{Cause, Fault};
use crate::text::Text;
use coase_core::declaration::{Declaration, schema_of};
use coase_core::number;
use coase_core::pricing::{Buyer, Correlated, Method, PricingGame, Seller};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) const FORM: Form = Form {
    head: "Pricing",
    read: |text| Ok(Box::new(read(text)?)),
    schema: schema_of::<Pricing>,
    declarations: || {
        vec![
            ("Pricing", Declaration::of::<Pricing>()),
            ("PricingSeller", Declaration::of::<PricingSeller>()),
            ("PricingBuyer", Declaration::of::<PricingBuyer>()),
        ]
    },
};

/// Sellers post prices, each knowing how buyers will spread over them. A seller sells no more than it has.
///
/// `Pricing(sellers: [(id: "s1", cost_per_kwh: 0.30, quantity_kwh: 100, congestion_per_kwh: 0.3)], buyers: [(id: "b1",
/// quantity_kwh: 60)], price_min_per_kwh: 0.3, price_max_per_kwh: 1.2)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pricing {
    /// Who sells.
    pub sellers: Vec<PricingSeller>,
    /// Who buys.
    pub buyers: Vec<PricingBuyer>,
    /// Least price of a kWh.
    pub price_min_per_kwh: f64,
    /// Greatest price of a kWh, at least the least.
    pub price_max_per_kwh: f64,
    /// How sellers look for prices; where it ends in no equilibrium, the other ways are tried.
    pub method: Method,
    /// Prices of each seller with which the strategic form is written.
    #[schemars(range(min = 2))]
    pub export_points: usize,
}

impl Default for Pricing {
    fn default() -> Self {
        let (sellers, buyers) = (vec![], vec![]);
        let (price_min_per_kwh, price_max_per_kwh) = (0.3, 1.2);
        Self { sellers, buyers, price_min_per_kwh, price_max_per_kwh, method: Method::default(), export_points: 19 }
    }
}

/// A seller with its cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricingSeller {
    /// Name, of which there is one in the file.
    pub id: String,
    /// What a kWh costs it, or what it brings elsewhere, whichever is more.
    pub cost_per_kwh: f64,
    /// What it has, kWh.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_kwh: f64,
    /// What a kWh costs buyers more where all that it has is asked for.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub congestion_per_kwh: f64,
}

/// A buyer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricingBuyer {
    /// Name, of which there is one in the file.
    pub id: String,
    /// What it needs, or with a value buys at most, kWh.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_kwh: f64,
    /// What a kWh from each seller costs it more, in the order of the sellers; by default nothing.
    #[serde(default)]
    pub adders_per_kwh: Vec<f64>,
    /// What a kWh from the grid costs it; all buyers have one or none has.
    #[serde(default)]
    pub grid_price_per_kwh: Option<f64>,
    /// Value of its first kWh; without it, it buys its quantity whatever that costs.
    #[serde(default)]
    pub value_per_kwh: Option<f64>,
    /// What each kWh is worth less than the one before; with a value above 0.
    #[serde(default)]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub slope_per_kwh2: Option<f64>,
}

/// A game that was checked.
struct Checked {
    sellers: Vec<String>,
    buyers: Vec<String>,
    game: PricingGame,
    method: Method,
    points: usize,
}

/// Samples with which concavity is looked for.
const SAMPLES: usize = 200;

fn read(text: &Text) -> Result<Checked, Fault> {
    let form: Pricing = text.parse()?;
    let seller_ids = check_ids(text, "sellers", "seller", form.sellers.iter().map(|seller| &seller.id))?;
    let buyer_ids = check_ids(text, "buyers", "buyer", form.buyers.iter().map(|buyer| &buyer.id))?;
    let mut sellers = vec![];
    for (j, seller) in form.sellers.iter().enumerate() {
        let at = |field: &str| format!("sellers.{j}.{field}");
        let PricingSeller { cost_per_kwh, quantity_kwh, congestion_per_kwh, .. } = *seller;
        let above = "a number above 0";
        sellers.push(Seller {
            cost: check(text, &at("cost_per_kwh"), "cost_per_kwh", cost_per_kwh, true, "a finite number")?,
            quantity: check(text, &at("quantity_kwh"), "quantity_kwh", quantity_kwh, quantity_kwh > 0.0, above)?,
            congestion: check(
                text,
                &at("congestion_per_kwh"),
                "congestion_per_kwh",
                congestion_per_kwh,
                congestion_per_kwh > 0.0,
                above,
            )?,
        });
    }
    let mut buyers = vec![];
    for (i, buyer) in form.buyers.iter().enumerate() {
        let at = |field: &str| format!("buyers.{i}.{field}");
        let quantity = buyer.quantity_kwh;
        check(text, &at("quantity_kwh"), "quantity_kwh", quantity, quantity > 0.0, "a number above 0")?;
        if let Some(price) = buyer.grid_price_per_kwh {
            check(text, &at("grid_price_per_kwh"), "grid_price_per_kwh", price, true, "a finite number")?;
        }
        if buyer.grid_price_per_kwh.is_some() != form.buyers[0].grid_price_per_kwh.is_some() {
            let why = "all buyers have a price of the grid or none has";
            return Err(text.fault(&format!("buyers.{i}"), Cause::Missing { field: "grid_price_per_kwh", why }));
        }
        let value = match (buyer.value_per_kwh, buyer.slope_per_kwh2) {
            (None, None) => None,
            (Some(value), Some(slope)) => Some((
                check(text, &at("value_per_kwh"), "value_per_kwh", value, true, "a finite number")?,
                check(text, &at("slope_per_kwh2"), "slope_per_kwh2", slope, slope > 0.0, "a number above 0")?,
            )),
            (value, _) => {
                let field = if value.is_some() { "slope_per_kwh2" } else { "value_per_kwh" };
                let why = "`value_per_kwh` and `slope_per_kwh2` are given together";
                return Err(text.fault(&format!("buyers.{i}"), Cause::Missing { field, why }));
            }
        };
        let adders = check_adders(text, i, &buyer.adders_per_kwh, sellers.len())?;
        buyers.push(Buyer { quantity, adders, grid_price: buyer.grid_price_per_kwh, value });
    }
    let (low, high) = (form.price_min_per_kwh, form.price_max_per_kwh);
    check(text, "price_min_per_kwh", "price_min_per_kwh", low, true, "a finite number")?;
    check(text, "price_max_per_kwh", "price_max_per_kwh", high, high >= low, "at least `price_min_per_kwh`")?;
    if form.export_points < 2 {
        let (field, found) = ("export_points".to_owned(), form.export_points.to_string());
        return Err(text.fault("export_points", Cause::Field { field, found, expected: "at least 2".into() }));
    }
    let game = PricingGame::new(sellers, &buyers, low, high).map_err(|error| {
        let (field, found) = ("the game".to_owned(), error.to_string());
        text.fault("", Cause::Field { field, found, expected: "a pricing game".into() })
    })?;
    Ok(Checked { sellers: seller_ids, buyers: buyer_ids, game, method: form.method, points: form.export_points })
}

/// Prices, and whether they are an equilibrium.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PricingAnswer {
    /// `converged`, or `no_equilibrium` where none was found: then prices are those with the least gap.
    pub status: &'static str,
    /// By seller, the price of a kWh.
    pub prices: Named<f64>,
    /// By seller, what it sells, kWh.
    pub quantity_kwh: Named<f64>,
    /// By seller, what it earns, money.
    pub profit: Named<f64>,
    /// What sellers gain in all by changing their price alone, over all prices, money.
    pub nikaido_isoda: f64,
    /// Rounds of all searches.
    pub rounds: usize,
    /// By seller, what it gains by changing its price alone, money.
    pub gain: Named<f64>,
    /// By buyer, what a kWh costs it, with adders and congestion.
    pub cost_per_kwh: Named<f64>,
    /// By buyer, what it buys from sellers, kWh.
    pub bought_kwh: Named<f64>,
    /// Rounds after which best replies come again; `None` where they do not.
    pub cycle: Option<usize>,
    /// Least eigenvalue of diagonal strict concavity over sampled prices at which every seller sells and none sells out: above 0
    /// an equilibrium there is the only one. `None` where no sample was such.
    pub least_concavity: Option<f64>,
    /// Where no equilibrium was found: what regret matching on a grid of prices averages to.
    pub correlated: Option<CorrelatedPlay>,
}

/// Play that nobody regrets, by seller.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorrelatedPlay {
    /// Mean price.
    pub mean_prices: Named<f64>,
    /// Mean profit, money.
    pub profit: Named<f64>,
    /// The most that a seller would have gained by one price all along, money.
    pub gap: f64,
    /// Prices of the grid.
    pub points: usize,
}

impl Game for Checked {
    fn answer(&self) -> Result<Box<dyn GameAnswer>, GameError> {
        let Self { sellers, buyers, game, method, .. } = self;
        let found = game.solve(*method, &mut |_, _| true);
        let named = |ids: &[String], values: &[f64]| Named(ids.iter().cloned().zip(values.iter().copied()).collect());
        let by_seller = |values: &[f64]| named(sellers, values);
        let bought = game.bought(&found.demand);
        let play = |Correlated { mean_prices, profits, gap, points }: Correlated| CorrelatedPlay {
            mean_prices: by_seller(&mean_prices),
            profit: by_seller(&profits),
            gap,
            points,
        };
        Ok(Box::new(PricingAnswer {
            status: if found.found { "converged" } else { "no_equilibrium" },
            prices: by_seller(&found.prices),
            quantity_kwh: by_seller(&found.sold),
            profit: by_seller(&found.profits),
            nikaido_isoda: found.gap.nikaido_isoda,
            rounds: found.rounds,
            gain: by_seller(&found.gap.gains),
            cost_per_kwh: named(buyers, &game.levels(&found.demand)),
            bought_kwh: named(buyers, &bought),
            cycle: found.cycle,
            least_concavity: game.least_concavity(SAMPLES, 1),
            correlated: if found.found { None } else { game.correlated().map(play) },
        }))
    }

    fn strategic_form(&self) -> Option<Result<String, GameError>> {
        let names: Vec<String> = self.game.grid(self.points).into_iter().map(number).collect();
        let all = vec![names; self.sellers.len()];
        Some(match self.game.on_grid(self.points) {
            Ok(form) => Ok(form.nfg("prices of sellers on a grid", &self.sellers, &all)),
            Err(error) => Err(error.into()),
        })
    }
}

impl GameAnswer for PricingAnswer {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn sheets(&self) -> Vec<Sheet> {
        let head = ["seller", "price per kWh", "kWh", "profit", "gains alone"];
        let row = |j: usize| {
            let columns = [&self.prices, &self.quantity_kwh, &self.profit, &self.gain];
            [self.prices.0[j].0.clone()].into_iter().chain(columns.map(|of| cell(of.0[j].1))).collect()
        };
        let rows = (0..self.prices.0.len()).map(row).collect();
        let mut notes = vec![format!("Nikaido-Isoda gap {} after {} rounds", number(self.nikaido_isoda), self.rounds)];
        if self.status == "no_equilibrium" {
            notes.push("no equilibrium was found: these are the prices with the least gap".to_owned());
        }
        if let Some(rounds) = self.cycle {
            notes.push(format!("best replies come again every {rounds} rounds"));
        }
        if let Some(play) = &self.correlated {
            let prices: Vec<String> = play.mean_prices.0.iter().map(|(id, p)| format!("{id} {}", cell(*p))).collect();
            let gap = number(play.gap);
            notes.push(format!(
                "regret matching on {} prices averages to {}, gap {gap}",
                play.points,
                prices.join(", ")
            ));
        }
        let buyers = |i: usize| {
            let (id, cost) = &self.cost_per_kwh.0[i];
            vec![id.clone(), cell(*cost), cell(self.bought_kwh.0[i].1)]
        };
        vec![
            Sheet { head: head.map(str::to_owned).to_vec(), rows, notes },
            Sheet {
                head: ["buyer", "cost per kWh", "kWh from sellers"].map(str::to_owned).to_vec(),
                rows: (0..self.cost_per_kwh.0.len()).map(buyers).collect(),
                notes: vec![],
            },
        ]
    }
}
