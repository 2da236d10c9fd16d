//! What a policy announces and an outcome calls for: the signal that the engine brings to a fixed point, by kind.
//!
//! Knows no concrete policy: a policy fills the parts that its terms need and leaves the others empty.

/// A policy's signal.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Signal {
    /// There is none: terms do not depend on the outcome.
    #[default]
    None,
    /// Price of a kg at which what is scarce is in balance, money per kg.
    Scalar(f64),
    /// Shares that outcomes determine and terms contain.
    ByMember(Shares),
    /// Prices, or kilograms per kWh, at nodes.
    ByNode(NodalSignal),
}

/// Shares of what is sold and bought that allowances cover, each between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares {
    /// Of a member's sales, one per member.
    pub of_sales: Vec<f64>,
    /// Of what is bought in a period, one per period.
    pub of_purchases: Vec<f64>,
}

/// Prices and intensities at members' nodes. Series by member and period are member-major; a part that a policy does not use
/// is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodalSignal {
    /// Price of a kWh at every member's node, per kWh: of energy with its carbon, or of carbon alone where the retail tariff
    /// stays.
    pub price_per_kwh: Vec<f64>,
    /// The carbon part of a price of energy, per kWh.
    pub carbon_per_kwh: Vec<f64>,
    /// Price of a kWh at the root, one per period.
    pub root_price_per_kwh: Vec<f64>,
    /// Carbon that a kWh withdrawn is charged with, kg/kWh.
    pub withdrawal_kg_per_kwh: Vec<f64>,
    /// Carbon that a kWh injected is credited with, kg/kWh.
    pub injection_kg_per_kwh: Vec<f64>,
    /// Share of the root's jump that is in the price, one per period; empty where the price does not jump there.
    pub root_share: Vec<f64>,
}

/// What a policy reads where there is no signal at nodes.
static NO_PRICES: NodalSignal = NodalSignal {
    price_per_kwh: vec![],
    carbon_per_kwh: vec![],
    root_price_per_kwh: vec![],
    withdrawal_kg_per_kwh: vec![],
    injection_kg_per_kwh: vec![],
    root_share: vec![],
};
static NO_SHARES: Shares = Shares { of_sales: vec![], of_purchases: vec![] };

impl Signal {
    /// The price of a kg, where the signal is one.
    pub fn scalar(&self) -> Option<f64> {
        match self {
            Signal::Scalar(price) => Some(*price),
            _ => None,
        }
    }

    /// The shares; none where the signal is of another kind.
    pub fn shares(&self) -> &Shares {
        match self {
            Signal::ByMember(shares) => shares,
            _ => &NO_SHARES,
        }
    }

    /// The signal at nodes; empty where the signal is of another kind.
    pub fn nodal(&self) -> &NodalSignal {
        match self {
            Signal::ByNode(signal) => signal,
            _ => &NO_PRICES,
        }
    }

    /// The same with other shares of the root's jump, where it is a signal at nodes.
    #[must_use]
    pub fn with_root_share(self, share: &[f64]) -> Self {
        match self {
            Signal::ByNode(signal) => Signal::ByNode(NodalSignal { root_share: share.to_vec(), ..signal }),
            other => other,
        }
    }

    /// Whether every number in it is one.
    pub fn is_finite(&self) -> bool {
        self.numbers().all(f64::is_finite)
    }

    /// All its numbers, part after part.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        let parts: Vec<&[f64]> = match self {
            Signal::None => vec![],
            Signal::Scalar(price) => vec![std::slice::from_ref(price)],
            Signal::ByMember(Shares { of_sales, of_purchases }) => vec![of_sales, of_purchases],
            Signal::ByNode(s) => vec![
                &s.price_per_kwh,
                &s.carbon_per_kwh,
                &s.root_price_per_kwh,
                &s.withdrawal_kg_per_kwh,
                &s.injection_kg_per_kwh,
                &s.root_share,
            ],
        };
        parts.into_iter().flatten().copied()
    }
}

impl Shares {
    /// Greatest difference to others, and its place among sales and then purchases.
    pub fn distance(&self, other: &Self) -> (f64, usize) {
        let of = |shares: &Self| [&shares.of_sales[..], &shares.of_purchases].concat();
        let change = of(self).into_iter().zip(of(other)).map(|(a, b)| (a - b).abs());
        change.enumerate().fold((0.0, 0), |most, (place, by)| if by > most.0 { (by, place) } else { most })
    }

    /// A step of a length between 0 and 1 towards others.
    pub fn step(&mut self, towards: &Self, length: f64) {
        let pairs = [(&mut self.of_sales, &towards.of_sales), (&mut self.of_purchases, &towards.of_purchases)];
        for (shares, towards) in pairs {
            shares.iter_mut().zip(towards).for_each(|(share, wanted)| *share += length * (wanted - *share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_of_another_kind_has_no_parts() {
        let price = Signal::Scalar(0.3);
        assert_eq!((price.scalar(), price.nodal(), price.shares()), (Some(0.3), &NO_PRICES, &NO_SHARES));
        assert_eq!(price.clone().with_root_share(&[1.0]), price);
        let nodal = Signal::ByNode(NodalSignal { price_per_kwh: vec![1.0, 2.0], ..NodalSignal::default() });
        assert_eq!(nodal.with_root_share(&[0.5]).numbers().collect::<Vec<_>>(), [1.0, 2.0, 0.5]);
        assert!(!Signal::Scalar(f64::NAN).is_finite() && Signal::None.is_finite());
    }

    #[test]
    fn shares_step_towards_others() {
        let mut shares = Shares { of_sales: vec![0.0, 1.0], of_purchases: vec![0.5] };
        let wanted = Shares { of_sales: vec![0.0, 0.5], of_purchases: vec![1.0] };
        assert_eq!(shares.distance(&wanted), (0.5, 1));
        shares.step(&wanted, 0.5);
        assert_eq!(shares, Shares { of_sales: vec![0.0, 0.75], of_purchases: vec![0.75] });
    }
}
