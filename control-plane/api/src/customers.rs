//! Customers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::CustomerId;
use crate::text::Name;

/// A customer to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// Name that the driver asks for at the door.
    pub name: Name,
}

/// A customer and their access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerCreated {
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// Bearer token for audience `customer`, valid for 30 days of the city's clock.
    pub token: String,
}
