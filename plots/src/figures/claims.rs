//! What mechanisms claim and what was found: a matrix of claims and mechanisms, refuted ones first.

use super::{Absent, Basis, Picture};
use crate::axis::Axis;
use crate::canvas::{Align, Fill, Stroke};
use crate::color::Rgb;
use crate::figure::{Entry, Figure, Key, Sharing};
use crate::numbers::Look;
use crate::panel::Panel;
use crate::study::Study;
use crate::style::{GREEN, Hatch, INK, MM, NOTE, RED, ROW_MM, TICK_LABEL, TWO_COLUMNS_MM, WHITE};
use crate::text::{self, literal};
use std::collections::BTreeMap;

/// Rows of a page: more are higher than a page is.
const MOST_CLAIMS: usize = 44;
/// The narrowest column that holds the name of a mechanism and a sign with its count, pt.
const COLUMN: f64 = 44.0;
/// Room for the names of claims, pt.
const NAMES: f64 = 120.0;

pub(super) fn draw(study: &Study) -> Result<Vec<Picture>, Absent> {
    if study.run_count() == 0 {
        return Err(Absent::NoRun);
    }
    let matrix = Matrix::of(study);
    if matrix.claims.is_empty() {
        return Err(Absent::NoCertificates);
    }
    let width = study.width_mm(TWO_COLUMNS_MM);
    let columns = (((width * MM - NAMES) / COLUMN) as usize).max(1);
    // Pages of like size.
    let even = |n: usize, most: usize| n.div_ceil(n.div_ceil(most).max(1)).max(1);
    let per_page = (even(matrix.claims.len(), MOST_CLAIMS), even(study.mechanisms.len(), columns));
    let pages: Vec<(&[String], &[usize])> = matrix
        .claims
        .chunks(per_page.0)
        .flat_map(|claims| study.mechanisms.chunks(per_page.1).map(move |mechanisms| (claims, mechanisms)))
        .collect();
    let several = pages.len() > 1;
    let picture = |(page, (claims, mechanisms)): (usize, &(&[String], &[usize]))| Picture {
        qualifier: if several { (page + 1).to_string() } else { String::new() },
        title: "Claims and what was found".into(),
        caption: format!(
            "{}{}{}",
            matrix.caption(),
            if several { format!(" Page {} of {}.", page + 1, pages.len()) } else { String::new() },
            study.footnote(&Basis::AllRuns)
        ),
        canvas: matrix.page(study, claims, mechanisms, width).canvas,
    };
    Ok(pages.iter().enumerate().map(picture).collect())
}

/// What was found of a claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Verdict {
    Refuted,
    NotSearched,
    Upheld,
    Measured,
    NotApplicable,
}

impl Verdict {
    /// Worst first.
    const ALL: [Verdict; 5] =
        [Verdict::Refuted, Verdict::NotSearched, Verdict::Upheld, Verdict::Measured, Verdict::NotApplicable];

    fn named(word: &str) -> Option<Verdict> {
        match word {
            "refuted" => Some(Verdict::Refuted),
            "not_searched" => Some(Verdict::NotSearched),
            "upheld" => Some(Verdict::Upheld),
            "measured" => Some(Verdict::Measured),
            "not_applicable" => Some(Verdict::NotApplicable),
            _ => None,
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Verdict::Refuted => "\u{2717}",
            Verdict::NotSearched => "?",
            Verdict::Upheld => "\u{2713}",
            Verdict::Measured => "\u{2022}",
            Verdict::NotApplicable => "\u{2013}",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Verdict::Refuted => "refuted",
            Verdict::NotSearched => "not searched",
            Verdict::Upheld => "upheld",
            Verdict::Measured => "measured, no claim",
            Verdict::NotApplicable => "does not apply",
        }
    }

    /// In grey the refuted alone are dark.
    fn fill(self) -> Fill {
        match self {
            Verdict::Refuted => Fill::new(RED.mix(INK, 0.2)),
            Verdict::NotSearched => Fill::new(Rgb::hex(0xFDF3D0)).hatched(Hatch::Forward),
            Verdict::Upheld => Fill::new(GREEN.mix(WHITE, 0.62)),
            Verdict::Measured => Fill::new(Rgb::hex(0xE8E8E8)),
            Verdict::NotApplicable => Fill::new(Rgb::hex(0xFAFAFA)),
        }
    }
}

/// How many runs of a mechanism had which verdict on a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Counts([usize; 5]);

impl Counts {
    fn worst(self) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| self.0[*verdict as usize] > 0)
    }

    /// `3/12` where not all runs agree.
    fn told(self) -> String {
        let (all, worst) = (self.0.iter().sum::<usize>(), self.worst().map_or(0, |v| self.0[v as usize]));
        if worst == all { String::new() } else { format!("{worst}/{all}") }
    }
}

struct Matrix {
    /// Names as in the table, in the order of the rows.
    claims: Vec<String>,
    cells: BTreeMap<(String, usize), Counts>,
}

impl Matrix {
    /// From the certificates of all runs of the study: every policy, every seed.
    fn of(study: &Study) -> Matrix {
        let mut cells: BTreeMap<(String, usize), Counts> = BTreeMap::new();
        let mut claims: Vec<String> = Vec::new();
        for &m in &study.mechanisms {
            for run in study.policies.iter().flat_map(|p| study.runs(m, *p)) {
                for row in study.store.certificates(*run) {
                    let Some(verdict) = Verdict::named(&row.verdict) else { continue };
                    if !claims.contains(&row.name) {
                        claims.push(row.name.clone());
                    }
                    cells.entry((row.name, m)).or_default().0[verdict as usize] += 1;
                }
            }
        }
        // Refuted ones first, then what was not searched, then the rest as the table has them.
        let worst = |claim: &String| {
            let of_claim = cells.iter().filter(|((name, _), _)| name == claim);
            of_claim.filter_map(|(_, counts)| counts.worst()).min().unwrap_or(Verdict::NotApplicable)
        };
        claims.sort_by_cached_key(worst);
        Matrix { claims, cells }
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.cells.values().filter(|counts| counts.worst() == Some(verdict)).count()
    }

    fn caption(&self) -> String {
        let counted = Verdict::ALL.into_iter().map(|v| (self.count(v), v.words())).filter(|(n, _)| *n > 0);
        let counted: Vec<String> = counted.map(|(n, words)| format!("{n} {words}")).collect();
        format!(
            "Claims (rows) of mechanisms (columns) and the worst verdict over all policies and seeds; where runs differ, how many of \
             how many have it. Cells: {}. Upheld: what was checked or searched does not refute it, which proves nothing. Not \
             searched: the experiment's `evidence` did not ask for it.",
            counted.join(", ")
        )
    }

    fn page(&self, study: &Study, claims: &[String], mechanisms: &[usize], width: f64) -> Figure {
        let names: Vec<(usize, String)> = claims
            .iter()
            .enumerate()
            .map(|(i, claim)| (i, text::fit(&literal(&claim.replace('_', " ")), TICK_LABEL, NAMES - 8.0)))
            .collect();
        let column = ((width * MM - NAMES) / mechanisms.len() as f64).min(3.0 * COLUMN);
        let titles: Vec<String> = mechanisms.iter().map(|m| Self::title(study, *m, column - 4.0)).collect();
        let page = (NAMES + column * mechanisms.len() as f64) / MM;
        let shown = |verdict: &Verdict| {
            let here = |(claim, m): &(String, usize)| mechanisms.contains(m) && claims.contains(claim);
            self.cells.iter().any(|(at, counts)| here(at) && counts.worst() == Some(*verdict))
        };
        let legend: Vec<Entry> = Verdict::ALL
            .into_iter()
            .filter(shown)
            .map(|v| (Key::Fill(v.fill().edged()), format!("{} {}", v.sign(), v.words())))
            .collect();
        // The legend of few columns takes several lines.
        let lines = (legend.len() as f64 * 30.0 / page).ceil();
        let mut figure = Figure::new(page.min(width), 12.0 + 4.0 * lines + ROW_MM * claims.len() as f64);
        for verdict in Verdict::ALL {
            figure.canvas.numbers.name(vec![Look::Fill(verdict.fill())], verdict.words());
        }
        figure.legend(&[legend]);
        let mut y = Axis::rows(claims.len(), names, "");
        y.kind = crate::axis::Kind::Category;
        let panels = &mut [Panel::new(Axis::categories(&titles, ""), y).boxed()];
        figure.grid(1, Sharing::None, panels);
        let (panel, c) = (&panels[0], &mut figure.canvas);
        for (i, claim) in claims.iter().enumerate() {
            for (k, m) in mechanisms.iter().enumerate() {
                let Some(counts) = self.cells.get(&(claim.clone(), *m)) else { continue };
                let Some(verdict) = counts.worst() else { continue };
                let (x, y, fill) = (k as f64, i as f64, verdict.fill());
                let share = counts.0[verdict as usize] as f64 / counts.0.iter().sum::<usize>() as f64;
                panel.cell(c, (x - 0.5, y - 0.5), (x + 0.5, y + 0.5), share, fill);
                let at = panel.point(x, y);
                let told = [verdict.sign().to_owned(), counts.told()].join(" ");
                // What is hatched is read on a patch.
                if fill.hatch != Hatch::None {
                    let half = text::width(told.trim(), TICK_LABEL) / 2.0 + 1.5;
                    c.rect(
                        crate::geometry::Rect::new(at.0 - half, at.1 - 4.0, at.0 + half, at.1 + 4.0),
                        Fill::new(fill.color),
                    );
                }
                c.text_on(fill.color, at, TICK_LABEL, told.trim());
            }
        }
        let line = Stroke::new(WHITE, 0.8);
        for i in 1..claims.len() {
            let y = panel.py(i as f64 - 0.5);
            c.segment((panel.area.x0, y), (panel.area.x1, y), line);
        }
        for k in 1..mechanisms.len() {
            let x = panel.px(k as f64 - 0.5);
            c.segment((x, panel.area.y0), (x, panel.area.y1), line);
        }
        if mechanisms.iter().all(|m| claims.iter().all(|claim| self.cells.contains_key(&(claim.clone(), *m)))) {
            panel.front(c);
            return figure;
        }
        panel.front(c);
        // Empty cells are told in the corner that is free.
        c.text((PAD, panel.area.y1 + 12.0), Align::Left, NOTE, "empty: not claimed");
        figure
    }

    /// The name of a mechanism above or below a column of this width.
    fn title(study: &Study, m: usize, room: f64) -> String {
        let entity = study.mechanism(m);
        let tries = [
            entity.name.clone(),
            text::two_lines(&entity.name),
            entity.short.clone(),
            text::two_lines(&entity.short),
            three_lines(&entity.name),
        ];
        let fits = |s: &String| text::block_width(s, TICK_LABEL) <= room;
        tries.into_iter().find(fits).unwrap_or_else(|| three_lines(&entity.short))
    }
}

const PAD: f64 = crate::style::PAD_PAGE;

/// Breaks a label of several words into up to three lines of least width.
fn three_lines(label: &str) -> String {
    let cut = label.match_indices(' ').map(|(i, _)| format!("{}\n{}", &label[..i], text::two_lines(&label[i + 1..])));
    cut.min_by(|a, b| text::block_width(a, 1.0).total_cmp(&text::block_width(b, 1.0)))
        .unwrap_or_else(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Counts, Verdict, three_lines};

    #[test]
    fn the_worst_verdict_stands_and_is_counted_where_runs_differ() {
        let mut counts = Counts::default();
        assert_eq!((counts.worst(), counts.told().as_str()), (None, ""));
        counts.0[Verdict::Upheld as usize] = 12;
        assert_eq!((counts.worst(), counts.told().as_str()), (Some(Verdict::Upheld), ""));
        counts.0[Verdict::NotSearched as usize] = 2;
        assert_eq!((counts.worst(), counts.told().as_str()), (Some(Verdict::NotSearched), "2/14"));
        counts.0[Verdict::Refuted as usize] = 1;
        assert_eq!((counts.worst(), counts.told().as_str()), (Some(Verdict::Refuted), "1/15"));
    }

    #[test]
    fn only_what_is_refuted_is_dark_in_greyscale() {
        let luminance = Verdict::ALL.map(|v| v.fill().color.luminance());
        assert!(luminance[0] < 0.22 && luminance[1..].iter().all(|l| *l > 0.45), "{luminance:?}");
    }

    #[test]
    fn names_break_where_words_do() {
        assert_eq!(three_lines("Bargaining with exponential weights"), "Bargaining with\nexponential\nweights");
        assert_eq!(three_lines("One"), "One");
    }
}
