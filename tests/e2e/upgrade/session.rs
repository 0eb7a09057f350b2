//! One driver's session, byte for byte: recorded here, decoded and played again by later versions.
//!
//! ```text
//!   '>' frame of the app │ '<' frame of the server │ '.' datagram of the app, each: u32 length, little endian, then the message
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_dispatch_server::{Clock, Config};
use doorstep_dispatch_wire::codec::{FrameDecoder, encode_frame};
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{LatLng as DispatchLatLng, RequestDeliveryRequest};
use doorstep_dispatch_wire::driver::client_frame::Body as ClientBody;
use doorstep_dispatch_wire::driver::server_frame::Body as ServerBody;
use doorstep_dispatch_wire::driver::{
    ClientFrame, Duty, Hello, LatLng, Milestone, MilestoneKind, OfferAnswer, OfferReceipt, Ping,
    ServerFrame,
};
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_dispatch_wire::version::PROTOCOL;
use doorstep_driver_client::client_endpoint;
use doorstep_routing::{NodeId, Router};
use prost::Message;

const ORIGIN_MS: u64 = 1_796_148_000_000;
const DELIVERY: &str = "00000000-0000-7000-8000-000000000001";
const WAIT: Duration = Duration::from_secs(60);

/// The connection of an app that notes all it sends and gets.
pub(crate) struct App {
    connection: quinn::Connection,
    send: quinn::SendStream,
    recv: quinn::RecvStream,
    decoder: FrameDecoder,
    pub(crate) recorded: Vec<u8>,
}

impl App {
    pub(crate) async fn connect(
        address: SocketAddr,
        certificate: &[u8],
    ) -> (quinn::Endpoint, Self) {
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = client_endpoint(bind, &[certificate]).unwrap();
        let connection = endpoint
            .connect(address, "localhost")
            .unwrap()
            .await
            .unwrap();
        let (send, recv) = connection.open_bi().await.unwrap();
        let app = Self {
            connection,
            send,
            recv,
            decoder: FrameDecoder::new(),
            recorded: Vec::new(),
        };
        (endpoint, app)
    }

    fn note(&mut self, kind: u8, message: &[u8]) {
        self.recorded.push(kind);
        let length = u32::try_from(message.len()).unwrap();
        self.recorded.extend(length.to_le_bytes());
        self.recorded.extend(message);
    }

    pub(crate) async fn frame(&mut self, frame: &ClientFrame) {
        self.note(b'>', &frame.encode_to_vec());
        let mut bytes = Vec::new();
        encode_frame(frame, &mut bytes).unwrap();
        self.send.write_all(&bytes).await.unwrap();
    }

    pub(crate) fn datagram(&mut self, bytes: &[u8]) {
        self.note(b'.', bytes);
        self.connection
            .send_datagram(bytes.to_vec().into())
            .unwrap();
    }

    /// Reads frames until one is what is looked for.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        found: impl Fn(&ServerBody) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                let next: Option<ServerFrame> = self.decoder.try_next().unwrap();
                let Some(frame) = next else {
                    let chunk = self.recv.read_chunk(65_536, true).await.unwrap();
                    self.decoder.push(&chunk.expect(what).bytes).unwrap();
                    continue;
                };
                self.note(b'<', &frame.encode_to_vec());
                if let Some(found) = frame.body.as_ref().and_then(&found) {
                    return found;
                }
            }
        };
        tokio::time::timeout(WAIT, search)
            .await
            .unwrap_or_else(|_| panic!("no {what} within {WAIT:?}"))
    }
}

/// A driver goes on duty, sends positions, and delivers an order.
pub(crate) async fn record(router: &Arc<Router>, key: &TokenKey) -> Vec<u8> {
    let clock = Clock::scaled(ORIGIN_MS, Instant::now(), 120);
    let config = Config::new(Arc::clone(router), key.clone(), clock);
    let server = doorstep_dispatch_server::start(config).await.unwrap();
    let (endpoint, mut app) = App::connect(server.quic_addr, &server.certificate_der).await;
    let network = router.network();
    let corner = |index: usize| network.node_at(NodeId::from_index(index));
    let (here, there) = (corner(0), corner(network.node_count() / 2));
    app.go_on_duty(key, here, clock).await;
    let mut dispatch = DispatchClient::connect(format!("http://{}", server.grpc_addr))
        .await
        .unwrap();
    let position = |at: doorstep_routing::LatLng| DispatchLatLng {
        lat_e7: at.lat_e7(),
        lng_e7: at.lng_e7(),
    };
    let now_ms = clock.now().as_millis();
    dispatch
        .request_delivery(RequestDeliveryRequest {
            delivery_id: DELIVERY.to_owned(),
            pickup: Some(position(here)),
            dropoff: Some(position(there)),
            placed_at_ms: now_ms,
            ready_at_ms: now_ms,
        })
        .await
        .unwrap();
    app.deliver(clock).await;
    app.frame(&frame(0, ClientBody::Duty(Duty::default())))
        .await;
    drop(endpoint);
    server.shutdown().await.unwrap();
    app.recorded
}

fn frame(number: u64, body: ClientBody) -> ClientFrame {
    ClientFrame {
        number,
        body: Some(body),
    }
}

impl App {
    /// Hello, duty, and three datagrams.
    async fn go_on_duty(&mut self, key: &TokenKey, here: doorstep_routing::LatLng, clock: Clock) {
        let at = LatLng {
            lat_e7: here.lat_e7(),
            lng_e7: here.lng_e7(),
        };
        let token = key.sign(&Claims {
            audience: Audience::Driver,
            subject: "17".to_owned(),
            expires_at_ms: u64::MAX,
        });
        let hello = Hello {
            protocol: PROTOCOL,
            token,
            device: "upgrade fixture".to_owned(),
        };
        self.frame(&frame(0, ClientBody::Hello(hello))).await;
        self.until("welcome", |body| {
            matches!(body, ServerBody::Welcome(_)).then_some(())
        })
        .await;
        let duty = Duty {
            on: true,
            at: Some(at),
            until_ms: Some(ORIGIN_MS + 8 * 3_600_000),
        };
        self.frame(&frame(0, ClientBody::Duty(duty))).await;
        self.until("plan", |body| {
            matches!(body, ServerBody::Plan(_)).then_some(())
        })
        .await;
        for seq in 1..=3 {
            let ping = Ping {
                seq,
                time_ms: clock.now().as_millis(),
                lat_e7: at.lat_e7,
                lng_e7: at.lng_e7,
                dt_ms: vec![1_000, 1_000],
                dlat_e7: vec![20, -20],
                dlng_e7: vec![10, -10],
                speed_mm_s: 1_500,
                heading_cdeg: 9_000,
            };
            self.datagram(&ping.encode_to_vec());
        }
    }

    /// Takes the offer, and reports each step of the delivery.
    async fn deliver(&mut self, clock: Clock) {
        let offer_id = self
            .until("offer", |body| match body {
                ServerBody::Offer(offer) => Some(offer.offer_id),
                _ => None,
            })
            .await;
        self.frame(&frame(
            0,
            ClientBody::OfferReceipt(OfferReceipt { offer_id }),
        ))
        .await;
        let answer = OfferAnswer {
            offer_id,
            accept: true,
            reason: 0,
        };
        self.frame(&frame(1, ClientBody::OfferAnswer(answer))).await;
        for (number, kind) in (2..).zip([
            MilestoneKind::ArrivedAtRestaurant,
            MilestoneKind::PickedUp,
            MilestoneKind::ArrivedAtCustomer,
            MilestoneKind::DroppedOff,
        ]) {
            let milestone = Milestone {
                delivery_id: DELIVERY.to_owned(),
                kind: kind.into(),
                at_ms: clock.now().as_millis(),
            };
            self.frame(&frame(number, ClientBody::Milestone(milestone)))
                .await;
            self.until("acknowledgement", |body| match body {
                ServerBody::Acknowledged(have) => (have.number == number).then_some(()),
                _ => None,
            })
            .await;
        }
    }
}

/// The entries of a recording: who sent it, and the message.
fn entries(mut recorded: &[u8]) -> Vec<(u8, &[u8])> {
    let mut entries = Vec::new();
    while let Some((&[kind, a, b, c, d], rest)) = recorded.split_first_chunk::<5>() {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        entries.push((kind, &rest[..length]));
        recorded = &rest[length..];
    }
    assert!(
        recorded.is_empty(),
        "the recording ends in the middle of an entry"
    );
    entries
}

/// Every message is one of this version, and nothing of it is unknown here.
pub(crate) fn assert_decodes(recorded: &[u8]) {
    let entries = entries(recorded);
    assert!(entries.len() > 15, "{} entries", entries.len());
    for (kind, bytes) in entries {
        let again = match kind {
            b'>' => {
                let frame = ClientFrame::decode(bytes).unwrap();
                assert!(frame.body.is_some(), "{bytes:?}");
                frame.encode_to_vec()
            }
            b'<' => {
                let frame = ServerFrame::decode(bytes).unwrap();
                assert!(frame.body.is_some(), "{bytes:?}");
                frame.encode_to_vec()
            }
            b'.' => Ping::decode(bytes).unwrap().encode_to_vec(),
            other => panic!("an entry of kind {other}"),
        };
        assert_eq!(again, bytes, "a field is not known any more");
    }
}

/// The first frames of the old app, sent to this version's server: it is welcomed, goes on duty and gets a plan.
pub(crate) async fn assert_is_welcome(recorded: &[u8], router: &Arc<Router>, key: &TokenKey) {
    let clock = Clock::scaled(ORIGIN_MS, Instant::now(), 1);
    let config = Config::new(Arc::clone(router), key.clone(), clock);
    let server = doorstep_dispatch_server::start(config).await.unwrap();
    let (endpoint, mut app) = App::connect(server.quic_addr, &server.certificate_der).await;
    let entries = entries(recorded);
    let mut frames = entries.iter().filter(|(kind, _)| *kind == b'>');
    let mut next = || ClientFrame::decode(frames.next().unwrap().1).unwrap();
    app.frame(&next()).await;
    app.until("welcome", |body| {
        matches!(body, ServerBody::Welcome(_)).then_some(())
    })
    .await;
    app.frame(&next()).await;
    app.until("plan", |body| {
        matches!(body, ServerBody::Plan(_)).then_some(())
    })
    .await;
    let ping = entries.iter().find(|(kind, _)| *kind == b'.').unwrap();
    app.datagram(ping.1);
    drop(endpoint);
    server.shutdown().await.unwrap();
}
