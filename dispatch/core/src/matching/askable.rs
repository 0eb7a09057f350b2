//! What the driver index knows of a driver beside the position, so that a search passes over those who cannot be asked.
//!
//! Only what changes with an input is there. What changes as time passes - an old position, the end of a shift, a plan that is
//! nearly done - is asked of the row, see [`may_be_asked`](crate::matching::may_be_asked).

use crate::Policy;
use crate::driver::Driver;
use crate::driver_index::{Attributes, Filter};

/// Has stops to visit.
const SERVES: u32 = 1;
/// Is being asked already, or has as many deliveries as a plan may hold.
const TAKES_NO_MORE: u32 = 1 << 1;

/// Those who may be asked for an order beside what they have to do.
pub(crate) const ASKABLE: Filter = Filter {
    all: 0,
    none: TAKES_NO_MORE,
};
/// Those of them who have nothing to do.
pub(crate) const FREE: Filter = Filter {
    all: 0,
    none: SERVES | TAKES_NO_MORE,
};

/// What stands in the index while a driver is on duty.
pub(crate) fn attributes(driver: &Driver, policy: &Policy) -> Attributes {
    let has_room = driver.plan.deliveries().count() < policy.plan_deliveries_max;
    let serves = if driver.is_free() { 0 } else { SERVES };
    let takes_no_more = if has_room && driver.offer.is_none() {
        0
    } else {
        TAKES_NO_MORE
    };
    Attributes(serves | takes_no_more)
}

#[cfg(test)]
mod tests {
    use doorstep_routing::{LatLng, TravelTime};

    use super::*;
    use crate::plan::PlannedStop;
    use crate::{DeliveryId, DriverId, Fix, OfferId, StopKind, Time};

    #[test]
    fn who_is_asked_or_full_is_passed_over_and_who_serves_is_not_free() {
        let at = LatLng::from_e7(0, 0);
        let fix = Fix {
            at,
            time: Time::EPOCH,
            speed_mm_s: None,
            heading_cdeg: None,
        };
        let policy = Policy {
            plan_deliveries_max: 2,
            ..Policy::default()
        };
        let driver = |deliveries: u128, is_asked: bool| {
            let mut driver = Driver::new(DriverId(1), fix);
            let stop = |delivery| PlannedStop {
                delivery: DeliveryId(delivery),
                kind: StopKind::Dropoff,
                at,
                drive: TravelTime::ZERO,
            };
            driver.plan.stops = (0..deliveries).map(stop).collect();
            driver.offer = is_asked.then_some(OfferId(7));
            attributes(&driver, &policy)
        };
        for (deliveries, is_asked, is_askable, is_free) in [
            (0, false, true, true),
            (1, false, true, false),
            (2, false, false, false),
            (0, true, false, false),
            (1, true, false, false),
        ] {
            let bits = driver(deliveries, is_asked);
            let found = (ASKABLE.lets_through(bits), FREE.lets_through(bits));
            assert_eq!(found, (is_askable, is_free), "{deliveries} {is_asked}");
        }
    }
}
