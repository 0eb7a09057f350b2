//! Settings of the control plane: how it is reached, what clients may take, how long things last.

use super::Row;
use super::kinds::{DAY, FILE, HOUR, HTTP_URL, MANY, MINUTE, NAME, NETWORKS, duration, whole};
use crate::settings::value::Kind;

pub(super) const CONTROL_PLANE: &[Row] = &[
    (
        "listen",
        Kind::Address,
        "127.0.0.1:8080",
        false,
        "Where HTTP is served.",
    ),
    (
        "private_listen",
        Kind::Address,
        "",
        false,
        "Where /metrics, /healthz and /readyz are served over HTTP; an address that only operators reach.",
    ),
    (
        "tls_certificate",
        FILE,
        "",
        false,
        "PEM file with the certificate for HTTPS, own certificate first; read again when it changes. Without one HTTP is served.",
    ),
    ("tls_key", FILE, "", false, "PEM file with its private key."),
    (
        "instance",
        NAME,
        "",
        false,
        "The name of this process among all on one database; a restart under the same name takes up its own payments and messages at once. Not set: the host's name and the listening address.",
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

pub(super) const HTTP: &[Row] = &[
    (
        "connections_max",
        whole("connections", 1, 1_000_000),
        "16384",
        false,
        "Connections at a time; one more reads 503. An idle one takes about 20 KB. Lowered at the start to what the system's limit of open files allows.",
    ),
    (
        "head_timeout",
        duration(HOUR),
        "10s",
        false,
        "How long the head of a request may take from its first byte, and the first request of a connection to begin.",
    ),
    (
        "head_bytes_max",
        whole("bytes", 8_192, MANY),
        "65536",
        false,
        "The longest head of a request; a longer one reads 431.",
    ),
    (
        "body_timeout",
        duration(HOUR),
        "15s",
        false,
        "How long the body of a request may take as a whole; then the answer is 408.",
    ),
    (
        "idle_timeout",
        duration(DAY),
        "2m",
        false,
        "How long a connection may rest between two requests.",
    ),
    (
        "write_timeout",
        duration(HOUR),
        "30s",
        false,
        "How long a client may leave an answer unread.",
    ),
    (
        "http2_streams_max",
        whole("requests", 1, 100_000),
        "128",
        false,
        "Requests at a time on one HTTP/2 connection.",
    ),
    (
        "shutdown_grace",
        Kind::Duration {
            min: 0,
            max: 10 * MINUTE,
        },
        "8s",
        false,
        "How long open requests may take to end at SIGTERM or Ctrl-C; then they are cut.",
    ),
    (
        "trusted_proxies",
        NETWORKS,
        "",
        false,
        "Addresses or networks, parted by commas, whose `x-forwarded-for` is believed.",
    ),
];

pub(super) const RATE_LIMITS: &[Row] = &[
    (
        "address_burst",
        whole("requests", 0, MANY),
        "1000",
        false,
        "Requests of one address at once. Behind a proxy that is not trusted all clients share one address.",
    ),
    (
        "address_every",
        duration(HOUR),
        "5ms",
        false,
        "Time in which one address may send one more.",
    ),
    (
        "principal_burst",
        whole("requests", 0, MANY),
        "100",
        false,
        "Requests of one principal at once.",
    ),
    (
        "principal_every",
        duration(HOUR),
        "20ms",
        false,
        "Time in which one principal may send one more.",
    ),
    (
        "anonymous_burst",
        whole("requests", 0, MANY),
        "30",
        false,
        "Requests of one address at once to routes that make something without a principal, such as customers.",
    ),
    (
        "anonymous_every",
        duration(HOUR),
        "6s",
        false,
        "Time in which one address may send one more of those.",
    ),
    (
        "streams_max",
        whole("streams", 0, 100_000),
        "20",
        false,
        "Event streams of one principal at a time; 0: no limit.",
    ),
    (
        "remembered_max",
        whole("addresses and principals", 1, 100 * MANY),
        "100000",
        false,
        "How many are remembered, at 16 bytes each. When it is full, newcomers share one allowance.",
    ),
];

pub(super) const LEASES: &[Row] = &[
    (
        "beat",
        duration(MINUTE),
        "1s",
        false,
        "How often a process says that it runs.",
    ),
    (
        "dead_after",
        duration(HOUR),
        "8s",
        false,
        "Silence after which a process counts as dead. Raising it tolerates longer pauses; its work waits that long once it has died.",
    ),
];

pub(super) const RETENTION: &[Row] = &[
    (
        "quotes",
        duration(3_650 * DAY),
        "7d",
        false,
        "Quotes after they have expired.",
    ),
    (
        "idempotency_keys",
        duration(3_650 * DAY),
        "30d",
        false,
        "Idempotency keys: a request that is repeated later counts as a new one.",
    ),
    (
        "inbox",
        duration(3_650 * DAY),
        "90d",
        false,
        "Ids of events that have had their effect: a webhook that is repeated later is looked into once more.",
    ),
    (
        "changes",
        duration(DAY),
        "1h",
        false,
        "The journal of changes: a process that could not read it for longer misses some on its live streams.",
    ),
    (
        "every",
        duration(DAY),
        "1m",
        false,
        "Time between two looks for old rows.",
    ),
];

pub(super) const GATEWAY: &[Row] = &[
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

pub(super) const FEES: &[Row] = &[
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

pub(super) const TIMEOUTS: &[Row] = &[
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
