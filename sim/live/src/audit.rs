//! Afterwards: what became of every order that was acknowledged.

use doorstep_sim::kpi::Quantiles;
use doorstep_sim::{DeliveryId, Span};
use futures::StreamExt;
use reqwest::StatusCode;

use doorstep_api::orders::{OrderState, OrderView};

use crate::api::{Api, ApiError, is_off, order_path};
use crate::config::LiveConfig;
use crate::report::{AcknowledgedOrder, Audit, LiveReport};
use crate::setup;

/// Requests under way.
const PARALLEL: usize = 16;
/// An order that had so much city time is due.
const DUE_AFTER: Span = Span::from_mins(45);

/// Asks the control plane for each acknowledged order, as the operator.
///
/// # Errors
/// When an order cannot be asked for; an order that the control plane does not know is counted as lost.
pub async fn audit(config: &LiveConfig, report: &LiveReport) -> Result<Audit, ApiError> {
    let api = Api::new(&config.control_plane_url, config.request_timeout)?;
    let admin = setup::admin_token(config);
    let mut views = futures::stream::iter(report.acknowledged.iter().copied())
        .map(|order| view(&api, &admin, order))
        .buffer_unordered(PARALLEL);
    let mut audit = Audit {
        ledger_balance: api.ledger_off_balance(&admin).await?,
        ..Audit::default()
    };
    let mut click_to_door = Vec::new();
    while let Some(answer) = views.next().await {
        let (order, view) = answer?;
        let state = view.as_ref().map(|view| view.state);
        count(&mut audit, order, state, report.ended_at_ms);
        if let Some(at) = view
            .filter(|view| view.state == OrderState::Delivered)
            .and_then(|view| u64::try_from(view.delivered_at_ms?.0).ok())
        {
            click_to_door.push(Span::from_millis(at.saturating_sub(order.placed_at_ms)));
        }
    }
    let click_to_door = Quantiles::of_minutes(click_to_door);
    audit.click_to_door_min_mean = click_to_door.mean;
    audit.click_to_door_min_p90 = click_to_door.p90;
    Ok(audit)
}

async fn view(
    api: &Api,
    admin: &str,
    order: AcknowledgedOrder,
) -> Result<(AcknowledgedOrder, Option<OrderView>), ApiError> {
    match api
        .order_view(admin, &order_path(DeliveryId(order.order.as_u128())))
        .await
    {
        Ok(view) => Ok((order, Some(view))),
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok((order, None)),
        Err(error) => Err(error),
    }
}

fn count(audit: &mut Audit, order: AcknowledgedOrder, state: Option<OrderState>, ended_at_ms: u64) {
    if state == Some(OrderState::PaymentFailed) {
        audit.cards_declined += 1;
        return;
    }
    let delivered = state == Some(OrderState::Delivered);
    audit.placed += 1;
    audit.delivered += u64::from(delivered);
    audit.cancelled += u64::from(state.is_some_and(is_off));
    audit.open += u64::from(state.is_some_and(|state| !state.is_end()));
    audit.lost += u64::from(state.is_none());
    if order.placed_at_ms + DUE_AFTER.as_millis() < ended_at_ms {
        audit.due += 1;
        audit.due_delivered += u64::from(delivered);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{AcknowledgedOrder, Audit, OrderState, count};

    fn counted(state: Option<OrderState>, placed_at_ms: u64) -> Audit {
        let mut audit = Audit::default();
        let order = AcknowledgedOrder {
            order: Uuid::nil(),
            placed_at_ms,
        };
        count(&mut audit, order, state, 10_000_000);
        audit
    }

    #[test]
    fn every_order_is_counted_once() {
        let placed = Audit {
            placed: 1,
            ..Audit::default()
        };
        assert_eq!(
            counted(Some(OrderState::Delivered), 9_999_999),
            Audit {
                delivered: 1,
                ..placed
            }
        );
        assert_eq!(
            counted(Some(OrderState::Cancelled), 9_999_999),
            Audit {
                cancelled: 1,
                ..placed
            }
        );
        assert_eq!(
            counted(Some(OrderState::PickedUp), 9_999_999),
            Audit { open: 1, ..placed }
        );
        assert_eq!(counted(None, 9_999_999), Audit { lost: 1, ..placed });
        assert_eq!(
            counted(Some(OrderState::PaymentFailed), 0),
            Audit {
                cards_declined: 1,
                ..Audit::default()
            }
        );
    }

    #[test]
    fn an_order_is_due_after_three_quarters_of_an_hour() {
        assert_eq!(
            counted(Some(OrderState::Delivered), 10_000_000 - 45 * 60_000).due,
            0
        );
        let audit = counted(Some(OrderState::Delivered), 10_000_000 - 45 * 60_000 - 1);
        assert_eq!((audit.due, audit.due_delivered), (1, 1));
        let audit = counted(Some(OrderState::Ready), 0);
        assert_eq!((audit.due, audit.due_delivered), (1, 0));
    }
}
