//! The scenarios and experiments that come with the program.

/// A file of the library.
#[derive(Clone, Copy, Debug)]
pub struct LibraryFile {
    /// File name without extension.
    pub id: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Its text, with its sources in a comment.
    pub text: &'static str,
}

/// Every file of the library, small ones first.
pub const LIBRARY: &[LibraryFile] = &[
    LibraryFile {
        id: "three_vpp",
        summary: "three quadratic agents, one period, no network: every mechanism can be checked by hand",
        text: include_str!("../library/three_vpp.ron"),
    },
    LibraryFile {
        id: "five_vpps",
        summary: "five virtual power plants on the 33-bus feeder for a day",
        text: include_str!("../library/five_vpps.ron"),
    },
    LibraryFile {
        id: "side_by_side",
        summary: "experiment: six mechanisms and four carbon policies on `five_vpps`",
        text: include_str!("../library/side_by_side.ron"),
    },
    LibraryFile {
        id: "cooperation",
        summary: "experiment: every rule that divides a gain on `three_vpp`, against what groups would gain by themselves",
        text: include_str!("../library/cooperation.ron"),
    },
    LibraryFile {
        id: "dso_in_the_loop",
        summary: "experiment: the network's operator as a block of ADMM on `five_vpps`, against adjusted trades and the optimum",
        text: include_str!("../library/dso_in_the_loop.ron"),
    },
    LibraryFile {
        id: "stepped_vs_integrated",
        summary: "experiment: eight cells of tariff and carbon policy, three mechanisms on `five_vpps`",
        text: include_str!("../library/stepped_vs_integrated.ron"),
    },
    LibraryFile {
        id: "abatement_curves",
        summary: "experiment: the policies of `stepped_vs_integrated` at a range of prices",
        text: include_str!("../library/abatement_curves.ron"),
    },
    LibraryFile {
        id: "feeders",
        summary: "experiment: the eight cells of `stepped_vs_integrated` on five feeders",
        text: include_str!("../library/feeders.ron"),
    },
    LibraryFile {
        id: "tariffs",
        summary: "experiment: the eight cells of `stepped_vs_integrated` under five retail tariffs, without trade",
        text: include_str!("../library/tariffs.ron"),
    },
    LibraryFile {
        id: "hinges",
        summary: "experiment: on what stepped against integrated pricing hinges, five parameters in a box",
        text: include_str!("../library/hinges.ron"),
    },
    LibraryFile {
        id: "seasons",
        summary: "experiment: the eight cells on 28 days of four seasons, read from $COASE_DATA",
        text: include_str!("../library/seasons.ron"),
    },
    LibraryFile {
        id: "size",
        summary: "experiment: 5 to 500 homes without a network, two mechanisms, with and without a tax",
        text: include_str!("../library/size.ron"),
    },
    LibraryFile {
        id: "chu_2023",
        summary: "experiment: five plants, four carbon models and a game in three layers after Chu et al. (2023), a reconstruction",
        text: include_str!("../library/chu_2023.ron"),
    },
    LibraryFile {
        id: "output_quota",
        summary: "experiment: a carbon price that raises emissions, for allowances follow output",
        text: include_str!("../library/output_quota.ron"),
    },
    LibraryFile {
        id: "wang_2026_like",
        summary: "experiment: plants with vehicle fleets on the 33-bus feeder after Wang et al. (2026), a reconstruction",
        text: include_str!("../library/wang_2026_like.ron"),
    },
    LibraryFile {
        id: "network_limits",
        summary: "experiment: bargaining blind, adjusted and within the network, at four limits of the voltage",
        text: include_str!("../library/network_limits.ron"),
    },
    LibraryFile {
        id: "penalties",
        summary: "experiment: the first stage of bargaining by ADMM from good and bad penalties, fixed and adaptive",
        text: include_str!("../library/penalties.ron"),
    },
    LibraryFile {
        id: "padding",
        summary: "experiment: competition padding against VCG, Huang's auction and random halves on random markets of 10 to 160 a side",
        text: include_str!("../library/padding.ron"),
    },
    LibraryFile {
        id: "expected_externality",
        summary: "experiment: expected externalities (AGV) against Vickrey's payments on random markets of 1 to 4 a side: budget, participation, wrong priors",
        text: include_str!("../library/expected_externality.ron"),
    },
    LibraryFile {
        id: "kernel_priors",
        summary: "experiment: expected externalities (AGV) between two with kernel densities over past prices, honest and shaded",
        text: include_str!("../library/kernel_priors.ron"),
    },
    LibraryFile {
        id: "network_fee",
        summary: "experiment: no fee on peer trade, given ones and the operator's best ones, by distance and hour, five plants",
        text: include_str!("../library/network_fee.ron"),
    },
    LibraryFile {
        id: "two_best_fees",
        summary: "experiment: two pairs for whose network operator two fees earn the same",
        text: include_str!("../library/two_best_fees.ron"),
    },
    LibraryFile {
        id: "service_quotation",
        summary: "experiment: sellers choose quantities under the operator's quotation and its limit, with cooling stiff and flexible",
        text: include_str!("../library/service_quotation.ron"),
    },
    LibraryFile {
        id: "vehicle_trade",
        summary: "experiment: vehicles trade in pairs by equilibrium bids or at posted prices, users respond or not, 20 draws",
        text: include_str!("../library/vehicle_trade.ron"),
    },
    LibraryFile {
        id: "vehicle_response",
        summary: "experiment: on what posted prices between vehicles hinge, one parameter at a time",
        text: include_str!("../library/vehicle_response.ron"),
    },
    LibraryFile {
        id: "spectrum_and_energy",
        summary: "experiment: radio cells trade spectrum and energy, side by side and all at once",
        text: include_str!("../library/spectrum_and_energy.ron"),
    },
    LibraryFile {
        id: "reference_rules",
        summary: "experiment: keys, net billing, random pairs, an aggregator and a manager on five plants",
        text: include_str!("../library/reference_rules.ron"),
    },
    LibraryFile {
        id: "strategic",
        summary: "experiment: mechanisms on five plants played truthfully, by best responses and as members learn",
        text: include_str!("../library/strategic.ron"),
    },
    LibraryFile {
        id: "household_auctions",
        summary: "experiment: auctions of 250 Portuguese households in quarters of an hour, read from $COASE_DATA",
        text: include_str!("../library/household_auctions.ron"),
    },
    LibraryFile {
        id: "verification",
        summary: "experiment: mechanisms on three small markets, for `coase audit`: what they claim against what is searched",
        text: include_str!("../library/verification.ron"),
    },
    LibraryFile {
        id: "household_community",
        summary: "20 Portuguese households in quarters of an hour, read from $COASE_DATA",
        text: include_str!("../library/household_community.ron"),
    },
];

/// The file with an id, with or without `.ron`.
pub fn library_file(name: &str) -> Option<&'static LibraryFile> {
    let id = name.strip_suffix(".ron").unwrap_or(name);
    LIBRARY.iter().find(|file| file.id == id)
}
