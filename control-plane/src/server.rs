//! Starts the control plane and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

use crate::app::{App, AppState, OwnLeases, Wake};
use crate::city::{self, Live, LiveConfig, MapFile};
use crate::config::{Config, LivePolicy, Policy};
use crate::drivers::{self, DriverPicture};
use crate::events::Feed;
use crate::gateway::PaymentGateway;
use crate::gateway::breaker::Breaker;
use crate::gateway::http::HttpGateway;
use crate::heard::Heard;
use crate::platform::jobs::Supervisor;
use crate::store::{Store, StoreError};
use crate::{dispatch, http, workers};

/// Why the control plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The time zone is not one of the tz database.
    #[error("the city's time zone {name} is not known: {source}")]
    TimeZone {
        /// The name asked for.
        name: String,
        /// What is wrong with it.
        source: jiff::Error,
    },
    /// The drawing of the city is not one.
    #[error("the drawing of the city is not JSON with an attribution: {0}")]
    CityMap(std::io::Error),
    /// The database cannot be opened or migrated.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The client of the payment gateway cannot be made.
    #[error("the payment gateway: {0}")]
    Gateway(#[from] reqwest::Error),
    /// The address of dispatch is not one.
    #[error("{url} is no address of dispatch: {source}")]
    DispatchUrl {
        /// The address asked for.
        url: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
}

/// A control plane that serves.
#[derive(Debug)]
pub struct Running {
    /// The address HTTP is served on.
    pub addr: SocketAddr,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    store: Store,
    policy: LivePolicy,
}

impl Running {
    /// Replaces fees, shares and time-outs for everything that happens from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// Stops taking requests, ends the streams, and waits for the workers.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
        if let Err(error) = self.store.deregister().await {
            tracing::warn!(%error, "the leases of this process wait until it counts as dead");
        }
        self.store.close().await;
    }
}

#[cfg(test)]
impl Running {
    /// Stops everything where it is, as `kill -9` does.
    pub(crate) async fn kill(mut self) {
        self.tasks.shutdown().await;
        self.store.close().await;
    }
}

/// Starts serving; returns once the database is migrated and the address is bound.
///
/// # Errors
/// When the database cannot be opened, an address is not one, or the one to listen on is taken.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let store = Store::open(&config.database_url).await?;
    let (listener, addr) = listen(config.listen).await?;
    let own = config.gateway.webhook_url.clone();
    let webhook_url = own.unwrap_or_else(|| format!("http://{addr}/v1/payments/webhook"));
    let gateway = Arc::new(HttpGateway::new(&config.gateway, webhook_url)?);
    Ok(serve(config, store, gateway, listener, addr).await?.0)
}

/// Binds the address.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// Starts all tasks around an open database and any gateway.
pub(crate) async fn serve(
    config: Config,
    store: Store,
    gateway: Arc<dyn PaymentGateway>,
    listener: TcpListener,
    addr: SocketAddr,
) -> Result<(Running, AppState, Live), StartError> {
    let shutdown = CancellationToken::new();
    let policy = LivePolicy::new(config.policy.clone());
    let dispatch = dispatch::client(
        &dispatch_endpoint(&config)?,
        &config.token_key,
        &config.clock,
    );
    let instance = config
        .instance
        .clone()
        .unwrap_or_else(|| store.default_instance(addr));
    let freed = store.register(&instance, config.clock.now_ms()).await?;
    workers::leases::note_freed(freed, "of this process before its restart");
    // Asked before anybody listens, so that no change of another process falls between.
    let position = store.change_position().await?;
    let (pictures, drivers) = watch::channel(Arc::new(DriverPicture::default()));
    let zone = time_zone(&config)?;
    let live = live_city(&config, zone.clone(), shutdown.clone())?;
    let state = AppState::new(App {
        clock: config.clock,
        zone,
        store: store.clone(),
        policy: policy.clone(),
        token_key: config.token_key,
        gateway: Arc::new(Breaker::new(gateway, store.health().clone())),
        gateway_secret: config.gateway.secret,
        dispatch,
        bus: config.bus,
        feed: Feed::default(),
        drivers,
        heard: Heard::default(),
        wake: Wake::default(),
        health: store.health().clone(),
        leases: OwnLeases::new(instance, config.leases),
        retention: config.retention,
        changes_read: AtomicI64::new(position),
        shutdown: shutdown.clone(),
    });
    let mut tasks = JoinSet::new();
    let every = config.drivers_poll;
    watch_drivers(&state, every, pictures, &mut tasks);
    watch_city(&state, live.clone(), &mut tasks);
    workers::start(&state, &mut tasks);
    let pages = city::router(state.clone(), live.clone());
    let service = http::http_router(state.clone(), pages);
    let stopped = shutdown.clone();
    tasks.spawn(async move {
        let serving =
            axum::serve(listener, service).with_graceful_shutdown(stopped.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "http stopped");
        }
    });
    Ok((
        Running {
            addr,
            shutdown,
            tasks,
            store,
            policy,
        },
        state,
        live,
    ))
}

/// Keeps the picture of the drivers.
fn watch_drivers(
    state: &AppState,
    every: Duration,
    pictures: watch::Sender<Arc<DriverPicture>>,
    tasks: &mut JoinSet<()>,
) {
    let supervisor = Supervisor::new(state.health.clone(), state.shutdown.clone());
    let state = state.clone();
    tasks.spawn(supervisor.run("drivers", move || {
        let (dispatch, stop) = (state.dispatch.clone(), state.shutdown.clone());
        drivers::poll_dispatch(dispatch, every, pictures.clone(), stop)
    }));
}

/// Keeps the city view's picture.
fn watch_city(state: &AppState, live: Live, tasks: &mut JoinSet<()>) {
    let supervisor = Supervisor::new(state.health.clone(), state.shutdown.clone());
    let state = state.clone();
    tasks.spawn(supervisor.run("city", move || {
        let state = state.clone();
        let (feed, drivers) = (state.feed.clone(), state.drivers.clone());
        let open_orders = move || {
            let state = state.clone();
            async move { state.open_orders(city::ORDERS_MAX).await }
        };
        city::run(live.clone(), feed, drivers, open_orders)
    }));
}

fn dispatch_endpoint(config: &Config) -> Result<Endpoint, StartError> {
    Endpoint::from_shared(config.dispatch_url.clone()).map_err(|source| StartError::DispatchUrl {
        url: config.dispatch_url.clone(),
        source,
    })
}

fn time_zone(config: &Config) -> Result<TimeZone, StartError> {
    match &config.city_time_zone {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|source| StartError::TimeZone {
            name: name.clone(),
            source,
        }),
    }
}

fn live_city(
    config: &Config,
    zone: TimeZone,
    shutdown: CancellationToken,
) -> Result<Live, StartError> {
    let map = config
        .city_map
        .clone()
        .map(MapFile::prepare)
        .transpose()
        .map_err(StartError::CityMap)?;
    Ok(Live::new(LiveConfig {
        clock: config.clock.clone(),
        zone,
        map,
        token_key: config.token_key.clone(),
        public: config.public_city_view,
        public_assignments: config.public_assignments,
        shutdown,
    }))
}
