//! Conversions between the domain and the JSON bodies of the interface.

use doorstep_api::ids;
use doorstep_api::number::{Amount, UnixMs};
use doorstep_api::orders::{DeliveryState, LineView, OrderState, OrderView, PaymentState};
use doorstep_api::place::{EtaBandView, PlaceView};

use crate::domain::delivery::{EtaBand, Phase as DeliveryPhase};
use crate::domain::ids::DriverId;
use crate::domain::money::Currency;
use crate::domain::order::State;
use crate::domain::payment::Phase as PaymentPhase;
use crate::domain::place::Place;
use crate::domain::pricing::Line;
use crate::domain::summary::OrderSummary;
use crate::platform::problem::Problem;

/// The position of a request, or 422 with `param` as the field that is wrong.
pub(crate) fn checked_place(at: PlaceView, param: &'static str) -> Result<Place, Problem> {
    Place::from_degrees(at.lat.0, at.lng.0)
        .map_err(|error| Problem::unprocessable("invalid_place", error.to_string()).param(param))
}

/// A position in degrees.
pub(crate) fn place_view(place: Place) -> PlaceView {
    PlaceView::new(place.lat(), place.lng())
}

/// The code of a currency.
pub(crate) fn currency(currency: Currency) -> doorstep_api::text::Currency {
    currency.to_string().into()
}

impl From<EtaBand> for EtaBandView {
    fn from(band: EtaBand) -> Self {
        let EtaBand {
            p10_ms,
            p50_ms,
            p90_ms,
        } = band;
        Self {
            p10_ms: UnixMs(p10_ms),
            p50_ms: UnixMs(p50_ms),
            p90_ms: UnixMs(p90_ms),
        }
    }
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        Self {
            item_id: ids::ItemId::from_uuid(line.item_id.uuid()),
            name: line.name.clone(),
            quantity: line.quantity,
            price_minor: Amount(line.price_minor),
            total_minor: Amount(line.total_minor),
        }
    }
}

impl From<State> for OrderState {
    fn from(state: State) -> Self {
        match state {
            State::PendingPayment => Self::PendingPayment,
            State::Placed => Self::Placed,
            State::Accepted => Self::Accepted,
            State::Ready => Self::Ready,
            State::PickedUp => Self::PickedUp,
            State::Delivered => Self::Delivered,
            State::PaymentFailed => Self::PaymentFailed,
            State::Rejected => Self::Rejected,
            State::Expired => Self::Expired,
            State::Cancelled => Self::Cancelled,
        }
    }
}

impl From<PaymentPhase> for PaymentState {
    fn from(phase: PaymentPhase) -> Self {
        match phase {
            PaymentPhase::Created => Self::Created,
            PaymentPhase::Sent => Self::Sent,
            PaymentPhase::Captured => Self::Captured,
            PaymentPhase::RefundDue => Self::RefundDue,
            PaymentPhase::Refunded => Self::Refunded,
            PaymentPhase::Declined => Self::Declined,
            PaymentPhase::Voided => Self::Voided,
            PaymentPhase::Disputed => Self::Disputed,
        }
    }
}

impl From<DeliveryPhase> for DeliveryState {
    fn from(phase: DeliveryPhase) -> Self {
        match phase {
            DeliveryPhase::NotRequested => Self::NotRequested,
            DeliveryPhase::Requested => Self::Requested,
            DeliveryPhase::Searching => Self::Searching,
            DeliveryPhase::Offered => Self::Offered,
            DeliveryPhase::Assigned => Self::Assigned,
            DeliveryPhase::AtRestaurant => Self::AtRestaurant,
            DeliveryPhase::PickedUp => Self::PickedUp,
            DeliveryPhase::AtCustomer => Self::AtCustomer,
            DeliveryPhase::DroppedOff => Self::DroppedOff,
            DeliveryPhase::Cancelled => Self::Cancelled,
            DeliveryPhase::NoDriver => Self::NoDriver,
        }
    }
}

impl From<&OrderSummary> for OrderView {
    fn from(order: &OrderSummary) -> Self {
        Self {
            order_id: ids::OrderId::from_uuid(order.order_id.uuid()),
            seq: order.seq,
            state: order.state.into(),
            payment_state: order.payment_state.into(),
            delivery_state: order.delivery_state.into(),
            customer_id: ids::CustomerId::from_uuid(order.customer_id.uuid()),
            restaurant_id: ids::RestaurantId::from_uuid(order.restaurant_id.uuid()),
            restaurant_name: order.restaurant_name.clone(),
            driver_id: order.driver_id.map(DriverId::number),
            pickup: place_view(order.pickup),
            dropoff: place_view(order.dropoff),
            lines: order.lines.iter().map(Into::into).collect(),
            items_minor: Amount(order.items_minor),
            delivery_fee_minor: Amount(order.delivery_fee_minor),
            total_minor: Amount(order.total_minor),
            currency: currency(order.currency),
            placed_at_ms: UnixMs(order.placed_at_ms),
            ready_at_ms: order.ready_at_ms.map(UnixMs),
            pickup_eta_ms: order.pickup_eta_ms.map(UnixMs),
            dropoff_eta_ms: order.dropoff_eta_ms.map(UnixMs),
            pickup_band: order.pickup_band.map(Into::into),
            dropoff_band: order.dropoff_band.map(Into::into),
            promised_dropoff_ms: order.promised_dropoff_ms.map(UnixMs),
            search_level: order.search_level,
            delivered_at_ms: order.delivered_at_ms.map(UnixMs),
            updated_at_ms: UnixMs(order.updated_at_ms),
        }
    }
}
