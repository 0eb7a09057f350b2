//! What the operator asks.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::domain::order;
use crate::platform::extract::Caller;
use crate::platform::problem::{Problem, ProblemBody};

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
    let took_ms = app.store.orders.click_to_door().await?;
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
        click_to_door_min: click_to_door(&took_ms),
    }))
}

/// Mean and nearest-rank 90th percentile of ascending durations.
#[allow(
    clippy::cast_precision_loss,
    reason = "durations of less than a century fit a float exactly"
)]
fn click_to_door(took_ms: &[i64]) -> ClickToDoor {
    let minutes = |ms: f64| (ms / 600.0).round() / 100.0;
    let rank = (took_ms.len() * 9).div_ceil(10);
    let mean = took_ms.iter().sum::<i64>() as f64 / took_ms.len().max(1) as f64;
    ClickToDoor {
        mean: (!took_ms.is_empty()).then(|| minutes(mean)),
        p90: rank
            .checked_sub(1)
            .map(|index| minutes(took_ms[index] as f64)),
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
