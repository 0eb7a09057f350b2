//! Whole matching rounds in a big city, with times on the road: how long, and how much memory at most.

use std::fs;
use std::sync::Arc;

use anyhow::{Result, ensure};
use doorstep_bench_evening::{Evening, Size};
use doorstep_bench_harness::race::{median, timed};
use doorstep_bench_harness::rows::{Row, Unit, Wanted};
use doorstep_dispatch_core::{Output, Policy, RoutedTravelTimes};
use doorstep_routing::Router;

use crate::child::memory_mib;

pub(crate) const ABOUT: &str = "Times on the road by the router for scooters, the default policy without its bound on the orders of a round; three of ten \
    drivers have a plan, food is ready within 20 minutes. From the deadline to the offers; median of three runs, on one thread as yet. `memory`: \
    by how much the most that the process holds during the round exceeds what it held before. No peer plans a round of this kind: VROOM takes 9.5 s for 200 drivers and 400 orders, see \
    the matching's rows.";

const RUNS: usize = 3;
/// Mebibytes that the largest round may take.
const MEMORY_MAX: f64 = 300.0;

pub(crate) fn rows(router: &Arc<Router>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (orders, drivers, most) in [(500, 2_000, 0.2), (1_500, 6_000, 0.5), (3_000, 10_000, 1.0)] {
        let name = format!("round-{orders}x{drivers}");
        let (seconds, mib) = measure(&name, router, Size::new(orders, drivers))?;
        let row = |name: String, unit, ours, most| Row {
            name,
            unit,
            ours: Ok(ours),
            peers: Vec::new(),
            wanted: Wanted::AtMost(most),
        };
        rows.push(row(name.clone(), Unit::Millis, seconds, most));
        if orders == 3_000 {
            let memory = format!("{name}-memory");
            rows.push(row(memory, Unit::Mebibytes, mib, MEMORY_MAX));
        }
    }
    Ok(rows)
}

/// Seconds of the middle run, and mebibytes of the one that took most.
fn measure(name: &str, router: &Arc<Router>, size: Size) -> Result<(f64, f64)> {
    let policy = Policy {
        round_deliveries_max: size.orders,
        ..Policy::default()
    };
    let (mut seconds, mut mib, mut digest) = (Vec::new(), 0.0, None);
    for _ in 0..RUNS {
        let mut travel = RoutedTravelTimes::new(Arc::clone(router));
        let mut evening = Evening::new(router, size, policy.clone(), &mut travel)?;
        let deadline = evening.deadline()?;
        // Forgets the most that was held so far.
        fs::write("/proc/self/clear_refs", "5")?;
        let before = memory_mib("self", "VmRSS")?;
        let (here, handled) = timed(|| evening.round(deadline));
        handled?;
        let here_mib = memory_mib("self", "VmHWM")? - before;
        mib = f64::max(mib, here_mib);
        seconds.push(here);
        let mut offers = 0;
        while let Some(output) = evening.dispatcher.poll_output() {
            offers += usize::from(matches!(output, Output::Offer(_)));
        }
        let now = evening.dispatcher.digest();
        ensure!(
            digest.is_none_or(|before| before == now),
            "two runs of {name} decided differently"
        );
        digest = Some(now);
        println!(
            "{name}: {:.0} ms, {here_mib:.0} MiB, {offers} offers",
            1e3 * here
        );
    }
    Ok((median(seconds), mib))
}
