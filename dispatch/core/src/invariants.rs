//! What must hold between any two inputs, whatever came before: checked after every step in tests and simulations.

use std::collections::{BTreeMap, BTreeSet};

use crate::delivery::Delivery;
use crate::dispatcher::Timer;
use crate::driver::{Driver, Duty};
use crate::offers::Lookup;
use crate::reposition::CELLS_MAX;
use crate::{DeliveryId, DeliveryState, Dispatcher, DriverId, StopKind, matching};

/// A rule that does not hold: a bug in the dispatcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken rule: {0}")]
pub struct Violation(String);

fn rule(holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation(what()))
    }
}

/// Checks all rules. Costs the size of the tables.
///
/// # Errors
/// Names the first rule that does not hold.
pub fn check(dispatcher: &Dispatcher) -> Result<(), Violation> {
    tables_fit_together(dispatcher)?;
    tables_are_bounded(dispatcher)
}

/// All rules but the bounds, which a change of the policy may have moved below what the tables hold.
pub(crate) fn tables_fit_together(dispatcher: &Dispatcher) -> Result<(), Violation> {
    for (&id, driver) in &dispatcher.drivers {
        rule(driver.id == id, || {
            format!("{} stands under {id}", driver.id)
        })?;
    }
    for (&id, delivery) in &dispatcher.deliveries {
        rule(delivery.id() == id, || {
            format!("{} stands under {id}", delivery.id())
        })?;
    }
    let mut holders: BTreeMap<DeliveryId, Vec<DriverId>> = BTreeMap::new();
    for driver in dispatcher.drivers() {
        for delivery in driver.deliveries() {
            holders.entry(delivery).or_default().push(driver.id);
        }
    }
    for delivery in dispatcher.deliveries() {
        let holders = holders.get(&delivery.id()).map_or(&[][..], Vec::as_slice);
        delivery_is_held_once(delivery, holders)?;
        delivery_is_offered_once(dispatcher, delivery)?;
        etas_fit_together(delivery)?;
    }
    for driver in dispatcher.drivers() {
        driver_matches_deliveries(dispatcher, driver)?;
    }
    offers_match(dispatcher)?;
    index_matches(dispatcher)?;
    advice_matches(dispatcher)?;
    gone_drivers_match(dispatcher)?;
    ends_are_listed(dispatcher)?;
    timers_match(dispatcher)?;
    time_matches(dispatcher)
}

/// A delivery has a driver exactly while one serves it, and only that driver's plan holds it.
fn delivery_is_held_once(delivery: &Delivery, holders: &[DriverId]) -> Result<(), Violation> {
    let (id, state) = (delivery.id(), delivery.state);
    if state.is_served() {
        rule(
            delivery.driver.is_some_and(|driver| holders == [driver]),
            || {
                format!(
                    "{id} is {state} by {:?} and held by {holders:?}",
                    delivery.driver
                )
            },
        )?;
        rule(delivery.etas.is_some(), || {
            format!("{id} is {state} without ETAs")
        })?;
    } else {
        rule(holders.is_empty(), || {
            format!("{id} is {state} and held by {holders:?}")
        })?;
        rule(
            delivery.driver.is_none() || state == DeliveryState::DroppedOff,
            || format!("{id} is {state} and has a driver"),
        )?;
    }
    rule(delivery.seq > 0, || format!("{id} was never told"))
}

/// A delivery is offered exactly while the book has open offers of it, not more than there may be, and searching exactly
/// while it is in that set.
fn delivery_is_offered_once(dispatcher: &Dispatcher, delivery: &Delivery) -> Result<(), Violation> {
    let (id, state) = (delivery.id(), delivery.state);
    rule(
        (state == DeliveryState::Offered) != delivery.offers.is_empty(),
        || format!("{id} is {state} with {:?}", delivery.offers),
    )?;
    let level = dispatcher.policy.search_level(delivery.search_level);
    rule(delivery.offers.len() <= level.offers_at_once, || {
        format!("{id} is offered too often at once: {:?}", delivery.offers)
    })?;
    for &offer in &delivery.offers {
        rule(dispatcher.offers.deliveries(offer).contains(&id), || {
            format!("{offer} is not in the book for {id}")
        })?;
    }
    let undecided = delivery
        .decisions
        .iter()
        .filter(|decision| decision.ended.is_none())
        .count();
    rule(undecided == delivery.offers.len(), || {
        format!("{id} is {state} with {undecided} decisions without an end")
    })?;
    let is_searching = dispatcher.searching.contains(&id);
    rule(is_searching == (state == DeliveryState::Searching), || {
        format!("{id} is {state}, search: {is_searching}")
    })?;
    rule(
        dispatcher.timers.is_set(Timer::SearchEnds(id)) == is_searching,
        || format!("{id} is {state} and its search has the wrong end"),
    )?;
    let next = dispatcher.policy.next_search_level(delivery.search_level);
    rule(
        dispatcher.timers.is_set(Timer::SearchWidens(id)) == (is_searching && next.is_some()),
        || {
            let level = delivery.search_level;
            format!("{id} is {state} at level {level}, and what comes next is not timed so")
        },
    )
}

/// Bands are ordered and contain the ETAs, and a delivery with an ETA has a promise.
fn etas_fit_together(delivery: &Delivery) -> Result<(), Violation> {
    let Some(etas) = delivery.etas else {
        return Ok(());
    };
    for (eta, band) in [
        (etas.pickup, etas.pickup_band),
        (etas.dropoff, etas.dropoff_band),
    ] {
        let is_ordered = band.p10 <= band.p50 && band.p50 <= band.p90;
        rule(is_ordered && band.contains(eta), || {
            format!("{} has {eta} in {band:?}", delivery.id())
        })?;
    }
    rule(delivery.promised_dropoff.is_some(), || {
        format!("{} has ETAs and no promise", delivery.id())
    })
}

/// A plan picks up what is not carried and then drops it off, drops off what is carried, and holds nothing of others.
/// A driver leaves the table when done.
fn driver_matches_deliveries(dispatcher: &Dispatcher, driver: &Driver) -> Result<(), Violation> {
    let id = driver.id;
    let held: Vec<_> = driver.plan.deliveries().collect();
    let mut is_all_carried = true;
    for &delivery in &held {
        let row = dispatcher.delivery(delivery);
        rule(row.is_some_and(|row| row.driver == Some(id)), || {
            format!("{id} holds {delivery} of others")
        })?;
        let is_carried = row.is_some_and(|row| row.state.is_carried());
        is_all_carried &= is_carried;
        let kinds: Vec<StopKind> = driver
            .plan
            .stops
            .iter()
            .filter(|stop| stop.delivery == delivery)
            .map(|stop| stop.kind)
            .collect();
        let wanted: &[StopKind] = if is_carried {
            &[StopKind::Dropoff]
        } else {
            &[StopKind::Pickup, StopKind::Dropoff]
        };
        rule(kinds == wanted, || {
            format!("{id} has the stops {kinds:?} for {delivery}, carried: {is_carried}")
        })?;
    }
    let picked: Vec<_> = driver
        .plan
        .stops
        .iter()
        .filter(|stop| !held.contains(&stop.delivery))
        .collect();
    rule(picked.is_empty(), || {
        format!("{id} picks up and keeps {picked:?}")
    })?;
    let grace = dispatcher.timers.is_set(Timer::GraceEnds(id));
    match driver.duty {
        Duty::On => rule(!grace, || format!("{id} is on duty with a grace")),
        Duty::Off => rule(!grace && !held.is_empty() && is_all_carried, || {
            format!("{id} is off duty with {held:?}")
        }),
        Duty::Lost => rule(!held.is_empty() && (grace || is_all_carried), || {
            format!("{id} is lost with {held:?} and grace: {grace}")
        }),
    }?;
    rule(driver.offer.is_none() || driver.duty == Duty::On, || {
        format!("{id} is asked while not on duty")
    })
}

/// Each open offer is known to exactly its driver and its deliveries; one of several for a delivery is for it alone.
fn offers_match(dispatcher: &Dispatcher) -> Result<(), Violation> {
    let mut open = 0;
    for offer in dispatcher.offers.iter_open().map(|open| &open.offer) {
        let id = offer.offer;
        open += 1;
        rule(
            dispatcher
                .driver(offer.driver)
                .is_some_and(|driver| driver.offer == Some(id)),
            || format!("{} does not know of {id}", offer.driver),
        )?;
        rule(!offer.deliveries.is_empty(), || {
            format!("{id} asks for nothing")
        })?;
        for &delivery in &offer.deliveries {
            let known = dispatcher
                .delivery(delivery)
                .map_or(&[][..], |row| &row.offers);
            rule(known.contains(&id), || {
                format!("{delivery} does not know of {id}")
            })?;
            rule(known.len() == 1 || offer.deliveries.len() == 1, || {
                format!("{id} is a bundle, and others are asked for {delivery}: {known:?}")
            })?;
        }
        rule(dispatcher.timers.is_set(Timer::OfferExpires(id)), || {
            format!("{id} never expires")
        })?;
    }
    let asked = dispatcher
        .drivers()
        .filter(|driver| driver.offer.is_some())
        .count();
    rule(asked == open, || {
        format!("{asked} drivers are asked with {open} open offers")
    })
}

/// The index holds exactly the drivers on duty, where their last fix says, and knows what their rows say.
fn index_matches(dispatcher: &Dispatcher) -> Result<(), Violation> {
    let on_duty = dispatcher
        .drivers()
        .filter(|driver| driver.duty == Duty::On);
    let mut count = 0;
    for driver in on_duty {
        count += 1;
        rule(
            dispatcher.index.position(driver.id) == Some(driver.fix.at),
            || {
                format!(
                    "the index has {} at {:?}",
                    driver.id,
                    dispatcher.index.position(driver.id)
                )
            },
        )?;
        let known = dispatcher.index.attributes(driver.id);
        let expected = matching::attributes(driver, &dispatcher.policy);
        rule(known == Some(expected), || {
            format!(
                "the index knows {known:?} of {}, not {expected:?}",
                driver.id
            )
        })?;
    }
    rule(dispatcher.index.len() == count, || {
        format!("{count} on duty, {} in the index", dispatcher.index.len())
    })?;
    rule(dispatcher.index.is_consistent(), || {
        "the cells of the index do not match its places".to_owned()
    })
}

/// Only who is free and on duty is advised, and a look is wished exactly while somebody could be.
fn advice_matches(dispatcher: &Dispatcher) -> Result<(), Violation> {
    let advising = &dispatcher.advising;
    for driver in advising.advised() {
        let row = dispatcher.driver(driver);
        let waits = |row: &Driver| row.duty == Duty::On && row.offer.is_none() && row.is_free();
        rule(row.is_some_and(waits), || {
            format!("{driver} is advised and does not wait: {row:?}")
        })?;
    }
    let is_wanted = dispatcher.policy.advice.is_some() && !dispatcher.index.is_empty();
    rule(advising.next.is_some() == is_wanted, || {
        format!("the next look for advice is {:?}", advising.next)
    })
}

/// Who is in the driver table has not gone.
fn gone_drivers_match(dispatcher: &Dispatcher) -> Result<(), Violation> {
    for driver in dispatcher.drivers() {
        let gone = dispatcher.gone_drivers.answers(driver.id);
        rule(gone.is_none(), || {
            format!("{} is here and remembered as gone", driver.id)
        })?;
    }
    rule(dispatcher.gone_drivers.is_consistent(), || {
        "the orders of those who have gone do not match".to_owned()
    })
}
fn ends_are_listed(dispatcher: &Dispatcher) -> Result<(), Violation> {
    let open = dispatcher
        .deliveries()
        .filter(|delivery| !delivery.state.is_end())
        .count();
    let ended: BTreeSet<_> = dispatcher.ended.iter().collect();
    rule(open == dispatcher.open_deliveries, || {
        format!("{open} open, counted {}", dispatcher.open_deliveries)
    })?;
    rule(ended.len() == dispatcher.ended.len(), || {
        "a delivery ended twice".to_owned()
    })?;
    let is_end = |id: &&DeliveryId| {
        dispatcher
            .delivery(**id)
            .is_some_and(|row| row.state.is_end())
    };
    rule(
        ended.iter().all(is_end) && open + ended.len() == dispatcher.deliveries.len(),
        || "an ended delivery is not in the list".to_owned(),
    )
}

fn tables_are_bounded(dispatcher: &Dispatcher) -> Result<(), Violation> {
    let policy = &dispatcher.policy;
    let (cells, advised) = dispatcher.advising.sizes();
    let refusals = dispatcher.deliveries().map(|row| row.refusals.len());
    let held = dispatcher
        .drivers()
        .map(|row| row.plan.deliveries().count());
    let sizes = [
        (refusals.max().unwrap_or(0), policy.declines_max),
        (held.max().unwrap_or(0), policy.plan_deliveries_max),
        (dispatcher.drivers.len(), policy.drivers_max),
        (dispatcher.open_deliveries, policy.open_deliveries_max),
        (dispatcher.ended.len(), policy.ended_deliveries_max),
        (dispatcher.offers.ended_len(), policy.ended_offers_max),
        (dispatcher.gone_drivers.len(), policy.gone_drivers_max),
        (cells, CELLS_MAX),
        (advised, policy.drivers_max),
        (
            dispatcher.timers.len(),
            2 * (policy.drivers_max + policy.open_deliveries_max),
        ),
    ];
    rule(sizes.iter().all(|(size, max)| size <= max), || {
        format!("a table is too large: {sizes:?}")
    })
}

/// Every timer is of something that waits for it.
fn timers_match(dispatcher: &Dispatcher) -> Result<(), Violation> {
    for timer in dispatcher.timers.iter() {
        let waits = match timer {
            Timer::OfferExpires(offer) => {
                matches!(dispatcher.offers.lookup(offer), Lookup::Open(_))
            }
            Timer::GraceEnds(driver) => dispatcher.drivers.contains_key(&driver),
            Timer::SearchEnds(delivery) | Timer::SearchWidens(delivery) => {
                dispatcher.searching.contains(&delivery)
            }
        };
        rule(waits, || format!("nothing waits for {timer:?}"))?;
    }
    Ok(())
}

/// A round is wished exactly while something searches and none is under way, and never for the past of the last deadline.
fn time_matches(dispatcher: &Dispatcher) -> Result<(), Violation> {
    let is_wanted = !dispatcher.searching.is_empty() && dispatcher.round_began.is_none();
    rule(dispatcher.next_round.is_some() == is_wanted, || {
        format!(
            "{} searching, next round {:?}",
            dispatcher.searching.len(),
            dispatcher.next_round
        )
    })
}
