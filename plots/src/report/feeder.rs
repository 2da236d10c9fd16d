//! The feeder at a period that the reader chooses, in the colours of a quantity that the reader chooses. Without the script one
//! picture stands there: the voltages when one is farthest from the nominal.

use super::data::Json;
use super::html::{Html, escaped};
use super::panel::Panel;
use super::{Page, name, paragraph};
use crate::color::{DIVERGING, Map, Rgb, SEQUENTIAL};
use crate::figures::feeder_layout::{Layout, parents};
use crate::geometry::Pt;
use crate::store::{BranchRow, NodeRow};
use crate::study::Clock;
use crate::text::number;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Bytes of data for all scenarios of a page.
const MOST_BYTES: usize = 900_000;
/// Distance of columns where there is room, of lanes, and the margin around all, in units of the drawing.
const COLUMN: f64 = 44.0;
const LANE: f64 = 46.0;
const MARGIN: f64 = 34.0;
/// A drawing is this wide at most: longer feeders have shorter columns.
const WIDEST: f64 = 1500.0;
/// Buses have their number where columns are at least so far apart.
const NUMBERED: f64 = 22.0;
/// The voltage in the middle of its colours, p.u.
const NOMINAL: f64 = 1.0;
/// Colours of a scale in the data.
const STEPS: usize = 11;

/// What buses or branches are coloured by.
struct Quantity {
    key: &'static str,
    name: &'static str,
    unit: &'static str,
    map: Map,
}

const VOLTAGE: Quantity = Quantity { key: "voltage", name: "Voltage", unit: "p.u.", map: DIVERGING };
const BY_BUS: [Quantity; 2] = [
    Quantity { key: "intensity", name: "Carbon intensity", unit: "kg/kWh", map: SEQUENTIAL },
    Quantity { key: "price", name: "Nodal price", unit: "", map: SEQUENTIAL },
];
const POWER: Quantity = Quantity { key: "power", name: "Power in branches", unit: "kW", map: SEQUENTIAL };

/// Writes a block for every scenario with a radial feeder.
pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    for panel in panels {
        scenario(page, panel, MOST_BYTES / panels.len(), html);
    }
}

/// A run on the feeder.
struct Flown {
    label: String,
    nodes: Vec<NodeRow>,
    /// By period and bus: power towards it from its parent, kW.
    power: BTreeMap<(usize, u64), f64>,
}

fn scenario(page: &Page, panel: &Panel, most: usize, html: &mut Html) {
    let facts = page.store.facts(panel.scenario);
    let strands = &facts.feeder;
    let periods = Clock::of(page.store, panel.scenario).periods;
    let cells: Vec<(String, usize)> = panel
        .compared
        .iter()
        .filter_map(|((m, p), runs)| {
            Some((format!("{} under {}", name(page.mechanism(*m)), name(page.policy(*p))), *runs.first()?))
        })
        .collect();
    let Some(edges) = cells.iter().map(|(_, run)| page.store.branches(*run)).find(|rows| !rows.is_empty()) else {
        return;
    };
    let edges: Vec<(u64, u64)> =
        edges.iter().filter(|row| row.period == edges[0].period).map(|row| (row.from, row.to)).collect();
    let Some(parent) = parents(strands, &edges) else {
        return paragraph(html, &format!("The network of {} is meshed: it is not drawn.", panel.scenario));
    };
    let layout = Layout::of(strands, &parent);
    let buses: Vec<u64> = strands.iter().flatten().copied().collect();
    if buses.iter().any(|bus| !layout.places.contains_key(bus)) {
        return;
    }
    let (mut runs, mut bytes, mut first): (Vec<Json>, usize, Option<Flown>) = (vec![], 0, None);
    for (label, run) in &cells {
        let nodes = page.store.nodes(*run);
        if nodes.is_empty() {
            continue;
        }
        let flown = Flown { label: label.clone(), nodes, power: power(&page.store.branches(*run), &parent) };
        let data = flown.data(&buses, periods);
        bytes += data.len();
        if bytes > most && first.is_some() {
            break;
        }
        runs.push(data);
        first.get_or_insert(flown);
    }
    let Some(first) = first else { return };
    let shown = runs.len();
    let currency = page.currency(panel.scenario);
    let quantities = std::iter::once(&VOLTAGE).chain(&BY_BUS).chain([&POWER]).map(|quantity| {
        let unit = if quantity.key == "price" { format!("{currency}/kWh") } else { quantity.unit.to_owned() };
        let colors = (0..STEPS).map(|k| quantity.map.at(k as f64 / (STEPS - 1) as f64).css());
        let colors: Vec<String> = colors.collect();
        Json::object([
            ("key", Json::text(quantity.key)),
            ("name", Json::text(quantity.name)),
            ("unit", Json::text(&unit)),
            ("colors", Json::texts(colors.iter().map(String::as_str))),
        ])
    });
    let data = Json::object([
        ("hours", Json::number(facts.period_h)),
        ("periods", Json::number(Some(periods as f64))),
        ("buses", Json::list(buses.iter().map(|bus| Json::number(Some(*bus as f64))))),
        ("quantities", Json::list(quantities)),
        ("limits", Json::numbers([facts.v_min_pu, facts.v_max_pu])),
        ("runs", Json::list(runs)),
    ]);
    let drawing = Drawing { layout: &layout, buses: &buses, members: &facts.participant_bus };
    let (period, svg) = drawing.voltages(&first);
    html.element("h3", &[], &format!("The feeder, {}", panel.scenario));
    html.open("div", &[("class", "explore"), ("data-explore", "feeder")]);
    html.open("div", &[("class", "scroll wide"), ("role", "region"), ("aria-label", "The feeder"), ("tabindex", "0")]);
    html.raw(&svg).close();
    html.open("p", &[("class", "told"), ("aria-live", "polite")]);
    html.say(&format!(
        "Voltage, {}, in period {period}, when one is farthest from {NOMINAL} p.u. The root is at the left; squares are buses of \
         participants.",
        first.label
    ));
    html.close().json(data.as_str()).close();
    let left_out = if shown < cells.len() {
        format!(
            " Of {} combinations {shown} are in the page, or have a network state: the others are in `nodes.csv` and `branches.csv`.",
            cells.len()
        )
    } else {
        String::new()
    };
    if !left_out.is_empty() {
        paragraph(html, left_out.trim());
    }
}

/// Power in branches by the bus that they lead to.
fn power(rows: &[BranchRow], parent: &BTreeMap<u64, u64>) -> BTreeMap<(usize, u64), f64> {
    let outwards = |row: &BranchRow| {
        let kw = row.p_from_kw?;
        let leads = parent.get(&row.to) == Some(&row.from);
        Some(if leads { ((row.period, row.to), kw) } else { ((row.period, row.from), -kw) })
    };
    rows.iter().filter_map(outwards).collect()
}

impl Flown {
    /// Values by period and bus, periods after one another; quantities that are nowhere known are left out.
    fn data(&self, buses: &[u64], periods: usize) -> Json {
        let at: BTreeMap<(usize, u64), &NodeRow> = self.nodes.iter().map(|row| ((row.period, row.bus), row)).collect();
        let of = |value: &dyn Fn(usize, u64) -> Option<f64>| {
            let values: Vec<Option<f64>> = (0..periods)
                .flat_map(|t| buses.iter().map(move |bus| (t, *bus)))
                .map(|(t, bus)| value(t, bus))
                .collect();
            values.iter().any(Option::is_some).then(|| Json::numbers(values))
        };
        let node = |value: fn(&NodeRow) -> Option<f64>| of(&|t, bus| at.get(&(t, bus)).and_then(|row| value(row)));
        let fields = [
            (VOLTAGE.key, node(|row| row.voltage_pu)),
            (BY_BUS[0].key, node(|row| row.carbon_intensity_kg_per_kwh)),
            (BY_BUS[1].key, node(|row| row.price_per_kwh)),
            (POWER.key, of(&|t, bus| self.power.get(&(t, bus)).copied())),
        ];
        let known = fields.into_iter().filter_map(|(key, values)| Some((key, values?)));
        Json::object(std::iter::once(("name", Json::text(&self.label))).chain(known))
    }
}

struct Drawing<'a> {
    layout: &'a Layout,
    buses: &'a [u64],
    members: &'a BTreeMap<String, u64>,
}

impl Drawing<'_> {
    /// The feeder in the colours of its voltages when one is farthest from the nominal, and that period.
    fn voltages(&self, run: &Flown) -> (usize, String) {
        let off = |row: &&NodeRow| row.voltage_pu.map_or(0.0, |v| (v - NOMINAL).abs());
        let worst = run.nodes.iter().max_by(|a, b| off(a).total_cmp(&off(b)));
        let (period, half) = worst.map_or((0, 0.0), |row| (row.period, off(&row)));
        let of: BTreeMap<u64, f64> = run
            .nodes
            .iter()
            .filter(|row| row.period == period)
            .filter_map(|row| Some((row.bus, row.voltage_pu?)))
            .collect();
        let scaled = |v: f64| if half > 0.0 { 0.5 + (v - NOMINAL) / (2.0 * half) } else { 0.5 };
        let look = |bus: u64| match of.get(&bus) {
            Some(v) => (VOLTAGE.map.at(scaled(*v)), format!("bus {bus}: {} p.u.", number(*v, 4))),
            None => (Rgb(255, 255, 255), format!("bus {bus}: not known")),
        };
        let ends = [NOMINAL - half, NOMINAL + half].map(|v| format!("{} p.u.", number(v, 3)));
        (period, self.svg(&look, &ends))
    }

    fn svg(&self, look: &dyn Fn(u64) -> (Rgb, String), ends: &[String; 2]) -> String {
        let ((left, right), (top, bottom)) = self.layout.extent();
        let column = (WIDEST / (right - left).max(1.0)).min(COLUMN);
        let radius = (0.3 * column).clamp(3.0, 10.0);
        let at = |p: &Pt| (MARGIN + (p.0 - left) * column, MARGIN + (p.1 - top) * LANE);
        let (width, height) =
            ((2.0 * MARGIN + (right - left) * column).max(320.0), 2.0 * MARGIN + (bottom - top) * LANE + 34.0);
        let mut out = format!(
            "<svg class=\"feeder\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=\"img\" \
             aria-label=\"The feeder with its buses\" font-size=\"11\">\n"
        );
        for (bus, line) in &self.layout.lines {
            let points: Vec<String> = line.iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                out,
                "<polyline data-branch=\"{bus}\" points=\"{}\" fill=\"none\" stroke=\"#6b6b6b\" stroke-width=\"2.5\"><title>branch to bus \
                 {bus}</title></polyline>",
                points.join(" ")
            );
        }
        for bus in self.buses {
            let (x, y) = at(&self.layout.places[bus]);
            let (color, told) = look(*bus);
            let members: Vec<&str> =
                self.members.iter().filter(|(_, at)| *at == bus).map(|(id, _)| id.as_str()).collect();
            let is_member = !members.is_empty();
            // Squares, so that colour is not all that tells them apart.
            let corner = if is_member { 1.5 } else { radius };
            let _ = write!(
                out,
                "<rect data-bus=\"{bus}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{corner:.1}\" fill=\"{}\" \
                 stroke=\"#1b1b1b\" stroke-width=\"{}\"><title>{}</title></rect>",
                x - radius,
                y - radius,
                2.0 * radius,
                2.0 * radius,
                color.css(),
                if is_member { 2.2 } else { 0.8 },
                escaped(&told)
            );
            if column >= NUMBERED {
                let ink = if color.luminance() > 0.3 { "#000" } else { "#fff" };
                let _ = write!(
                    out,
                    "<text data-number=\"{bus}\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{ink}\" \
                     pointer-events=\"none\">{bus}</text>",
                    y + 3.9
                );
            }
            if is_member {
                let shown = if members.len() > 1 {
                    format!("{} and {} more", members[0], members.len() - 1)
                } else {
                    members[0].to_owned()
                };
                let shown: String = shown.chars().take(16).collect();
                let _ = write!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#1b1b1b\">{}</text>",
                    y - radius - 4.0,
                    escaped(&shown)
                );
            }
            out.push('\n');
        }
        let y = height - 20.0;
        for k in 0..STEPS {
            let color = VOLTAGE.map.at(k as f64 / (STEPS - 1) as f64).css();
            let _ = write!(
                out,
                "<rect data-step=\"{k}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"16\" height=\"10\" fill=\"{color}\"/>",
                MARGIN + 70.0 + 16.0 * k as f64
            );
        }
        let _ = write!(
            out,
            "<text data-end=\"0\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><text data-end=\"1\" x=\"{:.1}\" y=\"{:.1}\">{}</text></svg>",
            MARGIN + 66.0,
            y + 9.0,
            escaped(&ends[0]),
            MARGIN + 74.0 + 16.0 * STEPS as f64,
            y + 9.0,
            escaped(&ends[1])
        );
        out
    }
}
