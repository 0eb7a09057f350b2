//! The town, the server in it, its drivers and its control plane.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_dispatch_core::{Policy, Span};
use doorstep_dispatch_server::{Clock, Config, Running, start};
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{
    DeliveryEvent, DeliveryState, LatLng as DispatchLatLng, RequestDeliveryRequest,
    WatchDeliveriesRequest,
};
use doorstep_dispatch_wire::driver::{LatLng as DriverLatLng, MilestoneKind, Offer, Plan, Refused};
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_driver_client::{
    Backoff, Config as LinkConfig, DriverLink, LinkEvent, LinkEvents, client_endpoint, connect,
};
use doorstep_routing::ordering::nested_dissection;
use doorstep_routing::{
    Direction, LatLng, Profile, Road, RoadArchive, RoadClass, RoadNetworkBuilder, Router,
    TravelTime,
};
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

/// Streets in each direction.
const SIDE: i32 = 6;

/// Between two crossings, in 1e-7 degrees: about 200 m.
const BLOCK_E7: i32 = 18_000;

/// When the clock starts.
pub(crate) const ORIGIN_MS: u64 = 1_800_000_000_000;

/// What a test waits for comes within this, or the test has failed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, work)
        .await
        .unwrap_or_else(|_| panic!("no {what} within {TIMEOUT:?}"))
}

/// The corner at a street and an avenue, counted from the south-west.
pub(crate) fn corner(street: i32, avenue: i32) -> LatLng {
    LatLng::from_e7(
        411_500_000 + street * BLOCK_E7,
        -86_100_000 + avenue * BLOCK_E7,
    )
}

pub(crate) fn driver_at(at: LatLng) -> DriverLatLng {
    DriverLatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    }
}

pub(crate) fn dispatch_at(at: LatLng) -> DispatchLatLng {
    DispatchLatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    }
}

/// A square grid of two-way streets, half a minute a block.
fn router() -> Arc<Router> {
    let mut builder = RoadNetworkBuilder::new();
    let crossings = (0..SIDE * SIDE).map(|index| corner(index / SIDE, index % SIDE));
    let nodes: Vec<_> = crossings.map(|at| builder.add_node(at)).collect();
    let node = |street: i32, avenue: i32| nodes[usize::try_from(street * SIDE + avenue).unwrap()];
    let mut block = |start, end| {
        let half_a_minute = Direction::all(TravelTime::from_millis(30_000));
        let road = Road {
            start,
            end,
            inner_points: &[],
            class: RoadClass::Residential,
            way: 1,
            name: "",
            reference: "",
            roundabout: false,
            forward: half_a_minute,
            backward: half_a_minute,
        };
        builder.add_road(&road).unwrap();
    };
    for along in 0..SIDE {
        for across in 0..SIDE - 1 {
            block(node(along, across), node(along, across + 1));
            block(node(across, along), node(across + 1, along));
        }
    }
    let network = builder.build().unwrap();
    let edge_orders = nested_dissection(&network);
    let archive = RoadArchive {
        network: Arc::new(network),
        places: Vec::new(),
        edge_orders,
        attribution: String::new(),
    };
    Arc::new(Router::new(&archive, Profile::Scooter))
}

/// Rounds are frequent and nothing ends because the machine is slow: every test waits for events, never for time.
fn policy() -> Policy {
    let hours = Span::from_mins(20 * 60);
    Policy {
        round_interval: Span::from_secs(2),
        offer_window: hours,
        no_driver_after: hours,
        fix_age_max: hours,
        decline_cool_off: hours,
        lost_grace: Span::from_secs(5),
        ..Policy::default()
    }
}

pub(crate) fn key() -> TokenKey {
    TokenKey::from_bytes(&[7; 32]).unwrap()
}

pub(crate) fn token(audience: Audience, subject: &str, expires_at_ms: u64) -> String {
    key().sign(&Claims {
        audience,
        subject: subject.to_owned(),
        expires_at_ms,
    })
}

/// A configuration for this town, sixty times as fast as life.
pub(crate) fn config() -> Config {
    let clock = Clock::scaled(ORIGIN_MS, Instant::now(), 60);
    Config {
        policy: policy(),
        rpc_key: Some(key()),
        ..Config::new(router(), key(), clock)
    }
}

/// A server that runs, and what is needed to reach it.
pub(crate) struct Town {
    pub(crate) server: Running,
    pub(crate) clock: Clock,
    endpoint: quinn::Endpoint,
}

/// Adds the admin token to every call.
#[derive(Clone)]
pub(crate) struct AsAdmin;

impl Interceptor for AsAdmin {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let bearer = format!("Bearer {}", token(Audience::Admin, "test", u64::MAX));
        let bearer =
            MetadataValue::try_from(bearer).map_err(|error| Status::internal(error.to_string()))?;
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}

pub(crate) type ControlPlane = DispatchClient<InterceptedService<Channel, AsAdmin>>;

impl Town {
    pub(crate) async fn start() -> Self {
        Self::start_with(config()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let clock = config.clock;
        let server = start(config).await.unwrap();
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = client_endpoint(bind, &[&server.certificate_der]).unwrap();
        Self {
            server,
            clock,
            endpoint,
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now().as_millis()
    }

    /// Waits until so many milliseconds have passed in the city.
    pub(crate) async fn city_passes(&self, city_ms: u64) {
        let until = self.now_ms() + city_ms;
        while self.now_ms() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn endpoint(&self) -> &quinn::Endpoint {
        &self.endpoint
    }

    pub(crate) async fn channel(&self) -> Channel {
        let address = format!("http://{}", self.server.grpc_addr);
        soon("gRPC", Channel::from_shared(address).unwrap().connect())
            .await
            .unwrap()
    }

    pub(crate) async fn control_plane(&self) -> ControlPlane {
        DispatchClient::with_interceptor(self.channel().await, AsAdmin)
    }

    pub(crate) async fn watch(&self, after: u64) -> Watch {
        let events = self
            .control_plane()
            .await
            .watch_deliveries(WatchDeliveriesRequest {
                after,
                ..WatchDeliveriesRequest::default()
            })
            .await
            .unwrap();
        Watch {
            events: events.into_inner(),
        }
    }

    pub(crate) fn link_config(&self, token: String) -> LinkConfig {
        let fast = Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(50),
            seed: 1,
        };
        LinkConfig {
            backoff: fast,
            ..LinkConfig::new(self.server.quic_addr, token)
        }
    }

    /// A driver who is connected and on duty with nothing to do.
    pub(crate) async fn driver(&self, id: u64, at: LatLng) -> TestDriver {
        self.driver_serving(id, at, &[]).await
    }

    /// A driver who is connected, on duty, and told to serve these deliveries.
    pub(crate) async fn driver_serving(&self, id: u64, at: LatLng, numbers: &[u8]) -> TestDriver {
        let token = token(Audience::Driver, &id.to_string(), u64::MAX);
        let (link, events) = connect(&self.endpoint, self.link_config(token));
        let mut driver = TestDriver { link, events };
        let welcomed = |event| {
            matches!(event, LinkEvent::Up(welcome) if welcome.driver_id == id).then_some(())
        };
        driver.until("welcome", welcomed).await;
        driver.link.on_duty(driver_at(at), None).await.unwrap();
        driver.plan_of(numbers).await;
        driver
    }

    pub(crate) async fn stop(self) {
        self.server.shutdown().await.unwrap();
    }
}

/// The text form of a delivery's id.
pub(crate) fn delivery(number: u8) -> String {
    format!("00000000-0000-7000-8000-0000000000{number:02x}")
}

/// A request for a delivery across the town that is ready at once.
pub(crate) fn request(number: u8, now_ms: u64) -> RequestDeliveryRequest {
    RequestDeliveryRequest {
        delivery_id: delivery(number),
        pickup: Some(dispatch_at(corner(1, 1))),
        dropoff: Some(dispatch_at(corner(4, 4))),
        placed_at_ms: now_ms,
        ready_at_ms: now_ms,
    }
}

/// Delivery events as the control plane reads them.
pub(crate) struct Watch {
    events: Streaming<DeliveryEvent>,
}

impl Watch {
    pub(crate) async fn next(&mut self) -> DeliveryEvent {
        soon("delivery event", self.events.message())
            .await
            .unwrap()
            .expect("the stream goes on")
    }

    pub(crate) async fn failure(&mut self) -> Status {
        loop {
            match soon("end of the stream", self.events.message()).await {
                Ok(event) => assert!(event.is_some(), "the stream ends with a reason"),
                Err(status) => return status,
            }
        }
    }

    /// Reads on until the delivery is in a state; gives all events on the way.
    pub(crate) async fn until(&mut self, number: u8, state: DeliveryState) -> Vec<DeliveryEvent> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let reached = event.delivery_id == delivery(number) && event.state() == state;
            events.push(event);
            if reached {
                return events;
            }
        }
    }
}

/// A driver's app.
pub(crate) struct TestDriver {
    pub(crate) link: DriverLink,
    pub(crate) events: LinkEvents,
}

impl TestDriver {
    /// Reads events until one is what is looked for.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(LinkEvent) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                let event = self
                    .events
                    .recv()
                    .await
                    .unwrap_or_else(|| panic!("the link has ended before {what}"));
                if let Some(wanted) = found(event) {
                    return wanted;
                }
            }
        };
        soon(what, search).await
    }

    pub(crate) async fn offer(&mut self) -> Offer {
        self.until("offer", |event| match event {
            LinkEvent::Offer(offer) => Some(offer),
            _ => None,
        })
        .await
    }

    /// Waits for the plan that holds exactly these deliveries.
    pub(crate) async fn plan_of(&mut self, numbers: &[u8]) -> Plan {
        let mut expected: Vec<String> = numbers.iter().copied().map(delivery).collect();
        expected.sort();
        self.until("plan", |event| match event {
            LinkEvent::Plan(plan) => {
                let mut planned: Vec<String> = plan
                    .stops
                    .iter()
                    .map(|stop| stop.delivery_id.clone())
                    .collect();
                planned.sort();
                planned.dedup();
                (planned == expected).then_some(plan)
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn refusal(&mut self) -> Refused {
        self.until("refusal", |event| match event {
            LinkEvent::Refused(refused) => Some(refused),
            _ => None,
        })
        .await
    }

    pub(crate) async fn reach(&self, number: u8, kind: MilestoneKind, now_ms: u64) {
        self.link
            .milestone(&delivery(number), kind, now_ms)
            .await
            .unwrap();
    }
}
