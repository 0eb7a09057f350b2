//! The picture of all drivers that `Drivers` calls share: however many ask, the shard is asked a few times a second.
//!
//! ```text
//!   call ─┐                       older than the maximum                 copies rows, no text
//!   call ─┼─> shared picture ──────────────────────────> one caller ──────> shard
//!   call ─┘        ^─────────── converted on the caller's thread ──────────────┘
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_dispatch_core::{DeliveryId, DeliveryState, DriverId, DriverState, Fix, Stop, Time};
use doorstep_dispatch_wire::dispatch;
use doorstep_routing::LatLng;
use prost::Message;
use tokio::sync::Mutex;
use tonic::Status;

use crate::clock::Clock;
use crate::convert;

/// Bytes of an answer: what clients of gRPC accept, 4 MiB, less some room for what is around the drivers.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024 - 64 * 1024;

/// One driver as the shard copies it.
#[derive(Debug, Clone)]
pub(crate) struct DriverRow {
    pub(crate) id: DriverId,
    pub(crate) state: DriverState,
    pub(crate) fix: Fix,
    pub(crate) in_hand: Option<(DeliveryId, DeliveryState)>,
    pub(crate) stops: Vec<Stop>,
    /// End of the shift, if it is known.
    pub(crate) until: Option<Time>,
}

/// All drivers at a moment, by id.
#[derive(Debug)]
pub(crate) struct DriverRows {
    pub(crate) now: Time,
    pub(crate) rows: Vec<DriverRow>,
}

/// All drivers at a moment, as calls give them.
#[derive(Debug)]
struct Picture {
    taken: Instant,
    now_ms: u64,
    /// With their encoded lengths.
    drivers: Vec<(dispatch::Driver, usize)>,
}

/// The newest picture, and how old it may be.
#[derive(Debug)]
pub(crate) struct SharedPicture {
    newest: Mutex<Option<Arc<Picture>>>,
    age_max: Duration,
}

impl SharedPicture {
    pub(crate) fn new(age_max: Duration) -> Self {
        Self {
            newest: Mutex::new(None),
            age_max,
        }
    }

    /// The drivers in a region, south-west to north-east, or all. `ask` gets the rows from the shard: called by one caller at
    /// a time, and only if the newest picture is too old; the others wait for it.
    ///
    /// # Errors
    /// Those of `ask`.
    pub(crate) async fn drivers(
        &self,
        region: Option<(LatLng, LatLng)>,
        ask: impl AsyncFnOnce() -> Result<DriverRows, Status>,
    ) -> Result<dispatch::DriversResponse, Status> {
        let picture = {
            let mut newest = self.newest.lock().await;
            let now = Clock::instant();
            let fresh = newest
                .as_ref()
                .filter(|picture| now.saturating_duration_since(picture.taken) <= self.age_max);
            match fresh {
                Some(picture) => Arc::clone(picture),
                None => {
                    let picture = Arc::new(Picture::of(ask().await?));
                    *newest = Some(Arc::clone(&picture));
                    picture
                }
            }
        };
        Ok(picture.answer(region))
    }
}

impl Picture {
    fn of(rows: DriverRows) -> Self {
        let drivers = rows.rows.iter().map(convert::driver_view);
        Self {
            taken: Clock::instant(),
            now_ms: rows.now.as_millis(),
            drivers: drivers
                .map(|driver| {
                    let bytes = driver.encoded_len();
                    (driver, bytes)
                })
                .collect(),
        }
    }

    fn answer(&self, region: Option<(LatLng, LatLng)>) -> dispatch::DriversResponse {
        let mut answer = dispatch::DriversResponse {
            now_ms: self.now_ms,
            ..dispatch::DriversResponse::default()
        };
        let mut room = ANSWER_BYTES_MAX;
        for (driver, bytes) in &self.drivers {
            if !region.is_none_or(|region| is_inside(driver, region)) {
                continue;
            }
            // The field's tag and length come to at most six bytes more.
            match room.checked_sub(bytes + 6) {
                Some(left) if answer.left_out == 0 => {
                    room = left;
                    answer.drivers.push(driver.clone());
                }
                _ => answer.left_out += 1,
            }
        }
        answer
    }
}

fn is_inside(driver: &dispatch::Driver, (south_west, north_east): (LatLng, LatLng)) -> bool {
    driver.at.is_some_and(|at| {
        (south_west.lat_e7()..=north_east.lat_e7()).contains(&at.lat_e7)
            && (south_west.lng_e7()..=north_east.lng_e7()).contains(&at.lng_e7)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn rows(count: u64) -> DriverRows {
        let at =
            |index: u64| LatLng::from_e7(400_000_000 + i32::try_from(index).unwrap(), 80_000_000);
        let row = |index| DriverRow {
            id: DriverId(index),
            state: DriverState::Idle,
            fix: Fix {
                at: at(index),
                time: Time::from_millis(1),
                speed_mm_s: None,
                heading_cdeg: None,
            },
            in_hand: None,
            stops: Vec::new(),
            until: None,
        };
        DriverRows {
            now: Time::from_millis(7),
            rows: (0..count).map(row).collect(),
        }
    }

    #[tokio::test]
    async fn many_callers_share_one_picture() {
        let shared = Arc::new(SharedPicture::new(Duration::from_secs(3_600)));
        let asked = Arc::new(AtomicU32::new(0));
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..500 {
            let (shared, asked) = (Arc::clone(&shared), Arc::clone(&asked));
            calls.spawn(async move {
                let ask = async || {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    Ok(rows(3))
                };
                shared.drivers(None, ask).await.unwrap().drivers.len()
            });
        }
        assert!(calls.join_all().await.iter().all(|&count| count == 3));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_old_picture_is_taken_anew_and_a_failure_is_not_kept() {
        let shared = SharedPicture::new(Duration::ZERO);
        let failed = shared
            .drivers(None, async || Err(Status::unavailable("full")))
            .await;
        assert!(failed.is_err());
        for count in [1, 2] {
            // Some clocks give the same instant twice.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let answer = shared
                .drivers(None, async || Ok(rows(count)))
                .await
                .unwrap();
            assert_eq!((answer.drivers.len() as u64, answer.now_ms), (count, 7));
        }
    }

    #[tokio::test]
    async fn an_answer_is_bounded_and_says_what_it_leaves_out() {
        let count = 300_000;
        let shared = SharedPicture::new(Duration::from_secs(3_600));
        let answer = shared
            .drivers(None, async || Ok(rows(count)))
            .await
            .unwrap();
        assert!(
            answer.encoded_len() <= 4 * 1024 * 1024,
            "{}",
            answer.encoded_len()
        );
        assert!(answer.left_out > 0);
        assert_eq!(answer.drivers.len() as u64 + answer.left_out, count);
        let corner = |e7| LatLng::from_e7(e7, 80_000_000);
        let region = (corner(400_000_010), corner(400_000_012));
        let answer = shared
            .drivers(Some(region), async || Ok(rows(0)))
            .await
            .unwrap();
        assert_eq!((answer.drivers.len(), answer.left_out), (3, 0));
    }
}
