//! What happened in the last 30 minutes of the city: orders placed and delivered.

use std::collections::VecDeque;

const WINDOW_MS: i64 = 30 * 60_000;

/// A rate over less time than this says nothing.
const RATE_AFTER_MS: i64 = 2 * 60_000;

/// Events held at most of each kind; when full the oldest goes.
const EVENTS_MAX: usize = 50_000;

/// Two queues of what happened, newest at the back.
#[derive(Debug, Default)]
pub(crate) struct Window {
    since_ms: Option<i64>,
    placed: VecDeque<i64>,
    delivered: VecDeque<(i64, i64)>,
}

impl Window {
    pub(crate) fn placed(&mut self, at_ms: i64) {
        push(&mut self.placed, at_ms);
    }

    /// An order came to the door `took_ms` after it was placed.
    pub(crate) fn delivered(&mut self, at_ms: i64, took_ms: i64) {
        push(&mut self.delivered, (at_ms, took_ms));
    }

    /// Forgets what is older than the window.
    pub(crate) fn pass_time(&mut self, now_ms: i64) {
        let start = now_ms - WINDOW_MS;
        self.since_ms.get_or_insert(now_ms);
        self.placed.retain(|at| *at > start);
        self.delivered.retain(|(at, _)| *at > start);
    }

    /// Mean time from click to door in minutes.
    pub(crate) fn click_to_door_min(&self) -> Option<f64> {
        let total: i64 = self.delivered.iter().map(|(_, took)| took).sum();
        let count = self.delivered.len();
        (count > 0).then(|| total as f64 / count as f64 / 60_000.0)
    }

    /// Orders placed, scaled to an hour; over a shorter time while the window is not full.
    pub(crate) fn orders_per_hour(&self, now_ms: i64) -> Option<u64> {
        let since = self.since_ms?.max(now_ms - WINDOW_MS);
        let span = now_ms - since;
        let count = self.placed.iter().filter(|at| **at > since).count() as u64;
        let span = u64::try_from(span).ok().filter(|_| span >= RATE_AFTER_MS)?;
        Some((count * 3_600_000 + span / 2) / span)
    }
}

fn push<T>(queue: &mut VecDeque<T>, event: T) {
    if queue.len() >= EVENTS_MAX {
        queue.pop_front();
    }
    queue.push_back(event);
}
