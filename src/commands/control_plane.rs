//! `doorstep control-plane`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use doorstep_control_plane::config::GatewayConfig;
use doorstep_control_plane::events::bus::{EventBus, InProcessBus};
use doorstep_control_plane::{Config, Running, Secret};
use doorstep_control_plane_nats::{JetStreamBus, JetStreamConfig};
use doorstep_web::readiness::Readiness;
use doorstep_web::tls::client_config;
use tokio_util::sync::CancellationToken;

use super::city_map::drawing_of;
use super::reload::Reload;
use super::secret_file::read_secret;
use super::serving::{ServingArgs, Watched, block_on, stop_signal};
use super::token::read_key;
use super::{parse_listen, start_log_of};
use crate::settings::{self, Overrides, Settings};

/// Runs the control plane: orders, money, restaurants over HTTP.
///
/// Stops at Ctrl-C or SIGTERM; SIGHUP reads the settings file again (fees, time-outs and the log level change at once).
#[derive(clap::Args)]
#[command(
    after_help = "Example: doorstep control-plane --gateway-url http://127.0.0.1:8090 \\\n         --gateway-secret gateway.secret --token-key token.key"
)]
pub(crate) struct ControlPlaneArgs {
    /// A file with settings (docs/configuration.md); flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to serve HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    listen: Option<SocketAddr>,
    /// The gRPC address of dispatch [default: `http://127.0.0.1:7443`]
    #[arg(long, value_name = "URL")]
    dispatch: Option<String>,
    /// The database: `sqlite://FILE` or `postgres://…`; also by `DATABASE_URL` [default: `sqlite://doorstep.db`]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The payment gateway (docs/payment-gateway.md)
    #[arg(long, value_name = "URL")]
    gateway_url: Option<String>,
    /// A file with the secret that signs the gateway's webhooks
    #[arg(long, value_name = "FILE")]
    gateway_secret: Option<PathBuf>,
    /// Where the gateway reaches our webhook; the listening address when absent
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// A file with the key that signs tokens, as made by `doorstep token`
    #[arg(long, value_name = "FILE")]
    token_key: Option<PathBuf>,
    /// Publishes order events on NATS JetStream; without it they stay in the process
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// The map that the city view shows, an .osm.pbf or .road file; without it drivers and orders stand on blank ground
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// A PEM file with authorities to trust beside the public ones: for the gateway, dispatch, PostgreSQL and NATS
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The name of this process among all on one database; a restart under the same name takes up its own payments and
    /// messages at once [default: the host's name and the listening address]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    #[command(flatten)]
    serving: ServingArgs,
}

pub(crate) fn run(args: ControlPlaneArgs) -> anyhow::Result<ExitCode> {
    let reload = Reload::new(settings::file_of(args.config.as_ref()), overrides(&args));
    let settings = reload.read()?;
    start_log_of(&settings);
    block_on(serve(settings, reload))
}

pub(super) fn overrides(args: &ControlPlaneArgs) -> Overrides {
    let flags = Overrides::default()
        .add("control_plane.listen", "--listen", args.listen)
        .add(
            "control_plane.dispatch_url",
            "--dispatch",
            args.dispatch.as_ref(),
        )
        .add(
            "control_plane.database",
            "--database",
            args.database.as_ref(),
        )
        .add("gateway.url", "--gateway-url", args.gateway_url.as_ref())
        .path(
            "gateway.secret_file",
            "--gateway-secret",
            args.gateway_secret.as_ref(),
        )
        .add(
            "gateway.webhook_url",
            "--webhook-url",
            args.webhook_url.as_ref(),
        )
        .path("token_key_file", "--token-key", args.token_key.as_ref())
        .add("control_plane.nats_url", "--nats", args.nats.as_ref())
        .path("map", "--map", args.map.as_ref())
        .path("ca", "--ca", args.ca.as_ref())
        .add(
            "control_plane.instance",
            "--instance",
            args.instance.as_ref(),
        );
    args.serving.over(flags)
}

async fn serve(settings: Settings, reload: Reload) -> anyhow::Result<ExitCode> {
    let stop = stop_signal()?;
    let readiness = Readiness::default();
    readiness.check("start", async || {
        Err("the database is being opened and brought up to date".to_owned())
    });
    let serve = settings.serve_config()?;
    let scheme = serve.scheme();
    let private = settings.address_if_set("control_plane.private_listen")?;
    let watched = Watched::start(private, &readiness).await?;
    let starting = async {
        let bus = event_bus(&settings).await?;
        let mut config = config(&settings, bus)?;
        if let Some(map) = settings.path("map") {
            config.city_map = Some(drawing_of(&map)?.into());
        }
        config.serve = serve;
        config.readiness = readiness.clone();
        anyhow::Ok(doorstep_control_plane::start(config).await?)
    };
    let running = tokio::select! {
        started = starting => started?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    readiness.check("start", async || Ok(()));
    announce(scheme, running.addr);
    until_stopped(&running, settings, &reload, &stop).await?;
    watched.is_stopping();
    running.shutdown().await;
    watched.end().await;
    Ok(ExitCode::SUCCESS)
}

/// Where order events are published: NATS, or only this process.
async fn event_bus(settings: &Settings) -> anyhow::Result<Arc<dyn EventBus>> {
    Ok(match settings.text("control_plane.nats_url") {
        None => Arc::new(InProcessBus::default()),
        Some(url) => Arc::new(
            JetStreamBus::open(JetStreamConfig {
                trust: Some(client_config(settings.path("ca").as_deref())?),
                ..JetStreamConfig::new(url)
            })
            .await
            .context("connecting to NATS")?,
        ),
    })
}

/// Waits for the signal to stop, and takes settings over at each signal to reload.
pub(crate) async fn until_stopped(
    running: &Running,
    mut settings: Settings,
    reload: &Reload,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut hangups = Reload::signals()?;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = hangups.recv() => {
                settings = reload.take_over(settings, |policy| running.set_policy(policy));
            }
        }
    }
}

/// What the control plane is started with.
pub(crate) fn config(settings: &Settings, bus: Arc<dyn EventBus>) -> anyhow::Result<Config> {
    let url = settings.required("gateway.url", "--gateway-url")?;
    let secret = settings.required("gateway.secret_file", "--gateway-secret")?;
    let secret = read_secret(Path::new(secret)).context("the gateway's secret")?;
    let mut gateway = GatewayConfig::new(url.to_owned(), Secret::new(secret));
    gateway.webhook_url = settings.text("gateway.webhook_url").map(str::to_owned);
    gateway.timeout = settings.duration("gateway.timeout");
    let token_key = read_key(Path::new(
        settings.required("token_key_file", "--token-key")?,
    ))?;
    let text = |name| settings.text(name).unwrap_or_default().to_owned();
    let mut config = Config::new(
        settings.address("control_plane.listen")?,
        text("control_plane.database"),
        text("control_plane.dispatch_url"),
        gateway,
        token_key,
        bus,
    );
    config.policy = settings.control_policy()?;
    config.leases = settings.leases();
    config.retention = settings.retention();
    config.rate_limits = settings.rate_limits();
    config.instance = settings.text("control_plane.instance").map(str::to_owned);
    config.ca = settings.path("ca");
    config.drivers_poll = settings.duration("control_plane.drivers_poll");
    config.city_time_zone = settings.text("zone").map(str::to_owned);
    Ok(config)
}

#[allow(clippy::print_stdout, reason = "says where it can be reached")]
fn announce(scheme: &str, addr: SocketAddr) {
    println!("control plane on {scheme}://{addr}, its interface at {scheme}://{addr}/openapi.json");
}
