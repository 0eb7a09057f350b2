//! `doorstep gateway-sandbox`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use doorstep_gateway_sandbox::{SandboxConfig, SigningSecret, start};
use doorstep_web::tls::client_config;

use super::parse_listen;
use super::secret_file::{read_secret, write_secret};
use super::serving::{block_on, stop_signal};
use super::token::parse_span;

/// Runs a payment gateway without real money.
///
/// Serves the protocol of docs/payment-gateway.md; how a payment ends is its method: `sandbox_ok`, `sandbox_decline`,
/// `sandbox_timeout`, `sandbox_timeout_then_ok`. Stops at Ctrl-C or SIGTERM.
#[derive(clap::Args)]
#[command(
    after_help = "Example: doorstep gateway-sandbox --secret gateway.secret --generate --book gateway-book.jsonl"
)]
pub(crate) struct GatewaySandboxArgs {
    /// Where to serve HTTP; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR:PORT", value_parser = parse_listen)]
    listen: SocketAddr,
    /// The file with the secret that signs webhooks; the control plane gets the same file
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// Make the secret file if there is none
    #[arg(long)]
    generate: bool,
    /// Keep payments, keys and undelivered webhooks in this file; without it a restart forgets them
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    /// Where webhooks of payments go that name no address of their own
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// A PEM file with authorities to trust beside the public ones, where webhooks go to https addresses
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Of a thousand payments by `sandbox_ok`, as many are declined
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    decline_permille: u32,
    /// How long a payment by `sandbox_timeout…` stays undecided
    #[arg(long, default_value = "1s", value_name = "DURATION", value_parser = parse_span)]
    decide_after: Duration,
    /// How long its answer is withheld
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = parse_span)]
    withhold: Duration,
    /// Send one webhook of so many twice; 0: none
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    duplicate_every: u32,
}

pub(crate) fn run(args: GatewaySandboxArgs) -> anyhow::Result<ExitCode> {
    let config = SandboxConfig {
        book: args.book,
        webhook_url: args.webhook_url,
        decline_permille: args.decline_permille,
        settle_after: args.decide_after,
        withhold: args.withhold,
        duplicate_every: args.duplicate_every,
        trust: Some(client_config(args.ca.as_deref())?),
        ..SandboxConfig::new(args.listen, secret(&args.secret, args.generate)?)
    };
    block_on(serve(config))
}

fn secret(path: &Path, generate: bool) -> anyhow::Result<SigningSecret> {
    if generate && !path.exists() {
        write_secret(path)?;
    }
    let text = read_secret(path)
        .context("the gateway's secret (--generate makes one where there is none)")?;
    Ok(SigningSecret::new(text))
}

async fn serve(config: SandboxConfig) -> anyhow::Result<ExitCode> {
    let stop = stop_signal()?;
    let running = start(config).await?;
    announce(running.addr);
    stop.cancelled().await;
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "says where it can be reached")]
fn announce(addr: SocketAddr) {
    println!("payment gateway (sandbox, no real money) on http://{addr}");
}
