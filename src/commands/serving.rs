//! What all commands that serve have in common: their listeners, their logs' level, and how they are told to stop.

use std::future::Future;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use doorstep_web::readiness::Readiness;
use doorstep_web::serve::{Bound, ServeConfig};
use doorstep_web::{figures, private};
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::parse_listen;
use crate::settings::{Overrides, open_tls};

/// What a shell shows for a process that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;
/// Real time that threads which block may take to end once everything else has.
const THREADS_GRACE: Duration = Duration::from_millis(500);
/// Connections of the private listener: a scraper, a load balancer, some people.
const PRIVATE_CONNECTIONS_MAX: usize = 128;

/// How a server listens for HTTP.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub(crate) struct ServingArgs {
    /// Serve HTTPS with this PEM file, own certificate first; it is read again when it changes
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Connections at a time; one more is refused. An idle one takes about 20 KB [default: 16384]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: Option<u32>,
    /// An address or network, such as 10.0.0.0/8, whose `x-forwarded-for` is believed; may be given several times
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    trusted_proxy: Vec<ipnet::IpNet>,
    /// Seconds that open requests may take to end at SIGTERM or Ctrl-C; then they are cut [default: 8]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=600))]
    shutdown_grace: Option<u32>,
    #[command(flatten)]
    private: PrivateArgs,
}

/// Where a server is watched.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub(crate) struct PrivateArgs {
    /// Serve /metrics, /healthz and /readyz here; an address that only operators reach
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    private_listen: Option<SocketAddr>,
}

fn network(text: &str) -> Result<ipnet::IpNet, String> {
    let address = text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "expected an address or a network such as 10.0.0.0/8".to_owned())
}

impl ServingArgs {
    /// Puts these flags over the settings of the control plane.
    pub(crate) fn over(&self, flags: Overrides) -> Overrides {
        let seconds = self.shutdown_grace.map(|seconds| format!("{seconds}s"));
        let proxies: Vec<String> = self.trusted_proxy.iter().map(ToString::to_string).collect();
        let proxies = (!proxies.is_empty()).then(|| proxies.join(","));
        let flags = flags
            .path(
                "control_plane.tls_certificate",
                "--tls-cert",
                self.tls_cert.as_ref(),
            )
            .path("control_plane.tls_key", "--tls-key", self.tls_key.as_ref())
            .add(
                "control_plane.http.connections_max",
                "--max-connections",
                self.max_connections,
            )
            .add(
                "control_plane.http.shutdown_grace",
                "--shutdown-grace",
                seconds,
            )
            .add(
                "control_plane.http.trusted_proxies",
                "--trusted-proxy",
                proxies,
            );
        self.private.over("control_plane.private_listen", flags)
    }

    /// The public listener of a command that has no settings.
    pub(crate) fn config(&self) -> anyhow::Result<ServeConfig> {
        let mut config = ServeConfig::new("public");
        if let Some(count) = self.max_connections {
            config.limits.connections_max = usize::try_from(count)?;
        }
        if let Some(seconds) = self.shutdown_grace {
            config.limits.shutdown_grace = Duration::from_secs(seconds.into());
        }
        config.trusted_proxies = self.trusted_proxy.clone().into();
        let files = [self.tls_cert.clone(), self.tls_key.clone()];
        config.tls = open_tls(["--tls-cert", "--tls-key"], files)?;
        Ok(config)
    }

    /// The private listener of a command that has no settings.
    pub(crate) async fn watch(&self, readiness: &Readiness) -> anyhow::Result<Watched> {
        Watched::start(self.private.private_listen, readiness).await
    }
}

impl PrivateArgs {
    /// Puts the flag over a setting.
    pub(crate) fn over(&self, key: &'static str, flags: Overrides) -> Overrides {
        flags.add(key, "--private-listen", self.private_listen)
    }
}

impl Watched {
    /// Starts the private listener, if there is to be one.
    pub(crate) async fn start(
        address: Option<SocketAddr>,
        readiness: &Readiness,
    ) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let readiness = readiness.clone();
        let Some(address) = address else {
            return Ok(Self {
                readiness,
                stop,
                task: None,
            });
        };
        let bound = Bound::to(address).await.context("the private listener")?;
        announce(&format!("private on http://{}", bound.address()));
        let mut config = ServeConfig::new("private");
        config.limits.connections_max = PRIVATE_CONNECTIONS_MAX;
        config.limits.shutdown_grace = Duration::from_secs(1);
        let router = private::router(readiness.clone());
        let serving = bound.serve(router, config, stop.clone());
        Ok(Self {
            readiness,
            stop: stop.clone(),
            task: Some(tokio::spawn(async move {
                let upkeep = stop.run_until_cancelled(figures::upkeep());
                tokio::join!(serving, upkeep);
            })),
        })
    }
}

/// Refuses an address that is in use, before work begins that takes long: the listener itself is opened after it.
///
/// # Errors
/// When the address cannot be listened on now.
pub(crate) fn expect_free(
    what: &str,
    tcp: Option<SocketAddr>,
    udp: Option<SocketAddr>,
) -> anyhow::Result<()> {
    if let Some(address) = tcp {
        // As the listener does: a port that a process before this one has left can be taken at once.
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.set_reuseaddr(true)?;
        socket
            .bind(address)
            .and_then(|()| socket.listen(1))
            .with_context(|| format!("{what} {address}"))?;
    }
    if let Some(address) = udp {
        UdpSocket::bind(address).with_context(|| format!("{what} {address}"))?;
    }
    Ok(())
}

/// A private listener, until the server behind it has stopped.
pub(crate) struct Watched {
    readiness: Readiness,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Watched {
    /// Not ready from now on; figures and health are still answered.
    pub(crate) fn is_stopping(&self) {
        self.readiness.stop();
    }

    /// Stops the private listener, after everything else.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        if let Some(task) = self.task {
            // A panic there was logged; the process ends anyway.
            let _ = task.await;
        }
    }
}

#[allow(
    clippy::print_stdout,
    reason = "scripts read the addresses from standard output"
)]
fn announce(line: &str) {
    println!("{line}");
}

/// Cancelled at the first SIGTERM or SIGINT (Ctrl-C); a second one ends the process at once. Needs a runtime.
pub(crate) fn stop_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        for is_second in [false, true] {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if is_second {
                tracing::warn!(signal = name, "asked to stop a second time: ending at once");
                std::process::exit(INTERRUPTED);
            }
            tracing::info!(signal = name, "asked to stop");
            asked.cancel();
        }
    });
    Ok(stop)
}

/// Runs a server on all cores; once it has ended, nothing keeps the process.
pub(crate) fn block_on(
    server: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    figures::record().context("the recorder of the figures")?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    let outcome = runtime.block_on(server);
    runtime.shutdown_timeout(THREADS_GRACE);
    outcome
}
