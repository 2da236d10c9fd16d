//! A price factor in the tables of runs: whatever they say is what prices written that much larger say.

use coase_core::policy::{CarbonPolicy, policies};
use coase_core::record::Table;
use coase_mechanisms as _;
use coase_scenarios::{Loader, Store, StoreOptions};
use ron::extensions::Extensions;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A dirty turbine, wind and loads on a feeder that imports in the first hour and feeds back in the second.
const FEEDER: &str = r#"Scenario(
    name: "feeder", periods: 2, currency: "CNY", network: (source: "das-15", load_scale: 0.2),
    grid: (buy_price_per_kwh: [0.9, 0.5], sell_price_per_kwh: 0.3, intensity_kg_per_kwh: 0.6),
    participants: [
        (id: "a", bus: 7, quota_kg: 20, devices: [
            MicroTurbine(p_max_kw: 200, cost_per_kwh: 0.4, emission_kg_per_kwh: 0.7), Load(p_kw: 50)]),
        (id: "b", bus: 13, quota_kg: 50, devices: [Load(p_kw: [200, 100]), Wind(p_max_kw: 900, profile: [0.1, 0.9])]),
    ],
)"#;

const FORMS: [&str; 4] = [
    "CapAndTrade(price_per_tonne: 320, sell_price_per_tonne: 120)",
    "NodalFlow(coverage: Feeder, direct: Stepped(base_price_per_tonne: 200, interval_kg: 40))",
    "SteppedNodal(coverage: Feeder, interval_kg: 40)",
    "Integrated(form: FlowInLoop, price_per_tonne: 150, ladder: (interval_kg: 40))",
];

fn options() -> ron::Options {
    ron::Options::default().with_default_extension(
        Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES,
    )
}

/// The same policy with every price that it declares multiplied.
fn multiplied(policy: &(dyn CarbonPolicy + 'static), factor: f64) -> Box<dyn CarbonPolicy> {
    let mut json = serde_json::to_value(policy).unwrap();
    let parameters = json.as_object_mut().and_then(|tagged| tagged.values_mut().next()).unwrap();
    for (path, written) in policy.carbon_prices() {
        *parameters.pointer_mut(&format!("/{}", path.replace('.', "/"))).unwrap() = (factor * written).into();
    }
    serde_json::from_value(json).unwrap()
}

type Rows = Vec<BTreeMap<String, String>>;

fn read(folder: &Path, table: &str) -> Rows {
    let Ok(mut reader) = csv::Reader::from_path(folder.join(format!("{table}.csv"))) else { return vec![] };
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// The rows of these runs without the columns that tell the two spellings apart.
fn rows_of(rows: &Rows, runs: &[&str]) -> Rows {
    let same = |row: &BTreeMap<String, String>| {
        let keep = |name: &str| !["run_id", "carbon_label", "carbon_price_factor"].contains(&name);
        row.iter().filter(|(name, _)| keep(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    rows.iter().filter(|row| runs.contains(&row["run_id"].as_str())).map(same).collect()
}

#[test]
fn every_table_at_a_factor_is_that_of_prices_multiplied() {
    // "None" has no price, and is RON's empty option.
    let defaults = policies().into_iter().filter(|p| p.id != "none").map(|plugin| (plugin.open.default)());
    let forms = FORMS.iter().map(|text| options().from_str::<Box<dyn CarbonPolicy>>(text).unwrap());
    let catalogue: Vec<Box<dyn CarbonPolicy>> = defaults.chain(forms).collect();
    let write = |label: String, policy: &(dyn CarbonPolicy + 'static)| {
        format!("(label: \"{label}\", policy: {})", options().to_string(policy).unwrap())
    };
    let spellings: Vec<String> = catalogue
        .iter()
        .enumerate()
        .flat_map(|(k, policy)| {
            let (at_factor, multiplied) = (policy.with_price_factor(2.0), multiplied(&**policy, 2.0));
            [write(format!("factor {k}"), &*at_factor), write(format!("prices {k}"), &*multiplied)]
        })
        .collect();
    let text = format!(
        "Experiment(scenarios: [{FEEDER}], mechanisms: [\"grid-only\", \"nash-bargaining\"], carbon: [{}])",
        spellings.join(", ")
    );
    let experiment = Loader::default().load_text("test", &text, Path::new(""), &[]).unwrap();
    let folder = std::env::temp_dir().join(format!("coase-price-factor-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    experiment.run_into(&Store::create(&folder).unwrap(), &StoreOptions::default(), ()).unwrap();
    let runs = read(&folder, "runs");
    let labelled = |label: &str| -> Vec<&str> {
        runs.iter().filter(|run| run["carbon_label"] == label).map(|run| run["run_id"].as_str()).collect()
    };
    let mut compared = BTreeMap::new();
    for table in Table::ALL {
        let rows = read(&folder, table.name());
        for (k, policy) in catalogue.iter().enumerate() {
            let [a, b] = ["factor", "prices"].map(|way| rows_of(&rows, &labelled(&format!("{way} {k}"))));
            assert_eq!(a, b, "{} of {policy:?}", table.name());
            *compared.entry(table.name()).or_insert(0) += a.len();
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    for table in ["runs", "participants", "nodes"] {
        assert!(compared[table] > 0, "{table}: {compared:?}");
    }
}
