//! `Population(..)`: buyers who spread over sellers at given prices, and the dynamics by which they come to it.

use super::named::{Named, cell, check, check_adders, check_ids};
use super::{Form, Game, GameAnswer, GameError, Sheet};
use crate::fault::{Cause, Fault};
use crate::text::Text;
use coase_core::declaration::{Declaration, schema_of};
use coase_core::number;
use coase_core::population::{Dynamics, Play, PopulationGame};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) const FORM: Form = Form {
    head: "Population",
    read: |text| Ok(Box::new(read(text)?)),
    schema: schema_of::<Population>,
    declarations: || {
        vec![
            ("Population", Declaration::of::<Population>()),
            ("PopulationSeller", Declaration::of::<PopulationSeller>()),
            ("PopulationBuyer", Declaration::of::<PopulationBuyer>()),
        ]
    },
};

/// Buyers choose among sellers whose price is given and whose congestion grows with what is asked of them, starting from equal
/// shares.
///
/// `Population(sellers: [(id: "s1", price_per_kwh: 0.55, quantity_kwh: 100, congestion_per_kwh: 0.3)], buyers: [(id: "b1",
/// quantity_kwh: 60)])`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Population {
    /// Who sells.
    pub sellers: Vec<PopulationSeller>,
    /// Who buys.
    pub buyers: Vec<PopulationBuyer>,
    /// How buyers change their minds.
    pub dynamics: Dynamics,
}

/// A seller with its price.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopulationSeller {
    /// Name, of which there is one in the file.
    pub id: String,
    /// What it asks for a kWh.
    pub price_per_kwh: f64,
    /// What it has, kWh.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_kwh: f64,
    /// What a kWh costs more where all that it has is asked for.
    #[schemars(range(min = 0.0))]
    pub congestion_per_kwh: f64,
}

/// A buyer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopulationBuyer {
    /// Name, of which there is one in the file.
    pub id: String,
    /// What it needs, kWh.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub quantity_kwh: f64,
    /// What a kWh from each seller costs it more, in the order of the sellers; by default nothing.
    #[serde(default)]
    pub adders_per_kwh: Vec<f64>,
}

/// A game that was checked.
struct Checked {
    sellers: Vec<String>,
    buyers: Vec<String>,
    game: PopulationGame,
    dynamics: Dynamics,
}

/// Speed at which buyers are at rest, and steps until they are given up.
const REST: f64 = 1e-12;
const MOST_STEPS: usize = 1_000_000;

fn read(text: &Text) -> Result<Checked, Fault> {
    let Population { sellers, buyers, dynamics } = text.parse()?;
    let seller_ids = check_ids(text, "sellers", "seller", sellers.iter().map(|seller| &seller.id))?;
    let buyer_ids = check_ids(text, "buyers", "buyer", buyers.iter().map(|buyer| &buyer.id))?;
    let mut slopes = vec![];
    for (j, seller) in sellers.iter().enumerate() {
        let at = |field: &str| format!("sellers.{j}.{field}");
        let PopulationSeller { price_per_kwh, quantity_kwh, congestion_per_kwh, .. } = *seller;
        check(text, &at("price_per_kwh"), "price_per_kwh", price_per_kwh, true, "a finite number")?;
        check(text, &at("quantity_kwh"), "quantity_kwh", quantity_kwh, quantity_kwh > 0.0, "a number above 0")?;
        let fits = congestion_per_kwh >= 0.0;
        let expected = "a number of at least 0";
        check(text, &at("congestion_per_kwh"), "congestion_per_kwh", congestion_per_kwh, fits, expected)?;
        slopes.push(congestion_per_kwh / quantity_kwh);
    }
    let (mut mass, mut base) = (vec![], vec![]);
    for (i, buyer) in buyers.iter().enumerate() {
        let q = buyer.quantity_kwh;
        mass.push(check(text, &format!("buyers.{i}.quantity_kwh"), "quantity_kwh", q, q > 0.0, "a number above 0")?);
        let adders = check_adders(text, i, &buyer.adders_per_kwh, sellers.len())?;
        base.push(adders.iter().zip(&sellers).map(|(w, seller)| w + seller.price_per_kwh).collect());
    }
    if let Some((field, value)) = dynamics.fault() {
        return Err(text.fault("dynamics", Cause::Value { field, value, expected: "a number above 0" }));
    }
    let game = PopulationGame::new(mass, &base, slopes).map_err(|error| {
        let (field, found) = ("the game".to_owned(), error.to_string());
        text.fault("", Cause::Field { field, found, expected: "a population game".into() })
    })?;
    Ok(Checked { sellers: seller_ids, buyers: buyer_ids, game, dynamics })
}

/// Where buyers come to rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PopulationAnswer {
    /// `converged` or `not_converged`.
    pub status: &'static str,
    /// By buyer and seller, the share of what the buyer needs.
    pub shares: Named<Named<f64>>,
    /// By seller, what is asked of it, kWh.
    pub quantity_kwh: Named<f64>,
    /// By buyer, what a kWh costs it on average, with adders and congestion.
    pub cost_per_kwh: Named<f64>,
    /// What all would save by moving to their cheapest seller, money: above 0 at rest under `Logit`.
    pub wardrop_gap: f64,
    /// Steps of the dynamics.
    pub steps: usize,
    /// Step of the dynamics at the end: halved where the potential would have risen.
    pub step: f64,
    /// Eigenvalues of the dynamics on the directions that shares can move in, ascending; `None` where it has no derivative at rest.
    pub eigenvalues: Option<Vec<f64>>,
    /// The same of the payoffs: below 0 the equilibrium is unique, evolutionarily stable and reached from everywhere.
    pub payoff_eigenvalues: Option<Vec<f64>>,
    /// What falls along the dynamics: costs less half the congestion, money.
    pub potential: f64,
    /// By seller, what is asked of it in the equilibrium of Wardrop, found without the dynamics, kWh.
    pub equilibrium_quantity_kwh: Named<f64>,
}

impl Game for Checked {
    fn answer(&self) -> Result<Box<dyn GameAnswer>, GameError> {
        let Self { sellers, buyers, game, dynamics } = self;
        let rest = Play::new(game, *dynamics, &game.uniform()).rest(REST, MOST_STEPS);
        let costs = game.costs(&rest.shares);
        let by_seller = |values: &[f64]| Named(sellers.iter().cloned().zip(values.iter().copied()).collect());
        let by_buyer = |i: usize| (buyers[i].clone(), by_seller(game.row(&rest.shares, i)));
        let mean =
            |i: usize| -> f64 { game.row(&rest.shares, i).iter().zip(game.row(&costs, i)).map(|(x, c)| x * c).sum() };
        Ok(Box::new(PopulationAnswer {
            status: if rest.converged { "converged" } else { "not_converged" },
            shares: Named((0..buyers.len()).map(by_buyer).collect()),
            quantity_kwh: by_seller(&game.totals(&rest.shares)),
            cost_per_kwh: Named(buyers.iter().enumerate().map(|(i, id)| (id.clone(), mean(i))).collect()),
            wardrop_gap: rest.gap,
            steps: rest.steps,
            step: rest.step,
            eigenvalues: game.eigenvalues(*dynamics, &rest.shares),
            payoff_eigenvalues: game.payoff_eigenvalues(),
            potential: game.potential(&rest.shares),
            equilibrium_quantity_kwh: by_seller(&game.equilibrium().totals),
        }))
    }
}

impl GameAnswer for PopulationAnswer {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn sheets(&self) -> Vec<Sheet> {
        let sellers: Vec<&String> = self.quantity_kwh.0.iter().map(|(id, _)| id).collect();
        let head = ["buyer"].into_iter().chain(sellers.iter().map(|id| id.as_str())).chain(["cost per kWh"]);
        let row = |((id, shares), (_, cost)): (&(String, Named<f64>), &(String, f64))| {
            [id.clone()].into_iter().chain(shares.0.iter().map(|(_, x)| cell(*x))).chain([cell(*cost)]).collect()
        };
        let mut rows: Vec<Vec<String>> = self.shares.0.iter().zip(&self.cost_per_kwh.0).map(row).collect();
        let totals = self.quantity_kwh.0.iter().map(|(_, y)| cell(*y));
        rows.push(["kWh".to_owned()].into_iter().chain(totals).chain([String::new()]).collect());
        let mut notes = vec![format!(
            "{} after {} steps; Wardrop gap {}",
            self.status.replace('_', " "),
            self.steps,
            number(self.wardrop_gap)
        )];
        if let Some(values) = &self.eigenvalues {
            let values: Vec<String> = values.iter().map(|x| number(*x)).collect();
            notes.push(format!("eigenvalues of the dynamics: {}", values.join(", ")));
        }
        vec![Sheet { head: head.map(str::to_owned).collect(), rows, notes }]
    }

    fn is_found(&self) -> bool {
        self.status == "converged"
    }
}
