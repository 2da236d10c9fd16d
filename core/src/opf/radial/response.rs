//! Nodal prices as a response to what prosumers do, who decide first.

use super::ask::Hour;
use super::result::Dispatch;
use super::solve::RadialOpf;
use crate::network::NodeId;
use crate::opf::OpfError;

impl RadialOpf {
    /// The best dispatch of what the operator controls, given what prosumers put into the network: its nodal prices are the
    /// response map
    ///
    /// ```text
    /// Phi(p) = min over x of cost(x; p) + carbon(x; p) within the network,     price(p) = grad_d Phi
    /// ```
    ///
    /// of prosumer-driven prices for electricity and carbon, a clean reading of an abstract whose formula is not available.
    /// The hour's controls and import are the operator's; what prosumers spend and emit themselves is theirs. With convex
    /// costs, an injection that is everybody's best answer to the price that it causes is the joint optimum of all
    /// (`price(p)` is the gradient of the rest of the sum), which is the integrated price with the tax internalised.
    ///
    /// `injections` are node, kW and kvar; several at a node add up.
    ///
    /// # Errors
    /// As [`RadialOpf::solve`]; a node that the network does not have.
    pub fn response(&self, hour: &Hour, injections: &[(NodeId, f64, f64)]) -> Result<Dispatch, OpfError> {
        let mut answered = hour.clone();
        for &(node, kw, kvar) in injections {
            let (Some(p), Some(q)) = (answered.load_kw.get_mut(node.0), answered.load_kvar.get_mut(node.0)) else {
                return Err(OpfError::Isolated { bus: 0 });
            };
            *p -= kw;
            *q -= kvar;
        }
        self.solve(&answered)
    }
}
