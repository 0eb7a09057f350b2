//! What came out of a day, and the publisher's three files.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use doorstep_dispatch_core::Time;

use crate::mdrp::instance::Instance;
use crate::mdrp::plane::MINUTE_MS;

/// Somewhere in the instance, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Location {
    /// Where a driver's shift begins.
    Courier(usize),
    /// A restaurant.
    Restaurant(usize),
    /// An order's customer.
    Order(usize),
}

/// Orders picked up in one visit.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) assigned: Time,
    pub(crate) picked_up: Time,
    pub(crate) courier: usize,
    /// In the order of their dropoffs.
    pub(crate) orders: Vec<usize>,
}

/// One drive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drive {
    pub(crate) courier: usize,
    pub(crate) departure: Time,
    pub(crate) from: Location,
    pub(crate) to: Location,
}

/// How an order was served.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    pub(crate) courier: usize,
    pub(crate) picked_up: Time,
    pub(crate) dropped_off: Option<Time>,
}

/// All that happened.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) drives: Vec<Drive>,
    /// By order.
    pub(crate) served: Vec<Option<Served>>,
}

impl Solution {
    pub(crate) fn new(orders: usize) -> Self {
        Self {
            assignments: Vec::new(),
            drives: Vec::new(),
            served: vec![None; orders],
        }
    }

    pub(crate) fn picked_up(&mut self, order: usize, courier: usize, now: Time) {
        self.served[order] = Some(Served {
            courier,
            picked_up: now,
            dropped_off: None,
        });
    }

    pub(crate) fn dropped_off(&mut self, order: usize, now: Time) {
        if let Some(served) = &mut self.served[order] {
            served.dropped_off = Some(now);
        }
    }

    /// Writes the publisher's files into a folder, which is made if it is not there.
    pub(crate) fn write(&self, instance: &Instance, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(
            folder.join("solution_info_assignments.txt"),
            self.assignments_text(instance),
        )?;
        fs::write(
            folder.join("solution_info_orders.txt"),
            self.orders_text(instance),
        )?;
        fs::write(
            folder.join("solution_info_couriers.txt"),
            self.drives_text(instance),
        )
    }

    fn assignments_text(&self, instance: &Instance) -> String {
        let mut text = String::from("assignment_time pickup_time courier orders\n");
        for one in &self.assignments {
            let courier = &instance.couriers[one.courier].name;
            let _ = write!(
                text,
                "{} {} {courier}",
                minutes(one.assigned),
                minutes(one.picked_up)
            );
            for &order in &one.orders {
                let _ = write!(text, " {}", instance.orders[order].name);
            }
            text.push('\n');
        }
        text
    }

    fn orders_text(&self, instance: &Instance) -> String {
        let mut text =
            String::from("order placement_time ready_time pickup_time dropoff_time courier\n");
        for (order, served) in instance.orders.iter().zip(&self.served) {
            let Some(Served {
                courier,
                picked_up,
                dropped_off: Some(dropped_off),
            }) = served
            else {
                continue;
            };
            let _ = writeln!(
                text,
                "{} {}.0 {}.0 {} {} {}",
                order.name,
                order.placed,
                order.ready,
                minutes(*picked_up),
                minutes(*dropped_off),
                instance.couriers[*courier].name
            );
        }
        text
    }

    /// Of one courier together and by time; the first begins at `0`, the publisher's name for where the shift begins.
    fn drives_text(&self, instance: &Instance) -> String {
        let name = |place: Location| match place {
            Location::Courier(_) => "0",
            Location::Restaurant(index) => instance.restaurants[index].name.as_str(),
            Location::Order(index) => instance.orders[index].name.as_str(),
        };
        let mut drives = self.drives.clone();
        drives.sort_by_key(|drive| (drive.courier, drive.departure));
        let mut text = String::from("courier departure_time origin destination\n");
        for drive in &drives {
            let courier = &instance.couriers[drive.courier].name;
            let departure = minutes(drive.departure);
            let _ = writeln!(
                text,
                "{courier} {departure} {} {}",
                name(drive.from),
                name(drive.to)
            );
        }
        text
    }
}

/// Minutes with as many decimals as it takes, at least one.
fn minutes(time: Time) -> String {
    let (whole, rest) = (
        time.as_millis() / u64::from(MINUTE_MS),
        time.as_millis() % u64::from(MINUTE_MS),
    );
    if rest == 0 {
        format!("{whole}.0")
    } else {
        format!("{:.6}", time.as_millis() as f64 / f64::from(MINUTE_MS))
    }
}
