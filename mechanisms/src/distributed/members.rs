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

/// What the members answer: net sales and, where asked, net injections by slot, and what they cost all together.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub net: Vec<Vec<f64>>,
    pub injection: Vec<Vec<f64>>,
    pub cost: f64,
}

impl<'m> Members<'m> {
    pub fn of(market: &'m Market) -> Self {
        Self { market, sessions: market.sessions() }
    }

    /// Asks every member for the least `cost(x) + sum_t weight/2 (x_t - centre_t)^2`, and of its injections likewise where there is
    /// a question about them.
    pub fn ask(&mut self, question: &Question, injection: Option<&Question>) -> Result<Answers, SolveError> {
        let answers = self.market.each_with(&mut self.sessions, |session| {
            let i = session.id();
            let trade = (&question.centre[i][..], &question.weight[i][..]);
            let net = match injection {
                Some(of) => session.prox_injecting(trade, (&of.centre[i], &of.weight[i]))?.to_vec(),
                None => session.prox(trade.0, trade.1)?.to_vec(),
            };
            Ok((net, session.injection().to_vec()))
        })?;
        let (net, injection) = answers.into_iter().unzip();
        Ok(Answers { net, injection, cost: self.sessions.iter().map(LocalSession::cost).sum() })
    }
}
