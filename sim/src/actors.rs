//! The people of the city as state machines: time is an argument, what they want done is returned.
//!
//! The same actors run in virtual time against the dispatch core and in real time against running servers.

mod customer;
mod driver;
mod restaurant;

use doorstep_dispatch_core::DriverId;

pub use self::customer::{CustomerAction, CustomerActor, CustomerEvent};
pub use self::driver::{DriverAction, DriverActor, DriverEvent, Worked};
pub use self::restaurant::{RestaurantAction, RestaurantActor, RestaurantEvent};
use crate::scenario::Scenario;

/// The drivers of a scenario, numbered from 1.
pub fn driver_ids(scenario: &Scenario) -> impl Iterator<Item = DriverId> + use<> {
    (1..=u64::from(scenario.drivers.count)).map(DriverId)
}
