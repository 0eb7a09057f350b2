//! Random draws that depend on who asks and for what, never on when they ask.
//!
//! A draw is a pure function of `(seed, entity, id, purpose, index)`. Two policies that send the drivers down
//! different roads still meet the same customers, the same kitchens and the same answers, so the difference between
//! two runs is the difference between the policies ("common random numbers").

use doorstep_dispatch_core::DeliveryId;
use doorstep_routing::SplitMix64;

const GOLDEN: u64 = SplitMix64::STEP;

/// The seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// Whose draw it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// The city itself: which places exist.
    World = 1,
    /// One order, by number.
    Order = 2,
    /// One restaurant, by number.
    Restaurant = 3,
    /// One driver, by id.
    Driver = 4,
    /// One slice of the demand, by number.
    Slice = 5,
}

/// What a draw decides. The numbers are part of every digest: add at the end, never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// When in its slice an order is placed.
    PlacedAt = 1,
    /// Which customer orders.
    Customer = 2,
    /// Which restaurant is chosen.
    Restaurant = 3,
    /// Whether the customer changes their mind.
    Cancel = 4,
    /// How long until the customer changes their mind.
    CancelDelay = 5,
    /// How the customer pays.
    Payment = 6,
    /// Whether the customer leaves a review.
    Review = 7,
    /// How many stars.
    Stars = 8,
    /// What is in the basket.
    Basket = 9,
    /// How long the restaurant takes to accept.
    AcceptDelay = 10,
    /// Whether the restaurant rejects.
    Reject = 11,
    /// How long cooking takes.
    Preparation = 12,
    /// How popular a restaurant is.
    Popularity = 13,
    /// What is on the menu.
    Menu = 14,
    /// How a place is called.
    Name = 15,
    /// Which place is taken when there are too many.
    Sample = 16,
    /// Where a driver starts.
    Start = 17,
    /// Whether an offer is accepted.
    Answer = 18,
    /// How long a driver thinks.
    AnswerDelay = 19,
    /// Why a driver declines.
    DeclineReason = 20,
    /// How long the handover at the restaurant takes.
    PickupDwell = 21,
    /// How long the handover at the door takes.
    DropoffDwell = 22,
    /// Whether and where an idle driver drifts.
    Drift = 23,
    /// Which shift a driver works.
    Shift = 24,
    /// When in its interval the first ping falls.
    PingPhase = 25,
    /// Whether an idle driver rides to where dispatch advises to wait.
    Advice = 26,
}

impl Seed {
    /// The draw of `id` for `purpose`; `index` tells repeated draws for the same purpose apart.
    #[must_use]
    pub fn draw(self, entity: Entity, id: u64, purpose: Purpose, index: u64) -> Draw {
        let mut key = SplitMix64::mix(self.0 ^ GOLDEN);
        for part in [entity as u64, id, purpose as u64, index] {
            key = SplitMix64::mix(
                key.wrapping_add(GOLDEN) ^ SplitMix64::mix(part.wrapping_add(GOLDEN)),
            );
        }
        Draw(key)
    }
}

impl Seed {
    /// The draw of somebody about a delivery, whose id has 128 bits.
    #[must_use]
    pub fn draw_for(self, entity: Entity, id: u64, purpose: Purpose, delivery: DeliveryId) -> Draw {
        let low = u64::try_from(delivery.0 & u128::from(u64::MAX)).unwrap_or(0);
        let high = u64::try_from(delivery.0 >> 64).unwrap_or(0);
        self.draw(entity, id, purpose, SplitMix64::mix(high) ^ low)
    }
}

/// One draw: asked twice, it gives the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw(u64);

impl Draw {
    /// Uniform in `0..=u64::MAX`.
    #[must_use]
    pub fn bits(self) -> u64 {
        SplitMix64::mix(self.0)
    }

    /// Uniform in `[0, 1)`, 53 bits.
    #[must_use]
    pub fn unit(self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..bound`; 0 when `bound` is 0.
    #[must_use]
    pub fn below(self, bound: u64) -> u64 {
        // The high half of a 128-bit product (Lemire 2019) without the rejection step: the bias is below bound / 2^64.
        u64::try_from((u128::from(self.bits()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// Uniform over the indices of a slice of length `len`.
    #[must_use]
    pub fn index(self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True with probability `p`.
    #[must_use]
    pub fn chance(self, p: f64) -> bool {
        self.unit() < p
    }

    /// About normal with mean 0 and deviation 1, within ±6.
    ///
    /// The sum of twelve uniforms: additions only, so every platform gets the same bits (no `ln`, no `cos`).
    #[must_use]
    pub fn normal(self) -> f64 {
        (1..=12).map(|part| self.part(part).unit()).sum::<f64>() - 6.0
    }

    /// An independent draw derived from this one.
    #[must_use]
    pub fn part(self, part: u64) -> Self {
        Self(SplitMix64::mix(self.0 ^ part.wrapping_mul(GOLDEN)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Entity, Purpose, Seed};

    #[test]
    fn the_same_key_gives_the_same_number_and_any_other_key_another() {
        let draw =
            |seed, id, purpose, index| Seed(seed).draw(Entity::Order, id, purpose, index).bits();
        let base = draw(7, 3, Purpose::Cancel, 0);
        assert_eq!(base, draw(7, 3, Purpose::Cancel, 0));
        assert_ne!(base, draw(8, 3, Purpose::Cancel, 0));
        assert_ne!(base, draw(7, 4, Purpose::Cancel, 0));
        assert_ne!(base, draw(7, 3, Purpose::Payment, 0));
        assert_ne!(base, draw(7, 3, Purpose::Cancel, 1));
        assert_ne!(
            base,
            Seed(7).draw(Entity::Driver, 3, Purpose::Cancel, 0).bits()
        );
    }

    #[test]
    fn uniform_draws_fill_their_range_evenly() {
        let mut bins = [0_u32; 10];
        for id in 0..10_000 {
            bins[Seed(1)
                .draw(Entity::Order, id, Purpose::PlacedAt, 0)
                .index(10)] += 1;
        }
        assert!(
            bins.iter().all(|&count| (880..1_120).contains(&count)),
            "{bins:?}"
        );
    }

    #[test]
    fn normal_draws_have_mean_zero_and_deviation_one() {
        let draws: Vec<f64> = (0..10_000)
            .map(|id| {
                Seed(2)
                    .draw(Entity::Order, id, Purpose::Preparation, 0)
                    .normal()
            })
            .collect();
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        let variance = draws
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / 10_000.0;
        assert!(mean.abs() < 0.04, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
