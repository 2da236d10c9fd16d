//! The question: loads, controls and prices of one hour.

use crate::network::{BusKind, Cost, Network, NodeId};
use crate::opf::OpfError;
use crate::opf::piecewise::pieces;

/// Something whose power can be chosen: a generator, or with negative power a flexible load.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Its bus.
    pub node: NodeId,
    /// Least active power, kW.
    pub p_min_kw: f64,
    /// Most active power, kW.
    pub p_max_kw: f64,
    /// Least reactive power, kvar.
    pub q_min_kvar: f64,
    /// Most reactive power, kvar.
    pub q_max_kvar: f64,
    /// Apparent power limit, kVA, where there is one.
    pub s_max_kva: Option<f64>,
    /// Linear cost of active power, carbon included where it is priced.
    pub cost_per_kwh: f64,
    /// Quadratic cost: `a P^2` per hour.
    pub cost_per_kwh2: f64,
    /// Emission of its active power, kg/kWh.
    pub emission_kg_per_kwh: f64,
}

/// The connection to the upstream grid, at every slack.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// Price of active power without carbon.
    pub price_per_kwh: f64,
    /// Price of the carbon in it: carbon price times intensity.
    pub carbon_per_kwh: f64,
    /// Intensity, kg/kWh.
    pub emission_kg_per_kwh: f64,
    /// Least active import, kW; negative is export, minus infinity no limit.
    pub p_min_kw: f64,
    /// Most active import, kW.
    pub p_max_kw: f64,
    /// Least reactive import, kvar.
    pub q_min_kvar: f64,
    /// Most reactive import, kvar.
    pub q_max_kvar: f64,
}

/// One hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Hour {
    /// Fixed active load by node, kW.
    pub load_kw: Vec<f64>,
    /// Fixed reactive load by node, kvar.
    pub load_kvar: Vec<f64>,
    /// What can be chosen.
    pub controls: Vec<Control>,
    /// The upstream grid.
    pub import: Import,
}

impl Control {
    /// A generator of active power up to `p_max_kw` at a linear cost, without reactive power and emission.
    pub fn active(node: NodeId, p_max_kw: f64, cost_per_kwh: f64) -> Self {
        Self {
            node,
            p_min_kw: 0.0,
            p_max_kw,
            q_min_kvar: 0.0,
            q_max_kvar: 0.0,
            s_max_kva: None,
            cost_per_kwh,
            cost_per_kwh2: 0.0,
            emission_kg_per_kwh: 0.0,
        }
    }

    /// Cost per hour at `p_kw`.
    pub fn cost_per_h(&self, p_kw: f64) -> f64 {
        (self.cost_per_kwh2 * p_kw + self.cost_per_kwh) * p_kw
    }
}

impl Import {
    /// Unlimited exchange at a price, without carbon.
    pub fn at(price_per_kwh: f64) -> Self {
        Self {
            price_per_kwh,
            carbon_per_kwh: 0.0,
            emission_kg_per_kwh: 0.0,
            p_min_kw: f64::NEG_INFINITY,
            p_max_kw: f64::INFINITY,
            q_min_kvar: f64::NEG_INFINITY,
            q_max_kvar: f64::INFINITY,
        }
    }
}

impl Hour {
    /// The network's own loads and costed generators; those at slack buses with limits and a linear cost are the import,
    /// `price_per_kwh` where there is none.
    ///
    /// # Errors
    /// [`OpfError::Cost`].
    pub fn of(network: &Network, price_per_kwh: f64) -> Result<Self, OpfError> {
        let mut hour = Self {
            load_kw: network.buses.iter().map(|b| b.p_load_kw).collect(),
            load_kvar: network.buses.iter().map(|b| b.q_load_kvar).collect(),
            controls: vec![],
            import: Import::at(price_per_kwh),
        };
        for g in network.generators.iter().filter(|g| g.in_service) {
            let bus = network.bus(g.node);
            for (index, (width, slope, square)) in segments(g.cost_per_h.as_ref(), g.p_min_kw, g.p_max_kw)
                .ok_or(OpfError::Cost { bus: bus.id })?
                .into_iter()
                .enumerate()
            {
                if bus.kind == BusKind::Slack && index == 0 && square == 0.0 && width == g.p_max_kw - g.p_min_kw {
                    let import = &mut hour.import;
                    import.price_per_kwh = slope;
                    (import.p_min_kw, import.p_max_kw) = (g.p_min_kw, g.p_max_kw);
                    (import.q_min_kvar, import.q_max_kvar) = (g.q_min_kvar, g.q_max_kvar);
                    continue;
                }
                let least = if index == 0 { g.p_min_kw } else { 0.0 };
                let mut control = Control::active(g.node, least + width, slope);
                control.p_min_kw = least;
                control.cost_per_kwh2 = square;
                if index == 0 {
                    (control.q_min_kvar, control.q_max_kvar) = (g.q_min_kvar, g.q_max_kvar);
                }
                hour.controls.push(control);
            }
        }
        Ok(hour)
    }

    pub(super) fn check(&self, network: &Network) -> Result<(), OpfError> {
        let expected = network.buses.len();
        for found in [self.load_kw.len(), self.load_kvar.len()] {
            if found != expected {
                return Err(OpfError::LoadCount { expected, found });
            }
        }
        let finite = |bus: u64, field, value: f64| {
            if value.is_finite() { Ok(()) } else { Err(OpfError::Field { bus, field, value, must_be: "finite" }) }
        };
        for (bus, (p, q)) in network.buses.iter().zip(self.load_kw.iter().zip(&self.load_kvar)) {
            finite(bus.id, "load_kw", *p)?;
            finite(bus.id, "load_kvar", *q)?;
        }
        let root = network.slacks().next().map_or(0, |s| network.bus(s).id);
        let ordered = |bus, field, low: f64, high: f64| {
            let right = low <= high && low < f64::INFINITY && high > f64::NEG_INFINITY;
            if right {
                Ok(())
            } else {
                Err(OpfError::Field { bus, field, value: high, must_be: "at least the lower limit" })
            }
        };
        let i = &self.import;
        finite(root, "price_per_kwh", i.price_per_kwh)?;
        finite(root, "carbon_per_kwh", i.carbon_per_kwh)?;
        ordered(root, "p_max_kw", i.p_min_kw, i.p_max_kw)?;
        ordered(root, "q_max_kvar", i.q_min_kvar, i.q_max_kvar)?;
        for c in &self.controls {
            let bus = network.buses.get(c.node.0).map_or(0, |b| b.id);
            finite(bus, "cost_per_kwh", c.cost_per_kwh)?;
            if !(c.cost_per_kwh2 >= 0.0 && c.cost_per_kwh2.is_finite()) {
                return Err(OpfError::Field {
                    bus,
                    field: "cost_per_kwh2",
                    value: c.cost_per_kwh2,
                    must_be: "0 or more",
                });
            }
            ordered(bus, "p_max_kw", c.p_min_kw, c.p_max_kw)?;
            ordered(bus, "q_max_kvar", c.q_min_kvar, c.q_max_kvar)?;
            if let Some(s) = c.s_max_kva.filter(|s| s.is_nan() || *s <= 0.0) {
                return Err(OpfError::Field { bus, field: "s_max_kva", value: s, must_be: "positive" });
            }
        }
        Ok(())
    }
}

/// Width, slope and square of the convex pieces of a cost from `least` to `most`; a constant part changes nothing.
fn segments(cost: Option<&Cost>, least: f64, most: f64) -> Option<Vec<(f64, f64, f64)>> {
    match cost {
        None => Some(vec![(most - least, 0.0, 0.0)]),
        Some(Cost::Polynomial(c)) => {
            let at = |k: usize| c.get(k).copied().unwrap_or(0.0);
            let fits = c.iter().skip(3).all(|&v| v == 0.0) && at(2) >= 0.0;
            fits.then(|| vec![(most - least, at(1), at(2))])
        }
        Some(Cost::Piecewise(points)) => {
            let found = pieces(points, least, most)?.from;
            let ends = found.iter().skip(1).map(|next| next.0).chain([most]);
            Some(found.iter().zip(ends).map(|((from, slope), to)| ((to - from).max(0.0), *slope, 0.0)).collect())
        }
    }
}
