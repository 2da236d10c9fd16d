//! A participant asked again and again in one run: the session keeps what belongs to its steps. Today that is the last
//! schedule, and every step is solved from nothing; a solver's memory between steps has its place here.
//!
//! An iterative mechanism keeps one session per participant ([`Market::sessions`](super::Market::sessions)) and steps them in
//! parallel ([`Market::each_with`](super::Market::each_with)). Inside a loop only net trades matter; the whole schedule is
//! asked for once, at the end.

use super::Local;
use super::plan::Plan;
use crate::program::SolveError;

/// One participant's steps in one run; never shared.
#[derive(Debug)]
pub struct LocalSession<'m> {
    local: Local<'m>,
    last: Option<Plan>,
}

impl<'m> LocalSession<'m> {
    pub(super) fn new(local: Local<'m>) -> Self {
        Self { local, last: None }
    }

    /// Whose it is, by position.
    pub fn id(&self) -> usize {
        self.local.id()
    }

    /// Net sales per slot, kWh, of the least `cost(x) + sum_k rho_k/2 (x_k - centre_k)^2`; `rho` in money per kWh squared. The
    /// answer is that of [`Local::prox`], whatever was asked before.
    ///
    /// # Errors
    /// If the participant cannot operate at all.
    pub fn prox(&mut self, centre: &[f64], rho: &[f64]) -> Result<&[f64], SolveError> {
        let plan = self.local.prox(centre, rho)?;
        Ok(&self.last.insert(plan).trade)
    }

    /// The schedule of the last step; `None` before the first.
    pub fn plan(&self) -> Option<&Plan> {
        self.last.as_ref()
    }
}
