//! `doorstep dispatch`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use doorstep_dispatch_server::{CertificateSource, Clock, Config, Running, start};
use doorstep_routing::{Profile, Router};

use super::token::read_key;
use super::{asked_to_stop, parse_listen};

/// Runs a dispatch server.
///
/// Drivers' apps connect over QUIC, the control plane over gRPC. It serves until Ctrl-C; with a journal it goes on after
/// a restart where it was.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep token --audience admin --subject ops --key-file doorstep.key --generate
  doorstep dispatch --map porto.road --token-key doorstep.key --journal journal
  doorstep dispatch --map porto.road --token-key doorstep.key --journal journal \\
    --quic 0.0.0.0:4433 --certificate chain.pem --certificate-key key.pem")]
pub(crate) struct DispatchArgs {
    /// A road archive, or an extract that is imported in memory
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Where drivers connect over QUIC (UDP)
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:4433", value_parser = parse_listen)]
    quic: SocketAddr,
    /// Where the control plane connects over gRPC (TCP, not encrypted)
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7443", value_parser = parse_listen)]
    grpc: SocketAddr,
    /// The folder of the journal; without one a restart forgets everything
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// The key that signs tokens; gRPC calls need an admin token
    #[arg(long, value_name = "FILE")]
    token_key: PathBuf,
    /// Let whoever reaches the gRPC port call it without a token
    #[arg(long)]
    open_grpc: bool,
    /// PEM file with the certificate that apps know; without one a new one is made at every start
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// Write the certificate, in DER, to this file, for apps that are to trust it
    #[arg(long, value_name = "FILE")]
    certificate_out: Option<PathBuf>,
    /// Whose roads and speeds: scooter, car, bicycle or foot
    #[arg(long, default_value = "scooter")]
    profile: Profile,
    /// Milliseconds between two pings of an app; more saves batteries and makes positions older
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(100..=600_000))]
    ping_interval_ms: u32,
}

pub(crate) fn run(args: DispatchArgs) -> anyhow::Result<ExitCode> {
    let certificate_out = args.certificate_out.clone();
    let config = config(args)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serve(config, certificate_out.as_deref()))
}

fn config(args: DispatchArgs) -> anyhow::Result<Config> {
    let token_key = read_key(&args.token_key)?;
    let archive = doorstep_maps::open_map(&args.map)?;
    let router = Arc::new(Router::new(&archive, args.profile));
    let certificate = match (args.certificate, args.certificate_key) {
        (Some(chain), Some(key)) => CertificateSource::Files { chain, key },
        _ => CertificateSource::SelfSigned {
            names: vec!["localhost".to_owned()],
        },
    };
    Ok(Config {
        quic_listen: args.quic,
        grpc_listen: args.grpc,
        certificate,
        rpc_key: (!args.open_grpc).then(|| token_key.clone()),
        journal_dir: args.journal,
        ping_interval_ms: args.ping_interval_ms,
        ..Config::new(router, token_key, Clock::system())
    })
}

async fn serve(config: Config, certificate_out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let mut server = start(config).await?;
    if let Some(path) = certificate_out {
        fs::write(path, &server.certificate_der)
            .with_context(|| format!("certificate {}", path.display()))?;
    }
    tell(&server);
    tokio::select! {
        asked = asked_to_stop() => asked.context("waiting for Ctrl-C")?,
        failed = server.stopped() => {
            failed?;
            anyhow::bail!("the server has stopped by itself");
        }
    }
    server.shutdown().await?;
    Ok(ExitCode::SUCCESS)
}

#[allow(
    clippy::print_stdout,
    reason = "scripts read the addresses from standard output"
)]
fn tell(server: &Running) {
    println!("quic {}", server.quic_addr);
    println!("grpc {}", server.grpc_addr);
}
