//! `coase opf`: optimal power flow, and what a kilowatt-hour costs at every bus.

mod answer;

use crate::args::{Formulation, Opf};
use crate::flow::carbon::CarbonFile;
use crate::{Finish, console, network};
use answer::Answer;
use anyhow::ensure;
use coase_core::network::{Cost, Generator, Network, Topology};
use coase_core::opf::{CarbonPricing, SlackVoltage, ac_opf, dc_opf, lin_dist_opf, relaxed_opf};

/// Solves the optimal power flow of a network and prints dispatch and prices.
pub fn opf(args: &Opf) -> anyhow::Result<Finish> {
    let mut network = network::load(&args.network)?;
    let carbon = args.carbon.as_deref().map(|path| CarbonFile::read(path, &network)).transpose()?;
    let price = args.carbon_price.unwrap_or(0.0);
    ensure!(price.is_finite() && price >= 0.0, "--carbon-price {price}: a price per tonne is not negative");
    if count_energy_where_nothing_has_a_cost(&mut network) {
        let name = &network.name;
        console::error(&format!("note: no generator of `{name}` has a cost; every kWh generated counts 1\n"));
    }
    let pricing = carbon.map(|carbon| {
        add_generation(&mut network, &carbon);
        CarbonPricing {
            price_per_tonne: price,
            generator_kg_per_kwh: network.generators.iter().map(|g| carbon.intensity(g.node)).collect(),
            node_kg_per_kwh: network.nodes().map(|n| carbon.intensity(n)).collect(),
        }
    });
    let formulation = args
        .formulation
        .unwrap_or_else(|| if Topology::new(&network).is_radial() { Formulation::Ac } else { Formulation::Dc });
    let slack = if args.hold_slack { SlackVoltage::Held } else { SlackVoltage::WithinLimits };
    let with_voltages = formulation != Formulation::Dc;
    if args.hold_slack && !with_voltages {
        console::error("note: --hold-slack changes nothing: the DC formulation has no voltages\n");
    }
    let solved = match formulation {
        Formulation::Dc => dc_opf(&network, pricing.as_ref()).map(|found| Answer::dc(&network, &found, price)),
        Formulation::Lindistflow => {
            lin_dist_opf(&network, pricing.as_ref(), slack).map(|found| Answer::lin_dist(&network, &found, price))
        }
        Formulation::Ac => {
            ac_opf(&network, pricing.as_ref(), slack).map(|found| Answer::ac(&network, "ac", &found, price))
        }
        Formulation::Relaxed => {
            relaxed_opf(&network, pricing.as_ref(), slack).map(|found| Answer::ac(&network, "relaxed", &found, price))
        }
    };
    let answer = match solved {
        Ok(mut answer) => {
            answer.slack_voltage = match slack {
                _ if !with_voltages => None,
                SlackVoltage::Held => Some("held"),
                SlackVoltage::WithinLimits => Some("chosen"),
            };
            answer
        }
        Err(lost) => {
            let Some(answer) = Answer::lost(&network, formulation.name(), &lost) else { return Err(lost.into()) };
            console::error(&format!("error: {}: {lost}\n", network.name));
            answer
        }
    };
    for missed in &answer.missed {
        console::error(&format!("error: {}: {missed}\n", network.name));
    }
    if answer.status == "inexact" {
        let name = &network.name;
        console::error(&format!(
            "note: the relaxation of `{name}` is no power flow: its value is a bound, not a dispatch\n"
        ));
    }
    if args.json {
        console::print_json(&answer)?;
    } else {
        console::print(&answer.text());
    }
    Ok(if answer.converged { Finish::Done } else { Finish::SomeFailed })
}

/// Networks for power flow studies name no costs: the least generation is a question all the same.
fn count_energy_where_nothing_has_a_cost(network: &mut Network) -> bool {
    let running = network.generators.iter().filter(|g| g.in_service);
    if running.clone().count() == 0 || running.clone().any(|g| g.cost_per_h.is_some()) {
        return false;
    }
    for generator in network.generators.iter_mut().filter(|g| g.in_service) {
        generator.cost_per_h = Some(Cost::Polynomial(vec![0.0, 1.0]));
    }
    true
}

/// What a carbon file adds is there anyway: no decision and no cost.
fn add_generation(network: &mut Network, carbon: &CarbonFile) {
    for (node, p_kw, q_kvar) in carbon.added() {
        network.generators.push(Generator {
            node,
            p_kw,
            q_kvar,
            p_min_kw: p_kw,
            p_max_kw: p_kw,
            q_min_kvar: q_kvar,
            q_max_kvar: q_kvar,
            v_pu: None,
            cost_per_h: Some(Cost::Polynomial(vec![])),
            ..Generator::default()
        });
    }
}
