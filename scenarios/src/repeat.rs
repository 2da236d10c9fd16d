//! Participants that are written once and stand many times: `Repeat(id: "home", count: 50, of: (..), vary: [..])`.
//!
//! They are written out in the text before it is read, so that everything else knows participants only. Knows the text and
//! what varies; what a participant is is known to who reads it.

use crate::fault::{Cause, Fault};
use crate::outline::{self, Node};
use crate::spec::{Repeat, Varied};
use crate::text::Text;
use coase_core::statistics::distributions::normal_quantile;
use coase_core::statistics::luck::{Luck, Sampling};

/// Participants beyond which none are written out.
const MOST: usize = 100_000;

/// The text of a scenario with every `Repeat(..)` among its participants written out; places in it are those of the text that
/// is written out, and its name says so.
pub(crate) fn written_out(text: &Text) -> Result<Text, Fault> {
    if !text.as_str().contains("Repeat") {
        return Ok(text.clone());
    }
    let mut text = text.clone();
    let repeated = |tree: &Node| {
        let list = tree.field("participants")?;
        let place = list.items().iter().position(|item| item.name.as_deref() == Some("Repeat"))?;
        Some((place, list.items()[place].span.clone()))
    };
    while let Some((place, span)) = text.outline().as_ref().and_then(repeated) {
        let at = format!("participants.{place}");
        let all = one_by_one(&text, &at, &text.part(&span))?;
        let whole = text.as_str();
        let mut written = text.replaced(&format!("{}{all}{}", &whole[..span.start], &whole[span.end..]));
        if !written.file.contains(" with Repeat") {
            written.file.push_str(" with Repeat(..) written out");
        }
        text = written;
    }
    Ok(text)
}

/// What is written of a `Repeat(..)` that is drawn anew by every seed.
const DRAWN: &str = "drawn";
/// Purpose of the numbers that a seed of the experiment turns the seed of a `Repeat(..)` into.
const SEED: &str = "seed of what is repeated";

/// Places of those among the participants that every seed of the experiment draws anew, and their own seeds.
fn drawn(text: &Text) -> Vec<(usize, u64)> {
    if !text.as_str().contains(DRAWN) {
        return vec![];
    }
    let Some(tree) = text.outline() else { return vec![] };
    let written = |of: &Node, field: &str| of.field(field).map(|node| text.part(&node.span).as_str().trim().to_owned());
    let items = tree.field("participants").map_or(&[][..], Node::items).iter().enumerate();
    let repeated = items.filter(|(_, item)| item.name.as_deref() == Some("Repeat"));
    let drawn = repeated.filter(|(_, item)| written(item, DRAWN).is_some_and(|drawn| drawn == "true"));
    drawn.map(|(k, item)| (k, written(item, "seed").and_then(|seed| seed.parse().ok()).unwrap_or(1))).collect()
}

/// Whether a seed of the experiment changes what is repeated.
pub(crate) fn is_drawn(text: &Text) -> bool {
    !drawn(text).is_empty()
}

/// The text of a scenario as a seed of the experiment draws it; `None` where it draws nothing.
pub(crate) fn of_seed(text: &Text, seed: u64) -> Option<Text> {
    let places = drawn(text);
    let put = |text: Text, (k, own): &(usize, u64)| {
        let place = k.to_string();
        let luck = Luck { seed: *own, sampling: Sampling::Independent };
        let share = luck.uniform(usize::try_from(seed).unwrap_or(usize::MAX), SEED, 0, 0);
        // As many whole numbers as a share has.
        let own = ((share * 2.0_f64.powi(53)) as u64).to_string();
        text.put(&["participants", &place, "seed"], &own).unwrap_or(text)
    };
    (!places.is_empty()).then(|| places.iter().fold(text.clone(), put))
}

fn one_by_one(text: &Text, at: &str, element: &Text) -> Result<String, Fault> {
    let body = element.as_str().trim_start_matches("Repeat");
    let repeat: Repeat =
        element.replaced(body).parse().map_err(|fault| text.fault(at, *fault.cause).with_hint(fault.hint))?;
    let value = |field: &'static str, value: f64, expected| {
        Err(text.fault(&format!("{at}.{field}"), Cause::Value { field, value, expected }))
    };
    if !(1..=MOST).contains(&repeat.count) {
        return value("count", repeat.count as f64, "at least 1 and at most 100000");
    }
    let tree = element.outline();
    let of = tree.as_ref().and_then(|tree| tree.field("of")).map(|of| element.part(&of.span).as_str().to_owned());
    let Some(of) = of else {
        return Err(text.fault(at, Cause::NoValue { of: "Repeat".to_owned(), field: "of".to_owned() }));
    };
    let mut all = Vec::with_capacity(repeat.count);
    for k in 0..repeat.count {
        let id = format!("{:?}", format!("{}{}", repeat.id, k + 1));
        let no_place = |path: &str| Cause::Path { path: path.to_owned() };
        let mut one = outline::put(&of, &["id"], &id).map_err(|_| text.fault(&format!("{at}.of"), no_place("id")))?;
        for (v, vary) in repeat.vary.iter().enumerate() {
            let path: Vec<&str> = vary.path.split('.').collect();
            let at = format!("{at}.vary.{v}");
            let taken = vary.values.at(repeat.seed, &vary.path, k).map_err(|cause| text.fault(&at, cause))?;
            one = outline::put(&one, &path, &taken)
                .map_err(|_| text.fault(&format!("{at}.path"), no_place(&vary.path)))?;
        }
        all.push(one);
    }
    Ok(all.join(", "))
}

impl Varied {
    /// What the `k`-th takes, as it is written.
    fn at(&self, seed: u64, path: &str, k: usize) -> Result<String, Cause> {
        let share = || Luck { seed, sampling: Sampling::Independent }.uniform(0, &format!("repeat {path}"), k, 0);
        match self {
            Varied::Cycle(values) if values.is_empty() => Err(Cause::Empty("the list of values to cycle through")),
            Varied::Cycle(values) => Ok(values[k % values.len()].get_ron().trim().to_owned()),
            Varied::Choice(values) if values.is_empty() => Err(Cause::Empty("the list of values to choose from")),
            Varied::Choice(values) => {
                let place = (share() * values.len() as f64) as usize;
                Ok(values[place.min(values.len() - 1)].get_ron().trim().to_owned())
            }
            Varied::Numbered { text, .. } if !text.contains("{}") => {
                let (field, expected) = ("`Numbered`".to_owned(), "a text with {} where the number stands".to_owned());
                Err(Cause::Field { field, found: format!("{text:?}"), expected })
            }
            Varied::Numbered { text, first, every } => {
                let number = first.saturating_add(every.saturating_mul(k as u64));
                Ok(format!("{:?}", text.replace("{}", &number.to_string())))
            }
            Varied::Uniform { from, to } => {
                if !(from.is_finite() && to.is_finite() && from <= to) {
                    let (field, found) = ("`Uniform`".to_owned(), format!("from {from} to {to}"));
                    return Err(Cause::Field { field, found, expected: "a range of numbers".to_owned() });
                }
                Ok(number(from + (to - from) * share()))
            }
            Varied::Normal { mean, deviation } => {
                if !(mean.is_finite() && deviation.is_finite() && *deviation >= 0.0) {
                    let (field, found) = ("`Normal`".to_owned(), format!("mean {mean}, deviation {deviation}"));
                    return Err(Cause::Field {
                        field,
                        found,
                        expected: "finite, and no negative deviation".to_owned(),
                    });
                }
                Ok(number(mean + deviation * normal_quantile(share())))
            }
        }
    }
}

/// A number as it is written: never as a whole one, which a field of another kind would take for a count.
fn number(x: f64) -> String {
    format!("{x:?}")
}

#[cfg(test)]
mod tests {
    use super::{is_drawn, of_seed, written_out};
    use crate::text::Text;

    fn scenario(participants: &str) -> Text {
        Text::new("a.ron", "", format!("Scenario(name: \"x\", participants: [{participants}])"))
    }

    /// What is drawn follows the seed of the experiment, what is not stays.
    #[test]
    fn a_seed_draws_only_what_is_said_to_be_drawn() {
        let vary = "vary: [(path: \"bus\", values: Choice([5, 9])), (path: \"q\", values: Uniform(from: 2, to: 3))]";
        let of = format!("of: (bus: 1, q: 1.0), {vary}");
        let text = scenario(&format!(
            "Repeat(id: \"a\", count: 40, {of}), Repeat(id: \"b\", count: 40, {of}, drawn: true), Repeat(id: \"c\", count: 40, {of}, drawn: true, seed: 2)"
        ));
        assert!(is_drawn(&text));
        let drawn = |seed: u64| {
            let out = written_out(&of_seed(&text, seed).expect("drawn")).expect("written out").as_str().to_owned();
            out.split("(id: ")
                .skip(1)
                .map(|part| part.split_once(',').expect("a name").1.to_owned())
                .collect::<Vec<_>>()
        };
        let (one, two) = (drawn(1), drawn(2));
        assert_eq!((one.len(), &one), (120, &drawn(1)));
        let group = |of: &[String], k: usize| of[40 * k..40 * (k + 1)].to_vec();
        assert_eq!(group(&one, 0), group(&two, 0));
        for k in [1, 2] {
            assert_ne!(group(&one, k), group(&two, k));
        }
        assert_ne!(group(&one, 1), group(&one, 2));
        let of_nine = one.iter().filter(|part| part.contains("bus: 9")).count();
        assert!((30..=90).contains(&of_nine), "{of_nine} of 120");
        let fixed = scenario(&format!("Repeat(id: \"a\", count: 2, {of})"));
        assert!(!is_drawn(&fixed) && of_seed(&fixed, 1).is_none());
    }

    #[test]
    fn participants_are_written_out_with_what_differs() {
        let text = scenario(
            "(id: \"a\", devices: []), Repeat(id: \"home\", count: 3, of: (bus: 1, devices: [Load(p_kw: 1)]), \
             vary: [(path: \"bus\", values: Cycle([5, 9])), (path: \"devices.0.p_kw\", values: Uniform(from: 2, to: 3))])",
        );
        let out = written_out(&text).expect("written out");
        let tree = out.outline().expect("RON");
        let list = tree.field("participants").expect("a list").items();
        let at = |k: usize, field: &str| out.part(&list[k].field(field).expect("a field").span).as_str().to_owned();
        assert_eq!(list.len(), 4);
        assert_eq!((1..4).map(|k| at(k, "id")).collect::<Vec<_>>(), ["\"home1\"", "\"home2\"", "\"home3\""]);
        assert_eq!((1..4).map(|k| at(k, "bus")).collect::<Vec<_>>(), ["5", "9", "5"]);
        let loads: Vec<f64> = (1..4)
            .map(|k| {
                let devices = at(k, "devices");
                devices.trim_start_matches("[Load(p_kw: ").trim_end_matches(")]").parse().expect("a number")
            })
            .collect();
        assert!(loads.iter().all(|kw| (2.0..3.0).contains(kw)) && loads[0] != loads[1], "{loads:?}");
        // One more leaves the others as they are.
        let more = written_out(&scenario(
            "Repeat(id: \"home\", count: 4, of: (devices: [Load(p_kw: 1)]), \
             vary: [(path: \"devices.0.p_kw\", values: Uniform(from: 2, to: 3))])",
        ));
        assert!(more.expect("written out").as_str().contains(&format!("{:?}", loads[2])));
        assert!(out.file.contains("written out"));
    }

    #[test]
    fn columns_of_a_file_count_on() {
        let out = written_out(&scenario(
            "Repeat(id: \"home\", count: 3, of: (devices: [Load(p_kw: Csv(file: \"x.csv\", column: \"p\"))]), \
             vary: [(path: \"devices.0.p_kw.column\", values: Numbered(text: \"p{}\", first: 2, every: 5))])",
        ))
        .expect("written out");
        let found: Vec<&str> =
            out.as_str().split("column: ").skip(1).map(|part| &part[..part.find(')').unwrap()]).collect();
        assert_eq!(found, ["\"p2\"", "\"p7\"", "\"p12\""]);
        let bare =
            "Repeat(id: \"h\", count: 2, of: (devices: []), vary: [(path: \"bus\", values: Numbered(text: \"p\"))])";
        assert!(written_out(&scenario(bare)).expect_err("no number").to_string().contains("{}"));
    }

    #[test]
    fn what_cannot_be_repeated_is_refused_with_its_place() {
        for (participants, part) in [
            ("Repeat(id: \"h\", count: 0, of: (devices: []))", "count"),
            ("Repeat(id: \"h\", count: 2)", "of"),
            (
                "Repeat(id: \"h\", count: 2, of: (devices: []), vary: [(path: \"devices.3.p\", values: Cycle([1]))])",
                "devices.3.p",
            ),
            ("Repeat(id: \"h\", count: 2, of: (devices: []), vary: [(path: \"bus\", values: Cycle([]))])", "cycle"),
            ("Repeat(id: \"h\", cuont: 2, of: (devices: []))", "cuont"),
        ] {
            let fault = written_out(&scenario(participants)).expect_err(participants);
            assert!(fault.to_string().contains(part), "{fault}");
            assert!(fault.place.is_some());
        }
    }
}
