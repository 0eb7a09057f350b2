//! Everything that may be set from outside, parsed once at start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use doorstep_dispatch_wire::token::TokenKey;
pub use doorstep_platform::secret::Secret;
use doorstep_web::limits::RateLimits;
use doorstep_web::readiness::Readiness;
use doorstep_web::serve::ServeConfig;

use crate::clock::Clock;
use crate::domain::money::{BasisPoints, Currency};
use crate::events::bus::EventBus;

/// How one control plane runs.
#[derive(Clone)]
pub struct Config {
    /// Where HTTP is served; port 0 takes any free one.
    pub listen: SocketAddr,
    /// `sqlite://FILE` or `postgres://…`.
    pub database_url: String,
    /// The gRPC endpoint of dispatch, such as `http://127.0.0.1:7443`.
    pub dispatch_url: String,
    /// The payment gateway.
    pub gateway: GatewayConfig,
    /// The key that signs bearer tokens.
    pub token_key: TokenKey,
    /// The city's clock.
    pub clock: Clock,
    /// The drawing of the city as JSON, for the page at `/`.
    pub city_map: Option<Bytes>,
    /// Where order events are published.
    pub bus: Arc<dyn EventBus>,
    /// Prices, fees and time-outs.
    pub policy: Policy,
    /// The name of this process among those on its database, the same after a restart: then it takes its own leases up at
    /// once. Without one: the host's name and the address that is listened on; `sqlite` with `SQLite`, which has one process.
    pub instance: Option<String>,
    /// When a process counts as dead.
    pub leases: Leases,
    /// How long rows are kept that only serve for a time.
    pub retention: Retention,
    /// Real time between two looks at the drivers' positions; longer saves work, shorter moves smoother.
    pub drivers_poll: Duration,
    /// Opens the city view to everybody who can reach it instead of to holders of an admin token; to look, not to act.
    pub public_city_view: bool,
    /// Lets assignments by hand on the city view, and looks at what they would change, go without a token if the request is
    /// addressed to a loopback name. Only for a listener that nobody else can reach.
    pub public_assignments: bool,
    /// How HTTP is served.
    pub serve: ServeConfig,
    /// What one address and one principal may ask for.
    pub rate_limits: RateLimits,
    /// Authorities that our clients of the gateway, of dispatch and of PostgreSQL trust beside the public ones, as a PEM file.
    pub ca: Option<PathBuf>,
    /// Where the checks of this server are registered.
    pub readiness: Readiness,
    /// The zone of the times on the city view, such as `Europe/Malta`; UTC when none is named.
    pub city_time_zone: Option<String>,
}

impl Config {
    /// The defaults around what has none.
    #[must_use]
    pub fn new(
        listen: SocketAddr,
        database_url: String,
        dispatch_url: String,
        gateway: GatewayConfig,
        token_key: TokenKey,
        bus: Arc<dyn EventBus>,
    ) -> Self {
        Self {
            listen,
            database_url,
            dispatch_url,
            gateway,
            token_key,
            clock: Clock::system(),
            city_map: None,
            bus,
            policy: Policy::default(),
            instance: None,
            leases: Leases::default(),
            retention: Retention::default(),
            drivers_poll: Duration::from_millis(500),
            public_city_view: false,
            public_assignments: false,
            serve: ServeConfig::new("public"),
            rate_limits: RateLimits::default(),
            ca: None,
            readiness: Readiness::default(),
            city_time_zone: None,
        }
    }
}

/// Where the payment gateway is and what we share with it.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Base address, such as `http://127.0.0.1:8090`.
    pub url: String,
    /// The secret that signs its webhooks.
    pub secret: Secret,
    /// Real time before a call counts as unanswered and its outcome as unknown.
    pub timeout: Duration,
    /// Where it sends its webhooks; the address HTTP is served on when none is named.
    pub webhook_url: Option<String>,
}

impl GatewayConfig {
    /// A gateway with the usual time-out of five seconds.
    #[must_use]
    pub fn new(url: String, secret: Secret) -> Self {
        Self {
            url,
            secret,
            timeout: Duration::from_secs(5),
            webhook_url: None,
        }
    }
}

/// When a process counts as dead and another one takes over the messages and payments it was working on. Real time.
#[derive(Clone, Copy, Debug)]
pub struct Leases {
    /// How often a process says that it runs.
    pub beat: Duration,
    /// Raising it tolerates longer pauses of a process; its leases wait that long after it has died.
    pub dead_after: Duration,
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(1),
            dead_after: Duration::from_secs(8),
        }
    }
}

/// How long rows are kept that only serve for a time. Real time; raising one costs disk.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Quotes after they have expired.
    pub quotes: Duration,
    /// Idempotency keys: a request that is repeated later counts as a new one.
    pub idempotency_keys: Duration,
    /// Ids of events that have had their effect: a webhook that is repeated later is looked into once more.
    pub inbox: Duration,
    /// The journal of changes: a process that could not read it for longer misses some on its live streams.
    pub changes: Duration,
    /// Between two looks for old rows.
    pub every: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |d: u64| Duration::from_secs(d * 86_400);
        Self {
            quotes: days(7),
            idempotency_keys: days(30),
            inbox: days(90),
            changes: Duration::from_secs(3_600),
            every: Duration::from_secs(60),
        }
    }
}

/// Prices, fees and time-outs. Durations are of the city's clock.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The one currency of this deployment.
    pub currency: Currency,
    /// Delivery fee up to `included_m`.
    pub base_fee_minor: i64,
    /// Metres that the base fee covers.
    pub included_m: u64,
    /// Fee for each started kilometre beyond.
    pub per_km_minor: i64,
    /// What the platform keeps of the items; the restaurant gets the rest.
    pub commission: BasisPoints,
    /// What the driver gets of the delivery fee; the platform keeps the rest.
    pub driver_share: BasisPoints,
    /// How long a quote holds.
    pub quote_timeout: Duration,
    /// How long a payment may stay open before the order expires.
    pub payment_timeout: Duration,
    /// How long a restaurant may take to accept before the order expires.
    pub accept_timeout: Duration,
    /// How long an accepted order may take until it is picked up before it is cancelled.
    pub pickup_timeout: Duration,
    /// How long a picked-up order may take until it is dropped off before it counts as lost.
    pub dropoff_timeout: Duration,
    /// Preparation time assumed when the restaurant names none.
    pub preparation: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Self {
            currency: Currency::EUR,
            base_fee_minor: 190,
            included_m: 1_000,
            per_km_minor: 60,
            commission: BasisPoints::new(1_500),
            driver_share: BasisPoints::new(8_000),
            quote_timeout: minutes(15),
            payment_timeout: minutes(15),
            accept_timeout: minutes(10),
            pickup_timeout: minutes(90),
            dropoff_timeout: minutes(180),
            preparation: minutes(12),
        }
    }
}

/// The policy in force, which a reload may replace while the server runs.
#[derive(Clone, Debug)]
pub struct LivePolicy(Arc<RwLock<Arc<Policy>>>);

impl LivePolicy {
    /// Starts with a policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(policy))))
    }

    /// What holds now. A request that needs several values takes them from one call.
    #[must_use]
    pub fn now(&self) -> Arc<Policy> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&held)
    }

    /// Replaces it for everything that happens from now on; quotes and orders keep what they were made with.
    pub fn set(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}
