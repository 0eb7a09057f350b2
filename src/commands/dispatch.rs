//! `doorstep dispatch`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use doorstep_dispatch_server::{Clock, Config, Running, Vitals, start};
use doorstep_routing::{Profile, Router};
use doorstep_web::readiness::Readiness;

use super::journal::{self, JournalCommand, ReplayArgs};
use super::serving::{PrivateArgs, Watched, block_on, expect_free, stop_signal};
use super::token::read_key;
use super::{parse_listen, start_log_of};
use crate::settings::{self, Overrides, Settings};

/// Runs a dispatch server.
///
/// Drivers' apps connect over QUIC, the control plane over gRPC. It serves until SIGTERM or Ctrl-C; with a
/// journal it goes on after a restart where it was.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  doorstep token --audience admin --subject ops --key-file doorstep.key --generate
  doorstep dispatch --map porto.road --token-key doorstep.key --journal journal
  doorstep dispatch --map porto.road --token-key doorstep.key --journal journal \\
    --quic 0.0.0.0:4433 --certificate chain.pem --certificate-key key.pem
  doorstep dispatch journal check journal")]
pub(crate) struct DispatchArgs {
    /// A file with settings (docs/configuration.md); flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A road archive, or an extract that is imported in memory
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Where drivers connect over QUIC (UDP) [default: 0.0.0.0:4433]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    quic: Option<SocketAddr>,
    /// Where the control plane connects over gRPC (TCP; encrypted with --grpc-certificate) [default: 127.0.0.1:7443]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    grpc: Option<SocketAddr>,
    /// PEM file with the certificate that encrypts gRPC, own certificate first
    #[arg(long, value_name = "FILE")]
    grpc_certificate: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, value_name = "FILE")]
    grpc_certificate_key: Option<PathBuf>,
    /// The folder of the journal; without one a restart forgets everything
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// The key that signs tokens; gRPC calls need an admin token
    #[arg(long, value_name = "FILE")]
    token_key: Option<PathBuf>,
    /// Let whoever reaches the gRPC port call it without a token
    #[arg(long)]
    open_grpc: bool,
    /// PEM file with the certificate that apps know; without one a new one is made at every start
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, value_name = "FILE")]
    certificate_key: Option<PathBuf>,
    /// Write the certificate, in DER, to this file, for apps that are to trust it
    #[arg(long, value_name = "FILE")]
    certificate_out: Option<PathBuf>,
    /// Whose roads and speeds: scooter, car, bicycle or foot [default: scooter]
    #[arg(long)]
    profile: Option<Profile>,
    /// Milliseconds between two pings of an app; more saves batteries and makes positions older [default: 4000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(100..=600_000))]
    ping_interval_ms: Option<u32>,
    #[command(flatten)]
    private: PrivateArgs,
    #[command(subcommand)]
    command: Option<DispatchCommand>,
}

#[derive(clap::Subcommand)]
enum DispatchCommand {
    Replay(ReplayArgs),
    #[command(subcommand)]
    Journal(JournalCommand),
}

pub(crate) fn run(args: DispatchArgs) -> anyhow::Result<ExitCode> {
    if args.command.is_some() {
        super::start_log("warn");
    }
    match args.command {
        Some(DispatchCommand::Replay(replay)) => return journal::replay(replay),
        Some(DispatchCommand::Journal(command)) => return journal::run(command),
        None => {}
    }
    let file = settings::file_of(args.config.as_ref());
    let settings = Settings::load(file.as_deref(), &overrides(&args))?;
    start_log_of(&settings);
    block_on(serve(settings))
}

pub(super) fn overrides(args: &DispatchArgs) -> Overrides {
    let ping_interval = args.ping_interval_ms.map(|millis| format!("{millis}ms"));
    let flags = Overrides::default()
        .path("map", "--map", args.map.as_ref())
        .add("dispatch.quic_listen", "--quic", args.quic)
        .add("dispatch.grpc_listen", "--grpc", args.grpc)
        .path("dispatch.journal", "--journal", args.journal.as_ref())
        .path("token_key_file", "--token-key", args.token_key.as_ref())
        .switch("dispatch.open_grpc", "--open-grpc", args.open_grpc)
        .path(
            "dispatch.certificate",
            "--certificate",
            args.certificate.as_ref(),
        )
        .path(
            "dispatch.certificate_key",
            "--certificate-key",
            args.certificate_key.as_ref(),
        )
        .path(
            "dispatch.certificate_out",
            "--certificate-out",
            args.certificate_out.as_ref(),
        )
        .add("profile", "--profile", args.profile.map(Profile::name))
        .add(
            "dispatch.ping_interval",
            "--ping-interval-ms",
            ping_interval,
        )
        .path(
            "dispatch.grpc_certificate",
            "--grpc-certificate",
            args.grpc_certificate.as_ref(),
        )
        .path(
            "dispatch.grpc_certificate_key",
            "--grpc-certificate-key",
            args.grpc_certificate_key.as_ref(),
        );
    args.private.over("dispatch.private_listen", flags)
}

fn config(settings: &Settings) -> anyhow::Result<Config> {
    let map = settings.required("map", "--map")?;
    let token_key = read_key(Path::new(
        settings.required("token_key_file", "--token-key")?,
    ))?;
    let certificate = settings.certificate()?;
    let archive = doorstep_maps::open_map(Path::new(map))?;
    let router = Arc::new(Router::new(&archive, settings.profile()?));
    Ok(Config {
        quic_listen: settings.address("dispatch.quic_listen")?,
        grpc_listen: settings.address("dispatch.grpc_listen")?,
        grpc_certificate: settings.grpc_certificate()?,
        certificate,
        rpc_key: (!settings.grpc_is_open()).then(|| token_key.clone()),
        journal_dir: settings.path("dispatch.journal"),
        ping_interval_ms: settings.ping_interval_ms(),
        policy: settings.dispatch_policy(),
        limits: settings.dispatch_limits(),
        ..Config::new(router, token_key, Clock::system())
    })
}

async fn serve(settings: Settings) -> anyhow::Result<ExitCode> {
    let stop = stop_signal()?;
    let certificate_out = settings.path("dispatch.certificate_out");
    let readiness = Readiness::default();
    readiness.check("start", async || {
        Err("the journal is being replayed".to_owned())
    });
    let (quic, grpc) = (
        settings.address("dispatch.quic_listen")?,
        settings.address("dispatch.grpc_listen")?,
    );
    expect_free("--quic", None, Some(quic))?;
    expect_free("--grpc", Some(grpc), None)?;
    let private = settings.address_if_set("dispatch.private_listen")?;
    let watched = Watched::start(private, &readiness).await?;
    let starting = async {
        start(tokio::task::spawn_blocking(move || config(&settings)).await??)
            .await
            .map_err(anyhow::Error::from)
    };
    let mut server = tokio::select! {
        started = starting => started?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    readiness.check("start", async || Ok(()));
    check_dispatch(&readiness, server.vitals());
    if let Some(path) = certificate_out {
        fs::write(&path, &server.certificate_der)
            .with_context(|| format!("certificate {}", path.display()))?;
    }
    announce(&server);
    tokio::select! {
        () = stop.cancelled() => {}
        failed = server.stopped() => {
            failed?;
            anyhow::bail!("the server has stopped by itself");
        }
    }
    watched.is_stopping();
    server.shutdown().await?;
    watched.end().await;
    Ok(ExitCode::SUCCESS)
}

/// Not ready while the shard does not decide or its journal waits for room on the disk.
pub(crate) fn check_dispatch(readiness: &Readiness, vitals: Vitals) {
    readiness.check("dispatch", move || {
        let fault = match (vitals.shard_lives(), vitals.is_stalled()) {
            (false, _) => Some("the shard has ended"),
            (true, true) => Some("the disk of the journal is full"),
            (true, false) => None,
        };
        async move { fault.map_or(Ok(()), |fault| Err(fault.to_owned())) }
    });
}

#[allow(
    clippy::print_stdout,
    reason = "scripts read the addresses from standard output"
)]
fn announce(server: &Running) {
    println!("quic {}", server.quic_addr);
    println!("grpc {}", server.grpc_addr);
}
