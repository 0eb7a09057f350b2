//! `doorstep`: the one binary.
fn main() {}
