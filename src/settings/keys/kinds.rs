//! The kinds of values that several keys share.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::settings::value::Kind;

pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
/// More than any person or memory needs: catches slips of the finger.
pub(super) const MANY: u64 = 10_000_000;

pub(super) const FILE: Kind = Kind::Text {
    expected: "the name of a file",
    accepts: is_some,
};
pub(super) const FOLDER: Kind = Kind::Text {
    expected: "the name of a folder",
    accepts: is_some,
};
pub(super) const HTTP_URL: Kind = Kind::Text {
    expected: "a URL that begins with http:// or https://",
    accepts: is_http_url,
};
pub(super) const CURRENCY: Kind = Kind::Text {
    expected: "a currency code of ISO 4217, such as EUR, JPY or KWD",
    accepts: is_currency,
};
pub(super) const ZONE: Kind = Kind::Text {
    expected: "a time zone of the tz database, such as Europe/Malta or UTC",
    accepts: is_zone,
};
pub(super) const LOG: Kind = Kind::Text {
    expected: "a level (error, warn, info, debug, trace) or a filter such as info,doorstep_dispatch_server=debug",
    accepts: is_log_filter,
};

pub(super) const NAME: Kind = Kind::Text {
    expected: "a name of letters, digits and - . _ :, at most 100",
    accepts: is_name,
};
pub(super) const NETWORKS: Kind = Kind::Text {
    expected: "addresses or networks such as 10.0.0.0/8, parted by commas",
    accepts: |text| networks(text).is_some(),
};

pub(super) const fn duration(max: u64) -> Kind {
    Kind::Duration { min: 1, max }
}

pub(super) const fn whole(unit: &'static str, min: u64, max: u64) -> Kind {
    Kind::Whole { unit, min, max }
}

fn is_some(text: &str) -> bool {
    !text.is_empty()
}

fn is_http_url(text: &str) -> bool {
    reqwest::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_currency(text: &str) -> bool {
    text.parse::<doorstep_control_plane::domain::money::Currency>()
        .is_ok_and(|currency| currency.minor_digits().is_some())
}

fn is_zone(text: &str) -> bool {
    jiff::tz::TimeZone::get(text).is_ok()
}

fn is_log_filter(text: &str) -> bool {
    !text.is_empty() && text.parse::<tracing_subscriber::EnvFilter>().is_ok()
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (1..=100).contains(&text.len()) && text.chars().all(allowed)
}

/// Addresses and networks, parted by commas; none if one of them is neither.
pub(crate) fn networks(text: &str) -> Option<Vec<IpNet>> {
    let one = |word: &str| match word.trim() {
        word if word.contains('/') => word.parse().ok(),
        word => word.parse::<IpAddr>().map(IpNet::from).ok(),
    };
    text.split(',').map(one).collect()
}
