//! The travel times of one epoch on every edge of a network, customized.

use crate::cch::CustomizedMetric;
use crate::units::TravelTime;

/// Times that a router answers from: a value, swapped as a whole.
pub struct Metric {
    pub(crate) epoch: u64,
    /// By edge of the network.
    pub(crate) times: Vec<TravelTime>,
    pub(crate) customized: CustomizedMetric,
}

impl Metric {
    /// The version of the times.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The time of each edge of the network; [`TravelTime::MAX`] where it is closed.
    #[must_use]
    pub fn times(&self) -> &[TravelTime] {
        &self.times
    }

    /// The hierarchy's weights.
    #[must_use]
    pub const fn customized(&self) -> &CustomizedMetric {
        &self.customized
    }

    /// A digest of all its times, to hold two metrics against each other.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for time in &self.times {
            hasher.update(&time.as_millis().to_le_bytes());
        }
        hasher.update(&self.customized.digest());
        *hasher.finalize().as_bytes()
    }
}
