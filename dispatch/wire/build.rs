//! Compiles the protocol files with protox, so that no protoc has to be installed.

use std::error::Error;

const PROTOS: [&str; 3] = [
    "proto/driver.proto",
    "proto/dispatch.proto",
    "proto/journal.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    for proto in PROTOS {
        println!("cargo::rerun-if-changed={proto}");
    }
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
