//! What a customer says about a delivered order.

use doorstep_api::number::Rating;
use doorstep_api::text::ReviewText;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{OrderId, RestaurantId};

/// The longest text of a review, in characters.
pub const TEXT_CHARS_MAX: usize = ReviewText::CHARS_MAX;

/// One review; an order has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The delivered order.
    pub order_id: OrderId,
    /// Who cooked it.
    pub restaurant_id: RestaurantId,
    /// 1 to 5.
    pub rating: u8,
    /// Free text, may be empty.
    pub text: String,
    /// When it was written.
    pub at_ms: i64,
}

/// Why a review is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// Not 1 to 5.
    #[error("a rating is 1 to 5, this one is {0}")]
    Rating(u8),
    /// Longer than [`TEXT_CHARS_MAX`].
    #[error("a review has at most {TEXT_CHARS_MAX} characters, this one has {0}")]
    Text(usize),
}

impl Review {
    /// Checks the bounds.
    ///
    /// # Errors
    /// When the rating or the length of the text is out of bounds.
    pub fn check(&self) -> Result<(), ReviewError> {
        if !Rating(self.rating).is_in_range() {
            return Err(ReviewError::Rating(self.rating));
        }
        match self.text.chars().count() {
            0..=TEXT_CHARS_MAX => Ok(()),
            more => Err(ReviewError::Text(more)),
        }
    }
}
