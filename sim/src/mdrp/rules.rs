//! The two sets of rules, and the settings of each policy under them.

use std::str::FromStr;

use doorstep_dispatch_core::{Bundling, Dwells, Matching, Policy, Span};
use doorstep_routing::Distance;

use crate::mdrp::instance::{Instance, Parameters};
use crate::mdrp::plane::MINUTE_MS;
use crate::mdrp::world::{Chance, Preparation};

/// What drivers may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// The publisher's: one restaurant a bundle; orders may be added until the pickup, nothing after it.
    #[default]
    Mdrp,
    /// As FoodMatch does: bundles across restaurants, pickups while carrying.
    Open,
}

impl FromStr for Rules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mdrp" => Ok(Self::Mdrp),
            "open" => Ok(Self::Open),
            _ => Err(format!("{text:?} is neither mdrp nor open")),
        }
    }
}

/// The settings of a policy for an instance. Nothing here depends on which instance it is, beside its parameters.
#[must_use]
pub fn policy(matching: Matching, rules: Rules, instance: &Instance, chance: &Chance) -> Policy {
    let parameters = &instance.parameters;
    let bundling = match rules {
        Rules::Mdrp => Bundling::OneRestaurant,
        Rules::Open => Bundling::AcrossRestaurants,
    };
    let ready_sd = match chance.preparation {
        Preparation::Known => Span::ZERO,
        // The standard deviation around the restaurants' means in the published instances is 8.19 minutes.
        Preparation::RestaurantMean => Span::from_mins(8),
        Preparation::Noisy => chance.preparation_sd,
    };
    let common = Policy {
        matching,
        bundling,
        ready_sd,
        answer_delay: chance.answer_delay,
        accept_permille: 1000 - chance.decline_permille.min(999),
        offer_window: Span::from_mins(1),
        dwells: dwells(parameters),
        click_to_door_target: minutes(parameters.target),
        click_to_door_max: minutes(parameters.maximum),
        guaranteed_orders_permille_h: 1000 * parameters.pay_per_hour
            / parameters.pay_per_order.max(1),
        candidates_max: 20,
        search_radius: Distance::from_metres(1_000_000),
        no_driver_after: minutes(parameters.maximum),
        search_levels: Vec::new(),
        fix_age_max: Span::from_mins(10_000),
        fix_ahead_max: Span::from_mins(1),
        jump_speed_max_mm_s: u64::MAX / 1_000_000,
        jump_slack: Distance::from_metres(10_000_000),
        silence_penalty: Span::ZERO,
        food_wait_weight_permille: 0,
        detour_cost: Span::ZERO,
        late_cost: Span::ZERO,
        ..Policy::default()
    };
    match matching {
        Matching::Nearest => Policy {
            round_interval: Span::from_mins(1),
            next_order_within: Span::from_mins(10),
            early_arrival_max: Span::from_mins(1),
            ..common
        },
        Matching::Mdrp => Policy {
            round_interval: Span::from_mins(5),
            look_ahead: Span::from_mins(10),
            next_order_within: Span::from_mins(60),
            candidates_max: 1000,
            bundle_max: 5,
            plan_deliveries_max: 10,
            ..common
        },
        Matching::FoodMatch => Policy {
            round_interval: Span::from_mins(5),
            look_ahead: Span::from_mins(60),
            next_order_within: Span::from_mins(60),
            candidates_max: 90,
            plan_deliveries_max: 3,
            approach_weight_permille: 0,
            driver_wait_weight_permille: 0,
            overage_weight_permille: 0,
            postpone_cost: Span::from_mins(120),
            ..common
        },
        Matching::Doorstep => doorstep(common),
    }
}

/// Chosen on every fourth of the public instances, by hand and one at a time; `docs/matching.md` says what each does.
fn doorstep(common: Policy) -> Policy {
    Policy {
        round_interval: Span::from_mins(1),
        look_ahead: Span::from_mins(25),
        next_order_within: Span::from_mins(30),
        driver_wait_weight_permille: 100,
        food_wait_weight_permille: 1000,
        detour_cost: Span::from_mins(30),
        approach_weight_permille: 0,
        overage_weight_permille: 250,
        late_cost: Span::from_mins(10),
        beyond_guarantee_cost: Span::from_secs(200),
        postpone_cost: Span::from_mins(200),
        candidates_max: 30,
        ..common
    }
}

fn dwells(parameters: &Parameters) -> Dwells {
    let half = |service: u32| Span::from_millis(u64::from(service) * u64::from(MINUTE_MS) / 2);
    Dwells {
        parking: half(parameters.pickup_service),
        pickup: Span::ZERO,
        leaving: half(parameters.pickup_service),
        door: half(parameters.dropoff_service),
        dropoff: Span::ZERO,
        returning: half(parameters.dropoff_service),
    }
}

fn minutes(minutes: u32) -> Span {
    Span::from_mins(u64::from(minutes))
}
