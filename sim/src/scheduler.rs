//! Whose turn it is: the wishes of all actors by time, ties by kind and number.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_dispatch_core::Time;

/// Somebody who acts by the clock. The order of the variants is the order at one and the same millisecond: people
/// first, so that the dispatcher decides on all they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActorKey {
    /// The customer of an order, by its number.
    Customer(u64),
    /// A restaurant, by its index.
    Restaurant(usize),
    /// A driver, by index.
    Driver(usize),
    /// The dispatcher.
    Dispatcher,
}

/// At most one wish an actor: a new one replaces the old, so nothing piles up.
#[derive(Debug, Clone, Default)]
pub struct Scheduler {
    queue: BTreeSet<(Time, ActorKey)>,
    wishes: BTreeMap<ActorKey, Time>,
}

impl Scheduler {
    /// Notes when an actor wants to act next; `None`: not by itself.
    pub fn wish(&mut self, actor: ActorKey, at: Option<Time>) {
        let before = match at {
            Some(at) => self.wishes.insert(actor, at),
            None => self.wishes.remove(&actor),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, actor));
        }
        if let Some(at) = at {
            self.queue.insert((at, actor));
        }
    }

    /// The earliest wish.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.queue.first().map(|&(at, _)| at)
    }

    /// Takes the earliest wish out.
    pub fn pop(&mut self) -> Option<(Time, ActorKey)> {
        let (at, actor) = self.queue.pop_first()?;
        self.wishes.remove(&actor);
        Some((at, actor))
    }

    /// Takes the earliest wish out if it is due.
    pub fn pop_due(&mut self, now: Time) -> Option<ActorKey> {
        self.next_deadline().filter(|&at| at <= now)?;
        self.pop().map(|(_, actor)| actor)
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::Time;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{ActorKey, Scheduler};

    #[test]
    fn a_new_wish_replaces_the_old_one() {
        let mut scheduler = Scheduler::default();
        scheduler.wish(ActorKey::Driver(1), Some(Time::from_millis(5)));
        scheduler.wish(ActorKey::Driver(1), Some(Time::from_millis(9)));
        scheduler.wish(ActorKey::Driver(2), Some(Time::from_millis(7)));
        scheduler.wish(ActorKey::Driver(2), None);
        assert_eq!(scheduler.pop_due(Time::from_millis(8)), None);
        assert_eq!(
            scheduler.pop(),
            Some((Time::from_millis(9), ActorKey::Driver(1)))
        );
        assert_eq!(scheduler.pop(), None);
    }

    #[test]
    fn at_one_time_people_come_before_the_dispatcher() {
        let mut scheduler = Scheduler::default();
        for actor in [
            ActorKey::Dispatcher,
            ActorKey::Driver(0),
            ActorKey::Restaurant(3),
            ActorKey::Customer(8),
        ] {
            scheduler.wish(actor, Some(Time::EPOCH));
        }
        let order: Vec<ActorKey> =
            std::iter::from_fn(|| scheduler.pop().map(|(_, actor)| actor)).collect();
        assert_eq!(
            order,
            [
                ActorKey::Customer(8),
                ActorKey::Restaurant(3),
                ActorKey::Driver(0),
                ActorKey::Dispatcher
            ]
        );
    }

    proptest! {
        /// Whatever the order of wishing, the order of popping is by time and actor.
        #[test]
        fn ties_do_not_depend_on_who_wished_first(wishes in proptest::collection::btree_map(0_usize..40, 0_u64..10, 0..40), turn in any::<proptest::sample::Index>()) {
            let mut shuffled: Vec<(usize, u64)> = wishes.iter().map(|(&driver, &at)| (driver, at)).collect();
            if !shuffled.is_empty() {
                let turn = turn.index(shuffled.len());
                shuffled.rotate_left(turn);
            }
            let mut scheduler = Scheduler::default();
            for &(driver, at) in &shuffled {
                scheduler.wish(ActorKey::Driver(driver), Some(Time::from_millis(at)));
            }
            let popped: Vec<(Time, ActorKey)> = std::iter::from_fn(|| scheduler.pop()).collect();
            let mut expected: Vec<(Time, ActorKey)> =
                wishes.into_iter().map(|(driver, at)| (Time::from_millis(at), ActorKey::Driver(driver))).collect();
            expected.sort_unstable();
            prop_assert_eq!(popped, expected);
        }
    }
}
