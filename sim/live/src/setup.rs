//! Before the first order: restaurants opened, customers registered, a socket for the drivers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use doorstep_dispatch_wire::token::{Audience, Claims};
use doorstep_driver_client::{EndpointError, client_endpoint};
use doorstep_sim::actors::RestaurantActor;
use futures::{StreamExt, TryStreamExt};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::api::{Api, ApiError};
use crate::city::{Kitchen, LiveCity, Opened};
use crate::config::LiveConfig;
use crate::report::LiveReport;

/// Requests under way.
const PARALLEL: usize = 8;
/// Customers registered; they take turns ordering.
const CUSTOMERS_MAX: usize = 200;

/// Why a live run could not start.
#[derive(Debug, Error)]
pub enum LiveError {
    /// The control plane refused or did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No socket for the drivers, or a certificate that cannot be trusted.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Opens the restaurants, lets the people live until the shutdown, and tells what they did.
///
/// # Errors
/// When the restaurants cannot be opened, or the drivers have no socket. What goes wrong later is counted in the report.
pub async fn run(config: LiveConfig, shutdown: CancellationToken) -> Result<LiveReport, LiveError> {
    let api = Api::new(&config.control_plane_url, config.request_timeout)?;
    let any_port = match config.quic_addr.ip() {
        IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let endpoint = client_endpoint(any_port, &[&config.certificate_der])?;
    let kitchens = open_kitchens(&api, &config).await?;
    let customer_tokens = register_customers(&api, &config).await?;
    let opened = Opened {
        api,
        endpoint: endpoint.clone(),
        kitchens,
        customer_tokens,
    };
    let report = LiveCity::new(config, opened).live(shutdown).await;
    endpoint.close(0_u32.into(), b"the run has ended");
    Ok(report)
}

pub(crate) fn admin_token(config: &LiveConfig) -> String {
    let subject = "sim-live".to_owned();
    config.token_key.sign(&Claims {
        audience: Audience::Admin,
        subject,
        expires_at_ms: u64::MAX,
    })
}

async fn open_kitchens(api: &Api, config: &LiveConfig) -> Result<Vec<Kitchen>, ApiError> {
    let admin = admin_token(config);
    let settings = &config.scenario.restaurants;
    let requests: Vec<_> = config
        .world
        .restaurants()
        .iter()
        .map(|restaurant| api.open_restaurant(&admin, restaurant))
        .collect();
    futures::stream::iter(requests)
        .buffered(PARALLEL)
        .map_ok(|(registered, items)| Kitchen {
            actor: RestaurantActor::new(settings.clone(), config.world.seed()),
            id: registered.restaurant_id,
            token: registered.token.into(),
            items,
        })
        .try_collect()
        .await
}

async fn register_customers(api: &Api, config: &LiveConfig) -> Result<Vec<Arc<str>>, ApiError> {
    let count = config.world.customers().len().clamp(1, CUSTOMERS_MAX);
    futures::stream::iter(0..count)
        .map(|number| async move { api.register_customer(&format!("Customer {number}")).await })
        .buffered(PARALLEL)
        .map_ok(|registered| Arc::from(registered.token))
        .try_collect()
        .await
}
