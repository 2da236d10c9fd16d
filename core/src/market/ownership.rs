//! Who stands behind the seats of a market: accounts that one owner split, and members that decide together.
//!
//! A seat is what the rules of a market see; a player is who gains. What a player gains is the sum over its seats.

use super::Market;
use crate::participant::Report;
use crate::setting::{Member, Rating};
use crate::terms::Terms;
use std::sync::Arc;

/// Owners or shares that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnershipError {
    /// Not every seat has one player.
    #[error("{found} owners for {seats} participants: every participant has one")]
    Length {
        /// Owners given.
        found: usize,
        /// Seats there are.
        seats: usize,
    },
    /// A player without a seat.
    #[error("player {player} owns nothing: players are counted from 0 without gaps")]
    Nothing {
        /// Which.
        player: usize,
    },
    /// Shares that do not make a whole.
    #[error("shares {shares:?} of an account: each is above 0 and they sum to 1")]
    Shares {
        /// Those given.
        shares: Vec<f64>,
    },
    /// Under these terms a part is not a copy of the whole in small.
    #[error("the account of `{id}` cannot be split: its terms are not proportional to its quantities")]
    Terms {
        /// Whose.
        id: String,
    },
}

impl Market {
    /// The player behind each seat, in order; each its own if nobody said otherwise.
    pub fn ownership(&self) -> &[usize] {
        &self.ownership
    }

    /// Number of players.
    pub fn players(&self) -> usize {
        self.ownership.iter().max().map_or(0, |last| last + 1)
    }

    /// The seats of a player, in order.
    pub fn seats_of(&self, player: usize) -> impl Iterator<Item = usize> + '_ {
        self.ownership.iter().enumerate().filter(move |(_, owner)| **owner == player).map(|(seat, _)| seat)
    }

    /// The same market with other players behind its seats, one per seat: members with one player decide together. Answers to
    /// questions stay, for they are about seats.
    ///
    /// # Errors
    /// Where a seat has no player or a player no seat.
    pub fn owned(&self, ownership: &[usize]) -> Result<Self, OwnershipError> {
        let seats = self.len();
        if ownership.len() != seats {
            return Err(OwnershipError::Length { found: ownership.len(), seats });
        }
        let players = ownership.iter().max().map_or(0, |last| last + 1);
        if let Some(player) = (0..players).find(|player| !ownership.contains(player)) {
            return Err(OwnershipError::Nothing { player });
        }
        let market = Self { ownership: ownership.into(), ..self.clone() };
        Ok(market.mixing(|side| Self { ownership: ownership.into(), ..side.clone() }))
    }

    /// The market in which a member stands with several accounts, each a share of it: the first at its seat, the others behind
    /// all seats, so that nobody else's random numbers shift. Limits, ratings, quotas and quantities are divided by the
    /// shares: together the accounts can do what the member could, `f_k(x) = share_k f(x / share_k)`. The new accounts are
    /// named `id/2`, `id/3`, ..
    ///
    /// # Errors
    /// Shares that are none, or terms under which a part costs another share than it is of.
    ///
    /// # Panics
    /// Where the position is out of range.
    pub fn split(&self, member: usize, shares: &[f64]) -> Result<Self, OwnershipError> {
        let sum: f64 = shares.iter().sum();
        if shares.is_empty() || shares.iter().any(|s| s.is_nan() || *s <= 0.0) || (sum - 1.0).abs() > 1e-12 {
            return Err(OwnershipError::Shares { shares: shares.to_vec() });
        }
        let whole = &self.setting.members[member];
        let terms = self.terms(member);
        // A tiered account, limits and anchors hold for the whole of what one member does.
        if terms.account.is_some() || terms.limits.is_some() || terms.anchor.is_some() {
            return Err(OwnershipError::Terms { id: whole.id.clone() });
        }
        let mut setting = (*self.setting).clone();
        let mut participants: Vec<_> = self.seats.iter().map(|seat| seat.participant.clone()).collect();
        let mut all_terms: Vec<Terms> = self.seats.iter().map(|seat| seat.terms.clone()).collect();
        let mut ownership = self.ownership.to_vec();
        for (k, share) in shares.iter().enumerate() {
            let mut account = whole.clone();
            let Member { import_max_kw, export_max_kw, peer_max_kw, quota_kg, .. } = &mut account;
            for limit in [import_max_kw, export_max_kw, peer_max_kw, quota_kg] {
                *limit *= share;
            }
            let Rating { supply_kw, demand_kw } = whole.rating;
            // What is publicly known of the whole is known of its parts.
            account.baseline_kwh.iter_mut().for_each(|kwh| *kwh *= share);
            account.rating = Rating { supply_kw: supply_kw * share, demand_kw: demand_kw * share };
            let part = Report::Distorted { price_factor: 1.0, price_shift: 0.0, quantity_factor: *share };
            let participant = part.apply(&self.seats[member].participant);
            if k == 0 {
                setting.members[member] = account;
                participants[member] = participant;
            } else {
                account.id = format!("{}/{}", whole.id, k + 1);
                setting.members.push(account);
                participants.push(participant);
                all_terms.push(terms.clone());
                ownership.push(self.ownership[member]);
            }
        }
        let market = Self::new(setting, participants).under(&all_terms);
        Ok(Self { ownership: Arc::from(ownership), ..market })
    }
}

/// Players of some seats, numbered without gaps in the order of the players.
pub(super) fn of(ownership: &[usize], seats: &[usize]) -> Arc<[usize]> {
    let mut players: Vec<usize> = seats.iter().map(|seat| ownership[*seat]).collect();
    players.sort_unstable();
    players.dedup();
    seats.iter().map(|seat| players.binary_search(&ownership[*seat]).unwrap_or_default()).collect()
}
