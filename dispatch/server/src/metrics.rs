//! Counters and latency histograms that sessions and the shard write and the Status call reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use doorstep_dispatch_wire::dispatch::Quantiles;
use hdrhistogram::Histogram;

/// One hour in microseconds: what takes longer counts as that.
const LONGEST_US: u64 = 3_600_000_000;

/// What is counted and measured. All durations are real time.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) pings_accepted: Counter,
    pub(crate) pings_rejected: Counter,
    pub(crate) pings_superseded: Counter,
    /// Datagram received to position and cell index written.
    pub(crate) ping_to_index: Latency,
    /// One deadline of the dispatcher that ran a matching round.
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
            ping_to_index: Latency::new(),
            round: Latency::new(),
            offer_receipt: Latency::new(),
        }
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
pub(crate) struct Latency(Mutex<Histogram<u32>>);

impl Latency {
    fn new() -> Self {
        let histogram =
            Histogram::new_with_bounds(1, LONGEST_US, 2).expect("constant bounds are in order");
        Self(Mutex::new(histogram))
    }

    pub(crate) fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .saturating_record(micros);
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    use super::Latency;

    #[test]
    fn quantiles_are_near_the_truth_and_extremes_are_kept() {
        let latency = Latency::new();
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
