//! What the benches share: where they find what they read ([`folders`]), contestants that take turns ([`race`]), rows that
//! are judged against the peers ([`rows`]), and the tables on the pages of `docs/` ([`table`]).

pub mod folders;
pub mod race;
pub mod rows;
pub mod table;
