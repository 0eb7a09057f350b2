//! The figures of a day, as the publisher defines them.

use doorstep_dispatch_core::Time;
use serde::Serialize;

use crate::mdrp::instance::Instance;
use crate::mdrp::plane::{MINUTE_MS, PlaneTravelTimes};
use crate::mdrp::solution::{Location, Served, Solution};
use crate::mdrp::world::World;

/// One line of the table. Times are minutes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kpis {
    /// Name of the instance; `mean` for the mean over many.
    pub instance: String,
    /// Orders of the instance.
    pub orders: f64,
    /// Per cent of them that were not delivered.
    pub undelivered_pct: f64,
    /// Per cent of them that nobody could bring within the maximum from click to door, even with a driver waiting at the
    /// restaurant: no dispatcher that keeps that rule leaves fewer undelivered.
    pub impossible_pct: f64,
    /// Click to door, mean over the delivered.
    pub ctd_mean: f64,
    /// Click to door, 90th percentile (linear interpolation).
    pub ctd_p90: f64,
    /// Ready to pickup, mean.
    pub rtp_mean: f64,
    /// Ready to pickup, 90th percentile.
    pub rtp_p90: f64,
    /// Per cent of the delivered that came after the target.
    pub late_pct: f64,
    /// All drivers' pay over the delivered orders, in dollars.
    pub cost_per_order: f64,
    /// Driving and service over shift length, mean over the drivers.
    pub utilization: f64,
    /// Orders picked up in one visit.
    pub orders_per_bundle: f64,
}

impl Kpis {
    pub(crate) fn of(instance: &Instance, world: &World, solution: &Solution) -> Self {
        let parameters = &instance.parameters;
        let (mut click_to_door, mut ready_to_pickup) = (Vec::new(), Vec::new());
        let mut served_by = vec![0_u32; instance.couriers.len()];
        for (index, (order, served)) in instance.orders.iter().zip(&solution.served).enumerate() {
            if let Some(Served {
                courier,
                picked_up,
                dropped_off: Some(dropped_off),
            }) = served
            {
                click_to_door.push(minutes(*dropped_off) - f64::from(order.placed));
                ready_to_pickup.push(minutes(*picked_up) - minutes(world.ready_at(index)));
                served_by[*courier] += 1;
            }
        }
        let delivered = click_to_door.len() as f64;
        let late = click_to_door
            .iter()
            .filter(|&&door| door > f64::from(parameters.target) + 1e-9)
            .count();
        let pay: f64 = instance
            .couriers
            .iter()
            .zip(&served_by)
            .map(|(courier, &served)| {
                let hours = f64::from(courier.off - courier.on) / 60.0;
                (f64::from(parameters.pay_per_order) * f64::from(served))
                    .max(f64::from(parameters.pay_per_hour) * hours)
            })
            .sum();
        let orders = instance.orders.len() as f64;
        let bundled: usize = solution
            .assignments
            .iter()
            .map(|one| one.orders.len())
            .sum();
        Self {
            instance: instance.name.clone(),
            orders,
            undelivered_pct: 100.0 * (1.0 - delivered / orders.max(1.0)),
            impossible_pct: 100.0 * impossible(instance, world) as f64 / orders.max(1.0),
            ctd_mean: mean(&click_to_door),
            ctd_p90: p90(&mut click_to_door),
            rtp_mean: mean(&ready_to_pickup),
            rtp_p90: p90(&mut ready_to_pickup),
            late_pct: 100.0 * late as f64 / delivered.max(1.0),
            cost_per_order: pay / delivered.max(1.0),
            utilization: utilization(instance, solution, &served_by),
            orders_per_bundle: bundled as f64 / (solution.assignments.len().max(1)) as f64,
        }
    }

    /// The mean of each figure over many lines.
    #[must_use]
    pub fn mean(lines: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| mean(&lines.iter().map(figure).collect::<Vec<_>>());
        Self {
            instance: "mean".to_owned(),
            orders: of(|line| line.orders),
            undelivered_pct: of(|line| line.undelivered_pct),
            impossible_pct: of(|line| line.impossible_pct),
            ctd_mean: of(|line| line.ctd_mean),
            ctd_p90: of(|line| line.ctd_p90),
            rtp_mean: of(|line| line.rtp_mean),
            rtp_p90: of(|line| line.rtp_p90),
            late_pct: of(|line| line.late_pct),
            cost_per_order: of(|line| line.cost_per_order),
            utilization: of(|line| line.utilization),
            orders_per_bundle: of(|line| line.orders_per_bundle),
        }
    }
}

fn impossible(instance: &Instance, world: &World) -> usize {
    let parameters = &instance.parameters;
    let travel = PlaneTravelTimes {
        metres_per_minute: parameters.metres_per_minute,
    };
    let is_impossible = |index: &usize| {
        let order = &instance.orders[*index];
        let ride = travel.minutes(instance.restaurants[order.restaurant].at, order.at);
        let service = f64::from(parameters.pickup_service + parameters.dropoff_service) / 2.0;
        let soonest = minutes(world.ready_at(*index)) + service + f64::from(ride);
        soonest - f64::from(order.placed) > f64::from(parameters.maximum)
    };
    (0..instance.orders.len()).filter(is_impossible).count()
}

fn utilization(instance: &Instance, solution: &Solution, served_by: &[u32]) -> f64 {
    let parameters = &instance.parameters;
    let travel = PlaneTravelTimes {
        metres_per_minute: parameters.metres_per_minute,
    };
    let point = |place: Location| match place {
        Location::Courier(index) => instance.couriers[index].at,
        Location::Restaurant(index) => instance.restaurants[index].at,
        Location::Order(index) => instance.orders[index].at,
    };
    let mut busy: Vec<u32> = served_by
        .iter()
        .map(|served| served * parameters.dropoff_service)
        .collect();
    for one in &solution.assignments {
        busy[one.courier] += parameters.pickup_service;
    }
    for drive in &solution.drives {
        busy[drive.courier] += travel.minutes(point(drive.from), point(drive.to));
    }
    let shares: Vec<f64> = instance
        .couriers
        .iter()
        .zip(busy)
        .filter(|(courier, _)| courier.off > courier.on)
        .map(|(courier, busy)| f64::from(busy) / f64::from(courier.off - courier.on))
        .collect();
    mean(&shares)
}

fn minutes(time: Time) -> f64 {
    time.as_millis() as f64 / f64::from(MINUTE_MS)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn p90(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let rank = 0.9 * last as f64;
    let below = last * 9 / 10;
    values[below] + (rank - below as f64) * (values[(below + 1).min(last)] - values[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_interpolated() {
        assert!((p90(&mut [1.0, 2.0, 3.0, 4.0, 5.0]) - 4.6).abs() < 1e-9);
        assert!((p90(&mut [7.0]) - 7.0).abs() < 1e-9);
        assert!(p90(&mut []).abs() < 1e-9);
    }
}
