//! What every HTTP face shares and that knows nothing of any domain: problem bodies, extractors, idempotency keys.

pub(crate) mod extract;
pub(crate) mod idempotency;
pub(crate) mod problem;
