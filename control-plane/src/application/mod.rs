//! What more than one face does: application code over the store, the gateway and dispatch, without HTTP.

pub(crate) mod assignment;
pub(crate) mod payment;
