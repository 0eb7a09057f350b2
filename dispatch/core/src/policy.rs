//! The numbers that shape decisions, each with what raising it does.

use doorstep_routing::Distance;

use crate::policy_fields::{DAY, HOUR, check_positive, policy_fields};
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

impl Bundling {
    /// All of them, the simplest first.
    pub const ALL: [Self; 3] = [Self::Never, Self::OneRestaurant, Self::AcrossRestaurants];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OneRestaurant => "one-restaurant",
            Self::AcrossRestaurants => "across-restaurants",
        }
    }
}

policy_fields! {
    /// Time that drivers spend at stops beside waiting for food. Raising any makes ETAs later.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Dwells in "dwells." {
        /// From the arrival at a restaurant until food could be taken, once a visit.
        parking: Span = Span::ZERO, Milliseconds, 0..=HOUR;
        /// From when driver and food are both there until the food is in hand, for each order.
        pickup: Span = Span::from_mins(2), Milliseconds, 0..=HOUR;
        /// From the last pickup of a visit until driving off.
        leaving: Span = Span::ZERO, Milliseconds, 0..=HOUR;
        /// From the arrival at a customer's until being at the door.
        door: Span = Span::ZERO, Milliseconds, 0..=HOUR;
        /// From the door until the food is handed over.
        dropoff: Span = Span::from_mins(2), Milliseconds, 0..=HOUR;
        /// From the dropoff until driving off.
        returning: Span = Span::ZERO, Milliseconds, 0..=HOUR;
    }
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

policy_fields! {
    /// How to dispatch. The default suits a city with scooters.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Policy in "" {
        /// How orders get to drivers.
        matching: Matching = Matching::default(), Name, 0..=3;
        /// Which orders may be carried together.
        bundling: Bundling = Bundling::default(), Name, 0..=2;
        /// Orders in one bundle. Raising it saves drivers in a rush and lets food wait in the bag.
        bundle_max: usize = 3, Count, 1..=20;
        /// Orders in a driver's plan at once, carried ones included. Raising it fixes more of the future.
        plan_deliveries_max: usize = 4, Count, 1..=50;
        /// Click-to-door that customers are promised to be near. Raising it makes fewer orders urgent.
        click_to_door_target: Span = Span::from_mins(40), Milliseconds, 0..=DAY;
        /// No order is given to a driver who would be later than this from click to door. Raising it serves late rather than never.
        click_to_door_max: Span = Span::from_mins(180), Milliseconds, 1..=DAY;
        /// Standard deviation of estimates of the ready time. Raising it sends drivers earlier, to wait for food rather than let it wait.
        ready_sd: Span = Span::from_mins(3), Milliseconds, 0..=HOUR;
        /// Standard deviation of a drive, in thousandths of it. Raising it widens what customers are told and makes promises later.
        travel_spread_permille: u32 = 150, Permille, 0..=2000;
        /// Standard deviation of the time at a stop, in thousandths of it. Raising it does the same.
        dwell_spread_permille: u32 = 300, Permille, 0..=2000;
        /// Share of deliveries that are to arrive by the promised time, in thousandths. Raising it promises later.
        promise_quantile_permille: u32 = 850, Permille, 1..=999;
        /// How far one delivery moves the quantiles that are told after it, in thousandths of the band's width; zero: as drawn.
        /// Raising it follows a city that changes sooner, and bands jitter more.
        calibration_step_permille: u32 = 40, Permille, 0..=1000;
        /// A dropoff that moves by no more than this is not told unless something else happens. Raising it tells less often.
        eta_push_min: Span = Span::from_mins(1), Milliseconds, 0..=HOUR;
        /// Between an offer and the driver's yes. Raising it makes offers earlier.
        answer_delay: Span = Span::from_secs(12), Milliseconds, 0..=HOUR;
        /// Prior acceptance probability in thousandths, for a driver without history. Lowering it makes offers earlier.
        accept_permille: u32 = 850, Permille, 1..=1000;
        /// Orders that a driver is paid for in each hour of the shift anyway, in thousandths; zero: paid by order only.
        /// Raising it prefers drivers who are below that.
        guaranteed_orders_permille_h: u32 = 0, Permille, 0..=20_000;
        /// Cost of an order given to a driver who has reached the guarantee. Raising it spreads orders over drivers.
        beyond_guarantee_cost: Span = Span::ZERO, Milliseconds, 0..=DAY;
        /// Time between matching rounds. Raising it pools more orders and drivers a round and answers later.
        round_interval: Span = Span::from_secs(20), Milliseconds, 1..=HOUR;
        /// How long a driver may think. Raising it gets more answers and holds an order longer at a silent driver.
        offer_window: Span = Span::from_secs(45), Milliseconds, 1..=HOUR;
        /// Candidate drivers for each order. Raising it finds better matches and costs travel times.
        candidates_max: usize = 20, Count, 1..=1000;
        /// Farthest candidate, as the crow flies. Raising it serves remote restaurants and allows long approaches.
        search_radius: Distance = Distance::from_millimetres(12_000_000), Millimetres, 1..=500_000_000;
        /// Orders matched in one round, longest waiting first. Raising it makes the longest round longer.
        round_deliveries_max: usize = 10_000, Count, 1..=1_000_000;
        /// An order is looked at once it is ready within this span. Raising it considers farther drivers and costs travel times.
        look_ahead: Span = Span::from_mins(15), Milliseconds, 0..=DAY;
        /// An order is offered once its nearest candidate would arrive at most this long before the food.
        /// Raising it secures drivers earlier, who then wait longer at the restaurant.
        early_arrival_max: Span = Span::from_mins(3), Milliseconds, 0..=DAY;
        /// Time at stops.
        dwells: Dwells = Dwells::default();
        /// A driver this near to the end of the delivery in hand may be offered the next one; zero: never.
        /// Raising it wastes less driver time and relies more on the ETA.
        next_order_within: Span = Span::from_mins(20), Milliseconds, 0..=DAY;
        /// After a decline or an expiry the same order is not offered to the same driver for this long.
        /// Raising it asks more drivers before it asks one twice.
        decline_cool_off: Span = Span::from_mins(5), Milliseconds, 0..=DAY;
        /// Search ends without a driver after this long, counted from the request or, if later, the ready time. Raising it keeps customers waiting.
        no_driver_after: Span = Span::from_mins(30), Milliseconds, 1..=DAY;
        /// Drivers asked for the same order at the same time, at most [`crate::OFFERS_AT_ONCE_LIMIT`]; the first yes wins. One:
        /// each driver is asked alone. Raising it finds a driver sooner, and disappoints those whose yes comes second.
        offers_at_once: usize = 1, Count, 1..=5;
        /// How a search goes on that lasts, each level later than the one before; empty: as it began. Each level reached is told
        /// with the delivery. More and earlier ones place more orders, with longer approaches.
        search_levels: Vec<SearchLevel> = vec![
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
        ];
        /// When idle drivers are told to wait elsewhere; none: never.
        advice: Option<AdvicePolicy> = None;
        /// A driver whose connection is gone keeps assigned orders for this long. Raising it survives tunnels and delays reassignment.
        lost_grace: Span = Span::from_secs(60), Milliseconds, 0..=DAY;
        /// A driver without a fix for this long is not offered orders. Raising it trusts older positions.
        fix_age_max: Span = Span::from_mins(3), Milliseconds, 0..=DAY;
        /// A fix may be this far ahead of our clock. Raising it tolerates worse phone clocks.
        fix_ahead_max: Span = Span::from_secs(60), Milliseconds, 0..=DAY;
        /// Fastest believable movement between two fixes, millimetres a second. Raising it believes more.
        jump_speed_max_mm_s: u64 = 60_000, MillimetresPerSecond, 1..=1_000_000;
        /// Movement that is believed at any speed: the error of two fixes. Raising it believes more.
        jump_slack: Distance = Distance::from_millimetres(500_000), Millimetres, 0..=100_000_000;
        /// How many milliseconds of cost one millisecond of a driver waiting for food is worth, in thousandths.
        /// Raising it prefers drivers who arrive just in time over the nearest.
        driver_wait_weight_permille: u32 = 200, Permille, 0..=100_000;
        /// The same for ready food that waits for its driver, beside the customer's delay. Raising it fetches food sooner, also
        /// where others become later by it.
        food_wait_weight_permille: u32 = 250, Permille, 0..=100_000;
        /// Cost of each pickup while food of another restaurant is carried. Raising it bundles across restaurants more rarely.
        detour_cost: Span = Span::from_mins(30), Milliseconds, 0..=DAY;
        /// The same for a driver's time on the road. Raising it prefers short approaches over early pickups.
        approach_weight_permille: u32 = 50, Permille, 0..=100_000;
        /// How many milliseconds of cost one millisecond past the click-to-door target is worth beside the delay itself, in
        /// thousandths. Raising it serves customers who have waited long before others.
        overage_weight_permille: u32 = 500, Permille, 0..=100_000;
        /// Cost of each order handed over after the click-to-door target that could still make it, however late. Raising it makes
        /// fewer orders late, and those that are late anyway later.
        late_cost: Span = Span::from_mins(2), Milliseconds, 0..=DAY;
        /// Cost of asking a driver again who declined this order, each time. Raising it prefers drivers not asked yet.
        decline_penalty: Span = Span::from_mins(10), Milliseconds, 0..=DAY;
        /// Cost of each of a driver's last offers (up to five) in a row that expired. Raising it avoids drivers who do not answer.
        silence_penalty: Span = Span::from_mins(2), Milliseconds, 0..=DAY;
        /// Cost of leaving an order for the next round, before its age is added. Raising it accepts worse pairs rather than wait.
        postpone_cost: Span = Span::from_mins(200), Milliseconds, 0..=7 * DAY;
        /// How many milliseconds of that cost each millisecond of waiting adds, in thousandths. Raising it serves old orders first.
        age_weight_permille: u32 = 1000, Permille, 0..=100_000;
        /// Drivers on duty or carrying food. When full, further drivers are refused.
        drivers_max: usize = 50_000, Count, 1..=10_000_000;
        /// Drivers off duty whose answers are remembered; the longest gone are forgotten first. Raising it knows more of those
        /// who come back, and costs some hundred bytes a driver.
        gone_drivers_max: usize = 50_000, Count, 0..=10_000_000;
        /// Deliveries that have not ended. When full, further requests are refused.
        open_deliveries_max: usize = 50_000, Count, 1..=10_000_000;
        /// Ended deliveries kept to answer repeated inputs; the oldest is forgotten first. Raising it costs memory.
        ended_deliveries_max: usize = 50_000, Count, 0..=10_000_000;
        /// Ended offers kept to answer late or repeated answers; the oldest is forgotten first. Raising it costs memory.
        ended_offers_max: usize = 50_000, Count, 0..=10_000_000;
        /// Declines and expiries remembered for each delivery; the oldest is forgotten first. Raising it costs memory.
        declines_max: usize = 32, Count, 0..=10_000;
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
        check_positive(self)?;
        check_positive(&self.dwells)?;
        self.validate_search()?;
        self.advice.map_or(Ok(()), |advice| advice.validate())
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
