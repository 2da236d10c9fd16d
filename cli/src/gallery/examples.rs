//! Small experiments that draw the kinds of figures, awkward ones that put them to the test, and when a kind is of use.

/// A small experiment.
pub struct Example {
    /// Its folder.
    pub id: &'static str,
    /// Of what the figures are.
    pub name: &'static str,
    /// Lines of the experiment within its brackets.
    lines: &'static [&'static str],
}

impl Example {
    /// The file.
    pub fn shown(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|line| format!("    {line}\n")).collect();
        format!("Experiment(\n{})\n", lines.concat())
    }
}

/// Those that are drawn first come first: a kind is shown by the first one that draws it.
pub const EXAMPLES: &[Example] = &[
    Example {
        id: "example_day",
        name: "a day of five plants",
        lines: &[
            "scenarios: [\"five_vpps\"],",
            "mechanisms: [\"grid-only\", \"mid-market-rate\", \"central-optimum\", \"nash-bargaining\"],",
            "carbon: [\"none\", Tax(price_per_tonne: 280), Stepped(base_price_per_tonne: 280, interval_kg: 500)],",
        ],
    },
    Example {
        id: "example_nodal",
        name: "prices at nodes",
        lines: &[
            "scenarios: [\"five_vpps\"],",
            "mechanisms: [\"grid-only\"],",
            "carbon: [\"none\", Integrated(price_per_tonne: 280)],",
        ],
    },
    Example {
        id: "example_division",
        name: "divisions of a gain",
        lines: &[
            "scenarios: [\"three_vpp\"],",
            "mechanisms: [\"grid-only\", \"nash-bargaining\", \"shapley\", \"nucleolus\"],",
            "evidence: (core: true),",
        ],
    },
    Example {
        id: "example_bids",
        name: "bids of one period",
        lines: &[
            "scenarios: [\"three_vpp\"],",
            "mechanisms: [\"grid-only\", \"double-auction\", \"mcafee\", \"vcg\"],",
            "evidence: (curves: true, regret: true),",
        ],
    },
    Example {
        id: "example_play",
        name: "truth and best responses",
        lines: &[
            "scenarios: [\"three_vpp\"],",
            "mechanisms: [\"grid-only\", \"double-auction\", \"uniform-price\"],",
            "reporting: [\"truthful\", \"best-response\"],",
        ],
    },
    Example {
        id: "example_sweep",
        name: "a swept price",
        lines: &[
            "scenarios: [\"five_vpps\"],",
            "mechanisms: [\"grid-only\", \"mid-market-rate\", \"nash-bargaining\"],",
            "sweep: [(path: \"scenario.grid.sell_price_per_kwh\", values: [0.1, 0.2, 0.3])],",
        ],
    },
    Example {
        id: "example_abatement",
        name: "a swept carbon price",
        lines: &[
            "scenarios: [\"five_vpps\"],",
            "mechanisms: [\"grid-only\"],",
            "carbon: [\"none\", \"tax\", \"integrated\"],",
            "sweep: [(path: \"carbon.price_per_tonne\", values: [140, 280, 560])],",
        ],
    },
    Example {
        id: "example_rounds",
        name: "rounds of a distributed solver",
        lines: &["scenarios: [\"five_vpps\"],", "mechanisms: [\"grid-only\", NashBargaining(solver: Admm())],"],
    },
    Example {
        id: "example_wanted",
        name: "a panel for every policy",
        lines: &[
            "scenarios: [\"five_vpps\"],",
            "mechanisms: [\"grid-only\", \"mid-market-rate\", \"nash-bargaining\"],",
            "carbon: [\"none\", \"tax\", \"stepped\"],",
            "figures: (draw: [(kind: \"metrics\", metrics: [\"total_cost\"], facets: Policies)]),",
        ],
    },
];

/// Many participants, one participant, and runs that fail.
pub const AWKWARD: &[Example] = &[
    Example {
        id: "awkward_many",
        name: "a community of 20 homes",
        lines: &[
            "scenarios: [\"household_community\"],",
            "mechanisms: [\"grid-only\", \"mid-market-rate\", \"bill-sharing\", \"nash-bargaining\"],",
            "carbon: [\"none\", \"tax\"],",
        ],
    },
    Example {
        id: "awkward_one",
        name: "one household alone",
        lines: &[
            "scenarios: [Scenario(name: \"alone\", periods: 24, currency: \"EUR\",",
            "    grid: (buy_price_per_kwh: 0.3, sell_price_per_kwh: 0.1, intensity_kg_per_kwh: 0.4),",
            "    participants: [(id: \"home\", devices: [Load(p_kw: 2), Storage(capacity_kwh: 5, p_charge_max_kw: 2, p_discharge_max_kw: 2)])])],",
            "mechanisms: [\"grid-only\", \"mid-market-rate\"],",
            "carbon: [\"none\", Tax(price_per_tonne: 100)],",
        ],
    },
    Example {
        id: "awkward_failed",
        name: "five plants under a cap that nobody can keep",
        lines: &[
            "scenarios: [\"five_vpps\"],",
            "mechanisms: [\"grid-only\", \"mid-market-rate\", \"security-constrained\"],",
            "carbon: [\"none\", HardCap(cap_kg: 1)],",
        ],
    },
];

/// What keeps runs of the library few where there are many of one kind: draws, and points of a box.
pub fn shortened(id: &str) -> Option<&'static str> {
    match id {
        "seasons" | "padding" | "expected_externality" | "vehicle_trade" => Some("experiment.seeds=[1, 2, 3]"),
        "hinges" => Some("experiment.sensitivity.method=OneAtATime"),
        "household_auctions" => Some("experiment.carbon=[\"none\"]"),
        "strategic" => Some("experiment.mechanisms=[\"grid-only\", \"uniform-price\", \"pricing-game\"]"),
        "size" => Some("experiment.only=[{\"scenario.participants.home.count\": [5, 20]}]"),
        _ => None,
    }
}

/// When a kind of figure is of use; empty for one that nothing is said of.
pub fn when(kind: &str) -> &'static str {
    match kind {
        "cost_and_emissions" => {
            "What participants pay and what the feeder emits, or other metrics, by mechanism and policy."
        }
        "change" => {
            "The same as differences to no trade, with social cost, which alone compares policies: where the figures themselves look alike."
        }
        "metrics" => "Any metrics with scenarios, policies, mechanisms or swept values side by side on one scale.",
        "cost_emissions_plane" => "Which combinations nothing betters in both resources and emissions.",
        "benefit" => "Who gains and who loses against no trade, participant by participant.",
        "gain_split" => {
            "What a gain is made of: resources saved, margin of the retailer, carbon payment or network charges avoided."
        }
        "core" => "Whether a group would do better by itself under a division of the gain.",
        "budget_and_efficiency" => "What auctions give up in welfare, and what they leave with the operator.",
        "supply_and_demand" => "How an auction clears: bids, the price, and whose the surplus is.",
        "interim_utility" => "What a trader expects that knows its own price and only the prior of others.",
        "regret" => "What each member gains by a misreport.",
        "play" => "What best responses and learning make of a mechanism.",
        "simplex" => "How buyers move between three sellers, where they rest, and which rests are stable.",
        "shares_over_time" => "The same over steps, for any number of sellers.",
        "best_response" => "What two sellers ask in answer to each other, and where both agree.",
        "fee_and_distance" => "What a pair pays the network's operator, by its distance.",
        "price_of_period" => "Prices of sellers by hour.",
        "price_update" => "Prices on their way to rest, round by round.",
        "choice_probability" => "Whom buyers choose, round by round.",
        "carbon_payers" => "Who pays for carbon, and for how much of it nobody does.",
        "abatement" => "Emissions and social cost along the price of a tonne.",
        "profiles" => "Net positions and prices over the day.",
        "dispatch" => "What the devices of a participant do over the day.",
        "price_decomposition" => "What nodal prices are made of: energy, losses, congestion, voltage, carbon.",
        "carbon_intensity" => "Where on the feeder energy is clean, and when.",
        "voltage" => "Where and when voltages come near their limits.",
        "carbon_flow" => "Where power and carbon go, on a map of the feeder.",
        "sweep" => "Cost and emissions along a swept parameter.",
        "ranks" => "Which mechanism does better over draws, and what does not differ.",
        "sensitivity" => "Which parameters of a box results hang on.",
        "convergence" => "How residuals of a solver fall, and whether they reach their tolerance.",
        "claims" => "What mechanisms claim, and what was found of it.",
        "state_of_charge" => "What storage holds over the day.",
        "distribution" => "How gains or costs spread over many participants.",
        "duration" => "How many hours the load is above a level.",
        "branch_loading" => "Which branches come near their ratings, and when.",
        "trades" => "Who sells to whom, and how much.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::when;
    use coase_plots::figures::KINDS;

    #[test]
    fn of_every_kind_it_is_said_when_it_is_of_use() {
        let silent: Vec<&str> = KINDS.iter().map(|kind| kind.name).filter(|name| when(name).is_empty()).collect();
        assert_eq!(silent, Vec::<&str>::new());
    }
}
