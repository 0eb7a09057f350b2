//! Settings of the dispatch server, but for its policy.

use super::Row;
use super::kinds::{FILE, FOLDER, HOUR, MANY, MINUTE, duration, whole};
use crate::settings::value::Kind;

pub(super) const DISPATCH: &[Row] = &[
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
        "Where the control plane connects over gRPC (TCP).",
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
        "grpc_certificate",
        FILE,
        "",
        false,
        "PEM file with the certificate that encrypts gRPC, own certificate first; without one gRPC is not encrypted.",
    ),
    (
        "grpc_certificate_key",
        FILE,
        "",
        false,
        "PEM file with its private key.",
    ),
    (
        "private_listen",
        Kind::Address,
        "",
        false,
        "Where /metrics, /healthz and /readyz are served over HTTP; an address that only operators reach.",
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

pub(super) const LIMITS: &[Row] = &[
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
