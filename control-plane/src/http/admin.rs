//! What the operator asks.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::domain::order;
use crate::platform::extract::Caller;
use crate::platform::problem::{Problem, ProblemBody};
use crate::store::figures::Bucket;

/// The most accounts shown at once.
const ACCOUNTS_MAX: u32 = 1_000;

/// How the orders stand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrdersSummary {
    /// All that were ever acknowledged.
    placed: i64,
    delivered: i64,
    /// Ended without being delivered, for whatever reason.
    cancelled: i64,
    /// Not ended.
    open: i64,
    /// Orders in each state that has any.
    by_state: std::collections::BTreeMap<String, i64>,
    /// City minutes from placed to dropped off.
    click_to_door_min: ClickToDoor,
}

/// City minutes; absent while nothing is delivered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClickToDoor {
    mean: Option<f64>,
    /// Off by less than ten seconds.
    p90: Option<f64>,
}

/// Counts by state, and how long delivered orders took.
#[utoipa::path(get, path = "/v1/admin/orders/summary", tag = "admin", security(("bearer" = [])),
    responses((status = 200, body = OrdersSummary), (status = 403, body = ProblemBody)))]
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
        by_state,
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

/// The books.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerBalance {
    /// Whether every currency sums to zero.
    balanced: bool,
    balances: Vec<CurrencyBalance>,
    /// What each account holds, up to 1,000 of them.
    accounts: Vec<AccountBalance>,
}

/// The sum of all entries of a currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurrencyBalance {
    currency: String,
    /// Must be 0.
    balance_minor: i64,
    entries: i64,
}

/// What one account holds; what we owe is negative.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountBalance {
    account: String,
    currency: String,
    balance_minor: i64,
}

/// Whether the books balance.
#[utoipa::path(get, path = "/v1/admin/ledger/balance", tag = "admin", security(("bearer" = [])),
    responses((status = 200, body = LedgerBalance), (status = 403, body = ProblemBody)))]
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
                currency: balance.currency,
                balance_minor: balance.balance_minor,
                entries: balance.entries,
            })
            .collect(),
        accounts: accounts
            .into_iter()
            .map(|(account, currency, balance_minor)| AccountBalance {
                account,
                currency,
                balance_minor,
            })
            .collect(),
    }))
}

/// What a rebuild found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RebuildReport {
    /// Orders in the log.
    orders: u64,
    /// Orders whose row differed from the fold of their log; they are put right.
    differing: u64,
}

/// Folds the log anew, compares it with the read index, and puts right what differs.
#[utoipa::path(post, path = "/v1/admin/read-index/rebuild", tag = "admin", security(("bearer" = [])),
    responses((status = 200, body = RebuildReport), (status = 403, body = ProblemBody)))]
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
