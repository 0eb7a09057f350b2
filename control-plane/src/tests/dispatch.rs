//! A dispatch that does what the test says, over real gRPC.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorstep_dispatch_wire::dispatch::dispatch_server::{Dispatch, DispatchServer};
use doorstep_dispatch_wire::dispatch::{
    AssignDeliveryRequest, AssignDeliveryResponse, CancelDeliveryRequest, CancelDeliveryResponse,
    ChangeReadyTimeRequest, ChangeReadyTimeResponse, Decision, DeliveriesHeadRequest,
    DeliveriesHeadResponse, DeliveryEvent, DeliveryState, Driver, DriversRequest, DriversResponse,
    EtaBand, ExplainRequest, ExplainResponse, LatLng, PreviewAssignmentRequest,
    PreviewAssignmentResponse, QuoteRequest, QuoteResponse, RequestDeliveryRequest,
    RequestDeliveryResponse, StatusRequest, StatusResponse, Stop, StopKind, TripLeg, TripRequest,
    TripResponse, WatchDeliveriesRequest,
};
use futures::Stream;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};

use crate::domain::ids::OrderId;

#[derive(Default)]
pub(crate) struct Deliveries {
    pub(crate) requested: BTreeMap<String, RequestDeliveryRequest>,
    pub(crate) requests: usize,
    pub(crate) ready_times: Vec<ChangeReadyTimeRequest>,
    pub(crate) cancelled: Vec<String>,
    pub(crate) refuses: bool,
    /// Why any delivery went to its driver.
    pub(crate) decisions: Vec<Decision>,
    /// What any assignment by hand would change.
    pub(crate) preview: PreviewAssignmentResponse,
    /// Who has a delivery by hand, in the order of the calls.
    pub(crate) by_hand: Vec<AssignDeliveryRequest>,
    /// To whom the matcher gave all that nobody gave by hand.
    pub(crate) matched: Option<u64>,
    events: Vec<DeliveryEvent>,
    /// Counts the streams: another one after a loss of all memory.
    stream: u32,
    watchers: Vec<mpsc::Sender<Result<DeliveryEvent, Status>>>,
    drivers: Vec<Driver>,
    /// The time of the next reports; long ago, if no test says otherwise.
    reports_at_ms: u64,
    /// Refuses all calls, as a dispatch that is away.
    is_away: bool,
}

impl Deliveries {
    fn is_here(&self) -> Result<(), Status> {
        if self.is_away {
            return Err(Status::unavailable("dispatch is away"));
        }
        Ok(())
    }

    /// Driver 13 is never on duty.
    fn can_assign(&self, delivery_id: &str, driver_id: u64) -> Result<(), Status> {
        if self.refuses {
            return Err(Status::unavailable("not now"));
        }
        if !self.requested.contains_key(delivery_id) {
            return Err(Status::not_found("not known"));
        }
        if driver_id == 13 {
            return Err(Status::failed_precondition("driver 13 is not on duty"));
        }
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct FakeDispatch {
    deliveries: Arc<Mutex<Deliveries>>,
    changed: Arc<watch::Sender<()>>,
}

impl FakeDispatch {
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let fake = Self {
            deliveries: Arc::default(),
            changed: Arc::new(watch::Sender::new(())),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = tonic::transport::Server::builder()
            .add_service(DispatchServer::new(fake.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(async move { serving.await.unwrap() });
        (fake, addr)
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what dispatch has heard satisfies the test.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Deliveries) -> bool) {
        let mut changed = self.changed.subscribe();
        let heard = async {
            while !holds(&self.now()) {
                changed.changed().await.unwrap();
            }
        };
        super::harness::in_time(what, heard).await;
    }

    pub(crate) async fn until_requested(&self, id: OrderId) {
        let key = id.uuid().to_string();
        self.until("a request for the delivery", |heard| {
            heard.requested.contains_key(&key)
        })
        .await;
    }

    /// Says that a delivery has moved.
    pub(crate) fn report(&self, id: OrderId, state: DeliveryState) {
        let mut now = self.now();
        let delivery_id = id.uuid().to_string();
        let before = now
            .events
            .iter()
            .filter(|event| event.delivery_id == delivery_id)
            .count();
        let event = DeliveryEvent {
            cursor: now.events.len() as u64 + 1,
            delivery_id,
            seq: u32::try_from(before).unwrap() + 1,
            at_ms: now.reports_at_ms,
            state: state.into(),
            driver_id: Some(7),
            pickup_eta_ms: Some(2_000),
            dropoff_eta_ms: Some(3_000),
            pickup_band: Some(band(2_000)),
            dropoff_band: Some(band(3_000)),
            promised_dropoff_ms: Some(3_100),
            search_level: u32::from(state == DeliveryState::Searching),
        };
        now.events.push(event.clone());
        now.watchers
            .retain(|watcher| watcher.try_send(Ok(event.clone())).is_ok());
    }

    /// Sends everything once more, as after a lost acknowledgement.
    pub(crate) fn repeat_all(&self) {
        let mut now = self.now();
        let events = now.events.clone();
        for event in events {
            now.watchers
                .retain(|watcher| watcher.try_send(Ok(event.clone())).is_ok());
        }
    }

    /// Says that a delivery has moved at a time of the city's clock.
    pub(crate) fn report_at(&self, id: OrderId, state: DeliveryState, at_ms: i64) {
        self.now().reports_at_ms = at_ms.unsigned_abs();
        self.report(id, state);
    }

    /// Goes away or comes back: calls and the stream fail until then.
    pub(crate) fn be_away(&self, is_away: bool) {
        let mut now = self.now();
        now.is_away = is_away;
        now.watchers.clear();
    }

    /// Restarts without any memory: another stream, no delivery known.
    pub(crate) fn forget(&self) {
        let mut now = self.now();
        now.stream += 1;
        now.events.clear();
        now.requested.clear();
        now.watchers.clear();
    }

    /// Breaks all streams, as a restart does.
    pub(crate) fn restart(&self) {
        self.now().watchers.clear();
    }

    pub(crate) fn driver_at(&self, lat_e7: i32, lng_e7: i32) {
        self.now().drivers = vec![Driver {
            driver_id: 7,
            at: Some(LatLng { lat_e7, lng_e7 }),
            ..Driver::default()
        }];
    }

    /// Driver 7 stands somewhere, and is to fetch and hand over one order.
    pub(crate) fn driver_serves(&self, delivery: &str, places: [LatLng; 3]) {
        let stop = |kind: StopKind, at| Stop {
            delivery_id: delivery.to_owned(),
            kind: kind.into(),
            at: Some(at),
            eta_ms: 1,
        };
        self.now().drivers = vec![Driver {
            driver_id: 7,
            at: Some(places[0]),
            fix_at_ms: 5,
            shift_until_ms: Some(9),
            stops: vec![
                stop(StopKind::Pickup, places[1]),
                stop(StopKind::Dropoff, places[2]),
            ],
            ..Driver::default()
        }];
    }

    fn hear(&self, change: impl FnOnce(&mut Deliveries)) {
        change(&mut self.now());
        self.changed.send_replace(());
    }
}

fn band(around_ms: u64) -> EtaBand {
    EtaBand {
        p10_ms: around_ms - 200,
        p50_ms: around_ms,
        p90_ms: around_ms + 300,
    }
}

#[tonic::async_trait]
impl Dispatch for FakeDispatch {
    async fn request_delivery(
        &self,
        request: Request<RequestDeliveryRequest>,
    ) -> Result<Response<RequestDeliveryResponse>, Status> {
        let request = request.into_inner();
        self.now().is_here()?;
        if self.now().refuses {
            return Err(Status::invalid_argument("no road there"));
        }
        let mut created = false;
        self.hear(|now| {
            now.requests += 1;
            created = now
                .requested
                .insert(request.delivery_id.clone(), request)
                .is_none();
        });
        Ok(Response::new(RequestDeliveryResponse { created }))
    }

    async fn change_ready_time(
        &self,
        request: Request<ChangeReadyTimeRequest>,
    ) -> Result<Response<ChangeReadyTimeResponse>, Status> {
        self.hear(|now| now.ready_times.push(request.into_inner()));
        Ok(Response::new(ChangeReadyTimeResponse {}))
    }

    async fn cancel_delivery(
        &self,
        request: Request<CancelDeliveryRequest>,
    ) -> Result<Response<CancelDeliveryResponse>, Status> {
        self.hear(|now| now.cancelled.push(request.into_inner().delivery_id));
        Ok(Response::new(CancelDeliveryResponse {}))
    }

    async fn quote(
        &self,
        request: Request<QuoteRequest>,
    ) -> Result<Response<QuoteResponse>, Status> {
        if request.into_inner().dropoff.is_none_or(|at| at.lat_e7 == 0) {
            return Err(Status::invalid_argument("no road within 1 km"));
        }
        Ok(Response::new(QuoteResponse {
            travel_time_ms: 300_000,
            distance_m: 2_500,
            pickup_eta_ms: None,
            drivers_considered: 1,
        }))
    }

    type WatchDeliveriesStream = Pin<Box<dyn Stream<Item = Result<DeliveryEvent, Status>> + Send>>;

    async fn watch_deliveries(
        &self,
        request: Request<WatchDeliveriesRequest>,
    ) -> Result<Response<Self::WatchDeliveriesStream>, Status> {
        let WatchDeliveriesRequest { after, stream } = request.into_inner();
        let (sender, receiver) = mpsc::channel(4_096);
        let mut now = self.now();
        now.is_here()?;
        if after > now.events.len() as u64 || after > 0 && stream != now.stream.to_string() {
            return Err(Status::out_of_range("a cursor of another stream"));
        }
        for event in now.events.iter().filter(|event| event.cursor > after) {
            sender
                .try_send(Ok(event.clone()))
                .map_err(|_| Status::resource_exhausted("too many"))?;
        }
        now.watchers.push(sender);
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn deliveries_head(
        &self,
        _: Request<DeliveriesHeadRequest>,
    ) -> Result<Response<DeliveriesHeadResponse>, Status> {
        let now = self.now();
        now.is_here()?;
        Ok(Response::new(DeliveriesHeadResponse {
            cursor: now.events.len() as u64,
            stream: now.stream.to_string(),
        }))
    }

    async fn drivers(
        &self,
        _: Request<DriversRequest>,
    ) -> Result<Response<DriversResponse>, Status> {
        Ok(Response::new(DriversResponse {
            left_out: 0,
            now_ms: 5,
            drivers: self.now().drivers.clone(),
            vehicle: "scooter".to_owned(),
        }))
    }

    /// Straight lines, at one metre a second.
    async fn trip(&self, request: Request<TripRequest>) -> Result<Response<TripResponse>, Status> {
        let through = request.into_inner().through;
        let legs = through.windows(2).map(|pair| TripLeg {
            travel_time_ms: 60_000,
            distance_m: 60,
            line: pair.to_vec(),
        });
        Ok(Response::new(TripResponse {
            legs: legs.collect(),
        }))
    }

    async fn explain(
        &self,
        request: Request<ExplainRequest>,
    ) -> Result<Response<ExplainResponse>, Status> {
        let id = request.into_inner().delivery_id;
        let now = self.now();
        if now.refuses {
            return Err(Status::unavailable("not now"));
        }
        if !now.requested.contains_key(&id) {
            return Err(Status::not_found("not known"));
        }
        let decisions = now.decisions.clone();
        Ok(Response::new(ExplainResponse { decisions }))
    }

    async fn preview_assignment(
        &self,
        request: Request<PreviewAssignmentRequest>,
    ) -> Result<Response<PreviewAssignmentResponse>, Status> {
        let request = request.into_inner();
        let now = self.now();
        now.can_assign(&request.delivery_id, request.driver_id)?;
        Ok(Response::new(now.preview.clone()))
    }

    async fn assign_delivery(
        &self,
        request: Request<AssignDeliveryRequest>,
    ) -> Result<Response<AssignDeliveryResponse>, Status> {
        let request = request.into_inner();
        let mut now = self.now();
        now.can_assign(&request.delivery_id, request.driver_id)?;
        let last = now
            .by_hand
            .iter()
            .rfind(|given| given.delivery_id == request.delivery_id);
        let by_hand = last.is_some() || now.matched != Some(request.driver_id);
        let changed = by_hand && last.is_none_or(|last| last.driver_id != request.driver_id);
        if by_hand {
            now.by_hand.push(request);
        }
        Ok(Response::new(AssignDeliveryResponse { changed, by_hand }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        Ok(Response::new(StatusResponse::default()))
    }
}
