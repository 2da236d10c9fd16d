//! What `coase flow` prints for people.

use coase_scenarios::answers::{CarbonAnswer, FlowAnswer};
use std::fmt::Write;

/// For people.
pub fn text(answer: &FlowAnswer) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{}", words.trim_end()).expect("writing to a string");
    if !answer.converged {
        line(format!("{}: no power flow found", answer.network));
        return text;
    }
    line(format!("{}: solved in {} {}", answer.network, answer.iterations, answer.method));
    line(format!("  supply  {} kW  {} kvar", number(answer.slack_kw, 3), number(answer.slack_kvar, 3)));
    line(format!("  losses  {} kW  {} kvar", number(answer.loss_kw, 3), number(answer.loss_kvar, 3)));
    if let (Some(lowest), Some(bus)) = (answer.min_voltage_pu, answer.min_voltage_bus) {
        line(format!("  lowest voltage  {lowest:.6} pu at bus {bus}"));
    }
    let CarbonAnswer { source_kg_per_h, load_kg_per_h, loss_kg_per_h } = answer.carbon;
    let traced = source_kg_per_h.is_some();
    if traced {
        let [source, load, loss] = [source_kg_per_h, load_kg_per_h, loss_kg_per_h].map(|kg| number(kg, 3));
        line(format!("  carbon  sources {source} kg/h = loads {load} + losses {loss}"));
    }
    line(format!(
        "\n{:>8} {:>12} {:>12}{}",
        "bus",
        "voltage pu",
        "angle deg",
        if traced { "       kg/kWh" } else { "" }
    ));
    for bus in &answer.buses {
        let intensity = if traced { format!(" {}", number(bus.carbon_intensity_kg_per_kwh, 6)) } else { String::new() };
        line(format!("{:>8} {} {}{intensity}", bus.id, number(bus.voltage_pu, 6), number(bus.angle_deg, 4)));
    }
    let carbon_head = if traced { "  carbon kg/h" } else { "" };
    line(format!("\n{:>8} {:>8} {:>12} {:>12} {:>12}{carbon_head}", "from", "to", "kW", "kvar", "loss kW"));
    for branch in &answer.branches {
        if branch.in_service {
            let carbon = if traced { format!(" {}", number(branch.carbon_flow_kg_per_h, 3)) } else { String::new() };
            let [p, q, loss] = [branch.p_from_kw, branch.q_from_kvar, branch.loss_kw].map(|kw| number(kw, 3));
            line(format!("{:>8} {:>8} {p} {q} {loss}{carbon}", branch.from, branch.to));
        } else {
            line(format!("{:>8} {:>8} {:>12}", branch.from, branch.to, "open"));
        }
    }
    text
}

/// Right-aligned with so many decimals; a dash where there is none.
fn number(x: Option<f64>, decimals: usize) -> String {
    x.map_or_else(|| format!("{:>12}", "-"), |x| format!("{:>12.decimals$}", x + 0.0))
}
