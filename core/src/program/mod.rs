//! Convex programs: a thin builder over the solvers, and a certificate for every answer.
