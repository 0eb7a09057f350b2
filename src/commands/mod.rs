//! One file a command; each holds its arguments and a `run` that wires libraries together.

pub(crate) mod ask;
pub(crate) mod assign;
pub(crate) mod control_plane;
pub(crate) mod demo;
pub(crate) mod dispatch;
pub(crate) mod isochrone;
pub(crate) mod map;
mod map_view;
pub(crate) mod matrix;
pub(crate) mod nearest;
mod operator;
pub(crate) mod route;
pub(crate) mod route_server;
pub(crate) mod sim;
mod sim_mdrp;
pub(crate) mod token;
pub(crate) mod why;

use tokio::signal;
use tracing_subscriber::EnvFilter;

/// Prints an error and its causes to standard error, on one line.
pub(crate) fn report(error: &anyhow::Error) {
    say(&format!("{error:#}"));
}

/// Tells the person at the terminal something that is no part of the answer.
#[allow(
    clippy::print_stderr,
    reason = "the one place where a command speaks beside its answer"
)]
pub(crate) fn say(text: &str) {
    eprintln!("doorstep: {text}");
}

/// Logs to standard error; `RUST_LOG` overrides the level.
pub(crate) fn start_log(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// Ctrl-C, or what service managers send.
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}
