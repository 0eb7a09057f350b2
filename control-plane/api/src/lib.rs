//! The JSON bodies of the control plane's HTTP interface: what is sent and answered, with the limits of each field and its schema.
//!
//! Servers and clients share these types, so neither has a copy of its own. A limit is written once, beside its type: the schema
//! of `/openapi.json` and the validation of the server read the same constant.

pub mod admin;
pub mod assignment;
pub mod customers;
pub mod explanation;
pub mod ids;
pub mod number;
pub mod orders;
pub mod payments;
pub mod place;
pub mod problem;
pub mod quotes;
pub mod restaurants;
pub mod reviews;
pub mod text;

use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};

/// An array of a named type with bounds on its length; `utoipa`'s attributes take literals only, and the bounds are constants.
fn list_of<T: ToSchema>(description: &str, min: usize, max: usize) -> RefOr<Schema> {
    let items = Ref::from_schema_name(T::name());
    let list = ArrayBuilder::new()
        .items(items)
        .min_items(Some(min))
        .max_items(Some(max));
    RefOr::T(Schema::Array(list.description(Some(description)).build()))
}
