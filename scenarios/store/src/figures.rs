//! What a user wants of figures: which are drawn, of which runs, how wide, in which language, and what everything in them is
//! called and looks like. It stands in an experiment (`figures: (..)`) or in a file of its own (`Figures(..)`), and travels with
//! the results in their manifest. No run depends on it.
//!
//! Holds names and numbers as written. Which kinds of figures there are and what they can show is known where they are drawn.

use crate::swept::Swept;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the figures of results are drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Figures {
    /// The figures that are drawn; not given: every kind that the results allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub draw: Vec<Drawing>,
    /// Width in print of every figure, mm: 88.9 is a column of a journal, 181.9 a page; not given: what each kind needs. Text keeps
    /// its 7 to 8 pt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 80, max = 400))]
    pub width_mm: Option<f64>,
    /// Language of the labels. Captions stay in English.
    #[serde(skip_serializing_if = "is_english")]
    pub language: Language,
    /// Words of labels, by what stands there in English, such as `{"Social cost": "Welfare loss"}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
    /// Labels of the mechanisms that are drawn, in this order; not given: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<String>,
    /// Labels of the carbon policies that are drawn, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Ids of the participants that are drawn, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<String>,
    /// Names, colours, lines and marks: in every experiment with the same list they are the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_english(language: &Language) -> bool {
    *language == Language::English
}

/// One figure, or one of a kind for every scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drawing {
    /// Its kind, as `coase list figures` names them; `all` is every kind.
    pub kind: String,
    /// Name of its file; not given: the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What stands first in its caption; not given: what the kind says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Columns of the table `runs` that it shows, where the kind lets one choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// Names of the scenarios that it is drawn for; not given: all, a figure each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<String>,
    /// Labels of the mechanisms that it shows, in this order; not given: those of all figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<String>,
    /// Labels of its carbon policies, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Ids of its participants, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<String>,
    /// The point of the sweeps: values of swept parameters, by their paths; not given: the first value of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at: BTreeMap<String, Swept>,
    /// The only seed that it shows; not given: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What its panels are, where the kind lets one choose; not given: the metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
    /// Width in print, mm; not given: that of all figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 80, max = 400))]
    pub width_mm: Option<f64>,
}

/// What the panels of a figure are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Facets {
    /// A panel for every metric.
    Metrics,
    /// A panel for every carbon policy.
    Policies,
    /// A panel for every mechanism.
    Mechanisms,
    /// A panel for every scenario: one figure for all of them.
    Scenarios,
    /// A panel for every value of a swept parameter, given by its path.
    Swept(String),
}

/// Language of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German, with decimal commas.
    German,
    /// Chinese, in simplified characters; it needs a font of the system that has them.
    Chinese,
}

/// What a mechanism, carbon policy or participant is called and looks like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Label of the mechanism or policy, or id of the participant. What is in no table is passed over, so that many experiments can
    /// share one list.
    pub of: String,
    /// Its name in figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name where there is little room; not given: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<String>,
    /// Its colour, `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineStyle>,
    /// Its marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<MarkStyle>,
    /// The hatch of its areas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hatch: Option<HatchStyle>,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LineStyle {
    /// Without gaps.
    Solid,
    /// Dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// A dash and a dot in turn.
    DashDot,
    /// Long dashes.
    LongDash,
    /// A dash and two dots in turn.
    DashDotDot,
}

/// The shape of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MarkStyle {
    /// A filled circle.
    Disc,
    /// A filled square.
    Square,
    /// A triangle on its base.
    Up,
    /// A triangle on its tip.
    Down,
    /// A square on its tip.
    Diamond,
    /// An upright cross.
    Plus,
    /// A cross of diagonals.
    Cross,
    /// A star.
    Star,
}

/// How an area is hatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HatchStyle {
    /// None.
    Plain,
    /// Strokes like `/`.
    Forward,
    /// Strokes like `\`.
    Back,
    /// Both.
    Cross,
    /// Level strokes.
    Horizontal,
    /// Dots.
    Dots,
}

/// A kind of figure, as far as wishes about it can be wrong.
#[derive(Clone, Copy, Debug)]
pub struct KindOfFigure {
    /// Its name.
    pub name: &'static str,
    /// The most metrics that it shows where the user may choose them; 0 where it has its own.
    pub metrics: usize,
    /// Whether the user may choose what its panels are.
    pub facets: bool,
}

/// What can be drawn: what results, or an experiment that has not run yet, are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    pub scenarios: Vec<String>,
    /// Labels as tables have them.
    pub mechanisms: Vec<String>,
    pub policies: Vec<String>,
    pub participants: Vec<String>,
    /// Paths of swept parameters, each with its values as tables have them.
    pub swept: Vec<(String, Vec<String>)>,
    pub seeds: Vec<u64>,
    /// Columns of the table `runs` that hold numbers.
    pub metrics: Vec<String>,
}

/// Something wrong with what is wanted of figures, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct WrongFigures {
    /// The place, as fields and positions joined by dots.
    pub at: String,
    /// What is wrong there.
    pub what: WrongFigure,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum WrongFigure {
    /// A name that nothing has.
    Unknown {
        /// What it should be the name of.
        kind: &'static str,
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Something else than was expected.
    Value { field: &'static str, found: String, expected: String },
}

/// Narrower than this no panel has room for its labels, and wider no page is, mm.
const WIDTHS_MM: (f64, f64) = (80.0, 400.0);

impl Figures {
    /// Whether all that is wanted can be asked of some results.
    ///
    /// # Errors
    /// The first thing that cannot.
    pub fn check(&self, kinds: &[KindOfFigure], names: &Names) -> Result<(), WrongFigures> {
        check_width("width_mm", self.width_mm)?;
        check_names("mechanisms", "mechanism", &self.mechanisms, &names.mechanisms)?;
        check_names("policies", "carbon policy", &self.policies, &names.policies)?;
        check_names("participants", "participant", &self.participants, &names.participants)?;
        for (k, look) in self.looks.iter().enumerate() {
            if let Some(colour) = &look.colour
                && rgb(colour).is_none()
            {
                let expected = "a colour such as \"#0072B2\"".to_owned();
                return value(format!("looks.{k}.colour"), "colour", format!("{colour:?}"), expected);
            }
        }
        for (k, drawing) in self.draw.iter().enumerate() {
            drawing.check(&format!("draw.{k}"), kinds, names)?;
        }
        Ok(())
    }
}

impl Drawing {
    fn check(&self, at: &str, kinds: &[KindOfFigure], names: &Names) -> Result<(), WrongFigures> {
        let kind = kinds.iter().find(|kind| kind.name == self.kind);
        if kind.is_none() && self.kind != ALL {
            let known = kinds.iter().map(|kind| kind.name.to_owned()).chain([ALL.to_owned()]).collect();
            return unknown(format!("{at}.kind"), "kind of figure", &self.kind, known);
        }
        let (metrics, facets) = kind.map_or((0, false), |kind| (kind.metrics, kind.facets));
        if self.metrics.len() > metrics {
            let those = |kind: &&KindOfFigure| kind.metrics > 0;
            let others: Vec<&str> = kinds.iter().filter(those).map(|kind| kind.name).collect();
            let expected = match metrics {
                0 => format!("none, for `{}` shows its own; metrics are for {}", self.kind, others.join(", ")),
                n => format!("at most {n} for `{}`", self.kind),
            };
            return value(format!("{at}.metrics"), "metrics", format!("{} names", self.metrics.len()), expected);
        }
        if let (Some(wanted), false) = (&self.facets, facets) {
            let others: Vec<&str> = kinds.iter().filter(|kind| kind.facets).map(|kind| kind.name).collect();
            let expected =
                format!("none, for `{}` has its own panels; facets are for {}", self.kind, others.join(", "));
            return value(format!("{at}.facets"), "facets", format!("{wanted:?}"), expected);
        }
        if let Some(Facets::Swept(path)) = &self.facets {
            check_path(&format!("{at}.facets"), path, names)?;
        }
        if let Some(name) = self.name.as_ref().filter(|name| name.trim().is_empty()) {
            return value(format!("{at}.name"), "name", format!("{name:?}"), "a name of a file".to_owned());
        }
        check_width(&format!("{at}.width_mm"), self.width_mm)?;
        let lists: [(&str, &'static str, &[String], &[String]); 5] = [
            ("metrics", "metric", &self.metrics, &names.metrics),
            ("scenarios", "scenario", &self.scenarios, &names.scenarios),
            ("mechanisms", "mechanism", &self.mechanisms, &names.mechanisms),
            ("policies", "carbon policy", &self.policies, &names.policies),
            ("participants", "participant", &self.participants, &names.participants),
        ];
        for (field, kind, wanted, known) in lists {
            check_names(&format!("{at}.{field}"), kind, wanted, known)?;
        }
        for (path, wanted) in &self.at {
            let values = check_path(&format!("{at}.at"), path, names)?;
            if !values.iter().any(|known| wanted.is_written(known)) {
                let found = format!("{path} = {wanted}");
                return value(format!("{at}.at"), "at", found, format!("one of {}", values.join(", ")));
            }
        }
        match self.seed {
            Some(seed) if !names.seeds.contains(&seed) => {
                let known = names.seeds.iter().map(u64::to_string).collect();
                unknown(format!("{at}.seed"), "seed", &seed.to_string(), known)
            }
            _ => Ok(()),
        }
    }
}

/// What stands for every kind of figure.
pub const ALL: &str = "all";

fn unknown<T>(at: String, kind: &'static str, name: &str, known: Vec<String>) -> Result<T, WrongFigures> {
    Err(WrongFigures { at, what: WrongFigure::Unknown { kind, name: name.to_owned(), known } })
}

fn value<T>(at: String, field: &'static str, found: String, expected: String) -> Result<T, WrongFigures> {
    Err(WrongFigures { at, what: WrongFigure::Value { field, found, expected } })
}

fn check_width(at: &str, width_mm: Option<f64>) -> Result<(), WrongFigures> {
    let (least, most) = WIDTHS_MM;
    match width_mm.filter(|width| !(*width >= least && *width <= most)) {
        None => Ok(()),
        Some(width) => value(at.to_owned(), "width_mm", width.to_string(), format!("{least} to {most} mm")),
    }
}

fn check_names(at: &str, kind: &'static str, wanted: &[String], known: &[String]) -> Result<(), WrongFigures> {
    for (k, name) in wanted.iter().enumerate() {
        if !known.contains(name) {
            return unknown(format!("{at}.{k}"), kind, name, known.to_vec());
        }
        if wanted[..k].contains(name) {
            return value(format!("{at}.{k}"), "a name", format!("there twice, `{name}`"), "each once".to_owned());
        }
    }
    Ok(())
}

fn check_path<'a>(at: &str, path: &str, names: &'a Names) -> Result<&'a [String], WrongFigures> {
    let found = names.swept.iter().find(|(known, _)| known == path);
    found.map(|(_, values)| values.as_slice()).ok_or_else(|| {
        let known = names.swept.iter().map(|(path, _)| path.clone()).collect();
        WrongFigures {
            at: at.to_owned(),
            what: WrongFigure::Unknown { kind: "swept parameter", name: path.to_owned(), known },
        }
    })
}

/// A colour from `#RRGGBB`.
pub fn rgb(written: &str) -> Option<u32> {
    let digits = written.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [KindOfFigure; 2] = [
        KindOfFigure { name: "change", metrics: 2, facets: true },
        KindOfFigure { name: "voltage", metrics: 0, facets: false },
    ];

    fn names() -> Names {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Names {
            scenarios: own(&["village"]),
            mechanisms: own(&["grid-only", "vcg"]),
            policies: own(&["none", "tax"]),
            participants: own(&["a", "b"]),
            swept: vec![("carbon.price_factor".to_owned(), own(&["0.5", "1"]))],
            seeds: vec![1, 2],
            metrics: own(&["social_cost", "emissions_kg", "losses_kwh"]),
        }
    }

    fn drawing(kind: &str) -> Drawing {
        Drawing { kind: kind.to_owned(), ..Drawing::default() }
    }

    fn wrong(drawing: Drawing) -> Option<String> {
        let figures = Figures { draw: vec![drawing], ..Figures::default() };
        figures.check(&KINDS, &names()).err().map(|wrong| wrong.at)
    }

    #[test]
    fn what_can_be_asked_is_accepted_and_the_place_of_what_cannot_is_told() {
        let good = Drawing {
            metrics: vec!["social_cost".into()],
            policies: vec!["tax".into(), "none".into()],
            at: [("carbon.price_factor".to_owned(), Swept::Number(0.5))].into(),
            seed: Some(2),
            facets: Some(Facets::Swept("carbon.price_factor".into())),
            width_mm: Some(88.9),
            ..drawing("change")
        };
        assert_eq!(wrong(good.clone()), None);
        assert_eq!(wrong(drawing("all")), None);
        let told: [(Drawing, &str); 9] = [
            (drawing("chagne"), "draw.0.kind"),
            (Drawing { metrics: vec!["social_cost".into(); 3], ..good.clone() }, "draw.0.metrics"),
            (Drawing { metrics: vec!["cost".into()], ..good.clone() }, "draw.0.metrics.0"),
            (Drawing { kind: "voltage".into(), metrics: vec![], ..good.clone() }, "draw.0.facets"),
            (Drawing { policies: vec!["tax".into(), "tax".into()], ..good.clone() }, "draw.0.policies.1"),
            (Drawing { at: [("carbon.price".to_owned(), Swept::Number(1.0))].into(), ..good.clone() }, "draw.0.at"),
            (
                Drawing { at: [("carbon.price_factor".to_owned(), Swept::Number(2.0))].into(), ..good.clone() },
                "draw.0.at",
            ),
            (Drawing { seed: Some(3), ..good.clone() }, "draw.0.seed"),
            (Drawing { width_mm: Some(f64::NAN), ..good.clone() }, "draw.0.width_mm"),
        ];
        for (drawing, at) in told {
            assert_eq!(wrong(drawing).as_deref(), Some(at));
        }
    }

    #[test]
    fn colours_are_six_digits_behind_a_hash() {
        assert_eq!(rgb("#0072B2"), Some(29362));
        for wrong in ["0072B2", "#0072B", "#0072B2F", "#+072B2", "#gg72B2", "blue", "#"] {
            assert_eq!(rgb(wrong), None, "{wrong}");
        }
    }
}
