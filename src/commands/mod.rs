//! One file a command; each holds its arguments and a `run` that wires libraries together.

pub(crate) mod control_plane;
pub(crate) mod demo;
pub(crate) mod dispatch;
pub(crate) mod map;
pub(crate) mod route;
pub(crate) mod sim;
pub(crate) mod token;

use tracing_subscriber::EnvFilter;

/// Prints an error and its causes to standard error, on one line.
#[allow(
    clippy::print_stderr,
    reason = "the one place where a failed command speaks"
)]
pub(crate) fn report(error: &anyhow::Error) {
    eprintln!("doorstep: {error:#}");
}

/// Logs to standard error; `RUST_LOG` overrides the level.
pub(crate) fn start_log(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
