//! What a mechanism decides: who trades what, and who pays whom. Schedules follow from it; figures are not its business.

mod balances;
mod check;
mod pairs;

pub use balances::Balances;
pub use check::MalformedOutcome;
pub use pairs::{MOST_PAIRS, Pairs, in_member_order, pro_rata};

use crate::setting::{Product, Setting};
use crate::terms::Terms;

/// Whoever can pay or be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A participant, by position.
    Member(usize),
    /// Whoever runs the market.
    Operator,
    /// The distribution system operator.
    Dso,
    /// The retailer behind the tariff.
    Grid,
    /// The carbon authority.
    Authority,
}

impl Party {
    /// The name in tables and messages: that of the participant, or what it is.
    pub fn name(self, setting: &Setting) -> &str {
        match self {
            Party::Member(i) => setting.members.get(i).map_or("nobody", |member| &member.id),
            Party::Operator => "operator",
            Party::Dso => "dso",
            Party::Grid => "grid",
            Party::Authority => "authority",
        }
    }
}

/// What a payment is for. The evaluator counts every payment, whatever its reason; the reason says how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// What the tariff charges for imports, less what it pays for exports.
    Tariff,
    /// Energy that could not be delivered as committed.
    Shortfall,
    /// Terms that a mechanism imposed: adders on exchange, trade or emissions.
    Imposed,
    /// The electricity part of prices that differ by bus, beyond the tariff.
    Nodal,
    /// Carbon.
    Carbon,
    /// Carbon revenue that is given back.
    CarbonRefund,
    /// Energy or another product sold.
    Trade,
    /// Use of the network: what a mechanism charges for losses and limits.
    Network,
    /// Anything else, named as in the table `ledger`: what a plugin charges for reasons of its own, `Other("membership")`.
    Other(&'static str),
}

impl Reason {
    /// All reasons with a name of their own.
    pub const NAMED: [Reason; 8] = [
        Reason::Tariff,
        Reason::Shortfall,
        Reason::Imposed,
        Reason::Nodal,
        Reason::Carbon,
        Reason::CarbonRefund,
        Reason::Trade,
        Reason::Network,
    ];

    /// The name in the table `ledger`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Tariff => "tariff",
            Reason::Shortfall => "shortfall",
            Reason::Imposed => "imposed",
            Reason::Nodal => "nodal",
            Reason::Carbon => "carbon",
            Reason::CarbonRefund => "carbon refund",
            Reason::Trade => "trade",
            Reason::Network => "network",
            Reason::Other(name) => name,
        }
    }
}

impl From<&'static str> for Reason {
    /// The reason with this name in the table `ledger`, or one of a plugin's own.
    fn from(name: &'static str) -> Self {
        Reason::NAMED.into_iter().find(|r| r.name() == name).unwrap_or(Reason::Other(name))
    }
}

/// One entry of the ledger; amounts are positive.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Who pays.
    pub from: Party,
    /// Who receives.
    pub to: Party,
    /// Money.
    pub amount: f64,
    /// What for.
    pub reason: Reason,
    /// The product it belongs to, where it belongs to one.
    pub product: Option<Product>,
}

/// Double entry: the only way money moves. Balances are read off, never asserted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    entries: Vec<Payment>,
}

impl Ledger {
    /// Enters a payment; a negative amount flows the other way, nothing is entered for zero. What is not a number is entered
    /// as it is, and refused where the outcome enters the engine.
    pub fn pay(&mut self, from: Party, to: Party, amount: f64, reason: impl Into<Reason>) {
        self.pay_for(from, to, amount, reason, None);
    }

    /// Enters a payment for a product.
    pub fn pay_for(
        &mut self,
        from: Party,
        to: Party,
        amount: f64,
        reason: impl Into<Reason>,
        product: Option<Product>,
    ) {
        let reason = reason.into();
        if amount < 0.0 {
            self.entries.push(Payment { from: to, to: from, amount: -amount, reason, product });
        } else if amount != 0.0 {
            self.entries.push(Payment { from, to, amount, reason, product });
        }
    }

    /// All entries in the order they were made.
    pub fn entries(&self) -> &[Payment] {
        &self.entries
    }

    /// What a party has in the end: receipts minus payments.
    pub fn balance(&self, party: Party) -> f64 {
        self.balance_where(party, |_| true)
    }

    /// What a party has from the entries with one of these reasons.
    pub fn balance_of(&self, party: Party, reasons: &[Reason]) -> f64 {
        self.balance_where(party, |e| reasons.contains(&e.reason))
    }

    /// What a party has from its entries with another party: receipts minus payments.
    pub fn balance_with(&self, party: Party, other: Party) -> f64 {
        self.balance_where(party, |e| e.from == other || e.to == other)
    }

    /// Enters all payments of another ledger after its own.
    pub fn append(&mut self, other: &Ledger) {
        self.entries.extend_from_slice(&other.entries);
    }

    /// Sum of all amounts that moved.
    pub fn turnover(&self) -> f64 {
        self.entries.iter().map(|e| e.amount).sum()
    }

    /// What a party has from the entries that count.
    pub fn balance_where(&self, party: Party, counts: impl Fn(&Payment) -> bool) -> f64 {
        let sign = |e: &Payment| f64::from(u8::from(e.to == party)) - f64::from(u8::from(e.from == party));
        self.entries.iter().filter(|e| counts(e)).map(|e| sign(e) * e.amount).sum()
    }
}

/// How a run ended. Infeasibility and unmet needs are errors.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// The answer is what the mechanism defines, to its tolerance.
    Converged,
    /// The best point found; it misses the tolerance by this residual.
    NotConverged {
        /// The residual.
        residual: f64,
    },
    /// There is, provably or after a complete search, no equilibrium; the gap of the best point.
    NoEquilibriumFound {
        /// Largest gain from a unilateral deviation.
        gap: f64,
    },
}

/// A property that mechanisms declare and the evaluator measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// No participant gains by a misreport, whatever the others report.
    Truthful,
    /// No participant gains in expectation by a misreport, if the others are truthful.
    BayesianTruthful,
    /// Nobody is worse off than without trade.
    IndividuallyRational,
    /// The operator ends with exactly nothing.
    BudgetBalanced,
    /// The operator never ends with a loss.
    NoDeficit,
    /// The sum of costs is least.
    Efficient,
    /// No group would do better by itself.
    Core,
    /// No player gains by deviating from the strategies played.
    Equilibrium,
}

impl Claim {
    /// The name in tables and explanations.
    pub fn name(self) -> &'static str {
        match self {
            Claim::Truthful => "truthful",
            Claim::BayesianTruthful => "bayesian_truthful",
            Claim::IndividuallyRational => "individual_rationality",
            Claim::BudgetBalanced => "budget_balance",
            Claim::NoDeficit => "no_deficit",
            Claim::Efficient => "efficiency",
            Claim::Core => "core",
            Claim::Equilibrium => "equilibrium",
        }
    }
}

/// What came of checking something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within tolerance.
    Upheld,
    /// Beyond tolerance; the witness shows where.
    Refuted,
    /// A figure without a claim.
    Measured,
    /// The question makes no sense here.
    NotApplicable,
    /// Nobody looked.
    NotSearched,
}

impl Verdict {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Upheld => "upheld",
            Verdict::Refuted => "refuted",
            Verdict::Measured => "measured",
            Verdict::NotApplicable => "not_applicable",
            Verdict::NotSearched => "not_searched",
        }
    }
}

/// What a certificate is about. An answer asserts that it is one: where a certificate of its feasibility, conservation,
/// optimality, fixed point or policy constraint is refuted, the run has not converged. A claim about how the rule treats
/// people stands or falls by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Everybody can do what is committed, within the limits that the answer says it keeps.
    Feasibility,
    /// Energy, money and carbon add up: nothing comes from nowhere.
    Conservation,
    /// The answer solves what the mechanism poses.
    Optimality,
    /// Prices, signals and strategies are those that the answer itself calls for.
    FixedPoint,
    /// What the carbon policy demands of every outcome.
    PolicyConstraint,
    /// A property that the mechanism claims of its rule.
    Claim,
    /// Nothing is asserted.
    Figure,
}

impl Kind {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Feasibility => "feasibility",
            Kind::Conservation => "conservation",
            Kind::Optimality => "optimality",
            Kind::FixedPoint => "fixed_point",
            Kind::PolicyConstraint => "policy_constraint",
            Kind::Claim => "claim",
            Kind::Figure => "figure",
        }
    }

    /// Whether an outcome that ended like this asserts it: a converged one asserts that it is the answer, one without
    /// equilibrium only that it is possible.
    pub fn is_asserted_by(self, status: &Status) -> bool {
        match status {
            Status::Converged => !matches!(self, Kind::Claim | Kind::Figure),
            Status::NoEquilibriumFound { .. } => matches!(self, Kind::Feasibility | Kind::Conservation),
            Status::NotConverged { .. } => false,
        }
    }
}

/// A measured property of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// snake_case name, as in result tables.
    pub name: &'static str,
    /// The figure; `None` where it does not apply.
    pub value: Option<f64>,
    /// What it may be at most, where something is claimed.
    pub tolerance: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// What it is about.
    pub kind: Kind,
    /// Where it was found: who, when, what.
    pub witness: String,
}

impl Certificate {
    /// Upheld if `value <= tolerance`; a value that is not a number is refuted. The mechanism's own evidence is about the
    /// optimality of its answer unless [`about`](Self::about) says otherwise.
    pub fn check(name: &'static str, value: f64, tolerance: f64, witness: impl Into<String>) -> Self {
        let verdict = if value <= tolerance { Verdict::Upheld } else { Verdict::Refuted };
        let (value, tolerance) = (Some(value), Some(tolerance));
        Self { name, value, tolerance, verdict, kind: Kind::Optimality, witness: witness.into() }
    }

    /// The same certificate about something else.
    pub fn about(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// A figure without a claim.
    pub fn measure(name: &'static str, value: f64, witness: impl Into<String>) -> Self {
        let (verdict, kind) = (Verdict::Measured, Kind::Figure);
        Self { name, value: Some(value), tolerance: None, verdict, kind, witness: witness.into() }
    }

    /// A question that makes no sense here, and why.
    pub fn not_applicable(name: &'static str, why: impl Into<String>) -> Self {
        let (verdict, kind) = (Verdict::NotApplicable, Kind::Figure);
        Self { name, value: None, tolerance: None, verdict, kind, witness: why.into() }
    }

    /// A claim that nobody looked into, and what would have to be done.
    pub fn not_searched(name: &'static str, how: impl Into<String>) -> Self {
        let (verdict, kind) = (Verdict::NotSearched, Kind::Claim);
        Self { name, value: None, tolerance: None, verdict, kind, witness: how.into() }
    }
}

/// A bilateral trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade {
    /// Position of the seller.
    pub seller: usize,
    /// Position of the buyer.
    pub buyer: usize,
    /// What and when.
    pub slot: usize,
    /// Quantity, not negative: kWh for energy.
    pub quantity: f64,
    /// Price per unit of quantity, where the trade carries one of its own.
    pub price: Option<f64>,
}

/// Which side of the market a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Sellers receive it.
    Sell,
    /// Buyers pay it.
    Buy,
    /// Both.
    Both,
}

/// A price signal of a mechanism, per slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Whom it is for.
    pub side: Side,
    /// A single participant, or everybody.
    pub member: Option<usize>,
    /// Price per kWh in each slot; `None` where nothing was priced.
    pub price: Vec<Option<f64>>,
}

/// A commitment: net sales and payments. What everybody does to keep it is the evaluator's question to the true types.
///
/// ```
/// use coase_core::setting::{Member, Periods, Setting};
/// use coase_core::{Outcome, Party, Reason};
///
/// let members = vec![Member::new("seller", 0.0, 10.0), Member::new("buyer", 10.0, 0.0)];
/// let setting = Setting::energy(Periods { count: 1, hours: 1.0 }, None, None, members);
/// let mut outcome = Outcome::new(&setting);
/// // The first sells 4 kWh to the second for 1.60.
/// (outcome.net[0][0], outcome.net[1][0]) = (4.0, -4.0);
/// outcome.ledger.pay(Party::Member(1), Party::Member(0), 1.60, Reason::Trade);
/// assert_eq!(outcome.bilateral()[0].quantity, 4.0);
/// assert_eq!(outcome.ledger.balance(Party::Member(0)), 1.60);
/// assert!(outcome.check(&setting).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Net sale of each participant per slot, kWh for energy (negative buys).
    pub net: Vec<Vec<f64>>,
    /// Who sold to whom, where the mechanism matches pairs or prices them; otherwise pro rata, by one rule for all.
    pub trades: Option<Vec<Trade>>,
    /// Whether these trades are all, or few that stand for every seller with every buyer.
    pub pairs: Pairs,
    /// What the mechanism decides about money; tariff and carbon are not its business.
    pub ledger: Ledger,
    /// Price signals.
    pub prices: Vec<Signal>,
    /// Terms it imposed, one per participant, or none; imposed money goes to the DSO and is entered by the evaluator.
    pub imposed: Vec<Terms>,
    /// How it ended.
    pub status: Status,
    /// The mechanism's own evidence.
    pub evidence: Vec<Certificate>,
    /// Declared claims that do not hold here, and why.
    pub withheld: Vec<(Claim, String)>,
    /// Strategies played, where strategies are not reports.
    pub strategies: Vec<Vec<f64>>,
}

impl Outcome {
    /// Nobody trades, nobody pays.
    pub fn new(setting: &Setting) -> Self {
        Self {
            net: vec![vec![0.0; setting.slots.len()]; setting.members.len()],
            trades: None,
            pairs: Pairs::All,
            ledger: Ledger::default(),
            prices: vec![],
            imposed: vec![],
            status: Status::Converged,
            evidence: vec![],
            withheld: vec![],
            strategies: vec![],
        }
    }

    /// The bilateral trades: the mechanism's own, or the canonical ones of net sales.
    pub fn bilateral(&self) -> Vec<Trade> {
        self.trades.clone().unwrap_or_else(|| self.bilateral_pairs().trades(&self.net))
    }

    /// Which pairs the bilateral trades are between.
    pub fn bilateral_pairs(&self) -> Pairs {
        if self.trades.is_some() { self.pairs } else { Pairs::of(&self.net) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Party, Reason};

    #[test]
    fn every_payment_leaves_one_party_and_reaches_another() {
        let mut ledger = Ledger::default();
        ledger.pay(Party::Member(0), Party::Operator, 5.0, Reason::Trade);
        ledger.pay(Party::Member(1), Party::Operator, -3.0, Reason::Trade);
        ledger.pay(Party::Grid, Party::Member(0), 0.0, Reason::Tariff);
        assert_eq!(ledger.entries().len(), 2);
        assert_eq!(ledger.balance(Party::Member(0)), -5.0);
        assert_eq!(ledger.balance(Party::Member(1)), 3.0);
        assert_eq!(ledger.balance(Party::Operator), 2.0);
        assert_eq!(ledger.balance_with(Party::Member(1), Party::Operator), 3.0);
        assert_eq!(ledger.balance_with(Party::Operator, Party::Member(1)), -3.0);
        assert_eq!(ledger.balance_with(Party::Member(1), Party::Dso), 0.0);
        assert_eq!(ledger.turnover(), 8.0);
    }

    #[test]
    fn reasons_have_different_names() {
        for reason in Reason::NAMED {
            assert_eq!(Reason::from(reason.name()), reason);
        }
        assert_eq!(Reason::from("membership"), Reason::Other("membership"));
        let mut names = Reason::NAMED.map(Reason::name).to_vec();
        names.push(Reason::Other("membership").name());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::NAMED.len() + 1);
    }
}
