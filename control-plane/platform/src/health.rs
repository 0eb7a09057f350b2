//! What is wrong at the moment, by component: for `/healthz`, `/readyz`, the log and a gauge.
//!
//! ```text
//!  database, worker, bus ── report / clear ──> Health ── faults, is_ready ──> /readyz
//! ```

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Real time before a fault that comes back is logged again.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// A part that a process depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The database, for writing.
    Database,
    /// The payment gateway.
    Gateway,
    /// Dispatch: its stream of deliveries.
    Dispatch,
    /// The event bus.
    Bus,
    /// A background job of this process, by name.
    Worker(&'static str),
}

impl Component {
    /// The word for it in `/healthz`, in logs and as a label of metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Gateway => "gateway",
            Self::Dispatch => "dispatch",
            Self::Bus => "bus",
            Self::Worker(name) => name,
        }
    }

    /// Whether a process cannot serve without it. The others may be away for a while: their work waits in the database.
    #[must_use]
    pub const fn is_needed_to_serve(self) -> bool {
        match self {
            Self::Database | Self::Worker(_) => true,
            Self::Gateway | Self::Dispatch | Self::Bus => false,
        }
    }
}

/// A fault that stands.
#[derive(Clone, Debug)]
pub struct Fault {
    /// When it was first reported since the component last worked.
    pub since: Instant,
    /// The newest reason.
    pub why: String,
}

/// Faults that stand, behind a cheap handle. A fault is logged when it begins, at most once a minute, and when it ends.
#[derive(Clone, Debug, Default)]
pub struct Health {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Whether there is any, so that `clear` of a component that works costs one load.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: BTreeMap<Component, Fault>,
    logged: BTreeMap<Component, Instant>,
}

impl Health {
    /// Notes that a component does not work.
    pub fn report(&self, component: Component, why: &str) {
        let now = Instant::now();
        let mut state = self.lock();
        let is_due = state
            .logged
            .get(&component)
            .is_none_or(|last| now.duration_since(*last) >= LOG_EVERY);
        if is_due {
            state.logged.insert(component, now);
            tracing::error!(
                component = component.as_str(),
                why,
                "a component does not work"
            );
        }
        let fault = state.faults.entry(component).or_insert_with(|| Fault {
            since: now,
            why: String::new(),
        });
        why.clone_into(&mut fault.why);
        self.inner.any.store(true, Ordering::Release);
        gauge(component, 1.0);
    }

    /// Notes that a component works.
    pub fn clear(&self, component: Component) {
        if !self.inner.any.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.lock();
        if let Some(fault) = state.faults.remove(&component) {
            let lasted_s = fault.since.elapsed().as_secs();
            tracing::info!(
                component = component.as_str(),
                lasted_s,
                "a component works again"
            );
            gauge(component, 0.0);
        }
        let any = !state.faults.is_empty();
        self.inner.any.store(any, Ordering::Release);
    }

    /// The fault of a component, if it has one.
    #[must_use]
    pub fn fault(&self, component: Component) -> Option<Fault> {
        self.lock().faults.get(&component).cloned()
    }

    /// All faults that stand.
    #[must_use]
    pub fn faults(&self) -> Vec<(Component, Fault)> {
        let state = self.lock();
        state
            .faults
            .iter()
            .map(|(component, fault)| (*component, fault.clone()))
            .collect()
    }

    /// Whether everything works that serving needs.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self
            .lock()
            .faults
            .keys()
            .any(|component| component.is_needed_to_serve())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn gauge(component: Component, value: f64) {
    metrics::gauge!("doorstep_health_faults_count", "component" => component.as_str()).set(value);
}

#[cfg(test)]
mod tests {
    use super::{Component, Health};

    #[test]
    fn a_fault_stands_until_its_component_works() {
        let health = Health::default();
        health.report(Component::Database, "the disk is full");
        health.report(Component::Gateway, "401");
        health.report(Component::Database, "still full");
        let since = health.fault(Component::Database).unwrap().since;
        health.clear(Component::Gateway);
        let faults = health.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, Component::Database);
        assert_eq!(
            (faults[0].1.why.as_str(), faults[0].1.since),
            ("still full", since)
        );
        health.clear(Component::Database);
        assert!(health.faults().is_empty());
    }

    #[test]
    fn a_process_is_ready_without_what_its_work_can_wait_for() {
        let health = Health::default();
        assert!(health.is_ready());
        health.report(Component::Bus, "connection refused");
        health.report(Component::Dispatch, "connection refused");
        assert!(health.is_ready());
        health.report(Component::Worker("payments"), "panicked");
        assert!(!health.is_ready());
        health.clear(Component::Worker("payments"));
        assert!(health.is_ready());
        health.report(Component::Database, "the disk is full");
        assert!(!health.is_ready());
    }
}
