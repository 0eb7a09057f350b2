//! What is counted and measured: for the Status call here, and for `/metrics` through the `metrics` facade, whose names are
//! all in [`METRICS`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use doorstep_dispatch_core::Counters;
use doorstep_dispatch_wire::dispatch::Quantiles;
use doorstep_dispatch_wire::version::CloseCode;
use hdrhistogram::Histogram;
use metrics::{counter, gauge, histogram};

/// One hour in microseconds: what takes longer counts as that.
const LONGEST_US: u64 = 3_600_000_000;

/// A metric's kind, as the facade knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Of durations in seconds of real time.
    Histogram,
}

/// One metric of the server.
#[derive(Debug, Clone, Copy)]
pub struct MetricName {
    /// `doorstep_dispatch_…`, the unit last.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// One line for operators.
    pub help: &'static str,
}

macro_rules! metric {
    ($kind:ident, $name:literal, [$($label:literal),*], $help:literal) => {
        MetricName {
            name: concat!("doorstep_dispatch_", $name),
            kind: MetricKind::$kind,
            labels: &[$($label),*],
            help: $help,
        }
    };
}

/// Every metric of the server; `docs/metrics.md` has the same list, and a test compares them.
pub const METRICS: &[MetricName] = &[
    metric!(
        Counter,
        "pings_accepted_total",
        [],
        "pings that moved a driver"
    ),
    metric!(
        Counter,
        "pings_dropped_total",
        ["reason"],
        "pings that did not: `old_number`, `rate` (more than the limit), `superseded` (a newer one came before the shard read it), `implausible` (old, from the future, too fast, or of a driver off duty), `bad` (no ping at all, or fixes that cannot be; the log has one a minute of each session)"
    ),
    metric!(Gauge, "sessions", [], "drivers' apps that are connected"),
    metric!(
        Counter,
        "sessions_refused_total",
        [],
        "connections refused because all session slots are taken"
    ),
    metric!(
        Counter,
        "handshakes_not_begun_total",
        ["reason"],
        "connections that got no place among the handshakes: `retry` (the address first has to show that it receives), `full` (dropped)"
    ),
    metric!(
        Counter,
        "datagrams_dropped_total",
        [],
        "datagrams that the system dropped because the buffer of the UDP socket was full; Linux only"
    ),
    metric!(
        Counter,
        "sessions_ended_total",
        ["code"],
        "sessions that ended, by close code; `gone` without one"
    ),
    metric!(
        Histogram,
        "ping_to_index_seconds",
        [],
        "from a ping's arrival until the driver is moved in the index"
    ),
    metric!(
        Histogram,
        "round_seconds",
        [],
        "one matching round, solved beside the shard"
    ),
    metric!(
        Histogram,
        "round_begin_seconds",
        [],
        "copying what a round looks at: for so long the shard does nothing else"
    ),
    metric!(
        Counter,
        "round_orders_left_out_total",
        [],
        "orders that a round did not look at, since it had looked at `round_deliveries_max` before; once a round"
    ),
    metric!(
        Counter,
        "round_proposals_dropped_total",
        ["reason"],
        "proposals that no longer held when the round came back: `order` (cancelled, assigned or given up), `driver` (gone or not to be asked any more), `plan` (another one by then)"
    ),
    metric!(
        Histogram,
        "offer_receipt_seconds",
        [],
        "from an offer written to the stream until the app's receipt"
    ),
    metric!(
        Gauge,
        "commands_waiting",
        [],
        "commands in the shard's queue"
    ),
    metric!(
        Gauge,
        "fix_slots_waiting",
        [],
        "sessions with a fix that the shard has not read"
    ),
    metric!(
        Counter,
        "offers_total",
        ["outcome"],
        "offers `made`, `accepted`, `declined`, `expired`"
    ),
    metric!(Counter, "rounds_total", [], "matching rounds"),
    metric!(
        Counter,
        "assigned_manually_total",
        [],
        "deliveries assigned by a person"
    ),
    metric!(
        Gauge,
        "deliveries_open",
        [],
        "deliveries that have not ended"
    ),
    metric!(
        Counter,
        "journal_bytes_total",
        [],
        "bytes written to the journal"
    ),
    metric!(
        Histogram,
        "journal_sync_seconds",
        [],
        "one sync of the journal"
    ),
    metric!(
        Histogram,
        "journal_snapshot_seconds",
        [],
        "one snapshot of the journal, made beside the shard"
    ),
    metric!(
        Counter,
        "journal_snapshots_failed_total",
        [],
        "snapshots that could not be made: the next start replays more of the journal"
    ),
    metric!(
        Gauge,
        "journal_stalled",
        [],
        "1 while the journal's disk is full: nothing is acknowledged and no round runs until there is room"
    ),
    metric!(
        Counter,
        "driver_snapshots_total",
        [],
        "pictures of all drivers taken for `Drivers` calls"
    ),
    metric!(
        Counter,
        "rpc_calls_total",
        ["method", "code"],
        "gRPC calls answered, or streams opened, by method and status code"
    ),
];

/// Registers the help texts with the recorder of the process.
pub(crate) fn describe() {
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Why a ping moved nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PingDropped {
    OldNumber,
    Rate,
    Superseded,
    Implausible,
    /// No ping at all, or one with fixes that cannot be.
    Bad,
}

impl PingDropped {
    const fn label(self) -> &'static str {
        match self {
            Self::OldNumber => "old_number",
            Self::Rate => "rate",
            Self::Superseded => "superseded",
            Self::Implausible => "implausible",
            Self::Bad => "bad",
        }
    }
}

pub(crate) const fn close_label(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Done => "done",
        CloseCode::ShuttingDown => "shutting_down",
        CloseCode::BadToken => "bad_token",
        CloseCode::BadFrame => "bad_frame",
        CloseCode::UnknownProtocol => "unknown_protocol",
        CloseCode::HelloLate => "hello_late",
        CloseCode::Replaced => "replaced",
        CloseCode::TooFast => "too_fast",
        CloseCode::TooSlow => "too_slow",
    }
}

pub(crate) fn handshake_not_begun(reason: &'static str) {
    counter!("doorstep_dispatch_handshakes_not_begun_total", "reason" => reason).increment(1);
}

pub(crate) fn datagrams_dropped(dropped: u64) {
    counter!("doorstep_dispatch_datagrams_dropped_total").absolute(dropped);
}

pub(crate) fn session_refused() {
    counter!("doorstep_dispatch_sessions_refused_total").increment(1);
}

pub(crate) fn session_opened() {
    gauge!("doorstep_dispatch_sessions").increment(1.0);
}

pub(crate) fn session_ended(code: &'static str) {
    gauge!("doorstep_dispatch_sessions").decrement(1.0);
    counter!("doorstep_dispatch_sessions_ended_total", "code" => code).increment(1);
}

pub(crate) fn round_begun(duration: Duration) {
    histogram!("doorstep_dispatch_round_begin_seconds").record(duration);
}

pub(crate) fn journal_bytes(bytes: usize) {
    counter!("doorstep_dispatch_journal_bytes_total").increment(bytes as u64);
}

pub(crate) fn journal_sync(duration: Duration) {
    histogram!("doorstep_dispatch_journal_sync_seconds").record(duration);
}

pub(crate) fn journal_snapshot(duration: Duration) {
    histogram!("doorstep_dispatch_journal_snapshot_seconds").record(duration);
}

pub(crate) fn journal_snapshot_failed() {
    counter!("doorstep_dispatch_journal_snapshots_failed_total").increment(1);
}

pub(crate) fn journal_stalled(is_stalled: bool) {
    gauge!("doorstep_dispatch_journal_stalled").set(if is_stalled { 1.0 } else { 0.0 });
}

pub(crate) fn driver_snapshot() {
    counter!("doorstep_dispatch_driver_snapshots_total").increment(1);
}

pub(crate) fn rpc_call(method: &'static str, code: &'static str) {
    counter!("doorstep_dispatch_rpc_calls_total", "method" => method, "code" => code).increment(1);
}

/// What waits for the shard: far below 2^52, so that floats hold it.
#[allow(clippy::cast_precision_loss, reason = "lengths of bounded queues")]
pub(crate) fn queues(commands: usize, fixes: usize, deliveries_open: usize) {
    gauge!("doorstep_dispatch_commands_waiting").set(commands as f64);
    gauge!("doorstep_dispatch_fix_slots_waiting").set(fixes as f64);
    gauge!("doorstep_dispatch_deliveries_open").set(deliveries_open as f64);
}

/// What the dispatcher has counted since it began, the journal's share included.
pub(crate) fn dispatched(counters: &Counters) {
    for (outcome, count) in [
        ("made", counters.offers),
        ("accepted", counters.offers_accepted),
        ("declined", counters.offers_declined),
        ("expired", counters.offers_expired),
    ] {
        counter!("doorstep_dispatch_offers_total", "outcome" => outcome).absolute(count);
    }
    counter!("doorstep_dispatch_rounds_total").absolute(counters.rounds);
    counter!("doorstep_dispatch_round_orders_left_out_total")
        .absolute(counters.round_orders_left_out);
    for (reason, count) in [
        ("order", counters.proposals_without_order),
        ("driver", counters.proposals_without_driver),
        ("plan", counters.proposals_of_old_plans),
    ] {
        counter!("doorstep_dispatch_round_proposals_dropped_total", "reason" => reason)
            .absolute(count);
    }
    counter!("doorstep_dispatch_assigned_manually_total").absolute(counters.assigned_by_hand);
}

/// What the Status call reports. All durations are real time.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) pings_accepted: Counter,
    pub(crate) pings_rejected: Counter,
    pub(crate) pings_superseded: Counter,
    /// Datagram received to position and cell index written.
    pub(crate) ping_to_index: Latency,
    /// One matching round, from what it looks at to its proposals.
    pub(crate) round: Latency,
    /// Offer written to the stream to receipt read.
    pub(crate) offer_receipt: Latency,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            pings_accepted: Counter::default(),
            pings_rejected: Counter::default(),
            pings_superseded: Counter::default(),
            ping_to_index: Latency::new("doorstep_dispatch_ping_to_index_seconds"),
            round: Latency::new("doorstep_dispatch_round_seconds"),
            offer_receipt: Latency::new("doorstep_dispatch_offer_receipt_seconds"),
        }
    }

    pub(crate) fn ping_accepted(&self) {
        self.pings_accepted.add_one();
        counter!("doorstep_dispatch_pings_accepted_total").increment(1);
    }

    pub(crate) fn ping_dropped(&self, why: PingDropped) {
        match why {
            PingDropped::Superseded => self.pings_superseded.add_one(),
            PingDropped::OldNumber
            | PingDropped::Rate
            | PingDropped::Implausible
            | PingDropped::Bad => {
                self.pings_rejected.add_one();
            }
        }
        counter!("doorstep_dispatch_pings_dropped_total", "reason" => why.label()).increment(1);
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations to a precision of about one percent.
#[derive(Debug)]
pub(crate) struct Latency {
    histogram: Mutex<Histogram<u32>>,
    /// Its name at the facade.
    name: &'static str,
}

impl Latency {
    fn new(name: &'static str) -> Self {
        let histogram =
            Histogram::new_with_bounds(1, LONGEST_US, 2).expect("constant bounds are in order");
        Self {
            histogram: Mutex::new(histogram),
            name,
        }
    }

    pub(crate) fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.histogram
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .saturating_record(micros);
        histogram!(self.name).record(duration);
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let histogram = self
            .histogram
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Quantiles {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.50),
            p90: histogram.value_at_quantile(0.90),
            p99: histogram.value_at_quantile(0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Latency, METRICS};

    #[test]
    fn the_page_lists_every_metric() {
        let page = include_str!("../../../docs/metrics.md");
        for metric in METRICS {
            let labels = metric.labels.join(", ");
            let row = format!(
                "| `{}` | {} | {labels} | {} |",
                metric.name,
                format!("{:?}", metric.kind).to_lowercase(),
                metric.help
            );
            assert!(page.contains(&row), "docs/metrics.md lacks the line\n{row}");
        }
    }

    /// The names at the calls are those of the list, and none of the list is without a call.
    #[test]
    fn the_list_names_what_is_recorded() {
        let source = include_str!("metrics.rs");
        let (_, recording) = source.split_once("pub(crate) fn describe").unwrap();
        let mut recorded: Vec<&str> = recording
            .split('"')
            .filter(|text| text.starts_with("doorstep_dispatch_"))
            .filter(|text| *text != "doorstep_dispatch_")
            .collect();
        recorded.sort_unstable();
        recorded.dedup();
        let mut listed: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        listed.sort_unstable();
        assert_eq!(listed, recorded);
    }

    #[test]
    fn quantiles_are_near_the_truth_and_extremes_are_kept() {
        let latency = Latency::new("test");
        (1..=1_000).for_each(|micros| latency.record(Duration::from_micros(micros)));
        let quantiles = latency.quantiles();
        assert_eq!(quantiles.count, 1_000);
        assert!((495..=505).contains(&quantiles.p50), "{quantiles:?}");
        assert!((980..=1_000).contains(&quantiles.p99), "{quantiles:?}");
        latency.record(Duration::ZERO);
        latency.record(Duration::from_secs(1_000_000));
        assert_eq!(latency.quantiles().count, 1_002);
    }
}
