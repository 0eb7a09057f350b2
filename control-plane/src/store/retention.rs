//! Deletion of rows that have reached their age, a bounded batch at a time.

use crate::store::engine::{Statement, transact, values};
use crate::store::{Store, StoreError};

// A mark only moves forward; triggers refuse the deletion of idempotency keys that are not before it.
const MOVE_MARK: Statement = Statement::both(
    "INSERT INTO retention (subject, before_ms) VALUES ($1, $2)
     ON CONFLICT (subject) DO UPDATE SET before_ms = excluded.before_ms WHERE excluded.before_ms > retention.before_ms",
);
const QUOTES: Statement = Statement::both(
    "DELETE FROM quote WHERE quote_id IN
     (SELECT quote_id FROM quote WHERE expires_at_ms < $1 ORDER BY expires_at_ms LIMIT $2)",
);
const IDEMPOTENCY_KEYS: Statement = Statement::both(
    "DELETE FROM idempotency_key WHERE (principal, key) IN
     (SELECT principal, key FROM idempotency_key WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2)",
);
const INBOX: Statement = Statement::both(
    "DELETE FROM inbox WHERE (consumer, event_id) IN
     (SELECT consumer, event_id FROM inbox WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)",
);
const CHANGES: Statement = Statement::both(
    "DELETE FROM order_change WHERE id IN
     (SELECT id FROM order_change WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)",
);

/// What is deleted when it is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Quotes, counted from their expiry.
    Quotes,
    /// Idempotency keys with their answers.
    IdempotencyKeys,
    /// Ids of events that have had their effect.
    Inbox,
    /// The journal of changes.
    Changes,
}

impl Subject {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::Quotes,
        Self::IdempotencyKeys,
        Self::Inbox,
        Self::Changes,
    ];

    /// The table's name.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Quotes => "quote",
            Self::IdempotencyKeys => "idempotency_key",
            Self::Inbox => "inbox",
            Self::Changes => "order_change",
        }
    }

    const fn delete(self) -> Statement {
        match self {
            Self::Quotes => QUOTES,
            Self::IdempotencyKeys => IDEMPOTENCY_KEYS,
            Self::Inbox => INBOX,
            Self::Changes => CHANGES,
        }
    }
}

impl Store {
    /// Deletes at most `limit` rows from before a time, the oldest first; answers how many.
    pub(crate) async fn delete_old(
        &self,
        subject: Subject,
        before_ms: i64,
        limit: u32,
    ) -> Result<u64, StoreError> {
        transact!(self.database, StoreError, |tx| {
            tx.execute(MOVE_MARK, values![subject.table(), before_ms])
                .await?;
            tx.execute(subject.delete(), values![before_ms, limit])
                .await
        })
    }
}
