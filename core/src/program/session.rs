//! The place of a solver's memory.

use super::{Instance, Solution, SolveError, Template};

/// Solves a sequence of instances of one template, for one owner and one run; never shared.
///
/// Today every solve is cold, so the answer is that of [`Instance::solve`]. The type is the place where the last face will
/// be kept between the steps of an iterative mechanism.
#[derive(Clone, Debug)]
pub struct Session {
    template: Template,
}

impl Session {
    /// A session without memory.
    pub fn new(template: &Template) -> Self {
        Self { template: template.clone() }
    }

    /// The template whose instances this session solves.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Solves an instance of the session's template.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn solve(&mut self, instance: &Instance) -> Result<Solution, SolveError> {
        instance.solve()
    }
}
