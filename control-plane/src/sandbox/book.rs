//! The sandbox's book of payments: what was captured, declined and given back. In memory and bounded.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Refunds that one payment takes before more are refused.
const REFUNDS_MAX: usize = 64;

/// Money in the smallest unit of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AmountMinor(pub i64);

/// What the payer chose, which in a sandbox is how the payment shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Captured at once.
    SandboxOk,
    /// Declined at once.
    SandboxDecline,
    /// The answer never comes; the payment turns out declined.
    SandboxTimeout,
    /// The answer never comes; the money is captured all the same.
    SandboxTimeoutThenOk,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not decided yet.
    Pending,
    /// The money is ours.
    Captured,
    /// The payer's bank said no.
    Declined,
}

/// The body of `POST /v1/payments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// What to capture.
    pub amount_minor: AmountMinor,
    /// ISO 4217, three capital letters.
    pub currency: String,
    /// The caller's own name for it, such as its order id.
    pub reference: String,
    /// How the payment shall end.
    pub method: Method,
    /// Where to report what happened, instead of the configured address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// One payment as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The gateway's name for it.
    pub payment_id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// What was asked for.
    pub amount_minor: AmountMinor,
    /// ISO 4217.
    pub currency: String,
    /// The caller's name for it.
    pub reference: String,
    /// What went back to the payer so far.
    pub refunded_minor: AmountMinor,
}

/// One refund as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The gateway's name for it.
    pub refund_id: Uuid,
    /// Always `refunded`: the sandbox has no slow banks.
    pub status: String,
    /// What went back.
    pub amount_minor: AmountMinor,
}

/// What the webhook tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same on every copy and retry, so that a receiver can drop duplicates.
    pub event_id: Uuid,
    /// `payment.captured`, `payment.declined` or `payment.refunded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which payment.
    pub payment_id: Uuid,
    /// The caller's name for it.
    pub reference: String,
    /// What was captured, declined or given back.
    pub amount_minor: AmountMinor,
}

/// An event and where to send it.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) event: Event,
    pub(super) url: Option<String>,
    pub(super) twice: bool,
}

/// Why the book refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum BookError {
    #[error("{0}")]
    Invalid(String),
    #[error("the idempotency key was used before with another request")]
    KeyReused,
    #[error("no such payment")]
    Unknown,
    #[error("the payment is {0:?}, only a captured one can be refunded")]
    NotCaptured(Status),
    #[error("refund of {asked} is more than the {left} left of the payment")]
    RefundTooHigh { asked: i64, left: i64 },
    #[error("the payment has {REFUNDS_MAX} refunds already")]
    TooManyRefunds,
    #[error("the sandbox holds {0} undecided payments and takes no more")]
    Full(usize),
}

struct Entry {
    request: PaymentRequest,
    key: String,
    status: Status,
    refunds: Vec<(String, Refund)>,
}

impl Entry {
    fn refunded(&self) -> i64 {
        self.refunds
            .iter()
            .map(|(_, refund)| refund.amount_minor.0)
            .sum()
    }

    fn view(&self, payment_id: Uuid) -> Payment {
        Payment {
            payment_id,
            status: self.status,
            amount_minor: self.request.amount_minor,
            currency: self.request.currency.clone(),
            reference: self.request.reference.clone(),
            refunded_minor: AmountMinor(self.refunded()),
        }
    }

    fn notice(&self, payment_id: Uuid, kind: &str, amount_minor: AmountMinor) -> Notice {
        Notice {
            event: Event {
                event_id: Uuid::now_v7(),
                kind: kind.to_owned(),
                payment_id,
                reference: self.request.reference.clone(),
                amount_minor,
            },
            url: self.request.webhook_url.clone(),
            twice: self.request.method == Method::SandboxTimeoutThenOk,
        }
    }
}

/// All payments, oldest first. When full, the oldest decided payment is forgotten with its keys;
/// when the oldest is still undecided, a new payment is refused.
pub(super) struct Book {
    payments: BTreeMap<Uuid, Entry>,
    by_key: HashMap<String, Uuid>,
    by_reference: HashMap<String, Uuid>,
    payments_max: usize,
}

/// What came of a request to pay.
pub(super) struct Created {
    pub(super) payment: Payment,
    pub(super) fresh: bool,
    pub(super) notice: Option<Notice>,
}

impl Book {
    pub(super) fn new(payments_max: usize) -> Self {
        Self {
            payments: BTreeMap::new(),
            by_key: HashMap::new(),
            by_reference: HashMap::new(),
            payments_max: payments_max.max(1),
        }
    }

    /// Books a payment once per key; the same request again gets the payment as it stands now.
    pub(super) fn create(
        &mut self,
        key: &str,
        request: PaymentRequest,
    ) -> Result<Created, BookError> {
        validate(&request)?;
        if let Some(&known) = self.by_key.get(key) {
            let entry = self.payments.get(&known).ok_or(BookError::Unknown)?;
            if entry.request != request {
                return Err(BookError::KeyReused);
            }
            return Ok(Created {
                payment: entry.view(known),
                fresh: false,
                notice: None,
            });
        }
        self.make_room()?;
        let payment_id = Uuid::now_v7();
        let mut entry = Entry {
            request,
            key: key.to_owned(),
            status: Status::Pending,
            refunds: Vec::new(),
        };
        let notice = match entry.request.method {
            Method::SandboxOk | Method::SandboxDecline => settle_entry(payment_id, &mut entry),
            Method::SandboxTimeout | Method::SandboxTimeoutThenOk => None,
        };
        let payment = entry.view(payment_id);
        self.by_key.insert(entry.key.clone(), payment_id);
        self.by_reference
            .insert(entry.request.reference.clone(), payment_id);
        self.payments.insert(payment_id, entry);
        Ok(Created {
            payment,
            fresh: true,
            notice,
        })
    }

    /// Decides a pending payment as its method wants; nothing happens to a decided one.
    pub(super) fn settle(&mut self, payment_id: Uuid) -> Option<Notice> {
        settle_entry(payment_id, self.payments.get_mut(&payment_id)?)
    }

    pub(super) fn payment(&self, payment_id: Uuid) -> Option<Payment> {
        self.payments
            .get(&payment_id)
            .map(|entry| entry.view(payment_id))
    }

    /// The newest payment under the caller's name.
    pub(super) fn payment_by_reference(&self, reference: &str) -> Option<Payment> {
        self.by_reference
            .get(reference)
            .and_then(|&payment_id| self.payment(payment_id))
    }

    /// Gives money back, once per key and never more than was captured.
    pub(super) fn refund(
        &mut self,
        payment_id: Uuid,
        key: &str,
        amount: AmountMinor,
    ) -> Result<(Refund, Option<Notice>), BookError> {
        if amount.0 <= 0 {
            return Err(BookError::Invalid(format!(
                "amount_minor is {}, must be above 0",
                amount.0
            )));
        }
        let entry = self
            .payments
            .get_mut(&payment_id)
            .ok_or(BookError::Unknown)?;
        if let Some((_, known)) = entry.refunds.iter().find(|(used, _)| used == key) {
            if known.amount_minor != amount {
                return Err(BookError::KeyReused);
            }
            return Ok((known.clone(), None));
        }
        if entry.status != Status::Captured {
            return Err(BookError::NotCaptured(entry.status));
        }
        let left = entry.request.amount_minor.0 - entry.refunded();
        if amount.0 > left {
            return Err(BookError::RefundTooHigh {
                asked: amount.0,
                left,
            });
        }
        if entry.refunds.len() >= REFUNDS_MAX {
            return Err(BookError::TooManyRefunds);
        }
        let refund = Refund {
            refund_id: Uuid::now_v7(),
            status: "refunded".to_owned(),
            amount_minor: amount,
        };
        entry.refunds.push((key.to_owned(), refund.clone()));
        Ok((
            refund,
            Some(entry.notice(payment_id, "payment.refunded", amount)),
        ))
    }

    fn make_room(&mut self) -> Result<(), BookError> {
        while self.payments.len() >= self.payments_max {
            let oldest = self.payments.first_entry().ok_or(BookError::Full(0))?;
            if oldest.get().status == Status::Pending {
                return Err(BookError::Full(self.payments.len()));
            }
            let (payment_id, entry) = oldest.remove_entry();
            self.by_key.remove(&entry.key);
            if self.by_reference.get(&entry.request.reference) == Some(&payment_id) {
                self.by_reference.remove(&entry.request.reference);
            }
        }
        Ok(())
    }
}

fn settle_entry(payment_id: Uuid, entry: &mut Entry) -> Option<Notice> {
    if entry.status != Status::Pending {
        return None;
    }
    let (status, kind) = match entry.request.method {
        Method::SandboxOk | Method::SandboxTimeoutThenOk => (Status::Captured, "payment.captured"),
        Method::SandboxDecline | Method::SandboxTimeout => (Status::Declined, "payment.declined"),
    };
    entry.status = status;
    Some(entry.notice(payment_id, kind, entry.request.amount_minor))
}

fn validate(request: &PaymentRequest) -> Result<(), BookError> {
    let problem = if request.amount_minor.0 <= 0 {
        Some(format!(
            "amount_minor is {}, must be above 0",
            request.amount_minor.0
        ))
    } else if request.currency.len() != 3
        || !request
            .currency
            .bytes()
            .all(|byte| byte.is_ascii_uppercase())
    {
        Some("currency must be three capital letters".to_owned())
    } else if request.reference.is_empty() || request.reference.len() > 128 {
        Some(format!(
            "reference has {} bytes, must have 1 to 128",
            request.reference.len()
        ))
    } else if request
        .webhook_url
        .as_ref()
        .is_some_and(|url| url.len() > 512)
    {
        Some("webhook_url is longer than 512 bytes".to_owned())
    } else {
        None
    };
    problem.map_or(Ok(()), |why| Err(BookError::Invalid(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(reference: &str, method: Method) -> PaymentRequest {
        PaymentRequest {
            amount_minor: AmountMinor(1_000),
            currency: "EUR".to_owned(),
            reference: reference.to_owned(),
            method,
            webhook_url: None,
        }
    }

    #[test]
    fn a_key_books_once_and_refuses_another_request() {
        let mut book = Book::new(10);
        let first = book.create("k", request("a", Method::SandboxOk)).unwrap();
        let again = book.create("k", request("a", Method::SandboxOk)).unwrap();
        assert!(first.fresh && first.notice.is_some());
        assert!(!again.fresh && again.notice.is_none());
        assert_eq!(first.payment, again.payment);
        let other = book.create("k", request("b", Method::SandboxOk));
        assert_eq!(other.err(), Some(BookError::KeyReused));
    }

    #[test]
    fn refunds_never_exceed_what_was_captured() {
        let mut book = Book::new(10);
        let id = book
            .create("k", request("a", Method::SandboxOk))
            .unwrap()
            .payment
            .payment_id;
        let (first, notice) = book.refund(id, "r1", AmountMinor(700)).unwrap();
        assert!(notice.is_some());
        assert_eq!(book.refund(id, "r1", AmountMinor(700)).unwrap().0, first);
        assert_eq!(
            book.refund(id, "r1", AmountMinor(1)).err(),
            Some(BookError::KeyReused)
        );
        assert_eq!(
            book.refund(id, "r2", AmountMinor(301)).err(),
            Some(BookError::RefundTooHigh {
                asked: 301,
                left: 300
            })
        );
        book.refund(id, "r2", AmountMinor(300)).unwrap();
        assert_eq!(book.payment(id).unwrap().refunded_minor, AmountMinor(1_000));
    }

    #[test]
    fn only_captured_money_goes_back() {
        let mut book = Book::new(10);
        let id = book
            .create("k", request("a", Method::SandboxTimeout))
            .unwrap()
            .payment
            .payment_id;
        assert_eq!(
            book.refund(id, "r", AmountMinor(1)).err(),
            Some(BookError::NotCaptured(Status::Pending))
        );
        assert_eq!(book.settle(id).unwrap().event.kind, "payment.declined");
        assert!(
            book.settle(id).is_none(),
            "a decided payment is decided once"
        );
        assert_eq!(
            book.refund(id, "r", AmountMinor(1)).err(),
            Some(BookError::NotCaptured(Status::Declined))
        );
    }

    #[test]
    fn a_full_book_forgets_decided_payments_and_refuses_when_none_is() {
        let mut book = Book::new(2);
        let first = book
            .create("1", request("a", Method::SandboxOk))
            .unwrap()
            .payment
            .payment_id;
        book.create("2", request("b", Method::SandboxTimeout))
            .unwrap();
        book.create("3", request("c", Method::SandboxOk)).unwrap();
        assert!(book.payment(first).is_none());
        assert!(book.payment_by_reference("a").is_none());
        assert_eq!(
            book.create("4", request("d", Method::SandboxOk)).err(),
            Some(BookError::Full(2)),
            "the oldest is undecided now"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let mut book = Book::new(2);
        let nothing = PaymentRequest {
            amount_minor: AmountMinor(0),
            ..request("a", Method::SandboxOk)
        };
        let odd_currency = PaymentRequest {
            currency: "eur".to_owned(),
            ..request("a", Method::SandboxOk)
        };
        for bad in [nothing, odd_currency, request("", Method::SandboxOk)] {
            assert!(matches!(
                book.create("k", bad).err(),
                Some(BookError::Invalid(_))
            ));
        }
    }
}
