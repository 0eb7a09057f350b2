//! How we call dispatch: with an admin token of our own on every call.

use std::time::Duration;

use doorstep_dispatch_wire::dispatch::LatLng;
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_platform::problem::current_request;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::clock::Clock;
use crate::domain::place::Place;

/// The client of dispatch.
pub(crate) type Dispatch = DispatchClient<InterceptedService<Channel, Signed>>;

/// Real time a call may take; streams only have to begin within it.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the token of one call is good, real time.
const TOKEN_LIFE: Duration = Duration::from_secs(300);

/// Puts a fresh token on each call.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    token_key: TokenKey,
    clock: Clock,
}

/// A client that connects when it is first used, and again after a break.
pub(crate) fn client(endpoint: &Endpoint, token_key: &TokenKey, clock: &Clock) -> Dispatch {
    let channel = endpoint
        .clone()
        .connect_timeout(CALL_TIMEOUT)
        .connect_lazy();
    let signed = Signed {
        token_key: token_key.clone(),
        clock: clock.clone(),
    };
    DispatchClient::with_interceptor(channel, signed)
}

impl Interceptor for Signed {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let expires_at_ms = u64::try_from(self.clock.after_real_ms(TOKEN_LIFE)).unwrap_or(u64::MAX);
        let token = self.token_key.sign(&Claims {
            audience: Audience::Admin,
            subject: "control-plane".to_owned(),
            expires_at_ms,
        });
        let value = MetadataValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Status::internal("the token is no header value"))?;
        request.metadata_mut().insert("authorization", value);
        // Ids are letters, digits and hyphens; one that is not goes without.
        let id = current_request().and_then(|id| MetadataValue::try_from(id).ok());
        if let Some(id) = id {
            request.metadata_mut().insert("x-request-id", id);
        }
        Ok(request)
    }
}

/// A request that is given up when it is not answered in time.
pub(crate) fn in_time<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}

/// A place on the wire.
pub(crate) fn lat_lng(place: Place) -> LatLng {
    LatLng {
        lat_e7: place.lat_e7,
        lng_e7: place.lng_e7,
    }
}
