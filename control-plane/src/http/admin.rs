//! What operators read and repair.

use axum::Json;
use axum::extract::State;
use doorstep_api::admin::{
    AccountBalance, ClickToDoor, CurrencyBalance, LedgerBalance, OrdersSummary, RebuildReport,
};
use doorstep_api::number::Amount;

use crate::app::AppState;
use crate::domain::order;
use crate::platform::extract::Caller;
use crate::platform::problem::Problem;
use crate::store::figures::Bucket;

/// The most accounts shown at once.
const ACCOUNTS_MAX: u32 = 1_000;

/// Count the orders by state.
///
/// With the click-to-door time of the delivered ones.
#[utoipa::path(get, path = "/v1/admin/orders/summary", tag = "admin", security(("bearer" = [])),
    responses((status = 200, description = "The counts.", body = OrdersSummary),
              (status = 403, description = "`wrong_role`: this needs an admin's token.")))]
pub(crate) async fn orders_summary(
    State(app): State<AppState>,
    caller: Caller,
) -> Result<Json<OrdersSummary>, Problem> {
    caller.admin()?;
    let by_state: std::collections::BTreeMap<String, i64> = app
        .store
        .orders
        .orders_by_state()
        .await?
        .into_iter()
        .collect();
    let click_to_door = click_to_door(&app.store.orders.click_to_door().await?);
    let count = |wanted: fn(order::State) -> bool| {
        order::State::ALL
            .into_iter()
            .filter(|&state| wanted(state))
            .filter_map(|state| by_state.get(state.as_str()))
            .sum()
    };
    Ok(Json(OrdersSummary {
        placed: by_state.values().sum(),
        delivered: count(|state| state == order::State::Delivered),
        cancelled: count(|state| state.is_end() && state != order::State::Delivered),
        open: count(|state| !state.is_end()),
        by_state: order::State::ALL
            .into_iter()
            .filter_map(|state| Some((state.into(), *by_state.get(state.as_str())?)))
            .collect(),
        click_to_door_min: click_to_door,
    }))
}

/// Mean, exact, and nearest-rank 90th percentile, as the mean of its bucket of ten seconds.
#[allow(
    clippy::cast_precision_loss,
    reason = "sums of durations up to 285,000 years fit a float exactly"
)]
fn click_to_door(buckets: &[Bucket]) -> ClickToDoor {
    let minutes = |ms: i64, orders: i64| (ms as f64 / orders as f64 / 600.0).round() / 100.0;
    let orders: i64 = buckets.iter().map(|bucket| bucket.orders).sum();
    let total_ms: i64 = buckets.iter().map(|bucket| bucket.total_ms).sum();
    let rank = orders - orders / 10;
    let mut below = 0;
    let holds_rank = buckets.iter().find(|bucket| {
        below += bucket.orders;
        below >= rank
    });
    ClickToDoor {
        mean: (orders > 0).then(|| minutes(total_ms, orders)),
        p90: holds_rank.map(|bucket| minutes(bucket.total_ms, bucket.orders)),
    }
}

/// Check whether the ledger balances.
#[utoipa::path(get, path = "/v1/admin/ledger/balance", tag = "admin", security(("bearer" = [])),
    responses((status = 200, description = "The balances.", body = LedgerBalance),
              (status = 403, description = "`wrong_role`: this needs an admin's token.")))]
pub(crate) async fn ledger_balance(
    State(app): State<AppState>,
    caller: Caller,
) -> Result<Json<LedgerBalance>, Problem> {
    caller.admin()?;
    let balances = app.store.money.balances().await?;
    let accounts = app.store.money.accounts(ACCOUNTS_MAX).await?;
    Ok(Json(LedgerBalance {
        balanced: balances.iter().all(|balance| balance.balance_minor == 0),
        balances: balances
            .into_iter()
            .map(|balance| CurrencyBalance {
                currency: balance.currency.into(),
                balance_minor: Amount(balance.balance_minor),
                entries: balance.entries,
            })
            .collect(),
        accounts: accounts
            .into_iter()
            .map(|(account, currency, balance_minor)| AccountBalance {
                account,
                currency: currency.into(),
                balance_minor: Amount(balance_minor),
            })
            .collect(),
    }))
}

/// Rebuild the read index.
///
/// Folds the log of every order, compares the result with the read index and replaces the rows that differ.
#[utoipa::path(post, path = "/v1/admin/read-index/rebuild", tag = "admin", security(("bearer" = [])),
    responses((status = 200, description = "What was compared and replaced.", body = RebuildReport),
              (status = 403, description = "`wrong_role`: this needs an admin's token.")))]
pub(crate) async fn rebuild_read_index(
    State(app): State<AppState>,
    caller: Caller,
) -> Result<Json<RebuildReport>, Problem> {
    caller.admin()?;
    let rebuilt = app.store.orders.rebuild_index().await?;
    Ok(Json(RebuildReport {
        orders: rebuilt.orders,
        differing: rebuilt.differing,
    }))
}
