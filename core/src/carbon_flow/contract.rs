//! Carbon by contract: who answers for which kWh if contracts count rather than flows.
//!
//! The carbon flow ignores contracts. The overlay gives a buyer the carbon of what it bought from named sellers, and
//! everybody the *residual mix*, what the contracts left over, for the rest:
//!
//! ```text
//! R_i = sum over sellers j of q_ij w_j + (d_i - sum q_ij) w_res
//! w_res = (sum over sources of e P - sum over contracts of q w) / residual energy
//! ```
//!
//! so that the carbon of all consumption is that of all sources: nothing is counted twice, because no seller can sell
//! more than it exports. (Market-based accounting of scope 2; not the figure of any registry of certificates.)
//!
//! This module knows no market and no network: energies of one period as plain numbers.
//!
//! ```
//! use coase_core::carbon_flow::contract::{Contract, Generation, Oversold, Party, overlay};
//! use coase_core::carbon_flow::LossRule;
//!
//! let grid = [Generation { kwh: 6.0, kg_per_kwh: 0.581 }];
//! let parties = [Party::seller(2.0, 0.0), Party::buyer(8.0)];
//! let contracts = [Contract { buyer: 1, seller: 0, kwh: 2.0 }];
//! let account = overlay(&grid, &parties, &contracts, LossRule::Explicit, Oversold::Refuse)?;
//! assert!((account.party_kg[1] - 6.0 * 0.581).abs() < 1e-12);
//! # Ok::<(), coase_core::carbon_flow::contract::ContractError>(())
//! ```

use super::LossRule;
use thiserror::Error;

/// How far energies may be out of balance, relative to all energy: the accuracy of a power flow.
const BALANCE: f64 = 1e-6;

/// Energy that comes from outside the parties, as the import from the upstream grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generation {
    /// Energy (kWh), not negative.
    pub kwh: f64,
    /// Its intensity (kg/kWh).
    pub kg_per_kwh: f64,
}

/// A connection point: a participant, a passive load, an export to the upstream grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Party {
    /// Energy given to the network (kWh).
    pub exported_kwh: f64,
    /// Intensity of that energy (kg/kWh), as of the internal node of a member of the carbon flow; 0 if it exports nothing.
    pub export_kg_per_kwh: f64,
    /// Energy taken from the network (kWh).
    pub withdrawn_kwh: f64,
}

/// Energy sold by one party to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contract {
    /// Index of the buying party.
    pub buyer: usize,
    /// Index of the selling party.
    pub seller: usize,
    /// Energy (kWh), not negative.
    pub kwh: f64,
}

/// What to do with contracts for energy that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversold {
    /// It is an error.
    Refuse,
    /// All contracts of a seller that sold more than it exports shrink in proportion; then those of a buyer that bought
    /// more than it withdraws.
    Cap,
}

/// Contracts beyond what was delivered or taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Excess {
    /// The party that sold or bought too much.
    pub party: usize,
    /// Energy of its contracts that was disregarded (kWh).
    pub kwh: f64,
}

/// The account by contract.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractAccount {
    /// Carbon each party answers for as a consumer (kg).
    pub party_kg: Vec<f64>,
    /// Intensity of the residual mix (kg/kWh); `None` if contracts cover everything.
    pub residual_kg_per_kwh: Option<f64>,
    /// Carbon of network losses at the residual mix (kg); under [`LossRule::LoadsPay`] only what no consumer can bear.
    pub loss_kg: f64,
    /// Carbon of all sources (kg): the sum of the above.
    pub source_kg: f64,
    /// Energy of each contract that counts (kWh).
    pub honoured_kwh: Vec<f64>,
    /// Sales beyond exports.
    pub oversold: Vec<Excess>,
    /// Purchases beyond withdrawals.
    pub overbought: Vec<Excess>,
}

/// Contracts or energies that make no account.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum ContractError {
    /// A contract names a party that does not exist.
    #[error("contract {contract} names party {party}, but there are {parties}")]
    Party {
        /// Index of the contract.
        contract: usize,
        /// The party it names.
        party: usize,
        /// Number of parties.
        parties: usize,
    },
    /// An energy that is negative or not finite, or an intensity that is not finite.
    #[error("an energy of {kwh} kWh at {kg_per_kwh} kg/kWh is not finite and non-negative")]
    Quantity {
        /// The energy.
        kwh: f64,
        /// Its intensity, 0 where there is none.
        kg_per_kwh: f64,
    },
    /// A party sold more than it exports: its carbon would be counted twice.
    #[error("party {seller} sold {sold_kwh} kWh and exported {exported_kwh}")]
    Oversold {
        /// The seller.
        seller: usize,
        /// Energy of all its sales.
        sold_kwh: f64,
        /// What it exports.
        exported_kwh: f64,
    },
    /// A party bought more than it withdraws.
    #[error("party {buyer} bought {bought_kwh} kWh and withdrew {withdrawn_kwh}")]
    Overbought {
        /// The buyer.
        buyer: usize,
        /// Energy of all its purchases.
        bought_kwh: f64,
        /// What it withdraws.
        withdrawn_kwh: f64,
    },
    /// More energy is withdrawn than there is.
    #[error("{withdrawn_kwh} kWh are withdrawn from {supplied_kwh} kWh")]
    Balance {
        /// Energy of all sources.
        supplied_kwh: f64,
        /// Energy of all withdrawals.
        withdrawn_kwh: f64,
    },
    /// A producers' share outside [0, 1].
    #[error("a producers' share of {beta} is outside [0, 1]")]
    Share {
        /// The share.
        beta: f64,
    },
}

/// Assigns the carbon of one period by contract.
///
/// Losses are what sources give and nobody withdraws; under [`LossRule::Explicit`] they take the residual mix as an
/// account of their own, under [`LossRule::LoadsPay`] the residual withdrawals bear them.
///
/// # Errors
/// Numbers out of range, parties that do not exist, withdrawals beyond supply, and, under [`Oversold::Refuse`], contracts
/// beyond what was exported or withdrawn.
pub fn overlay(
    outside: &[Generation],
    parties: &[Party],
    contracts: &[Contract],
    losses: LossRule,
    oversold: Oversold,
) -> Result<ContractAccount, ContractError> {
    validate(outside, parties, contracts)?;
    let (supplied_kwh, source_kg, tolerance_kwh) = supply(outside, parties)?;

    let mut honoured_kwh: Vec<f64> = contracts.iter().map(|c| c.kwh).collect();
    let exported: Vec<f64> = parties.iter().map(|p| p.exported_kwh).collect();
    let withdrawn: Vec<f64> = parties.iter().map(|p| p.withdrawn_kwh).collect();
    let seller = |contract: usize| contracts[contract].seller;
    let buyer = |contract: usize| contracts[contract].buyer;
    let sold_excess = cap(&mut honoured_kwh, &exported, seller, tolerance_kwh);
    if let (Oversold::Refuse, Some(excess)) = (oversold, sold_excess.first()) {
        let exported_kwh = exported[excess.party];
        return Err(ContractError::Oversold {
            seller: excess.party,
            sold_kwh: exported_kwh + excess.kwh,
            exported_kwh,
        });
    }
    let bought_excess = cap(&mut honoured_kwh, &withdrawn, buyer, tolerance_kwh);
    if let (Oversold::Refuse, Some(excess)) = (oversold, bought_excess.first()) {
        let withdrawn_kwh = withdrawn[excess.party];
        return Err(ContractError::Overbought {
            buyer: excess.party,
            bought_kwh: withdrawn_kwh + excess.kwh,
            withdrawn_kwh,
        });
    }

    let mut party_kg = vec![0.0; parties.len()];
    let mut uncovered_kwh = withdrawn;
    let mut contract_kg = 0.0;
    for (contract, &kwh) in contracts.iter().zip(&honoured_kwh) {
        let kg = kwh * parties[contract.seller].export_kg_per_kwh;
        party_kg[contract.buyer] += kg;
        contract_kg += kg;
        uncovered_kwh[contract.buyer] = (uncovered_kwh[contract.buyer] - kwh).max(0.0);
    }
    let sums = Sums { supplied_kwh, source_kg, honoured_kwh: honoured_kwh.iter().sum(), contract_kg };
    let (residual_kg_per_kwh, loss_kg) = sums.residual(&mut party_kg, &uncovered_kwh, losses, tolerance_kwh);
    Ok(ContractAccount {
        party_kg,
        residual_kg_per_kwh,
        loss_kg,
        source_kg,
        honoured_kwh,
        oversold: sold_excess,
        overbought: bought_excess,
    })
}

/// Carbon that each party answers for as a consumer (kg), as [`overlay`] has it with [`Oversold::Cap`], where every seller serves
/// every buyer in proportion, `q_ij = sold_j bought_i / sum sold`: without a contract for every pair. Parties behind the
/// lists neither sell nor buy.
///
/// # Errors
/// Numbers out of range, and withdrawals beyond supply.
pub fn pooled(
    outside: &[Generation],
    parties: &[Party],
    sold_kwh: &[f64],
    bought_kwh: &[f64],
    losses: LossRule,
) -> Result<Vec<f64>, ContractError> {
    validate(outside, parties, &[])?;
    for &kwh in sold_kwh.iter().chain(bought_kwh) {
        if !(kwh >= 0.0 && kwh.is_finite()) {
            return Err(ContractError::Quantity { kwh, kg_per_kwh: 0.0 });
        }
    }
    let (supplied_kwh, source_kg, tolerance_kwh) = supply(outside, parties)?;
    let total_kwh: f64 = sold_kwh.iter().sum();
    // What of each kWh that the pool sells is delivered, and its carbon.
    let (mut delivered, mut kg_per_kwh) = (0.0, 0.0);
    if total_kwh > 0.0 {
        for (&sold, party) in sold_kwh.iter().zip(parties) {
            let kwh = sold.min(party.exported_kwh);
            delivered += kwh / total_kwh;
            kg_per_kwh += kwh * party.export_kg_per_kwh / total_kwh;
        }
    }
    let mut party_kg = vec![0.0; parties.len()];
    let mut uncovered_kwh: Vec<f64> = parties.iter().map(|p| p.withdrawn_kwh).collect();
    let mut sums = Sums { supplied_kwh, source_kg, honoured_kwh: 0.0, contract_kg: 0.0 };
    for (k, &bought) in bought_kwh.iter().enumerate().filter(|(_, bought)| **bought > 0.0) {
        let kwh = bought * delivered;
        let taken = if kwh > uncovered_kwh[k] { uncovered_kwh[k] / kwh } else { 1.0 };
        party_kg[k] = taken * bought * kg_per_kwh;
        sums.contract_kg += party_kg[k];
        sums.honoured_kwh += taken * kwh;
        uncovered_kwh[k] = (uncovered_kwh[k] - kwh).max(0.0);
    }
    sums.residual(&mut party_kg, &uncovered_kwh, losses, tolerance_kwh);
    Ok(party_kg)
}

/// Energy and carbon of a period before the residual mix is known.
struct Sums {
    supplied_kwh: f64,
    source_kg: f64,
    honoured_kwh: f64,
    contract_kg: f64,
}

impl Sums {
    /// Gives everybody the residual mix for what no contract covers; returns its intensity, and the carbon of losses.
    fn residual(
        &self,
        party_kg: &mut [f64],
        uncovered_kwh: &[f64],
        losses: LossRule,
        tolerance_kwh: f64,
    ) -> (Option<f64>, f64) {
        let uncovered_sum_kwh: f64 = uncovered_kwh.iter().sum();
        let residual_kwh = match losses {
            LossRule::Explicit => self.supplied_kwh - self.honoured_kwh,
            LossRule::LoadsPay => uncovered_sum_kwh,
        };
        let residual_kg = self.source_kg - self.contract_kg;
        let residual_kg_per_kwh = (residual_kwh > tolerance_kwh).then(|| residual_kg / residual_kwh);
        let mut loss_kg = residual_kg;
        if let Some(w) = residual_kg_per_kwh {
            for (kg, kwh) in party_kg.iter_mut().zip(uncovered_kwh) {
                *kg += w * kwh;
            }
            loss_kg = w * (residual_kwh - uncovered_sum_kwh);
        }
        (residual_kg_per_kwh, loss_kg)
    }
}

/// Energy and carbon of all sources, and what is nothing beside that energy.
fn supply(outside: &[Generation], parties: &[Party]) -> Result<(f64, f64, f64), ContractError> {
    let supplied_kwh: f64 =
        outside.iter().map(|g| g.kwh).sum::<f64>() + parties.iter().map(|p| p.exported_kwh).sum::<f64>();
    let withdrawn_kwh: f64 = parties.iter().map(|p| p.withdrawn_kwh).sum();
    let tolerance_kwh = BALANCE * supplied_kwh;
    if withdrawn_kwh > supplied_kwh + tolerance_kwh {
        return Err(ContractError::Balance { supplied_kwh, withdrawn_kwh });
    }
    let source_kg: f64 = outside.iter().map(|g| g.kwh * g.kg_per_kwh).sum::<f64>()
        + parties.iter().map(|p| p.exported_kwh * p.export_kg_per_kwh).sum::<f64>();
    Ok((supplied_kwh, source_kg, tolerance_kwh))
}

/// Responsibility shared between those who emit and those who consume.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedResponsibility {
    /// `beta e P` of each source (kg).
    pub source_kg: Vec<f64>,
    /// `(1 - beta) w d` of each load (kg).
    pub load_kg: Vec<f64>,
    /// `(1 - beta)` of the carbon of losses (kg).
    pub loss_kg: f64,
}

/// Shares responsibility: producers `beta`, consumers and losses the rest. If sources equal loads and losses, so does
/// the sum of all shares.
///
/// # Errors
/// `beta` outside [0, 1].
pub fn share_responsibility(
    beta: f64,
    source_kg: &[f64],
    load_kg: &[f64],
    loss_kg: f64,
) -> Result<SharedResponsibility, ContractError> {
    if !(0.0..=1.0).contains(&beta) {
        return Err(ContractError::Share { beta });
    }
    Ok(SharedResponsibility {
        source_kg: source_kg.iter().map(|kg| beta * kg).collect(),
        load_kg: load_kg.iter().map(|kg| (1.0 - beta) * kg).collect(),
        loss_kg: (1.0 - beta) * loss_kg,
    })
}

impl Party {
    /// A party that only exports.
    pub fn seller(exported_kwh: f64, export_kg_per_kwh: f64) -> Self {
        Self { exported_kwh, export_kg_per_kwh, withdrawn_kwh: 0.0 }
    }

    /// A party that only withdraws.
    pub fn buyer(withdrawn_kwh: f64) -> Self {
        Self { exported_kwh: 0.0, export_kg_per_kwh: 0.0, withdrawn_kwh }
    }
}

/// Shrinks the contracts of every party beyond its limit; returns what was cut off, in order of the parties.
fn cap(
    contracts_kwh: &mut [f64],
    limit_kwh: &[f64],
    party_of: impl Fn(usize) -> usize,
    tolerance_kwh: f64,
) -> Vec<Excess> {
    let mut sum_kwh = vec![0.0; limit_kwh.len()];
    for (contract, kwh) in contracts_kwh.iter().enumerate() {
        sum_kwh[party_of(contract)] += kwh;
    }
    for (contract, kwh) in contracts_kwh.iter_mut().enumerate() {
        let party = party_of(contract);
        if sum_kwh[party] > limit_kwh[party] {
            *kwh *= limit_kwh[party] / sum_kwh[party];
        }
    }
    let excess = sum_kwh.iter().zip(limit_kwh).enumerate();
    excess
        .filter(|(_, (sum, limit))| **sum > **limit + tolerance_kwh)
        .map(|(party, (sum, limit))| Excess { party, kwh: sum - limit })
        .collect()
}

fn validate(outside: &[Generation], parties: &[Party], contracts: &[Contract]) -> Result<(), ContractError> {
    let energies = (outside.iter().map(|g| (g.kwh, g.kg_per_kwh)))
        .chain(parties.iter().map(|p| (p.exported_kwh, p.export_kg_per_kwh)))
        .chain(parties.iter().map(|p| (p.withdrawn_kwh, 0.0)))
        .chain(contracts.iter().map(|c| (c.kwh, 0.0)));
    for (kwh, kg_per_kwh) in energies {
        if !(kwh >= 0.0 && kwh.is_finite() && kg_per_kwh.is_finite()) {
            return Err(ContractError::Quantity { kwh, kg_per_kwh });
        }
    }
    for (contract, c) in contracts.iter().enumerate() {
        if let Some(&party) = [c.buyer, c.seller].iter().find(|&&party| party >= parties.len()) {
            return Err(ContractError::Party { contract, party, parties: parties.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The specification's example: grid 6 at .581, A exports 2 at 0, B exports 1 at .5; C withdraws 5, D 4.
    const GRID: [Generation; 1] = [Generation { kwh: 6.0, kg_per_kwh: 0.581 }];

    fn parties() -> [Party; 4] {
        [Party::seller(2.0, 0.0), Party::seller(1.0, 0.5), Party::buyer(5.0), Party::buyer(4.0)]
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn without_contracts_everybody_gets_the_mix() {
        let account = overlay(&GRID, &parties(), &[], LossRule::Explicit, Oversold::Refuse).unwrap();
        close(account.residual_kg_per_kwh.unwrap(), 0.4428888889);
        close(account.party_kg[2], 2.2144444444);
        close(account.party_kg[3], 1.7715555556);
    }

    #[test]
    fn contracts_take_their_carbon_out_of_the_residual_mix() {
        let contracts = [Contract { buyer: 2, seller: 0, kwh: 2.0 }, Contract { buyer: 3, seller: 1, kwh: 1.0 }];
        let account = overlay(&GRID, &parties(), &contracts, LossRule::Explicit, Oversold::Refuse).unwrap();
        close(account.residual_kg_per_kwh.unwrap(), 0.581);
        close(account.party_kg[2], 1.743);
        close(account.party_kg[3], 2.243);
        close(account.source_kg, 3.986);
        close(account.loss_kg, 0.0);
    }

    #[test]
    fn nobody_sells_more_than_exported() {
        let contracts = [Contract { buyer: 2, seller: 0, kwh: 3.0 }, Contract { buyer: 3, seller: 0, kwh: 1.0 }];
        assert_eq!(
            overlay(&GRID, &parties(), &contracts, LossRule::Explicit, Oversold::Refuse),
            Err(ContractError::Oversold { seller: 0, sold_kwh: 4.0, exported_kwh: 2.0 })
        );
        let account = overlay(&GRID, &parties(), &contracts, LossRule::Explicit, Oversold::Cap).unwrap();
        assert_eq!(account.oversold, [Excess { party: 0, kwh: 2.0 }]);
        assert_eq!(account.honoured_kwh, [1.5, 0.5]);
        // Seven kWh with all the carbon are left for 3.5 and 3.5.
        close(account.party_kg[2], 3.986 / 2.0);
    }

    #[test]
    fn nobody_buys_more_than_withdrawn() {
        let parties = [Party::seller(5.0, 0.2), Party::buyer(2.0), Party::buyer(3.0)];
        let contracts = [Contract { buyer: 1, seller: 0, kwh: 4.0 }];
        assert_eq!(
            overlay(&[], &parties, &contracts, LossRule::Explicit, Oversold::Refuse),
            Err(ContractError::Overbought { buyer: 1, bought_kwh: 4.0, withdrawn_kwh: 2.0 })
        );
        let account = overlay(&[], &parties, &contracts, LossRule::Explicit, Oversold::Cap).unwrap();
        assert_eq!(account.overbought, [Excess { party: 1, kwh: 2.0 }]);
        close(account.party_kg[1], 0.4);
    }

    #[test]
    fn losses_are_an_account_or_a_burden_of_the_residual() {
        // 10 kWh at .6 for 9 kWh of load, of which 4 are bought free of carbon from a seller of 4.
        let grid = [Generation { kwh: 10.0, kg_per_kwh: 0.6 }];
        let parties = [Party::seller(4.0, 0.0), Party::buyer(13.0)];
        let contracts = [Contract { buyer: 1, seller: 0, kwh: 4.0 }];
        let explicit = overlay(&grid, &parties, &contracts, LossRule::Explicit, Oversold::Refuse).unwrap();
        close(explicit.residual_kg_per_kwh.unwrap(), 0.6);
        close(explicit.party_kg[1], 5.4);
        close(explicit.loss_kg, 0.6);
        let loads = overlay(&grid, &parties, &contracts, LossRule::LoadsPay, Oversold::Refuse).unwrap();
        close(loads.party_kg[1], 6.0);
        close(loads.loss_kg, 0.0);
    }

    #[test]
    fn bad_input_is_named() {
        let run = |contracts: &[Contract]| overlay(&GRID, &parties(), contracts, LossRule::Explicit, Oversold::Cap);
        let missing = Contract { buyer: 2, seller: 9, kwh: 1.0 };
        assert_eq!(run(&[missing]), Err(ContractError::Party { contract: 0, party: 9, parties: 4 }));
        assert!(matches!(run(&[Contract { kwh: -1.0, seller: 0, ..missing }]), Err(ContractError::Quantity { .. })));
        let thirsty = [Party::buyer(7.0)];
        assert!(matches!(
            overlay(&GRID, &thirsty, &[], LossRule::Explicit, Oversold::Cap),
            Err(ContractError::Balance { .. })
        ));
        assert_eq!(share_responsibility(1.5, &[], &[], 0.0), Err(ContractError::Share { beta: 1.5 }));
    }

    #[test]
    fn shared_responsibility_sums_to_the_emissions() {
        for beta in [0.0, 0.3, 1.0] {
            let shared = share_responsibility(beta, &[5.0, 1.0], &[3.5, 2.0], 0.5).unwrap();
            close(shared.source_kg.iter().sum::<f64>() + shared.load_kg.iter().sum::<f64>() + shared.loss_kg, 6.0);
            close(shared.source_kg[0], 5.0 * beta);
        }
    }

    proptest! {
        #[test]
        fn all_carbon_of_the_sources_is_somebodys(
            energies in prop::collection::vec((0.0..10.0f64, 0.0..1.0f64, 0.0..10.0f64), 2..8),
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0.0..8.0f64), 0..12),
            loss_share in 0.0..0.2f64,
            rule in prop::sample::select(vec![LossRule::Explicit, LossRule::LoadsPay]),
        ) {
            let parties: Vec<Party> = energies.iter()
                .map(|&(exported_kwh, export_kg_per_kwh, withdrawn_kwh)| Party { exported_kwh, export_kg_per_kwh, withdrawn_kwh })
                .collect();
            let contracts: Vec<Contract> = picks.iter()
                .map(|(buyer, seller, kwh)| Contract { buyer: buyer.index(parties.len()), seller: seller.index(parties.len()), kwh: *kwh })
                .collect();
            let withdrawn: f64 = energies.iter().map(|e| e.2).sum();
            let grid = [Generation { kwh: withdrawn * (1.0 + loss_share), kg_per_kwh: 0.581 }];
            let account = overlay(&grid, &parties, &contracts, rule, Oversold::Cap).unwrap();
            let sum = account.party_kg.iter().sum::<f64>() + account.loss_kg;
            prop_assert!((sum - account.source_kg).abs() < 1e-9 * (1.0 + account.source_kg));
            for (party, p) in parties.iter().enumerate() {
                let sold: f64 = contracts.iter().zip(&account.honoured_kwh).filter(|(c, _)| c.seller == party).map(|(_, q)| q).sum();
                prop_assert!(sold <= p.exported_kwh + 1e-9);
            }
        }
    }

    proptest! {
        /// A pool's account is that of contracts between every seller and every buyer, whoever sold or bought too much.
        #[test]
        fn a_pool_has_the_account_of_all_its_pairs(
            drawn in proptest::collection::vec((0.0_f64..5.0, -0.2_f64..1.0, 0.0_f64..5.0, 0.5_f64..1.5), 2..12),
            loads_pay in any::<bool>(),
        ) {
            let losses = if loads_pay { LossRule::LoadsPay } else { LossRule::Explicit };
            let (sellers, buyers) = drawn.split_at(drawn.len() / 2);
            let mut parties: Vec<Party> = sellers.iter().map(|(kwh, kg, _, _)| Party::seller(*kwh, *kg)).collect();
            parties.extend(buyers.iter().map(|(_, _, kwh, _)| Party::buyer(*kwh)));
            let grid = [Generation { kwh: parties.iter().map(|p| p.withdrawn_kwh).sum::<f64>() + 1.0, kg_per_kwh: 0.4 }];
            // What is sold and bought is near what is exported and withdrawn, and sums to the same.
            let mut sold: Vec<f64> = sellers.iter().map(|(kwh, _, _, near)| kwh * near).collect();
            let mut bought: Vec<f64> = buyers.iter().map(|(_, _, kwh, near)| kwh * near).collect();
            let sums = (sold.iter().sum::<f64>(), bought.iter().sum::<f64>());
            prop_assume!(sums.0 > 0.1 && sums.1 > 0.1);
            let total = sums.0.min(sums.1);
            for (kwh, sum) in sold.iter_mut().map(|kwh| (kwh, sums.0)).chain(bought.iter_mut().map(|kwh| (kwh, sums.1))) {
                *kwh *= total / sum;
            }
            let pair = |(i, x): (usize, &f64), (j, y): (usize, &f64)| {
                Contract { seller: i, buyer: sellers.len() + j, kwh: x * y / total }
            };
            let all = sold.iter().enumerate().flat_map(|i| bought.iter().enumerate().map(move |j| pair(i, j)));
            let account = overlay(&grid, &parties, &all.collect::<Vec<_>>(), losses, Oversold::Cap).unwrap();
            sold.extend(vec![0.0; buyers.len()]);
            let bought: Vec<f64> = vec![0.0; sellers.len()].into_iter().chain(bought).collect();
            let pool = pooled(&grid, &parties, &sold, &bought, losses).unwrap();
            for (a, b) in account.party_kg.iter().zip(&pool) {
                prop_assert!((a - b).abs() < 1e-9, "{} {}", a, b);
            }
        }
    }
}
