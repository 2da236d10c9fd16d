//! Which sums are known once some are: coalitions as vectors of zeros and ones.

use super::Coalition;

/// The coalitions whose sum follows from the sums of those taken in.
pub(super) struct Span {
    players: usize,
    /// Rows in echelon form, each with the position of its leading one.
    rows: Vec<(usize, Vec<f64>)>,
}

impl Span {
    pub fn new(players: usize) -> Self {
        Self { players, rows: vec![] }
    }

    /// Number of independent coalitions.
    pub fn rank(&self) -> usize {
        self.rows.len()
    }

    pub fn contains(&self, coalition: Coalition) -> bool {
        self.rest(coalition).iter().all(|x| x.abs() < SMALL)
    }

    /// Takes a coalition in; nothing changes where it is there already.
    pub fn take(&mut self, coalition: Coalition) {
        let rest = self.rest(coalition);
        let leading = (0..self.players).max_by(|a, b| rest[*a].abs().total_cmp(&rest[*b].abs()));
        let Some(leading) = leading.filter(|k| rest[*k].abs() >= SMALL) else { return };
        let row: Vec<f64> = rest.iter().map(|x| x / rest[leading]).collect();
        for (_, other) in &mut self.rows {
            let factor = other[leading];
            other.iter_mut().zip(&row).for_each(|(x, r)| *x -= factor * r);
        }
        self.rows.push((leading, row));
    }

    /// What is left of a coalition's vector.
    fn rest(&self, coalition: Coalition) -> Vec<f64> {
        let mut rest: Vec<f64> = (0..self.players).map(|i| f64::from(u8::from(coalition.contains(i)))).collect();
        for (leading, row) in &self.rows {
            let factor = rest[*leading];
            rest.iter_mut().zip(row).for_each(|(x, r)| *x -= factor * r);
        }
        rest
    }
}

/// Entries are ratios of determinants of zeros and ones: for 16 players the smallest that is not 0 is above 1e-6.
const SMALL: f64 = 1e-8;
