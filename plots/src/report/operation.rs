//! What a participant does over time, chosen by the reader: run, participant and period. Figures say it for a few; here it is said
//! for all that has room.

use super::data::Json;
use super::html::Html;
use super::panel::Panel;
use super::{Page, name, paragraph};
use crate::store::PeriodRow;
use crate::study::Clock;

/// Bytes of data for all scenarios of a page.
const MOST_BYTES: usize = 900_000;
/// More periods are no line that can be read.
const MOST_PERIODS: usize = 744;
/// Power that is none, kW.
const NOTHING: f64 = 1e-6;

/// Writes a block for every scenario that has profiles.
pub(super) fn write(page: &Page, panels: &[Panel], html: &mut Html) {
    for panel in panels {
        scenario(page, panel, MOST_BYTES / panels.len(), html);
    }
}

fn scenario(page: &Page, panel: &Panel, most: usize, html: &mut Html) {
    let facts = page.store.facts(panel.scenario);
    let periods = Clock::of(page.store, panel.scenario).periods;
    if !(2..=MOST_PERIODS).contains(&periods) {
        return;
    }
    let first = |runs: &Vec<usize>| runs.first().copied();
    let cells: Vec<(String, usize)> =
        panel.compared.iter().filter_map(|((m, p), runs)| Some((label(page, *m, *p), first(runs)?))).collect();
    let (mut runs, mut bytes): (Vec<Json>, usize) = (vec![], 0);
    let mut participants: Vec<String> = vec![];
    for (label, run) in &cells {
        let of_run = run_data(page, label, *run, periods, &mut participants);
        bytes += of_run.as_ref().map_or(0, Json::len);
        if bytes > most {
            break;
        }
        runs.extend(of_run);
    }
    if runs.is_empty() {
        return;
    }
    let (shown, all) = (runs.len(), cells.len());
    let data = Json::object([
        ("currency", Json::text(&page.currency(panel.scenario))),
        ("hours", Json::number(facts.period_h)),
        ("periods", Json::number(Some(periods as f64))),
        ("buy", Json::numbers(facts.buy_price_per_kwh.iter().map(|v| Some(*v)))),
        ("sell", Json::numbers(facts.sell_price_per_kwh.iter().map(|v| Some(*v)))),
        ("participants", Json::texts(participants.iter().map(String::as_str))),
        ("runs", Json::list(runs)),
    ]);
    html.element("h3", &[("class", "scripted")], &format!("A participant over time, {}", panel.scenario));
    html.open("div", &[("class", "explore scripted"), ("data-explore", "operation")]);
    html.json(data.as_str()).close();
    let left_out = if shown < all {
        format!(
            " Of {all} combinations {shown} are in the page, which would become too large: the others are in `periods.csv`."
        )
    } else {
        String::new()
    };
    paragraph(html, &format!("Every participant, device and price by period is in `periods.csv`.{left_out}"));
}

fn label(page: &Page, m: usize, p: usize) -> String {
    format!("{} under {}", name(page.mechanism(m)), name(page.policy(p)))
}

/// A run by participant: `None` where it has no periods.
fn run_data(page: &Page, label: &str, run: usize, periods: usize, participants: &mut Vec<String>) -> Option<Json> {
    let rows = page.store.periods(run);
    let product = &rows.first()?.product;
    let rows: Vec<&PeriodRow> = rows.iter().filter(|row| row.product == *product).collect();
    let mut of: Vec<(usize, Json)> = vec![];
    let mut who: Vec<&str> = vec![];
    for row in &rows {
        if !who.contains(&row.participant.as_str()) {
            who.push(&row.participant);
        }
    }
    for participant in who {
        let place = participants.iter().position(|known| known == participant).unwrap_or_else(|| {
            participants.push(participant.to_owned());
            participants.len() - 1
        });
        let series = |value: &dyn Fn(&PeriodRow) -> Option<f64>| -> Option<Json> {
            let mut values = vec![None; periods];
            for row in rows.iter().filter(|row| row.participant == participant && row.period < periods) {
                values[row.period] = value(row);
            }
            let is_something = values.iter().flatten().any(|v: &f64| v.abs() > NOTHING);
            is_something.then(|| Json::numbers(values))
        };
        let mut power: Vec<(String, Option<Json>)> = vec![
            ("net sale to the grid and others".to_owned(), series(&|row| row.net_export_kw)),
            ("sold to others".to_owned(), series(&|row| row.p2p_sold_kw)),
            ("bought from others".to_owned(), series(&|row| row.p2p_bought_kw.map(|kw| -kw))),
        ];
        for (k, device) in page.store.devices.iter().enumerate() {
            let of_device = series(&|row| row.devices_kw.get(k).copied().flatten());
            power.push((device.0.replace('_', " "), of_device));
        }
        let power = power.into_iter().filter_map(|(name, values)| Some(Json::list([Json::text(&name), values?])));
        let energy = series(&|row| row.soc_kwh);
        let prices =
            [("sells at", series(&|row| row.price_sell_per_kwh)), ("buys at", series(&|row| row.price_buy_per_kwh))];
        let prices = prices.into_iter().filter_map(|(name, values)| Some(Json::list([Json::text(name), values?])));
        let energy = energy.map(|values| Json::list([Json::text("stored"), values]));
        of.push((
            place,
            Json::object([
                ("power", Json::list(power)),
                ("energy", Json::list(energy)),
                ("prices", Json::list(prices)),
            ]),
        ));
    }
    let names: Vec<(String, Json)> = of.into_iter().map(|(place, json)| (place.to_string(), json)).collect();
    let data = Json::object(names.iter().map(|(place, json)| (place.as_str(), json.clone())));
    Some(Json::object([("name", Json::text(label)), ("of", data)]))
}
