//! `doorstep serve`: dispatch and control plane in one process, for one city and real work.

mod folder;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use doorstep_control_plane::events::bus::InProcessBus;
use doorstep_dispatch_server::{
    CertificateSource, Clock, Config as DispatchConfig, JournalError, StartError,
};
use doorstep_gateway_sandbox::{SandboxConfig, SigningSecret};
use doorstep_maps::ShownMap;
use doorstep_routing::{RoadArchive, Router};
use doorstep_web::readiness::Readiness;
use doorstep_web::tls::client_config;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::folder::DataFolder;
use super::control_plane;
use super::dispatch::check_dispatch;
use super::reload::Reload;
use super::secret_file::read_secret;
use super::serving::{ServingArgs, Watched, block_on, expect_free, stop_signal};
use super::token::read_key;
use super::{parse_listen, start_log_of};
use crate::settings::{self, Overrides, Settings};

/// Where the sandbox serves; only this process needs it.
const SANDBOX: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long each part may take to end; together less than the 10 s after which service managers kill.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(4);

/// Runs one city: dispatch and control plane in one process.
///
/// Everything is kept in the folder of --data: database, journal, token key, certificate, gateway secret, imported map. It
/// goes on there after a restart, also after a crash. Stops at Ctrl-C or SIGTERM.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep serve --map porto.osm.pbf --data porto --sandbox
  doorstep serve --map porto.osm.pbf --data porto --gateway-url https://pay.example --listen 0.0.0.0:8080")]
pub(crate) struct ServeArgs {
    /// A file with settings (docs/configuration.md); flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The city: an OpenStreetMap extract (.osm.pbf), imported once, or a road archive (.road)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The folder where everything is kept; made when it is missing
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where HTTP is served [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    listen: Option<SocketAddr>,
    /// Where drivers connect over QUIC (UDP) [default: 0.0.0.0:4433]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    quic: Option<SocketAddr>,
    /// The payment gateway (docs/payment-gateway.md)
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    gateway_url: Option<String>,
    /// A file with the secret that signs the gateway's webhooks; without one it is made in the folder
    #[arg(long, value_name = "FILE")]
    gateway_secret: Option<PathBuf>,
    /// Pay at a gateway without real money, started inside
    #[arg(long)]
    sandbox: bool,
    /// A PEM file with authorities to trust beside the public ones: for the gateway, and for the sandbox's webhooks
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Names and addresses in the certificate that is made for apps, besides localhost
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    #[command(flatten)]
    serving: ServingArgs,
}

pub(crate) fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let reload = Reload::new(settings::file_of(args.config.as_ref()), overrides(&args));
    let settings = reload.read()?;
    start_log_of(&settings);
    if !args.sandbox {
        let given = settings.required("gateway.url", "--gateway-url");
        given.context("no payment gateway: --sandbox pays at one without real money")?;
    }
    let folder = Arc::new(DataFolder::open(&args.data)?);
    let map = PathBuf::from(settings.required("map", "--map")?);
    block_on(async {
        let stop = stop_signal()?;
        let quic = settings.address("dispatch.quic_listen")?;
        expect_free(
            "--listen",
            Some(settings.address("control_plane.listen")?),
            None,
        )?;
        expect_free("--quic", None, Some(quic))?;
        let private = settings.address_if_set("control_plane.private_listen")?;
        expect_free("--private-listen", private, None)?;
        // A large city is imported for a minute, once: that long nobody wants to wait for an end.
        let importing = tokio::task::spawn_blocking({
            let folder = Arc::clone(&folder);
            move || folder.map(&map)
        });
        let shown = tokio::select! {
            shown = importing => shown??,
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        };
        serve(&args, settings, &reload, &folder, &shown, &stop).await
    })
}

pub(super) fn overrides(args: &ServeArgs) -> Overrides {
    let flags = Overrides::default()
        .path("map", "--map", args.map.as_ref())
        .add("control_plane.listen", "--listen", args.listen)
        .add("dispatch.quic_listen", "--quic", args.quic)
        .add("gateway.url", "--gateway-url", args.gateway_url.as_ref())
        .path(
            "gateway.secret_file",
            "--gateway-secret",
            args.gateway_secret.as_ref(),
        )
        .path("ca", "--ca", args.ca.as_ref());
    args.serving.over(flags)
}

async fn serve(
    args: &ServeArgs,
    mut settings: Settings,
    reload: &Reload,
    folder: &DataFolder,
    shown: &ShownMap,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let readiness = Readiness::default();
    readiness.check("start", async || Err("the servers are starting".to_owned()));
    let serving = settings.serve_config()?;
    let scheme = serving.scheme();
    let private = settings.address_if_set("control_plane.private_listen")?;
    let watched = Watched::start(private, &readiness).await?;
    set_path(&mut settings, "token_key_file", &folder.token_key()?)?;
    set_path(
        &mut settings,
        "gateway.secret_file",
        &folder.gateway_secret()?,
    )?;
    let database = format!("sqlite://{}", folder.file("doorstep.db").display());
    settings.set_default("control_plane.database", &database)?;
    let sandbox = start_sandbox(args, &mut settings, folder).await?;
    let mut dispatch = start_dispatch(args, &settings, folder, &shown.archive).await?;
    fs::write(folder.file("certificate.der"), &dispatch.certificate_der)
        .context("the certificate for apps")?;

    let mut config = control_plane::config(&settings, Arc::new(InProcessBus::default()))?;
    config.dispatch_url = format!("http://{}", dispatch.grpc_addr);
    config.serve = serving;
    config.readiness = readiness.clone();
    check_dispatch(&readiness, dispatch.vitals());
    let drawing = doorstep_maps::city_drawing(&shown.archive, shown.features.as_ref());
    config.city_map = Some(serde_json::to_vec(&drawing)?.into());
    let running = doorstep_control_plane::start(config).await?;
    readiness.check("start", async || Ok(()));
    announce(&Announcement {
        scheme,
        http: running.addr,
        quic: dispatch.quic_addr,
        folder,
        gateway: settings.text("gateway.url").unwrap_or_default(),
        sandbox: args.sandbox,
    });
    let ended = tokio::select! {
        asked = control_plane::until_stopped(&running, settings, reload, stop) => asked,
        failed = dispatch.stopped() => Err(failed.err().map_or_else(
            || anyhow::anyhow!("dispatch has stopped by itself"),
            Into::into,
        )),
    };
    watched.is_stopping();
    // Who asks ends before who answers. What a grace cuts off is on disk: the next start takes it up.
    if timeout(SHUTDOWN_GRACE, running.shutdown()).await.is_err() {
        tracing::warn!("requests that were still open are cut off");
    }
    if ended.is_ok() {
        dispatch.shutdown().await.context("dispatch")?;
    }
    if let Some(sandbox) = sandbox {
        sandbox.shutdown().await;
    }
    watched.end().await;
    ended.map(|()| ExitCode::SUCCESS)
}

fn set_path(settings: &mut Settings, name: &str, path: &Path) -> anyhow::Result<()> {
    settings.set_default(name, &path.display().to_string())
}

async fn start_sandbox(
    args: &ServeArgs,
    settings: &mut Settings,
    folder: &DataFolder,
) -> anyhow::Result<Option<doorstep_gateway_sandbox::Running>> {
    if !args.sandbox {
        return Ok(None);
    }
    let secret = settings.required("gateway.secret_file", "--gateway-secret")?;
    let secret = SigningSecret::new(read_secret(Path::new(secret))?);
    let config = SandboxConfig {
        book: Some(folder.file("gateway-book.jsonl")),
        trust: Some(client_config(settings.path("ca").as_deref())?),
        ..SandboxConfig::new(SANDBOX, secret)
    };
    let running = doorstep_gateway_sandbox::start(config).await?;
    settings.set("gateway.url", &format!("http://{}", running.addr))?;
    Ok(Some(running))
}

async fn start_dispatch(
    args: &ServeArgs,
    settings: &Settings,
    folder: &DataFolder,
    roads: &RoadArchive,
) -> anyhow::Result<doorstep_dispatch_server::Running> {
    let token_key = read_key(Path::new(
        settings.required("token_key_file", "--token-key")?,
    ))?;
    let router = Arc::new(Router::new(roads, settings.profile()?));
    let certificate = match settings.certificate()? {
        CertificateSource::SelfSigned { mut names } => {
            names.extend(args.name.iter().cloned());
            CertificateSource::Kept {
                chain: folder.file("certificate.pem"),
                key: folder.file("certificate.key"),
                names,
            }
        }
        named => named,
    };
    let mut limits = settings.dispatch_limits();
    limits.drain_timeout = limits.drain_timeout.min(SHUTDOWN_GRACE);
    let config = DispatchConfig {
        quic_listen: settings.address("dispatch.quic_listen")?,
        certificate,
        rpc_key: Some(token_key.clone()),
        journal_dir: Some(folder.file("journal")),
        ping_interval_ms: settings.ping_interval_ms(),
        policy: settings.dispatch_policy(),
        limits,
        ..DispatchConfig::new(router, token_key, Clock::system())
    };
    match doorstep_dispatch_server::start(config.clone()).await {
        // A journal of an earlier format, written under another policy or map, cannot be replayed. The control plane knows every
        // open delivery and asks again.
        Err(StartError::Journal(JournalError::OtherSetup { .. })) => {
            set_journal_aside(folder)?;
            let started = doorstep_dispatch_server::start(config).await;
            started.context("dispatch")
        }
        started => started.context("dispatch"),
    }
}

fn set_journal_aside(folder: &DataFolder) -> anyhow::Result<()> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let kept = folder.file(&format!("journal-until-{}", since_epoch.as_secs()));
    fs::rename(folder.file("journal"), &kept).context("setting the journal aside")?;
    tracing::warn!(
        kept = %kept.display(),
        "the journal is of an earlier format and the policy of dispatch or the map has changed since: a new journal begins, open \
         deliveries are requested again"
    );
    Ok(())
}

/// What an operator needs next.
struct Announcement<'a> {
    scheme: &'static str,
    http: SocketAddr,
    quic: SocketAddr,
    folder: &'a DataFolder,
    gateway: &'a str,
    sandbox: bool,
}

#[allow(clippy::print_stdout, reason = "what an operator needs next")]
fn announce(at: &Announcement<'_>) {
    let file = |name: &str| at.folder.file(name).display().to_string();
    let money = if at.sandbox {
        "  (sandbox: no real money)"
    } else {
        ""
    };
    let scheme = at.scheme;
    println!("city view    {scheme}://{}/", at.http);
    println!("interface    {scheme}://{}/openapi.json", at.http);
    println!(
        "drivers      quic {}, apps trust {}",
        at.quic,
        file("certificate.der")
    );
    println!("gateway      {}{money}", at.gateway);
    println!(
        "admin token  doorstep token --audience admin --subject NAME --key-file {}",
        file("token.key")
    );
    println!(
        "             opens the city view as {scheme}://{}/?token=TOKEN",
        at.http
    );
    println!("ready");
}
