//! The gRPC service that the control plane calls: every call becomes a command to the shard.

use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use doorstep_dispatch_core::{DriverId, Input, Time};
use doorstep_dispatch_wire::dispatch::dispatch_server::Dispatch;
use doorstep_dispatch_wire::dispatch::{
    AssignDeliveryRequest, AssignDeliveryResponse, CancelDeliveryRequest, CancelDeliveryResponse,
    ChangeReadyTimeRequest, ChangeReadyTimeResponse, DeliveriesHeadRequest, DeliveriesHeadResponse,
    DeliveryEvent, DriversRequest, DriversResponse, ExplainRequest, ExplainResponse,
    PreviewAssignmentRequest, PreviewAssignmentResponse, QuoteRequest, QuoteResponse,
    RequestDeliveryRequest, RequestDeliveryResponse, StatusRequest, StatusResponse, TripRequest,
    TripResponse, WatchDeliveriesRequest,
};
use doorstep_dispatch_wire::token::{Audience, TokenKey};
use futures::{Stream, stream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tonic::service::Interceptor;
use tonic::{Request, Response, Status};

use crate::clock::Clock;
use crate::convert::{self, dispatch_position};
use crate::drivers::SharedPicture;
use crate::event_log::{CursorError, EventLog};
use crate::explain::explanation;
use crate::preview::previewed;
use crate::requests::{self, Requests};
use crate::routes::Routes;
use crate::shard::ShardCommand;

/// Events read from the log at a time for one watcher.
const WATCH_BATCH_MAX: usize = 256;

/// Places of one trip: two ends, and what a plan of stops may hold.
const TRIP_PLACES: RangeInclusive<usize> = 2..=32;

/// The service.
pub(crate) struct Rpc {
    pub(crate) commands: mpsc::Sender<ShardCommand>,
    pub(crate) command_timeout: Duration,
    pub(crate) events: Arc<EventLog>,
    /// For log lines about deliveries.
    pub(crate) requests: Arc<Requests>,
    /// The journal's disk is full: the shard waits for room.
    pub(crate) is_stalled: Arc<AtomicBool>,
    pub(crate) picture: SharedPicture,
    pub(crate) routes: Arc<Routes>,
    pub(crate) stop: CancellationToken,
}

impl Rpc {
    /// Puts a command into the shard's queue and waits for the answer.
    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> ShardCommand,
    ) -> Result<T, Status> {
        if self.is_stalled.load(Ordering::Relaxed) {
            return Err(stalled());
        }
        let (reply, answer) = oneshot::channel();
        match self
            .commands
            .send_timeout(command(reply), self.command_timeout)
            .await
        {
            Ok(()) => answer.await.map_err(|_| {
                if self.is_stalled.load(Ordering::Relaxed) {
                    stalled()
                } else {
                    stopped()
                }
            }),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Status::unavailable(format!(
                "the shard is busy for more than {:?}",
                self.command_timeout
            ))),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(stopped()),
        }
    }

    async fn handle(&self, input: Input) -> Result<doorstep_dispatch_core::Handled, Status> {
        let result = self
            .ask(|reply| ShardCommand::FromCaller { input, reply })
            .await?;
        result.map_err(|rejection| convert::rejection_status(&rejection))
    }
}

fn stalled() -> Status {
    Status::unavailable("the disk of the journal is full: nothing is accepted until there is room")
}

fn stopped() -> Status {
    Status::unavailable("the server is shutting down")
}

/// What a watcher reads.
type EventStream = Pin<Box<dyn Stream<Item = Result<DeliveryEvent, Status>> + Send>>;

#[tonic::async_trait]
impl Dispatch for Rpc {
    async fn request_delivery(
        &self,
        request: Request<RequestDeliveryRequest>,
    ) -> Result<Response<RequestDeliveryResponse>, Status> {
        let id = request.metadata().get("x-request-id");
        let id = requests::id_of(id.and_then(|id| id.to_str().ok()));
        let request = request.into_inner();
        let text = request.delivery_id.clone();
        let request = convert::delivery_request(request)?;
        let delivery = request.delivery;
        // Before the shard has it: an offer may be on its way when the answer comes.
        let is_noted = id.is_some_and(|id| self.requests.note(delivery, &id));
        let handled = self.handle(Input::RequestDelivery(request)).await;
        if is_noted && handled.is_err() {
            self.requests.forget(delivery);
        }
        let created = handled? == doorstep_dispatch_core::Handled::Done;
        tracing::info!(delivery = text, created, "delivery requested");
        Ok(Response::new(RequestDeliveryResponse { created }))
    }

    async fn change_ready_time(
        &self,
        request: Request<ChangeReadyTimeRequest>,
    ) -> Result<Response<ChangeReadyTimeResponse>, Status> {
        let request = request.into_inner();
        let delivery = convert::delivery_id(&request.delivery_id)?;
        let ready_at = Time::from_millis(request.ready_at_ms);
        self.handle(Input::ReadyTimeChanged { delivery, ready_at })
            .await?;
        Ok(Response::new(ChangeReadyTimeResponse {}))
    }

    async fn cancel_delivery(
        &self,
        request: Request<CancelDeliveryRequest>,
    ) -> Result<Response<CancelDeliveryResponse>, Status> {
        let request = request.into_inner();
        let delivery = convert::delivery_id(&request.delivery_id)?;
        tracing::info!(delivery = %request.delivery_id, reason = ?request.reason.chars().take(200).collect::<String>(), "cancel");
        self.handle(Input::CancelDelivery { delivery }).await?;
        Ok(Response::new(CancelDeliveryResponse {}))
    }

    async fn quote(
        &self,
        request: Request<QuoteRequest>,
    ) -> Result<Response<QuoteResponse>, Status> {
        let request = request.into_inner();
        let pickup = dispatch_position("pickup", request.pickup)?;
        let dropoff = dispatch_position("dropoff", request.dropoff)?;
        let quote = self
            .ask(|reply| ShardCommand::Quote {
                pickup,
                dropoff,
                reply,
            })
            .await?;
        let routes = Arc::clone(&self.routes);
        let route = tokio::task::spawn_blocking(move || routes.route(pickup, dropoff)).await;
        let route = route
            .map_err(|error| Status::internal(error.to_string()))?
            .map_err(|error| convert::route_status(&error))?;
        Ok(Response::new(QuoteResponse {
            travel_time_ms: u64::from(route.travel_time.as_millis()),
            distance_m: route.distance.as_millimetres().div_ceil(1_000),
            pickup_eta_ms: quote.pickup_eta.map(Time::as_millis),
            drivers_considered: u32::try_from(quote.drivers_considered).unwrap_or(u32::MAX),
        }))
    }

    type WatchDeliveriesStream = EventStream;

    async fn watch_deliveries(
        &self,
        request: Request<WatchDeliveriesRequest>,
    ) -> Result<Response<Self::WatchDeliveriesStream>, Status> {
        let WatchDeliveriesRequest { after, stream } = request.into_inner();
        self.events
            .check_stream(after, &stream)
            .map_err(|error| cursor_status(&error))?;
        let watcher = Watcher {
            changes: self.events.changes(),
            events: Arc::clone(&self.events),
            after,
            batch: Vec::new(),
            stop: self.stop.clone(),
            ended: false,
        };
        let events = stream::unfold(watcher, |mut watcher| async {
            watcher.next().await.map(|event| (event, watcher))
        });
        Ok(Response::new(Box::pin(events)))
    }

    async fn deliveries_head(
        &self,
        _: Request<DeliveriesHeadRequest>,
    ) -> Result<Response<DeliveriesHeadResponse>, Status> {
        Ok(Response::new(DeliveriesHeadResponse {
            cursor: self.events.head(),
            stream: self.events.stream().to_owned(),
        }))
    }

    async fn drivers(
        &self,
        request: Request<DriversRequest>,
    ) -> Result<Response<DriversResponse>, Status> {
        let request = request.into_inner();
        let region = match (request.south_west, request.north_east) {
            (None, None) => None,
            (south_west, north_east) => Some((
                dispatch_position("south_west", south_west)?,
                dispatch_position("north_east", north_east)?,
            )),
        };
        let ask = async || self.ask(|reply| ShardCommand::Drivers { reply }).await;
        let mut response = self.picture.drivers(region, ask).await?;
        response.vehicle = self.routes.profile().to_string();
        Ok(Response::new(response))
    }

    async fn explain(
        &self,
        request: Request<ExplainRequest>,
    ) -> Result<Response<ExplainResponse>, Status> {
        let delivery = convert::delivery_id(&request.into_inner().delivery_id)?;
        let decisions = self
            .ask(|reply| ShardCommand::Explain { delivery, reply })
            .await?;
        let unknown = || Status::not_found(format!("{delivery} is not known"));
        let decisions = decisions.ok_or_else(unknown)?;
        Ok(Response::new(explanation(&decisions)))
    }

    async fn preview_assignment(
        &self,
        request: Request<PreviewAssignmentRequest>,
    ) -> Result<Response<PreviewAssignmentResponse>, Status> {
        let request = request.into_inner();
        let delivery = convert::delivery_id(&request.delivery_id)?;
        let driver = DriverId(request.driver_id);
        let answer = self
            .ask(|reply| ShardCommand::PreviewAssignment {
                delivery,
                driver,
                reply,
            })
            .await?;
        match answer {
            Ok((now, preview)) => Ok(Response::new(previewed(now, &preview))),
            Err(rejection) => Err(convert::rejection_status(&rejection)),
        }
    }

    async fn assign_delivery(
        &self,
        request: Request<AssignDeliveryRequest>,
    ) -> Result<Response<AssignDeliveryResponse>, Status> {
        let request = request.into_inner();
        let delivery = convert::delivery_id(&request.delivery_id)?;
        let driver = DriverId(request.driver_id);
        tracing::info!(delivery = %request.delivery_id, %driver, reason = ?request.reason.chars().take(200).collect::<String>(), "manual assignment");
        let handled = self
            .handle(Input::AssignDelivery { delivery, driver })
            .await?;
        let changed = handled == doorstep_dispatch_core::Handled::Done;
        let by_hand = changed
            || self
                .ask(|reply| ShardCommand::IsByHand {
                    delivery,
                    driver,
                    reply,
                })
                .await?;
        Ok(Response::new(AssignDeliveryResponse { changed, by_hand }))
    }

    async fn trip(&self, request: Request<TripRequest>) -> Result<Response<TripResponse>, Status> {
        let through = request.into_inner().through;
        if !TRIP_PLACES.contains(&through.len()) {
            return Err(Status::invalid_argument(format!(
                "through: {} places, expected {} to {}",
                through.len(),
                TRIP_PLACES.start(),
                TRIP_PLACES.end()
            )));
        }
        let through = through
            .into_iter()
            .map(|at| dispatch_position("through", Some(at)))
            .collect::<Result<Vec<_>, _>>()?;
        let routes = Arc::clone(&self.routes);
        let legs = tokio::task::spawn_blocking(move || {
            let legs = through.windows(2);
            legs.map(|pair| routes.route(pair[0], pair[1])).collect()
        });
        let legs: Result<Vec<_>, _> = legs
            .await
            .map_err(|error| Status::internal(error.to_string()))?;
        let legs = legs.map_err(|error| convert::route_status(&error))?;
        Ok(Response::new(TripResponse {
            legs: legs.iter().map(convert::trip_leg).collect(),
        }))
    }

    async fn status(
        &self,
        _request: Request<StatusRequest>,
    ) -> Result<Response<StatusResponse>, Status> {
        self.ask(|reply| ShardCommand::Status { reply })
            .await
            .map(Response::new)
    }
}

/// One open `WatchDeliveries` call. It pulls from the log as fast as its reader reads; nothing waits for it.
struct Watcher {
    events: Arc<EventLog>,
    changes: watch::Receiver<u64>,
    after: u64,
    /// Read from the log and not handed on, newest first.
    batch: Vec<DeliveryEvent>,
    stop: CancellationToken,
    ended: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<Result<DeliveryEvent, Status>> {
        while !self.ended {
            if let Some(event) = self.batch.pop() {
                self.after = event.cursor;
                return Some(Ok(event));
            }
            self.changes.mark_unchanged();
            if let Err(error) = self
                .events
                .read_after(self.after, WATCH_BATCH_MAX, &mut self.batch)
            {
                self.ended = true;
                return Some(Err(cursor_status(&error)));
            }
            self.batch.reverse();
            if self.batch.is_empty() {
                tokio::select! {
                    // The log lives as long as this watcher: changes only end with both.
                    _ = self.changes.changed() => {}
                    () = self.stop.cancelled() => {
                        self.ended = true;
                        return Some(Err(stopped()));
                    }
                }
            }
        }
        None
    }
}

fn cursor_status(error: &CursorError) -> Status {
    Status::out_of_range(error.to_string())
}

/// Lets calls through that carry an admin token, or all if there is no key.
#[derive(Clone)]
pub(crate) struct AdminOnly {
    key: Option<TokenKey>,
    clock: Clock,
}

impl AdminOnly {
    pub(crate) const fn new(key: Option<TokenKey>, clock: Clock) -> Self {
        Self { key, clock }
    }
}

impl Interceptor for AdminOnly {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(key) = &self.key else {
            return Ok(request);
        };
        let header = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| {
            Status::unauthenticated("an admin token is needed: authorization: Bearer …")
        })?;
        match key.verify(token, Audience::Admin, self.clock.now().as_millis()) {
            Ok(_) => Ok(request),
            Err(error) => Err(Status::unauthenticated(error.to_string())),
        }
    }
}
