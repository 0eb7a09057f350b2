//! The reference client of the driver protocol.
