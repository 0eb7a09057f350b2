//! The whole state of a dispatcher as bytes, so that a journal need not be replayed from its beginning.
//!
//! ```text
//! Dispatcher ──snapshot()──> bytes ──restore(policy, bytes)──> a dispatcher that goes on as the first would have
//! ```
//!
//! Only what decisions depend on is written; the driver index, the set of searching deliveries and the counts follow from the
//! tables. Every field has a number of its own, which is never used again for another: a later version skips fields that it
//! does not know and gives its own new fields a default. The policy is not part of it: whoever keeps snapshots keeps the
//! policy as well.

mod codec;
mod rows;

use thiserror::Error;

pub(crate) use self::codec::{Reader, Stored, or_default, put_field, stored, stored_names};
use crate::PolicyError;
use crate::invariants::Violation;

/// Begins every snapshot, with the number of the format.
pub(crate) const MAGIC: &[u8] = b"doorstep-state 1\n";

/// Why bytes are no state of a dispatcher.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// They begin with something else.
    #[error("not a snapshot of a dispatcher: it does not begin with \"doorstep-state 1\"")]
    NotASnapshot,
    /// They end in the middle of a value.
    #[error("the snapshot ends at byte {at}, in the middle of a value")]
    CutShort {
        /// Bytes that there are.
        at: usize,
    },
    /// More bytes than the state.
    #[error("the snapshot has {bytes} bytes after its end")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// A value that its type does not have.
    #[error("the snapshot has {value} for {what} at byte {at}, which this version does not know")]
    UnknownValue {
        /// Name of the type.
        what: &'static str,
        /// What stands there.
        value: u64,
        /// Byte of the row that was read, counted from its beginning.
        at: usize,
    },
    /// A field that no version left out is not there.
    #[error("the snapshot has a {what} without {field}, before byte {at}")]
    MissingField {
        /// Name of the type.
        what: &'static str,
        /// Name of the field.
        field: &'static str,
        /// Where the row ends.
        at: usize,
    },
    /// The tables do not fit together.
    #[error("the tables of the snapshot do not fit together: {0}")]
    Inconsistent(#[from] Violation),
    /// The policy cannot work.
    #[error("the policy for the snapshot cannot work: {0}")]
    Policy(#[from] PolicyError),
}
