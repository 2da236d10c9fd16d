//! Why there is no answer. Knows no solver, and of those who build programs only that they have words.

use crate::words::number;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// A variable has empty, infinite or undefined bounds.
    #[error("{scope}: a quantity would have to lie between {} and {}", number(*lower), number(*upper))]
    Bounds {
        /// Whose variable it is.
        scope: String,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// No point satisfies all rows and bounds; the named rows are those that cannot hold together.
    #[error("infeasible: {}", rows.join("; "))]
    Infeasible {
        /// What cannot hold, in words: scope, row, period, by how much.
        rows: Vec<String>,
    },
    /// The best point found is not proven good enough.
    #[error("not solved to tolerance: gap {gap:.3e}, infeasibility {feasibility:.3e}")]
    NotCertified {
        /// Its duality gap.
        gap: f64,
        /// Its largest row violation.
        feasibility: f64,
    },
    /// Branch and bound stopped at its limit of programs before it had any answer.
    #[error("no answer that respects the choices (such as charging or discharging) was found within {nodes} programs")]
    Undecided {
        /// Programs solved.
        nodes: usize,
    },
    /// One of the above with whose program it was, where its own words do not say so.
    #[error("{who}: {source}")]
    Of {
        /// Whose.
        who: String,
        /// What was wrong.
        source: Box<SolveError>,
    },
    /// The question cannot be posed: what it needs is not there.
    #[error("needs {need}")]
    Unmet {
        /// What is missing.
        need: &'static str,
    },
    /// What was to be written into the program, such as a network, is refused.
    #[error(transparent)]
    Refused(Refusal),
}

impl SolveError {
    /// The same error with whose program it was. Infeasible rows and bounds name their owners themselves.
    pub fn of(self, who: &str) -> Self {
        match self {
            error @ (SolveError::NotCertified { .. } | SolveError::Undecided { .. }) => {
                SolveError::Of { who: who.to_owned(), source: Box::new(error) }
            }
            other => other,
        }
    }
}

/// Why something that writes itself into a program refuses to, in its own words. Equal where the words are.
#[derive(Clone, Debug)]
pub struct Refusal(Arc<dyn Error + Send + Sync>);

impl Refusal {
    /// Keeps the reason.
    pub fn new(why: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(why))
    }
}

impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
