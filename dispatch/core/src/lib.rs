//! Who serves which order: the deterministic dispatch core.
