//! Who trades with whom: energy from sellers to buyers over the horizon.

use super::explained::name_of;
use super::{Absent, Basis, Picture};
use crate::axis::{Axis, Kind};
use crate::canvas::{Canvas, Fill, Stroke};
use crate::color::SEQUENTIAL;
use crate::figure::{Figure, Sharing};
use crate::panel::Panel;
use crate::store::TradeRow;
use crate::study::Study;
use crate::style::{INK, MM, NOTE, ONE_COLUMN_MM, SPINE, TICK_LABEL, TWO_COLUMNS_MM, WHITE};
use crate::text;
use std::collections::BTreeMap;

/// Sellers or buyers with a row or column of their own; the rest is summed up.
const MOST_TRADERS: usize = 24;
/// Traders beyond which a figure is two columns wide.
const FEW_TRADERS: usize = 6;
/// Height of a row, mm.
const ROW_MM: f64 = 5.2;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    let policies = study.reference_policy().into_iter().chain(study.policies.iter().copied());
    let (policy, mechanism, trades) = policies.into_iter().find_map(|p| found(study, p)).ok_or(Absent::NoTrades)?;
    let matrix = Matrix::of(study, &trades);
    let (figure, numbered) = page(study, &matrix);
    let rest = [("sellers", matrix.others.0), ("buyers", matrix.others.1)];
    let rest: Vec<String> = rest
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(who, n)| format!(" The {n} {who} that trade least are summed up as others."))
        .collect();
    Ok(vec![Picture {
        qualifier: String::new(),
        title: "Who trades with whom".into(),
        caption: format!(
            "Energy from sellers (rows) to buyers (columns) over the horizon under {}, carbon policy {}, kWh; totals at the \
             margins. Where a mechanism matches nobody, every seller serves every buyer in proportion (as the table `trades` \
             has it).{}{}{}",
            study.mechanism(mechanism).name,
            study.policy(policy).name,
            rest.concat(),
            numbered,
            study.footnote(&Basis::PlainMeans)
        ),
        canvas: figure.canvas,
    }])
}

/// The best market with trades under a policy, or the first other mechanism that has any: what is traded, mean over its seeds.
fn found(study: &Study, policy: usize) -> Option<(usize, usize, Pairs)> {
    let best = study.best_market(policy);
    best.into_iter().chain(study.trading()).find_map(|m| {
        let runs = study.runs(m, policy);
        let rows: Vec<Vec<TradeRow>> = runs.iter().map(|run| study.store.trades(*run)).collect();
        let pairs = pairs(&rows);
        (!pairs.is_empty()).then_some((policy, m, pairs))
    })
}

/// Energy by seller and buyer, kWh.
type Pairs = BTreeMap<(String, String), f64>;

/// The mean over seeds of what is traded of the first product, which is energy.
fn pairs(seeds: &[Vec<TradeRow>]) -> Pairs {
    let mut out = Pairs::new();
    let Some(product) = seeds.iter().flatten().next().map(|row| &row.product) else { return out };
    for row in seeds.iter().flatten().filter(|row| row.product == *product && row.quantity_kwh > 0.0) {
        *out.entry((row.seller.clone(), row.buyer.clone())).or_default() += row.quantity_kwh / seeds.len() as f64;
    }
    out
}

struct Matrix {
    sellers: Vec<String>,
    buyers: Vec<String>,
    /// By row and column, kWh.
    cells: Vec<Vec<f64>>,
    /// How many sellers and buyers are summed up.
    others: (usize, usize),
}

impl Matrix {
    fn of(study: &Study, pairs: &Pairs) -> Matrix {
        let order: Vec<&str> = study.participants.iter().map(|i| study.participant(*i).key.as_str()).collect();
        let traders = |of: fn(&(String, String)) -> &String| {
            let mut volume: BTreeMap<&str, f64> = BTreeMap::new();
            for (pair, kwh) in pairs {
                *volume.entry(of(pair)).or_default() += kwh;
            }
            shown(&order, &volume)
        };
        let (sellers, few_sellers) = traders(|pair| &pair.0);
        let (buyers, few_buyers) = traders(|pair| &pair.1);
        let (rows, columns) =
            (sellers.len() + usize::from(few_sellers > 0), buyers.len() + usize::from(few_buyers > 0));
        let mut cells = vec![vec![0.0; columns]; rows];
        let place = |among: &[String], id: &String| among.iter().position(|known| known == id).unwrap_or(among.len());
        for ((seller, buyer), kwh) in pairs {
            cells[place(&sellers, seller)][place(&buyers, buyer)] += kwh;
        }
        let named = |ids: &[String], others: usize| {
            let names = ids.iter().map(|id| name_of(study, id));
            names.chain((others > 0).then(|| OTHERS.to_owned())).collect()
        };
        Matrix {
            sellers: named(&sellers, few_sellers),
            buyers: named(&buyers, few_buyers),
            cells,
            others: (few_sellers, few_buyers),
        }
    }

    fn sold(&self, row: usize) -> f64 {
        self.cells[row].iter().sum()
    }

    fn bought(&self, column: usize) -> f64 {
        self.cells.iter().map(|row| row[column]).sum()
    }
}

/// Who is shown, in the order of the scenario or, where some are summed up, from the one that trades most; and how many are
/// summed up.
fn shown(order: &[&str], volume: &BTreeMap<&str, f64>) -> (Vec<String>, usize) {
    let mut ids: Vec<&str> = order.iter().copied().filter(|id| volume.contains_key(id)).collect();
    ids.extend(volume.keys().filter(|id| !order.contains(id)));
    if ids.len() <= MOST_TRADERS {
        return (ids.into_iter().map(str::to_owned).collect(), 0);
    }
    ids.sort_by(|a, b| volume[b].total_cmp(&volume[a]));
    let others = ids.len() - (MOST_TRADERS - 1);
    ids.truncate(MOST_TRADERS - 1);
    (ids.into_iter().map(str::to_owned).collect(), others)
}

/// Names of columns that have room, what stands before all of them, and what a caption says of them: in full, or without the
/// beginning that all share, or as numbers.
fn columns_named(names: &[String], room: f64) -> (Vec<String>, String, String) {
    let fit = |names: &[String]| names.iter().all(|name| text::block_width(name, TICK_LABEL) <= room);
    if fit(names) {
        return (names.to_vec(), String::new(), String::new());
    }
    let first = names.first().map_or("", String::as_str);
    let letters = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let stem = letters(first);
    let rest: Option<Vec<String>> = names
        .iter()
        .map(|name| if name == OTHERS { Some(OTHERS.to_owned()) } else { name.strip_prefix(&stem).map(str::to_owned) })
        .collect();
    let rest =
        rest.map(|rest| rest.into_iter().map(|r| if r == OTHERS { "+".to_owned() } else { r }).collect::<Vec<_>>());
    if let Some(rest) = rest.filter(|rest| !stem.is_empty() && fit(rest) && rest.iter().all(|r| !r.is_empty())) {
        let others = if names.iter().any(|name| name == OTHERS) { " The last column, +, is the others." } else { "" };
        return (rest, format!(" ({stem}..)"), others.to_owned());
    }
    let numbers = (1..=names.len()).map(|k| k.to_string()).collect();
    let told: Vec<String> = names.iter().enumerate().map(|(k, name)| format!("{} {name}", k + 1)).collect();
    (numbers, String::new(), format!(" Columns: {}.", told.join(", ")))
}

/// What the rest is called.
const OTHERS: &str = "others";

fn page(study: &Study, matrix: &Matrix) -> (Figure, String) {
    let (rows, columns) = (matrix.sellers.len(), matrix.buyers.len());
    let width = study.width_mm(if columns.max(rows) <= FEW_TRADERS { ONE_COLUMN_MM } else { TWO_COLUMNS_MM });
    let mut figure = Figure::new(width, (24.0 + ROW_MM * (rows + 1) as f64).max(44.0));
    let sum = "Sum".to_owned();
    let longest = matrix.sellers.iter().map(|name| text::width(name, TICK_LABEL)).fold(0.0, f64::max);
    let beside = longest.min(width * MM * 0.25) + 72.0;
    let pitch = (width * MM - beside) / (columns + 1) as f64;
    let (buyers, stem, told) = columns_named(&matrix.buyers, pitch - 3.0);
    let left: Vec<(usize, String)> = matrix
        .sellers
        .iter()
        .chain([&sum])
        .enumerate()
        .map(|(i, name)| (i, text::fit(name, TICK_LABEL, width * MM * 0.25)))
        .collect();
    let below: Vec<String> = buyers.iter().chain([&sum]).cloned().collect();
    let mut y = Axis::rows(rows + 1, left, "Seller");
    y.kind = Kind::Category;
    let most = matrix.cells.iter().flatten().copied().fold(0.0, f64::max);
    let bar = figure.color_bar(Axis::from_zero([most], 5, "Energy (kWh)"), SEQUENTIAL);
    let mut panel = Panel::new(Axis::categories(&below, &format!("Buyer{stem}")), y).boxed();
    figure.grid(1, Sharing::None, std::slice::from_mut(&mut panel));
    let c = &mut figure.canvas;
    let totals: Vec<f64> = (0..rows).map(|r| matrix.sold(r)).collect();
    let greatest = totals.iter().sum::<f64>();
    let decimals = if most < 1.0 { 2 } else { usize::from(most < 100.0) };
    let widest = text::width(&text::number(greatest, decimals), NOTE);
    let cell_width = panel.px(1.0) - panel.px(0.0);
    // Numbers that do not fit are in the figure's data.
    let numbers = widest + 2.0 <= cell_width;
    let write = |c: &mut Canvas, x: f64, y: f64, value: f64, ground| {
        // What would be printed as zero is there as a colour, and in the figure's data.
        if numbers && value >= 0.5 * 10f64.powi(-(decimals as i32)) {
            c.text_on(ground, panel.point(x, y), NOTE, &text::number(value, decimals));
        }
    };
    for (r, row) in matrix.cells.iter().enumerate() {
        for (k, value) in row.iter().enumerate() {
            let (x, y) = (k as f64, r as f64);
            if *value > 0.0 {
                let color = bar.color(*value);
                panel.cell(c, (x - 0.5, y - 0.5), (x + 0.5, y + 0.5), *value, Fill::new(color));
                write(c, x, y, *value, color);
            }
        }
    }
    for (r, total) in totals.iter().enumerate() {
        write(c, columns as f64, r as f64, *total, WHITE);
    }
    for k in 0..columns {
        write(c, k as f64, rows as f64, matrix.bought(k), WHITE);
    }
    write(c, columns as f64, rows as f64, greatest, WHITE);
    let line = Stroke::new(INK, SPINE);
    let (x, y) = (panel.px(columns as f64 - 0.5), panel.py(rows as f64 - 0.5));
    c.segment((x, panel.area.y0), (x, panel.area.y1), line);
    c.segment((panel.area.x0, y), (panel.area.x1, y), line);
    panel.front(c);
    bar.draw(c, panel.area.y0, panel.area.y1);
    (figure, told)
}

#[cfg(test)]
mod tests {
    use super::{MOST_TRADERS, columns_named, pairs, shown};
    use crate::store::TradeRow;
    use std::collections::BTreeMap;

    fn trade(seller: &str, buyer: &str, quantity_kwh: f64) -> TradeRow {
        TradeRow {
            period: 0,
            product: "energy".into(),
            seller: seller.into(),
            buyer: buyer.into(),
            quantity_kwh,
            price_per_kwh: None,
        }
    }

    #[test]
    fn trades_of_a_pair_are_summed_over_periods_and_averaged_over_seeds() {
        let reserve = TradeRow { product: "reserve".into(), ..trade("a", "b", 100.0) };
        let seeds = [
            vec![trade("a", "b", 2.0), trade("a", "b", 3.0), trade("c", "b", 1.0), reserve],
            vec![trade("a", "b", 1.0)],
        ];
        let found = pairs(&seeds);
        assert_eq!(found.len(), 2);
        assert_eq!(found[&("a".to_owned(), "b".to_owned())], 3.0);
        assert_eq!(found[&("c".to_owned(), "b".to_owned())], 0.5);
        assert!(pairs(&[vec![], vec![]]).is_empty());
    }

    #[test]
    fn columns_without_room_lose_what_they_share_or_are_numbered_and_told() {
        let names = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let homes = names(&["home07", "home11", "others"]);
        assert_eq!(columns_named(&homes, 100.0).0, homes);
        let (short, stem, told) = columns_named(&homes, 12.0);
        assert_eq!((short, stem.as_str()), (names(&["07", "11", "+"]), " (home..)"));
        assert!(told.contains("others"));
        let (numbers, stem, told) = columns_named(&names(&["Mill", "Bakery"]), 12.0);
        assert_eq!((numbers, stem.as_str(), told.as_str()), (names(&["1", "2"]), "", " Columns: 1 Mill, 2 Bakery."));
    }

    #[test]
    fn those_that_trade_least_are_summed_up() {
        let ids: Vec<String> = (0..30).map(|k| format!("p{k:02}")).collect();
        let order: Vec<&str> = ids.iter().map(String::as_str).collect();
        let volume: BTreeMap<&str, f64> = order.iter().enumerate().map(|(k, id)| (*id, k as f64 + 1.0)).collect();
        let (kept, others) = shown(&order, &volume);
        assert_eq!((kept.len(), others), (MOST_TRADERS - 1, 7));
        assert_eq!((kept[0].as_str(), kept[22].as_str()), ("p29", "p07"));
        let few = shown(&order[..5], &order[..5].iter().map(|id| (*id, 1.0)).collect());
        assert_eq!((few.0, few.1), (ids[..5].to_vec(), 0));
    }
}
