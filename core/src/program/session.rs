//! The place of a solver's memory.

use super::solve::{Memory, Route};
use super::{Instance, Solution, SolveError, Template};

/// Solves a sequence of instances of one template, for one owner and one run; never shared.
///
/// The first solve is that of [`Instance::solve`]. After it the session remembers the face of the last answer: where only costs
/// change it goes on from there, and where that does not lead to a certified answer it starts again from nothing. So an answer
/// is as good as one found from nothing, and the same sequence gives the same bits; where several points are best, which one
/// is answered may depend on the sequence. Programs with second-order cones or power flows are solved from nothing every time,
/// and so are those whose choices the relaxation does not keep.
#[derive(Debug)]
pub struct Session<'t> {
    template: &'t Template,
    memory: Option<Memory<'t>>,
    routes: Routes,
}

/// By which way the answers of a session were found: counts of work that no clock sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// On the last face, without a factorisation.
    pub face: usize,
    /// By a few Newton steps from the last face.
    pub newton: usize,
    /// By an interior point from the last answer, moved to its face.
    pub interior: usize,
    /// From nothing.
    pub cold: usize,
    /// Of all these, answers that did not keep a choice, so that a search from nothing followed.
    pub searched: usize,
}

impl Routes {
    /// Answers altogether.
    pub fn answers(self) -> usize {
        self.face + self.newton + self.interior + self.cold
    }
}

impl<'t> Session<'t> {
    /// A session without memory.
    pub fn new(template: &'t Template) -> Self {
        Self { template, memory: None, routes: Routes::default() }
    }

    /// The template whose instances this session solves.
    pub fn template(&self) -> &'t Template {
        self.template
    }

    /// By which ways it found its answers.
    pub fn routes(&self) -> Routes {
        self.routes
    }

    /// Solves an instance of the session's template.
    ///
    /// # Errors
    /// See [`SolveError`].
    pub fn solve(&mut self, instance: &Instance) -> Result<Solution, SolveError> {
        if !self.template.made(instance) || !instance.cones().is_empty() || !instance.is_convex() {
            self.routes.cold += 1;
            return instance.solve();
        }
        let relaxed = self.relaxed(instance)?;
        if instance.chooses() && !instance.respects_choices(&relaxed.x) {
            self.routes.searched += 1;
            return instance.solve();
        }
        Ok(relaxed)
    }

    fn relaxed(&mut self, instance: &Instance) -> Result<Solution, SolveError> {
        let memory = self.memory.as_mut().filter(|memory| memory.fits(instance));
        if let Some((route, solution)) = memory.and_then(|memory| memory.warm(instance)) {
            match route {
                Route::Face => self.routes.face += 1,
                Route::Newton => self.routes.newton += 1,
                Route::Interior => self.routes.interior += 1,
            }
            return Ok(solution);
        }
        self.memory = None;
        let (memory, solution) = Memory::cold(self.template, instance)?;
        self.memory = Some(memory);
        self.routes.cold += 1;
        Ok(solution)
    }
}
