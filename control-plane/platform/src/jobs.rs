//! Background jobs: supervised, so that a panic ends neither the process nor the job, and backed off.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::health::{Component, Health};

/// Real time that a restarted job has to run before it counts as working again.
const STEADY_AFTER: Duration = Duration::from_secs(10);

/// Real time before the next attempt: doubles from 100 ms to 30 s. `attempts` counts those made, 1 after the first.
#[must_use]
pub fn back_off(attempts: u32) -> Duration {
    Duration::from_millis(100_u64 << attempts.saturating_sub(1).min(9)).min(Duration::from_secs(30))
}

/// Runs jobs until shutdown and restarts those that end before it.
#[derive(Clone, Debug)]
pub struct Supervisor {
    health: Health,
    shutdown: CancellationToken,
}

impl Supervisor {
    /// A supervisor that reports to `health` and stops when `shutdown` is cancelled.
    #[must_use]
    pub const fn new(health: Health, shutdown: CancellationToken) -> Self {
        Self { health, shutdown }
    }

    /// Runs a job until shutdown. A job that panics or returns before that is logged, counted
    /// (`doorstep_worker_restarts_count`), reported as a fault of `Component::Worker(name)`, and started again after
    /// [`back_off`]; the fault is cleared once it has run for ten seconds. A job watches for shutdown itself.
    pub async fn run<Job, Running>(self, name: &'static str, job: Job)
    where
        Job: Fn() -> Running + Send,
        Running: Future<Output = ()> + Send,
    {
        let component = Component::Worker(name);
        let mut failures = 0;
        loop {
            let running = AssertUnwindSafe(async { job().await }).catch_unwind();
            tokio::pin!(running);
            let ended = tokio::select! {
                ended = &mut running => ended,
                () = tokio::time::sleep(STEADY_AFTER) => {
                    failures = 0;
                    self.health.clear(component);
                    running.await
                }
            };
            if self.shutdown.is_cancelled() {
                return;
            }
            let why = match &ended {
                Ok(()) => "returned before shutdown".to_owned(),
                Err(panic) => format!("panicked: {}", panic_text(&**panic)),
            };
            failures += 1;
            tracing::error!(worker = name, why, failures, "a worker is restarted");
            metrics::counter!("doorstep_worker_restarts_count", "worker" => name).increment(1);
            self.health.report(component, &why);
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(back_off(failures)) => {}
            }
        }
    }
}

/// Logs and counts the panic of a task that a job has spawned; its work is leased and is taken up again after the lease.
pub fn note_task_end(worker: &'static str, ended: Result<(), JoinError>) {
    let Err(error) = ended else { return };
    // A cancelled task was cut off by the shutdown.
    if let Ok(panic) = error.try_into_panic() {
        let why = panic_text(&*panic);
        tracing::error!(worker, why, "a task of a worker panicked");
        metrics::counter!("doorstep_worker_task_panics_count", "worker" => worker).increment(1);
    }
}

/// The message of a panic, if it is a text.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::{STEADY_AFTER, Supervisor, back_off};
    use crate::health::{Component, Health};

    const WORKER: Component = Component::Worker("sweeper");

    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_is_restarted_and_shows_as_a_fault_until_it_runs() {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let starts = Arc::new(AtomicU32::new(0));
        let supervised = tokio::spawn({
            let (starts, shutdown) = (starts.clone(), shutdown.clone());
            let supervisor = Supervisor::new(health.clone(), shutdown.clone());
            supervisor.run("sweeper", move || {
                let start = starts.fetch_add(1, Ordering::SeqCst);
                let shutdown = shutdown.clone();
                async move {
                    match start {
                        0 => panic!("no such row"),
                        1 => {}
                        _ => shutdown.cancelled().await,
                    }
                }
            })
        });
        while starts.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let fault = health.fault(WORKER).unwrap();
        assert_eq!(fault.why, "returned before shutdown");
        assert!(!health.is_ready());
        tokio::time::sleep(STEADY_AFTER + Duration::from_millis(1)).await;
        assert!(health.is_ready(), "{:?}", health.faults());
        shutdown.cancel();
        supervised.await.unwrap();
        assert_eq!(starts.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_at_every_start_still_ends_with_the_process() {
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let supervisor = Supervisor::new(health.clone(), shutdown.clone());
        let supervised =
            tokio::spawn(supervisor.run("sweeper", || async { panic!("no such row") }));
        while health.fault(WORKER).is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(health.fault(WORKER).unwrap().why, "panicked: no such row");
        shutdown.cancel();
        supervised.await.unwrap();
    }

    #[test]
    fn the_back_off_doubles_and_is_bounded() {
        let ms: Vec<u128> = [0, 1, 2, 3, 9, 10, 1_000]
            .map(|attempts| back_off(attempts).as_millis())
            .to_vec();
        assert_eq!(ms, [100, 100, 200, 400, 25_600, 30_000, 30_000]);
    }
}
