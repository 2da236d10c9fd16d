//! The members as a solver meets them: a session each, stepped side by side.

use coase_core::Market;
use coase_core::market::LocalSession;
use coase_core::program::SolveError;

/// A session for every member of a market.
pub(super) struct Members<'m> {
    market: &'m Market,
    sessions: Vec<LocalSession<'m>>,
    slots: usize,
}

/// A question to every member: centres and weights, by member and slot.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub centre: Vec<f64>,
    pub weight: Vec<f64>,
}

/// What the members answer, by member and slot.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// Net sales, kWh.
    pub net: Vec<f64>,
    /// Net injections, kWh, where asked.
    pub injection: Vec<f64>,
    /// What they cost all together.
    pub cost: f64,
    /// The same, whoever earns counted as who pays.
    pub money: f64,
}

impl<'m> Members<'m> {
    pub fn of(market: &'m Market) -> Self {
        Self { market, sessions: market.sessions(), slots: market.setting().slots.len() }
    }

    /// Asks every member for the least `cost(x) + sum_t weight/2 (x_t - centre_t)^2`, and of its injections likewise where there is
    /// a question about them.
    pub fn ask(&mut self, question: &Question, injection: Option<&Question>) -> Result<Answers, SolveError> {
        let slots = self.slots;
        let answers = self.market.each_with(&mut self.sessions, |session| {
            let own = session.id() * slots..(session.id() + 1) * slots;
            let trade = (&question.centre[own.clone()], &question.weight[own.clone()]);
            let net = match injection {
                Some(of) => session.prox_injecting(trade, (&of.centre[own.clone()], &of.weight[own]))?.to_vec(),
                None => session.prox(trade.0, trade.1)?.to_vec(),
            };
            Ok((net, session.injection().to_vec()))
        })?;
        let (net, injection): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
        let flat = |of: Vec<Vec<f64>>| of.into_iter().flatten().collect();
        let injection = if injection.iter().all(Vec::is_empty) { vec![] } else { flat(injection) };
        let costs = self.sessions.iter().map(LocalSession::cost);
        Ok(Answers { net: flat(net), injection, cost: costs.clone().sum(), money: costs.map(f64::abs).sum() })
    }
}

/// A field by member and slot, a row for each member.
pub(super) fn nested(field: &[f64], slots: usize) -> Vec<Vec<f64>> {
    field.chunks(slots.max(1)).map(<[f64]>::to_vec).collect()
}
