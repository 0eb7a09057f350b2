//! A busy evening up to the moment before a round: drivers with plans, idle drivers, and orders that nobody has yet.
//!
//! The plans are the dispatcher's own: drivers get an order where they stand, accept it, and drive for some minutes.

use anyhow::{Context, Result, ensure};
use doorstep_dispatch_core::{
    Answer, DeliveryId, DeliveryRequest, DeliveryState, Dispatcher, Driver, DriverId, Fix, Handled,
    Input, MilestoneKind, Output, Policy, RoutedTravelTimes, Span, StopKind, Time,
};
use doorstep_routing::{Distance, LatLng, NodeId, Router};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// How much is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Open orders of the round.
    pub orders: usize,
    /// Drivers without a plan.
    pub idle: usize,
    /// Drivers with a plan.
    pub busy: usize,
    /// Where the orders are from.
    pub restaurants: usize,
}

impl Size {
    /// So many orders and drivers: three of ten drivers have a plan, and two of five orders are from a restaurant of their own.
    #[must_use]
    pub const fn new(orders: usize, drivers: usize) -> Self {
        let busy = drivers * 3 / 10;
        Self {
            orders,
            idle: drivers - busy,
            busy,
            restaurants: orders * 2 / 5,
        }
    }
}

/// Nobody orders from farther away.
const DELIVERED_WITHIN: Distance = Distance::from_metres(5_000);
const START: Time = Time::from_millis(1_000_000_000);
const MINUTE: Span = Span::from_mins(1);

/// The dispatcher and the time it has reached.
pub struct Evening<'a> {
    /// What has taken everything in.
    pub dispatcher: Dispatcher,
    size: Size,
    travel: &'a mut RoutedTravelTimes,
    router: &'a Router,
    random: ChaCha8Rng,
    now: Time,
    deliveries: u128,
    drivers: u64,
}

impl<'a> Evening<'a> {
    /// Everything up to the moment before the round.
    ///
    /// # Errors
    /// If the policy cannot work, or some drivers never get anything to do.
    pub fn new(
        router: &'a Router,
        size: Size,
        policy: Policy,
        travel: &'a mut RoutedTravelTimes,
    ) -> Result<Self> {
        let mut evening = Self {
            dispatcher: Dispatcher::new(policy)?,
            size,
            travel,
            router,
            random: ChaCha8Rng::seed_from_u64(1),
            now: START,
            deliveries: 0,
            drivers: 0,
        };
        evening.give_plans()?;
        evening.drive(6)?;
        evening.open()?;
        Ok(evening)
    }

    /// When the round is.
    ///
    /// # Errors
    /// If nothing is searching.
    pub fn deadline(&self) -> Result<Time> {
        self.dispatcher
            .next_deadline()
            .context("nothing is searching")
    }

    /// The round alone.
    ///
    /// # Errors
    /// If the dispatcher refuses it.
    pub fn round(&mut self, at: Time) -> Result<Handled> {
        Ok(self.dispatcher.handle(at, Input::Deadline, self.travel)?)
    }

    /// Sends an input; says yes to whatever is offered.
    fn send(&mut self, input: Input) -> Result<()> {
        self.dispatcher.handle(self.now, input, self.travel)?;
        let mut answers = Vec::new();
        while let Some(output) = self.dispatcher.poll_output() {
            if let Output::Offer(offer) = output {
                answers.push(Input::OfferAnswered {
                    driver: offer.driver,
                    offer: offer.offer,
                    answer: Answer::Accept,
                });
            }
        }
        for answer in answers {
            self.dispatcher.handle(self.now, answer, self.travel)?;
            while self.dispatcher.poll_output().is_some() {}
        }
        Ok(())
    }

    /// As many drivers as shall be busy get something to do; a driver without an order for two minutes goes, and another comes.
    fn give_plans(&mut self) -> Result<()> {
        for _ in 0..20 {
            let present = self.dispatcher.drivers().len();
            for _ in present..self.size.busy {
                self.on_duty()?;
            }
            for (_, at) in self.free() {
                let waits = Span::from_millis(self.random.random_range(0..60_000));
                self.order(at, Span::from_mins(5), waits)?;
            }
            for _ in 0..6 {
                self.now = self.now.after(Span::from_secs(20));
                self.send(Input::Deadline)?;
            }
            let free = self.free();
            if free.is_empty() {
                return self.forget_searching();
            }
            for (driver, _) in free {
                self.send(Input::DriverOffDuty { driver })?;
            }
        }
        anyhow::bail!("some drivers get nothing to do")
    }

    /// Drivers without a plan, and where they are.
    fn free(&self) -> Vec<(DriverId, LatLng)> {
        let drivers = self.dispatcher.drivers().filter(|driver| driver.is_free());
        drivers
            .map(|driver| (driver.id(), driver.fix().at))
            .collect()
    }

    /// Orders that found nobody are not of this round.
    fn forget_searching(&mut self) -> Result<()> {
        let searching: Vec<DeliveryId> = self
            .dispatcher
            .deliveries()
            .filter(|delivery| delivery.state() == DeliveryState::Searching)
            .map(|delivery| delivery.id())
            .collect();
        for delivery in searching {
            self.send(Input::CancelDelivery { delivery })?;
        }
        Ok(())
    }

    /// Lets minutes pass. A stop is done when it should be, but nobody finishes the last one.
    fn drive(&mut self, minutes: u32) -> Result<()> {
        for _ in 0..minutes {
            self.now = self.now.after(MINUTE);
            let drivers: Vec<DriverId> = self.dispatcher.drivers().map(Driver::id).collect();
            for driver in drivers {
                let stops = self.dispatcher.plan_of(driver);
                let [first, _, ..] = stops.as_slice() else {
                    continue;
                };
                if first.eta <= self.now {
                    let reached = match first.kind {
                        StopKind::Pickup => MilestoneKind::PickedUp,
                        StopKind::Dropoff => MilestoneKind::DroppedOff,
                    };
                    self.send(Input::Milestone {
                        driver,
                        delivery: first.delivery,
                        reached,
                    })?;
                }
            }
        }
        ensure!(self.free().is_empty(), "somebody is done already");
        Ok(())
    }

    /// All drivers are seen, the idle ones come, and the orders of the round are placed.
    fn open(&mut self) -> Result<()> {
        let seen: Vec<(DriverId, LatLng)> = self
            .dispatcher
            .drivers()
            .map(|driver| (driver.id(), driver.fix().at))
            .collect();
        for (driver, at) in seen {
            let fix = Fix {
                at,
                time: self.now,
                speed_mm_s: None,
                heading_cdeg: None,
            };
            self.send(Input::Fix { driver, fix })?;
        }
        for _ in 0..self.size.idle {
            self.on_duty()?;
        }
        let restaurants: Vec<LatLng> = (0..self.size.restaurants).map(|_| self.place()).collect();
        for _ in 0..self.size.orders {
            let at = restaurants[self.random.random_range(0..self.size.restaurants)];
            let since = Span::from_millis(self.random.random_range(0..180_000));
            let waits = Span::from_millis(self.random.random_range(0..1_200_000));
            self.order(at, since, waits)?;
        }
        Ok(())
    }

    fn on_duty(&mut self) -> Result<()> {
        let at = self.place();
        self.drivers += 1;
        self.send(Input::DriverOnDuty {
            driver: DriverId(self.drivers),
            at,
            until: None,
        })
    }

    /// An order to a customer who can be reached; placed some time ago, ready some time from now.
    fn order(&mut self, pickup: LatLng, since: Span, waits: Span) -> Result<()> {
        let placed_at = Time::from_millis(self.now.as_millis() - since.as_millis());
        for _ in 0..100_000 {
            let dropoff = self.place();
            if pickup.crow_distance(dropoff) > DELIVERED_WITHIN {
                continue;
            }
            self.deliveries += 1;
            let request = DeliveryRequest {
                delivery: DeliveryId(self.deliveries),
                pickup,
                dropoff,
                placed_at,
                ready_at: self.now.after(waits),
            };
            if self.send(Input::RequestDelivery(request)).is_ok() {
                return Ok(());
            }
        }
        anyhow::bail!("no customer within reach of {pickup:?}")
    }

    /// A junction that a scooter gets to.
    fn place(&mut self) -> LatLng {
        let network = self.router.network();
        loop {
            let node = NodeId::from_index(self.random.random_range(0..network.node_count()));
            let at = network.node_at(node);
            if self.router.snap(at).is_ok() {
                return at;
            }
        }
    }
}
