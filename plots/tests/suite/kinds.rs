//! Claims, stores, distributions, durations, loading and trades: that what is drawn are the rows of the tables.

use crate::figures::store;
use crate::fixture::{Shape, rewrite};
use coase_plots::lint::lint;
use coase_plots::numbers::{Frame, Shape as Drawn};
use coase_plots::store::Store;
use coase_plots::text::unmarked;
use coase_plots::{Named, Skipped, pictures};

/// A small store: three mechanisms, two policies.
fn small() -> Shape {
    Shape {
        mechanisms: ["grid-only", "mid-market-rate", "nash-bargaining"].map(|id| (id, id)).to_vec(),
        policies: vec![("none", "none"), ("tax", "tax")],
        periods: 4,
        buses: 5,
        ..Shape::side_by_side()
    }
}

fn drawn(read: &Store, stem: &str) -> Named {
    let (drawn, skipped) = pictures(read);
    let found = drawn.into_iter().find(|d| d.stem == stem);
    let found = found.unwrap_or_else(|| panic!("{stem}: {skipped:?}"));
    assert_eq!(lint(&found.picture.canvas), vec![], "{stem}");
    found
}

fn reason(read: &Store, kind: &str) -> String {
    let skipped: Vec<Skipped> = pictures(read).1;
    skipped.into_iter().find(|s| s.figure == kind).map(|s| s.reason).unwrap_or_default()
}

/// The values of the cells of a panel.
fn cells(frame: &Frame) -> Vec<f64> {
    let value = |shape: &Drawn| if let Drawn::Cell { value, .. } = shape { Some(*value) } else { None };
    frame.traces.iter().filter_map(|trace| value(&trace.shape)).collect()
}

/// Under the tax the second mechanism is refuted, without a policy it is not: one of two runs, told first and in its cell.
#[test]
fn claims_show_the_worst_verdict_of_all_runs() {
    let read = Store::read(&store("kinds_claims", &small())).unwrap();
    let named = drawn(&read, "claims");
    let numbers = &named.picture.canvas.numbers;
    let first = &numbers.panels[0].traces[0];
    // The refuted claim is the first row, where the run without trade claims nothing.
    assert_eq!(numbers.called(&first.look), "refuted");
    assert_eq!(first.shape, Drawn::Cell { from: (0.5, -0.5), to: (1.5, 0.5), value: 0.5 });
    assert!(
        named.picture.canvas.to_string().contains("\\u{2717} 1/2")
            || named.picture.canvas.to_string().contains("✗ 1/2")
    );
    assert!(unmarked(&named.picture.caption).contains("Cells: 1 refuted, 3 not searched"), "{}", named.picture.caption);
    // Every claim of every mechanism is on some page.
    let many = Shape { periods: 2, buses: 2, seeds: 1, ..Shape::many_mechanisms() };
    let read = Store::read(&store("kinds_many_claims", &many)).unwrap();
    let pages: Vec<Named> = pictures(&read).0.into_iter().filter(|d| d.kind == "claims").collect();
    assert!(pages.len() > 1);
    let shown: usize = pages.iter().flat_map(|page| &page.picture.canvas.numbers.panels).map(|f| cells(f).len()).sum();
    // Ledger, phantom and regret of all twenty, rationality of all but the first, the policy's of every fourth.
    assert_eq!(shown, 3 * 20 + 19 + 5);
}

#[test]
fn stores_are_drawn_at_the_end_of_every_period() {
    let read = Store::read(&store("kinds_stored", &small())).unwrap();
    let named = drawn(&read, "state_of_charge");
    let run = read.runs.iter().position(|r| r.carbon_policy == "tax").unwrap();
    let rows = read.periods(run);
    let expected: Vec<(f64, f64)> =
        rows.iter().filter(|r| r.participant == "vpp1").map(|r| (r.period as f64 + 1.0, r.soc_kwh.unwrap())).collect();
    let first = &named.picture.canvas.numbers.panels[0];
    assert!(first.title.ends_with("vpp1, storage"), "{}", first.title);
    assert_eq!(first.traces[0].shape, Drawn::Line(expected));
    // The third has vehicles, the fifth a storage, the others nothing.
    assert_eq!(named.picture.canvas.numbers.panels.len(), 3);
    let none = Store::read(&store("kinds_nothing_stored", &Shape { participants: 2, ..small() })).unwrap();
    assert!(
        !pictures(&none).0.iter().any(|d| d.stem == "state_of_charge" && d.picture.canvas.numbers.panels.len() > 1)
    );
}

#[test]
fn bands_are_drawn_over_seeds_where_lines_are_few() {
    let caption = |shape: &Shape, name: &str| {
        let read = Store::read(&store(name, shape)).unwrap();
        unmarked(&drawn(&read, "state_of_charge").picture.caption)
    };
    let few = caption(&Shape { seeds: 4, ..small() }, "kinds_bands");
    assert!(few.contains("Means over 4 seeds; bands reach from the 5 % to the 95 %"), "{few}");
    let many = caption(&Shape { seeds: 3, periods: 3, buses: 2, ..Shape::side_by_side() }, "kinds_no_bands");
    assert!(many.contains("bands over the seeds are left out") && !many.contains("bands reach"), "{many}");
}

/// The area under a curve of duration is the energy of the rows.
#[test]
fn durations_hold_the_energy_of_the_rows() {
    let read = Store::read(&store("kinds_duration", &small())).unwrap();
    let named = drawn(&read, "duration");
    let run = read.runs.iter().position(|r| r.carbon_policy == "tax").unwrap();
    let frame = named.picture.canvas.numbers.panels.iter().find(|f| f.title.ends_with("Given by devices")).unwrap();
    let Drawn::Line(points) = &frame.traces[0].shape else { panic!("a line") };
    let area: f64 = points.windows(2).map(|w| (w[1].0 - w[0].0) / 100.0 * w[0].1).sum();
    let factor = if frame.y.label.contains("MW") || named.picture.canvas.numbers.panels[0].y.label.contains("MW") {
        1e-3
    } else {
        1.0
    };
    let given: f64 = read.periods(run).iter().flat_map(|r| r.devices_kw.iter().flatten()).filter(|p| **p > 0.0).sum();
    assert!((area - factor * given / 4.0).abs() < 1e-9 * given, "{area} {given}");
    assert!(points.windows(2).all(|w| w[1].1 <= w[0].1));
}

#[test]
fn loading_is_against_the_rating_where_there_is_one() {
    let shape = small();
    let read = Store::read(&store("kinds_loading", &shape)).unwrap();
    let named = drawn(&read, "branch_loading");
    let caption = unmarked(&named.picture.caption);
    assert!(caption.contains("against the rating") && caption.contains("hatched rows have none"), "{caption}");
    let run = read.runs.iter().position(|r| r.carbon_policy == "tax").unwrap();
    let trunk = |from: u64, to: u64| (from.min(to), from.max(to)) == (1, 2);
    let rows = read.branches(run);
    let expected: Vec<f64> =
        rows.iter().filter(|b| trunk(b.from, b.to)).map(|b| b.p_from_kw.unwrap().abs() / 18.0).collect();
    let found = cells(&named.picture.canvas.numbers.panels[0]);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-9 * expected, "{found} {expected}");
    }
    let bare = Store::read(&store("kinds_unrated", &Shape { manifest: false, ..shape })).unwrap();
    let caption = unmarked(&drawn(&bare, "branch_loading").picture.caption);
    assert!(caption.contains("no branch has a rating"), "{caption}");
}

#[test]
fn trades_add_up_to_the_table() {
    let dir = store("kinds_trades", &small());
    let read = Store::read(&dir).unwrap();
    let named = drawn(&read, "trades");
    let found: f64 = cells(&named.picture.canvas.numbers.panels[0]).iter().sum();
    let of_run = |run: usize| read.trades(run).iter().map(|t| t.quantity_kwh).sum::<f64>();
    let run = read.runs.iter().position(|r| r.mechanism == "nash-bargaining" && r.carbon_policy == "tax").unwrap();
    assert!((found - of_run(run)).abs() < 1e-9 * found && found > 0.0, "{found} {}", of_run(run));
    assert!(named.picture.caption.contains("Nash bargaining, carbon policy Tax"), "{}", named.picture.caption);
    // Beyond two dozen the rest is summed up, and nothing is lost.
    let many = Store::read(&store("kinds_many_trades", &Shape { participants: 130, periods: 2, ..small() })).unwrap();
    let named = drawn(&many, "trades");
    assert!(named.picture.caption.contains("sellers that trade least are summed up"), "{}", named.picture.caption);
    let found: f64 = cells(&named.picture.canvas.numbers.panels[0]).iter().sum();
    let all: f64 = many.trades(run).iter().map(|t| t.quantity_kwh).sum();
    assert!((found - all).abs() < 1e-9 * all, "{found} {all}");
    rewrite(&dir, "trades", |text| text.lines().next().unwrap().to_owned() + "\n");
    assert!(reason(&Store::read(&dir).unwrap(), "trades").contains("no trades"));
}

#[test]
fn many_participants_are_a_distribution_and_few_are_drawn_one_by_one() {
    let homes = Shape { participants: 40, periods: 2, buses: 0, ..small() };
    let read = Store::read(&store("kinds_homes", &homes)).unwrap();
    for stem in ["distribution", "distribution-gain", "distribution-cost"] {
        let caption = unmarked(&drawn(&read, stem).picture.caption);
        assert!(
            caption.contains("of the 40 participants") || caption.contains("Share of the 40 participants"),
            "{caption}"
        );
    }
    let benefit = unmarked(&drawn(&read, "benefit").picture.caption);
    assert!(
        benefit.contains("8 of 40 participants") && benefit.contains("The other 32 are in the figure distribution."),
        "{benefit}"
    );
    let few = Store::read(&store("kinds_few", &small())).unwrap();
    assert!(reason(&few, "distribution").contains("5 participants: `benefit` draws each of them"));
}

/// Panels and figures in which nothing is are left out, and their captions or reasons say so.
#[test]
fn what_is_zero_everywhere_is_told_and_not_drawn() {
    let mut read = Store::read(&store("kinds_clean", &small())).unwrap();
    let emissions = read.metrics.iter().position(|m| m == "emissions_kg").unwrap();
    read.runs.iter_mut().for_each(|run| run.metrics[emissions] = Some(0.0));
    let named = drawn(&read, "cost_and_emissions");
    assert_eq!(named.picture.canvas.numbers.panels.len(), 1);
    assert!(named.picture.caption.contains("Zero everywhere: emissions."), "{}", named.picture.caption);
    let mut idle = Store::read(&store("kinds_idle", &small())).unwrap();
    for row in &mut idle.participants {
        for value in [&mut row.gain, &mut row.gain_resource, &mut row.gain_retail_margin, &mut row.gain_carbon] {
            *value = Some(0.0);
        }
        (row.gain_network, row.payment) = (Some(0.0), Some(0.0));
    }
    for kind in ["benefit", "gain_split"] {
        assert!(reason(&idle, kind).contains("nobody gains or loses"), "{kind}: {}", reason(&idle, kind));
    }
}
