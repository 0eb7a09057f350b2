//! The one task that owns all actors: it wakes them by the city's clock and by what the servers say.

mod customers;
mod drivers;
mod restaurants;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use doorstep_api::ids::{ItemId, RestaurantId};
use doorstep_driver_client::LinkEvent;
use doorstep_sim::actors::{
    CustomerActor, CustomerEvent, DriverActor, RestaurantActor, RestaurantEvent,
};
use doorstep_sim::demand::DemandPlan;
use doorstep_sim::roads::Roads;
use doorstep_sim::scenario::SLICE;
use doorstep_sim::scheduler::{ActorKey, Scheduler};
use doorstep_sim::{DeliveryId, Scenario, Span, Time};
use quinn::Endpoint;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::Api;
use crate::config::LiveConfig;
use crate::drivers::Link;
use crate::report::LiveReport;

/// News from the servers that the city has not read; a full queue makes the links and inboxes wait.
const NEWS_MAX: usize = 4_096;
/// News read before the actors get their turn again.
const NEWS_AT_ONCE: usize = 256;
/// Actors woken before news is read again.
const TURNS_AT_ONCE: usize = 512;
/// HTTP requests under way; further ones are not sent and counted as an error.
const REQUESTS_MAX: usize = 4_096;
/// Handshakes under way; the other drivers wait for their turn.
const CONNECTING_MAX: usize = 16;
/// Shortest real sleep: many small deadlines are served together.
const TICK: Duration = Duration::from_millis(10);

/// What the servers say.
#[derive(Debug)]
pub(crate) enum News {
    /// On a driver's link.
    Link { index: usize, event: LinkEvent },
    /// A restaurant has a new order on its screen.
    OrderSeen {
        restaurant: usize,
        order: DeliveryId,
    },
    /// An order of a restaurant ended.
    OrderOff {
        restaurant: usize,
        order: DeliveryId,
    },
    /// An order was acknowledged.
    Placed {
        number: u64,
        order: Uuid,
        clicked_at: Time,
        repeated: bool,
    },
    /// A customer followed their order.
    Followed { number: u64, event: CustomerEvent },
    /// A cancellation was answered.
    Cancelled { number: u64, granted: bool },
    /// A review was taken.
    Reviewed,
    /// A request failed.
    Failed {
        kind: &'static str,
        number: Option<u64>,
    },
}

/// A restaurant as opened on the control plane.
pub(crate) struct Kitchen {
    pub(crate) actor: RestaurantActor,
    pub(crate) id: RestaurantId,
    pub(crate) token: Arc<str>,
    /// Ids of the dishes, in the order of the world's menu.
    pub(crate) items: Vec<ItemId>,
}

struct Guest {
    actor: CustomerActor,
    token: Arc<str>,
    order: Option<Uuid>,
}

struct Driver {
    actor: DriverActor,
    /// When the shift ends, from its beginning on.
    until: Time,
    link: Option<Link>,
    was_up: bool,
}

/// Everybody and their connections.
pub(crate) struct LiveCity {
    config: LiveConfig,
    scenario: Arc<Scenario>,
    origin: Time,
    ping_interval_floor: Span,
    api: Api,
    endpoint: Endpoint,
    roads: Roads,
    scheduler: Scheduler,
    drivers: Vec<Driver>,
    kitchens: Vec<Kitchen>,
    customer_tokens: Vec<Arc<str>>,
    guests: BTreeMap<u64, Guest>,
    /// Which restaurant cooks an order under way.
    cooked_at: BTreeMap<DeliveryId, usize>,
    slices_planned: u64,
    to_connect: VecDeque<usize>,
    connecting: usize,
    requests: JoinSet<()>,
    news_sender: mpsc::Sender<News>,
    news: mpsc::Receiver<News>,
    report: LiveReport,
}

/// What has to stand before the city can open.
pub(crate) struct Opened {
    pub(crate) api: Api,
    pub(crate) endpoint: Endpoint,
    pub(crate) kitchens: Vec<Kitchen>,
    pub(crate) customer_tokens: Vec<Arc<str>>,
}

impl LiveCity {
    /// Everybody at their starting places; nothing has happened.
    pub(crate) fn new(config: LiveConfig, opened: Opened) -> Self {
        let origin = config.clock.now();
        let ping_interval_floor = config.clock.city_span(config.ping_interval_floor);
        let mut scenario = config.scenario.clone();
        let floor_s = ping_interval_floor.as_millis() as f64 / 1_000.0;
        scenario.drivers.ping_interval_s = scenario.drivers.ping_interval_s.max(floor_s);
        let world = &config.world;
        let drivers = doorstep_sim::actors::driver_ids(&scenario)
            .map(|id| Driver {
                actor: DriverActor::new(id, world, &scenario, origin),
                until: Time::EPOCH,
                link: None,
                was_up: false,
            })
            .collect();
        let (news_sender, news) = mpsc::channel(NEWS_MAX);
        let mut city = Self {
            origin,
            ping_interval_floor,
            roads: Roads::new(Arc::clone(world), scenario.drivers.speed_factor),
            scheduler: Scheduler::default(),
            drivers,
            kitchens: opened.kitchens,
            customer_tokens: opened.customer_tokens,
            guests: BTreeMap::new(),
            cooked_at: BTreeMap::new(),
            slices_planned: 0,
            to_connect: VecDeque::new(),
            connecting: 0,
            requests: JoinSet::new(),
            news_sender,
            news,
            report: LiveReport {
                started_at_ms: origin.as_millis(),
                ..LiveReport::default()
            },
            scenario: Arc::new(scenario),
            api: opened.api,
            endpoint: opened.endpoint,
            config,
        };
        for index in 0..city.drivers.len() {
            city.wish(ActorKey::Driver(index));
        }
        city
    }

    /// Lives until the shutdown, then tells what happened. Requests under way are given up: what they would have
    /// placed was never acknowledged to us.
    pub(crate) async fn live(mut self, shutdown: CancellationToken) -> LiveReport {
        let inboxes = self.open_inboxes(&shutdown);
        while !shutdown.is_cancelled() {
            let now = self.config.clock.now();
            self.plan_demand(now);
            self.take_turns(now);
            while self.requests.try_join_next().is_some() {}
            let wait = self.config.clock.real_until(self.next_deadline()).max(TICK);
            tokio::select! {
                () = shutdown.cancelled() => {}
                Some(news) = self.news.recv() => self.read_news(news),
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.requests.abort_all();
        drop(inboxes);
        self.report.ended_at_ms = self.config.clock.now().as_millis();
        self.report.pings_sent = self
            .drivers
            .iter()
            .filter_map(|driver| driver.link.as_ref())
            .map(Link::pings_sent)
            .sum();
        self.report.drivers_connected =
            self.drivers.iter().filter(|driver| driver.was_up).count() as u64;
        self.report
    }

    fn next_deadline(&self) -> Time {
        let slice = self.slice_start(self.slices_planned);
        self.scheduler
            .next_deadline()
            .map_or(slice, |next| next.min(slice))
    }

    fn slice_start(&self, slice: u64) -> Time {
        self.origin
            .after(Span::from_millis(slice * SLICE.as_millis()))
    }

    /// Plans the next half hour of orders when it begins.
    fn plan_demand(&mut self, now: Time) {
        while self.slice_start(self.slices_planned) <= now {
            let plans = DemandPlan::new(&self.config.world, &self.scenario, self.origin)
                .slice(self.slices_planned);
            self.slices_planned += 1;
            for plan in plans {
                let number = plan.number;
                let token =
                    Arc::clone(&self.customer_tokens[plan.customer % self.customer_tokens.len()]);
                self.guests.insert(
                    number,
                    Guest {
                        actor: CustomerActor::new(plan),
                        token,
                        order: None,
                    },
                );
                self.wish(ActorKey::Customer(number));
            }
        }
    }

    fn take_turns(&mut self, now: Time) {
        for _ in 0..TURNS_AT_ONCE {
            let Some(actor) = self.scheduler.pop_due(now) else {
                return;
            };
            match actor {
                ActorKey::Customer(number) => self.customer_turn(now, number),
                ActorKey::Restaurant(index) => self.restaurant_turn(now, index),
                ActorKey::Driver(index) => self.driver_turn(now, index),
                ActorKey::Dispatcher => {}
            }
            self.wish(actor);
        }
    }

    fn read_news(&mut self, first: News) {
        let mut next = Some(first);
        for _ in 0..NEWS_AT_ONCE {
            let Some(news) = next else { return };
            self.hear(self.config.clock.now(), news);
            next = self.news.try_recv().ok();
        }
        if let Some(news) = next {
            self.hear(self.config.clock.now(), news);
        }
    }

    fn hear(&mut self, now: Time, news: News) {
        match news {
            News::Link { index, event } => self.hear_link(now, index, event),
            News::OrderSeen { restaurant, order } => {
                self.cooked_at.insert(order, restaurant);
                self.tell_restaurant(now, restaurant, RestaurantEvent::OrderArrived { order });
            }
            News::OrderOff { restaurant, order } => {
                self.cooked_at.remove(&order);
                self.tell_restaurant(now, restaurant, RestaurantEvent::OrderCancelled { order });
            }
            News::Placed {
                number,
                order,
                clicked_at,
                repeated,
            } => {
                self.placed(number, order, clicked_at, repeated);
            }
            News::Followed { number, event } => self.tell_customer(now, number, event),
            News::Cancelled { number, granted } => self.cancellation_answered(now, number, granted),
            News::Reviewed => self.report.reviews += 1,
            News::Failed { kind, number } => {
                self.report.error(kind);
                if let Some(number) = number {
                    self.tell_customer(now, number, CustomerEvent::Refused);
                }
            }
        }
    }

    /// Runs a request beside the city; what it returns is told to the city.
    fn request(&mut self, work: impl Future<Output = Option<News>> + Send + 'static) {
        if self.requests.len() >= REQUESTS_MAX {
            self.report.error("too_many_requests_under_way");
            return;
        }
        let news_sender = self.news_sender.clone();
        self.requests.spawn(async move {
            if let Some(news) = work.await {
                // The city has closed: nobody wants to know.
                let _ = news_sender.send(news).await;
            }
        });
    }

    fn wish(&mut self, actor: ActorKey) {
        let at = match actor {
            ActorKey::Customer(number) => self
                .guests
                .get(&number)
                .and_then(|guest| guest.actor.next_deadline()),
            ActorKey::Restaurant(index) => self.kitchens[index].actor.next_deadline(),
            ActorKey::Driver(index) => self.drivers[index].actor.next_deadline(),
            ActorKey::Dispatcher => None,
        };
        self.scheduler.wish(actor, at);
    }
}
