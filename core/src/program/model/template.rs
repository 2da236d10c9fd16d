//! Programs whose pattern is fixed, and what the pattern alone determines. Knows no solver.

use super::flow_pattern::FlowPattern;
use super::normal_form::Symbolic;
use super::{Instance, Program};
use std::sync::{Arc, OnceLock};

/// A program whose pattern is fixed: every question of the same participant is an [`Instance`] of one template.
#[derive(Clone, Debug)]
pub struct Template {
    compiled: Arc<Compiled>,
}

/// A program and what its pattern determines, analysed when first needed.
#[derive(Debug)]
pub(super) struct Compiled {
    pub program: Program,
    pub symbolic: OnceLock<Symbolic>,
    pub flows: OnceLock<FlowPattern>,
}

impl Compiled {
    pub fn symbolic(&self) -> &Symbolic {
        self.symbolic.get_or_init(|| Symbolic::new(self.program.lower.len(), &self.program.rows))
    }
}

impl Template {
    pub(super) fn new(program: Program) -> Self {
        Self { compiled: Arc::new(Compiled { program, symbolic: OnceLock::new(), flows: OnceLock::new() }) }
    }

    /// An instance with the values of the builder.
    pub fn instance(&self) -> Instance {
        Instance::new(self.compiled.clone())
    }

    /// Whether an instance is one of this template.
    pub(in crate::program) fn made(&self, instance: &Instance) -> bool {
        instance.is_of(&self.compiled)
    }

    pub(in crate::program) fn symbolic(&self) -> &Symbolic {
        self.compiled.symbolic()
    }
}
