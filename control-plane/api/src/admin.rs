//! What operators read: counts, the ledger, the result of a rebuild.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::number::Amount;
use crate::orders::OrderState;
use crate::text::Currency;

/// Counts of orders and how long deliveries took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrdersSummary {
    /// All orders that were ever placed.
    pub placed: i64,
    /// Orders that were delivered.
    pub delivered: i64,
    /// Orders that ended without a delivery.
    pub cancelled: i64,
    /// Orders that have not ended.
    pub open: i64,
    /// Number of orders by state; states without orders are left out.
    pub by_state: BTreeMap<OrderState, i64>,
    /// Click-to-door time in minutes.
    pub click_to_door_min: ClickToDoor,
}

/// Minutes from placed to dropped off, of the city's clock; null while nothing is delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClickToDoor {
    /// Mean in minutes; null while nothing was delivered.
    pub mean: Option<f64>,
    /// 90th percentile, nearest rank.
    pub p90: Option<f64>,
}

/// Whether the ledger balances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerBalance {
    /// Whether the entries of every currency sum to zero.
    pub balanced: bool,
    /// Sum of all entries, by currency.
    pub balances: Vec<CurrencyBalance>,
    /// Balance of each account; at most 1,000 of them.
    pub accounts: Vec<AccountBalance>,
}

/// Sum of all entries of a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CurrencyBalance {
    /// Currency, ISO 4217.
    pub currency: Currency,
    /// Sum of all entries; 0 when the ledger balances.
    pub balance_minor: Amount,
    /// Number of entries.
    pub entries: i64,
}

/// Balance of one account; what we owe is negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountBalance {
    /// Name of the account.
    pub account: String,
    /// Currency, ISO 4217.
    pub currency: Currency,
    /// Sum of its entries.
    pub balance_minor: Amount,
}

/// Result of a rebuild of the read index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RebuildReport {
    /// Orders in the log.
    pub orders: u64,
    /// Orders whose row differed from the fold of their log and was replaced.
    pub differing: u64,
}
