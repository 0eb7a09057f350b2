//! Afterwards: what became of every order that was acknowledged.

use doorstep_sim::kpi::Quantiles;
use doorstep_sim::{DeliveryId, Span};
use futures::StreamExt;
use reqwest::StatusCode;

use crate::api::{Api, ApiError, OrderView, order_path};
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
        count(&mut audit, order, view.as_ref(), report.ended_at_ms);
        if let Some(at) = view
            .filter(OrderView::is_delivered)
            .and_then(|view| view.delivered_at_ms)
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

fn count(audit: &mut Audit, order: AcknowledgedOrder, view: Option<&OrderView>, ended_at_ms: u64) {
    if view.is_some_and(OrderView::is_unpaid) {
        audit.cards_declined += 1;
        return;
    }
    let delivered = view.is_some_and(OrderView::is_delivered);
    audit.placed += 1;
    audit.delivered += u64::from(delivered);
    audit.cancelled += u64::from(view.is_some_and(OrderView::is_off));
    audit.open += u64::from(view.is_some_and(OrderView::is_open));
    audit.lost +=
        u64::from(!view.is_some_and(|view| view.is_delivered() || view.is_off() || view.is_open()));
    if order.placed_at_ms + DUE_AFTER.as_millis() < ended_at_ms {
        audit.due += 1;
        audit.due_delivered += u64::from(delivered);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{AcknowledgedOrder, Audit, OrderView, count};

    fn counted(state: Option<&str>, placed_at_ms: u64) -> Audit {
        let mut audit = Audit::default();
        let view = state.map(|state| OrderView {
            order_id: String::new(),
            state: state.to_owned(),
            delivered_at_ms: None,
        });
        let order = AcknowledgedOrder {
            order: Uuid::nil(),
            placed_at_ms,
        };
        count(&mut audit, order, view.as_ref(), 10_000_000);
        audit
    }

    #[test]
    fn every_order_is_counted_once() {
        let placed = Audit {
            placed: 1,
            ..Audit::default()
        };
        assert_eq!(
            counted(Some("delivered"), 9_999_999),
            Audit {
                delivered: 1,
                ..placed
            }
        );
        assert_eq!(
            counted(Some("cancelled"), 9_999_999),
            Audit {
                cancelled: 1,
                ..placed
            }
        );
        assert_eq!(
            counted(Some("picked_up"), 9_999_999),
            Audit { open: 1, ..placed }
        );
        assert_eq!(
            counted(Some("eaten by the dog"), 9_999_999),
            Audit { lost: 1, ..placed }
        );
        assert_eq!(counted(None, 9_999_999), Audit { lost: 1, ..placed });
        assert_eq!(
            counted(Some("payment_failed"), 0),
            Audit {
                cards_declined: 1,
                ..Audit::default()
            }
        );
    }

    #[test]
    fn an_order_is_due_after_three_quarters_of_an_hour() {
        assert_eq!(counted(Some("delivered"), 10_000_000 - 45 * 60_000).due, 0);
        let audit = counted(Some("delivered"), 10_000_000 - 45 * 60_000 - 1);
        assert_eq!((audit.due, audit.due_delivered), (1, 1));
        let audit = counted(Some("ready"), 0);
        assert_eq!((audit.due, audit.due_delivered), (1, 0));
    }
}
