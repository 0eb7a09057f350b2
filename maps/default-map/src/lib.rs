//! Empty: this package only has cargo fetch the default map, see its `Cargo.toml`.
