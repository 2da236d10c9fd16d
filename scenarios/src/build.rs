//! From a resolved scenario to the objects of the model, with every number checked on the way.

use crate::draws::Drawn;
use crate::fault::{Cause, Fault, did_you_mean};
use crate::resolve::{self, Incomplete, LeftOut};
use crate::spec::{self, NetworkSource, Scenario};
use crate::text::Text;
use coase_core::network::{BuiltIn, Network, NodeId, Topology, built_in};
use coase_core::participant::{DeviceError, Participant, Portfolio};
use coase_core::setting::{Feeder, FixedPointSearch, Member, Periods, Product, Setting, Tariff};
use coase_store::hash_of as hex;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Names that tables use for others than participants.
const RESERVED: [&str; 4] = ["operator", "dso", "grid", "authority"];

/// A scenario ready to run: its resolved form, and what it becomes in the model.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The form in which it is hashed: every option filled in, every series a list of the periods that are run.
    pub form: Scenario,
    /// What everybody knows.
    pub setting: Setting,
    /// Who takes part, truly.
    pub participants: Vec<Arc<dyn Participant>>,
    /// Hash of the form.
    pub hash: String,
    /// Charging sessions that a shortened horizon leaves out.
    pub left_out: Vec<LeftOut>,
}

/// Fills in what is left open, cuts the horizon and builds the model.
pub(crate) fn instance(
    mut form: Scenario,
    drawn: Option<Drawn>,
    first_periods: Option<usize>,
    text: &Text,
) -> Result<Instance, Fault> {
    form.realise(drawn, text)?;
    check_frame(&form, text)?;
    derive(&mut form, text)?;
    let whole = portfolios(&form, text)?;
    for (participant, portfolio) in form.participants.iter_mut().zip(&whole) {
        let rating = portfolio.rating();
        participant.import_max_kw.get_or_insert(rating.demand_kw);
        participant.export_max_kw.get_or_insert(rating.supply_kw);
    }
    let horizon = first_periods.unwrap_or(form.periods);
    let left_out = resolve::truncate(&mut form, horizon);
    derive(&mut form, text)?;
    let feeder = feeder(&form, text)?;
    let portfolios = portfolios(&form, text)?;
    let members = members(&form, feeder.as_ref(), &portfolios, text)?;
    let tariff = Tariff {
        buy_per_kwh: form.grid.buy_price_per_kwh.values().to_vec(),
        sell_per_kwh: form.grid.sell_price_per_kwh.values().to_vec(),
        intensity_kg_per_kwh: form.grid.intensity_kg_per_kwh.values().to_vec(),
        upstream_carbon_per_tonne: form.grid.upstream_carbon_in_tariff,
    };
    let goods: BTreeSet<Product> =
        portfolios.iter().flat_map(Portfolio::devices).flat_map(|device| device.goods()).copied().collect();
    let setting = Setting {
        choice_programs: form.choice_programs,
        fixed_point: FixedPointSearch { rounds: form.fixed_point_rounds, attempts: form.fixed_point_attempts },
        ..Setting::energy(periods(&form), Some(tariff), feeder, members)
    }
    .with_goods(goods);
    let participants = portfolios.into_iter().map(|p| Arc::new(p) as Arc<dyn Participant>).collect();
    let hash = hex([serde_json::to_string(&form).unwrap_or_else(|error| error.to_string()).as_str()]);
    Ok(Instance { form, setting, participants, hash, left_out })
}

fn derive(form: &mut Scenario, text: &Text) -> Result<(), Fault> {
    resolve::derive(form).map_err(|Incomplete { participant, device, error }| {
        let kind = form.participants[participant].devices[device].plugin().kind;
        device_fault(text, &format!("participants.{participant}.devices.{device}"), kind, error)
    })
}

fn periods(form: &Scenario) -> Periods {
    Periods { count: form.periods, hours: form.period_h }
}

/// Checks all that is not a device or a network.
fn check_frame(form: &Scenario, text: &Text) -> Result<(), Fault> {
    let in_range = |at: &str, field: &'static str, value: f64, expected: &'static str, holds: bool| {
        if holds { Ok(()) } else { Err(text.fault(at, Cause::Value { field, value, expected })) }
    };
    let not_negative = |at: &str, field: &'static str, value: f64| {
        in_range(at, field, value, "at least 0", value.is_finite() && value >= 0.0)
    };
    if form.name.is_empty() {
        return Err(text.fault("name", Cause::Empty("the name of the scenario")));
    }
    check_name(text, "name", "the name of a scenario", &form.name)?;
    check_name(text, "currency", "a currency", &form.currency)?;
    if form.participants.is_empty() {
        return Err(text.fault("participants", Cause::Empty("the list of participants")));
    }
    let hours = form.period_h;
    in_range("period_h", "period_h", hours, "more than 0", hours.is_finite() && hours > 0.0)?;
    let grid = &form.grid;
    let (buy, sell) = (grid.buy_price_per_kwh.values(), grid.sell_price_per_kwh.values());
    if let Some(period) = (0..form.periods).find(|t| sell[*t] > buy[*t]) {
        let cause = Cause::MoneyPump { period, buy: buy[period], sell: sell[period] };
        return Err(text.fault("grid.sell_price_per_kwh", cause));
    }
    let intensity = grid.intensity_kg_per_kwh.values();
    for value in intensity {
        not_negative("grid.intensity_kg_per_kwh", "intensity_kg_per_kwh", *value)?;
    }
    let at = "grid.upstream_carbon_in_tariff";
    not_negative(at, "upstream_carbon_in_tariff", grid.upstream_carbon_in_tariff)?;
    let programs = form.choice_programs as f64;
    in_range("choice_programs", "choice_programs", programs, "at least 1", programs >= 1.0)?;
    let (rounds, attempts) = (form.fixed_point_rounds as f64, form.fixed_point_attempts as f64);
    in_range("fixed_point_rounds", "fixed_point_rounds", rounds, "at least 1", rounds >= 1.0)?;
    let known = 1.0..=FixedPointSearch::ATTEMPTS as f64;
    in_range("fixed_point_attempts", "fixed_point_attempts", attempts, "between 1 and 5", known.contains(&attempts))?;
    if let Some(damage) = form.damage_per_tonne {
        not_negative("damage_per_tonne", "damage_per_tonne", damage)?;
    }
    for (k, p) in form.participants.iter().enumerate() {
        let at = |field: &str| format!("participants.{k}.{field}");
        let bad_name = |why| Cause::Name { kind: "the id of a participant", name: p.id.clone(), why };
        if !p.id.starts_with(char::is_alphabetic) {
            return Err(text.fault(&at("id"), bad_name("ids begin with a letter")));
        }
        check_name(text, &at("id"), "the id of a participant", &p.id)?;
        if RESERVED.contains(&p.id.as_str()) {
            return Err(text.fault(&at("id"), bad_name("the ledger uses it for somebody else")));
        }
        if form.participants[..k].iter().any(|other| other.id == p.id) {
            return Err(text.fault(&at("id"), Cause::Twice { kind: "participant", name: p.id.clone() }));
        }
        let factor = p.power_factor;
        let holds = factor > 0.0 && factor <= 1.0;
        in_range(&at("power_factor"), "power_factor", factor, "more than 0, at most 1", holds)?;
        in_range(&at("quota_kg"), "quota_kg", p.quota_kg, "a number", p.quota_kg.is_finite())?;
        let limits =
            [("import_max_kw", p.import_max_kw), ("export_max_kw", p.export_max_kw), ("peer_max_kw", p.peer_max_kw)];
        for (field, limit) in limits {
            not_negative(&at(field), field, limit.unwrap_or(0.0))?;
        }
        if let Some(prior) = &p.prior {
            let least = sell.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = buy.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prior.bounded(Some((least, greatest))).map_err(|error| {
                let hint = "bids lie within the tariff: nobody sells for less than the grid pays, or buys for more";
                let cause = Cause::Prior { participant: p.id.clone(), error };
                text.fault(&at("prior"), cause).with_hint(hint.to_owned())
            })?;
        }
    }
    Ok(())
}

/// Letters beyond which a name is none.
const LONGEST_NAME: usize = 500;

/// Refuses names that no table or figure could show.
pub(crate) fn check_name(text: &Text, at: &str, kind: &'static str, name: &str) -> Result<(), Fault> {
    let why = if name.chars().nth(LONGEST_NAME).is_some() {
        "it has more than 500 letters"
    } else if name.chars().any(char::is_control) {
        "it contains a control character, such as a line break"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
    Err(text.fault(at, Cause::Name { kind, name: shown + if name.chars().nth(40).is_some() { ".." } else { "" }, why }))
}

fn members(
    form: &Scenario,
    feeder: Option<&Feeder>,
    portfolios: &[Portfolio],
    text: &Text,
) -> Result<Vec<Member>, Fault> {
    let topology = feeder.map(|f| Topology::new(&f.network));
    let node = |k: usize, bus: Option<u64>| -> Result<Option<NodeId>, Fault> {
        let (Some(feeder), Some(topology)) = (feeder, &topology) else { return Ok(None) };
        let place = format!("participants.{k}.bus");
        let why = "the scenario has a network";
        let bus = bus.ok_or_else(|| text.fault(&place, Cause::Missing { field: "bus", why }))?;
        let node = feeder.network.node(bus).ok_or_else(|| {
            let hint = format!("{} has {} buses", feeder.network.name, feeder.network.buses.len());
            text.fault(&place, Cause::Unknown { kind: "bus", name: bus.to_string() }).with_hint(hint)
        })?;
        if topology.root(node).is_none() {
            return Err(text.fault(&place, Cause::Disconnected { bus }));
        }
        Ok(Some(node))
    };
    let member = |(k, (p, portfolio)): (usize, (&spec::Participant, &Portfolio))| {
        Ok(Member {
            node: node(k, p.bus)?,
            power_factor: p.power_factor,
            rating: portfolio.rating(),
            quota_kg: p.quota_kg,
            peer_max_kw: p.peer_max_kw.unwrap_or(f64::INFINITY),
            prior: p.prior.clone(),
            least_emission_kg_per_kwh: portfolio.least_emission_kg_per_kwh(),
            ..Member::new(&p.id, p.import_max_kw.unwrap_or(0.0), p.export_max_kw.unwrap_or(0.0))
        })
    };
    form.participants.iter().zip(portfolios).enumerate().map(member).collect()
}

fn feeder(form: &Scenario, text: &Text) -> Result<Option<Feeder>, Fault> {
    let Some(written) = &form.network else { return Ok(None) };
    let mut network: Network = match &written.source {
        NetworkSource::Inline(network) => (**network).clone(),
        NetworkSource::Name(id) => match built_in(id).map(BuiltIn::network) {
            Some(Ok(network)) => network,
            Some(Err(error)) => return Err(text.fault("network.source", Cause::Network(error))),
            None => {
                let cause = Cause::Unknown { kind: "built-in network", name: id.clone() };
                return Err(text.fault("network.source", cause));
            }
        },
    };
    for bus in &mut network.buses {
        bus.v_min_pu = written.v_min_pu.unwrap_or(bus.v_min_pu);
        bus.v_max_pu = written.v_max_pu.unwrap_or(bus.v_max_pu);
    }
    for (ends, limit) in &written.branch_limit_kva {
        let place = format!("network.branch_limit_kva.{ends}");
        let branch = ends
            .split_once('-')
            .and_then(|(a, b)| Some((network.node(a.trim().parse().ok()?)?, network.node(b.trim().parse().ok()?)?)))
            .and_then(|(a, b)| network.branch_between(a, b));
        let Some(branch) = branch else {
            let near = network.branches.iter().map(|b| format!("{}-{}", network.bus(b.from).id, network.bus(b.to).id));
            let near: Vec<String> = near.collect();
            let hint = did_you_mean(ends, near.iter().map(String::as_str));
            return Err(text.fault(&place, Cause::Unknown { kind: "branch", name: ends.clone() }).with_hint(hint));
        };
        if !(limit.is_finite() && *limit > 0.0) {
            let cause = Cause::Value { field: "branch_limit_kva", value: *limit, expected: "more than 0" };
            return Err(text.fault(&place, cause));
        }
        network.branches[branch].rate_kva = Some(*limit);
    }
    if !written.load_scale.is_finite() {
        let cause = Cause::Value { field: "load_scale", value: written.load_scale, expected: "a number" };
        return Err(text.fault("network.load_scale", cause));
    }
    let passive_load_factor: Vec<f64> = written.load_shape.values().iter().map(|s| s * written.load_scale).collect();
    let feeder = Feeder::new(network, passive_load_factor);
    feeder.map(Some).map_err(|error| text.fault("network", Cause::NetworkNumbers(error)))
}

fn portfolios(form: &Scenario, text: &Text) -> Result<Vec<Portfolio>, Fault> {
    let portfolio = |(k, p): (usize, &spec::Participant)| {
        Portfolio::new(&p.id, p.devices.clone(), periods(form)).map_err(|fault| {
            let place = format!("participants.{k}.devices.{}", fault.position);
            device_fault(text, &place, fault.kind, fault.error)
        })
    };
    form.participants.iter().enumerate().map(portfolio).collect()
}

/// Points at the field of the device that is wrong.
fn device_fault(text: &Text, place: &str, kind: &'static str, error: DeviceError) -> Fault {
    let mut at = format!("{place}.{}", wrong_field(&error));
    if let DeviceError::Order { other_field, .. } = &error
        && !text.has(&at)
    {
        // Of two fields that contradict each other, the one that is written.
        at = format!("{place}.{other_field}");
    }
    text.fault(&at, Cause::Device { kind, error })
}

fn wrong_field(error: &DeviceError) -> String {
    match error {
        DeviceError::Value { field, period: Some(period), .. } => format!("{field}.{period}"),
        DeviceError::Value { field, .. }
        | DeviceError::Length { field, .. }
        | DeviceError::Order { field, .. }
        | DeviceError::Unreachable { field, .. } => (*field).to_owned(),
        DeviceError::Element { list, position, error, .. } => format!("{list}.{position}.{}", wrong_field(error)),
        DeviceError::SharesExceedLoad { .. } => "share".to_owned(),
        DeviceError::NoLoad | DeviceError::Role { .. } => String::new(),
    }
}
