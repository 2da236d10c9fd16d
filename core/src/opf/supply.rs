//! Generators as variables of a program: convex blocks of power, each with a linear and a square cost.

use crate::network::{Cost, Generator, Network, NodeId, Topology};
use crate::program::{self, Expr, Program, Solution, Var};

use super::carbon::CarbonPricing;
use super::error::OpfError;
use super::piecewise::{Pieces, pieces};

/// What all energised generators can supply, and at what cost.
#[derive(Debug, Clone)]
pub(super) struct Supply {
    pub offers: Vec<Offer>,
    price_per_kg: f64,
    /// Emissions of negative loads, kg/h: they are no decision.
    pub fixed_kg_per_h: f64,
    /// A power that nothing in the network exceeds, kW.
    pub reach_kw: f64,
}

/// One generator: `base` and its blocks on top.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub generator: usize,
    pub node: NodeId,
    pub kg_per_kwh: f64,
    pub base_kw: f64,
    pub base_cost_per_h: f64,
    pub blocks: Vec<Block>,
}

/// A range of power with cost `linear p + square p^2`.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub lower_kw: f64,
    pub upper_kw: f64,
    pub linear: f64,
    pub square: f64,
    /// An end that stands for infinity.
    made_finite: bool,
    pub var: Option<Var>,
}

impl Supply {
    pub fn new(network: &Network, topology: &Topology, carbon: Option<&CarbonPricing>) -> Result<Self, OpfError> {
        let served = || topology.order().iter().map(|n| network.bus(*n));
        let limits = |g: &Generator| [g.p_min_kw, g.p_max_kw].into_iter().filter(|p| p.is_finite()).map(f64::abs);
        let running =
            || network.generators.iter().enumerate().filter(|(_, g)| g.in_service && topology.is_energised(g.node));
        let reach_kw = served().map(|bus| bus.p_load_kw.abs() + bus.g_kw.abs()).sum::<f64>()
            + running().map(|(_, g)| limits(g).fold(0.0, f64::max)).sum::<f64>();
        // Room for losses of whatever formulation, and never nothing.
        let reach_kw = (1.5 * reach_kw).max(1.0);
        let offers = running()
            .map(|(k, generator)| Offer::new(network, k, generator, carbon, reach_kw))
            .collect::<Result<_, _>>()?;
        let negative = topology.order().iter().map(|n| (n, (-network.bus(*n).p_load_kw).max(0.0)));
        let fixed_kg_per_h = carbon.map_or(0.0, |c| negative.map(|(n, kw)| kw * c.node_kg_per_kwh[n.0]).sum());
        let price_per_kg = carbon.map_or(0.0, CarbonPricing::price_per_kg);
        Ok(Self { offers, price_per_kg, fixed_kg_per_h, reach_kw })
    }

    /// Adds the variables and their cost.
    pub fn build(&mut self, network: &Network, program: &mut Program) {
        let tax = self.price_per_kg;
        let mut cost = program::Cost::default();
        cost.affine.constant += tax * self.fixed_kg_per_h;
        for offer in &mut self.offers {
            let bus = network.bus(offer.node).id;
            program.scope(format!("generator {} at bus {bus}", offer.generator + 1));
            cost.affine.constant += offer.base_cost_per_h + tax * offer.kg_per_kwh * offer.base_kw;
            for block in &mut offer.blocks {
                let var = program.var(block.lower_kw, block.upper_kw);
                cost.add(block.linear + tax * offer.kg_per_kwh, var);
                if block.square > 0.0 {
                    cost.add_square(block.square, var);
                }
                block.var = Some(var);
            }
        }
        program.add_cost(&cost);
    }

    /// Every variable with its linear cost, tax included, and its intensity.
    pub fn variables(&self) -> impl Iterator<Item = (Var, f64, f64)> + '_ {
        self.offers.iter().flat_map(|offer| {
            offer.blocks.iter().filter_map(|block| {
                Some((block.var?, block.linear + self.price_per_kg * offer.kg_per_kwh, offer.kg_per_kwh))
            })
        })
    }

    /// Output of every generator of the network, kW.
    pub fn generation_kw(&self, network: &Network, solution: &Solution) -> Vec<f64> {
        let mut kw = vec![0.0; network.generators.len()];
        for offer in &self.offers {
            kw[offer.generator] = solution.value(offer.output_kw());
        }
        kw
    }

    /// Refuses an answer that rests on a limit that was made up.
    pub fn check_ends(&self, network: &Network, solution: &Solution) -> Result<(), OpfError> {
        for offer in &self.offers {
            for block in offer.blocks.iter().filter(|block| block.made_finite) {
                let Some(var) = block.var else { continue };
                if solution.x[var.index()].abs() >= 0.999 * self.reach_kw {
                    let bus = network.bus(offer.node).id;
                    return Err(OpfError::Unbounded { number: offer.generator + 1, bus });
                }
            }
        }
        Ok(())
    }

    /// Intensity of the generator at a node that comes closest to setting its price; `None` without a generator.
    pub fn marginal_kg_per_kwh(&self, node: NodeId, price_per_kwh: f64, solution: &Solution) -> Option<f64> {
        let distance = |offer: &Offer| {
            let tax = self.price_per_kg * offer.kg_per_kwh;
            let off = |b: &Block| {
                let slope = b.var.map_or(0.0, |v| 2.0 * b.square * solution.x[v.index()]);
                (b.linear + tax + slope - price_per_kwh).abs()
            };
            offer.blocks.iter().map(off).fold(f64::INFINITY, f64::min)
        };
        let here = self.offers.iter().filter(|offer| offer.node == node);
        here.min_by(|a, b| distance(a).total_cmp(&distance(b))).map(|offer| offer.kg_per_kwh)
    }
}

impl Offer {
    fn new(
        network: &Network,
        at: usize,
        generator: &Generator,
        carbon: Option<&CarbonPricing>,
        reach_kw: f64,
    ) -> Result<Self, OpfError> {
        let (number, bus) = (at + 1, network.bus(generator.node).id);
        let cost = generator.cost_per_h.as_ref().ok_or(OpfError::NoCost { number, bus })?;
        // Not `clamp`, which would move a finite limit.
        let finite = |p: f64| if p.is_infinite() { reach_kw.copysign(p) } else { p };
        let (lower, upper) = (finite(generator.p_min_kw), finite(generator.p_max_kw));
        let made_finite = generator.p_min_kw.is_infinite() || generator.p_max_kw.is_infinite();
        let only_consumes = generator.p_max_kw <= 0.0 && generator.p_min_kw < 0.0;
        let kg_per_kwh = carbon.filter(|_| !only_consumes).map_or(0.0, |c| c.generator_kg_per_kwh[at]);
        let mut offer = Self {
            generator: at,
            node: generator.node,
            kg_per_kwh,
            base_kw: 0.0,
            base_cost_per_h: 0.0,
            blocks: vec![],
        };
        match cost {
            Cost::Polynomial(c) => {
                let of = |k: usize| c.get(k).copied().unwrap_or(0.0);
                if of(2) < 0.0 || c.iter().skip(3).any(|c| *c != 0.0) {
                    return Err(OpfError::Cost { bus });
                }
                offer.base_cost_per_h = of(0);
                let (linear, square) = (of(1), of(2));
                offer.blocks.push(Block { lower_kw: lower, upper_kw: upper, linear, square, made_finite, var: None });
            }
            Cost::Piecewise(points) => {
                let Some(Pieces { base_per_h, from }) = pieces(points, lower, upper) else {
                    return Err(OpfError::Cost { bus });
                };
                offer.base_kw = lower;
                offer.base_cost_per_h = base_per_h;
                for (k, (begins, linear)) in from.iter().enumerate() {
                    let ends = from.get(k + 1).map_or(upper, |next| next.0);
                    let width = (ends - begins).max(0.0);
                    offer.blocks.push(Block {
                        lower_kw: 0.0,
                        upper_kw: width,
                        linear: *linear,
                        square: 0.0,
                        made_finite: made_finite && width >= 0.999 * reach_kw,
                        var: None,
                    });
                }
            }
        }
        Ok(offer)
    }

    /// Its output, kW.
    pub fn output_kw(&self) -> Expr {
        let mut e = Expr::constant(self.base_kw);
        for var in self.blocks.iter().filter_map(|block| block.var) {
            e.add(1.0, var);
        }
        e
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::built_in;

    fn offer_of(p_min_kw: f64, p_max_kw: f64, cost: Cost) -> Result<Offer, OpfError> {
        let network = built_in("das-15").unwrap().network().unwrap();
        let generator = Generator { p_min_kw, p_max_kw, cost_per_h: Some(cost), ..network.generators[0].clone() };
        Offer::new(&network, 0, &generator, None, 1e4)
    }

    /// Least cost of an output by filling blocks in order.
    fn cost_at(offer: &Offer, p_kw: f64) -> f64 {
        let mut left = p_kw - offer.base_kw;
        offer.base_cost_per_h
            + offer
                .blocks
                .iter()
                .map(|b| {
                    let p = left.clamp(b.lower_kw, b.upper_kw);
                    left -= p;
                    b.linear * p + b.square * p * p
                })
                .sum::<f64>()
    }

    #[test]
    fn blocks_cost_what_the_generator_costs() {
        let points = Cost::Piecewise(vec![(-10.0, -5.0), (0.0, 0.0), (20.0, 20.0), (50.0, 110.0)]);
        let square = Cost::Polynomial(vec![3.0, 0.5, 0.01]);
        for cost in [points, square] {
            // Limits inside a piece, on a point, and beyond both ends.
            for (lo, hi) in [(-5.0, 30.0), (0.0, 20.0), (-30.0, 90.0), (7.0, 7.0)] {
                let offer = offer_of(lo, hi, cost.clone()).unwrap();
                for share in [0.0, 0.1, 0.5, 0.9, 1.0] {
                    let p = lo + share * (hi - lo);
                    assert!((cost_at(&offer, p) - cost.per_h(p)).abs() < 1e-10, "{lo} {hi} {p}");
                }
            }
        }
    }

    #[test]
    fn costs_that_are_not_convex_are_refused() {
        let concave = Cost::Piecewise(vec![(0.0, 0.0), (10.0, 20.0), (20.0, 30.0)]);
        assert!(matches!(offer_of(0.0, 20.0, concave), Err(OpfError::Cost { bus: 1 })));
        let concave = Cost::Polynomial(vec![0.0, 1.0, -1e-3]);
        assert!(matches!(offer_of(0.0, 20.0, concave), Err(OpfError::Cost { bus: 1 })));
        let cubic = Cost::Polynomial(vec![0.0, 1.0, 0.0, 1e-9, 0.0]);
        assert!(matches!(offer_of(0.0, 20.0, cubic), Err(OpfError::Cost { bus: 1 })));
    }
}
