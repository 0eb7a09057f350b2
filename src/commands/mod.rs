//! One file a command; each holds its arguments and a `run` that wires libraries together.

pub(crate) mod ask;
pub(crate) mod assign;
mod city_map;
pub(crate) mod config;
pub(crate) mod control_plane;
pub(crate) mod demo;
pub(crate) mod dispatch;
pub(crate) mod gateway_sandbox;
pub(crate) mod install;
pub(crate) mod isochrone;
mod journal;
pub(crate) mod map;
mod map_view;
pub(crate) mod matrix;
pub(crate) mod nearest;
mod operator;
mod reload;
pub(crate) mod route;
pub(crate) mod route_server;
mod secret_file;
pub(crate) mod serve;
mod server_address;
pub(crate) mod serving;
pub(crate) mod sim;
mod sim_mdrp;
pub(crate) mod token;
pub(crate) mod trial_order;
pub(crate) mod why;

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::OnceLock;

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, reload as reload_layer};

use crate::settings::Settings;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Prints an error and its causes to standard error, on one line, each cause once.
pub(crate) fn report(error: &anyhow::Error) {
    let mut text = String::new();
    // An error that puts its cause into its own text has said it; the same words a second time help nobody.
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    let is_taken = error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    });
    if is_taken {
        text += ": another program serves there; stop it or listen elsewhere, such as on 127.0.0.1:0, where the system \
                 chooses a free port";
    }
    say(&text);
}

/// An address to listen on, as ADDR:PORT.
pub(crate) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text.strip_prefix("localhost:").or(text.strip_prefix(':'));
    match port.unwrap_or(text).parse::<u16>() {
        Ok(port) => Err(format!(
            "an address is ADDR:PORT: 127.0.0.1:{port} for this machine only, 0.0.0.0:{port} for all that reach it"
        )),
        Err(_) => Err(
            "an address is ADDR:PORT with an IP address, such as 127.0.0.1:8080 or [::1]:8080; \
             port 0 lets the system choose"
                .to_owned(),
        ),
    }
}

/// Tells the person at the terminal something that is no part of the answer.
#[allow(
    clippy::print_stderr,
    reason = "the one place where a command speaks beside its answer"
)]
pub(crate) fn say(text: &str) {
    eprintln!("doorstep: {text}");
}

/// The filter of the log, for [`set_log_level`].
static LOG_FILTER: OnceLock<reload_layer::Handle<EnvFilter, Registry>> = OnceLock::new();
/// How log lines are written, for [`start_log`].
static LOG_FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; in colour on a terminal, unless `NO_COLOR` is set
    Text,
    /// One JSON object a line
    Json,
}

/// Says how log lines are to be written, before the log starts.
pub(crate) fn set_log_format(format: LogFormat) {
    // Only the command line says it, once.
    let _ = LOG_FORMAT.set(format);
}

/// Logs to standard error; `RUST_LOG` overrides the level.
pub(crate) fn start_log(level: &str) {
    start_log_as(level, LogFormat::Text);
}

/// The same with the level and the format of settings; the command line has the last word about the format.
pub(crate) fn start_log_of(settings: &Settings) {
    let format = match settings.name("log_format").as_str() {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    };
    start_log_as(settings.text("log").unwrap_or("info"), format);
}

fn start_log_as(level: &str, format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let (filter, handle) = reload_layer::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(wants_colour())
        .with_writer(io::stderr);
    let lines = match LOG_FORMAT.get().unwrap_or(&format) {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    // The second start of a log would have panicked above.
    let _ = LOG_FILTER.set(handle);
}

/// Changes the level of a log that was started, unless `RUST_LOG` has it.
pub(crate) fn set_log_level(level: &str) -> anyhow::Result<()> {
    if std::env::var_os("RUST_LOG").is_some() {
        return Ok(());
    }
    match LOG_FILTER.get() {
        Some(handle) => handle.reload(EnvFilter::try_new(level)?).context("the log"),
        None => Ok(()),
    }
}

/// Colour only where a person looks: not in files and pipes, and not against their will (<https://no-color.org>).
fn wants_colour() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_unwanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Overrides;

    /// What a flag does and no setting can: where settings are, what is kept, what belongs to one start.
    const NO_SETTINGS: [&str; 5] = ["config", "data", "sandbox", "name", "help"];

    /// The long flags of a command that has settings, after each was given, and those that reached its settings.
    fn flags_of<A: clap::Args>(overrides: impl Fn(&A) -> Overrides) -> (Vec<String>, Vec<String>) {
        let command = A::augment_args(clap::Command::new("server"));
        let given = |arg: &clap::Arg| {
            let long = arg.get_long()?;
            let value = match arg
                .get_value_names()
                .and_then(|names| names.first())?
                .as_str()
            {
                "URL" => "https://example.org",
                "ADDR:PORT" => "127.0.0.1:1",
                "NETWORK" => "10.0.0.0/8",
                "PROFILE" => "car",
                "PING_INTERVAL_MS" => "4000",
                "COUNT" | "SECONDS" => "1",
                _ => "some-name",
            };
            let takes_value = arg.get_action().takes_values();
            Some(if takes_value {
                format!("--{long}={value}")
            } else {
                format!("--{long}")
            })
        };
        let longs: Vec<String> = command
            .get_arguments()
            .filter_map(|arg| arg.get_long().map(str::to_owned))
            .collect();
        let words = command
            .get_arguments()
            .filter(|arg| arg.get_long() != Some("sandbox"))
            .filter_map(given);
        let words: Vec<String> = std::iter::once("server".to_owned()).chain(words).collect();
        let matches = command.try_get_matches_from(words).unwrap();
        let args = A::from_arg_matches(&matches).unwrap();
        let overrides = overrides(&args);
        let flags = overrides
            .flags()
            .map(|flag| flag.trim_start_matches("--").to_owned());
        (longs, flags.collect())
    }

    #[test]
    fn every_flag_of_a_server_is_a_setting_too() {
        for (longs, mut set) in [
            flags_of(control_plane::overrides),
            flags_of(dispatch::overrides),
            flags_of(serve::overrides),
        ] {
            set.extend(NO_SETTINGS.map(str::to_owned));
            let missing: Vec<_> = longs.iter().filter(|long| !set.contains(long)).collect();
            assert!(
                longs.len() > 8 && missing.is_empty(),
                "no settings for {missing:?}"
            );
        }
    }

    #[test]
    fn an_address_is_read_or_its_form_is_told() {
        assert!(parse_listen("127.0.0.1:0").is_ok() && parse_listen("[::1]:8080").is_ok());
        for text in ["8080", ":8080", "localhost:8080"] {
            let error = parse_listen(text).unwrap_err();
            assert!(error.contains("127.0.0.1:8080"), "{text}: {error}");
        }
        assert!(parse_listen("here").unwrap_err().contains("ADDR:PORT"));
    }
}
