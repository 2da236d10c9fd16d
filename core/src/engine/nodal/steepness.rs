//! Where prices answer to quantities more steeply than losses make them: at turns of a flow, at ends of a tier. There the
//! anchor has to be as steep, or the search leaps from one side to the other.
//!
//! Knows no policy: it compares marginal prices and quantities of successive rounds.

/// Factors on the anchor, by period: prices of a period answer to quantities of that period.
#[derive(Clone, Debug)]
pub(super) struct Steepness {
    of_period: Vec<f64>,
    /// Movement below which a slope is noise, kWh in a period.
    least_kwh: f64,
    /// Greatest factor.
    greatest: f64,
    before: Option<(Vec<f64>, Vec<f64>)>,
}

/// Share of the observed slope that the anchor takes on: a step of the proximal gradient method may be up to twice as long
/// as the inverse of the slope.
const SHARE: f64 = 0.5;
/// What a factor keeps in a round that no longer needs it.
const KEPT: f64 = 0.9;
/// Movement below which a slope is noise, relative to what all exchange.
const LEAST_MOVEMENT: f64 = 2e-6;
/// Steepest slope that is followed: the whole of a price over this share of what all exchange.
const STEEPEST: f64 = 0.01;
/// Greatest factor at least.
const LEAST_GREATEST: f64 = 1e3;

impl Steepness {
    /// Nothing observed yet, of members that exchange so much in a period at prices up to the dearest, under anchors of these
    /// weights, per kWh squared.
    pub fn new(periods: usize, exchange_kwh: f64, dearest_per_kwh: f64, weight: &[f64]) -> Self {
        let mean = weight.iter().sum::<f64>() / weight.len().max(1) as f64;
        let greatest = dearest_per_kwh / (STEEPEST * exchange_kwh) / mean;
        Self {
            of_period: vec![1.0; periods],
            least_kwh: LEAST_MOVEMENT * exchange_kwh,
            greatest: if greatest.is_finite() { greatest.max(LEAST_GREATEST) } else { LEAST_GREATEST },
            before: None,
        }
    }

    /// Anchor weights of this steepness on weights that losses alone would need, member-major.
    pub fn on(&self, weight: &[f64]) -> Vec<f64> {
        let periods = self.of_period.len();
        weight.iter().enumerate().map(|(k, w)| w * self.of_period[k % periods]).collect()
    }

    /// Takes in the marginal prices at the next quantities, both member-major.
    pub fn observe(&mut self, quantity: &[f64], price: Vec<f64>, weight: &[f64]) {
        let periods = self.of_period.len();
        if let Some((quantity_before, price_before)) = &self.before {
            for (t, factor) in self.of_period.iter_mut().enumerate() {
                let of_members = || (t..quantity.len()).step_by(periods);
                let moved = of_members().map(|k| (quantity[k] - quantity_before[k]).abs()).fold(0.0, f64::max);
                if moved < self.least_kwh {
                    continue;
                }
                let slope = |k: usize| (price[k] - price_before[k]).abs() / (moved * weight[k]);
                let steepest = of_members().map(slope).filter(|s| s.is_finite()).fold(0.0, f64::max);
                *factor = (SHARE * steepest).max(KEPT * *factor).clamp(1.0, self.greatest);
            }
        }
        self.before = Some((quantity.to_vec(), price));
    }
}

#[cfg(test)]
mod tests {
    use super::Steepness;

    #[test]
    fn the_anchor_follows_the_slope_of_the_period_and_forgets_it_slowly() {
        let mut steepness = Steepness::new(2, 5000.0, 1.0, &[0.01, 0.01]);
        steepness.observe(&[0.0, 0.0], vec![1.0, 1.0], &[0.01, 0.01]);
        assert_eq!(steepness.on(&[0.01, 0.01]), [0.01, 0.01]);
        // Per kWh 0.1 in the first period, ten times the weight; as much as the weight in the second.
        steepness.observe(&[2.0, 2.0], vec![1.2, 1.02], &[0.01, 0.01]);
        let weights = steepness.on(&[0.01, 0.01]);
        assert!((weights[0] - 0.05).abs() < 1e-12 && weights[1] == 0.01, "{weights:?}");
        steepness.observe(&[4.0, 4.0], vec![1.2, 1.02], &[0.01, 0.01]);
        assert!((steepness.on(&[0.01, 0.01])[0] - 0.045).abs() < 1e-12);
        // Where nothing moves nothing is learnt.
        steepness.observe(&[4.0, 4.0], vec![9.0, 9.0], &[0.01, 0.01]);
        assert!((steepness.on(&[0.01, 0.01])[0] - 0.045).abs() < 1e-12);
    }
}
