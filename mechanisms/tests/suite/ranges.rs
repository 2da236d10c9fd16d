//! What a plugin declares of its parameters is what it checks: a number just outside of a declared range is refused by name, a
//! number just inside is not, and where no end is declared none is checked. Asked of every registered mechanism, carbon policy
//! with its modifiers, and device.

use coase_core::declaration::{Bound, Parameter, Takes};
use coase_core::mechanism::{Mechanism, mechanisms};
use coase_core::open::{Entry, camel_case};
use coase_core::participant::{Device, DeviceError, Scene, devices};
use coase_core::policy::{CarbonPolicy, PolicyError, policies};
use coase_core::setting::Periods;
use coase_core::{MechanismError, RunContext};
use coase_mechanisms as _;
use coase_testkit::agents::on_a_line;
use coase_testkit::five_vpps::OnFeeder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The way to a value in the parameters of a plugin.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    /// An element of a list.
    Element,
    /// What follows a word in brackets.
    Word(String),
}

/// What became of a value.
#[derive(Debug)]
enum Answer {
    Taken,
    /// Refused for itself, in these words.
    Refused(String),
    /// It contradicts another parameter, or the scenario: says nothing of its own range.
    Elsewhere,
}

/// Every number among parameters, with the way to it.
fn numbers(parameters: &[Parameter], way: &[Step]) -> Vec<(Vec<Step>, Parameter)> {
    let mut found = vec![];
    for parameter in parameters {
        let with = |more: &[Step]| [way, &[Step::Field(parameter.name.clone())], more].concat();
        let is_list = matches!(parameter.takes, Takes::List(_));
        if is_number(&parameter.takes) {
            found.push((with(&[]), parameter.clone()));
        }
        let inner: &[Step] = if is_list { &[Step::Element] } else { &[] };
        found.extend(numbers(&parameter.fields, &with(inner)));
        for variant in &parameter.variants {
            // One number is written: others must not be needed beside it.
            let others = |field: &Parameter| variant.fields.iter().any(|f| f.required && f.name != field.name);
            let alone: Vec<Parameter> = variant.fields.iter().filter(|field| !others(field)).cloned().collect();
            found.extend(numbers(&alone, &with(&[Step::Word(variant.name.clone())])));
        }
    }
    found
}

fn is_number(takes: &Takes) -> bool {
    match takes {
        Takes::Number | Takes::Whole => true,
        // One number for all periods.
        Takes::Form(name) => name == "Series",
        Takes::Either(all) => all.iter().any(is_number),
        _ => false,
    }
}

/// The place that a way leads to; what is missing on it is made.
fn place<'v>(mut at: &'v mut Value, way: &[Step]) -> &'v mut Value {
    for step in way {
        match step {
            Step::Field(name) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = at.as_object_mut().expect("made").entry(name.clone()).or_insert(Value::Null);
            }
            Step::Element => {
                if at.as_array().is_none_or(Vec::is_empty) {
                    *at = json!([{}]);
                }
                at = &mut at.as_array_mut().expect("made")[0];
            }
            Step::Word(word) => {
                if at.as_object().is_none_or(|object| !object.contains_key(word)) {
                    *at = json!({ word.clone(): {} });
                }
                at = at.get_mut(word).expect("made");
            }
        }
    }
    at
}

/// A number a hair below or above another, or the next whole one.
fn beside(x: f64, whole: bool, up: bool) -> f64 {
    let step = if whole { 1.0 } else { 1e-9 * x.abs().max(1.0) };
    if up { x + step } else { x - step }
}

/// All that is wrong with the ranges of a plugin.
fn faults<T>(id: &str, entry: &Entry<T>, ask: &dyn Fn(&T, &str) -> Answer) -> (usize, Vec<String>)
where
    T: ?Sized + Serialize,
    Box<T>: DeserializeOwned,
{
    let whole_plugin = serde_json::to_value(&*(entry.default)()).expect("it can be written");
    let (mut ends, mut wrong) = (0, vec![]);
    for (way, parameter) in numbers(&entry.declaration().parameters, &[]) {
        let name = &parameter.name;
        let of = format!("{id}: {name} ({})", parameter.allowed());
        let is_whole = parameter.takes == Takes::Whole;
        let answer = |x: f64| -> Answer {
            let mut body = whole_plugin.clone();
            let inner = body.get_mut(camel_case(id)).expect("its name");
            *place(inner, &way) = if is_whole { json!(x as i64) } else { json!(x) };
            match serde_json::from_value::<Box<T>>(body) {
                Ok(plugin) => ask(&plugin, name),
                Err(error) => Answer::Refused(format!("{name}: {error}")),
            }
        };
        let mut end = |bound: Option<Bound>, up: bool, far: f64| match bound {
            Some(bound) => {
                ends += 1;
                let outside = if bound.included { beside(bound.value, is_whole, up) } else { bound.value };
                let inside = if bound.included { bound.value } else { beside(bound.value, is_whole, !up) };
                match answer(outside) {
                    Answer::Refused(said) if said.contains(name.as_str()) => {}
                    other => wrong.push(format!("{of}: {outside} is outside, and {other:?}")),
                }
                if let Answer::Refused(said) = answer(inside) {
                    wrong.push(format!("{of}: {inside} is inside, and refused: {said}"));
                }
            }
            None => {
                if let Answer::Refused(said) = answer(far) {
                    wrong.push(format!("{of}: no bound is declared, and {far} is refused: {said}"));
                }
            }
        };
        end(parameter.least, false, if is_whole { 0.0 } else { -1000.0 });
        end(parameter.most, true, 1000.0);
    }
    (ends, wrong)
}

fn all_hold(found: impl Iterator<Item = (usize, Vec<String>)>, least: usize) {
    let (ends, wrong) = found.fold((0, vec![]), |(ends, wrong), (n, more)| (ends + n, [wrong, more].concat()));
    assert!(wrong.is_empty(), "{} of {ends} ends:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ends >= least, "{ends} ends of ranges were tried");
}

#[test]
fn what_devices_declare_is_what_they_check() {
    let periods = Periods { count: 24, hours: 1.0 };
    let scene = Scene { dearest_per_kwh: 1.0 };
    let found = devices().into_iter().map(|plugin| {
        faults::<dyn Device>(plugin.id, &plugin.open, &|device, name| {
            let mut device = device.copied();
            device.series().into_iter().for_each(|(_, series)| series.write_out(periods.count));
            // As files are read.
            let completed = device.complete(&scene);
            answer_of(completed.and_then(|()| device.validate(periods)), name)
        })
    });
    all_hold(found, 40);
}

fn answer_of(checked: Result<(), DeviceError>, name: &str) -> Answer {
    match checked {
        Ok(()) => Answer::Taken,
        Err(DeviceError::Element { error, .. }) => answer_of(Err(*error), name),
        Err(error @ DeviceError::Value { field, .. }) if field == name => Answer::Refused(error.to_string()),
        Err(_) => Answer::Elsewhere,
    }
}

#[test]
fn what_policies_and_their_modifiers_declare_is_what_they_check() {
    let market = OnFeeder::IEEE_33.market();
    let found = policies().into_iter().map(|plugin| {
        faults::<dyn CarbonPolicy>(plugin.id, &plugin.open, &|policy, name| match policy.check(market.setting()) {
            Ok(()) => Answer::Taken,
            // Another parameter is its end.
            Err(PolicyError::Parameter { expected, .. }) if expected.contains('`') => Answer::Elsewhere,
            Err(error) if error.to_string().contains(&format!("`{name}`")) => Answer::Refused(error.to_string()),
            Err(_) => Answer::Elsewhere,
        })
    });
    all_hold(found, 60);
}

#[test]
fn what_mechanisms_declare_is_what_they_check() {
    let market = on_a_line();
    let found = mechanisms().into_iter().map(|plugin| {
        faults::<dyn Mechanism>(plugin.id, &plugin.open, &|mechanism, name| match mechanism
            .outcome(&market, &mut RunContext::new(1, ()))
        {
            // Another parameter is its end.
            Err(MechanismError::Parameter { expected, .. }) if expected.contains('`') => Answer::Elsewhere,
            Err(error @ MechanismError::Parameter { .. }) if error.to_string().contains(name) => {
                Answer::Refused(error.to_string())
            }
            Ok(_) => Answer::Taken,
            Err(_) => Answer::Elsewhere,
        })
    });
    all_hold(found, 2);
}
