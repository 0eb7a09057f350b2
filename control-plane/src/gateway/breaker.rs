//! Stops asking a gateway that does not work, tries it now and then, and reports the fault.
//!
//! ```text
//!  closed ──five faults in a row──> open ──after a pause──> one probe ──answer──> closed
//!                                    ^                          │
//!                                    └──── twice the pause ─────┘ fault
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::domain::ids::OrderId;
use crate::gateway::{Charge, GatewayError, GatewayPayment, PaymentGateway, RefundRequest};
use crate::health::{Component, Health};

/// Faults in a row that open the breaker.
const FAULTS_MAX: u32 = 5;
/// Real time of the first pause; each failed probe doubles it.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A gateway behind a breaker.
pub(crate) struct Breaker {
    inner: Arc<dyn PaymentGateway>,
    health: Health,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed {
        faults: u32,
    },
    Open {
        until: Instant,
        pause: Duration,
    },
    /// One call finds out whether the gateway works again.
    Probing {
        since: Instant,
        pause: Duration,
    },
}

impl Breaker {
    pub(crate) fn new(inner: Arc<dyn PaymentGateway>, health: Health) -> Self {
        Self {
            inner,
            health,
            state: Mutex::new(State::Closed { faults: 0 }),
        }
    }

    /// Lets a call through, or not.
    fn enter(&self) -> Result<(), GatewayError> {
        let now = Instant::now();
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until, pause } if now >= until => {
                *state = State::Probing { since: now, pause };
                Ok(())
            }
            // The caller of a probe may have gone away without an answer.
            State::Probing { since, pause } if now.duration_since(since) >= PAUSE_MAX => {
                *state = State::Probing { since: now, pause };
                Ok(())
            }
            State::Open { .. } | State::Probing { .. } => Err(GatewayError::Paused),
        }
    }

    /// Learns from the answer of a call that was let through.
    fn learn<T>(&self, answer: &Result<T, GatewayError>) {
        let fault = answer.as_ref().err().filter(|error| error.is_fault());
        let outcome = if fault.is_some() { "fault" } else { "answer" };
        metrics::counter!("doorstep_gateway_calls_count", "outcome" => outcome).increment(1);
        let mut state = self.lock();
        let Some(fault) = fault else {
            *state = State::Closed { faults: 0 };
            drop(state);
            self.health.clear(Component::Gateway);
            return;
        };
        let now = Instant::now();
        *state = match *state {
            State::Closed { faults } if faults + 1 < FAULTS_MAX => {
                State::Closed { faults: faults + 1 }
            }
            State::Closed { .. } => State::Open {
                until: now + PAUSE,
                pause: PAUSE,
            },
            State::Probing { pause, .. } => {
                let pause = (pause * 2).min(PAUSE_MAX);
                State::Open {
                    until: now + pause,
                    pause,
                }
            }
            // Of a call that was let through before.
            State::Open { until, pause } => State::Open { until, pause },
        };
        let is_open = matches!(*state, State::Open { .. });
        drop(state);
        // A wrong key or address is a fault from the first time on: no payment can succeed.
        if is_open || matches!(fault, GatewayError::Unusable(_)) {
            self.health.report(Component::Gateway, &fault.to_string());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PaymentGateway for Breaker {
    fn is_ready(&self) -> bool {
        match *self.lock() {
            State::Closed { .. } => true,
            State::Open { until, .. } => Instant::now() >= until,
            State::Probing { .. } => false,
        }
    }

    async fn charge(&self, charge: &Charge) -> Result<GatewayPayment, GatewayError> {
        self.enter()?;
        let answer = self.inner.charge(charge).await;
        self.learn(&answer);
        answer
    }

    async fn find(&self, reference: OrderId) -> Result<Option<GatewayPayment>, GatewayError> {
        self.enter()?;
        let answer = self.inner.find(reference).await;
        self.learn(&answer);
        answer
    }

    async fn read(&self, gateway_payment_id: &str) -> Result<Option<GatewayPayment>, GatewayError> {
        self.enter()?;
        let answer = self.inner.read(gateway_payment_id).await;
        self.learn(&answer);
        answer
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<String, GatewayError> {
        self.enter()?;
        let answer = self.inner.refund(refund).await;
        self.learn(&answer);
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Breaker, FAULTS_MAX};
    use crate::domain::ids::OrderId;
    use crate::gateway::scripted::ScriptedGateway;
    use crate::gateway::{GatewayError, PaymentGateway};
    use crate::health::{Component, Health};

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_does_not_work_is_tried_now_and_then() {
        let (gateway, health) = (Arc::new(ScriptedGateway::default()), Health::default());
        let breaker = Breaker::new(gateway.clone(), health.clone());
        let id = OrderId::fresh(1);
        let asked = || gateway.book().asked;
        gateway.fail_with(Some(GatewayError::Unknown("503".to_owned())));
        for _ in 0..FAULTS_MAX + 20 {
            assert!(breaker.find(id).await.is_err());
        }
        assert_eq!(asked(), FAULTS_MAX, "then it is left alone");
        assert!(health.fault(Component::Gateway).is_some());
        assert!(!breaker.is_ready());
        assert_eq!(breaker.find(id).await, Err(GatewayError::Paused));

        // Probes after 1, 2, 4, … seconds: few in ten minutes.
        for _ in 0..600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            let (first, second) = (breaker.find(id).await, breaker.find(id).await);
            assert!(first.is_err() && second == Err(GatewayError::Paused));
        }
        let probes = asked() - FAULTS_MAX;
        assert!((10..20).contains(&probes), "{probes}");

        gateway.fail_with(None);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(breaker.is_ready());
        assert_eq!(breaker.find(id).await, Ok(None));
        assert_eq!(breaker.find(id).await, Ok(None));
        assert!(health.fault(Component::Gateway).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_with_one_payment_opens_nothing() {
        let (gateway, health) = (Arc::new(ScriptedGateway::default()), Health::default());
        let breaker = Breaker::new(gateway.clone(), health.clone());
        gateway.fail_with(Some(GatewayError::Refused("422".to_owned())));
        for _ in 0..FAULTS_MAX * 3 {
            assert!(matches!(
                breaker.find(OrderId::fresh(1)).await,
                Err(GatewayError::Refused(_))
            ));
        }
        assert!(breaker.is_ready() && health.faults().is_empty());
    }
}
