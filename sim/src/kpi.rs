//! The figures of a run.

mod etas;

use std::collections::BTreeMap;

use doorstep_dispatch_core::{DeliveryId, DeliveryState, Span, Time};
use serde::Serialize;

use self::etas::Promised;
pub use self::etas::{EtaFigures, ToldFigures};

use crate::actors::Worked;
use crate::record::CityEvent;

/// Later than this after the click an order counts as late.
const LATE: Span = Span::from_mins(40);

/// Figures of a run; times in minutes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kpis {
    /// What became of the orders.
    pub orders: OrderCounts,
    /// Share of the orders nobody called off that were not delivered.
    pub undelivered_share: f64,
    /// Share of the delivered orders that took more than forty minutes.
    pub late_share: f64,
    /// From the order to the door.
    pub click_to_door_min: Quantiles,
    /// From the food being ready to the driver having it.
    pub ready_to_pickup_min: Quantiles,
    /// From the restaurant's yes to a driver's yes.
    pub accepted_to_assigned_min: Quantiles,
    /// What customers were told about the dropoff, held against when it came.
    pub etas: EtaFigures,
    /// Drivers and their time.
    pub drivers: DriverFigures,
    /// Offers and their answers.
    pub offers: OfferCounts,
    /// Idle drivers told to wait elsewhere.
    pub advices: u64,
    /// Pings sent.
    pub pings: u64,
}

/// What became of the orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OrderCounts {
    /// Ordered and paid.
    pub placed: u64,
    /// At the door.
    pub delivered: u64,
    /// Called off by the customer.
    pub cancelled: u64,
    /// Refused by the restaurant.
    pub rejected: u64,
    /// Given up for want of a driver.
    pub no_driver: u64,
    /// Under way at the end.
    pub open: u64,
    /// Not placed: the card was declined.
    pub cards_declined: u64,
}

/// Drivers and their time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct DriverFigures {
    /// Who worked at all.
    pub count: u64,
    /// Hours on duty, all drivers together.
    pub on_duty_hours: f64,
    /// Hours with an order to fetch or carry.
    pub busy_hours: f64,
    /// Busy hours a duty hour.
    pub utilization: f64,
    /// Delivered orders a duty hour.
    pub orders_per_driver_hour: f64,
}

/// Offers and their answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OfferCounts {
    /// Offers sent to drivers.
    pub made: u64,
    /// Answered yes in time.
    pub accepted: u64,
    /// Answered no in time.
    pub declined: u64,
    /// Not answered in time.
    pub expired: u64,
    /// Taken back for another reason.
    pub revoked: u64,
}

/// A distribution in short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median, in the unit of the whole.
    pub p50: f64,
    /// Nine of ten are at most this.
    pub p90: f64,
}

impl Quantiles {
    /// The distribution of some spans, in minutes; all zero for none. Quantiles are values that occurred (nearest rank).
    #[must_use]
    pub fn of_minutes(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        let Some(last) = spans.len().checked_sub(1) else {
            return Self::default();
        };
        let minutes = |span: Span| span.as_millis() as f64 / 60_000.0;
        let rank = |per_cent: usize| {
            minutes(spans[((last + 1) * per_cent).div_ceil(100).saturating_sub(1)])
        };
        let total: u64 = spans.iter().map(|span| span.as_millis()).sum();
        Self {
            count: spans.len() as u64,
            mean: total as f64 / 60_000.0 / spans.len() as f64,
            p50: rank(50),
            p90: rank(90),
        }
    }
}

/// Collects the figures while the run goes on.
#[derive(Debug, Default)]
pub(crate) struct KpiCollector {
    orders: BTreeMap<DeliveryId, Times>,
    cards_declined: u64,
    pub(crate) offers: OfferCounts,
    pub(crate) advices: u64,
    pub(crate) pings: u64,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    placed: Time,
    accepted: Option<Time>,
    assigned: Option<Time>,
    ready: Option<Time>,
    picked_up: Option<Time>,
    dropped_off: Option<Time>,
    told: Promised,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Cancelled,
    Rejected,
    NoDriver,
}

impl KpiCollector {
    pub(crate) fn observe(&mut self, now: Time, event: &CityEvent) {
        if let CityEvent::CardDeclined { .. } = event {
            self.cards_declined += 1;
            return;
        }
        let times = self.orders.entry(event.order()).or_insert(Times {
            placed: now,
            accepted: None,
            assigned: None,
            ready: None,
            picked_up: None,
            dropped_off: None,
            told: Promised::default(),
            end: None,
        });
        if let CityEvent::Delivery(change) = event {
            times.told.observe(change);
        }
        match event {
            CityEvent::Placed { .. }
            | CityEvent::CardDeclined { .. }
            | CityEvent::HandedOver { .. } => {}
            CityEvent::Accepted { .. } => times.accepted = Some(now),
            CityEvent::Rejected { .. } => times.end = Some(End::Rejected),
            CityEvent::Ready { .. } => times.ready = Some(now),
            CityEvent::Withdrawn { .. } => times.end = Some(End::Cancelled),
            CityEvent::Undeliverable { .. } => times.end = Some(End::NoDriver),
            CityEvent::Delivery(change) => match change.state {
                DeliveryState::Assigned => times.assigned = times.assigned.or(Some(now)),
                DeliveryState::PickedUp => times.picked_up = times.picked_up.or(Some(now)),
                DeliveryState::DroppedOff => {
                    times.dropped_off = Some(now);
                    times.end = Some(End::Delivered);
                }
                DeliveryState::Cancelled => times.end = Some(End::Cancelled),
                DeliveryState::NoDriver => times.end = Some(End::NoDriver),
                DeliveryState::Searching
                | DeliveryState::Offered
                | DeliveryState::AtRestaurant
                | DeliveryState::AtCustomer => {}
            },
        }
    }

    /// Orders whose end is not known yet.
    pub(crate) fn open(&self) -> usize {
        self.orders
            .values()
            .filter(|times| times.end.is_none())
            .count()
    }

    /// `promise_share` of the promises should be kept.
    pub(crate) fn finish(self, worked: &[Worked], promise_share: f64) -> Kpis {
        let orders = self.order_counts();
        let spans =
            |from: fn(&Times) -> Option<Time>, to: fn(&Times) -> Option<Time>| -> Vec<Span> {
                self.orders
                    .values()
                    .filter_map(|times| Some(to(times)?.since(from(times)?)))
                    .collect()
            };
        let click_to_door = spans(|times| Some(times.placed), |times| times.dropped_off);
        let late = click_to_door.iter().filter(|&&span| span > LATE).count() as u64;
        let wanted = orders.placed - orders.cancelled - orders.rejected;
        Kpis {
            undelivered_share: share(orders.no_driver + orders.open, wanted),
            late_share: share(late, orders.delivered),
            click_to_door_min: Quantiles::of_minutes(click_to_door),
            ready_to_pickup_min: Quantiles::of_minutes(spans(
                |times| times.ready,
                |times| times.picked_up,
            )),
            accepted_to_assigned_min: Quantiles::of_minutes(spans(
                |times| times.accepted,
                |times| times.assigned,
            )),
            etas: self.eta_figures(promise_share),
            drivers: driver_figures(worked, orders.delivered),
            offers: self.offers,
            advices: self.advices,
            pings: self.pings,
            orders,
        }
    }

    fn eta_figures(&self, promise_share: f64) -> EtaFigures {
        let delivered = self
            .orders
            .values()
            .filter_map(|times| Some((times.told, times.dropped_off?)));
        EtaFigures::of(&delivered.collect::<Vec<_>>(), promise_share)
    }

    fn order_counts(&self) -> OrderCounts {
        let ended = |end: Option<End>| {
            self.orders
                .values()
                .filter(|times| times.end == end)
                .count() as u64
        };
        OrderCounts {
            placed: self.orders.len() as u64,
            delivered: ended(Some(End::Delivered)),
            cancelled: ended(Some(End::Cancelled)),
            rejected: ended(Some(End::Rejected)),
            no_driver: ended(Some(End::NoDriver)),
            open: ended(None),
            cards_declined: self.cards_declined,
        }
    }
}

fn driver_figures(worked: &[Worked], delivered: u64) -> DriverFigures {
    let hours = |millis: u64| millis as f64 / 3_600_000.0;
    let on_duty: u64 = worked.iter().map(|worked| worked.on_duty.as_millis()).sum();
    let busy: u64 = worked.iter().map(|worked| worked.busy.as_millis()).sum();
    DriverFigures {
        count: worked
            .iter()
            .filter(|worked| worked.on_duty > Span::ZERO)
            .count() as u64,
        on_duty_hours: hours(on_duty),
        busy_hours: hours(busy),
        utilization: share(busy, on_duty),
        orders_per_driver_hour: if on_duty == 0 {
            0.0
        } else {
            delivered as f64 / hours(on_duty)
        },
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::Span;

    use super::Quantiles;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let spans = (1..=10).rev().map(Span::from_mins).collect();
        let quantiles = Quantiles::of_minutes(spans);
        assert_eq!(
            (
                quantiles.count,
                quantiles.mean,
                quantiles.p50,
                quantiles.p90
            ),
            (10, 5.5, 5.0, 9.0)
        );
        assert_eq!(Quantiles::of_minutes(Vec::new()).count, 0);
        assert_eq!(Quantiles::of_minutes(vec![Span::from_mins(3)]).p90, 3.0);
    }
}
