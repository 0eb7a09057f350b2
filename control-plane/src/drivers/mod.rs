//! The drivers as dispatch reports them: one picture, polled by one task for every reader.

mod poll;

use crate::domain::ids::{DriverId, OrderId};
use crate::domain::place::Place;

pub(crate) use poll::poll_dispatch;

/// Where the drivers are.
#[derive(Clone, Debug, Default)]
pub(crate) struct DriverPicture {
    /// The city's clock when dispatch answered; 0 = never yet.
    pub(crate) now_ms: u64,
    /// By driver id, on duty or not.
    pub(crate) drivers: Vec<DriverSeen>,
    /// Of all drivers: `scooter`, `car`, `bicycle` or `foot`; empty = dispatch has not said.
    pub(crate) vehicle: String,
    /// Median real time of a matching round.
    pub(crate) round_us: Option<u64>,
    /// Whether dispatch answered the last time it was asked.
    pub(crate) reachable: bool,
}

impl DriverPicture {
    /// One driver, in logarithmic time: the drivers are in the order of their ids.
    pub(crate) fn driver(&self, driver_id: DriverId) -> Option<&DriverSeen> {
        let found = self
            .drivers
            .binary_search_by_key(&driver_id, |driver| driver.driver_id);
        found.ok().map(|index| &self.drivers[index])
    }
}

/// One driver in the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriverSeen {
    /// The driver.
    pub(crate) driver_id: DriverId,
    /// The last known position.
    pub(crate) at: Place,
    /// When the driver was there, by the city's clock.
    pub(crate) fix_at_ms: u64,
    /// When the shift ends, if it is known.
    pub(crate) shift_until_ms: Option<u64>,
    /// What the driver is doing.
    pub(crate) state: DriverState,
    /// The order of the next stop.
    pub(crate) order_id: Option<OrderId>,
    /// Hundredths of a degree clockwise from north.
    pub(crate) heading_cdeg: u32,
    /// What is to be done, in the order of doing it.
    pub(crate) stops: Vec<StopSeen>,
}

/// What a driver is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriverState {
    /// On duty without an order.
    Idle,
    /// Driving to a restaurant.
    ToRestaurant,
    /// Waiting there for the food.
    AtRestaurant,
    /// Driving to a customer, or at the door.
    ToCustomer,
    /// Not on duty; dispatch still knows the last position.
    OffDuty,
}

/// One stop of a driver.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StopSeen {
    /// For which order.
    pub(crate) order_id: OrderId,
    /// What is done there.
    pub(crate) kind: StopKind,
    /// Position of the stop.
    pub(crate) at: Place,
    /// When it should be done, by the city's clock.
    pub(crate) eta_ms: u64,
}

/// What is done at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopKind {
    /// The food is fetched at the restaurant.
    Pickup,
    /// It is handed over to the customer.
    Dropoff,
}
