//! Whether a server should be sent requests: named checks, and an end when it shuts down.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

/// Real time a check may take before it counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Outcome = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Check = Arc<dyn Fn() -> Outcome + Send + Sync>;
type Note = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// The checks of one process. Clones share them.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Inner>);

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(checks.keys()).finish()
    }
}

#[derive(Default)]
struct Inner {
    checks: Mutex<BTreeMap<&'static str, Check>>,
    /// What does not end readiness.
    notes: Mutex<BTreeMap<&'static str, Note>>,
    is_stopping: AtomicBool,
}

/// What the checks said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// By name: nothing if it is well, or what is wrong.
    pub checks: BTreeMap<&'static str, Option<String>>,
    /// What is wrong and does not end readiness, by name: upstreams whose work waits meanwhile.
    pub degraded: BTreeMap<&'static str, String>,
}

impl Report {
    /// Whether all is well.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.checks.values().all(Option::is_none)
    }
}

impl Readiness {
    /// Adds a check, or replaces the one of that name. It says what is wrong in a few words.
    pub fn check<F, R>(&self, name: &'static str, check: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        let mut checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.insert(name, check);
    }

    /// Adds something that operators see while it is wrong, and that leaves the process ready. Must not block.
    pub fn note(
        &self,
        name: &'static str,
        note: impl Fn() -> Option<String> + Send + Sync + 'static,
    ) {
        let mut notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(name, Arc::new(note));
    }

    /// From now on the process is not ready: it shuts down.
    pub fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Runs all checks at once, two seconds at most.
    pub async fn report(&self) -> Report {
        let checks = {
            let checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
            checks.clone()
        };
        let mut running = tokio::task::JoinSet::new();
        for (name, check) in checks {
            running.spawn(async move {
                let outcome = timeout(CHECK_TIMEOUT, check()).await;
                let wrong = match outcome {
                    Ok(Ok(())) => None,
                    Ok(Err(wrong)) => Some(wrong),
                    Err(_) => Some(format!("no answer within {CHECK_TIMEOUT:?}")),
                };
                (name, wrong)
            });
        }
        let mut checks = BTreeMap::new();
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok((name, wrong)) => checks.insert(name, wrong),
                Err(_) => checks.insert("checks", Some("a check panicked".to_owned())),
            };
        }
        if self.0.is_stopping.load(Ordering::Relaxed) {
            checks.insert("shutdown", Some("the process shuts down".to_owned()));
        }
        let notes = {
            let notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.clone()
        };
        let degraded = notes
            .into_iter()
            .filter_map(|(name, note)| Some((name, note()?)))
            .collect();
        Report { checks, degraded }
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[tokio::test(start_paused = true)]
    async fn a_failed_a_hanging_and_a_panicking_check_are_named() {
        let readiness = Readiness::default();
        readiness.check("well", async || Ok(()));
        assert!(readiness.report().await.is_ready());
        readiness.check("database", async || Err("disk full".to_owned()));
        readiness.check("bus", std::future::pending);
        let report = readiness.report().await;
        assert!(!report.is_ready());
        assert_eq!(report.checks["well"], None);
        assert_eq!(report.checks["database"].as_deref(), Some("disk full"));
        assert_eq!(report.checks["bus"].as_deref(), Some("no answer within 2s"));
        readiness.check("bus", async || panic!("on purpose"));
        assert!(!readiness.report().await.is_ready());
    }

    #[tokio::test]
    async fn a_process_that_shuts_down_is_not_ready() {
        let readiness = Readiness::default();
        readiness.clone().stop();
        assert!(!readiness.report().await.is_ready());
    }
}
