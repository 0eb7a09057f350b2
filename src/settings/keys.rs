//! The list of all settings of both servers: name, kind with unit and range, default, what it does.

use doorstep_dispatch_core::{
    AdvicePolicy, Dwells, OFFERS_AT_ONCE_LIMIT, Policy, PolicyField, PolicyFields, Unit,
};

use super::value::{Kind, Raw, Value};

/// One setting.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Its name in the file: `section.key`.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What holds when nobody sets it; none: nothing.
    pub(crate) default: Option<Value>,
    pub(crate) about: String,
    /// Whether a reload changes it in a running server.
    pub(crate) reloads: bool,
}

impl Key {
    /// The variable of the environment: `DOORSTEP_` and the name in capitals, a full stop written as `_`.
    pub(crate) fn variable(&self) -> String {
        format!("DOORSTEP_{}", self.name.replace('.', "_").to_uppercase())
    }
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// More than any person or memory needs: catches slips of the finger.
const MANY: u64 = 10_000_000;

/// The fields of one level of a search.
pub(crate) const LEVELS: [(&str, Kind); 4] = [
    ("after", Kind::Duration { min: 1, max: DAY }),
    (
        "candidates_max",
        Kind::Whole {
            unit: "drivers",
            min: 1,
            max: 1_000,
        },
    ),
    (
        "search_radius",
        Kind::Distance {
            min: 1,
            max: 500_000_000,
        },
    ),
    (
        "offers_at_once",
        Kind::Whole {
            unit: "offers",
            min: 1,
            max: OFFERS_AT_ONCE_LIMIT as u64,
        },
    ),
];

const FILE: Kind = Kind::Text {
    expected: "the name of a file",
    accepts: is_some,
};
const FOLDER: Kind = Kind::Text {
    expected: "the name of a folder",
    accepts: is_some,
};
const HTTP_URL: Kind = Kind::Text {
    expected: "a URL that begins with http:// or https://",
    accepts: is_http_url,
};
const CURRENCY: Kind = Kind::Text {
    expected: "a currency code of ISO 4217, such as EUR, JPY or KWD",
    accepts: is_currency,
};
const ZONE: Kind = Kind::Text {
    expected: "a time zone of the tz database, such as Europe/Malta or UTC",
    accepts: is_zone,
};
const LOG: Kind = Kind::Text {
    expected: "a level (error, warn, info, debug, trace) or a filter such as info,doorstep_dispatch_server=debug",
    accepts: is_log_filter,
};

/// Rows of settings that are not the policy of dispatch: section, then name, kind, default, what it does.
const fn duration(max: u64) -> Kind {
    Kind::Duration { min: 1, max }
}

const fn whole(unit: &'static str, min: u64, max: u64) -> Kind {
    Kind::Whole { unit, min, max }
}

type Row = (&'static str, Kind, &'static str, bool, &'static str);

const CITY: &[Row] = &[
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
];

const DISPATCH: &[Row] = &[
    (
        "quic_listen",
        Kind::Address,
        "0.0.0.0:4433",
        false,
        "Where drivers connect over QUIC (UDP).",
    ),
    (
        "grpc_listen",
        Kind::Address,
        "127.0.0.1:7443",
        false,
        "Where the control plane connects over gRPC (TCP, not encrypted).",
    ),
    (
        "open_grpc",
        Kind::Flag,
        "false",
        false,
        "Lets whoever reaches the gRPC port call it without a token.",
    ),
    (
        "journal",
        FOLDER,
        "",
        false,
        "The folder of the journal; without one a restart forgets everything.",
    ),
    (
        "certificate",
        FILE,
        "",
        false,
        "PEM file with the certificate that apps know; without one a new one is made at every start.",
    ),
    (
        "certificate_key",
        FILE,
        "",
        false,
        "PEM file with its private key.",
    ),
    (
        "certificate_out",
        FILE,
        "",
        false,
        "Where the certificate is written, in DER, for apps that are to trust it.",
    ),
    (
        "ping_interval",
        Kind::Duration {
            min: 100,
            max: 10 * MINUTE,
        },
        "4s",
        false,
        "Time between two pings of an app. Raising it saves batteries and makes positions older.",
    ),
];

const LIMITS: &[Row] = &[
    (
        "connections_max",
        whole("connections", 1, MANY),
        "20000",
        false,
        "Driver connections at a time; more are refused before the handshake. Each takes about 10 KiB, at most 400.",
    ),
    (
        "frames_per_s_max",
        whole("frames a second", 1, 100_000),
        "50",
        false,
        "Frames a second from one app, with as many again at once; an app above is closed. Raising it lets one app make more work.",
    ),
    (
        "pings_per_s_max",
        whole("pings a second", 1, 100_000),
        "50",
        false,
        "Pings a second from one app, with as many again at once; more are dropped and counted.",
    ),
    (
        "hello_timeout",
        duration(HOUR),
        "10s",
        false,
        "How long after connecting the hello may take. Raising it serves worse networks and lets silent connections stay.",
    ),
    (
        "write_timeout",
        duration(HOUR),
        "10s",
        false,
        "How long an app may leave its stream unread before it is closed. Raising it holds offers at stalled apps.",
    ),
    (
        "idle_timeout",
        duration(HOUR),
        "20s",
        false,
        "A connection without any packet for so long is lost. Raising it survives longer tunnels and notices loss later.",
    ),
    (
        "commands_max",
        whole("commands", 1, MANY),
        "4096",
        false,
        "Commands that wait for the shard; when full, sessions stop reading and calls wait. Raising it hides overload longer.",
    ),
    (
        "command_timeout",
        duration(HOUR),
        "5s",
        false,
        "How long a gRPC call waits for its place in that queue before it is refused as unavailable.",
    ),
    (
        "outbound_frames_max",
        whole("frames", 1, 100_000),
        "64",
        false,
        "Frames that wait for one app; an app that falls further behind is closed.",
    ),
    (
        "events_max",
        whole("events", 1, MANY),
        "200000",
        false,
        "Delivery events held for watchers. Raising it lets watchers be away longer and costs about 100 bytes each.",
    ),
    (
        "drain_timeout",
        duration(HOUR),
        "5s",
        false,
        "How long open gRPC calls may take to end at a shutdown.",
    ),
    (
        "driver_picture_age_max",
        duration(HOUR),
        "250ms",
        false,
        "How old the drivers that a `Drivers` call shows may be, in real time. Raising it costs less and shows dots later.",
    ),
];

const CONTROL_PLANE: &[Row] = &[
    (
        "listen",
        Kind::Address,
        "127.0.0.1:8080",
        false,
        "Where HTTP is served.",
    ),
    (
        "database",
        Kind::SecretUrl,
        "sqlite://doorstep.db",
        false,
        "The database: sqlite://FILE or postgres://…; the variable DATABASE_URL sets it too.",
    ),
    (
        "dispatch_url",
        HTTP_URL,
        "http://127.0.0.1:7443",
        false,
        "The gRPC address of dispatch.",
    ),
    (
        "nats_url",
        Kind::SecretUrl,
        "",
        false,
        "Publishes order events on NATS JetStream; without it they stay in the process.",
    ),
    (
        "drivers_poll",
        Kind::Duration {
            min: 50,
            max: MINUTE,
        },
        "500ms",
        false,
        "Real time between two looks at the drivers' positions. Raising it saves work and moves dots less smoothly.",
    ),
];

const GATEWAY: &[Row] = &[
    (
        "url",
        HTTP_URL,
        "",
        false,
        "The payment gateway (docs/payment-gateway.md).",
    ),
    (
        "secret_file",
        FILE,
        "",
        false,
        "The file with the secret that signs its webhooks.",
    ),
    (
        "webhook_url",
        HTTP_URL,
        "",
        false,
        "Where the gateway reaches our webhook; the listening address when nothing is set.",
    ),
    (
        "timeout",
        duration(10 * MINUTE),
        "5s",
        false,
        "Real time before a call counts as unanswered and its outcome as unknown. Raising it holds orders longer at a slow gateway.",
    ),
];

const FEES: &[Row] = &[
    (
        "base_fee_minor",
        whole("minor units of the currency", 0, 1_000_000_000),
        "190",
        true,
        "Delivery fee up to included_m.",
    ),
    (
        "included_m",
        whole("metres", 0, 1_000_000),
        "1000",
        true,
        "What the base fee covers. Raising it makes far orders cheaper.",
    ),
    (
        "per_km_minor",
        whole("minor units of the currency", 0, 1_000_000_000),
        "60",
        true,
        "Fee for each started kilometre beyond.",
    ),
    (
        "commission_bp",
        whole("hundredths of a percent", 0, 10_000),
        "1500",
        true,
        "What the platform keeps of the items; the restaurant gets the rest.",
    ),
    (
        "driver_share_bp",
        whole("hundredths of a percent", 0, 10_000),
        "8000",
        true,
        "What the driver gets of the delivery fee; the platform keeps the rest.",
    ),
];

const TIMEOUTS: &[Row] = &[
    (
        "quote",
        duration(DAY),
        "15m",
        true,
        "How long a quote holds.",
    ),
    (
        "payment",
        duration(DAY),
        "15m",
        true,
        "How long a payment may stay open before the order expires.",
    ),
    (
        "accept",
        duration(DAY),
        "10m",
        true,
        "How long a restaurant may take to accept before the order expires.",
    ),
    (
        "pickup",
        duration(DAY),
        "90m",
        true,
        "How long an accepted order may take until it is picked up before it is cancelled.",
    ),
    (
        "dropoff",
        duration(DAY),
        "180m",
        true,
        "How long a picked-up order may take until it is dropped off before it counts as lost.",
    ),
    (
        "preparation",
        duration(DAY),
        "12m",
        true,
        "Preparation time assumed when the restaurant names none.",
    ),
];

/// Sections with what they are for, in the order of the file.
pub(crate) const SECTIONS: &[(&str, &str)] = &[
    ("", "The city, and what both servers share."),
    ("dispatch", "The dispatch server."),
    (
        "dispatch.limits",
        "Bounds of everything that apps can fill. Durations are real time.",
    ),
    (
        "dispatch.policy",
        "How orders get to drivers (docs/matching.md). Durations are of the city's clock.",
    ),
    (
        "dispatch.policy.dwells",
        "Time that drivers spend at stops beside waiting for food. Raising any makes ETAs later.",
    ),
    (
        "dispatch.policy.advice",
        "When idle drivers are advised to wait elsewhere.",
    ),
    ("control_plane", "The control plane."),
    ("gateway", "The payment gateway."),
    (
        "fees",
        "What is charged and who gets it; quotes that were given keep their prices.",
    ),
    (
        "timeouts",
        "When an order that does not go on ends. Durations are of the city's clock; orders that were placed keep theirs.",
    ),
];

/// Every key, section by section.
pub(crate) fn all() -> Vec<Key> {
    let mut keys = Vec::new();
    add(&mut keys, "", CITY);
    add(&mut keys, "dispatch.", DISPATCH);
    add(&mut keys, "dispatch.limits.", LIMITS);
    add_policy::<Policy>(&mut keys);
    keys.push(Key {
        name: "dispatch.policy.search_levels".to_owned(),
        kind: Kind::Levels,
        default: Some(Value::Levels(Policy::default().search_levels)),
        about: "How a search goes on that lasts, each level later than the one before; an empty list: as it began. More and \
                earlier ones place more orders, with longer approaches."
            .to_owned(),
        reloads: false,
    });
    add_policy::<Dwells>(&mut keys);
    let enabled: Row = (
        "enabled",
        Kind::Flag,
        "false",
        false,
        "Whether drivers are advised.",
    );
    add(&mut keys, "dispatch.policy.advice.", &[enabled]);
    add_policy::<AdvicePolicy>(&mut keys);
    add(&mut keys, "control_plane.", CONTROL_PLANE);
    add(&mut keys, "gateway.", GATEWAY);
    add(&mut keys, "fees.", FEES);
    add(&mut keys, "timeouts.", TIMEOUTS);
    keys
}

fn add(keys: &mut Vec<Key>, section: &str, rows: &[Row]) {
    for &(name, kind, default, reloads, about) in rows {
        keys.push(Key {
            name: format!("{section}{name}"),
            kind,
            // A default that its own kind refuses is found by a test of this file.
            default: kind.check(Raw::Word(default)).ok(),
            about: about.to_owned(),
            reloads,
        });
    }
}

fn add_policy<S: PolicyFields + Default>(keys: &mut Vec<Key>) {
    let usual = S::default();
    for field in S::FIELDS {
        keys.push(Key {
            name: format!("dispatch.policy.{}", field.name),
            kind: policy_kind(field),
            default: Some(Value::Number((field.read)(&usual))),
            about: without_links(S::about(field.name)),
            reloads: false,
        });
    }
}

fn policy_kind<S>(field: &PolicyField<S>) -> Kind {
    let (min, max) = (field.min, field.max);
    match field.unit {
        Unit::Milliseconds => Kind::Duration { min, max },
        Unit::Millimetres => Kind::Distance { min, max },
        Unit::MillimetresPerSecond => whole("millimetres a second", min, max),
        Unit::Permille => whole("thousandths", min, max),
        Unit::Count => whole("a number", min, max),
        Unit::Name => Kind::Name(field.names),
    }
}

/// Documentation of code as text of a page: links become names.
fn without_links(about: &str) -> String {
    about
        .trim()
        .replace("[`crate::", "`")
        .replace("[`Policy::", "`")
        .replace("[`", "`")
        .replace("`]", "`")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_one_that_its_key_accepts_and_no_name_is_twice() {
        let keys = all();
        for rows in [
            CITY,
            DISPATCH,
            LIMITS,
            CONTROL_PLANE,
            GATEWAY,
            FEES,
            TIMEOUTS,
        ] {
            for (name, kind, default, ..) in rows {
                assert!(
                    default.is_empty() || kind.check(Raw::Word(default)).is_ok(),
                    "{name}"
                );
            }
        }
        let mut names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
