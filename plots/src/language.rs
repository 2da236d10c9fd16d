//! The language of labels. Figures are written in English; where the user wants another language, labels are said in it where
//! they are measured and set, so that every layout is that of the words that stand there.
//!
//! The language holds for the drawing of one figure on one thread. Names of the user's own stay as they are, and so does what no
//! dictionary has. Must not know what a figure shows.

mod words;

use coase_store::{Figures, Language};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A phrase in English, German and Chinese.
type Entry = (&'static str, &'static str, &'static str);

/// What labels are said in.
#[derive(Clone, Default)]
struct Spoken {
    language: Language,
    words: BTreeMap<String, String>,
}

thread_local! {
    static SPOKEN: RefCell<Option<Spoken>> = const { RefCell::new(None) };
}

/// Draws with labels as the user wants them.
pub(crate) fn speaking<T>(figures: &Figures, draw: impl FnOnce() -> T) -> T {
    let spoken = (figures.language != Language::English || !figures.words.is_empty())
        .then(|| Spoken { language: figures.language, words: figures.words.clone() });
    // A thread that waits may draw another figure meanwhile: what holds for this one comes back after it.
    let before = SPOKEN.replace(spoken);
    let drawn = draw();
    SPOKEN.set(before);
    drawn
}

/// The label as it is said: the user's words first, then the dictionary's. Letters of panels and units in brackets are looked up
/// apart.
pub(crate) fn said(label: &str) -> Cow<'_, str> {
    SPOKEN.with_borrow(|spoken| match spoken {
        None => Cow::Borrowed(label),
        Some(spoken) => spoken.say(label).map_or(Cow::Borrowed(label), Cow::Owned),
    })
}

/// Whether numbers have a comma before their decimals.
pub(crate) fn has_decimal_comma() -> bool {
    SPOKEN.with_borrow(|spoken| spoken.as_ref().is_some_and(|spoken| spoken.language == Language::German))
}

impl Spoken {
    /// What an entry is in the language.
    fn of(&self, entry: &Entry) -> &'static str {
        match self.language {
            Language::English => entry.0,
            Language::German => entry.1,
            Language::Chinese => entry.2,
        }
    }

    fn look_up(&self, phrase: &str) -> Option<String> {
        if let Some(own) = self.words.get(phrase) {
            return Some(own.clone());
        }
        if self.language == Language::English {
            return None;
        }
        let found = words::WORDS.iter().find(|entry| entry.0 == phrase);
        found.map(|entry| self.of(entry).to_owned())
    }

    /// A phrase with something in it that stays: `Price at bus 3`.
    fn around(&self, phrase: &str) -> Option<String> {
        let own = self.words.iter().map(|(english, other)| (english.as_str(), other.as_str()));
        let known = words::WORDS.iter().filter(|_| self.language != Language::English).map(|e| (e.0, self.of(e)));
        own.chain(known).find_map(|(english, other)| {
            let (before, after) = english.split_once("{}")?;
            let kept = phrase.strip_prefix(before)?.strip_suffix(after).filter(|kept| !kept.is_empty())?;
            Some(other.replace("{}", &self.look_up(kept).unwrap_or_else(|| kept.to_owned())))
        })
    }

    /// `None` where it stays as it is.
    fn say(&self, label: &str) -> Option<String> {
        if let Some(whole) = self.look_up(label) {
            return Some(whole);
        }
        // `(a) Title`
        let letter = label.strip_prefix('(').and_then(|rest| rest.split_once(") ")).filter(|(l, _)| l.len() == 1);
        if let Some((letter, title)) = letter {
            return self.say(title).map(|title| format!("({letter}) {title}"));
        }
        // `Quantity (unit)`
        if let Some((quantity, unit)) = label.strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
            let said = self.look_up(quantity).or_else(|| self.around(quantity));
            let of_unit = self.unit(unit);
            return (said.is_some() || of_unit.is_some())
                .then(|| format!("{} ({})", said.as_deref().unwrap_or(quantity), of_unit.as_deref().unwrap_or(unit)));
        }
        self.around(label).or_else(|| self.list(label))
    }

    /// Names in a row: each is looked up by itself.
    fn list(&self, label: &str) -> Option<String> {
        let parts: Vec<&str> = label.split(", ").collect();
        let known = parts.iter().any(|part| self.look_up(part).is_some());
        let said = |part: &&str| self.look_up(part).unwrap_or_else(|| (*part).to_owned());
        (parts.len() > 1 && known).then(|| parts.iter().map(said).collect::<Vec<_>>().join(", "))
    }

    /// `10^{3} CNY/day`: what stands behind the stroke is a word.
    fn unit(&self, unit: &str) -> Option<String> {
        if let Some(whole) = self.look_up(unit) {
            return Some(whole);
        }
        let (of, per) = unit.rsplit_once('/')?;
        self.look_up(per).map(|per| format!("{of}/{per}"))
    }
}

#[cfg(test)]
mod tests {
    use super::words::WORDS;
    use super::{said, speaking};
    use coase_store::{Figures, Language};
    use std::collections::BTreeSet;

    fn in_german(label: &str) -> String {
        speaking(&Figures { language: Language::German, ..Figures::default() }, || said(label).into_owned())
    }

    #[test]
    fn letters_and_units_are_kept_and_names_stay() {
        assert_eq!(in_german("Emissions (t CO_2/day)"), "Emissionen (t CO_2/Tag)");
        assert_eq!(in_german("(b) Emissions"), "(b) Emissionen");
        assert_eq!(in_german("Caf\u{e9} Emissions"), "Caf\u{e9} Emissions");
        assert_eq!(said("Emissions"), "Emissions");
    }

    #[test]
    fn words_of_the_user_come_first() {
        let words = [("Emissions".to_owned(), "Treibhausgase".to_owned())].into();
        let figures = Figures { language: Language::German, words, ..Figures::default() };
        assert_eq!(speaking(&figures, || said("(a) Emissions").into_owned()), "(a) Treibhausgase");
        let inner = || speaking(&Figures::default(), || said("Emissions").into_owned());
        let both = speaking(&figures, || (inner(), said("Emissions").into_owned()));
        assert_eq!(both, ("Emissions".to_owned(), "Treibhausgase".to_owned()));
    }

    #[test]
    fn what_stands_in_a_phrase_stays_in_it() {
        assert_eq!(in_german("Price at bus 33"), "Preis an Knoten 33");
        assert_eq!(in_german("Net position, Nash bargaining"), "Nettoposition, Nash-Verhandlung");
        assert_eq!(in_german("Net position, Silverman"), "Nettoposition, Silverman");
        assert_eq!(in_german("(b) Grid only, actual"), "(b) Nur Netzbezug, tats\u{e4}chlich");
    }

    #[test]
    fn every_phrase_is_there_once_and_keeps_its_place_for_names() {
        let phrases: BTreeSet<&str> = WORDS.iter().map(|entry| entry.0).collect();
        assert_eq!(phrases.len(), WORDS.len());
        for (english, german, chinese) in WORDS {
            for other in [german, chinese] {
                assert_eq!(english.matches("{}").count(), other.matches("{}").count(), "{english}");
                assert!(!other.trim().is_empty(), "{english}");
            }
        }
    }
}
