//! What `coase opf` prints for people.

use coase_scenarios::answers::OpfAnswer;
use std::fmt::Write;

/// For people.
pub fn text(answer: &OpfAnswer) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{}", words.trim_end()).expect("writing to a string");
    let Some(objective) = answer.objective_per_h else {
        line(format!("{}: {} ({})", answer.network, answer.status, answer.formulation));
        return text;
    };
    let gap = answer.gap.map_or(String::new(), |gap| format!(", at most {gap:.1e} from the best"));
    line(format!("{}: {} ({}), {objective:.6} per h{gap}", answer.network, answer.status, answer.formulation));
    match answer.slack_voltage {
        Some("held") => line("  slacks held at their set point".into()),
        Some(_) => line("  slacks at the best voltage within their limits".into()),
        None => {}
    }
    if let Some(kg) = answer.emissions_kg_per_h {
        line(format!("  emissions  {kg:.3} kg/h"));
    }
    line(format!("\n{:>8} {:>14} {:>14}", "at bus", "kW", "kvar"));
    for g in &answer.generators {
        line(format!("{:>8} {} {}", g.bus, number(g.p_kw, 14, 3), number(g.q_kvar, 14, 3)));
    }
    let with_carbon = answer.emissions_kg_per_h.is_some();
    let head = if with_carbon { "     carbon    average   marginal" } else { "" };
    line(format!(
        "\n{:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}{head}",
        "bus", "voltage", "price", "energy", "loss", "congestion", "voltage"
    ));
    let units = if with_carbon { "    per kWh     kg/kWh     kg/kWh" } else { "" };
    line(format!("{:>8} {:>10}{}{units}", "", "pu", format!(" {:>10}", "per kWh").repeat(5)));
    for b in &answer.buses {
        let price = [b.price_per_kwh, b.energy, b.loss, b.congestion, b.voltage].map(|v| number(v, 10, 6));
        let carbon = [b.carbon, b.carbon_intensity_kg_per_kwh, b.marginal_emission_kg_per_kwh];
        let carbon = if with_carbon { carbon.map(|v| number(v, 10, 6)).join(" ") } else { String::new() };
        line(format!("{:>8} {} {} {carbon}", b.id, number(b.voltage_pu, 10, 6), price.join(" ")));
    }
    text
}

/// Right-aligned with so many decimals; a dash where there is none.
fn number(x: Option<f64>, width: usize, decimals: usize) -> String {
    x.map_or_else(|| format!("{:>width$}", "-"), |x| format!("{:>width$.decimals$}", x + 0.0))
}
