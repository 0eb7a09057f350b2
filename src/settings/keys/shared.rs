//! Settings of the city, which both servers share.

use super::Row;
use super::kinds::{CURRENCY, FILE, LOG, ZONE};
use crate::settings::value::Kind;

pub(super) const CITY: &[Row] = &[
    (
        "map",
        FILE,
        "",
        false,
        "The city: a road archive (.road) or an OpenStreetMap extract (.osm.pbf).",
    ),
    (
        "profile",
        Kind::Name(&["scooter", "car", "bicycle", "foot"]),
        "scooter",
        false,
        "Whose roads and speeds.",
    ),
    (
        "zone",
        ZONE,
        "UTC",
        false,
        "The zone of the times that people read, such as those on the city view.",
    ),
    (
        "currency",
        CURRENCY,
        "EUR",
        false,
        "The one currency of this deployment; its minor digits are those of ISO 4217 (JPY 0, EUR 2, KWD 3). Stored amounts keep the currency they were made in.",
    ),
    (
        "token_key_file",
        FILE,
        "",
        false,
        "The file with the key that signs tokens; the same for all servers.",
    ),
    (
        "log",
        LOG,
        "info",
        true,
        "What is logged; the variable RUST_LOG overrides it.",
    ),
    (
        "log_format",
        Kind::Name(&["text", "json"]),
        "text",
        false,
        "How log lines are written: for people, or one JSON object a line.",
    ),
    (
        "ca",
        FILE,
        "",
        false,
        "PEM file with authorities to trust beside the public ones: for the gateway, dispatch, PostgreSQL and NATS.",
    ),
];
