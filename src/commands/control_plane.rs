//! `doorstep control-plane`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use doorstep_control_plane::config::GatewayConfig;
use doorstep_control_plane::events::bus::{EventBus, InProcessBus};
use doorstep_control_plane::{Config, Secret};
use doorstep_control_plane_nats::{JetStreamBus, JetStreamConfig};

use super::city_map::drawing_of;
use super::parse_listen;
use super::token::read_key;

/// Runs the control plane: orders, money, restaurants over HTTP.
#[derive(clap::Args)]
#[command(
    after_help = "Example: doorstep control-plane --gateway-url http://127.0.0.1:8090 \\\n         --gateway-secret gateway.secret --token-key token.key"
)]
pub(crate) struct ControlPlaneArgs {
    /// Where to serve HTTP.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR:PORT", value_parser = parse_listen)]
    listen: SocketAddr,
    /// The gRPC address of dispatch.
    #[arg(long, default_value = "http://127.0.0.1:7443", value_name = "URL")]
    dispatch: String,
    /// The database: `sqlite://FILE` or `postgres://…`
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://doorstep.db",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: String,
    /// The payment gateway.
    #[arg(long, value_name = "URL")]
    gateway_url: String,
    /// A file with the secret that signs the gateway's webhooks.
    #[arg(long, value_name = "FILE")]
    gateway_secret: PathBuf,
    /// Where the gateway reaches our webhook; the listening address when absent.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// A file with the key that signs tokens, as made by `doorstep token`.
    #[arg(long, value_name = "FILE")]
    token_key: PathBuf,
    /// Publishes order events on NATS JetStream; without it they stay in the process.
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// The map that the city view shows, an .osm.pbf or .road file; without it drivers and orders stand on blank ground.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
}

pub(crate) fn run(args: ControlPlaneArgs) -> anyhow::Result<ExitCode> {
    let drawing = args.map.as_deref().map(drawing_of).transpose()?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(serve(args, drawing))
}

async fn serve(args: ControlPlaneArgs, drawing: Option<Vec<u8>>) -> anyhow::Result<ExitCode> {
    let secret = read(&args.gateway_secret)?;
    anyhow::ensure!(
        !secret.trim().is_empty(),
        "{} is empty",
        args.gateway_secret.display()
    );
    let mut gateway = GatewayConfig::new(args.gateway_url, Secret::new(secret.trim()));
    gateway.webhook_url = args.webhook_url;
    let token_key = read_key(&args.token_key)?;
    let bus: Arc<dyn EventBus> = match &args.nats {
        None => Arc::new(InProcessBus::default()),
        Some(url) => Arc::new(
            JetStreamBus::open(JetStreamConfig::new(url))
                .await
                .context("connecting to NATS")?,
        ),
    };
    let mut config = Config::new(
        args.listen,
        args.database,
        args.dispatch,
        gateway,
        token_key,
        bus,
    );
    config.city_map = drawing.map(Into::into);
    let running = doorstep_control_plane::start(config).await?;
    announce(running.addr);
    tokio::signal::ctrl_c()
        .await
        .context("waiting for Ctrl-C")?;
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

#[allow(clippy::print_stdout, reason = "says where it can be reached")]
fn announce(addr: SocketAddr) {
    println!("control plane on http://{addr}, its interface at http://{addr}/openapi.json");
}
