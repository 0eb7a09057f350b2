//! An hour in a small city: sound, and the same every time.

use super::{Report, run};
use crate::kpi::{EtaFigures, Kpis};
use crate::scenario::{AdviceSettings, LevelSettings, Scenario};
use crate::testing;

fn evening(seed: u64, change: impl FnOnce(&mut Scenario)) -> Report {
    let (world, mut scenario) = testing::small_city(seed);
    change(&mut scenario);
    run(&world, &scenario, |_| {}).unwrap()
}

#[test]
fn orders_reach_the_door_and_nothing_forbidden_happens() {
    let report = evening(7, |_| {});
    assert_eq!(report.violations, Vec::<String>::new());
    let orders = report.kpis.orders;
    assert_eq!(orders.placed + orders.cards_declined, 60);
    assert_eq!(
        orders.placed,
        orders.delivered + orders.cancelled + orders.rejected + orders.no_driver + orders.open
    );
    assert_eq!(orders.open, 0, "{report:?}");
    assert!(orders.delivered >= orders.placed * 8 / 10, "{report:?}");
    assert!(
        orders.cancelled > 0,
        "a tenth of the customers want to cancel"
    );
    assert!(
        report.kpis.click_to_door_min.mean > 10.0 && report.kpis.click_to_door_min.mean < 60.0,
        "{report:?}"
    );
    let offers = report.kpis.offers;
    assert!(
        offers.accepted >= orders.delivered && offers.declined > 0,
        "{offers:?}"
    );
    assert_eq!(
        offers.made,
        offers.accepted + offers.declined + offers.expired + offers.revoked,
        "{offers:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_seed_another() {
    let first = evening(7, |_| {});
    let again = evening(7, |_| {});
    assert_eq!(first, again);
    assert_ne!(first.digest, evening(8, |_| {}).digest);
}

#[test]
fn every_setting_of_a_driver_shows_in_the_digest() {
    let base = evening(7, |_| {}).digest;
    assert_ne!(
        base,
        evening(7, |scenario| scenario.drivers.speed_factor = 1.1).digest
    );
    assert_ne!(
        base,
        evening(7, |scenario| scenario.drivers.accept_probability = 0.5).digest
    );
    assert_ne!(
        base,
        evening(7, |scenario| scenario.dispatch.round_interval_s =
            Some(40.0))
        .digest
    );
}

#[test]
fn slow_kitchens_make_customers_wait_and_few_drivers_leave_orders_behind() {
    let base = evening(7, |_| {}).kpis;
    let slow = evening(7, |scenario| {
        scenario.restaurants.preparation.mean_s += 600.0
    })
    .kpis;
    assert!(
        slow.click_to_door_min.mean > base.click_to_door_min.mean + 5.0,
        "{slow:?}"
    );
    let alone = evening(7, |scenario| scenario.drivers.count = 1);
    assert_eq!(alone.violations, Vec::<String>::new());
    assert!(alone.kpis.undelivered_share > 0.3, "{alone:?}");
}

#[test]
fn drivers_who_never_answer_in_time_let_offers_expire() {
    let report = evening(7, |scenario| scenario.drivers.answer_delay.mean_s = 600.0);
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(
        report.kpis.offers.expired > 0 && report.kpis.orders.delivered == 0,
        "{report:?}"
    );
}

/// Four hours with more orders than the first ones, from which the bands are learned.
fn long_evening(change: impl FnOnce(&mut Scenario)) -> EtaFigures {
    let report = evening(7, |scenario| {
        scenario.duration_min = 240;
        scenario.demand.orders_per_hour = 150.0;
        scenario.drivers.count = 60;
        change(scenario);
    });
    assert_eq!(report.violations, Vec::<String>::new());
    report.kpis.etas
}

#[test]
fn bands_and_promises_hold_as_often_as_they_say() {
    let as_guessed: fn(&mut Scenario) = |_| {};
    // What the policy does not know: slower roads than the map's, kitchens twice as uncertain.
    let worse_than_guessed: fn(&mut Scenario) = |scenario| {
        scenario.drivers.speed_factor = 1.3;
        scenario.restaurants.preparation.sd_s = 400.0;
    };
    for change in [as_guessed, worse_than_guessed] {
        let etas = long_evening(change);
        for told in [etas.at_assignment, etas.at_pickup] {
            assert!(told.count > 400, "{etas:?}");
            assert!((0.75..=0.85).contains(&told.covered_share), "{etas:?}");
        }
        assert!(
            (0.80..=0.90).contains(&etas.promises_kept_share),
            "{etas:?}"
        );
    }
}

/// Few drivers who stay where they are, and a search that looks three streets far.
fn scarce(levels: &[LevelSettings], change: impl FnOnce(&mut Scenario)) -> Report {
    evening(7, |scenario| {
        scenario.drivers.count = 12;
        scenario.drivers.drift_share = 0.0;
        scenario.dispatch.search_radius_m = Some(600);
        scenario.dispatch.search_levels = Some(levels.to_vec());
        change(scenario);
    })
}

fn level(after_s: f64, search_radius_m: u32, offers_at_once: u32) -> LevelSettings {
    LevelSettings {
        after_s,
        candidates_max: None,
        search_radius_m: Some(search_radius_m),
        offers_at_once: Some(offers_at_once),
    }
}

#[test]
fn a_search_that_widens_delivers_what_would_end_without_a_driver() {
    let narrow = scarce(&[], |_| {});
    let wide = scarce(&[level(300.0, 1_500, 1), level(600.0, 4_000, 1)], |_| {});
    for report in [&narrow, &wide] {
        assert_eq!(report.violations, Vec::<String>::new());
    }
    assert!(narrow.kpis.orders.no_driver >= 5, "{narrow:?}");
    assert!(
        wide.kpis.orders.no_driver * 4 <= narrow.kpis.orders.no_driver,
        "{wide:?} after {narrow:?}"
    );
    assert!(wide.kpis.orders.delivered > narrow.kpis.orders.delivered);
}

#[test]
fn asking_several_at_once_finds_a_driver_sooner_among_unwilling_ones() {
    let unwilling = |at_once: u32| {
        evening(7, |scenario| {
            scenario.drivers.accept_probability = 0.3;
            scenario.drivers.answer_delay.mean_s = 25.0;
            scenario.dispatch.offers_at_once = Some(at_once);
        })
    };
    let (alone, together) = (unwilling(1), unwilling(4));
    for report in [&alone, &together] {
        assert_eq!(report.violations, Vec::<String>::new());
        let offers = report.kpis.offers;
        assert_eq!(
            offers.made,
            offers.accepted + offers.declined + offers.expired + offers.revoked
        );
    }
    let found = |report: &Report| report.kpis.accepted_to_assigned_min.p90;
    assert!(
        found(&together) < found(&alone),
        "{together:?} after {alone:?}"
    );
    assert!(together.kpis.offers.revoked > alone.kpis.offers.revoked);
}

/// Three hours with quick kitchens: how far the driver has to come is what customers wait for.
fn quick_kitchens(seed: u64, advice: Option<AdviceSettings>, follow_share: f64) -> Report {
    let report = evening(seed, |scenario| {
        scenario.duration_min = 180;
        scenario.restaurants.preparation.mean_s = 150.0;
        scenario.restaurants.preparation.sd_s = 30.0;
        scenario.restaurants.preparation.min_s = 60.0;
        scenario.drivers.drift_share = 0.0;
        scenario.drivers.follow_advice_share = follow_share;
        scenario.dispatch.advice = advice;
    });
    assert_eq!(report.violations, Vec::<String>::new());
    report
}

#[test]
fn drivers_who_wait_where_advised_fetch_food_sooner() {
    for seed in [7, 8] {
        let advice = || Some(AdviceSettings::default());
        let (off, on) = (
            quick_kitchens(seed, None, 1.0).kpis,
            quick_kitchens(seed, advice(), 1.0).kpis,
        );
        assert_eq!(off.advices, 0);
        assert!(on.advices > 50 && on.advices <= on.orders.placed, "{on:?}");
        assert!(
            on.ready_to_pickup_min.mean < 0.8 * off.ready_to_pickup_min.mean,
            "{on:?} after {off:?}"
        );
        assert!(on.click_to_door_min.mean < off.click_to_door_min.mean);
    }
}

#[test]
fn advice_that_nobody_follows_changes_nothing_else() {
    let off = quick_kitchens(7, None, 0.0).kpis;
    let ignored = quick_kitchens(7, Some(AdviceSettings::default()), 0.0).kpis;
    assert!(ignored.advices > 0);
    let advices = off.advices;
    assert_eq!(off, Kpis { advices, ..ignored });
}
