//! The dispatch of one participant: what comes in stacked upwards, what goes out downwards, the net position on top.

use super::spread::{Course, Point};
use super::{Absent, Basis, Picture, shown_of};
use crate::axis::Axis;
use crate::canvas::{Fill, Stroke};
use crate::color::Rgb;
use crate::figure::{Entry, Figure, Key};
use crate::panel::Panel;
use crate::store::PeriodRow;
use crate::study::{Study, largest, power};
use crate::style::{BLACK, DOTTED, GREY, Hatch, ONE_COLUMN_MM, RED, THIN_LINE, WHITE};
use crate::text::literal;
use coase_core::participant::{Hatching, Look, Shown, devices};

/// Participants that get a figure of their own.
const MOST_PARTICIPANTS: usize = 12;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policy = study.reference_policy().ok_or(Absent::NoRun)?;
    let mechanism = study.best_market(policy).ok_or(Absent::NoRun)?;
    let all_runs = study.runs(mechanism, policy);
    // every seed where they differ, else the first alone
    let runs = &all_runs[..if study.seeds_matter() { all_runs.len() } else { all_runs.len().min(1) }];
    if runs.is_empty() {
        return Err(Absent::NoRun);
    }
    if study.clock.periods == 1 {
        return Err(Absent::OnePeriod);
    }
    let mut pictures = Vec::new();
    let all = study.participants.len();
    let rest = shown_of(all.min(MOST_PARTICIPANTS), all, "participants, a picture each", "the first of the scenario");
    for &participant in study.participants.iter().take(MOST_PARTICIPANTS) {
        let seeds: Vec<Vec<PeriodRow>> = runs.iter().map(|run| study.periods(*run, participant)).collect();
        let layers = layers(study, &seeds);
        if layers.is_empty() {
            continue;
        }
        let entity = study.participant(participant);
        pictures.push(Picture {
            qualifier: entity.key.clone(),
            title: format!("Dispatch of {}", entity.name),
            caption: format!(
                "Dispatch of {} under {}, carbon policy {}: sources upwards, uses downwards.{rest}{}{}",
                entity.name,
                study.mechanism(mechanism).name,
                study.policy(policy).name,
                study.footnote(if runs.len() > 1 { &Basis::PlainMeans } else { &Basis::OneRun }),
                if runs.len() > 1 {
                    " Between the dotted lines lie the net positions of 90 % of the seeds."
                } else {
                    ""
                }
            ),
            canvas: stack(study, &layers, &seeds).canvas,
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

const fn plain(color: Rgb) -> Fill {
    Fill::new(color).edged()
}

/// How a kind of device is shown, as it says itself; in grey where nothing in this program knows it.
fn look(kind: &str) -> Look {
    devices().into_iter().find(|plugin| plugin.kind == kind).map_or(Look::NONE, |plugin| plugin.look)
}

fn shown(shown: Shown) -> (String, Fill) {
    let fill = plain(Rgb::hex(shown.colour));
    let hatch = match shown.hatch {
        Hatching::Plain => Hatch::None,
        Hatching::Forward => Hatch::Forward,
        Hatching::Back => Hatch::Back,
        Hatching::Cross => Hatch::Cross,
        Hatching::Dots => Hatch::Dots,
        Hatching::Horizontal => Hatch::Horizontal,
    };
    (shown.label.to_owned(), fill.hatched(hatch))
}

/// The mean over the seeds by period.
fn means(seeds: &[Vec<PeriodRow>], value: &dyn Fn(&PeriodRow) -> f64) -> Vec<f64> {
    let of_seed = |rows: &Vec<PeriodRow>| rows.iter().map(|row| Some(value(row))).collect::<Vec<_>>();
    let course = Course::over(&seeds.iter().map(of_seed).collect::<Vec<_>>());
    course.points.iter().map(|point| point.map_or(0.0, |point| point.mean)).collect()
}

/// The exchange of a participant, outermost in the stack.
fn exchange(seeds: &[Vec<PeriodRow>]) -> [Layer; 4] {
    let layer = |name: &str, fill, side, value: &dyn Fn(&PeriodRow) -> Option<f64>| Layer {
        name: name.into(),
        fill,
        side,
        power: means(seeds, &|r| value(r).unwrap_or(0.0).max(0.0)),
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
fn layers(study: &Study, seeds: &[Vec<PeriodRow>]) -> Vec<Layer> {
    let mut devices: Vec<(usize, Look)> = study.store.devices.iter().map(|d| look(&d.0)).enumerate().collect();
    // The order is that of the stack, from zero outwards.
    devices.sort_by_key(|(_, look)| look.place);
    let mut out = Vec::new();
    for (d, look) in devices {
        let in_grey = || {
            let name = literal(&study.store.devices[d].0.replace('_', " "));
            (name, plain(GREY.mix(WHITE, 0.4)).hatched(Hatch::Horizontal))
        };
        for side in [Side::Source, Side::Use] {
            let sign = if side == Side::Source { 1.0 } else { -1.0 };
            let power = means(seeds, &|r| (sign * r.devices_kw[d].unwrap_or(0.0)).max(0.0));
            let direction = if side == Side::Source { look.gives } else { look.takes };
            let (name, fill) = direction.map_or_else(in_grey, shown);
            out.push(Layer { name, fill, side, power });
        }
    }
    out.extend(exchange(seeds));
    out.retain(|l| l.power.iter().any(|v| *v > 1e-6));
    out
}

fn stack(study: &Study, layers: &[Layer], seeds: &[Vec<PeriodRow>]) -> Figure {
    let clock = study.clock;
    let n = layers.iter().map(|l| l.power.len()).max().unwrap_or(0);
    let sum = |side: Side| -> Vec<f64> {
        let of_side = layers.iter().filter(|l| l.side == side);
        of_side.fold(vec![0.0; n], |acc, l| acc.iter().zip(&l.power).map(|(a, b)| a + b).collect())
    };
    let (up, down) = (sum(Side::Source), sum(Side::Use));
    let unit = power(largest(up.iter().chain(&down).copied()) / 2.0);
    let of_seed = |rows: &Vec<PeriodRow>| rows.iter().map(|row| row.net_export_kw).collect::<Vec<_>>();
    let course = Course::over(&seeds.iter().map(of_seed).collect::<Vec<_>>()).scaled(unit.factor);
    let line = |of: fn(&Point) -> f64| course.points.iter().map(|p| p.as_ref().map(of)).collect::<Vec<Option<f64>>>();
    let net = line(|p| p.mean);
    let spread = if course.differs() { vec![line(|p| p.low), line(|p| p.high)] } else { vec![] };

    let mut figure = study.figure(ONE_COLUMN_MM, 70.0);
    let entries = |side: Side| -> Vec<Entry> {
        layers.iter().filter(|l| l.side == side).map(|l| (Key::Fill(l.fill), l.name.clone())).collect()
    };
    let net_line = Stroke::new(BLACK, 1.4);
    let net_entry: Vec<Entry> = vec![(Key::Line(net_line), "Net position (export \u{2212} import)".into())];
    figure.legend(&[entries(Side::Source), entries(Side::Use), net_entry]);

    let ends = up.iter().copied().chain(down.iter().map(|v| -v)).map(|v| v * unit.factor);
    let y = Axis::from_zero(ends.chain(course.ends()), 6, &format!("Power ({})", unit.label));
    let panel = figure.single(Panel::new(clock.axis(clock.label), y));
    let c = &mut figure.canvas;
    panel.back(c);
    for side in [Side::Source, Side::Use] {
        let sign = if side == Side::Source { unit.factor } else { -unit.factor };
        let mut base = vec![0.0; n];
        for layer in layers.iter().filter(|l| l.side == side) {
            let top: Vec<f64> = base.iter().zip(&layer.power).map(|(b, v)| b + sign * v).collect();
            panel.between_steps(c, &base, &top, clock.step, layer.fill);
            base = top;
        }
    }
    panel.steps(c, &net, clock.step, Stroke::new(WHITE, 2.8));
    panel.steps(c, &net, clock.step, net_line);
    for end in &spread {
        panel.steps(c, end, clock.step, Stroke::new(WHITE, 1.8));
        panel.steps(c, end, clock.step, Stroke::new(BLACK, THIN_LINE).dashed(DOTTED));
    }
    panel.front(c);
    figure
}

#[cfg(test)]
mod tests {
    use super::{PeriodRow, means};

    fn row(net: f64) -> PeriodRow {
        PeriodRow {
            participant: "a".into(),
            period: 0,
            product: "energy".into(),
            net_export_kw: Some(net),
            grid_import_kw: None,
            grid_export_kw: None,
            p2p_sold_kw: None,
            p2p_bought_kw: None,
            price_sell_per_kwh: None,
            price_buy_per_kwh: None,
            grid_sell_per_kwh: None,
            grid_buy_per_kwh: None,
            devices_kw: vec![],
            soc_kwh: None,
            ev_soc_kwh: None,
        }
    }

    /// A store that charges 3 kW for one seed and discharges 1 kW for another gives 0.5 kW and takes 1.5 kW on the mean.
    #[test]
    fn what_comes_in_and_goes_out_are_means_of_their_own() {
        let seeds = [vec![row(-3.0)], vec![row(1.0)]];
        let of = |sign: f64| means(&seeds, &|r| (sign * r.net_export_kw.unwrap_or(0.0)).max(0.0));
        assert_eq!((of(1.0), of(-1.0)), (vec![0.5], vec![1.5]));
    }
}
