//! What all commands that serve have in common: their listeners, their logs' level, and how they are told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use doorstep_web::readiness::Readiness;
use doorstep_web::serve::{Bound, ServeConfig};
use doorstep_web::tls::{CertificateFiles, ServerTls};
use doorstep_web::{figures, private};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::parse_listen;

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
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Connections at a time; one more is refused. An idle one takes less than 20 KB
    #[arg(long, value_name = "COUNT", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// An address or network, such as 10.0.0.0/8, whose `x-forwarded-for` is believed; may be given several times
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    trusted_proxy: Vec<ipnet::IpNet>,
    /// Seconds that open requests may take to end at SIGTERM or Ctrl-C; then they are cut
    #[arg(long, value_name = "SECONDS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=600))]
    shutdown_grace: u32,
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
    /// The public listener.
    pub(crate) fn config(&self) -> anyhow::Result<ServeConfig> {
        let mut config = ServeConfig::new("public");
        config.limits.connections_max = usize::try_from(self.max_connections)?;
        config.limits.shutdown_grace = Duration::from_secs(u64::from(self.shutdown_grace));
        config.trusted_proxies = self.trusted_proxy.clone().into();
        if let (Some(chain), Some(key)) = (&self.tls_cert, &self.tls_key) {
            let (chain, key) = (chain.clone(), key.clone());
            config.tls = Some(ServerTls::open(CertificateFiles { chain, key })?);
        }
        Ok(config)
    }

    /// The private listener.
    pub(crate) async fn watch(&self, readiness: &Readiness) -> anyhow::Result<Watched> {
        self.private.watch(readiness).await
    }
}

impl PrivateArgs {
    /// Starts the private listener, if there is to be one.
    pub(crate) async fn watch(&self, readiness: &Readiness) -> anyhow::Result<Watched> {
        let stop = CancellationToken::new();
        let readiness = readiness.clone();
        let Some(address) = self.private_listen else {
            return Ok(Watched {
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
        Ok(Watched {
            readiness,
            stop: stop.clone(),
            task: Some(tokio::spawn(async move {
                let upkeep = stop.run_until_cancelled(figures::upkeep());
                tokio::join!(serving, upkeep);
            })),
        })
    }
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
