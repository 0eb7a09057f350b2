//! When a driver has the food and when the customer has it.

use crate::Time;

/// The two times of a delivery that others plan by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Etas {
    /// Food in the driver's hand.
    pub(crate) pickup: Time,
    /// Food in the customer's hand.
    pub(crate) dropoff: Time,
}
