//! A process that dies: what it was working on is taken over, at once by its restart and soon by others.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::harness::{Harness, TestDatabase, in_time};
use crate::config::{Config, Leases};
use crate::domain::ids::OrderId;
use crate::store::engine::{Statement, values};

mod both {
    crate::tests::with_both!(a_restarted_process_takes_its_own_leases_at_once);
}

/// Payments that are in flight when the process dies.
const IN_FLIGHT: usize = 20;
const DEAD_AFTER: Duration = Duration::from_millis(600);

fn named(name: &'static str) -> impl FnOnce(&mut Config) {
    move |config| {
        config.instance = Some(name.to_owned());
        config.leases = Leases {
            beat: Duration::from_millis(50),
            dead_after: DEAD_AFTER,
        };
    }
}

/// A process with payments in flight, killed; the city's clock stands still, so no lease runs out by itself.
async fn die_with_payments_in_flight(place: &TestDatabase) -> Vec<OrderId> {
    let h = Harness::start_with(place.store().await, named("a")).await;
    h.gateway.hangs.store(true, Ordering::Relaxed);
    let town = h.town().await;
    let mut ids = Vec::new();
    for _ in 0..IN_FLIGHT {
        ids.push(h.place(&town, "no_answer").await);
    }
    in_time("the calls to the gateway", async {
        while h.gateway.hanging.load(Ordering::Relaxed) < IN_FLIGHT {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    h.kill().await;
    ids
}

async fn until_all_placed(h: &Harness, ids: &[OrderId]) {
    for &id in ids {
        h.until_state(id, "placed").await;
    }
    let held = Statement::both("SELECT count(*) AS held FROM payment WHERE holder IS NOT NULL");
    let row = h.app.store.database().row(held, values![]).await;
    assert_eq!(row.unwrap().unwrap().int("held").unwrap(), 0);
}

async fn a_restarted_process_takes_its_own_leases_at_once(place: TestDatabase) {
    let ids = die_with_payments_in_flight(&place).await;
    let h = Harness::start_with(place.store().await, named("a")).await;
    until_all_placed(&h, &ids).await;
    h.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_takes_them_once_the_dead_one_stands_still() {
    super::harness::with_postgres(async |place| {
        let ids = die_with_payments_in_flight(&place).await;
        let began = Instant::now();
        let h = Harness::start_with(place.store().await, named("b")).await;
        until_all_placed(&h, &ids).await;
        assert!(
            began.elapsed() >= DEAD_AFTER,
            "nobody is taken for dead too soon"
        );
        h.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_process_keeps_its_leases() {
    super::harness::with_postgres(async |place| {
        let a = Harness::start_with(place.store().await, named("a")).await;
        a.gateway.hangs.store(true, Ordering::Relaxed);
        let b = Harness::start_with(place.store().await, named("b")).await;
        b.gateway.hangs.store(true, Ordering::Relaxed);
        let town = a.town().await;
        for _ in 0..IN_FLIGHT {
            a.place(&town, "no_answer").await;
        }
        let calls = || {
            a.gateway.hanging.load(Ordering::Relaxed) + b.gateway.hanging.load(Ordering::Relaxed)
        };
        in_time("the calls to both gateways", async {
            while calls() < IN_FLIGHT {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        // Several times as long as it takes to count as dead.
        tokio::time::sleep(DEAD_AFTER * 3).await;
        assert_eq!(calls(), IN_FLIGHT, "no payment was taken from its holder");
        a.kill().await;
        b.kill().await;
    })
    .await;
}
