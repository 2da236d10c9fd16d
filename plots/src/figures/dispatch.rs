//! The dispatch of one participant: what comes in stacked upwards, what goes out downwards, the net position on top.

use super::{Absent, Basis, Picture, shown_of};
use crate::axis::Axis;
use crate::canvas::{Fill, Stroke};
use crate::color::Rgb;
use crate::figure::{Entry, Figure, Key};
use crate::panel::Panel;
use crate::store::PeriodRow;
use crate::study::{Study, largest, power};
use crate::style::{BLACK, BLUE, GREEN, GREY, Hatch, ONE_COLUMN_MM, ORANGE, PINK, RED, SKY, WHITE, YELLOW};
use crate::text::literal;

/// Participants that get a figure of their own.
const MOST_PARTICIPANTS: usize = 12;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    let mechanism = study.best_market(policy).ok_or(Absent::NoRun)?;
    let run = *study.runs(mechanism, policy).first().ok_or(Absent::NoRun)?;
    if study.clock.periods == 1 {
        return Err(Absent::OnePeriod);
    }
    let mut pictures = Vec::new();
    let all = study.participants.len();
    let rest = shown_of(all.min(MOST_PARTICIPANTS), all, "participants, a picture each", "the first of the scenario");
    for &participant in study.participants.iter().take(MOST_PARTICIPANTS) {
        let rows = study.periods(run, participant);
        let layers = layers(study, &rows);
        if layers.is_empty() {
            continue;
        }
        let entity = study.participant(participant);
        pictures.push(Picture {
            qualifier: entity.key.clone(),
            title: format!("Dispatch of {}", entity.name),
            caption: format!(
                "Dispatch of {} under {}, carbon policy {}: sources upwards, uses downwards.{rest}{}",
                entity.name,
                study.mechanism(mechanism).name,
                study.policy(policy).name,
                study.footnote(&Basis::OneRun)
            ),
            canvas: stack(study, &layers, &rows).canvas,
        });
    }
    if pictures.is_empty() { Err(Absent::NoPeriods) } else { Ok(pictures) }
}

/// One kind of source or use.
struct Layer {
    name: String,
    fill: Fill,
    side: Side,
    /// Magnitude by period, kW.
    power: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Source,
    Use,
}

/// How the two directions of a device are called and look. The order is that of the stack, from zero outwards.
struct Look {
    kind: &'static str,
    source: Option<(&'static str, Fill)>,
    r#use: Option<(&'static str, Fill)>,
}

const fn plain(color: Rgb) -> Fill {
    Fill::new(color).edged()
}

fn looks() -> Vec<Look> {
    let look = |kind, source, r#use| Look { kind, source, r#use };
    vec![
        look("micro_turbine", Some(("Turbine", plain(Rgb::hex(0x8C8C8C)))), None),
        look("wind", Some(("Wind", plain(SKY))), None),
        look("pv", Some(("PV", plain(YELLOW))), None),
        look(
            "storage",
            Some(("Discharge", plain(GREEN).hatched(Hatch::Forward))),
            Some(("Charge", plain(GREEN.mix(WHITE, 0.5)).hatched(Hatch::Back))),
        ),
        look("load", None, Some(("Load", plain(BLUE)))),
        look("hvac", None, Some(("HVAC", plain(ORANGE)))),
        look(
            "ev_fleet",
            Some(("EV discharge", plain(PINK.mix(WHITE, 0.5)).hatched(Hatch::Forward))),
            Some(("EV", plain(PINK).hatched(Hatch::Cross))),
        ),
        look("interruptible", Some(("Interrupted", plain(BLUE.mix(WHITE, 0.75)).hatched(Hatch::Dots))), None),
        look(
            "shiftable",
            Some(("Shifted out", plain(BLUE.mix(WHITE, 0.75)).hatched(Hatch::Forward))),
            Some(("Shifted in", plain(BLUE.mix(WHITE, 0.5)).hatched(Hatch::Back))),
        ),
        look(
            "quadratic",
            Some(("Net generation", plain(Rgb::hex(0xB5B5B5)))),
            Some(("Net demand", plain(BLUE.mix(WHITE, 0.35)))),
        ),
    ]
}

/// The exchange of a participant, outermost in the stack.
fn exchange(rows: &[&PeriodRow]) -> [Layer; 4] {
    let layer = |name: &str, fill, side, value: &dyn Fn(&PeriodRow) -> Option<f64>| Layer {
        name: name.into(),
        fill,
        side,
        power: rows.iter().map(|r| value(r).unwrap_or(0.0).max(0.0)).collect(),
    };
    let p2p = RED.mix(WHITE, 0.55);
    [
        layer("P2P bought", plain(p2p).hatched(Hatch::Horizontal), Side::Source, &|r| r.p2p_bought_kw),
        layer("Import", plain(Rgb::hex(0xDDDDDD)).hatched(Hatch::Dots), Side::Source, &|r| r.grid_import_kw),
        layer("P2P sold", plain(p2p).hatched(Hatch::Cross), Side::Use, &|r| r.p2p_sold_kw),
        layer("Export", plain(WHITE).hatched(Hatch::Forward), Side::Use, &|r| r.grid_export_kw),
    ]
}

/// The layers that carry power, in the order of the stack.
fn layers(study: &Study, rows: &[&PeriodRow]) -> Vec<Layer> {
    let looks = looks();
    let rank = |kind: &str| looks.iter().position(|l| l.kind == kind).unwrap_or(looks.len());
    let mut devices: Vec<usize> = (0..study.store.devices.len()).collect();
    devices.sort_by_key(|d| rank(&study.store.devices[*d].0));
    let mut out = Vec::new();
    for d in devices {
        let kind = &study.store.devices[d].0;
        let known = looks.iter().find(|l| l.kind == kind);
        let fallback = literal(&kind.replace('_', " "));
        for side in [Side::Source, Side::Use] {
            let sign = if side == Side::Source { 1.0 } else { -1.0 };
            let power: Vec<f64> = rows.iter().map(|r| (sign * r.devices_kw[d].unwrap_or(0.0)).max(0.0)).collect();
            let look = known.and_then(|l| if side == Side::Source { l.source } else { l.r#use });
            let (name, fill) = look.map_or_else(
                || (fallback.clone(), plain(GREY.mix(WHITE, 0.4)).hatched(Hatch::Horizontal)),
                |(name, fill)| (name.to_owned(), fill),
            );
            out.push(Layer { name, fill, side, power });
        }
    }
    out.extend(exchange(rows));
    out.retain(|l| l.power.iter().any(|v| *v > 1e-6));
    out
}

fn stack(study: &Study, layers: &[Layer], rows: &[&PeriodRow]) -> Figure {
    let clock = study.clock;
    let sum = |side: Side| -> Vec<f64> {
        let of_side = layers.iter().filter(|l| l.side == side);
        of_side.fold(vec![0.0; rows.len()], |acc, l| acc.iter().zip(&l.power).map(|(a, b)| a + b).collect())
    };
    let (up, down) = (sum(Side::Source), sum(Side::Use));
    let unit = power(largest(up.iter().chain(&down).copied()) / 2.0);
    let net: Vec<Option<f64>> = rows.iter().map(|r| r.net_export_kw.map(|v| v * unit.factor)).collect();

    let mut figure = Figure::new(ONE_COLUMN_MM, 70.0);
    let entries = |side: Side| -> Vec<Entry> {
        layers.iter().filter(|l| l.side == side).map(|l| (Key::Fill(l.fill), l.name.clone())).collect()
    };
    let net_line = Stroke::new(BLACK, 1.4);
    let net_entry: Vec<Entry> = vec![(Key::Line(net_line), "Net position (export \u{2212} import)".into())];
    figure.legend(&[entries(Side::Source), entries(Side::Use), net_entry]);

    let ends = up.iter().copied().chain(down.iter().map(|v| -v)).map(|v| v * unit.factor);
    let y = Axis::from_zero(ends.chain(net.iter().flatten().copied()), 6, &format!("Power ({})", unit.label));
    let panel = figure.single(Panel::new(clock.axis(clock.label), y));
    let c = &mut figure.canvas;
    panel.back(c);
    for side in [Side::Source, Side::Use] {
        let sign = if side == Side::Source { unit.factor } else { -unit.factor };
        let mut base = vec![0.0; rows.len()];
        for layer in layers.iter().filter(|l| l.side == side) {
            let top: Vec<f64> = base.iter().zip(&layer.power).map(|(b, v)| b + sign * v).collect();
            panel.between_steps(c, &base, &top, clock.step, layer.fill);
            base = top;
        }
    }
    panel.steps(c, &net, clock.step, Stroke::new(WHITE, 2.8));
    panel.steps(c, &net, clock.step, net_line);
    panel.front(c);
    figure
}
