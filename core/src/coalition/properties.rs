//! Whether groups gain by joining, and whether joining pays the more the larger the group.

use super::{Coalition, CoalitionGame};

/// Differences below this share of the largest value are rounding.
const ROUNDING: f64 = 1e-9;

/// Two groups that lose by joining.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotSuperadditive {
    /// Two groups without a common member.
    pub groups: (Coalition, Coalition),
    /// `v(S) + v(T) - v(S and T)`.
    pub loss: f64,
}

/// A player that brings less to a larger group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotConvex {
    /// The smaller group.
    pub group: Coalition,
    /// Who joins it first, so that the group is larger.
    pub first: usize,
    /// Who then brings less than it would have brought before.
    pub second: usize,
    /// By how much less.
    pub loss: f64,
}

impl CoalitionGame {
    /// Whether no two groups lose by joining, `v(S) + v(T) <= v(S and T)`; else the two that lose most.
    pub fn not_superadditive(&self) -> Option<NotSuperadditive> {
        let mut worst = NotSuperadditive { groups: Default::default(), loss: ROUNDING * self.scale() };
        for union in self.every().filter(|union| union.size() > 1) {
            // Parts with the first member, so that each pair comes once.
            let rest = Coalition(union.0 & (union.0 - 1));
            let mut part = rest.0;
            while part > 0 {
                let groups = (Coalition(union.0 & !part), Coalition(part));
                let loss = self.value(groups.0) + self.value(groups.1) - self.value(union);
                if loss > worst.loss {
                    worst = NotSuperadditive { groups, loss };
                }
                part = (part - 1) & rest.0;
            }
        }
        (!worst.groups.0.is_empty()).then_some(worst)
    }

    /// Whether nobody brings less to a larger group, `v(S and i) - v(S) <= v(S and j and i) - v(S and j)`; else where the
    /// difference is greatest. A convex game has a core, and the Shapley value lies in it (Shapley, 1971).
    pub fn not_convex(&self) -> Option<NotConvex> {
        let mut worst: Option<NotConvex> = None;
        for first in 0..self.players {
            for second in first + 1..self.players {
                for group in self.every().filter(|s| !s.contains(first) && !s.contains(second)) {
                    let before = self.value(group.with(second)) - self.value(group);
                    let after = self.value(group.with(first).with(second)) - self.value(group.with(first));
                    let loss = before - after;
                    if loss > worst.map_or(ROUNDING * self.scale(), |w| w.loss) {
                        worst = Some(NotConvex { group, first, second, loss });
                    }
                }
            }
        }
        worst
    }

    fn every(&self) -> impl Iterator<Item = Coalition> + use<> {
        Coalition::each(self.players)
    }
}
