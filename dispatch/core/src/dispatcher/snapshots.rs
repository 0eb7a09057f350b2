//! Writes the state of a dispatcher as bytes, and makes the dispatcher of them again.

use std::collections::{BTreeSet, VecDeque};

use crate::driver::Duty;
use crate::driver_index::DriverIndex;
use crate::invariants;
use crate::snapshot::{MAGIC, Reader, SnapshotError, Stored, stored};
use crate::{DeliveryState, Dispatcher, Policy, matching};

stored!(Dispatcher {
    1: now,
    2: drivers,
    3: deliveries,
    4: ended,
    5: offers,
    6: timers,
    7: next_round,
    8: last_round,
    9: advising,
    10: counters,
    11: hours,
    12: calibration,
    13: gone_drivers,
    14: digest,
    15: round_began = None,
} derived {
    policy: Policy::default(),
    index: DriverIndex::default(),
    open_deliveries: 0,
    searching: BTreeSet::new(),
    outputs: VecDeque::new(),
});

impl Dispatcher {
    /// The state between two inputs. Costs the size of the tables: some 300 bytes a driver, 2 KB a delivery with decisions.
    ///
    /// # Panics
    /// If outputs were not drained with [`Self::poll_output`].
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        assert!(
            self.outputs.is_empty(),
            "{} outputs were not drained before the snapshot",
            self.outputs.len()
        );
        let mut out = MAGIC.to_vec();
        self.store(&mut out);
        out
    }

    /// The dispatcher whose state was written: with the same policy it decides as that one would have, and has its digest.
    ///
    /// # Errors
    /// If the bytes are not a whole, consistent state, or the policy cannot work. Bytes from anywhere do no harm.
    pub fn restore(policy: Policy, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        policy.validate()?;
        let state = snapshot
            .strip_prefix(MAGIC)
            .ok_or(SnapshotError::NotASnapshot)?;
        let mut input = Reader::new(state);
        let mut dispatcher = Self::load(&mut input)?;
        if input.left() > 0 {
            return Err(SnapshotError::TooLong {
                bytes: input.left(),
            });
        }
        dispatcher.policy = policy;
        dispatcher.derive();
        invariants::tables_fit_together(&dispatcher)?;
        Ok(dispatcher)
    }

    /// Fills in what follows from the tables.
    fn derive(&mut self) {
        for driver in self.drivers.values() {
            if driver.duty == Duty::On {
                self.index.place(driver.id, driver.fix.at);
                let attributes = matching::attributes(driver, &self.policy);
                self.index.set_attributes(driver.id, attributes);
            }
        }
        for (&id, delivery) in &self.deliveries {
            self.open_deliveries += usize::from(!delivery.state.is_end());
            if delivery.state == DeliveryState::Searching {
                self.searching.insert(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dispatcher::Timer;
    use crate::{DeliveryId, Dispatcher, DriverId, OfferId, Policy, SnapshotError, Time};

    /// Found by the fuzzer: the deadline of something that is not there would have ended the process.
    #[test]
    fn a_timer_of_nothing_is_refused() {
        for timer in [
            Timer::OfferExpires(OfferId(1)),
            Timer::GraceEnds(DriverId(1)),
            Timer::SearchEnds(DeliveryId(1)),
            Timer::SearchWidens(DeliveryId(1)),
        ] {
            let mut dispatcher = Dispatcher::new(Policy::default()).expect("the default works");
            dispatcher.timers.set(timer, Time::from_millis(5));
            let restored = Dispatcher::restore(Policy::default(), &dispatcher.snapshot());
            assert!(
                matches!(restored, Err(SnapshotError::Inconsistent(_))),
                "{timer:?}"
            );
        }
    }
}
