//! The numbers that shape decisions, each with what raising it does.

use doorstep_routing::Distance;

use crate::{AdvicePolicy, SearchLevel, Span, StopKind};

/// How orders get to drivers. All are deterministic; each is a page of `docs/matching.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matching {
    /// The longest waiting order gets the driver who would be there first. The floor to fall back on.
    Nearest,
    /// The rolling horizon of Reyes et al. 2018: bundles of one restaurant, urgency groups, two stages of commitment.
    Mdrp,
    /// `FoodMatch` of Joshi et al. 2021: bundles by marginal delay, also across restaurants, then one assignment.
    FoodMatch,
    /// Ours: everything stays open until a driver must drive off; preparation and acceptance are uncertain.
    #[default]
    Doorstep,
}

impl Matching {
    /// All of them, the simplest first.
    pub const ALL: [Self; 4] = [Self::Nearest, Self::Mdrp, Self::FoodMatch, Self::Doorstep];

    /// Its name in settings, records and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Mdrp => "mdrp",
            Self::FoodMatch => "foodmatch",
            Self::Doorstep => "doorstep",
        }
    }
}

impl std::fmt::Display for Matching {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which orders one driver may carry together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bundling {
    /// One order at a time.
    Never,
    /// Orders of one restaurant, picked up in one visit; the next pickup follows the last dropoff.
    #[default]
    OneRestaurant,
    /// Orders of several restaurants; a pickup may come while other food is carried.
    AcrossRestaurants,
}

/// Time that drivers spend at stops beside waiting for food. Raising any makes ETAs later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dwells {
    /// From the arrival at a restaurant until food could be taken, once a visit.
    pub parking: Span,
    /// From when driver and food are both there until the food is in hand, for each order.
    pub pickup: Span,
    /// From the last pickup of a visit until driving off.
    pub leaving: Span,
    /// From the arrival at a customer's until being at the door.
    pub door: Span,
    /// From the door until the food is handed over.
    pub dropoff: Span,
    /// From the dropoff until driving off.
    pub returning: Span,
}

impl Dwells {
    /// Between arrival and service.
    pub(crate) const fn before(&self, kind: StopKind) -> Span {
        match kind {
            StopKind::Pickup => self.parking,
            StopKind::Dropoff => self.door,
        }
    }

    /// Between service and driving off.
    pub(crate) const fn after(&self, kind: StopKind) -> Span {
        match kind {
            StopKind::Pickup => self.leaving,
            StopKind::Dropoff => self.returning,
        }
    }
}

impl Default for Dwells {
    fn default() -> Self {
        Self {
            parking: Span::ZERO,
            pickup: Span::from_mins(2),
            leaving: Span::ZERO,
            door: Span::ZERO,
            dropoff: Span::from_mins(2),
            returning: Span::ZERO,
        }
    }
}

/// How to dispatch. The default suits a city with scooters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How orders get to drivers.
    pub matching: Matching,
    /// Which orders may be carried together.
    pub bundling: Bundling,
    /// Orders in one bundle. Raising it saves drivers in a rush and lets food wait in the bag.
    pub bundle_max: usize,
    /// Orders in a driver's plan at once, carried ones included. Raising it fixes more of the future.
    pub plan_deliveries_max: usize,
    /// Click-to-door that customers are promised to be near. Raising it makes fewer orders urgent.
    pub click_to_door_target: Span,
    /// No order is given to a driver who would be later than this from click to door. Raising it serves late rather than never.
    pub click_to_door_max: Span,
    /// Standard deviation of estimates of the ready time. Raising it sends drivers earlier, to wait for food rather than let it wait.
    pub ready_sd: Span,
    /// Standard deviation of a drive, in thousandths of it. Raising it widens what customers are told and makes promises later.
    pub travel_spread_permille: u32,
    /// Standard deviation of the time at a stop, in thousandths of it. Raising it does the same.
    pub dwell_spread_permille: u32,
    /// Share of deliveries that are to arrive by the promised time, in thousandths. Raising it promises later.
    pub promise_quantile_permille: u32,
    /// How far one delivery moves the quantiles that are told after it, in thousandths of the band's width; zero: as drawn.
    /// Raising it follows a city that changes sooner, and bands jitter more.
    pub calibration_step_permille: u32,
    /// A dropoff that moves by no more than this is not told unless something else happens. Raising it tells less often.
    pub eta_push_min: Span,
    /// Between an offer and the driver's yes. Raising it makes offers earlier.
    pub answer_delay: Span,
    /// Prior acceptance probability in thousandths, for a driver without history. Lowering it makes offers earlier.
    pub accept_permille: u32,
    /// Orders that a driver is paid for in each hour of the shift anyway, in thousandths; zero: paid by order only.
    /// Raising it prefers drivers who are below that.
    pub guaranteed_orders_permille_h: u32,
    /// Cost of an order given to a driver who has reached the guarantee. Raising it spreads orders over drivers.
    pub beyond_guarantee_cost: Span,
    /// Time between matching rounds. Raising it pools more orders and drivers a round and answers later.
    pub round_interval: Span,
    /// How long a driver may think. Raising it gets more answers and holds an order longer at a silent driver.
    pub offer_window: Span,
    /// Candidate drivers for each order. Raising it finds better matches and costs travel times.
    pub candidates_max: usize,
    /// Farthest candidate, as the crow flies. Raising it serves remote restaurants and allows long approaches.
    pub search_radius: Distance,
    /// Orders matched in one round, longest waiting first. Raising it makes the longest round longer.
    pub round_deliveries_max: usize,
    /// An order is looked at once it is ready within this span. Raising it considers farther drivers and costs travel times.
    pub look_ahead: Span,
    /// An order is offered once its nearest candidate would arrive at most this long before the food.
    /// Raising it secures drivers earlier, who then wait longer at the restaurant.
    pub early_arrival_max: Span,
    /// Time at stops.
    pub dwells: Dwells,
    /// A driver this near to the end of the delivery in hand may be offered the next one; zero: never.
    /// Raising it wastes less driver time and relies more on the ETA.
    pub next_order_within: Span,
    /// After a decline or an expiry the same order is not offered to the same driver for this long.
    /// Raising it asks more drivers before it asks one twice.
    pub decline_cool_off: Span,
    /// Search ends without a driver after this long, counted from the request or, if later, the ready time. Raising it keeps customers waiting.
    pub no_driver_after: Span,
    /// Drivers asked for the same order at the same time, at most [`crate::OFFERS_AT_ONCE_LIMIT`]; the first yes wins. One:
    /// each driver is asked alone. Raising it finds a driver sooner, and disappoints those whose yes comes second.
    pub offers_at_once: usize,
    /// How a search goes on that lasts, each level later than the one before; empty: as it began. Each level reached is told
    /// with the delivery. More and earlier ones place more orders, with longer approaches.
    pub search_levels: Vec<SearchLevel>,
    /// When idle drivers are told to wait elsewhere; none: never.
    pub advice: Option<AdvicePolicy>,
    /// A driver whose connection is gone keeps assigned orders for this long. Raising it survives tunnels and delays reassignment.
    pub lost_grace: Span,
    /// A driver without a fix for this long is not offered orders. Raising it trusts older positions.
    pub fix_age_max: Span,
    /// A fix may be this far ahead of our clock. Raising it tolerates worse phone clocks.
    pub fix_ahead_max: Span,
    /// Fastest believable movement between two fixes, millimetres a second. Raising it believes more.
    pub jump_speed_max_mm_s: u64,
    /// Movement that is believed at any speed: the error of two fixes. Raising it believes more.
    pub jump_slack: Distance,
    /// How many milliseconds of cost one millisecond of a driver waiting for food is worth, in thousandths.
    /// Raising it prefers drivers who arrive just in time over the nearest.
    pub driver_wait_weight_permille: u32,
    /// The same for ready food that waits for its driver, beside the customer's delay. Raising it fetches food sooner, also
    /// where others become later by it.
    pub food_wait_weight_permille: u32,
    /// Cost of each pickup while food of another restaurant is carried. Raising it bundles across restaurants more rarely.
    pub detour_cost: Span,
    /// The same for a driver's time on the road. Raising it prefers short approaches over early pickups.
    pub approach_weight_permille: u32,
    /// How many milliseconds of cost one millisecond past the click-to-door target is worth beside the delay itself, in
    /// thousandths. Raising it serves customers who have waited long before others.
    pub overage_weight_permille: u32,
    /// Cost of each order handed over after the click-to-door target that could still make it, however late. Raising it makes
    /// fewer orders late, and those that are late anyway later.
    pub late_cost: Span,
    /// Cost of asking a driver again who declined this order, each time. Raising it prefers drivers not asked yet.
    pub decline_penalty: Span,
    /// Cost of each of a driver's last offers (up to five) in a row that expired. Raising it avoids drivers who do not answer.
    pub silence_penalty: Span,
    /// Cost of leaving an order for the next round, before its age is added. Raising it accepts worse pairs rather than wait.
    pub postpone_cost: Span,
    /// How many milliseconds of that cost each millisecond of waiting adds, in thousandths. Raising it serves old orders first.
    pub age_weight_permille: u32,
    /// Drivers on duty or carrying food. When full, further drivers are refused.
    pub drivers_max: usize,
    /// Drivers off duty whose answers are remembered; the longest gone are forgotten first. Raising it knows more of those
    /// who come back, and costs some hundred bytes a driver.
    pub gone_drivers_max: usize,
    /// Deliveries that have not ended. When full, further requests are refused.
    pub open_deliveries_max: usize,
    /// Ended deliveries kept to answer repeated inputs; the oldest is forgotten first. Raising it costs memory.
    pub ended_deliveries_max: usize,
    /// Ended offers kept to answer late or repeated answers; the oldest is forgotten first. Raising it costs memory.
    pub ended_offers_max: usize,
    /// Declines and expiries remembered for each delivery; the oldest is forgotten first. Raising it costs memory.
    pub declines_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            matching: Matching::default(),
            bundling: Bundling::default(),
            bundle_max: 3,
            plan_deliveries_max: 4,
            click_to_door_target: Span::from_mins(40),
            click_to_door_max: Span::from_mins(180),
            ready_sd: Span::from_mins(3),
            travel_spread_permille: 150,
            dwell_spread_permille: 300,
            promise_quantile_permille: 850,
            calibration_step_permille: 40,
            eta_push_min: Span::from_mins(1),
            answer_delay: Span::from_secs(12),
            accept_permille: 850,
            guaranteed_orders_permille_h: 0,
            beyond_guarantee_cost: Span::ZERO,
            round_interval: Span::from_secs(20),
            offer_window: Span::from_secs(45),
            candidates_max: 20,
            search_radius: Distance::from_millimetres(12_000_000),
            round_deliveries_max: 1000,
            look_ahead: Span::from_mins(15),
            early_arrival_max: Span::from_mins(3),
            dwells: Dwells::default(),
            next_order_within: Span::from_mins(20),
            decline_cool_off: Span::from_mins(5),
            no_driver_after: Span::from_mins(30),
            offers_at_once: 1,
            search_levels: vec![
                SearchLevel {
                    after: Span::from_mins(8),
                    candidates_max: 30,
                    search_radius: Distance::from_millimetres(18_000_000),
                    offers_at_once: 1,
                },
                SearchLevel {
                    after: Span::from_mins(16),
                    candidates_max: 40,
                    search_radius: Distance::from_millimetres(25_000_000),
                    offers_at_once: 1,
                },
            ],
            advice: None,
            lost_grace: Span::from_secs(60),
            fix_age_max: Span::from_mins(3),
            fix_ahead_max: Span::from_secs(60),
            jump_speed_max_mm_s: 60_000,
            jump_slack: Distance::from_millimetres(500_000),
            driver_wait_weight_permille: 200,
            food_wait_weight_permille: 250,
            detour_cost: Span::from_mins(30),
            approach_weight_permille: 50,
            overage_weight_permille: 500,
            late_cost: Span::from_mins(2),
            decline_penalty: Span::from_mins(10),
            silence_penalty: Span::from_mins(2),
            postpone_cost: Span::from_mins(200),
            age_weight_permille: 1000,
            drivers_max: 50_000,
            gone_drivers_max: 50_000,
            open_deliveries_max: 50_000,
            ended_deliveries_max: 50_000,
            ended_offers_max: 50_000,
            declines_max: 32,
        }
    }
}

/// A policy that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A field that must be positive is zero.
    #[error("policy field {field} must not be zero")]
    Zero {
        /// Its name.
        field: &'static str,
    },
    /// A field is above what it may be.
    #[error("policy field {field} must not be above {max}")]
    TooLarge {
        /// Its name.
        field: &'static str,
        /// The most.
        max: usize,
    },
    /// A list that goes forward in time goes back.
    #[error("policy field {field} must be later than the one before, the first later than 0")]
    NotLater {
        /// Its name.
        field: &'static str,
    },
}

impl Policy {
    /// Checks that a dispatcher can work with it.
    ///
    /// # Errors
    /// Names the first field that is out of its range.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let positive = [
            ("round_interval", self.round_interval > Span::ZERO),
            ("offer_window", self.offer_window > Span::ZERO),
            ("bundle_max", self.bundle_max > 0),
            ("plan_deliveries_max", self.plan_deliveries_max > 0),
            ("click_to_door_max", self.click_to_door_max > Span::ZERO),
            ("accept_permille", self.accept_permille > 0),
            (
                "promise_quantile_permille",
                self.promise_quantile_permille > 0,
            ),
            ("candidates_max", self.candidates_max > 0),
            ("search_radius", self.search_radius.as_millimetres() > 0),
            ("round_deliveries_max", self.round_deliveries_max > 0),
            ("no_driver_after", self.no_driver_after > Span::ZERO),
            ("jump_speed_max_mm_s", self.jump_speed_max_mm_s > 0),
            ("drivers_max", self.drivers_max > 0),
            ("open_deliveries_max", self.open_deliveries_max > 0),
        ];
        match positive.iter().find(|(_, holds)| !holds) {
            Some(&(field, _)) => Err(PolicyError::Zero { field }),
            None => {
                self.validate_search()?;
                self.advice.map_or(Ok(()), |advice| advice.validate())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_works_and_a_zero_interval_is_named() {
        assert_eq!(Policy::default().validate(), Ok(()));
        let policy = Policy {
            round_interval: Span::ZERO,
            ..Policy::default()
        };
        assert_eq!(
            policy.validate(),
            Err(PolicyError::Zero {
                field: "round_interval"
            })
        );
    }
}
