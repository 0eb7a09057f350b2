//! Takes what the payment gateway reports into an order's log: for the payment worker and for webhooks.

use crate::app::App;
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::Command;
use crate::domain::payment::{self, Phase};
use crate::domain::scope::Scope;
use crate::gateway::{GatewayPayment, Outcome};
use crate::store::CommandError;

/// Takes what the gateway reports about a payment into the order's log; false while it is not decided.
pub(crate) async fn conclude(
    app: &App,
    id: OrderId,
    found: &GatewayPayment,
) -> Result<bool, CommandError> {
    match found.outcome {
        Outcome::Pending => Ok(false),
        Outcome::Declined => decline(app, id, "declined by the gateway").await,
        Outcome::Captured => {
            let capture = payment::Command::Capture {
                gateway_payment_id: found.gateway_payment_id.clone(),
                amount: found.amount,
            };
            let summary = app
                .command(Scope::Admin, id, Command::Payment(capture))
                .await?;
            if summary.payment_state == Phase::Disputed {
                tracing::error!(order = %id, captured = found.amount.minor, "the gateway captured another amount");
            }
            Ok(true)
        }
    }
}

/// Notes that the money will not come.
pub(crate) async fn decline(app: &App, id: OrderId, why: &str) -> Result<bool, CommandError> {
    let decline = payment::Command::Decline {
        why: why.to_owned(),
    };
    app.command(Scope::Admin, id, Command::Payment(decline))
        .await?;
    Ok(true)
}
