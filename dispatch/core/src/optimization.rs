//! Solvers that know nothing of deliveries: integers in, a cheap or the cheapest choice out, the same on every machine.

pub mod assignment;
