//! How long a delivery searches, and how the search grows wider.

use crate::{DeliveryId, Dispatcher};

use super::Timer;

impl Dispatcher {
    /// Begins the search of a delivery that lost its driver: with the whole time, and no wider than usual.
    pub(super) fn search_anew(&mut self, id: DeliveryId) {
        let now = self.now;
        let delivery = self.known_delivery(id);
        (delivery.search_from, delivery.search_level) = (now, 0);
    }

    /// Sets when the search for a driver comes to its next level and when it ends: at once, if it already lasted too long.
    pub(super) fn time_search(&mut self, id: DeliveryId) {
        let (now, no_driver_after) = (self.now, self.policy.no_driver_after);
        let delivery = self.known_delivery(id);
        let (began, level) = (
            delivery.search_from.max(delivery.ready_at),
            delivery.search_level,
        );
        self.timers
            .set(Timer::SearchEnds(id), began.after(no_driver_after).max(now));
        match self.policy.next_search_level(level) {
            Some(after) => self
                .timers
                .set(Timer::SearchWidens(id), began.after(after).max(now)),
            None => self.timers.clear(Timer::SearchWidens(id)),
        }
    }

    /// Brings a search to the level that its length asks for, never back to a lower one; whether it is a new one.
    pub(super) fn widen_search(&mut self, id: DeliveryId) -> bool {
        let now = self.now;
        let delivery = self.known_delivery(id);
        let (began, before) = (
            delivery.search_from.max(delivery.ready_at),
            delivery.search_level,
        );
        let mut level = before;
        while self
            .policy
            .next_search_level(level)
            .is_some_and(|after| began.after(after) <= now)
        {
            level += 1;
        }
        self.known_delivery(id).search_level = level;
        level > before
    }

    /// Called when a search has come to its next level: the order is hard to place, and that is told.
    pub(super) fn search_widens(&mut self, id: DeliveryId) {
        if self.widen_search(id) {
            self.tell_delivery(id);
        }
        self.time_search(id);
    }
}
