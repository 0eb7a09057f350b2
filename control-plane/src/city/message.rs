//! What the page is sent: one snapshot and then deltas, as JSON.
//!
//! Fields that did not change are left out of a delta. Times are Unix milliseconds of the city's clock.

use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};

use crate::domain::ids::{DriverId, OrderId};
use crate::domain::place::Place;
use crate::drivers::{StopKind, StopSeen};

/// Everything there is to see.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot<'a> {
    pub(crate) seq: u64,
    pub(crate) now: i64,
    pub(crate) speedup: u32,
    pub(crate) offset_s: i32,
    pub(crate) figures: &'a Figures,
    pub(crate) history: Vec<&'a MinuteRow>,
    pub(crate) drivers: Vec<DriverRow>,
    pub(crate) plans: Vec<PlanRow<'a>>,
    pub(crate) orders: Vec<&'a OrderRow>,
}

/// What changed since the message with the number before.
#[derive(Debug, Serialize)]
pub(crate) struct Delta<'a> {
    pub(crate) seq: u64,
    pub(crate) now: i64,
    pub(crate) figures: &'a Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minute: Option<&'a MinuteRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) drivers: Vec<DriverRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) plans: Vec<PlanRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gone: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) orders: Vec<&'a OrderRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) closed: Vec<String>,
}

/// The figures that matter on a busy evening; `None` is not known yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) open: usize,
    pub(crate) late: usize,
    pub(crate) click_to_door_min: Option<f64>,
    pub(crate) drivers_on_duty: usize,
    pub(crate) drivers_idle: usize,
    pub(crate) orders_per_hour: Option<u64>,
    pub(crate) round_ms: Option<f64>,
    /// Whether dispatch answered the last time it was asked.
    pub(crate) dispatch: bool,
}

/// The figures as they were at one minute: a JSON array in the order of the fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MinuteRow(
    /// The minute.
    pub(crate) i64,
    /// Open orders.
    pub(crate) usize,
    /// Late orders.
    pub(crate) usize,
    /// Click-to-door in minutes.
    pub(crate) Option<f64>,
    /// Busy drivers.
    pub(crate) usize,
    /// Matching round in milliseconds.
    pub(crate) Option<f64>,
    /// Orders per hour.
    pub(crate) Option<u64>,
);

/// What a driver is to do: `[driver id, stops]`; no stops: nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanRow<'a>(pub(crate) DriverId, pub(crate) &'a [StopRow]);

impl Serialize for PlanRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0.to_string(), self.1).serialize(serializer)
    }
}

/// One stop: `[order id, kind, ETA]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopRow {
    pub(crate) order: OrderId,
    pub(crate) kind: StopKind,
    pub(crate) eta_ms: u64,
}

impl StopRow {
    pub(crate) fn of(stop: &StopSeen) -> Self {
        Self {
            order: stop.order_id,
            kind: stop.kind,
            eta_ms: stop.eta_ms,
        }
    }
}

impl Serialize for StopRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = match self.kind {
            StopKind::Pickup => "pickup",
            StopKind::Dropoff => "dropoff",
        };
        (self.order, kind, self.eta_ms).serialize(serializer)
    }
}

/// One driver: `[id, lat_e7, lng_e7, state]`. The id is text, for JavaScript's numbers are too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DriverRow {
    pub(crate) id: DriverId,
    pub(crate) at: Place,
    /// 1 idle, 2 to the restaurant, 3 waits there, 4 to the customer.
    pub(crate) state: u8,
}

impl Serialize for DriverRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_tuple(4)?;
        row.serialize_element(&self.id.to_string())?;
        row.serialize_element(&self.at.lat_e7)?;
        row.serialize_element(&self.at.lng_e7)?;
        row.serialize_element(&self.state)?;
        row.end()
    }
}

/// How an order is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    Placed,
    Searching,
    ToRestaurant,
    Waiting,
    ToCustomer,
    AtDoor,
    Delivered,
    Cancelled,
}

impl Shown {
    /// Nothing follows.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Delivered | Self::Cancelled)
    }
}

/// One order with the times of its steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct OrderRow {
    pub(crate) id: String,
    /// Short enough to say aloud.
    pub(crate) code: String,
    pub(crate) restaurant: String,
    #[serde(serialize_with = "pair")]
    pub(crate) from: Place,
    #[serde(serialize_with = "pair")]
    pub(crate) to: Place,
    pub(crate) state: Shown,
    pub(crate) placed: i64,
    /// Later than this is late.
    pub(crate) due: i64,
    pub(crate) eta: Option<i64>,
    /// Eight times of ten it comes between these two.
    pub(crate) band: Option<(i64, i64)>,
    /// What the customer was promised at first.
    pub(crate) promised: Option<i64>,
    pub(crate) driver: Option<String>,
    pub(crate) late: bool,
    /// Nobody has said yes though the search was widened.
    pub(crate) hard: bool,
    pub(crate) assigned: Option<i64>,
    pub(crate) at_restaurant: Option<i64>,
    pub(crate) picked_up: Option<i64>,
    pub(crate) over: Option<i64>,
}

fn pair<S: Serializer>(place: &Place, serializer: S) -> Result<S::Ok, S::Error> {
    [place.lat_e7, place.lng_e7].serialize(serializer)
}
