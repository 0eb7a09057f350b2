//! Running processes and the leases they hold on messages and payments.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::domain::ids::fresh_uuid;
use crate::store::engine::{Statement, Tx, transact, values};
use crate::store::{Store, StoreError};

const OF_INSTANCE: Statement =
    Statement::both("SELECT process_id FROM process WHERE instance = $1");
const REGISTER: Statement = Statement::both(
    "INSERT INTO process (process_id, instance, beat, started_at_ms) VALUES ($1, $2, 1, $3)",
);
const BEAT: Statement = Statement::both("UPDATE process SET beat = beat + 1 WHERE process_id = $1");
const OTHERS: Statement =
    Statement::both("SELECT process_id, beat FROM process WHERE process_id <> $1");
const REMOVE: Statement = Statement::both("DELETE FROM process WHERE process_id = $1");
const REMOVE_AT: Statement =
    Statement::both("DELETE FROM process WHERE process_id = $1 AND beat = $2");
const FREE_MESSAGES: Statement =
    Statement::both("UPDATE outbox SET holder = NULL, next_at_ms = $2 WHERE holder = $1");
const FREE_PAYMENTS: Statement = Statement::both(
    "UPDATE payment SET holder = NULL, next_at_ms = $2 WHERE holder = $1 AND next_at_ms IS NOT NULL",
);

/// The id under which this process holds leases; another one after it was taken for dead.
#[derive(Clone, Debug)]
pub(crate) struct Holder(Arc<Mutex<Uuid>>);

impl Default for Holder {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(fresh_uuid(0))))
    }
}

impl Holder {
    /// Under which id this process holds leases now.
    pub(crate) fn id(&self) -> Uuid {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, id: Uuid) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }
}

/// Leases that were freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Freed {
    /// Of messages in the outbox.
    pub(crate) messages: u64,
    /// Of payments.
    pub(crate) payments: u64,
}

impl Freed {
    /// Nothing was held.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// Another process and how often it has said that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// The process.
    pub(crate) process: Uuid,
    /// Grows as long as it runs.
    pub(crate) count: i64,
}

impl Store {
    /// The name of a process that was given none.
    pub(crate) fn default_instance(&self, addr: SocketAddr) -> String {
        if self.database.is_sqlite() {
            return "sqlite".to_owned();
        }
        format!("{}/{addr}", gethostname::gethostname().to_string_lossy())
    }

    /// Enters this process under its instance's name and frees what the last process of that name held.
    pub(crate) async fn register(&self, instance: &str, now_ms: i64) -> Result<Freed, StoreError> {
        let process = fresh_uuid(now_ms);
        let freed = transact!(self.database, StoreError, |tx| {
            let mut freed = Freed::default();
            for row in tx.rows(OF_INSTANCE, values![instance]).await? {
                let before = row.id("process_id")?;
                freed = free(tx, before, now_ms).await?;
                tx.execute(REMOVE, values![before]).await?;
            }
            tx.execute(REGISTER, values![process, instance, now_ms])
                .await?;
            Ok::<Freed, StoreError>(freed)
        })?;
        self.holder.set(process);
        Ok(freed)
    }

    /// Says that this process runs; false when it was taken for dead meanwhile.
    pub(crate) async fn beat(&self) -> Result<bool, StoreError> {
        transact!(self.database, StoreError, |tx| {
            Ok(tx.execute(BEAT, values![self.holder.id()]).await? == 1)
        })
    }

    /// How often each other process has said that it runs.
    pub(crate) async fn other_processes(&self) -> Result<Vec<Beat>, StoreError> {
        let rows = self
            .database
            .rows(OTHERS, values![self.holder.id()])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Beat {
                    process: row.id("process_id")?,
                    count: row.int("beat")?,
                })
            })
            .collect()
    }

    /// Frees what a process held whose beat still stands at `last`; `None` when it runs after all or somebody was faster.
    pub(crate) async fn take_over(
        &self,
        last: Beat,
        now_ms: i64,
    ) -> Result<Option<Freed>, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let gone = values![last.process, last.count];
            if tx.execute(REMOVE_AT, gone).await? == 0 {
                return Ok(None);
            }
            free(tx, last.process, now_ms).await.map(Some)
        })
    }

    /// Gives all leases back and takes this process off the list: the normal end.
    pub(crate) async fn deregister(&self) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            // Due at once, whatever the time.
            free(tx, self.holder.id(), 0).await?;
            tx.execute(REMOVE, values![self.holder.id()]).await?;
            Ok(())
        })
    }
}

async fn free(tx: &mut Tx, process: Uuid, now_ms: i64) -> Result<Freed, StoreError> {
    Ok(Freed {
        messages: tx.execute(FREE_MESSAGES, values![process, now_ms]).await?,
        payments: tx.execute(FREE_PAYMENTS, values![process, now_ms]).await?,
    })
}
