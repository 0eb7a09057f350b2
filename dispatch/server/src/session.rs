//! One driver's connection: the hello, then frames and datagrams until it ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_dispatch_core::{DriverId, Fix, Input, OfferId, Time};
use doorstep_dispatch_wire::codec::{FRAME_BYTES_MAX, FrameDecoder, encode_frame};
use doorstep_dispatch_wire::driver::client_frame::Body as ClientBody;
use doorstep_dispatch_wire::driver::server_frame::Body as ServerBody;
use doorstep_dispatch_wire::driver::{
    Acknowledged, Cadence, ClientFrame, Hello, Offer, Ping, Refused, ServerFrame, Welcome,
};
use doorstep_dispatch_wire::ping::{Motion, PingFix, decode_fixes};
use doorstep_dispatch_wire::token::Audience;
use doorstep_dispatch_wire::version::{CloseCode, PROTOCOL};
use prost::Message;
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::convert::{self, ConvertError};
use crate::fix_slots::{FixSlot, Written};
use crate::ingest::Ingest;
use crate::metrics::PingDropped;
use crate::phone_clock::PhoneClock;
use crate::rate::RateLimit;
use crate::sessions::{SessionHandle, SessionId};
use crate::shard::ShardCommand;

/// Offers that are remembered until they end; more are not open at a time for one driver.
const OFFERS_SENT_MAX: usize = 8;

/// Real time between two log lines about bad pings of one session.
const BAD_PING_LOG_EVERY: Duration = Duration::from_secs(60);

/// A phone that is further ahead of the city is named in the log; less is what a phone's clock may be off.
const CLOCK_AHEAD_LOGGED_MS: u64 = 2_000;

/// How a session ends: with a code for the app, or without if the app has gone.
pub(crate) enum Ended {
    Gone,
    Close(CloseCode),
}

/// A connection whose hello was accepted.
pub(crate) struct Session {
    ingest: Arc<Ingest>,
    connection: Connection,
    driver: DriverId,
    id: SessionId,
    reader: Reader,
    send: SendStream,
    write_buffer: Vec<u8>,
    slot: Arc<FixSlot>,
    /// Of the newest ping.
    seq: u64,
    fixes: Vec<PingFix>,
    phone_clock: PhoneClock,
    is_clock_logged: bool,
    pings_rate: RateLimit,
    frames_rate: RateLimit,
    offers_sent: VecDeque<SentOffer>,
    /// When a ping that could not be used was logged last.
    bad_ping_logged: Option<Instant>,
}

/// An offer that was written to the app.
struct SentOffer {
    offer_id: u64,
    written: Instant,
    is_received: bool,
    /// Its deliveries, and by which request each was asked for.
    deliveries: Vec<(String, Option<Arc<str>>)>,
}

impl Session {
    /// Waits for a valid hello.
    pub(crate) async fn open(
        ingest: Arc<Ingest>,
        connection: Connection,
        id: SessionId,
    ) -> Result<Self, Ended> {
        let (send, recv) = connection.accept_bi().await.map_err(|_| Ended::Gone)?;
        let mut reader = Reader {
            recv,
            decoder: FrameDecoder::new(),
        };
        let Some(ClientBody::Hello(hello)) = reader.next().await?.body else {
            return Err(Ended::Close(CloseCode::BadFrame));
        };
        let driver = check(&ingest, &hello)?;
        tracing::debug!(driver = driver.0, session = id.0, device = ?hello.device.chars().take(128).collect::<String>(), "session opened");
        let now = Clock::instant();
        Ok(Self {
            pings_rate: RateLimit::new(ingest.limits.pings_per_s_max, now),
            frames_rate: RateLimit::new(ingest.limits.frames_per_s_max, now),
            ingest,
            connection,
            driver,
            id,
            reader,
            send,
            write_buffer: Vec::new(),
            slot: FixSlot::new(driver),
            seq: 0,
            fixes: Vec::new(),
            phone_clock: PhoneClock::default(),
            is_clock_logged: false,
            offers_sent: VecDeque::new(),
            bad_ping_logged: None,
        })
    }

    /// Registers with the shard, works until the end, takes its registration back.
    pub(crate) async fn serve(mut self) -> Ended {
        let (outbound, mut frames) = mpsc::channel(self.ingest.limits.outbound_frames_max);
        let (close, mut closed) = oneshot::channel();
        let handle = SessionHandle {
            session: self.id,
            outbound,
            close,
        };
        let welcome = self.welcome();
        if let Err(ended) = self.write(&[welcome]).await {
            return ended;
        }
        if !self
            .enqueue(ShardCommand::Connect {
                driver: self.driver,
                handle,
            })
            .await
        {
            return Ended::Close(CloseCode::ShuttingDown);
        }
        let mut batch = Vec::new();
        let ended = loop {
            let step = tokio::select! {
                code = &mut closed => Err(Ended::Close(code.unwrap_or(CloseCode::ShuttingDown))),
                // The handle holds the other end for as long as this session is the current one.
                _ = frames.recv_many(&mut batch, self.ingest.limits.outbound_frames_max), if !frames.is_closed() => {
                    let written = self.write(&batch).await;
                    batch.clear();
                    written
                }
                frame = self.reader.next() => match frame {
                    Ok(frame) => self.handle_frame(frame).await,
                    Err(ended) => Err(ended),
                },
                datagram = self.connection.read_datagram() => match datagram {
                    Ok(datagram) => {
                        self.handle_datagram(&datagram);
                        Ok(())
                    }
                    Err(_) => Err(Ended::Gone),
                },
            };
            if let Err(ended) = step {
                break ended;
            }
        };
        self.enqueue(ShardCommand::Disconnect {
            driver: self.driver,
            session: self.id,
        })
        .await;
        ended
    }

    fn welcome(&self) -> ServerFrame {
        let welcome = Welcome {
            driver_id: self.driver.0,
            session_id: self.id.0,
            server_time_ms: self.ingest.clock.now().as_millis(),
            cadence: Some(Cadence {
                ping_interval_ms: self.ingest.ping_interval_ms,
            }),
        };
        ServerFrame {
            body: Some(ServerBody::Welcome(welcome)),
        }
    }

    async fn handle_frame(&mut self, frame: ClientFrame) -> Result<(), Ended> {
        if !self.frames_rate.allows(Clock::instant()) {
            return Err(Ended::Close(CloseCode::TooFast));
        }
        let number = frame.number;
        let input = match frame.body {
            // A frame of a newer app that this version does not know.
            None => {
                return self
                    .refuse(number, "frame", "it is not known to this server")
                    .await;
            }
            Some(body) => match self.input(body) {
                Ok(input) => input,
                Err((what, error)) => return self.refuse(number, what, &error.to_string()).await,
            },
        };
        let command = ShardCommand::FromDriver {
            session: self.id,
            driver: self.driver,
            input,
            number,
        };
        if self.enqueue(command).await {
            Ok(())
        } else {
            Err(Ended::Close(CloseCode::ShuttingDown))
        }
    }

    fn input(&mut self, body: ClientBody) -> Result<Input, (&'static str, ConvertError)> {
        let driver = self.driver;
        Ok(match body {
            ClientBody::Hello(_) => return Err(("hello", ConvertError::SecondHello)),
            ClientBody::Duty(duty) if duty.on => {
                let at =
                    convert::driver_position("at", duty.at).map_err(|error| ("duty", error))?;
                let until = duty.until_ms.map(Time::from_millis);
                Input::DriverOnDuty { driver, at, until }
            }
            ClientBody::Duty(_) => Input::DriverOffDuty { driver },
            ClientBody::OfferReceipt(receipt) => {
                self.time_receipt(receipt.offer_id);
                self.log_offer(receipt.offer_id, "offer received");
                Input::OfferReceived {
                    driver,
                    offer: OfferId(receipt.offer_id),
                }
            }
            ClientBody::OfferAnswer(answer) => {
                let said = if answer.accept {
                    "offer accepted"
                } else {
                    "offer declined"
                };
                self.log_offer(answer.offer_id, said);
                Input::OfferAnswered {
                    driver,
                    offer: OfferId(answer.offer_id),
                    answer: convert::answer(answer),
                }
            }
            ClientBody::Milestone(milestone) => {
                let bad = |error| ("milestone", error);
                let delivery = convert::delivery_id(&milestone.delivery_id).map_err(bad)?;
                let reached = convert::milestone(milestone.kind).map_err(bad)?;
                tracing::info!(
                    driver = driver.0,
                    session = self.id.0,
                    delivery = milestone.delivery_id,
                    request_id = self.ingest.requests.of(delivery).as_deref(),
                    ?reached,
                    "milestone reported"
                );
                Input::Milestone {
                    driver,
                    delivery,
                    reached,
                }
            }
        })
    }

    fn sent_offer(&mut self, offer_id: u64) -> Option<&mut SentOffer> {
        let mut sent = self.offers_sent.iter_mut();
        sent.find(|sent| sent.offer_id == offer_id)
    }

    fn time_receipt(&mut self, offer_id: u64) {
        let Some(sent) = self.sent_offer(offer_id).filter(|sent| !sent.is_received) else {
            return;
        };
        sent.is_received = true;
        let duration = Clock::instant().saturating_duration_since(sent.written);
        self.ingest.metrics.offer_receipt.record(duration);
    }

    /// Remembers an offer that is being written.
    fn note_offer(&mut self, offer: &Offer) {
        if self.offers_sent.len() == OFFERS_SENT_MAX {
            self.offers_sent.pop_front();
        }
        let deliveries = offer.delivery_ids.iter().map(|delivery| {
            let id = convert::delivery_id(delivery).ok();
            let request = id.and_then(|id| self.ingest.requests.of(id));
            (delivery.clone(), request)
        });
        self.offers_sent.push_back(SentOffer {
            offer_id: offer.offer_id,
            written: Clock::instant(),
            is_received: false,
            deliveries: deliveries.collect(),
        });
    }

    /// A line for each delivery of an offer that this session sent; of one before it only the offer is known.
    fn log_offer(&self, offer_id: u64, what: &str) {
        let mut sent = self.offers_sent.iter();
        let Some(sent) = sent.find(|sent| sent.offer_id == offer_id) else {
            let (driver, session) = (self.driver.0, self.id.0);
            tracing::info!(driver, session, offer = offer_id, "{what}");
            return;
        };
        for (delivery, request_id) in &sent.deliveries {
            tracing::info!(
                driver = self.driver.0,
                session = self.id.0,
                offer = offer_id,
                delivery,
                request_id = request_id.as_deref(),
                "{what}"
            );
        }
    }

    fn log_written(&self, frame: &ServerFrame) {
        match &frame.body {
            Some(ServerBody::Offer(offer)) => self.log_offer(offer.offer_id, "offer sent"),
            Some(ServerBody::OfferRevoked(revoked)) => {
                self.log_offer(revoked.offer_id, "offer taken back");
            }
            _ => {}
        }
    }

    /// A ping that cannot be used is counted and dropped: the next one may be good, and the app's offers must not end with it.
    fn handle_datagram(&mut self, datagram: &[u8]) {
        let received = Clock::instant();
        if let Err(why) = self.take_ping(datagram, received) {
            self.ingest.metrics.ping_dropped(why);
        }
    }

    fn take_ping(&mut self, datagram: &[u8], received: Instant) -> Result<(), PingDropped> {
        // First, so that a flood of anything costs next to nothing.
        if !self.pings_rate.allows(received) {
            return Err(PingDropped::Rate);
        }
        let ping = Ping::decode(datagram).map_err(|error| self.bad_ping(&error, received))?;
        if ping.seq <= self.seq {
            return Err(PingDropped::OldNumber);
        }
        let decoded = decode_fixes(&ping, &mut self.fixes);
        let motion = decoded.map_err(|error| self.bad_ping(&error, received))?;
        self.seq = ping.seq;
        if let Some(newest) = self.fixes.last().copied() {
            let taken = self.taken_at(&newest);
            let fix = fix(&newest, taken, motion);
            if self.ingest.fixes.write(&self.slot, fix, received) == Written::Superseded {
                return Err(PingDropped::Superseded);
            }
        }
        Ok(())
    }

    /// When a fix was taken by the city's clock. Once a session the log says that the phone's is ahead.
    fn taken_at(&mut self, fix: &PingFix) -> Time {
        let taken = self
            .phone_clock
            .correct(fix.time_ms, self.ingest.clock.now());
        let ahead_ms = self.phone_clock.ahead_ms();
        if ahead_ms > CLOCK_AHEAD_LOGGED_MS && !self.is_clock_logged {
            self.is_clock_logged = true;
            let (driver, session) = (self.driver.0, self.id.0);
            tracing::warn!(
                driver,
                session,
                ahead_ms,
                "a phone's clock is ahead; its times are moved back"
            );
        }
        taken
    }

    /// Logs the first bad ping of a session, and then one a minute.
    fn bad_ping(&mut self, error: &dyn std::error::Error, received: Instant) -> PingDropped {
        let is_due = self
            .bad_ping_logged
            .is_none_or(|last| received.duration_since(last) >= BAD_PING_LOG_EVERY);
        if is_due {
            self.bad_ping_logged = Some(received);
            let (driver, session) = (self.driver.0, self.id.0);
            tracing::warn!(driver, session, why = %error, "a ping cannot be used and is dropped");
        }
        PingDropped::Bad
    }

    /// Says why a frame was not acted on; sending it again would not help, so it counts as acknowledged.
    async fn refuse(&mut self, number: u64, what: &str, why: &str) -> Result<(), Ended> {
        let refused = ServerBody::Refused(Refused {
            what: what.to_owned(),
            why: why.to_owned(),
        });
        let acknowledged =
            (number > 0).then_some(ServerBody::Acknowledged(Acknowledged { number }));
        let bodies = [Some(refused), acknowledged].into_iter().flatten();
        let frames: Vec<ServerFrame> = bodies
            .map(|body| ServerFrame { body: Some(body) })
            .collect();
        self.write(&frames).await
    }

    async fn write(&mut self, frames: &[ServerFrame]) -> Result<(), Ended> {
        self.write_buffer.clear();
        for frame in frames {
            // A frame that the server itself made too long is a bug; the app can only start over.
            encode_frame(frame, &mut self.write_buffer)
                .map_err(|_| Ended::Close(CloseCode::TooSlow))?;
            if let Some(ServerBody::Offer(offer)) = &frame.body {
                self.note_offer(offer);
            }
        }
        match timeout(
            self.ingest.limits.write_timeout,
            self.send.write_all(&self.write_buffer),
        )
        .await
        {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Ended::Gone),
            Err(_) => return Err(Ended::Close(CloseCode::TooSlow)),
        }
        frames.iter().for_each(|frame| self.log_written(frame));
        Ok(())
    }

    /// Waits for a place in the queue of the shard; false if the shard has ended.
    async fn enqueue(&self, command: ShardCommand) -> bool {
        self.ingest.commands.send(command).await.is_ok()
    }
}

fn check(ingest: &Ingest, hello: &Hello) -> Result<DriverId, Ended> {
    if hello.protocol != PROTOCOL {
        return Err(Ended::Close(CloseCode::UnknownProtocol));
    }
    let verified = ingest.token_key.verify(
        &hello.token,
        Audience::Driver,
        ingest.clock.now().as_millis(),
    );
    let claims = verified.map_err(|error| {
        tracing::debug!(%error, "driver token refused");
        Ended::Close(CloseCode::BadToken)
    })?;
    claims
        .subject
        .parse()
        .map(DriverId)
        .map_err(|_| Ended::Close(CloseCode::BadToken))
}

fn fix(newest: &PingFix, taken: Time, motion: Motion) -> Fix {
    Fix {
        at: doorstep_routing::LatLng::from_e7(newest.lat_e7, newest.lng_e7),
        time: taken,
        speed_mm_s: Some(motion.speed_mm_s),
        heading_cdeg: Some(motion.heading_cdeg),
    }
}

/// The control stream, frame by frame.
struct Reader {
    recv: RecvStream,
    decoder: FrameDecoder,
}

impl Reader {
    /// The next frame. Cancelling it loses nothing: bytes read stay in the decoder.
    async fn next(&mut self) -> Result<ClientFrame, Ended> {
        let bad = |_| Ended::Close(CloseCode::BadFrame);
        loop {
            if let Some(frame) = self.decoder.try_next().map_err(bad)? {
                return Ok(frame);
            }
            match self.recv.read_chunk(FRAME_BYTES_MAX, true).await {
                Ok(Some(chunk)) => self.decoder.push(&chunk.bytes).map_err(bad)?,
                Ok(None) | Err(_) => return Err(Ended::Gone),
            }
        }
    }
}
