//! A gateway in memory that plays faults: for tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::gateway::{
    Charge, GatewayError, GatewayPayment, Outcome, PaymentGateway, RefundRequest,
};

/// The method says what happens: `ok`, `decline`, `wrong_amount`, `lost_request` (never arrives, the first time),
/// `lost_answer` (captured, but the caller does not hear), `pending`, `no_answer` (the call hangs and never arrives).
#[derive(Default)]
pub(crate) struct ScriptedGateway {
    book: Mutex<Book>,
    /// Whether charges by `no_answer` hang; otherwise they are captured.
    pub(crate) hangs: AtomicBool,
    /// Charges that hang.
    pub(crate) hanging: AtomicUsize,
}

#[derive(Default)]
pub(crate) struct Book {
    /// By idempotency key.
    pub(crate) payments: BTreeMap<String, GatewayPayment>,
    /// Idempotency key of each charge that arrived, repeats included.
    pub(crate) charges: Vec<String>,
    /// What was given back, by the gateway's payment id.
    pub(crate) refunds: BTreeMap<String, Money>,
    /// Calls of any kind.
    pub(crate) asked: u32,
    lost: Vec<String>,
    fault: Option<GatewayError>,
}

impl Book {
    fn ask(&mut self) -> Result<(), GatewayError> {
        self.asked += 1;
        self.fault.clone().map_or(Ok(()), Err)
    }
}

impl ScriptedGateway {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers every call with a fault until told otherwise.
    pub(crate) fn fail_with(&self, fault: Option<GatewayError>) {
        self.book().fault = fault;
    }

    /// Decides a pending payment.
    pub(crate) fn settle(&self, reference: OrderId, outcome: Outcome) -> GatewayPayment {
        let mut book = self.book();
        let payment = book
            .payments
            .values_mut()
            .find(|p| p.reference == reference.to_string())
            .unwrap();
        payment.outcome = outcome;
        payment.clone()
    }
}

#[async_trait]
impl PaymentGateway for ScriptedGateway {
    async fn charge(&self, charge: &Charge) -> Result<GatewayPayment, GatewayError> {
        if charge.method == "no_answer" && self.hangs.load(Ordering::Relaxed) {
            self.hanging.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        let key = charge.payment_id.to_string();
        let mut book = self.book();
        book.ask()?;
        if charge.method == "lost_request" && !book.lost.contains(&key) {
            book.lost.push(key);
            return Err(GatewayError::Unknown("the request was lost".into()));
        }
        book.charges.push(key.clone());
        let outcome = match charge.method.as_str() {
            "decline" => Outcome::Declined,
            "pending" => Outcome::Pending,
            _ => Outcome::Captured,
        };
        let wrong = i64::from(charge.method == "wrong_amount");
        let payment = book.payments.entry(key).or_insert_with(|| GatewayPayment {
            gateway_payment_id: format!("gw_{}", charge.reference),
            reference: charge.reference.to_string(),
            outcome,
            amount: Money::new(charge.amount.minor - wrong, charge.amount.currency),
        });
        if charge.method == "lost_answer" {
            return Err(GatewayError::Unknown("the answer was lost".into()));
        }
        Ok(payment.clone())
    }

    async fn find(&self, reference: OrderId) -> Result<Option<GatewayPayment>, GatewayError> {
        let mut book = self.book();
        book.ask()?;
        Ok(book
            .payments
            .values()
            .find(|p| p.reference == reference.to_string())
            .cloned())
    }

    async fn read(&self, id: &str) -> Result<Option<GatewayPayment>, GatewayError> {
        let mut book = self.book();
        book.ask()?;
        Ok(book
            .payments
            .values()
            .find(|p| p.gateway_payment_id == id)
            .cloned())
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<String, GatewayError> {
        let mut book = self.book();
        book.ask()?;
        book.refunds
            .insert(refund.gateway_payment_id.clone(), refund.amount);
        Ok(format!("rf_{}", refund.gateway_payment_id))
    }
}
