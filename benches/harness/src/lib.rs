//! What the benches share: contestants take turns ([`race`]), every row is judged against its peers ([`rows`]), and
//! tables ([`table`]) go on the pages of `docs/`.

pub mod race;
pub mod rows;
pub mod table;
