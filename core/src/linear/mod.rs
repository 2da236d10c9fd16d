//! All factorisations: sparse LU of square matrices, sparse LDL' of symmetric ones, and the orders that keep them sparse.
//!
//! Knows no network, no flow and no program: a matrix here is its pattern and its values.

mod alike;
mod lanes;
mod ldl;
mod lu;
mod ordering;
mod pattern;
mod symmetric;

pub(crate) use ldl::{Ldl, Pivots};
pub(crate) use lu::{Singular, SparseLu, SparseMatrix, fill_reducing_order};
pub(crate) use pattern::Pattern;
pub(crate) use symmetric::{SymmetricLdl, SymmetricPattern};
