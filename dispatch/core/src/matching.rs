//! Orders to drivers: one round.

mod assignment;
mod cost;
mod round;

pub(crate) use round::{Proposal, Start, propose, start};
