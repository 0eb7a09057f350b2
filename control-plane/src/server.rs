//! Starts the control plane and stops it in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use doorstep_web::readiness::Readiness;
use doorstep_web::serve::{Bound, ListenError};
use doorstep_web::tls::{TlsError, client_config};
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::app::{App, AppState, OwnLeases, Wake};
use crate::city::{self, Live, LiveConfig, MapFile};
use crate::config::{Config, LivePolicy, Policy};
use crate::drivers::{self, DriverPicture};
use crate::events::Feed;
use crate::gateway::PaymentGateway;
use crate::gateway::breaker::Breaker;
use crate::gateway::http::HttpGateway;
use crate::health::Component;
use crate::heard::Heard;
use crate::platform::jobs::Supervisor;
use crate::store::{Store, StoreError};
use crate::{dispatch, http, workers};

/// Real time that jobs may take to end once requests have.
const WORKERS_GRACE: Duration = Duration::from_secs(1);
/// Real time that the database may take to close.
const DATABASE_GRACE: Duration = Duration::from_secs(1);

/// Why the control plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The authorities to trust cannot be read.
    #[error(transparent)]
    Trust(#[from] TlsError),
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
    readiness: Readiness,
    grace: Duration,
}

impl Running {
    /// Replaces fees, shares and time-outs for everything that happens from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// Stops taking requests, ends the streams, and waits for requests and workers, but not longer than the shutdown grace
    /// and two seconds: then they are cut. What they had not committed has not happened.
    pub async fn shutdown(mut self) {
        self.readiness.stop();
        self.shutdown.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(self.grace + WORKERS_GRACE, ended).await.is_err() {
            tracing::warn!(open = self.tasks.len(), "tasks are cut at shutdown");
            self.tasks.shutdown().await;
        }
        let closed = async {
            if let Err(error) = self.store.deregister().await {
                tracing::warn!(%error, "the leases of this process wait until it counts as dead");
            }
            self.store.close().await;
        };
        if timeout(DATABASE_GRACE, closed).await.is_err() {
            tracing::warn!("the database did not close in time");
        }
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
    let ca = config.ca.as_deref();
    let store = Store::open(&trusting(&config.database_url, ca)).await?;
    let bound = Bound::to(config.listen).await?;
    let own = config.gateway.webhook_url.clone();
    let (scheme, addr) = (config.serve.scheme(), bound.address());
    let webhook_url = own.unwrap_or_else(|| format!("{scheme}://{addr}/v1/payments/webhook"));
    let trust = client_config(ca)?;
    let gateway = HttpGateway::new(&config.gateway, webhook_url, trust)?;
    gateway.check_reachable().await;
    Ok(serve(config, store, Arc::new(gateway), bound).await?.0)
}

/// The address of the database; PostgreSQL is to trust our own authorities too, unless its address names some.
fn trusting(url: &str, ca: Option<&Path>) -> String {
    match ca {
        Some(ca) if url.starts_with("postgres") && !url.contains("sslrootcert=") => {
            let sign = if url.contains('?') { '&' } else { '?' };
            let path: String = ca.to_string_lossy().bytes().map(escaped).collect();
            format!("{url}{sign}sslrootcert={path}")
        }
        _ => url.to_owned(),
    }
}

/// One byte of a value in a query.
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// Starts all tasks around an open database and any gateway.
pub(crate) async fn serve(
    config: Config,
    store: Store,
    gateway: Arc<dyn PaymentGateway>,
    bound: Bound,
) -> Result<(Running, AppState, Live), StartError> {
    let addr = bound.address();
    let readiness = config.readiness.clone();
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
    let polled = (config.dispatch_url, config.drivers_poll);
    watch_drivers(&state, polled, pictures, &mut tasks);
    watch_city(&state, live.clone(), &mut tasks);
    workers::start(&state, &mut tasks);
    let pages = city::router(state.clone(), live.clone());
    register_checks(&readiness, &store, &state.health);
    let service = http::http_router(state.clone(), pages, readiness.clone(), config.rate_limits);
    let grace = config.serve.limits.shutdown_grace;
    tasks.spawn(bound.serve(service, config.serve, shutdown.clone()));
    Ok((
        Running {
            addr,
            shutdown,
            tasks,
            store,
            policy,
            readiness,
            grace,
        },
        state,
        live,
    ))
}

/// What this server must have to serve: a database that answers, and no fault that stands in its way.
fn register_checks(
    readiness: &Readiness,
    store: &Store,
    health: &doorstep_platform::health::Health,
) {
    for component in [Component::Gateway, Component::Dispatch, Component::Bus] {
        let health = health.clone();
        readiness.note(component.as_str(), move || {
            health.fault(component).map(|fault| fault.why)
        });
    }
    let (store, health) = (store.clone(), health.clone());
    readiness.check("database", move || {
        let store = store.clone();
        async move { store.answers().await.map_err(|error| error.to_string()) }
    });
    readiness.check("faults", move || {
        let faults = health.faults();
        let needed = faults
            .iter()
            .filter(|(component, _)| component.is_needed_to_serve());
        let said: Vec<String> = needed
            .map(|(component, fault)| format!("{}: {}", component.as_str(), fault.why))
            .collect();
        async move {
            if said.is_empty() {
                Ok(())
            } else {
                Err(said.join("; "))
            }
        }
    });
}

/// Keeps the picture of the drivers, asked for at an address every so often.
fn watch_drivers(
    state: &AppState,
    (address, every): (String, Duration),
    pictures: watch::Sender<Arc<DriverPicture>>,
    tasks: &mut JoinSet<()>,
) {
    let supervisor = Supervisor::new(state.health.clone(), state.shutdown.clone());
    let state = state.clone();
    tasks.spawn(supervisor.run("drivers", move || {
        let (dispatch, stop) = (state.dispatch.clone(), state.shutdown.clone());
        drivers::poll_dispatch(dispatch, address.clone(), every, pictures.clone(), stop)
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
    let wrong = |source| StartError::DispatchUrl {
        url: config.dispatch_url.clone(),
        source,
    };
    let endpoint = Endpoint::from_shared(config.dispatch_url.clone()).map_err(wrong)?;
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint);
    }
    let mut tls = ClientTlsConfig::new().with_webpki_roots();
    if let Some(path) = &config.ca {
        let pem = std::fs::read(path).map_err(|source| TlsError::Unreadable {
            path: path.clone(),
            source,
        })?;
        tls = tls.ca_certificate(Certificate::from_pem(pem));
    }
    endpoint.tls_config(tls).map_err(wrong)
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
