//! What a demo did, in figures: one JSON object, or a few lines for a person.

use std::fmt;

use serde::Serialize;

/// The end of a demo. Times of the city are in its own clock, latencies in real time.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) map: String,
    pub(crate) seed: u64,
    pub(crate) speedup: u32,
    pub(crate) city_minutes: f64,
    pub(crate) orders: Orders,
    pub(crate) pings: Pings,
    pub(crate) ping_to_index_us: Quantiles,
    pub(crate) round_ms: Quantiles,
    pub(crate) offer_receipt_ms: Quantiles,
    pub(crate) click_to_door_min: ClickToDoor,
    /// Sum of all ledger entries in minor units; anything but 0 is a bug.
    pub(crate) ledger_balance: i64,
}

/// `lost`: acknowledged to the customer and in no state; anything but 0 is a bug.
#[derive(Serialize)]
pub(crate) struct Orders {
    pub(crate) placed: u64,
    pub(crate) delivered: u64,
    pub(crate) cancelled: u64,
    pub(crate) open: u64,
    pub(crate) lost: u64,
    /// Placed more than 45 minutes of the city before the end, cancelled ones left out.
    pub(crate) due: u64,
    pub(crate) due_delivered: u64,
}

#[derive(Serialize)]
pub(crate) struct Pings {
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
}

#[derive(Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

#[derive(Serialize)]
pub(crate) struct ClickToDoor {
    pub(crate) mean: Option<f64>,
    pub(crate) p90: Option<f64>,
}

impl Summary {
    /// Whether the run kept its promises: no order lost, the ledger balanced.
    pub(crate) fn is_sound(&self) -> bool {
        self.orders.lost == 0 && self.ledger_balance == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Orders { placed, delivered, cancelled, open, lost, due, due_delivered } = self.orders;
        writeln!(f, "{:.0} minutes of {} at ×{}", self.city_minutes, self.map, self.speedup)?;
        writeln!(f, "  orders         {placed} placed, {delivered} delivered, {cancelled} cancelled, {open} open, {lost} lost")?;
        writeln!(f, "  due            {due_delivered} of {due} delivered")?;
        if let (Some(mean), Some(p90)) = (self.click_to_door_min.mean, self.click_to_door_min.p90) {
            writeln!(f, "  click to door  {mean:.1} min mean, {p90:.1} min at the 90th percentile")?;
        }
        let Pings { sent, accepted, rejected } = self.pings;
        writeln!(f, "  pings          {sent} sent, {accepted} accepted, {rejected} rejected")?;
        writeln!(f, "  ping to index  {:.0} µs median, {:.0} µs p99", self.ping_to_index_us.p50, self.ping_to_index_us.p99)?;
        writeln!(f, "  round          {:.1} ms median, {:.1} ms p99", self.round_ms.p50, self.round_ms.p99)?;
        writeln!(f, "  offer receipt  {:.1} ms median, {:.1} ms p99", self.offer_receipt_ms.p50, self.offer_receipt_ms.p99)?;
        write!(f, "  ledger         {} off balance", self.ledger_balance)
    }
}
