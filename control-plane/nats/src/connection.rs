//! The connection to the broker: made at the start or later in the background, and what is known of it.

use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};

use crate::{JetStreamConfig, OpenError};

/// The longest time the start waits for the broker; then it goes on without it.
const START_WAIT: Duration = Duration::from_secs(2);
/// The longest pause before the broker is called again.
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// What is known of the connection.
#[derive(Debug)]
pub(crate) struct Link {
    /// Where the broker is, without user and password.
    pub(crate) address: String,
    /// Whether the stream was seen with all its subjects since the last connection.
    is_open: AtomicBool,
    /// Why the last attempt to connect failed; none while connected.
    failure: Mutex<Option<String>>,
}

impl Link {
    pub(crate) fn to(url: &str) -> Self {
        Self {
            address: without_password(url),
            is_open: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    pub(crate) fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Release);
    }

    /// Why there is no connection, as far as it is known.
    pub(crate) fn failure(&self) -> Option<String> {
        let failure = self.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps why an attempt failed; answers whether that is news.
    fn set_failure(&self, now: Option<String>) -> bool {
        let failure = self.failure.lock();
        let mut failure = failure.unwrap_or_else(PoisonError::into_inner);
        let is_news = *failure != now;
        *failure = now;
        is_news
    }
}

/// Connects now, or in the background when nobody answers at the address.
pub(crate) async fn connect(
    config: &JetStreamConfig,
    link: &Arc<Link>,
) -> Result<Client, OpenError> {
    let failed = |source| OpenError::Connect {
        address: link.address.clone(),
        source,
    };
    let at_once = options(config, link).connection_timeout(START_WAIT);
    match at_once.connect(&config.url).await {
        Ok(client) => return Ok(client),
        // TLS that fails at the start is set up wrongly: it does not heal by itself.
        Err(error) if is_refused_by_tls(&error) => return Err(failed(error)),
        Err(error) => match error.kind() {
            ConnectErrorKind::Dns | ConnectErrorKind::TimedOut | ConnectErrorKind::Io => {
                tracing::warn!(
                    address = link.address,
                    %error,
                    "NATS does not answer: orders are taken as usual, events wait in the outbox, it is called again every second"
                );
                link.set_failure(Some(error.to_string()));
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Authentication
            | ConnectErrorKind::AuthorizationViolation
            | ConnectErrorKind::Tls
            | ConnectErrorKind::MaxReconnects => return Err(failed(error)),
        },
    }
    let in_background = options(config, link).retry_on_initial_connect();
    in_background.connect(&config.url).await.map_err(failed)
}

/// Whether TLS itself gave up, for instance over a certificate that is not accepted: no matter of sockets.
fn is_refused_by_tls(error: &async_nats::ConnectError) -> bool {
    let source = error.source().and_then(<dyn Error>::downcast_ref);
    source
        .and_then(io::Error::get_ref)
        .is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
}

fn options(config: &JetStreamConfig, link: &Arc<Link>) -> ConnectOptions {
    let connected = metrics::gauge!("doorstep_bus_connected");
    let losses = metrics::counter!("doorstep_bus_disconnects_total");
    let mut options = ConnectOptions::new().require_tls(config.url.starts_with("tls:"));
    if let Some(trust) = config.trust.clone() {
        options = options.tls_client_config(trust);
    }
    let (told, failing) = (link.clone(), link.clone());
    options
        .name("doorstep control plane")
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let attempts = u64::try_from(attempts).unwrap_or(u64::MAX);
            Duration::from_millis(attempts.saturating_mul(100)).min(RECONNECT_MAX)
        })
        // It chooses no server; here alone the client says why the last attempt failed.
        .reconnect_to_server_callback(move |servers, _| {
            let why = servers.into_iter().find_map(|server| server.last_error);
            if let Some(why) = why
                && failing.set_failure(Some(why.clone()))
            {
                tracing::warn!(address = failing.address, why, "NATS cannot be reached");
            }
            async { None }
        })
        .event_callback(move |event| {
            let address = told.address.as_str();
            // Whatever happened to the connection, the stream is looked at again before the next message.
            told.set_open(false);
            match &event {
                Event::Connected => {
                    connected.set(1.0);
                    told.set_failure(None);
                    tracing::info!(address, "connected to NATS");
                }
                Event::Disconnected => {
                    connected.set(0.0);
                    losses.increment(1);
                    tracing::warn!(
                        address,
                        "the connection to NATS is lost: events wait in the outbox"
                    );
                }
                Event::LameDuckMode
                | Event::Draining
                | Event::Closed
                | Event::SlowConsumer(_)
                | Event::ServerError(_)
                | Event::ClientError(_) => tracing::warn!(address, %event, "NATS"),
            }
            async {}
        })
}

/// An address fit for a log.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_stay_out_of_errors() {
        assert_eq!(
            without_password("nats://ann:s3cret@host:4222"),
            "nats://host:4222"
        );
        assert_eq!(without_password("ann:p@ss@host"), "host");
        assert_eq!(without_password("nats://host:4222"), "nats://host:4222");
    }
}
