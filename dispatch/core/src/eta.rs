//! When a driver has the food and when the customer has it: point values, computed in one place so that a
//! distribution can take their place.

use doorstep_routing::TravelTime;

use crate::{Policy, Time};

/// The two times of a delivery that others plan by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Etas {
    /// Food in the driver's hand.
    pub(crate) pickup: Time,
    /// Food in the customer's hand.
    pub(crate) dropoff: Time,
}

impl Etas {
    /// For a driver on the way to the restaurant. The dwell starts when both the driver and the food are there.
    ///
    /// ```text
    /// start ──approach──> arrival ┐
    ///                             ├─ later of both ──pickup dwell──> pickup ──ride──> ──dropoff dwell──> dropoff
    ///                    ready_at ┘
    /// ```
    pub(crate) fn before_pickup(
        arrival: Time,
        ready_at: Time,
        ride: TravelTime,
        policy: &Policy,
    ) -> Self {
        Self::riding(
            arrival.max(ready_at).after(policy.pickup_dwell),
            ride,
            policy,
        )
    }

    /// For a driver who took (or takes) the food at `pickup`.
    pub(crate) fn riding(pickup: Time, ride: TravelTime, policy: &Policy) -> Self {
        Self {
            pickup,
            dropoff: pickup.after_drive(ride).after(policy.dropoff_dwell),
        }
    }

    /// For a driver who came to the door at `now`.
    pub(crate) const fn at_door(self, now: Time, policy: &Policy) -> Self {
        Self {
            pickup: self.pickup,
            dropoff: now.after(policy.dropoff_dwell),
        }
    }

    /// After the food was handed over at `now`.
    pub(crate) const fn done(self, now: Time) -> Self {
        Self {
            pickup: self.pickup,
            dropoff: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    #[test]
    fn the_later_of_driver_and_food_decides() {
        let policy = Policy {
            pickup_dwell: Span::from_secs(1),
            dropoff_dwell: Span::from_secs(2),
            ..Policy::default()
        };
        let (early, late) = (Time::from_millis(10_000), Time::from_millis(20_000));
        let ride = TravelTime::from_millis(5_000);
        let etas = Etas::before_pickup(early, late, ride, &policy);
        assert_eq!(etas, Etas::before_pickup(late, early, ride, &policy));
        assert_eq!(etas.pickup, Time::from_millis(21_000));
        assert_eq!(etas.dropoff, Time::from_millis(28_000));
    }
}
