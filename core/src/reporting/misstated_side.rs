//! A member stands on another side of the market than is true; and the search for what that gains.

use crate::context::RunContext;
use crate::engine::{ReportRule, Roles, Said};
use crate::error::MechanismError;
use crate::evaluate::audit::{Dimension, Family, Lie};
use crate::market::Market;
use crate::mechanism::Mechanism;
use crate::participant::Distortion;
use crate::setting::{Role, Setting};
use crate::words::number;
use crate::{register_dimension, register_report_rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Members stand on another side of the market than their schedules without trade show, and name prices that differ from their
/// costs by `d` per kWh. Mechanisms that let members stand on a side take the side as it is said; to all others it means nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MisstatedSide {
    /// What single members say, by their ids.
    pub of: BTreeMap<String, SideSaid>,
}

/// What one member says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideSaid {
    /// Where it stands in every slot.
    pub side: Side,
    /// `d`: added to its marginal cost, money per kWh.
    #[serde(default)]
    pub price_shift_per_kwh: f64,
}

/// Where a member can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Side {
    /// Among the buyers.
    Buyer,
    /// Among the sellers.
    Seller,
    /// On both sides, as who is idle without trade.
    Both,
}

register_report_rule!(MisstatedSide, "misstated-side", "stands on another side of the market than is true",
    behaviour: Distorted, source: "report-independent sides are a premise of McAfee (1992)");

impl Side {
    fn role(self) -> Role {
        match self {
            Side::Buyer => Role::Buyer,
            Side::Seller => Role::Seller,
            Side::Both => Role::Idle,
        }
    }
}

impl SideSaid {
    fn distortion(self) -> Distortion {
        Distortion { price_shift_per_kwh: self.price_shift_per_kwh, ..Distortion::TRUTH }
    }

    fn words(self) -> String {
        let side = match self.side {
            Side::Buyer => "stands among the buyers",
            Side::Seller => "stands among the sellers",
            Side::Both => "stands on both sides",
        };
        let shift = self.price_shift_per_kwh;
        if shift == 0.0 {
            return side.to_owned();
        }
        let way = if shift > 0.0 { "more" } else { "less" };
        format!("{side} and reports {} per kWh {way} than its cost", number(shift.abs()))
    }
}

impl ReportRule for MisstatedSide {
    fn said(&self, truth: &Market, _: &dyn Mechanism, _: &mut RunContext) -> Result<Said, MechanismError> {
        let members = &truth.setting().members;
        self.check(truth.setting()).map_err(MechanismError::Failed)?;
        let said = || members.iter().map(|member| self.of.get(&member.id));
        let reports = said().map(|said| said.map_or(Distortion::TRUTH, |said| said.distortion()).report()).collect();
        let roles = said().enumerate().filter_map(|(seat, said)| Some((seat, said?.side.role()))).collect();
        Ok(Said { reports, roles: Roles::Stated(roles), evidence: vec![] })
    }

    fn check(&self, setting: &Setting) -> Result<(), String> {
        if let Some(id) = self.of.keys().find(|id| setting.members.iter().all(|member| member.id != **id)) {
            let there = setting.members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("`of` names `{id}`, and the participants are {there}"));
        }
        let wrong =
            |(id, said): (&String, &SideSaid)| said.distortion().check().map_err(|error| format!("{id}: {error}"));
        self.of.iter().try_for_each(wrong)
    }
}

/// The other side, and both, at several prices.
struct OtherSide;
register_dimension!(OtherSide);

impl Dimension for OtherSide {
    fn name(&self) -> &'static str {
        "role_gain"
    }

    fn searched(&self) -> &'static str {
        "another side or both, at prices shifted by up to half the dearest price, as if nobody checked"
    }

    fn is_claimed(&self) -> bool {
        false
    }

    fn families(&self, market: &Market, seat: usize) -> Vec<Family> {
        let member = &market.setting().members[seat];
        let has = |role: Role| member.roles.contains(&role);
        let sides = [(Side::Buyer, Role::Buyer), (Side::Seller, Role::Seller), (Side::Both, Role::Idle)];
        // Who stands there in every slot says nothing new.
        let is_new = |role: Role| member.roles.iter().any(|own| *own != role) || !has(role);
        let bought = market.setting().tariff.iter().flat_map(|tariff| tariff.buy_per_kwh.iter().copied());
        let shift = 0.5 * bought.fold(0.0_f64, |most, price| most.max(price.abs()));
        let family = |side: Side| {
            let id = member.id.clone();
            let lie = move |price_shift_per_kwh: f64| {
                let said = SideSaid { side, price_shift_per_kwh };
                Lie { rule: Box::new(MisstatedSide { of: [(id.clone(), said)].into() }), words: said.words() }
            };
            let points = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|share| share * shift).to_vec();
            Family { points, lie: Box::new(lie) }
        };
        sides.into_iter().filter(|(_, role)| is_new(*role)).map(|(side, _)| family(side)).collect()
    }
}
