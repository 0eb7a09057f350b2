//! Starts the control plane and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

use crate::app::{App, DriverPicture};
use crate::city::{self, Live, LiveConfig, MapFile};
use crate::config::Config;
use crate::events::Feed;
use crate::http;

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
}

impl Running {
    /// Stops taking requests, ends the streams, and waits for the workers.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Starts serving; returns once the address is bound.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| StartError::Listen {
            address: config.listen,
            source,
        })?;
    let addr = listener.local_addr().map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    let shutdown = CancellationToken::new();
    let dispatch = dispatch_endpoint(&config)?;
    let (pictures, drivers) = watch::channel(Arc::new(DriverPicture::default()));
    let state = Arc::new(App {
        live: live_city(&config, shutdown.clone())?,
        clock: config.clock,
        feed: Feed::default(),
        drivers,
        shutdown: shutdown.clone(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(city::poll_dispatch(
        dispatch,
        config.drivers_poll,
        pictures,
        shutdown.clone(),
    ));
    let orders = state.clone();
    tasks.spawn(city::run(
        state.live.clone(),
        state.feed.clone(),
        state.drivers.clone(),
        move || {
            let orders = orders.clone();
            async move { orders.open_orders(city::ORDERS_MAX).await }
        },
    ));
    let service = http::http_router(state);
    let stopped = shutdown.clone();
    tasks.spawn(async move {
        let serving =
            axum::serve(listener, service).with_graceful_shutdown(stopped.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "http stopped");
        }
    });
    Ok(Running {
        addr,
        shutdown,
        tasks,
    })
}

fn dispatch_endpoint(config: &Config) -> Result<Endpoint, StartError> {
    Endpoint::from_shared(config.dispatch_url.clone()).map_err(|source| StartError::DispatchUrl {
        url: config.dispatch_url.clone(),
        source,
    })
}

fn live_city(config: &Config, shutdown: CancellationToken) -> Result<Live, StartError> {
    let zone = match &config.city_time_zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|source| StartError::TimeZone {
            name: name.clone(),
            source,
        })?,
    };
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
        shutdown,
    }))
}
