//! Reviews.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ids::OrderId;
use crate::number::{PageLimit, Rating, UnixMs};
use crate::text::ReviewText;

/// A review to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    /// Rating in stars, 1 to 5.
    pub rating: Rating,
    /// Free text.
    #[serde(default)]
    pub text: ReviewText,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReviewView {
    /// Rating in stars, 1 to 5.
    pub rating: Rating,
    /// Free text; may be empty.
    pub text: String,
    /// When it was written.
    pub at_ms: UnixMs,
}

/// A page of reviews, with the mean of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReviewPage {
    /// The reviews, of the newest orders first.
    pub reviews: Vec<ReviewView>,
    /// Cursor of the next page; null on the last.
    pub next_cursor: Option<OrderId>,
    /// Mean rating of all reviews in hundredths of a star; null without reviews.
    #[schema(minimum = 100, maximum = 500)]
    pub rating_centi: Option<i64>,
    /// Number of all reviews.
    #[schema(minimum = 0)]
    pub count: i64,
}

/// Page of a list of reviews.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReviewQuery {
    /// Largest number of entries of the page; 20 when absent.
    pub limit: Option<PageLimit>,
    /// `next_cursor` of the page before.
    pub cursor: Option<OrderId>,
}
