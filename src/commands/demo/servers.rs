//! The servers of a demo: payment gateway, dispatch, control plane; one clock for all.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use doorstep_control_plane::clock::Clock as ControlClock;
use doorstep_control_plane::config::GatewayConfig;
use doorstep_control_plane::events::bus::InProcessBus;
use doorstep_control_plane::{Config as ControlConfig, Secret};
use doorstep_dispatch_server::{Clock as DispatchClock, Config as DispatchConfig};
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{StatusRequest, StatusResponse};
use doorstep_dispatch_wire::token::TokenKey;
use doorstep_gateway_sandbox::{self as sandbox, SandboxConfig, SigningSecret};
use doorstep_sim_live::Clock as LiveClock;
use doorstep_web::limits::RateLimits;

use super::DemoArgs;
use super::city::City;
use crate::commands::secret_file::write_private;
use crate::commands::token::read_key;

/// Where a kept city remembers its time.
const CLOCK_FILE: &str = "city-clock-ms";
/// Real time between two writes of it.
const CLOCK_KEPT_EVERY: Duration = Duration::from_millis(500);
/// How fast a city fills before it is shown.
pub(crate) const WARM_UP_SPEEDUP: u32 = 100;
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Real time that open requests and calls of each server may take to end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Everything that serves.
pub(crate) struct Servers {
    gateway: sandbox::Running,
    dispatch: doorstep_dispatch_server::Running,
    control_plane: doorstep_control_plane::Running,
    token_key: TokenKey,
    clock: SharedClock,
    clock_keeper: tokio::task::JoinHandle<()>,
}

/// The values that every clock of the city is made of.
#[derive(Clone, Copy)]
struct SharedClock {
    origin_ms: u64,
    anchor: Instant,
    speedup: u32,
    /// Real time at the start in which the city runs at [`WARM_UP_SPEEDUP`].
    warm_up: Duration,
}

impl SharedClock {
    /// Six in the evening of today, or where the clock of a kept city stood.
    fn start(data: &Path, speedup: u32, warm_up: Duration) -> anyhow::Result<Self> {
        let kept = data.join(CLOCK_FILE);
        let origin_ms = match std::fs::read_to_string(&kept) {
            Ok(text) => text.trim().parse().with_context(|| {
                format!("{}: expected milliseconds, found {text:?}", kept.display())
            })?,
            Err(_) => evening_of_today()?,
        };
        Ok(Self {
            origin_ms,
            anchor: Instant::now(),
            speedup,
            warm_up,
        })
    }

    fn live(&self) -> LiveClock {
        LiveClock::new(self.origin_ms, self.anchor, self.speedup)
            .warming_up(self.warm_up, WARM_UP_SPEEDUP)
    }

    fn dispatch(&self) -> DispatchClock {
        DispatchClock::scaled(self.origin_ms, self.anchor, self.speedup)
            .warming_up(self.warm_up, WARM_UP_SPEEDUP)
    }

    fn control_plane(&self) -> ControlClock {
        ControlClock::scaled(self.origin_ms, self.anchor, self.speedup)
            .warming_up(self.warm_up, WARM_UP_SPEEDUP)
    }

    /// Lets a later demo on the same folder go on where this one stops: the city's time never goes back.
    fn keep(&self, data: &Path) -> anyhow::Result<()> {
        write_clock(data, self.live().now().as_millis())
    }

    /// The same for a demo that is killed: what stands in the file is always later than the time that anybody has seen.
    async fn keep_ahead(self, data: PathBuf) {
        let mut ticks = tokio::time::interval(CLOCK_KEPT_EVERY);
        loop {
            ticks.tick().await;
            let fastest = self.speedup.max(WARM_UP_SPEEDUP);
            let ahead = CLOCK_KEPT_EVERY * 2 * fastest;
            let ahead_ms = u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX);
            let time_ms = self.live().now().as_millis().saturating_add(ahead_ms);
            if let Err(error) = write_clock(&data, time_ms) {
                tracing::warn!("the city's clock is not kept: {error:#}");
            }
        }
    }
}

/// Replaces the file whole, so that a demo that is killed leaves the old time or the new.
fn write_clock(data: &Path, time_ms: u64) -> anyhow::Result<()> {
    let path = data.join(CLOCK_FILE);
    let new = path.with_added_extension("new");
    std::fs::write(&new, time_ms.to_string())
        .and_then(|()| std::fs::rename(&new, &path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn evening_of_today() -> anyhow::Result<u64> {
    let six = jiff::ZonedDateTime::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .with()
        .time(jiff::civil::time(18, 0, 0, 0))
        .build()?;
    Ok(u64::try_from(six.timestamp().as_millisecond())?)
}

impl Servers {
    pub(crate) async fn start(args: &DemoArgs, city: &City, data: &Path) -> anyhow::Result<Self> {
        let clock = SharedClock::start(data, args.speedup, args.warm_up_real())?;
        let token_key = kept_key(data)?;
        let webhook_secret = Secret::new(token_key.to_text().into_bytes());
        let gateway = SandboxConfig {
            book: Some(data.join("gateway-book.jsonl")),
            ..SandboxConfig::new(ANY_PORT, SigningSecret::new(webhook_secret.expose()))
        };
        let gateway = sandbox::start(gateway)
            .await
            .context("the payment gateway")?;
        let dispatch = start_dispatch(city, data, &token_key, clock).await?;

        let mut config = ControlConfig::new(
            args.listen,
            format!("sqlite://{}", data.join("doorstep.db").display()),
            format!("http://{}", dispatch.grpc_addr),
            GatewayConfig::new(format!("http://{}", gateway.addr), webhook_secret),
            token_key.clone(),
            Arc::new(InProcessBus::default()),
        );
        config.clock = clock.control_plane();
        config.city_map = Some(city.drawing.clone().into());
        config.public_city_view = true;
        // All people of a simulated city live at one address.
        config.rate_limits = RateLimits::NONE;
        config.serve.limits.shutdown_grace = SHUTDOWN_GRACE;
        config.public_assignments = args.listen.ip().to_canonical().is_loopback();
        let control_plane = doorstep_control_plane::start(config)
            .await
            .context("the control plane")?;
        Ok(Self {
            gateway,
            dispatch,
            control_plane,
            token_key,
            clock,
            clock_keeper: tokio::spawn(clock.keep_ahead(data.to_owned())),
        })
    }

    pub(crate) fn http_addr(&self) -> SocketAddr {
        self.control_plane.addr
    }

    pub(crate) fn quic_addr(&self) -> SocketAddr {
        self.dispatch.quic_addr
    }

    pub(crate) fn certificate_der(&self) -> &[u8] {
        &self.dispatch.certificate_der
    }

    pub(crate) fn token_key(&self) -> &TokenKey {
        &self.token_key
    }

    pub(crate) fn live_clock(&self) -> LiveClock {
        self.clock.live()
    }

    /// What dispatch counted and measured.
    pub(crate) async fn status(&self) -> anyhow::Result<StatusResponse> {
        let mut dispatch =
            DispatchClient::connect(format!("http://{}", self.dispatch.grpc_addr)).await?;
        Ok(dispatch.status(StatusRequest {}).await?.into_inner())
    }

    /// Stops in the order in which nothing is lost: who asks before who answers.
    pub(crate) async fn shutdown(self, data: &Path) -> anyhow::Result<()> {
        self.control_plane.shutdown().await;
        self.dispatch.shutdown().await.context("dispatch")?;
        self.gateway.shutdown().await;
        self.clock_keeper.abort();
        // Its last write, if it is under way, must not come after ours.
        let _ = self.clock_keeper.await;
        self.clock.keep(data)
    }
}

/// The key of a kept city, so that tokens of an earlier run stay good.
fn kept_key(data: &Path) -> anyhow::Result<TokenKey> {
    let path = data.join("token.key");
    if !path.exists() {
        write_private(&path, &TokenKey::generate()?.to_text())?;
    }
    read_key(&path)
}

async fn start_dispatch(
    city: &City,
    data: &Path,
    token_key: &TokenKey,
    clock: SharedClock,
) -> anyhow::Result<doorstep_dispatch_server::Running> {
    let mut config = DispatchConfig::new(
        Arc::clone(&city.router),
        token_key.clone(),
        clock.dispatch(),
    );
    config.limits.drain_timeout = SHUTDOWN_GRACE;
    config.journal_dir = Some(data.join("journal"));
    doorstep_dispatch_server::start(config)
        .await
        .context("dispatch")
}
