//! Which series can be compared: those with samples at the same points.

/// Series that can be compared, and the points at which all of them have a sample.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Paired {
    /// Places of the series.
    pub series: Vec<usize>,
    /// Places of the points.
    pub points: Vec<usize>,
}

/// Pairs series: means over the same points can be compared, means over different ones cannot. `has[s][p]` says whether
/// series `s` has a sample at point `p`. A series without any is left out. Where no point is shared by all, the series with
/// the fewest samples, of equals the last, is set aside until there is one.
pub fn paired(has: &[Vec<bool>]) -> Paired {
    let mut series: Vec<usize> = (0..has.len()).filter(|s| has[*s].contains(&true)).collect();
    let count = |s: usize| has[s].iter().filter(|there| **there).count();
    let points = has.iter().map(Vec::len).max().unwrap_or(0);
    let shared = |series: &[usize]| -> Vec<usize> {
        (0..points).filter(|p| series.iter().all(|s| has[*s].get(*p) == Some(&true))).collect()
    };
    let mut at = shared(&series);
    while at.is_empty() && series.len() > 1 {
        let fewest = series.iter().enumerate().min_by_key(|(k, s)| (count(**s), usize::MAX - k)).map_or(0, |(k, _)| k);
        series.remove(fewest);
        at = shared(&series);
    }
    if series.is_empty() { Paired::default() } else { Paired { series, points: at } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_compared_at_the_points_that_all_of_them_have() {
        let has =
            |rows: &[&str]| -> Vec<Vec<bool>> { rows.iter().map(|r| r.bytes().map(|b| b == b'x').collect()).collect() };
        let pair = |rows: &[&str]| {
            let found = paired(&has(rows));
            (found.series, found.points)
        };
        assert_eq!(pair(&["xxx", "x.x", "xx."]), (vec![0, 1, 2], vec![0]));
        assert_eq!(pair(&["xxx", "...", "x.x"]), (vec![0, 2], vec![0, 2]));
        // No point is shared: the one with the fewest goes, of equals the last.
        assert_eq!(pair(&["xx..", "..xx", ".x.."]), (vec![0], vec![0, 1]));
        assert_eq!(pair(&["xx..", "..x."]), (vec![0], vec![0, 1]));
        assert_eq!(pair(&["..", ".."]), (vec![], vec![]));
        assert_eq!(pair(&[]), (vec![], vec![]));
    }
}
