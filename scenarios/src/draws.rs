//! What a seed makes of a scenario: which days of its long series are taken, and what its laws of chance draw.
//!
//! Knows the resolved form; what is a draw and what a day is known in the written form and in the core.

use crate::fault::{Cause, Fault};
use crate::spec::{Draws, Scenario, Series};
use crate::text::Text;
use coase_core::random;
use coase_core::statistics::luck::permutation;

/// Purpose of the numbers that put days in order.
const DAYS: &str = "order of days";

/// How a seed draws a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) seed: u64,
    /// Period of the long series at which the horizon begins.
    pub(crate) offset: usize,
}

impl Draws {
    /// Period of the long series at which the horizon of a seed begins.
    pub(crate) fn offset(self, seed: u64) -> usize {
        let place = usize::try_from(seed.saturating_sub(1)).unwrap_or(usize::MAX);
        match self {
            Draws::Days { first, every } => first.saturating_add(place.saturating_mul(every)),
            Draws::DrawnDays { first, of, every } => {
                let order = permutation(of, &mut random::stream(0, DAYS, 0, 0));
                order.get(place).map_or(usize::MAX, |day| first.saturating_add(day.saturating_mul(every)))
            }
        }
    }

    /// What cannot be drawn with these seeds.
    pub(crate) fn check(self, seeds: &[u64], text: &Text) -> Result<(), Fault> {
        let (every, of) = match self {
            Draws::Days { every, .. } => (every, usize::MAX),
            Draws::DrawnDays { every, of, .. } => (every, of),
        };
        let value = |field, value: f64| Err(text.fault("draws", Cause::Value { field, value, expected: "at least 1" }));
        if every == 0 {
            return value("every", 0.0);
        }
        if of == 0 {
            return value("of", 0.0);
        }
        if let Some(k) = seeds.iter().position(|seed| *seed == 0) {
            let why = "days are counted from seed 1";
            return Err(text.fault(&format!("seeds.{k}"), Cause::NotPossible { what: "the day of seed 0".into(), why }));
        }
        if let Some(k) = seeds.iter().position(|seed| *seed > of as u64) {
            let what = format!("a day of its own for seed {} among {of}", seeds[k]);
            let why = "no day is drawn twice: `of` counts the days there are";
            return Err(text.fault(&format!("seeds.{k}"), Cause::NotPossible { what, why }));
        }
        Ok(())
    }
}

impl Scenario {
    /// Every series with the path by which the file has it and whose it is: participant by name, device by place.
    pub(crate) fn every_series(&mut self) -> Vec<(String, String, &mut Series)> {
        let mut all: Vec<(String, String, &mut Series)> = vec![];
        if let Some(network) = &mut self.network {
            all.push(("network.load_shape".into(), "network load_shape".into(), &mut network.load_shape));
        }
        let grid = &mut self.grid;
        let mut of_grid = |field: &str, series| all.push((format!("grid.{field}"), format!("grid {field}"), series));
        of_grid("buy_price_per_kwh", &mut grid.buy_price_per_kwh);
        of_grid("sell_price_per_kwh", &mut grid.sell_price_per_kwh);
        of_grid("intensity_kg_per_kwh", &mut grid.intensity_kg_per_kwh);
        if let Some(upstream) = &mut grid.upstream_cost_per_kwh {
            of_grid("upstream_cost_per_kwh", upstream);
        }
        for (k, participant) in self.participants.iter_mut().enumerate() {
            let id = &participant.id;
            for (d, device) in participant.devices.iter_mut().enumerate() {
                for (field, series) in device.series() {
                    all.push((format!("participants.{k}.devices.{d}.{field}"), format!("{id} {d} {field}"), series));
                }
            }
        }
        all
    }

    /// Whether some series is a law of chance.
    pub(crate) fn is_drawn(&self) -> bool {
        self.clone().every_series().iter().any(|(_, _, series)| matches!(series, Series::Drawn(_)))
    }

    /// Whether some series is longer than the horizon.
    pub(crate) fn is_long(&self) -> bool {
        let periods = self.periods;
        let long = |series: &Series| match series {
            Series::Drawn(drawn) => drawn.times.values().len() > periods,
            other => other.values().len() > periods,
        };
        self.clone().every_series().iter().any(|(_, _, series)| long(series))
    }

    /// The scenario of one seed: long series from their day on, laws as they are drawn.
    pub(crate) fn realise(&mut self, drawn: Option<Drawn>, text: &Text) -> Result<(), Fault> {
        let Some(Drawn { seed, offset }) = drawn else { return Ok(()) };
        let periods = self.periods;
        let day = |values: &[f64]| -> Vec<f64> {
            if values.len() > periods { values[offset..offset + periods].to_vec() } else { values.to_vec() }
        };
        for (at, whose, series) in self.every_series() {
            match series {
                Series::Drawn(drawn) => {
                    let times = day(drawn.times.values());
                    let values = drawn.values(seed, &whose, &times);
                    let values = values.map_err(|error| text.fault(&at, Cause::Law { series: at.clone(), error }))?;
                    *series = Series::List(values);
                }
                Series::List(values) if values.len() > periods => *series = Series::List(day(values)),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Draws;

    /// Days in order are `every` periods apart; drawn days are a permutation of all there are.
    #[test]
    fn no_day_comes_twice() {
        let days = Draws::Days { first: 48, every: 24 };
        assert_eq!([1, 2, 8].map(|seed| days.offset(seed)), [48, 72, 48 + 7 * 24]);
        let drawn = Draws::DrawnDays { first: 0, of: 91, every: 24 };
        let mut all: Vec<usize> = (1..=91).map(|seed| drawn.offset(seed)).collect();
        assert_ne!(all, (0..91).map(|day| 24 * day).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..91).map(|day| 24 * day).collect::<Vec<_>>());
    }
}
