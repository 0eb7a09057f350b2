//! One evening in one TOML file: how many people, how fast they cook, drive and make up their minds.

mod check;
mod dispatch;

use doorstep_dispatch_core::{Policy, Span};
use serde::Deserialize;

pub use self::check::ScenarioError;
pub use self::dispatch::{AdviceSettings, DispatchSettings, LevelSettings};
use crate::rng::Draw;

/// Length of one step of [`Demand::shape`].
pub const SLICE: Span = Span::from_millis(30 * 60 * 1_000);

/// What happens in a run, whatever the map and the seed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name for reports.
    pub name: String,
    /// Wall clock time of the city at the start, `HH:MM`.
    pub start: String,
    /// Orders are placed for so many minutes.
    pub duration_min: u32,
    /// After the last order the run goes on for at most so many minutes, until every order is closed.
    #[serde(default = "default_drain_min")]
    pub drain_min: u32,
    /// How large the city is.
    #[serde(default)]
    pub city: CitySettings,
    /// Who orders when.
    #[serde(default)]
    pub demand: Demand,
    /// How kitchens behave.
    #[serde(default)]
    pub restaurants: RestaurantSettings,
    /// How drivers behave.
    #[serde(default)]
    pub drivers: DriverSettings,
    /// How dispatch decides, where it differs from the default.
    #[serde(default)]
    pub dispatch: DispatchSettings,
}

/// How large the city is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CitySettings {
    /// Restaurants lie within so many metres (straight line) of the densest place. Raising it spreads the same
    /// drivers over more roads, so pickups take longer.
    pub service_radius_m: u32,
    /// At most so many restaurants; more on the map are sampled.
    pub restaurants_max: u32,
    /// Below so many on the map, made-up restaurants are added at crossings.
    pub restaurants_min: u32,
    /// At most so many customers; more addresses on the map are sampled.
    pub customers_max: u32,
}

/// Who orders when.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Demand {
    /// Mean rate before [`Self::shape`].
    pub orders_per_hour: f64,
    /// One factor for each half hour from the start; the last one holds to the end.
    pub shape: Vec<f64>,
    /// A customer orders from restaurants at most so many metres away (straight line).
    pub radius_m: u32,
    /// Share of orders that the customer wants to cancel (it works until the food is picked up).
    pub cancel_share: f64,
    /// From placing to cancelling.
    pub cancel_delay: DurationSpread,
    /// Share of orders paid with a card that is declined.
    pub declining_card_share: f64,
    /// Share of delivered orders that get a review.
    pub review_share: f64,
}

/// How kitchens behave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestaurantSettings {
    /// From an order's arrival to the restaurant's yes.
    pub accept_delay: DurationSpread,
    /// From the yes to the food being ready. The restaurant announces the mean, dispatch learns the truth when it is ready.
    pub preparation: DurationSpread,
    /// Share of orders that a restaurant rejects.
    pub reject_share: f64,
}

/// How drivers behave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriverSettings {
    /// How many drivers work at all.
    pub count: u32,
    /// Probability that an offer is accepted.
    pub accept_probability: f64,
    /// From an offer on the phone to the answer. Above dispatch's offer window it becomes an expired offer.
    pub answer_delay: DurationSpread,
    /// At the restaurant, from food and driver being there to riding off.
    pub pickup_dwell: DurationSpread,
    /// At the customer, from arriving to the food being handed over.
    pub dropoff_dwell: DurationSpread,
    /// Seconds between two pings.
    pub ping_interval_s: f64,
    /// Driving takes so many times the free-flow time of the map. 1.2 is a city with traffic.
    pub speed_factor: f64,
    /// Share of idle spells after which a driver rides to another restaurant instead of staying.
    pub drift_share: f64,
    /// Length of such a spell in seconds.
    pub drift_after_s: f64,
    /// Share of the advices where to wait that a driver follows.
    pub follow_advice_share: f64,
    /// Who works when; empty means everybody all the time.
    pub shifts: Vec<Shift>,
}

/// One kind of shift.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// Weight among all shifts: 2 and 1 mean two thirds and one third of the drivers.
    pub share: f64,
    /// Minutes from the start of the run to going on duty.
    pub from_min: u32,
    /// Minutes from the start of the run to going off duty (an order in hand is finished first).
    pub to_min: u32,
}

/// A duration that varies: about normal, cut below at `min_s` and above at four deviations.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationSpread {
    /// Mean in seconds.
    pub mean_s: f64,
    /// Standard deviation in seconds.
    #[serde(default)]
    pub sd_s: f64,
    /// Never shorter than so many seconds.
    #[serde(default)]
    pub min_s: f64,
}

impl DurationSpread {
    /// The duration that `draw` stands for.
    #[must_use]
    pub fn sample(&self, draw: Draw) -> Span {
        seconds((self.mean_s + self.sd_s * draw.normal().clamp(-4.0, 4.0)).max(self.min_s))
    }

    /// The mean as a duration.
    #[must_use]
    pub fn mean(&self) -> Span {
        seconds(self.mean_s)
    }
}

/// Seconds from a scenario, rounded to the millisecond; what is negative or no number counts as zero.
#[must_use]
pub(crate) fn seconds(seconds: f64) -> Span {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a range that fits"
    )]
    Span::from_millis((seconds * 1_000.0).round().clamp(0.0, 1e15) as u64)
}

impl Scenario {
    /// Reads and checks a scenario. `file` is only the name that errors show.
    ///
    /// # Errors
    /// When the text is not TOML, a key is unknown or missing, or a value is out of its range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| check::syntax_error(file, text, &error))?;
        check::check(file, &scenario)?;
        Ok(scenario)
    }

    /// The built-in evening: every default.
    #[must_use]
    pub fn evening() -> Self {
        Self {
            name: "evening".to_owned(),
            start: "18:00".to_owned(),
            duration_min: 240,
            drain_min: default_drain_min(),
            city: CitySettings::default(),
            demand: Demand::default(),
            restaurants: RestaurantSettings::default(),
            drivers: DriverSettings::default(),
            dispatch: DispatchSettings::default(),
        }
    }

    /// The dispatch policy: the default with the scenario's changes.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.dispatch.policy()
    }

    /// How long orders are placed.
    #[must_use]
    pub fn duration(&self) -> Span {
        Span::from_millis(u64::from(self.duration_min) * 60_000)
    }

    /// How long the run may go on after the last order.
    #[must_use]
    pub fn drain(&self) -> Span {
        Span::from_millis(u64::from(self.drain_min) * 60_000)
    }

    /// Milliseconds from midnight to the start.
    #[must_use]
    pub fn start_ms(&self) -> u64 {
        check::time_of_day_ms(&self.start).unwrap_or(0)
    }
}

fn default_drain_min() -> u32 {
    60
}

impl Default for CitySettings {
    fn default() -> Self {
        Self {
            service_radius_m: 6_000,
            restaurants_max: 150,
            restaurants_min: 40,
            customers_max: 6_000,
        }
    }
}

impl Default for Demand {
    fn default() -> Self {
        Self {
            orders_per_hour: 250.0,
            shape: vec![1.0],
            radius_m: 4_000,
            cancel_share: 0.01,
            cancel_delay: DurationSpread {
                mean_s: 60.0,
                sd_s: 40.0,
                min_s: 10.0,
            },
            declining_card_share: 0.01,
            review_share: 0.05,
        }
    }
}

impl Default for RestaurantSettings {
    fn default() -> Self {
        Self {
            accept_delay: DurationSpread {
                mean_s: 45.0,
                sd_s: 20.0,
                min_s: 5.0,
            },
            preparation: DurationSpread {
                mean_s: 720.0,
                sd_s: 240.0,
                min_s: 180.0,
            },
            reject_share: 0.005,
        }
    }
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            count: 150,
            accept_probability: 0.9,
            answer_delay: DurationSpread {
                mean_s: 9.0,
                sd_s: 4.0,
                min_s: 2.0,
            },
            pickup_dwell: DurationSpread {
                mean_s: 60.0,
                sd_s: 20.0,
                min_s: 15.0,
            },
            dropoff_dwell: DurationSpread {
                mean_s: 90.0,
                sd_s: 30.0,
                min_s: 20.0,
            },
            ping_interval_s: 4.0,
            speed_factor: 1.0,
            drift_share: 0.3,
            drift_after_s: 300.0,
            follow_advice_share: 0.8,
            shifts: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
