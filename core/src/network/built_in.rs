//! The test systems that come with the crate.

use super::error::ReadError;
use super::model::Network;

/// A network that is embedded in the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// The id that scenarios use.
    pub id: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Its RON text, with the published source in a comment.
    pub ron: &'static str,
}

impl BuiltIn {
    /// Reads it.
    ///
    /// # Errors
    /// None in a released program: every embedded text is read by a test.
    pub fn network(&self) -> Result<Network, ReadError> {
        Network::from_ron(self.ron)
    }
}

/// Every embedded network, small ones first.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        id: "ieee-14",
        summary: "IEEE 14-bus transmission system, meshed, five machines, three transformers",
        ron: include_str!("../../networks/ieee-14.ron"),
    },
    BuiltIn {
        id: "das-15",
        summary: "15-bus 11 kV rural feeder of Das, Kothari and Kalam",
        ron: include_str!("../../networks/das-15.ron"),
    },
    BuiltIn {
        id: "ap-15",
        summary: "15-bus feeder of the distribution-price literature, with limits, shunts and a costed generator",
        ron: include_str!("../../networks/ap-15.ron"),
    },
    BuiltIn {
        id: "ieee-33",
        summary: "33-bus 12.66 kV feeder of Baran and Wu, with its five open ties",
        ron: include_str!("../../networks/ieee-33.ron"),
    },
    BuiltIn {
        id: "ieee-69",
        summary: "69-bus 12.66 kV feeder of Baran and Wu",
        ron: include_str!("../../networks/ieee-69.ron"),
    },
    BuiltIn {
        id: "khodr-141",
        summary: "141-bus 12.47 kV feeder of Caracas",
        ron: include_str!("../../networks/khodr-141.ron"),
    },
];

/// The embedded network with this id.
pub fn built_in(id: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|network| network.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Topology;

    /// Buses, branches closed, load kW, load kvar: as published.
    const TOTALS: [(&str, usize, usize, f64, f64); 6] = [
        ("ieee-14", 14, 20, 259_000.0, 73_500.0),
        ("das-15", 15, 14, 1226.4, 1251.1785),
        ("ap-15", 15, 14, 1630.9, 381.0),
        ("ieee-33", 33, 32, 3715.0, 2300.0),
        ("ieee-69", 69, 68, 3802.1, 2694.7),
        ("khodr-141", 141, 140, 11944.625, 7402.61371809816),
    ];

    #[test]
    fn built_in_networks_have_their_published_totals() {
        assert_eq!(BUILT_IN.iter().map(|b| b.id).collect::<Vec<_>>(), TOTALS.map(|t| t.0));
        for (id, buses, closed, p, q) in TOTALS {
            let n = built_in(id).unwrap().network().unwrap();
            assert_eq!(n.name, id);
            assert_eq!(n.buses.len(), buses, "{id}");
            assert_eq!(n.branches.iter().filter(|b| b.in_service).count(), closed, "{id}");
            assert!((n.buses.iter().map(|b| b.p_load_kw).sum::<f64>() - p).abs() < 1e-9, "{id}");
            assert!((n.buses.iter().map(|b| b.q_load_kvar).sum::<f64>() - q).abs() < 1e-9, "{id}");
            let topology = Topology::new(&n);
            assert_eq!(topology.is_radial(), id != "ieee-14");
            assert_eq!(topology.order().len(), buses);
        }
    }

    #[test]
    fn an_unknown_id_is_none() {
        assert!(built_in("ieee-34").is_none());
    }
}
