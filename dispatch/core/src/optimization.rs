//! Solvers that know nothing of deliveries: integers in, a cheap or the cheapest choice out, the same on every machine.

pub mod assignment;
pub mod batch_routes;
pub(crate) mod random;
pub mod set_partition;
