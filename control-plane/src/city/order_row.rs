//! One order as the page shows it: its state in the reader's words, whether it is late, when each step happened.

use super::message::{OrderRow, Shown};
use crate::domain::delivery::Phase;
use crate::domain::order::State;
use crate::domain::summary::OrderSummary;

/// An order is late when it is, or will be, at the door later than this after it was placed.
const DUE_AFTER_MS: i64 = 45 * 60_000;

/// The row of an order; `before` is its last row, from which the times of earlier steps are kept if the same driver took them.
pub(crate) fn order_row(
    summary: &OrderSummary,
    before: Option<&OrderRow>,
    now_ms: i64,
) -> OrderRow {
    let state = shown(summary);
    let happened = summary.updated_at_ms;
    let rank = progress(state);
    let step =
        |kept: Option<i64>, needed: u8| kept.or_else(|| (rank == Some(needed)).then_some(happened));
    let id = summary.order_id.to_string();
    let driver = summary.driver_id.map(|id| id.to_string());
    let before = before.filter(|row| row.driver == driver);
    let mut row = OrderRow {
        code: code(&id),
        id,
        restaurant: summary.restaurant_name.clone(),
        from: summary.pickup,
        to: summary.dropoff,
        state,
        placed: summary.placed_at_ms,
        due: summary.placed_at_ms + DUE_AFTER_MS,
        eta: summary.dropoff_eta_ms,
        band: summary.dropoff_band.map(|band| (band.p10_ms, band.p90_ms)),
        promised: summary.promised_dropoff_ms,
        driver,
        late: false,
        hard: state == Shown::Searching && summary.search_level > 0,
        assigned: step(before.and_then(|row| row.assigned), 1),
        at_restaurant: step(before.and_then(|row| row.at_restaurant), 2),
        picked_up: step(before.and_then(|row| row.picked_up), 3),
        over: state
            .is_over()
            .then(|| summary.delivered_at_ms.unwrap_or(happened)),
    };
    update_late(&mut row, now_ms);
    row
}

/// Says whether the order became late or is no longer.
pub(crate) fn update_late(row: &mut OrderRow, now_ms: i64) -> bool {
    let expected = row.eta.map_or(now_ms, |eta| eta.max(now_ms));
    let late = row.over.is_none() && expected > row.due;
    std::mem::replace(&mut row.late, late) != late
}

fn shown(summary: &OrderSummary) -> Shown {
    match summary.state {
        State::Delivered => Shown::Delivered,
        State::PaymentFailed | State::Rejected | State::Expired | State::Cancelled => {
            Shown::Cancelled
        }
        State::PendingPayment
        | State::Placed
        | State::Accepted
        | State::Ready
        | State::PickedUp => match summary.delivery_state {
            Phase::Requested | Phase::Searching | Phase::Offered => Shown::Searching,
            Phase::Assigned => Shown::ToRestaurant,
            Phase::AtRestaurant => Shown::Waiting,
            Phase::PickedUp => Shown::ToCustomer,
            Phase::AtCustomer | Phase::DroppedOff => Shown::AtDoor,
            Phase::NotRequested | Phase::Cancelled | Phase::NoDriver => Shown::Placed,
        },
    }
}

/// Which of the timed steps a state is; `None` where no step is timed.
fn progress(state: Shown) -> Option<u8> {
    match state {
        Shown::ToRestaurant => Some(1),
        Shown::Waiting => Some(2),
        Shown::ToCustomer => Some(3),
        Shown::Placed | Shown::Searching | Shown::AtDoor | Shown::Delivered | Shown::Cancelled => {
            None
        }
    }
}

/// The last four characters of an id, which are its random end.
fn code(id: &str) -> String {
    let tail = id
        .char_indices()
        .rev()
        .nth(3)
        .map_or(id, |(at, _)| &id[at..]);
    format!("#{}", tail.to_uppercase())
}

#[cfg(test)]
pub(super) mod tests {
    use uuid::Uuid;

    use super::order_row;
    use crate::domain::delivery::Phase;
    use crate::domain::ids::{CustomerId, DriverId, OrderId, QuoteId, RestaurantId};
    use crate::domain::money::Currency;
    use crate::domain::order::State;
    use crate::domain::payment;
    use crate::domain::place::Place;
    use crate::domain::summary::OrderSummary;

    /// An order of which only this much matters.
    pub(in crate::city) fn order(
        number: u128,
        state: State,
        delivery_state: Phase,
        placed_at_ms: i64,
    ) -> OrderSummary {
        let id = Uuid::from_u128(number);
        OrderSummary {
            order_id: OrderId::from_uuid(id),
            seq: 1,
            customer_id: CustomerId::from_uuid(id),
            restaurant_id: RestaurantId::from_uuid(id),
            restaurant_name: format!("Grill <{number}>"),
            quote_id: QuoteId::from_uuid(id),
            state,
            is_provisional: false,
            payment_state: payment::Phase::Captured,
            delivery_state,
            driver_id: Some(DriverId::new(9_007_199_254_740_993)),
            pickup: Place {
                lat_e7: 359_000_000,
                lng_e7: 145_000_000,
            },
            dropoff: Place {
                lat_e7: 359_100_000,
                lng_e7: 145_100_000,
            },
            lines: Vec::new(),
            items_minor: 1_000,
            delivery_fee_minor: 200,
            total_minor: 1_200,
            currency: Currency::EUR,
            placed_at_ms,
            ready_at_ms: None,
            pickup_eta_ms: None,
            dropoff_eta_ms: None,
            pickup_band: None,
            dropoff_band: None,
            promised_dropoff_ms: None,
            search_level: 0,
            delivered_at_ms: None,
            deadline_ms: None,
            updated_at_ms: placed_at_ms,
        }
    }

    #[test]
    fn an_order_is_hard_to_place_until_somebody_takes_it_or_it_is_over() {
        let hard = |search_level, state, delivery_state| {
            let mut order = order(1, state, delivery_state, 0);
            order.search_level = search_level;
            order_row(&order, None, 0).hard
        };
        assert!(!hard(0, State::Accepted, Phase::Searching));
        assert!(hard(1, State::Accepted, Phase::Searching));
        assert!(hard(2, State::Accepted, Phase::Offered));
        assert!(!hard(0, State::Accepted, Phase::Assigned));
        assert!(!hard(2, State::Cancelled, Phase::Searching));
    }
}
