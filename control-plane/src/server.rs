//! Starts the control plane and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, DriverPicture};
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
    let (_pictures, drivers) = watch::channel(Arc::new(DriverPicture::default()));
    let state = Arc::new(App {
        clock: config.clock,
        feed: Feed::default(),
        drivers,
        city_map: config.city_map,
        shutdown: shutdown.clone(),
    });
    let mut tasks = JoinSet::new();
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
