//! The payment gateway: what we ask of it and how its messages are signed.

pub mod signature;
