//! What every mechanism, policy and participant is called and looks like: decided once per experiment, so that one
//! entity has one colour in all figures, however they are filtered.

use crate::color::Rgb;
use crate::store::Store;
use crate::style::{
    CAP_AND_TRADE, CYCLE, DASH_DOT, DASH_DOT_DOT, DASHED, DOTTED, Dash, FURTHER_POLICIES, Hatch, INTEGRATED, LONG_DASH,
    Mark, NO_CARBON_PRICE, SOLID, STEPPED, Series, TAX,
};
use crate::text::literal;
use coase_store::{HatchStyle, LineStyle, Look, MarkStyle, rgb};
use std::collections::HashMap;

/// A mechanism, policy or participant. Names are labels: free of markup.
#[derive(Clone, PartialEq, Debug)]
pub struct Entity {
    /// As in the tables: the label of a variant, or the id.
    pub key: String,
    /// The id of the mechanism or policy that it is a variant of.
    pub id: String,
    pub name: String,
    /// For places with little room.
    pub short: String,
    pub series: Series,
}

/// All entities of an experiment in order of appearance.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Identity {
    pub mechanisms: Vec<Entity>,
    pub policies: Vec<Entity>,
    pub participants: Vec<Entity>,
    /// Places of participants by their ids.
    places: HashMap<String, usize>,
}

impl Identity {
    pub fn of(store: &Store) -> Identity {
        let mut identity = Identity::default();
        for run in &store.runs {
            if find(&identity.mechanisms, &run.variant).is_none() {
                let series = CYCLE[identity.mechanisms.len() % CYCLE.len()];
                identity.mechanisms.push(entity(&run.variant, &run.mechanism, series, &MECHANISMS));
            }
            if find(&identity.policies, &run.carbon_label).is_none() {
                identity.policies.push(entity(&run.carbon_label, &run.carbon_policy, NO_CARBON_PRICE, &POLICIES));
            }
        }
        dress(&mut identity.policies);
        for row in &store.participants {
            if identity.participant(&row.participant).is_none() {
                let place = identity.participants.len();
                identity.places.insert(row.participant.clone(), place);
                let series = CYCLE[place % CYCLE.len()];
                identity.participants.push(Entity {
                    key: row.participant.clone(),
                    id: row.participant.clone(),
                    name: literal(&row.participant),
                    short: literal(&row.participant),
                    series,
                });
            }
        }
        for look in &store.figures.looks {
            identity.pin(look);
        }
        identity
    }

    /// Gives what a user calls by its label the name and the look that it is to have.
    fn pin(&mut self, look: &Look) {
        let all = self.mechanisms.iter_mut().chain(&mut self.policies).chain(&mut self.participants);
        for entity in all.filter(|entity| entity.key == look.of) {
            if let Some(name) = &look.name {
                entity.name = literal(name);
                entity.short = literal(name);
            }
            if let Some(short) = &look.short {
                entity.short = literal(short);
            }
            if let Some(colour) = look.colour.as_deref().and_then(rgb) {
                (entity.series.color, entity.series.ink) = (Rgb::hex(colour), Rgb::hex(colour));
            }
            if let Some(line) = look.line {
                entity.series.dash = dash(line);
            }
            if let Some(mark) = look.mark {
                entity.series.mark = shape(mark);
            }
            if let Some(hatch) = look.hatch {
                entity.series.hatch = hatching(hatch);
            }
        }
    }

    pub fn mechanism(&self, variant: &str) -> Option<usize> {
        find(&self.mechanisms, variant)
    }

    pub fn policy(&self, label: &str) -> Option<usize> {
        find(&self.policies, label)
    }

    pub fn participant(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }
}

fn dash(line: LineStyle) -> Dash {
    match line {
        LineStyle::Solid => SOLID,
        LineStyle::Dashed => DASHED,
        LineStyle::Dotted => DOTTED,
        LineStyle::DashDot => DASH_DOT,
        LineStyle::LongDash => LONG_DASH,
        LineStyle::DashDotDot => DASH_DOT_DOT,
    }
}

fn shape(mark: MarkStyle) -> Mark {
    match mark {
        MarkStyle::Disc => Mark::Disc,
        MarkStyle::Square => Mark::Square,
        MarkStyle::Up => Mark::Up,
        MarkStyle::Down => Mark::Down,
        MarkStyle::Diamond => Mark::Diamond,
        MarkStyle::Plus => Mark::Plus,
        MarkStyle::Cross => Mark::Cross,
        MarkStyle::Star => Mark::Star,
    }
}

fn hatching(hatch: HatchStyle) -> Hatch {
    match hatch {
        HatchStyle::Plain => Hatch::None,
        HatchStyle::Forward => Hatch::Forward,
        HatchStyle::Back => Hatch::Back,
        HatchStyle::Cross => Hatch::Cross,
        HatchStyle::Horizontal => Hatch::Horizontal,
        HatchStyle::Dots => Hatch::Dots,
    }
}

fn find(entities: &[Entity], key: &str) -> Option<usize> {
    entities.iter().position(|e| e.key == key)
}

/// The policy that has no label has the look of its id, else its first variant; all others take what is free.
fn dress(policies: &mut [Entity]) {
    let mut taken: Vec<Series> = Vec::new();
    let mut without: Vec<usize> = Vec::new();
    for i in 0..policies.len() {
        let id = &policies[i].id;
        let unlabelled = policies.iter().any(|e| e.key == *id);
        match look(id).filter(|s| !taken.contains(s) && (policies[i].key == *id || !unlabelled)) {
            Some(own) => {
                policies[i].series = own;
                taken.push(own);
            }
            None => without.push(i),
        }
    }
    let free: Vec<Series> = FURTHER_POLICIES.into_iter().filter(|s| !taken.contains(s)).collect();
    let looks = if free.is_empty() { FURTHER_POLICIES.to_vec() } else { free };
    for (k, i) in without.into_iter().enumerate() {
        policies[i].series = looks[k % looks.len()];
    }
}

/// The policies that look the same in every paper.
fn look(id: &str) -> Option<Series> {
    match id {
        "none" => Some(NO_CARBON_PRICE),
        "tax" => Some(TAX),
        "cap-and-trade" => Some(CAP_AND_TRADE),
        "stepped" => Some(STEPPED),
        "integrated" => Some(INTEGRATED),
        "nodal-flow" => Some(FURTHER_POLICIES[0]),
        "nodal-marginal" => Some(FURTHER_POLICIES[1]),
        "stepped-nodal" => Some(FURTHER_POLICIES[2]),
        "allowance-trading" => Some(FURTHER_POLICIES[3]),
        "hard-cap" => Some(FURTHER_POLICIES[4]),
        _ => None,
    }
}

fn entity(key: &str, id: &str, series: Series, names: &[(&str, &str, &str)]) -> Entity {
    let known = names.iter().find(|n| n.0 == id).filter(|_| key == id);
    // a label stands as it was written; an id is made to read
    let own = || if key == id { sentence(key) } else { literal(key) };
    let name = known.map_or_else(own, |n| n.1.to_owned());
    let short = known.map_or_else(|| name.clone(), |n| n.2.to_owned());
    Entity { key: key.into(), id: id.into(), name, short, series }
}

/// `network-repair` as "Network repair".
pub(crate) fn sentence(key: &str) -> String {
    let spaced = key.replace('-', " ");
    let mut chars = spaced.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    literal(&(first + chars.as_str()))
}

/// Id, name, short name.
const MECHANISMS: [(&str, &str, &str); 30] = [
    ("grid-only", "Grid only", "Grid only"),
    ("mid-market-rate", "Mid-market rate", "MMR"),
    ("supply-demand-ratio", "Supply-demand ratio", "SDR"),
    ("bill-sharing", "Bill sharing", "Bill sharing"),
    ("central-optimum", "Central optimum", "Central optimum"),
    ("uniform-price", "Uniform price", "Uniform price"),
    ("nash-bargaining", "Nash bargaining", "Nash bargain."),
    ("shapley", "Shapley value", "Shapley value"),
    ("nucleolus", "Nucleolus", "Nucleolus"),
    ("kalai-smorodinsky", "Kalai\u{2013}Smorodinsky", "Kalai\u{2013} Smorod."),
    ("stackelberg-network-fee", "Stackelberg, network fee", "Network fee"),
    ("stackelberg-integrated-price", "Stackelberg, integrated price", "Integr. price"),
    ("evolutionary-buyers", "Evolutionary buyers", "Evolut. buyers"),
    ("pricing-game", "Pricing game", "Pricing game"),
    ("multiple-game", "Multiple game", "Multiple game"),
    ("service-quotation", "Service quotation", "Service quotat."),
    ("bayesian-v2v", "Bayesian V2V", "Bayes. V2V"),
    ("double-auction", "Double auction", "Double auction"),
    ("mcafee", "McAfee auction", "McAfee"),
    ("huang", "Huang auction", "Huang"),
    ("muda", "MUDA", "MUDA"),
    ("pay-as-bid", "Pay as bid", "Pay as bid"),
    ("continuous-double-auction", "Continuous double auction", "CDA"),
    ("iterative-double-auction", "Iterative double auction", "IDA"),
    ("vcg", "VCG", "VCG"),
    ("agv", "AGV", "AGV"),
    ("competition-padding", "Competition padding", "Compet. padding"),
    ("energy-and-reserve", "Energy and reserve", "Energy, reserve"),
    ("security-constrained", "Security-constrained", "Security- constr."),
    ("network-repair", "Network repair", "Network repair"),
];

const POLICIES: [(&str, &str, &str); 10] = [
    ("none", "No carbon price", "None"),
    ("tax", "Tax", "Tax"),
    ("cap-and-trade", "Cap and trade", "Cap and trade"),
    ("stepped", "Stepped", "Stepped"),
    ("integrated", "Integrated", "Integrated"),
    ("nodal-flow", "Nodal flow", "Nodal flow"),
    ("nodal-marginal", "Nodal marginal", "Nodal marg."),
    ("stepped-nodal", "Stepped nodal", "Stepped nodal"),
    ("hard-cap", "Hard cap", "Hard cap"),
    ("allowance-trading", "Allowance trading", "Allow. trading"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_well() {
        assert_eq!(sentence("my-own-rule"), "My own rule");
        for label in ["flat-320", "eu-ETS 2-step", "p2p", "\u{3b5}-core", "x"] {
            assert_eq!(entity(label, "tax", TAX, &POLICIES).name, label);
        }
        assert_eq!(entity("own-rule", "own-rule", TAX, &POLICIES).name, "Own rule");
        assert_eq!(entity("tax", "tax", TAX, &POLICIES).name, "Tax");
    }

    #[test]
    fn variants_of_a_policy_look_different() {
        let keys = ["none", "nodal price", "nodal price + ladder", "integrated", "flat-320", "flat-400"];
        let ids = ["none", "integrated", "integrated", "integrated", "tax", "tax"];
        let mut known: Vec<Entity> =
            keys.iter().zip(ids).map(|(key, id)| entity(key, id, NO_CARBON_PRICE, &POLICIES)).collect();
        dress(&mut known);
        for (i, a) in known.iter().enumerate() {
            assert!(known[i + 1..].iter().all(|b| a.series != b.series), "{}", a.key);
        }
        let series = |key: &str| known.iter().find(|e| e.key == key).map(|e| e.series);
        assert_eq!(series("integrated"), Some(INTEGRATED));
        assert_eq!(series("flat-320"), Some(TAX));
    }
}
