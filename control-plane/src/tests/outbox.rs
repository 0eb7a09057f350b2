//! The outbox under a bus that refuses, goes away and comes back: each order's events in order and without a gap.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::harness::{Harness, TestDatabase, in_time, with_postgres};
use crate::clock::Clock;
use crate::domain::ids::OrderId;
use crate::events::bus::{BusError, EventBus, Publication};

mod both {
    crate::tests::with_both!(a_stuck_key_does_not_stop_others);
}

/// A bus that takes what it likes and remembers the order in which it took it, repeats left out.
#[derive(Default)]
struct FlakyBus {
    taken: Mutex<Vec<String>>,
    is_away: AtomicBool,
    calls: AtomicU32,
    /// Every so many calls one is refused, and one is taken without an answer; 0: none.
    refuse_every: u32,
    /// Messages of this order are never taken.
    stuck: Mutex<Option<OrderId>>,
}

impl FlakyBus {
    /// The numbers of the events taken, by order.
    fn taken(&self) -> BTreeMap<String, Vec<u32>> {
        let mut taken: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut known = HashSet::new();
        for id in self
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            if known.insert(id) {
                let (order, seq) = id.split_once(':').unwrap();
                let events = taken.entry(order.to_owned()).or_default();
                events.push(seq.parse().unwrap());
            }
        }
        taken
    }
}

#[async_trait]
impl EventBus for FlakyBus {
    async fn publish(&self, message: Publication<'_>) -> Result<(), BusError> {
        let message_id = message.message_id;
        // The other publisher gets its turn in between.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if self.is_away.load(Ordering::Relaxed) {
            return Err(BusError::Away("for the test".to_owned()));
        }
        let stuck = *self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        if stuck.is_some_and(|id| message_id.starts_with(&id.to_string())) {
            return Err(BusError::Refused("this one never".to_owned()));
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if self.refuse_every > 0 && call.is_multiple_of(self.refuse_every) {
            return Err(BusError::Refused("not this time".to_owned()));
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push(message_id.to_owned());
        if self.refuse_every > 0 && call.is_multiple_of(self.refuse_every + 2) {
            return Err(BusError::Refused("the answer was lost".to_owned()));
        }
        Ok(())
    }
}

async fn start(place: &TestDatabase, bus: &Arc<FlakyBus>) -> Harness {
    let bus = bus.clone();
    let configure = move |config: &mut crate::Config| {
        config.clock = Clock::system();
        config.bus = bus;
    };
    Harness::start_with(place.store().await, configure).await
}

/// Waits until so many messages wait for the bus.
async fn until_depth(h: &Harness, messages: i64) {
    in_time("the depth of the outbox", async {
        loop {
            let depths = h.app.store.outbox.outbox_depth().await.unwrap();
            let bus = depths.iter().find(|depth| depth.destination == "bus");
            if bus.map_or(0, |depth| depth.messages) == messages {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Every event of every order was taken, in order and without a gap.
async fn check(h: &Harness, bus: &FlakyBus, ids: &[OrderId]) {
    until_depth(h, 0).await;
    let taken = bus.taken();
    for &id in ids {
        let seq = h.summary(id).await.seq;
        let expected: Vec<u32> = (1..=seq).collect();
        assert_eq!(taken[&id.to_string()], expected, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_publishers_keep_each_order_in_order_while_the_bus_fails_and_goes_away() {
    with_postgres(async |place| {
        let bus = Arc::new(FlakyBus {
            refuse_every: 7,
            ..FlakyBus::default()
        });
        let (a, b) = (start(&place, &bus).await, start(&place, &bus).await);
        let town = a.town().await;
        let mut ids = Vec::new();
        for round in 0..16 {
            let process = if round % 2 == 0 { &a } else { &b };
            bus.is_away
                .store((4..12).contains(&round), Ordering::Relaxed);
            let id = process.place(&town, "ok").await;
            process.until_state(id, "placed").await;
            let (status, _) = process.act(&town.restaurant, id, "accept").await;
            assert_eq!(status, 200);
            ids.push(id);
        }
        check(&a, &bus, &ids).await;
        a.kill().await;
        b.kill().await;
    })
    .await;
}

async fn a_stuck_key_does_not_stop_others(place: TestDatabase) {
    let bus = Arc::new(FlakyBus::default());
    let h = start(&place, &bus).await;
    let town = h.town().await;
    bus.is_away.store(true, Ordering::Relaxed);
    let stuck = h.place(&town, "ok").await;
    h.until_state(stuck, "placed").await;
    *bus.stuck.lock().unwrap_or_else(PoisonError::into_inner) = Some(stuck);
    bus.is_away.store(false, Ordering::Relaxed);
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(h.place(&town, "ok").await);
    }
    for &id in &others {
        let order = h.until_state(id, "placed").await;
        in_time("the events of the others", async {
            while bus.taken().get(&id.to_string()).map(Vec::len) != Some(order.seq as usize) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }
    assert!(!bus.taken().contains_key(&stuck.to_string()));
    until_depth(&h, 4).await;
    *bus.stuck.lock().unwrap_or_else(PoisonError::into_inner) = None;
    others.push(stuck);
    check(&h, &bus, &others).await;
    h.stop().await;
}
