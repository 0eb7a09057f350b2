//! The picture of the city that all viewers share: pure state that takes changes and gives messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::message::{Delta, DriverRow, Figures, MinuteRow, OrderRow, PlanRow, Snapshot, StopRow};
use super::order_row::{order_row, update_late};
use super::window::Window;
use crate::domain::ids::{DriverId, OrderId};
use crate::domain::summary::OrderSummary;
use crate::drivers::{DriverPicture, DriverSeen, DriverState};

/// Orders held at most; further new ones are counted in no figure until others end.
pub(crate) const ORDERS_MAX: usize = 20_000;

/// How long an ended order stays in the list, in the city's time.
const KEEP_ENDED_MS: i64 = 5 * MINUTE_MS;

/// Minutes of history behind the figures.
const HISTORY_MAX: usize = 31;

const MINUTE_MS: i64 = 60_000;

/// What the page shows, and what of it changed since the last message.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    seq: u64,
    drivers: BTreeMap<DriverId, DriverRow>,
    orders: BTreeMap<OrderId, OrderRow>,
    /// What busy drivers are to do, in the order of doing it.
    plans: BTreeMap<DriverId, Vec<StopRow>>,
    moved: BTreeSet<DriverId>,
    replanned: BTreeSet<DriverId>,
    gone: BTreeSet<DriverId>,
    changed: BTreeSet<OrderId>,
    closed: BTreeSet<OrderId>,
    figures: Figures,
    history: VecDeque<MinuteRow>,
    window: Window,
    round_ms: Option<f64>,
    dispatch: bool,
}

impl Picture {
    /// Takes an order as it stands now.
    pub(crate) fn see_order(&mut self, summary: &OrderSummary, now_ms: i64) {
        let id = summary.order_id;
        let before = self.orders.get(&id);
        if before.is_none() {
            let long_over = summary
                .delivered_at_ms
                .is_some_and(|over| over + KEEP_ENDED_MS <= now_ms);
            if long_over || self.orders.len() >= ORDERS_MAX {
                return;
            }
            self.window.placed(summary.placed_at_ms);
        }
        let row = order_row(summary, before, now_ms);
        let was_over = before.is_some_and(|before| before.over.is_some());
        if let (false, Some(delivered)) = (was_over, summary.delivered_at_ms) {
            self.window
                .delivered(delivered, delivered - summary.placed_at_ms);
        }
        if before != Some(&row) {
            self.changed.insert(id);
            self.closed.remove(&id);
            self.orders.insert(id, row);
        }
    }

    /// Takes all open orders after changes were missed: what is not among them has ended unseen.
    pub(crate) fn see_all_open(&mut self, open: &[OrderSummary], now_ms: i64) {
        let known: BTreeSet<OrderId> = open.iter().map(|summary| summary.order_id).collect();
        let ended = self
            .orders
            .iter()
            .filter(|(id, row)| row.over.is_none() && !known.contains(id));
        let ended: Vec<OrderId> = ended.map(|(id, _)| *id).collect();
        for id in ended {
            self.close(id);
        }
        for summary in open {
            self.see_order(summary, now_ms);
        }
    }

    /// Takes the newest picture of the drivers; who is off duty is not shown.
    pub(crate) fn see_drivers(&mut self, picture: &DriverPicture) {
        self.dispatch = picture.reachable;
        self.round_ms = picture
            .round_us
            .map(|micros| tenths(micros as f64 / 1_000.0));
        let mut seen = BTreeSet::new();
        for driver in &picture.drivers {
            let Some(state) = driver_code(driver.state) else {
                continue;
            };
            let row = DriverRow {
                id: driver.driver_id,
                at: driver.at,
                state,
            };
            seen.insert(row.id);
            self.see_plan(driver);
            if self.drivers.insert(row.id, row) != Some(row) {
                self.moved.insert(row.id);
                self.gone.remove(&row.id);
            }
        }
        let left: Vec<DriverId> = self
            .drivers
            .keys()
            .filter(|id| !seen.contains(id))
            .copied()
            .collect();
        for id in left {
            self.drivers.remove(&id);
            self.moved.remove(&id);
            self.plans.remove(&id);
            self.replanned.remove(&id);
            self.gone.insert(id);
        }
    }

    fn see_plan(&mut self, driver: &DriverSeen) {
        let id = driver.driver_id;
        let before = self.plans.get(&id).map_or(&[][..], Vec::as_slice);
        let same = before.len() == driver.stops.len()
            && before
                .iter()
                .zip(&driver.stops)
                .all(|(row, stop)| *row == StopRow::of(stop));
        if same {
            return;
        }
        self.replanned.insert(id);
        if driver.stops.is_empty() {
            self.plans.remove(&id);
        } else {
            let stops = driver.stops.iter().map(StopRow::of).collect();
            self.plans.insert(id, stops);
        }
    }

    /// Lets time pass and makes the next message, which holds what changed since the last one.
    pub(crate) fn next_delta(&mut self, now_ms: i64) -> serde_json::Result<String> {
        self.pass_time(now_ms);
        let new_minute = self.record_minute(now_ms);
        self.seq += 1;
        let delta = Delta {
            seq: self.seq,
            now: now_ms,
            figures: &self.figures,
            minute: if new_minute {
                self.history.back()
            } else {
                None
            },
            drivers: self
                .moved
                .iter()
                .filter_map(|id| self.drivers.get(id))
                .copied()
                .collect(),
            plans: self
                .replanned
                .iter()
                .map(|&id| PlanRow(id, self.plans.get(&id).map_or(&[], Vec::as_slice)))
                .collect(),
            gone: self.gone.iter().map(DriverId::to_string).collect(),
            orders: self
                .changed
                .iter()
                .filter_map(|id| self.orders.get(id))
                .collect(),
            closed: self.closed.iter().map(OrderId::to_string).collect(),
        };
        let message = serde_json::to_string(&delta);
        self.moved.clear();
        self.replanned.clear();
        self.gone.clear();
        self.changed.clear();
        self.closed.clear();
        message
    }

    /// Everything as of the last delta's number: changes that wait for the next delta are in both, which does no harm.
    pub(crate) fn snapshot(
        &self,
        now_ms: i64,
        speedup: u32,
        offset_s: i32,
    ) -> serde_json::Result<String> {
        serde_json::to_string(&Snapshot {
            seq: self.seq,
            now: now_ms,
            speedup,
            offset_s,
            figures: &self.figures,
            history: self.history.iter().collect(),
            drivers: self.drivers.values().copied().collect(),
            plans: self
                .plans
                .iter()
                .map(|(&id, stops)| PlanRow(id, stops))
                .collect(),
            orders: self.orders.values().collect(),
        })
    }

    /// One order, if it is open or has ended only now.
    pub(crate) fn order(&self, id: OrderId) -> Option<&OrderRow> {
        self.orders.get(&id)
    }

    /// The orders whose id begins or ends with these hexadecimal digits.
    pub(crate) fn orders_like(&self, part: &str) -> Vec<OrderId> {
        let is_like = |id: &&OrderId| {
            let digits = id.uuid().simple().to_string();
            digits.starts_with(part) || digits.ends_with(part)
        };
        self.orders.keys().filter(is_like).copied().collect()
    }

    /// The figures as of the last delta.
    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Late orders first, then the newest, at most `limit`.
    pub(crate) fn newest_orders(&self, limit: usize) -> Vec<&OrderRow> {
        let mut rows: Vec<&OrderRow> = self.orders.values().collect();
        rows.sort_by(|a, b| {
            b.late
                .cmp(&a.late)
                .then(b.placed.cmp(&a.placed))
                .then(a.id.cmp(&b.id))
        });
        rows.truncate(limit);
        rows
    }

    fn pass_time(&mut self, now_ms: i64) {
        let over: Vec<OrderId> = self
            .orders
            .iter()
            .filter(|(_, row)| row.over.is_some_and(|over| over + KEEP_ENDED_MS <= now_ms))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.close(id);
        }
        for (id, row) in &mut self.orders {
            if update_late(row, now_ms) {
                self.changed.insert(*id);
            }
        }
        self.window.pass_time(now_ms);
        let open = self.orders.values().filter(|row| row.over.is_none());
        let (open, late) = open.fold((0, 0), |(open, late), row| {
            (open + 1, late + usize::from(row.late))
        });
        self.figures = Figures {
            open,
            late,
            click_to_door_min: self.window.click_to_door_min().map(tenths),
            drivers_on_duty: self.drivers.len(),
            drivers_idle: self.drivers.values().filter(|row| row.state == 1).count(),
            orders_per_hour: self.window.orders_per_hour(now_ms),
            round_ms: self.round_ms,
            dispatch: self.dispatch,
        };
    }

    fn close(&mut self, id: OrderId) {
        self.orders.remove(&id);
        self.changed.remove(&id);
        self.closed.insert(id);
    }

    /// Adds a row of history when a new minute has begun.
    fn record_minute(&mut self, now_ms: i64) -> bool {
        let minute = now_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        if self.history.back().is_some_and(|row| row.0 >= minute) {
            return false;
        }
        let figures = &self.figures;
        self.history.push_back(MinuteRow(
            minute,
            figures.open,
            figures.late,
            figures.click_to_door_min,
            figures.drivers_on_duty - figures.drivers_idle,
            figures.round_ms,
            figures.orders_per_hour,
        ));
        if self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
        true
    }
}

/// The page's number for what a driver does; `None` is not shown.
const fn driver_code(state: DriverState) -> Option<u8> {
    match state {
        DriverState::Idle => Some(1),
        DriverState::ToRestaurant => Some(2),
        DriverState::AtRestaurant => Some(3),
        DriverState::ToCustomer => Some(4),
        DriverState::OffDuty => None,
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
