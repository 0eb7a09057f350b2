//! The sandbox's book of payments: what was captured, declined and refunded. Bounded; kept in a file when one is named.

use std::collections::{BTreeMap, HashMap};
use std::io;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::book_file::BookFile;
use crate::payment::{AmountMinor, Event, Method, Payment, PaymentRequest, Refund, Status};

/// Refunds that one payment takes before more are refused.
const REFUNDS_MAX: usize = 64;

/// Events that wait for their receiver; when full the oldest is given up, and the receiver must ask.
const UNSENT_MAX: usize = 4_096;

/// An event and where to send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) event: Event,
    pub(crate) url: Option<String>,
    pub(crate) twice: bool,
}

/// Why the book refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BookError {
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
    #[error("the book of payments cannot be written: {0}")]
    Storage(String),
}

impl From<io::Error> for BookError {
    fn from(error: io::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

/// A payment with the key it was made by and its refunds, each with its own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    payment_id: Uuid,
    key: String,
    request: PaymentRequest,
    status: Status,
    refunds: Vec<(String, Refund)>,
}

/// One change of the book. A line of the file holds those that happened together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    Payment(Entry),
    Decided {
        payment_id: Uuid,
        status: Status,
    },
    Refunded {
        payment_id: Uuid,
        key: String,
        refund: Refund,
    },
    /// An event that its receiver has not acknowledged.
    Unsent(Notice),
    /// The receiver has it, or it was given up.
    Sent {
        event_id: Uuid,
    },
}

impl Entry {
    fn refunded(&self) -> i64 {
        self.refunds
            .iter()
            .map(|(_, refund)| refund.amount_minor.0)
            .sum()
    }

    fn view(&self) -> Payment {
        Payment {
            payment_id: self.payment_id,
            status: self.status,
            amount_minor: self.request.amount_minor,
            currency: self.request.currency.clone(),
            reference: self.request.reference.clone(),
            refunded_minor: AmountMinor(self.refunded()),
        }
    }

    fn notice(&self, kind: &str, amount_minor: AmountMinor) -> Notice {
        Notice {
            event: Event {
                event_id: Uuid::now_v7(),
                kind: kind.to_owned(),
                payment_id: self.payment_id,
                reference: self.request.reference.clone(),
                amount_minor,
            },
            url: self.request.webhook_url.clone(),
            twice: self.request.method == Method::SandboxTimeoutThenOk,
        }
    }

    /// The event of a decision; none while there is no decision.
    fn decision(&self) -> Option<Notice> {
        let kind = match self.status {
            Status::Pending => return None,
            Status::Captured => "payment.captured",
            Status::Declined => "payment.declined",
        };
        Some(self.notice(kind, self.request.amount_minor))
    }
}

/// All payments, oldest first. When full, the oldest decided payment is forgotten with its keys;
/// when the oldest is still undecided, a new payment is refused.
pub(crate) struct Book {
    payments: BTreeMap<Uuid, Entry>,
    by_key: HashMap<String, Uuid>,
    by_reference: HashMap<String, Uuid>,
    unsent: BTreeMap<Uuid, Notice>,
    payments_max: usize,
    /// Of a thousand payments that would be captured, as many are declined.
    decline_permille: u32,
    file: Option<BookFile>,
}

/// What came of a request to pay.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) payment: Payment,
    pub(crate) fresh: bool,
    pub(crate) notice: Option<Notice>,
}

impl Book {
    /// A book in memory.
    pub(crate) fn new(payments_max: usize, decline_permille: u32) -> Self {
        Self {
            payments: BTreeMap::new(),
            by_key: HashMap::new(),
            by_reference: HashMap::new(),
            unsent: BTreeMap::new(),
            payments_max: payments_max.max(1),
            decline_permille,
            file: None,
        }
    }

    /// Takes over what a file holds, and keeps every later change in it.
    pub(crate) fn keep_in(&mut self, mut file: BookFile) -> io::Result<()> {
        for record in file.take_records() {
            self.apply(record);
        }
        file.rewrite(&self.snapshot())?;
        self.file = Some(file);
        Ok(())
    }

    /// Books a payment once per key; the same request again gets the payment as it stands now.
    pub(crate) fn create(
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
                payment: entry.view(),
                fresh: false,
                notice: None,
            });
        }
        self.check_room()?;
        let status = match request.method {
            Method::SandboxOk if self.declines(&request.reference) => Status::Declined,
            Method::SandboxOk => Status::Captured,
            Method::SandboxDecline => Status::Declined,
            Method::SandboxTimeout | Method::SandboxTimeoutThenOk => Status::Pending,
        };
        let entry = Entry {
            payment_id: Uuid::now_v7(),
            key: key.to_owned(),
            request,
            status,
            refunds: Vec::new(),
        };
        let payment = entry.view();
        let notice = entry.decision();
        let mut records = vec![Record::Payment(entry)];
        records.extend(notice.clone().map(Record::Unsent));
        self.write(records)?;
        Ok(Created {
            payment,
            fresh: true,
            notice,
        })
    }

    /// Decides a pending payment as its method says; nothing happens to a decided one.
    pub(crate) fn decide(&mut self, payment_id: Uuid) -> Result<Option<Notice>, BookError> {
        let Some(entry) = self.payments.get(&payment_id) else {
            return Ok(None);
        };
        if entry.status != Status::Pending {
            return Ok(None);
        }
        let status = match entry.request.method {
            Method::SandboxOk | Method::SandboxTimeoutThenOk => Status::Captured,
            Method::SandboxDecline | Method::SandboxTimeout => Status::Declined,
        };
        let mut decided = entry.clone();
        decided.status = status;
        let notice = decided.decision();
        let mut records = vec![Record::Decided { payment_id, status }];
        records.extend(notice.clone().map(Record::Unsent));
        self.write(records)?;
        Ok(notice)
    }

    pub(crate) fn payment(&self, payment_id: Uuid) -> Option<Payment> {
        self.payments.get(&payment_id).map(Entry::view)
    }

    /// The newest payment under the caller's name.
    pub(crate) fn payment_by_reference(&self, reference: &str) -> Option<Payment> {
        self.by_reference
            .get(reference)
            .and_then(|&payment_id| self.payment(payment_id))
    }

    /// Payments that wait for their decision, oldest first.
    pub(crate) fn undecided(&self) -> Vec<Uuid> {
        let pending = |entry: &&Entry| entry.status == Status::Pending;
        let open = self.payments.values().filter(pending);
        open.map(|entry| entry.payment_id).collect()
    }

    /// Events that their receiver has not acknowledged, oldest first.
    pub(crate) fn unsent(&self) -> Vec<Notice> {
        self.unsent.values().cloned().collect()
    }

    /// Notes that an event needs no further try. A failed write repeats the event after a restart, which receivers expect.
    pub(crate) fn sent(&mut self, event_id: Uuid) -> Result<(), BookError> {
        if self.unsent.contains_key(&event_id) {
            self.write(vec![Record::Sent { event_id }])?;
        }
        Ok(())
    }

    /// Refunds, once per key and never more than was captured.
    pub(crate) fn refund(
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
        let entry = self.payments.get(&payment_id).ok_or(BookError::Unknown)?;
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
        let notice = entry.notice("payment.refunded", amount);
        self.write(vec![
            Record::Refunded {
                payment_id,
                key: key.to_owned(),
                refund: refund.clone(),
            },
            Record::Unsent(notice.clone()),
        ])?;
        Ok((refund, Some(notice)))
    }

    /// Writes first and changes memory after: what cannot be kept has not happened.
    fn write(&mut self, records: Vec<Record>) -> Result<(), BookError> {
        if let Some(file) = &mut self.file {
            file.append(&records)?;
        }
        for record in records {
            self.apply(record);
        }
        if self.file.as_ref().is_some_and(BookFile::is_long) {
            let snapshot = self.snapshot();
            if let Some(file) = &mut self.file
                && let Err(error) = file.rewrite(&snapshot)
            {
                tracing::warn!(%error, "the book of payments stays long: it cannot be written anew");
            }
        }
        Ok(())
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Payment(entry) => {
                self.make_room();
                self.by_key.insert(entry.key.clone(), entry.payment_id);
                self.by_reference
                    .insert(entry.request.reference.clone(), entry.payment_id);
                self.payments.insert(entry.payment_id, entry);
            }
            Record::Decided { payment_id, status } => {
                if let Some(entry) = self.payments.get_mut(&payment_id) {
                    entry.status = status;
                }
            }
            Record::Refunded {
                payment_id,
                key,
                refund,
            } => {
                if let Some(entry) = self.payments.get_mut(&payment_id) {
                    entry.refunds.push((key, refund));
                }
            }
            Record::Unsent(notice) => {
                while self.unsent.len() >= UNSENT_MAX {
                    self.unsent.pop_first();
                }
                self.unsent.insert(notice.event.event_id, notice);
            }
            Record::Sent { event_id } => {
                self.unsent.remove(&event_id);
            }
        }
    }

    /// The shortest list of records that makes this book.
    fn snapshot(&self) -> Vec<Record> {
        let payments = self.payments.values().cloned().map(Record::Payment);
        let unsent = self.unsent.values().cloned().map(Record::Unsent);
        payments.chain(unsent).collect()
    }

    fn check_room(&self) -> Result<(), BookError> {
        let oldest = self.payments.values().next();
        let full = self.payments.len() >= self.payments_max;
        match oldest {
            Some(oldest) if full && oldest.status == Status::Pending => {
                Err(BookError::Full(self.payments.len()))
            }
            _ => Ok(()),
        }
    }

    fn make_room(&mut self) {
        while self.payments.len() >= self.payments_max {
            let Some((payment_id, entry)) = self.payments.pop_first() else {
                return;
            };
            self.by_key.remove(&entry.key);
            if self.by_reference.get(&entry.request.reference) == Some(&payment_id) {
                self.by_reference.remove(&entry.request.reference);
            }
        }
    }

    /// Whether the configured share of declines meets this payment; the same reference always gets the same answer.
    fn declines(&self, reference: &str) -> bool {
        // FNV-1a: spreads references evenly, needs no state and stays the same over versions.
        let hash = reference
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        // The low bits of FNV are weak; the high ones are mixed.
        (hash >> 32) % 1_000 < u64::from(self.decline_permille)
    }
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
        let mut book = Book::new(10, 0);
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
        let mut book = Book::new(10, 0);
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
        let mut book = Book::new(10, 0);
        let id = book
            .create("k", request("a", Method::SandboxTimeout))
            .unwrap()
            .payment
            .payment_id;
        assert_eq!(
            book.refund(id, "r", AmountMinor(1)).err(),
            Some(BookError::NotCaptured(Status::Pending))
        );
        assert_eq!(
            book.decide(id).unwrap().unwrap().event.kind,
            "payment.declined"
        );
        assert!(
            book.decide(id).unwrap().is_none(),
            "a decided payment is decided once"
        );
        assert_eq!(
            book.refund(id, "r", AmountMinor(1)).err(),
            Some(BookError::NotCaptured(Status::Declined))
        );
    }

    #[test]
    fn a_full_book_forgets_decided_payments_and_refuses_when_none_is() {
        let mut book = Book::new(2, 0);
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
        let mut book = Book::new(2, 0);
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

    #[test]
    fn the_configured_share_is_declined_and_always_the_same() {
        let mut book = Book::new(2_000, 200);
        let declined = (0..1_000)
            .filter(|number| {
                let reference = format!("order-{number}");
                let made = book.create(&reference, request(&reference, Method::SandboxOk));
                made.unwrap().payment.status == Status::Declined
            })
            .count();
        assert!((150..250).contains(&declined), "{declined} of 1,000");
        assert!(book.declines("order-7") == Book::new(1, 200).declines("order-7"));
    }

    #[test]
    fn a_file_brings_back_payments_keys_refunds_and_unsent_events() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.jsonl");
        let mut book = Book::new(10, 0);
        book.keep_in(BookFile::open(&path).unwrap()).unwrap();
        let paid = book.create("k", request("a", Method::SandboxOk)).unwrap();
        let waiting = book.create("w", request("b", Method::SandboxTimeout));
        let id = paid.payment.payment_id;
        let (refund, unsent) = book.refund(id, "r", AmountMinor(300)).unwrap();
        book.sent(paid.notice.unwrap().event.event_id).unwrap();
        drop(book);

        let mut again = Book::new(10, 0);
        again.keep_in(BookFile::open(&path).unwrap()).unwrap();
        let repeated = again.create("k", request("a", Method::SandboxOk)).unwrap();
        assert!(!repeated.fresh);
        assert_eq!(repeated.payment.refunded_minor, AmountMinor(300));
        assert_eq!(again.refund(id, "r", AmountMinor(300)).unwrap().0, refund);
        assert_eq!(again.unsent(), vec![unsent.unwrap()]);
        assert_eq!(again.undecided(), vec![waiting.unwrap().payment.payment_id]);
    }

    #[test]
    fn a_line_cut_off_by_a_crash_is_dropped_and_a_damaged_one_is_named() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.jsonl");
        let mut book = Book::new(10, 0);
        book.keep_in(BookFile::open(&path).unwrap()).unwrap();
        book.create("k", request("a", Method::SandboxOk)).unwrap();
        let busy = BookFile::open(&path).err().unwrap();
        assert!(busy.to_string().contains("in use"), "{busy}");
        drop(book);

        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(br#"[{"decided":{"payment_id":"01"#).unwrap();
        let mut book = Book::new(10, 0);
        book.keep_in(BookFile::open(&path).unwrap()).unwrap();
        assert!(book.payment_by_reference("a").is_some());
        book.create("l", request("b", Method::SandboxOk)).unwrap();
        drop(book);
        let mut book = Book::new(10, 0);
        book.keep_in(BookFile::open(&path).unwrap()).unwrap();
        assert!(book.payment_by_reference("b").is_some());
        drop(book);

        std::fs::write(&path, "[]\nnonsense\n[]\n").unwrap();
        let damaged = BookFile::open(&path).err().unwrap().to_string();
        assert!(damaged.contains("book.jsonl:2:"), "{damaged}");
    }
}
