//! What a demo did, in figures: one JSON object, or a few lines for a person.

use std::collections::BTreeMap;
use std::fmt;

use doorstep_dispatch_wire::dispatch::{Quantiles as MeasuredUs, StatusResponse};
use doorstep_sim_live::{Audit, LiveReport};
use serde::Serialize;

use super::DemoArgs;

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
    /// What went wrong on the side of the simulated people, by kind.
    pub(crate) errors: BTreeMap<&'static str, u64>,
}

/// `lost`: acknowledged to the customer and in no state; anything but 0 is a bug.
#[derive(Serialize)]
pub(crate) struct Orders {
    pub(crate) placed: u64,
    pub(crate) delivered: u64,
    pub(crate) cancelled: u64,
    pub(crate) open: u64,
    pub(crate) lost: u64,
    /// Placed more than 45 minutes of the city before the end.
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
    pub(crate) mean: f64,
    pub(crate) p90: f64,
}

impl Quantiles {
    /// Real microseconds in a unit of so many of them.
    fn measured(measured: Option<MeasuredUs>, unit_us: f64) -> Self {
        let measured = measured.unwrap_or_default();
        Self {
            p50: measured.p50 as f64 / unit_us,
            p99: measured.p99 as f64 / unit_us,
        }
    }
}

impl Summary {
    pub(crate) fn new(
        args: &DemoArgs,
        map: String,
        report: &LiveReport,
        audit: &Audit,
        status: &StatusResponse,
    ) -> Self {
        let city_ms = report.ended_at_ms.saturating_sub(report.started_at_ms);
        Self {
            map,
            seed: args.seed,
            speedup: args.speedup,
            city_minutes: city_ms as f64 / 60_000.0,
            orders: Orders {
                placed: audit.placed,
                delivered: audit.delivered,
                cancelled: audit.cancelled,
                open: audit.open,
                lost: audit.lost,
                due: audit.due,
                due_delivered: audit.due_delivered,
            },
            pings: Pings {
                sent: report.pings_sent,
                accepted: status.pings_accepted,
                rejected: status.pings_rejected,
            },
            ping_to_index_us: Quantiles::measured(status.ping_to_index_us, 1.0),
            round_ms: Quantiles::measured(status.round_us, 1_000.0),
            offer_receipt_ms: Quantiles::measured(status.offer_receipt_us, 1_000.0),
            click_to_door_min: ClickToDoor {
                mean: audit.click_to_door_min_mean,
                p90: audit.click_to_door_min_p90,
            },
            ledger_balance: audit.ledger_balance,
            errors: report.errors.clone(),
        }
    }

    /// Whether the run kept its promises: no order lost, the ledger balanced.
    pub(crate) fn is_sound(&self) -> bool {
        self.orders.lost == 0 && self.ledger_balance == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Orders {
            placed,
            delivered,
            cancelled,
            open,
            lost,
            due,
            due_delivered,
        } = self.orders;
        writeln!(
            f,
            "{:.0} minutes of {} at ×{}",
            self.city_minutes, self.map, self.speedup
        )?;
        writeln!(
            f,
            "  orders         {placed} placed, {delivered} delivered, {cancelled} cancelled, {open} open, {lost} lost"
        )?;
        writeln!(f, "  due            {due_delivered} of {due} delivered")?;
        if delivered > 0 {
            let ClickToDoor { mean, p90 } = self.click_to_door_min;
            writeln!(
                f,
                "  click to door  {mean:.1} min mean, {p90:.1} min at the 90th percentile"
            )?;
        }
        let Pings {
            sent,
            accepted,
            rejected,
        } = self.pings;
        writeln!(
            f,
            "  pings          {sent} sent, {accepted} accepted, {rejected} rejected"
        )?;
        writeln!(
            f,
            "  ping to index  {:.0} µs median, {:.0} µs p99",
            self.ping_to_index_us.p50, self.ping_to_index_us.p99
        )?;
        writeln!(
            f,
            "  round          {:.1} ms median, {:.1} ms p99",
            self.round_ms.p50, self.round_ms.p99
        )?;
        writeln!(
            f,
            "  offer receipt  {:.1} ms median, {:.1} ms p99",
            self.offer_receipt_ms.p50, self.offer_receipt_ms.p99
        )?;
        for (kind, count) in &self.errors {
            writeln!(f, "  error          {kind}: {count}")?;
        }
        write!(f, "  ledger         {} off balance", self.ledger_balance)
    }
}
