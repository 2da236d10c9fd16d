//! What a member gains by standing with several accounts, and what members gain that decide together.

use coase_core::evaluate::{ReportGame, utility};
use coase_core::game::{Game, deviations};
use coase_core::market::OwnershipError;
use coase_core::mechanism::Mechanism;
use coase_core::{Market, RunContext};
use coase_mechanisms::{BillSharing, NashBargaining};
use coase_testkit::agents::three as market;

fn gain(market: &Market, mechanism: &dyn Mechanism, player: usize) -> f64 {
    let outcome = mechanism.run(market, &mut RunContext::new(1, ())).expect("an outcome");
    let of_seat = |seat: usize| {
        let alone = market.local(seat).autarky().expect("feasible").cost;
        alone + utility(market, seat, &outcome).expect("deliverable")
    };
    market.seats_of(player).map(of_seat).sum()
}

/// An account of a share costs what the share of the member costs: `x² a/2 + b x` becomes `x² a/(2 s) + b x`, so that together
/// both cost at every price what the member costs.
#[test]
fn accounts_can_together_do_what_the_member_could() {
    let whole = market();
    let split = whole.split(0, &[0.3, 0.7]).expect("a whole");
    assert_eq!((split.len(), split.players(), split.ownership()), (4, 3, &[0, 1, 2, 0][..]));
    assert_eq!(split.setting().members[3].id, "vpp1/2");
    for price in [0.45, 0.7, 0.95] {
        let sale = |market: &Market, seat: usize| market.local(seat).respond(&[price]).expect("feasible").trade[0];
        // (p - b)/a of the member, and its shares.
        let expected = (price - 0.2) / 0.004;
        assert!((sale(&whole, 0) - expected).abs() < 1e-5);
        assert!((sale(&split, 0) - 0.3 * expected).abs() < 1e-5 && (sale(&split, 3) - 0.7 * expected).abs() < 1e-5);
    }
    let together = |market: &Market| market.solve(&market.grand()).expect("feasible").cost;
    assert!((together(&whole) - together(&split)).abs() < 1e-7);
}

/// Two of four equal parts of the gain instead of one of three: 4935/76 (1/2 - 1/3).
#[test]
fn two_accounts_gain_under_equal_bargaining() {
    let whole = market();
    let split = whole.split(0, &[0.5, 0.5]).expect("a whole");
    let bargain = NashBargaining::default();
    let more = gain(&split, &bargain, 0) - gain(&whole, &bargain, 0);
    assert!((more - 4935.0 / 456.0).abs() < 1e-5, "{more}");
}

/// As one player vpp1 and vpp2 gain at least what the better of their own misreports gains them both.
#[test]
fn members_that_decide_together_report_together() {
    let apart = market();
    let pair = apart.owned(&[0, 0, 1]).expect("two players");
    let mechanism = BillSharing::default();
    let game = ReportGame::standard(&mechanism, &pair, 1);
    assert_eq!((game.players().len(), game.space(0).axes.len(), game.space(1).axes.len()), (2, 6, 3));
    let truth = game.truthful();
    let alone = ReportGame::standard(&mechanism, &apart, 1);
    let now = alone.truthful();
    let together = game.payoff(0, &truth).expect("an outcome");
    let sum: f64 = (0..2).map(|seat| alone.payoff(seat, &now).expect("an outcome")).sum();
    assert!((together - sum).abs() < 1e-9);
    let found = deviations(&game, &truth).expect("payoffs");
    let Some((player, strategy)) = found.by else { panic!("bill sharing is manipulable") };
    // What the search says is gained is gained.
    let mut profile = truth.clone();
    profile[player] = strategy;
    let gained = game.payoff(player, &profile).expect("an outcome") - game.payoff(player, &truth).expect("an outcome");
    assert!((gained - found.gain).abs() < 1e-9 && found.gain > 0.0);
    assert!(game.words(0, &[1.5, 0.0, 1.0, 1.0, 0.0, 1.0]).contains("vpp2 tells the truth"));
}

#[test]
fn owners_and_shares_that_cannot_be_are_refused() {
    let market = market();
    let error = |found: Result<Market, OwnershipError>| found.expect_err("refused");
    assert_eq!(error(market.owned(&[0, 1])), OwnershipError::Length { found: 2, seats: 3 });
    assert_eq!(error(market.owned(&[0, 2, 2])), OwnershipError::Nothing { player: 1 });
    for shares in [&[0.5, 0.4][..], &[1.5, -0.5], &[]] {
        assert_eq!(error(market.split(0, shares)), OwnershipError::Shares { shares: shares.to_vec() });
    }
    let some = market.owned(&[0, 1, 0]).expect("two players").of(&[2, 1]);
    assert_eq!(some.ownership(), [0, 1]);
}
