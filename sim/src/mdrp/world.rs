//! What the policy cannot know: when food is really ready and what drivers say.
//!
//! Draws are keyed by the order, or by driver and order, so that every policy meets the same world.

use doorstep_dispatch_core::{DeliveryId, Span, Time};

use crate::mdrp::instance::Instance;
use crate::mdrp::plane::MINUTE_MS;
use crate::rng::{Entity, Purpose, Seed};

/// What is known of preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preparation {
    /// The ready time is known when the order is placed: the rule of the problem.
    #[default]
    Known,
    /// The mean preparation time of the restaurant's orders is known; the ready time shows when it comes.
    RestaurantMean,
    /// The ready time of the instance is the mean that is known; the true one differs by chance.
    Noisy,
}

/// How chance comes into a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance {
    /// What all draws grow from.
    pub seed: Seed,
    /// Of preparation.
    pub preparation: Preparation,
    /// Standard deviation of preparation around the known mean, for [`Preparation::Noisy`].
    pub preparation_sd: Span,
    /// Of a thousand offers, as many are declined.
    pub decline_permille: u32,
    /// Between an offer and its answer; zero: at once.
    pub answer_delay: Span,
}

impl Chance {
    /// No chance at all: the published problem.
    #[must_use]
    pub const fn none(seed: u64) -> Self {
        Self {
            seed: Seed(seed),
            preparation: Preparation::Known,
            preparation_sd: Span::ZERO,
            decline_permille: 0,
            answer_delay: Span::ZERO,
        }
    }

    /// The stochastic suite: preparation with a standard deviation of 8 minutes, one in five offers declined, 20 seconds to answer.
    #[must_use]
    pub const fn stochastic(seed: u64) -> Self {
        Self {
            preparation: Preparation::Noisy,
            preparation_sd: Span::from_mins(8),
            decline_permille: 200,
            answer_delay: Span::from_secs(20),
            ..Self::none(seed)
        }
    }
}

/// The drawn day.
#[derive(Debug)]
pub(crate) struct World {
    chance: Chance,
    ready: Vec<Time>,
    expected: Vec<Time>,
}

impl World {
    pub(crate) fn draw(instance: &Instance, chance: Chance) -> Self {
        let minutes = |minutes: u32| Time::from_millis(u64::from(minutes) * u64::from(MINUTE_MS));
        let known: Vec<Time> = instance
            .orders
            .iter()
            .map(|order| minutes(order.ready))
            .collect();
        let (ready, expected) = match chance.preparation {
            Preparation::Known => (known.clone(), known),
            Preparation::RestaurantMean => {
                let means = mean_preparation(instance);
                let orders = instance.orders.iter();
                let expected = orders
                    .map(|order| minutes(order.placed).after(means[order.restaurant]))
                    .collect();
                (known, expected)
            }
            Preparation::Noisy => {
                let noisy = (0..instance.orders.len())
                    .map(|index| noisy_ready_at(instance, index, &chance));
                (noisy.collect(), known)
            }
        };
        Self {
            chance,
            ready,
            expected,
        }
    }

    /// When the food of an order is really ready.
    pub(crate) fn ready_at(&self, order: usize) -> Time {
        self.ready[order]
    }

    /// What is known of that when it is placed.
    pub(crate) fn expected_ready_at(&self, order: usize) -> Time {
        self.expected[order]
    }

    pub(crate) fn is_uncertain(&self) -> bool {
        self.chance.preparation != Preparation::Known
    }

    /// What a driver says to an order, and after how long. The same whenever asked.
    pub(crate) fn answer(&self, courier: usize, order: usize) -> (bool, Span) {
        let draw = self.chance.seed.draw_for(
            Entity::Driver,
            courier as u64,
            Purpose::Answer,
            DeliveryId(order as u128),
        );
        let accepts = draw.unit() >= f64::from(self.chance.decline_permille) / 1000.0;
        (accepts, self.chance.answer_delay)
    }
}

/// The ready time of the instance and a normal deviation, never before the order is placed.
fn noisy_ready_at(instance: &Instance, index: usize, chance: &Chance) -> Time {
    let order = &instance.orders[index];
    let minute = u64::from(MINUTE_MS);
    let draw = chance
        .seed
        .draw(Entity::Order, index as u64, Purpose::Preparation, 0);
    #[allow(
        clippy::cast_possible_truncation,
        reason = "within six standard deviations of some minutes"
    )]
    let shift = (draw.normal() * chance.preparation_sd.as_millis() as f64).round() as i64;
    let ready = (u64::from(order.ready) * minute).saturating_add_signed(shift);
    Time::from_millis(ready.max(u64::from(order.placed) * minute))
}

/// Mean time from click to ready food of each restaurant's orders in the instance, in whole milliseconds.
fn mean_preparation(instance: &Instance) -> Vec<Span> {
    let mut sums = vec![(0_u64, 0_u64); instance.restaurants.len()];
    for order in &instance.orders {
        let (sum, count) = &mut sums[order.restaurant];
        *sum += u64::from(order.ready - order.placed) * u64::from(MINUTE_MS);
        *count += 1;
    }
    sums.into_iter()
        .map(|(sum, count)| Span::from_millis(sum / count.max(1)))
        .collect()
}
