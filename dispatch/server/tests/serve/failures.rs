//! Wrong tokens, wrong bytes, too many of them: the connection ends with a reason, the server goes on.

use std::time::Duration;

use bytes::Bytes;
use doorstep_dispatch_server::{Config, Limits};
use doorstep_dispatch_wire::codec::encode_frame;
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{DeliveryState, StatusRequest};
use doorstep_dispatch_wire::driver::client_frame::Body;
use doorstep_dispatch_wire::driver::{ClientFrame, Duty, Hello, LatLng, OfferReceipt, Ping};
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_dispatch_wire::version::{CloseCode, PROTOCOL};
use doorstep_driver_client::{LinkEvent, connect};
use prost::Message;
use quinn::{Connection, ConnectionError, RecvStream, SendStream};
use tonic::{Code, Request};

use crate::town::{ORIGIN_MS, Town, config, corner, delivery, request, soon, token};

/// A connection without the reference client around it.
struct Raw {
    connection: Connection,
    send: SendStream,
    recv: RecvStream,
}

impl Raw {
    async fn open(town: &Town) -> Self {
        let connecting = town
            .endpoint()
            .connect(town.server.quic_addr, "localhost")
            .unwrap();
        let connection = soon("handshake", connecting).await.unwrap();
        let (send, recv) = connection.open_bi().await.unwrap();
        Self {
            connection,
            send,
            recv,
        }
    }

    async fn frame(&mut self, body: Body) {
        let mut bytes = Vec::new();
        encode_frame(
            &ClientFrame {
                number: 0,
                body: Some(body),
            },
            &mut bytes,
        )
        .unwrap();
        // The server may have closed already; the close code is what counts.
        let _ = self.send.write_all(&bytes).await;
    }

    /// Past the welcome.
    async fn welcomed(town: &Town, driver: u64) -> Self {
        let mut raw = Self::open(town).await;
        let token = token(Audience::Driver, &driver.to_string(), u64::MAX);
        raw.frame(Body::Hello(Hello {
            protocol: PROTOCOL,
            token,
            device: String::new(),
        }))
        .await;
        let welcome = soon("welcome", raw.recv.read_chunk(1_024, true))
            .await
            .unwrap();
        assert!(welcome.is_some_and(|chunk| !chunk.bytes.is_empty()));
        raw
    }

    async fn close_code(self) -> Option<CloseCode> {
        match soon("close", self.connection.closed()).await {
            ConnectionError::ApplicationClosed(close) => {
                CloseCode::from_number(close.error_code.into_inner())
            }
            other => panic!("closed without a code: {other}"),
        }
    }
}

/// Bytes that differ from seed to seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

async fn is_alive(town: &Town) {
    let mut control_plane = town.control_plane().await;
    let status = soon("status", control_plane.status(StatusRequest {})).await;
    assert!(status.is_ok(), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_good_is_refused_for_good() {
    let town = Town::start().await;
    let foreign = TokenKey::from_bytes(&[8; 32]).unwrap();
    let claims = Claims {
        audience: Audience::Driver,
        subject: "7".to_owned(),
        expires_at_ms: u64::MAX,
    };
    for bad in [
        String::new(),
        "ds1.x.y".to_owned(),
        foreign.sign(&claims),
        token(Audience::Customer, "7", u64::MAX),
        token(Audience::Driver, "7", ORIGIN_MS),
        token(Audience::Driver, "seven", u64::MAX),
    ] {
        let (_link, mut events) = connect(town.endpoint(), town.link_config(bad.clone()));
        let event = soon("refusal", events.recv()).await.unwrap();
        assert!(
            matches!(&event, LinkEvent::Closed(loss) if loss.code == Some(CloseCode::BadToken)),
            "{bad:?}: {event:?}"
        );
    }
    is_alive(&town).await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_without_an_admin_token_are_refused() {
    let town = Town::start().await;
    let mut anybody = DispatchClient::new(town.channel().await);
    let status = anybody.status(StatusRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    for bearer in [
        token(Audience::Driver, "7", u64::MAX),
        token(Audience::Admin, "x", ORIGIN_MS),
        "x".to_owned(),
    ] {
        let mut call = Request::new(StatusRequest {});
        call.metadata_mut()
            .insert("authorization", format!("Bearer {bearer}").parse().unwrap());
        assert_eq!(
            anybody.status(call).await.unwrap_err().code(),
            Code::Unauthenticated
        );
    }
    is_alive(&town).await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_end_the_connection_and_nothing_else() {
    let town = Town::start().await;
    for seed in 0..24 {
        let mut raw = Raw::open(&town).await;
        let mut bytes = noise(seed, 40 + usize::try_from(seed).unwrap() * 97);
        // A short first length makes the decoder read the noise as a message at once.
        bytes[0] = 30;
        let _ = raw.send.write_all(&bytes).await;
        let code = raw.close_code().await;
        assert_eq!(
            code,
            Some(CloseCode::BadFrame),
            "seed {seed}, before the hello"
        );

        let mut raw = Raw::welcomed(&town, seed).await;
        let _ = raw.send.write_all(&bytes).await;
        let code = raw.close_code().await;
        assert_eq!(
            code,
            Some(CloseCode::BadFrame),
            "seed {seed}, after the hello"
        );

        let raw = Raw::welcomed(&town, seed).await;
        for length in [0, 1, 3, 1_000] {
            let mut datagram = noise(seed + 1_000 + length as u64, length);
            datagram.insert(0, 0xff);
            raw.connection.send_datagram(Bytes::from(datagram)).unwrap();
        }
        // Datagrams are never a reason: nothing of the stream was lost with them.
        is_alive(&town).await;
        assert!(
            raw.connection.close_reason().is_none(),
            "seed {seed}, datagrams"
        );
    }
    is_alive(&town).await;
    town.stop().await;
}

/// A ping that cannot be is dropped and counted, and the session goes on with the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_ping_ends_no_session() {
    let town = Town::start().await;
    let mut raw = Raw::welcomed(&town, 7).await;
    let at = LatLng {
        lat_e7: 10_000,
        lng_e7: 10_000,
    };
    raw.frame(Body::Duty(Duty {
        on: true,
        at: Some(at),
        until_ms: None,
    }))
    .await;
    let good = Ping {
        time_ms: ORIGIN_MS,
        lat_e7: 10_000,
        lng_e7: 10_000,
        ..Ping::default()
    };
    let bad = [
        Ping {
            heading_cdeg: 36_000,
            ..good.clone()
        },
        Ping {
            lat_e7: 950_000_000,
            ..good.clone()
        },
        Ping {
            dt_ms: vec![1; 64],
            dlat_e7: vec![1; 64],
            dlng_e7: vec![1; 64],
            ..good.clone()
        },
        Ping {
            dt_ms: vec![1],
            ..good.clone()
        },
    ];
    let count = u64::try_from(bad.len()).unwrap();
    for (ping, seq) in bad.into_iter().zip(1..) {
        let bytes = Ping { seq, ..ping }.encode_to_vec();
        raw.connection.send_datagram(Bytes::from(bytes)).unwrap();
    }
    let mut control_plane = town.control_plane().await;
    let moved = Ping {
        lat_e7: 10_900,
        ..good
    };
    for seq in 100.. {
        let ping = Ping {
            seq,
            time_ms: ORIGIN_MS + seq,
            ..moved.clone()
        };
        let datagram = Bytes::from(ping.encode_to_vec());
        raw.connection.send_datagram(datagram).unwrap();
        let status = soon("status", control_plane.status(StatusRequest {})).await;
        let status = status.unwrap().into_inner();
        if status.pings_rejected >= count && status.pings_accepted > 0 {
            break;
        }
        assert!(seq < 10_000, "{status:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(raw.connection.close_reason().is_none());
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_frame_is_a_hello_of_this_protocol_in_time() {
    let limits = Limits {
        hello_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let town = Town::start_with(Config { limits, ..config() }).await;
    let mut raw = Raw::open(&town).await;
    raw.frame(Body::OfferReceipt(OfferReceipt { offer_id: 1 }))
        .await;
    assert_eq!(raw.close_code().await, Some(CloseCode::BadFrame));

    let mut raw = Raw::open(&town).await;
    let token = token(Audience::Driver, "7", u64::MAX);
    raw.frame(Body::Hello(Hello {
        protocol: PROTOCOL - 1,
        token,
        device: String::new(),
    }))
    .await;
    assert_eq!(raw.close_code().await, Some(CloseCode::UnknownProtocol));

    let mut raw = Raw::open(&town).await;
    let _ = raw.send.write_all(&[30]).await;
    assert_eq!(raw.close_code().await, Some(CloseCode::HelloLate));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_frames_and_a_crowd_of_connections_are_refused() {
    let limits = Limits {
        frames_per_s_max: 5,
        connections_max: 1,
        ..Limits::default()
    };
    let town = Town::start_with(Config { limits, ..config() }).await;
    let mut raw = Raw::welcomed(&town, 1).await;
    let second = town
        .endpoint()
        .connect(town.server.quic_addr, "localhost")
        .unwrap();
    let refused = soon("refusal", second).await;
    assert!(
        matches!(refused, Err(ConnectionError::ConnectionClosed(_))),
        "{refused:?}"
    );
    for _ in 0..100 {
        raw.frame(Body::Duty(Duty::default())).await;
    }
    assert_eq!(raw.close_code().await, Some(CloseCode::TooFast));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_behind_the_log_is_told_and_can_start_over() {
    let limits = Limits {
        events_max: 3,
        ..Limits::default()
    };
    let town = Town::start_with(Config { limits, ..config() }).await;
    let mut control_plane = town.control_plane().await;
    let mut watch = town.watch(0).await;
    for number in 1..=8 {
        control_plane
            .request_delivery(request(number, town.now_ms()))
            .await
            .unwrap();
    }
    let events = watch.until(8, DeliveryState::Searching).await;
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].cursor < pair[1].cursor)
    );
    let status = town.watch(1).await.failure().await;
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(
        status.message().contains("watch again from cursor 0"),
        "{status}"
    );
    let oldest = town.watch(0).await.next().await;
    assert_eq!((oldest.cursor, oldest.delivery_id), (6, delivery(6)));
    let ahead = town.watch(1_000).await.failure().await;
    assert_eq!(ahead.code(), Code::OutOfRange, "{ahead}");

    let mut open = town.watch(8).await;
    let _idle = town.driver(1, corner(0, 0)).await;
    town.stop().await;
    assert_eq!(open.failure().await.code(), Code::Unavailable);
}
