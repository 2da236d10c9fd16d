//! The members as a solver meets them: a session each, stepped side by side.

use super::pairs::Question;
use coase_core::Market;
use coase_core::market::LocalSession;
use coase_core::program::SolveError;

/// A session for every member of a market.
pub(super) struct Members<'m> {
    market: &'m Market,
    sessions: Vec<LocalSession<'m>>,
}

/// What the members answer: net sales by slot, and what they cost all together.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub net: Vec<Vec<f64>>,
    pub cost: f64,
}

impl<'m> Members<'m> {
    pub fn of(market: &'m Market) -> Self {
        Self { market, sessions: market.sessions() }
    }

    /// Asks every member for the least `cost(x) + sum_t weight/2 (x_t - centre_t)^2`.
    pub fn ask(&mut self, question: &Question) -> Result<Answers, SolveError> {
        let net = self.market.each_with(&mut self.sessions, |session| {
            let i = session.id();
            session.prox(&question.centre[i], &question.weight[i]).map(<[f64]>::to_vec)
        })?;
        Ok(Answers { net, cost: self.sessions.iter().map(LocalSession::cost).sum() })
    }
}
