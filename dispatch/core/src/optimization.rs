//! Solvers that know nothing of deliveries: integers in, the cheapest choice out, the same on every machine.

pub mod assignment;
