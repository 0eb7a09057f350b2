//! Which fields of which row a snapshot holds, for all rows whose fields the crate shares. Private ones stand beside their type.

use doorstep_routing::{LatLng, TravelTime};
use h3o::CellIndex;

use super::{Reader, SnapshotError, Stored, stored, stored_names};
use crate::delivery::{Delivery, Forecasts, Refusal};
use crate::dispatcher::Timer;
use crate::driver::{Driver, Elsewhere};
use crate::eta::{Drawn, Etas};
use crate::matching::Proposal;
use crate::offers::OpenOffer;
use crate::plan::{Plan, PlannedStop};
use crate::{
    Advice, Alternative, Answers, CostTerms, Counters, DecisionRecord, DeclineReason, DeliveryId,
    DeliveryRequest, DeliveryState, DriverId, Duty, EtaBand, Fix, Matching, Offer, OfferEnd,
    OfferId, Outcome, RevokeReason, Rule, Stop, StopKind, Time,
};

stored!(Driver {
    1: id,
    2: duty,
    3: fix,
    4: elsewhere,
    5: plan,
    6: since,
    7: until,
    8: accepted,
    9: offer,
    10: unanswered,
    11: answers,
});
stored!(Fix {
    1: at,
    2: time,
    3: speed_mm_s,
    4: heading_cdeg
});
stored!(Elsewhere {
    1: since,
    2: fix,
    3: count
});
stored!(Answers {
    1: accepted,
    2: expired,
    3: declined
});
stored!(Plan {
    1: stops,
    2: departure,
    3: arrived,
    4: last
});
stored!(PlannedStop {
    1: delivery,
    2: kind,
    3: at,
    4: drive
});

stored!(Delivery {
    1: request,
    2: ready_at,
    3: is_ready,
    4: search_from,
    5: search_level,
    6: state,
    7: seq,
    8: driver,
    9: offers,
    10: ride,
    11: etas,
    12: told_dropoff,
    13: revisions,
    14: promised_dropoff,
    15: forecasts,
    16: refusals,
    17: decisions,
});
stored!(DeliveryRequest {
    1: delivery,
    2: pickup,
    3: dropoff,
    4: placed_at,
    5: ready_at
});
stored!(Etas {
    1: pickup,
    2: dropoff,
    3: pickup_band,
    4: dropoff_band,
    5: pickup_drawn,
    6: dropoff_drawn,
});
stored!(EtaBand {
    1: p10,
    2: p50,
    3: p90
});
stored!(Drawn {
    1: p10,
    2: p50,
    3: p90,
    4: promise
});
stored!(Forecasts {
    1: promised,
    2: assigned,
    3: carried
});
stored!(Refusal { 1: driver, 2: at });
stored!(DecisionRecord {
    1: at,
    2: policy,
    3: deliveries,
    4: chosen,
    5: runners_up,
    6: postpone_cost,
    7: orders_considered,
    8: drivers_considered,
    9: traffic_epoch,
    10: rule,
    11: ended,
});
stored!(Alternative {
    1: driver,
    2: pickup_eta,
    3: cost,
    4: price
});
stored!(CostTerms {
    1: customer_delay,
    2: overage,
    3: driving,
    4: driver_wait,
    5: food_wait,
    6: detour,
    7: beyond_guarantee,
    8: declined_before,
    9: silence,
    10: may_decline,
});

stored!(Proposal {
    1: driver,
    2: deliveries,
    3: stops,
    4: departure,
    5: record,
    6: offers_at_once,
} derived {
    further: Vec::new(),
});

stored!(OpenOffer {
    1: offer,
    2: plan,
    3: received_at
});
stored!(Offer {
    1: offer,
    2: driver,
    3: deliveries,
    4: stops,
    5: expires_at
});
stored!(OfferEnd { 1: at, 2: outcome });
stored!(Stop {
    1: delivery,
    2: kind,
    3: at,
    4: eta
});
stored!(Advice { 1: to, 2: arrival });
stored!(Counters {
    1: inputs,
    2: rejections,
    3: fixes,
    4: rounds,
    5: offers,
    6: offers_received,
    7: offers_accepted,
    8: offers_declined,
    9: offers_expired,
    10: offers_expired_unreceived,
    11: offers_withdrawn,
    12: advices,
    13: releases,
    14: assigned_by_hand,
    15: round_orders_left_out = 0,
    16: proposals_without_order = 0,
    17: proposals_without_driver = 0,
    18: proposals_of_old_plans = 0,
});

stored_names! {
    Duty { 0: On, 1: Off, 2: Lost }
    StopKind { 0: Pickup, 1: Dropoff }
    DeliveryState {
        0: Searching,
        1: Offered,
        2: Assigned,
        3: AtRestaurant,
        4: PickedUp,
        5: AtCustomer,
        6: DroppedOff,
        7: Cancelled,
        8: NoDriver,
    }
    DeclineReason { 0: Unspecified, 1: TooFar, 2: Break, 3: Vehicle, 4: Other }
    RevokeReason {
        0: Expired,
        1: Cancelled,
        2: OffDuty,
        3: DriverLost,
        4: TakenByAnother,
        5: AssignedByHand,
    }
    Matching { 0: Nearest, 1: Mdrp, 2: FoodMatch, 3: Doorstep }
    Rule {
        0: DepartureDue,
        1: Late,
        2: LastChanceToJoin,
        3: FirstCome,
        4: Final,
        5: Partial,
        6: Overdue,
        7: AssignedByHand,
    }
}

/// A type around one value.
macro_rules! stored_inside {
    ($($type:ident: |$of:ident| $inner:expr, |$value:ident: $plain:ty| $wrap:expr;)+) => {$(
        impl Stored for $type {
            fn store(&self, out: &mut Vec<u8>) {
                let $of = self;
                $inner.store(out);
            }

            fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
                let $value = <$plain>::load(input)?;
                Ok($wrap)
            }
        }
    )+};
}

stored_inside! {
    DriverId: |id| id.0, |id: u64| Self(id);
    OfferId: |id| id.0, |id: u64| Self(id);
    DeliveryId: |id| id.0, |id: u128| Self(id);
    Time: |time| time.as_millis(), |millis: u64| Self::from_millis(millis);
    TravelTime: |time| time.as_millis(), |millis: u32| Self::from_millis(millis);
    LatLng: |at| (at.lat_e7(), at.lng_e7()), |at: (i32, i32)| Self::from_e7(at.0, at.1);
}

impl Stored for CellIndex {
    fn store(&self, out: &mut Vec<u8>) {
        u64::from(*self).store(out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let cell = u64::load(input)?;
        Self::try_from(cell).map_err(|_| input.unknown("a cell", cell))
    }
}

impl Stored for Outcome {
    fn store(&self, out: &mut Vec<u8>) {
        match self {
            Self::Accepted => out.push(0),
            Self::Declined(reason) => {
                out.push(1);
                reason.store(out);
            }
            Self::Expired => out.push(2),
            Self::Withdrawn(why) => {
                out.push(3);
                why.store(out);
            }
        }
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(match input.take(1)?[0] {
            0 => Self::Accepted,
            1 => Self::Declined(Stored::load(input)?),
            2 => Self::Expired,
            3 => Self::Withdrawn(Stored::load(input)?),
            other => return Err(input.unknown("Outcome", u64::from(other))),
        })
    }
}

impl Stored for Timer {
    fn store(&self, out: &mut Vec<u8>) {
        match self {
            Self::OfferExpires(offer) => {
                out.push(0);
                offer.store(out);
            }
            Self::GraceEnds(driver) => {
                out.push(1);
                driver.store(out);
            }
            Self::SearchEnds(delivery) => {
                out.push(2);
                delivery.store(out);
            }
            Self::SearchWidens(delivery) => {
                out.push(3);
                delivery.store(out);
            }
        }
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(match input.take(1)?[0] {
            0 => Self::OfferExpires(Stored::load(input)?),
            1 => Self::GraceEnds(Stored::load(input)?),
            2 => Self::SearchEnds(Stored::load(input)?),
            3 => Self::SearchWidens(Stored::load(input)?),
            other => return Err(input.unknown("Timer", u64::from(other))),
        })
    }
}
