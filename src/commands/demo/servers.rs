//! The servers of a demo: payment gateway, dispatch, control plane; one clock for all.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use doorstep_control_plane::clock::Clock as ControlClock;
use doorstep_control_plane::config::GatewayConfig;
use doorstep_control_plane::events::bus::InProcessBus;
use doorstep_control_plane::sandbox::{self, SandboxConfig};
use doorstep_control_plane::{Config as ControlConfig, Secret};
use doorstep_dispatch_server::{Clock as DispatchClock, Config as DispatchConfig};
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{StatusRequest, StatusResponse};
use doorstep_dispatch_wire::token::TokenKey;
use doorstep_sim_live::Clock as LiveClock;

use super::DemoArgs;
use super::city::City;

/// Where a kept city remembers its time.
const CLOCK_FILE: &str = "city-clock-ms";
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Everything that serves.
pub(crate) struct Servers {
    gateway: sandbox::Running,
    dispatch: doorstep_dispatch_server::Running,
    control_plane: doorstep_control_plane::Running,
    token_key: TokenKey,
    clock: SharedClock,
}

/// The three values that every clock of the city is made of.
#[derive(Clone, Copy)]
struct SharedClock {
    origin_ms: u64,
    anchor: Instant,
    speedup: u32,
}

impl SharedClock {
    /// Six in the evening of today, or where the clock of a kept city stood.
    fn start(data: &Path, speedup: u32) -> anyhow::Result<Self> {
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
        })
    }

    fn now_ms(&self) -> u64 {
        LiveClock::new(self.origin_ms, self.anchor, self.speedup)
            .now()
            .as_millis()
    }

    /// Lets a later demo on the same folder go on where this one stops: the city's time never goes back.
    fn keep(&self, data: &Path) -> anyhow::Result<()> {
        let path = data.join(CLOCK_FILE);
        std::fs::write(&path, self.now_ms().to_string())
            .with_context(|| format!("cannot write {}", path.display()))
    }
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
        let clock = SharedClock::start(data, args.speedup)?;
        let token_key = TokenKey::generate().context("no randomness for a token key")?;
        let webhook_secret = Secret::new(token_key.to_text().into_bytes());
        let gateway = sandbox::start(SandboxConfig::new(ANY_PORT, webhook_secret.clone()))
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
        config.clock = ControlClock::scaled(clock.origin_ms, clock.anchor, clock.speedup);
        config.city_map = (!args.headless).then(|| city.drawing.clone().into());
        config.public_city_view = true;
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
        LiveClock::new(self.clock.origin_ms, self.clock.anchor, self.clock.speedup)
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
        self.clock.keep(data)
    }
}

async fn start_dispatch(
    city: &City,
    data: &Path,
    token_key: &TokenKey,
    clock: SharedClock,
) -> anyhow::Result<doorstep_dispatch_server::Running> {
    let clock = DispatchClock::scaled(clock.origin_ms, clock.anchor, clock.speedup);
    let mut config = DispatchConfig::new(Arc::clone(&city.router), token_key.clone(), clock);
    config.journal_dir = Some(data.join("journal"));
    doorstep_dispatch_server::start(config)
        .await
        .context("dispatch")
}
