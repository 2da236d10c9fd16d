//! Where the variants of a kind are: those that the linker collected, and those that were added while the program ran.

use super::{Clash, Entry, Open, Set, is_id};
use std::sync::{OnceLock, PoisonError, RwLock};

/// The variants of a kind, as they are now.
///
/// What the linker collected is there from the first question on. [`Registry::add`] puts a plugin beside them that was made
/// while the program ran, by a binding of another language or by a test. Whoever reads keeps the set that was current: sets are
/// never changed, and each lives as long as the program (some kB for each that is added).
pub struct Registry<T: Open + ?Sized> {
    kind: &'static str,
    linked: fn() -> Vec<&'static T::Plugin>,
    now: OnceLock<RwLock<&'static Set<T>>>,
}

/// Why a plugin was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAdded {
    /// Its id is none.
    #[error("`{0}` is no id: an id is words of small letters and digits, joined by `-`")]
    Id(String),
    /// Another crate or module has a plugin of this id.
    #[error(transparent)]
    Clash(#[from] Clash),
}

impl<T: Open + ?Sized> Registry<T> {
    /// A registry of what the linker collects.
    pub const fn new(kind: &'static str, linked: fn() -> Vec<&'static T::Plugin>) -> Self {
        Self { kind, linked, now: OnceLock::new() }
    }

    /// All variants there are now.
    pub fn now(&self) -> &'static Set<T> {
        *self.sets().read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a plugin. One of the same id that the same module added before is replaced, as where a cell of a notebook is run
    /// again; what was made from it stays what it was.
    ///
    /// # Errors
    /// [`NotAdded`]: an id that is none, or that a plugin of another module has.
    pub fn add(&self, plugin: &'static T::Plugin) -> Result<(), NotAdded> {
        let (id, entry) = T::entry(plugin);
        if !is_id(id) {
            return Err(NotAdded::Id(id.to_owned()));
        }
        let mut now = self.sets().write().unwrap_or_else(PoisonError::into_inner);
        let module = |entry: &Entry<T>| entry.module;
        if let Some(there) = now.get(id).filter(|there| module(there) != entry.module) {
            return Err(Clash { kind: self.kind, id, first: there.module, second: entry.module }.into());
        }
        let others = now.plugins().filter(|other| T::entry(other).0 != id);
        *now = Box::leak(Box::new(Set::new(self.kind, others.chain([plugin]))));
        Ok(())
    }

    fn sets(&self) -> &RwLock<&'static Set<T>> {
        self.now.get_or_init(|| RwLock::new(Box::leak(Box::new(Set::new(self.kind, (self.linked)().into_iter())))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plain, plugin};
    use super::{NotAdded, Registry};

    static LINKED: Registry<Plain> = Registry::new("rule", || vec![plugin("b", "one::b")]);

    #[test]
    fn a_plugin_made_while_the_program_runs_stands_beside_those_that_were_linked() {
        let before = LINKED.now();
        LINKED.add(plugin("a", "cell")).expect("a new id");
        assert_eq!(LINKED.now().ids().collect::<Vec<_>>(), ["a", "b"]);
        // Whoever read before keeps what was read.
        assert_eq!(before.ids().collect::<Vec<_>>(), ["b"]);

        let again = plugin("a", "cell");
        LINKED.add(again).expect("the same module may replace its own");
        assert!(LINKED.now().plugins().any(|p| std::ptr::eq(p, again)));
        assert_eq!(LINKED.now().ids().count(), 2);

        let other = LINKED.add(plugin("b", "cell")).expect_err("another crate has it").to_string();
        assert!(other.contains("`one`") && other.contains("`cell`") && other.contains("`b`"), "{other}");
        assert_eq!(LINKED.add(plugin("A b", "cell")), Err(NotAdded::Id("A b".into())));
        assert_eq!(LINKED.now().ids().count(), 2);
    }
}
